"""The interface's languages: nothing is left in English, and words, names, days and numbers are each language's own."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from fastapi.testclient import TestClient

from radar.api import create_app
from radar.config import Settings
from radar.web.languages import FOLDER, LANGUAGES
from radar.web.translation import is_translated, messages
from tests.api.small_store import fill, open_small

OTHERS = [code for code in LANGUAGES if code != "en"]


@pytest.mark.parametrize("code", OTHERS)
def test_every_string_is_translated_with_its_values_and_marks(code: str) -> None:
    with (FOLDER / f"{code}.po").open("rb") as source:
        known = read_po(source)
    missing, broken = [], []
    for message in messages():
        if not message.id:
            continue
        found = known.get(message.id)
        if found is None or found.fuzzy or not is_translated(found):
            missing.append(f"{message.id!r} of {message.locations[:1]}")
            continue
        asked = message.id if isinstance(message.id, str) else message.id[-1]
        for told in [found.string] if isinstance(found.string, str) else found.string:
            if _values(asked) != _values(told):
                broken.append((asked, told))
    assert missing == [], "python -m radar.web.translation puts them into the catalogues: fill them in there"
    assert broken == []


def _values(text: str) -> tuple[set[str], list[str]]:
    return set(re.findall(r"%\(\w+\)s", text)), re.findall(r"<[^>]+>", text)


def test_plain_text_of_a_template_is_found_and_looked_up() -> None:
    import jinja2

    from radar.web.translation import PlainText

    env = jinja2.Environment(extensions=["jinja2.ext.i18n", PlainText], autoescape=True)
    env.globals |= {"plain_": str.upper, "plain_attribute_": str.upper}
    env.install_gettext_callables(lambda s: s, lambda a, b, n: a, newstyle=True)  # type: ignore[attr-defined]
    source = '<p title="a hint">Hello <b>{{ name }}</b> · bye</p>'
    source += "{% trans n=1 %}{{ n }} left{% endtrans %}<code>radar x</code>"
    shown = env.from_string(source).render(name="<i>")
    assert shown == '<p title="A HINT">HELLO <b>&lt;i&gt;</b> · BYE</p>1 left<code>radar x</code>'


def test_pages_speak_the_browsers_language(tmp_path: Path) -> None:
    store = fill(open_small(tmp_path))
    client = TestClient(create_app(store.engine, Settings(data_dir=tmp_path)), headers={"accept": "text/html"})
    said = {
        "zh-TW,zh;q=0.9": ("zh-Hant", "台灣開始在談日本的什麼", "11月23日"),
        "ja": ("ja", "台湾で話題になり始めた日本のこと", "11月23日"),
        "ko-KR": ("ko", "대만에서 뜨기 시작한 일본 이야기", "11월 23일"),
        "th": ("th", "ไต้หวันกำลังเริ่มพูดถึงอะไรเกี่ยวกับญี่ปุ่น", "23 พ.ย."),
        "de, en;q=0.5": ("en", "What Taiwan is starting to say about Japan", "23 Nov"),
    }
    for accepted, (code, question, day) in said.items():
        page = client.get("/markets/TW?place=JP", headers={"accept-language": accepted})
        assert f'<html lang="{code}">' in page.text
        assert page.headers["content-language"] == code
        assert "accept-language" in page.headers["vary"].lower()
        assert f"<h1>{question}</h1>" in page.text
        assert day in page.text
    store.engine.dispose()


def test_a_choice_goes_before_the_browsers_wish_and_leads_back_here_only(tmp_path: Path) -> None:
    store = open_small(tmp_path)
    client = TestClient(create_app(store.engine, Settings(data_dir=tmp_path)), headers={"accept": "text/html"})
    chosen = client.get("/language?to=ja&back=/markets%3Fx", follow_redirects=False)
    assert chosen.headers["location"] == "/markets?x"
    assert '<html lang="ja">' in client.get("/markets", headers={"accept-language": "ko"}).text
    for elsewhere in ("https://example.com", "//example.com", "/\\example.com", "/\t/example.com", "javascript:x"):
        away = client.get("/language", params={"to": "ja", "back": elsewhere}, follow_redirects=False)
        assert away.headers["location"] in ("/", "/%09/example.com"), elsewhere
    assert client.get("/language?to=xx&back=/", follow_redirects=False).headers.get("set-cookie") is None
    store.engine.dispose()
