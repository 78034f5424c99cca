"""The read side: what API, pages and terminal answer, as plain values. Nothing here knows of HTTP or asks a clock."""

from radar.answers.ahead import ahead
from radar.answers.beside import trend_markets
from radar.answers.counted_series import BUCKETS, series
from radar.answers.curation import curation_log
from radar.answers.diffusion import GROUPS, arrivals, forecast_near, leads, path
from radar.answers.drift import drift
from radar.answers.holdings import coverage, health, markets, topic_terms, topics
from radar.answers.ids import episode_number, trend_id
from radar.answers.items import at_least
from radar.answers.job_runs import OUTCOMES, runs
from radar.answers.listing import list_trends
from radar.answers.matrix import matrix
from radar.answers.names import KINDS, UnknownFilter
from radar.answers.partners import partners, similar_authors
from radar.answers.post_list import posts
from radar.answers.question import CURATED, SCOPES, STAGES, parse_as_of
from radar.answers.tracked import keys
from radar.answers.trend_authors import trend_authors
from radar.answers.voice import share_of_voice, tracked_keys
from radar.answers.window_posts import trend_posts
from radar.answers.working import trend_working

__all__ = [
    "BUCKETS", "CURATED", "GROUPS", "KINDS", "OUTCOMES", "SCOPES", "STAGES", "UnknownFilter", "ahead", "arrivals",
    "at_least", "coverage", "curation_log", "drift", "episode_number", "forecast_near", "health", "keys", "leads",
    "list_trends", "markets", "matrix", "parse_as_of", "partners", "path", "posts", "runs", "series",
    "share_of_voice", "similar_authors", "topic_terms", "topics", "tracked_keys", "trend_authors", "trend_id",
    "trend_markets", "trend_posts", "trend_working",
]  # fmt: skip
