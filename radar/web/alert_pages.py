"""The pages about alerts: rules, what they told, dead letters, and watch lists. Forms work without scripts."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from radar import answers
from radar.alerts import Sender, Wanted, lists, managing, send_test, shown
from radar.alerts.managing import NewTarget
from radar.answers.kol import find_author, list_named
from radar.keys import Kind, key_number
from radar.store import alert_rules, alerts, authors
from radar.store.engine import reading, world_of, writing
from radar.web import options
from radar.web.languages import LANGUAGES, language
from radar.web.letters import headline, public_base, writer
from radar.web.requests import SessionDep, only_known_parameters
from radar.web.view import note_address, page, url

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_known_parameters), Depends(note_address)])
SHOWN = 30
Text = Annotated[str, Form(max_length=2000)]


def _options(session: Session) -> dict[str, list[tuple[str, str]]]:
    """What the form offers, as (value, words)."""
    return {
        "market": options.markets(), "place": options.places(), "topic": options.topics(),
        "kind": options.named(answers.KINDS), "stage": options.named(answers.STAGES[:-1]),
        "language": [(code, about.name) for code, about in LANGUAGES.items()],
        "list": [(one["name"], one["name"]) for one in lists.lists_shown(session)["items"]],
    }  # fmt: skip


def _page(request: Request, session: Session, chosen: dict[str, Any], **more: Any) -> Response:
    told = shown.alerts_shown(session, limit=SHOWN)
    settings = request.app.state.settings
    return page(
        "alerts.html", rules=shown.rules_shown(session)["items"], told=told["items"], headline=headline,
        dead=shown.dead_shown(session, limit=SHOWN), options=_options(session), chosen=chosen,
        has_mail=bool(settings.smtp_url and settings.mail_from), base=public_base(settings),
        simulated=told["simulated"], here="alerts", twin="/v1/alert-rules", **({"made": None} | more),
    )  # fmt: skip


def _blank(**chosen: Any) -> dict[str, Any]:
    return Wanted().stored() | {"name": "", "language": language()} | chosen


@router.get("/alerts")
def alerts_page(
    request: Request, session: SessionDep, market: str | None = None, place: str | None = None,
    topic: str | None = None, key: str | None = None, watch_list: str | None = None,
) -> Response:  # fmt: skip
    """Rules, what they told, dead letters, and a form for another rule: what the query names is filled in."""
    given = {"market": market, "place": place, "topic": topic, "key": key, "watch_list": watch_list}
    return _page(request, session, _blank(**given))


@router.get("/alerts.json")
def alerts_twin() -> Response:
    return RedirectResponse("/v1/alert-rules", 307)


def asked_rule(
    name: Text = "", market: Text = "", place: Text = "", topic: Text = "", key: Text = "",
    kinds: Annotated[list[str] | None, Form()] = None, stages: Annotated[list[str] | None, Form()] = None,
    q: Annotated[float, Form(gt=0, le=1)] = 0.05, lift_floor: Annotated[float, Form(ge=0, le=1000)] = 0.0,
    watch_list: Text = "", scope: Text = "travel_shopping", early: Annotated[bool, Form()] = False,
) -> tuple[str, Wanted]:  # fmt: skip
    """The filters of a form."""
    return name, Wanted(
        market or None, place or None, topic or None, key or None, tuple(kinds or ()), tuple(stages or ()), q,
        lift_floor, watch_list or None, scope, early,
    )  # fmt: skip


AskedRule = Annotated[tuple[str, Wanted], Depends(asked_rule)]
Code = Annotated[str, Form(alias="language", max_length=10)]


@router.post("/alerts")
def make_rule(
    request: Request, asked: AskedRule, code: Code = "en", webhook: Text = "", email: Text = "",
    feed: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Make a rule, and show what is shown once."""
    state = request.app.state
    targets = [NewTarget("webhook", webhook)] if webhook.strip() else []
    targets += [NewTarget("email", email)] if email.strip() else []
    targets += [NewTarget("feed")] if feed else []
    name, wanted = asked
    made = managing.make_rule(
        state.engine, state.settings, name, wanted, now=datetime.now(UTC), language=code, targets=targets
    )  # fmt: skip
    return _rule_page(request, made.rule.name, secrets=made.secrets, status=201)


