"""The back-test against histories whose outcome is known by construction; and that it knows nothing of the future."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from radar.backtest import Plan, backtest, figures, replay_list
from radar.cli import cli
from radar.detect import detect_trends
from radar.errors import CallerError, UnknownName
from radar.frames import backtest_chart, backtest_figures, backtest_list
from radar.keys import Kind, key_number
from radar.markets import MARKETS, day_start
from radar.registry import load_taxonomy, model_id
from radar.store import counts, trends
from radar.store.counts import DirtyDay
from radar.store.day_blob import HOURS, QUARTERS, DayCounts
from radar.store.engine import claim_world, writing
from radar.store.tables import dirty_day
from tests.api.small_store import SmallStore, post
from tests.builders import fresh_store
from tests.conftest import radar

FIRST, DAYS = date(2026, 3, 2), 75
LISTS = (40, 47, 54)
RISE = (1, 2, 3, 6, 7, 8)
"""Ranks of every list that become large: 3 of the first 5, 6 of the first 10, 6 of all 12."""

ZONE = MARKETS["TW"].tz


def _day(n: int) -> date:
    return FIRST + timedelta(days=n)


def _end(n: int) -> datetime:
    return day_start(_day(n + 1), ZONE)


def _counts(persons: dict[int, int]) -> DayCounts:
    keys = np.array(sorted(persons), np.int64)
    values = np.array([persons[int(key)] for key in keys], np.uint32)
    by_hour = np.zeros(HOURS, np.uint32)
    by_hour[9] = 100
    zeros = np.zeros(len(keys))
    return DayCounts(
        keys, zeros.astype(np.int16), np.full(len(keys), 36, np.uint8), values, values, zeros.astype(np.float32),
        np.zeros(QUARTERS, np.uint32), by_hour, 100,
    )  # fmt: skip


def _put(engine: sa.Engine, rises: dict[str, int], days: int = DAYS, counted: int | None = None) -> None:
    """150 words that two of 100 persons use every day, and words that 30 use on one; all of it detected.

    counted  the day at whose end everything was counted; else each was at its own end
    """
    usual = {key_number(Kind.TERM, f"word{n}"): 2 for n in range(150)}
    with writing(engine) as session, session.begin():
        claim_world(session, "real")
        for n in range(days):
            mine = usual | {key_number(Kind.TERM, name): 30 for name, at in rises.items() if at == n}
            at = _end(n if counted is None else counted)
            session.execute(sa.insert(dirty_day).values(audience_market="TW", local_day=_day(n), mark=0))
            counts.replace_days(session, model_id(), [(DirtyDay("TW", _day(n), 0), _counts(mine), 300)], at)
            trends.mark_detected(session, model_id(), "TW", {_day(n): at})


def _list(store: SmallStore, day: int, names: list[str]) -> None:
    """Names listed first at the end of a day, in that order."""
    for rank, name in enumerate(names):
        store.trend(
            name, Kind.TERM, name, at=_end(day), score=100.0 - rank, bucket="1d", is_daily=True, stage="emerging"
        )


def _known(engine: sa.Engine) -> SmallStore:
    """Three lists of twelve; six of each are large three days later, and so are two words that were never listed."""
    names = {day: [f"t{day}x{rank}" for rank in range(1, 13)] for day in LISTS}
    rises = {names[day][rank - 1]: day + 3 for day in LISTS for rank in RISE}
    _put(engine, rises | {"unheard": 45, "unseen": 60})
    store = SmallStore(engine)
    for day in LISTS:
        _list(store, day, names[day])
    return store


PLAN = Plan(_day(LISTS[0]), _day(LISTS[-1]))


def _cell(answer: dict[str, Any], kind: str | None = None, bucket: str | None = None) -> dict[str, Any]:
    return next(c for c in answer["cells"] if (c["kind"], c["bucket"]) == (kind, bucket))


def test_figures_are_those_that_were_built_in(engine: sa.Engine) -> None:
    _known(engine)
    answer = backtest(engine, PLAN, market="TW")
    for cell in (_cell(answer), _cell(answer, "term", "1d"), _cell(answer, None, "1d")):
        assert cell["lists"] == 3
        assert [(p["k"], p["n"], p["hits"], p["share"]) for p in cell["precision"]] == [
            (5, 15, 9, 0.6), (10, 30, 18, 0.6), (20, 36, 18, 0.5),
        ]  # fmt: skip
        assert (cell["precision"][0]["low"], cell["precision"][0]["high"]) == pytest.approx((0.3575, 0.8018), abs=1e-3)
        assert {p["already"]["hits"] for p in cell["precision"]} == {0}
        assert (cell["emerging"]["hits"], cell["emerging"]["n"]) == (18, 36)
        assert cell["lead_days"] == {"n": 18, "status": "ok", "median": 3.0, "low": 3.0, "high": 3.0}
        assert (cell["coverage"]["hits"], cell["coverage"]["n"], cell["coverage"]["share"]) == (18, 20, 0.9)
    [about] = answer["markets"]
    assert about["lists_on"] == [_day(n) for n in LISTS]
    assert about["recounted_days"] == 0
    assert about["model_id"] == model_id()
    assert answer["truth"] is None
    assert not answer["simulated"]


def test_an_empty_cell_answers_not_enough_history(engine: sa.Engine) -> None:
    _known(engine)
    answer = backtest(engine, PLAN, market="TW")
    for cell in (_cell(answer, "hashtag", "1d"), _cell(answer, "term", "1h")):
        assert cell["precision"][0]["status"] == cell["emerging"]["status"] == "not_enough_history"
        assert cell["precision"][0]["share"] is cell["precision"][0]["hits"] is cell["lead_days"]["median"] is None
    assert _cell(answer, "hashtag", "1d")["status"] == "not_enough_history"
    one_list = backtest(engine, Plan(_day(40), _day(40)), market="TW")
    assert _cell(one_list)["precision"][0] == {
        "k": 5, "n": 5, "trends": 5, "status": "not_enough_history", "hits": None, "share": None, "low": None,
        "high": None, "already": _cell(one_list)["precision"][0]["already"],
    }  # fmt: skip
    assert _cell(one_list)["precision"][1]["share"] == 0.6


def test_a_listing_on_the_peak_day_has_no_lead_and_a_later_one_less(engine: sa.Engine) -> None:
    names = [f"t{n}" for n in range(12)]
    _put(engine, dict.fromkeys(names, 50))
    store = SmallStore(engine)
    _list(store, 30, ["long before"])
    _list(store, 50, names[:8])
    _list(store, 52, names[8:])
    cell = _cell(backtest(engine, Plan(_day(45), _day(45)), market="TW"))
    assert cell["lead_days"]["n"] == 12
    assert (cell["lead_days"]["median"], cell["lead_days"]["low"]) == (0, -2)
    assert (cell["coverage"]["hits"], cell["coverage"]["by_peak_day"]["hits"]) == (0, 8)
    week = _cell(backtest(engine, Plan(_day(52), _day(52)), market="TW"))["precision"][2]
    assert (week["hits"], week["already"]["hits"]) == (0, 12)  # a trend, but over


def test_days_counted_after_the_fact_are_told(engine: sa.Engine) -> None:
    _put(engine, {}, counted=DAYS)
    _list(SmallStore(engine), 40, ["t"])
    [about] = backtest(engine, Plan(_day(40), _day(40)), market="TW")["markets"]
    assert about["days"] == {"first": _day(6), "last": _day(54), "counted": 49}
    assert about["recounted_days"] == 49


def test_too_short_a_history_says_when_there_will_be_enough(engine: sa.Engine) -> None:
    _put(engine, {}, days=30)
    _list(SmallStore(engine), 25, ["t"])
    answer = backtest(engine, market="TW")
    assert (answer["status"], answer["cells"]) == ("not_enough_history", [])
    assert f"can be judged on {_day(40)}" in answer["markets"][0]["message"]
    with pytest.raises(ValueError, match="not enough history"):
        backtest_chart(answer)
    assert backtest(engine, market="TH")["markets"][0]["status"] == "no_data"


def test_lists_that_cannot_be_judged_are_counted(engine: sa.Engine) -> None:
    _known(engine)
    [about] = backtest(engine, Plan(_day(5), _day(68)), market="TW")["markets"]
    assert about["skipped"] == {"too_early": 5, "too_late": 2}  # days 5 to 33, and 61 and 68, are left out
    assert about["lists_on"] == [_day(n) for n in (40, 47, 54)]


def test_frames_and_chart_hold_the_same_figures(engine: sa.Engine) -> None:
    store = _known(engine)
    answer = backtest(store.engine, PLAN, market="TW")
    found = backtest_figures(answer)
    assert len(found) == len(figures(answer)) == 15 * 10
    main = found[(found["list"] == "TW all kinds") & (found["measure"] == "precision")]
    assert main["value"].tolist() == [0.6, 0.6, 0.5]
    assert "0.6" in json.dumps(backtest_chart(answer).to_dict())
    lines = backtest_list(engine, "TW", _day(40))
    assert lines["large"].tolist() == [rank in RISE for rank in range(1, 13)]
    assert set(lines.loc[lines["large"], "peak_on"]) == {_day(43)}


@pytest.mark.parametrize(
    "plan", [{"first": _day(2), "last": _day(1)}, {"horizon": 0}, {"step": 91}, {"times": 1.0}, {"times": float("nan")}]
)
def test_a_plan_that_makes_no_sense_is_refused(plan: dict[str, Any]) -> None:
    with pytest.raises(CallerError):
        Plan(**plan)


# ---- the future ----


def _posts(first: int, last: int, burst: dict[int, str]) -> list[Any]:
    """Six people a day about everyday things; on burst days fourteen more about one thing."""
    found = []
    for n in range(first, last + 1):
        noon = datetime.combine(_day(n), datetime.min.time(), UTC) + timedelta(hours=4)
        who = [(f"kol{i}", f"藥妝 日本 今天 {n} {i}") for i in range(6)]
        who += [(f"fan{i}", f"#{burst[n]} 藥妝 大阪 第{n}日 {i}") for i in range(14)] if n in burst else []
        found += [
            post(1000 * n + i, name, text, noon + timedelta(minutes=20 * i)) for i, (name, text) in enumerate(who)
        ]
    return found


def _bring_in(store: SmallStore, last: int, posts: list[Any]) -> None:
    store.now = _end(last) + timedelta(minutes=5)
    store.ingest(posts)
    store.work()
    detect_trends(store.engine, model_id(), load_taxonomy().ids, closed_at=_end(last))


def test_posts_after_the_list_change_nothing_in_it(engine: sa.Engine) -> None:
    store, plan = SmallStore(engine), Plan(horizon=2)
    _bring_in(store, 42, _posts(0, 42, {39: "浪花祭"}))
    before = replay_list(engine, "TW", _day(40), plan)["items"]
    assert [item["persons"] for item in before] == [14]
    _bring_in(store, 56, _posts(43, 56, {44: "浪花祭", 45: "浪花祭", 50: "別的事"}))
    after = replay_list(engine, "TW", _day(40), plan)["items"]
    later = replay_list(engine, "TW", _day(51), plan)["items"]
    assert after == before  # what came of it, in the two days after, included
    assert any(item["persons"] >= 14 and item["id"] != before[0]["id"] for item in later)
    known = ("rank", "id", "name", "stage", "lift", "q", "score", "persons")
    watched_longer = replay_list(engine, "TW", _day(40), Plan(horizon=14))["items"]
    assert [[item[k] for k in known] for item in watched_longer] == [[item[k] for k in known] for item in before]


# ---- the command ----


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the known history."""
    path = tmp_path_factory.mktemp("backtest")
    store = _known(fresh_store(path / "radar.db"))
    store.engine.dispose()
    return path


