"""Who is let in, to what, how often, and what is written down of it: over the application's own routes."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from radar.access import digest_of
from radar.access.keys import create_key, revoke_key
from radar.access.people import add_person
from radar.actors import Actor
from radar.api import create_app
from radar.api.rules import scope_needed
from radar.config import Settings
from radar.store.tables import api_key, audit, login_session
from tests.api.small_store import HOSTILE, SmallStore, fill, open_small
from tests.builders import quick_passwords

HTML = {"accept": "text/html,application/xhtml+xml"}
PASSWORD = "correct horse battery"
POST = {
    "platform": "instagram", "native_id": "p1", "text": "藥妝", "published_at": "2026-11-22T09:12:00Z",
    "author": {"native_id": "mei", "audience_market": "TW", "handle": "mei.travels"},
}  # fmt: skip
ELSEWHERE = ("192.0.2.7", 50_000)
HERE = ("127.0.0.1", 50_000)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_passwords(monkeypatch)


def terminal() -> Actor:
    return Actor("terminal", "root", "admin", datetime.now(UTC))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SmallStore]:
    opened = open_small(tmp_path)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def reach(store: SmallStore, tmp_path: Path) -> Callable[..., TestClient]:
    """A client that asks from an address, and settings of the radar."""

    def client(address: tuple[str, int] = ELSEWHERE, **more: Any) -> TestClient:
        app = create_app(store.engine, Settings(data_dir=tmp_path, **more))
        base = "http://127.0.0.1:8321" if address == HERE else "http://radar.example"
        return TestClient(app, base_url=base, client=address, follow_redirects=False, raise_server_exceptions=False)

    return client


def bearer(engine: sa.Engine, scope: str, expires: str = "90d", **more: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {create_key(engine, terminal(), scope, expires, **more)[1]}"}


def rows(engine: sa.Engine, table: sa.Table) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(table)))


# ---- keys ----


def test_each_scope_holds_what_is_below_it(store: SmallStore, reach: Callable[..., TestClient]) -> None:
    client, wide = reach(), ["read", "write", "admin"]
    keys = {scope: bearer(store.engine, scope) for scope in wide}
    asked = {
        "read": [("GET", "/v1/topics"), ("GET", "/metrics"), ("GET", "/markets"), ("POST", "/v1/partners")],
        "write": [("POST", "/v1/posts"), ("POST", "/v1/lists/a"), ("PUT", "/v1/whatever/comes/later")],
        "admin": [("GET", "/v1/audit"), ("GET", "/audit"), ("DELETE", "/v1/authors/1"), ("PATCH", "/v1/authors/1")],
    }
    for needed, requests in asked.items():
        for method, path in requests:
            for scope in wide:
                answer = client.request(method, path, headers=keys[scope])
                is_enough = wide.index(scope) >= wide.index(needed)
                assert (answer.status_code != 403) == is_enough, (method, path, scope)
                if not is_enough:
                    problem = answer.json()
                    assert problem["type"] == "/problems/scope-needed"
                    assert f"scope {needed}" in problem["detail"]
                    assert f'scope="{needed}"' in answer.headers["www-authenticate"]


def test_without_a_key_nothing_but_health_and_the_log_in_answers(reach: Callable[..., TestClient]) -> None:
    client = reach()
    for path in ("/v1/topics", "/metrics", "/v1/openapi.json", "/v1/nothing", "/v1/audit"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="radar"'), path
        assert answer.json()["type"] == "/problems/key-needed"
    for path in ("/health/live", "/v1/health/ready", "/v1/health", "/log-in", "/static/radar.css"):
        assert client.get(path).status_code == 200, path
    assert client.post("/v1/posts", json=[POST]).status_code == 401
    assert client.get("/v1/hubs/none?hub.mode=subscribe").status_code == 404
    assert client.post("/mcp", json={}).status_code == 401


def every(routes: Any) -> Iterator[Any]:
    """Routes, and those of the routers among them."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        yield from every(inner.routes) if inner else [route]


