"""Answers made short: what API and terminal answer in full, as much of it as a model should read."""

from collections.abc import Mapping, Sequence
from typing import Any

from radar.mcp import shapes

LINES = 20
POSTS = 5
_LINKS = 2
_POINTS = 14
_TEXT = 280
Answer = Mapping[str, Any]


def rounded(value: Any) -> Any:
    """A number to three significant digits, anything else as it is.

    >>> rounded(0.000123456), rounded(1234.5), rounded(None), rounded(7)
    (0.000123, 1230.0, None, 7)
    """
    return float(f"{value:.3g}") if isinstance(value, float) else value


def said(answer: Answer, message: str) -> str:
    """A message, after the warning where the data is invented.

    >>> said({"simulated": True}, "3 trends.")
    'Simulated data. 3 trends.'
    """
    return f"Simulated data. {message}" if answer["simulated"] else message


def clipped(text: str | None, most: int = _TEXT) -> str | None:
    """A text of at most so many characters.

    >>> clipped("a b  c", 4), clipped(None)
    ('a b…', None)
    """
    if text is None:
        return None
    plain = " ".join(text.split())
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"


def link(url: str | None) -> str | None:
    """An address a person may follow, or None.

    >>> link("https://example.com/1"), link("javascript:alert(1)")
    ('https://example.com/1', None)
    """
    return url if url and url.startswith(("https://", "http://")) else None


def post(row: Answer) -> shapes.Post:
    """A post as evidence."""
    author = row["author"]
    return shapes.Post(
        text=clipped(row["text"]), author=clipped(author["handle"] or author["name"], 60), platform=row["platform"],
        published_at=row["published_at"], link=link(row["url"]), sponsored=row["sponsored"],
    )  # fmt: skip


def line(item: Answer) -> shapes.TrendLine:
    """A line of a list of trends."""
    links = [url for row in item["evidence"] if (url := link(row["url"]))][:_LINKS]
    return shapes.TrendLine(
        id=item["id"], rank=item["rank"], name=item["name"], gloss=item["key"]["gloss"], kind=item["key"]["kind"],
        topic=item["topic"] and item["topic"]["id"], place=item["place_market"], stage=item["stage"],
        onset_at=item["onset_at"], sentence=item["sentence"], n=item["persons"], heard=item["heard"],
        lift=rounded(item["lift"]), lift_floor=rounded(item["lift_floor"]), q=rounded(item["q"]),
        window_start=item["window"]["start"], window_end=item["window"]["end"],
        narrow=[sign["sentence"] for sign in item["narrow"]] or None, links=links or None,
    )  # fmt: skip


def trends(answer: Answer) -> shapes.TrendList:
    """A list of trends."""
    window, heard, shadow = answer["window"] or {}, answer["coverage"], answer["shadow"]
    return shapes.TrendList(
        simulated=answer["simulated"], model_id=answer["model_id"], as_of=answer["as_of"],
        message=said(answer, answer["message"]), status=answer["status"], market=answer["market"],
        place=answer["place"], window_start=window.get("start"), window_end=window.get("end"), q=answer["q"],
        heard=heard["persons"], posts=heard["posts"], days=heard["days"], total=answer["total"],
        false_finds=shadow and shadow["sentence"], items=[line(item) for item in answer["items"]],
    )  # fmt: skip


def trend(answer: Answer) -> shapes.TrendTold:
    """One trend with its working."""
    complaints, season = answer["complaints"], answer["season"]
    curve = answer["curve"]
    points = [
        shapes.Point(start=p["start"], n=p["persons"], expected=rounded(p["expected"]), low=p["low"], high=p["high"])
        for p in curve["points"][-_POINTS:]
    ]
    working = shapes.Working(
        observed=rounded(answer["observed"]), expected=rounded(answer["expected"]), p=rounded(answer["p"]),
        tests=answer["tests"], score=rounded(answer["score"]), posts=answer["posts"], platforms=answer["platforms"],
        sponsored_share=rounded(answer["sponsored_share"]), complaints=complaints and complaints["sentence"],
        season=_season(season), bucket=curve["bucket"], curve=points, moments=len(answer["history"]),
    )  # fmt: skip
    return shapes.TrendTold(
        simulated=answer["simulated"], model_id=answer["model_id"], as_of=answer["as_of"],
        message=said(answer, f"{answer['name']}: {answer['sentence']}."), market=answer["market"],
        trend=line(answer).model_copy(update={"links": None}), working=working,
        stages=[shapes.StageChange(**change) for change in answer["stages"]],
        variants=[variant["name"] for variant in answer["variants"]][:POSTS],
        evidence=[post(row) for row in answer["evidence"][:POSTS]],
    )  # fmt: skip


def _season(season: Answer | None) -> str | None:
    return ", ".join(f"{name} {rounded(value)}" for name, value in season.items() if value) if season else None


