"""Weekly reports by schedule: every pair asked for, written by whoever speaks languages, kept whole or not at all."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from radar.config import Settings
from radar.errors import RadarError
from radar.markets import market, market_pairs
from radar.reports.keeping import FORMS, is_kept, keep
from radar.reports.pair import pair_report
from radar.reports.week import parse_week
from radar.store.engine import reading


class Writer(Protocol):
    """Puts a report into words: in a language, in one of FORMS, as the bytes of a file."""

    def __call__(self, report: Mapping[str, Any], language: str, form: str) -> bytes: ...


def make_reports(engine: sa.Engine, settings: Settings, write: Writer, *, now: datetime) -> tuple[int, int, list[str]]:
    """Last week's report of each pair that is not kept yet: (made, kept already, why others were not made)."""
    made, there, failed = 0, 0, []
    languages = settings.report_languages.replace(",", " ").split()
    for code, place in market_pairs(settings.reports):
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
