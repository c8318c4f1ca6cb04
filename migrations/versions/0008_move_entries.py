"""Entries of a meeting that were on the wrong child, and notes that are to be read once more."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
TABLES = ("action", "discussion")


def upgrade() -> None:
    """Add the columns."""
    for table in TABLES:
        op.add_column(table, sa.Column("moved_away_at", WHEN, nullable=True))
        op.add_column(table, sa.Column("moved_from", sa.Uuid(), nullable=True))
        op.add_column(table, sa.Column("moved_why", sa.LargeBinary(), nullable=True))
        op.create_index(op.f(f"uq_{table}_moved_from"), table, ["moved_from"], unique=True)
    op.add_column("family_note", sa.Column("check_again_at", WHEN, nullable=True))
    op.add_column("incident", sa.Column("entry_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    """Take them away again; where entries came from is lost."""
    op.drop_column("incident", "entry_id")
    op.drop_column("family_note", "check_again_at")
    for table in TABLES:
        op.drop_index(op.f(f"uq_{table}_moved_from"), table_name=table)
        for column in ("moved_why", "moved_from", "moved_away_at"):
            op.drop_column(table, column)
