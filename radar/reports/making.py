"""Weekly reports by schedule: every pair asked for, written by whoever speaks languages, kept whole or not at all."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from radar.config import Settings
from radar.errors import CallerError, RadarError
from radar.markets import MARKETS, PLACE_NUMBERS, market
from radar.reports.keeping import FORMS, is_kept, keep
from radar.reports.pair import pair_report
from radar.reports.week import parse_week
from radar.store.engine import reading


class Writer(Protocol):
    """Puts a report into words: in a language, in one of FORMS, as the bytes of a file."""

    def __call__(self, report: Mapping[str, Any], language: str, form: str) -> bytes: ...


def pairs_of(text: str) -> list[tuple[str, str]]:
    """The pairs of a setting. Raises CallerError.

    >>> pairs_of("TW>JP, kr>jp")
    [('TW', 'JP'), ('KR', 'JP')]
    """
    pairs = []
    for part in text.replace(";", ",").split(","):
        if not part.strip():
            continue
        first, _, second = (word.strip().upper() for word in part.partition(">"))
        if first not in MARKETS or second not in PLACE_NUMBERS:
            raise CallerError(
                f"RADAR_REPORTS: '{part.strip()[:40]}' is no pair of a market and a place.",
                "Write pairs as TW>JP,KR>JP.",
            )
        if (first, second) not in pairs:
            pairs.append((first, second))
    return pairs


def make_reports(engine: sa.Engine, settings: Settings, write: Writer, *, now: datetime) -> tuple[int, int, list[str]]:
    """Last week's report of each pair that is not kept yet: (made, kept already, why others were not made)."""
    made, there, failed = 0, 0, []
    languages = settings.report_languages.replace(",", " ").split()
    for code, place in pairs_of(settings.reports):
        week = parse_week(None, market(code), now).name
        if is_kept(settings.data_dir, code, place, week):
            there += 1
            continue
        try:
            with reading(engine) as session:
                report = pair_report(session, code, place, week, now=now, kept_days=settings.snapshot_days)
            files = {f"{language}.{form}": write(report, language, form) for language in languages for form in FORMS}
            keep(settings.data_dir, code, place, week, files)
            made += 1
        except RadarError as error:
            failed.append(f"{code}>{place}: {error}")
    return made, there, failed
