"""What every source gives: raw posts, in batches with the cursor that follows them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Protocol

from radar.markets import MARKETS

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
_LONGEST = {"language": 16, "media_kind": 16, "repost_of": 255}


def problem(post: RawPost, now: datetime) -> str | None:
    """Why this post cannot be taken, naming field and expectation; None when it can."""
    return problems([post], now).get(0)


def problems(posts: Sequence[RawPost], now: datetime) -> dict[int, str]:
    """Why posts cannot be taken, by position: of each what `problem` says."""
    if _are_usual(posts, now):
        return {}
    if len(posts) <= _FEW:
        said = [_problem(post, now) for post in posts]
        return {n: reason for n, reason in enumerate(said) if reason is not None}
    half = len(posts) // 2
    return problems(posts[:half], now) | {half + n: reason for n, reason in problems(posts[half:], now).items()}


_FEW = 16
"""Posts that are looked at one by one where something may be the matter with one of them."""


def _are_usual(posts: Sequence[RawPost], now: datetime) -> bool:
    """Whether no post has a problem, at one glance at each field, as most have none; where in doubt it denies it."""
    if not posts:
        return True
    columns = {name: list(map(attrgetter(name), posts)) for name in _GLANCED}
    authors = list({id(author): author for author in columns["author"]}.values())
    of_authors = {name: list(map(attrgetter(name), authors)) for name in _GLANCED_AUTHOR}
    texts, ats = columns["text"], columns["published_at"]
    if any(columns["deleted"]) or None in set(map(attrgetter("tzinfo"), ats)):
        return False
    if not (min(ats) >= EARLIEST and max(ats) <= now and MARKETS.keys() >= set(of_authors["audience_market"])):
        return False
    if set(map(type, texts)) != {str} or "" in texts or True in set(map(str.isspace, texts)):
        return False
    if max(map(len, texts)) > 19_000:
        return False
    if not (all(_are_counts(columns[name]) for name in _COUNTS) and _are_counts(of_authors["follower_count"])):
        return False
    return all(
        _are_names(of[name], shortest, longest) for of in (columns, of_authors)
        for name, shortest, longest in (_USUAL_NAMES if of is columns else _USUAL_AUTHOR_NAMES)
    )  # fmt: skip


_COUNTS = ("like_count", "comment_count", "share_count", "view_count")
_USUAL_NAMES = (
    ("platform", 1, 32), ("native_id", 1, 255), ("repost_of", 0, 255), ("language", 0, 16), ("media_kind", 0, 16),
    ("url", 0, None),
)  # fmt: skip
_USUAL_AUTHOR_NAMES = (
    ("native_id", 1, 255), ("handle", 0, None), ("name", 0, None), ("url", 0, None), ("bio", 0, None),
    ("languages", 0, None), ("person", 0, None),
)  # fmt: skip
_GLANCED = ("author", "text", "published_at", "deleted", *_COUNTS, *(name for name, *_ in _USUAL_NAMES))
_GLANCED_AUTHOR = ("audience_market", "follower_count", *(name for name, *_ in _USUAL_AUTHOR_NAMES))


def _are_counts(values: Sequence[Any]) -> bool:
    known = [value for value in values if value is not None]
    return not known or (set(map(type, known)) == {int} and min(known) >= 0 and max(known) < MAX_COUNT)


def _are_names(values: Sequence[Any], shortest: int, longest: int | None) -> bool:
    """Whether all are texts of such lengths that a database can hold; None is as good where they may be empty."""
    known = [value for value in values if value is not None] if shortest == 0 else values
    if not known:
        return True
    try:
        together = "".join(known)
        together.encode()
    except (TypeError, UnicodeEncodeError):  # a name that is none, half a surrogate pair
        return False
    if "\x00" in together or (shortest and "" in known):
        return False
    return longest is None or max(map(len, known)) <= longest


def _problem(post: RawPost, now: datetime) -> str | None:
    for name, value in (*_names(post).items(), ("text", post.text)):
        if value is not None and not isinstance(value, str):
            return f"{name}: expected text, not {type(value).__name__}"
    if not 0 < len(post.platform) <= 32:
        return "platform: expected 1 to 32 characters"
    if not 0 < len(post.native_id) <= 255:
        return "native_id: expected 1 to 255 characters"
    if not 0 < len(post.author.native_id) <= 255:
        return "author: expected an id of 1 to 255 characters"
    if not post.author.audience_market:
        return f"market: not declared, and not sure enough to infer{post.author.market_reasons or ''}"
    if post.author.audience_market not in MARKETS:
        return f"market: '{post.author.audience_market[:40]}' is none of {' '.join(MARKETS)}"
    if post.published_at.tzinfo is None:
        return "published_at: expected a time with its zone"
    if not EARLIEST <= post.published_at <= now + timedelta(days=1):
        return f"published_at: {post.published_at.isoformat()} is not between 1990 and tomorrow"
    if post.deleted:
        return _unstorable(post)
    if not post.text.strip():
        return "text: empty"
    if len(post.text) > MAX_TEXT:
        return f"text: {len(post.text)} characters, at most {MAX_TEXT} are taken"
    for name in _COUNTS:
        count = getattr(post, name)
        if count is not None and not (isinstance(count, int) and 0 <= count < MAX_COUNT):
            return f"{name}: {count} is not a count"
    followers = post.author.follower_count
    if followers is not None and not (isinstance(followers, int) and 0 <= followers < MAX_COUNT):
        return f"follower_count: {followers} is not a count"
    for name, longest in _LONGEST.items():
        if len(getattr(post, name) or "") > longest:
            return f"{name}: expected at most {longest} characters"
    return _unstorable(post)


def _unstorable(post: RawPost) -> str | None:
    """Names hold no NUL and no half of a surrogate pair: PostgreSQL takes neither. (Texts are cleaned instead.)"""
    for name, value in _names(post).items():
        if value is not None and not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            return f"{name}: half a surrogate pair"
        if value is not None and "\x00" in value:
            return f"{name}: a NUL character"
    return None


def _names(post: RawPost) -> dict[str, str | None]:
    """All texts of a post but its text, by the name that a reason calls them."""
    author = post.author
    return {
        "platform": post.platform, "native_id": post.native_id, "author": author.native_id, "url": post.url,
        "repost_of": post.repost_of, "handle": author.handle, "author_name": author.name, "author url": author.url,
        "bio": author.bio, "languages": author.languages, "person": author.person, "language": post.language,
        "media_kind": post.media_kind,
    }  # fmt: skip


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
