"""What answers say, in the reader's language: names, sentences, lengths and amounts."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from radar.answers import at_least
from radar.answers.gloss import gloss as key_gloss
from radar.answers.names import place_name, topic_names
from radar.keys import Kind
from radar.markets import MARKETS, PLACE_NUMBERS
from radar.text.gazetteer import places
from radar.web.languages import day as day_of
from radar.web.languages import language, locale, moment, number, percent, say, say_n
from radar.web.navigation import N_

WINDOWS = {
    "24h": N_("24 hours"), "3d": N_("3 days"), "7d": N_("7 days"), "30d": N_("30 days"), "90d": N_("90 days"),
}  # fmt: skip
BUCKETS = {"1h": N_("hour"), "1d": N_("day"), "15m": N_("quarter hour (for alerts)")}
SCOPES = {"travel_shopping": N_("travel and shopping"), "all": N_("everything")}
STAGES = {
    "emerging": N_("emerging"), "rising": N_("rising"), "peaking": N_("peaking"), "fading": N_("fading"),
    "steady": N_("steady"), "recurring": N_("recurring"), "insufficient_history": N_("insufficient history"),
}  # fmt: skip
KINDS = {
    "topic": N_("topic"), "hashtag": N_("hashtag"), "term": N_("word"), "place": N_("place"), "product": N_("product"),
    "tracked": N_("tracked"),
}  # fmt: skip
_SHORT = {
    "HK": {"zh-Hant": "香港", "ja": "香港", "ko": "홍콩", "th": "ฮ่องกง", "en": "Hong Kong"},
    "MO": {"zh-Hant": "澳門", "ja": "マカオ", "ko": "마카오", "th": "มาเก๊า", "en": "Macao"},
    "KR": {"zh-Hant": "韓國", "ja": "韓国", "ko": "한국"},
    "US": {"ja": "アメリカ"},
}
"""What people call them; CLDR has the long names only."""
_PARTS = (
    (5, N_("night")), (12, N_("morning")), (17, N_("afternoon")), (22, N_("evening")), (24, N_("night")),
)  # fmt: skip
_NARROW = {
    "same_words": N_("%(share)s of these KOLs posted nearly the same text"),
    "same_taste": N_("%(share)s of these KOLs post the same about everything else too"),
    "same_minutes": N_("%(share)s of these KOLs posted within the same ten minutes"),
    "new_accounts": N_("%(share)s of these accounts are new to us, far more than usual here"),
}
_TIERS = {
    "nano": N_("nano"), "micro": N_("micro"), "mid": N_("mid"), "macro": N_("macro"), "mega": N_("mega"),
    "below": N_("below 1,000 followers"), "unknown": N_("followers unknown"),
}  # fmt: skip
_TONES = {"negative": N_("negative"), "neutral": N_("neutral"), "positive": N_("positive")}
_OUTCOMES = {"ok": N_("ok"), "running": N_("running"), "failed": N_("failed"), "abandoned": N_("abandoned")}
_STATES = {"ok": N_("ok"), "paused": N_("paused"), "waiting": N_("waiting"), "failing": N_("failing")}
_SOURCES = {
    "declared": N_("declared"), "inferred": N_("inferred"), "import": N_("from an import"),
    "source": N_("from the source"),
}  # fmt: skip
_GROUPS = {"all": N_("all topics"), "travel": N_("travel"), "shop": N_("shopping")}
_DECISIONS = {
    "mute": N_("muted"), "hold": N_("held back"), "rename": N_("renamed"), "merge": N_("merged"), "undo": N_("undone"),
}  # fmt: skip
_NAMED = STAGES | KINDS | SCOPES | BUCKETS | WINDOWS | _TIERS | _TONES | _OUTCOMES | _STATES | _SOURCES


def called(name: str) -> str:
    """A word of the radar's own, as a stage or a kind, in the reader's language."""
    return say(_NAMED[name]) if name in _NAMED else name


def country(code: str) -> str:
    """A country's name as the reader's language has it; English keeps the names that the API uses."""
    if language() == "en" and place_name(code) != code:
        return place_name(code)
    return _SHORT.get(code, {}).get(language()) or str(locale().territories.get(code, code))


def place(code: str) -> str:
    """A country's or a narrower place's name."""
    if code in PLACE_NUMBERS:
        return country(code)
    found = places().get(code)
    return (found.names.get(language()) or found.names.get("en") or code) if found else code


def in_a_sentence(name: str) -> str:
    """A country's name as an English sentence takes it.

    >>> in_a_sentence("United States"), in_a_sentence("Japan")
    ('the United States', 'Japan')
    """
    needs = language() == "en" and (name.startswith("United ") or name == "Philippines")
    return f"the {name}" if needs else name


def topic_called(topic_id: str) -> str:
    """A topic's name."""
    names = topic_names().get(topic_id, {})
    return names.get(language()) or names.get("en") or topic_id