SPAN = ("--market", "tw", "--from", _day(40).isoformat(), "--to", _day(54).isoformat())


def test_the_command_prints_json_and_draws(folder: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "lists.svg"
    done = radar("backtest", *SPAN, "--format", "json", "--figure", str(drawn), data_dir=folder)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {
        "simulated",
        "status",
        "horizon_days",
        "baseline",
        "definition",
        "markets",
        "cells",
        "truth",
    } <= answer.keys()
    assert answer["markets"][0]["lists_on"] == [_day(n).isoformat() for n in LISTS]
    assert _cell(answer)["precision"][0]["share"] == 0.6
    assert drawn.read_text(encoding="utf-8").startswith("<svg")


def test_the_command_prints_csv(folder: Path) -> None:
    done = radar("backtest", *SPAN, "--kind", "term", "--format", "csv", data_dir=folder)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    found = {(r["kind"], r["bucket"], r["measure"], r["k"]): r for r in rows}
    assert found["term", "", "precision", "5"]["value"] == "0.6"
    assert found["term", "1h", "precision", "5"]["value"] == ""
    assert "Large:" in done.stderr


def test_the_table_says_what_it_rests_on(folder: Path) -> None:
    done = radar("backtest", *SPAN, data_dir=folder, env={"COLUMNS": "80"})
    words = " ".join(done.stdout.split())
    assert "60%" in words
    assert "36-80" in words
    assert model_id() in words
    assert "Baseline: 14 to 28 counted days" in words
    assert "Not enough history (fewer than 10 trends)" in words
    assert "…" not in words
    assert "Simulated" not in words


WRONG = (
    "--market XX", "--kind mood", "--from yesterday", "--horizon 5h", "--step 0d", "--large 1", "--scope some",
    "--figure lists.gif",
)  # fmt: skip


@pytest.mark.parametrize("words", WRONG)
def test_a_callers_mistake_is_told(folder: Path, words: str) -> None:
    done = CliRunner().invoke(cli, ["--data-dir", str(folder), "backtest", *words.split()])
    assert isinstance(done.exception, CallerError)
    assert done.exception.hint


def test_a_callers_mistake_ends_with_2(folder: Path) -> None:
    done = radar("backtest", "--market", "TV", data_dir=folder)
    assert done.returncode == 2
    assert "Did you mean" in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_names_are_refused(engine: sa.Engine) -> None:
    with pytest.raises(UnknownName):
        backtest(engine, market="XX")
    with pytest.raises(UnknownName):
        backtest(engine, market="TW", kind="mood")


def test_a_folder_that_is_not_there_fails_to_draw(folder: Path, tmp_path: Path) -> None:
    done = radar("backtest", *SPAN, "--figure", str(tmp_path / "no" / "lists.png"), data_dir=folder)
    assert done.returncode == 1
    assert "Cannot write" in done.stderr


def test_a_simulated_store_says_so_and_is_held_against_its_truth(demo_dir: Path, tmp_path: Path) -> None:
    done = radar("backtest", "--format", "json", "--figure", str(tmp_path / "all.png"), data_dir=demo_dir / "demo")
    answer = json.loads(done.stdout)
    assert answer["simulated"]
    assert (tmp_path / "all.png").read_bytes().startswith(b"\x89PNG")
    whole = next(c for c in answer["cells"] if (c["market"], c["kind"], c["bucket"]) == (None, None, None))
    assert whole["precision"][1]["n"] == answer["truth"]["precision"][1]["n"] >= 100
    assert answer["truth"]["precision"][1]["share"] >= 0.8
    assert "Simulated" in answer["truth"]["definition"]
    assert "Simulated data" in radar("backtest", "--market", "TW", data_dir=demo_dir / "demo").stdout
