"""One form of a text for everything that reads it: NFKC, lower case for Latin, links and mentions out.

Accents are never stripped: that would delete Thai vowels and tone marks (scikit-learn issue 10320).
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

import xxhash

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w.])@[\w.]+")
_HASHTAG = re.compile(r"[#＃]([^\s#＃,.!?;:()\[\]{}<>\"'、。，！？：；「」『』（）【】…·~|/\\]+)")
_TAG_END = re.compile(r"[^\w\u0e00-\u0e7f]+$")


def compose(text: str) -> str:
    """NFKC, with the Thai vowel sara am left whole: NFKC takes it apart, and no word list knows the pieces.

    >>> compose("น้ำ") == "น้ำ", compose("Ａ")
    (True, 'A')
    """
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text)
    return text.replace("\u0e4d\u0e32", "\u0e33") if "\u0e4d" in text else text


class Normal(NamedTuple):
    """Texts in one form.

    linked  whether there may have been a link in each
    """

    said: list[str]
    linked: list[bool]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Normal":
        """Of texts as they were written.

        >>> Normal.of(["Go ＃ＵＳＪ", "at https://x.y"])
        Normal(said=['go #usj', 'at'], linked=[False, True])
        """
        composed = [compose(text) for text in texts]
        linked = ["http" in text or "www." in text for text in composed]
        return cls([*map(_plain, composed, linked)], linked)

    def cut(self, part: slice) -> "Normal":
        """Some of them."""
        return Normal(self.said[part], self.linked[part])


def normalise(text: str) -> str:
    """The text as features and keys see it; hashtags stay.

    >>> normalise("Ｇｏ  to https://x.y/z @kol #ＵＳＪ")
    'go to #usj'
    """
    return Normal.of((text,)).said[0]


def _plain(text: str, linked: bool) -> str:
    if linked:
        text = _LINK.sub(" ", text)
    if "@" in text:
        text = _MENTION.sub(" ", text)
    return " ".join(text.split()).lower()


def split_hashtags(normalised: str) -> tuple[str, list[str]]:
    """The text without its hashtags, and the hashtags without their sign, in order.

    >>> split_hashtags("今天 #東京美食 #usj!! 好玩")
    ('今天    !! 好玩', ['東京美食', 'usj'])
    """
    if "#" not in normalised:
        return normalised, []
    said = _HASHTAG.split(normalised)
    tags = (tag if tag[-1].isalnum() else _TAG_END.sub("", tag) for tag in said[1::2])
    return " ".join(said[::2]), [tag for tag in tags if tag and not tag.isdigit()]


def text_hash(normalised: str) -> int:
    """64 bits (signed) of what a text says, spaces aside: copies of a text share it."""
    return xxhash.xxh3_64_intdigest(normalised.replace(" ", "").encode()) - 2**63
