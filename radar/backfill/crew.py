"""Who reads the days: this process, processes of this machine, or a Dask cluster."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from radar.backfill.reading import Day, DayRead, read_with
from radar.spread import spread, workers

T = TypeVar("T")
Crew = Callable[[Path, Iterable[tuple[T, Day]]], Iterator[tuple[T, DayRead]]]
"""Reads days by the model in a folder; days are taken as readers come free, and come back as they are done."""


def in_this_process(folder: Path, days: Iterable[tuple[T, Day]]) -> Iterator[tuple[T, DayRead]]:
    """One day after the other."""
    for what, day in days:
        yield what, read_with(folder, day)


def on_this_machine(folder: Path, days: Iterable[tuple[T, Day]]) -> Iterator[tuple[T, DayRead]]:
    """As many processes as pay here."""
    if workers() == 1:
        yield from in_this_process(folder, days)
        return
    for (what, _), read in spread(partial(_read_apart, folder), days, at_once=workers()):
        if read is not None:
            yield what, read


def _read_apart(folder: Path, day: tuple[T, Day]) -> Iterator[DayRead]:
    yield read_with(folder, day[1])
