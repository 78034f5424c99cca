"""Kinds of sources by name."""

from datetime import datetime
from typing import Any

from radar.errors import UnknownName
from radar.sources.base import Source
from radar.sources.budget import Ledger, PassingLedger
from radar.sources.web import Web

COSTLY = ("x",)
"""Kinds that cost money: they need a budget of the operator's before anything is asked."""
KINDS = ("world", "feed", "mastodon", "bluesky", "jetstream", "youtube")


def open_source(kind: str, name: str, config: dict[str, Any], web: Web, ledger: Ledger | None = None) -> Source:
    """The source of that kind with its configuration. Raises UnknownName, and Trouble for a secret that is not there.

    web     what it asks servers with
    ledger  where it writes down what it uses of a platform's quota; without one it counts as long as it lives
    """
    book = ledger or PassingLedger()
    if kind == "world":
        from radar.sources.world import SimulatedWorld

        starts_at = datetime.fromisoformat(config["starts_at"])
        return SimulatedWorld(int(config["seed"]), starts_at=starts_at, days=int(config["days"]), name=name)
    if kind == "feed":
        from radar.sources.feed import FeedSource

        return FeedSource(name, config, web)
    if kind == "mastodon":
        from radar.sources.mastodon import MastodonSource

        return MastodonSource(name, config, web)
    if kind == "bluesky":
        from radar.sources.bluesky import BlueskySource

        return BlueskySource(name, config, web)
    if kind == "jetstream":
        from radar.sources.jetstream import JetstreamSource

        return JetstreamSource(name, config, web)
    if kind == "youtube":
        from radar.sources.youtube import YouTubeSource

        return YouTubeSource(name, config, web, book)
    raise UnknownName("kind of source", kind, list(KINDS))
