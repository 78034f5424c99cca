"""What every source gives: raw posts, in batches with the cursor that follows them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

MAX_TEXT = 20_000
MAX_COUNT = 2**53
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(slots=True, unsafe_hash=True)
class RawAuthor:
    """Who published it, as the platform says. Nothing changes one, though it is not frozen: see RawPost.

    audience_market  ISO code of the market the author speaks to; empty where nobody declared it: ingest infers it
    person           any id that accounts of one person share; None when the account stands alone
    followers_at     when follower_count was seen; None for when the source is read
    """

    native_id: str
    audience_market: str
    handle: str | None = None
    name: str | None = None
    url: str | None = None
    bio: str | None = None
    languages: str | None = None
    follower_count: int | None = None
    market_source: str = "declared"
    person: str | None = None
    market_confidence: float = 1.0
    market_reasons: str | None = None
    followers_at: datetime | None = None


GUESSED = 0.5
"""Confidence in a market that one sign alone stands for, as the language of a post."""


@dataclass(slots=True, unsafe_hash=True)
class RawPost:
    """A published item as a source gives it. Counts are None when hidden, never 0.

    Nothing changes one, though it is not frozen: making it would take four times as long, and millions are made.

    day_only   the source knows the day and not the hour: counted by day, never by hour
    deleted    a tombstone: the post is gone at its source (text and counts are ignored)
    line       where it stands in a file, which may hold a post in several versions: see radar.ingest
    given      of the fields in OPTIONAL those that the source tells at all, None for all: what it does not tell stays
               as it is stored, what it tells as None is hidden there now
    ref        how the source asks for this post again, where its native id does not do
    is_start   the text is only how the post begins, as its title: where the post is stored, the stored text stands
    may_lag    what is shown may be as old as this: a post that ended within that time is not brought back by it
    """

    platform: str
    native_id: str
    author: RawAuthor
    text: str
    published_at: datetime
    day_only: bool = False
    language: str | None = None
    url: str | None = None
    media_kind: str | None = None
    repost_of: str | None = None
    sponsored: bool | None = None
    like_count: int | None = None
    comment_count: int | None = None
    share_count: int | None = None
    view_count: int | None = None
    edited_at: datetime | None = None
    deleted: bool = False
    given: frozenset[str] | None = None
    line: int | None = None
    ref: str | None = None
    is_start: bool = False
    may_lag: timedelta = timedelta(0)

    def tells(self, name: str) -> bool:
        """Whether the source says anything of a field."""
        return self.given is None or name in self.given


OPTIONAL = (
    "like_count", "comment_count", "share_count", "view_count", "sponsored", "repost_of", "language", "url",
    "media_kind",
)  # fmt: skip
"""Fields of a post that a source need not give."""

LONGEST_HANDLE = 255
"""Characters of a handle that are kept."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An item that could not be read: why, and what it holds (kept bounded)."""

    reason: str
    payload: str
    native_id: str | None = None


def fault_of(error: Exception, item: Any, named: Any, key: str) -> Fault:
    """The fault of an item that raised. named holds its id under that key, where it holds one."""
    name = named.get(key) if isinstance(named, dict) else None
    native_id = str(name) if isinstance(name, str | int) and not isinstance(name, bool) else None
    return Fault(f"{type(error).__name__}: {error}"[:300], repr(item)[:4_000], native_id)


def unread(asked: Iterable["PostRef"], faults: Iterable[Fault]) -> Iterator["Reread"]:
    """What becomes of posts that were asked for again and cannot be read. Faults of others are left out."""
    of = {fault.native_id: fault for fault in faults if fault.native_id}
    for one in asked:
        fault = of.get(one.native_id) or of.get(one.ref)
        if fault is not None:
            yield Reread(one, None, fault=fault)


@dataclass(frozen=True, slots=True)
class Batch:
    """Posts and the cursor to keep once they are written; both go into one transaction.

    watermark_at  everything the source published before this instant has been given; None in the middle of a fill-back
    faults        items of the same answer that could not be read
    """

    posts: list[RawPost]
    cursor: dict[str, Any]
    watermark_at: datetime | None
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Account:
    """An account on the watch list: its handle as the operator wrote it, and whom it speaks to.

    person     the name that links accounts of one person
    consented  its owner agreed to be read, whatever the account's flags say
    """

    handle: str
    market: str
    person: str | None = None
    consented: bool = False


@dataclass(frozen=True, slots=True)
class PostRef:
    """A stored post to ask for again. ref is how its source does that."""

    platform: str
    native_id: str
    ref: str
    author_id: str
    market: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Reread:
    """What became of a post that was asked for again; post is None where it is not there.

    is_final  the platform says that it is gone: no second look is needed
    fault     it is there and cannot be read
    """

    asked: PostRef
    post: RawPost | None
    is_final: bool = False
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a source can do, as data.

    watches         posts come account by account from a watch list; else in one stream
    counts          the counts it tells
    refreshes       how many posts it can be asked for again at once; 0 where it cannot
    edits, deletes  whether they are seen at all
    profiles        it tells followers and the rest of an account
    shares_access   one refusal (401, 403) stands for all accounts of the source
    back            how far it fills back when an account is new; None for as far as the source holds
    patience        an account that is not found for this long is given up
    keep            what is stored is asked for again within this time, or deleted
    """

    watches: bool
    counts: frozenset[str]
    refreshes: int = 0
    edits: bool = False
    deletes: bool = False
    profiles: bool = False
    shares_access: bool = False
    back: timedelta | None = timedelta(days=90)
    patience: timedelta = timedelta(days=1)
    keep: timedelta | None = None


class Source(Protocol):
    """Where posts come from. The simulated world is one, a platform another."""

    name: str
    kind: str
    is_simulated: bool
    capabilities: Capabilities

    def discover(self, cursor: dict[str, Any] | None, now: datetime, account: Account | None = None) -> Iterator[Batch]:
        """Batches of what is new since the cursor, up to now; of an account where the source watches accounts.

        The cursor is the source's own affair: JSON that it gave with its last batch. Raises Trouble.
        """
        ...

    def refresh(self, posts: Sequence[PostRef], now: datetime) -> Iterator[Reread]:
        """Counts, edits and absence of posts that are known. Raises Trouble."""
        return iter(())

    def profile(self, account: Account, now: datetime) -> tuple[str, RawAuthor] | None:
        """The platform, and what an account says of itself; None where the source does not tell. Raises Trouble."""
        return None

    def every(self, accounts: int) -> timedelta:
        """How long to leave an account alone after asking it, of that many watched."""
        return timedelta(0)

    def lane(self, asked: Account | PostRef | None) -> str:
        """What is asked in one lane is asked one after another; lanes never wait for each other."""
        return self.name
