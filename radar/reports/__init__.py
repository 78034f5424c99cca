"""The weekly market-pair report: what one market said about another in an ISO week, as plain values.

`pair` makes it of answers and one query; `making` has it written by whoever speaks languages, and keeps it as files.
"""

from radar.reports.keeping import FORMS, Kept, kept_reports
from radar.reports.making import Writer, make_reports
from radar.reports.pair import pair_report
from radar.reports.week import Week, last_weeks, parse_week

__all__ = [
    "FORMS", "Kept", "Week", "Writer", "kept_reports", "last_weeks", "make_reports", "pair_report",
    "parse_week",
]  # fmt: skip
