"""Measuring authors: those that changed, a page at a time; then the peer groups of which enough changed.

Whatever changes what is known of an author (a post, a reading, counts, followers, a deletion, an adoption) puts them on
the list of those due, in its own transaction. Time changes them as well: posts settle after 4 days and leave the window
after 60; whoever was measured is put back on the list for that day, and whoever has fallen silent is not.

A percentile is taken from the group's sketch as it was last made. A group is made anew when a tenth of it was measured
since, so that a percentile is never far behind and the work in all is in proportion to what changed.

Where many are due, processes measure a page each and this one writes.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.held import held_sources
from radar.keys import Kind, key_number
from radar.kol import Account, AuthorMeasures, PostFact, Priors, Tiers, measure
from radar.kol.early import Adoption
from radar.kol.facts import SETTLED, WINDOW
from radar.kol.growth import History, followers_on
from radar.kol.peers import PEER_MEASURES, Sketch, best_rate
from radar.markets import MARKETS, PLACE_CODES, local_day
from radar.spread import spread, workers
from radar.store import author_facts, counts, peers
from radar.store import measures as store
from radar.store.author_facts import AccountRow, AdoptionRow, PostRow
from radar.store.engine import open_store, reading, writing
from radar.store.lasting import lasting, patiently
from radar.store.posts import key_array
from radar.text.gazetteer import products

PAGE = 150
MANY = 600
"""Authors due from which processes pay for their start."""
KEPT = timedelta(days=400)
"""How far back brands and followers are looked for."""
SOONEST = timedelta(days=1)
"""Time alone makes an author due once a day at most."""
REBASED_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Measured:
    """What was done: authors measured, left because they are hidden, and peer groups made anew."""

    authors: int
    hidden: int
    groups: int


Due = dict[int, int]
"""Authors who wait, id -> mark."""


def measure_authors(
    engine: sa.Engine,
    model_id: str,
    topic_ids: Sequence[str],
    tiers: Tiers,
    *,
    now: datetime,
    progress: Callable[[int], None] = lambda done: None,
) -> Measured:
    """Measure every author that is due. Safe to kill: a page is written whole or not at all.

    A lost connection is outlasted, here and in the processes that measure (`radar.store.lasting`).
    """
    with writing(engine) as session, session.begin():
        mark_tiers(session, tiers)
    asked = _Asked(model_id, tuple(topic_ids), tiers, now)
    done = hidden = 0
    for due, page in _measured(engine, asked):
        measured = lasting(engine, partial(_write, due, page))
        done, hidden = done + measured.authors, hidden + measured.hidden
        progress(done)
    return Measured(done, hidden, rebase_groups(engine))


def _write(due: Due, page: "_Page", session: Session) -> Measured:
    """Put a page's measures in place, but for those who are hidden since."""
    shown = {row.id: row for row in author_facts.accounts(session, list(due))}
    measured = [m for m in page.measured if m.author_id in shown]
    store.forget_measures(session, sorted(due.keys() - shown.keys()))
    store.write_measures(session, measured, shown)
    store.settle_due(session, due, {id: at for id, at in page.next_at.items() if id in shown})
    return Measured(len(measured), len(due) - len(shown), 0)


class _Asked(NamedTuple):
    """What is the same for every page."""

    model_id: str
    topic_ids: tuple[str, ...]
    tiers: Tiers
    now: datetime


class _Page(NamedTuple):
    """Accounts, their measures, and when time alone will change them; hidden ones are in none of the three."""

    rows: Sequence[AccountRow]
    measured: list[AuthorMeasures]
    next_at: dict[int, datetime]


def _due(engine: sa.Engine, now: datetime) -> Iterator[Due]:
    """Pages of those who wait."""
    after = 0
    while True:
        due = patiently(partial(_wait, engine, now, after, PAGE))
        if not due:
            return
        yield due
        after = max(due)


def _wait(engine: sa.Engine, now: datetime, after: int, limit: int) -> Due:
    with reading(engine) as session:
        return store.due_authors(session, now, after, limit)


