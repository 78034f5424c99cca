"""schemathesis against the whole OpenAPI document finds nothing: no failure, no answer that is not declared."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from schemathesis import openapi
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from radar.api import create_app
from radar.config import Settings
from tests.api.small_store import fill, open_small


@pytest.fixture
def app(tmp_path: Path, fitted_dir: Path) -> Iterator[FastAPI]:
    """An application over a store of its own, which is written to."""
    store = fill(open_small(tmp_path))
    yield create_app(store.engine, Settings(data_dir=fitted_dir))
    store.engine.dispose()


def found_in(app: FastAPI, seconds: int, seed: int) -> list[str]:
    """What schemathesis finds, in words: every check that failed, and what could not be asked."""
    config = SchemathesisConfig(max_time=seconds, seed=seed)
    # which names and moments there are, no schema can say: a well-formed one may be refused as well
    accepted = config.projects.default.checks.positive_data_acceptance
    accepted.expected_statuses = [*accepted.expected_statuses, "400", "410", "422"]
    rejection = config.projects.default.checks.negative_data_rejection
    rejection.expected_statuses = [*(rejection.expected_statuses or []), "413"]  # a batch longer than maxItems
    config.projects.default.request_timeout = 60  # ten seconds pass on a machine that others work on
    told: dict[tuple[str, str, str], str] = {}
    asked: set[str] = set()
    for event in from_schema(openapi.from_asgi("/v1/openapi.json", app, config=config)).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            told["error", "", ""] = str(event)
        if not isinstance(event, events.ScenarioFinished | events.FuzzScenarioFinished):
            continue
        asked |= {case.value.operation.label for case in event.recorder.cases.values()}
        for checks in event.recorder.checks.values():
            for check in checks:
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    key = (event.recorder.label, check.name, failure.title)
                    told.setdefault(key, f"{key}: {failure.message[:300]} {check.failure_info.code_sample[:400]}")
    assert len(asked) >= len(app.openapi()["paths"]) - 1
    return list(told.values())


@pytest.mark.filterwarnings("ignore")  # of schemathesis, about itself
def test_schemathesis_finds_nothing(app: FastAPI) -> None:
    assert "\n".join(found_in(app, seconds=15, seed=1)) == ""


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(2, 6))
def test_schemathesis_finds_nothing_in_minutes(app: FastAPI, seed: int) -> None:
    assert "\n".join(found_in(app, seconds=150, seed=seed)) == ""
