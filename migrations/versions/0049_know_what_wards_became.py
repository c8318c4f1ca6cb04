"""Wards that became others, tables that analysts ask for, and releases that systems read.

What became of a ward is imported by scheduled work and read by whoever reads figures. A wish is
written by a commissioner and answered by the lead for information governance; nothing of it is
deleted. A system reads what is published where it is registered for that, and nothing beside it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"
READERS = (
    "(SELECT answers_for_use("
    "ARRAY['commissioner', 'governance_lead', 'parents_representative', 'manager']))"
)
ASKS = "(SELECT answers_for_use(ARRAY['commissioner']))"
LEAD = "(SELECT answers_for_use(ARRAY['governance_lead']))"
READS_WISHES = (
    "(SELECT answers_for_use(ARRAY['commissioner', 'governance_lead', 'parents_representative']))"
)
SYSTEM = (
    f"(SELECT true FROM exchange_client c WHERE c.id = {VIEWER}"
    " AND 'system/releases.r' = ANY(c.scopes) AND c.ended_on IS NULL)"
)
"""The viewer is a system that may read releases."""
PUBLISHED = ("insight_release", "insight_cell")


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


def upgrade() -> None:
    """Make the tables, fence them, and let systems read what is published."""
    op.create_table(
        "area_became",
        sa.Column("old_code", sa.Text(), nullable=False),
        sa.Column("new_code", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        *made_by(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area_became")),
    )
    op.create_index("uq_area_became_codes", "area_became", ["old_code", "new_code"], unique=True)
    op.create_table(
        "table_wish",
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("dims", ARRAY(sa.Text()), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("joins_in", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", WHEN, nullable=True),
        *made_by(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_table_wish")),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["worker.id"], name=op.f("fk_table_wish_answered_by")
        ),
        sa.CheckConstraint(
            "level IN ('ward', 'cluster', 'authority')", name=op.f("ck_table_wish_level")
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'joins', 'declined')", name=op.f("ck_table_wish_state")
        ),
        sa.CheckConstraint(
            "(state = 'asked') = (answered_at IS NULL)"
            " AND (state = 'joins') = (joins_in IS NOT NULL)"
            " AND (state <> 'declined' OR reason IS NOT NULL)",
            name=op.f("ck_table_wish_answer"),
        ),
    )
    op.create_index("ix_table_wish_created_at", "table_wish", ["created_at", "id"])
    for table in ("area_became", "table_wish"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    for name, table, rule in (
        ("read", "area_became", f"SELECT USING ({VIEWER} = {JOB} OR {READERS})"),
        ("imported", "area_became", f"INSERT WITH CHECK ({VIEWER} = {JOB})"),
        ("read", "table_wish", f"SELECT USING ({VIEWER} = {JOB} OR {READS_WISHES})"),
        ("asked", "table_wish", f"INSERT WITH CHECK ({ASKS} AND created_by = {VIEWER})"),
        ("answered", "table_wish", f"UPDATE USING ({LEAD}) WITH CHECK ({LEAD})"),
        *(("read_by_systems", table, f"SELECT USING ({SYSTEM})") for table in PUBLISHED),
    ):
        op.execute(f"CREATE POLICY {name} ON {table} FOR {rule}")
    op.execute("REVOKE ALL ON area_became, table_wish FROM panel_app")
    op.execute("GRANT SELECT, INSERT ON area_became TO panel_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON table_wish TO panel_app")


def downgrade() -> None:
    """Take them away."""
    for table in PUBLISHED:
        op.execute(f"DROP POLICY read_by_systems ON {table}")
    for table in ("table_wish", "area_became"):
        op.drop_table(table)
