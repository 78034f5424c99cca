"""One market about one place in one week, from what the API answers as of the week's end: numbers, no words."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from radar import answers
from radar.answers.matrix import USUAL_DAYS, Row, Sums, place_rows, topic_rows
from radar.answers.standing import Standing, standing
from radar.errors import CallerError
from radar.keys import Kind, key_number
from radar.markets import MARKETS, PLACE_NUMBERS, market
from radar.reports.missing import what_is_missing
from radar.reports.next import expected_next
from radar.reports.week import Week, WeekNotThere, last_complete, parse_week
from radar.store import reports as store
from radar.store.answers import counted_span
from radar.store.counts import counted_days
from radar.store.day_blob import DayCounts
from radar.text.gazetteer import products

LISTED = 10
"""Trends, places, products and topics of a report."""
TOLD = 5
"""First trends of which is told who led and which market had them before."""
LED = 3
"""KOLs who led, of each of these."""
RISEN = 1.3
"""Times its usual share from which a topic counts as rising, where no trend of it was found."""
Q = 0.05
Item = dict[str, Any]


def pair_report(
    session: Session, market_code: str, place: str, week: str | None = None, *, now: datetime, kept_days: int = 90
) -> Item:
    """The whole report of a week: everything as of the week's end, whenever it is made.

    place      code of a country;       week       2026-W47, the last complete one if left out
    kept_days  how long daily snapshots are kept

    Raises UnknownName, and CallerError for a week that is none, not over, or before anything that is stored.
    """
    about, country = market(market_code), _country(place)
    asked = parse_week(week, about, now)
    days = _counted(session, standing(session, about, None), asked, last_complete(about, now))
    stand = standing(session, about, asked.end)
    at = _looked_back_from(stand, asked)
    base: Item = {"market": about.code, "place": country, "window": "7d", "as_of": at, "q": Q}
    found = answers.list_trends(session, **base, limit=LISTED)
    trends = [_trend(session, item, at, n) for n, item in enumerate(found["items"])]
    topics, things = (answers.list_trends(session, **base, kind=kind, limit=LISTED) for kind in ("topic", "product"))
    is_known = _has_usual(session, stand, asked)
    places = _shares(days, place_rows(country), asked, is_known)
    by_platform, by_source = (
        store.week_counts(session, about.code, country, asked.first, asked.last, by)
        for by in ("platform", "source")
    )  # fmt: skip
    whole = _shares(days, [Row(country, "", key_number(Kind.PLACE, country))], asked, is_known)
    expected = expected_next(session, about, country, asked, kept_days)
    return {
        "market": about.code, "place": country, "week": asked.name, "first_day": asked.first, "last_day": asked.last,
        "zone": about.zone, "window": {"start": asked.start, "end": asked.end}, "as_of": at,
        "model_id": found["model_id"], "simulated": found["simulated"], "status": found["status"],
        "message": found["message"], "coverage": found["coverage"], "shadow": found["shadow"], "q": Q,
        "usual_days": USUAL_DAYS, "days_counted": sum(day >= asked.first for day in days),
        "about_place": whole[0] if whole else None, "by_day": _by_day(days, country),
        "platforms": [count._asdict() for count in by_platform],
        "sources": [_source(count, asked) for count in by_source],
        "trends": trends, "total": found["total"],
        "places": places[:LISTED], "places_total": len(places),
        "product_trends": things["items"],
        "products": _shares(days, _products(), asked, is_known, PLACE_NUMBERS[country])[:LISTED],
        "topic_trends": [t for t in topics["items"] if t["stage"] in ("emerging", "rising", "peaking")],
        "topics": _risen(_shares(days, topic_rows(), asked, is_known, PLACE_NUMBERS[country])),
        "expected": expected, "lead": _lead(session, about.code, country),
        "missing": what_is_missing(session, stand, asked, found, by_platform, by_source, expected, kept_days),
    }  # fmt: skip


def _country(place: str) -> str:
    code = place.upper()
    if code not in PLACE_NUMBERS:
        raise CallerError(
            f"place: '{place[:40]}' is no country that a report is made about.",
            f"Ask for one of: {', '.join(PLACE_NUMBERS)}; the places inside it are in its report.",
        )
    return code


def _counted(session: Session, stand: Standing, week: Week, newest: Week) -> dict[date, DayCounts]:
    """The days of the week and those before it. Raises WeekNotThere where the store holds none of the week."""
    span = counted_span(session, stand.model_id, stand.market.code)
    if span.first is None or span.last is None:
        raise WeekNotThere(stand.reason, f"Then ask again: radar report --market {stand.market.code}.")
    if span.first > week.last or span.last < week.first:
        end = min(Week.of(span.last - timedelta(days=span.last.weekday()), stand.market).name, newest.name)
        begins = Week.of(span.first - timedelta(days=span.first.weekday()), stand.market).name
        raise WeekNotThere(
            f"Nothing is counted of {week.name} in {stand.market.name}: there are posts from {begins} to {end}.",
            f"Ask for a week from {begins} to {end}, or import older posts.",
        )
    first = week.first - timedelta(days=USUAL_DAYS)
    return dict(counted_days(session, stand.model_id, stand.market.code, first, week.last))


def _looked_back_from(stand: Standing, week: Week) -> datetime:
    """The week's end; where posts ended days before it, the last moment that is counted."""
    is_read = stand.latest is None or stand.latest > week.end - timedelta(days=1)
    return week.end if is_read or stand.latest is None else stand.latest


