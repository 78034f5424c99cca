"""The routes about alert rules, what they told, and watch lists."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from radar.alerts import Sender, Wanted, lists, managing, send_test, shown
from radar.alerts.managing import NewTarget
from radar.answers.kol import find_author, list_named
from radar.api import alert_shapes
from radar.api.kol_shapes import Done
from radar.api.lists import ListRoute
from radar.api.routes import problems_of
from radar.store import alert_rules, alerts, authors
from radar.store.engine import writing
from radar.web.letters import writer
from radar.web.requests import SessionDep, only_known_parameters

router = APIRouter(prefix="/v1", route_class=ListRoute, dependencies=[Depends(only_known_parameters)], tags=["alerts"])

RulePath = Annotated[str, Path(description="A rule's id or name.", examples=["3"])]
AlertPath = Annotated[str, Path(description="An alert's id.", examples=["41"])]
ListPath = Annotated[str, Path(description="A list's name.", examples=["watching"])]


def wanted_of(body: alert_shapes.WantedAsked) -> Wanted:
    """The filters of a request."""
    given = {name: getattr(body, name) or None for name in ("market", "place", "topic", "key", "watch_list")}
    return Wanted(
        **given, kinds=tuple(body.kinds), stages=tuple(body.stages), q=body.q, lift_floor=body.lift_floor,
        scope=body.scope, early=body.early,
    )  # fmt: skip


def _targets(asked: Sequence[alert_shapes.TargetAsked]) -> list[NewTarget]:
    return [NewTarget(one.kind, one.address) for one in asked]


@router.get("/alert-rules", response_model=alert_shapes.AlertRulePage, responses=problems_of(400))
def list_alert_rules(session: SessionDep) -> Any:
    """All alert rules by name."""
    return shown.rules_shown(session)


@router.post(
    "/alert-rules", response_model=alert_shapes.AlertRule, status_code=201, responses=problems_of(400, 404, 409)
)
def make_alert_rule(request: Request, body: alert_shapes.RuleAsked) -> Any:
    """Make a rule: from now on it tells of each trend and stage once. A webhook's secret is in this answer alone.

    A target that is in a private network is refused, unless the operator allows such.
    """
    state = request.app.state
    made = managing.make_rule(
        state.engine, state.settings, body.name, wanted_of(body), now=datetime.now(UTC), language=body.language,
        targets=_targets(body.targets), active=body.active,
    )  # fmt: skip
    return _made(request, made)


def _made(request: Request, made: managing.Made) -> Any:
    with writing(request.app.state.engine) as session:
        return shown.rule_shown(made.rule, alert_rules.targets_of(session, made.rule.id), made.secrets)


@router.get("/alert-rules/{rule}", response_model=alert_shapes.AlertRule, responses=problems_of(400, 404))
def get_alert_rule(rule: RulePath, session: SessionDep) -> Any:
    """One rule with its targets."""
    found = managing.find_rule(session, rule)
    return shown.rule_shown(found, alert_rules.targets_of(session, found.id))


@router.patch("/alert-rules/{rule}", response_model=alert_shapes.AlertRule, responses=problems_of(400, 404, 409))
def change_alert_rule(
    rule: RulePath, request: Request, session: SessionDep, body: alert_shapes.RuleChanged
) -> Any:  # fmt: skip
    """Change a rule. With other filters, or switched on again, it tells nothing of the past."""
    found = managing.find_rule(session, rule)
    session.rollback()
    changed = managing.change_rule(
        request.app.state.engine, found, now=datetime.now(UTC), name=body.name, language=body.language,
        active=body.active, wanted=wanted_of(body.wanted) if body.wanted else None,
    )  # fmt: skip
    return shown.rule_shown(changed, alert_rules.targets_of(session, changed.id))


@router.delete("/alert-rules/{rule}", response_model=Done, responses=problems_of(400, 404))
def remove_alert_rule(rule: RulePath, request: Request, session: SessionDep) -> Any:
    """Remove a rule with its targets and what it told."""
    found = managing.find_rule(session, rule)
    session.rollback()
    managing.drop_rule(request.app.state.engine, found)
    return {"done": f"{found.name} is gone"}


@router.post(
    "/alert-rules/{rule}/targets", response_model=alert_shapes.AlertRule, status_code=201,
    responses=problems_of(400, 404),
)  # fmt: skip
def add_alert_target(rule: RulePath, request: Request, session: SessionDep, body: alert_shapes.TargetAsked) -> Any:
    """Add a target to a rule. A webhook's secret is in this answer alone."""
    found = managing.find_rule(session, rule)
    session.rollback()
    state = request.app.state
    target = NewTarget(body.kind, body.address)
    made = managing.add_target(state.engine, state.settings, found, target, now=datetime.now(UTC))
    return _made(request, made)