def arrivals(answer: Answer) -> shapes.ArrivalList:
    """What is expected in a market."""
    model = answer["model"] or {}
    window = model.get("window", {})
    return shapes.ArrivalList(
        simulated=answer["simulated"], model_id=answer["model_id"], as_of=answer["as_of"],
        message=said(answer, answer["message"]), status=answer["status"], market=answer["market"],
        total=answer["total"], learnt_from=model.get("trends"), window_start=window.get("start"),
        window_end=window.get("end"), week_error=_week_error(model),
        items=[_arrival(item) for item in answer["items"]],
    )  # fmt: skip


def _week_error(model: Answer) -> dict[str, Any] | None:
    found = next((error for error in model.get("errors", ()) if error["days"] == 7), None)
    return {name: rounded(value) for name, value in found.items()} if found else None


def _arrival(item: Answer) -> shapes.Arrival:
    seen = [{name: rounded(one[name]) for name in ("market", "trend", "days_ago")} for one in item["seen"]]
    return shapes.Arrival(
        name=item["name"], gloss=item["key"]["gloss"], kind=item["key"]["kind"], sentence=item["sentence"],
        within={f"{p['days']:g}": rounded(p["probability"]) for p in item["probabilities"]},
        expected_at=item["expected_at"], low_at=item["low_at"], high_at=item["high_at"],
        seen=[shapes.SeenThere(**one) for one in seen], n=item["usual"] and item["usual"]["n"],
    )  # fmt: skip


def partners(answer: Answer) -> shapes.PartnerList:
    """Who to work with."""
    brief = answer["brief"]
    topics = [f"topic {t['id']} ({t['weight']:g})" for t in brief["topics"]]
    things = [f"product {p['name']}" for p in brief["products"]] + [f"place {p['name']}" for p in brief["places"]]
    way = [f"{end} {brief[end]}" for end in ("from", "to") if brief[end]]
    return shapes.PartnerList(
        simulated=answer["simulated"], model_id=answer["model_id"], as_of=answer["as_of"],
        message=said(answer, answer["message"]), read_as=[*topics, *things, *way, *answer["notes"]],
        looked_at=answer["looked_at"], left_out=answer["left_out"],
        review=[_named(item["author"]) for item in answer["review"]][:LINES],
        items=[_partner(item) for item in answer["items"]],
    )  # fmt: skip


def _named(author: Answer) -> str:
    who = author["name"] or author["handle"] or "unnamed"
    return f"{clipped(who, 60)} ({author['platform']} id {author['id']})"


def _partner(item: Answer) -> shapes.Partner:
    author, price = item["author"], item["price"]
    return shapes.Partner(
        rank=item["rank"], author_id=author["id"], name=clipped(author["name"] or author["handle"], 60) or "unnamed",
        platform=author["platform"], profile=link(author["url"]), market=author["market"]["code"],
        followers=author["follower_count"], tier=author["tier"], score=rounded(item["score"]),
        parts={part["name"]: rounded(part["value"]) for part in item["parts"]}, why=item["why"], mind=item["mind"],
        price=price and price["sentence"], evidence=[post(row) for row in item["posts"][:POSTS]],
    )  # fmt: skip


def coverage(answer: Answer) -> shapes.Coverage:
    """What is heard, the largest first, and what is wrong."""
    rows = sorted(answer["items"], key=lambda row: -row["posts"])
    posts, persons = sum(row["posts"] for row in rows), sum(row["persons"] for row in answer["markets"])
    troubles = [
        f"source {source['source']} is {source['state']}: {source['reason']}"
        for source in answer["sources"] if source["state"] != "ok"
    ] + [
        f"job {run['job']} {run['outcome']}: {run['error']}"
        for run in answer["runs"] if run["outcome"] in ("failed", "abandoned")
    ]  # fmt: skip
    told = f"{posts:,} posts, {persons:,} KOLs a day, by {len(rows)} lines of market and source."
    told = told if rows else "Nothing is stored."
    return shapes.Coverage(
        simulated=answer["simulated"], as_of=answer["now"], message=said(answer, told),
        total=len(rows), items=[_held(row) for row in rows[:LINES]],
        markets=[_market(row) for row in answer["markets"]],
        troubles=[clipped(trouble) or "" for trouble in troubles][:LINES],
    )  # fmt: skip


def _held(row: Answer) -> shapes.Held:
    return shapes.Held(
        market=row["market"], source=row["source"], persons=row["persons"], posts=row["posts"],
        last_post_at=row["last_post_at"], lag_hours=round(row["lag_seconds"] / 3600, 1), rejected=row["rejected"],
    )  # fmt: skip


def _market(row: Answer) -> shapes.MarketHeld:
    largest: Sequence[tuple[str, int]] = sorted(row["languages"].items(), key=lambda one: -one[1])[:POSTS]
    shadow = row["shadow"]
    return shapes.MarketHeld(
        market=row["market"], languages=dict(largest), unclassified=row["unclassified"],
        false_finds=shadow and shadow["sentence"],
    )  # fmt: skip
