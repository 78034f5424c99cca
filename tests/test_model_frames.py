"""What a notebook reads off a model's decisions, on four posts that can be counted by hand."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from radar import model_frames
from radar.config import Settings
from radar.errors import CallerError
from radar.store.engine import open_store

ROWS = [  # post, language, topic, truth, p, on (from 0.5)
    (0, "ja", "a", True, 0.9, True),
    (0, "ja", "b", False, 0.1, False),
    (1, "ja", "a", True, 0.2, False),
    (1, "ja", "b", False, 0.8, True),
    (2, "ko", "a", False, 0.1, False),
    (2, "ko", "b", True, 0.9, True),
    (3, "ko", "a", True, 0.4, False),
    (3, "ko", "b", False, 0.1, False),
]
DECIDED = pd.DataFrame(ROWS, columns=["post", "language", "topic", "truth", "p", "on"]).assign(threshold=0.5)


def test_scores_by_language_are_means_over_the_topics_that_occur() -> None:
    found = model_frames.scores(DECIDED, "language").set_index("language")
    assert found.loc["ja", ["f1", "precision", "recall", "n"]].tolist() == pytest.approx([2 / 3, 1 / 2, 1 / 2, 2])
    assert found.loc["ko", ["f1", "precision", "recall", "n"]].tolist() == pytest.approx([1 / 2, 1, 1 / 2, 2])


def test_a_missed_topic_is_confused_with_what_was_given_instead() -> None:
    found = model_frames.confusion(DECIDED).sort_values("topic_given")
    assert found[["topic", "topic_given", "posts"]].to_numpy().tolist() == [["a", "b", 1], ["a", "nothing", 1]]


def test_the_surest_errors_come_first() -> None:
    found = model_frames.errors(DECIDED)
    assert found[["post", "topic"]].to_numpy().tolist() == [[1, "a"], [1, "b"], [3, "a"]]


def test_calibration_holds_what_was_said_against_what_was_so() -> None:
    found = model_frames.calibration(DECIDED, bins=2)
    assert found["share"].tolist() == pytest.approx([2 / 5, 2 / 3])
    assert found["n"].tolist() == [5, 3]


def test_a_threshold_costs_what_it_misses_and_gives_wrongly() -> None:
    found = model_frames.threshold_costs(DECIDED, missed=1, wrong=3, steps=3)
    assert found["threshold"].tolist() == pytest.approx([0.05, 0.5, 0.95])
    assert found["missed"].tolist() == [0, 500, 1000]
    assert found["wrong"].tolist() == [1000, 250, 0]
    assert found["cost"].tolist() == [3000, 1250, 1000]
    assert model_frames.present_cost(DECIDED, missed=1, wrong=3) == 1250


def test_a_copy_to_practise_in_leaves_the_store_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    open_store(settings.url).dispose()
    (settings.labels_dir).mkdir()
    (settings.labels_dir / "a.jsonl").write_text("{}")
    copy = model_frames.practice(settings)
    with closing(sqlite3.connect(copy.data_dir / "radar.db")) as connection:
        connection.execute("DELETE FROM alembic_version")
        connection.commit()
    with closing(sqlite3.connect(tmp_path / "radar.db")) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    assert (copy.labels_dir / "a.jsonl").is_file()
    with pytest.raises(CallerError, match="SQLite"):
        model_frames.practice(Settings(data_dir=tmp_path, database_url="postgresql://radar@127.0.0.1/radar"))
