"""One form of a text for everything that reads it: NFKC, lower case for Latin, links and mentions out.

Accents are never stripped: that would delete Thai vowels and tone marks (scikit-learn issue 10320).
"""

import re
import unicodedata

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


def normalise(text: str) -> str:
    """The text as features and keys see it; hashtags stay.

    >>> normalise("Ｇｏ  to https://x.y/z @kol #ＵＳＪ")
    'go to #usj'
    """
    text = compose(text)
    if "http" in text or "www." in text:
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
    tags: list[str] = []

    def take(match: re.Match[str]) -> str:
        tag = _TAG_END.sub("", match.group(1))
        if tag and not tag.isdigit():
            tags.append(tag)
        return " "

    return _HASHTAG.sub(take, normalised), tags


def text_hash(normalised: str) -> int:
    """64 bits (signed) of what a text says, spaces aside: copies of a text share it."""
    return xxhash.xxh3_64_intdigest(normalised.replace(" ", "").encode()) - 2**63
