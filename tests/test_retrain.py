"""The weekly candidate: fitted where there is something new, listed with its figures, never promoted by itself."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from radar.config import Settings
from radar.gate import kept_models
from radar.labels import Label, append
from radar.registry import model_id
from radar.scheduling import Context, run_job
from tests.builders import few_labels

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.fixture
def context(engine: sa.Engine, fitted_dir: Path, tmp_path: Path) -> Context:
    shutil.copytree(fitted_dir / "models", tmp_path / "models")
    return Context(engine, Settings(data_dir=tmp_path), NOW)


def test_nothing_is_fitted_where_no_label_is_new(context: Context) -> None:
    done = run_job("retrain_models", context)
    assert (done.rows_out, done.detail) == (0, f"nothing new to train on: {model_id()} is kept already, active")
    assert [model.id for model in kept_models(context.settings, context.model_id)] == [model_id()]


def test_a_candidate_is_fitted_measured_and_left_to_a_person(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a twelfth of the shipped labels, to be quick: so it cannot pass."""
    few = few_labels()
    monkeypatch.setattr("radar.training.load_labels", lambda taxonomy: few)
    append(context.settings.labels_dir, [Label("ig:1", "雪見温泉", "ja", ("travel.snow",), "ann", NOW, "a.csv")], NOW)
    done = run_job("retrain_models", context)
    assert "(1 own label) does not pass the gate" in done.detail
    assert "macro F1 0." in done.detail
    assert re.search(r"\(active 0\.\d", done.detail)
    assert context.model_id == model_id()
    candidate, active = kept_models(context.settings, context.model_id)
    assert candidate.id in done.detail
    assert (candidate.is_active, candidate.passes, candidate.manifest["made_of"]["own"]) == (False, False, 1)
    assert (active.is_active, active.passes) == (True, True)
    assert active.frozen is not None
    assert candidate.frozen is not None
    assert candidate.frozen.macro_f1 < active.frozen.macro_f1
    again = run_job("retrain_models", context)
    assert again.detail == f"nothing new to train on: {candidate.id} is kept already, a candidate"


def test_a_damaged_model_is_listed_as_such(context: Context) -> None:
    broken = context.settings.models_dir / "topics" / "topics-broken"
    broken.mkdir()
    (broken / "manifest.json").write_text("{")
    kept = {model.id: model for model in kept_models(context.settings, context.model_id)}
    assert (kept["topics-broken"].frozen, kept["topics-broken"].passes) == (None, None)
