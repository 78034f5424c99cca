"""What is asked: filters checked and put in one form, and the cursor that goes on from a page."""

import base64
import binascii
import hashlib
import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from radar.answers.names import KINDS, UnknownFilter, taxonomy
from radar.answers.ordering import one_order
from radar.errors import CallerError
from radar.keys import Kind, key_number
from radar.markets import PLACE_NUMBERS, Market, day_start, market
from radar.text.gazetteer import places
from radar.trends.stages import Stage
from radar.windows import RANKED, Bucket

STAGES = tuple(stage.value for stage in Stage)
RANK = "rank"
SORTS = (
    RANK, "score", "lift", "lift_floor", "p", "q", "observed", "expected", "persons", "posts", "platforms", "onset_at",
    "seen_at",
)  # fmt: skip
"""What a list of trends can be sorted by."""
Order = tuple[str, bool]
"""A column, and whether it descends."""
SCOPES = ("travel_shopping", "all")
CURATED = ("shown", "all")
MAX_LIMIT = 100
LONGEST = timedelta(days=400)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Question:
    """Filters as checked.

    place      number of a place market, 0: any
    place_key  key of a narrower place, where one is asked for
    """

    market: Market
    place: int
    place_key: int | None
    place_code: str | None
    topic: str | None
    kind: Kind | None
    stage: str | None
    window: str
    length: timedelta
    q: float
    lift: float
    scope: str
    bucket: Bucket | None
    sort: Order = (RANK, False)
    curated: str = CURATED[0]

    @property
    def buckets(self) -> tuple[Bucket, ...]:
        """The bucket lengths whose trends are listed."""
        return (self.bucket,) if self.bucket else RANKED

    @property
    def mark(self) -> str:
        """A short print of the filters: a cursor belongs to one set of them."""
        told = (
            self.market.code, self.place_code, self.topic, self.kind, self.stage, self.window, self.q, self.lift,
            self.scope, self.bucket, self.curated, *(self.sort if self.sort != (RANK, False) else ()),
        )  # fmt: skip
        return hashlib.sha256(repr(told).encode()).hexdigest()[:10]


def ask(
    *,
    market_code: str,
    place: str | None = None,
    topic: str | None = None,
    kind: str | None = None,
    stage: str | None = None,
    window: str | None = None,
    q: float = 0.05,
    lift: float | None = None,
    scope: str | None = None,
    bucket: str | None = None,
    sort: str | None = None,
    curated: str | None = None,
) -> Question:
    """Check filters; an empty text is no filter. Raises UnknownName or CallerError that names the near ones."""
    about = market(market_code)
    code, number, narrow = _place(place)
    if topic:
        _one_of("topic", topic, taxonomy().ids)
    if not 0 < q <= 1:
        raise CallerError(f"q: {q:g} is not a share in (0, 1].", "Ask for q=0.05: some 5 in 100 are chance.")
    if lift is not None and not (math.isfinite(lift) and lift >= 0):
        raise CallerError(f"lift: {lift:g} is not a ratio of at least 0.", "Ask for lift=2: twice the usual.")
    return Question(
        market=about,
        place=number,
        place_key=narrow,
        place_code=code,
        topic=topic or None,
        kind=Kind[_one_of("kind", kind.lower(), KINDS).upper()] if kind else None,
        stage=_one_of("stage", stage.lower(), STAGES) if stage else None,
        window=window or "7d",
        length=parse_window(window or "7d"),
        q=q,
        lift=lift or 0.0,
        scope=_one_of("scope", scope.lower(), SCOPES) if scope else SCOPES[0],
        bucket=Bucket(_one_of("bucket", bucket.lower(), [b.value for b in Bucket])) if bucket else None,
        sort=one_order(sort, SORTS, RANK),
        curated=_one_of("curated", curated.lower(), CURATED) if curated else CURATED[0],
    )


def _one_of(kind: str, name: str, known: "list[str] | tuple[str, ...]") -> str:
    if name not in known:
        raise UnknownFilter(kind, name[:60], list(known))
    return name


