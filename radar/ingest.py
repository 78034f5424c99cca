"""Taking posts in: an upsert by (platform, native id) that marks every day it changes dirty, in one transaction.

**Versions in a file.** A file may hold a post in several versions; the last one counts. Read again from its beginning
it would put the first one back and then the last one again: two changes, a recount and a follower count of today, for
nothing. So each post and author remembers the file and the line that wrote it last. A row of the same file (same bytes,
read in the same way) from before that line was taken already and is passed over. That needs no memory of the file, is
written in the batch's own transaction, so that a killed import goes on rightly, and ends when anything else writes the
post: then the whole file speaks anew.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Literal

from sqlalchemy.orm import Session

from radar.markets import MARKETS, local_day
from radar.sources.base import LONGEST_HANDLE, MAX_COUNT, RawAuthor, RawPost, problem, problems
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
_INFERRED = "inferred"
_ZONES = {code: market.tz for code, market in MARKETS.items()}
TOLD = ("handle", "name", "url", "bio", "languages")
"""What an author says of itself; an empty one stays as it is stored."""


Became = Literal["created", "changed", "unchanged", "deleted"]


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


@dataclass(frozen=True, slots=True)
class _From:
    """Where a batch comes from, and when. file: what identifies the file whose lines the posts are, None for others."""

    source: str
    now: datetime
    file: int | None

    def passes_over(self, item: RawPost, known: KnownPost | KnownAuthor) -> bool:
        """Whether a later line of the same file has spoken already."""
        return bool(
            self.file is not None and known.file == self.file and item.line and known.line and item.line < known.line
        )

    def stamp(self, item: RawPost) -> dict[str, int | None]:
        """What a row remembers of who wrote it."""
        return {"file": self.file, "line": None if self.file is None else item.line}


def ingest_posts(
    session: Session,
    posts: Iterable[RawPost],
    *,
    source: str,
    now: datetime,
    file: int | None = None,
    found: dict[int, str] | None = None,
) -> Ingested:
    """Store posts in the session's transaction; the caller commits.

    Safe to run twice: the same posts again change nothing. Of a post given twice in a batch the later one counts.
    A post that cannot be taken is rejected with its reason and never stops the others.

    file   64 bits, signed, that stand for the file whose lines the posts are (with RawPost.line)
    found  the problems of these posts, where they were looked for already, before others had to wait for this writer
    """
    one_writer(session, "ingest")
    result, origin, given = Ingested(), _From(source, now, file), list(posts)
    looked_at = given
    positions: Sequence[int] = range(len(given))
    if has_erased(session):
        erased = erased_among(session, {_author_of(item) for item in given})
        result.refused += [n for n, item in enumerate(given) if _author_of(item) in erased]
        positions = [n for n, item in enumerate(given) if _author_of(item) not in erased]
        given = _without_erased(session, [given[n] for n in positions])
    given = _with_markets(session, given)
    bad = problems(given, now) if found is None or given is not looked_at else found
    result.rejected += [(positions[n], reason) for n, reason in bad.items()]
    taken = [item for n, item in enumerate(given) if n not in bad] if bad else given
    items = {(item.platform, item.native_id): item for item in taken}
    result.unchanged += len(taken) - len(items)
    if items:
        _ingest(session, items, taken, origin, result)
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


def _with_markets(session: Session, posts: list[RawPost]) -> list[RawPost]:
    """The posts, with the stored market of authors who did not declare one, or the one that their posts tell.

    What is declared is never asked again. An author whose market is not sure keeps none, and is refused for that.
    """
    if all(item.author.audience_market for item in posts):
        return posts
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
    return [
        item if item.author.audience_market else replace(item, author=replace(item.author, **told[_author_of(item)]))
        for item in posts
    ]


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
        "audience_market": found.market, "market_source": _INFERRED, "market_confidence": found.confidence,
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
    _authors(session, _without_erased(session, given), _From(source, now, None), dirty)
    store.mark_dirty(session, dirty)
    return rejected


def _followers_problem(author: RawAuthor) -> str | None:
    n = author.follower_count
    return None if n is None or 0 <= n < MAX_COUNT else f"follower_count: {n} is not a count"


def _ingest(
    session: Session, items: dict[Identity, RawPost], given: Sequence[RawPost], origin: _From, result: Ingested
) -> None:
    dirty: set[tuple[str, date]] = set()
    # a stream tells of every deletion: of a post that we never had it tells nothing, not even its author
    deleted = [(item.platform, item.native_id) for item in given if item.deleted]
    held = store.posts_known(session, deleted) if deleted else {}
    told = [item for item in given if not item.deleted or (item.platform, item.native_id) in held]
    authors, moved = _authors(session, told, origin, dirty)  # first: it may move an author's posts
    known, now = store.posts_known(session, items), origin.now
    new = _new(items, known.keys(), authors, result)
    changed_authors: set[int] = {author.id for _, author, _ in new}
    edited: list[dict[str, Any]] = []
    shown: list[dict[str, Any]] = []
    recounted: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for identity in sorted(known):
        item, before = items[identity], known[identity]
        author = authors[_author_of(item)]
        became: Became = "unchanged"
        result.elsewhere += not item.deleted and item.author.audience_market != author.audience_market
        if origin.passes_over(item, before):
            pass
        elif item.deleted:
            if before.deleted_at is None and before.author_id == author.id:  # nobody ends another's posts
                gone.append(
                    {
                        "post_id": before.id, "deleted_at": now, "revision": before.revision + 1, "text": None,
                        "url": None, **origin.stamp(item),
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
                recounted.append({"post_id": before.id} | seen | origin.stamp(item))
                became = "changed"
        _count(result, became)
        result.became[identity] = "changed" if became == "unchanged" and author.id in moved else became
    dirty.update([(author.audience_market, day) for _, author, day in new])
    ids = store.add_posts(session, _new_columns(new, origin)) if new else []
    for rows in (edited, shown, recounted, gone):
        store.change_posts(session, rows)
    store.forget_signals(session, [row["post_id"] for row in gone + edited], removed=bool(gone))
    _observe(session, zip(ids, [item for item, *_ in new], strict=True), recounted, now)
    store.mark_dirty(session, dirty)
    mark_told_authors(session, changed_authors, now)


def _new(
    items: dict[Identity, RawPost],
    known: Collection[Identity],
    authors: dict[Identity, KnownAuthor],
    result: Ingested,
) -> list[tuple[RawPost, KnownAuthor, date]]:
    """The posts that are not stored yet, but for tombstones, with author and local day.

    In one order everywhere: two writers never wait for each other, and neighbours in an index are written together.
    """
    missing = sorted(items.keys() - known) if known else sorted(items)
    living = [items[identity] for identity in missing if not items[identity].deleted]
    if len(living) < len(missing):
        result.unchanged += len(missing) - len(living)
        result.became |= {identity: "unchanged" for identity in missing if items[identity].deleted}
        missing = [identity for identity in missing if not items[identity].deleted]
    of = [authors[item.platform, item.author.native_id] for item in living]
    zones = [_ZONES[author.audience_market] for author in of]
    result.elsewhere += sum(
        [item.author.audience_market != author.audience_market for item, author in zip(living, of, strict=True)]
    )
    result.new += len(living)
    result.became.update(dict.fromkeys(missing, "created"))
    days = [item.published_at.astimezone(zone).date() for item, zone in zip(living, zones, strict=True)]
    return list(zip(living, of, days, strict=True))


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
    session: Session, new: Iterable[tuple[int, RawPost]], recounted: list[dict[str, Any]], now: datetime
) -> None:
    """Append what the counts were seen to be; hidden counts leave no observation. new: posts with their ids."""
    seen: list[tuple[int | None, ...]] = [
        (post_id, p.like_count, p.comment_count, p.share_count, p.view_count)
        for post_id, p in new
        if not (p.like_count is p.comment_count is p.share_count is p.view_count is None)
    ]
    seen += [(row["post_id"], *[row[name] for name in COUNTS]) for row in recounted]
    store.add_engagement(session, seen, now)


def _authors(
    session: Session, given: Sequence[RawPost], origin: _From, dirty: set[tuple[str, date]]
) -> tuple[dict[Identity, KnownAuthor], Collection[int]]:
    """Authors by identity: new ones are added, what known ones say of themselves is brought up to date.

    A stored market stands, but for one that was inferred: what is declared takes its place, and the author's posts move
    with it (the ids of such authors come second). Linking an account to a person changes the counts of all its days,
    which go to `dirty`.
    """
    said: dict[Identity, list[RawPost]] = defaultdict(list)
    first: dict[Identity, datetime] = {}
    for item in given:
        identity = item.platform, item.author.native_id
        said[identity].append(item)
        if not item.deleted and ((at := first.get(identity)) is None or item.published_at < at):
            first[identity] = item.published_at
    known = store.authors_known(session, said)
    new: list[dict[str, Any]] = []
    for identity in sorted(said.keys() - known.keys()):
        items = said[identity]
        row = _together(items) | origin.stamp(items[-1])
        row |= {"platform": identity[0], "follower_count": None, "first_seen_at": origin.now}
        new.append(row | {"first_post_at": first.get(identity)})
    if new:
        added = store.add_authors(session, new, [row.pop("person") for row in new])
        known |= added
    sightings: list[dict[str, Any]] = []
    followers, older, told, linked = [], [], [], {}
    moved: dict[int, str] = {}
    written: list[dict[str, Any]] = []
    for identity in sorted(said):
        items, k, at = said[identity], known[identity], first.get(identity)
        if at is not None and (k.first_post_at is None or at < k.first_post_at):
            older.append({"author_id": k.id, "first_post_at": at})
        if _says_nothing_new(items, k):
            continue
        fresh = [item for item in items if not origin.passes_over(item, k)]
        if not fresh:
            continue
        a = _together(fresh)
        declared = next((i.author.audience_market for i in fresh if i.author.market_source != _INFERRED), None)
        if declared and k.market_source == _INFERRED:
            moved[k.id] = declared
            known[identity] = k = k._replace(audience_market=declared, market_source="declared")
        corrected = set((k.corrected or "").split())
        seen = [] if "follower_count" in corrected else _seen_followers(fresh, k, origin.now)
        has_followers = bool(seen) and a["follower_count"] != k.follower_count
        if has_followers or origin.file is None:  # a file that is read again saw nobody again
            sightings += seen
        if has_followers:
            followers.append({n: seen[-1][n] for n in ("author_id", "follower_count")})
        now_told = {n: getattr(k, n) if n in corrected else a[n] or getattr(k, n) for n in TOLD}
        is_told = any(value != getattr(k, name) for name, value in now_told.items())
        if is_told:
            told.append({"author_id": k.id} | now_told)
        is_linked = a["person"] is not None and a["person"] != k.person
        if is_linked:
            linked[k.id] = a["person"]
        if (has_followers or is_told or is_linked) and (origin.file, k.file) != (None, None):
            written.append({"author_id": k.id} | origin.stamp(fresh[-1]))
    store.see_followers(session, sightings)
    store.change_authors(session, followers)
    store.set_first_posts(session, older)
    store.change_authors(session, told)
    store.change_authors(session, written)
    renamed = {row["author_id"] for row in told + followers} | moved.keys() | linked.keys()
    mark_told_authors(session, renamed | {known[row["platform"], row["native_id"]].id for row in new}, origin.now)
    if moved:
        dirty |= store.move_authors(session, moved)
    if linked:
        dirty |= store.link_authors(session, linked)
    return known, moved.keys()


def _says_nothing_new(items: Sequence[RawPost], k: KnownAuthor) -> bool:
    """Whether posts tell no more of their author than what is stored, as most do; where in doubt they may."""
    a = items[0].author
    if a.follower_count is not None or k.market_source == _INFERRED or (a.person and a.person != k.person):
        return False
    if len(items) > 1 and any([item.author is not a for item in items]):  # noqa: C419  faster
        return False
    if a.handle is a.name is a.url is a.bio is a.languages is None:
        return True
    told = (a.handle, k.handle), (a.name, k.name), (a.url, k.url), (a.bio, k.bio), (a.languages, k.languages)
    return all([not says or says == stored for says, stored in told])  # noqa: C419


def _seen_followers(items: Sequence[RawPost], author: KnownAuthor, now: datetime) -> list[dict[str, Any]]:
    """An author's followers by the local day on which they were seen, in order of days."""
    zone = MARKETS[author.audience_market].tz
    by_day = {
        local_day(item.author.followers_at or now, zone): item.author.follower_count
        for item in items
        if item.author.follower_count is not None
    }
    return [{"author_id": author.id, "observed_on": day, "follower_count": n} for day, n in sorted(by_day.items())]


