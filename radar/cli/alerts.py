"""radar alerts: rules, what they told, and dead letters, on the terminal."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from radar.cli.app import console, open_engine
from radar.cli.trends import Format
from radar.errors import CallerError, RadarError
from radar.markets import MARKETS

alerts = typer.Typer(
    help="Who is told what: alert rules, what they told, how it was delivered, and dead letters.",
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
)  # fmt: skip

RuleName = Annotated[str, typer.Argument(help="A rule's name or id.")]
Shown = Annotated[Format, typer.Option(help="table or json.")]


class NotDelivered(RadarError):
    """A test message that did not arrive everywhere."""

    slug = "not-delivered"


@alerts.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What to call the rule.")],
    market: Annotated[str | None, typer.Option(help=f"Audience market: {', '.join(MARKETS)}.")] = None,
    place: Annotated[str | None, typer.Option(help="Place, as JP or JP-27.")] = None,
    topic: Annotated[str | None, typer.Option(help="Topic, as shop.drugstore.")] = None,
    key: Annotated[str | None, typer.Option(help="A word, or a #hashtag.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="topic, hashtag, term, place or product; repeatable.")] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option(help="A stage that a trend has come to; repeatable. Else emerging, rising, peaking."),
    ] = None,
    q: Annotated[float, typer.Option(help="Share of chance finds accepted, at most.")] = 0.05,
    lift: Annotated[float, typer.Option(help="Least floor of the lift.")] = 0.0,
    watch_list: Annotated[str | None, typer.Option("--list", help="A watch list of keys and KOLs.")] = None,
    scope: Annotated[str, typer.Option(help="travel_shopping, or all: also without a topic.")] = "travel_shopping",
    early: Annotated[bool, typer.Option("--early/--not-early", help="Also what is found by the quarter hour.")] = True,
    language: Annotated[str, typer.Option(help="Of the messages: en, zh-Hant, ja, ko or th.")] = "en",
    webhook: Annotated[list[str] | None, typer.Option(help="A web address to POST to, signed; repeatable.")] = None,
    email: Annotated[list[str] | None, typer.Option(help="A mail address; repeatable.")] = None,
    feed: Annotated[bool, typer.Option("--feed", help="An Atom feed.")] = False,
) -> None:
    """Make a rule; it tells of each trend and stage once, from now on.

    Example: radar alerts add "Japan from Taiwan" --market TW --place JP --lift 2 --webhook https://example.com/hook
    """
    from radar.alerts import Wanted, managing
    from radar.alerts.managing import NewTarget

    settings, engine = open_engine()
    wanted = Wanted(
        market, place, topic, key, tuple(kind or ()), tuple(stage or ()), q, lift, watch_list, scope, early
    )  # fmt: skip
    targets = [NewTarget("webhook", url) for url in webhook or ()] + [NewTarget("email", to) for to in email or ()]
    targets += [NewTarget("feed")] if feed else []
    made = managing.make_rule(
        engine, settings, name, wanted, now=datetime.now(UTC), language=language, targets=targets
    )  # fmt: skip
    console.print(escape(f"Rule {made.rule.id}, {made.rule.name}: told of what changes its stage from now on."))
    _targets(engine, settings, made.rule, made.secrets)


def _targets(engine: Any, settings: Any, rule: Any, secrets: dict[int, str]) -> None:
    from radar.alerts.shown import feed_path, shown_address
    from radar.store.alert_rules import targets_of
    from radar.store.engine import reading
    from radar.web.letters import public_base

    with reading(engine) as session:
        for target in targets_of(session, rule.id):
            where = public_base(settings) + feed_path(rule, target) if target.kind == "feed" else target.address
            said = where if target.kind == "feed" else shown_address(target.kind, where)
            console.print(escape(f"  target {target.id}, {target.kind}: {said}"), soft_wrap=True)
            if target.id in secrets:
                console.print(escape(f"    signed with {secrets[target.id]} (told this once)"), soft_wrap=True)


@alerts.command("list")
def list_rules(format: Shown = Format.TABLE) -> None:
    """List the rules with what they wait for and where they tell it.

    Example: radar alerts list
    """
    from radar.alerts import shown
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        found = shown.rules_shown(session)
    if format is Format.JSON:
        return _json(found)
    if not found["items"]:
        console.print('There is no rule yet: radar alerts add "Japan from Taiwan" --market TW --place JP --feed')
        return None
    table = Table("id", "rule", "waits for", "tells", "language", box=None)
    for rule in found["items"]:
        tells = ", ".join(t["address"] or t["kind"] for t in rule["targets"]) or "here only"
        name = rule["name"] if rule["active"] else f"{rule['name']} (off)"
        table.add_row(rule["id"], escape(name), escape(waits_for(rule)), escape(tells), rule["language"])
    console.print(table)
    return None


def waits_for(rule: dict[str, Any]) -> str:
    """A rule's filters in short."""
    said = [rule["market"] or "all markets", *[str(rule[n]) for n in ("place", "topic", "key") if rule[n]]]
    said += [f"list {rule['watch_list']}"] if rule["watch_list"] else []
    said += rule["kinds"] + ["/".join(rule["stages"]), f"q <= {rule['q']:g}"]
    said += [f"lift >= {rule['lift_floor']:g}"] if rule["lift_floor"] else []
    return ", ".join(said)


