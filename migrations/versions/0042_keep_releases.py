"""What was published: releases with their ledger, their cells and files as they went out, and what
was refused.

Only added to: what is out cannot be taken back. Read by those whom published figures are for;
written by scheduled work alone. What was refused names cells that give somebody away: the lead for
information governance alone reads it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"
READERS = "ARRAY['commissioner', 'governance_lead', 'parents_representative', 'manager']"
LEAD = "ARRAY['governance_lead']"
TABLES = {
    "insight_release": READERS,
    "insight_cell": READERS,
    "insight_file": READERS,
    "insight_refusal": LEAD,
}


def upgrade() -> None:
    """Make the tables, fence them, and refuse every change of what is in them."""
    op.create_table(
        "insight_release",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry", JSONB(), nullable=False),
        sa.Column("methods", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insight_release")),
        sa.UniqueConstraint("number", name=op.f("uq_insight_release_number")),
        sa.UniqueConstraint("period", name=op.f("uq_insight_release_period")),
    )
    op.create_table(
        "insight_cell",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("table_key", sa.Text(), nullable=False),
        sa.Column("cell", ARRAY(sa.Text()), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("release_id", "table_key", "cell", name=op.f("pk_insight_cell")),
        sa.ForeignKeyConstraint(
            ["release_id"], ["insight_release.id"], name=op.f("fk_insight_cell_release_id")
        ),
    )
    op.create_table(
        "insight_file",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("release_id", "name", name=op.f("pk_insight_file")),
        sa.ForeignKeyConstraint(
            ["release_id"], ["insight_release.id"], name=op.f("fk_insight_file_release_id")
        ),
    )
    op.create_table(
        "insight_refusal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("findings", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insight_refusal")),
    )
    for table, readers in TABLES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY read ON {table} FOR SELECT"
            f" USING ({VIEWER} = {JOB} OR answers_for_use({readers}))"
        )
        op.execute(f"CREATE POLICY published ON {table} FOR INSERT WITH CHECK ({VIEWER} = {JOB})")
        op.execute(f"GRANT SELECT, INSERT ON {table} TO panel_app")
        op.execute(
            f"CREATE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION only_added()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER only_added")


def downgrade() -> None:
    """Take what was published away."""
    for table in reversed(TABLES.keys()):
        op.drop_table(table)