def _has_usual(session: Session, stand: Standing, week: Week) -> bool:
    """Whether there are four weeks to compare with."""
    first = counted_span(session, stand.model_id, stand.market.code).first
    return first is not None and first <= week.first - timedelta(days=USUAL_DAYS)


def _shares(
    days: Mapping[date, DayCounts], rows: Sequence[Row], week: Week, is_known: bool, place: int = 0
) -> list[Item]:
    """Rows that somebody mentioned in the week, most first; without four weeks before, nothing is said of changes."""
    sums = Sums.of(days, rows, week.first, place)
    cells = [{"id": row.id} | sums.cell(n) for n, row in enumerate(rows)]
    if not is_known:
        cells = [cell | {"usual_share": None, "change": None} for cell in cells]
    mentioned = [cell for cell in cells if cell["persons_a_day"]]
    return sorted(mentioned, key=lambda cell: (-cell["persons_a_day"], cell["id"]))


def _risen(rows: Sequence[Item]) -> list[Item]:
    found = [row for row in rows if row["change"] is not None and row["change"] >= RISEN]
    return sorted(found, key=lambda row: (-row["change"], row["id"]))[:LISTED]


def _products() -> list[Row]:
    return [Row(one.id, one.name, key_number(Kind.PRODUCT, one.id)) for one in products().values()]


def _by_day(days: Mapping[date, DayCounts], country: str) -> list[Item]:
    row = [Row(country, "", key_number(Kind.PLACE, country))]
    return [
        {"day": day, "persons": int(Sums.of({day: counts}, row, day).persons[0]), "heard": counts.day_persons}
        for day, counts in sorted(days.items())
    ]


class _Before(NamedTuple):
    """Another market that had a trend's key before: since when."""

    market: str
    onset_at: datetime


def _trend(session: Session, item: Item, as_of: datetime, n: int) -> Item:
    """A line of the list, with its platforms; of the first ones also who led and who had it before."""
    carriers = answers.trend_authors(session, item["id"], as_of, "7d", limit=LED)
    told = {
        "on_platforms": carriers["platforms"],
        "carriers": None,
        "carriers_total": carriers["persons"],
        "before": None,
    }
    if n < TOLD:
        told["carriers"] = [_carrier(line) for line in carriers["items"]]
        told["before"] = [one._asdict() for one in _before(session, item, as_of)]
    return item | told


def _carrier(line: Item) -> Item:
    """A KOL who led, as reports name one."""
    who = line["author"]
    return {name: who[name] for name in ("person_id", "name", "handle", "platform", "follower_count")} | {
        "url": line["first_post_url"], "first_at": line["first_post_at"],
        **{name: line[name] for name in ("posts", "engagement", "share", "sponsored")},
    }  # fmt: skip


def _before(session: Session, item: Item, as_of: datetime) -> list[_Before]:
    rows = answers.trend_markets(session, item["id"], as_of, "7d")["items"]
    own = min((at for row in rows if row["is_own"] for at in row["onsets"]), default=item["onset_at"])
    found = [_Before(row["market"], row["onsets"][0]) for row in rows if row["onsets"] and not row["is_own"]]
    return sorted((one for one in found if one.onset_at < own), key=lambda one: one.onset_at)


def _source(count: store.WeekCount, week: Week) -> Item:
    """What a source gave; its lag is how long before the week's end it last had something."""
    return {
        "source": count.name, "persons": count.persons, "posts": count.posts, "last_post_at": count.last_post_at,
        "lag_seconds": max(0, int((week.end - count.last_post_at).total_seconds())),
    }  # fmt: skip


def _lead(session: Session, market_code: str, country: str) -> Item | None:
    """What the two markets' shared trends show of their order; None where the place is no market of the radar."""
    if country not in MARKETS or country == market_code:
        return None
    pair = {market_code, country}
    rows = answers.leads(session, market_code=market_code)["items"]
    return next((row for row in rows if {row["first"], row["second"]} == pair), None)
