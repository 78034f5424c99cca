"""What a text says, and the traps of substring rules."""

import pytest

from radar.text.gazetteer import find
from radar.text.language import language_of
from radar.text.normalise import normalise, split_hashtags
from radar.text.reading import read
from radar.text.sponsored import is_sponsored


@pytest.mark.parametrize(
    ("text", "has", "has_not"),
    [
        ("東京都の新しい店", "JP-13", "JP-26"),
        ("京都の紅葉", "JP-26", "JP-13"),
        ("日本酒を飲む", None, "JP"),
        ("日本に行く", "JP", None),
        ("a simple price for training", None, "SG"),
        ("서울 여행", "KR-11", None),
    ],
)
def test_places_are_the_longest_match(text: str, has: str | None, has_not: str | None) -> None:
    found = find(normalise(text)).places
    assert has is None or has in found
    assert has_not is None or has_not not in found


@pytest.mark.parametrize(
    ("text", "prior", "language"),
    [
        ("東京で買った", None, "ja"), ("東京限定", "ja", "ja"), ("東京限定", "zh-Hant", "zh-Hant"),
        ("这个很好吃", None, "zh-Hans"), ("這個很好吃", None, "zh-Hant"), ("오늘 먹은 ramen", None, "ko"),
        ("อร่อยมาก", None, "th"), ("so good", None, "en"), ("123 !!", None, "und"),
    ],
)  # fmt: skip
def test_the_script_tells_the_language(text: str, prior: str | None, language: str) -> None:
    assert language_of(text, prior) == language


def test_thai_vowels_survive() -> None:
    assert normalise("ขนมญี่ปุ่น") == "ขนมญี่ปุ่น"


def test_hashtags_in_every_script_are_kept_whole() -> None:
    assert split_hashtags(normalise("#東京美食 #맛집, #ของฝาก ＃ＵＳＪ。 #1"))[1] == [
        "東京美食",
        "맛집",
        "ของฝาก",
        "usj",
    ]


def test_pr_marks_a_paid_post_and_price_does_not() -> None:
    assert is_sponsored(["pr"])
    assert not is_sponsored(["price", "prada"])
    assert not is_sponsored(["광고", "내돈내산"])


def test_reading_many_is_reading_each() -> None:
    texts = ["週末去大阪", "", "ramen\nnight", "ไปเชียงใหม่กัน #trip"]
    assert [r.keys.tolist() for r in read(texts)] == [read([t])[0].keys.tolist() for t in texts]
