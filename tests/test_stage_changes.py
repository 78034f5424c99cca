"""Each change of stage is stored once, under a name that stays: whoever tells of changes tells of each exactly once."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from radar.store import trends
from radar.store.engine import reading
from radar.store.tables import day_count, detector_state, episode, snapshot, stage_change
from radar.windows import Bucket
from tests.builders import a_post, fresh_store, put
from tests.trends.test_line_invariants import BEGINS, DAYS, OLD, craze, detect, read_and_count, talk

END = BEGINS + timedelta(days=DAYS)
Name = tuple[int, str]


class Teller:
    """Looks back three days at each visit, and remembers what it has told."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine, self.told = engine, Counter[Name]()

    def visit(self, now: datetime) -> None:
        with reading(self.engine) as session:
            changes = trends.changes_between(session, "old", now - timedelta(days=3), now, buckets=list(Bucket))
        for name in {(change.episode_id, change.stage) for change in changes}:
            if name not in self.told:
                self.told[name] += 1


def _stored(engine: sa.Engine) -> list[Name]:
    """Trend and stage of all that ever was worth telling, straight from the tables."""
    led = sa.select(episode.c.id).where(
        episode.c.leader_id.is_(None), episode.c.id.in_(sa.select(snapshot.c.episode_id))
    )
    with engine.connect() as c:
        rows = c.execute(sa.select(stage_change).where(stage_change.c.episode_id.in_(led))).all()
    assert len(rows) == len({(row.episode_id, row.changed_at) for row in rows})
    return [(row.episode_id, row.stage) for row in rows]


def test_one_message_for_each_stage_of_a_trend(tmp_path: Path) -> None:
    engine = fresh_store(tmp_path / "radar.db")
    put(engine, *talk(), *craze(), now=END)
    read_and_count(engine, OLD, END)
    teller = Teller(engine)
    for hours in range(24 * 39, 24 * DAYS + 1, 6):  # as the schedule runs, from the day before the craze
        detect(engine, OLD, BEGINS + timedelta(hours=hours))
        teller.visit(BEGINS + timedelta(hours=hours))
    stages = {stage for _, stage in teller.told}
    assert {"emerging", "fading"} <= stages
    assert set(teller.told) == set(_stored(engine))
    before = Counter(teller.told)
    kept = sorted(_stored(engine))

    detect(engine, OLD, END)  # asked again
    teller.visit(END)
    with engine.begin() as c:  # the same days once more, from an earlier midnight
        c.execute(
            sa.update(day_count).where(day_count.c.local_day >= END.date() - timedelta(days=6)).values(detected=False)
        )
    detect(engine, OLD, END)
    for back in range(6, -1, -1):
        teller.visit(END - timedelta(days=back))
    assert sorted(_stored(engine)) == kept
    assert teller.told == before

    with engine.begin() as c:  # rebuilt from the counts
        for table in (snapshot, stage_change, episode, detector_state):
            c.execute(sa.delete(table))
        c.execute(sa.update(day_count).values(detected=False))
    detect(engine, OLD, END)
    for back in range(6, -1, -1):
        teller.visit(END - timedelta(days=back))
    assert sorted(_stored(engine)) == kept
    assert teller.told == before
    engine.dispose()


def test_a_late_post_on_another_subject_repeats_no_message(tmp_path: Path) -> None:
    engine = fresh_store(tmp_path / "radar.db")
    put(engine, *talk(), *craze(), now=END)
    read_and_count(engine, OLD, END)
    detect(engine, OLD, END)
    kept = sorted(_stored(engine))
    assert kept
    at = BEGINS + timedelta(days=42, hours=5)
    put(engine, a_post("late", "window paper", "p3", published_at=at), now=END + timedelta(hours=1))
    read_and_count(engine, OLD, END + timedelta(hours=1))
    detect(engine, OLD, END)
    assert sorted(_stored(engine)) == kept
    engine.dispose()
