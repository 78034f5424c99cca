"""What people come for, in a real browser: on a desktop in English, on a phone in Japanese; and without scripts."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from radar.api import create_app
from radar.config import Settings
from radar.store.engine import open_store
from tests.web.browser import CHROMIUM, DESKTOP, FLAGS, PHONE, Visit, need_chromium, serving

PAGES = {
    "radar": "/markets/TW?scope=all&window=30d",
    "markets": "/markets",
    "matrix": "/matrix",
    "places": "/matrix?place=JP",
    "topics": "/topics",
    "arrivals": "/markets/TW/arrivals",
    "kols": "/kols?market=TW",
    "brief": "/partners?from=JP&to=TW&topics=shop.drugstore",
    "alerts": "/alerts",
    "watch-lists": "/watch-lists",
    "reports": "/reports",
    "coverage": "/coverage",
    "models": "/models",
    "nothing": "/markets/TW?place=JP-47&q=0.001",
}
WORDS = {"en": "What Taiwan is starting to say about", "ja": "台湾で話題になり始めた"}


@pytest.fixture(scope="module")
def chromium(demo_dir: Path) -> Iterator[tuple[Any, str]]:
    """The browser, and the address of a radar over the demo's store."""
    need_chromium()
    from playwright.sync_api import sync_playwright

    with serving(demo_dir / "demo") as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser, base
        browser.close()


@pytest.fixture(params=["desktop-en", "phone-ja"])
def visit(request: pytest.FixtureRequest, chromium: tuple[Any, str]) -> Iterator[Visit]:
    """A reader at a desk, and one on a phone."""
    browser, base = chromium
    context = browser.new_context(**(DESKTOP if request.param == "desktop-en" else PHONE))
    yield Visit(base, context.new_page(), request.param)
    context.close()


def test_a_marketer_asks_what_a_market_starts_to_say_of_a_place(visit: Visit) -> None:
    page = visit.open("/")
    assert page.url.endswith("/markets/TW")
    page.select_option("select[name=window]", "30d")
    page.select_option("select[name=place]", "HK")
    page.click("form button")
    page.wait_for_load_state("networkidle")
    assert "place=HK" in page.url
    assert page.locator("h1").inner_text().startswith(WORDS[visit.name[-2:]])
    rows, blips = page.locator(".trends tbody tr"), page.locator(".radar .blip")
    assert rows.count() == blips.count() > 0
    visit.picture("place")
    visit.is_well()


def test_the_radar_says_a_trend_and_leads_to_it(visit: Visit) -> None:
    page = visit.open(PAGES["radar"])
    blip = page.locator(".radar .blip").first
    blip.scroll_into_view_if_needed()
    if "phone" in visit.name:
        blip.locator(".dot").tap()
    else:
        blip.locator(".dot").hover()
    card = page.locator(".radar-figure .card")
    assert re.search("usual|ふだん", card.inner_text())
    assert re.search("KOL", card.inner_text())
    visit.picture("radar")
    card.locator("a").click()
    page.wait_for_url("**/trends/*")
    assert page.locator("article.post").count() > 0
    assert page.locator(".lanes .own").count() == 1
    page.wait_for_selector(".chart[data-live=yes] canvas", timeout=60_000)
    visit.picture("trend")
    visit.is_well()


def test_names_on_the_radar_never_touch(visit: Visit) -> None:
    page = visit.open(PAGES["radar"])
    kind = ".rank-name" if "phone" in visit.name else ".name"
    boxes = page.eval_on_selector_all(
        f".radar {kind}", "all => all.map(e => e.getBoundingClientRect()).map(b => [b.left, b.top, b.right, b.bottom])"
    )
    assert len(boxes) > 8
    shown = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if _overlap(a, b)]
    assert shown == []


def _overlap(a: list[float], b: list[float]) -> bool:
    return a[0] < b[2] - 1 and b[0] < a[2] - 1 and a[1] < b[3] - 1 and b[1] < a[3] - 1


def test_a_tourism_board_asks_who_talks_about_its_prefectures(visit: Visit) -> None:
    page = visit.open("/matrix")
    page.locator(".matrix tbody th a[href*='place=JP']").click()
    page.wait_for_load_state("networkidle")
    assert page.locator(".matrix tbody tr").count() > 5
    visit.picture("prefectures")
    visit.is_well()


