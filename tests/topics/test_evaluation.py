"""The frozen posts stay apart from what trains, and the figures on them are above their floors."""

import tomllib
from datetime import date
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pytest

import radar.sources.world
from radar.config import Settings
from radar.errors import UnreadableInput
from radar.model_cards import model_card
from radar.real_texts import load_real_texts
from radar.registry import TopicScorer, evaluate, load_frozen, load_labels, load_taxonomy, model_folder, model_id
from radar.topics.evaluation import masked


def grams(text: str, n: int = 12) -> set[str]:
    signs = "".join(text.split()).lower()
    return {signs[i : i + n] for i in range(len(signs) - n + 1)}


def world_texts() -> list[str]:
    found: list[str] = []

    def walk(node: object) -> None:
        if isinstance(node, str):
            found.append(node)
        elif isinstance(node, dict):
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    for path in sorted((files(radar.sources.world) / "texts").iterdir(), key=lambda p: p.name):
        walk(tomllib.loads(path.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize("other", ["labels", "world"])
def test_frozen_posts_share_hardly_a_phrase_with_what_trains_or_is_simulated(other: str) -> None:
    taxonomy = load_taxonomy()
    known: set[str] = set()
    for text in load_labels(taxonomy).texts if other == "labels" else world_texts():
        known |= grams(text)
    frozen = load_frozen(taxonomy).texts
    shares = [len(found & known) / len(found) for text in frozen if (found := grams(text))]
    assert max(shares) < 0.5
    assert sum(share > 0.1 for share in shares) < 0.02 * len(frozen)


def test_figures_on_frozen_posts_are_above_their_floors(scorer: TopicScorer) -> None:
    found = evaluate(scorer)
    assert {name: m.macro_f1 for name, m in found.by_language.items() if m.macro_f1 < FLOORS[name]} == {}
    for language, by_keyword in found.keywords.items():
        assert found.by_language[language].macro_f1 > by_keyword.macro_f1 + 0.1
    assert found.masked.macro_f1 > 0.5
    assert found.overall.off_topic_given < 0.1
    assert found.overall.calibration_error is not None
    assert found.overall.calibration_error < 0.02


FLOORS = {"zh-Hant": 0.80, "zh-Hans": 0.80, "ja": 0.80, "ko": 0.80, "th": 0.80, "en": 0.80}


def test_masked_texts_hold_no_seed() -> None:
    assert masked({"a": ["onsen", "溫泉"]}, ["An onsen, 溫泉旅館 online"]) == ["an      ,   旅馆 online"]


def test_the_card_says_that_its_posts_are_synthetic(fitted_dir: Path) -> None:
    text = model_card(model_folder(Settings(data_dir=fitted_dir)))
    assert "synthetic" in text
    assert "| travel.onsen_spa |" in text


def test_the_card_that_ships_is_of_the_model_that_ships() -> None:
    """It was made anew (radar train --card) after the last change of labels, recipe, code or libraries."""
    shipped = (files("radar._content.models.topics") / "CARD.md").read_text(encoding="utf-8")
    versions = {name: version(name) for name in ("scikit-learn", "numpy", "numba", "opencc")}
    if any(f"{name} {found}" not in shipped for name, found in versions.items()):
        pytest.skip("other library versions than the card's name another model")
    assert shipped.startswith(f"# Topic model {model_id()}\n")


def test_each_topics_figures_are_in_the_card(fitted_dir: Path) -> None:
    text = model_card(model_folder(Settings(data_dir=fitted_dir)))
    head = next(line for line in text.splitlines() if line.startswith("| topic |"))
    for name in ("f1", "precision", "calibration_error", "off_topic_given", "masked_f1", "keyword_f1", "always_f1"):
        assert f" {name} |" in head
    assert "always the commonest topic" in text
    assert "## Real texts" not in text


OWN = """
[[set]]
name = "hotels"
files = "*.csv"
text = "said"
only = { kind = ["stay"] }
wanted = ["travel.hotel"]
[[set]]
name = "laws"
files = "laws.txt"
[[set]]
name = "not there"
files = "nothing.json"
text = "said"
"""


def test_real_texts_of_ones_own_are_measured_where_they_are(fitted_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "real_texts.toml").write_text(OWN)
    rows = ["said,kind", "The hotel room was spotless and the front desk let us check in early,stay", "no hotel,other"]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    (tmp_path / "laws.txt").write_text("The parliament adopted the amended law on pension funds.\n\n")
    text = model_card(model_folder(Settings(data_dir=fitted_dir)), real=tmp_path, today=date(2026, 11, 27))
    assert "Measured on 2026-11-27" in text
    assert "| hotels | 1 | 1.0 | 1.0 | 1.0 | travel.hotel" in text
    assert "| laws | 1 |  |  | 0.0 |  |" in text
    assert "not there" not in text


@pytest.mark.parametrize(
    ("own", "fault"),
    [
        ('[[set]]\nname = "x"\nfiles = "a.csv"\ntext = "none"', "Cannot read"),
        ('[[set]]\nname = "x"\nfiles = "a.csv"\ntext = "said"\nwanted = ["travel.moon"]', "travel.moon"),
        ('[[set]]\nname = "x"\nfiles = "b.csv"\ntext = "said"', "holds none"),
    ],
)
def test_real_texts_that_cannot_be_read_say_why(tmp_path: Path, own: str, fault: str) -> None:
    (tmp_path / "real_texts.toml").write_text(own)
    (tmp_path / "a.csv").write_text("said\nhello\n")
    with pytest.raises(UnreadableInput, match=fault):
        load_real_texts(tmp_path, load_taxonomy().ids)
