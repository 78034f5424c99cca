"""POST /v1/posts: what a collector that pushes notices."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from msgspec import UNSET
from msgspec.structs import asdict

from radar.api.push import Mixed, read_body
from radar.api.pushed import UsualAuthor, UsualPost, usual_posts
from radar.api.pushed_shapes import PushedAuthor, PushedPost
from radar.sources.base import OPTIONAL
from radar.store.engine import claim_world, reading, writing
from radar.store.tables import author, rejected_post
from tests.api.small_store import SmallStore

AUTHOR = {"native_id": "mei", "audience_market": "TW", "handle": "mei.travels", "follower_count": 48210}


def item(n: int, **more: Any) -> dict[str, Any]:
    return {
        "platform": "instagram", "native_id": f"p{n}", "author": AUTHOR, "text": f"藥妝必買 {n}",
        "published_at": "2026-11-22T17:12:00+08:00", "like_count": 12,
    } | more  # fmt: skip


def push(client: TestClient, posts: Any) -> dict[str, Any]:
    response = client.post("/v1/posts", json=posts)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def results(answer: dict[str, Any]) -> list[str]:
    return [line["result"] for line in answer["items"]]


def dump(store: SmallStore) -> list[tuple[Any, ...]]:
    with store.engine.connect() as connection:
        names = ("post", "author", "engagement_observation", "dirty_day", "follower_observation")
        return [tuple(r) for n in names for r in connection.execute(sa.text(f"SELECT * FROM {n}"))]


def test_the_same_batch_twice_changes_nothing(empty: SmallStore, fresh: TestClient) -> None:
    batch = {"posts": [item(n) for n in range(5)]}
    assert results(push(fresh, batch)) == ["created"] * 5
    before = dump(empty)
    again = push(fresh, batch)
    assert results(again) == ["unchanged"] * 5
    assert again["unchanged"] == 5
    assert dump(empty) == before


def test_a_bare_list_is_taken_too(fresh: TestClient) -> None:
    assert push(fresh, [item(1)])["created"] == 1
    assert push(fresh, [])["items"] == []


def test_changes_and_tombstones_are_told_apart(fresh: TestClient) -> None:
    push(fresh, [item(1), item(2), item(3)])
    answer = push(
        fresh,
        [
            item(1, text="改了"),
            item(2, like_count=99),
            {"platform": "instagram", "native_id": "p3", "deleted": True},
            {"platform": "instagram", "native_id": "never seen", "deleted": True},
        ],
    )
    assert results(answer) == ["changed", "changed", "deleted", "unchanged"]
    assert results(push(fresh, [{"platform": "instagram", "native_id": "p3", "deleted": True}])) == ["unchanged"]
    assert results(push(fresh, [item(3)])) == ["changed"]


def test_of_a_post_given_twice_the_later_counts(empty: SmallStore, fresh: TestClient) -> None:
    answer = push(fresh, [item(1, text="first"), item(1, text="second")])
    assert results(answer) == ["unchanged", "created"]
    with empty.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT text FROM post")).scalars().all() == ["second"]


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (item(9, like_counts=1), "like_counts"),
        (item(9, like_count=-1), "like_count"),
        (item(9, like_count="many"), "like_count"),
        (item(9, published_at="2026-11-22T17:12:00"), "published_at"),
        (item(9, published_at="1066-10-14T00:00:00Z"), "published_at"),
        (item(9, published_at=None), "published_at"),
        (item(9, text=" "), "text"),
        (item(9, text="x" * 20_001), "text"),
        (item(9, platform=""), "platform"),
        (item(9, native_id="x" * 256), "native_id"),
        (item(9, native_id="nul\x00"), "native_id"),
        (item(9, native_id="half \ud83d"), "native_id"),
        (item(9, edited_at="0001-01-01T00:00:00+10:00"), "edited_at"),
        (item(9) | {"\x00": 1}, ""),
        (item(9, language="x" * 17), "language"),
        (item(9, author=AUTHOR | {"audience_market": "XX"}), "author.audience_market"),
        (item(9, author=AUTHOR | {"native_id": ""}), "author.native_id"),
        (item(9, author=AUTHOR | {"follower_count": 2**70}), "author.follower_count"),
        (item(9, author=None), "author"),
        ("no object", "post"),
        (None, "post"),
    ],
)
def test_a_bad_item_is_rejected_by_field_and_the_others_stay(fresh: TestClient, bad: Any, field: str) -> None:
    body = json.dumps([item(1), bad, item(2)])
    response = fresh.post("/v1/posts", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 200, response.text
    answer = response.json()
    assert results(answer) == ["created", "rejected", "created"]
    assert answer["items"][1]["field"] == field
    assert answer["items"][1]["reason"]


ODD: list[Any] = [
    None, True, 0, -1, 1.0, 1.5, 2**53, 2**70, "", "7", "7.0", "yes", "x" * 17, "x" * 300, "nul\x00", "half \ud83d",
    "è‎‮", [], {}, "2026-11-22T17:12:00", "2026-11-22T17:12:00Z", "1066-10-14T00:00:00Z", "0001-01-01T00:00:00+10:00",
    1777888800, "2026-11-22T17:12:00.1234567Z", "2026-11-22T17:12:00.9999999+05:30", "2026-11-22t17:12:00z",
    "2026-11-22 17:12:00+00", "2026-11-22T24:00:00Z", "2026-11-22T17:12:60Z", "2026-11-22T17:12Z",
    "9999-12-31T23:59:59Z", "1969-12-31T23:59:59+14:00", "2026-11-22T17:12:00-00:00", "9000-01-01T05:00:00+10:00",
]  # fmt: skip


def test_what_is_checked_all_at_once_is_what_is_checked_one_by_one() -> None:
    """An item that passes the one check passes the other with the same values, whatever stands in any of its fields."""
    assert UsualPost.__struct_fields__ == tuple(PushedPost.model_fields)
    assert UsualAuthor.__struct_fields__ == tuple(PushedAuthor.model_fields)
    passed = 0
    tried = [item(1, **{name: odd}) for name in PushedPost.model_fields for odd in ODD]
    tried += [item(1, author=AUTHOR | {name: odd}) for name in PushedAuthor.model_fields for odd in ODD]
    for one in tried:
        usual = usual_posts(json.dumps([one]).encode())
        if usual is None:
            continue
        passed += 1
        told, said = asdict(usual[0]), PushedPost.model_validate(one).model_dump(exclude_unset=True)
        author_told, author_said = asdict(usual[0].author), said.pop("author")
        assert {name: told[name] for name in said} == said
        assert {name: author_told[name] for name in author_said} == author_said
        assert all(told[name] is UNSET for name in set(OPTIONAL) - said.keys())
    assert passed > len(tried) / 4


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[", b"7", b"null", b'{"posts": []} x', b'{"items": []}', b"[\xff]", b'[{"platform": NaN}]',
        json.dumps([item(1), item(2, unknown=1)]).encode(), json.dumps([item(1, text="a\x00b")]).encode(),
        json.dumps([item(1, text="half \ud83d")]).encode(), json.dumps([item(1, deleted=True)]).encode(),
        json.dumps({"posts": [item(1)], "more": 1}).encode(), b"[" * 100_000,
        json.dumps([item(1)]).encode().replace(b"+08:00", b"\\u002e1234567+08:00"),
    ],
    ids=range(15),
)  # fmt: skip
def test_a_body_with_which_anything_is_the_matter_is_read_item_by_item(body: bytes) -> None:
    assert usual_posts(body) is None


def test_of_a_field_that_is_given_twice_the_later_counts_in_both_readings(fresh: TestClient) -> None:
    for n, more in ((1, []), (2, [item(9, text="")])):
        twice = json.dumps([item(n, like_count=5), *more]).replace(
            '"like_count": 5', '"like_count": 5, "like_count": 6'
        )
        answer = fresh.post("/v1/posts", content=twice, headers={"content-type": "application/json"}).json()
        assert answer["items"][0]["result"] == "created"
        again = fresh.post("/v1/posts", json=[item(n, like_count=6)]).json()
        assert results(again) == ["unchanged"]


def test_a_push_is_in_the_audit_log_once(fresh: TestClient) -> None:
    for posts in ([item(1)], [item(1), item(2, text="")], []):
        push(fresh, posts)
    noted = [line["action"] for line in fresh.get("/v1/audit").json()["items"]]
    assert noted == ["POST /v1/posts"] * 3


def test_rejected_items_are_kept_as_sent_and_counted(empty: SmallStore, fresh: TestClient) -> None:
    push(fresh, [item(1), item(2, text="")])
    with reading(empty.engine) as session:
        assert json.loads(session.scalars(sa.select(rejected_post.c.payload)).one()) == item(2, text="")
    assert fresh.get("/v1/coverage").json()["items"][0]["rejected"] == 1


@pytest.mark.parametrize("body", [{"items": []}, {"posts": [], "x": 1}, {"posts": {}}, "text", 3])
def test_a_body_that_is_no_batch_is_a_problem(fresh: TestClient, body: Any) -> None:
    response = fresh.post("/v1/posts", json=body)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert "posts" in response.json()["hint"]


@pytest.mark.parametrize("raw", [b"", b"{", b'{"posts": [', b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_is_a_problem(fresh: TestClient, raw: bytes) -> None:
    response = fresh.post("/v1/posts", content=raw, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"


def test_too_many_posts_or_bytes_are_413(empty: SmallStore, fresh: TestClient) -> None:
    assert fresh.post("/v1/posts", json=[item(n) for n in range(5001)]).status_code == 413
    large = json.dumps([item(1, text="x" * 10_000_001)])
    response = fresh.post("/v1/posts", content=large, headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert (response.json()["type"], response.json()["hint"]) == (
        "/problems/too-large",
        "Send smaller batches.",
    )
    assert response.headers["content-type"] == "application/problem+json"
    chunks = (b" " * 1_000_000 for _ in range(12))
    response = fresh.post("/v1/posts", content=chunks, headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert dump(empty) == []


def test_a_thousand_posts_are_taken(fresh: TestClient) -> None:
    assert push(fresh, [item(n) for n in range(1000)])["created"] == 1000


def test_a_simulated_store_takes_no_real_posts(empty: SmallStore, fresh: TestClient) -> None:
    with writing(empty.engine) as session, session.begin():
        claim_world(session, "simulated")
    response = fresh.post("/v1/posts", json=[item(1)])
    assert response.status_code == 409
    assert "simulated" in response.json()["detail"]
    assert dump(empty) == []


def test_a_post_given_and_taken_back_in_one_batch_is_gone(fresh: TestClient) -> None:
    def gone(n: int) -> dict[str, Any]:
        return {"platform": "instagram", "native_id": f"p{n}", "deleted": True}

    assert push(fresh, [item(1)])["created"] == 1
    assert push(fresh, [item(1, text="changed"), gone(1)])["deleted"] == 1
    assert push(fresh, [item(2), gone(2)])["created"] == 0


def test_odd_items_among_usual_ones_are_answered_for_as_if_each_was_read_alone(fresh: TestClient) -> None:
    fresh.post("/v1/posts", json=[item(1), item(2)])
    gone = {"platform": "Instagram", "native_id": "p1", "deleted": True}
    posts = [gone, item(3), item(4, like_count=-1), item(5), gone | {"native_id": "p5"}, 7, item(2, text="changed")]
    body = json.dumps(posts).encode()
    assert isinstance(read_body(body), Mixed)
    assert [post is not None for post in read_body(body).usual] == [False, True, False, True, False, False, True]
    answer = push(fresh, posts)
    results = [line["result"] for line in answer["items"]]
    assert results == ["deleted", "created", "rejected", "unchanged", "unchanged", "rejected", "changed"]
    assert [line["field"] for line in answer["items"] if line["result"] == "rejected"] == ["like_count", "post"]
    assert [line["native_id"] for line in answer["items"]] == ["p1", "p3", "p4", "p5", "p5", None, "p2"]


def test_a_market_that_nobody_declared_is_inferred_and_shown_as_such(empty: SmallStore, fresh: TestClient) -> None:
    yuki = {"native_id": "yuki", "handle": "yuki"}
    posts = [item(n, author=yuki, text=f"京都の紅葉がきれいだった {n}") for n in range(3)]
    posts += [item(9, author={"native_id": "ann"}, text="Best laksa in town")]
    answer = fresh.post("/v1/posts", json={"posts": posts}).json()
    assert [line["result"] for line in answer["items"]] == ["created"] * 3 + ["rejected"]
    assert answer["items"][3]["field"] == "author.audience_market"
    assert "not sure enough" in answer["items"][3]["reason"]
    told = {line["market"]: line["inferred_authors"] for line in fresh.get("/v1/coverage").json()["markets"]}
    assert told == {code: int(code == "JP") for code in told}
    with reading(empty.engine) as session:
        row = session.execute(sa.select(author).where(author.c.native_id == "yuki")).one()
    assert (row.audience_market, row.market_source, row.market_confidence > 0.9) == ("JP", "inferred", True)
    assert "writes ja in 3 of 3 posts" in row.market_reasons


def test_a_declared_market_is_never_inferred_anew(empty: SmallStore, fresh: TestClient) -> None:
    mei = {"native_id": "mei"}
    fresh.post("/v1/posts", json={"posts": [item(1, author=AUTHOR)]})
    fresh.post("/v1/posts", json={"posts": [item(n, author=mei, text="京都の紅葉がきれい") for n in range(2, 6)]})
    with reading(empty.engine) as session:
        row = session.execute(sa.select(author).where(author.c.native_id == "mei")).one()
    assert (row.audience_market, row.market_source, row.market_confidence) == ("TW", "declared", 1.0)


def test_what_is_declared_later_takes_the_place_of_what_was_inferred(empty: SmallStore, fresh: TestClient) -> None:
    yuki = {"native_id": "yuki"}
    posts = [item(n, author=yuki, text=f"京都の紅葉がきれいだった {n}") for n in range(3)]
    push(fresh, posts)
    push(fresh, [item(7, author=yuki | {"audience_market": "TW"}, text="台北の夜市")])
    push(fresh, [item(8, author=yuki, text="また京都に行きたい")])
    with empty.engine.connect() as connection:
        kept = connection.execute(sa.text("SELECT audience_market, market_source, market_reasons FROM author")).all()
        markets = set(connection.execute(sa.text("SELECT audience_market FROM post")).scalars())
        dirty = set(connection.execute(sa.text("SELECT audience_market FROM dirty_day")).scalars())
    assert kept == [("TW", "declared", None)]
    assert markets == {"TW"}
    assert dirty == {"JP", "TW"}


def test_a_declaration_in_the_same_batch_counts(empty: SmallStore, fresh: TestClient) -> None:
    first = item(1, author={"native_id": "yuki"}, text="京都の紅葉がきれいだった")
    push(fresh, [first, item(2, author={"native_id": "yuki", "audience_market": "TW"}, text="台北の夜市")])
    with empty.engine.connect() as connection:
        kept = connection.execute(sa.text("SELECT audience_market, market_source FROM author")).all()
    assert kept == [("TW", "declared")]
