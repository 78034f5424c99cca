"""One-author spam through the real line: a file is imported, read, counted and judged; whose alerts come of it?"""

import csv
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from radar.classify import classify_posts
from radar.count import count_mentions
from radar.detect import detect_trends
from radar.importing import Mapping, import_file
from radar.registry import TopicScorer
from radar.store.engine import open_store
from radar.store.tables import episode, key, snapshot

BEGINS = datetime(2026, 3, 1, 16, tzinfo=UTC)  # midnight in Taipei
DAYS = 60
PERSONS = 140
SPAM, CROWD = 300, 100
"""Keys that one account drums up, and keys that a dozen people really come to."""

WORDS = (
    "tea metro garden office camera coffee window bridge paper river kitchen market lantern ticket harbour museum "
    "bakery station umbrella noodle temple pottery bicycle orchard library sunset blanket balcony candle mountain"
).split()
Row = dict[str, str]


@dataclass(frozen=True)
class Story:
    """What the file tells: rows, when each drummed key had its one author at it, and the keys that a crowd took up."""

    rows: list[Row]
    spam: dict[str, tuple[datetime, datetime]]
    crowd: set[str]


def told(seed: int, lasting: tuple[int, ...]) -> Story:
    """A market's 60 days: quiet talk; 300 keys that one author posts 20 times, on one day or over some days (lasting,
    drawn from); 100 crazes of 12 persons within two days. All of these keys occur in the quiet talk, now and then.
    """
    rng = random.Random(seed)
    rows: list[Row] = []
    spam: dict[str, tuple[datetime, datetime]] = {}

    def post(author: int, day: float, text: str) -> None:
        at = BEGINS + timedelta(days=day)
        rows.append({"author": f"p{author}", "published_at": at.isoformat(), "text": f"{text} {len(rows)}"})

    crowd = [f"craze{n}" for n in range(CROWD)]
    tags = [f"drum{n}" for n in range(SPAM)] + crowd
    for n in range(DAYS * 110):
        post(n % PERSONS, rng.uniform(0, DAYS), f"{' '.join(rng.sample(WORDS, 4))} #{rng.choice(tags)}")
    for tag in tags[:SPAM]:
        author, first, days = rng.randrange(PERSONS), rng.randrange(30, DAYS - 8), rng.choice(lasting)
        for n in range(20):
            post(author, first + n % days + rng.random(), f"#{tag}")
        spam[tag] = BEGINS + timedelta(days=first), BEGINS + timedelta(days=first + days)
    for tag in crowd:
        day = rng.randrange(30, DAYS - 3)
        for author in rng.sample(range(PERSONS), 12):
            post(author, day + 2 * rng.random(), f"#{tag}")
    return Story(rows, spam, set(crowd))


def alerts(engine: sa.Engine) -> list[tuple[str, datetime]]:
    """(key, onset) of every episode that was shown with q <= 0.05."""
    statement = (
        sa.select(key.c.text, episode.c.onset_at)
        .join(episode, episode.c.key_hash == key.c.hash)
        .where(episode.c.id.in_(sa.select(snapshot.c.episode_id).where(snapshot.c.q <= 0.05)))
    )
    with engine.connect() as c:
        return [(text, onset_at) for text, onset_at in c.execute(statement)]


def shown(story: Story, scorer: TopicScorer, folder: Path) -> tuple[list[tuple[str, datetime]], list[str]]:
    """All alerts of a story that went through the line, and the drummed keys among those raised while the author was
    at it or while the longest window (a week) still held it."""
    end = BEGINS + timedelta(days=DAYS)
    with (folder / "posts.csv").open("w", newline="") as file:
        out = csv.DictWriter(file, ["author", "published_at", "text"])
        out.writeheader()
        out.writerows(story.rows)
    engine = open_store(f"sqlite:///{folder / 'radar.db'}")
    mapping = Mapping(market="TW", platform="test")
    done = import_file(
        engine, str(folder / "posts.csv"), mapping, format_name=None, rejects_folder=folder / "rejects", now=end
    )
    assert done.posts.new == len(story.rows)
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=end)
    count_mentions(engine, scorer.model_id, scorer.topic_ids, now=end)
    detect_trends(engine, scorer.model_id, scorer.topic_ids, closed_at=end)
    raised = alerts(engine)
    engine.dispose()
    drummed = []
    for text, onset_at in raised:
        first, last = story.spam.get(text, (end, BEGINS))
        if first < onset_at <= last + timedelta(days=7):
            drummed.append(text)
    return raised, drummed


def test_of_a_hundred_alerts_at_most_one_is_the_work_of_one_author(tmp_path: Path, scorer: TopicScorer) -> None:
    story = told(1, lasting=(1, 1, 3))
    raised, drummed = shown(story, scorer, tmp_path)
    assert len({text for text, _ in raised} & story.crowd) >= 0.9 * CROWD
    assert len(drummed) <= 0.01 * len(raised)
