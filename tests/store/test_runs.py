"""Runs of jobs: every page of every filter is what looking at each of them gives, also where a clock went back."""

from datetime import timedelta
from itertools import product

import numpy as np
import pytest
import sqlalchemy as sa

from radar.store import runs
from radar.store.engine import reading, writing
from radar.store.tables import run
from tests.builders import NOON

OUTCOMES = ("ok", "failed", "running")


@pytest.mark.parametrize("descending", [True, False])
def test_pages_of_runs_hold_what_was_asked_for(engine: sa.Engine, descending: bool) -> None:
    rng = np.random.default_rng(3)
    rows = [
        {
            "id": n, "job": str(rng.choice(["count", "detect", "ingest"])), "outcome": str(rng.choice(OUTCOMES)),
            "started_at": NOON + timedelta(minutes=n - 40 * (n % 50 > 45)), "host": "h", "pid": 1,
        }
        for n in range(1, 201)
    ]  # fmt: skip
    with writing(engine) as session, session.begin():
        session.execute(sa.insert(run), rows)
    starts = [None, *(NOON + timedelta(minutes=n) for n in (-100, 60, 160, 900))]
    asked = list(product([None, "detect", "none"], [None, "failed"], starts))
    for job, outcome, start in asked:
        since = start or NOON - timedelta(days=9)
        expected = [
            row["id"]
            for row in sorted(rows, key=lambda row: row["id"], reverse=descending)
            if job in (None, row["job"]) and outcome in (None, row["outcome"]) and row["started_at"] >= since
        ]  # fmt: skip
        found: list[int] = []
        with reading(engine) as session:
            while page := runs.some_runs(
                session, job=job, outcome=outcome, since=start, after=found[-1] if found else None,
                descending=descending, limit=7,
            ):  # fmt: skip
                found += [one.id for one in page]
        assert found == expected, (job, outcome, start)
