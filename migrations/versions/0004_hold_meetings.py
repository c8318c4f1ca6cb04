"""When a meeting began and ended, and contributions with their authors."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns."""
    op.add_column("meeting", sa.Column("began_at", WHEN, nullable=True))
    op.add_column("meeting", sa.Column("ended_at", WHEN, nullable=True))
    op.add_column("meeting", sa.Column("confirmed_at", WHEN, nullable=True))
    op.add_column("meeting", sa.Column("confirmed_by", sa.Uuid(), nullable=True))
    op.add_column("agenda_item", sa.Column("discussed_at", WHEN, nullable=True))
    op.add_column("discussion", sa.Column("worker_id", sa.Uuid(), nullable=True))
    op.add_column("discussion", sa.Column("said_at", WHEN, nullable=True))
    op.add_column("discussion", sa.Column("client_id", sa.Uuid(), nullable=True))
    op.add_column(
        "discussion",
        sa.Column("for_family", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("discussion", sa.Column("taken_back_at", WHEN, nullable=True))
    op.add_column("discussion", sa.Column("taken_back_by", sa.Uuid(), nullable=True))
    op.add_column("discussion", sa.Column("taken_back_why", sa.LargeBinary(), nullable=True))
    op.create_index(op.f("uq_discussion_client_id"), "discussion", ["client_id"], unique=True)


def downgrade() -> None:
    """Take them away again; what was written in them is lost."""
    op.drop_index(op.f("uq_discussion_client_id"), table_name="discussion")
    for column in (
        "taken_back_why",
        "taken_back_by",
        "taken_back_at",
        "for_family",
        "client_id",
        "said_at",
        "worker_id",
    ):
        op.drop_column("discussion", column)
    op.drop_column("agenda_item", "discussed_at")
    for column in ("confirmed_by", "confirmed_at", "ended_at", "began_at"):
        op.drop_column("meeting", column)