def gloss(trend: Mapping[str, Any]) -> str | None:
    """What a key means to someone who does not read it; None where the name says so already."""
    key = trend["key"]
    told = key["gloss"]
    if key["kind"] == "place":
        told = place(key["text"])
    elif key["kind"] == "topic":
        told = topic_called(key["text"])
    elif key["text"]:
        known = key_gloss(Kind[key["kind"].upper()], key["text"], MARKETS[trend["market"]].languages[0], language())
        told = known or (told if key["kind"] == "product" and language() == "en" else None)
    return None if told == trend["name"] else told


def sentence(trend: Mapping[str, Any]) -> str:
    """What a person can repeat of a trend."""
    floor = at_least(trend["lift_floor"])
    zone = MARKETS[trend["market"]].tz
    when = when_words(trend["window"]["start"].astimezone(zone), trend["window"]["end"].astimezone(zone))
    if floor > 1:
        lift = say("at least %(lift)s× the usual %(when)s") % {"lift": number(floor, 1), "when": when}
    else:
        lift = say("likely %(lift)s× the usual %(when)s") % {"lift": number(trend["lift"], 1), "when": when}
    return say(", ").join([lift, kols(trend["persons"]), platforms(trend["platforms"])])


def when_words(start: datetime, end: datetime) -> str:
    """A window in words, by local time."""
    length = end - start
    if length > timedelta(hours=25):
        n = round(length / timedelta(days=1))
        return say_n("for %(n)s day", "for %(n)s days", n) % {"n": number(n)}
    weekday = locale().days["format"]["wide"]
    if length > timedelta(hours=6):
        return (
            say("for a %(weekday)s") % {"weekday": weekday[start.weekday()]} if start.hour == 0 else say("for 24 hours")
        )
    middle = start + length / 2
    part = next(name for hour, name in _PARTS if middle.hour < hour)
    return say("for a %(weekday)s %(part)s") % {"weekday": weekday[middle.weekday()], "part": say(part)}


def kols(n: int) -> str:
    """So many KOLs."""
    return say_n("%(n)s KOL", "%(n)s KOLs", n) % {"n": number(n)}


def posts(n: int) -> str:
    """So many posts."""
    return say_n("%(n)s post", "%(n)s posts", n) % {"n": number(n)}


def platforms(n: int) -> str:
    """So many platforms."""
    return say_n("%(n)s platform", "%(n)s platforms", n) % {"n": number(n)}


def trends(n: int) -> str:
    """So many trends."""
    return say_n("%(n)s trend", "%(n)s trends", n) % {"n": number(n)}


def complaints(found: Mapping[str, Any]) -> str:
    """How many of some posts blame."""
    return say("share of complaints %(share)s of %(posts)s") % {
        "share": percent(found["share"], 0), "posts": posts(found["posts"]),
    }  # fmt: skip


def narrow(sign: Mapping[str, Any]) -> str:
    """Why a trend is called narrow."""
    return say(_NARROW[sign["reason"]]) % {"share": percent(sign["share"], 0)}


def shadow(found: Mapping[str, Any], zone: str) -> str:
    """What the last shadow run says beside a list."""
    told = say(
        "Shadow run to %(day)s: where there can be no trend %(false)s were found (%(false_a_day)s a day), beside "
        "%(trends)s found as things are (%(trends_a_day)s a day)."
    ) % {
        "day": format_day(found["last_day"], zone),
        "false": number(found["shadow_trends"], 0 if float(found["shadow_trends"]).is_integer() else 1),
        "false_a_day": number(found["shadow_trends_a_day"], 2),
        "trends": number(found["trends"]),
        "trends_a_day": number(found["trends_a_day"], 2),
    }
    if found["warning"]:
        told += " " + say("That is more than twice the nominal share: read this list with care.")
    return told


