"""Curation, tracked keys and shares of voice as the API, the forms of pages and the terminal give them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from radar import tracked
from radar.answers import trend_id
from radar.cli import main
from radar.keys import Kind, key_number
from radar.store.counts import add_keys
from radar.store.engine import writing
from tests.api.conftest import client_of
from tests.api.small_store import HOSTILE, SmallStore, fill, open_small, post

JSON = {"accept": "application/json"}
FORM = {"accept": "text/html", "accept-language": "en", "origin": "http://testserver"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStore]:
    store = fill(open_small(tmp_path_factory.mktemp("curated")))
    chat = [(f"Donki {n}" if n % 3 else f"Donki and 松本清 {n}") for n in range(12)]
    at = store.now - timedelta(hours=30)
    store.ingest([post(900 + n, f"fan{n}", text, at + timedelta(minutes=n)) for n, text in enumerate(chat)])
    store.work()
    with writing(store.engine) as session, session.begin():
        add_keys(
            session,
            [
                {"hash": key_number(Kind.HASHTAG, "大阪必買"), "kind": 1, "text": "大阪必買", "gloss": None},
                {"hash": key_number(Kind.TERM, "電影"), "kind": 2, "text": "電影", "gloss": None},
            ],
        )
    yield store
    store.engine.dispose()


@pytest.fixture
def client(store: SmallStore) -> Iterator[TestClient]:
    with client_of(store) as opened:
        yield opened


def test_a_trend_is_curated_and_restored_over_the_api(client: TestClient, store: SmallStore) -> None:
    trend = trend_id(store.ids["film"])
    path = f"/v1/trends/{trend}/curation"
    done = client.post(path, json={"action": "mute", "reason": HOSTILE, "scope": "key"})
    assert done.status_code == 200, done.text
    assert [(one["scope"], one["who"]) for one in done.json()["items"]] == [("trend", "loopback"), ("key", "loopback")]
    listed = client.get("/v1/markets/TW/trends", params={"scope": "all"}).json()
    assert trend not in [item["id"] for item in listed["items"]]
    assert listed["left_out"] == 1
    every = client.get("/v1/markets/TW/trends", params={"scope": "all", "curated": "all"}).json()
    assert next(item for item in every["items"] if item["id"] == trend)["curation"][0]["reason"] == HOSTILE
    for page in ("/curation", f"/trends/{trend}", "/markets/TW?scope=all&curated=all"):
        assert HOSTILE not in client.get(page, headers=FORM).text
    assert client.get("/v1/curation?market=TW&limit=1").json()["next"]
    assert client.delete(path, params={"action": "hold"}).status_code == 400
    assert len(client.delete(path).json()["items"]) == 2
    assert client.get("/v1/markets/TW/trends", params={"scope": "all"}).json()["left_out"] == 0


def test_forms_lead_back_and_work_only_from_our_own_pages(client: TestClient, store: SmallStore) -> None:
    trend = trend_id(store.ids["home"])
    said = {"action": "rename", "reason": "clearer", "name": "Flights"}
    done = client.post(f"/trends/{trend}/curation", data=said, headers=FORM)
    assert done.status_code == 303
    page = client.get(done.headers["location"], headers=FORM).text
    assert "Flights" in page
    assert "found as" in page
    number = client.get("/v1/curation").json()["items"][0]["id"]
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        for path, how in (
            (f"/trends/{trend}/curation", {"data": said}), (f"/curation/{number}/undo", {"data": {}}),
            ("/tracked", {"data": {"name": "Donki"}}), ("/v1/tracked-keys", {"json": {"name": "Donki"}}),
            (f"/v1/trends/{trend}/curation", {"json": said}),
        ):  # fmt: skip
            refused = client.post(path, headers=FORM | headers, **how)  # type: ignore[arg-type]
            assert refused.status_code == 403, (path, headers)
    wrong = client.post(f"/trends/{trend}/curation", data=said | {"reason": ""}, headers=FORM)
    assert wrong.status_code == 400
    assert "reason: it needs 1 to 500" in wrong.text
    assert client.post(f"/trends/{trend}/curation", json=said, headers=FORM).status_code == 400
    undone = client.post(f"/curation/{number}/undo", data={"reason": "no"}, headers=FORM)
    assert undone.headers["location"] == f"/trends/{trend}#curation"
    assert client.get(f"/v1/trends/{trend}").json()["name_before"] is None


def test_keys_are_tracked_compared_and_told(client: TestClient, store: SmallStore) -> None:
    asked = {"name": "Donki", "group": "Drugstores", "forms": [{"language": "ja", "text": "ドンキ"}]}
    donki = client.post("/v1/tracked-keys", json=asked).json()
    assert (donki["progress"], donki["who"], len(donki["forms"])) == (0.0, "loopback", 2)
    added = {"name": "=Matsukiyo", "group": "Drugstores", "kind": "competitor", "form-zh-Hant": "松本清, 松本 清"}
    assert client.post("/tracked", data=added, headers=FORM).headers["location"] == "/tracked?group=Drugstores"
    assert client.post("/v1/tracked-keys", json=asked).status_code == 400
    assert client.post("/v1/tracked-keys", json=asked | {"kind": "shop"}).status_code == 400
    tracked.sweep(store.engine)
    store.work()
    voice = client.get("/v1/share-of-voice", params={"group": "drugstores", "market": "TW"}).json()
    (row,) = voice["items"]
    assert (row["persons"], row["status"], row["mentions"]) == (12, "ok", 16)
    first, second = row["keys"]
    assert (first["name"], first["persons"], first["share"]) == ("Donki", 12, 1.0)
    assert (second["persons"], second["share"], second["low"], second["high"]) == (4, 0.3333, 0.1381, 0.6094)
    everywhere = client.get("/v1/share-of-voice", params={"window": "7d"}).json()
    assert {one["market"]: one["status"] for one in everywhere["items"]} == {"TW": "ok", "KR": "not_enough"}
    together = everywhere["everywhere"]["keys"][0]
    assert (together["name"], together["markets"]) == ("Donki", 1)
    assert together["persons"] == sum(row["keys"][0]["persons"] for row in everywhere["items"])
    assert voice["everywhere"] is None
    assert "All markets together" in client.get("/tracked", headers={"accept": "text/html"}).text
    nobody = client.get("/v1/share-of-voice?market=TH").json()
    assert (nobody["items"], "not enough people" in nobody["message"]) == ([], True)
    assert client.get("/v1/share-of-voice?window=36h").status_code == 400
    assert client.get("/v1/share-of-voice?group=x").json()["near"] == ["Drugstores"]
    lines = client.get("/v1/share-of-voice.csv?market=TW").text.splitlines()
    assert [line.split(",")[4] for line in lines[1:]] == ["Donki", "'=Matsukiyo"]
    page = client.get("/tracked?market=TW", headers=FORM).text
    assert "松本清, 松本 清" in page
    assert "14 % – 61 %" in page
    assert client.get("/tracked/voice.svg?market=TW").content.startswith(b"<svg")
    assert client.get("/tracked/voice.json?market=KR").status_code == 404
    assert client.get("/v1/markets/TW/trends?kind=tracked").status_code == 200
    listed = client.get("/v1/tracked-keys").json()
    assert [one["persons"] for one in listed["items"]] == [4, 12]
    changed = client.patch(f"/v1/tracked-keys/{donki['id']}", json={"group": "Stores"}).json()
    assert (changed["group"], changed["progress"]) == ("Stores", 1.0)
    gone = client.post(f"/tracked/{donki['id']}", data={"do": "remove"}, headers=FORM)
    assert gone.status_code == 303
    assert client.delete(f"/v1/tracked-keys/{donki['id']}").status_code == 404


def test_a_key_says_what_it_is_to_who_cannot_read_it(client: TestClient) -> None:
    def gloss(code: str) -> str:
        return client.get("/markets/TW?scope=all&window=30d", headers=FORM | {"accept-language": code}).text

    items = client.get("/v1/markets/TW/trends?scope=all&window=30d").json()["items"]
    told = {item["key"]["text"]: item["key"]["gloss"] for item in items}
    assert (told["大阪必買"], told["電影"]) == ("Osaka bi mai", "dianying")
    assert '<span class="gloss">Osaka bi mai</span>' in gloss("en")
    assert '<span class="gloss">오사카' in gloss("ko")
    assert '<span class="gloss">dianying</span>' in gloss("th")
    assert "dianying" not in gloss("ja")
    assert "Osaka bi mai" not in gloss("zh-TW")


def test_the_terminal_curates_and_tracks(
    store: SmallStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trend = trend_id(store.ids["film"])
    monkeypatch.setenv("RADAR_DATABASE_URL", str(store.engine.url))

    def run(*arguments: str) -> str:
        """What a command prints, after its exit code."""
        monkeypatch.setattr("sys.argv", ["radar", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return f"{ended.value.code} {capsys.readouterr().out}"

    assert run("curate", "mute", trend, "--reason", "spam").startswith("0 Decision ")
    assert "spam" in run("curate", "list", "--format", "csv")
    assert run("curate", "undo", trend).startswith("0 Undone")
    assert run("curate", "undo", trend).startswith("2 ")
    assert run("curate", "rename", "zzzzzzzzzzzzz", "x", "--reason", "y").startswith("2 ")
    assert run("track", "add", "Labubu", "--form", "zh-Hant=拉布布").startswith("0 Labubu is tracked")
    assert run("track", "add", "Labubu", "--form", "拉布布").startswith("2 ")
    assert "拉布布" in run("track", "list", "--format", "json")
    assert "not enough" in run("track", "voice", "Labubu")
    assert run("track", "remove", "labubu").startswith("0 Labubu is tracked no more")
