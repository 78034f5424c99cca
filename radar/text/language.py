"""Language by script, with the author's usual language as prior for text that is Han only or in Latin letters."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from radar.text.codes import Joined
from radar.text.other_languages import by_script, by_words, may_be_told, scripts

UNKNOWN = "und"

NONE, HANGUL, THAI, KANA, HAN, SIMPLIFIED, TRADITIONAL, LATIN, OTHER = range(9)
"""What a sign may be: of a script; SIMPLIFIED and TRADITIONAL are Han that only one Chinese has; OTHER one not read."""
_RANGES = {
    HANGUL: ("1100-11ff", "3130-318f", "ac00-d7af"), THAI: ("0e00-0e7f",), KANA: ("3041-30ff", "ff66-ff9d"),
    HAN: ("3400-4dbf", "4e00-9fff"), LATIN: ("0041-005a", "0061-007a"),
}  # fmt: skip
_OWN_SCRIPT = ("zh-Hant", "zh-Hans", "ja", "ko", "th")
"""Whoever writes these puts names and captions of other languages in, so it takes more to tell one."""


@cache
def _signs() -> npt.NDArray[np.uint8]:
    """(65,536,) uint8: what each sign is. Which Chinese has a Han sign is by the national sets, GB 2312 and Big5.

    >>> _signs()[[ord(sign) for sign in "头頭里"]].tolist() == [SIMPLIFIED, TRADITIONAL, HAN]
    True
    """
    signs = np.zeros(0x10000, np.uint8)
    ranges = [(kind, part) for kind, parts in _RANGES.items() for part in parts]
    for kind, part in [*((OTHER, part) for parts in scripts().values() for part in parts), *ranges]:
        first, last = (int(code, 16) for code in part.split("-"))
        signs[first : last + 1] = kind
    for code in range(0x4E00, 0xA000):
        in_one, in_other = (bool(chr(code).encode(name, "ignore")) for name in ("gb2312", "big5"))
        if in_one != in_other:
            signs[code] = SIMPLIFIED if in_one else TRADITIONAL
    return signs


def _counted(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """(texts, kinds of sign): how many signs of each kind each text has."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4")
    of = np.repeat(np.arange(len(texts)) * (OTHER + 1), [len(text) for text in texts])
    kinds = np.where(codes < 0x10000, _signs()[codes & 0xFFFF], NONE)
    return np.bincount(of + kinds, minlength=len(texts) * (OTHER + 1)).reshape(len(texts), -1)


def languages_of(texts: Sequence[str], priors: Sequence[str | None], joined: Joined | None = None) -> list[str]:
    """`language_of` of many texts, in one pass over their signs.

    joined  the same texts, where they are in lower case and at hand: their words are looked up by compiled code first
    """
    counts = _counted(texts).tolist() if texts else []
    may = [True] * len(texts) if joined is None else may_be_told(joined).tolist()
    return [_language(text, prior, told, *of) for text, prior, told, of in zip(texts, priors, may, counts, strict=True)]


def language_of(text: str, prior: str | None = None) -> str:
    """BCP 47 tag of a text: zh-Hant, zh-Hans, ja, ko, th, en, another one that is told, or "und" where nothing says.

    prior  the author's or market's usual language; decides for text in Han characters alone

    A text with signs of a script that is read is in its language, however much English it holds; only a text mostly in
    Latin letters that are plainly another language's is not.

    >>> language_of("東京で買った"), language_of("東京", "ja"), language_of("好吃 ramen", "zh-Hant")
    ('ja', 'ja', 'zh-Hant')
    >>> language_of("chuyến đi của mình ở 台北"), language_of("new in! OOTD", "th"), language_of("лучший рамен в Токио")
    ('vi', 'en', 'ru')
    """
    return languages_of([text], [prior])[0]


def _language(
    text: str, prior: str | None, may_be_told: bool, _: int, hangul: int, thai: int, kana: int, both: int,
    simplified: int, traditional: int, latin: int, other: int,
) -> str:  # fmt: skip
    """The language of a text with so many signs of each kind; may_be_told: whether its words may tell another one."""
    han = both + simplified + traditional
    read = hangul + thai + kana + han
    if other and (told := by_script(text, read + latin)):
        return told
    if may_be_told and latin > 4 * read:
        least = 5 if read else 3 if prior in _OWN_SCRIPT else 2
        if told := by_words(text.lower(), prior, least):
            return told
    if hangul > max(thai, kana + han):
        return "ko"
    if thai > max(hangul, kana + han):
        return "th"
    if kana and kana * 8 >= han:
        return "ja"
    if han:
        if prior == "ja" and not kana:
            return "ja"
        is_simplified = simplified > traditional or (simplified == traditional and prior == "zh-Hans")
        return "zh-Hans" if is_simplified else "zh-Hant"
    if hangul:
        return "ko"
    return "en" if latin else UNKNOWN
