"""A look over the whole of a radar: each part is well, or what is the matter and what to do. Writes one small file.

Nothing is asked of the network but the database, nothing is migrated, fitted or mended.
"""

import importlib.metadata
import ipaddress
import os
import platform
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa
from apscheduler.triggers.cron import CronTrigger
from packaging.requirements import Requirement

from radar.access import has_door
from radar.config import Settings
from radar.errors import RadarError
from radar.registry import model_id as shipped_model
from radar.registry import open_scorer
from radar.scheduling import Job, load_jobs
from radar.sources.secrets import read_secret
from radar.store import answers, operation, promotion, runs
from radar.store.alerts import count_in
from radar.store.engine import open_store, reading
from radar.store.migrate import HEAD, current

OK, WARNING, PROBLEM = "ok", "warning", "problem"
FULL, NEARLY_FULL = 256 * 2**20, 2 * 2**30
SKEW = timedelta(seconds=5)
"""How far two clocks may be apart."""
LATE = timedelta(minutes=15)
"""How long a job may take beyond two of its turns."""
LAG = timedelta(hours=6)
OTHER_VARIABLES = ("RADAR_DEBUG", "RADAR_TEST_DATA")
_WAITING_POSTS, _WAITING_DAYS = 50_000, 200


@dataclass(frozen=True, slots=True)
class Line:
    """One part of the radar. state is ok, warning or problem; todo is empty where nothing is to do."""

    part: str
    state: str
    said: str
    todo: str = ""


def look_over(settings: Settings, environment: Mapping[str, str], *, now: datetime) -> list[Line]:
    """Every part, in the order in which one hangs on another."""
    lines = [*_configuration(settings, environment), *_folder(settings), *_libraries()]
    try:
        engine = _opened(settings)
    except RadarError as error:
        return [*lines, Line("database", PROBLEM, error.message, error.hint)]
    try:
        return [*lines, *_store(engine, settings, now)]
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return [
            *lines,
            Line("database", PROBLEM, f"It fails: {reason}.", "Check the database's own log; radar db check."),
        ]
    finally:
        engine.dispose()


