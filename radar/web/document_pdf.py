"""A document as PDF by Typst, which shapes every script, breaks Thai lines and embeds what it uses of a font.

Texts are given to Typst as data, never as its markup: `templates/document.typ` reads them out of JSON. Fonts are those
of the system's folders. A character that the chosen fonts lack is looked for in all others; where none has it, its
number is written instead of a box, and where that would befall a script the radar writes in, the font is asked for.
"""

import json
import unicodedata
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from radar.errors import RadarError
from radar.web.document import Document

_CJK = {"zh-Hant": "TC", "ja": "JP", "ko": "KR", "en": "TC", "th": "TC"}
_REGIONS = {"zh-Hant": ("zh", "tw"), "ja": ("ja", "jp"), "ko": ("ko", "kr"), "th": ("th", "th"), "en": ("en", "gb")}
_SCRIPTS = (
    (("CJK UNIFIED", "CJK COMPAT", "HIRAGANA", "KATAKANA", "BOPOMOFO", "HANGUL"), "Noto Sans CJK", "fonts-noto-cjk"),
    (("THAI",), "Noto Sans Thai", "fonts-noto-core"),
)
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufe0e\ufe0f\u00ad"


class MissingFont(RadarError):
    """A script that no font here can write: installing one mends it."""

    status = 503
    exit_code = 2
    slug = "missing-font"


class Fonts:
    """The fonts of this machine, and which characters they hold; `with_system` False leaves Typst's own alone."""

    def __init__(self, with_system: bool = True) -> None:
        import typst

        self.shelf = typst.Fonts(include_system_fonts=with_system, include_embedded_fonts=True)
        self._files: dict[str, tuple[str, int]] = {}
        for font in self.shelf.fonts():
            if font.path and ((font.weight == 400 and font.style == "normal") or font.family not in self._files):
                self._files[font.family] = (font.path, font.index)

    def stack(self, language: str) -> list[str]:
        """Families to write a language in, the first goes first; only those that are here."""
        own = _CJK.get(language, "TC")
        variants = [own, *[one for one in ("TC", "JP", "KR", "SC") if one != own]]
        han = [f"{name} {one}" for one in variants for name in ("Noto Sans CJK", "Noto Sans")]
        han += ["Source Han Sans", "WenQuanYi Zen Hei"]
        latin = ["Noto Sans", "DejaVu Sans"]
        order = ["Noto Sans Thai", *latin, *han] if language in ("th", "en") else [*latin, *han, "Noto Sans Thai"]
        return [name for name in order if name in self._files] + ["Libertinus Serif"]

    @lru_cache(512)  # noqa: B019  one for each process
    def holds(self, family: str) -> frozenset[int]:
        """The characters of a family."""
        from fontTools.ttLib import TTFont

        if family not in self._files:
            return frozenset()
        path, index = self._files[family]
        try:
            with TTFont(path, fontNumber=index, lazy=True) as font:
                return frozenset(font.getBestCmap() or ())
        except Exception:  # a damaged font of the system is one that holds nothing
            return frozenset()

    def lacking(self, text: str, families: list[str]) -> set[str]:
        """The characters of a text that neither these families nor any other font can write."""
        rest = {c for c in text if not c.isspace() and c not in _INVISIBLE and not c.isascii()}
        for family in [*families, *(name for name in self._files if name not in families)]:
            if not rest:
                break
            rest = {c for c in rest if ord(c) not in self.holds(family)}
        return rest


@lru_cache(1)
def fonts_here() -> Fonts:
    """The fonts of this machine, looked for once."""
    return Fonts()


def to_pdf(document: Document, base: str, fonts: Fonts | None = None) -> bytes:
    """The document as PDF; links begin with `base`. The same document gives the same bytes.

    Raises MissingFont where a script of the radar's languages has no font.
    """
    import typst

    fonts = fonts or fonts_here()
    families = fonts.stack(document.language)
    told = asdict(document) | {"blocks": [_block(block, base) for block in document.blocks]}
    told = _writable(told, fonts.lacking(_text_of(told), families))
    language, region = _REGIONS.get(document.language, ("en", "gb"))
    stacks = {code: fonts.stack(code) for code in _REGIONS}
    tags = {code: list(pair) for code, pair in _REGIONS.items()}
    told |= {"fonts": families, "lang": language, "region": region, "stacks": stacks, "tags": tags}
    source = (Path(__file__).parent / "templates" / "document.typ").read_bytes()
    try:
        made = typst.compile(source, font_paths=fonts.shelf, sys_inputs={"document": json.dumps(told)}, timestamp=0)
    except typst.TypstError as error:
        raise RadarError(
            f"The PDF could not be set: {error.message}.", "Ask for HTML or Markdown meanwhile."
        ) from error
    return bytes(made)


def _block(block: Any, base: str) -> dict[str, Any]:
    told = asdict(block) | {"kind": type(block).__name__.lower()}
    if told["kind"] == "table":
        told["numbers"] = sorted(told["numbers"])
        for row in told["rows"]:
            for one in row:
                one["link"] = base + one["link"] if one["link"] else None
    return told


def _text_of(value: Any, name: str = "") -> str:
    """All that is to be read, charts included."""
    if isinstance(value, str):
        return "" if name in ("link", "kind", "role") else value
    if isinstance(value, dict):
        return "".join(_text_of(one, key) for key, one in value.items())
    return "".join(_text_of(one) for one in value) if isinstance(value, list | tuple) else ""


def _writable(value: Any, lacking: set[str]) -> Any:
    """The same with numbers for characters that cannot be written. Raises MissingFont for scripts of our own."""
    for names, family, package in _SCRIPTS:
        ours = sorted(c for c in lacking if unicodedata.name(c, "").startswith(names))
        if len(ours) > 3 or (ours and family == "Noto Sans Thai"):  # a rare character alone is no missing font
            raise MissingFont(
                f"No font here can write {''.join(ours[:8])}: a PDF of it would show boxes.",
                f"Install {family} (Debian: apt-get install {package}), or ask for HTML or Markdown.",
            )
    return _replaced(value, {ord(c): f"[U+{ord(c):04X}]" for c in lacking}) if lacking else value


def _replaced(value: Any, numbers: dict[int, str]) -> Any:
    if isinstance(value, str):
        return value.translate(numbers)
    if isinstance(value, dict):
        return {key: _replaced(one, numbers) for key, one in value.items()}
    return [_replaced(one, numbers) for one in value] if isinstance(value, list | tuple) else value
