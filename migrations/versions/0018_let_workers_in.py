"""How workers sign in by themselves: password and code, passkeys, recovery codes, and attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
TABLES = (
    "known_address",
    "sign_in_attempt",
    "sign_in_challenge",
    "recovery_code",
    "passkey",
    "own_password",
)


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


def of_worker(table: str) -> list[sa.schema.SchemaItem]:
    """Whose it is, and the agency whose key seals it."""
    return [
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f(f"fk_{table}_worker_id")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f(f"fk_{table}_agency_id")),
    ]


def upgrade() -> None:
    """Make the tables, for the serving role; no page about a child is made from them."""
    op.create_table(
        "own_password",
        *of_worker("own_password"),
        sa.Column("password", sa.LargeBinary(), nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("taken_step", sa.BigInteger(), nullable=False),
        *row("own_password"),
    )
    op.create_index("ix_own_password_worker_id", "own_password", ["worker_id"], unique=True)
    op.create_table(
        "passkey",
        *of_worker("passkey"),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("used_at", WHEN, nullable=True),
        *row("passkey"),
    )
    op.create_index("ix_passkey_credential_id", "passkey", ["credential_id"], unique=True)
    op.create_index("ix_passkey_worker_id", "passkey", ["worker_id"])
    op.create_table(
        "recovery_code",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("used_at", WHEN, nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_code")),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_recovery_code_worker_id")
        ),
    )
    op.create_index("ix_recovery_code_worker_id", "recovery_code", ["worker_id"])
    op.create_table(
        "sign_in_challenge",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_challenge")),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("bucket", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ends_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_sign_in_attempt")),
    )
    op.create_table(
        "known_address",
        sa.Column("bucket", sa.LargeBinary(), nullable=False),
        sa.Column("seen_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_known_address")),
    )
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO panel_app")


def downgrade() -> None:
    """Take them away: from then on only links sign in."""
    for table in TABLES:
        op.drop_table(table)
