"""A real Chromium before a real server over the demo's store, and what is always to hold of a page in it."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from radar.api import create_app
from radar.config import Settings
from radar.store.engine import open_store
from tests.conftest import IN_CI

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SCREENSHOTS = os.environ.get("RADAR_SCREENSHOTS")
"""Where the tests leave a picture of every page that they look at, for whoever wants to look at them too."""

DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "locale": "en-US", "color_scheme": "light"}
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 760}, "locale": "ja-JP", "color_scheme": "dark", "has_touch": True,
    "is_mobile": True,
}  # fmt: skip


def need_chromium() -> None:
    """Skip where there is no Chromium or no Playwright, never in CI."""
    if not IN_CI:
        pytest.importorskip("playwright")
        if not CHROMIUM.exists():
            pytest.skip(f"there is no {CHROMIUM}")


@contextmanager
def serving(data_dir: Path, **more: Any) -> Iterator[str]:
    """The radar over a data folder, at a free port of the loopback address. more: settings."""
    engine = open_store(f"sqlite:///{data_dir / 'radar.db'}")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(engine, Settings(data_dir=data_dir, **more)), log_level="error", ws="none")
        server = uvicorn.Server(config)
        taken.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{taken.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
    engine.dispose()


@dataclass
class Visit:
    """A page in a browser, with what it said and asked for."""

    base: str
    page: Any
    name: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: str) -> Any:
        """Go to a path of the radar, and wait until it is quiet."""
        self.page.goto(self.base + path)
        self.page.wait_for_load_state("networkidle")
        return self.page

    def picture(self, name: str) -> None:
        """Leave a picture of the page as it stands, where pictures are asked for: drawing one takes long."""
        if SCREENSHOTS:
            self.page.screenshot(path=Path(SCREENSHOTS) / f"{self.name}-{name}.png", full_page=True)

    def is_well(self) -> None:
        """Nothing was refused or failed, nothing asked of another host, nothing to scroll sideways."""
        assert [line for line in self.said if line.startswith(("error", "warning"))] == []
        assert [url for url in self.asked if not url.startswith((self.base, "data:", "blob:"))] == []
        wide, room = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= room, f"{self.page.url} is {wide} wide in {room}"

    def is_accessible(self) -> None:
        """axe finds nothing serious."""
        self.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        bad = [
            f"{v['id']}: {v['help']}: {[n['html'][:140] for n in v['nodes'][:3]]}"
            for v in found["violations"]
            if v["impact"] in ("serious", "critical")
        ]
        assert bad == [], f"{self.page.url}: {bad}"
