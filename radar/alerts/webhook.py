"""Signed webhooks: one POST to the address that was checked, bounded in time and size, never redirected."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from radar import __version__
from radar.alerts.addresses import PrivateTarget, resolve
from radar.alerts.outcomes import Outcome
from radar.signatures import secret_bytes, signature
from radar.sources.waiting import told_wait

SECONDS = 10.0
"""A receiver has this long for everything: name, connection, TLS, answer."""
SHOWN = 300
"""Bytes of an answer that are looked at."""


def body_of(kind: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    """A message as it is signed and sent: type, timestamp, data."""
    told = {"type": kind, "timestamp": at.isoformat().replace("+00:00", "Z"), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def post(url: str, secret: str, id: str, body: bytes, *, now: datetime, allow_private: bool) -> Outcome:
    """Send a message once."""
    try:
        return asyncio.run(_within(url, secret, id, body, now, allow_private))
    except (TimeoutError, httpx.TimeoutException):
        return Outcome(False, f"No answer within {SECONDS:.0f} seconds.")
    except PrivateTarget as error:
        return Outcome(False, str(error))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ssl.SSLError) as error:
        return Outcome(False, f"{type(error).__name__}: {error}".strip().removesuffix(":")[:SHOWN])


async def _within(url: str, secret: str, id: str, body: bytes, now: datetime, allow_private: bool) -> Outcome:
    async with asyncio.timeout(SECONDS):
        return await _post(url, secret, id, body, now, allow_private)


async def _post(url: str, secret: str, id: str, body: bytes, now: datetime, allow_private: bool) -> Outcome:
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    addresses = await asyncio.to_thread(resolve, host, port, allow_private=allow_private)
    sent = str(int(now.timestamp()))
    headers = {
        "Host": parts.netloc, "Content-Type": "application/json", "User-Agent": f"kol-trend-radar/{__version__}",
        "webhook-id": id, "webhook-timestamp": sent,
        "webhook-signature": signature(secret_bytes(secret), id, sent, body),
    }  # fmt: skip
    pinned = httpx.URL(url).copy_with(host=addresses[0])  # the address that was looked at, not the name
    client = httpx.AsyncClient(verify=_tls(), timeout=SECONDS, follow_redirects=False, trust_env=False)
    async with client:
        extensions = {"sni_hostname": host}
        request = client.build_request("POST", pinned, headers=headers, content=body, extensions=extensions)
        response = await client.send(request, stream=True)
        try:
            said = await _beginning(response) if response.status_code >= 400 else ""
            return _outcome(response, said, now)
        finally:
            await response.aclose()


async def _beginning(response: httpx.Response) -> str:
    """The first bytes of an answer, as they came: nothing is unpacked."""
    said = b""
    async for block in response.aiter_raw():
        said += block[: SHOWN - len(said)]
        if len(said) >= SHOWN:
            break
    return " ".join("".join(c if c.isprintable() else " " for c in said.decode("utf-8", "replace")).split())


def _outcome(response: httpx.Response, said: str, now: datetime) -> Outcome:
    status = response.status_code
    told = f"HTTP {status} {response.reason_phrase}".strip()
    if 200 <= status < 300:
        return Outcome(True, told, status)
    if 300 <= status < 400:
        return Outcome(False, f"{told}: redirects are not followed.", status)
    wait = told_wait(response.headers, now, is_busy="retry-after" in response.headers)
    return Outcome(False, f"{told}: {said}" if said else told, status, final=status == 410, not_before=wait)


@cache
def _tls() -> ssl.SSLContext:
    """Whom we trust, read once a process."""
    return httpx.create_ssl_context()
