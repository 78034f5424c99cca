"""Language by script, with the author's usual language as prior for text that is Han only or in Latin letters."""

import re
from functools import cache

from radar.text.other_languages import by_script, by_words

_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")
_KANA = re.compile(r"[\u3041-\u30ff\uff66-\uff9d]")
_THAI = re.compile(r"[\u0e00-\u0e7f]")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_LATIN = re.compile(r"[a-zA-Z]")
UNKNOWN = "und"

_OWN_SCRIPT = ("zh-Hant", "zh-Hans", "ja", "ko", "th")
"""Whoever writes these puts names and captions of other languages in, so it takes more to tell one."""


@cache
def _of_one_chinese() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Han signs that only simplified Chinese has, and those that only traditional Chinese has: by the national sets.

    >>> simplified, traditional = _of_one_chinese()
    >>> simplified.findall("头里台"), traditional.findall("頭里台")
    (['头'], ['頭'])
    """
    signs = [chr(code) for code in range(0x4E00, 0xA000)]
    simplified, traditional = ({s for s in signs if s.encode(name, "ignore")} for name in ("gb2312", "big5"))
    only = ("".join(sorted(one - other)) for one, other in ((simplified, traditional), (traditional, simplified)))
    return re.compile(f"[{next(only)}]"), re.compile(f"[{next(only)}]")


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
    hangul, thai = len(_HANGUL.findall(text)), len(_THAI.findall(text))
    kana, han = len(_KANA.findall(text)), len(_HAN.findall(text))
    read, latin = hangul + thai + kana + han, len(_LATIN.findall(text))
    if other := by_script(text, read + latin):
        return other
    if latin > 4 * read and (other := by_words(text.lower(), prior, 5 if read else 3 if prior in _OWN_SCRIPT else 2)):
        return other
    if hangul > max(thai, kana + han):
        return "ko"
    if thai > max(hangul, kana + han):
        return "th"
    if kana and kana * 8 >= han:
        return "ja"
    if han:
        if prior == "ja" and not kana:
            return "ja"
        simplified, traditional = (len(signs.findall(text)) for signs in _of_one_chinese())
        is_simplified = simplified > traditional or (simplified == traditional and prior == "zh-Hans")
        return "zh-Hans" if is_simplified else "zh-Hant"
    if hangul:
        return "ko"
    return "en" if latin else UNKNOWN
