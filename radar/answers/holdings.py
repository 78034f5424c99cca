"""What the radar knows of: markets, topics, how much is stored, and how its jobs fare."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from radar.answers.job_runs import shown_run
from radar.answers.listing import ranked
from radar.answers.matrix import matrix
from radar.answers.names import taxonomy
from radar.answers.question import ask
from radar.answers.shadows import shadow_seen
from radar.answers.standing import shipped, standing
from radar.errors import UnknownName
from radar.markets import MARKETS, market
from radar.registry import load_seeds
from radar.sources.facts import budgets_of, derives
from radar.store import answers as store
from radar.store import runs, source_days, usage, watching
from radar.store.engine import world_of
from radar.store.operation import COUNTED
from radar.store.promotion import active_model
from radar.store.watching import Watched
from radar.text.other_languages import READ

STALE = timedelta(hours=3)
"""A scheduled line that brought nothing for this long is worth a look."""
REJECTS = timedelta(days=7)
"""What was set aside is told for so long."""
_NEVER = datetime.min.replace(tzinfo=UTC)
_START_ONE = "Start `radar serve` or `radar schedule`."


def markets(session: Session) -> list[dict[str, Any]]:
    """Every market with what is stored of it and how many trends its last 7 days show."""
    whole = _whole(source_days.held(session))
    found = []
    for about in MARKETS.values():
        stand = standing(session, about)
        trends = len(ranked(session, ask(market_code=about.code), stand)) if stand.status == "ok" else 0
        found.append(
            {
                "code": about.code,
                "name": about.name,
                "languages": list(about.languages),
                "zone": about.zone,
                "posts": whole[about.code].posts if about.code in whole else 0,
                "persons": whole[about.code].persons if about.code in whole else 0,
                "days": stand.days,
                "trends": trends,
                "as_of": stand.as_of,
                "status": stand.status,
                "message": stand.reason or f"{trends:,} trend{'' if trends == 1 else 's'} in 7 days.",
            }
        )
    return found


def _whole(held: Iterable[source_days.Held]) -> dict[str, source_days.Held]:
    """What all sources together gave, by market."""
    return {line.audience_market: line for line in held if line.source == source_days.ALL}


def topics() -> list[dict[str, Any]]:
    """The taxonomy's leaves, in their stable order."""
    return [
        {"id": t.id, "group": t.group, "name": t.names.get("en", t.id), "definition": t.definition, "names": t.names}
        for t in taxonomy().topics
    ]


def topic_terms(session: Session, topic_id: str) -> dict[str, Any]:
    """One topic, with its seed terms and who speaks of it: each market's share of a week. Raises UnknownName."""
    found = next((line for line in topics() if line["id"] == topic_id), None)
    if found is None:
        raise UnknownName("topic", topic_id[:60], list(taxonomy().ids))
    row = next(row for row in matrix(session, by="topic")["items"] if row["id"] == topic_id)
    terms = load_seeds(taxonomy())[topic_id]
    return found | {"terms": terms, "markets": row["cells"], "simulated": world_of(session) == "simulated"}


def coverage(session: Session, market_code: str | None = None, *, now: datetime) -> dict[str, Any]:
    """What each source gave each market, how fresh it is, and what still waits.

    Raises UnknownName.
    """
    only = market(market_code).code if market_code else None
    states = {state.name: state for state in runs.source_states(session)}
    rejected, imported = store.rejected_counts(session, now - REJECTS), store.imported_at(session)
    waiting, dirty = store.waiting_posts(session, COUNTED), store.waiting_days(session)
    stale = source_days.stale_days(session, only)
    lines, languages = source_days.held(session, only), source_days.languages(session, only)
    whole = _whole(lines)
    rows = []
    for held in lines:
        if held.source == source_days.ALL:
            continue
        state = states.get(held.source)
        success = (state and state.last_success_at) or imported.get(held.source) or held.last_fetched_at
        reached = state.watermark_at if state and state.watermark_at else held.last_post_at
        rows.append(
            {
                "market": held.audience_market,
                "source": held.source,
                "kind": state.kind if state else held.source.partition(":")[0],
                "authors": held.authors,
                "persons": held.persons,
                "posts": held.posts,
                "first_post_at": held.first_post_at,
                "last_post_at": held.last_post_at,
                "last_success_at": success,
                "last_error_at": state.last_error_at if state else None,
                "last_error": state.last_error if state else None,
                "lag_seconds": max(0, int((now - reached).total_seconds())),
                "rejected": rejected.get(held.source, 0),
            }
        )
    model = active_model(session) or shipped()
    accounts: dict[str, list[Watched]] = {}
    for account in watching.watched_accounts(session):
        accounts.setdefault(account.source, []).append(account)
    known = {row["source"] for row in rows}
    quiet = [name for name in sorted({*states, *rejected}) if name not in known] if only is None else []
    return {
        "items": rows,
        "next": None,
        "markets": [
            {
                "market": code,
                "unclassified": waiting.get(code, 0),
                "dirty_days": dirty.get(code, 0),
                "stale_days": stale.get(code, 0),
                "languages": languages.get(code, {}),
                "persons": whole[code].persons if code in whole else 0,
                "inferred_authors": whole[code].inferred if code in whole else 0,
                "shadow": shadow_seen(session, model, code, date.max, 0.05),
                "other_languages": sum(n for name, n in languages.get(code, {}).items() if name not in READ),
            }
            for code in MARKETS
            if only in (None, code)
        ],
        "sources": [
            _source(s, accounts.get(s.name, []), rejected.get(s.name, 0), now)
            | {"budgets": _budgets(session, s, now), "derives": derives(s.kind, s.config)}
            for s in states.values()
        ],
        "silent_sources": [_silent(name, states.get(name), rejected.get(name, 0)) for name in quiet],
        "runs": [shown_run(run) for run in sorted(runs.latest_runs(session).values(), key=lambda r: r.job)],
        "simulated": world_of(session) == "simulated",
        "now": now,
    }


