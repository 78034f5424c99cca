"""Matching: KOLs ranked as partners for a brief, read from the store a page at a time; and KOLs like another."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from radar.errors import CallerError
from radar.keys import Kind
from radar.kol import Sketch
from radar.markets import MARKETS
from radar.partners.brief import Wanted
from radar.partners.kol import Account, Early, Kol, Profile, Sign, Vector
from radar.partners.parts import Scene
from radar.partners.price import Price, Prices, price
from radar.partners.profile import unpacked
from radar.partners.scoring import Scored, Weights, score
from radar.partners.shortlist import Likeness, cosine, likeness, shortlist
from radar.partners.signs import PEERS, Usual, merged, signs, usual
from radar.store import partners as store
from radar.store.engine import chunks
from radar.store.measures import facet

POOL = 80
"""Best KOLs that a shortlist is taken from."""
SAMPLE = 400
"""Profiles whose mean is the centre that vectors are compared from."""
OFF_TOPIC = 0.2
"""Share of posts on an excluded topic from which a KOL is left out."""
PROOFS = 3
MANY = 2_500
"""KOLs that are compared at most: of more, the most engaging of those that the index of topics and places finds."""
ENOUGH = 10 * POOL
"""KOLs with posts on topic and place both, from which those with posts on one of them are not looked at."""
REVIEW, REVIEWED = 2, 5
"""Signals that stand out from which a KOL is kept apart for review; and how many such are shown."""


class NotMeasured(CallerError):
    """A KOL of whom nothing is known yet."""

    status = 404
    slug = "not-measured"


@dataclass(frozen=True, slots=True)
class Found:
    """A KOL of a shortlist. posts  ids of posts that prove it;  there  those that name the market it is from"""

    scored: Scored
    price: Price | None
    posts: tuple[int, ...] = ()
    there: frozenset[int] = frozenset()


@dataclass(slots=True)
class Match:
    """An answer to a brief.

    review    KOLs who would be among those but for their authenticity signals: kept apart to be looked into first
    left_out  KOLs by the filter that left them out
    """

    found: list[Found]
    review: list[Found]
    looked_at: int
    left_out: Counter[str] = field(default_factory=Counter)
    message: str = ""


class Peers:
    """Sketches of peer groups, each market's merged when it is first asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._own: dict[int, dict[str, Usual]] = {}
        self._wide: dict[str, dict[str, Usual]] = {}

    def signs(self, row: store.Measured) -> tuple[Sign, ...]:
        """A KOL's authenticity signals beside its peers."""
        if row.market not in self._wide:
            groups = store.group_sketches(self._session, row.market)
            made = {group: _sketches(kept) for group, kept in groups.items()}
            self._own |= {group: usual(sketches, PEERS) for group, sketches in made.items()}
            self._wide[row.market] = usual(merged(made.values()))
        values = {name: (value, n) for name, (value, n) in row.measures["signals"].items()}
        return signs(values, self._own.get(row.group_id, {}), self._wide[row.market])


def _sketches(kept: Mapping[str, Any]) -> dict[str, Sketch]:
    return {name: Sketch(n, tuple(values)) for name, (n, values) in kept.items()}


_ACCOUNT = tuple(field.name for field in fields(Account))


def kol_of(row: store.Measured, signs: tuple[Sign, ...] | None = None) -> Kol:
    """A stored KOL as matching sees it."""
    rate, n = (row.er_followers, row.rated_count) if row.er_followers is not None else (row.er_views, row.views_count)
    early = Early(row.early, row.early_low, row.early_high, row.early_null, row.early_p, row.early_count)
    profile = Profile(0) if row.facts is None else unpacked(row.facts, row.vector)
    return Kol(
        **{name: getattr(row, name) for name in _ACCOUNT}, profile=profile, last_post_at=row.last_post_at,
        posts_per_week=row.posts_per_week, engagement_rate=rate, engagement_percentile=row.engagement_percentile,
        engagement_peers=row.peer_count, engagement_n=n, low_confidence=row.low_confidence, median_views=_views(row),
        sponsored_share=row.sponsored_share, sponsored_n=row.post_count, early=early, signs=signs,
    )  # fmt: skip


def kols(session: Session, author_ids: Sequence[int]) -> list[Kol]:
    """Shown KOLs of those ids, without their signals."""
    return [kol_of(row) for row in store.measured_some(session, author_ids)]


def _views(row: store.Measured) -> float | None:
    """About how many views a video gets: the median engagement over the median engagement a view."""
    return row.engagement / row.er_views if row.engagement and row.er_views else None