def _rule_page(
    request: Request, named: str, *, secrets: dict[int, str] | None = None, came: Any = (), status: int = 200
) -> Response:  # fmt: skip
    settings = request.app.state.settings
    with reading(request.app.state.engine) as session:
        rule = managing.find_rule(session, named)
        item = shown.rule_shown(rule, alert_rules.targets_of(session, rule.id), secrets)
        told = shown.alerts_shown(session, rule=rule, limit=SHOWN)
        return page(
            "alert_rule.html", status, rule=item, told=told["items"], came=came, headline=headline,
            options=_options(session), chosen=item, base=public_base(settings),
            has_mail=bool(settings.smtp_url and settings.mail_from), simulated=world_of(session) == "simulated",
            here="alerts", twin=url(f"/v1/alert-rules/{rule.id}"), shown_address=shown.shown_address,
        )  # fmt: skip


@router.get("/alerts/rules/{id}")
def rule_page(id: str, request: Request) -> Response:
    """One rule with its targets and what it told."""
    return _rule_page(request, id)


@router.get("/alerts/rules/{id}.json")
def rule_twin(id: str) -> Response:
    return RedirectResponse(url(f"/v1/alert-rules/{id}"), 307)


def _rule(request: Request, id: str) -> Any:
    with reading(request.app.state.engine) as session:
        return managing.find_rule(session, id)


@router.post("/alerts/rules/{id}")
def change_rule(id: str, request: Request, asked: AskedRule, code: Code = "en") -> Response:
    """Change a rule."""
    name, wanted = asked
    rule, engine = _rule(request, id), request.app.state.engine
    managing.change_rule(engine, rule, now=datetime.now(UTC), name=name, wanted=wanted, language=code)
    return RedirectResponse(url(f"/alerts/rules/{rule.id}"), 303)


@router.post("/alerts/rules/{id}/switch")
def switch_rule(id: str, request: Request, on: Annotated[bool, Form()]) -> Response:
    """Switch a rule on or off."""
    rule = _rule(request, id)
    managing.change_rule(request.app.state.engine, rule, now=datetime.now(UTC), active=on)
    return RedirectResponse(url(f"/alerts/rules/{rule.id}"), 303)


@router.post("/alerts/rules/{id}/remove")
def remove_rule(id: str, request: Request) -> Response:
    """Remove a rule."""
    managing.drop_rule(request.app.state.engine, _rule(request, id))
    return RedirectResponse("/alerts", 303)


@router.post("/alerts/rules/{id}/test")
def test_rule(id: str, request: Request) -> Response:
    """Send a test, and show what came back."""
    state, rule = request.app.state, _rule(request, id)
    came = send_test(state.engine, Sender(state.settings, writer(state.settings)), rule)
    return _rule_page(request, str(rule.name), came=came)


@router.post("/alerts/rules/{id}/targets")
def add_target(
    id: str, request: Request, kind: Annotated[str, Form(max_length=10)], address: Text = ""
) -> Response:  # fmt: skip
    """Add a target, and show what is shown once."""
    state, rule = request.app.state, _rule(request, id)
    made = managing.add_target(state.engine, state.settings, rule, NewTarget(kind, address), now=datetime.now(UTC))
    return _rule_page(request, str(rule.name), secrets=made.secrets, status=201)


@router.post("/alerts/rules/{id}/targets/{target}/remove")
def remove_target(id: str, target: int, request: Request) -> Response:
    """Remove a target."""
    rule = _rule(request, id)
    managing.drop_target(request.app.state.engine, rule, target)
    return RedirectResponse(url(f"/alerts/rules/{rule.id}"), 303)


