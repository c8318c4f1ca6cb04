"""Know when a family member's address changed, and when somebody guessed in their name."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Both are empty where it never happened."""
    op.add_column("family_access", sa.Column("guessed_at", sa.DateTime(timezone=True)))
    op.add_column("family_member", sa.Column("email_changed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("family_member", "email_changed_at")
    op.drop_column("family_access", "guessed_at")
