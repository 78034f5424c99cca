"""Taking posts in: an upsert by (platform, native id) that marks every day it changes dirty, in one transaction.

**Versions in a file.** A file may hold a post in several versions; the last one counts. Read again from its beginning
it would put the first one back and then the last one again: two changes, a recount and a follower count of today, for
nothing. So each post and author remembers the file and the line that wrote it last. A row of the same file (same bytes,
read in the same way) from before that line was taken already and is passed over. That needs no memory of the file, is
written in the batch's own transaction, so that a killed import goes on rightly, and ends when anything else writes the
post: then the whole file speaks anew.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from operator import attrgetter, ne
from typing import Any, Literal, NamedTuple, Protocol

from sqlalchemy.orm import Session

from radar.ingest_authors import INFERRED, Origin, bring_authors
from radar.markets import MARKETS, local_day
from radar.sources.base import MAX_COUNT, RawAuthor, RawPost
from radar.sources.columns import PostColumns, columns_of
from radar.sources.problems import problem, problems
from radar.store import posts as store
from radar.store.engine import one_writer
from radar.store.measures import mark_told_authors
from radar.store.posts import COUNTS, Identity, KnownAuthor, KnownPost
from radar.store.rights import as_mention, erased_among, has_erased
from radar.text.audience import SURE, countries_of, infer_audience, sign_of
from radar.text.mentions import mentions, without_mentions

COUNTED_BY = (
    "author_id", "audience_market", "published_at", "day_only", "text", "language", "repost_of", "platform_sponsored",
)  # fmt: skip
"""What reading and counting a post rests on."""

SHOWN = ("url", "media_kind")
_ZONES = {code: market.tz for code, market in MARKETS.items()}
Became = Literal["created", "changed", "unchanged", "deleted"]


class Read(Protocol):
    """What was read in posts before they are stored, or is being read."""

    @property
    def same(self) -> Sequence[bool]:
        """Of each post whether its reading is that of what is stored, as `compare` found."""

    def compare(
        self, session: Session, source: str, columns: Mapping[str, Sequence[Any]], languages: Sequence[str | None]
    ) -> bool:
        """Find out in which posts the same was read as will be stored, if by what is in force; whether it is there.

        columns  the posts as they will be stored;  languages  of their authors
        """

    def keep(self, session: Session, post_ids: Sequence[int]) -> None:
        """Store the readings of the posts that were compared, or remember for later whose they are."""


@dataclass(slots=True)
class Ingested:
    """What became of a batch.

    elsewhere  posts given for another market than their author's, which is kept
    rejected   (position in the batch, reason)
    refused    positions of posts of authors who were erased: nothing of them is kept, not even aside
    became     what became of each post that was taken; of one batch alone
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    elsewhere: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    became: dict[Identity, Became] = field(default_factory=dict)

    def __iadd__(self, other: "Ingested") -> "Ingested":
        self.new += other.new
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.deleted += other.deleted
        self.elsewhere += other.elsewhere
        self.rejected += other.rejected
        self.refused += other.refused
        return self


def ingest_posts(
    session: Session,
    posts: Iterable[RawPost] | PostColumns,
    *,
    source: str,
    now: datetime,
    file: int | None = None,
    found: dict[int, str] | None = None,
    read: Read | None = None,
) -> Ingested:
    """Store posts in the session's transaction; the caller commits.

    Safe to run twice: the same posts again change nothing. Of a post given twice in a batch the later one counts.
    A post that cannot be taken is rejected with its reason and never stops the others.

    file   64 bits, signed, that stand for the file whose lines the posts are (with RawPost.line)
    found  the problems of these posts, where they were looked for already, before others had to wait for this writer
    read   what was read in these posts beforehand: new ones of which it holds are stored as read. SQLite only, where
           nobody else adds a post meanwhile
    """
    one_writer(session, "ingest")
    result, origin, given = Ingested(), Origin(source, now, file), columns_of(posts)
    looked_at = given
    positions: Sequence[int] = range(len(given))
    if has_erased(session):
        authors = given.authors
        erased = erased_among(session, set(authors))
        result.refused += [n for n, who in enumerate(authors) if who in erased]
        positions = [n for n, who in enumerate(authors) if who not in erased]
        given = columns_of(_without_erased(session, given.at(positions).posts()))
    given = _with_markets(session, given)
    bad = problems(given, now) if found is None or given is not looked_at else found
    result.rejected += [(positions[n], reason) for n, reason in bad.items()]
    taken = given.at([n for n in range(len(given)) if n not in bad]) if bad else given
    items = dict(zip(taken.identities, range(len(taken)), strict=True))
    result.unchanged += len(taken) - len(items)
    if items:
        _ingest(session, items, taken, origin, result, read)
    return result


