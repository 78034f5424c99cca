"""A wheel works outside a checkout: jobs/ and models/ ship inside it, and it brings one name."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
FEW_POSTS = "from radar.bench import ingest; ingest.UNTIL = ingest.BEGINS + (ingest.UNTIL - ingest.BEGINS) / 10"
FEW_TEXTS = "from radar.bench import classify; classify.POSTS, classify.PLAIN = 600, 200"
FEW_SERIES = "from radar.bench import detect; detect.SERIES, detect.MANY, detect.RUNS = 2_000, 10_000, 1"
"""Whether a bench runs is asked here, not how fast."""


def _find_compiled(site: Path) -> None:
    """Let numba find under the unpacked sources what it has compiled of the same sources here.

    It looks by a folder's path, then by what a source says: one that the wheel changed is compiled anew.
    """
    kept = os.environ.get("NUMBA_CACHE_DIR")
    if not kept:
        return
    for folder in {path.parent for path in (ROOT / "radar").rglob("*.py")}:
        here, there = (
            Path(kept, f"{place.name}_{hashlib.sha1(str(place).encode()).hexdigest()}")
            for place in (folder, site / folder.relative_to(ROOT))
        )
        here.mkdir(parents=True, exist_ok=True)
        there.symlink_to(here.resolve())


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
    _find_compiled(target)
    environment = os.environ | {"PYTHONPATH": str(target), "RADAR_DATA_DIR": str(fitted_dir), "COLUMNS": "200"}
    code = "import radar.cli, radar, sys; print(radar.__file__, file=sys.stderr)"

    def run(*arguments: str, with_less: str = "pass") -> str:
        command = [sys.executable, "-c", f"{code}\n{with_less}\nradar.cli.main()", *arguments]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert str(target) in done.stderr
        return done.stdout

    assert "detect_trends" in run("jobs")
    assert json.loads(run("bench", "ingest", "--json", with_less=FEW_POSTS))["ingest"]["posts_per_second"] > 0
    assert json.loads(run("bench", "classify", "--json", with_less=FEW_TEXTS))["classify"]["posts_per_second"] > 0
    figures = json.loads(run("bench", "detect", "--json", with_less=FEW_SERIES))["detect"]
    assert figures["seconds_per_million_cells"] > 0
