"""In which encoding a text file is written: UTF-8, UTF-16 by its mark, or one of those that East Asian tools still use.

A file that is no UTF-8 is read in each of the others, and what comes of it is scored by how usual its characters are in
that encoding's own language. A file that is UTF-8 but for some lines stays UTF-8: those lines are set aside.
"""

import codecs
from collections.abc import Callable

SAMPLE = 1 << 18
"""Bytes that are looked at."""
_SURE = 0.8


def sniff(sample: bytes) -> str:
    """The encoding of a text that begins with these bytes.

    >>> [sniff("日期,台北美食與日本藥妝".encode(e)) for e in ("utf-8", "big5")]
    ['utf-8-sig', 'cp950']
    >>> sniff("日付,大阪のラーメンがおいしい".encode("shift_jis")), sniff("날짜,서울 맛집 추천".encode("euc-kr"))
    ('cp932', 'cp949')
    """
    if sample[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if _is_mostly_utf8(sample):
        return "utf-8-sig"
    scores = {name: _score(sample, name, usual) for name, usual in _USUAL.items()}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] >= _SURE else "utf-8-sig"


def _is_mostly_utf8(sample: bytes) -> bool:
    lines = [line for line in sample.split(b"\n")[:-1] or [sample] if not line.isascii()]
    return 2 * sum(_decodes(line, "utf-8") is not None for line in lines) >= len(lines)


def _decodes(raw: bytes, encoding: str) -> str | None:
    """The text; a character that is cut off at the end is left out. None where the bytes are none of that encoding."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(raw)
    except UnicodeDecodeError:
        return None


def _score(sample: bytes, encoding: str, usual: Callable[[str, str], bool]) -> float:
    """Share of the characters beyond ASCII that are usual after the one before them; 0 where it cannot be read."""
    text = _decodes(sample, encoding)
    if text is None:
        return 0.0
    pairs = [(before, char) for before, char in zip(" " + text, text, strict=False) if char > "\x7f"]
    return sum(usual(before, char) for before, char in pairs) / len(pairs) if pairs else 0.0


def _lead(char: str, encoding: str) -> int:
    raw = char.encode(encoding, "ignore")
    return raw[0] if len(raw) == 2 else 0


def _usual_big5(before: str, char: str) -> bool:
    """The half of Big5 that holds the frequent characters, and its punctuation."""
    return 0xA1 <= _lead(char, "cp950") <= 0xC6


def _usual_shift_jis(before: str, char: str) -> bool:
    """Kana, punctuation and the frequent kanji, not the half-width kana that other encodings turn into."""
    return "\u3000" <= char <= "\u30ff" or char >= "\uff01" > "\uff61" or 0x81 <= _lead(char, "cp932") <= 0x97


def _usual_euc_kr(before: str, char: str) -> bool:
    """Hangul of the standard, and punctuation."""
    return 0xA1 <= _lead(char, "cp949") <= 0xC8 and not "\u3040" <= char <= "\u30ff"


def _usual_thai(before: str, char: str) -> bool:
    """Thai, its marks only above or below a letter."""
    is_mark = char == "\u0e31" or "\u0e34" <= char <= "\u0e3a" or "\u0e47" <= char <= "\u0e4e"
    return "\u0e01" <= char <= "\u0e5b" and (not is_mark or "\u0e01" <= before <= "\u0e4e")


_USUAL: dict[str, Callable[[str, str], bool]] = {
    "cp949": _usual_euc_kr, "cp874": _usual_thai, "cp950": _usual_big5, "cp932": _usual_shift_jis,
}  # fmt: skip
