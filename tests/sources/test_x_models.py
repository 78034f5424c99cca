"""X's interface as X itself describes it: the models that its own client (xdk) was generated with."""

import inspect
import re
import typing
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import BaseModel
from xdk import schemas
from xdk.compliance.client import ComplianceClient
from xdk.posts.client import PostsClient
from xdk.users.client import UsersClient

from radar.sources.base import Account, PostRef
from radar.sources.budget import PassingLedger
from radar.sources.web import Web
from radar.sources.x import XSource, post_of, user_author
from tests.sources.stages import NOW, SECRET, FakeClock, XStage

ANN = Account("ann", "TW")
ROUTES: list[tuple[str, Any, type[BaseModel]]] = [
    (r"/2/users/\d+/tweets", UsersClient.get_posts, schemas.GetUsersPostsResponse),
    (r"/2/users/by/username/\w+", UsersClient.get_by_username, schemas.GetUsersByUsernameResponse),
    (r"/2/tweets", PostsClient.get_by_ids, schemas.GetPostsByIdsResponse),
    (r"/2/compliance/jobs/\d+", ComplianceClient.get_jobs_by_id, schemas.GetComplianceJobsByIdResponse),
]


@pytest.fixture
def stage() -> Iterator[XStage]:
    up = XStage()
    for n in range(7):
        up.publish(f"19100000000000000{n:02}", at=NOW - timedelta(hours=n))
    yield up
    up.close()


@pytest.fixture
def asked(stage: XStage) -> list[str]:
    """What is asked in a life of the source: catching up by pages, again, an account, withdrawals."""
    stage.posts["1910000000000000003"].edited_at = NOW
    with Web(clock=FakeClock()) as web:
        source = XSource("s", stage.config(), web, PassingLedger())
        *_, last = source.discover(None, NOW, ANN)
        list(source.discover(last.cursor, NOW, ANN))
        source.profile(ANN, NOW)
        list(source.refresh([PostRef("x", i, i, "783", "TW", NOW) for i in ("1910000000000000001", "404")], NOW))
        source.hear_compliance(source.ask_compliance(["1910000000000000001"]))
    return stage.asked


def values_of(method: Any, parameter: str) -> set[str] | None:
    """What a parameter of xdk's may hold; None for anything. Raises KeyError for one that it has not."""
    hint = inspect.signature(method).parameters[parameter].annotation
    if isinstance(hint, str):
        hint = typing.ForwardRef(hint)._evaluate({**vars(typing), "schemas": schemas}, {}, recursive_guard=frozenset())
    found: set[str] = set()

    def walk(one: Any) -> None:
        if typing.get_origin(one) is typing.Literal:
            found.update(typing.get_args(one))
        else:
            for inner in typing.get_args(one):
                walk(inner)

    walk(hint)
    return found or None


def undeclared(value: Any, at: str = "") -> list[str]:
    """Fields of an answer that X's models do not know."""
    if isinstance(value, list):
        return [name for one in value for name in undeclared(one, at)]
    if not isinstance(value, BaseModel):
        return []
    known = [name for field in type(value).model_fields for name in undeclared(getattr(value, field), f"{at}.{field}")]
    return known + [f"{at}.{name}" for name in value.model_extra or {}]


def test_questions_are_those_that_x_describes(asked: list[str]) -> None:
    answered = set()
    for path in asked:
        parts = urlsplit(path)
        if parts.path in ("/upload", "/download", "/2/compliance/jobs"):
            continue
        pattern, method, _ = next(route for route in ROUTES if re.fullmatch(route[0], parts.path))
        answered.add(pattern)
        for name, (value,) in parse_qs(parts.query).items():
            allowed = values_of(method, name.replace(".", "_"))
            assert allowed is None or {*value.split(",")} <= allowed, (parts.path, name)
    assert len(answered) >= 3


def test_our_stage_answers_as_x_does(stage: XStage, asked: list[str]) -> None:
    for path in [*asked, "/2/compliance/jobs/4711"]:
        parts = urlsplit(path)
        model = next((route[2] for route in ROUTES if re.fullmatch(route[0], parts.path)), None)
        if model is not None:
            reply = stage.answer(parts.path, parse_qs(parts.query), {"Authorization": f"Bearer {SECRET}"})
            assert isinstance(reply.body, bytes)
            assert undeclared(model.model_validate_json(reply.body)) == [], path


def test_a_post_with_all_that_x_describes_is_read_whole() -> None:
    counts = {"like_count": 7, "reply_count": 6, "repost_count": 5, "impression_count": 4, "quote_count": 1}
    metrics = schemas.PostPublicMetrics(bookmark_count=2, **counts)
    post = schemas.Post(
        id="1910000000000000009", edit_history_post_ids=["1910000000000000007", "1910000000000000009"], lang="ja",
        text="short…", note_post={"text": "the long text"}, public_metrics=metrics, paid_partnership=True,
        created_at="2026-05-04T10:00:00.000Z", author_id="783", attachments={"media_keys": ["3_1"]},
    )  # fmt: skip
    read = post_of(post.model_dump(mode="json", exclude_none=True, by_alias=True), ANN, None)
    assert (read.like_count, read.comment_count, read.share_count, read.view_count) == (7, 6, 5, 4)
    assert (read.text, read.sponsored, read.language, read.media_kind) == ("the long text", True, "ja", "image")
    assert (read.native_id, read.ref, read.author.native_id) == ("1910000000000000007", "1910000000000000009", "783")


def test_a_repost_and_an_account_as_x_describes_them() -> None:
    repost = schemas.Post(
        id="1910000000000000009", text="RT", author_id="783", created_at="2026-05-04T10:00:00.000Z",
        referenced_posts=[{"type": "retweeted", "id": "1910000000000000001"}],
    )  # fmt: skip
    read = post_of(repost.model_dump(mode="json", exclude_none=True), ANN, None)
    assert read.repost_of == "1910000000000000001"
    metrics = {n: 3 for n, f in schemas.UserPublicMetrics.model_fields.items() if f.is_required()}
    user = schemas.User(id="783", name="Ann", username="ann", public_metrics=metrics | {"followers_count": 1200})
    assert user_author(user.model_dump(mode="json", exclude_none=True), ANN).follower_count == 1200
