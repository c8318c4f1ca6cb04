"""Which group of wards a ward is read in, where it is too small for tables of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A ward's group, made once and kept: a figure of a group means the same wards each term."""
    op.add_column("area", sa.Column("cluster", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take the groups away."""
    op.drop_column("area", "cluster")
