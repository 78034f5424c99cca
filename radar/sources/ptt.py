"""PTT: the pages of a board, as its web site shows them to anybody of age.

A row of a board's page has a title, an author and the net number of recommendations; its address has the second it was
posted at. A page a request, some seconds between two, and nothing that robots.txt forbids. A new post is asked for at
its own page soon after, and again as it ages: that has its text, its recommendations exactly, or says that it is gone.
Of the text only what its author wrote is read: not what is quoted of others, nor what readers said below.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.robotparser import RobotFileParser

from radar import __version__
from radar.sources.base import (
    GUESSED,
    MAX_TEXT,
    Account,
    Batch,
    Capabilities,
    Fault,
    PostRef,
    RawAuthor,
    RawPost,
    Reread,
    Source,
)
from radar.sources.budget import Ledger
from radar.sources.facts import ask_every, facts_of
from radar.sources.sweep import Page, sweep
from radar.sources.trouble import Busy, Malformed, NotFound, Refused, Trouble, Unreachable, Unsafe
from radar.sources.web import Answer, Web

PUBLIC = "https://www.ptt.cc"
OVERLAP = timedelta(hours=1)
EXPLODED = 100
"""What a board's page shows as 爆: this many recommendations or more."""
_NAME = re.compile(r"(?P<board>[A-Za-z0-9_-]{1,20})(?:/(?P<author>[A-Za-z0-9]{2,20}))?")
_ARTICLE = re.compile(r"/bbs/(?P<board>[A-Za-z0-9_-]+)/(?P<id>[MG]\.(?P<epoch>\d{9,10})\.A\.[0-9A-F]{1,8})\.html")
_BEFORE = re.compile(r"/bbs/[A-Za-z0-9_-]+/index(\d{1,7})\.html")
_COOKIE = {"Cookie": "over18=1"}


class PttSource(Source):
    """Boards by name, or one author of a board as Board/author. config: url."""

    kind = "ptt"
    is_simulated = False
    capabilities = Capabilities(
        watches=True, counts=frozenset({"like_count", "comment_count"}), refreshes=1, edits=True, deletes=True,
        shares_access=True, back=timedelta(days=3), patience=timedelta(days=3),
    )  # fmt: skip

    def __init__(self, name: str, config: dict[str, Any], web: Web, ledger: Ledger) -> None:
        self.name, self._config, self._web = name, config, web
        self._url = (config.get("url") or PUBLIC).rstrip("/")
        self._robots: RobotFileParser | None = None

    def every(self, accounts: int) -> timedelta:
        """As the facts or the operator say."""
        return ask_every(self.kind, self._config)

    def lane(self, asked: Account | PostRef | None) -> str:
        """The one host is a lane, whichever source asks it."""
        return urlsplit(self._url).netloc

    def discover(self, cursor: dict[str, Any] | None, now: datetime, account: Account | None = None) -> Iterator[Batch]:
        """Down from the newest page of the board."""
        assert account is not None
        board, author = _target(account.handle)

        def ask(token: str | None) -> Page:
            page = f"index{token}.html" if token and token.isdigit() else "index.html"
            answer = self._get(f"/bbs/{quote(board)}/{page}")
            return board_page(answer.body, board, author, account, self._url)

        yield from sweep(cursor, now, ask, back=self.capabilities.back, overlap=OVERLAP)

    def refresh(self, posts: Sequence[PostRef], now: datetime) -> Iterator[Reread]:
        """Each at its own page; one that is not there is gone."""
        for asked in posts:
            try:
                answer = self._get(f"/bbs/{asked.ref}.html")
            except NotFound:
                yield Reread(asked, None)
                continue
            yield Reread(asked, article(answer.body, asked, self._url))

    def _get(self, path: str) -> Answer:
        """A page, if robots may have it. Raises Refused where not."""
        if not self._allowed(path):
            raise Refused(f"{self._url}{path}: robots.txt forbids it.")
        return self._web.get(f"{self._url}{path}", headers=_COOKIE, spacing=facts_of(self.kind)["seconds_between"])

    def _allowed(self, path: str) -> bool:
        if self._robots is None:
            rules, found = RobotFileParser(), ""
            try:
                answer = self._web.get(f"{self._url}/robots.txt", headers=_COOKIE, spacing=1.0)
                found = answer.body[:500_000].decode("utf-8", "replace")
            except (Busy, Unreachable, Unsafe):  # nobody knows what it says: nothing is asked
                raise
            except Trouble:  # there is none (RFC 9309, 2.3.1.3)
                pass
            rules.parse(found.splitlines())
            self._robots = rules
        return self._robots.can_fetch(f"kol-trend-radar/{__version__}", f"{self._url}{path}")


