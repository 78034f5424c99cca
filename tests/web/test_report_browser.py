"""The weekly report in a real browser on a phone: from the form to the page, and the file by itself."""

from pathlib import Path
from typing import Any

from tests.web.browser import CHROMIUM, FLAGS, PHONE, Visit, need_chromium, serving


def test_a_report_is_asked_for_and_read_on_a_phone(demo_dir: Path) -> None:
    need_chromium()
    from playwright.sync_api import sync_playwright

    with serving(demo_dir / "demo") as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context: Any = browser.new_context(**PHONE)
        visit = Visit(base, context.new_page(), "phone-ja")
        page = visit.open("/reports")
        visit.is_well()
        visit.is_accessible()
        page.select_option("select[name=market]", "KR")
        page.click("form button")
        page.wait_for_load_state("networkidle")
        assert page.url.endswith("/reports/KR/JP")
        assert page.locator("h1").inner_text().startswith("韓国から見た日本")
        assert page.locator(".report .picture svg").count() == 2
        visit.picture("report")
        visit.is_well()
        visit.is_accessible()
        page = visit.open("/v1/reports/KR/JP/latest?format=html")
        assert page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") == "960px"
        visit.is_well()
        browser.close()