def _author_of(item: RawPost) -> Identity:
    return item.platform, item.author.native_id


def _without_erased(session: Session, posts: list[RawPost]) -> list[RawPost]:
    """The posts, without mentions of accounts whose erasure was asked for, in text or profile."""
    named = {(p.platform, name) for p in posts for name in mentions(f"{p.text} {p.author.bio or ''}")}
    erased = erased_among(session, {(platform, as_mention(name)) for platform, name in named}) if named else set()
    if not erased:
        return posts

    def kept(post: RawPost) -> RawPost:
        def is_gone(name: str) -> bool:
            return (post.platform, as_mention(name)) in erased

        bio = post.author.bio and without_mentions(post.author.bio, is_gone)
        return replace(post, text=without_mentions(post.text, is_gone), author=replace(post.author, bio=bio))

    return [kept(post) for post in posts]


def _with_markets(session: Session, given: PostColumns) -> PostColumns:
    """The posts, with the stored market of authors who did not declare one, or the one that their posts tell.

    What is declared is never asked again. An author whose market is not sure keeps none, and is refused for that.
    """
    if all(map(attrgetter("audience_market"), given["author"])):
        return given
    posts = given.posts()
    undeclared: dict[Identity, list[RawPost]] = defaultdict(list)
    declared: dict[Identity, str] = {}
    for item in posts:
        identity = _author_of(item)
        if item.author.audience_market:
            declared.setdefault(identity, item.author.audience_market)
        else:
            undeclared[identity].append(item)
    known = store.authors_known(session, undeclared)
    told: dict[Identity, dict[str, Any]] = {}
    for identity, items in undeclared.items():
        if identity in declared:
            told[identity] = {"audience_market": declared[identity]}
        elif identity in known:
            kept = known[identity]
            told[identity] = {"audience_market": kept.audience_market, "market_source": kept.market_source}
        else:
            told[identity] = _inferred(items)
    return columns_of(
        item if item.author.audience_market else replace(item, author=replace(item.author, **told[_author_of(item)]))
        for item in posts
    )


def _inferred(items: Sequence[RawPost]) -> dict[str, Any]:
    """What is inferred of a new author from the posts of a batch, as fields of RawAuthor."""
    a = items[-1].author
    prior = next(iter((a.languages or "").split()), None)
    found = infer_audience(
        [
            sign_of(item.text, None if item.day_only else item.published_at, item.language or prior)
            for item in items
            if not item.deleted and item.published_at.tzinfo is not None
        ],
        countries_of(a.bio or ""),
    )
    if found is None:
        return {}
    if not found.is_sure:
        return {"market_reasons": f": most like {found.market} ({found.confidence:.2f}, at least {SURE} is asked)"}
    return {
        "audience_market": found.market, "market_source": INFERRED, "market_confidence": found.confidence,
        "market_reasons": "; ".join(found.reasons),
    }  # fmt: skip


def ingest_profiles(
    session: Session, platform: str, authors: Sequence[RawAuthor], *, source: str, now: datetime
) -> list[tuple[RawAuthor, str]]:
    """Store what accounts say of themselves, followers above all; those that cannot be taken, with the reason."""
    one_writer(session, "ingest")
    rejected: list[tuple[RawAuthor, str]] = []
    given: list[RawPost] = []
    erased = erased_among(session, {(platform, author.native_id) for author in authors})
    for author in authors:
        if (platform, author.native_id) in erased:
            continue
        # a tombstone tells of its author and of nothing else
        about = RawPost(platform, "profile", author, "", now, deleted=True)
        reason = problem(about, now) or _followers_problem(author)
        if reason is None:
            given.append(about)
        else:
            rejected.append((author, reason))
    dirty: set[tuple[str, date]] = set()
    bring_authors(session, columns_of(_without_erased(session, given)), Origin(source, now, None), dirty)
    store.mark_dirty(session, dirty)
    return rejected


def _followers_problem(author: RawAuthor) -> str | None:
    n = author.follower_count
    return None if n is None or 0 <= n < MAX_COUNT else f"follower_count: {n} is not a count"


