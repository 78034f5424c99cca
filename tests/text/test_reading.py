"""Texts are read by compiled code, many at once: what each says is what the plain functions find in it alone."""

import random

import numpy as np
import pytest
import xxhash
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radar.keys import Kind, key_number
from radar.registry import TopicScorer, load_labels, load_taxonomy
from radar.text import gazetteer
from radar.text.codes import Joined
from radar.text.key_rows import KeyRows
from radar.text.language import language_of
from radar.text.longest import Names
from radar.text.normalise import Normal, normalise, split_hashtags
from radar.text.reading import key_texts, read
from radar.text.segment import breaks_of, segments
from radar.text.sponsored import is_sponsored
from radar.text.terms import REMEMBERED, terms
from radar.text.xxh3 import LONGEST, xxh3
from radar.topics.form import feature_codes

HOSTILE = [
    "",
    " ",
    "\x00\x1f\u2028 zero",
    "x" * 3_000,
    "東" * 2_000,
    "ก" * 1_500,
    "가나 " * 800,
    "a b " * 900,
    "😂" * 400 + "👩‍👩‍👧‍👦🇯🇵#️⃣",
    "e\u0301\u0301 a\u20e3 \u0301\u0301",
    "ｶﾞｯﾂﾘ ﾗｰﾒﾝ ＃ＵＳＪ ﹟tag ㌔ ①",
    "\u1112\u1161\u11ab\u1100\u1173\u11af ㅋㅋㅋ",
    "مرحبا טוקיו \u202egnp.exe\u202c",
    "น้ำตกสวยมากกก ๆๆ 555",
    "𠮷野家で牛丼 😀東京 𠀀",
    "進撃の巨人 rock-n-roll スター・ウォーズ lord of the rings 2 - - -",
    "#JapanTrip #日本旅行# ##a#b #1 #_x_ @x#y http://a.b/#FragX ＷＷＷ.a.b",
    "#ad #협찬 #내돈내산 n seoul tower in seoul told n seoul",
]
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
PIECES = [
    "東京",
    "の",
    "ラーメン",
    "go",
    "of",
    "-",
    "・",
    " ",
    "  ",
    "n seoul",
    "맛집이",
    "ร้าน",
    "#",
    "Ａ",
    "’s",
    "😀",
    "١",
]
MADE = st.lists(st.sampled_from(PIECES) | ANY, max_size=12).map("".join)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return HOSTILE + load_labels(load_taxonomy()).texts[::7]


def _plain_keys(text: str) -> list[int]:
    """By the functions that read one text at a time."""
    normalised = normalise(text)
    body, tags = split_hashtags(normalised)
    found = gazetteer.find(normalised)
    named = {
        Kind.TERM: terms(segments([body])[0]), Kind.HASHTAG: tags, Kind.PLACE: found.places,
        Kind.PRODUCT: found.products,
    }  # fmt: skip
    return sorted({key_number(kind, name) for kind, names in named.items() for name in names})


def test_many_texts_say_what_each_says_alone(texts: list[str]) -> None:
    priors = [("en", "ja", "es", None)[i % 4] for i in range(len(texts))]
    readings = read(texts, priors)
    for i, (text, prior) in enumerate(zip(texts, priors, strict=True)):
        said = readings[i]
        assert said.normalised == normalise(text)
        assert said.keys.tolist() == _plain_keys(text), text
        assert said.language == language_of(normalise(text), prior)
        assert said.places == gazetteer.find(normalise(text)).places
        assert said.sponsored == is_sponsored(split_hashtags(normalise(text))[1])


@settings(max_examples=150, deadline=None)
@given(made=st.lists(MADE, max_size=6))
def test_whatever_the_text_its_keys_are_the_same_among_others(made: list[str]) -> None:
    readings = read(made)
    assert [readings[i].keys.tolist() for i in range(len(made))] == [_plain_keys(text) for text in made]
    assert list(readings.languages) == [language_of(normalise(text)) for text in made]


def test_every_key_that_is_read_gets_its_name_back(texts: list[str]) -> None:
    keys = set(read(texts).keys.keys.tolist())
    assert set(key_texts(texts, keys)) == keys


def test_more_new_words_than_are_remembered_are_read_all_the_same() -> None:
    drawn = random.Random(5)
    made = ["".join(drawn.choices("bcdfghklmnprst", k=7)) for _ in range(REMEMBERED + 2_000)]
    half = len(made) // 2
    for words in (made, made[:half], made[half:], made):
        some = {key_number(Kind.TERM, word) for word in words[:50] + words[-50:]}
        assert set(read([" ".join(words)])[0].keys.tolist()) >= some


@settings(max_examples=300, deadline=None)
@given(names=st.sets(st.text("abc d", min_size=1, max_size=5), min_size=1, max_size=9), text=st.text("abc d"))
def test_names_are_found_as_the_library_finds_them(names: set[str], text: str) -> None:
    import ahocorasick

    ordered = sorted(names)
    library = ahocorasick.Automaton()
    for name in ordered:
        library.add_word(name, name)
    library.make_automaton()
    wanted = [name for last, name in library.iter_long(text) if gazetteer.is_word(text, last - len(name) + 1, last + 1)]
    found, offsets = Names(ordered).find(Joined.of([text, text]))
    assert [ordered[i] for i in found] == wanted + wanted
    assert offsets.tolist() == [0, len(wanted), 2 * len(wanted)]


def test_the_hash_is_the_library_s_at_every_length() -> None:
    drawn = random.Random(3)
    for length in range(1, LONGEST + 1):
        said = drawn.randbytes(length)
        assert int(xxh3(np.frombuffer(said, np.uint8).copy(), length)) == xxhash.xxh3_64_intdigest(said)


@settings(max_examples=200, deadline=None)
@given(made=st.lists(MADE.map(normalise), min_size=1, max_size=4))
def test_words_end_where_they_end_one_by_one(made: list[str]) -> None:
    joined, at, ends = Joined.of(made), 0, []
    for pieces in segments(made):
        for piece in [*pieces, "\n"]:
            at += len(piece)
            ends.append(at)
    assert breaks_of(made, joined).tolist() == ends


NUMBERS = st.lists(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 9), max_size=70), min_size=3, max_size=3)


def _rows(rows: list[list[int]]) -> KeyRows:
    return KeyRows.of([key for row in rows for key in row], [*map(len, rows)])


@given(one=NUMBERS, other=NUMBERS)
def test_keys_of_two_kinds_are_put_together_by_row(one: list[list[int]], other: list[list[int]]) -> None:
    both = _rows(one) | _rows(other)
    assert [both[row].tolist() for row in range(3)] == [sorted({*a, *b}) for a, b in zip(one, other, strict=True)]
    assert both.as_bytes() == [np.array(both[row], "<i8").tobytes() for row in range(3)]


TAGS = st.sampled_from(
    ["#", "＃", "﹟", "aB", "ABc", "http", "ｈttp", "://x", "www.", "@", "x", " ", "東", "Σ", "\uff9e", "."]
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(text=st.lists(TAGS | ANY, max_size=10).map("".join))
def test_features_read_the_same_form_whether_or_not_the_normal_one_is_at_hand(text: str) -> None:
    seen = feature_codes([text], Normal.of([text]))
    assert np.array_equal(seen.codes, feature_codes([text]).codes)


def test_topics_and_tone_are_judged_at_once_as_one_by_one(scorer: TopicScorer, texts: list[str]) -> None:
    p, tones = scorer.judge(texts, Normal.of(texts))
    assert np.array_equal(p, scorer.score(texts))
    assert tones is not None
    assert np.array_equal(tones, scorer.tones(texts))
