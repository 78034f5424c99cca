"""Several processes at work on one store at the same time: the store is as one after the other leaves it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import radar
from tests.facts import facts_of
from tests.test_kill import write_posts


@pytest.fixture(scope="module")
def one_after_the_other(
    tmp_path_factory: pytest.TempPathFactory, fitted_dir: Path
) -> tuple[list[Path], dict[str, Any]]:
    """Two files of posts, and what a store holds after importing the one and then the other."""
    folder = tmp_path_factory.mktemp("calm")
    whole, parts = folder / "whole.csv", [folder / f"part{n}.csv" for n in range(2)]
    write_posts(whole)
    head, *rows = whole.read_text(encoding="utf-8").splitlines(keepends=True)
    rows = rows[-3_000:]  # the last weeks, with the craze
    (folder / "models").symlink_to(fitted_dir / "models")
    url = f"sqlite:///{folder / 'calm.db'}"
    for n, part in enumerate(parts):
        part.write_text("".join([head, *rows[n::2]]), encoding="utf-8")
        done = radar("import", str(part), "--platform", "test", data_dir=folder, env={"RADAR_DATABASE_URL": url})
        assert done.returncode == 0, done.stderr
    expected = facts_of(url)
    assert expected["episodes"]
    return parts, expected


def test_imports_and_their_jobs_at_once_equal_one_after_the_other(
    url: str, tmp_path: Path, fitted_dir: Path, one_after_the_other: tuple[list[Path], dict[str, Any]]
) -> None:
    parts, expected = one_after_the_other
    (tmp_path / "models").symlink_to(fitted_dir / "models")
    environment = os.environ | {"RADAR_DATA_DIR": str(tmp_path), "RADAR_DATABASE_URL": url}
    at_once = [
        subprocess.Popen(
            [sys.executable, "-m", "radar", "import", str(part), "--platform", "test"],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for part in (*parts, parts[0])
    ]  # fmt: skip
    for process in at_once:
        said = process.communicate(timeout=300)[1]
        assert process.returncode == 0, said
    found = facts_of(url)
    for name in expected:
        assert found[name] == expected[name], name
