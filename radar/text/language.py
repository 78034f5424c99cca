"""Language by script, with the author's usual language as prior for text that is Han only or in Latin letters."""

import re

from radar.text.other_languages import by_script, by_words

_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")
_KANA = re.compile(r"[\u3041-\u30ff\uff66-\uff9d]")
_THAI = re.compile(r"[\u0e00-\u0e7f]")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_LATIN = re.compile(r"[a-zA-Z]")
_SIMPLIFIED = re.compile(
    "[们这来说时会过还没对开关发问间见车东买卖吗岁书学习写爱国华为让给钱点样实话语听气图样种类别边进远运动机场馆饭饮馒头脸]"
)
_TRADITIONAL = re.compile(
    "[們這來說時會過還沒對開關發問間見車東買賣嗎歲書學習寫愛國華為讓給錢點樣實話語聽氣圖種類別邊進遠運動機場館飯飲饅頭臉]"
)

UNKNOWN = "und"

_OWN_SCRIPT = ("zh-Hant", "zh-Hans", "ja", "ko", "th")
"""Whoever writes these puts names and captions of other languages in, so it takes more to tell one."""


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
        simplified, traditional = len(_SIMPLIFIED.findall(text)), len(_TRADITIONAL.findall(text))
        return "zh-Hans" if simplified > traditional else "zh-Hant"
    if hangul:
        return "ko"
    return "en" if latin else UNKNOWN
