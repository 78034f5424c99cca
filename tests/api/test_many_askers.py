"""Many who ask at once: an answer is made once for all of them, and what is gone is shown to nobody."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar import answers
from radar.api import create_app
from radar.config import Settings
from radar.kol import Tiers
from radar.measure import measure_authors
from radar.store import rights, tables
from radar.store.engine import reading, writing
from radar.store.version import answers_changed
from tests.api.small_store import SmallStore
from tests.builders import NOON, a_post, put

COVERAGE, TRENDS, KOLS = "/v1/coverage", "/v1/markets/TW/trends", "/v1/authors?market=TW"


class Kitchen:
    """Answers of coverage as they are made: counted, and held back until they may go on."""

    def __init__(self) -> None:
        self.made = 0
        self.go = threading.Event()
        self.go.set()

    def around(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        def made(*given: Any, **named: Any) -> Any:
            self.made += 1
            found = plain(*given, **named)
            assert self.go.wait(30)
            return found

        return made


@pytest.fixture
def kitchen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kitchen]:
    kitchen = Kitchen()
    monkeypatch.setattr(answers, "coverage", kitchen.around(answers.coverage))
    yield kitchen
    kitchen.go.set()


def _ask(store: SmallStore, asking: Callable[[httpx.AsyncClient], Any]) -> Any:
    """What somebody finds who asks an application in one loop, as a server runs it."""

    async def all_of_it() -> Any:
        door = httpx.ASGITransport(create_app(store.engine, Settings()), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=door, base_url="http://127.0.0.1:8000", timeout=60) as client:
            return await asking(client)

    return asyncio.run(all_of_it())


async def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until
        await asyncio.sleep(0.01)


def _posts(answer: httpx.Response) -> int:
    return sum(row["posts"] for row in answer.json()["items"])


def test_what_many_ask_at_once_is_made_once(empty: SmallStore, kitchen: Kitchen) -> None:
    put(empty.engine, a_post("1"))

    async def asking(client: httpx.AsyncClient) -> list[httpx.Response]:
        kitchen.go.clear()
        crowd = [asyncio.ensure_future(client.get(COVERAGE)) for _ in range(40)]
        await _until(lambda: kitchen.made > 0)
        await asyncio.sleep(0.2)
        kitchen.go.set()
        return await asyncio.gather(*crowd)

    found = _ask(empty, asking)
    assert {answer.status_code for answer in found} == {200}
    assert len({answer.content for answer in found}) == 1
    assert kitchen.made == 1


def test_whoever_asks_alone_sees_what_was_written_just_now(empty: SmallStore) -> None:
    async def asking(client: httpx.AsyncClient) -> list[int]:
        seen = []
        for n in range(5):
            put(empty.engine, a_post(str(n)))
            seen.append(_posts(await client.get(COVERAGE)))
        return seen

    assert _ask(empty, asking) == [1, 2, 3, 4, 5]


def test_in_a_crowd_the_answer_of_before_is_given_and_the_new_one_follows(empty: SmallStore, kitchen: Kitchen) -> None:
    put(empty.engine, a_post("1"))

    async def asking(client: httpx.AsyncClient) -> tuple[list[int], int]:
        await client.get(COVERAGE)
        put(empty.engine, a_post("2"))
        kitchen.go.clear()
        first = asyncio.ensure_future(client.get(COVERAGE))
        await _until(lambda: kitchen.made == 2)
        meanwhile = [_posts(await client.get(COVERAGE)) for _ in range(5)]
        kitchen.go.set()
        assert _posts(await first) == 2
        return meanwhile, _posts(await client.get(COVERAGE))

    assert _ask(empty, asking) == ([1] * 5, 2)


def _erase(session: Session) -> None:
    who = rights.identity(session, _author(session))
    assert who is not None
    while rights.erase_posts(session, who.id):
        pass
    rights.erase_author(session, who)


def _hide(session: Session) -> None:
    rights.hide(session, _author(session), NOON)


def _author(session: Session) -> int:
    return int(session.scalar(sa.select(tables.author.c.id).where(tables.author.c.handle == "gone")) or 0)


@pytest.mark.parametrize("take_away", [_erase, _hide])
def test_what_was_taken_away_is_in_no_answer_after_that(
    empty: SmallStore, kitchen: Kitchen, take_away: Callable[[Session], None]
) -> None:
    """By another process, in a crowd, while an answer from before is being made."""
    put(empty.engine, a_post("1", author="gone"), a_post("2", author="stays"))
    with writing(empty.engine) as session, session.begin():
        for name in ("gone", "stays"):
            mine = tables.author.c.native_id == name
            session.execute(sa.update(tables.author).where(mine).values(handle=name))
    measure_authors(empty.engine, "none", ["shop.snacks"], Tiers(), now=NOON)

    async def asking(client: httpx.AsyncClient) -> list[str]:
        before = await client.get(KOLS)
        assert "gone" in before.text
        kitchen.go.clear()
        crowd = asyncio.ensure_future(client.get(COVERAGE))  # somebody is at work from here on
        await _until(lambda: kitchen.made == 1)
        put(empty.engine, a_post("3", author="stays"))
        assert (await client.get(KOLS)).content == before.content  # in a crowd, the one of before
        with writing(empty.engine) as session, session.begin():
            take_away(session)
        after = [await client.get(path) for path in (KOLS, "/kols?market=TW", KOLS)]
        late = asyncio.ensure_future(client.get(COVERAGE))
        await _until(lambda: kitchen.made == 2)  # nobody waits for one that was begun before
        kitchen.go.set()
        await asyncio.gather(crowd, late)
        after += [await client.get(path) for path in (KOLS, "/kols?market=TW")]
        return [answer.text for answer in after]

    for text in _ask(empty, asking):
        assert "stays" in text
        assert "gone" not in text


def test_what_is_being_made_when_something_is_taken_away_is_not_kept(empty: SmallStore, kitchen: Kitchen) -> None:
    put(empty.engine, a_post("1"), a_post("2"))

    async def asking(client: httpx.AsyncClient) -> tuple[int, int]:
        kitchen.go.clear()
        early = asyncio.ensure_future(client.get(COVERAGE))
        await _until(lambda: kitchen.made == 1)
        with writing(empty.engine) as session, session.begin():
            session.execute(sa.update(tables.post).where(tables.post.c.native_id == "2").values(deleted_at=NOON))
            answers_changed(session, removed=True)
        kitchen.go.set()
        return _posts(await early), _posts(await client.get(COVERAGE))

    assert _ask(empty, asking) == (2, 1)


def test_pages_are_each_readers_own(filled: SmallStore) -> None:
    async def asking(client: httpx.AsyncClient) -> list[list[str]]:
        asked = [{"accept-language": code} for code in ("ja", "ko", "th", "zh-TW", "en")]
        return [
            [(await client.get("/coverage", headers=headers)).headers["content-language"] for headers in asked]
            for _ in range(2)
        ]

    assert _ask(filled, asking) == [["ja", "ko", "th", "zh-Hant", "en"]] * 2


def test_a_trend_list_is_kept_while_posts_come_and_made_anew_when_trends_change(filled: SmallStore) -> None:
    statements: list[str] = []

    async def asking(client: httpx.AsyncClient) -> list[int]:
        counts = []
        for _ in range(3):
            del statements[:]
            await client.get(TRENDS)
            counts.append(len(statements))
        return counts

    sa.event.listen(filled.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    made, *again = _ask(filled, asking)
    assert made > 5
    assert again == [0, 0]
    with reading(filled.engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(tables.post))


def test_whoever_writes_sees_it_in_a_crowd_too_and_one_who_may_not_write_lets_nothing_go(
    empty: SmallStore, kitchen: Kitchen
) -> None:
    put(empty.engine, a_post("1", author="ann"))
    measure_authors(empty.engine, "none", ["shop.snacks"], Tiers(), now=NOON)

    async def asking(client: httpx.AsyncClient) -> tuple[list[bool], bool]:
        number = (await client.get(KOLS)).json()["items"][0]["id"]
        kitchen.go.clear()
        crowd = asyncio.ensure_future(client.get(COVERAGE))
        await _until(lambda: kitchen.made == 1)
        put(empty.engine, a_post("2", author="bob"))
        sizes = []
        for path in ("/v1/lists/no-such-list", f"/v1/authors/{number}"):
            await client.patch(path, json={"name": "Ann"})
            sizes.append("Ann" in (await client.get(KOLS)).text)
        kitchen.go.set()
        return sizes, (await crowd).status_code == 200

    assert _ask(empty, asking) == ([False, True], True)


@pytest.mark.parametrize("path", ["/v1/health/ready", "/v1/health", "/v1/models/drift"])
def test_a_crowd_waits_for_its_turn_and_not_for_itself(filled: SmallStore, path: str) -> None:
    """More at once than there are threads and connections, of what is not kept: whoever has one gets the other."""
    app = create_app(filled.engine, Settings())

    async def crowd() -> list[httpx.Response]:
        door = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=door, base_url="http://127.0.0.1:8000", timeout=60) as client,
        ):
            return await asyncio.wait_for(asyncio.gather(*[client.get(path) for _ in range(150)]), 25)

    assert {answer.status_code for answer in asyncio.run(crowd())} == {200}
