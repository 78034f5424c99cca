"""What a key means or sounds like to somebody who may not read it: a known name in their language, else its sound."""

from functools import cache, lru_cache

from radar.keys import Kind
from radar.text.gazetteer import forms_of_places, forms_of_products, places, products, spans
from radar.text.normalise import normalise
from radar.text.romanise import HAN, can_read, romanise, scripts_of


@cache
def _known() -> dict[str, tuple[Kind, str]]:
    """Every form of a place or product -> which one; names that several share are nobody's."""
    found: dict[str, tuple[Kind, str]] = {}
    shared: set[str] = set()
    for kind, forms in ((Kind.PLACE, forms_of_places()), (Kind.PRODUCT, forms_of_products())):
        for code, texts in forms.items():
            for text in texts:
                name = _plain(text)
                if found.setdefault(name, (kind, code)) != (kind, code):
                    shared.add(name)
    return {name: known for name, known in found.items() if name not in shared}


def _plain(text: str) -> str:
    return normalise(text).lstrip("#").replace(" ", "")


@lru_cache(maxsize=20_000)
def gloss(kind: Kind, text: str, language: str, reader: str) -> str | None:
    """What to put beside a key for readers of a language; None where they can read it and it says all itself.

    language  of the market's people;    reader  a language of the interface

    >>> gloss(Kind.HASHTAG, "大阪", "zh-Hant", "en"), gloss(Kind.TERM, "大阪", "zh-Hant", "ko")
    ('Osaka', '오사카')
    >>> gloss(Kind.TERM, "唐吉訶德", "zh-Hant", "ja"), gloss(Kind.TERM, "月光列車", "zh-Hant", "en")
    ('ドンキホーテ', 'yueguang lieche')
    >>> gloss(Kind.HASHTAG, "大阪必買", "zh-Hant", "en")
    'Osaka bi mai'
    >>> gloss(Kind.TERM, "月光列車", "zh-Hant", "ja"), gloss(Kind.HASHTAG, "usj2026", "ja", "th")
    (None, None)
    """
    known = (kind, text) if kind in (Kind.PLACE, Kind.PRODUCT) else _known().get(_plain(text))
    told = None
    if known and known[0] is Kind.PLACE and known[1] in places():
        told = _place(known[1], reader)
    elif known and known[0] is Kind.PRODUCT and known[1] in products():
        told = _product(known[1], reader)
    elif kind in (Kind.HASHTAG, Kind.TERM, Kind.TRACKED) and not can_read(text, reader):
        told = _sound(text, language, reader)
    return told if told and _plain(told) != _plain(text) else None


def _sound(text: str, language: str, reader: str) -> str:
    """A text as it sounds, the places and products in it by their names."""
    said, at = [], 0
    text = normalise(text)
    for start, end, place, product in spans(text):
        said += [romanise(text[at:start], language), _place(place, reader) if place else _product(product, reader)]
        at = end
    return " ".join(part for part in [*said, romanise(text[at:], language)] if part)


def _place(code: str, reader: str) -> str:
    names = places()[code].names
    return names.get(reader) or names.get("en") or code


def _product(code: str, reader: str) -> str:
    """A product's first name in the reader's own script, else in Latin letters, else its first."""
    forms = forms_of_products()[code]
    own = [form for form in forms if scripts_of(form) and can_read(form, reader)]
    if reader == "ja":  # a form in kana, where there is one: Han alone may be Chinese
        own = [form for form in own if scripts_of(form) != {HAN}] or own
    latin = [form for form in forms if not scripts_of(form)]
    return (own or latin or forms)[0]