def _opened(settings: Settings) -> sa.Engine:
    """The store as it is. Raises RadarError where there is none: looking makes none."""
    url = sa.make_url(settings.url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise RadarError(f"There is no store at {url.database}.", "Import posts, or name its folder: RADAR_DATA_DIR.")
    return open_store(settings.url, migrate=False)


def _configuration(settings: Settings, environment: Mapping[str, str]) -> Iterator[Line]:
    known = [f"RADAR_{name.upper()}" for name in Settings.model_fields] + list(OTHER_VARIABLES)
    strange = sorted(
        name
        for name in environment
        if name.startswith("RADAR_") and name not in known and not name.startswith("RADAR_BENCH_")
    )
    for name in strange:
        near = get_close_matches(name, known, n=1)
        yield Line(
            "configuration", WARNING, f"{name} is no setting.", f"Do you mean {near[0]}?" if near else "Unset it."
        )
    if not strange:
        yield Line("configuration", OK, "All variables RADAR_* are settings.")
    for name in ("drop_dir", "partner_weights", "partner_prices"):
        path = getattr(settings, name)
        if path is not None and not path.exists():
            yield Line("configuration", PROBLEM, f"RADAR_{name.upper()}: there is no {path}.", "Make it, or unset it.")
    if settings.allow_private_targets:
        said = "Alerts may go to private and loopback addresses."
        yield Line("serving", WARNING, said, "Unset RADAR_ALLOW_PRIVATE_TARGETS unless all who make rules are trusted.")
    secret = Path(settings.push_secret)
    if settings.push_secret and not settings.push_secret.startswith("whsec_"):
        try:
            read_secret({"file": str(secret)})
        except RadarError as error:
            yield Line("serving", PROBLEM, error.message, error.hint)


def _serving(settings: Settings, has_door: bool) -> Line:
    """Whether those who reach the address are told apart, if it is more than this machine that does."""
    try:
        is_near = settings.host == "localhost" or ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        is_near = False
    if is_near and not settings.behind_proxy:
        return Line("serving", OK, f"Served at {settings.host}, to this machine alone.")
    where = "behind a proxy" if is_near else f"at {settings.host or 'every address'}"
    if has_door:
        return Line("serving", OK, f"Served {where}, to those with a key or a log-in.")
    said = f"To be served {where}, and there is neither a key nor a user."
    return Line("serving", PROBLEM, said, "radar keys create --scope admin, or radar users add NAME --role admin.")


def _folder(settings: Settings) -> Iterator[Line]:
    folder = settings.data_dir
    if not folder.is_dir():
        yield Line("data folder", PROBLEM, f"There is no folder {folder}.", "Name another: RADAR_DATA_DIR.")
        return
    began = time.time()
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as probe:
            probe.write(b"x")
            probe.flush()
            apart = timedelta(seconds=abs(os.fstat(probe.fileno()).st_mtime - began))
        yield Line("data folder", OK, f"{folder} can be written.")
        yield _clocks("file system", apart)
    except OSError as error:
        yield Line("data folder", PROBLEM, f"{folder} cannot be written: {error.strerror}.", "Let this user write it.")
    store = folder / "radar.db"
    if store.exists() and stat.S_IMODE(store.stat().st_mode) & 0o004 and _is_open(folder):
        yield Line("data folder", WARNING, "Every user of this machine can read the store.", f"chmod 700 {folder}")
    yield _disk(folder, store.stat().st_size if store.exists() else 0)


def _is_open(folder: Path) -> bool:
    """Whether others get at a folder's files: each folder above lets them through."""
    return all(stat.S_IMODE(above.stat().st_mode) & 0o001 for above in (folder, *folder.resolve().parents))


def _disk(folder: Path, store: int) -> Line:
    free = shutil.disk_usage(folder).free
    said = f"{free / 1e9:,.1f} GB are free."
    if free < FULL:
        return Line("disk", PROBLEM, said, "Make room now: radar stops writing when none is left.")
    if free < max(NEARLY_FULL, 2 * store):
        return Line(
            "disk", WARNING, said, "Make room: less than twice the store, or than 2 GB, is too little to back up."
        )
    return Line("disk", OK, said)


def _clocks(other: str, apart: timedelta) -> Line:
    seconds = apart.total_seconds()
    if apart > SKEW:
        todo = "Set the clocks by NTP: leases and schedules rest on them."
        return Line("clock", PROBLEM, f"The clock and that of the {other} are {seconds:,.0f} s apart.", todo)
    return Line("clock", OK, f"The clock agrees with that of the {other} ({seconds:.1f} s).")


def _libraries() -> Iterator[Line]:
    try:
        wanted = importlib.metadata.requires("kol-trend-radar") or []
    except importlib.metadata.PackageNotFoundError:
        yield Line("libraries", WARNING, "radar is run without being installed.", "pip install .")
        return
    faults = [fault for said in wanted if (fault := _library_fault(Requirement(said)))]
    for fault in faults:
        yield Line("libraries", PROBLEM, fault, "Install radar again: pip install .")
    if not faults:
        shown = ", ".join(
            f"{n} {importlib.metadata.version(n)}" for n in ("scikit-learn", "SQLAlchemy", "numpy", "fastapi")
        )
        yield Line("libraries", OK, f"Python {platform.python_version()}, {shown}; all as asked for.")


def _library_fault(wanted: Requirement) -> str:
    if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
        return ""
    try:
        found = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{wanted.name} is not installed."
    return (
        ""
        if wanted.specifier.contains(found, prereleases=True)
        else f"{wanted.name} is {found}, not {wanted.specifier}."
    )


def _store(engine: sa.Engine, settings: Settings, now: datetime) -> Iterator[Line]:
    yield Line("database", OK, f"{engine.dialect.name} answers.")
    schema = current(engine)
    if schema != HEAD:
        newer = schema is not None and schema > HEAD
        todo = "Upgrade radar." if newer else "Back up (radar db backup), then migrate by any command: radar jobs."
        yield Line("schema", PROBLEM if newer else WARNING, f"It is {schema}, this radar's {HEAD}.", todo)
        return
    yield Line("schema", OK, f"{schema}, the newest.")
    with reading(engine) as session:
        if engine.dialect.name == "postgresql":
            before = datetime.now(UTC)
            yield _clocks("database", abs(operation.database_clock(session) - before))
        yield _serving(settings, has_door(session, now))
        jobs = load_jobs()
        latest = runs.latest_runs(session)
        ahead = [run.job for run in latest.values() if run.started_at > now + SKEW]
        if ahead:
            said = f"{ahead[0]} ran in the future: the clock was set back since."
            yield Line("clock", WARNING, said, "Set it by NTP; jobs go on when their time comes.")
        succeeded = {name: at for name in jobs if (at := operation.succeeded_at(session, name)) is not None}
        lease = answers.lease_of(session, "scheduler")
        is_scheduled = lease is not None and lease[1] > now
        yield _scheduler(lease, now)
        yield from _jobs(jobs.values(), latest, succeeded, is_scheduled, now)
        yield from _sources(runs.source_states(session), now)
        yield from _waiting(answers.waiting_posts(session, operation.COUNTED), answers.waiting_days(session))
        dead = count_in(session, "dead", upto=operation.COUNTED)
        active = promotion.active_model(session)
    if dead:
        yield Line("alerts", WARNING, f"{dead:,} messages were given up.", "See: radar alerts dead.")
    yield _model(settings, active)


def _scheduler(lease: tuple[str, datetime] | None, now: datetime) -> Line:
    if lease is None or lease[1] <= now:
        return Line("scheduler", WARNING, "No scheduler is at work.", "Start one: radar serve, or radar schedule.")
    return Line("scheduler", OK, f"{lease[0]} holds the lease until {lease[1]:%H:%M:%S} UTC.")


def _jobs(
    jobs: Iterable[Job],
    latest: Mapping[str, runs.Run],
    succeeded: Mapping[str, datetime],
    scheduled: bool,
    now: datetime,
) -> Iterator[Line]:
    late, failed = [], 0
    for job in jobs:
        last = latest.get(job.name)
        if last is not None and last.outcome in ("failed", "abandoned"):
            failed += 1
            why = (last.error or "no reason kept").partition("\n")[0][:200]
            said = f"{job.name} {last.outcome} at {last.started_at:%m-%d %H:%M}: {why}"
            yield Line("jobs", WARNING, said, f"radar run {job.name}")
        elif job.name in succeeded and now - succeeded[job.name] > 2 * turn(job, now) + LATE:
            late.append(f"{job.name} (last on {succeeded[job.name]:%m-%d %H:%M} UTC)")
    if late:
        todo = "Look at the scheduler's log, or run one: radar run NAME." if scheduled else "Start a scheduler."
        yield Line("jobs", PROBLEM if scheduled else WARNING, f"Late: {', '.join(late)}.", todo)
    if not late and not failed:
        yield Line("jobs", OK, f"{len(succeeded)} have run, none is late or has failed.")


def turn(job: Job, now: datetime) -> timedelta:
    """The time between two turns of a job, the longest of the next few."""
    trigger = CronTrigger.from_crontab(job.cron, timezone=UTC)
    times = [trigger.get_next_fire_time(None, now)]
    for _ in range(3):
        times.append(trigger.get_next_fire_time(times[-1], times[-1] + timedelta(seconds=1)))
    longest: timedelta = max(b - a for a, b in pairwise(times))
    return longest


def _sources(states: list[runs.SourceState], now: datetime) -> Iterator[Line]:
    faults = 0
    for state in states:
        for line in _source(state, now):
            faults += 1
            yield line
    if not faults:
        yield Line("sources", OK, f"{len(states)} are configured, none fails or lags.")


def _source(state: runs.SourceState, now: datetime) -> Iterator[Line]:
    part = "sources"
    try:
        named = state.config.get("token")
        read_secret(named if isinstance(named, dict) else None)
    except RadarError as error:  # a variable may be set for the scheduler and not here
        yield Line(part, WARNING, f"{state.name}: {error.message}", error.hint)
    if state.pause_reason:
        yield Line(part, WARNING, f"{state.name} is paused: {state.pause_reason}", f"radar sources resume {state.name}")
    elif state.last_error and (state.last_success_at is None or (state.last_error_at or now) > state.last_success_at):
        yield Line(part, WARNING, f"{state.name} fails: {state.last_error[:200]}", f"radar sources test {state.name}")
    elif not state.is_simulated and state.last_success_at and now - state.last_success_at > LAG:
        said = f"{state.name} lags: it last answered on {state.last_success_at:%m-%d %H:%M} UTC."
        yield Line(part, WARNING, said, f"radar sources test {state.name}; does the scheduler run?")


def _waiting(posts: Mapping[str, int], days: Mapping[str, int]) -> Iterator[Line]:
    said = f"{sum(posts.values()):,} posts wait to be read, {sum(days.values()):,} days to be counted."
    if sum(posts.values()) >= _WAITING_POSTS or sum(days.values()) >= _WAITING_DAYS:
        yield Line("waiting", WARNING, said, "radar run line reads and counts them now.")
    else:
        yield Line("waiting", OK, said)


def _model(settings: Settings, active: str | None) -> Line:
    name = active or shipped_model()
    folder = settings.models_dir / "topics" / name
    if not (folder / "manifest.json").is_file():
        if name == shipped_model():
            return Line("model", WARNING, f"{name} is not fitted yet.", "radar train, or the next job fits it.")
        return Line(
            "model", PROBLEM, f"{name} reads the posts, and is not in {folder.parent}.", "Bring its folder back."
        )
    try:
        open_scorer(folder)
    except RadarError as error:
        return Line("model", PROBLEM, error.message, error.hint)
    if name != shipped_model():
        return Line("model", OK, f"{name} is active, and whole; radar ships {shipped_model()}.")
    return Line("model", OK, f"{name} is active, and whole.")
