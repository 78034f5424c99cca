"""How much of an account's posts is about a topic or a place, shrunken to the market's share."""

from collections import Counter
from collections.abc import Iterable, Mapping

from radar.kol.measures import Share

PRIOR_POSTS = 10.0
"""Posts' worth of the market's share that each account starts with."""
KEPT = 8


def shares(said: Iterable[Iterable[str]], prior: Mapping[str, float]) -> tuple[Share, ...]:
    """The largest shares of what posts are about, most posts first; one post may be about several things or none.

    said   the names in each post     prior  the market's share of posts by name; names without one count as 0

    Empirical Bayes with a fixed weight: (x + k p) / (n + k).

    >>> shares([["a"], ["a", "b"], []], {"a": 0.1})[0]
    Share(name='a', posts=2, share=0.2308)
    """
    posts = [set(names) for names in said]
    counts = Counter(name for names in posts for name in names)
    total = len(posts) + PRIOR_POSTS
    found = [Share(name, n, round((n + PRIOR_POSTS * prior.get(name, 0.0)) / total, 4)) for name, n in counts.items()]
    return tuple(sorted(found, key=lambda s: (-s.posts, -s.share, s.name))[:KEPT])
