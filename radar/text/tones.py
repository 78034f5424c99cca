"""The tones a post can have, as they are called and stored."""

TONES = ("negative", "neutral", "positive")
"""In the order of a head's columns; a stored tone is the column less one: -1, 0, 1."""


def tone_name(stored: int | None) -> str | None:
    """The name of a stored tone.

    >>> tone_name(-1), tone_name(None)
    ('negative', None)
    """
    return None if stored is None else TONES[stored + 1]
