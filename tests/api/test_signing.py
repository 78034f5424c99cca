"""Pushes under a key, and signed ones: what a sender that repeats or is refused notices."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from radar.api import create_app
from radar.config import Settings
from tests.api.small_store import SmallStore
from tests.api.test_push import dump, item

SECRET = base64.b64encode(b"a secret of sixteen bytes or more").decode()


def sign(secret: str, body: bytes, *, name: str = "msg_1", at: int | None = None) -> dict[str, str]:
    """Headers as the specification's own words have them."""
    sent = str(int(time.time()) if at is None else at)
    mac = hmac.new(base64.b64decode(secret), f"{name}.{sent}.".encode() + body, hashlib.sha256).digest()
    given = f"v1,{base64.b64encode(mac).decode()}"
    return {"webhook-id": name, "webhook-timestamp": sent, "webhook-signature": given}


@pytest.fixture
def guarded(empty: SmallStore) -> TestClient:
    return TestClient(create_app(empty.engine, Settings(push_secret=f"whsec_{SECRET}")), raise_server_exceptions=False)


def send(client: TestClient, body: bytes, headers: dict[str, str]) -> Response:
    return client.post("/v1/posts", content=body, headers={"content-type": "application/json"} | headers)


BODY = json.dumps([item(1)]).encode()


def test_the_same_batch_under_a_key_is_answered_as_the_first_time(empty: SmallStore, fresh: TestClient) -> None:
    first = send(fresh, BODY, {"Idempotency-Key": "k1"}).json()
    assert first["created"] == 1
    before = dump(empty)
    assert send(fresh, BODY, {"Idempotency-Key": "k1"}).json() == first
    assert dump(empty) == before
    assert send(fresh, BODY, {"Idempotency-Key": "k2"}).json()["unchanged"] == 1


def test_a_key_of_another_batch_is_refused_and_nothing_is_taken(empty: SmallStore, fresh: TestClient) -> None:
    send(fresh, BODY, {"Idempotency-Key": "k1"})
    before = dump(empty)
    answer = send(fresh, json.dumps([item(2)]).encode(), {"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-used")
    assert dump(empty) == before


def test_a_key_that_is_too_long_is_refused(fresh: TestClient) -> None:
    assert send(fresh, BODY, {"Idempotency-Key": "k" * 256}).status_code == 400


def test_a_signed_push_is_taken_and_an_unsigned_one_is_not(empty: SmallStore, guarded: TestClient) -> None:
    assert send(guarded, BODY, {}).status_code == 401
    assert send(guarded, BODY, sign(SECRET, BODY)).json()["created"] == 1
    assert send(guarded, BODY, sign(SECRET, BODY)).json()["created"] == 1, "its id is its key"


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-timestamp": "1700000000"}, {"webhook-timestamp": "soon"}, {"webhook-id": "msg_2"},
        {"webhook-signature": "v1,AAAA"}, {"webhook-signature": "v2,x v1a,y"}, {"webhook-signature": "v1,é"},
    ],
    ids=str,
)  # fmt: skip
def test_a_signature_that_does_not_hold_is_refused(
    empty: SmallStore, guarded: TestClient, change: dict[str, Any]
) -> None:
    headers = {name: value.encode() for name, value in (sign(SECRET, BODY) | change).items()}
    answer = guarded.post("/v1/posts", content=BODY, headers={"content-type": b"application/json"} | headers)
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/not-signed")
    assert SECRET not in answer.text
    assert dump(empty) == []


def test_a_body_that_was_changed_or_an_old_signature_is_refused(empty: SmallStore, guarded: TestClient) -> None:
    assert send(guarded, BODY.replace(b"p1", b"p2"), sign(SECRET, BODY)).status_code == 401
    assert send(guarded, BODY, sign(SECRET, BODY, at=int(time.time()) - 301)).status_code == 401
    assert dump(empty) == []


def test_while_a_secret_is_changed_either_holds_and_a_file_may_hold_them(empty: SmallStore, tmp_path: Path) -> None:
    newer = base64.b64encode(b"the secret that comes after it").decode()
    file = tmp_path / "secret"
    file.touch(0o600)
    file.write_text(f"whsec_{newer} whsec_{SECRET}\n")
    client = TestClient(create_app(empty.engine, Settings(push_secret=str(file))), raise_server_exceptions=False)
    assert send(client, BODY, sign(SECRET, BODY, name="a")).status_code == 200
    both = sign("A" * 32, BODY, name="b")["webhook-signature"] + " " + sign(newer, BODY, name="b")["webhook-signature"]
    assert send(client, BODY, sign(newer, BODY, name="b") | {"webhook-signature": both}).status_code == 200
    file.chmod(0o644)
    assert send(client, BODY, sign(SECRET, BODY, name="c")).status_code == 400
