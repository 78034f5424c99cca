"""Compiled code that is kept on disk is never older than any source that went into it."""

import os
import subprocess
import sys
from pathlib import Path

OUTER = """
from inner import CONSTANT, added
from radar._jit import jit


@jit
def outer(x):
    return added(x) * CONSTANT


print(outer(1), sum(outer.dispatcher.stats.cache_hits.values()))
"""
INNER = """
from radar._jit import jit

CONSTANT = {constant}


@jit
def added(x):
    return x + {more}
"""


def test_a_change_of_a_callee_or_of_its_numbers_compiles_the_caller_anew(tmp_path: Path) -> None:
    """Given a compiled function that calls another module's, when that one changes, then the caller answers by it."""
    (tmp_path / "outer.py").write_text(OUTER, encoding="utf-8")

    def told(constant: int, more: int) -> list[int]:
        (tmp_path / "inner.py").write_text(INNER.format(constant=constant, more=more), encoding="utf-8")
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kept"), "PYTHONDONTWRITEBYTECODE": "1"}
        said = subprocess.run(
            [sys.executable, "outer.py"], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
        )
        return [int(word) for word in said.stdout.split()]

    assert told(10, 1) == [20, 0]
    assert told(10, 1) == [20, 1], "what nothing changed is not compiled again"
    assert told(10, 2) == [30, 0]
    assert told(100, 2) == [300, 0]