def decision(one: Mapping[str, Any]) -> str:
    """What an editor decided.

    >>> decision({"action": "rename", "name": "Donki", "scope": "trend"})
    'renamed to Donki'
    """
    if one["action"] == "rename":
        return say("renamed to %(name)s") % {"name": one["name"]}
    if one["action"] == "mute" and one["scope"] == "key":
        return say("muted whenever it comes")
    return say(_DECISIONS[one["action"]])


def forms_in(forms: Iterable[Mapping[str, Any]], code: str | None) -> str:
    """A tracked key's forms in a language, as its field holds them; the name itself is none of them.

    >>> forms_in([{"language": "ja", "text": "ドンキ"}, {"language": None, "text": "Donki"}], "ja")
    'ドンキ'
    """
    return ", ".join(form["text"] for form in forms if form["language"] == code)


def span(seconds: int) -> str:
    """A length of time in its largest unit.

    >>> span(59), span(7300), span(200_000)
    ('59 s', '2 h', '2 d')
    """
    for unit, size in ((N_("%(n)s d"), 86_400), (N_("%(n)s h"), 3_600), (N_("%(n)s min"), 60)):
        if seconds >= size:
            return say(unit) % {"n": number(seconds // size)}
    return say("%(n)s s") % {"n": number(seconds)}


def hours(n: float) -> str:
    """A length of so many hours."""
    return say("%(n)s h") % {"n": number(n)}


def ago(days: float) -> str:
    """How long something is past.

    >>> ago(2.46), ago(0.2)
    ('2 d ago', '4 h ago')
    """
    return say("%(time)s ago") % {"time": span(max(3_600, int(86_400 * days)))}


def group_called(name: str) -> str:
    """A group of topics."""
    return say(_GROUPS[name]) if name in _GROUPS else name


def lead(found: Mapping[str, Any]) -> str:
    """What a pair of markets shows."""
    if found["lead"]:
        return say("%(first)s before %(second)s") % {
            "first": country(found["first"]), "second": country(found["second"]),
        }  # fmt: skip
    return say("too few shared trends") if found["q"] is None else say("no lead shown")


def window_words(text: str) -> str:
    """A window as asked for, in words.

    >>> window_words("7d"), window_words("36h"), window_words("1w")
    ('7 days', '36 hours', '1 week')
    """
    n, unit = int(text.strip()[:-1]), text.strip()[-1].lower()
    many = {
        "h": say_n("%(n)s hour", "%(n)s hours", n), "d": say_n("%(n)s day", "%(n)s days", n),
        "w": say_n("%(n)s week", "%(n)s weeks", n),
    }  # fmt: skip
    return many[unit] % {"n": number(n)}


# ---- times and amounts ----


def local(at: datetime | None, zone: str = "UTC", with_year: bool = False) -> str:
    """An instant as a market's people read it."""
    return "—" if at is None else moment(at, zone, with_year)


def day(at: datetime, zone: str) -> str:
    """The local day of an instant."""
    return day_of(at, zone)


def format_day(on: Any, zone: str) -> str:
    """A local day."""
    return day(datetime(on.year, on.month, on.day, 12, tzinfo=ZoneInfo(zone)), zone)


def iso_day(text: Any) -> str:
    """A calendar day of its ISO text, with the year.

    >>> iso_day("2026-11-01")
    '1 Nov 2026'
    """
    return day_of(datetime.fromisoformat(str(text)[:10]).replace(hour=12, tzinfo=ZoneInfo("UTC")), "UTC", True)


def on_day(on: Any) -> str:
    """A calendar day."""
    return format_day(on, "UTC")


def city(zone: str) -> str:
    """What a zone's local time is called after."""
    from babel.dates import get_timezone_location

    if language() == "en" or zone == "UTC":
        return zone.rpartition("/")[2].replace("_", " ")
    return str(get_timezone_location(ZoneInfo(zone), locale=locale(), return_city=True))


def share(value: float | None) -> str:
    return percent(value, 0)


def small(value: float) -> str:
    """A probability short enough for a table.

    >>> small(0.0312), small(0.00000021)
    ('0.031', '2.1e-07')
    """
    return f"{value:.2g}" if value >= 1e-3 or value == 0 else f"{value:.1e}"


def count(value: float | None) -> str:
    return say("hidden") if value is None else number(value)


def measured(value: float | None, name: str) -> str:
    """A measure of a KOL as people read it: a rate as a percentage, others as numbers."""
    if name not in ("posts_per_week", "early"):
        return percent(value)
    return "—" if value is None else number(value, 2)
