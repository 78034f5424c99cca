"""No page in another language says a sentence in English, wherever it comes from; and what is hostile stays text."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from radar import tracked
from radar.answers import trend_id
from radar.api import create_app
from radar.config import Settings
from radar.errors import UnknownName
from radar.scheduling import Context, run_job
from radar.web.languages import LANGUAGES, speaking
from radar.web.told import told
from radar.web.told_sentences import PRUNED, SENTENCES
from tests.api.small_store import HOSTILE, NOW, SmallStore, fill, open_small
from tests.web.reading import walk

OTHERS = [code for code in LANGUAGES if code != "en"]
_ENGLISH = re.compile(r"\b[A-Za-z][a-z']+ [a-z']+ ?[a-z']*")
_NO_SENTENCE = re.compile(r"https?://\S+|\S+@\S+|`[^`]*`|radar [a-z]+|'[^']*'|\S*[/_<>=][^ ]*")
WRONG = [
    "/nowhere", "/markets/XX", "/trends/zzz", "/markets/TW?q=9", "/markets/TW?window=zz", "/markets/TW?limit=0",
    "/markets/TW?as_of=2020-01-01", "/markets/TW?as_of=x", "/markets/TW?plase=JP", "/markets/TW?cursor=x",
    "/markets/TW?place=ZZ", "/markets/TW?q=0.5&q=0.1", "/kols?min_engagement=1&max_engagement=0.1", "/kols/zzz",
    "/matrix?window=99d", "/reports/TW/JP/2020-W01", "/reports/TW/JP/2026-W90", "/reports/TW/XX/2026-W46",
    "/partners?text=zz", "/partners?budget=x", "/partners?from=JP&to=TW&products=zz", "/tracked?window=36h",
    "/partners?to=TW&from=JP&tiers=mega&platforms=test", "/tracked?group=zz", "/kols?text=%21",
    "/kols?min_engagement=x",
]  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStore]:
    filled = fill(open_small(tmp_path_factory.mktemp("told")), world="simulated")
    tracked.add(
        filled.engine, name="Donki", kind="brand", group=HOSTILE, forms=[("ja", "ドンキ")], who=HOSTILE, now=NOW
    )
    tracked.sweep(filled.engine)
    context = Context(filled.engine, Settings(data_dir=tmp_path_factory.mktemp("data")), NOW)
    for name in ("measure_authors", "fit_arrivals", "prune_posts", "send_alerts", "make_reports", "sweep_tracked"):
        run_job(name, context)
    yield filled
    filled.engine.dispose()


@pytest.mark.parametrize("code", [pytest.param(c, marks=[] if c == "ja" else pytest.mark.long) for c in OTHERS])
def test_no_page_has_a_sentence_in_english(store: SmallStore, tmp_path: Path, code: str) -> None:
    app = create_app(store.engine, Settings(data_dir=tmp_path))
    headers = {"accept": "text/html", "accept-language": code}
    client = TestClient(app, raise_server_exceptions=False, headers=headers)
    client.post("/alerts", data={"name": "Mine", "market": "TW", "stages": "rising", "q": "0.05", "feed": "true"})
    client.post(f"/trends/{trend_id(store.ids['term'])}/watch", data={"name": "watching"})
    named = ["/", "/settings", "/audit", "/account", "/log-in", "/markets/TH", "/markets/TW?scope=all", *WRONG]
    english, pages = [], 0
    for address, page, source in walk(client, named):
        pages += 1
        assert HOSTILE not in source, address
        assert "<img src=x" not in source, address
        for said in page.said:
            is_ours = said.language in (code, "en") and not {"code", "script", "gloss", "title-verbatim"} & {
                *said.inside
            }
            if is_ours and HOSTILE not in said.text and _ENGLISH.search(_NO_SENTENCE.sub("", said.text)):
                english.append((address, said.text[:120]))
    assert pages > len(named) + 20
    assert english == []


@pytest.mark.parametrize("code", OTHERS)
def test_each_sentence_is_found_again_whatever_its_values(code: str) -> None:
    values = dict.fromkeys(("n", "m", "k", "j"), "1,234") | {
        "trends": "3 trends", "span": "7 days", "pruned": PRUNED[0], "market": "Japan", "topics": "Flights",
        "language": "ja", "what": "trend", "filter": "budget", "sentence": "There are no onsets yet.",
        "parts": "products: names of what is to be shown",
    }  # fmt: skip
    with speaking(code):
        for sentence in SENTENCES:
            said = sentence % {name: values.get(name, "Zz-9") for name in re.findall(r"%\((\w+)\)s", sentence)}
            assert 'lang="en"' not in told(said), sentence
        wrong = UnknownName("market", "<b>", ["TW", "TH"])
        assert told(str(wrong)) != str(wrong)
        assert "&lt;i&gt;" in told("Nobody here says <i> so.")
