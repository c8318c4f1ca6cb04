"""Work on many children at once, what a worker has to do, calendars, and the way between authorities.

A step of work in bulk is about one child, or one meeting. It is read by who reaches the child, by
who ordered it and by scheduled work: ids, dates and versions, no word of a record. A notice is for
one worker alone. Links between authorities and calendars keep hashes, never what opens them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"
NOW = "NULLIF(current_setting('panel.now', true), '')::timestamptz"
REACHED = (
    "(SELECT true FROM child_access a WHERE a.child_id = bulk_step.child_id"
    f" AND a.viewer_id = {VIEWER} AND a.valid_from <= {NOW} AND a.valid_until >= {NOW})"
)
JSONB = sa.dialects.postgresql.JSONB()


def made_by() -> list[sa.Column]:
    """Columns that every row has."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    ]


def code(name: str, column: str, *values: str) -> sa.CheckConstraint:
    """One of these."""
    listed = ", ".join(f"'{one}'" for one in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{name}_{column}"))


def refers(name: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    """A row of another table."""
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{name}_{column}"))


def make_bulk() -> None:
    """Work in bulk, and its steps."""
    op.create_table(
        "bulk_work",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("why", sa.LargeBinary(), nullable=True),
        sa.Column("what_next", sa.LargeBinary(), nullable=True),
        sa.Column("left_with", sa.LargeBinary(), nullable=True),
        sa.Column("confirmed_at", WHEN, nullable=True),
        sa.Column("done_at", WHEN, nullable=True),
        sa.Column("undo_until", WHEN, nullable=True),
        sa.Column("undone_at", WHEN, nullable=True),
        *made_by(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_work")),
        refers("bulk_work", "agency_id", "agency"),
        refers("bulk_work", "worker_id", "worker"),
        code("bulk_work", "kind", "reassign", "move_day", "close"),
        code("bulk_work", "state", "running", "done", "undoing", "undone"),
    )
    op.create_index("ix_bulk_work_worker", "bulk_work", ["worker_id", "created_at", "id"])
    op.create_index(
        "ix_bulk_work_to_do",
        "bulk_work",
        ["created_at"],
        postgresql_where=sa.text("state IN ('running', 'undoing')"),
    )
    op.create_table(
        "bulk_step",
        sa.Column("bulk_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=True),
        sa.Column("meeting_id", sa.Uuid(), nullable=True),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("before", JSONB, nullable=False),
        sa.Column("after", JSONB, nullable=False),
        sa.Column("left_why", sa.Text(), nullable=False),
        *made_by(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_step")),
        refers("bulk_step", "bulk_id", "bulk_work"),
        refers("bulk_step", "child_id", "child"),
        refers("bulk_step", "meeting_id", "meeting"),
        refers("bulk_step", "worker_id", "worker"),
        code("bulk_step", "state", "waiting", "done", "left", "undone", "kept"),
        sa.CheckConstraint(
            "num_nonnulls(child_id, meeting_id) = 1", name=op.f("ck_bulk_step_about_one")
        ),
    )
    op.create_index("uq_bulk_step_position", "bulk_step", ["bulk_id", "position"], unique=True)
    op.create_index(op.f("ix_bulk_step_child_id"), "bulk_step", ["child_id"])
    op.execute("ALTER TABLE bulk_step ENABLE ROW LEVEL SECURITY")
    mine = f"(bulk_step.worker_id = {VIEWER} OR {VIEWER} = {JOB})"
    op.execute(f"CREATE POLICY read ON bulk_step FOR SELECT USING ({mine} OR {REACHED})")
    op.execute(
        "CREATE POLICY ordered ON bulk_step FOR INSERT WITH CHECK"
        f" ({mine} AND (child_id IS NULL OR {REACHED}))"
    )
    op.execute(f"CREATE POLICY done ON bulk_step FOR UPDATE USING ({mine})")
    op.execute("GRANT SELECT, INSERT, UPDATE ON bulk_work, bulk_step TO panel_app")


def make_notices() -> None:
    """What a worker has to do, how they are told of it, and their calendar."""
    op.create_table(
        "task_notice",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.Column("settled_at", WHEN, nullable=True),
        *made_by(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_notice")),
        refers("task_notice", "worker_id", "worker"),
        refers("task_notice", "child_id", "child"),
    )
    op.create_index(
        "uq_task_notice_subject", "task_notice", ["worker_id", "kind", "subject_id"], unique=True
    )
    op.create_index(op.f("ix_task_notice_child_id"), "task_notice", ["child_id"])
    op.execute("ALTER TABLE task_notice ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own ON task_notice"
        f" USING (task_notice.worker_id = {VIEWER} OR {VIEWER} = {JOB})"
    )
    op.create_table(
        "notice_choice",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        *made_by(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_choice")),
        refers("notice_choice", "worker_id", "worker"),
        code("notice_choice", "digest", "daily", "weekly", "off"),
        sa.CheckConstraint(
            "num_nonnulls(quiet_from, quiet_until) IN (0, 2)",
            name=op.f("ck_notice_choice_quiet"),
        ),
    )
    op.create_index("uq_notice_choice_worker_id", "notice_choice", ["worker_id"], unique=True)
    op.create_table(
        "calendar_feed",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", WHEN, nullable=False),
        sa.Column("revoked_at", WHEN, nullable=True),
        sa.Column("read_on", sa.Date(), nullable=True),
        *made_by(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        refers("calendar_feed", "worker_id", "worker"),
    )
    op.create_index("uq_calendar_feed_token_hash", "calendar_feed", ["token_hash"], unique=True)
    op.create_index(
        "uq_calendar_feed_one_now",
        "calendar_feed",
        ["worker_id"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON task_notice, notice_choice TO panel_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON calendar_feed TO panel_app")


def make_switching() -> None:
    """The same person at another authority, and the link that takes them there once."""
    op.create_table(
        "worker_elsewhere",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("their_id", sa.Uuid(), nullable=False),
        sa.Column("confirmed_at", WHEN, nullable=False),
        sa.Column("ended_at", WHEN, nullable=True),
        *made_by(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_elsewhere")),
        refers("worker_elsewhere", "worker_id", "worker"),
    )
    op.create_index(
        "uq_worker_elsewhere_now",
        "worker_elsewhere",
        ["worker_id", "authority"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "way_between",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("their_id", sa.Uuid(), nullable=True),
        sa.Column("session_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("answers", sa.LargeBinary(), nullable=True),
        sa.Column("ends_at", WHEN, nullable=False),
        sa.Column("used_at", WHEN, nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_way_between")),
        code("way_between", "step", "switch", "ask", "answer"),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON worker_elsewhere TO panel_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON way_between TO panel_app")


def upgrade() -> None:
    """Make all of it; what a change of facts follows is noted."""
    make_bulk()
    make_notices()
    make_switching()


def downgrade() -> None:
    """Take it away: bulk work can no longer be undone, and calendars no longer open."""
    for table in (
        "way_between",
        "worker_elsewhere",
        "calendar_feed",
        "notice_choice",
        "task_notice",
        "bulk_step",
        "bulk_work",
    ):
        op.drop_table(table)
