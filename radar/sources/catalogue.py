"""Kinds of sources by name."""

from datetime import datetime
from typing import Any

from radar.errors import UnknownName
from radar.sources.base import Source
from radar.sources.web import Web

KINDS = ("world", "feed", "mastodon", "bluesky", "jetstream")


def open_source(kind: str, name: str, config: dict[str, Any], web: Web) -> Source:
    """The source of that kind with its configuration. Raises UnknownName, and Trouble for a secret that is not there.

    web  what it asks servers with
    """
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
    raise UnknownName("kind of source", kind, list(KINDS))
