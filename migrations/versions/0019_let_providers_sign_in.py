"""Providers that sign workers in: their settings, their agencies, and who is whom there."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
TABLES = ("worker_identity", "sign_in_provider_agency", "sign_in_provider")


def row(table: str) -> list[sa.schema.SchemaItem]:
    """The columns that every row has."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def of(table: str, column: str, other: str) -> list[sa.schema.SchemaItem]:
    """A column that names a row of another table."""
    return [
        sa.Column(column, sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}")),
    ]


def upgrade() -> None:
    """Make the tables, for the serving role; no page about a child is made from them."""
    op.create_table(
        "sign_in_provider",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("secret_from", sa.Text(), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        *row("sign_in_provider"),
        sa.UniqueConstraint("key", name=op.f("uq_sign_in_provider_key")),
    )
    op.create_table(
        "sign_in_provider_agency",
        *of("sign_in_provider_agency", "provider_id", "sign_in_provider"),
        *of("sign_in_provider_agency", "agency_id", "agency"),
        *row("sign_in_provider_agency"),
    )
    op.create_index(
        "ix_sign_in_provider_agency_provider_id_agency_id",
        "sign_in_provider_agency",
        ["provider_id", "agency_id"],
        unique=True,
    )
    op.create_index(
        op.f("ix_sign_in_provider_agency_agency_id"), "sign_in_provider_agency", ["agency_id"]
    )
    op.create_table(
        "worker_identity",
        *of("worker_identity", "worker_id", "worker"),
        *of("worker_identity", "provider_id", "sign_in_provider"),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("linked_at", WHEN, nullable=False),
        sa.Column("used_at", WHEN, nullable=False),
        *row("worker_identity"),
    )
    op.create_index(
        "ix_worker_identity_issuer_subject", "worker_identity", ["issuer", "subject"], unique=True
    )
    op.create_index(
        "ix_worker_identity_worker_id_provider_id",
        "worker_identity",
        ["worker_id", "provider_id"],
        unique=True,
    )
    op.create_index(op.f("ix_worker_identity_provider_id"), "worker_identity", ["provider_id"])
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO panel_app")


def downgrade() -> None:
    """Take them away: nobody is signed in by a provider any more."""
    for table in TABLES:
        op.drop_table(table)
