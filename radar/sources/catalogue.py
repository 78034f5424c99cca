"""Kinds of sources by name."""

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import Any

from radar.errors import UnknownName
from radar.sources.base import Source
from radar.sources.budget import Ledger, PassingLedger
from radar.sources.web import Web

_ASKED = {
    "bluesky": "BlueskySource", "feed": "FeedSource", "jetstream": "JetstreamSource", "mastodon": "MastodonSource",
}  # fmt: skip
_METERED = {
    "instagram": "InstagramSource", "ptt": "PttSource", "threads": "ThreadsSource", "tiktok": "TikTokSource",
    "x": "XSource", "youtube": "YouTubeSource",
}  # fmt: skip
PLATFORMS = tuple(sorted(_ASKED | _METERED))
"""Kinds that an operator can add; each is a module of that name."""
KINDS = ("world", *PLATFORMS)
COSTLY = ("x",)
"""Kinds that cost money: they need a budget of the operator's before anything is asked."""


def open_source(kind: str, name: str, config: dict[str, Any], web: Web, ledger: Ledger | None = None) -> Source:
    """The source of that kind with its configuration. Raises UnknownName, and CallerError for a secret not there.

    web     what it asks servers with
    ledger  where it writes down what it uses of a platform's quota; without one it counts as long as it lives
    """
    if kind == "world":
        from radar.sources.world import SimulatedWorld

        starts_at = datetime.fromisoformat(config["starts_at"])
        return SimulatedWorld(int(config["seed"]), starts_at=starts_at, days=int(config["days"]), name=name)
    if kind in _ASKED:
        return _class(kind, _ASKED)(name, config, web)
    if kind in _METERED:
        return _class(kind, _METERED)(name, config, web, ledger or PassingLedger())
    raise UnknownName("kind of source", kind, list(KINDS))


def _class(kind: str, names: dict[str, str]) -> Callable[..., Source]:
    """A source's class; its module is read when it is wanted, not before."""
    found: Callable[..., Source] = getattr(import_module(f"radar.sources.{kind}"), names[kind])
    return found