def centre_of(session: Session, market: str | None) -> Vector | None:
    """The mean of some KOLs' vectors: what everybody has in common."""
    kept = store.sample_vectors(session, market, SAMPLE)
    return np.mean([np.frombuffer(v, "<f2").astype(np.float32) for v in kept], 0) if len(kept) >= 10 else None


def match(
    session: Session,
    wanted: Wanted,
    *,
    now: datetime,
    weights: Weights,
    prices: Prices,
    topic_names: Mapping[str, str],
    limit: int = 10,
) -> Match:
    """The KOLs to work with, best first and unlike each other, with all that speaks for and against them.

    Reads a page of KOLs at a time and keeps the best `POOL`.
    """
    scene = Scene(wanted, now, topic_names, centre_of(session, wanted.to_market))
    excluded = {int(i) for i in wanted.brief.exclude_authors}
    answer = Match([], [], 0)
    best: list[tuple[float, int, Scored]] = []
    aside: list[tuple[float, int, Scored]] = []
    some = _narrowed(session, wanted)
    for kol in _candidates(session, wanted, some):
        answer.looked_at += 1
        if reason := _left_out(kol, wanted, excluded, prices):
            answer.left_out[reason] += 1
            continue
        scored = score(kol, scene, weights.of)
        is_odd = not wanted.brief.with_review and sum(s.stands_out for s in kol.signs or ()) >= REVIEW
        heap, most = (aside, REVIEWED) if is_odd else (best, max(POOL, 3 * limit))
        keep = heapq.heappush if len(heap) < most else heapq.heappushpop
        keep(heap, (scored.score, -kol.author_id, scored))
    chosen = shortlist(_ordered(best), limit, weights.diversity, scene.centre)
    worst = min((scored.score for scored in chosen), default=0.0)
    review = [s for s in _ordered(aside) if s.score / s.factors["authenticity"] >= worst]
    proofs = _proofs(session, wanted, [s.kol.author_id for s in [*chosen, *review]])
    answer.found, answer.review = (
        [Found(s, price(s.kol, prices), *proofs.get(s.kol.author_id, ())) for s in some] for some in (chosen, review)
    )
    answer.message = _message(session, wanted, answer)
    if some is not None:
        answer.message += f" More than {MANY:,} there are: compared were the most engaging of those with posts on it."
    return answer


def _ordered(heap: list[tuple[float, int, Scored]]) -> list[Scored]:
    return [scored for _, _, scored in sorted(heap, reverse=True)]


def _candidates(session: Session, wanted: Wanted, some: Sequence[int] | None) -> Iterator[Kol]:
    brief, peers = wanted.brief, Peers(session)
    pages: Iterable[Sequence[store.Measured]]
    if some is None:
        pages = store.measured(session, wanted.to_market, platforms=brief.platforms, tiers=brief.tiers)
    else:
        pages = (store.measured_some(session, page) for page in chunks(some, store.PAGE))
    for page in pages:
        for row in page:
            yield kol_of(row, peers.signs(row))


def _narrowed(session: Session, wanted: Wanted) -> list[int] | None:
    """Where there are too many KOLs to compare: those who post about the topics and the market, or one of them."""
    brief = wanted.brief
    of = {"platforms": brief.platforms, "tiers": brief.tiers}
    if store.kol_count(session, wanted.to_market, **of, upto=MANY + 1) <= MANY:
        return None
    markets = [wanted.to_market] if wanted.to_market else list(MARKETS)
    topics = [facet(code, Kind.TOPIC, t) for code in markets for t in wanted.topics]
    places = [facet(code, Kind.PLACE, wanted.from_market) for code in markets if wanted.from_market]
    found: list[int] = []
    for facets in dict.fromkeys([(tuple(topics), tuple(places)), (tuple(topics or places),)]):
        if len(found) < ENOUGH:
            some = [one for one in facets if one]
            found += store.candidates(session, wanted.to_market, **of, facets=some, limit=MANY)
    return list(dict.fromkeys(found))[:MANY]


def _left_out(kol: Kol, wanted: Wanted, excluded: set[int], prices: Prices) -> str | None:
    """The filter that leaves a KOL out."""
    brief = wanted.brief
    if kol.author_id in excluded:
        return "exclude_authors"
    n = kol.profile.posts
    if n and any(kol.profile.topics.get(t, 0) / n > OFF_TOPIC for t in brief.exclude_topics):
        return "exclude_topics"
    if any(brand.paid for brand in kol.profile.products.values() if brand.id in wanted.unwanted):
        return "exclude_products"
    if brief.budget is not None:
        cost = price(kol, prices)
        if cost is not None and cost.low > brief.budget:
            return "budget"
    return None


