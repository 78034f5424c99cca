"""Somebody logs in from elsewhere, in a real browser: led to the log-in and back, told what is wrong, and out again."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from radar.access.people import add_person
from radar.actors import Actor
from radar.store.audit import record
from radar.store.engine import writing
from tests.api.small_store import HOSTILE, fill, open_small
from tests.web.browser import CHROMIUM, DESKTOP, FLAGS, PHONE, Visit, need_chromium, serving

PASSWORD = "correct horse battery"
NAME = "ann <b>"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    """The browser, and the address of a radar that takes whoever asks for a stranger, as behind a proxy."""
    need_chromium()
    from playwright.sync_api import sync_playwright

    folder = tmp_path_factory.mktemp("log-in")
    store = fill(open_small(folder))
    terminal = Actor("terminal", "root", "admin", datetime.now(UTC))
    add_person(store.engine, terminal, NAME, "admin", PASSWORD)
    with writing(store.engine) as session, session.begin():
        record(session, terminal, HOSTILE, HOSTILE, {"note": HOSTILE}, outcome="refused")
    store.engine.dispose()
    with serving(folder, behind_proxy=True) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser, base
        browser.close()


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("desktop-en", DESKTOP),
        ("phone-ja", PHONE | {"viewport": {"width": 390, "height": 800}}),
        ("desktop-zh-dark", DESKTOP | {"locale": "zh-TW", "color_scheme": "dark"}),
    ],
)
def test_a_person_logs_in_looks_at_sessions_and_logs_out(
    chromium: tuple[Any, str], who: str, seen: dict[str, Any]
) -> None:
    browser, base = chromium
    told = {"X-Forwarded-Proto": "http", "X-Forwarded-For": f"192.0.2.{len(who)}"}
    context = browser.new_context(**seen, extra_http_headers=told)
    visit = Visit(base, context.new_page(), who)
    page = visit.open("/kols?market=TW")
    assert page.url == f"{base}/log-in?back=%2Fkols%3Fmarket%3DTW"
    visit.picture("log-in")
    visit.is_well()
    if "desktop" in who:
        visit.is_accessible()
    for password in ("wrong horse battery", PASSWORD):
        page.fill("input[name=name]", NAME)
        page.fill("input[name=password]", password)
        page.click(".door button")
        page.wait_for_load_state("networkidle")
        if password != PASSWORD:
            assert page.locator("[role=alert]").count() == 1
            visit.picture("log-in-refused")
    assert page.url == f"{base}/kols?market=TW"
    [cookie] = [one for one in context.cookies() if one["name"] == "radar_session"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["secure"]) == (True, "Lax", False)
    visit.said.clear()  # the refusal was a 401, which a browser tells
    for path in ("/account", "/audit", "/settings"):
        visit.open(path)
        visit.picture(path[1:])
        visit.is_well()
        if "desktop" in who:
            visit.is_accessible()
    assert page.locator("script").count() == 1, "a hostile name is shown as text"
    page.locator("a.who").click()
    page.wait_for_url("**/account")
    page.locator("form[action='/log-out'] button").click()
    page.wait_for_url("**/log-in")
    assert visit.open("/account").url == f"{base}/log-in?back=%2Faccount"
    context.close()


def test_it_works_without_scripts(chromium: tuple[Any, str]) -> None:
    browser, base = chromium
    context = browser.new_context(
        **DESKTOP, java_script_enabled=False, extra_http_headers={"X-Forwarded-Proto": "http"}
    )
    page = context.new_page()
    page.goto(f"{base}/coverage")
    page.fill("input[name=name]", NAME.upper())
    page.fill("input[name=password]", PASSWORD)
    page.click(".door button")
    page.wait_for_url("**/coverage")
    assert page.locator("a.who").inner_text() == NAME
    context.close()
