"""Posts that blame are told from posts that praise, in every language, and a trend says how many do."""

import csv
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from sklearn.metrics import roc_auc_score

from radar.classify import classify_posts
from radar.registry import TopicScorer, load_tone_posts, load_tone_words
from radar.store.engine import reading
from radar.store.posts import complaints_of, day_posts
from radar.topics.tone import tones_of
from radar.topics.tone_fit import FittedTone, fit_tone
from radar.topics.tone_words import ToneWords
from tests.builders import NOON, a_post, put

REAL = Path(__file__).parents[3] / "shared" / "data"


def blame(scorer: TopicScorer, texts: list[str]) -> np.ndarray:
    """How far each text is on the side of blame."""
    p = scorer.tones(texts)
    assert p is not None
    return np.asarray(p[:, 0] - p[:, 2])


def test_every_language_has_posts_of_every_tone() -> None:
    posts = load_tone_posts()
    told = Counter(zip(posts.languages, posts.tones.tolist(), strict=True))
    languages = Counter(posts.languages)
    assert {name: n for name, n in languages.items() if n < (200 if name == "zh-Hans" else 600)} == {}
    assert {key: n for key, n in told.items() if n < 0.2 * languages[key[0]]} == {}
    text = (files("radar._content.models.topics") / "tone.csv").read_text(encoding="utf-8")
    rows = [(row["language"], row["text"]) for row in csv.DictReader(text.splitlines())]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ("全家吃完食物中毒，送急診", "全家吃得好開心，下次再來"),
        ("呢間嘢唔好食，唔會再嚟", "呢間嘢好好食，一定再嚟"),
        ("酒店又旧又脏，再也不来", "酒店又新又干净，下次还来"),
        ("全然美味しくない、二度と行かない", "すごく美味しい、また行きたい"),
        ("맛도 없고 불친절해서 다시는 안 가요", "맛도 좋고 친절해서 또 가고 싶어요"),
        ("ไม่อร่อยเลย ไม่ไปอีกแล้ว", "อร่อยมาก จะไปอีกแน่นอน"),
        ("The staff were not helpful and the food was not good", "The staff were helpful and the food was good"),
        ("기대했는데 재미가 하나도 없다", "기대 안 했는데 정말 재미있다"),
        ("一點都不值得", "非常值得"),
    ],
)
def test_blame_and_praise_are_told_apart_also_by_a_negation(scorer: TopicScorer, worse: str, better: str) -> None:
    of_worse, of_better = blame(scorer, [worse, better])
    assert of_worse > 0 > of_better


def test_a_question_about_the_price_is_neither(scorer: TopicScorer) -> None:
    p = scorer.tones(["請問幾點開門?", "いくらですか", "가격이 얼마예요?", "ราคาเท่าไหร่คะ", "what time do you open"])
    assert p is not None
    assert tones_of(p).tolist() == [0] * 5
    assert np.allclose(p.sum(1), 1)


def test_praise_turned_round_is_no_praise() -> None:
    counts = ToneWords(load_tone_words())
    names = list(counts.concepts)
    row = counts.transform(["不好吃", "美味しくない", "not good"]).toarray()
    assert (row[:, names.index("no praise")] > 0).all()


@pytest.fixture(scope="module")
def fitted() -> FittedTone:
    weights = {"char": 1.0, "word": 0.6, "concepts": 0.5, "vectors": 1.2}
    return fit_tone(load_tone_posts(), load_tone_words(), c=0.3, weights=weights, folds=3, seed=1)


def test_a_head_is_above_its_floor_on_posts_it_has_not_seen(fitted: FittedTone) -> None:
    assert min(fitted.figures["auc"].values()) > 0.85, fitted.figures
    assert fitted.figures["right"] > 0.7
    assert fitted.figures["calibration_error"] < 0.04


def test_one_pass_tells_tones_as_scikit_learn_does(fitted: FittedTone) -> None:
    texts = load_tone_posts().texts[::20]
    plain = fitted.pipeline.plain_decision_function(texts)
    assert np.abs(fitted.pipeline.decision_function(texts) - plain).max() < 1e-4


def test_readings_keep_the_tone_on_both_databases(engine: sa.Engine, scorer: TopicScorer) -> None:
    sick = "Food poisoning after the oysters, the whole family was sick. Terrible, never again"
    put(
        engine,
        *(a_post(f"bad{i}", sick + "!" * i, author="ann") for i in range(3)),
        a_post("good", "The oysters were delicious, I loved this place, will be back", author="ann"),
        a_post("other", "The oyster bar opens at eleven", author="bob"),
    )
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON)
    day = (NOON + timedelta(hours=8)).date()
    with reading(engine) as session:
        posts = day_posts(session, scorer.model_id, "TW", day, day)
        by_person = complaints_of(session, [post.person_id for post in posts])
    told = [post.tone for post in posts if post.tone is not None]
    assert (sum(tone < 0 for tone in told), len(told)) == (3, 5)
    assert sorted(by_person.values()) == [(0, 1), (3, 4)]


def _reviews() -> tuple[list[str], list[bool]]:
    import pandas as pd

    rows = pd.read_parquet(REAL / "trends" / "ko_reviews.parquet", columns=["review", "rating"]).dropna()
    rating = pd.to_numeric(rows["rating"])
    bad, good = rows[rating <= 4].sample(3000, random_state=1), rows[rating >= 9].sample(3000, random_state=1)
    return [*bad["review"], *good["review"]], [True] * 3000 + [False] * 3000


def _messages() -> tuple[list[str], list[bool]]:
    texts, bad = [], []
    for name in ("neg", "pos"):
        lines = (REAL / "topics" / "wisesight" / f"{name}.txt").read_text(encoding="utf-8").split("\n")
        kept = [line for line in lines if line.strip()]
        texts += kept
        bad += [name == "neg"] * len(kept)
    return texts, bad


def _restaurants() -> tuple[list[str], list[bool]]:
    texts, bad = [], []
    for part in ("test", "valid"):
        for line in (REAL / "topics" / "openrice_senti" / f"{part}.tsv").read_text(encoding="utf-8").split("\n")[1:]:
            label, _, text = line.partition("\t")
            if label in ("smile", "cry"):
                texts.append(text)
                bad.append(label == "cry")
    return texts, bad


@pytest.mark.skipif(not REAL.is_dir(), reason="the real texts that measure are not beside the project")
@pytest.mark.parametrize("real", [_reviews, _messages, _restaurants])
def test_real_texts_are_told_apart(
    scorer: TopicScorer,
    real: Callable[[], tuple[list[str], list[bool]]],
    record_property: Callable[[str, object], None],
) -> None:
    texts, bad = real()
    auc = roc_auc_score(bad, blame(scorer, texts))
    record_property("auc", round(float(auc), 3))
    assert auc >= 0.80, f"{real.__name__}: {auc:.3f}"