def _source(state: runs.SourceState, accounts: list[Watched], rejected: int, now: datetime) -> dict[str, Any]:
    """How a configured source fares: ok, paused, waiting (as the platform wishes) or failing, and why."""
    has_failed = state.last_error_at is not None and state.last_error_at > (state.last_success_at or _NEVER)
    said, reason = "ok", None
    if state.pause_reason:
        said, reason = "paused", state.pause_reason
    elif state.resume_at and state.resume_at > now:
        said, reason = "waiting", f"until {state.resume_at:%Y-%m-%d %H:%M} UTC, as the platform asks"
    elif has_failed:
        said, reason = "failing", state.last_error
    failing = [a for a in accounts if a.last_error_at and a.last_error_at > (a.last_success_at or _NEVER)]
    return {
        "source": state.name,
        "kind": state.kind,
        "state": said,
        "reason": reason,
        "watched": len(accounts),
        "failing_accounts": len(failing),
        "paused_accounts": [{"handle": a.handle, "reason": a.pause_reason} for a in accounts if a.pause_reason],
        "rejected": rejected,
    }


def _budgets(session: Session, state: runs.SourceState, now: datetime) -> list[dict[str, Any]]:
    """What was used of a platform's quota, or of what the operator wants to pay, in the present period."""
    found = []
    for budget in budgets_of(state.kind, state.config, now):
        size = 1_000_000 if budget.unit == "micro-usd" else 1
        spent = usage.used(session, state.name, budget.bucket, budget.period)
        found.append(
            {
                "what": "USD" if budget.unit == "micro-usd" else budget.bucket, "period": budget.period,
                "used": spent / size, "limit": budget.limit / size, "ends_at": budget.ends_at,
            }
        )  # fmt: skip
    return found


def _silent(name: str, state: runs.SourceState | None, rejected: int) -> dict[str, Any]:
    """A source that gave no post that is kept."""
    return {
        "source": name,
        "last_success_at": state.last_success_at if state else None,
        "last_error_at": state.last_error_at if state else None,
        "last_error": state.last_error if state else None,
        "rejected": rejected,
    }


def health(session: Session, *, now: datetime) -> dict[str, Any]:
    """Whether store, scheduler and jobs are well, with reasons where they are not. Raises what the store raises.

    A lease that ran out is a scheduler that died. Where none was ever held, or it was given back, someone may run the
    jobs by hand or by cron: then it is well while they do.
    """
    store.is_reachable(session)
    latest = runs.latest_runs(session)
    lease = store.lease_of(session, "scheduler")
    active = lease is not None and lease[1] > now
    problems = [f"{run.job} failed: {run.error}" for run in latest.values() if run.outcome in ("failed", "abandoned")]
    detect = latest.get("detect_trends")
    if lease is not None and not active:
        problems.append(
            f"no scheduler is running: the last one's lease ran out at {lease[1]:%Y-%m-%d %H:%M} UTC. {_START_ONE}"
        )
    elif lease is None and not (detect and now - detect.started_at <= STALE):
        problems.append(f"no scheduler is running: nothing is fetched, counted or detected. {_START_ONE}")
    ingest = latest.get("ingest_posts")
    if active and ingest and now - ingest.started_at > STALE:
        problems.append(f"ingest_posts has not run since {ingest.started_at:%Y-%m-%d %H:%M} UTC")
    waiting = sum(store.waiting_posts(session, COUNTED).values())
    return {
        "status": "degraded" if problems else "ok",
        "problems": sorted(problems),
        "store": session.get_bind().dialect.name,
        "world": world_of(session),
        "scheduler": {"active": active, "until": lease[1] if lease else None},
        "unclassified": waiting,
        "dirty_days": sum(store.waiting_days(session).values()),
        "runs": [shown_run(run) for run in sorted(latest.values(), key=lambda r: r.job)],
        "now": now,
    }
