"""A blog of WordPress' own making: tests/servers/install_wordpress, then pytest -m servers."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

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
HERE = Path(__file__).with_name("wordpress")


class Blog:
    """A blog, and how it is written."""

    def __init__(self, url: str, known: dict[str, str]) -> None:
        self.url, self._known = url, known

    def write(self, *posts: dict[str, Any]) -> list[int]:
        words = ["php", HERE / "write.php", "posts"]
        done = subprocess.run(words, input=json.dumps(posts).encode(), env=self._known, check=True, capture_output=True)
        return [int(id) for id in json.loads(done.stdout)]

    @staticmethod
    def post(text: str, at: datetime) -> dict[str, Any]:
        written = f"{at:%Y-%m-%d %H:%M:%S}"
        return {"post_content": escape(text, quote=False), "post_date": written, "post_date_gmt": written}


@pytest.fixture
def blog(tmp_path: Path) -> Iterator[Blog]:
    root = installed("wordpress", "usr", "share", "wordpress")
    shutil.copy(HERE / "wp-config.php", root.parent)  # WordPress looks for it there
    port, data, socket = free_port(), tmp_path / "data", tmp_path / "db.sock"
    url = f"http://127.0.0.1:{port}"
    known = {"BLOG_SOCKET": str(socket), "BLOG_URL": url, "BLOG_ROOT": str(root), "PATH": "/usr/sbin:/usr/bin:/bin"}
    server = ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={socket}", "--user=root"]
    for folder in (data, tmp_path / "php"):
        folder.mkdir()
    alone = ["--skip-grant-tables", "--skip-networking", f"--pid-file={tmp_path}/db.pid"]  # a socket in our own folder
    with running([*server, *alone], tmp_path):
        until(socket.exists)
        make_database = f"(new mysqli('localhost', 'root', '', '', 0, '{socket}'))->query('CREATE DATABASE wordpress');"
        until(lambda: subprocess.run(["php", "-r", make_database], capture_output=True).returncode == 0)
        subprocess.run(["php", HERE / "write.php", "install"], env=known, check=True, capture_output=True)
        with running(["php", "-S", f"127.0.0.1:{port}", "-t", root], tmp_path / "php", **known):
            until(lambda: httpx.get(f"{url}/?feed=rss2").is_success)
            yield Blog(url, known)


@pytest.mark.parametrize("kind", ["rss2", "atom"])
def test_a_blog_is_read_whole_once_and_an_edit_is_one_version(blog: Blog, tmp_path: Path, kind: str) -> None:
    ids = blog.write(*(blog.post(text, at) for _, text, at in POSTS))
    engine, now = watching_store(tmp_path, "feed", {}, f"{blog.url}/?feed={kind}"), POSTS[-1][2] + timedelta(hours=1)
    assert collect(engine, now=now, web=(web := CountingWeb())).new == 20
    assert_the_twenty(engine, times=True)

    done = collect(engine, now=now + timedelta(minutes=10), web=(web := CountingWeb()))
    assert web.answers == [304]
    assert (done.new, done.changed, done.unchanged) == (0, 0, 0), "nothing was parsed"

    blog.write({"ID": ids[3], **blog.post("corrected", POSTS[3][2])})
    done = collect(engine, now=now + timedelta(minutes=20), web=(web := CountingWeb()))
    assert (web.answers, done.new, done.changed) == ([200], 0, 1)
    assert [row.revision for row in held(engine)] == [2 if n == 3 else 1 for n in range(20)]
    assert held(engine)[3].text == "corrected"
    engine.dispose()
