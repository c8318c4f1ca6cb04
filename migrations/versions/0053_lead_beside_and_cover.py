"""Whoever leads may do so beside somebody for a while, be covered, and hold the budget.

A cover is for days: whoever covers reaches the child on those days as the lead professional does,
and whoever holds the plan holds it again by itself. Why somebody is chosen, what a family says of
it and how a plan is handed over is sealed with the child's key.
"""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
NOW = "NULLIF(current_setting('panel.now', true), '')::timestamptz"
REACHABLE = (
    "(SELECT true FROM child_access a WHERE a.child_id = {name}.child_id"
    f" AND a.viewer_id = {VIEWER} AND a.valid_from <= {NOW} AND a.valid_until >= {NOW})"
)
COVER_TIE = """
CREATE VIEW cover_tie WITH (security_invoker = true) AS
SELECT child_id, worker_id AS viewer_id,
       CASE WHEN state = 'offered' THEN 'offer' ELSE 'lead' END::text AS tie, worker_id AS who,
       CASE WHEN state = 'offered' THEN offered_on ELSE from_on END AS from_on, until_on,
       NULL::text[] AS categories
  FROM lead_cover WHERE state IN ('offered', 'accepted', 'ended')
"""
# The view of ties is written anew from what it is, so that what other migrations put in stays.
ADD_TIE = """
DO $$ BEGIN
  EXECUTE 'CREATE OR REPLACE VIEW review_tie WITH (security_invoker = true) AS '
    || rtrim(pg_get_viewdef('review_tie'::regclass), ';')
    || ' UNION ALL SELECT cover_tie.child_id, cover_tie.viewer_id, cover_tie.tie,'
    || ' cover_tie.who, cover_tie.from_on, cover_tie.until_on,'
    || ' cover_tie.categories FROM cover_tie';
END $$
"""
TAKE_TIE = r"""
DO $$ BEGIN
  EXECUTE 'CREATE OR REPLACE VIEW review_tie WITH (security_invoker = true) AS '
    || regexp_replace(rtrim(pg_get_viewdef('review_tie'::regclass), ';'),
                      '\s*UNION ALL\s+SELECT cover_tie\.child_id.*$', '');
END $$
"""
OF_THE_LEAD = (
    ("joint_until", sa.Date()),
    ("note", sa.LargeBinary()),
    ("family", sa.Text()),
    ("family_words", sa.LargeBinary()),
    ("over_limit", sa.LargeBinary()),
    ("budget_from", sa.Date()),
    ("budget_until", sa.Date()),
    ("budget_by", sa.Uuid()),
)


def table(name: str, *columns: sa.schema.SchemaItem) -> None:
    """A table of children, with what every row has, its fence, its index and its trigger."""
    op.create_table(
        name,
        *columns,
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f(f"fk_{name}_child_id")),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f(f"fk_{name}_worker_id")),
    )
    op.create_index(op.f(f"ix_{name}_child_id"), name, ["child_id"])
    reachable = REACHABLE.replace("{name}", name)
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY reachable ON {name} USING ({reachable}) WITH CHECK ({reachable})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {name} TO panel_app")
    op.execute(
        f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {name}"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )


def make_cover() -> None:
    """Who stands in for whoever leads, for which days; agreed by who covers."""
    table(
        "lead_cover",
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("offered_on", sa.Date(), nullable=False),
        sa.Column("offered_by", sa.Uuid(), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["lead_professional.id"], name=op.f("fk_lead_cover_lead_id")
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_lead_cover_agency_id")),
        sa.CheckConstraint(
            "state IN ('offered', 'accepted', 'declined', 'withdrawn', 'ended')",
            name=op.f("ck_lead_cover_state"),
        ),
        sa.CheckConstraint("from_on <= until_on", name=op.f("ck_lead_cover_days")),
    )
    op.create_index("ix_lead_cover_worker", "lead_cover", ["worker_id", "state"])
    op.create_index(op.f("ix_lead_cover_lead_id"), "lead_cover", ["lead_id"])
    op.execute(
        "CREATE TRIGGER same_child_lead_id AFTER INSERT OR UPDATE OF lead_id, child_id"
        " ON lead_cover FOR EACH ROW"
        " EXECUTE FUNCTION of_the_same_child('lead_id', 'lead_professional')"
    )


def make_wish() -> None:
    """Whom a family would like as lead professional, in their words."""
    table(
        "lead_wish",
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("said_on", sa.Date(), nullable=False),
        sa.Column("said_by", sa.LargeBinary(), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=True),
    )


def upgrade() -> None:
    """Make the tables, and widen what is kept of who leads."""
    op.add_column(
        "lead_professional", sa.Column("role", sa.Text(), nullable=False, server_default="main")
    )
    for name, kind in OF_THE_LEAD:
        op.add_column("lead_professional", sa.Column(name, kind, nullable=True))
    make_cover()
    make_wish()
    op.execute(COVER_TIE)
    op.execute("GRANT SELECT ON cover_tie TO panel_app")
    op.execute(ADD_TIE)


def downgrade() -> None:
    """Take them away, with every cover, every wish and who led beside somebody."""
    op.execute(TAKE_TIE)
    op.execute("DROP VIEW cover_tie")
    op.drop_table("lead_wish")
    op.drop_table("lead_cover")
    # Without the column a stretch beside somebody would read as one that holds the plan.
    op.execute("DELETE FROM lead_professional WHERE role = 'joint'")
    for name, _ in reversed(OF_THE_LEAD):
        op.drop_column("lead_professional", name)
    op.drop_column("lead_professional", "role")