def _measured(engine: sa.Engine, asked: _Asked) -> Iterator[tuple[Due, _Page]]:
    """Every page of those who wait: measured in this process, or in others where they are many."""
    pages = _due(engine, asked.now)
    many = workers() > 1 and len(patiently(partial(_wait, engine, asked.now, 0, MANY))) == MANY
    if not many:
        priors: dict[str, Priors] = {}
        for due in pages:
            yield due, patiently(partial(_measure_page, engine, asked, priors, due))
        return
    begin = partial(_open, engine.url.render_as_string(hide_password=False))
    for due, page in spread(partial(_measure_apart, asked), pages, at_once=workers(), begin=begin):
        if page is not None:
            yield due, page


_apart: tuple[sa.Engine, dict[str, Priors]] | None = None
"""What a process has that only measures."""


def _open(url: str) -> None:
    global _apart
    _apart = open_store(url, migrate=False), {}


def _measure_apart(asked: _Asked, due: Due) -> Iterator[_Page]:
    assert _apart is not None
    engine, priors = _apart
    yield patiently(partial(_measure_page, engine, asked, priors, due))


def _measure_page(engine: sa.Engine, asked: _Asked, priors: dict[str, Priors], due: Iterable[int]) -> _Page:
    """Measures of those who wait. priors: of the markets that were met; others are added."""
    model_id, topic_ids, tiers, now = asked
    with reading(engine) as session:
        rows = author_facts.accounts(session, list(due))
        for market in {row.audience_market for row in rows} - priors.keys():
            priors[market] = market_priors(session, model_id, market, topic_ids, now)
        return _Page(rows, *_measures(session, rows, priors, tiers, now))


def mark_tiers(session: Session, tiers: Tiers) -> None:
    """Ask for everybody to be measured anew where that was by other tiers, and remember by which it will be."""
    store.mark_for_tiers(session, json.dumps([dict(tiers.usual), {m: dict(t) for m, t in tiers.by_market.items()}]))


def _measures(
    session: Session, rows: Sequence[AccountRow], priors: Mapping[str, Priors], tiers: Tiers, now: datetime
) -> tuple[list[AuthorMeasures], dict[int, datetime]]:
    """Measures of a page of accounts, and when time alone will change them."""
    ids = [row.id for row in rows]
    posts = author_facts.posts_of(session, ids, now - KEPT, now, held_sources(session))
    topics = author_facts.topics_by_post(session, ids, now - WINDOW)
    history = author_facts.histories(session, ids, (now - KEPT).date())
    adopted = author_facts.adoptions_with(session, [row.person_id for row in rows])
    by_person: dict[int, list[list[AdoptionRow]]] = {}
    for trend in adopted.values():
        for adoption in trend:
            by_person.setdefault(adoption.person_id, []).append(trend)
    measured, next_at = [], {}
    for row in rows:
        zone = MARKETS[row.audience_market].tz
        seen = history.get(row.id, [])
        facts = [_fact(p, topics.get(p.id, []), seen, row) for p in posts.get(row.id, [])]
        account = Account(
            row.id, row.platform, row.audience_market, tiers.of(row.audience_market, row.follower_count),
            row.follower_count, row.first_post_at,
        )  # fmt: skip
        hours = {p.published_at.replace(minute=0, second=0, microsecond=0) for p in posts.get(row.id, [])}
        adoptions = [_adoption(trend, row.person_id, hours) for trend in distinct(by_person.get(row.person_id, []))]
        measured.append(measure(account, facts, seen, adoptions, priors[row.audience_market], zone, now))
        at = changes_at([p.published_at for p in facts], now)
        if at is not None:
            next_at[row.id] = at
    return measured, next_at


def changes_at(published: Sequence[datetime], now: datetime) -> datetime | None:
    """When time alone next changes an author's measures: a post settles or leaves the window; None where none will."""
    turns = [turn for at in published for turn in (at + SETTLED, at + WINDOW) if turn > now]
    return max(min(turns), now + SOONEST) if turns else None


def distinct(trends: Sequence[Sequence[AdoptionRow]]) -> list[Sequence[AdoptionRow]]:
    """The trends without those that mostly the same people used: one craze under two names counts once.

    Of two of which one holds half of the smaller's people, the larger stands.
    """
    kept: list[tuple[set[int], Sequence[AdoptionRow]]] = []
    for trend in sorted(trends, key=lambda rows: (-len(rows), rows[0].episode_id)):
        people = {row.person_id for row in trend}
        if all(2 * len(people & others) < min(len(people), len(others)) for others, _ in kept):
            kept.append((people, trend))
    return [trend for _, trend in kept]


