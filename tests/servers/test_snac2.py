"""A server that ignores how many are asked for, and from where on: tests/servers/install_snac2, then -m servers."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from radar.collect import collect
from tests.servers.others import (
    CountingWeb,
    assert_the_twenty,
    free_port,
    held,
    installed,
    running,
    until,
    watching_store,
)
from tests.sources.test_normal_form import POSTS

pytestmark = pytest.mark.servers


@pytest.fixture
def snac(tmp_path: Path) -> Iterator[tuple[Path, Path, str]]:
    """The program, its folder, and where it serves; its user is ann."""
    program, folder, port = installed("snac2", "usr", "bin", "snac"), tmp_path / "snac", free_port()
    said = f"127.0.0.1\n{port}\n127.0.0.1:{port}\n\n\n"
    subprocess.run([program, "init", folder], input=said.encode(), check=True, capture_output=True)
    settings = folder / "server.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"protocol": "http"}))
    subprocess.run([program, "adduser", folder], input=b"ann\n", check=True, capture_output=True)
    url = f"http://127.0.0.1:{port}"
    with running([program, "httpd", folder], tmp_path):
        until(lambda: httpx.get(f"{url}/api/v1/instance").is_success)
        yield program, folder, url


def test_twenty_posts_come_once_with_two_requests_though_its_pages_never_end(
    snac: tuple[Path, Path, str], tmp_path: Path
) -> None:
    program, folder, url = snac

    def publish(text: str) -> None:
        text = text.replace("&amp;", "&amp;amp;")  # what is written there is HTML
        subprocess.run([program, "note", folder, "ann", text], check=True, capture_output=True)

    for _, text, _ in POSTS:
        publish(text)
    engine, now = watching_store(tmp_path, "mastodon", {"url": url}, "ann"), datetime.now(UTC)
    assert collect(engine, now=now, web=(web := CountingWeb())).new == 20
    assert len([path for path in web.asked if path.endswith("/statuses")]) <= 2
    assert_the_twenty(engine, times=False)
    publish("one more")
    later = now + timedelta(minutes=10)
    done = collect(engine, now=later, web=(web := CountingWeb()))
    assert (done.new, done.changed, len(held(engine))) == (1, 0, 21)
    assert len([path for path in web.asked if path.endswith("/statuses")]) <= 2
    engine.dispose()
