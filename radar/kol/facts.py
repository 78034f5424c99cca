"""What is measured from: one post of an account, and the window."""

from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(days=60)
SETTLED = timedelta(days=4)
"""Age from which a post's counts hardly move (Datastory)."""
ENOUGH = 8
"""Rated posts below which a rate is of low confidence."""


@dataclass(frozen=True, slots=True)
class PostFact:
    """One post of an account, no repost. Counts are None when hidden.

    followers  of the account when it was posted, as known      topics, places, products  ids read in the text
    tone       -1, 0, 1; None where it was not read              text_hash  of the normalised text
    """

    id: int
    published_at: datetime
    likes: int | None
    comments: int | None
    shares: int | None
    views: int | None
    followers: int | None
    sponsored: bool
    topics: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    tone: int | None = None
    text_hash: int = 0

    @property
    def engagement(self) -> int | None:
        """Likes + comments + shares as far as they are shown; None where likes are hidden."""
        return None if self.likes is None else self.likes + (self.comments or 0) + (self.shares or 0)
