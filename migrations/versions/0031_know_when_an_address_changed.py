"""Know since when somebody of a family has another e-mail address."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """When an address took the place of another one; empty where none ever did."""
    op.add_column("family_member", sa.Column("email_changed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("family_member", "email_changed_at")
