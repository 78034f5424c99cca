"""What is Mastodon's own: hashtags, whose posts are taken, how handles are written, what a Link header may not do."""

from collections.abc import Iterator
from typing import Any

import pytest

from radar.sources.base import Account, RawPost
from radar.sources.mastodon import MastodonSource
from radar.sources.trouble import Trouble
from radar.sources.web import Web
from tests.sources.stages import NOW, FakeClock, MastodonStage, Reply, as_json


@pytest.fixture
def stage() -> Iterator[MastodonStage]:
    up = MastodonStage()
    yield up
    up.close()


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(clock=FakeClock()) as client:
        yield client


def first_page(stage: MastodonStage, web: Web, handle: str = "ann") -> list[RawPost]:
    source = MastodonSource("m", {"url": stage.url}, web)
    return next(source.discover(None, NOW, Account(handle, "TW"))).posts


def status(stage: MastodonStage, **more: Any) -> dict[str, Any]:
    whole: dict[str, Any] = stage._status(stage.publish("1"))
    stage.posts.clear()
    return whole | more


def test_a_hashtag_brings_authors_whose_market_is_only_guessed(stage: MastodonStage, web: Web) -> None:
    shy = status(stage)
    shy = shy | {"id": "2", "account": shy["account"] | {"noindex": True}}
    stage.broken = [shy]
    stage.publish("1")
    (post,) = first_page(stage, web, "#foodie")
    assert post.author.market_source == "inferred"
    assert post.author.market_confidence < 0.8
    assert stage.asked[0].startswith("/api/v1/timelines/tag/foodie")


@pytest.mark.parametrize(
    "more",
    [{"reblog": {"id": "9"}}, {"visibility": "private"}, {"visibility": "direct"}, {"content": ""}],
    ids=str,
)  # fmt: skip
def test_what_is_no_public_text_of_the_account_is_left_out(
    stage: MastodonStage, web: Web, more: dict[str, Any]
) -> None:
    stage.broken = [status(stage, **more)]
    stage.publish("2")
    assert [post.text for post in first_page(stage, web)] == ["ramen in Osaka"]


def test_a_warning_and_a_picture_s_description_are_text(stage: MastodonStage, web: Web) -> None:
    picture = [{"type": "image", "description": "a bowl of ramen"}]
    stage.replies = [
        as_json(stage._account()),
        as_json(
            [
                status(stage, id="1", spoiler_text="food", content="<p>Osaka</p>"),
                status(stage, id="2", content="", media_attachments=picture),
                status(stage, id="3", favourites_count=-1),
            ]
        ),
    ]
    posts = first_page(stage, web)
    assert [post.text for post in posts] == ["food\nOsaka", "a bowl of ramen", "ramen in Osaka"]
    assert (posts[1].media_kind, posts[2].like_count) == ("image", None)


def test_a_link_header_leads_to_no_other_server(stage: MastodonStage, web: Web) -> None:
    account, page = as_json(stage._account()), [status(stage)]
    link = '<http://169.254.169.254/steal?max_id=7>; rel="next", <x>; rel="prev", nonsense'
    stage.replies = [account, as_json(page, Link=link), Reply(b"[]")]
    source = MastodonSource("m", {"url": stage.url}, web)
    assert sum(len(batch.posts) for batch in source.discover(None, NOW, Account("ann", "TW"))) == 1
    assert "max_id=7" in stage.asked[2]


@pytest.mark.parametrize(
    ("handle", "host"),
    [
        ("ann@server.example", "server.example"), ("@ann@server.example", "server.example"),
        ("https://server.example/@ann", "server.example"), ("https://server.example/users/ann", "server.example"),
        ("#foodie@server.example", "server.example"), ("https://server.example/tags/foodie", "server.example"),
    ],
)  # fmt: skip
def test_a_handle_names_its_server_in_every_usual_form(web: Web, handle: str, host: str) -> None:
    assert MastodonSource("m", {}, web).lane(Account(handle, "TW")) == host


@pytest.mark.parametrize("handle", ["ann", "#foodie", "a@b@c", "@", "https://server.example/a/b/c"])
def test_a_handle_without_a_server_says_what_is_expected(web: Web, handle: str) -> None:
    with pytest.raises(Trouble, match="expected user@server"):
        MastodonSource("m", {}, web).lane(Account(handle, "TW"))
