"""Clients need not take an answer twice, and get it small where they say they can."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.responses import StreamingResponse

from radar.api.caching import Compressed, Conditional
from radar.web.view import static
from tests.api.conftest import client_of
from tests.api.small_store import SmallStore
from tests.builders import a_post, put

PLAIN = {"accept-encoding": "identity"}


@pytest.mark.parametrize("path", ["/v1/markets/TW/trends", "/v1/markets", "/markets", "/kols", "/static/radar.css"])
def test_what_is_known_is_304_and_keeps_the_headers_of_its_answer(client: TestClient, path: str) -> None:
    whole = client.get(path)
    assert whole.status_code == 200
    assert whole.headers["cache-control"] == "private, no-cache"
    known = client.get(path, headers={"if-none-match": f'"other", W/{whole.headers["etag"]}'})
    assert (known.status_code, known.content) == (304, b"")
    for name in ("etag", "cache-control", "vary", "content-security-policy"):
        assert known.headers[name] == whole.headers[name]
    assert not {"content-length", "content-type", "content-encoding", "content-language"} & set(known.headers)
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_a_change_is_200_again(empty: SmallStore, fresh: TestClient) -> None:
    tag = fresh.get("/v1/markets").headers["etag"]
    assert fresh.get("/v1/markets", headers={"if-none-match": tag}).status_code == 304
    put(empty.engine, a_post("1"))
    changed = fresh.get("/v1/markets", headers={"if-none-match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_gzip_only_where_it_is_asked_for_and_worth_it(client: TestClient) -> None:
    packed = client.get("/v1/topics", headers={"accept-encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(packed.content) / 2
    for asked in ("identity", "br", "gzip;q=0"):
        plain = client.get("/v1/topics", headers={"accept-encoding": asked})
        assert "content-encoding" not in plain.headers
        assert plain.json() == packed.json()
        assert plain.headers["etag"] != packed.headers["etag"]  # a strong tag is of the bytes
        assert "Accept-Encoding" in plain.headers["vary"]
    assert "content-encoding" not in client.get("/v1/health/live").headers
    again = client.get("/v1/topics", headers={"accept-encoding": "gzip", "if-none-match": packed.headers["etag"]})
    assert again.status_code == 304


def test_pages_keep_their_language_and_vary_by_it(client: TestClient) -> None:
    pages = {code: client.get("/markets", headers={"accept-language": code}) for code in ("ja", "ko")}
    assert [pages[code].headers["content-language"] for code in pages] == ["ja", "ko"]
    assert pages["ja"].headers["etag"] != pages["ko"].headers["etag"]
    for name in ("Accept-Language", "Cookie", "Accept-Encoding"):
        assert name in pages["ja"].headers["vary"]


def test_a_static_file_is_kept_for_ever_only_by_the_print_of_what_it_is(client: TestClient) -> None:
    assert client.get(static("radar.css")).headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get("/static/radar.css?v=0123456789").headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("path", ["/v1/topics", "/markets", "/static/radar.css"])
def test_head_is_get_without_its_body(client: TestClient, path: str) -> None:
    whole, head = client.get(path, headers=PLAIN), client.head(path, headers=PLAIN)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-length", "content-type"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/topics?x=1"])
def test_problems_are_kept_nowhere(client: TestClient, path: str) -> None:
    problem = client.get(path, headers={"if-none-match": "*"})
    assert problem.status_code in (400, 404)
    assert problem.headers["cache-control"] == "no-store"
    assert "etag" not in problem.headers


def test_a_stream_goes_out_as_it_comes() -> None:
    made: list[int] = []

    def lines() -> Iterator[bytes]:
        for n in range(3):
            made.append(n)
            yield b"%d" % n * 2000

    app = FastAPI()
    app.get("/lines")(lambda: StreamingResponse(lines(), media_type="application/x-ndjson"))
    sent: list[tuple[int, int]] = []

    class Wire:
        async def __call__(self, scope, receive, send):  # type: ignore[no-untyped-def]
            async def noted(message):  # type: ignore[no-untyped-def]
                if message.get("body"):
                    sent.append((len(made), len(message["body"])))
                await send(message)

            await Conditional(Compressed(app))(scope, receive, noted)

    answer = TestClient(Wire()).get("/lines")
    assert answer.content == b"".join(b"%d" % n * 2000 for n in range(3))
    assert "etag" not in answer.headers
    assert [n for n, _ in sent][:3] == [1, 2, 3]
    assert max(size for _, size in sent) < 200  # compressed, piece by piece


TRENDS = "/v1/markets/TW/trends"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_the_same_question_again_is_answered_alike_in_every_header(
    filled: SmallStore, method: str, coding: str
) -> None:
    once, again = client_of(filled), client_of(filled)
    asked = {"accept-encoding": coding, "x-request-id": "the-same"}
    again.get(TRENDS, headers=asked)  # made, and kept
    first, second = once.request(method, TRENDS, headers=asked), again.request(method, TRENDS, headers=asked)
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert sorted(first.headers.items()) == sorted(second.headers.items())
    known = asked | {"if-none-match": first.headers["etag"]}
    first, second = client_of(filled).get(TRENDS, headers=known), again.get(TRENDS, headers=known)
    assert first.status_code == second.status_code == 304
    assert sorted(first.headers.items()) == sorted(second.headers.items())


def test_what_is_kept_is_sent_in_no_other_form_and_counted_by_its_route(filled: SmallStore) -> None:
    client = client_of(filled)
    for _ in range(2):
        assert client.get(TRENDS).json()["items"]
        table = client.get(TRENDS, headers={"accept": "text/csv"})
        assert table.headers["content-type"].startswith("text/csv")
        assert client.get(TRENDS, headers={"accept": "image/png"}).status_code == 406
        assert client.post(TRENDS).status_code == 405
        assert client.get(TRENDS, params={"limit": 1}).json()["items"]
        assert client.get(TRENDS, params={"nonsense": 1}).status_code == 400
    route = 'route="/v1/markets/{market}/trends"'
    assert f'radar_http_requests_total{{method="GET",{route},status="200"}} 6.0' in _metrics(client)


def _metrics(client: TestClient) -> str:
    """Metrics with their labels in the order of the alphabet."""
    lines = client.get("/metrics").text.splitlines()
    return "\n".join(
        re.sub(r"\{(.*)\}", lambda found: "{" + ",".join(sorted(found[1].split(","))) + "}", line) for line in lines
    )
