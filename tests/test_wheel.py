"""A wheel works outside a checkout: jobs/ and models/ ship inside it, and it brings one name."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_runs_outside_the_checkout(tmp_path: Path, fitted_dir: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    built = subprocess.run(
        [*pip, "wheel", "--no-deps", "--quiet", "--wheel-dir", str(tmp_path), str(ROOT)], capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    wheel = next(tmp_path.glob("*.whl"))
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"radar"}
    target = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(target)
    environment = os.environ | {"PYTHONPATH": str(target), "RADAR_DATA_DIR": str(fitted_dir), "COLUMNS": "200"}
    code = "import radar.cli, radar, sys; print(radar.__file__, file=sys.stderr); radar.cli.main()"

    def run(*arguments: str) -> str:
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert str(target) in done.stderr
        return done.stdout

    assert "detect_trends" in run("jobs")
    for name, figure in {
        "ingest": "posts_per_second", "classify": "posts_per_second", "detect": "seconds_per_million_cells",
    }.items():  # fmt: skip
        assert json.loads(run("bench", name, "--json"))[name][figure] > 0