def test_a_brand_finds_a_kol_and_who_is_like_it(visit: Visit) -> None:
    page = visit.open("/partners")
    page.select_option("select[name=from]", "JP")
    page.select_option("select[name=to]", "TW")
    page.select_option("select[name=topics]", "shop.drugstore")
    page.click("form button")
    page.wait_for_load_state("networkidle")
    assert page.locator("article.partner").count() > 5
    assert page.locator("article.partner [lang=en]").count() == 0, "each reason is said in the reader's language"
    page.locator("article.partner h2 a").first.click()
    page.wait_for_url("**/kols/*")
    visit.picture("kol")
    visit.is_well()
    page.locator("a[href$='/similar']").click()
    page.wait_for_url("**/similar")
    assert page.locator("tbody tr").count() > 5
    visit.is_well()


def test_a_reader_chooses_a_language_and_keeps_it(visit: Visit) -> None:
    page = visit.open("/coverage")
    page.locator(".languages summary").click()
    page.locator(".languages a[lang=ko]").click()
    page.wait_for_load_state("networkidle")
    assert page.url.endswith("/coverage")
    assert page.locator("html").get_attribute("lang") == "ko"
    visit.open("/topics")
    assert page.locator("h1").inner_text() == "시장별 화제"
    visit.picture("topics-ko")
    visit.is_well()


@pytest.mark.parametrize("name", list(PAGES))
def test_every_page_is_well_and_accessible(visit: Visit, name: str) -> None:
    visit.open(PAGES[name])
    visit.picture(name)
    visit.is_well()
    if "desktop" in visit.name or name in ("radar", "coverage"):
        visit.is_accessible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_trend_is_accessible_in_both_lights(chromium: tuple[Any, str], scheme: str) -> None:
    browser, base = chromium
    context = browser.new_context(**(DESKTOP | {"color_scheme": scheme, "locale": "zh-TW"}))
    visit = Visit(base, context.new_page(), f"desktop-zh-{scheme}")
    visit.open("/markets/TW")
    visit.is_accessible()
    visit.page.locator(".trends .what a").first.click()
    visit.page.wait_for_load_state("networkidle")
    visit.is_accessible()
    visit.picture("trend")
    visit.is_well()
    context.close()


def test_the_keyboard_reaches_the_content_and_a_trend(chromium: tuple[Any, str]) -> None:
    browser, base = chromium
    context = browser.new_context(**DESKTOP)
    page = Visit(base, context.new_page(), "keyboard").open("/markets/TW")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.trends') !== null"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/trends/*")
    context.close()


def test_everything_works_without_scripts(chromium: tuple[Any, str]) -> None:
    browser, base = chromium
    context = browser.new_context(**DESKTOP, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{base}/markets/TW")
    page.select_option("select[name=window]", "30d")
    page.click("form button")
    page.wait_for_url("**window=30d**")
    page.locator(".radar .blip").first.click()
    page.wait_for_url("**/trends/*")
    assert page.locator("svg.curve").is_visible()
    context.close()


def test_the_first_page_is_small(chromium: tuple[Any, str]) -> None:
    browser, base = chromium
    context = browser.new_context(**DESKTOP)
    page = context.new_page()
    sizes = {}
    page.on("response", lambda answer: sizes.update({answer.url: len(answer.body())}) if answer.ok else None)
    page.goto(f"{base}/markets/TW")
    page.wait_for_load_state("networkidle")
    assert 20_000 < sum(sizes.values()) < 100_000, sizes
    context.close()


def test_the_first_page_is_quick(demo_dir: Path) -> None:
    engine = open_store(f"sqlite:///{demo_dir / 'demo' / 'radar.db'}")
    client = TestClient(create_app(engine, Settings(data_dir=demo_dir / "demo")))
    took = []
    for _ in range(6):
        begun = time.perf_counter()
        assert client.get("/markets/TW").status_code == 200
        took.append(time.perf_counter() - begun)
    engine.dispose()
    assert min(took) < 0.2
