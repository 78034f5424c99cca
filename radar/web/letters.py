"""Alerts in words: a message's subject, text and HTML in the language of its rule."""

from collections.abc import Mapping
from typing import Any

from radar.alerts.mail import Written
from radar.alerts.messages import Message, read_back
from radar.alerts.sending import Letter, Writer
from radar.answers import at_least
from radar.config import Settings
from radar.markets import MARKETS
from radar.web import words
from radar.web.languages import moment, number, say, speaking
from radar.web.navigation import N_

_STAGES = {
    "emerging": N_("%(name)s is emerging in %(market)s"), "rising": N_("%(name)s is rising in %(market)s"),
    "peaking": N_("%(name)s is peaking in %(market)s"), "fading": N_("%(name)s is fading in %(market)s"),
    "steady": N_("%(name)s is steady in %(market)s"),
    "recurring": N_("%(name)s comes back in %(market)s as every year"),
    "insufficient_history": N_("%(name)s has too little history in %(market)s"),
}  # fmt: skip


def public_base(settings: Settings) -> str:
    """Where people reach the pages: RADAR_PUBLIC_URL, else the address that is served at."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.public_url.rstrip("/") or f"http://{host}:{settings.port}"


def writer(settings: Settings) -> Writer:
    """What puts messages into words, with links to the pages of this radar."""

    def write(message: Message, language: str, rule: str, *, is_test: bool) -> Letter:
        return write_letter(message, language, rule, public_base(settings), is_test=is_test)

    return write


def write_letter(message: Message, language: str, rule: str, base: str, *, is_test: bool = False) -> Letter:
    """A message in words."""
    from radar.web.view import templates  # and what serves pages: most runs of alerts find nothing to write

    told = read_back(message)
    with speaking(language):
        url = f"{base}/trends/{told['id']}" if told["id"] else f"{base}/alerts"
        head, lede = headline(told), _sentence(told)
        marks = _marks(told, is_test)
        subject = f"{say('[Test]') + ' ' if is_test else ''}{head}: {words.sentence(told)}"
        rows, notes = facts(told), _notes(told)
        why = say("Sent by the rule “%(rule)s”: one message for each trend and stage.") % {"rule": rule}
        lines = [*marks, head, lede, "", *[f"{name}: {value}" for name, value in rows], "", *notes, "", url, "", why]
        html = templates.get_template("alert_mail.html").render(
            head=head, lede=lede, marks=marks, rows=rows, notes=notes, link=url, why=why, language_code=language
        )
        return Letter(Written(subject, "\n".join(lines) + "\n", html, language), url)


def headline(told: Mapping[str, Any]) -> str:
    """Which trend came to which stage where."""
    return say(_STAGES[told["stage"]]) % {
        "name": told["name"], "market": words.in_a_sentence(words.country(told["market"])),
    }  # fmt: skip


def _sentence(told: Mapping[str, Any]) -> str:
    said = words.sentence(told)
    return said[0].upper() + said[1:] + say(".")


def _marks(told: Mapping[str, Any], is_test: bool) -> list[str]:
    marks = [say("This is a test: nothing new was found.")] if is_test else []
    if told["simulated"]:
        marks.append(say("Simulated: every person and post behind this is invented; nothing of it happened."))
    return marks


def facts(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The figures of a message, each with its name."""
    zone = MARKETS[told["market"]].zone
    start, end = (moment(told["window"][name], zone) for name in ("start", "end"))
    rows = [(say("Market"), words.country(told["market"]))]
    if told["place_market"]:
        rows.append((say("About"), words.place(told["place_market"])))
    if told["topic"]:
        rows.append((say("Topic"), words.topic_called(told["topic"]["id"])))
    if meaning := words.gloss(told):
        rows.append((say("Meaning"), meaning))
    lift = say("×%(lift)s, at least ×%(floor)s") % {
        "lift": number(told["lift"], 1), "floor": number(at_least(told["lift_floor"]), 1),
    }  # fmt: skip
    kols = say("%(n)s of %(heard)s heard") % {"n": number(told["persons"]), "heard": number(told["heard"])}
    rows += [
        (say("Stage"), f"{words.called(told['stage'])} ({moment(told['since'], zone, True)} {words.city(zone)})"),
        (say("Window"), f"{start} – {end}"), (say("Lift"), lift), (say("KOLs"), kols),
        (say("Posts, platforms"), f"{words.posts(told['posts'])} · {words.platforms(told['platforms'])}"),
        ("q", words.small(told["q"])),
    ]  # fmt: skip
    if told["variants"]:
        rows.append((say("Also said as"), say(", ").join(v["name"] for v in told["variants"][:5])))
    return rows


def _notes(told: Mapping[str, Any]) -> list[str]:
    """What to know before it is repeated."""
    notes = []
    if told["listed_kols"]:
        notes.append(
            say("Carried by %(kols)s of the list “%(list)s”.")
            % {"kols": words.kols(told["listed_kols"]), "list": told["watch_list"]}
        )
    if told["complaints"]:
        notes.append(words.complaints(told["complaints"]) + say("."))
    notes += [say("Narrow: %(why)s.") % {"why": words.narrow(sign)} for sign in told["narrow"]]
    notes.append(
        say("Of many such messages some %(n)s in 100 tell of chance; that is no promise about this one.")
        % {"n": number(100 * told["q_asked"], 0 if (100 * told["q_asked"]).is_integer() else 1)}
    )
    if told["shadow_warning"]:
        notes.append(say("The last shadow run found more than twice that share: read this with care."))
    return notes
