"""When what stands on a child's record became something else, and what it was before."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
VIEWER_NOW = (
    "a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz"
)


def upgrade() -> None:
    """Make the table, fenced as every child's table is; the serving role only adds to it."""
    op.create_table(
        "record_change",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("from_code", sa.Text(), nullable=True),
        sa.Column("to_code", sa.Text(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_record_change_child_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_change")),
    )
    op.create_index(op.f("ix_record_change_child_id"), "record_change", ["child_id"])
    op.execute("ALTER TABLE record_change ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY reachable ON record_change USING ((SELECT true FROM child_access a"
        f" WHERE a.child_id = record_change.child_id AND {VIEWER_NOW}))"
    )
    op.execute("GRANT SELECT, INSERT ON record_change TO panel_app")
    # What pages were made from is read again after a write (migration 0003).
    op.execute(
        "CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON record_change"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )


def downgrade() -> None:
    """Take the table away; what changed when is lost."""
    op.drop_table("record_change")
