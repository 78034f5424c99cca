"""How much a benchmark does: whole numbers from the environment."""

import os

from radar.errors import CallerError


def asked(name: str, usual: int) -> int:
    """What RADAR_BENCH_{name} says, usual where it says nothing. Raises CallerError for what is no number above 0."""
    return all_asked(name, str(usual))[0]


def all_asked(name: str, usual: str) -> list[int]:
    """The same for several numbers, with commas between them."""
    given = os.environ.get(f"RADAR_BENCH_{name}") or usual
    parts = [part.strip() for part in given.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise CallerError(f"RADAR_BENCH_{name}: '{given[:60]}' is not a whole number above 0.", f"Usual is {usual}.")
    return [int(part) for part in parts]
