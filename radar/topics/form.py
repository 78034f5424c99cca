"""The form of a text that features read, and the words in it.

NFKC, lower case, links and mentions out, hashtags opened and split, Traditional Chinese in simplified signs, so that
both kinds of Chinese share their features. Reading posts needs this module and no scikit-learn.
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise, repeat

import numpy as np
import opencc

from radar.text.codes import Codes, Joined
from radar.text.normalise import Normal, normalise
from radar.text.vectors import split_words_of

Texts = Sequence[str]

_TAG = re.compile(r"[#＃](\w+)")
_CASED = re.compile(r"[#＃]\w*[A-Z]")
_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_HAN = "".join(map(chr, range(0x3400, 0xA000)))


@cache
def _simplified() -> Codes:
    """OpenCC's t2s, sign by sign, (0xA000,); its few phrase rules make no difference to a bag of features."""
    table = np.arange(0xA000, dtype=np.uint32)
    table[0x3400:] = np.frombuffer(opencc.OpenCC("t2s").convert(_HAN).encode("utf-32-le"), np.uint32)
    return table


def _opened(match: re.Match[str]) -> str:
    return " " + _CASE.sub(" ", match.group(1))


def _cleaned(text: str, said: str | None, linked: bool) -> str:
    if "#" in text or "＃" in text:
        if said is None or linked or _CASED.search(text):
            said = normalise(_TAG.sub(_opened, text))
    elif said is None:
        said = normalise(text)
    return _unsigned(said) if "#" in said else said


def _unsigned(said: str) -> str:
    """A normalised text without the signs of its hashtags."""
    plain = said.replace(" #", " ").replace("#", " ").strip()
    return " ".join(plain.split()) if "  " in plain else plain


def feature_codes(texts: Texts, normal: Normal | None = None) -> Joined:
    """The form that features read, of many texts.

    normal  the texts in one form, where it is at hand: from most of them theirs differs by hashtags' signs alone
    """
    known = zip(*normal, strict=True) if normal else repeat((None, False))
    joined = Joined.of([_cleaned(text, *said) for text, said in zip(texts, known, strict=False)])
    codes, table = joined.codes, _simplified()
    is_han = (codes >= 0x3400) & (codes < 0xA000)
    if not is_han.any():
        return joined
    is_kana = ((codes >= 0x3041) & (codes <= 0x3096)) | ((codes >= 0x30A1) & (codes <= 0x30FA))
    is_japanese = np.repeat(np.logical_or.reduceat(is_kana, joined.offsets[:-1]), np.diff(joined.offsets))
    at = np.flatnonzero(is_han & ~is_japanese)
    changed = codes.copy()
    changed[at] = table[codes[at]]
    changed.setflags(write=False)  # as those of `Joined.of`: compiled code is made for each kind of array
    return Joined(changed, joined.offsets)


def feature_texts(texts: Texts) -> list[str]:
    """The form that features read, of many texts.

    >>> feature_texts(["排隊 #JapanTrip @a https://x.y", "飛行機に乗る"])
    ['排队 japan trip', '飛行機に乗る']
    """
    joined = feature_codes(texts)
    whole = joined.codes.tobytes().decode("utf-32-le")
    return [whole[a : b - 1] for a, b in pairwise(joined.offsets.tolist())]


def word_spans(text: str) -> list[tuple[int, int, str]]:
    """Words of a feature text, then pairs of neighbours with nothing or one space between: (start, end, feature)."""
    found = split_words_of(text)
    pairs = [
        (a_start, b_end, f"{a} {b}")
        for (a_start, a_end, a), (b_start, b_end, b) in pairwise(found)
        if b_start == a_end or (b_start == a_end + 1 and text[a_end] == " ")
    ]
    return found + pairs


def word_features(text: str) -> list[str]:
    """The features of `word_spans`.

    >>> word_features("去大阪, ok go")
    ['去', '大阪', 'ok', 'go', '去 大阪', 'ok go']
    """
    return [feature for _, _, feature in word_spans(text)]
