"""Terms of a post: 1-4-grams of words that may name something, found without a list of names.

One pass over ICU's segments. Each segment has a role by its form alone: function words and signs end a term, link
words (の, of) may stand inside one, parts (a lone Han character, a Thai syllable that ICU broke off a word that it does
not know) count only together with their neighbours, whole words also alone. What neighbours hold together is for
radar.text.phrases and the trend test to say; here only what can be a name is let through, so that a term seen once
costs one number in its post and nothing else. Roles are remembered in a table of fixed size.

- zh, ja, th: words are joined without a space, and a space ends a term. Three words make a term only around a part
  or a link or in 8 characters, four only around three (two, in spaced scripts): ICU knows the rest.
- ko: particles and endings go (radar.text.korean); a word that had some ends its term, save the links 의, 와, 과.
- en: words are joined by a space, "-" and "&" are kept, 's goes; a number may end a term (iphone 15).
"""

import re
from collections.abc import Sequence

from radar.text.korean import best_form
from radar.text.lexicon import function_words

MAX_LENGTH = 40
REMEMBERED = 1 << 16
"""Segments whose role is remembered; the table starts anew when it is full."""

BREAK, SPACE, GLUE, LINK, TAIL, PART, WHOLE = range(7)
DENSE, SPACED = 0, 1
"""Scripts written without spaces (Han, kana, Thai) and with."""

Role = tuple[int, str, str, int, int]
"""Role, the form that ends a term, the form inside one ("" if nothing may follow), DENSE or SPACED, and how much the
segment speaks for a longer term: 0 for a whole word, 2 for a part and a link, 3 for a part of a Thai word."""

_BREAK: Role = (BREAK, "", "", DENSE, 0)
_MEASURE = re.compile(
    r"\d+(?:st|nd|rd|th|k|km|kg|mg|g|ml|l|cm|mm|m|h|hr|hrs|min|mins|sec|s|am|pm|d|p|x|gb|mb|tb|w|v|hz|fps|px|ft|yo|yrs?"
    r"|days?|hours?|weeks?|usd|twd|nt|thb|krw|jpy|pcs|a|b|c|e|f)"
)
_RANDOM = re.compile(r"[a-z]+\d+[a-z][a-z0-9]*|\d+[a-z]+\d[a-z0-9]*|.*[._:@].*")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff々]")
_HIRAGANA = re.compile(r"[\u3041-\u309f]+")
_HIRAGANA_ENDS = tuple(
    "ます です ない った って たら れば ので から けど など よう しょう ください きた した いた える れる せる ける"
    " べき ながら たり だり きり なく なけ まし ませ られ たく まで より だけ でも"
    " ては には とは のは ん っ る".split()
)
_OPEN_ENDS = frozenset("らかわまなさたがばっだでにをはもと")
_STEM_ENDS = frozenset("べけれめせてねげえの")
_ADVERBS = frozenset("都就會再太很未冇唔亦也又仲只先卻第一二三四五六七八九十兩幾")
"""Han that, before a function word, make one more (都有, 就會, 第一次)."""
_THAI_CONSONANT = re.compile(r"[\u0e01-\u0e2e]")
_THAI_REPEATED = re.compile(r"(.)\1\1|ๆ$")


def role_of(word: str) -> Role:
    """The role of a segment."""
    words = function_words()
    first = word[0]
    if word == " ":
        return (SPACE, "", "", DENSE, 0)
    if word in ("-", "・"):
        return (GLUE, word, word, SPACED if word == "-" else DENSE, 0)
    if word in words.link:
        return (LINK, word, word, SPACED if word.isascii() else DENSE, 4)
    if word in words.stop or not (first.isalnum() or "\u0e00" <= first <= "\u0e7f") or len(word) > MAX_LENGTH:
        return _BREAK
    if word in words.tail:
        return (TAIL, word, word, DENSE, 2)
    if "\u1100" <= first <= "\u11ff" or "\u3130" <= first <= "\u318f":
        return _BREAK  # lone letters of Hangul: laughter
    if "\uac00" <= first <= "\ud7af":
        return _korean(word)
    if "\u0e00" <= first <= "\u0e7f":
        return _thai(word)
    if word.isascii() or first.isdigit() or not _is_dense(first):
        return _spaced(word)
    return _han_or_kana(word)


def _word(is_whole: bool, form: str, inside: str, script: int, part: int = 2) -> Role:
    return (WHOLE, form, inside, script, 0) if is_whole else (PART, form, inside, script, part)


def _is_dense(sign: str) -> bool:
    return "\u3005" <= sign <= "\u9fff" or "\uf900" <= sign <= "\ufaff"


def _korean(word: str) -> Role:
    if _RANDOM.fullmatch(word) or len(word) > 10:
        return _BREAK
    form, was_cut = best_form(word)
    if not form or len(form) > 7 or form in function_words().stop:
        return _BREAK
    inside = "" if was_cut and word != form + "의" and word[len(form) :] not in ("와", "과") else word
    return _word(len(form) > 1, form, inside, SPACED)


def _thai(word: str) -> Role:
    if _THAI_REPEATED.search(word) or len(set(word)) == 1:
        return _BREAK
    whole = len(word) > 2 and len(_THAI_CONSONANT.findall(word)) > 1 and word not in function_words().part
    return _word(whole, word, word, DENSE, 3)


