"""Answers that a broken or hostile server may give: the good items go in, the rest is kept bounded with its reason."""

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from radar.sources import instagram, tiktok, x
from radar.sources.base import Account, Batch, PostRef
from radar.sources.catalogue import open_source
from radar.sources.problems import problem
from radar.sources.trouble import Trouble
from radar.sources.web import Web
from tests.sources.stages import NOW, SECRET, STAGES, FakeClock, Published, Reply, Stage

KINDS = sorted(STAGES.keys() - {"feed"})
JUNK: list[Any] = [
    None, True, 7, -1, 1e308, 10**40, "", "x" * 50_000, "\ud800", "\x00", "0001-01-01", "9999-12-31T23:59:59-23:59",
    "2026-13-45T99:99:99Z", "NaN", [], [[]], {}, {"a": {}}, [None, 7], "-5", "1e5",
]  # fmt: skip
"""What stands where something else is expected."""


@pytest.fixture(scope="module", params=KINDS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    up = STAGES[request.param]()
    yield up
    up.close()


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with Web(clock=FakeClock(), most_bytes=1 << 20) as client:
        yield client


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where anything stands in a JSON value."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from paths(one, (*at, name))


def put(value: Any, at: tuple[Any, ...], junk: Any) -> Any:
    """A copy with something else at that place."""
    if not at:
        return junk
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[at[0]] = put(copied[at[0]], at[1:], junk)
    return copied


class _Recorder:
    """Good answers of a stage, in their order, for one way of asking."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def good(self, ask: Callable[[], Any]) -> list[bytes]:
        said: list[bytes] = []
        stage = self.stage
        answer, answer_post = stage.answer, stage.answer_post

        def note(reply: Reply) -> Reply:
            assert isinstance(reply.body, bytes)
            said.append(reply.body)
            return reply

        stage.answer = lambda *a: note(answer(*a))  # type: ignore[method-assign]
        stage.answer_post = lambda *a: note(answer_post(*a))  # type: ignore[method-assign]
        try:
            ask()
        finally:
            stage.answer, stage.answer_post = answer, answer_post  # type: ignore[method-assign]
        return said


def check(batches: list[Batch]) -> None:
    """What came of an answer can be kept: ids are texts, counts are counts or unknown, faults are bounded."""
    for batch in batches:
        for post in batch.posts:
            assert isinstance(post.native_id, str)
            assert isinstance(post.text, str)
            for count in (post.like_count, post.comment_count, post.share_count, post.view_count):
                assert count is None or (type(count) is int and 0 <= count < 2**53)
            problem(post, NOW)
            assert SECRET not in repr(post)
        for fault in batch.faults:
            assert fault.reason
            assert len(fault.reason) <= 300
            assert len(fault.payload) <= 4_000
        json.dumps(batch.cursor)


def trouble(ask: Callable[[], None]) -> str:
    """What a source says went wrong, with all that is kept of it."""
    try:
        ask()
    except Trouble as error:
        kept = str(getattr(error, "payload", ""))
        assert len(kept) <= 8_000, "bounded"
        return f"{error} {kept} {error.detail}"
    return ""


def ref_of(stage: Stage, id: str) -> PostRef:
    """How the radar asks for a post again."""
    native = stage.native_id(id)
    said = {"mastodon": f"{stage.url} {id}", "instagram": f"ann {native}", "threads": f"ann {native}"}
    return PostRef(stage.kind, native, said.get(stage.kind, native), "ann", "TW", NOW)


def ways(stage: Stage, web: Web) -> dict[str, Callable[[], None]]:
    """Everything that a source can be asked."""
    ref = ref_of(stage, "1")

    def source() -> Any:
        return open_source(stage.kind, "s", stage.config(), web)

    account = Account(stage.handle, "TW", consented=True)
    return {
        "discover": lambda: check(list(source().discover(None, NOW, account))),
        "refresh": lambda: check([Batch([r.post for r in source().refresh([ref], NOW) if r.post], {}, None)]),
        "profile": lambda: source().profile(account, NOW) and None,
    }


def test_anything_in_any_place_of_an_answer_raises_trouble_at_most(stage: Stage, web: Web) -> None:
    stage.posts, stage.replies = {}, []
    stage.posts = {"1": stage.publish("1"), "2": stage.publish("2")}
    tried, junk = 0, itertools.cycle(JUNK)
    for ask in ways(stage, web).values():
        good = _Recorder(stage).good(ask)
        for n, body in enumerate(good):
            if stage.kind == "ptt":
                continue
            found = json.loads(body)
            for at in paths(found):
                bad = json.dumps(put(found, at, next(junk))).encode()
                stage.replies = [*map(Reply, good[:n]), Reply(bad)]
                tried += 1
                assert SECRET not in trouble(ask)
    stage.replies = []
    assert tried > 40 or stage.kind == "ptt"


@pytest.mark.parametrize("cut", [0, 1, 7, 0.3, 0.7, 0.99])
def test_a_truncated_answer_is_malformed_and_bounded(stage: Stage, web: Web, cut: float) -> None:
    stage.posts = {"1": stage.publish("1")}
    for ask in ways(stage, web).values():
        for n, body in enumerate(good := _Recorder(stage).good(ask)):
            part = body[: int(cut) if cut >= 1 or not cut else int(len(body) * cut)]
            stage.replies = [*map(Reply, good[:n]), Reply(part)]
            assert SECRET not in trouble(ask)
            stage.replies = []


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe\x00", b"[" * 200_000, b'{"a":' * 50_000, b"null", b"7", b"[]", b'"\\ud800"', b"<html>", b"{}",
     b'{"data": 7, "items": 7, "error": 7, "business_discovery": 7}', b'{"items": {"a": 1}, "data": {"videos": 7}}',
     SECRET.encode()],
    ids=lambda b: repr(b[:12]),
)  # fmt: skip
def test_what_is_no_answer_at_all_is_told_as_trouble(stage: Stage, web: Web, body: bytes) -> None:
    stage.posts = {"1": stage.publish("1")}
    for ask in ways(stage, web).values():
        stage.replies = [Reply(body) for _ in range(6)]
        assert SECRET not in trouble(ask) or stage.kind in ("bluesky", "mastodon", "ptt"), "asked without a secret"
        stage.replies = []


def test_a_good_item_goes_in_whatever_stands_beside_it(stage: Stage, web: Web) -> None:
    stage.posts, stage.replies = {"1": stage.publish("1", at=NOW)}, []
    stage.broken = [*stage.broken_items, *([] if stage.kind == "ptt" else [{"id": j} for j in JUNK])]
    source = open_source(stage.kind, "s", stage.config(), web)
    batches = list(source.discover(None, NOW, Account(stage.handle, "TW")))
    stage.broken = []
    check(batches)
    assert [post.native_id for batch in batches for post in batch.posts] == [stage.native_id("1")]
    assert sum(len(batch.faults) for batch in batches) >= len(stage.broken_items)


def test_texts_of_any_kind_are_taken_or_told(stage: Stage, web: Web) -> None:
    texts = ["\ud83d half", "nul \x00 in it", "‮ reversed", "a" * 30_000, "\u200b", "𠮷野家 👨‍👩‍👧"]
    stage.posts = {str(n): Published(str(n), text, NOW) for n, text in enumerate(texts)}
    stage.ever, stage.page = dict(stage.posts), 50
    source = open_source(stage.kind, "s", stage.config(), web)
    batches = list(source.discover(None, NOW, Account(stage.handle, "TW")))
    check(batches)
    assert sum(len(batch.posts) for batch in batches) >= 4


def without_sense(value: Any, native: str) -> Any:
    """A copy in which the item of that id holds nothing but its id that can be read."""
    if isinstance(value, list):
        return [without_sense(one, native) for one in value]
    if not isinstance(value, dict):
        return value
    if native in (str(value.get("uri")), str(value.get("id"))):
        return {name: one if name in ("uri", "id") else 7 for name, one in value.items()}
    return {name: without_sense(one, native) for name, one in value.items()}


def test_a_post_that_cannot_be_read_again_is_told_and_the_others_go_on(stage: Stage, web: Web) -> None:
    if stage.kind in ("ptt", "jetstream"):
        pytest.skip("no items in its answers, or none is asked for again")
    stage.posts, stage.replies = {"1": stage.publish("1"), "2": stage.publish("2")}, []
    source, refs = open_source(stage.kind, "s", stage.config(), web), [ref_of(stage, "1"), ref_of(stage, "2")]
    good = _Recorder(stage).good(lambda: list(source.refresh(refs, NOW)))
    stage.replies = [Reply(json.dumps(without_sense(json.loads(b), stage.native_id("1"))).encode()) for b in good]
    if stage.kind == "mastodon":
        stage.replies = [Reply(json.dumps(json.loads(good[0]) | {"account": 7}).encode()), Reply(good[1])]
    again = {one.asked.native_id: one for one in source.refresh(refs, NOW)}
    stage.replies = []
    first, second = again[stage.native_id("1")], again[stage.native_id("2")]
    assert first.post is None
    assert first.fault
    assert first.fault.reason
    assert second.post


def test_a_history_of_edits_that_is_none_is_told_and_never_taken_for_an_id() -> None:
    for odd in ("1577730467436138524", {"x": ["1"]}, 7):
        one = {"id": "1577730467436138524", "text": "ramen", "edit_history_tweet_ids": odd}
        posts, faults, _ = x.read_posts([one, one | {"edit_history_tweet_ids": None}], Account("ann", "TW"), "783")
        assert ([post.native_id for post in posts], len(faults)) == (["1577730467436138524"], 1)


def test_numbers_may_be_written_as_texts_and_the_newer_name_counts_where_the_older_is_empty() -> None:
    video = {"id": 7, "video_description": "ramen", "create_time": "1777888800", "view_count": "9"}
    post = tiktok.video(video, Account("ann", "TW"), "ann")
    assert (post.published_at, post.view_count) == (NOW.replace(hour=10), 9)
    media = {"id": "1", "timestamp": "2026-05-04T10:00:00+0000", "caption": "x", "view_count": None, "views": 5}
    assert instagram.media_post(media, "1", "ann", Account("ann", "TW")).view_count == 5