def _proofs(
    session: Session, wanted: Wanted, authors: Sequence[int]
) -> dict[int, tuple[tuple[int, ...], frozenset[int]]]:
    """Posts of each KOL that prove it: on the brief's topics and from its market, as far as there are such."""
    found: dict[int, list[tuple[int, int]]] = {}
    there: set[int] = set()
    for post in store.proof_posts(session, authors, list(wanted.topics), 12):
        points = 2 * (wanted.from_market in post.places.split()) + any(c in post.places.split() for c in wanted.places)
        found.setdefault(post.author_id, []).append((-points, post.id))
        if wanted.from_market in post.places.split():
            there.add(post.id)
    best = {author: [i for _, i in sorted(posts, key=lambda p: p[0])[:PROOFS]] for author, posts in found.items()}
    return {author: (tuple(posts), frozenset(there.intersection(posts))) for author, posts in best.items()}


def _message(session: Session, wanted: Wanted, answer: Match) -> str:
    """What the list is, or which filters leave nobody."""
    where = f" of {MARKETS[wanted.to_market].name}" if wanted.to_market else ""
    if answer.found:
        n = len(answer.review)
        apart = f" {n} more fit{'s' if n == 1 else ''}, kept apart: look into the signals first." if n else ""
        return f"{len(answer.found)} of {answer.looked_at:,} KOLs{where}.{apart}"
    known = store.kol_count(session, wanted.to_market)
    if not known:
        return f"No KOL{where} is measured yet: bring posts in, and let the jobs run."
    said = [f"Nobody is left of {known:,} KOLs{where}."]
    brief = wanted.brief
    if brief.platforms:
        alone = store.kol_count(session, wanted.to_market, platforms=brief.platforms)
        said.append(f"platforms {', '.join(brief.platforms)}: {alone:,} by itself.")
    if brief.tiers:
        alone = store.kol_count(session, wanted.to_market, tiers=brief.tiers)
        said.append(f"tiers {', '.join(brief.tiers)}: {alone:,} by itself.")
    if answer.review:
        said.append(f"{len(answer.review)} fit, kept apart for review.")
    said += [f"{name}: leaves out {n:,}." for name, n in answer.left_out.most_common()]
    return " ".join([*said, "Widen one of them."])


@dataclass(frozen=True, slots=True)
class Similar:
    """A KOL like another."""

    kol: Kol
    likeness: Likeness
    places: float
    shared_topics: tuple[str, ...]

    @property
    def total(self) -> float:
        return 0.75 * self.likeness.mean + 0.25 * self.places


def similar(session: Session, author_id: int, *, limit: int = 10) -> tuple[Kol, list[Similar]]:
    """A KOL, and those of its market that are most like it: in audience, topics and style, and in places.

    Raises NotMeasured.
    """
    row = store.measured_one(session, author_id)
    if row is None:
        raise NotMeasured(
            f"The KOL {author_id} is not measured yet.", "Run `radar run measure_authors`, or wait an hour."
        )
    mine = kol_of(row)
    centre = centre_of(session, mine.market)
    best: list[tuple[float, int, Similar]] = []
    for kol in _others(session, mine):
        one = Similar(
            kol, likeness(mine, kol, centre), cosine(mine.profile.places, kol.profile.places), _shared(mine, kol)
        )
        keep = heapq.heappush if len(best) < limit else heapq.heappushpop
        keep(best, (one.total, -kol.author_id, one))
    return mine, [one for _, _, one in sorted(best, reverse=True)]


def _others(session: Session, mine: Kol) -> Iterable[Kol]:
    pages: Iterable[list[store.Measured]] = store.measured(session, mine.market)
    if store.kol_count(session, mine.market, upto=MANY + 1) > MANY:
        most = sorted(mine.profile.topics, key=lambda t: -mine.profile.topics[t])[:3]
        facets = [[facet(mine.market, Kind.TOPIC, t) for t in most]] if most else []
        some = store.candidates(session, mine.market, facets=facets, limit=MANY)
        pages = (store.measured_some(session, page) for page in chunks(some, store.PAGE))
    for page in pages:
        for row in page:
            if row.person_id != mine.person_id and row.facts is not None:
                yield kol_of(row)


def _shared(a: Kol, b: Kol) -> tuple[str, ...]:
    both = {t: min(n, b.profile.topics.get(t, 0)) for t, n in a.profile.topics.items() if t in b.profile.topics}
    return tuple(sorted(both, key=lambda t: (-both[t], t))[:3])
