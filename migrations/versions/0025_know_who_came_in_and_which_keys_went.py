"""Know who came in, and find which keys were destroyed without reading every event."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An invitation that was taken, for each worker without any; and an index for a few events.

    Nothing says which of them came in by a printed link. That they did is the safe answer: the
    address of somebody who came in is not corrected. Its id is the worker's, so that every later
    one is newer.
    """
    op.execute(
        "INSERT INTO invitation (id, worker_id, state, ends_at, created_at, created_by,"
        " changed_at, changed_by, version)"
        " SELECT w.id, w.id, 'taken', w.created_at, w.created_at, w.created_by,"
        " w.created_at, w.created_by, 1 FROM worker w"
        " WHERE NOT EXISTS (SELECT FROM invitation i WHERE i.worker_id = w.id)"
    )
    op.create_index(
        "ix_audit_event_key_destroyed",
        "audit_event",
        ["subject_id"],
        postgresql_where=sa.text("kind = 'key.destroyed'"),
    )


def downgrade() -> None:
    """Take those away."""
    op.drop_index("ix_audit_event_key_destroyed", table_name="audit_event")
    op.execute("DELETE FROM invitation WHERE id = worker_id")
