"""Sources and the watch list, as an operator handles them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from radar.cli import cli
from radar.errors import RadarError
from radar.sources.secrets import read_secret
from radar.store import tables
from tests.sources.stages import Stage, on_stage

SECRET = "s3cr3t-of-a-synthetic-account"
JUST_NOW = datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture(params=["feed", "mastodon", "bluesky"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with on_stage(request.param) as up:
        up.publish("p1", at=JUST_NOW)
        yield up


def call(folder: Path, *words: str, **environment: str) -> Result:
    given = {"RADAR_DATA_DIR": str(folder), "RADAR_CONTACT": "test@example.org", "COLUMNS": "200"} | environment
    return CliRunner().invoke(cli, words, env=given)


def said(result: Result) -> str:
    return result.output if result.exception is None or result.exit_code == 0 else str(result.exception)


def add(stage: Stage, folder: Path, *more: str, **environment: str) -> Result:
    url = ["--url", stage.url] if stage.kind != "feed" else []
    return call(folder, "sources", "add", "s", "--kind", stage.kind, *url, *more, **environment)


def rows(folder: Path, *columns: sa.Column[object]) -> list[tuple[object, ...]]:
    engine = sa.create_engine(f"sqlite:///{folder / 'radar.db'}")
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(sa.select(*columns))]
    engine.dispose()
    return found


def test_from_nothing_to_posts_in_three_commands(stage: Stage, tmp_path: Path) -> None:
    assert add(stage, tmp_path).exit_code == 0
    assert "1 posts on the first page, 0 that cannot" in said(
        call(tmp_path, "sources", "test", "s", "--account", stage.handle)
    )
    assert rows(tmp_path, tables.post.c.native_id) == []
    assert "1 new posts" in said(call(tmp_path, "watch", "add", "s", stage.handle, "--market", "tw"))
    assert rows(tmp_path, tables.post.c.native_id) == [(stage.native_id("p1"),)]
    assert " ok " in said(call(tmp_path, "sources", "list"))
    assert stage.handle in said(call(tmp_path, "watch", "list"))


def test_a_paused_source_is_not_asked_and_a_removed_one_is_gone_with_its_list(stage: Stage, tmp_path: Path) -> None:
    add(stage, tmp_path)
    call(tmp_path, "sources", "pause", "s")
    assert "0 new posts" in said(call(tmp_path, "watch", "add", "s", stage.handle, "--market", "TW"))
    assert stage.asked == []
    assert "paused by an operator" in said(call(tmp_path, "sources", "list"))
    call(tmp_path, "sources", "resume", "s")
    assert "1 new posts" in said(call(tmp_path, "watch", "add", "s", stage.handle, "--market", "TW"))
    assert call(tmp_path, "sources", "remove", "s").exit_code == 0
    assert rows(tmp_path, tables.watched_account.c.handle) == []
    assert len(rows(tmp_path, tables.post.c.id)) == 1


def test_a_list_of_handles_and_markets_is_enough(tmp_path: Path) -> None:
    with on_stage("bluesky") as stage:
        add(stage, tmp_path)
        table = tmp_path / "kols.csv"
        table.write_text("handle,market,person,platform\nann.example,TW,Ann,bluesky\nbo.example,XX,,\n,TW,,\n")
        result = call(tmp_path, "watch", "import", str(table), "--source", "s", "--later")
        assert "1 accounts watched" in said(result)
        assert "line 3: market: 'XX' is none of" in said(result)
        assert "line 4: handle" in said(result)
    w = tables.watched_account.c
    assert rows(tmp_path, w.source, w.handle, w.audience_market, w.person) == [("s", "ann.example", "TW", "Ann")]


def test_accounts_of_one_person_are_linked_afterwards(tmp_path: Path) -> None:
    with on_stage("bluesky") as sky, on_stage("mastodon") as fediverse:
        for name, stage in (("b", sky), ("m", fediverse)):
            stage.publish("p1", at=JUST_NOW)
            call(tmp_path, "sources", "add", name, "--kind", stage.kind, "--url", stage.url)
            call(tmp_path, "watch", "add", name, stage.handle, "--market", "TW")
        assert len({person for (person,) in rows(tmp_path, tables.author.c.person_id)}) == 2
        host = fediverse.url.partition("://")[2]
        linked = call(tmp_path, "person", "link", "Ann", "bluesky:ann.example", f"mastodon:ann@{host}")
        assert "2 accounts are Ann's" in said(linked)
        assert len({person for (person,) in rows(tmp_path, tables.author.c.person_id)}) == 1
        assert "There is no account 'nobody'" in said(call(tmp_path, "person", "link", "Ann", "bluesky:nobody"))


def test_a_secret_is_named_and_never_stored_or_said(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET + "\n")
    file.chmod(0o644)
    with on_stage("mastodon") as stage:
        stage.publish("p1", at=JUST_NOW)
        refused = add(stage, tmp_path, "--token-file", str(file))
        assert "Others can read the secret" in said(refused)
        file.chmod(0o600)
        outputs = [add(stage, tmp_path, "--token-file", str(file))]
        outputs += [call(tmp_path, "watch", "add", "s", "ann", "--market", "TW"), call(tmp_path, "sources", "list")]
        assert all(result.exit_code == 0 for result in outputs)
        assert SECRET not in "".join(said(result) for result in outputs)
    held = b"".join(path.read_bytes() for path in tmp_path.rglob("radar.db*"))
    assert SECRET.encode() not in held
    assert str(file).encode() in held


def test_a_secret_that_is_not_there_is_told_by_its_variable(tmp_path: Path) -> None:
    with on_stage("bluesky") as stage:
        assert "MY_TOKEN is empty" in said(add(stage, tmp_path, "--token-env", "MY_TOKEN"))
        assert add(stage, tmp_path, "--token-env", "MY_TOKEN", MY_TOKEN=SECRET).exit_code == 0
    with pytest.raises(RadarError, match="MY_TOKEN"):
        read_secret({"env": "MY_TOKEN"})


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["sources", "add", "x", "--kind", "blusky"], "Did you mean: bluesky"),
        (["sources", "add", "x", "--kind", "mastodon", "--url", "ftp://x"], "no web address"),
        (["sources", "add", "x", "--kind", "mastodon", "--url", "https://me:pw@x.example"], "user or password"),
        (["sources", "test", "nope"], "There is no source 'nope'"),
        (["watch", "add", "nope", "ann", "--market", "TW"], "There is no source 'nope'"),
        (["watch", "remove", "nope", "ann"], "There is no watched account"),
        (["person", "link", "Ann", "ann"], "is not platform:handle"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_named(tmp_path: Path, words: list[str], named: str) -> None:
    result = call(tmp_path, *words)
    assert named in said(result)
    assert "pw" not in said(result)


def test_coverage_tells_of_a_refusal(tmp_path: Path) -> None:
    from fastapi.testclient import TestClient

    from radar.api import create_app
    from radar.config import Settings
    from radar.store.engine import open_store
    from tests.sources.stages import Reply

    with on_stage("bluesky") as stage:
        add(stage, tmp_path)
        stage.replies = [Reply(json.dumps({"error": "AuthMissing"}).encode(), 401)]
        refused = call(tmp_path, "watch", "add", "s", "ann.example", "--market", "TW")
        assert "401" in said(refused)
    engine = open_store(f"sqlite:///{tmp_path / 'radar.db'}")
    with TestClient(create_app(engine, Settings(data_dir=tmp_path))) as client:
        (line,) = client.get("/v1/coverage").json()["sources"]
        assert (line["state"], line["watched"]) == ("paused", 1)
        assert "401" in line["reason"]
        page = client.get("/coverage").text
        assert "401" in page
        assert "radar sources resume" in page
    engine.dispose()


def test_what_costs_money_needs_a_budget_and_shows_what_is_left(tmp_path: Path) -> None:
    from tests.sources.stages import SECRET

    with on_stage("x") as stage:
        stage.publish("p1")
        refused = add(stage, tmp_path, "--token-env", "X_TOKEN", X_TOKEN=SECRET)
        assert refused.exit_code != 0
        assert "--budget 50" in said(refused)
        outputs = [add(stage, tmp_path, "--token-env", "X_TOKEN", "--budget", "50", X_TOKEN=SECRET)]
        outputs.append(call(tmp_path, "watch", "add", "s", "ann", "--market", "TW", X_TOKEN=SECRET))
        outputs.append(call(tmp_path, "sources", "list"))
    assert [result.exit_code for result in outputs] == [0, 0, 0]
    assert "of 50 USD used in" in said(outputs[-1])
    assert not any(SECRET in said(result) for result in outputs)


def test_videos_are_read_once_the_amendment_is_accepted(tmp_path: Path) -> None:
    from tests.sources.stages import SECRET

    with on_stage("youtube") as stage:
        told = add(stage, tmp_path, "--token-env", "YT_KEY", YT_KEY=SECRET)
        assert "radar sources accept s" in said(told)
        assert "not read" in said(call(tmp_path, "sources", "list"))
        assert call(tmp_path, "sources", "accept", "s").exit_code == 0
        assert "not read" not in said(call(tmp_path, "sources", "list"))
        assert call(tmp_path, "sources", "accept", "s").exit_code != 0


def test_facts_are_shown_with_their_day_and_where_to_correct_them(tmp_path: Path) -> None:
    shown = said(call(tmp_path, "sources", "facts"))
    assert "youtube (checked 20" in shown
    assert "10,000 units a day" in shown
    assert "facts.toml" in shown


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["sources", "add", "s", "--kind", "bluesky", "--budget", "5"], "has no budget"),
        (["sources", "add", "s", "--kind", "bluesky", "--amendment"], "needs no amendment"),
        (["sources", "add", "s", "--kind", "youtube"], "--token-env"),
        (["watch", "discover", "--topic", "travel.dining"], "--kind jetstream"),
        (["watch", "discover", "--format", "xml"], "table or csv"),
    ],
)
def test_a_mistake_about_platforms_is_named(tmp_path: Path, words: list[str], named: str) -> None:
    result = call(tmp_path, *words)
    assert (result.exit_code != 0, named in said(result)) == (True, True), said(result)
