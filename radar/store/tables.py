"""The tables: every fact the radar keeps. Instants are stored in UTC and come back aware."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BigId = BigInteger().with_variant(Integer, "sqlite")


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime on both databases; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: instants are aware")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        at: datetime = value
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


person = Table(
    "person",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", Text),
)

author = Table(
    "author",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("platform", String(32), nullable=False),
    Column("native_id", String(255), nullable=False),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("handle", Text),
    Column("name", Text),
    Column("url", Text),
    Column("bio", Text),
    Column("audience_market", String(2), nullable=False),
    Column("market_source", String(16), nullable=False),  # declared | import | source | inferred
    Column("market_confidence", Float, nullable=False),
    Column("market_reasons", Text),  # what speaks for an inferred market, in words; null for others
    Column("languages", Text),
    Column("follower_count", BigInteger),
    Column("first_seen_at", Instant, nullable=False),
    Column("first_post_at", Instant),  # of the oldest post we were given: how new the account is to us
    Column("file", BigInteger),  # what it says of itself was last changed by a row of this file,
    Column("line", BigInteger),  # this one; null where another kind of source did
    UniqueConstraint("platform", "native_id"),
)

follower_observation = Table(
    "follower_observation",
    metadata,
    Column("author_id", ForeignKey("author.id"), primary_key=True),
    Column("observed_on", Date, primary_key=True),
    Column("follower_count", BigInteger, nullable=False),
)

post = Table(
    "post",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("platform", String(32), nullable=False),
    Column("native_id", String(255), nullable=False),
    Column("source", String(64), nullable=False),
    Column("author_id", ForeignKey("author.id"), nullable=False, index=True),
    Column("audience_market", String(2), nullable=False),
    Column("local_day", Date, nullable=False),  # in the market's zone
    Column("published_at", Instant, nullable=False),
    Column("day_only", Boolean, nullable=False),  # the source knows the day, not the hour
    Column("text", Text),  # null once pruned
    Column("language", String(16)),
    Column("url", Text),
    Column("media_kind", String(16)),
    Column("repost_of", String(255)),
    Column("platform_sponsored", Boolean),
    Column("like_count", BigInteger),  # null when hidden, never 0
    Column("comment_count", BigInteger),
    Column("share_count", BigInteger),
    Column("view_count", BigInteger),
    Column("fetched_at", Instant, nullable=False),
    Column("edited_at", Instant),
    Column("deleted_at", Instant),
    Column("revision", Integer, nullable=False),  # grows with each change that asks for a new reading
    Column("classified_at", Instant),
    Column("file", BigInteger),  # last written by a row of this file (its content and how it was read, hashed),
    Column("line", BigInteger),  # this one; null where another kind of source wrote it
    UniqueConstraint("platform", "native_id"),
    Index("ix_post_audience_market_local_day", "audience_market", "local_day"),
    Index("ix_post_source", "source"),
)
Index(
    "ix_post_unclassified",
    post.c.id,
    sqlite_where=post.c.classified_at.is_(None),
    postgresql_where=post.c.classified_at.is_(None),
)

engagement_observation = Table(
    "engagement_observation",
    metadata,
    Column("post_id", ForeignKey("post.id"), primary_key=True),
    Column("observed_at", Instant, primary_key=True),
    Column("like_count", BigInteger),
    Column("comment_count", BigInteger),
    Column("share_count", BigInteger),
    Column("view_count", BigInteger),
)

post_signal = Table(
    "post_signal",
    metadata,
    Column("post_id", ForeignKey("post.id"), primary_key=True),
    Column("model_id", String(64), nullable=False),
    Column("keys", LargeBinary, nullable=False),  # little-endian int64, sorted
    Column("places", Text, nullable=False),  # place codes, space-separated
    Column("language", String(16), nullable=False),
    Column("sponsored", Boolean, nullable=False),
    Column("text_hash", BigInteger, nullable=False),  # of the normalised text: copies count once
    Column("sketch", LargeBinary),  # radar.text.similar; null for short texts
    Column("tone", SmallInteger),  # -1 negative, 0 neutral, 1 positive; null: read by a model without a tone
    Column("negative", Float),  # probability that it is
)

aside_signal = Table(
    "aside_signal",  # what a model has read that is to follow the active one
    metadata,
    Column("model_id", String(64), primary_key=True),
    Column("post_id", ForeignKey("post.id"), primary_key=True),
    Column("revision", Integer, nullable=False),  # of the post, when it was read
    Column("keys", LargeBinary, nullable=False),
    Column("places", Text, nullable=False),
    Column("language", String(16), nullable=False),
    Column("sponsored", Boolean, nullable=False),
    Column("text_hash", BigInteger, nullable=False),
    Column("topics", JSON, nullable=False),  # [topic id, probability], most probable first
    Column("sketch", LargeBinary),
    Column("tone", SmallInteger),
    Column("negative", Float),
)

post_topic = Table(
    "post_topic",
    metadata,
    Column("post_id", ForeignKey("post.id"), primary_key=True),
    Column("topic_id", String(48), primary_key=True),
    Column("probability", Float, nullable=False),
    Column("model_id", String(64), nullable=False),
)

key = Table(
    "key",
    metadata,
    Column("hash", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("gloss", Text),
)

dirty_day = Table(
    "dirty_day",
    metadata,
    Column("audience_market", String(2), primary_key=True),
    Column("local_day", Date, primary_key=True),
    Column("mark", Integer, nullable=False),  # another with each change, so that a recount cannot miss a later one
)

day_count = Table(
    "day_count",
    metadata,
    Column("model_id", String(64), primary_key=True),
    Column("audience_market", String(2), primary_key=True),
    Column("local_day", Date, primary_key=True),
    Column("counts", LargeBinary, nullable=False),  # radar.store.day_blob
    Column("person_count", Integer, nullable=False),
    Column("post_count", Integer, nullable=False),
    Column("is_sealed", Boolean, nullable=False),
    Column("detected", Boolean, nullable=False),  # a recount clears it; detection sets it
    Column("counted_at", Instant, nullable=False),
    Index("ix_day_count_undetected", "audience_market", "local_day", "detected"),
)

detector_state = Table(
    "detector_state",
    metadata,
    Column("model_id", String(64), primary_key=True),
    Column("audience_market", String(2), primary_key=True),
    Column("bucket", String(4), primary_key=True),
    Column("local_day", Date, primary_key=True),  # the state as it was when this day began
    Column("state", LargeBinary, nullable=False),
)

episode = Table(
    "episode",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("model_id", String(64), nullable=False),
    Column("audience_market", String(2), nullable=False),
    Column("place", SmallInteger, nullable=False),  # ISO 3166-1 numeric, 0 = all places
    Column("key_hash", BigInteger, nullable=False),
    Column("bucket", String(4), nullable=False),
    Column("onset_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("stage", String(24), nullable=False),
    Column("stage_since", Instant, nullable=False),
    Column("leader_id", BigInteger),  # the episode it is a variant of, as last seen
    Index("ix_episode_audience_market_onset_at", "audience_market", "onset_at"),
)

stage_change = Table(
    "stage_change",
    metadata,
    Column("episode_id", ForeignKey("episode.id"), primary_key=True),
    Column("changed_at", Instant, primary_key=True),
    Column("stage", String(24), nullable=False),
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("episode_id", ForeignKey("episode.id"), primary_key=True),
    Column("as_of", Instant, primary_key=True),
    Column("audience_market", String(2), nullable=False),
    Column("bucket", String(4), nullable=False),
    Column("place", SmallInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("topic_id", String(48)),  # plurality of its posts' topics; null when they have none
    Column("stage", String(24), nullable=False),
    Column("is_on", Boolean, nullable=False),
    Column("is_daily", Boolean, nullable=False),  # sums up the local day that ends at as_of, by its best moment
    Column("q", Float, nullable=False),
    Column("score", Float, nullable=False),
    Column("working", JSON, nullable=False),
    Index("ix_snapshot_audience_market_as_of", "audience_market", "as_of"),
)

shadow_run = Table(
    "shadow_run",
    metadata,
    Column("model_id", String(64), primary_key=True),
    Column("audience_market", String(2), primary_key=True),
    Column("bucket", String(4), primary_key=True),
    Column("last_day", Date, primary_key=True),  # the last local day that was looked at
    Column("days", Integer, nullable=False),  # days on which something could be found
    Column("trends", Integer, nullable=False),  # found in the counts as they are
    Column("shadow_trends", Float, nullable=False),  # found where person-days were permuted, mean over the shadows
    Column("shadows", Integer, nullable=False),
    Column("ran_at", Instant, nullable=False),
)

model_drift = Table(
    "model_drift",
    metadata,
    Column("model_id", String(64), primary_key=True),
    Column("audience_market", String(2), primary_key=True),
    Column("last_day", Date, primary_key=True),  # the last local day that was looked at
    Column("posts", Integer, nullable=False),
    Column("score_divergence", Float),  # from the training labels, in bits; null where there were not enough posts
    Column("topic_divergence", Float),
    Column("no_topic_share", Float),
    Column("unknown_share", Float),  # of words
    Column("working", JSON, nullable=False),
    Column("measured_at", Instant, nullable=False),
)

source_state = Table(
    "source_state",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("config", JSON, nullable=False),
    Column("cursor", JSON),
    Column("watermark_at", Instant),  # everything published before has been asked for
    Column("last_success_at", Instant),
    Column("last_error_at", Instant),
    Column("last_error", Text),
    Column("is_simulated", Boolean, nullable=False),
    Column("pause_reason", Text),  # not asked while this is set: an operator's wish, or access was refused
    Column("resume_at", Instant),  # not asked before, as the platform wishes
)

watched_account = Table(
    "watched_account",
    metadata,
    Column("source", ForeignKey("source_state.name"), primary_key=True),
    Column("handle", String(512), primary_key=True),  # as the operator wrote it: a handle, or the address of a feed
    Column("audience_market", String(2), nullable=False),
    Column("person", Text),  # the name that links accounts of one person
    Column("consented", Boolean, nullable=False),
    Column("cursor", JSON),
    Column("watermark_at", Instant),
    Column("asked_at", Instant),
    Column("profiled_at", Instant),
    Column("last_success_at", Instant),
    Column("last_error_at", Instant),
    Column("last_error", Text),
    Column("missing_since", Instant),  # not found since then
    Column("pause_reason", Text),
)

refresh_due = Table(
    "refresh_due",
    metadata,
    Column("post_id", ForeignKey("post.id"), primary_key=True),
    Column("source", String(64), nullable=False),
    Column("ref", String(512), nullable=False),  # how the source asks for the post again
    Column("due_at", Instant, nullable=False),
    Column("missing_since", Instant),  # looked for in vain once
    Column("expires_at", Instant),  # deleted then, unless it is asked for again before; null where it may stay
    Index("ix_refresh_due_due_at", "due_at"),
    Index("ix_refresh_due_expires_at", "expires_at"),
)

source_usage = Table(
    "source_usage",  # of platforms' quotas and of what an operator wants to pay
    metadata,
    Column("source", String(64), primary_key=True),
    Column("bucket", String(32), primary_key=True),
    Column("period", String(16), primary_key=True),  # a day or a month
    Column("units", BigInteger, nullable=False),
)

pushed_batch = Table(
    "pushed_batch",  # that came with an Idempotency-Key: the same again is answered as before
    metadata,
    Column("idempotency_key", String(255), primary_key=True),
    Column("content", String(64), nullable=False),  # SHA-256 of the body
    Column("pushed_at", Instant, nullable=False),
    Column("answer", JSON, nullable=False),
    Index("ix_pushed_batch_pushed_at", "pushed_at"),
)

hub_subscription = Table(
    "hub_subscription",  # WebSub: feeds that a hub tells of
    metadata,
    Column("id", String(64), primary_key=True),  # in the address that the hub calls
    Column("source", String(64), nullable=False),
    Column("handle", String(512), nullable=False),
    Column("topic", Text, nullable=False),  # the feed's address, as the hub knows it
    Column("hub", Text, nullable=False),
    Column("asked_at", Instant),
    Column("confirmed_at", Instant),
    Column("expires_at", Instant),  # of the lease
    Column("last_error", Text),
    UniqueConstraint("source", "handle"),
)

rejected_post = Table(
    "rejected_post",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("source", String(64), nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("native_id", String(255)),
    Column("reason", Text, nullable=False),
    Column("payload", Text),
    Index("ix_rejected_post_source_seen_at", "source", "seen_at"),
)

imported_file = Table(
    "imported_file",
    metadata,
    Column("content", BigInteger, primary_key=True, autoincrement=False),  # a hash of its bytes
    Column("source", String(64), nullable=False),
    Column("imported_at", Instant, nullable=False),
    Column("row_count", BigInteger, nullable=False),  # read so far, those set aside included
    Column("rejected_count", BigInteger, nullable=False),  # set aside: they are in the file of rejects
)

run = Table(
    "run",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("job", String(64), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", String(16), nullable=False),  # running | ok | failed | abandoned
    Column("rows_in", BigInteger),
    Column("rows_out", BigInteger),
    Column("detail", Text),
    Column("error", Text),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Index("ix_run_job_started_at", "job", "started_at"),
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

meta = Table(
    "meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
