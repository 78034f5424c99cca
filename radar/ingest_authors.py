"""What posts say of their authors: new ones are added, what is known of the others is brought up to date."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from radar.markets import MARKETS, local_day
from radar.sources.base import LONGEST_HANDLE, RawAuthor
from radar.sources.columns import PostColumns
from radar.store import posts as store
from radar.store.measures import mark_told_authors
from radar.store.posts import Identity, KnownAuthor, KnownPost

INFERRED = "inferred"
"""The market of an author who declared none, as its posts tell it."""
TOLD = ("handle", "name", "url", "bio", "languages")
"""What an author says of itself; an empty one stays as it is stored."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a batch comes from, and when. file: what identifies the file whose lines the posts are, None for others."""

    source: str
    now: datetime
    file: int | None

    def passes_over(self, line: int | None, known: KnownPost | KnownAuthor) -> bool:
        """Whether a later line of the same file has spoken already."""
        return bool(self.file is not None and known.file == self.file and line and known.line and line < known.line)

    def stamp(self, line: int | None) -> dict[str, int | None]:
        """What a row remembers of who wrote it."""
        return {"file": self.file, "line": None if self.file is None else line}


class _Saying(NamedTuple):
    """What a post tells of its author, and where the post stands in its file."""

    author: RawAuthor
    line: int | None


def bring_authors(
    session: Session, given: PostColumns, origin: Origin, dirty: set[tuple[str, date]]
) -> tuple[dict[Identity, KnownAuthor], Collection[int]]:
    """Authors by identity: new ones are added, what known ones say of themselves is brought up to date.

    A stored market stands, but for one that was inferred: what is declared takes its place, and the author's posts move
    with it (the ids of such authors come second). Linking an account to a person changes the counts of all its days,
    which go to `dirty`.
    """
    alone, first = _alone(given), _first(given)
    known = store.authors_known(session, alone)
    speaking = {who for who, a in alone.items() if who not in known or not _says_nothing_new(a, known[who])}
    said: dict[Identity, list[_Saying]] = defaultdict(list)
    if speaking:
        for who, *saying in zip(given.authors, given["author"], given["line"], strict=True):
            if who in speaking:
                said[who].append(_Saying(*saying))
    new: list[dict[str, Any]] = []
    for identity in sorted(speaking - known.keys()):
        row = _together(said[identity]) | origin.stamp(said[identity][-1].line)
        row |= {"platform": identity[0], "follower_count": None, "first_seen_at": origin.now}
        new.append(row | {"first_post_at": first.get(identity)})
    if new:
        added = store.add_authors(session, new, [row.pop("person") for row in new])
        known |= added
    older = [
        {"author_id": known[identity].id, "first_post_at": at}
        for identity, at in first.items()
        if (before := known[identity].first_post_at) is None or at < before
    ]
    older.sort(key=itemgetter("author_id"))
    sightings: list[dict[str, Any]] = []
    followers, told, linked = [], [], {}
    moved: dict[int, str] = {}
    written: list[dict[str, Any]] = []
    for identity in sorted(speaking):
        k = known[identity]
        if _says_nothing_new(alone[identity], k):
            continue
        fresh = [saying for saying in said[identity] if not origin.passes_over(saying.line, k)]
        if not fresh:
            continue
        a = _together(fresh)
        declared = next((s.author.audience_market for s in fresh if s.author.market_source != INFERRED), None)
        if declared and k.market_source == INFERRED:
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
            known[identity] = k._replace(**now_told)
        is_linked = a["person"] is not None and a["person"] != k.person
        if is_linked:
            linked[k.id] = a["person"]
        if (has_followers or is_told or is_linked) and (origin.file, k.file) != (None, None):
            written.append({"author_id": k.id} | origin.stamp(fresh[-1].line))
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


def _alone(given: PostColumns) -> dict[Identity, RawAuthor | None]:
    """Each author as all its posts tell of it; None where they tell it in more than one way, as objects go."""
    authors = given["author"]
    ways = dict(zip(zip(given.authors, map(id, authors), strict=True), authors, strict=True))
    alone: dict[Identity, RawAuthor | None] = {}
    for (identity, _), author in ways.items():
        alone[identity] = None if identity in alone else author
    return alone


def _first(given: PostColumns) -> dict[Identity, datetime]:
    """When each author's oldest post of a batch was published; tombstones tell nothing of it."""
    first: dict[Identity, datetime] = {}
    for who, at, is_deleted in zip(given.authors, given["published_at"], given["deleted"], strict=True):
        if not is_deleted and (who not in first or at < first[who]):
            first[who] = at
    return first


def _says_nothing_new(a: RawAuthor | None, k: KnownAuthor) -> bool:
    """Whether posts tell no more of their author than what is stored, as most do; where in doubt they may.

    a  the author as all of them tell it; None where they tell different things
    """
    if a is None:
        return False
    if a.follower_count is not None or k.market_source == INFERRED or (a.person and a.person != k.person):
        return False
    if a.handle is a.name is a.url is a.bio is a.languages is None:
        return True
    told = (a.handle, k.handle), (a.name, k.name), (a.url, k.url), (a.bio, k.bio), (a.languages, k.languages)
    return all([not says or says == stored for says, stored in told])  # noqa: C419


def _seen_followers(said: Sequence[_Saying], author: KnownAuthor, now: datetime) -> list[dict[str, Any]]:
    """An author's followers by the local day on which they were seen, in order of days."""
    zone = MARKETS[author.audience_market].tz
    by_day = {local_day(a.followers_at or now, zone): a.follower_count for a, _ in said if a.follower_count is not None}
    return [{"author_id": author.id, "observed_on": day, "follower_count": n} for day, n in sorted(by_day.items())]


def _together(said: Sequence[_Saying]) -> dict[str, Any]:
    """What several posts say of their author: of each fact the last that is told, but the market told first."""
    a = said[0].author
    for b, _ in said[1:]:
        if b is not a and b != a:
            later = {n: v for n in (*TOLD, "follower_count", "person") if (v := getattr(b, n)) not in (None, "")}
            a = replace(a, **later)
    return {
        "native_id": a.native_id, "handle": a.handle and a.handle[:LONGEST_HANDLE], "name": a.name, "url": a.url,
        "bio": a.bio, "languages": a.languages, "audience_market": a.audience_market, "market_source": a.market_source,
        "market_confidence": a.market_confidence, "market_reasons": a.market_reasons,
        "follower_count": a.follower_count, "person": a.person,
    }  # fmt: skip
