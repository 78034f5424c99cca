"""Keys in Latin letters, for readers who do not know their script: how a name sounds, not what it means.

Each run of one script by what its language has: Han by Mandarin (pypinyin) or, in Japanese, by the readings of a
dictionary (Sudachi) as kana are, in Hepburn's letters; Hangul by the Revised Romanization without its assimilations;
Thai by the Royal Institute's rules (PyThaiNLP). Han in a text with kana is Japanese.

The dictionaries are opened when a first key needs them.
"""

import os
import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

from radar.text.segment import segments

HAN, KANA, HANGUL, THAI = "han", "kana", "hangul", "thai"
READS: dict[str, frozenset[str]] = {
    "zh-Hant": frozenset({HAN}), "ja": frozenset({HAN, KANA}), "ko": frozenset({HANGUL}), "th": frozenset({THAI}),
    "en": frozenset(),
}  # fmt: skip
"""Scripts that readers of a language know, besides Latin."""
_RUNS = {
    HAN: r"\u3400-\u4dbf\u4e00-\u9fff々", KANA: r"\u3041-\u30ff", HANGUL: r"\uac00-\ud7a3", THAI: r"\u0e01-\u0e4e",
}  # fmt: skip
_SCRIPTS = {name: re.compile(f"[{signs}]") for name, signs in _RUNS.items()}
_JAPANESE = re.compile(f"[{_RUNS[HAN]}{_RUNS[KANA]}]+")
_PIECES = re.compile("|".join(f"[{signs}]+" for signs in _RUNS.values()))
_SMALL = {"ァ": "a", "ィ": "i", "ゥ": "u", "ェ": "e", "ォ": "o", "ュ": "yu"}
_FOREIGN = re.compile("([テデトドフウヴシジチツ])([ァィゥェォュ])")
_LONG = (("aa", "ā"), ("uu", "ū"), ("ou", "ō"), ("oo", "ō"))
_INITIALS = "g kk n d tt r m b pp s ss - j jj ch k t p h".split()
_MEDIALS = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
_FINALS = "- k k k n n n t l k m l l l p l m p p t t ng t t k t p t".split()


def scripts_of(text: str) -> frozenset[str]:
    """Scripts of a text besides Latin.

    >>> sorted(scripts_of("東京タワー tower"))
    ['han', 'kana']
    """
    return frozenset(name for name, signs in _SCRIPTS.items() if signs.search(text))


def can_read(text: str, reader: str) -> bool:
    """Whether readers of a language know every script of a text.

    >>> can_read("大阪", "ja"), can_read("大阪", "ko"), can_read("usj", "th")
    (True, False, True)
    """
    return scripts_of(text) <= READS[reader]


@lru_cache(maxsize=20_000)
def romanise(text: str, language: str) -> str:
    """A text in Latin letters. language: of those who wrote it.

    >>> romanise("月光列車", "zh-Hant"), romanise("抹茶ラテ", "ja"), romanise("오사카 여행", "ko")
    ('yueguang lieche', 'matcha rate', 'osaka yeohaeng')
    >>> romanise("ชาเขียว", "th"), romanise("東京", "ja"), romanise("ドン・キホーテ", "th")
    ('cha khiao', 'tōkyō', 'don kihōte')
    """
    if language == "ja" or _SCRIPTS[KANA].search(text):
        text = _JAPANESE.sub(lambda found: f" {_japanese(found[0])} ", text)
    said = _PIECES.sub(lambda found: f" {_run(found[0])} ", text.replace("・", " "))
    return " ".join(said.split())


def _run(piece: str) -> str:
    if _SCRIPTS[HAN].match(piece):
        from pypinyin import lazy_pinyin

        words = [word for word in segments([piece])[0] if word.strip()]
        return " ".join("".join(lazy_pinyin(word)) for word in words)
    if _SCRIPTS[HANGUL].match(piece):
        return _hangul(piece)
    return _thai(piece) if _SCRIPTS[THAI].match(piece) else piece


@cache
def _tokenizer() -> Any:
    from sudachipy import Dictionary

    return Dictionary(dict="small").tokenizer()


def _japanese(piece: str) -> str:
    import jaconv

    words = []
    for found in _tokenizer().tokenize(piece):
        kana = found.reading_form() or found.surface()
        kana = _FOREIGN.sub(lambda pair: _foreign(pair[1], pair[2]), kana)
        letters = jaconv.kana2alphabet(jaconv.kata2hira(kana)).replace("cch", "tch")
        letters = re.sub(r"([aiueo])-", lambda vowel: vowel[1] + "\u0304", letters)
        for two, one in _LONG:
            letters = letters.replace(two, one)
        words.append(unicodedata.normalize("NFC", letters))
    return " ".join(words)


def _foreign(base: str, small: str) -> str:
    """A sign with a small vowel after it, as in フィ, ティ and シェ."""
    heads = {"テ": "t", "デ": "d", "ト": "t", "ド": "d", "フ": "f", "ウ": "w", "ヴ": "v", "シ": "sh", "ジ": "j",
             "チ": "ch", "ツ": "ts"}  # fmt: skip
    return heads[base] + _SMALL[small]


def _hangul(piece: str) -> str:
    """Syllables by their parts; a final consonant goes over to a syllable that begins with none.

    >>> _hangul("독립문"), _hangul("음악")
    ('dokripmun', 'eumak')
    """
    parts = [divmod(ord(sign) - 0xAC00, 28) for sign in piece]
    letters = ""
    for n, (head, final) in enumerate(parts):
        initial, medial = divmod(head, 21)
        letters += _INITIALS[initial].strip("-") + _MEDIALS[medial]
        follows = parts[n + 1][0] // 21 if n + 1 < len(parts) else -1
        moves = _INITIALS[follows] == "-" if follows >= 0 else False
        letters += _MOVED.get(final, _FINALS[final]) if moves else _FINALS[final].strip("-")
    return letters.replace("-", "")


_MOVED = {1: "g", 2: "kk", 3: "ks", 4: "n", 7: "d", 8: "r", 9: "lg", 16: "m", 17: "b", 18: "bs", 19: "s", 20: "ss",
          22: "j", 23: "ch", 24: "k", 25: "t", 26: "p", 27: "h"}  # fmt: skip
"""A final consonant before a vowel, by its number."""


def _thai(piece: str) -> str:
    os.environ.setdefault("PYTHAINLP_READ_ONLY", "1")  # else it makes a folder at home, for corpora that we never load
    os.environ.setdefault("PYTHAINLP_OFFLINE", "1")
    from pythainlp.transliterate import romanize

    return " ".join(romanize(word, engine="royin") or word for word in segments([piece])[0] if word.strip())