def _together(items: Sequence[RawPost]) -> dict[str, Any]:
    """What several posts say of their author: of each fact the last that is told, but the market told first."""
    a = items[0].author
    for item in items[1:]:
        if item.author is not a and item.author != a:
            later = {
                n: v for n in (*TOLD, "follower_count", "person") if (v := getattr(item.author, n)) not in (None, "")
            }
            a = replace(a, **later)
    return {
        "native_id": a.native_id, "handle": a.handle and a.handle[:LONGEST_HANDLE], "name": a.name, "url": a.url,
        "bio": a.bio, "languages": a.languages, "audience_market": a.audience_market, "market_source": a.market_source,
        "market_confidence": a.market_confidence, "market_reasons": a.market_reasons,
        "follower_count": a.follower_count, "person": a.person,
    }  # fmt: skip


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


_AS_GIVEN = (
    "platform", "native_id", "published_at", "day_only", "language", "url", "media_kind", "repost_of", *COUNTS,
    "edited_at",
)  # fmt: skip
"""What a new post is stored with as its source gives it."""


def _new_columns(new: Sequence[tuple[RawPost, KnownAuthor, date]], origin: _From) -> dict[str, list[Any]]:
    """New posts, at least one, as columns of the store, whose defaults stand for the others."""
    items = [item for item, *_ in new]
    columns: dict[str, list[Any]] = {name: list(map(attrgetter(name), items)) for name in _AS_GIVEN}
    of_all = {"source": origin.source, "fetched_at": origin.now, "revision": 1, "file": origin.file}
    columns |= {name: [value] * len(items) for name, value in of_all.items()}
    return columns | {
        "author_id": [author.id for _, author, _ in new],
        "audience_market": [author.audience_market for _, author, _ in new],
        "local_day": [day for *_, day in new],
        "text": [_clean(item.text) for item in items],
        "platform_sponsored": [item.sponsored for item in items],
        "line": [None if origin.file is None else item.line for item in items],
    }


def _edit_row(item: RawPost, before: KnownPost, author: KnownAuthor, origin: _From) -> dict[str, Any]:
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
    } | origin.stamp(item)