def _ingest(
    session: Session,
    items: dict[Identity, int],
    given: PostColumns,
    origin: Origin,
    result: Ingested,
    read: Read | None,
) -> None:
    """items: where each post stands in the batch, the later place of one that is given twice."""
    dirty: set[tuple[str, date]] = set()
    # first: it may move an author's posts
    authors, moved = bring_authors(session, _telling(session, given), origin, dirty)
    known, now = store.posts_known(session, items), origin.now
    new = _new(items, known.keys(), given, authors, result)
    changed_authors = set(new.author_ids)
    edited: list[dict[str, Any]] = []
    shown: list[dict[str, Any]] = []
    recounted: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for identity in sorted(known):
        item, before = given.post(items[identity]), known[identity]
        author = authors[_author_of(item)]
        became: Became = "unchanged"
        result.elsewhere += not item.deleted and item.author.audience_market != author.audience_market
        if origin.passes_over(item.line, before):
            pass
        elif item.deleted:
            if before.deleted_at is None and before.author_id == author.id:  # nobody ends another's posts
                gone.append(
                    {
                        "post_id": before.id, "deleted_at": now, "revision": before.revision + 1, "text": None,
                        "url": None, **origin.stamp(item.line),
                    }
                )  # fmt: skip
                dirty.add((before.audience_market, before.local_day))
                changed_authors.add(before.author_id)
                became = "deleted"
        elif before.deleted_at is None or now - before.deleted_at >= item.may_lag:  # else a copy of before its end
            row = _edit_row(item, before, author, origin)
            counts = {name: getattr(item, name) for name in COUNTS if item.tells(name)}
            has_new_counts = any(value != getattr(before, name) for name, value in counts.items())
            if _is_edited(row, before):
                edited.append(row)
                changed_authors |= {before.author_id, author.id}
                dirty |= {(before.audience_market, before.local_day), (row["audience_market"], row["local_day"])}
                became = "changed"
            elif any(row[name] != getattr(before, name) for name in SHOWN):
                shown.append({name: row[name] for name in ("post_id", *SHOWN, "file", "line")})
                became = "changed"
            if has_new_counts:
                changed_authors.add(before.author_id)
                dirty.add((before.audience_market, before.local_day))
                seen = {n: counts.get(n, getattr(before, n)) for n in COUNTS}
                recounted.append({"post_id": before.id} | seen | origin.stamp(item.line))
                became = "changed"
        _count(result, became)
        result.became[identity] = "changed" if became == "unchanged" and author.id in moved else became
    dirty.update(zip(new.markets, new.days, strict=True))
    ids = _add(session, new, origin, read) if len(new.posts) else []
    for rows in (edited, shown, recounted, gone):
        store.change_posts(session, rows)
    store.forget_signals(session, [row["post_id"] for row in gone + edited], removed=bool(gone))
    _observe(session, ids, new.posts, recounted, now)
    store.mark_dirty(session, dirty)
    mark_told_authors(session, changed_authors, now)


def _telling(session: Session, given: PostColumns) -> PostColumns:
    """Posts that tell of their author.

    A stream tells of every deletion: of a post that we never had it tells nothing, not even its author.
    """
    if True not in given["deleted"]:
        return given
    identities, deleted = given.identities, given["deleted"]
    held = store.posts_known(session, [i for i, is_deleted in zip(identities, deleted, strict=True) if is_deleted])
    return given.at([n for n, identity in enumerate(identities) if not deleted[n] or identity in held])


class _New(NamedTuple):
    """Posts that are not stored yet; author, market and local day of each, and what languages its author has."""

    posts: PostColumns
    author_ids: list[int]
    markets: list[str]
    days: list[date]
    languages: list[str | None]


def _new(
    items: Mapping[Identity, int],
    known: Collection[Identity],
    given: PostColumns,
    authors: Mapping[Identity, KnownAuthor],
    result: Ingested,
) -> _New:
    """The posts that are not stored yet, but for tombstones.

    In one order everywhere: two writers never wait for each other, and neighbours in an index are written together.
    """
    missing = sorted(items.keys() - known) if known else sorted(items)
    deleted = given["deleted"]
    if True in deleted:
        living = [identity for identity in missing if not deleted[items[identity]]]
        result.unchanged += len(missing) - len(living)
        result.became.update(dict.fromkeys(missing, "unchanged"))
        missing = living
    new = given.at([items[identity] for identity in missing])
    result.new += len(missing)
    result.became.update(dict.fromkeys(missing, "created"))
    of = [authors[who] for who in new.authors]
    markets = [author.audience_market for author in of]
    result.elsewhere += sum(map(ne, map(attrgetter("audience_market"), new["author"]), markets))
    days = [at.astimezone(_ZONES[code]).date() for at, code in zip(new["published_at"], markets, strict=True)]
    return _New(new, [author.id for author in of], markets, days, [author.languages for author in of])


