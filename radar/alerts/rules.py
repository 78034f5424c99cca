"""What a rule waits for, and whether a change of stage is that. Pure, but for checking names."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from radar.answers.names import KINDS, UnknownFilter
from radar.answers.question import SCOPES, STAGES, Question, ask
from radar.errors import CallerError
from radar.keys import Kind, key_number
from radar.markets import MARKETS
from radar.store.answers import Seen
from radar.text.normalise import normalise
from radar.windows import Bucket

LANGUAGES = ("en", "zh-Hant", "ja", "ko", "th")
STAGES_TOLD = ("emerging", "rising", "peaking")
"""Stages that a rule tells of, if it names none."""
LONGEST_NAME, LONGEST_KEY = 120, 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of a rule; what is None or empty lets everything through.

    market      audience market;      place  a country, or a place inside one;      topic  a topic id
    key         a word or hashtag, as it is written; a trend that has it as a variant counts too
    kinds       of keys;              stages  that a trend has just come to
    q           at most;              lift_floor  at least
    watch_list  a named list: trends whose key is on it, or that a KOL of it carries
    scope       travel_shopping: only trends with a topic; all: also those without
    early       also what is found by the quarter hour
    """

    market: str | None = None
    place: str | None = None
    topic: str | None = None
    key: str | None = None
    kinds: tuple[str, ...] = ()
    stages: tuple[str, ...] = STAGES_TOLD
    q: float = 0.05
    lift_floor: float = 0.0
    watch_list: str | None = None
    scope: str = SCOPES[0]
    early: bool = True

    def stored(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Wanted":
        """Read it back; names that a later radar knows are passed over."""
        known = {f.name for f in fields(cls)}
        given: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in stored.items() if n in known}
        return cls(**given)

    @property
    def buckets(self) -> tuple[str, ...]:
        """Bucket lengths whose trends are told of."""
        return tuple(b.value for b in Bucket if self.early or b is not Bucket.QUARTER)


def checked(wanted: Wanted) -> Wanted:
    """The same with its names as the radar writes them. Raises CallerError that names the near ones."""
    asked = _asked(wanted)
    for stage in wanted.stages:
        _one_of("stage", stage, STAGES)
    for kind in wanted.kinds:
        _one_of("kind", kind, KINDS)
    if not wanted.lift_floor <= 1000:
        raise CallerError(f"lift_floor: {wanted.lift_floor:g} is no ratio from 0 to 1000.", "Ask for 1.5 or 2.")
    key = " ".join((wanted.key or "").split())
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise CallerError(f"key: expected up to {LONGEST_KEY} characters.", "Give a word or a #hashtag.")
    return Wanted(
        asked.market.code if wanted.market else None, asked.place_code, asked.topic, key or None,
        tuple(dict.fromkeys(wanted.kinds)), tuple(dict.fromkeys(wanted.stages)) or STAGES_TOLD, wanted.q,
        wanted.lift_floor, (wanted.watch_list or "").strip() or None, asked.scope, wanted.early,
    )  # fmt: skip


def _asked(wanted: Wanted) -> Question:
    return ask(
        market_code=wanted.market or next(iter(MARKETS)), place=wanted.place, topic=wanted.topic, q=wanted.q,
        lift=wanted.lift_floor, scope=wanted.scope,
    )  # fmt: skip


def checked_name(name: str) -> str:
    """A rule's name. Raises CallerError."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or "/" in name or name.isdecimal():
        said = f"A rule's name has 1 to {LONGEST_NAME} characters and no slash, and is no number."
        raise CallerError(said, "Give another name.")
    return name


def checked_language(code: str) -> str:
    """A language that messages can be in. Raises CallerError."""
    return _one_of("language", code, LANGUAGES)


def _one_of(kind: str, name: str, known: Sequence[str]) -> str:
    if name not in known:
        raise UnknownFilter(kind, name[:60], list(known))
    return name


def key_numbers(text: str) -> set[int]:
    """The keys that a text may stand for: a hashtag where it begins with #, else of any kind.

    >>> len(key_numbers("#Osaka")), key_number(Kind.TERM, "osaka") in key_numbers("Osaka")
    (1, True)
    """
    said = normalise(text)
    if said.startswith("#"):
        return {key_number(Kind.HASHTAG, said[1:])}
    return {key_number(kind, form) for kind in Kind for form in (said, text)}


Series = tuple[int, int]
"""A key, and the place it is about; 0: any."""


def own_series(seen: Seen) -> set[Series]:
    """What a trend is a trend of."""
    return {(seen.key_hash, seen.own_place), (seen.key_hash, seen.place)}


def members_of(seen: Seen) -> set[Series]:
    """The same, with its variants."""
    return own_series(seen) | {(v["key"], v["place"]) for v in seen.working["variants"]}


def fits(wanted: Wanted, seen: Seen, stage: str) -> bool:
    """Whether a trend that came to a stage is what a rule waits for; its watch list is not looked at here."""
    if stage not in wanted.stages or seen.bucket not in wanted.buckets:
        return False
    if wanted.market and seen.audience_market != wanted.market:
        return False
    if seen.q > wanted.q or seen.working["lift_floor"] < wanted.lift_floor:
        return False
    if wanted.topic and seen.topic_id != wanted.topic:
        return False
    if wanted.kinds and Kind(seen.kind).name.lower() not in wanted.kinds:
        return False
    keys = {key for key, _ in members_of(seen)}
    if wanted.key and not keys & key_numbers(wanted.key):
        return False
    if wanted.place:
        asked = _asked(wanted)
        if seen.place != asked.place or (asked.place_key is not None and asked.place_key not in keys):
            return False
    return wanted.scope == "all" or bool(wanted.key or wanted.watch_list) or seen.topic_id is not None
