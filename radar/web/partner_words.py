"""Why a KOL fits a brief, in the reader's language: each part's sentence from the numbers that the answer gives."""

from collections.abc import Callable, Mapping
from typing import Any

from radar.kol.facts import ENOUGH
from radar.text import gazetteer
from radar.web import words
from radar.web.languages import language, number, percent, say, say_n
from radar.web.navigation import N_

Said = str | None
Numbers = Mapping[str, Any]

PARTS = {
    "topic": N_("topic"), "place": N_("place"), "market": N_("market"), "authenticity": N_("authenticity"),
    "engagement": N_("engagement"), "reach": N_("size of audience"), "saturation": N_("paid posts"),
    "early": N_("earliness"), "freshness": N_("freshness"),
}  # fmt: skip
_FILTERS = {
    "exclude_authors": N_("excluded KOLs"), "exclude_topics": N_("excluded topics"),
    "exclude_products": N_("excluded products"), "budget": N_("budget"),
}  # fmt: skip
SIGNALS = {
    "follower_step": N_("Largest unexplained gain of followers, in deviations"),
    "engagement_level": N_("Engagement per follower"), "comment_ratio": N_("Comments per like"),
    "engagement_spread": N_("Spread of engagement (variation / mean)"), "view_ratio": N_("Views per follower"),
    "repeated_share": N_("Share of repeated texts"), "posting_burst": N_("Most posts on a day / the median"),
}  # fmt: skip


def part_called(name: str) -> str:
    """A part of a score."""
    return say(PARTS[name]) if name in PARTS else name


def filter_called(name: str) -> str:
    """A filter that left KOLs out."""
    return say(_FILTERS[name]) if name in _FILTERS else name


def price_words(price: Mapping[str, Any]) -> str:
    """What a post may cost."""
    told = say("%(currency)s %(low)s–%(high)s a post, as of %(day)s") % {
        "currency": price["currency"], "low": number(price["low"]), "high": number(price["high"]),
        "day": words.iso_day(price["as_of"]),
    }  # fmt: skip
    return say("%(price)s (rule of thumb)") % {"price": told} if price["heuristic"] else told


def _and_then(told: str, more: str) -> str:
    """Two sentences; Chinese and Japanese put no space between them."""
    return f"{told}{'' if language() in ('zh-Hant', 'ja') else ' '}{more}"


def part_words(part: Mapping[str, Any], brief: Mapping[str, Any]) -> Said:
    """What a part says for a KOL or against; None for a part that has no words here."""
    said = _SAID.get(part["name"])
    return said(part["numbers"], part["value"], brief) if said else None


def _topic(n: Numbers, value: float | None, brief: Numbers) -> Said:
    if value is None:
        return say("Not known what its posts are about: none has been read.")
    if brief["topics"]:
        names = say(", ").join(words.topic_called(topic["id"]) for topic in brief["topics"])
        told = say("%(n)s of its last %(posts)s posts are about %(topics)s.") % {
            "n": number(n["on_topic"]), "posts": number(n["posts"]), "topics": names,
        }  # fmt: skip
    else:
        told = say("Its words are near the brief's.") if value >= 0.5 else say("Its words are far from the brief's.")
    for id, posts in n["products"].items():
        known = gazetteer.products().get(id)
        more = {"posts": words.posts(posts), "product": known.name if known else id}
        told = _and_then(told, say("%(posts)s name %(product)s.") % more)
    return told


def _place(n: Numbers, value: float | None, brief: Numbers) -> Said:
    if value is None:
        return say("Not known which places it speaks of: no post has been read.")
    told = {
        "n": number(n["about"]), "posts": number(n["posts"]), "both": number(n["on_topic_there"]),
        "place": words.in_a_sentence(words.place(brief["from"])),
    }  # fmt: skip
    if n["on_topic_there"]:
        return say("%(n)s of its last %(posts)s posts name %(place)s, %(both)s of them on the topic.") % told
    return say("%(n)s of its last %(posts)s posts name %(place)s.") % told