_PRODUCTS: dict[int, str] = {}


def _product_names() -> dict[int, str]:
    if not _PRODUCTS:
        _PRODUCTS.update({key_number(Kind.PRODUCT, name): name for name in products()})
    return _PRODUCTS


def _fact(post: PostRow, topics: Sequence[str], history: History, account: AccountRow) -> PostFact:
    """A post as the arithmetic sees it, with the followers that its author had then."""
    day = local_day(post.published_at, MARKETS[account.audience_market].tz)
    followers = followers_on(history, day)
    sponsored = bool(post.sponsored or post.platform_sponsored)
    keys = key_array(post.keys).tolist() if post.keys and sponsored else []  # products matter in paid work alone
    named = _product_names()
    return PostFact(
        post.id, post.published_at, post.like_count, post.comment_count, post.share_count, post.view_count,
        account.follower_count if followers is None else followers, sponsored,
        tuple(topics), tuple(c for c in (post.places or "").split() if len(c) == 2),
        tuple(named[k] for k in keys if k in named), post.tone, post.text_hash or 0,
    )  # fmt: skip


def _adoption(trend: Sequence[AdoptionRow], person_id: int, hours: set[datetime]) -> Adoption:
    """A trend as one of its adopters: the null gives them the place of anybody whose hour they posted in as well."""
    own = next(row for row in trend if row.person_id == person_id)
    others = [row for row in trend if row.person_id != person_id]
    chance = [
        1 / max(row.heard, 1) if row.adopted_at.replace(minute=0, second=0, microsecond=0) in hours else 0.0
        for row in others
    ]
    times = np.array([row.adopted_at.timestamp() for row in others])
    return Adoption(own.adopted_at.timestamp(), times, np.array(chance), 1 / max(own.heard, 1))


def market_priors(session: Session, model_id: str, market: str, topic_ids: Sequence[str], now: datetime) -> Priors:
    """A market's share of posts by topic and place over the window, from its day counts."""
    last = local_day(now, MARKETS[market].tz)
    first = last - WINDOW
    total = author_facts.posts_counted(session, model_id, market, first, last)
    topics = {key_number(Kind.TOPIC, name): name for name in topic_ids}
    places = {key_number(Kind.PLACE, code): code for code in PLACE_CODES.values()}
    found: dict[int, int] = dict.fromkeys([*topics, *places], 0)
    keys = np.array(sorted(found), np.int64)
    for day in counts.counted_days(session, model_id, market, first, last).values():
        here = (day.places == 0) & np.isin(day.keys, keys)
        for key, n in zip(day.keys[here].tolist(), day.posts[here].tolist(), strict=True):
            found[key] += n
    share = {key: n / max(total, 1) for key, n in found.items()}
    return Priors({topics[k]: share[k] for k in topics}, {places[k]: share[k] for k in places})


def rebase_groups(engine: sa.Engine) -> int:
    """Make the sketches and percentiles of groups anew of which a tenth was measured since; how many."""
    with reading(engine) as session:
        stale = [g for g in peers.groups(session).values() if g.changed_count > REBASED_SHARE * g.member_count]
    for group in stale:
        with writing(engine) as session, session.begin():
            rows = peers.group_values(session, group.id)
            sketches = _sketches(rows)
            peers.rebase(session, group.id, sketches, _percentiles(rows, sketches))
    return len(stale)


def _sketches(rows: Sequence[Mapping[str, Any]]) -> dict[str, Sketch]:
    """By measure, of the authors of whom it is known. Rates on few posts are no benchmark."""
    return {
        name: Sketch.of([row[name] for row in rows if row[name] is not None and not row["low_confidence"]])
        for name in PEER_MEASURES
    }


def _percentiles(rows: Sequence[Mapping[str, Any]], sketches: Mapping[str, Sketch]) -> dict[int, float | None]:
    found = {}
    for row in rows:
        name = best_rate(row["er_followers"], row["er_views"])
        found[row["author_id"]] = sketches[name].percentile(row[name])
    return found