def test_every_route_but_those_listed_needs_a_scope(store: SmallStore) -> None:
    app = create_app(store.engine, Settings())
    addresses = {
        (method, route.path)
        for route in every(app.routes)
        for method in getattr(route, "methods", None) or ()
        if scope_needed(method, route.path) is None
    }
    assert {path for _, path in addresses} == {
        "/v1/health", "/v1/health/live", "/v1/health/ready", "/health/live", "/health/ready", "/v1/hubs/{id}",
        "/log-in", "/log-out", "/language", "/assets/vega.js", "/problems", "/problems/{slug}",
        "/feeds/alerts/{rule}.atom",
    }  # fmt: skip
    described = app.openapi()["paths"]
    assert described["/v1/posts"]["post"]["security"] == [{"key": ["write"]}, {}]
    assert described["/v1/health"]["get"]["security"] == []
    assert {"401", "403", "429"} <= described["/v1/topics"]["get"]["responses"].keys()


def test_a_key_that_is_wrong_expired_or_revoked_is_refused_everywhere(
    store: SmallStore, reach: Callable[..., TestClient]
) -> None:
    client, now = reach(), datetime.now(UTC)
    old = bearer(store.engine, "read", "1h", name="old")
    ended = bearer(store.engine, "read", name="ended")
    assert client.get("/v1/topics", headers=ended).status_code == 200
    with store.engine.begin() as connection:
        past = sa.update(api_key).where(api_key.c.name == "old").values(expires_at=now - timedelta(seconds=1))
        connection.execute(past)
    revoke_key(store.engine, terminal(), "ended")
    for headers, word in ((old, "expired"), (ended, "revoked"), ({"authorization": "Bearer radar_x"}, "not known")):
        for asking in (client, reach(HERE)):  # at this machine too: whoever sends a key means it
            answer = asking.get("/v1/topics", headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (401, "/problems/key-not-valid")
            assert word in answer.json()["detail"]
            assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_key_is_kept_as_a_hash_and_its_use_is_written_once_a_minute(
    store: SmallStore, reach: Callable[..., TestClient]
) -> None:
    client, headers = reach(), bearer(store.engine, "read")
    token = headers["authorization"].removeprefix("Bearer ")
    assert len(token) == len("radar_") + 43
    [key] = rows(store.engine, api_key)
    assert (key.digest, key.used_at) == (digest_of(token), None)
    client.get("/v1/topics", headers=headers)
    [first] = rows(store.engine, api_key)
    client.get("/v1/topics", headers=headers)
    assert rows(store.engine, api_key) == [first]
    with store.engine.begin() as connection:
        connection.execute(sa.update(api_key).values(used_at=first.used_at - timedelta(seconds=61)))
    client.get("/v1/topics", headers=headers)
    assert rows(store.engine, api_key)[0].used_at > first.used_at
    dumped = [str(value) for table in (api_key, audit) for row in rows(store.engine, table) for value in row]
    assert not [value for value in dumped if token in value]


# ---- this machine ----


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_needs_no_key(reach: Callable[..., TestClient], address: str) -> None:
    client = reach((address, 1))
    assert client.get("/v1/audit", headers={"host": "localhost:8321"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-for": "127.0.0.1"}, {"forwarded": "for=127.0.0.1"}, {"x-real-ip": "127.0.0.1"},
        {"via": "1.1 proxy"}, {"host": "evil.example"}, {"host": ""}, {"host": "127.0.0.1.evil.example"},
    ],
    ids=str,
)  # fmt: skip
def test_what_comes_through_a_proxy_or_by_another_name_is_not_this_machine(
    reach: Callable[..., TestClient], headers: dict[str, str]
) -> None:
    assert reach(HERE).get("/v1/topics", headers=headers).status_code == 401


@pytest.mark.parametrize("header", ["x-forwarded-for", "x-real-ip", "forwarded", "x-client-ip", "true-client-ip"])
def test_nobody_becomes_this_machine_by_a_header(reach: Callable[..., TestClient], header: str) -> None:
    sent = {header: "for=127.0.0.1" if header == "forwarded" else "127.0.0.1", "host": "127.0.0.1:8321"}
    for client in (reach(), reach(behind_proxy=True), reach(HERE, behind_proxy=True)):
        assert client.get("/v1/topics", headers=sent).status_code == 401


def test_behind_a_proxy_loopback_needs_a_key_too(store: SmallStore, reach: Callable[..., TestClient]) -> None:
    client = reach(HERE, behind_proxy=True)
    assert client.get("/v1/topics").status_code == 401
    assert client.get("/v1/topics", headers=bearer(store.engine, "read")).status_code == 200


# ---- limits ----


def test_a_key_has_its_own_limit_and_is_told_what_is_left(store: SmallStore, reach: Callable[..., TestClient]) -> None:
    client = reach(rate_limit=3, rate_limit_address=2)
    one, other = bearer(store.engine, "read"), bearer(store.engine, "read")
    left = [client.get("/v1/topics", headers=one).headers["ratelimit-remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = client.get("/v1/topics", headers=one)
    assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too-many-requests")
    assert 0 < int(refused.headers["retry-after"]) <= 20
    assert refused.headers["ratelimit-policy"] == '"key";q=3;w=60'
    assert refused.headers["ratelimit"].startswith('"key";r=0;t=')
    assert client.get("/v1/topics", headers=other).status_code == 200
    assert client.get("/health/live").status_code == 200
    assert [client.get("/v1/topics").status_code for _ in range(3)] == [401, 401, 429]
    assert "ratelimit" not in reach(HERE).get("/v1/topics").headers


def test_an_answer_that_is_kept_takes_a_key_that_holds_and_counts_once(
    store: SmallStore, reach: Callable[..., TestClient]
) -> None:
    fill(store)
    client, trends = reach(rate_limit=3, rate_limit_address=9), "/v1/markets/TW/trends"
    key = bearer(store.engine, "read")
    answers = [client.get(trends, headers=key) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    other = bearer(store.engine, "read")
    assert client.get(trends, headers=other).content == answers[0].content
    with store.engine.begin() as connection:
        connection.execute(sa.update(api_key).values(revoked_at=datetime.now(UTC)))
    assert client.get(trends, headers=other).status_code == client.get(trends).status_code == 401


def test_guessing_keys_is_counted_by_address(store: SmallStore, reach: Callable[..., TestClient]) -> None:
    client = reach(rate_limit_address=2, behind_proxy=True)

    def guess(n: int, told: str) -> int:
        headers = {"authorization": f"Bearer radar_{n}", "x-forwarded-for": told}
        return client.get("/v1/topics", headers=headers).status_code

    assert [guess(n, f"198.51.100.{n}, 192.0.2.7") for n in range(3)] == [401, 401, 429]
    assert guess(9, "192.0.2.7, 192.0.2.8") == 401


# ---- pages of other sites ----


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({}, True),  # a program
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8321"}, False),
        ({"origin": "http://127.0.0.1:8321"}, True),
        ({"origin": "http://127.0.0.1:9999"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
    ],
    ids=str,
)
def test_a_page_of_another_site_cannot_write(
    store: SmallStore, reach: Callable[..., TestClient], headers: dict[str, str], is_ours: bool
) -> None:
    client = reach(HERE)
    for path in ("/v1/posts", "/log-in", "/log-out", "/account/password", "/v1/partners"):
        answer = client.post(path, headers=headers | {"content-type": "text/plain"}, content="{}")
        assert (answer.status_code == 403) == (not is_ours), (path, answer.text)
        if not is_ours:
            assert answer.json()["type"] == "/problems/cross-site"
    assert client.delete("/v1/lists/a", headers=headers).status_code == (404 if is_ours else 403)
    if not is_ours:  # a key is nothing that a browser sends by itself
        key = bearer(store.engine, "write")
        assert client.post("/v1/posts", json=[POST], headers=headers | key).status_code == 200


# ---- people ----


def logged_in(client: TestClient, name: str = "ann", **headers: str) -> Any:
    sent = {"origin": str(client.base_url)} | headers
    return client.post("/log-in", data={"name": name, "password": PASSWORD, "back": "/account"}, headers=sent)


@pytest.mark.parametrize(("role", "may"), [("viewer", "read"), ("editor", "write"), ("admin", "admin")])
def test_a_role_is_a_scope(store: SmallStore, reach: Callable[..., TestClient], role: str, may: str) -> None:
    add_person(store.engine, terminal(), "Ann", role, PASSWORD)
    client = reach()
    client.headers["origin"] = "http://radar.example"
    assert logged_in(client).headers["location"] == "/account"
    wide = ["read", "write", "admin"]
    asked = (("read", "GET", "/v1/topics"), ("write", "POST", "/v1/posts"), ("admin", "GET", "/v1/audit"))
    for needed, method, path in asked:
        answer = client.request(method, path, json=[POST] if method == "POST" else None)
        assert answer.status_code == (200 if wide.index(may) >= wide.index(needed) else 403)
    assert client.post("/log-out").headers["location"] == "/log-in"
    assert client.get("/v1/topics").status_code == 401
    assert rows(store.engine, login_session) == []


def test_a_cookie_alone_does_not_write(store: SmallStore, reach: Callable[..., TestClient]) -> None:
    add_person(store.engine, terminal(), "ann", "editor", PASSWORD)
    client = reach()
    logged_in(client)
    assert client.post("/v1/posts", json=[POST]).status_code == 403
    assert client.post("/v1/posts", json=[POST], headers={"origin": "http://radar.example"}).status_code == 200


def test_a_page_leads_to_the_log_in_and_back_here_only(store: SmallStore, reach: Callable[..., TestClient]) -> None:
    client = reach()
    assert client.get("/kols?market=TW&sort=early", headers=HTML).headers["location"] == (
        "/log-in?back=%2Fkols%3Fmarket%3DTW%26sort%3Dearly"
    )
    assert client.get("/v1/topics", headers=HTML).status_code == 401
    add_person(store.engine, terminal(), "ann", "viewer", PASSWORD)
    for back in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "/log-in?back=/"):
        sent = {"name": "ann", "password": PASSWORD, "back": back}
        answer = client.post("/log-in", data=sent, headers={"origin": "http://radar.example"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert 'value="/"' in reach().get("/log-in", params={"back": back}).text
    assert client.get("/log-in?back=/kols").headers["location"] == "/kols", "whoever is in already goes on"
    assert client.get("/audit", headers=HTML).status_code == 403


def test_the_cookie_is_for_tls_alone_where_there_is_tls(store: SmallStore, reach: Callable[..., TestClient]) -> None:
    add_person(store.engine, terminal(), "ann", "viewer", PASSWORD)
    for client, more, is_secure in (
        (reach(), {}, False), (reach(behind_proxy=True), {}, True),
        (reach(behind_proxy=True), {"x-forwarded-proto": "http"}, False),
        (reach(), {"x-forwarded-proto": "https"}, False),
    ):  # fmt: skip
        cookie = logged_in(client, **more).headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert ("Secure" in cookie) == is_secure
    assert {len(row.digest) for row in rows(store.engine, login_session)} == {64}


def test_sessions_end_by_hand_by_password_and_by_time(store: SmallStore, reach: Callable[..., TestClient]) -> None:
    add_person(store.engine, terminal(), "ann", "viewer", PASSWORD)
    here, there, third = reach(), reach(), reach()
    for client in (here, there, third):
        client.headers["origin"] = "http://radar.example"
        logged_in(client)
    assert here.get("/account").text.count("<tr>") == 1 + 3
    which = next(row.digest for row in rows(store.engine, login_session) if row.digest == digest_of(_token(there)))
    assert here.post("/account/sessions", data={"which": which[:16]}).status_code == 303
    assert [client.get("/v1/topics").status_code for client in (here, there, third)] == [200, 401, 200]
    new = {"password": PASSWORD, "another": "another horse"}
    assert here.post("/account/password", data=new | {"password": "wrong"}).status_code == 401
    assert here.post("/account/password", data=new | {"another": "short"}).status_code == 400
    assert here.post("/account/password", data=new).headers["location"] == "/account?done=password"
    assert [client.get("/v1/topics").status_code for client in (here, third)] == [200, 401]
    with store.engine.begin() as connection:
        connection.execute(sa.update(login_session).values(expires_at=datetime.now(UTC)))
    assert here.get("/v1/topics").status_code == 401


def _token(client: TestClient) -> str:
    return str(client.cookies["radar_session"])


def test_a_page_says_how_long_to_wait_after_many_failures(store: SmallStore, reach: Callable[..., TestClient]) -> None:
    add_person(store.engine, terminal(), "ann", "viewer", PASSWORD)
    client = reach()
    for n in range(5):
        answer = client.post("/log-in", data={"name": "ann", "password": f"wrong {n}", "back": "/kols"})
        assert answer.status_code == 401
        assert "do not belong together" in answer.text
        assert "wrong" not in answer.text
    locked = client.post("/log-in", data={"name": "ann", "password": PASSWORD}, headers={"accept-language": "ja"})
    assert locked.status_code == 429
    assert 0 < int(locked.headers["retry-after"]) <= 30
    assert "ログインの失敗が多すぎます" in locked.text
    assert client.post("/log-in", data={}).status_code == 401
    assert client.post("/log-in", content=b"\xff", headers={"content-type": "text/html"}).status_code == 401


def test_names_and_browsers_of_strangers_are_shown_as_text(store: SmallStore, reach: Callable[..., TestClient]) -> None:
    add_person(store.engine, terminal(), HOSTILE, "admin", PASSWORD)
    client = reach()
    refused = client.post("/log-in", data={"name": '"><script>x', "back": '/"><script>y'}, headers=HTML)
    logged_in(client, HOSTILE, **{"user-agent": f"{HOSTILE}<img src=x>"})
    for text in (refused.text, client.get("/account").text, client.get("/audit").text):
        assert text.count("<script") == 1
        assert "<img" not in text
    assert "&lt;script&gt;alert(1)" in client.get("/account").text


# ---- the audit log ----


def test_what_was_written_is_written_down_once_with_who_and_what_came_of_it(
    store: SmallStore, reach: Callable[..., TestClient]
) -> None:
    client, key = reach(), bearer(store.engine, "write", name="shop")
    client.post("/v1/posts", json=[POST], headers=key | {"x-request-id": "push-1"})
    client.post("/v1/posts", json={"posts": 1}, headers=key)
    client.delete("/v1/authors/instagram:mei.travels", headers=key)
    client.get("/v1/topics", headers=key)
    client.post("/v1/partners", json={}, headers=key)
    client.post("/v1/posts", json=[POST])
    found = reach(HERE).get("/v1/audit").json()
    assert [(line["by"]["name"], line["action"], line["target"], line["outcome"]) for line in found["items"]] == [
        ("shop", "DELETE", "/v1/authors/…", "refused"),
        ("shop", "POST /v1/posts", "/v1/posts", "refused"),
        ("shop", "POST /v1/posts", "/v1/posts", "done"),
        ("root", "create key", "shop", "done"),
    ]
    assert found["items"][2]["request_id"] == "push-1"
    assert found["next"] is None


def test_an_erased_author_leaves_no_name_in_the_audit_log(tmp_path: Path) -> None:
    store = fill(open_small(tmp_path))
    client = TestClient(create_app(store.engine, Settings(data_dir=tmp_path)))
    client.post("/v1/authors/kr3/notes", json={"text": "met"})
    client.patch("/v1/authors/kr3", json={"name": "X"})
    assert client.delete("/v1/authors/kr3").status_code == 200
    assert client.delete("/v1/authors/kr3").status_code == 404
    found = rows(store.engine, audit)
    assert [line.outcome for line in found] == ["done", "done", "done", "refused"]
    assert not [line for line in found if "kr3" in str(tuple(line))]
    assert found[0].target.startswith("author ")
    store.engine.dispose()


def test_the_audit_log_comes_in_pages(store: SmallStore, reach: Callable[..., TestClient]) -> None:
    for n in range(5):
        create_key(store.engine, terminal(), "read", "never", f"k{n}")
    client, seen, cursor = reach(HERE), [], ""
    while cursor is not None:
        page = client.get("/v1/audit", params={"limit": 2, "cursor": cursor}).json()
        seen += [line["target"] for line in page["items"]]
        cursor = page["next"]
    assert seen == ["k4", "k3", "k2", "k1", "k0"]
    assert client.get("/v1/audit?cursor=x").status_code == 400
    assert client.get("/audit.json").headers["location"] == "/v1/audit"


# ---- settings ----


def test_settings_are_told_to_admins_and_secrets_to_nobody(store: SmallStore, reach: Callable[..., TestClient]) -> None:
    secret = "whsec_c2VjcmV0LW9mLW91ci1vd24tMTIzNDU2"
    client = reach(push_secret=secret)
    assert client.get("/v1/settings", headers=bearer(store.engine, "write")).status_code == 403
    admin = bearer(store.engine, "admin")
    told = client.get("/v1/settings", headers=admin)
    lines = {line["variable"]: line for line in told.json()["items"]}
    pushes, port = lines["RADAR_PUSH_SECRET"], lines["RADAR_PORT"]
    assert (pushes["value"], pushes["is_given"], pushes["is_secret"]) == (None, True, True)
    assert (port["value"], port["is_given"]) == ("8321", False)
    assert all(line["description"] for line in lines.values())
    page = client.get("/settings", headers=admin | HTML)
    assert "RADAR_RETENTION_DAYS" in page.text
    assert secret not in told.text + page.text
