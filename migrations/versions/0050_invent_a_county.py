"""Children who were invented for figures alone: the demonstration's county, beside its records.

What is said of them stands here as the rooms would say it, and goes the way of all facts. The
application reads it as scheduled work and can add nothing: rows come from the owner of the
database, as `panel demo` puts them into a database that holds no real authority.
"""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"


def this_schema() -> str:
    """The authority's schema; "authority" where the SQL is only printed."""
    if op.get_context().as_sql:
        return "authority"
    found: str = op.get_bind().execute(sa.text("SELECT current_schema()")).scalar_one()
    return found


def upgrade() -> None:
    """Make the table, fence it, and have facts follow it."""
    op.create_table(
        "invented_child",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invented_child")),
    )
    op.execute("ALTER TABLE invented_child ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scheduled ON invented_child FOR SELECT USING ({VIEWER} = {JOB})")
    op.execute("GRANT SELECT ON invented_child TO panel_app")
    op.execute(f"""
CREATE FUNCTION touch_invented() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = "{this_schema()}", pg_temp AS $$
BEGIN
  INSERT INTO insight_touched (id, child_id) SELECT gen_random_uuid(), id FROM came;
  RETURN NULL;
END $$
""")
    op.execute("REVOKE EXECUTE ON FUNCTION touch_invented() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER touched_by_insert AFTER INSERT ON invented_child"
        " REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION touch_invented()"
    )


def downgrade() -> None:
    """Take the county away; its facts go when they are made anew."""
    op.drop_table("invented_child")
    op.execute("DROP FUNCTION touch_invented()")