@alerts.command("show")
def show(
    rule: Annotated[str | None, typer.Argument(help="A rule; what all told if left out.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Lines.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="The cursor that the page before ended with.")] = None,
    format: Shown = Format.TABLE,
) -> None:
    """Show what was told, the newest first, with how it was delivered; of one rule also its targets.

    Example: radar alerts show "Japan from Taiwan"
    """
    from radar.alerts import managing, shown
    from radar.store.engine import reading

    settings, engine = open_engine()
    with reading(engine) as session:
        found = managing.find_rule(session, rule) if rule else None
        answer = shown.alerts_shown(session, rule=found, limit=limit, cursor=cursor)
    if format is Format.JSON:
        return _json(answer)
    if found is not None:
        console.print(f"[bold]{escape(found.name)}[/], rule {found.id}{'' if found.is_active else ', off'}")
        _targets(engine, settings, found, {})
    _print_told(answer["items"])
    if answer["next"]:
        console.print(f"More: --cursor {answer['next']}")
    return None


def _print_told(items: list[dict[str, Any]]) -> None:
    if not items:
        console.print("Nothing was told yet.")
        return
    table = Table("id", "told (UTC)", "rule", "what", "delivered", box=None)
    for one in items:
        trend = one["trend"]
        what = f"{trend['name']} {one['stage']} in {trend['market']}: {trend['sentence']}"
        table.add_row(
            one["id"], f"{one['told_at']:%m-%d %H:%M}", escape(one["rule"]), escape(what),
            escape("\n".join(map(_delivered, one["deliveries"])) or "shown here"),
        )  # fmt: skip
    console.print(table)


def _delivered(one: dict[str, Any]) -> str:
    tries = f", {one['attempts']} tries" if one["attempts"] > 1 else ""
    why = f": {one['error']}" if one["error"] else ""
    return f"{one['address'] or one['kind']} {one['state']}{tries}{why}"


@alerts.command("dead")
def dead(format: Shown = Format.TABLE) -> None:
    """Show what could not be delivered, and why.

    Example: radar alerts dead
    """
    from radar.alerts import shown
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        found = shown.dead_shown(session, limit=100)
    if format is Format.JSON:
        return _json({"items": found, "next": None})
    if found:
        _print_told(found)
        console.print("Try again: radar alerts retry ID, or radar alerts retry --all")
    else:
        console.print("There is no dead letter.")
    return None


@alerts.command("retry")
def retry(
    id: Annotated[str | None, typer.Argument(help="An alert's id, as `radar alerts dead` shows it.")] = None,
    all: Annotated[bool, typer.Option("--all", help="All dead letters, up to 1,000.")] = False,
) -> None:
    """Try dead letters again, with the next run of send_alerts.

    Example: radar alerts retry 41
    """
    from radar.alerts import shown
    from radar.store import alerts as store
    from radar.store.engine import writing

    if (id is None) == (not all):
        raise CallerError("Name an alert, or ask for all.", "radar alerts retry 41, or radar alerts retry --all")
    _, engine = open_engine()
    with writing(engine) as session, session.begin():
        if id is None:
            ids = [one.id for one in store.in_state(session, "dead", limit=1000)]
        else:
            ids = [one["id"] for one in shown.alert_shown(session, id)["deliveries"]]
        n = store.retry(session, ids, datetime.now(UTC))
    console.print(f"{n} to be tried again: radar run send_alerts")


@alerts.command("test")
def test(rule: RuleName) -> None:
    """Send a message that is marked as a test to each target of a rule, and say what came back.

    Example: radar alerts test "Japan from Taiwan"
    """
    from radar.alerts import Sender, managing, send_test
    from radar.alerts.shown import shown_address
    from radar.store.engine import reading
    from radar.web.letters import writer

    settings, engine = open_engine()
    with reading(engine) as session:
        found = managing.find_rule(session, rule)
    came = send_test(engine, Sender(settings, writer(settings)), found)
    if not came:
        raise CallerError(f"{found.name} has no target.", "Add one: radar alerts target RULE --webhook URL")
    for target, outcome in came:
        mark = "[green]ok[/]" if outcome.ok else "[red]failed[/]"
        where = shown_address(target.kind, target.address) or "feed"
        console.print(f"{mark} {escape(f'{target.kind} {where}: {outcome.said}')}", soft_wrap=True)
    failed = sum(not outcome.ok for _, outcome in came)
    if failed:
        raise NotDelivered(f"{failed} of {len(came)} did not get it.", "Mend the address, and test again.")


@alerts.command("target")
def target(
    rule: RuleName,
    webhook: Annotated[str | None, typer.Option(help="Add a web address.")] = None,
    email: Annotated[str | None, typer.Option(help="Add a mail address.")] = None,
    feed: Annotated[bool, typer.Option("--feed", help="Add an Atom feed.")] = False,
    remove: Annotated[int | None, typer.Option(help="Remove the target of that id.")] = None,
) -> None:
    """Add a target to a rule, or remove one.

    Example: radar alerts target "Japan from Taiwan" --email ann@example.com
    """
    from radar.alerts import managing
    from radar.alerts.managing import NewTarget
    from radar.store.engine import reading

    settings, engine = open_engine()
    with reading(engine) as session:
        found = managing.find_rule(session, rule)
    new = [NewTarget("webhook", webhook)] if webhook else []
    new += [NewTarget("email", email)] if email else []
    new += [NewTarget("feed")] if feed else []
    if not new and remove is None:
        raise CallerError("Say what to add or to remove.", "--webhook URL, --email ADDRESS, --feed or --remove ID")
    secrets: dict[int, str] = {}
    for one in new:
        secrets |= managing.add_target(engine, settings, found, one, now=datetime.now(UTC)).secrets
    if remove is not None:
        managing.drop_target(engine, found, remove)
    console.print(escape(found.name))
    _targets(engine, settings, found, secrets)


@alerts.command("switch")
def switch(rule: RuleName, on: Annotated[bool, typer.Option("--on/--off", help="Which way.")]) -> None:
    """Switch a rule off, or on again: then it tells of what changes from now on.

    Example: radar alerts switch "Japan from Taiwan" --off
    """
    from radar.alerts import managing
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        found = managing.find_rule(session, rule)
    managing.change_rule(engine, found, now=datetime.now(UTC), active=on)
    console.print(escape(f"{found.name} is {'on' if on else 'off'}."))


@alerts.command("remove")
def remove(rule: RuleName) -> None:
    """Remove a rule with its targets and what it told.

    Example: radar alerts remove "Japan from Taiwan"
    """
    from radar.alerts import managing
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        found = managing.find_rule(session, rule)
    managing.drop_rule(engine, found)
    console.print(escape(f"{found.name} is gone."))


def _json(answer: Any) -> None:
    print(json.dumps(answer, ensure_ascii=False, indent=1, default=lambda value: value.isoformat()))
