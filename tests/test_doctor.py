"""radar doctor: a part that is not well is told with what to do, and a problem ends in exit code 1."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from radar.cli import cli
from radar.config import Settings
from radar.doctor import Line, look_over
from radar.registry import TopicScorer
from radar.store import runs
from radar.store.engine import open_store, writing
from radar.store.tables import run, source_state
from tests.builders import NOON, a_post, put
from tests.conftest import radar


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory, fitted_dir: Path, scorer: TopicScorer) -> Path:
    """A data folder with a model and a store, its scheduler at work."""
    data = tmp_path_factory.mktemp("well")
    (data / "models").symlink_to(fitted_dir / "models")
    engine = open_store(f"sqlite:///{data / 'radar.db'}")
    put(engine, a_post("1"))
    with writing(engine) as session, session.begin():
        runs.take_lease(session, "scheduler", "host:1", NOON, timedelta(seconds=45))
        runs.add_source(session, "sky", "bluesky", {}, False)
        done = runs.begin_run(session, "count_mentions", NOON - timedelta(minutes=5), "host", 1)
        runs.end_run(session, done, ended_at=NOON, outcome="ok")
    engine.dispose()
    return data


@pytest.fixture
def folder(tmp_path: Path, well: Path) -> Path:
    """One of one's own, to spoil."""
    data = tmp_path / "data"
    shutil.copytree(well, data, symlinks=True)
    data.chmod(0o700)
    return data


def _look(folder: Path, environment: dict[str, str] | None = None, **settings: Any) -> list[Line]:
    return look_over(Settings(data_dir=folder, **settings), environment or {}, now=NOON)


def test_one_that_is_well_is_said_to_be(folder: Path) -> None:
    lines = _look(folder, {"RADAR_DATA_DIR": str(folder), "PATH": "/bin"})
    assert [line for line in lines if line.state == "problem"] == []
    assert {"configuration", "serving", "data folder", "disk", "clock", "libraries", "database", "schema", "scheduler",
            "jobs", "sources", "waiting", "model"} <= {line.part for line in lines if line.state == "ok"}  # fmt: skip
    assert not any(line.todo for line in lines if line.state == "ok")


def _change(statement: sa.Executable) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        engine = open_store(f"sqlite:///{folder / 'radar.db'}", migrate=False)
        with engine.begin() as connection:
            connection.execute(statement)
        engine.dispose()

    return change


def _at(revision: str) -> Callable[[Path], None]:
    return _change(sa.text("UPDATE alembic_version SET version_num = :revision").bindparams(revision=revision))


def _move_away(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))


def _damage_model(folder: Path) -> None:
    kept = (folder / "models").resolve()
    (folder / "models").unlink()
    shutil.copytree(kept, folder / "models")
    for file in folder.glob("models/topics/*/scorer.npz"):
        file.write_bytes(b"other")


def _damage_store(folder: Path) -> None:
    (folder / "radar.db").write_bytes(b"no database" * 1000)


FAULTS: dict[str, tuple[Callable[[Path], None], str, str, str]] = {
    "no store": (lambda folder: (folder / "radar.db").unlink(), "database", "problem", "There is no store"),
    "no folder": (_move_away, "data folder", "problem", "There is no folder"),
    "a damaged store": (_damage_store, "database", "problem", "not a database"),
    "a newer schema": (_at("9999"), "schema", "problem", "9999"),
    "an older schema": (_at("0001"), "schema", "warning", "0001"),
    "no scheduler": (_change(sa.text("DELETE FROM lease")), "scheduler", "warning", "No scheduler"),
    "a late job": (_change(sa.update(run).values(ended_at=NOON - timedelta(hours=1))), "jobs", "problem",
                   "Late: count_mentions"),
    "a failed job": (_change(sa.update(run).values(outcome="failed", error="OSError: no")), "jobs", "warning",
                     "count_mentions failed"),
    "a clock set back": (_change(sa.update(run).values(started_at=NOON + timedelta(days=1))), "clock", "warning",
                         "in the future"),
    "a source that fails": (_change(sa.update(source_state).values(last_error="503", last_error_at=NOON)), "sources",
                            "warning", "sky fails: 503"),
    "a source that lags": (_change(sa.update(source_state).values(last_success_at=NOON - timedelta(days=1))), "sources",
                           "warning", "sky lags"),
    "a paused source": (_change(sa.update(source_state).values(pause_reason="401")), "sources", "warning", "is paused"),
    "a token that is not there": (_change(sa.update(source_state).values(config={"token": {"env": "NO_SUCH"}})),
                                  "sources", "warning", "NO_SUCH"),
    "a damaged model": (_damage_model, "model", "problem", "scorer.npz"),
    "no model": (lambda folder: (folder / "models").unlink(), "model", "warning", "not fitted yet"),
    "a model that went": (_change(sa.text("INSERT INTO meta VALUES ('active_model', 'topics-gone')")), "model",
                          "problem", "topics-gone"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_well_is_told_with_what_to_do(folder: Path, fault: str) -> None:
    make, part, state, said = FAULTS[fault]
    make(folder)
    told = [line for line in _look(folder) if (line.part, line.state) == (part, state) and said in line.said]
    assert told
    assert all(line.todo for line in told)


def test_settings_that_endanger_are_told(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("whsec_abc")
    secret.chmod(0o644)
    more = {"host": "0.0.0.0", "allow_private_targets": True, "push_secret": str(secret), "drop_dir": tmp_path / "no"}
    lines = _look(folder, {"RADAR_PROT": "1"}, **more)
    told = {line.said: line.state for line in lines if line.state != "ok" and line.part in ("configuration", "serving")}
    assert sorted(told.values()) == ["problem", "problem", "problem", "warning", "warning"]
    assert any("neither a key nor a user" in said for said in told)
    assert [line.todo for line in lines if "RADAR_PROT" in line.said] == ["Do you mean RADAR_PORT?"]
    assert not any("whsec_" in f"{line}" for line in lines)


def test_an_unreachable_database_is_a_problem_without_its_password(folder: Path) -> None:
    url = "postgresql://radar:hunter2@127.0.0.1:1/x"
    done = radar("doctor", "--json", data_dir=folder, env={"RADAR_DATABASE_URL": url})
    assert (done.returncode, done.stderr) == (1, "")
    [line] = [line for line in json.loads(done.stdout)["items"] if line["part"] == "database"]
    assert (line["state"], bool(line["todo"])) == ("problem", True)
    assert "hunter2" not in done.stdout


def test_postgresql_is_looked_over_with_its_clock(url: str, folder: Path) -> None:
    open_store(url).dispose()
    lines = _look(folder, database_url=url)
    assert [line.said for line in lines if line.part == "clock" and "database" in line.said] or "sqlite" in url
    assert [line.state for line in lines if line.part == "database"] == ["ok"]


def test_a_setting_that_cannot_be_read_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADAR_PORT", "many")
    done = CliRunner().invoke(cli, ["doctor"])
    assert done.exit_code == 1
    assert "RADAR_PORT" in done.output
