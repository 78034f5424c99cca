"""Who may ask: keys of systems, people who log in, and how often anybody may ask.

A token is 256 random bits, so its plain SHA-256 is kept: nobody guesses what it was made of, and a look-up is fast.
A password is short and guessable, so it is kept as argon2id, which is slow, and few are tried at a time.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from radar.store import api_keys, members

SEEN_EVERY = timedelta(minutes=1)
"""That a key or a session was used is written at most so often."""


def new_token(prefix: str = "") -> str:
    """A secret nobody can guess."""
    return prefix + secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    """What is kept of a token.

    >>> digest_of("radar_x")[:12]
    '81770ea45889'
    """
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def has_door(session: Session, now: datetime) -> bool:
    """Whether anybody could be let in from elsewhere: a key that holds, or a person."""
    return api_keys.any_holding(session, now) or members.any_member(session)
