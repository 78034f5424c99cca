"""What a model is fitted on: the shipped labels and the user's own, by an id that says which."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from radar.config import Settings
from radar.labels import Label, append, post_id, write_labels
from radar.model_cards import model_card
from radar.registry import load_labels, load_taxonomy, model_id, open_scorer
from radar.training import WEAK_FILE, fit_training, training
from tests.builders import few_labels

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
TAXONOMY = load_taxonomy()
SHIPPED = load_labels(TAXONOMY)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


def a_label(text: str, *topics: str, by: str = "ann", hours: int = 0, provenance: str = "person") -> Label:
    at = NOW + timedelta(hours=hours)
    return Label(post_id("", "", text), text, "ja", topics, by, at, "a.csv", provenance=provenance)


def test_without_labels_of_ones_own_it_is_the_shipped_model(settings: Settings) -> None:
    asked = training(settings)
    assert asked.id == model_id()
    assert asked.made_of == {"shipped": len(SHIPPED.texts), "own": 0, "weak": 0}


def test_own_labels_join_and_name_another_model(settings: Settings) -> None:
    append(settings.labels_dir, [a_label("新しい店のコスメ", "shop.makeup_fragrance")], NOW)
    asked = training(settings)
    assert asked.id != model_id()
    assert asked.made_of == {"shipped": len(SHIPPED.texts), "own": 1, "weak": 0}
    assert (asked.labels.texts[-1], asked.labels.languages[-1]) == ("新しい店のコスメ", "ja")
    assert asked.labels.topics[-1].nonzero()[0].tolist() == [TAXONOMY.ids.index("shop.makeup_fragrance")]


def test_the_same_labels_name_the_same_model_whoever_gave_them_in_which_order(
    settings: Settings, tmp_path: Path
) -> None:
    other = Settings(data_dir=tmp_path / "other")
    one, two = a_label("新しい店", "shop.fashion"), a_label("雨だった")
    append(settings.labels_dir, [one, two], NOW)
    append(other.labels_dir, [a_label("雨だった", by="bob", hours=3)], NOW)
    append(other.labels_dir, [a_label("新しい店", "shop.fashion", by="cho", hours=9)], NOW + timedelta(hours=1))
    assert training(settings).id == training(other).id
    append(other.labels_dir, [a_label("雨だった", "travel.nature", by="bob", hours=10)], NOW + timedelta(hours=2))
    assert training(settings).id != training(other).id


def test_a_persons_word_goes_over_the_shipped_label_and_over_seeds(settings: Settings) -> None:
    text = SHIPPED.texts[0]
    append(settings.labels_dir, [a_label(text)], NOW)
    weak = [
        a_label(text, "shop.fashion", provenance="weak"),
        a_label("セール中の財布", "shop.luxury", provenance="weak"),
    ]
    write_labels(settings.labels_dir / WEAK_FILE, weak)
    asked = training(settings, weak=True)
    assert asked.made_of == {"shipped": len(SHIPPED.texts) - 1, "own": 1, "weak": 1}
    assert asked.labels.texts.count(text) == 1
    assert asked.labels.topics[asked.labels.texts.index(text)].sum() == 0


def test_weak_labels_never_join_unasked(settings: Settings) -> None:
    write_labels(settings.labels_dir / WEAK_FILE, [a_label("セール", "shop.luxury", provenance="weak")])
    assert training(settings).id == model_id()
    assert training(settings, weak=True).id != model_id()


def test_own_labels_change_what_the_model_says(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fitted on a twelfth of the shipped labels, to be quick."""
    few = few_labels()
    monkeypatch.setattr("radar.training.load_labels", lambda taxonomy: few)
    before = open_scorer(fit_training(settings, training(settings)))
    append(settings.labels_dir, [a_label(f"zorblax {n} was here", "travel.snow") for n in range(12)], NOW)
    folder = fit_training(settings, training(settings))
    after, snow = open_scorer(folder), TAXONOMY.ids.index("travel.snow")
    text = "zorblax 99 was here"
    assert after.score([text])[0, snow] > before.score([text])[0, snow] + 0.3
    assert (before.knows(["zorblax"])[0], after.knows(["zorblax"])[0]) == (False, True)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["made_of"] == {"shipped": len(few.texts), "own": 12, "weak": 0}
    assert "12 posts labelled here" in model_card(folder)
