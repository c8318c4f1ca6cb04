"""Keep marks beside each record, the kind of service that is waited for, and populations of wards.

By marks a list is compared with the children here, unopened. They are made under the key of blind
indexes, so they go with a child's key as those do. Facts are made anew for everybody: those of waits
say for which service from now on, those of lists whether somebody is on another one as well.
"""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"
NOW = "NULLIF(current_setting('panel.now', true), '')::timestamptz"
REACHABLE = (
    "CREATE POLICY reachable ON child_mark USING ((SELECT true FROM child_access a"
    f" WHERE a.child_id = child_mark.child_id AND a.viewer_id = {VIEWER}"
    f" AND a.valid_from <= {NOW} AND a.valid_until >= {NOW}))"
)
UNFOUND = """
CREATE OR REPLACE FUNCTION no_longer_found() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = "{schema}", pg_temp AS $$
BEGIN
  DELETE FROM child_index WHERE child_id = NEW.holder_id;{also}
  RETURN NULL;
END $$
"""
# A list ends the one before it, so it changes what is said of those, too, who were on that alone.
EVERYBODY = """
CREATE OR REPLACE FUNCTION touch_everybody() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = "{schema}", pg_temp AS $$
BEGIN
  INSERT INTO insight_touched (id, child_id) SELECT gen_random_uuid(), e.id FROM ({rows}) e;
  RETURN NULL;
END $$
"""
OF_HERE = "SELECT id FROM child"
OF_ALL = f"{OF_HERE} UNION SELECT person_id FROM listed_child"
WHEN = sa.DateTime(timezone=True)
MARKS = "\n  DELETE FROM child_mark WHERE child_id = NEW.holder_id;"


def this_schema() -> str:
    """The authority's schema; "authority" where the SQL is only printed."""
    if op.get_context().as_sql:
        return "authority"
    found: str = op.get_bind().execute(sa.text("SELECT current_schema()")).scalar_one()
    return found


def upgrade() -> None:
    """Make the table, fence it as blind indexes are, and have it follow an erasure."""
    op.create_table(
        "child_mark",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("marks", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_child_mark_child_id")),
        sa.PrimaryKeyConstraint("child_id", name=op.f("pk_child_mark")),
    )
    op.execute("ALTER TABLE child_mark ENABLE ROW LEVEL SECURITY")
    op.execute(REACHABLE)
    op.execute("GRANT SELECT, INSERT, UPDATE ON child_mark TO panel_app")
    op.execute(UNFOUND.format(schema=this_schema(), also=MARKS))
    op.add_column("fact_wait", sa.Column("kind", sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "fact_coverage",
        sa.Column("elsewhere", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.execute(
        f"INSERT INTO insight_touched (id, child_id) SELECT gen_random_uuid(), e.id FROM ({OF_ALL}) e"
    )
    op.execute(EVERYBODY.format(schema=this_schema(), rows=OF_ALL))
    op.create_table(
        "area_population",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ward_code", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area_population")),
        sa.CheckConstraint("children >= 0", name=op.f("ck_area_population_children")),
    )
    op.create_index("uq_area_population", "area_population", ["ward_code", "year"], unique=True)
    # Figures of others are brought in and read by scheduled work alone: what is expected of a ward
    # is made of them.
    op.execute("ALTER TABLE area_population ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scheduled ON area_population USING ({VIEWER} = {JOB})")
    op.execute("GRANT SELECT, INSERT, UPDATE ON area_population TO panel_app")


def downgrade() -> None:
    """Take them away; nothing is compared until they are made anew."""
    op.execute(EVERYBODY.format(schema=this_schema(), rows=OF_HERE))
    op.drop_table("area_population")
    op.drop_column("fact_coverage", "elsewhere")
    op.drop_column("fact_wait", "kind")
    op.execute(UNFOUND.format(schema=this_schema(), also=""))
    op.drop_table("child_mark")
