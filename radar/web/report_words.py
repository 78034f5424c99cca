"""The weekly report in words: the values of `radar.reports.pair_report` as a document in the reader's language."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from radar import charts
from radar.answers import at_least
from radar.markets import MARKETS
from radar.text.gazetteer import products
from radar.web import words
from radar.web.document import Block, Cell, Document, Heading, Items, Paragraph, Picture, Table, cell
from radar.web.languages import language, number, percent, say, say_n
from radar.web.report_methods import methods
from radar.web.view import url

Report = Mapping[str, Any]


def report_title(market: str, place: str, week: str) -> str:
    """What a report is called."""
    year, _, n = week.partition("-W")
    return say("%(market)s about %(place)s, week %(n)s of %(year)s") % {
        "market": words.country(market), "place": words.in_a_sentence(words.country(place)), "n": number(int(n)),
        "year": year,
    }  # fmt: skip


def write_report(report: Report) -> Document:
    """The whole report."""
    blocks = [
        *_opening(report), *_platforms(report), *_trends(report), *_places(report), *_products(report),
        *_topics(report), *_leaders(report), *_expected(report), *methods(report),
    ]  # fmt: skip
    return Document(report_title(report["market"], report["place"], report["week"]), language(), blocks)


def _about(report: Report) -> str:
    return words.in_a_sentence(words.country(report["place"]))


def _is_known(report: Report) -> bool:
    return bool(report["status"] == "ok")


def _opening(report: Report) -> Iterator[Block]:
    heard = report["coverage"]
    yield Paragraph(
        say("%(first)s to %(last)s, days of %(city)s · %(kols)s heard, %(posts)s, %(platforms)s")
        % {
            "first": words.iso_day(report["first_day"]), "last": words.iso_day(report["last_day"]),
            "city": words.city(report["zone"]), "kols": words.kols(heard["persons"]),
            "posts": words.posts(heard["posts"]), "platforms": words.platforms(heard["platforms"]),
        },
        "lede",
    )  # fmt: skip
    if report["simulated"]:
        yield Paragraph(
            say("Simulated: every person and post behind this is invented; nothing of it happened."), "warning"
        )
    if not _is_known(report):
        yield Paragraph(_too_little(report), "warning")
    yield Heading(say("In short"))
    yield Items(list(_in_short(report)))
    if report["by_day"]:
        told = say("KOLs of 100 heard who mention %(place)s, day by day; the week in colour") % {
            "place": _about(report)
        }
        yield Picture(charts.as_svg(charts.place_days_chart(report, told, say=say)).decode(), told, is_over_time=True)


def _too_little(report: Report) -> str:
    return say(
        "Not enough history: %(n)s of %(days)s days are counted. No trend is told and nothing is compared until there "
        "is something to compare with."
    ) % {"n": number(report["coverage"]["days"]), "days": number(report["usual_days"])}


def _in_short(report: Report) -> Iterator[str]:
    yield _share_of_place(report)
    if report["trends"]:
        first = report["trends"][0]
        yield say("%(trends)s about %(place)s; the first is %(name)s (%(stage)s): %(sentence)s.") % {
            "trends": words.trends(report["total"]), "place": _about(report), "name": first["name"],
            "stage": words.called(first["stage"]), "sentence": words.sentence(first),
        }  # fmt: skip
    elif _is_known(report):
        yield _none_rose(report)
    risen = [words.topic_called(row["id"]) for row in report["topics"][:3]]
    if risen:
        yield say("More than usual of: %(topics)s.") % {"topics": " · ".join(risen)}
    yield _expected_in_short(report)


def _share_of_place(report: Report) -> str:
    row, values = report["about_place"], {"place": _about(report)}
    if row is None:
        return say("Nobody mentioned %(place)s.") % values
    values |= {"share": percent(row["share"], 1), "usual": percent(row["usual_share"], 1)}
    if row["change"] is None:
        return say("Of the KOLs heard on a day %(share)s mention %(place)s; how usual that is, is not known.") % values
    return (
        say("Of the KOLs heard on a day %(share)s mention %(place)s, against %(usual)s in the four weeks before.")
        % values
    )


def _none_rose(report: Report) -> str:
    return say("No trend about %(place)s rose beyond chance.") % {"place": _about(report)}


def _expected_in_short(report: Report) -> str:
    n = report["expected"]["total"]
    if report["expected"]["status"] != "ok":
        return say("What comes next is not forecast: see below why.")
    if not n:
        return _only_elsewhere(report)
    return say_n("%(n)s trend is expected next.", "%(n)s trends are expected next.", n) % {"n": number(n)}


def _only_elsewhere(report: Report) -> str:
    return say("Of what was seen in %(place)s nothing is expected; of other markets' trends %(n)s are.") % {
        "place": _about(report), "n": number(report["expected"]["from_elsewhere"]),
    }  # fmt: skip


def _platforms(report: Report) -> Iterator[Block]:
    yield Heading(say("Platform by platform"))
    about = _about(report)
    head = [
        say("Platform"), say("KOLs"), say("Posts"), say("KOLs about %(place)s") % {"place": about},
        say("Posts about %(place)s") % {"place": about},
    ]  # fmt: skip
    rows = [
        [cell(one["name"]), *(cell(number(one[name])) for name in ("persons", "posts", "place_persons", "place_posts"))]
        for one in report["platforms"]
    ]
    yield Table(say("The week on each platform, copies of posts included"), head, rows, frozenset({1, 2, 3, 4}))
    yield Paragraph(say("Platforms are never added up: who posts on two of them stands in both lines."), "note")


def _trend_cell(trend: Report, report: Report) -> Cell:
    tongue = MARKETS[trend["market"]].languages[0]
    address = url(f"/trends/{trend['id']}", as_of=report["as_of"].isoformat(), window="7d")
    return cell(trend["name"], words.gloss(trend) or "", address, tongue)


def _topic(trend: Report) -> str:
    return words.topic_called(trend["topic"]["id"]) if trend["topic"] else "—"


def _on_platforms(trend: Report) -> str:
    return " · ".join(f"{one['platform']} {number(one['persons'])}" for one in trend["on_platforms"])


def _trends(report: Report) -> Iterator[Block]:
    yield Heading(say("Trends"))
    if not report["trends"]:
        yield Paragraph(_none_rose(report) if _is_known(report) else _too_little(report))
        return
    head = ["#", say("Trend"), say("Topic"), say("Lift"), say("KOLs"), say("Stage"), say("KOLs by platform")]
    rows = [
        [
            cell(number(one["rank"])), _trend_cell(one, report), cell(_topic(one)),
            cell(f"×{number(one['lift'], 1)}", f"≥ ×{number(at_least(one['lift_floor']), 1)}"),
            cell(number(one["persons"])), cell(words.called(one["stage"])), cell(_on_platforms(one)),
        ]
        for one in report["trends"]
    ]  # fmt: skip
    if len(rows) < report["total"]:
        told = say("The first %(n)s of %(all)s, most certain and strongest first")
    else:
        told = say("Most certain and strongest first")
    told %= {"n": number(len(rows)), "all": number(report["total"])}
    yield Table(told, head, rows, frozenset({0, 3, 4}))
    yield Items([f"{one['name']}: {words.sentence(one)}" for one in report["trends"][:5]])


def _share_table(rows: Sequence[Report], caption: str, first: str, called: Any) -> Table:
    head = [first, say("KOLs a day"), say("Share"), say("Four weeks before"), say("Against before")]
    cells = [
        [
            called(row), cell(number(row["persons_a_day"], 1)), cell(percent(row["share"], 2)),
            cell(percent(row["usual_share"], 2)), cell(_change(row["change"])),
        ]
        for row in rows
    ]  # fmt: skip
    return Table(caption, head, cells, frozenset({1, 2, 3, 4}))


def _change(change: float | None) -> str:
    if change is None:
        return "—"
    mark = "▲ " if change >= 1.3 else "▼ " if change <= 0.7 else ""
    return f"{mark}×{number(change, 1)}"


def _places(report: Report) -> Iterator[Block]:
    yield Heading(say("Places in %(place)s") % {"place": _about(report)})
    rows = report["places"]
    if not rows:
        yield Paragraph(say("No place inside %(place)s was named.") % {"place": _about(report)})
        return
    told = say("Share of the KOLs heard on a day who name the place; the mark is the four weeks before")
    shares = [(words.place(row["id"]), row["share"], row["usual_share"]) for row in rows]
    yield Picture(charts.as_svg(charts.shares_chart(shares, told)).decode(), told)
    caption = say("The %(n)s named most of %(all)s places; a change is told from ten mentions on") % {
        "n": number(len(rows)), "all": number(report["places_total"]),
    }  # fmt: skip
    link = url(f"/markets/{report['market']}")
    yield _share_table(
        rows, caption, say("Place"), lambda row: cell(words.place(row["id"]), "", f"{link}?place={row['id']}")
    )


def _products(report: Report) -> Iterator[Block]:
    yield Heading(say("Products"))
    if report["product_trends"]:
        yield Items([f"{one['name']}: {words.sentence(one)}" for one in report["product_trends"]])
    elif _is_known(report):
        yield Paragraph(say("No product rose beyond chance."))
    if report["products"]:
        known = products()
        yield _share_table(
            report["products"], say("Products named in posts about %(place)s") % {"place": _about(report)},
            say("Product"), lambda row: cell(known[row["id"]].name, words.topic_called(known[row["id"]].topic_id)),
        )  # fmt: skip
    else:
        yield Paragraph(say("No product was named in posts about %(place)s.") % {"place": _about(report)})


def _topics(report: Report) -> Iterator[Block]:
    yield Heading(say("Rising topics"))
    if report["topic_trends"]:
        yield Items([f"{words.topic_called(t['key']['text'])}: {words.sentence(t)}" for t in report["topic_trends"]])
    if report["topics"]:
        caption = say(
            "Topics of posts about %(place)s that more KOLs than usual speak of; a rise here may be chance, "
            "unlike in the list of trends"
        ) % {"place": _about(report)}
        yield _share_table(report["topics"], caption, say("Topic"), lambda row: cell(words.topic_called(row["id"])))
    elif not report["topic_trends"]:
        told = say("No topic about %(place)s is above its four weeks before.") % {"place": _about(report)}
        yield Paragraph(told if _is_known(report) else _too_little(report))


def _leaders(report: Report) -> Iterator[Block]:
    yield Heading(say("Who led"))
    led = [one for one in report["trends"] if one["carriers"] is not None]
    head = [say("Trend"), say("First KOLs"), say("KOLs in all"), say("Markets before")]
    if led:
        rows = [
            [
                _trend_cell(one, report),
                cell(_first_kols(one)),
                cell(number(one["carriers_total"])),
                cell(_before(one, report)),
            ]
            for one in led
        ]
        yield Table(say("Who used it first since it came on, and where it came on before"), head, rows, frozenset({2}))
    else:
        yield Paragraph(say("No trend, so nobody led."))
    yield Paragraph(_lead(report))


def _first_kols(trend: Report) -> str:
    told = [f"{one['name'] or one['handle'] or one['person_id']} ({one['platform']})" for one in trend["carriers"]]
    return " · ".join(told) or "—"


def _before(trend: Report, report: Report) -> str:
    told = [f"{words.country(one['market'])} {words.day(one['onset_at'], report['zone'])}" for one in trend["before"]]
    return " · ".join(told) or say("none seen")


def _lead(report: Report) -> str:
    first, second = words.country(report["place"]), words.country(report["market"])
    found = report["lead"]
    if report["place"] == report["market"]:
        return say("A market has no lead over itself.")
    if report["place"] not in MARKETS:
        return say("KOLs of %(place)s are not heard here: who leads whom is not known.") % {"place": _about(report)}
    if found is None or not found["lead"]:
        return say("Between %(first)s and %(second)s no lead is shown.") % {"first": first, "second": second}
    return say("%(lead)s: %(share)s of %(n)s shared trends, by %(lag)s in the middle (as of now, over all topics).") % {
        "lead": words.lead(found), "share": percent(found["share_first"], 0), "n": number(found["shared"]),
        "lag": words.hours(found["median_lag_hours"]),
    }  # fmt: skip


def _expected(report: Report) -> Iterator[Block]:
    yield Heading(say("What is expected next"))
    found = report["expected"]
    if found["status"] != "ok":
        yield Paragraph(_no_forecast(found, report["zone"]))
        return
    if not found["items"]:
        yield Paragraph(_only_elsewhere(report))
        return
    head = [say("Trend"), say("Within a week"), say("Expected"), say("Seen before in")]
    tongue = MARKETS[report["market"]].languages[0]
    rows = [
        [
            cell(one["name"], one["key"]["gloss"] or "", None, tongue), cell(_within_a_week(one)),
            cell(f"{words.day(one['low_at'], report['zone'])} – {words.day(one['high_at'], report['zone'])}"),
            cell(" · ".join(f"{words.country(s['market'])} {words.ago(s['days_ago'])}" for s in one["seen"])),
        ]
        for one in found["items"]
    ]  # fmt: skip
    told = say("Seen in %(place)s and not here yet, as forecast on %(day)s") % {
        "place": _about(report), "day": words.day(found["as_of"], report["zone"]),
    }  # fmt: skip
    yield Table(told, head, rows, frozenset({1}))


def _within_a_week(one: Report) -> str:
    return percent(next((p["probability"] for p in one["probabilities"] if p["days"] == 7.0), None), 0)


def _no_forecast(found: Report, zone: str) -> str:
    if found["status"] == "not_fitted":
        return say("Nothing is forecast: the model of arrivals is not fitted yet.")
    if found["status"] == "not_kept" and found["since"] is None:
        return say("No forecast of the week's end was kept: each day's last forecast is kept from the next one on.")
    if found["status"] == "not_kept":
        return say(
            "No forecast of the week's end was kept: each day's last forecast is kept for %(n)s days, the first one "
            "here is of %(day)s."
        ) % {"n": number(found["kept_days"]), "day": words.day(found["since"], zone)}  # fmt: skip
    return say(
        "Nothing is forecast: forecasts of the past were no better than the rate at which this market is reached "
        "anyway, or nothing is known of its ways."
    )
