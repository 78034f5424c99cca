"""The demo: a store of its own, filled from a simulated world by the same jobs."""

import importlib
import os
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa

from radar import tracked
from radar.config import Settings
from radar.registry import fitting, is_fitted, model_folder
from radar.scheduling import LINE, Context, Progress, run_job
from radar.sources.catalogue import open_source
from radar.sources.web import Web
from radar.spread import meanwhile
from radar.store import runs
from radar.store.engine import claim_world, open_store, reading, world_of, writing
from radar.text.codes import HashTable, hashes_of
from radar.text.gazetteer import forms_of_products
from radar.text.reading import read
from radar.text.romanise import romanise
from radar.text.vectors import word_table
from radar.topics.compiled import CompiledScorer, Concepts, Grams
from radar.trends.state import SeriesState

DAYS = 75
SEED = 7
WEEK = timedelta(days=7)
NAME = "world"
TRUTH = "truth.json"
TRACKED_GROUP = "Characters"
TRACKED = {"Sanrio": "sanrio", "LABUBU": "labubu", "Chiikawa": "chiikawa"}
"""What the demo tracks: names, by products of the gazetteer."""
AFTERWARDS = ("measure_authors", "profile_authors", "fit_arrivals", "forecast_arrivals")
"""Jobs that need what the line has stored; the demo does not wait for their hour."""
WEEKLY = {"fit_arrivals"}
"""Those whose last result holds for a week: a demo started again does not wait for them."""


def prepare(settings: Settings, now: datetime, *, seed: int = SEED, days: int = DAYS) -> sa.Engine:
    """The demo's store, its world configured: some days that end now. Raises MixedWorlds where real posts live."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = open_store(settings.url)
    starts_at = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=days)
    with reading(engine) as session:
        is_new = world_of(session) is None
    with writing(engine) as session, session.begin():
        claim_world(session, "simulated")
        config = {"seed": seed, "starts_at": starts_at.isoformat(), "days": days}
        runs.add_source(session, NAME, "world", config, is_simulated=True)
    if is_new:
        plant_tracked(engine, now)
    return engine


def plant_tracked(engine: sa.Engine, now: datetime) -> None:
    """A group of tracked keys, so that their page has something to show; forms are those of known products."""
    forms = forms_of_products()
    for name, product in TRACKED.items():
        given = [("", form) for form in forms[product]]
        tracked.add(engine, name=name, kind="brand", group=TRACKED_GROUP, forms=given, who="demo", now=now)


def fill(engine: sa.Engine, settings: Settings, now: datetime, progress: Progress) -> dict[str, str]:
    """Bring the world in up to now, run the whole line, write the truth beside the store; what each job did."""
    context = Context(engine, settings, now, progress)
    first, *others = LINE
    model = model_folder(settings)
    is_first = not is_fitted(model)
    with fitting(model), meanwhile(_compile_ahead, None) if is_first else nullcontext():
        outcomes = {first: run_job(first, context)}
        if is_first:
            _load_ahead()
    with reading(engine) as session:
        done = runs.latest_runs(session)
    fresh = {n for n in WEEKLY & done.keys() if done[n].outcome == "ok" and now - done[n].started_at < WEEK}
    afterwards = [name for name in AFTERWARDS if name not in fresh]
    outcomes |= {name: run_job(name, context) for name in (*others, *afterwards)}
    path = settings.data_dir / TRUTH
    if not path.exists():
        with reading(engine) as session:
            state = next(s for s in runs.source_states(session) if s.name == NAME)
        with Web() as web:
            world: Any = open_source(state.kind, state.name, state.config, web)
        world.write_truth(path, now)
    return {name: outcome.detail for name, outcome in outcomes.items()}


def _load_ahead() -> None:
    """Load what the last jobs and the table at the end need, while the model is fitted and nothing else to do."""
    importlib.import_module("radar.diffuse")  # with pandas and scikit-learn
    romanise("東京", "zh-Hant")


def _compile_ahead(_job: None) -> Iterator[None]:
    """Do what the next jobs do, on next to nothing, in a process of its own: its compiling takes seconds.

    The first start of all finds nothing compiled. What fitting needs is compiled where the model is fitted meanwhile,
    and read from there by what scores, so that comes last.
    """
    yield
    if hasattr(os, "nice"):
        os.nice(5)  # the fit takes longest
    state = SeriesState((1, 3), 24, 24.0, 4)
    state.add([0, 1])
    for hour in range(8):
        state.advance([hour, 1], 20.0, hour)
    state.add_with_history([1], [0], [2], [3])
    read(["ラーメン in tokyo 🍜", "서울 hotel #n서울타워"])
    table, idf, one = HashTable.of(hashes_of(["ramen"]), [0]), np.ones(1, np.float32), np.ones((1, 1), np.float32)
    grams, named = Grams(table, idf, one), Concepts.of({"ramen": [0]}, one)
    vectors = np.ones((word_table().dimensions, 1), np.float32)
    CompiledScorer(grams, 3, grams, named, vectors, np.zeros(1)).margins(["ラーメン in tokyo 🍜", "서울 hotel"])
