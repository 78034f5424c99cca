"""Where a request comes from: this machine or elsewhere, by TLS or not, from a page of ours or of a stranger.

Only the other end of the connection says that a request is of this machine; no header can, and any header of a proxy
says the opposite. A Host that is none of ours says so too: a page whose own name was made to lead here (DNS rebinding).
"""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from radar.config import Settings
from radar.errors import CallerError

FORWARDED = {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip", b"via"}


class CrossSite(CallerError):
    """A write that a page of another site sent."""

    status = 403
    slug = "cross-site"


@lru_cache(4096)
def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own.

    >>> [is_loopback(a) for a in ("127.0.0.53", "::1", "::ffff:127.0.0.1", "192.0.2.1", "localhost")]
    [True, True, True, False, False]
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).is_loopback


def host_name(host: str) -> str:
    """The name in a Host header, without its port.

    >>> [host_name(h) for h in ("radar.example:8321", "[::1]:8321", "127.0.0.1", "")]
    ['radar.example', '::1', '127.0.0.1', '']
    """
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_local(scope: Scope, settings: Settings, *, by_any_name: bool = False) -> bool:
    """Whether a request comes from this machine, and from nobody that it answers for.

    by_any_name  whatever Host says

    A caller without an address is in this very process. A connection over a Unix socket has none either, and is not
    told of as one: that is how proxies connect.
    """
    client = scope.get("client")
    if settings.behind_proxy or client is None or not FORWARDED.isdisjoint(name for name, _ in scope["headers"]):
        return False
    if not is_address(client[0]):
        return bool(client[0])
    if not is_loopback(client[0]):
        return False
    host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
    return by_any_name or _is_own(host, settings.host, settings.mcp_hosts)


@lru_cache(256)
def _is_own(host: str, own: str, more: str) -> bool:
    """Whether a Host names this machine: by loopback, its own address, or a name that an operator gave it."""
    name = host_name(host)
    if name == "localhost" or name.endswith(".localhost") or is_loopback(name):
        return True
    return name in {own.lower(), *more.lower().split()}


@lru_cache(4096)
def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def address_of(scope: Scope, settings: Settings) -> str:
    """The address that a request comes from; behind a proxy, the one that it put last into X-Forwarded-For."""
    client = scope.get("client")
    peer = str(client[0]) if client else ""
    if settings.behind_proxy:
        told = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).rpartition(",")[2].strip()
        return told[:64] or peer
    return peer


def is_secure(scope: Scope, settings: Settings) -> bool:
    """Whether the browser speaks TLS: a cookie is then only for that. A proxy that does not say is taken to."""
    if not settings.behind_proxy:
        return str(scope["scheme"]) == "https"
    told = Headers(scope=scope).get("x-forwarded-proto", "https")
    return told.rpartition(",")[2].strip().lower() == "https"


def check_origin(scope: Scope, settings: Settings, *, by_cookie: bool) -> None:
    """Raises CrossSite for a write that a page of another site sent.

    by_cookie  the browser lets a person in by itself: it must then say that the page is ours

    Browsers say it in Sec-Fetch-Site, over plain HTTP in Origin alone; programs say nothing, and need nothing said.
    """
    headers = Headers(scope=scope)
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    elif origin is not None:
        is_ours = _netloc(origin) in _own_netlocs(headers, settings)
    else:
        is_ours = not by_cookie
    if not is_ours:
        hint = "Send it from a page of this radar, or with a key: Authorization: Bearer. A proxy must pass Host on."
        raise CrossSite("A page of another site may not write here.", hint)


def _netloc(url: str) -> str:
    try:
        found = urlsplit(url)
    except ValueError:
        return ""
    return found.netloc.lower() if found.scheme in ("http", "https") else ""


def _own_netlocs(headers: Headers, settings: Settings) -> set[str]:
    return {headers.get("host", "").lower(), _netloc(settings.public_url)} - {""}