def _place(text: str | None) -> tuple[str | None, int, int | None]:
    """(code, number of its country, key of a narrower place); a country needs no key of its own."""
    if not text:
        return None, 0, None
    by_fold = {code.casefold(): code for code in (*PLACE_NUMBERS, *places())}
    code = by_fold.get(text.casefold())
    if code is None:
        country = text[:2].upper()
        mine = [c for c in by_fold.values() if c.startswith(country)] if len(text) > 2 else []
        near = get_close_matches(text, mine, n=3, cutoff=0.3)
        raise UnknownFilter("place", text[:60], near + [c for c in by_fold.values() if c not in near])
    if code in PLACE_NUMBERS:
        return code, PLACE_NUMBERS[code], None
    found = places()[code]
    return code, PLACE_NUMBERS[found.country], key_number(Kind.PLACE, code)


def parse_window(text: str) -> timedelta:
    """The length of a window given as 24h, 7d or 4w. Raises CallerError.

    >>> parse_window("36h")
    datetime.timedelta(days=1, seconds=43200)
    """
    found = re.fullmatch(r"([0-9]{1,5})([hdw])", text.strip().lower())
    length = int(found[1]) * _UNITS[found[2]] if found else timedelta(0)
    if not timedelta(0) < length <= LONGEST:
        raise CallerError(
            f"window: '{text[:40]}' is no length of time from 1h to {LONGEST.days}d.", "Ask for 24h, 3d, 7d or 30d."
        )
    return length


def window_words(text: str) -> str:
    """A window in words.

    >>> window_words("7d"), window_words("24h"), window_words("1w")
    ('7 days', '24 hours', '1 week')
    """
    n, unit = int(text.strip()[:-1]), {"h": "hour", "d": "day", "w": "week"}[text.strip()[-1].lower()]
    return f"{n} {unit}{'' if n == 1 else 's'}"


def parse_as_of(text: str | None, zone: ZoneInfo, *, name: str = "as_of") -> datetime | None:
    """A moment to look back from: ISO 8601 with its zone, or a local day, whose end is meant. Raises CallerError.

    >>> parse_as_of("2026-11-22", ZoneInfo("Asia/Taipei")).isoformat()
    '2026-11-22T16:00:00+00:00'
    """
    if not text:
        return None
    wrong = CallerError(
        f"{name}: '{text[:40]}' is neither a time with its zone nor a day.",
        "Ask for 2026-11-22T14:00:00Z or 2026-11-22.",
    )
    try:
        if len(text) <= 10:
            at = day_start(date.fromisoformat(text) + timedelta(days=1), zone)
        else:
            at = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)  # a bare + in a URL is a space
            if at.tzinfo is None:
                raise wrong
            at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong from None
    if not 1970 <= at.year < 9000:
        raise wrong
    return at


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: goes on after (group, number to sort by, episode) of the same list as of the same moment."""

    as_of: datetime
    mark: str
    group: int
    number: float
    episode: int

    @property
    def position(self) -> tuple[int, float, int]:
        """Where the page's last line stands."""
        return self.group, self.number, self.episode

    def to_text(self) -> str:
        parts = [self.as_of.timestamp(), self.mark, *self.position]
        return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str, question: Question) -> "Cursor":
        """Read a cursor back. Raises CallerError when it is none, or another question's."""
        hint = "Take `next` of the page before as it is, with the same filters; or leave cursor out to begin again."
        try:
            parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            at, mark, group, number, episode = parts
            moment = datetime.fromtimestamp(float(at), UTC)
            found = cls(moment, str(mark), int(group), float(number), int(episode))
        except (ValueError, TypeError, OverflowError, OSError, binascii.Error, RecursionError):
            raise CallerError("cursor: this is no cursor.", hint) from None
        if found.mark != question.mark:
            raise CallerError("cursor: it belongs to a list with other filters.", hint)
        return found
