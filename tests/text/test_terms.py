"""What a post emits: whole units in five languages, and nothing that names nothing."""

import pytest

from radar.keys import Kind, key_number
from radar.text import terms as terms_module
from radar.text.korean import best_form
from radar.text.normalise import normalise
from radar.text.reading import key_texts, read
from radar.text.segment import segments
from radar.text.terms import MAX_LENGTH, scan, terms


def found(text: str) -> set[str]:
    return terms(segments([normalise(text)])[0])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("週末去環球影城玩", "環球影城"),
        ("大阪環球影城的門票", "大阪環球影城"),
        ("必吃的鳳梨酥!", "鳳梨酥"),
        ("ドンキホーテで買った", "ドンキホーテ"),
        ("進撃の巨人を見た", "進撃の巨人"),
        ("抹茶ラテに行く", "抹茶ラテ"),
        ("제주도에서 흑돼지를 먹었다", "제주도"),
        ("제주도에서 흑돼지를 먹었다", "흑돼지"),
        ("로마의 휴일은 명작", "로마의 휴일"),
        ("ไปกินเบียร์ช้างกัน", "เบียร์ช้าง"),
        ("the night market in taipei", "night market"),
        ("lord of the rings again", "lord of the rings"),
        ("k-pop dance", "k-pop"),
        ("my iphone 15 broke", "iphone 15"),
        ("Ellen's show", "ellen"),
        ("H&M sale", "h & m"),
        ("3CE lipstick", "3ce"),
    ],
)
def test_whole_units_are_emitted(text: str, wanted: str) -> None:
    assert normalise(wanted) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "的 了 是 我們 因為 所以 可以", "嘅 咗 唔係 但係 都有 就會 第一次", "これ は それ です から ました",
        "する こと が ある",
        "그리고 정말 너무 진짜 우리 이것은", "갔었는데 봤습니다 있어요", "ㅋㅋㅋ ㅠㅠ ᄏᄏ",
        "และ ก็ แต่ ครับ ค่ะ ที่ ไม่ สำหรับ แนะนำ",
        "the of and it's don't would very", "a b c", "2026 15 3.5 10,000", "5km 24h 1st 10am 3",
        "www.example.com https://x.yz/abc",
        "goo.gl bit.ly example.co.jp", "0uwh0q a1b2c3", "的", "あ", "ア", "!!! ???", "",
    ],
)  # fmt: skip
def test_what_names_nothing_is_not_emitted(text: str) -> None:
    assert found(text) == set()


def test_a_function_word_ends_a_term() -> None:
    assert not any("和" in term or " and " in term for term in found("鳳梨酥和珍珠奶茶") | found("ramen and sushi"))


def test_a_space_ends_a_term_only_where_words_are_written_without() -> None:
    assert "月光列車" not in found("月光 列車")
    assert "night train" in found("night train")


@pytest.mark.parametrize(
    ("words", "form"),
    [
        ("배우가 배우는 배우를 배우의 배우도 배우들이 배우들의 배우", "배우"),
        ("감동했다 감동적 감동을", None),
        ("재밌어요 재밌다 재밌네요 재밌었음 재밌게", "재밌다"),
        ("지루한 지루하다 지루했음 지루해서 지루합니다", "지루하다"),
        ("추천합니다 추천해요 추천을 추천", "추천"),
        ("고양이 고양이가 고양이를", "고양이"),
        ("서울 서울로 서울에서", "서울"),
        ("떡볶이를 떡볶이 떡볶이는", "떡볶이"),
    ],
)
def test_inflected_twins_have_one_form(words: str, form: str | None) -> None:
    forms = {best_form(word)[0] for word in words.split()}
    assert forms == {form} if form else len(forms) == 2


def test_a_particle_goes_only_where_the_sound_before_agrees() -> None:
    assert best_form("스타가")[0] == "스타"
    assert best_form("만족가")[0] == "만족가"
    assert best_form("만족을")[0] == "만족"


def test_terms_do_not_depend_on_what_was_read_before(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["環球影城好玩", "night market food", "제주도에서 흑돼지", "เบียร์ช้าง", "ドンキホーテの袋"]
    once = [found(text) for text in texts]
    monkeypatch.setattr(terms_module, "REMEMBERED", 3)
    assert [found(text) for text in reversed(texts)] == once[::-1]


def test_words_seen_once_leave_no_growing_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terms_module, "REMEMBERED", 50)
    terms_module._ROLES.clear()
    for i in range(400):
        terms([f"word{chr(97 + i % 26)}{chr(97 + i // 26)}x"])
        assert len(terms_module._ROLES) <= 50


def test_a_post_emits_few_terms_a_word() -> None:
    text = "月光列車進站觀光旅客排隊購票參觀環球影城咖啡廣場" * 20
    pieces = segments([text])[0]
    assert len(scan(pieces)) <= 4 * len(pieces)
    assert all(len(term) <= MAX_LENGTH for term in terms(segments(["x" * 23 + " " + "y" * 23])[0]))


def test_spans_are_where_the_terms_stand() -> None:
    pieces = segments(["搭月光列車 night market"])[0]
    spans: list[tuple[int, int]] = []
    for text, (start, end) in zip(scan(pieces, spans), spans, strict=True):
        assert "".join(pieces[start : end + 1]) == text


def test_a_counted_key_gets_its_text_back() -> None:
    text = "大阪環球影城的門票 #usj"
    number = key_number(Kind.TERM, "大阪環球影城")
    assert number in read([text])[0].keys.tolist()
    assert key_texts([text], {number}) == {number: (Kind.TERM, "大阪環球影城")}
