"""Which market had a trend first: beside each line of a list, where another one came before."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from radar.answers.diffusion import stops_of
from radar.answers.ids import episode_number
from radar.store import answers as stored

MOST = 40
"""Trends of a list that are looked up."""


class Ahead(NamedTuple):
    """The market in which a trend came on first, and how long before this one."""

    market: str
    by: timedelta


def ahead(session: Session, ids: Sequence[str]) -> dict[str, Ahead]:
    """By trend, the market that was first, where that is another one and before by more than nothing."""
    numbers = {trend: episode_number(trend) for trend in ids[:MOST]}
    own = stored.episodes(session, list(numbers.values()))
    found = {}
    for trend, number in numbers.items():
        if number not in own:
            continue
        stops = stops_of(session, own[number])
        mine = next((stop for stop in stops if stop["market"] == own[number].audience_market), None)
        if mine is not None and stops[0]["onset_at"] < mine["onset_at"]:
            found[trend] = Ahead(stops[0]["market"], mine["onset_at"] - stops[0]["onset_at"])
    return found
