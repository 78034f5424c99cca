"""radar keys, users and audit on the terminal, and a served radar that others can reach: nothing secret in its log."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from radar.cli import main
from tests.conftest import radar

PASSWORD = "correct horse battery"
Called = tuple[int, str, str]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Called]:
    """Call the command in this process: its exit code, what it printed, and what it said."""

    def run(*words: str, stdin: str = "", **environment: str) -> Called:
        monkeypatch.setattr("sys.argv", ["radar", *words])
        monkeypatch.setattr("radar.cli.app._overrides", {})
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        for name, value in ({"RADAR_DATA_DIR": str(tmp_path)} | environment).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, " ".join(err.split())

    return run


def test_keys_are_made_listed_and_revoked(call: Callable[..., Called]) -> None:
    code, token, _ = call("keys", "create", "--scope", "read", "--expires", "90d", "--name", "shop")
    assert (code, len(token.strip())) == (0, 49)
    listed = call("keys", "list")[1]
    assert re.search(r"shop\s+read\s+holds\s+\S+\s+never\s", listed)
    assert token.strip() not in listed
    assert call("keys", "create", "--scope", "read", "--name", "shop")[0] == 2
    assert call("keys", "create", "--scope", "read", "--expires", "soon")[0] == 2
    assert "Did you mean" in call("keys", "create", "--scope", "reed")[2]
    assert call("keys", "revoke", "shop")[0] == 0
    assert "revoked" in call("keys", "list")[1]
    assert call("keys", "revoke", "shop")[0] == 2
    assert call("keys", "create", "--scope", "read", "--expires", "never")[0] == 0
    assert "read-1" in call("keys", "list")[1]
    assert [json.loads(line)["action"] for line in call("audit", "--format", "json")[1].splitlines()] == [
        "create key", "revoke key", "create key",
    ]  # fmt: skip


def test_users_are_added_listed_and_removed(call: Callable[..., Called]) -> None:
    add = ("users", "add", "Ann", "--role")
    assert call(*add, "viewer")[0] == 2, "there is nobody to ask for a password"
    assert call(*add, "viewer", "--password-stdin", stdin="short\n")[0] == 2
    assert call(*add, "boss", "--password-stdin", stdin=f"{PASSWORD}\n")[0] == 2
    assert call(*add, "viewer", "--password-stdin", stdin=f"{PASSWORD}\n")[0] == 0
    assert call(*add, "viewer", "--password-stdin", stdin=f"{PASSWORD}\n")[0] == 2
    assert call("users", "password", "ann", "--password-stdin", stdin="another horse\n")[0] == 0
    assert re.search(r"ann\s+viewer", call("users", "list")[1])
    assert call("users", "remove", "ann")[0] == 0
    assert "There is no user yet" in call("users", "list")[1]
    assert "There is no user 'ann'" in call("users", "remove", "ann")[2]


def test_a_command_that_writes_is_written_down_and_one_that_reads_is_not(call: Callable[..., Called]) -> None:
    for words in (("trends", "--market", "TW"), ("coverage",), ("sources", "list")):
        call(*words)
    assert call("audit")[1].strip() == "Nothing was written yet."
    assert call("sources", "add", "blogs", "--kind", "feed")[0] == 0
    [line] = map(json.loads, call("audit", "--format", "json")[1].splitlines())
    told = line["by"]["kind"], line["action"], line["target"], line["outcome"]
    assert told == ("terminal", "radar sources add", "blogs", "done")


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (("--host", "0.0.0.0"), {}), (("--behind-proxy",), {}),
        ((), {"RADAR_HOST": "0.0.0.0"}), ((), {"RADAR_BEHIND_PROXY": "true"}),
    ],
    ids=str,
)  # fmt: skip
def test_serving_others_without_a_key_or_a_user_is_refused(
    call: Callable[..., Called], words: tuple[str, ...], environment: dict[str, str]
) -> None:
    code, out, said = call("serve", "--port", "0", *words, **environment)
    assert (code, out) == (2, "")
    assert "needs a key or a user" in said
    assert "radar keys create --scope" in said
    assert "Traceback" not in said


def test_a_demo_for_others_is_refused_before_its_work(call: Callable[..., Called], tmp_path: Path) -> None:
    code, _, said = call("demo", "--port", "0", RADAR_HOST="0.0.0.0")
    assert code == 2
    assert "radar keys create" in said
    assert not (tmp_path / "demo" / "truth.json").exists()


def test_a_served_radar_tells_who_asks_and_no_secret_is_in_its_log(tmp_path: Path) -> None:
    made = radar("keys", "create", "--scope", "read", data_dir=tmp_path)
    token = made.stdout.strip()
    added = radar("users", "add", "ann", "--role", "admin", "--password-stdin", data_dir=tmp_path, input=PASSWORD)
    assert added.returncode == 0, added.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    with log.open("w") as out:
        served = subprocess.Popen(
            [sys.executable, "-m", "radar", "serve", "--host", "0.0.0.0", "--port", str(port), "--no-scheduler"],
            env=os.environ | {"RADAR_DATA_DIR": str(tmp_path), "RADAR_LOG": "json"}, stdout=out, stderr=out,
        )  # fmt: skip
    base, far = f"http://127.0.0.1:{port}", {"x-forwarded-for": "127.0.0.1"}
    try:
        until = time.monotonic() + 60
        while "radar is at" not in log.read_text():
            assert served.poll() is None, log.read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        with httpx.Client(base_url=base, timeout=30) as client:
            assert client.get("/v1/topics").status_code == 200, "whoever sits at this machine"
            assert client.get("/v1/topics", headers=far).status_code == 401
            assert client.get("/v1/topics", headers={"host": f"evil.example:{port}"}).status_code == 401
            key = far | {"authorization": f"Bearer {token}"}
            assert client.get("/v1/topics", headers=key).status_code == 200
            assert client.get(f"/v1/topics?token={token}", headers=key).status_code == 400
            assert client.get(f"/{token}", headers=key).status_code == 404
            wrong = {"name": "ann", "password": f"{PASSWORD} not", "back": f"/{token}"}
            assert client.post("/log-in", data=wrong, headers=far).status_code == 401
            entered = client.post("/log-in", data={"name": "ann", "password": PASSWORD}, headers=far)
            assert entered.status_code == 303
            assert client.get("/v1/audit", headers=far).json()["items"][0]["by"] == {"kind": "user", "name": "ann"}
            cookie = client.cookies["radar_session"]
    finally:
        served.send_signal(signal.SIGTERM)
        served.wait(20)
    said = log.read_text()
    assert said.count('"route"') >= 9
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("radar.db*"))
    for secret in (token, PASSWORD, cookie):
        assert secret not in said
        assert secret.encode() not in stored
