"""Keys of systems, people who log in with their sessions and failures, and the log of what was written by whom."""

import sqlalchemy as sa
from alembic import op

from radar.store import tables

revision = "0090"
down_revision = "0086"


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", tables.BigId, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("expires_at", tables.Instant()),
        sa.Column("revoked_at", tables.Instant()),
        sa.Column("used_at", tables.Instant()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_key_digest")),
    )
    op.create_table(
        "member",
        sa.Column("id", tables.BigId, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("password", sa.String(255), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("seen_at", tables.Instant()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("name", name=op.f("uq_member_name")),
    )
    op.create_table(
        "login_session",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("member_id", tables.BigId, nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("seen_at", tables.Instant(), nullable=False),
        sa.Column("expires_at", tables.Instant(), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("browser", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_login_session_member_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_login_session")),
    )
    op.create_index("ix_login_session_member_id", "login_session", ["member_id"])
    op.create_index("ix_login_session_expires_at", "login_session", ["expires_at"])
    op.create_table(
        "login_failure",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("failed_count", sa.Integer(), nullable=False),
        sa.Column("failed_at", tables.Instant(), nullable=False),
        sa.Column("locked_until", tables.Instant()),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_login_failure")),
    )
    op.create_index("ix_login_failure_failed_at", "login_failure", ["failed_at"])
    op.create_table(
        "audit",
        sa.Column("id", tables.BigId, nullable=False),
        sa.Column("at", tables.Instant(), nullable=False),
        sa.Column("actor_kind", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("action", sa.String(200), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at", "audit", ["at"])


def downgrade() -> None:
    for name in ("audit", "login_failure", "login_session", "member", "api_key"):
        op.drop_table(name)