def _spaced(word: str) -> Role:
    if word.endswith(("'s", "’s")):
        word = word[:-2]
        if not word or word in function_words().stop:
            return _BREAK
    if word.isdigit():
        return (TAIL, word, word, SPACED, 2) if len(word) <= 3 and word.isascii() else _BREAK
    if word[0].isdigit():
        odd = _MEASURE.fullmatch(word) or _RANDOM.fullmatch(word) or not any(sign.isalpha() for sign in word)
        if odd or not word.isascii() or len(word) > 12:
            return _BREAK
        return _word(len(word) > 2, word, word, SPACED)
    if len(word) > 24 or (_RANDOM.fullmatch(word) and not re.fullmatch(r"[a-z](?:\.[a-z])+", word)):
        return _BREAK
    return _word(len(word) > 2 and word not in function_words().part, word, word, SPACED)


def _han_or_kana(word: str) -> Role:
    if _HIRAGANA.fullmatch(word):
        if word in ("お", "ご"):
            return _word(False, word, word, DENSE)
        return _BREAK if len(word) < 3 or word.endswith(_HIRAGANA_ENDS) else _word(True, word, word, DENSE)
    if "\u3041" <= word[-1] <= "\u309f" and _HAN.match(word):
        if word[-1] in _OPEN_ENDS:
            return _BREAK
        return _word(word[-1] not in _STEM_ENDS and len(word) > 2, word, word, DENSE)
    stop = function_words().stop
    if len(word) > 1 and word[0] in _ADVERBS and all(sign in stop for sign in word[1:]):
        return _BREAK
    return _word(len(word) > 1, word, word, DENSE)


class _Roles(dict[str, Role]):
    """Roles of segments seen lately: at most REMEMBERED of them."""

    def __missing__(self, word: str) -> Role:
        if len(self) >= REMEMBERED:
            self.clear()
        role = self[word] = role_of(word)
        return role


_ROLES = _Roles()


def scan(pieces: Sequence[str], spans: list[tuple[int, int]] | None = None) -> list[str]:
    """Terms of a text in order, as often as they occur.

    pieces  the text's ICU segments, signs and spaces among them
    spans   is given the first and last segment of each term, if wanted

    >>> from radar.text.segment import segments
    >>> scan(segments(["lord of the rings 2"])[0])
    ['lord', 'rings', 'lord of the rings', 'rings 2']
    """
    found: list[str] = []
    roles = _ROLES
    # one, two, three: the last words as the beginning of a longer term; p: how many parts and links they hold
    one = two = three = ""
    p1 = p2 = p3 = 0
    s1 = s2 = s3 = 0
    glue, was_space, before = "", False, DENSE
    at = -1
    for piece in pieces:
        at += 1
        role, form, inside, script, part = roles[piece]
        if role >= LINK:
            if one or two or three:
                if script or before:
                    sep = glue or " "
                elif was_space:
                    sep = one = two = three = ""
                else:
                    sep = glue
            else:
                sep = ""
            if role == LINK:
                three, p3, s3 = (two + sep + inside, p2 + part, s2) if two else ("", 0, 0)
                two, p2, s2 = (one + sep + inside, p1 + part, s1) if one else ("", 0, 0)
                one = ""
            else:
                if role == WHOLE:
                    found.append(form)
                    if spans is not None:
                        spans.append((at, at))
                if one:
                    text = one + sep + form
                    if len(text) > (3 if script else 1) and not (role == TAIL and p1):
                        found.append(text)
                        if spans is not None:
                            spans.append((s1, at))
                if two and (script or p2 + part or len(two) + len(form) <= 8) and role != TAIL:
                    found.append(two + sep + form)
                    if spans is not None:
                        spans.append((s2, at))
                if three and p3 + part > (3 if script else 5) and role != TAIL:
                    found.append(three + sep + form)
                    if spans is not None:
                        spans.append((s3, at))
                if inside:
                    three, p3, s3 = (two + sep + inside, p2 + part, s2) if two else ("", 0, 0)
                    two, p2, s2 = (one + sep + inside, p1 + part, s1) if one else ("", 0, 0)
                    one, p1, s1 = ("", 0, 0) if role == TAIL else (inside, part, at)
                else:
                    one = two = three = ""
            glue, was_space, before = "", False, script
        elif role == SPACE and not glue:
            was_space = True
        elif role == GLUE and not was_space and script == before:
            glue = form
        else:
            one = two = three = ""
            glue, was_space = "", False
    return found


def terms(pieces: Sequence[str]) -> set[str]:
    """The distinct terms of a text.

    >>> from radar.text.segment import segments
    >>> sorted(terms(segments(["月光列車真的好玩"])[0]))
    ['列車', '好玩', '月光', '月光列車']
    """
    return {term for term in scan(pieces) if len(term) <= MAX_LENGTH} - function_words().never


def is_dense_text(words: Sequence[str]) -> bool:
    """Whether these words are written without spaces.

    >>> is_dense_text(["月光", "列車"]), is_dense_text(["night", "market"])
    (True, False)
    """
    return all(_ROLES[word][3] == DENSE for word in words)
