"""The read side: what API, pages and terminal answer, as plain values. Nothing here knows of HTTP or asks a clock."""

from radar.answers.beside import trend_markets
from radar.answers.diffusion import GROUPS, arrivals, leads, path
from radar.answers.drift import drift
from radar.answers.holdings import coverage, health, markets, topics
from radar.answers.ids import episode_number, trend_id
from radar.answers.items import at_least
from radar.answers.listing import list_trends
from radar.answers.matrix import matrix
from radar.answers.names import KINDS, UnknownFilter
from radar.answers.partners import partners, similar_authors
from radar.answers.question import SCOPES, STAGES, parse_as_of
from radar.answers.trend_authors import trend_authors
from radar.answers.window_posts import trend_posts
from radar.answers.working import trend_working

__all__ = [
    "GROUPS", "KINDS", "SCOPES", "STAGES", "UnknownFilter", "arrivals", "at_least", "coverage", "drift",
    "episode_number", "health", "leads", "list_trends", "markets", "matrix", "parse_as_of", "partners", "path",
    "similar_authors", "topics", "trend_authors", "trend_id", "trend_markets",
    "trend_posts", "trend_working",
]  # fmt: skip
