"""The tables: every fact the radar keeps. Instants are stored in UTC and come back aware.

PostgreSQL keeps some tables by the month (`postgresql_partition_by`; `radar.store.months` makes the months): those that
grow with time, whose key holds their time, and which are read by it or forgotten by it. The others are whole:

- `post`, and what names posts by id alone (`post_signal`, `post_topic`, `aside_signal`, `refresh_due`): PostgreSQL
  holds no uniqueness over (platform, native_id), and no foreign key to an id, where the month is no part of it. With
  the month in the key the same post could be there twice, under two days that a source gave it. What follows: those
  tables have indexes over all time, their rows leave by DELETE, and VACUUM, not DROP, gives back the room.
- `stage_change`, `trend_adoption`: read by the trend, of whichever month; a row a stage is little.
- `detector_state`: as many rows as checkpoints are kept, whatever is stored.
- `run`, `audit`, `rejected_post`: their key is a number, and they are forgotten after weeks.
"""

from collections.abc import Callable
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
    not_,
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

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """SQLite's text in one step: every list of posts or authors is full of instants."""
        return _instant_of if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _instant_of(text: str | None) -> datetime | None:
    """An instant as SQLite has it.

    >>> _instant_of("2026-03-02 09:00:05.000000")
    datetime.datetime(2026, 3, 2, 9, 0, 5, tzinfo=datetime.timezone.utc)
    """
    return None if text is None else datetime.fromisoformat(f"{text}+00:00")


person = Table(
    "person",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", Text),
)
Index(
    "ix_person_name",
    person.c.name,
    sqlite_where=person.c.name.is_not(None),
    postgresql_where=person.c.name.is_not(None),
)

author = Table(
    "author",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("platform", String(32), nullable=False),
    Column("native_id", String(255), nullable=False),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("handle", Text),  # 255 characters at most: it is indexed
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
    Column("hidden_at", Instant),  # shown nowhere since then, still counted
    Column("corrected", Text),  # names of columns that were corrected here, space-separated: no source changes them
    UniqueConstraint("platform", "native_id"),
    Index("ix_author_native_id", "native_id"),  # a KOL is asked for by a name alone
    Index("ix_author_handle", "handle"),
)

