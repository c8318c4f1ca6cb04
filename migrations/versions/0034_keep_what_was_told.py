"""What a resource was before it changed: for other systems that ask for its history.

A line is as its source reads it: what is sealed in its own table is sealed here, by the same key,
so that what is erased there is erased here. Who may read a version is decided when it is read.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
NAME = "resource_version"
REACHABLE = (
    f"(SELECT true FROM child_access a WHERE a.child_id = {NAME}.child_id AND"
    " a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz)"
)
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"


def upgrade() -> None:
    """Make the table and fence it: only scheduled work adds to it, and nothing changes it."""
    op.create_table(
        NAME,
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("told_at", WHEN, nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{NAME}")),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f(f"fk_{NAME}_child_id")),
    )
    op.create_index(op.f(f"ix_{NAME}_child_id"), NAME, ["child_id"])
    op.create_index(f"uq_{NAME}_told", NAME, ["resource", "resource_id", "told_at"], unique=True)
    op.execute(
        f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {NAME}"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )
    op.execute(f"ALTER TABLE {NAME} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY reachable ON {NAME} FOR SELECT USING ({REACHABLE})")
    op.execute(f"CREATE POLICY kept ON {NAME} FOR INSERT WITH CHECK ({VIEWER} = {JOB})")
    op.execute(f"GRANT SELECT, INSERT ON {NAME} TO panel_app")


def downgrade() -> None:
    """Take it away again."""
    op.drop_table(NAME)
