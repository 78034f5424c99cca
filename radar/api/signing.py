"""Who pushed it: Standard Webhooks signatures, and what may be repeated under one key.

A sender signs "id.timestamp.body" by HMAC-SHA256 with a secret that both know, and sends id, time and signatures in
`webhook-id`, `webhook-timestamp` and `webhook-signature` ("v1," and base64, several with a space between them while a
secret is changed). Source: the specification of Standard Webhooks, "Signature scheme".
"""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from fastapi import Request

from radar.errors import CallerError
from radar.signatures import PREFIX, secret_bytes, signature
from radar.sources.secrets import read_secret

TOLERANCE = timedelta(minutes=5)
LONGEST_KEY = 255


class NotSigned(CallerError):
    """A push that is not signed as the operator asks for."""

    status = 401
    slug = "not-signed"


class KeyUsedOtherwise(CallerError):
    """An Idempotency-Key that came with another body before."""

    status = 422
    slug = "idempotency-key-used"


async def raw_body(request: Request) -> bytes:
    """The body as it came: a signature is of its very bytes."""
    return await request.body()


def secrets_of(named: str) -> list[bytes]:
    """The secrets that a setting names: `whsec_...` itself, several with a space between, or a private file of them.

    Raises CallerError for what is none.
    """
    text = named.strip()
    if text and not text.startswith(PREFIX):
        text = read_secret({"file": str(Path(text).expanduser())}) or ""
    try:
        return [secret_bytes(one) for one in text.split()]
    except ValueError:
        hint = "Expected whsec_ and 16 bytes or more in base64."
    raise CallerError("RADAR_PUSH_SECRET holds no secret.", hint)


def check_signature(secrets: list[bytes], headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Raises NotSigned unless one of the secrets signed this body within the last minutes."""
    hint = "Sign it as Standard Webhooks does: webhook-id, webhook-timestamp, webhook-signature."
    name, sent, given = (headers.get(f"webhook-{n}", "") for n in ("id", "timestamp", "signature"))
    if not name or not given or not (sent.isascii() and sent.isdigit() and len(sent) < 12):
        raise NotSigned("The push is not signed.", hint)
    if abs(now.timestamp() - int(sent)) > TOLERANCE.total_seconds():
        raise NotSigned("The push was signed at another time than now.", "Set the clock right, or sign it anew.")
    expected = [signature(secret, name, sent, body).encode() for secret in secrets]
    signatures = [one.encode() for one in given.split() if one.startswith("v1,")]
    if not any(hmac.compare_digest(a, b) for a in signatures for b in expected):
        raise NotSigned("The push is signed with another secret, or was changed on its way.", hint)


def key_of(headers: Mapping[str, str]) -> str | None:
    """The key under which a push may be repeated: Idempotency-Key, else the id it was signed with.

    Raises CallerError for one that is too long.
    """
    key = headers.get("idempotency-key") or headers.get("webhook-id")
    if key is not None and (len(key) > LONGEST_KEY or not key.isprintable()):
        raise CallerError(f"The Idempotency-Key is longer than {LONGEST_KEY} characters.", "Send a shorter one.")
    return key
