"""Lines of plans that somebody said the family may read; fenced as all is."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
LINES = (("action_id", "action"), ("outcome_id", "desired_outcome"))
VIEWER_NOW = (
    "a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz"
)


def upgrade() -> None:
    """Add the table, its fence, and the triggers that keep a line to its own child."""
    op.create_table(
        "family_clearance",
        sa.Column("action_id", sa.Uuid(), nullable=True),
        sa.Column("outcome_id", sa.Uuid(), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("marked", sa.LargeBinary(), nullable=True),
        sa.Column("why", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_clearance")),
        sa.CheckConstraint(
            "num_nonnulls(action_id, outcome_id) = 1", name=op.f("ck_family_clearance_one_line")
        ),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_family_clearance_child_id")
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_family_clearance_{column}")
            )
            for column, table in LINES
        ),
    )
    for column in ("child_id", "action_id", "outcome_id"):
        op.create_index(op.f(f"ix_family_clearance_{column}"), "family_clearance", [column])
    op.execute("ALTER TABLE family_clearance ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY reachable ON family_clearance USING ((SELECT true FROM child_access a"
        f" WHERE a.child_id = family_clearance.child_id AND {VIEWER_NOW}))"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON family_clearance TO panel_app")
    op.execute(
        "CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON family_clearance"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )
    for column, table in LINES:
        op.execute(
            f"CREATE TRIGGER same_child_{column} AFTER INSERT OR UPDATE OF {column}, child_id"
            " ON family_clearance FOR EACH ROW"
            f" EXECUTE FUNCTION of_the_same_child('{column}', '{table}')"
        )


def downgrade() -> None:
    """Take it away; what was said to be readable is checked anew from then on."""
    op.drop_table("family_clearance")
