"""Charts for browsers and for downloads, and the bundle that makes them move: nothing comes from elsewhere."""

import csv
import gzip
import io
import os
import threading
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, JSONResponse
from starlette.responses import Response

from radar import answers, charts
from radar.errors import UnknownName
from radar.web import words
from radar.web.languages import say
from radar.web.requests import SessionDep, only_known_parameters

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_known_parameters)])
_MEDIA = {"svg": "image/svg+xml", "png": "image/png", "csv": "text/csv; charset=utf-8"}
_building = threading.Lock()


@router.get("/trends/{id}/curve.{form}")
def curve(
    id: str,
    form: Literal["json", "svg", "png", "csv"],
    session: SessionDep,
    as_of: str | None = None,
    window: str | None = None,
) -> Response:
    """A trend's curve: the Vega-Lite that its page moves, a picture, or its numbers."""
    trend = answers.trend_working(session, id, answers.parse_as_of(as_of, ZoneInfo("UTC")), window)
    if form == "csv":
        return _download(_curve_csv(trend), f"trend-{id}", form)
    try:
        chart = charts.curve_chart(trend, say=say, width="container" if form == "json" else 760)
    except ValueError:
        raise UnknownName("curve", id[:60], []) from None
    return drawn(chart, f"trend-{id}", form)


@router.get("/trends/{id}/markets.{form}")
def markets(
    id: str,
    form: Literal["json", "svg", "png"],
    session: SessionDep,
    as_of: str | None = None,
    window: str | None = None,
) -> Response:
    """A trend's key in every market, as Vega-Lite or a picture."""
    at = answers.parse_as_of(as_of, ZoneInfo("UTC"))
    trend = answers.trend_working(session, id, at, window)
    beside = answers.trend_markets(session, id, at, window)
    chart = charts.markets_chart(beside, trend["name"], say=say, called=words.country)
    return drawn(chart, f"trend-{id}-markets", form)


def drawn(chart: Any, name: str, form: str) -> Response:
    """A chart in the form that was asked for."""
    if form == "json":
        return JSONResponse(charts.specification(chart))
    return _download(charts.as_svg(chart) if form == "svg" else charts.as_png(chart), name, form)


def _download(content: bytes, name: str, form: str) -> Response:
    safe = "".join(c for c in name if c.isalnum() or c == "-")
    shown = {"Content-Disposition": f'attachment; filename="{safe}.{form}"'}
    return Response(content, media_type=_MEDIA[form], headers=shown)


def _curve_csv(trend: dict[str, Any]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("start", "persons", "expected", "low", "high", "heard"))
    for p in trend["curve"]["points"]:
        writer.writerow((p["start"].isoformat(), p["persons"], p["expected"], p["low"], p["high"], p["heard"]))
    return out.getvalue().encode()


@router.get("/assets/vega.js")
def vega(request: Request, v: str | None = None) -> Response:
    """Vega, Vega-Lite and vega-embed in one file, made from the wheel of vl-convert when first asked for."""
    file = vega_bundle(request.app.state.settings.data_dir / "cache")
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        file = file.with_suffix(".js.gz")
    return FileResponse(file, media_type="text/javascript", headers=headers)


def vega_bundle(folder: Path) -> Path:
    """The bundle as a file in a folder, beside it the same compressed; made once for each version."""
    import vl_convert

    file = folder / f"vega-{vl_convert.get_vega_version()}-{vl_convert.get_vega_embed_version()}.js"
    packed = file.with_suffix(".js.gz")
    with _building:
        if not packed.exists():
            folder.mkdir(parents=True, exist_ok=True)
            made = vl_convert.javascript_bundle(None).encode()  # type: ignore[arg-type]  # its own snippet
            for path, content in ((file, made), (packed, gzip.compress(made, 9))):
                part = path.with_name(f"{path.name}.{os.getpid()}.part")
                part.write_bytes(content)
                part.replace(path)
    return file
