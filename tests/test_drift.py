"""Drift: what is said of a market's posts against the model's training, and that little is said of few."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from radar.answers import drift
from radar.api import create_app
from radar.classify import classify_posts
from radar.config import Settings
from radar.drift import measure_drift
from radar.errors import RadarError, UnknownName
from radar.registry import TopicScorer, load_frozen, load_labels, load_taxonomy, model_folder
from radar.scheduling import Context, run_job
from radar.store.engine import reading
from radar.store.tables import model_drift
from tests.builders import NOON, a_post, put

NOW = NOON + timedelta(days=1)
SHIPPED, FROZEN = load_labels(load_taxonomy()), load_frozen(load_taxonomy())


def say(engine: sa.Engine, scorer: TopicScorer, market: str, texts: list[str]) -> None:
    """A post a text, spread over the six days before NOW."""
    posts = [
        a_post(f"{market}{n}", text, f"{market}{n}", market=market, published_at=NOON - timedelta(days=n % 6))
        for n, text in enumerate(texts)
    ]
    put(engine, *posts, now=NOW)
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOW)


def of_language(language: str, count: int) -> list[str]:
    """Texts like those that trained, and none of them."""
    return [text for text, name in zip(FROZEN.texts, FROZEN.languages, strict=True) if name == language][:count]


@pytest.fixture
def folder(fitted_dir: Path) -> Path:
    return model_folder(Settings(data_dir=fitted_dir))


def test_posts_of_another_kind_lie_further_away(engine: sa.Engine, scorer: TopicScorer, folder: Path) -> None:
    say(engine, scorer, "KR", of_language("ko", 400))
    say(engine, scorer, "TH", [f"zorblax quuxify {'x' * (n % 40)} wibblefrotz" for n in range(400)])
    measure_drift(engine, folder, scorer, now=NOW)
    with reading(engine) as session:
        lines = {line["market"]: line for line in drift(session)["items"]}
    near, far = lines["KR"], lines["TH"]
    assert (near["status"], near["posts"], near["days"], near["labels"]) == (
        "ok",
        400,
        7,
        SHIPPED.languages.count("ko"),
    )
    assert near["unknown_share"] < 0.5 < 0.9 < far["unknown_share"]
    assert near["score_divergence"] < far["score_divergence"]
    assert (near["no_topic_share"] < 0.7, far["no_topic_share"] > 0.9) == (True, True)
    assert near["topic_divergence"] < 0.1  # the frozen posts are spread over the topics as the labels are
    assert len(near["moved"]) == 5
    assert sum(tenth["share"] for tenth in near["scores"]) == pytest.approx(1, abs=0.001)
    assert "400 posts in seven days" in near["message"]


def test_of_few_posts_nothing_is_said(engine: sa.Engine, scorer: TopicScorer, folder: Path) -> None:
    say(engine, scorer, "KR", of_language("ko", 199))
    measure_drift(engine, folder, scorer, now=NOW)
    with reading(engine) as session:
        answer = drift(session, "kr")
    (line,) = answer["items"]
    assert (line["status"], line["posts"], line["score_divergence"]) == ("not_enough_posts", 199, None)
    assert line["message"] == "Not enough posts: 199 in seven days, 200 are needed."
    with reading(engine) as session, pytest.raises(UnknownName, match="XX"):
        drift(session, "XX")


def test_the_job_run_twice_leaves_one_measurement_a_market(
    engine: sa.Engine, scorer: TopicScorer, fitted_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "models").symlink_to(fitted_dir / "models")
    context = Context(engine, Settings(data_dir=tmp_path), NOW)
    for _ in range(2):
        assert run_job("measure_drift", context).detail == "0 markets measured, 8 with not enough posts"
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(model_drift)) == 8


def test_it_is_served_and_says_when_it_was_not_measured(engine: sa.Engine, tmp_path: Path) -> None:
    client = TestClient(create_app(engine, Settings(data_dir=tmp_path)), raise_server_exceptions=False)
    line = client.get("/v1/models/drift?market=TW").json()["items"][0]
    assert (line["market"], line["status"], line["score_divergence"]) == ("TW", "not_measured", None)
    wrong = client.get("/v1/models/drift?market=XX")
    assert (wrong.status_code, wrong.headers["content-type"]) == (404, "application/problem+json")


def test_a_model_that_does_not_say_its_training_is_named(
    engine: sa.Engine, scorer: TopicScorer, folder: Path, tmp_path: Path
) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["languages"]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RadarError, match="does not say what it was trained on"):
        measure_drift(engine, tmp_path, scorer, now=NOW)
