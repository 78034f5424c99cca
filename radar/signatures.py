"""Standard Webhooks signatures: "id.timestamp.body" by HMAC-SHA256 with a secret that both sides know.

A secret is written as `whsec_` and its bytes in base64; a signature as "v1," and base64. Source: the specification of
Standard Webhooks, "Signature scheme".
"""

import base64
import binascii
import hashlib
import hmac
import secrets

PREFIX = "whsec_"
SHORTEST = 16
"""Bytes of a secret."""


def new_secret() -> str:
    """A secret that nobody can guess, as it is shown."""
    return PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def secret_bytes(shown: str) -> bytes:
    """The bytes of a secret. Raises ValueError for what is none.

    >>> secret_bytes("whsec_MDEyMzQ1Njc4OWFiY2RlZg==")
    b'0123456789abcdef'
    """
    try:
        found = base64.b64decode(shown.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if len(found) < SHORTEST:
        raise ValueError(f"shorter than {SHORTEST} bytes")
    return found


def signature(secret: bytes, id: str, timestamp: str, body: bytes) -> str:
    """The signature of a message.

    >>> signature(b"0123456789abcdef", "msg_1", "1614265330", b"{}")
    'v1,T6G+9d54XLd3V+eJ73IFDfWtElJVqn81+/MflSqjVb4='
    """
    mac = hmac.new(secret, f"{id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(mac.digest()).decode()}"