@router.post("/alerts/{id}/retry")
def retry(id: str, request: Request) -> Response:
    """Try the dead letters of an alert again."""
    with writing(request.app.state.engine) as session, session.begin():
        about = shown.alert_shown(session, id)
        alerts.retry(session, [one["id"] for one in about["deliveries"]], datetime.now(UTC))
    return RedirectResponse("/alerts", 303)


# ---- watch lists ----


@router.get("/watch-lists")
def lists_page(session: SessionDep) -> Response:
    """All watch lists."""
    return page(
        "watch_lists.html", lists=lists.lists_shown(session)["items"], simulated=world_of(session) == "simulated",
        here="alerts", twin="/v1/watch-lists",
    )  # fmt: skip


@router.post("/watch-lists")
def put_on_list(
    request: Request, session: SessionDep, name: Annotated[str, Form(max_length=120)], key: Text = "",
    market: Text = "", kol: Text = "",
) -> Response:  # fmt: skip
    """Put a key or a KOL on a list, which is made if there is none."""
    ids = [find_author(session, kol)] if kol.strip() else []
    session.rollback()
    keys = [lists.key_named(key, market_code=market or None)] if key.strip() or not ids else []
    lists.watch(request.app.state.engine, name, keys, ids, now=datetime.now(UTC))
    return RedirectResponse(url(f"/watch-lists/{name.strip()}"), 303)


@router.get("/watch-lists/{name}.json")
def list_twin(name: str) -> Response:
    return RedirectResponse(url(f"/v1/watch-lists/{name}"), 307)


@router.get("/watch-lists/{name}")
def list_page(name: str, session: SessionDep) -> Response:
    """What is on a watch list."""
    found = lists.list_shown(session, name)
    return page(
        "watch_list.html", found=found, options={"market": options.markets()}, simulated=found["simulated"],
        here="alerts", twin=url(f"/v1/watch-lists/{found['name']}"),
    )  # fmt: skip


@router.post("/watch-lists/{name}/remove")
def take_off(
    name: str, request: Request, session: SessionDep, kind: Text = "", text: Text = "", market: Text = "",
    kol: Text = "",
) -> Response:  # fmt: skip
    """Take a key or a KOL off a list; without either, delete the list."""
    found, engine = list_named(session, name), request.app.state.engine
    author_id = find_author(session, kol) if kol else None
    session.rollback()
    if text:
        number = key_number(Kind[kind.upper()], text) if kind.lower() in answers.KINDS else 0
        lists.unwatch(engine, found.name, number, market)
        return RedirectResponse(url(f"/watch-lists/{found.name}"), 303)
    with writing(engine) as to, to.begin():
        if author_id is not None:
            authors.take_off_list(to, found.id, [author_id])
        else:
            authors.drop_list(to, found.id)
    return RedirectResponse(url(f"/watch-lists/{found.name}") if author_id else "/watch-lists", 303)


@router.post("/trends/{id}/watch")
def watch_trend(
    id: str, request: Request, session: SessionDep, name: Annotated[str, Form(max_length=120)] = lists.DEFAULT,
    off: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Watch what a trend is about, or no longer."""
    key = lists.key_of_trend(session, id)
    session.rollback()
    engine = request.app.state.engine
    if off:
        lists.unwatch(engine, name, key.number)
    else:
        lists.watch(engine, name, [key], [], now=datetime.now(UTC))
    return RedirectResponse(url(f"/trends/{id}") + "#watch", 303)


@router.post("/kols/{id}/watch")
def watch_kol(
    id: str, request: Request, session: SessionDep, name: Annotated[str, Form(max_length=120)] = lists.DEFAULT
) -> Response:  # fmt: skip
    """Put a KOL on a list."""
    author_id = find_author(session, id)
    session.rollback()
    lists.watch(request.app.state.engine, name, [], [author_id], now=datetime.now(UTC))
    return RedirectResponse(url(f"/kols/{id}"), 303)
