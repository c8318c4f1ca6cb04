"""An export of one group or of named patients; a pull that is paused, and what it brought.

Neither a group nor a patient that an export names is promised to be there, so neither is a foreign
key: what may be told is decided when it is made and when it is fetched.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
COLUMNS = (
    ("export_job", "group_id", sa.Uuid()),
    ("export_job", "patient_ids", postgresql.ARRAY(sa.Uuid())),
    ("pull_source", "asked_at", WHEN),
    ("pull_source", "came", sa.Integer()),
    ("pull_source", "paused_at", WHEN),
)


def upgrade() -> None:
    """Add what is said of each; empty for those that there are."""
    for table, name, kind in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """Take it away again."""
    for table, name, _ in reversed(COLUMNS):
        op.drop_column(table, name)
