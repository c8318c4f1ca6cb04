"""Who was at a meeting, who declared an interest, and a review that the panel placed itself."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
VIEWER_NOW = (
    "a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz"
)


def row_columns() -> list[sa.Column]:
    """What every row has: who made and changed it and when, and the version read."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    ]


def upgrade() -> None:
    """Add the tables, fence the child's, and open both to the serving role."""
    op.create_table(
        "attendance",
        *row_columns(),
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("stands_in_for", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("here_at", WHEN, nullable=True),
        sa.Column("left_at", WHEN, nullable=True),
        sa.Column("chaired_from", WHEN, nullable=True),
        sa.CheckConstraint(
            "state IN ('here', 'apologies', 'absent', 'left')", name=op.f("ck_attendance_state")
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_attendance_meeting_id")
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_attendance_agency_id")),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f("fk_attendance_worker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance")),
        sa.UniqueConstraint(
            "meeting_id", "worker_id", name=op.f("uq_attendance_meeting_id_worker_id")
        ),
    )
    op.create_table(
        "declared_interest",
        *row_columns(),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("declared_at", WHEN, nullable=False),
        sa.Column("taken_back_at", WHEN, nullable=True),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_declared_interest_child_id")
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_declared_interest_meeting_id")
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_declared_interest_worker_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declared_interest")),
        sa.UniqueConstraint(
            "meeting_id",
            "child_id",
            "worker_id",
            name=op.f("uq_declared_interest_meeting_id_child_id_worker_id"),
        ),
    )
    op.create_index(op.f("ix_declared_interest_child_id"), "declared_interest", ["child_id"])
    op.execute("ALTER TABLE declared_interest ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY reachable ON declared_interest USING ((SELECT true FROM child_access a"
        f" WHERE a.child_id = declared_interest.child_id AND {VIEWER_NOW}))"
    )
    for table in ("attendance", "declared_interest"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO panel_app")
        # What pages were made from is read again after a write (migration 0003).
        op.execute(
            f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
        )
    op.add_column("agenda_item", sa.Column("review_by", sa.Date(), nullable=True))
    op.add_column("agenda_item", sa.Column("review_why", sa.LargeBinary(), nullable=True))
    op.add_column("agenda_item", sa.Column("before", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    """Take them away again; what was written in them is lost."""
    op.drop_column("agenda_item", "before")
    op.drop_column("agenda_item", "review_why")
    op.drop_column("agenda_item", "review_by")
    op.drop_table("declared_interest")
    op.drop_table("attendance")
