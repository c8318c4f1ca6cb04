"""The list of authorities."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the list, readable by those who serve."""
    op.create_table(
        "authority",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False, unique=True),
        sa.Column("schema_name", sa.Text, nullable=False, unique=True),
        sa.Column("accent", sa.Text, nullable=False),
        sa.Column("demo", sa.Boolean, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("wrapped_index_key", sa.LargeBinary, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
    )
    op.execute("GRANT USAGE ON SCHEMA panel_control TO panel_app")
    op.execute("GRANT SELECT ON authority TO panel_app")


def downgrade() -> None:
    """Drop the list."""
    op.drop_table("authority")
    op.execute("REVOKE USAGE ON SCHEMA panel_control FROM panel_app")