def _count(result: Ingested, became: Became) -> None:
    if became == "changed":
        result.changed += 1
    elif became == "deleted":
        result.deleted += 1
    else:
        result.unchanged += 1


def _is_edited(row: dict[str, Any], before: KnownPost) -> bool:
    """Whether a post must be read and counted anew."""
    return before.deleted_at is not None or any(row[name] != getattr(before, name) for name in COUNTED_BY)


def _observe(
    session: Session, ids: Sequence[int], new: PostColumns, recounted: list[dict[str, Any]], now: datetime
) -> None:
    """Append what the counts were seen to be; hidden counts leave no observation. ids: of the new posts."""
    counts = zip(*[new[name] for name in COUNTS], strict=True)
    seen: list[tuple[int | None, ...]] = [
        (post_id, *told) for post_id, told in zip(ids, counts, strict=True) if told != _HIDDEN
    ]
    seen += [(row["post_id"], *[row[name] for name in COUNTS]) for row in recounted]
    store.add_engagement(session, seen, now)


_HIDDEN = (None,) * len(COUNTS)


def _clean(text: str) -> str:
    """What a database can hold: no NUL, no lone surrogate."""
    if "\x00" not in text:
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text.strip()
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip()


def cleaned(texts: Sequence[str]) -> list[str]:
    """Texts as a database can hold them: no NUL, no lone surrogate, no blanks around them."""
    together = "".join(texts)
    try:
        together.encode()
    except UnicodeEncodeError:
        return list(map(_clean, texts))
    return list(map(_clean if "\x00" in together else str.strip, texts))


_AS_GIVEN = (
    "platform", "native_id", "published_at", "day_only", "language", "url", "media_kind", "repost_of", *COUNTS,
    "edited_at",
)  # fmt: skip
"""What a new post is stored with as its source gives it."""


def _add(session: Session, new: _New, origin: Origin, read: Read | None) -> list[int]:
    """Store new posts, at least one, with what was read in them; their ids."""
    columns = _new_columns(new, origin)
    if read is None:
        return store.add_posts(session, columns)
    if read.compare(session, origin.source, columns, new.languages):
        columns["classified_at"] = [origin.now if same else None for same in read.same]
    ids = store.add_posts(session, columns)
    read.keep(session, ids)
    return ids


def _new_columns(new: _New, origin: Origin) -> dict[str, list[Any]]:
    """New posts, at least one, as columns of the store, whose defaults stand for the others."""
    posts, count = new.posts, len(new.posts)
    of_all = {"source": origin.source, "fetched_at": origin.now, "revision": 1, "file": origin.file}
    return {
        **{name: list(posts[name]) for name in _AS_GIVEN},
        **{name: [value] * count for name, value in of_all.items()},
        "author_id": new.author_ids,
        "audience_market": new.markets,
        "local_day": new.days,
        "text": cleaned(posts["text"]),
        "platform_sponsored": list(posts["sponsored"]),
        "line": [None] * count if origin.file is None else list(posts["line"]),
    }


def _edit_row(item: RawPost, before: KnownPost, author: KnownAuthor, origin: Origin) -> dict[str, Any]:
    """The post as it is now; what the source does not tell stays, and a text that was pruned is not asked for again."""
    market = before.audience_market if author.id == before.author_id else author.audience_market
    was_pruned = before.text is None and before.deleted_at is None
    return {
        "post_id": before.id,
        "author_id": author.id,
        "audience_market": market,
        "local_day": local_day(item.published_at, _ZONES[market]),
        "published_at": item.published_at,
        "day_only": item.day_only,
        "text": None if was_pruned else before.text if item.is_start and before.text else _clean(item.text),
        "language": item.language if item.tells("language") else before.language,
        "url": item.url if item.tells("url") else before.url,
        "media_kind": item.media_kind if item.tells("media_kind") else before.media_kind,
        "repost_of": item.repost_of if item.tells("repost_of") else before.repost_of,
        "platform_sponsored": item.sponsored if item.tells("sponsored") else before.platform_sponsored,
        "edited_at": item.edited_at or origin.now,
        "fetched_at": origin.now,
        "deleted_at": None,
        "revision": before.revision + 1,
        "classified_at": None,
    } | origin.stamp(item.line)
