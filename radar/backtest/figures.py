"""The figures of a back-test, by market, kind and bucket, and as rows."""

from collections.abc import Mapping
from typing import Any

from radar.backtest.plan import Cell
from radar.keys import Kind
from radar.trends.evaluation import (
    TOO_LITTLE,
    Records,
    median_figure,
    precision_figures,
    share_figure,
)
from radar.windows import RANKED


def cells_of(kind: Kind | None) -> list[Cell]:
    """The whole list first, then by bucket, then by kind and bucket."""
    kinds: list[Kind | None] = [kind] if kind is not None else [None, *Kind]
    return [(kinds[0], None), *((k, bucket) for k in kinds for bucket in RANKED)]


def cell_figures(market: str | None, cell: Cell, records: Records) -> dict[str, Any]:
    """The figures of one market (None: all together), kind and bucket."""
    kind, bucket = cell
    leads = [lead for lead in records.leads if lead is not None]
    n = len(records.leads)
    figures: dict[str, Any] = {
        "precision": precision_figures(records.lines),
        "emerging": share_figure(sum(records.emerging), len(records.emerging), len(records.emerging)),
        "lead_days": median_figure(leads),
        "coverage": share_figure(sum(lead > 0 for lead in leads), n, n)
        | {"by_peak_day": share_figure(sum(lead >= 0 for lead in leads), n, n)},
    }
    parts = [*figures["precision"], figures["emerging"], figures["lead_days"], figures["coverage"]]
    status = "ok" if any(part["status"] == "ok" for part in parts) else TOO_LITTLE
    return {
        "market": market, "kind": kind.name.lower() if kind is not None else None,
        "bucket": bucket.value if bucket else None, "status": status, "lists": records.lists,
    } | figures  # fmt: skip


def figures(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A back-test's figures one a row: market, kind, bucket (None: all), measure, k, status, n, value, low, high.

    measure  precision, already (large in the list's week), emerging, coverage, coverage_by_peak_day, lead_days, and
             truth_precision of a simulated store
    """
    found: list[dict[str, Any]] = []
    for cell in answer["cells"]:
        where = {name: cell[name] for name in ("market", "kind", "bucket")}
        found += [_figure(where, "precision", part) for part in cell["precision"]]
        found += [_figure(where, "already", part["already"] | {"k": part["k"]}) for part in cell["precision"]]
        found += [_figure(where, name, cell[name]) for name in ("emerging", "coverage", "lead_days")]
        found.append(_figure(where, "coverage_by_peak_day", cell["coverage"]["by_peak_day"]))
    if answer["truth"]:
        where = {"market": None, "kind": None, "bucket": None}
        found += [_figure(where, "truth_precision", part) for part in answer["truth"]["precision"]]
    return found


def _figure(where: Mapping[str, Any], measure: str, part: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **where, "measure": measure, "k": part.get("k"), "status": part["status"], "n": part["n"],
        "trends": part.get("trends", part["n"]), "hits": part.get("hits"),
        "value": part.get("share", part.get("median")), "low": part["low"], "high": part["high"],
    }  # fmt: skip