follower_observation = Table(
    "follower_observation",
    metadata,
    Column("author_id", ForeignKey("author.id"), primary_key=True),
    Column("observed_on", Date, primary_key=True),
    Column("follower_count", BigInteger, nullable=False),
    postgresql_partition_by="RANGE (observed_on)",
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
Index(
    "ix_post_held",  # texts by how long they are here: what pruning looks for
    post.c.source,
    post.c.fetched_at,
    sqlite_where=post.c.text.is_not(None),
    postgresql_where=post.c.text.is_not(None),
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
    postgresql_partition_by="RANGE (observed_at)",
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
    Index("ix_aside_signal_post_id", "post_id"),
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
    Index("ix_day_count_counted_at", "audience_market", "counted_at"),
    # what is asked of days without their counts, which lie before it in a row
    Index("ix_day_count_told", "model_id", "audience_market", "local_day", "detected", "person_count"),
    postgresql_partition_by="RANGE (local_day)",
)

source_day = Table(
    "source_day",  # what a source gave of a day: radar.store.source_days
    metadata,
    Column("audience_market", String(2), primary_key=True),
    Column("local_day", Date, primary_key=True),
    Column("source", String(64), primary_key=True),  # empty: all of them together
    Column("post_count", Integer, nullable=False),
    Column("author_count", Integer, nullable=False),
    Column("person_count", Integer, nullable=False),
    Column("inferred_count", Integer, nullable=False),  # authors whose market nobody declared
    Column("first_post_at", Instant, nullable=False),
    Column("last_post_at", Instant, nullable=False),
    Column("last_fetched_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

language_day = Table(
    "language_day",  # posts of a day by the language read in them
    metadata,
    Column("audience_market", String(2), primary_key=True),
    Column("local_day", Date, primary_key=True),
    Column("language", String(16), primary_key=True),
    Column("post_count", Integer, nullable=False),
    sqlite_with_rowid=False,
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
    Index("ix_episode_key_hash_onset_at", "key_hash", "onset_at"),
    Index("ix_episode_onset_at", "onset_at"),
    Index("ix_episode_leader_id", "leader_id"),
    Index("ix_episode_model_id", "model_id", "audience_market", "bucket", "ended_at"),
    Index("ix_episode_model_id_onset_at", "model_id", "bucket", "onset_at"),
)

stage_change = Table(
    "stage_change",
    metadata,
    Column("episode_id", ForeignKey("episode.id"), primary_key=True),
    Column("changed_at", Instant, primary_key=True),
    Column("stage", String(24), nullable=False),
    Index("ix_stage_change_changed_at", "changed_at", "episode_id"),
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
    postgresql_partition_by="RANGE (as_of)",
)
for _name, _rows in (("hourly", not_(snapshot.c.is_daily)), ("daily", snapshot.c.is_daily)):
    Index(f"ix_snapshot_{_name}", snapshot.c.as_of, sqlite_where=_rows, postgresql_where=_rows)

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

market_lead = Table(
    "market_lead",
    metadata,
    Column("model_id", String(64), primary_key=True),
    Column("topic_group", String(48), primary_key=True),  # of the trends: all, or travel, shop
    Column("first_market", String(2), primary_key=True),
    Column("second_market", String(2), primary_key=True),
    Column("figures", JSON, nullable=False),  # radar.lead_lag
)

arrival_model = Table(
    "arrival_model",
    metadata,
    Column("model_id", String(64), primary_key=True),
    Column("fitted_at", Instant, nullable=False),
    Column("since", Instant, nullable=False),  # onsets it was learnt from
    Column("until", Instant, nullable=False),
    Column("working", JSON, nullable=False),  # what it rests on, its errors on later data, or why it forecasts nothing
    Column("parameters", LargeBinary, nullable=False),  # radar.arrivals.keeping
)

arrival_forecast = Table(
    "arrival_forecast",
    metadata,
    Column("model_id", String(64), primary_key=True),
    Column("audience_market", String(2), primary_key=True),  # where the trend is expected
    Column("key_hash", BigInteger, primary_key=True, autoincrement=False),
    Column("as_of", Instant, nullable=False),
    Column("week", Float, nullable=False),  # probability within 7 days, for the order
    Column("working", JSON, nullable=False),
)

kept_forecast = Table(
    "kept_forecast",
    metadata,
    Column("model_id", String(64), primary_key=True),
    Column("audience_market", String(2), primary_key=True),
    Column("day", Date, primary_key=True),  # in UTC: its last forecast stays
    Column("as_of", Instant, nullable=False),
    Column("forecasts", JSON, nullable=False),  # the likeliest, as [key_hash, week, working]; none is a list too
    Index("ix_kept_forecast_day", "day"),
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
    Index("ix_refresh_due_source", "source", "due_at"),
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
    Index("ix_rejected_post_native_id", "native_id"),
    Index("ix_rejected_post_seen_at", "seen_at"),
)

imported_file = Table(
    "imported_file",
    metadata,
    Column("content", BigInteger, primary_key=True, autoincrement=False),  # a hash of its bytes
    Column("source", String(64), nullable=False),
    Column("imported_at", Instant, nullable=False, index=True),
    Column("row_count", BigInteger, nullable=False),  # read so far, those set aside included
    Column("rejected_count", BigInteger, nullable=False),  # set aside: they are in the file of rejects
)

author_due = Table(
    "author_due",  # whose measures are to be made anew
    metadata,
    Column("author_id", ForeignKey("author.id"), primary_key=True, autoincrement=False),
    Column("due_at", Instant, nullable=False),
    Column("mark", Integer, nullable=False),  # another with each change, so that measuring cannot miss a later one
    Index("ix_author_due_due_at", "due_at"),
)

peer_group = Table(
    "peer_group",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("audience_market", String(2), nullable=False),
    Column("platform", String(32), nullable=False),
    Column("tier", String(8), nullable=False),
    Column("member_count", Integer, nullable=False),  # when the sketches were made
    Column("author_count", Integer, nullable=False),  # those of them that were rated on enough posts
    Column("changed_count", Integer, nullable=False),  # measured since then
    Column("sketches", JSON, nullable=False),  # measure -> [n, quantiles]
    UniqueConstraint("audience_market", "platform", "tier"),
)

author_measure = Table(
    "author_measure",  # radar.kol.AuthorMeasures; one row for each author that may be shown
    metadata,
    Column("author_id", ForeignKey("author.id"), primary_key=True, autoincrement=False),
    Column("group_id", ForeignKey("peer_group.id"), nullable=False),
    Column("audience_market", String(2), nullable=False),
    Column("follower_count", BigInteger),
    Column("last_post_at", Instant),
    Column("post_count", Integer, nullable=False),
    Column("rated_count", Integer, nullable=False),
    Column("low_confidence", Boolean, nullable=False),
    Column("engagement", Float),
    Column("er_followers", Float),
    Column("er_views", Float),
    Column("views_count", Integer, nullable=False),
    Column("engagement_percentile", Float),
    Column("growth", Float),
    Column("growth_days", Integer, nullable=False),
    Column("posts_per_week", Float, nullable=False),
    Column("sponsored_count", Integer, nullable=False),
    Column("sponsored_share", Float),
    Column("paid_over_organic", Float),
    Column("negative_share", Float),
    Column("told_count", Integer, nullable=False),
    Column("early", Float),
    Column("early_low", Float),
    Column("early_high", Float),
    Column("early_p", Float),
    Column("early_null", Float),
    Column("early_count", Integer, nullable=False),
    Column("profile", JSON, nullable=False),  # topics, places, rhythm, top posts, brands, signals
    Column("measured_at", Instant, nullable=False),
    Index("ix_author_measure_group_id", "group_id", "author_id"),
)
SORTS = ("engagement_percentile", "follower_count", "growth", "early", "last_post_at")
"""What authors can be listed by; an index of each holds what they can be filtered by, so that a list reads it alone."""
_FILTERED = ("author_id", "group_id", "engagement_percentile", "sponsored_share")
for _name in SORTS:
    _names = ["audience_market", _name, *[n for n in _FILTERED if n != _name]]
    Index(f"ix_author_measure_by_{_name}", *[author_measure.c[n] for n in _names])

author_facet = Table(
    "author_facet",  # what an author posts about, by market: radar.store.facets
    metadata,
    Column("facet", BigInteger, primary_key=True, autoincrement=False),
    Column("author_id", ForeignKey("author.id"), primary_key=True, autoincrement=False, index=True),
    sqlite_with_rowid=False,
)

author_word = Table(
    "author_word",  # what an author is found by: beginnings of the words of handle and name
    metadata,
    Column("word", String(64).with_variant(String(64, collation="C"), "postgresql"), primary_key=True),
    Column("author_id", ForeignKey("author.id"), primary_key=True, autoincrement=False),
    Index("ix_author_word_author_id_word", "author_id", "word"),
    sqlite_with_rowid=False,
)

author_profile = Table(
    "author_profile",  # what an author's latest posts are about: radar.partners.profile
    metadata,
    Column(
        "author_id",
        ForeignKey("author_measure.author_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("audience_market", String(2), nullable=False),
    Column("facts", JSON, nullable=False),
    Column("vector", LargeBinary),  # little-endian float16; null where no text has a known word
    Column("measured_at", Instant, nullable=False),  # of the measures it was made beside
    Column("made_at", Instant, nullable=False),
    Index("ix_author_profile_audience_market", "audience_market", "author_id"),
    Index("ix_author_profile_measured_at", "measured_at"),
)
Index("ix_author_measure_measured_at", author_measure.c.measured_at, author_measure.c.author_id)

adopted_trend = Table(
    "adopted_trend",  # a trend whose adopters were collected
    metadata,
    Column("episode_id", BigInteger, primary_key=True, autoincrement=False),
    Column("audience_market", String(2), nullable=False),
    Column("first_day", Date, nullable=False),  # local days that were looked through
    Column("last_day", Date, nullable=False),
    Column("counted_at", Instant, nullable=False),  # of the newest counts among those days
    Column("model_id", String(64), nullable=False, index=True),  # whose episode it is; empty since that was taken back
)

trend_adoption = Table(
    "trend_adoption",  # a person's first use of a trend's key
    metadata,
    Column("episode_id", ForeignKey("adopted_trend.episode_id"), primary_key=True, autoincrement=False),
    Column("person_id", ForeignKey("person.id"), primary_key=True, autoincrement=False, index=True),
    Column("adopted_at", Instant, nullable=False),
    Column("heard", Integer, nullable=False),  # persons of the market who posted in that hour
)

author_list = Table(
    "author_list",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
)

list_member = Table(
    "list_member",
    metadata,
    Column("list_id", ForeignKey("author_list.id"), primary_key=True, autoincrement=False),
    Column("author_id", ForeignKey("author.id"), primary_key=True, autoincrement=False, index=True),
    Column("added_at", Instant, nullable=False),
)

list_key = Table(
    "list_key",  # keys on a named list, beside its KOLs: what somebody watches
    metadata,
    Column("list_id", ForeignKey("author_list.id"), primary_key=True, autoincrement=False),
    Column("key_hash", BigInteger, primary_key=True, autoincrement=False),
    Column("audience_market", String(2), primary_key=True),  # empty: whichever
    Column("place", SmallInteger, primary_key=True, autoincrement=False),  # ISO 3166-1 numeric, 0 = whichever
    Column("added_at", Instant, nullable=False),
    Index("ix_list_key_key_hash", "key_hash", "audience_market"),
)

alert_rule = Table(
    "alert_rule",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("filters", JSON, nullable=False),  # radar.alerts.rules.Wanted
    Column("language", String(8), nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),  # another with each change, so that firing cannot miss one
    Column("begins_at", Instant, nullable=False),  # what changed its stage by then is not told
    Column("read_upto", Instant, nullable=False),  # the newest change that was looked at
    Column("created_at", Instant, nullable=False),
)

alert_target = Table(
    "alert_target",  # where a rule's messages go
    metadata,
    Column("id", BigId, primary_key=True),
    Column("rule_id", ForeignKey("alert_rule.id"), nullable=False, index=True),
    Column("kind", String(8), nullable=False),  # webhook | email | feed
    Column("address", Text),  # a URL or a mail address
    Column("secret", Text),  # what a webhook is signed with, or the token of a feed
    Column("created_at", Instant, nullable=False),
)

alert_event = Table(
    "alert_event",  # a change of stage that a rule tells of: once for each trend and stage
    metadata,
    Column("id", BigId, primary_key=True),
    Column("rule_id", ForeignKey("alert_rule.id"), nullable=False),
    Column("episode_id", BigInteger, nullable=False),
    Column("stage", String(24), nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("onset_at", Instant, nullable=False),
    Column("members", JSON, nullable=False),  # [key, place] of the trend and of its variants
    Column("message", JSON, nullable=False),  # radar.alerts.messages: names and figures, in no language yet
    Column("fired_at", Instant, nullable=False),
    UniqueConstraint("rule_id", "episode_id", "stage"),
    Index("ix_alert_event_rule_id_changed_at", "rule_id", "changed_at"),
    Index("ix_alert_event_fired_at", "fired_at"),
)

alert_delivery = Table(
    "alert_delivery",  # one message to one target: pending -> delivering -> sent | dead
    metadata,
    Column("id", String(40), primary_key=True),  # webhook-id: the same at each attempt
    Column("event_id", ForeignKey("alert_event.id"), nullable=False, index=True),
    Column("target_id", ForeignKey("alert_target.id"), nullable=False, index=True),
    Column("state", String(12), nullable=False),
    Column("turn_at", Instant, nullable=False),  # when it is tried next; given up, if delivering; when it ended
    Column("attempts", Integer, nullable=False),
    Column("first_at", Instant),  # of the attempts
    Column("status", Integer),  # that the last of them was answered with
    Column("error", Text),
    Index("ix_alert_delivery_state_turn_at", "state", "turn_at"),
)

author_note = Table(
    "author_note",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("author_id", ForeignKey("author.id"), nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("written_at", Instant, nullable=False),
)

erased_author = Table(
    "erased_author",  # a keyed hash of whom is never to be taken in again, and nothing else
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("erased_at", Instant, nullable=False),
)

curation = Table(
    "curation",  # what editors decided of trends: rows are only ever added, and an undo is a row too
    metadata,
    Column("id", BigId, primary_key=True),
    Column("decided_at", Instant, nullable=False),
    Column("who", String(120), nullable=False),
    Column("action", String(8), nullable=False),  # mute | hold | rename | merge | undo
    Column("audience_market", String(2), nullable=False),
    Column("key_hash", BigInteger, nullable=False),
    Column("episode_id", BigInteger),  # null: of the key in this market, also in the future
    Column("onset_at", Instant),  # of the episode: ids go when detection goes back, key and time stay
    Column("into_id", BigInteger),  # the episode that a merged one is a variant of
    Column("into_key", BigInteger),  # and its key
    Column("name", String(120)),
    Column("reason", String(500), nullable=False),
    Column("undoes", ForeignKey("curation.id"), unique=True),
    Index("ix_curation_audience_market_key_hash", "audience_market", "key_hash"),
    Index("ix_curation_audience_market_id", "audience_market", "id"),
    Index("ix_curation_audience_market_into_key", "audience_market", "into_key"),
)

tracked_key = Table(
    "tracked_key",  # a brand, product, competitor or place that a user follows, as written in several languages
    metadata,
    Column("id", BigId, primary_key=True),
    Column("key_hash", BigInteger, nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("group_name", String(120), nullable=False),
    Column("forms", JSON, nullable=False),  # [language, text]
    Column("who", String(120), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("deleted_at", Instant),  # gone for users; the row goes when the key is out of all posts
    Column("revision", Integer, nullable=False),  # another with each change of the forms
    Column("swept_to", BigInteger, nullable=False),  # stored posts up to this id hold the key as its forms say
    Column("sweep_until", BigInteger, nullable=False),  # the newest post when the forms changed; later ones are read so
)

tracked_mention = Table(
    "tracked_mention",  # who mentioned a tracked key on a day: written with the day's counts
    metadata,
    Column("key_hash", BigInteger, primary_key=True, autoincrement=False),
    Column("audience_market", String(2), primary_key=True),
    Column("local_day", Date, primary_key=True),
    Column("person_id", BigInteger, primary_key=True, autoincrement=False, index=True),
    Column("post_count", Integer, nullable=False),
    Index("ix_tracked_mention_audience_market_local_day", "audience_market", "local_day"),
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (local_day)",
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
    Column("due_at", Instant),  # the tick that it was begun for; null where somebody asked for it
    Index("ix_run_job_started_at", "job", "started_at"),
    Index("ix_run_job_id", "job", "id"),
    Index("ix_run_outcome_id", "outcome", "id"),
    Index("ix_run_job_outcome_id", "job", "outcome", "id"),
    Index("ix_run_started_at", "started_at"),
    Index("uq_run_job_due_at", "job", "due_at", unique=True),
)

work = Table(
    "work",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("kind", String(16), nullable=False),  # count | detect | backfill
    Column("subject", String(64), nullable=False),  # what of: a market, and days of it
    Column("argument", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("kind", "subject"),
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

api_key = Table(
    "api_key",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),  # of the token, which is kept nowhere
    Column("scope", String(8), nullable=False),  # read | write | admin
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("used_at", Instant),
)

member = Table(
    "member",  # a person who may log in
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(8), nullable=False),  # viewer | editor | admin
    Column("password", String(255), nullable=False),  # argon2, with its salt and settings
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant),
)

login_session = Table(
    "login_session",
    metadata,
    Column("digest", String(64), primary_key=True),  # of the cookie, which is kept nowhere
    Column("member_id", ForeignKey("member.id"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("address", String(64), nullable=False),
    Column("browser", String(255), nullable=False),
)

login_failure = Table(
    "login_failure",
    metadata,
    Column("digest", String(64), primary_key=True),  # of the name, or the address, that somebody tried from
    Column("failed_count", Integer, nullable=False),
    Column("failed_at", Instant, nullable=False, index=True),
    Column("locked_until", Instant),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("actor_kind", String(16), nullable=False),  # key | user | loopback | terminal | signed
    Column("actor", String(64), nullable=False),
    Column("action", String(200), nullable=False),
    Column("target", Text, nullable=False),
    Column("outcome", String(16), nullable=False),  # done | refused | failed
    Column("detail", JSON, nullable=False),
    Column("request_id", String(128), nullable=False),
)