@router.delete("/alert-rules/{rule}/targets/{target}", response_model=Done, responses=problems_of(400, 404))
def remove_alert_target(
    rule: RulePath,
    target: Annotated[int, Path(description="A target's id.", examples=[5], ge=1, lt=2**63)],
    request: Request,
    session: SessionDep,
) -> Any:
    """Remove a target, with what was to be delivered there."""
    found = managing.find_rule(session, rule)
    session.rollback()
    managing.drop_target(request.app.state.engine, found, target)
    return {"done": f"target {target} is gone"}


@router.post("/alert-rules/{rule}/test", response_model=alert_shapes.AlertTest, responses=problems_of(400, 404))
def test_alert_rule(rule: RulePath, request: Request, session: SessionDep) -> Any:
    """Send a message that is marked as a test to each target of a rule, and say what came back."""
    found = managing.find_rule(session, rule)
    session.rollback()
    state = request.app.state
    came = send_test(state.engine, Sender(state.settings, writer(state.settings)), found)
    items = [
        {
            "target": str(target.id), "kind": target.kind, "address": shown.shown_address(target.kind, target.address),
            "ok": outcome.ok, "status": outcome.status, "said": outcome.said,
        }
        for target, outcome in came
    ]  # fmt: skip
    return {"items": items, "next": None}


# ---- what was told ----


@router.get("/alerts", response_model=alert_shapes.AlertPage, responses=problems_of(400, 404))
def list_alerts(
    session: SessionDep,
    rule: Annotated[str | None, Query(description="Of one rule only.", examples=["3"])] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Lines a page.", examples=[50])] = 50,
    cursor: Annotated[str | None, Query(description="`next` of the page before.", examples=["41"])] = None,
) -> Any:
    """What rules told, the newest first, with how each message was delivered."""
    found = managing.find_rule(session, rule) if rule else None
    return shown.alerts_shown(session, rule=found, limit=limit, cursor=cursor or None)


@router.get("/alerts/{id}", response_model=alert_shapes.Alert, responses=problems_of(400, 404))
def get_alert(id: AlertPath, session: SessionDep) -> Any:
    """One thing that was told."""
    return shown.alert_shown(session, id)


@router.post("/alerts/{id}/retry", response_model=Done, responses=problems_of(400, 404))
def retry_alert(id: AlertPath, request: Request, session: SessionDep) -> Any:
    """Try the dead letters of an alert again, with the next run of `send_alerts`."""
    about = shown.alert_shown(session, id)
    session.rollback()
    with writing(request.app.state.engine) as to, to.begin():
        n = alerts.retry(to, [one["id"] for one in about["deliveries"]], datetime.now(UTC))
    return {"done": f"{n} to be tried again"}


# ---- watch lists ----


@router.get("/watch-lists", response_model=alert_shapes.WatchListPage, responses=problems_of(400))
def list_watch_lists(session: SessionDep) -> Any:
    """The named lists of keys and KOLs."""
    return lists.lists_shown(session)


@router.get("/watch-lists/{name}", response_model=alert_shapes.WatchList, responses=problems_of(400, 404))
def get_watch_list(name: ListPath, session: SessionDep) -> Any:
    """What is on a list."""
    return lists.list_shown(session, name)


@router.post("/watch-lists/{name}", response_model=alert_shapes.WatchList, responses=problems_of(400, 404))
def watch(name: ListPath, request: Request, session: SessionDep, body: alert_shapes.WatchAsked) -> Any:
    """Put trends, keys and KOLs on a list, which is made with the first of them."""
    keys = [lists.key_of_trend(session, trend) for trend in body.trends]
    keys += [lists.key_named(text, market_code=body.market, place=body.place) for text in body.keys]
    ids = [find_author(session, text) for text in body.authors]
    session.rollback()
    lists.watch(request.app.state.engine, name, keys, ids, now=datetime.now(UTC))
    return lists.list_shown(session, name)


@router.delete("/watch-lists/{name}", response_model=Done, responses=problems_of(400, 404))
def unwatch(
    name: ListPath,
    request: Request,
    session: SessionDep,
    key: Annotated[str | None, Query(description="A key only, as it was put there.", examples=["#osaka"])] = None,
    trend: Annotated[str | None, Query(description="The key of a trend.", examples=["3v8x0c2q5k1zt"])] = None,
    author: Annotated[str | None, Query(description="A KOL only.", examples=["311"])] = None,
) -> Any:
    """Take a key or a KOL off a list, or delete the list."""
    found = list_named(session, name)
    number = lists.key_of_trend(session, trend).number if trend else lists.key_named(key).number if key else None
    author_id = find_author(session, author) if author else None
    session.rollback()
    engine = request.app.state.engine
    if number is not None:
        return {"done": f"{lists.unwatch(engine, name, number)} keys are off {found.name}"}
    with writing(engine) as to, to.begin():
        if author_id is not None:
            authors.take_off_list(to, found.id, [author_id])
            return {"done": f"{author} is off {found.name}"}
        authors.drop_list(to, found.id)
    return {"done": f"{found.name} is gone"}
