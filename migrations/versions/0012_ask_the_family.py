"""A family that is asked to share more can ask to be rung about it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add when the family asked to be rung."""
    op.add_column(
        "access_request", sa.Column("ring_asked_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    """Take it away again; who waits to be rung is lost."""
    op.drop_column("access_request", "ring_asked_at")
