"""Keep for what somebody objects to sharing: a no to an agency's own system is none to its people.

What was objected to before names nothing, which is everything, as it was decided by until now.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0046"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; whatever does not know it objects to everything."""
    op.add_column(
        "sharing_objection",
        sa.Column("purposes", postgresql.ARRAY(sa.Text()), nullable=False, server_default="{}"),
    )


def downgrade() -> None:
    """Take it away: what names an agency's system alone is about its people, too, from then on."""
    op.drop_column("sharing_objection", "purposes")
