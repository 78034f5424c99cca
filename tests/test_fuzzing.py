"""Whatever bytes come in by file, push, feed, brief or filter are read, or told to be wrong: nothing else is raised.

The long form tries a million inputs (RADAR_FUZZ_RUNS for each target), with coverage to lead it where atheris is
installed. What was found stands in tests.fuzzing.found.
"""

import os
import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import IN_CI
from tests.fuzzing import TARGETS, found, mutated

RUNS = {"feed": 60_000, "xlsx": 30_000, "parquet": 30_000, "push": 60_000, "brief": 60_000}


@pytest.mark.parametrize("name", TARGETS)
def test_anything_is_read_or_refused(name: str) -> None:
    target, seeds = TARGETS[name]
    bodies = seeds()

    @settings(
        max_examples=120, deadline=None, derandomize=IN_CI, database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
    @given(st.integers(0, len(bodies) - 1), st.integers(0, 2**32), st.binary(max_size=12))
    def read(which: int, seed: int, tail: bytes) -> None:
        target(mutated(bodies[which] + tail, random.Random(seed)))

    for body in (b"", *bodies):
        target(body)
    read()


def test_what_was_found_once_is_foreseen() -> None:
    for name, body in found():
        TARGETS[name][0](body)


@pytest.mark.long
@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.timeout(7_200)
def test_a_million_inputs(name: str, tmp_path: Path) -> None:
    runs = int(os.environ.get("RADAR_FUZZ_RUNS") or RUNS.get(name, 110_000))
    if find_spec("atheris") is None:
        target, seeds = TARGETS[name]
        rng, bodies = random.Random(1), seeds()
        for _ in range(runs):
            target(mutated(rng.choice(bodies), rng))
        return
    words = [
        sys.executable,
        "-m",
        "tests.fuzzing",
        name,
        f"-runs={runs}",
        f"-artifact_prefix={tmp_path}/",
        "-max_len=8000",
    ]
    done = subprocess.run(words, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
