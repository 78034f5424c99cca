"""Forms that write: their fields, and that they come from a page of ours."""

from urllib.parse import parse_qs, urlsplit

from fastapi import Request

from radar.errors import CallerError

LOOPBACK = "loopback"
"""Who writes where nobody logs in."""
_LARGEST = 100_000


class FromElsewhere(CallerError):
    """A write that another site's page asked a browser for."""

    status = 403
    slug = "cross-site"


async def from_here(request: Request) -> None:
    """Refuse a write that a browser sends for another site's page. Programs send neither header."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    else:  # browsers leave it out where a host is reached without TLS
        is_ours = origin is None or urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    if not is_ours:
        raise FromElsewhere("This was asked for by a page of another site.", "Do it on a page of the radar itself.")


def who_asks(request: Request) -> str:
    """Who a decision is written down as."""
    return str(getattr(request.state, "user", None) or LOOPBACK)


async def fields(request: Request) -> dict[str, str]:
    """What a form sent, each field once. Raises CallerError for what is no form."""
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded" or len(body) > _LARGEST:
        raise CallerError("This is no form of ours.", "Use the page's own form, or the API with JSON.")
    try:
        found = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError:
        raise CallerError("The form cannot be read.", "Send it as UTF-8 with at most 100 fields.") from None
    return {name: values[-1].strip() for name, values in found.items()}
