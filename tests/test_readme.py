"""README is true: its commands are what CI runs, and nothing a user can touch is missing from it."""

import re
from pathlib import Path

import pytest

from radar.api import create_app
from radar.cli import cli
from radar.config import Settings
from radar.errors import RadarError
from radar.store.engine import open_store

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_two_commands_are_the_ones_ci_runs() -> None:
    blocks = re.findall(r"^## (Start|Tests)$.*?^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    commands = {heading: body.strip() for heading, body in blocks}
    assert commands["Start"].endswith("radar demo")
    assert "pytest" in commands["Tests"]
    script = (ROOT / ".ci/run").read_text()
    assert "block Start" in script
    assert "block Tests" in script


@pytest.mark.parametrize("name", sorted(c.name or c.callback.__name__ for c in cli.registered_commands))  # type: ignore[union-attr]
def test_every_command_is_in_readme(name: str) -> None:
    assert f"`radar {name}" in README


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_in_readme(name: str) -> None:
    assert f"`RADAR_{name.upper()}`" in README


def test_every_type_of_problem_is_in_readme(tmp_path: Path) -> None:
    create_app(open_store(f"sqlite:///{tmp_path / 'radar.db'}"), Settings(data_dir=tmp_path)).state.engine.dispose()
    found, more = set(), [RadarError]
    while more:
        more = [inner for kind in more for inner in kind.__subclasses__()]
        found |= {kind.slug for kind in more}
    told_elsewhere = {
        "not-enough-history",
        "source-trouble",
        "not-delivered",
    }  # a status of answers; the terminal's and the jobs'
    assert {slug for slug in found if f"`{slug}`" not in README} <= told_elsewhere


def test_every_route_is_in_readme(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'radar.db'}")
    paths = create_app(engine, Settings(data_dir=tmp_path)).openapi()["paths"]
    engine.dispose()
    assert [path for path in paths if f"{path}`" not in README and f"{path}?" not in README] == []