@dataclass(slots=True)
class Row:
    """A row of a board's page, as it stands there."""

    title: str = ""
    href: str = ""
    author: str = ""
    recommended: str = ""


class _Board(HTMLParser):
    """Rows, and the address of the page before."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[Row] = []
        self.before: str | None = None
        self.is_board = False
        self._field = ""
        self._link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        classes = said.get("class", "").split()
        if tag == "div":
            self.is_board |= "r-list-container" in classes
            if "r-ent" in classes:
                self.rows.append(Row())
            self._field = next((c for c in classes if c in ("nrec", "title", "author")), "")
            if {"r-list-sep", "bbs-screen"} & {*classes} and "r-list-sep" in classes:
                self._field = "below"  # what is pinned to a board stands below and is old
                self.rows.append(Row(title="\0"))
        elif tag == "a":
            self._link = said.get("href", "")
            if self._field == "title" and self.rows:
                self.rows[-1].href = self._link

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self._field = ""
        elif tag == "a":
            self._link = ""

    def handle_data(self, data: str) -> None:
        if self.rows and self._field == "title":
            self.rows[-1].title += data
        elif self.rows and self._field == "author":
            self.rows[-1].author += data
        elif self.rows and self._field == "nrec":
            self.rows[-1].recommended += data
        elif self._link and "上頁" in data and (found := _BEFORE.search(self._link)):
            self.before = found[1]


def read_board(html: str) -> tuple[list[Row], str | None]:
    """Rows of a board's page, without those that are pinned to it, and the number of the page before.

    Raises ValueError for what is no board's page.
    """
    reader = _Board()
    reader.feed(html)
    reader.close()
    if not reader.is_board and not reader.rows:
        raise ValueError("expected the page of a board")
    end = next((i for i, row in enumerate(reader.rows) if row.title == "\0"), len(reader.rows))
    return reader.rows[:end], reader.before


def board_page(body: bytes, board: str, author: str | None, account: Account, url: str) -> Page:
    """Posts of a board's page, of one author where one is named; deleted ones have no address. Raises Malformed."""
    try:
        rows, before = read_board(body.decode("utf-8", "replace"))
    except (ValueError, AssertionError, RecursionError) as error:
        raise Malformed(f"PTT {board}: {error}", body) from error
    page = Page(after=before)
    for row in rows:
        if not row.href:
            continue
        found = _ARTICLE.fullmatch(row.href)
        title, name = row.title.strip(), row.author.strip()
        if found is None or not title or not name or name == "-":
            page.faults.append(Fault("a row without address, title or author", repr(row)[:4_000], row.href[:255]))
            continue
        at = datetime.fromtimestamp(int(found["epoch"]), UTC)
        page.ids.add(found["id"])
        page.times.append(at)
        if author is None or name.lower() == author.lower():
            likes = recommended(row.recommended)
            page.posts.append(
                _post(
                    found["board"], found["id"], at, title, name, account, url, is_alone=author is not None, likes=likes
                )
            )
    return page


def recommended(text: str) -> int | None:
    """Recommendations less rejections, as a board's page shows them; None where more reject, which is no count.

    >>> [recommended(text) for text in ("12", "", "爆", "X3", "XX")]
    [12, 0, 100, None, None]
    """
    text = text.strip()
    if text == "爆":
        return EXPLODED
    if not text:
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _post(
    board: str, native: str, at: datetime, title: str, name: str, account: Account, url: str, *, is_alone: bool,
    likes: int | None,
) -> RawPost:  # fmt: skip
    author = RawAuthor(
        name, account.market, handle=name, person=account.person if is_alone else None,
        market_source="declared" if is_alone else "inferred", market_confidence=1.0 if is_alone else GUESSED,
        market_reasons=None if is_alone else f"wrote in the board {board}",
    )  # fmt: skip
    return RawPost(
        platform="ptt", native_id=f"{board}/{native}", author=author, text=title, published_at=at, like_count=likes,
        url=f"{url}/bbs/{board}/{native}.html", given=frozenset({"like_count", "url"}), ref=f"{board}/{native}",
        is_start=True,
    )  # fmt: skip


