"""Alert rules, what they told, what is to be delivered, and keys on named lists."""

import sqlalchemy as sa
from alembic import op

from radar.store import tables

revision = "0110"
down_revision = "0100"

BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_index("ix_stage_change_changed_at", "stage_change", ["changed_at", "episode_id"])
    op.create_table(
        "list_key",
        sa.Column("list_id", BigId, nullable=False),
        sa.Column("key_hash", sa.BigInteger(), nullable=False),
        sa.Column("audience_market", sa.String(2), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("added_at", tables.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["author_list.id"], name=op.f("fk_list_key_list_id")),
        sa.PrimaryKeyConstraint("list_id", "key_hash", "audience_market", "place", name=op.f("pk_list_key")),
    )
    op.create_table(
        "alert_rule",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("begins_at", tables.Instant(), nullable=False),
        sa.Column("read_upto", tables.Instant(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rule")),
        sa.UniqueConstraint("name", name=op.f("uq_alert_rule_name")),
    )
    op.create_table(
        "alert_target",
        sa.Column("id", BigId, nullable=False),
        sa.Column("rule_id", BigId, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("address", sa.Text()),
        sa.Column("secret", sa.Text()),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["alert_rule.id"], name=op.f("fk_alert_target_rule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_target")),
    )
    op.create_index("ix_alert_target_rule_id", "alert_target", ["rule_id"])
    op.create_table(
        "alert_event",
        sa.Column("id", BigId, nullable=False),
        sa.Column("rule_id", BigId, nullable=False),
        sa.Column("episode_id", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.String(24), nullable=False),
        sa.Column("changed_at", tables.Instant(), nullable=False),
        sa.Column("onset_at", tables.Instant(), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("message", sa.JSON(), nullable=False),
        sa.Column("fired_at", tables.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["alert_rule.id"], name=op.f("fk_alert_event_rule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_event")),
        sa.UniqueConstraint("rule_id", "episode_id", "stage", name=op.f("uq_alert_event_rule_id_episode_id_stage")),
    )
    op.create_index("ix_alert_event_rule_id_changed_at", "alert_event", ["rule_id", "changed_at"])
    op.create_index("ix_alert_event_fired_at", "alert_event", ["fired_at"])
    op.create_table(
        "alert_delivery",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("event_id", BigId, nullable=False),
        sa.Column("target_id", BigId, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("turn_at", tables.Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", tables.Instant()),
        sa.Column("status", sa.Integer()),
        sa.Column("error", sa.Text()),
        sa.ForeignKeyConstraint(["event_id"], ["alert_event.id"], name=op.f("fk_alert_delivery_event_id")),
        sa.ForeignKeyConstraint(["target_id"], ["alert_target.id"], name=op.f("fk_alert_delivery_target_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_delivery")),
    )
    op.create_index("ix_alert_delivery_event_id", "alert_delivery", ["event_id"])
    op.create_index("ix_alert_delivery_target_id", "alert_delivery", ["target_id"])
    op.create_index("ix_alert_delivery_state_turn_at", "alert_delivery", ["state", "turn_at"])


def downgrade() -> None:
    for name in ("alert_delivery", "alert_event", "alert_target", "alert_rule", "list_key"):
        op.drop_table(name)
    op.drop_index("ix_stage_change_changed_at", "stage_change")
