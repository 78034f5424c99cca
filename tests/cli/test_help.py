"""Every command explains itself, and a mistake ends in exit code 2 with a sentence, never in a traceback."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from radar.cli import cli, load, main
from tests.conftest import radar

Called = tuple[Any, str]
TREE = typer.main.get_command(cli)


def _walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    command = load(path[0]) if len(path) == 1 else command
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from _walk(child, (*path, name))


COMMANDS = dict(_walk(TREE))


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(path) or "radar")
def test_help_describes_the_command_and_its_options(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(cli, [*path, "--help"], prog_name="radar", env={"COLUMNS": "160"})
    assert shown.exit_code == 0
    command = COMMANDS[path]
    assert command.help
    assert command.help.split()[0] in shown.stdout
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{parameter.name} has no help"
        for name in parameter.opts if parameter.param_type_name == "option" else ():
            assert name in shown.stdout


def test_the_tree_holds_the_commands_people_know() -> None:
    assert {("serve",), ("import",), ("trends",), ("run",), ("train",), ("label", "export")} <= COMMANDS.keys()


def test_without_a_command_help_is_shown() -> None:
    shown = CliRunner().invoke(cli, [])
    assert shown.exit_code == 2
    assert "Commands:" in shown.output


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Called]:
    """Call the command in this process: (exit code, standard error). What would be a traceback is raised."""

    def run(*words: str, **environment: str) -> Called:
        monkeypatch.setattr("sys.argv", ["radar", *words])
        monkeypatch.setattr("radar.cli.app._overrides", {})
        for name, value in ({"RADAR_DATA_DIR": str(tmp_path)} | environment).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert out == ""
        return ended.value.code, " ".join(err.split())

    return run


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["trend"], "No such command 'trend'"),
        (["serve", "--prot", "1"], "No such option: --prot"),
        (["serve", "--port", "many"], "Invalid value for '--port'"),
        (["serve", "too", "many"], "unexpected extra argument"),
        (["trends"], "Missing option '--market'"),
        (["run"], "Missing argument"),
        (["bench", "detekt"], "Did you mean: detect?"),
        (["--data-dir", "/dev/null/data", "jobs"], "Cannot use the data folder /dev/null/data"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_named_with_exit_code_2(call: Callable[..., Called], words: list[str], named: str) -> None:
    code, said = call(*words)
    assert code == 2
    assert named in said


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["trends", "--market", "XX"], "There is no market 'XX'"),
        (["trends", "--market", "TW", "--as-of", "yesterday"], "yesterday"),
        (["run", "detect_trend"], "Did you mean: detect_trends"),
        (["import", "no_such_file.csv"], "no_such_file.csv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_that_the_store_shows_is_named_too(words: list[str], named: str, tmp_path: Path) -> None:
    done = radar(*words, data_dir=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RADAR_PORT", "many"),
        ("RADAR_PORT", "70000"),
        ("RADAR_RETENTION_DAYS", "1"),
        ("RADAR_SNAPSHOT_DAYS", "-1"),
        ("RADAR_REJECT_DAYS", "0.5"),
        ("RADAR_DATA_DIR", "/dev/null/data"),
        ("RADAR_DATABASE_URL", "mysql://radar@127.0.0.1/radar"),
    ],
)
def test_a_bad_setting_is_named_with_exit_code_2(call: Callable[..., Called], name: str, value: str) -> None:
    code, said = call("jobs", **{name: value})
    assert code == 2
    assert name in said


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////dev/null/radar.db", "postgresql://radar:secret@127.0.0.1:1/x"])
def test_a_database_out_of_reach_is_named_without_its_password(call: Callable[..., Called], url: str) -> None:
    code, said = call("jobs", RADAR_DATABASE_URL=url)
    assert code == (2 if url == "nonsense" else 1)
    assert said.startswith("Error: Configuration" if url == "nonsense" else "Error: Cannot open the store at ")
    assert "RADAR_DATABASE_URL" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("bench", "name", "value"),
    [
        ("load", "RADAR_BENCH_RATE", "many"),
        ("line", "RADAR_BENCH_STORED", "1000,-2"),
        ("kol", "RADAR_BENCH_AUTHORS", "0"),
    ],
)
def test_a_bad_size_of_a_benchmark_is_named_with_exit_code_2(
    call: Callable[..., Called], bench: str, name: str, value: str
) -> None:
    code, said = call("bench", bench, **{name: value})
    assert code == 2
    assert f"{name}: '{value}' is not a whole number" in said