_VOID = frozenset("br hr img input link meta source".split())
_OTHERS = re.compile(r"(?:[:>]|※ 引述|.{0,80}之銘言[:：])")
_SIGNATURE = 12
"""Lines that a signature has at most, between its two lines of dashes."""
_ORIGIN = ("※ 發信站", "※ 編輯", "※ 文章網址", "Sent from ")


class _Article(HTMLParser):
    """Title, text and what readers said."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title: str | None = None
        self.values: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self._field = ""
        self._inside = 0  # elements that are open in the main content, itself among them
        self._beside = 0  # of these, since one that is not text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        classes = said.get("class", "").split()
        if tag == "meta" and said.get("property") == "og:title":
            self.title = said.get("content")
        elif tag == "span":
            self._field = next((c for c in classes if c in ("article-meta-value", "push-tag")), "")
            if self._field == "article-meta-value":
                self.values.append("")
            elif self._field:
                self.tags.append("")
        if tag in _VOID:
            return
        is_beside = self._field or {"article-metaline", "article-metaline-right", "push", "richcontent"} & {*classes}
        if self._beside or (self._inside and is_beside) or tag in ("script", "style"):
            self._beside += 1
        elif self._inside or said.get("id") == "main-content":
            self._inside += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "span":
            self._field = ""
        if tag in _VOID:
            return
        if self._beside:
            self._beside -= 1
        elif self._inside:
            self._inside -= 1

    def handle_data(self, data: str) -> None:
        if self._field == "article-meta-value":
            self.values[-1] += data
        elif self._field == "push-tag":
            self.tags[-1] += data
        elif self._inside and not self._beside:
            self.text.append(data)


def own_words(text: str) -> str:
    """What the author of an article wrote: up to the signature, without what is quoted of others.

    >>> own_words("東京五日\\n\\n: 哪裡好玩?\\n淺草\\n--\\nSent from my phone\\n※ 發信站: 批踢踢實業坊(ptt.cc)\\n--\\n")
    '東京五日\\n淺草'
    """
    lines: list[str] = []
    dashes: list[int] = []
    for line in text.split("\n"):
        said = " ".join(line.split())
        if said.startswith(_ORIGIN[0]):
            break
        if said == "--":
            dashes.append(len(lines))
        elif said and not _OTHERS.match(said) and not said.startswith(_ORIGIN):
            lines.append(said)
    ends = [at for at in dashes[-2:] if at >= dashes[-1] - _SIGNATURE]
    return "\n".join(lines[: ends[0] if ends else None])


def article(body: bytes, asked: PostRef, url: str) -> RawPost:
    """A post's own page as we read it: its title and text, and exactly how it was received. Raises Malformed."""
    reader = _Article()
    try:
        reader.feed(body.decode("utf-8", "replace"))
        reader.close()
    except (AssertionError, ValueError, RecursionError) as error:
        raise Malformed(f"PTT {asked.ref}: {error}", body) from error
    title = reader.values[2] if len(reader.values) > 2 else reader.title
    if not title or not title.strip():
        raise Malformed(f"PTT {asked.ref}: expected a title", body)
    tags = [tag.strip() for tag in reader.tags]
    net = tags.count("推") - tags.count("噓")
    author = RawAuthor(asked.author_id, asked.market, handle=asked.author_id, market_source="inferred")
    text = f"{title.strip()}\n{own_words(''.join(reader.text))}".strip()[:MAX_TEXT]
    return RawPost(
        platform="ptt", native_id=asked.native_id, author=author, text=text, published_at=asked.published_at,
        like_count=net if net >= 0 else None, comment_count=len(tags), url=f"{url}/bbs/{asked.ref}.html",
        given=frozenset({"like_count", "comment_count", "url"}), ref=asked.ref,
    )  # fmt: skip


def _target(handle: str) -> tuple[str, str | None]:
    """Board and author. Raises Trouble."""
    found = _NAME.fullmatch(handle.strip().removeprefix(f"{PUBLIC}/bbs/").removesuffix("/index.html"))
    if found is None:
        raise Trouble(f"'{handle[:100]}' is no board of PTT: expected Japan_Travel, or Japan_Travel/author.")
    return found["board"], found["author"]