def _market(n: Numbers, value: float | None, brief: Numbers) -> Said:
    market = words.in_a_sentence(words.country(brief["to"]))
    if n["source"] == "inferred":
        return say("Its market is inferred, %(share)s sure.") % {"share": percent(n["confidence"], 0)}
    if n["source"] == "declared":
        told = say("It declares %(market)s as its audience.") % {"market": market}
    else:
        told = say("It is listed for %(market)s.") % {"market": market}
    others = n["posts"] - n["in_its_languages"]
    if (n["in_its_languages"] + 2) / (n["posts"] + 2) < 0.5:
        more = {"n": number(others), "posts": number(n["posts"])}
        yet = say("Yet %(n)s of %(posts)s posts are in another language: what is declared stands.") % more
        told = _and_then(told, yet)
    return told


def _authenticity(n: Numbers, value: float | None, brief: Numbers) -> Said:
    if value is None:
        return say("No authenticity signal could be computed yet.")
    odd = [
        say("%(signal)s (above %(share)s of peers)")
        % {"signal": say(SIGNALS.get(sign["name"], sign["name"])), "share": percent(sign["percentile"], 0)}
        for sign in n["signals"]
        if sign["stands_out"]
    ]
    if odd:
        return say("Look into: %(signals)s.") % {"signals": say(", ").join(odd)}
    return say("None of %(n)s authenticity signals stands out.") % {"n": number(len(n["signals"]))}


def _engagement(n: Numbers, value: float | None, brief: Numbers) -> Said:
    if value is None:
        return say("Its engagement is hidden, or too few posts are old enough.")
    if n["posts"] < ENOUGH:
        return say("Its engagement rests on %(posts)s: low confidence.") % {"posts": words.posts(n["posts"])}
    return say("It engages more than %(share)s of %(peers)s peers (%(rate)s, %(posts)s).") % {
        "share": percent(n["percentile"], 0), "peers": number(n["peers"]), "rate": percent(n["rate"]),
        "posts": words.posts(n["posts"]),
    }  # fmt: skip


def _reach(n: Numbers, value: float | None, brief: Numbers) -> Said:
    if value is None:
        return say("Its followers are not known.")
    told = say("%(n)s followers (%(tier)s).") % {
        "n": number(n["followers"]), "tier": words.called(n["tier"] or "unknown"),
    }  # fmt: skip
    if n["median_views"]:
        told = _and_then(told, say("About %(n)s views a video.") % {"n": number(n["median_views"])})
    return told


def _saturation(n: Numbers, value: float | None, brief: Numbers) -> Said:
    if value is None:
        return say("Not known how much of it is paid for.")
    told = say("%(share)s of %(posts)s are marked as paid.") % {
        "share": percent(n["sponsored_share"], 0), "posts": words.posts(n["posts"]),
    }  # fmt: skip
    if n["paid_lately"]:
        names = say(", ").join(n["paid_lately"][:3])
        told = _and_then(say("Paid posts within 30 days name %(names)s.") % {"names": names}, told)
    return told


def _early(n: Numbers, value: float | None, brief: Numbers) -> Said:
    if value is None:
        return say("Too few trends to say whether it is early (%(n)s).") % {"n": number(n["trends"])}
    return say("Early on %(trends)s: %(value)s, by chance %(null)s.") % {
        "trends": words.trends(n["trends"]), "value": number(n["value"], 2),
        "null": number(0.5 if n["null"] is None else n["null"], 2),
    }  # fmt: skip


def _freshness(n: Numbers, value: float | None, brief: Numbers) -> Said:
    if value is None:
        return say("No post of it is stored.")
    days = round(n["days"])
    told = say("Last posted today.") if days == 0 else (
        say_n("Last posted %(n)s day ago.", "Last posted %(n)s days ago.", days) % {"n": number(days)}
    )  # fmt: skip
    if n["posts_per_week"] is not None:
        told = _and_then(told, say("%(n)s posts a week.") % {"n": number(n["posts_per_week"], 1)})
    return told


_SAID: dict[str, Callable[[Numbers, float | None, Numbers], Said]] = {
    "topic": _topic, "place": _place, "market": _market, "authenticity": _authenticity, "engagement": _engagement,
    "reach": _reach, "saturation": _saturation, "early": _early, "freshness": _freshness,
}  # fmt: skip
