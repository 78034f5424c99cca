"""Collected trends whose episodes are gone are found by what was deleted, as looking through all of them finds them."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.adoption import collect_adopters
from radar.store import adoptions, promotion, trends
from radar.store.adoptions import Collected
from radar.store.engine import reading, writing
from radar.store.tables import adopted_trend, episode, person, trend_adoption
from tests.builders import NOON

DAY = NOON.date()
MODELS = ("a", "m", "z")


def _episode(number: int, model_id: str = "m", market: str = "TW") -> dict[str, Any]:
    return {
        "id": number, "model_id": model_id, "audience_market": market, "place": 0, "key_hash": number, "bucket": "1h",
        "onset_at": NOON + timedelta(hours=number), "ended_at": None, "stage": "rising", "stage_since": NOON,
        "leader_id": None,
    }  # fmt: skip


def _collected(number: int, market: str = "TW") -> Collected:
    return Collected(number, market, DAY, DAY, NOON)


def _looked_through(session: Session, model_id: str) -> list[int]:
    mine = set(session.scalars(sa.select(episode.c.id).where(episode.c.model_id == model_id)))
    return sorted(set(session.scalars(sa.select(adopted_trend.c.episode_id))) - mine)


def test_whatever_happens_to_episodes_those_that_are_gone_are_found(engine: sa.Engine) -> None:
    rng = np.random.default_rng(7)
    gone = confirmed = 0
    for _ in range(150):
        model, market = str(rng.choice(MODELS)), str(rng.choice(["TW", "JP"]))
        some = [int(n) * 6 + MODELS.index(model) * 2 + (market == "JP") for n in rng.choice(12, 5, replace=False)]
        with writing(engine) as session, session.begin():
            match int(rng.integers(6)):
                case 0:
                    trends.rewind(session, model, market, "1h", NOON + timedelta(hours=int(rng.integers(72))), [])
                case 1 if rng.random() < 0.3:
                    (promotion.drop_aside(session, model) if rng.random() < 0.5 else
                     trends.forget(session, model, market, "1h"))  # fmt: skip
                case 2 | 3:
                    trends.write_episodes(session, [_episode(n, model, market) for n in some])
                case _:
                    adoptions.replace_adopters(session, model, [_collected(n, market) for n in some], {})
            found = {name: adoptions.doubtful(session, name) for name in MODELS}
            assert {name: sorted(doubt.gone) for name, doubt in found.items()} == {
                name: _looked_through(session, name) for name in MODELS
            }
            gone += len(found["m"].gone)
            confirmed += len(found["m"].standing)
            adoptions.confirm(session, "m", found["m"].standing)
            assert adoptions.doubtful(session, "m").standing == []
    assert gone > 500
    assert confirmed > 10


def test_adopters_of_a_trend_that_is_gone_are_forgotten_and_those_of_one_that_is_there_again_stay(
    engine: sa.Engine,
) -> None:
    with writing(engine) as session, session.begin():
        session.execute(sa.insert(person), [{"id": 1, "name": None}])
        trends.write_episodes(session, [_episode(n) for n in (1, 2, 3)])
        found = {
            n: [adoptions.AdoptionRow(n, 1, NOON, 1)] for n in (1, 2, 3)
        }  # fmt: skip
        adoptions.replace_adopters(session, "m", [_collected(n) for n in (1, 2, 3)], found)
        trends.rewind(session, "m", "TW", "1h", NOON + timedelta(hours=1), [])
        trends.write_episodes(session, [_episode(3)])
    collect_adopters(engine, "m", now=NOON)
    with reading(engine) as session:
        assert session.scalars(sa.select(trend_adoption.c.episode_id).order_by(trend_adoption.c.episode_id)).all() == [
            1,
            3,
        ]
        assert adoptions.doubtful(session, "m") == ([], [])
        assert sorted(adoptions.doubtful(session, "other").gone) == [1, 3]  # another model has been promoted


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_trend_is_not_confirmed_while_another_transaction_takes_its_episode_back(engine: sa.Engine) -> None:
    with writing(engine) as session, session.begin():
        trends.write_episodes(session, [_episode(1), _episode(2)])
    with writing(engine) as back, back.begin():
        trends.rewind(back, "m", "TW", "1h", NOON + timedelta(hours=1), [])
        with writing(engine) as session, session.begin():
            session.execute(sa.text("SET LOCAL lock_timeout = '2s'"))
            adoptions.replace_adopters(session, "m", [_collected(1), _collected(2)], {})
    with reading(engine) as session:
        assert adoptions.doubtful(session, "m") == ([2], [])
