"""An editor mutes a trend in a real browser and takes it back; somebody tracks a key. With scripts and without."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radar import tracked
from radar.count import count_mentions
from radar.demo import plant_tracked
from radar.registry import load_taxonomy
from radar.store.engine import open_store, reading
from radar.store.promotion import active_model
from radar.store.tracked import tracked_keys
from tests.api.small_store import NOW
from tests.web.browser import CHROMIUM, DESKTOP, FLAGS, PHONE, Visit, need_chromium, serving


@pytest.fixture(scope="module")
def chromium(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    """The browser, and a radar over a copy of the demo's store that these tests may change."""
    need_chromium()
    from playwright.sync_api import sync_playwright

    folder = tmp_path_factory.mktemp("edited")
    shutil.copyfile(demo_dir / "demo" / "radar.db", folder / "radar.db")
    engine = open_store(f"sqlite:///{folder / 'radar.db'}")
    with reading(engine) as session:
        is_planted = bool(tracked_keys(session))
        model = active_model(session)
    if not is_planted:  # a demo's store that was made before there were tracked keys
        plant_tracked(engine, NOW)
        tracked.sweep(engine)
        count_mentions(engine, str(model), load_taxonomy().ids, now=NOW)
    engine.dispose()
    with serving(folder) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser, base
        browser.close()


@pytest.fixture(params=["desktop-en", "phone-ja", "plain-en"])
def visit(request: pytest.FixtureRequest, chromium: tuple[Any, str]) -> Iterator[Visit]:
    """A reader at a desk, one on a phone, and one without scripts."""
    browser, base = chromium
    options = PHONE if request.param == "phone-ja" else DESKTOP
    if request.param == "plain-en":
        options = options | {"java_script_enabled": False}
    context = browser.new_context(**options)
    yield Visit(base, context.new_page(), request.param)
    context.close()


def test_an_editor_mutes_a_trend_and_takes_it_back(visit: Visit) -> None:
    page = visit.open("/markets/TW?scope=all")
    first = page.locator(".trends .what a").first
    name, link = first.inner_text(), first.get_attribute("href")
    first.click()
    page.wait_for_url("**/trends/*")
    page.locator("details.curate summary").click()
    form = page.locator("form.curation-mute")
    form.locator("input[name=reason]").fill("a bot repeats it")
    form.locator("button").click()
    page.wait_for_url("**/trends/*#curation")
    assert "a bot repeats it" in page.locator("main .warn").first.inner_text()
    if visit.name != "plain-en":
        visit.picture("curated")
        visit.is_well()
        visit.is_accessible()
    visit.open("/markets/TW?scope=all")
    assert page.locator(f".trends a[href='{link}']").count() == 0
    page.locator("p.sub a[href*='curated=all']").click()
    page.wait_for_url("**curated=all**")
    row = page.locator(".trends tr", has=page.get_by_role("link", name=name, exact=True))
    assert row.locator(".tag[title='a bot repeats it']").count() == 1
    visit.open("/curation")
    page.locator("form.inline button").first.click()
    page.wait_for_url("**/trends/*#curation")
    assert page.locator("main .warn", has_text="a bot repeats it").count() == 0
    visit.open("/markets/TW?scope=all")
    assert page.locator(f".trends a[href='{link}']").count() == 1


def test_somebody_tracks_a_key_and_sees_its_share(visit: Visit) -> None:
    page = visit.open("/tracked?window=90d")
    if visit.name == "plain-en":
        assert page.locator("img.still").is_visible()
        page.fill("form[action='/tracked'] input[name=name]", "Moomin")
        page.fill("form[action='/tracked'] input[name=form-ja]", "ムーミン")
        page.locator("form[action='/tracked'][method=post] button").click()
        page.wait_for_url("**/tracked?group=*")
        assert page.locator("details.tracked", has_text="Moomin").count() == 1
        return
    page.wait_for_selector(".chart[data-live=yes] canvas", timeout=60_000)
    assert page.locator("tbody tr").count() >= 6
    visit.picture("tracked")
    visit.is_well()
    visit.is_accessible()
