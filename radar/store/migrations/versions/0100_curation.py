"""Editors' decisions on trends, and keys that users track with who mentioned them."""

import sqlalchemy as sa
from alembic import op

from radar.store import tables

revision = "0100"
down_revision = "0090"


def upgrade() -> None:
    op.create_table(
        "curation",
        sa.Column("id", tables.BigId, nullable=False),
        sa.Column("decided_at", tables.Instant(), nullable=False),
        sa.Column("who", sa.String(120), nullable=False),
        sa.Column("action", sa.String(8), nullable=False),
        sa.Column("audience_market", sa.String(2), nullable=False),
        sa.Column("key_hash", sa.BigInteger(), nullable=False),
        sa.Column("episode_id", sa.BigInteger()),
        sa.Column("onset_at", tables.Instant()),
        sa.Column("into_id", sa.BigInteger()),
        sa.Column("into_key", sa.BigInteger()),
        sa.Column("name", sa.String(120)),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("undoes", tables.BigId),
        sa.ForeignKeyConstraint(["undoes"], ["curation.id"], name=op.f("fk_curation_undoes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_curation")),
        sa.UniqueConstraint("undoes", name=op.f("uq_curation_undoes")),
    )
    op.create_index("ix_curation_audience_market_key_hash", "curation", ["audience_market", "key_hash"])
    op.create_index("ix_curation_audience_market_id", "curation", ["audience_market", "id"])
    op.create_index("ix_curation_audience_market_into_key", "curation", ["audience_market", "into_key"])
    op.create_table(
        "tracked_key",
        sa.Column("id", tables.BigId, nullable=False),
        sa.Column("key_hash", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("group_name", sa.String(120), nullable=False),
        sa.Column("forms", sa.JSON(), nullable=False),
        sa.Column("who", sa.String(120), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("changed_at", tables.Instant(), nullable=False),
        sa.Column("deleted_at", tables.Instant()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("swept_to", sa.BigInteger(), nullable=False),
        sa.Column("sweep_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracked_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_tracked_key_key_hash")),
    )
    op.create_table(
        "tracked_mention",
        sa.Column("key_hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("audience_market", sa.String(2), nullable=False),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("post_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "key_hash", "audience_market", "local_day", "person_id", name=op.f("pk_tracked_mention")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tracked_mention_audience_market_local_day", "tracked_mention", ["audience_market", "local_day"])
    op.create_index("ix_tracked_mention_person_id", "tracked_mention", ["person_id"])
    meta = sa.table("meta", sa.column("name"), sa.column("value"))
    op.bulk_insert(meta, [{"name": "tracked version", "value": "0"}])  # it is there to be held from the first key on


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM meta WHERE name = 'tracked version'"))
    for name in ("tracked_mention", "tracked_key", "curation"):
        op.drop_table(name)
