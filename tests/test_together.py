"""Several processes at work on one store at the same time: the store is as one after the other leaves it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import radar
from tests.facts import facts_of
from tests.test_kill import write_posts


def test_imports_and_their_jobs_at_once_equal_one_after_the_other(url: str, tmp_path: Path, fitted_dir: Path) -> None:
    whole, parts = tmp_path / "whole.csv", [tmp_path / f"part{n}.csv" for n in range(2)]
    write_posts(whole)
    head, *rows = whole.read_text(encoding="utf-8").splitlines(keepends=True)
    rows = rows[-3_000:]  # the last weeks, with the craze
    for n, part in enumerate(parts):
        part.write_text("".join([head, *rows[n::2]]), encoding="utf-8")
    for folder in (tmp_path / "calm", tmp_path / "busy"):
        folder.mkdir()
        (folder / "models").symlink_to(fitted_dir / "models")
    calm = f"sqlite:///{tmp_path / 'calm.db'}"
    for part in parts:
        done = radar(
            "import", str(part), "--platform", "test", data_dir=tmp_path / "calm", env={"RADAR_DATABASE_URL": calm}
        )
        assert done.returncode == 0, done.stderr

    environment = os.environ | {"RADAR_DATA_DIR": str(tmp_path / "busy"), "RADAR_DATABASE_URL": url}
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
    expected, found = facts_of(calm), facts_of(url)
    assert expected["episodes"]
    for name in expected:
        assert found[name] == expected[name], name
