"""The whole line, file to ranked trends, as a person runs it: `radar import FILE`, then `radar trends`, on SQLite.

Beside it, on the texts of the same posts in the same run, what an analyst writes today: TF-IDF and NMF for each day, in
scikit-learn: no test, no markets, no evidence.

Each file holds (simulated) posts of some days: RADAR_BENCH_LINES says how many a day and of how many days, as
`800x75,8000x75`. They come into a store of RADAR_BENCH_STORED posts by RADAR_BENCH_AUTHORS authors; with several, as
`100000,10000000`, the smallest file comes into each. Then an hour brings RADAR_BENCH_HOUR posts into the largest.
RADAR_BENCH_FOLDER keeps the filled stores for another run.
"""

import json
import os
import re
import shutil
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer

from radar.bench import many_posts
from radar.bench.sizes import all_asked, asked
from radar.bench.whole import Whole, run_whole
from radar.config import load_settings
from radar.errors import CallerError
from radar.registry import is_fitted, load_scorer, model_folder, model_id
from radar.scheduling import Progress
from radar.sources.base import RawPost
from radar.sources.world import SimulatedWorld
from radar.store import runs
from radar.store.engine import open_store, reading

DAYS, POSTS_A_DAY = 75, 800
"""Of one simulated world, at the least and about; as many worlds as it takes are put together."""
PEER_POSTS = 60_000
"""Posts that the peer works through, of days spread over all."""
WORDS, TOPICS = 20_000, 10
MARKET = "TW"
BERTOPIC = "not beside it: it needs PyTorch, whose wheels for Linux on PyPI are CUDA builds"


class Case(NamedTuple):
    """A file of so many posts a day, for so many days, into a store of so many."""

    a_day: int
    days: int
    stored: int

    @property
    def until(self) -> datetime:
        """When its posts end."""
        return many_posts.NOW + timedelta(days=self.days)


def measure(progress: Progress) -> dict[str, object]:
    """By posts a day and posts stored before: posts a second, seconds by stage, memory, ratio to the peer."""
    lines, sizes = _lines(), sorted(all_asked("STORED", "100000"))
    cases = [Case(*line, sizes[0]) for line in lines] + [Case(*lines[0], size) for size in sizes[1:]]
    found, rates = dict[str, object](), dict[Case, float]()
    with tempfile.TemporaryDirectory() as name:
        folder, kept = Path(name), Path(os.environ.get("RADAR_BENCH_FOLDER", name))
        filled = {size: _filled(kept, size, progress) for size in sizes}
        for done, case in enumerate(cases):
            posts = _posts(case)
            line = _line(_file(folder, posts), filled[case.stored], folder / "line", case.until)
            rates[case] = len(posts) / line.seconds
            at = f"of_{case.a_day}_a_day_at_{case.stored}"
            found |= {
                f"posts_{at}": len(posts), f"posts_per_second_{at}": round(rates[case]), f"peak_mb_{at}": line.peak_mb,
                **{f"seconds_until_{job}_{at}": round(took, 1) for job, took in line.until.items()},
                f"trends_{at}": line.trends,
            }  # fmt: skip
            if case.stored == sizes[0]:
                peer = _peer(posts)
                found |= {
                    f"peer_per_second_{at}": round(peer),
                    f"ratio_to_tfidf_nmf_{at}": round(rates[case] / peer, 2),
                }
            progress("files", done + 1, len(cases) + 1)
        hour = asked("HOUR", 10_000)
        file = _file(folder, _hour(hour))
        line = _line(file, filled[sizes[-1]], folder / "line", many_posts.NOW + timedelta(hours=1))
        found[f"seconds_of_an_hour_of_{hour}_at_{sizes[-1]}"] = round(line.seconds, 1)
    if len(sizes) > 1:
        found["slowdown"] = round(rates[cases[0]] / rates[cases[-1]], 3)
    return found | {"peer": f"scikit-learn TF-IDF + NMF per day, {TOPICS} topics", "bertopic": BERTOPIC}


def _lines() -> list[tuple[int, int]]:
    """Posts a day and days of each file, smallest first. Raises CallerError for what is none."""
    given = os.environ.get("RADAR_BENCH_LINES") or "800x75,8000x75"
    if not re.fullmatch(r"[1-9]\d*x[1-9]\d*(,[1-9]\d*x[1-9]\d*)*", given):
        raise CallerError(f"RADAR_BENCH_LINES: '{given[:60]}' is not posts a day x days.", "As in 800x75,8000x75.")
    return sorted((int(a_day), int(days)) for a_day, _, days in (line.partition("x") for line in given.split(",")))


