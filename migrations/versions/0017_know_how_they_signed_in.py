"""How somebody signed in and on what device; and those who are on their way in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add what is known of a session, and the table of entries, for the serving role."""
    for column in (
        sa.Column("id", sa.Uuid(), nullable=True),
        sa.Column("way", sa.Text(), nullable=True),
        sa.Column("proved_at", WHEN, nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
    ):
        op.add_column("web_session", column)
    op.create_table(
        "sign_in_entry",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("next_path", sa.Text(), nullable=False),
        sa.Column("ends_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_entry")),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_entry TO panel_app")


def downgrade() -> None:
    """Take both away; who is signed in stays signed in."""
    op.drop_table("sign_in_entry")
    for column in ("device", "proved_at", "way", "id"):
        op.drop_column("web_session", column)
