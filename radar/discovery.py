"""Whom to watch: authors that live streams brought, by what they write about and how many follow them.

A stream holds what anybody says. An author who comes back to a topic is proposed; how many follow them is asked of a
source that tells it, for as many as a person would look at. They are ranked by topical reach: followers, times the
share of their posts that is about the topic. Who asks not to be shown to everybody is never proposed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from radar.sources.base import Account, Source
from radar.sources.trouble import Busy, NotFound, OptedOut, Refused, Trouble
from radar.store import discovery as store
from radar.store.discovery import Candidate
from radar.store.engine import reading

LEAST = 2
"""Posts on the topic that make an author one to look at."""
ASKED = 60
"""Authors whose followers are asked for at most."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An author who might be watched.

    posts, on_topic  posts of the time looked at, and those of them about the topic
    follower_count   None where nobody tells
    """

    platform: str
    handle: str
    name: str | None
    market: str
    url: str | None
    posts: int
    on_topic: int
    follower_count: int | None

    @property
    def reach(self) -> float | None:
        """Followers times the share of posts on the topic; None where the followers are not known.

        >>> Proposal("bluesky", "ann", None, "TW", None, posts=20, on_topic=5, follower_count=1_000).reach
        250.0
        """
        return None if self.follower_count is None else self.follower_count * self.on_topic / self.posts


def propose(
    engine: sa.Engine,
    *,
    sources: Sequence[str],
    topic: str | None,
    market: str | None,
    now: datetime,
    days: int,
    limit: int,
    least_followers: int = 0,
    ask: Source | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Proposal]:
    """Authors of some sources who are not watched yet, those of the largest topical reach first.

    topic  an id, or a group as "shop"; None for posts about any topic
    ask    a source that tells of followers; without one only those are known that were stored
    """
    with reading(engine) as session:
        found = store.candidates(
            session,
            sources,
            topic=topic,
            market=market,
            since=now - timedelta(days=days),
            least=LEAST,
            limit=10 * limit,
        )
    proposals = []
    for n, one in enumerate(found):
        if ask is not None and n < max(ASKED, limit):
            progress(n)
            told = _told(ask, one, now)
            if told is None:
                continue
            ask, one = told
        proposals.append(
            Proposal(
                one.platform, one.handle or one.native_id, one.name, one.audience_market, one.url, one.posts,
                one.on_topic, one.follower_count,
            )
        )  # fmt: skip
    enough = [p for p in proposals if (p.follower_count or 0) >= least_followers]
    enough.sort(key=lambda p: (-1.0 if p.reach is None else p.reach, p.on_topic), reverse=True)
    return enough[:limit]


def _told(ask: Source, one: Candidate, now: datetime) -> tuple[Source | None, Candidate] | None:
    """The candidate with what a platform tells of it, and whom to go on asking; None for one not to be proposed."""
    try:
        said = ask.profile(Account(one.native_id, one.audience_market), now)
    except (OptedOut, NotFound):
        return None
    except (Busy, Refused):  # the rest is listed as it is known
        return None, one
    except Trouble:
        return ask, one
    if said is None or said[0] != one.platform:
        return ask, one
    author = said[1]
    followers = one.follower_count if author.follower_count is None else author.follower_count
    return ask, one._replace(handle=author.handle or one.handle, name=author.name or one.name, follower_count=followers)
