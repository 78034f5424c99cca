"""A language that is not read is told and counted, and never guessed; brand captions in English change nothing."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from radar.answers.holdings import coverage
from radar.classify import classify_posts
from radar.markets import MARKETS
from radar.registry import TopicScorer, load_labels, load_taxonomy
from radar.store.engine import reading
from radar.store.posts import topics_of
from radar.store.tables import post
from radar.text.language import language_of
from radar.text.other_languages import READ
from tests.builders import NOON, a_post, put

OTHERS = {
    "vi": "Lần đầu đi Osaka, mì ramen ngon không tưởng, sẽ quay lại",
    "ms": "Jom makan ramen dekat Osaka, sedap sangat dan murah",
    "tl": "Ang sarap ng ramen dito sa Osaka, babalik ako kasama ang pamilya",
    "es": "El mejor ramen de Osaka, volveremos con la familia",
    "pt": "O melhor ramen de Osaka, não vejo a hora de voltar com a família",
    "fr": "Le meilleur ramen d'Osaka, nous reviendrons avec les enfants",
    "de": "Der beste Ramen in Osaka, wir kommen mit der Familie wieder",
    "it": "Il miglior ramen di Osaka, ci torneremo con i bambini anche a maggio",
    "ru": "Лучший рамен в Osaka, обязательно вернёмся",
    "ar": "أفضل رامن في أوساكا وسنعود مرة أخرى",
    "hi": "ओसाका का सबसे अच्छा रामेन",
}


@pytest.mark.parametrize(
    ("text", "prior", "language"),
    [
        ("台北这家小吃", None, "zh-Hans"),
        ("台北這家小吃", None, "zh-Hant"),
        ("台北小吃", "zh-Hans", "zh-Hans"),
        ("台北小吃", "zh-Hant", "zh-Hant"),
        ("台北小吃", None, "zh-Hant"),
        ("台北這家小吃", "zh-Hans", "zh-Hant"),
        ("大阪城公園", "ja", "ja"),
    ],
)
def test_both_kinds_of_chinese_are_told_by_a_few_signs(text: str, prior: str | None, language: str) -> None:
    assert language_of(text, prior) == language


@pytest.mark.parametrize(("language", "text"), OTHERS.items())
@pytest.mark.parametrize("prior", [None, "zh-Hant", "en"])
def test_another_language_is_told(language: str, text: str, prior: str | None) -> None:
    assert language_of(text, prior) == language


@pytest.mark.parametrize(
    ("text", "prior", "language"),
    [
        ("new in! La Mer x Le Labo #ootd", "ko", "en"),
        ("DE BEERS", "zh-Hant", "en"),
        ("Don Don Donki haul", "th", "en"),
        ("Café de Paris en Ginza", "ja", "en"),
        ("今天穿 Comme des Garçons x Nike, love it", "zh-Hant", "zh-Hant"),
        ("오늘은 Le Pain Quotidien", "ko", "ko"),
        ("ร้าน La Monita อร่อย so good", "th", "th"),
        ("銀座のLa Bettola da Ochiai、最高", "ja", "ja"),
        ("Sarap!", "tl", "tl"),
        ("Sarap!", "en", "en"),
        ("Sarap talaga", "tl", "tl"),
        ("🍜🍜", "zh-Hant", "und"),
        ("", None, "und"),
    ],
)
def test_brands_and_short_captions_stay_what_they_are(text: str, prior: str | None, language: str) -> None:
    assert language_of(text, prior) == language


def test_hardly_a_labelled_post_is_taken_for_another_language() -> None:
    labels = load_labels(load_taxonomy())
    said = [language_of(text, language) for text, language in zip(labels.texts, labels.languages, strict=True)]
    lost = [text for text, language in zip(labels.texts, said, strict=True) if language not in READ]
    assert len(lost) < 0.003 * len(said), lost[:20]


def test_posts_in_other_languages_have_no_topics_and_are_counted(engine: sa.Engine, scorer: TopicScorer) -> None:
    put(
        engine,
        a_post("read", "Checked in at our hotel in Hakone, best room of the trip"),
        *(a_post(f"other-{language}", text, author=language) for language, text in OTHERS.items()),
    )
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON)
    with reading(engine) as session:
        ids = {row.native_id: row.id for row in session.execute(sa.select(post.c.native_id, post.c.id))}
        topics = topics_of(session, list(ids.values()))
        told = {line["market"]: line for line in coverage(session, now=NOON)["markets"]}
    assert "travel.hotel" in topics[ids["read"]]
    assert [name for name, number in ids.items() if name.startswith("other") and number in topics] == []
    assert told["TW"]["other_languages"] == len(OTHERS)
    assert told["TW"]["languages"]["vi"] == 1
    assert {told[code]["other_languages"] for code in MARKETS if code != "TW"} == {0}
