"""The best form of a Korean word: particles (josa) and verb endings (eomi) off, inflected twins on one form.

Rules, not a dictionary: the longest particle whose form agrees with the sound before it goes (을 after a final
consonant, 를 after a vowel: the allomorphs of any grammar of Korean), unless a list says that the word is a noun
that only looks so (고양이, 제주도). Noun + 하다 or 되다 is the noun; common adjectives go to their dictionary form;
other inflected verbs name nothing.
"""

from radar.text.lexicon import korean_endings

_AFTER_CONSONANT = ("은", "이", "을", "과", "으")
_AFTER_VOWEL = (
    "는",
    "를",
    "와",
    "가",
    "랑",
    "며",
    "라",
    "나",
    "였",
    "예",
    "네요",
    "인데",
    "지만",
    "다",
    "야",
    "여서",
    "죠",
    "군요",
)
LONGEST = 6
"""Syllables of the longest ending in the lists."""
_ALONE = frozenset(
    "책 술 밥 빵 떡 절 섬 산 바 집 옷 약 꽃 별 눈 비 강 차 물 길 돈 팩 립 닭 소 배 귤 굴 게 회 국 죽 면 탕".split()
)


def has_final(syllable: str) -> bool:
    """Whether a Hangul syllable ends in a consonant (Unicode 16, chapter 3.12: 28 finals a vowel, the first is none).

    >>> has_final("집"), has_final("배")
    (True, False)
    """
    return (ord(syllable) - 0xAC00) % 28 != 0


def best_form(word: str) -> tuple[str, bool]:
    """The form that a word is counted by ("" where it names nothing), and whether something was cut off it.

    >>> [best_form(word)[0] for word in ("배우들의", "고양이가", "추천합니다", "재밌었어요", "갔었는데")]
    ['배우', '고양이', '추천', '재밌다', '']
    """
    endings = korean_endings()
    if word in endings.whole:
        return word, False
    for length in (2, 3):
        if len(word) >= length and (form := endings.predicate.get(word[:length])):
            return form, True
    for length in range(min(LONGEST, len(word) - 2), 0, -1):
        if word[-length:] in endings.hada:
            stem = word[:-length]
            adjective = stem + "하다"
            return (adjective if adjective in endings.adjectives else _singular(stem)), True
    if any(word[-length:] in endings.verb for length in range(1, LONGEST + 1)):
        return "", True
    if len(word) == 1 and word not in _ALONE:
        return "", True
    stem = _without_josa(word, endings.josa, endings.whole)
    if stem == word and word[-1] in "은는던":
        return "", True
    return _singular(stem), stem != word


def _without_josa(word: str, josa: frozenset[str], whole: frozenset[str]) -> str:
    for length in range(min(LONGEST, len(word) - 1), 0, -1):
        particle = word[-length:]
        if particle not in josa:
            continue
        stem = word[:-length]
        if len(stem) == 1 and stem not in _ALONE:
            continue
        if stem in whole or _agrees(stem[-1], particle):
            return stem
    return word


def _agrees(last: str, particle: str) -> bool:
    if not "가" <= last <= "힣":
        return True
    if particle.startswith("로"):
        return not has_final(last) or (ord(last) - 0xAC00) % 28 == 8
    if particle.startswith(_AFTER_CONSONANT):
        return has_final(last)
    if particle.startswith(_AFTER_VOWEL):
        return not has_final(last)
    return True


def _singular(noun: str) -> str:
    """배우들 is 배우, 아들 is 아들."""
    if noun.endswith("들") and len(noun) > 2 and noun not in korean_endings().whole:
        return noun[:-1]
    return noun
