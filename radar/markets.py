"""Markets: whom an author speaks to, or where a thing is. One time zone and a first language each."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from radar.errors import UnknownName


@dataclass(frozen=True, slots=True)
class Market:
    """A country or territory by its ISO 3166-1 alpha-2 code.

    number     ISO 3166-1 numeric code: the compact form in stored counts; 0 stands for "all places"
    languages  BCP 47 tags its people post in, the most usual first
    zone       the one time zone of its local days
    """

    code: str
    number: int
    name: str
    languages: tuple[str, ...]
    zone: str

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


MARKETS: dict[str, Market] = {
    m.code: m
    for m in (
        Market("TW", 158, "Taiwan", ("zh-Hant",), "Asia/Taipei"),
        Market("JP", 392, "Japan", ("ja",), "Asia/Tokyo"),
        Market("KR", 410, "South Korea", ("ko",), "Asia/Seoul"),
        Market("HK", 344, "Hong Kong", ("zh-Hant", "en"), "Asia/Hong_Kong"),
        Market("TH", 764, "Thailand", ("th",), "Asia/Bangkok"),
        Market("SG", 702, "Singapore", ("en",), "Asia/Singapore"),
        Market("MY", 458, "Malaysia", ("en",), "Asia/Kuala_Lumpur"),
        Market("US", 840, "United States", ("en",), "America/New_York"),
    )
}
"""Audience markets the radar ranks trends for."""

PLACE_NUMBERS: dict[str, int] = {m.code: m.number for m in MARKETS.values()} | {
    "CN": 156, "VN": 704, "FR": 250, "GB": 826, "AU": 36, "IT": 380, "ID": 360, "PH": 608, "MO": 446,
}  # fmt: skip
"""ISO 3166-1 numeric codes of the countries a post can be about."""

PLACE_CODES: dict[int, str] = {number: code for code, number in PLACE_NUMBERS.items()}


def market(code: str) -> Market:
    """The market of that code.

    Raises UnknownName.

    >>> market("tw").name
    'Taiwan'
    """
    found = MARKETS.get(code.upper())
    if found is None:
        raise UnknownName("market", code, list(MARKETS))
    return found


def place_number(code: str | None) -> int:
    """Numeric code of a place market, 0 for None. Raises UnknownName."""
    if not code:
        return 0
    number = PLACE_NUMBERS.get(code.upper())
    if number is None:
        raise UnknownName("place market", code, list(PLACE_NUMBERS))
    return number


def market_pairs(text: str) -> list[tuple[str, str]]:
    """Pairs of an audience market and a place market, as a setting has them. Raises ValueError.

    >>> market_pairs("TW>JP, kr>jp")
    [('TW', 'JP'), ('KR', 'JP')]
    """
    pairs: dict[tuple[str, str], None] = {}
    for part in text.replace(";", ",").split(","):
        if part.strip():
            first, _, second = (word.strip().upper() for word in part.partition(">"))
            if first not in MARKETS or second not in PLACE_NUMBERS:
                raise ValueError(f"'{part.strip()[:40]}' is no market and place; write pairs as TW>JP,KR>JP")
            pairs[first, second] = None
    return list(pairs)


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The calendar day of an instant in a zone.

    >>> local_day(datetime(2026, 11, 22, 16, 30, tzinfo=UTC), ZoneInfo("Asia/Taipei"))
    datetime.date(2026, 11, 23)
    """
    return at.astimezone(zone).date()


@lru_cache(4096)
def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The UTC instant at which a local day begins.

    >>> day_start(date(2026, 11, 23), ZoneInfo("Asia/Tokyo")).isoformat()
    '2026-11-22T15:00:00+00:00'
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)


def day_hours(day: date, zone: ZoneInfo) -> list[datetime]:
    """The starts of a local day's hours in UTC: 24, or 23 and 25 where clocks change.

    >>> len(day_hours(date(2026, 11, 1), ZoneInfo("America/New_York")))
    25
    """
    start, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    return [start + timedelta(hours=h) for h in range(int((end - start) / timedelta(hours=1)))]