def _posts(case: Case) -> list[RawPost]:
    """Posts of the days that follow those of the filled store, of so many worlds together; the last version of each."""
    found: list[RawPost] = []
    for n in range(-(-case.a_day // POSTS_A_DAY)):
        world = SimulatedWorld(7 + n, starts_at=many_posts.NOW, days=max(case.days, DAYS))
        last = {
            (post.platform, post.native_id): post
            for batch in world.discover(None, case.until)
            for post in batch.posts
            if not post.deleted
        }
        found += [_apart(post, n) for post in last.values()]
    found.sort(key=lambda post: post.published_at)
    return found


def _apart(post: RawPost, world: int) -> RawPost:
    """A post whose author lives in that world alone."""
    author = replace(post.author, native_id=f"{world}-{post.author.native_id}")
    return replace(post, native_id=f"{world}-{post.native_id}", author=author)


def _hour(wanted: int) -> list[RawPost]:
    """So many posts of the hour that follows the filled store."""
    posts = _posts(Case(wanted, 2, 0))[:wanted]
    step = timedelta(hours=1) / len(posts)
    return [replace(post, published_at=many_posts.NOW + n * step) for n, post in enumerate(posts)]


def _file(folder: Path, posts: Sequence[RawPost]) -> Path:
    file = folder / "posts.jsonl"
    with file.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(_told(post), ensure_ascii=False) + "\n" for post in posts)
    return file


def _told(post: RawPost) -> dict[str, Any]:
    names = ("platform", "native_id", "text", "language", "like_count", "comment_count", "share_count", "view_count")
    said = {name: value for name in names if (value := getattr(post, name)) is not None}
    author = {"author": post.author.native_id, "market": post.author.audience_market}
    return said | author | {"published_at": post.published_at.isoformat()}


def _filled(folder: Path, size: int, progress: Progress) -> Path:
    """A store with that many posts, its detection at rest, for the shipped model."""
    authors = asked("AUTHORS", many_posts.AUTHORS)
    data = folder / f"filled-{size}-{authors}-{model_id()}"
    model = model_folder((settings := load_settings()).model_copy(update={"data_dir": data}))
    if not ((data / "done").exists() and is_fitted(model)):
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True)
        load_scorer(settings)
        shutil.copytree(model_folder(settings), model)
        engine = open_store(f"sqlite:///{data / 'radar.db'}")
        many_posts.fill(engine, size, progress, world="real", authors=authors)
        engine.dispose()
        _radar(data, "run", "detect_trends")
        (data / "done").touch()
    return data


class Line(NamedTuple):
    """What one run took: seconds to the list and to the end of each job; memory in MB at most; trends listed."""

    seconds: float
    until: dict[str, float]
    peak_mb: int
    trends: int


def _line(file: Path, filled: Path, folder: Path, until: datetime) -> Line:
    shutil.copytree(filled, folder)
    began = time.perf_counter()
    imported = _radar(folder, "import", str(file))
    asked = ("--market", MARKET, "--scope", "all", "--as-of", until.isoformat(), "--format", "json")
    listed = _radar(folder, "trends", *asked)
    took = time.perf_counter() - began
    stages = {**_stages(folder), "list_trends": took}
    shutil.rmtree(folder)
    return Line(took, stages, max(imported.peak_mb, listed.peak_mb), len(json.loads(listed.printed)["items"]))


def _stages(folder: Path) -> dict[str, float]:
    """Seconds from the command's beginning to the end of each job behind the import, as the store has them."""
    engine = open_store(f"sqlite:///{folder / 'radar.db'}", migrate=False)
    with reading(engine) as session:
        found = runs.latest_runs(session)
    engine.dispose()
    jobs = {name: found[name] for name in ("classify_posts", "count_mentions", "detect_trends")}
    return {name: (run.ended_at - run.started_at).total_seconds() for name, run in jobs.items() if run.ended_at}


def _radar(folder: Path, *words: str) -> Whole:
    known = {name: value for name, value in os.environ.items() if not name.startswith("RADAR_")}
    return run_whole([sys.executable, "-m", "radar", "--data-dir", str(folder), *words], known)


def _peer(posts: Sequence[RawPost]) -> float:
    """Posts a second into topics of each day; characters in twos to fours, as words need a segmenter a language."""
    by_day: dict[Any, list[str]] = defaultdict(list)
    for post in posts:
        by_day[post.published_at.date()].append(post.text)
    days = [texts for texts in by_day.values() if len(texts) > TOPICS]
    days = days[:: max(len(posts) // PEER_POSTS, 1)]
    began = time.perf_counter()
    for texts in days:
        found = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), max_features=WORDS).fit_transform(texts)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it says so of most days
            NMF(TOPICS, init="nndsvd", random_state=0, max_iter=500).fit_transform(found)
    return sum(map(len, days)) / (time.perf_counter() - began)
