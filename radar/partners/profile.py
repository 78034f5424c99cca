"""A KOL's profile: what its latest posts are about, in the feature space of the topic model."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from radar.partners.kol import Brand, Profile, Vector
from radar.text.vectors import text_vectors
from radar.topics.form import feature_texts

LATEST = 200
"""Posts of an account that make its profile, the latest ones."""


@dataclass(frozen=True, slots=True)
class ReadPost:
    """A post as it was read. text  None once pruned;  places  codes, countries among them."""

    text: str | None
    on: date
    topics: tuple[str, ...]
    places: tuple[str, ...]
    products: tuple[str, ...]
    language: str
    sponsored: bool


def profiles_of(accounts: Sequence[Sequence[ReadPost]]) -> list[Profile]:
    """The profile of each account's posts; texts are read at once.

    The vector is the mean of the posts' vectors (`radar.text.vectors`), scaled to length one: None where no text has a
    known word.
    """
    texts = [post.text or "" for posts in accounts for post in posts]
    vectors = text_vectors(feature_texts(texts)) if texts else np.zeros((0, 1), np.float32)
    found, at = [], 0
    for posts in accounts:
        found.append(_profile(posts, vectors[at : at + len(posts)]))
        at += len(posts)
    return found


def _profile(posts: Sequence[ReadPost], vectors: Vector) -> Profile:
    total = vectors.sum(0) if len(posts) else np.zeros(1, np.float32)
    size = float(np.linalg.norm(total))
    pairs = Counter((t, c) for post in posts for t in post.topics for c in post.places if len(c) == 2)
    together = Counter(
        (tuple(sorted(post.topics)), tuple(sorted(c for c in post.places if len(c) == 2)))
        for post in posts
        if len(post.topics) > 1
    )
    brands: dict[str, Brand] = {}
    for post in posts:
        for name in post.products:
            known = brands.get(name, Brand(name, 0, 0))
            paid_on = max(filter(None, (known.last_paid_on, post.on if post.sponsored else None)), default=None)
            brands[name] = Brand(name, known.posts + 1, known.paid + post.sponsored, paid_on)
    return Profile(
        len(posts),
        Counter(t for post in posts for t in post.topics),
        Counter(c for post in posts for c in post.places),
        pairs,
        brands,
        Counter(post.language for post in posts),
        (total / size).astype(np.float32) if size > 1e-6 else None,
        together,
    )


def packed(profile: Profile) -> dict[str, Any]:
    """A profile as JSON keeps it, but for the vector."""
    return {
        "posts": profile.posts,
        "topics": dict(profile.topics),
        "places": dict(profile.places),
        "pairs": [[*pair, n] for pair, n in profile.pairs.items()],
        "products": [
            [b.id, b.posts, b.paid, b.last_paid_on and b.last_paid_on.isoformat()] for b in profile.products.values()
        ],
        "languages": dict(profile.languages),
        "together": [[*both, n] for both, n in profile.together.items()],
    }


def unpacked(kept: Mapping[str, Any], vector: bytes | None) -> Profile:
    """A profile of what was kept; vector  little-endian float16."""
    return Profile(
        kept["posts"],
        kept["topics"],
        kept["places"],
        {(topic, country): n for topic, country, n in kept["pairs"]},
        {b: Brand(b, n, paid, last and date.fromisoformat(last)) for b, n, paid, last in kept["products"]},
        kept["languages"],
        None if vector is None else np.frombuffer(vector, "<f2").astype(np.float32),
        # a profile made by an older radar has none: it is made anew with the next post
        {(tuple(topics), tuple(countries)): n for topics, countries, n in kept.get("together", ())},
    )


def vector_bytes(profile: Profile) -> bytes | None:
    """The vector as it is kept: little-endian float16."""
    return None if profile.vector is None else profile.vector.astype("<f2").tobytes()
