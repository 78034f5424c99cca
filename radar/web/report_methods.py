"""Methods and coverage of a weekly report in words: what its figures rest on, and what they do not."""

from collections.abc import Iterator, Mapping
from typing import Any

from radar.web import words
from radar.web.document import Block, Heading, Items, Paragraph, Table, cell
from radar.web.languages import number, say
from radar.web.navigation import N_

_GAPS = {
    "history": N_("%(n)s days of history are too few for trends and changes."),
    "end": N_("The week was not read to its end when this was made."),
    "snapshots": N_("Snapshots older than %(n)s days are dropped: trends of this week may be missing."),
    "hours": N_("Hourly snapshots of this week are dropped: trends stand at their best moment of a day."),
    "unread": N_("%(n)s posts of the week wait to be read and count for nothing yet."),
    "one_platform": N_("There is only one platform: %(names)s."),
    "silent": N_("Nothing came of the week's last day from: %(names)s."),
    "paused": N_("Paused sources: %(names)s."),
    "shadow": N_("No shadow run of this market yet: how much of this is chance is only known in theory."),
    "forecast": N_("There is no forecast of what comes next."),
}


def methods(report: Mapping[str, Any]) -> Iterator[Block]:
    """How it was made, by source, and what is missing."""
    heard = report["coverage"]
    yield Heading(say("Methods and coverage"))
    told = [
        say("Window: %(start)s to %(end)s (%(city)s), trends as of its end.")
        % {
            "start": words.local(report["window"]["start"], report["zone"], True),
            "end": words.local(report["window"]["end"], report["zone"], True), "city": words.city(report["zone"]),
        },
        say("Baseline: a trend's own past; for shares the %(days)s days before the week.")
        % {"days": number(report["usual_days"])},
        say("At most %(n)s in 100 trends are chance, taken over many lists (q = %(q)s).")
        % {"n": number(100 * report["q"]), "q": number(report["q"], 2)},
        say("Topics by the model %(model)s.") % {"model": report["model_id"]},
        say("Sample: %(kols)s and %(posts)s of %(counted)s days counted in the week; %(days)s days counted in all.")
        % {
            "kols": words.kols(heard["persons"]), "posts": words.posts(heard["posts"]),
            "counted": number(report["days_counted"]), "days": number(heard["days"]),
        },
        say("A KOL counts once a day for each key; changes are told from ten mentions on."),
    ]  # fmt: skip
    if report["shadow"]:
        told.append(words.shadow(report["shadow"], report["zone"]))
    yield Items(told)
    yield _sources(report)
    yield Heading(say("What is missing"))
    gaps = [_gap(gap) for gap in report["missing"]]
    yield Items(gaps) if gaps else Paragraph(say("Nothing that is known of."))


def _sources(report: Mapping[str, Any]) -> Table:
    head = [say("Source"), say("KOLs"), say("Posts"), say("Last post"), say("Lag")]
    rows = [
        [
            cell(one["source"]), cell(number(one["persons"])), cell(number(one["posts"])),
            cell(words.local(one["last_post_at"], report["zone"])), cell(words.span(one["lag_seconds"])),
        ]
        for one in report["sources"]
    ]  # fmt: skip
    told = say("Posts of the week by source; lag is from its last post to the week's end")
    return Table(told, head, rows, frozenset({1, 2, 3, 4}))


def _gap(gap: Mapping[str, Any]) -> str:
    return say(_GAPS[gap["what"]]) % {"n": number(gap["n"] or 0), "names": " · ".join(gap["names"])}
