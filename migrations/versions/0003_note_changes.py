"""Note which transactions wrote facts, so that what was read can be known to be still so."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NO_FACTS = (
    "access_event",
    "fact_change",
    "form_post",
    "job_run",
    "migrated",
    "outbox_message",
    "sign_in_link",
    "web_session",
)
"""Tables that no page about a child or a panel is made from."""


def noted(table: str) -> str:
    """The statement by which a table's writes are noted; every new table of facts needs it."""
    return (
        f'CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "{table}"'
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )


def this_schema() -> str:
    """The authority's schema; "authority" where the SQL is only printed."""
    if op.get_context().as_sql:
        return "authority"
    found: str = op.get_bind().execute(text("SELECT current_schema()")).scalar_one()
    return found


def upgrade() -> None:
    """One row a transaction, put in by triggers with the owner's rights."""
    schema = this_schema()
    op.create_table(
        "fact_change",
        sa.Column("transaction", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("transaction", name=op.f("pk_fact_change")),
    )
    op.execute(f"""
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = "{schema}", pg_temp AS $$
BEGIN
  INSERT INTO fact_change (transaction, at)
  VALUES (pg_current_xact_id()::text::bigint, now()) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$
""")
    op.execute(f"""
CREATE FUNCTION forget_changes() RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = "{schema}", pg_temp AS $$
  DELETE FROM fact_change WHERE at < now() - interval '1 day'
$$
""")
    op.execute("REVOKE EXECUTE ON FUNCTION note_change(), forget_changes() FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION forget_changes() TO panel_app")
    op.execute("GRANT SELECT ON fact_change TO panel_app")
    if op.get_context().as_sql:
        op.execute(noted("child"))
        return
    tables = op.get_bind().execute(
        text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1")
    )
    for table in tables.scalars().all():
        if table not in NO_FACTS:
            op.execute(noted(table))


def downgrade() -> None:
    """Note nothing any more."""
    op.execute("DROP FUNCTION note_change() CASCADE")
    op.execute("DROP FUNCTION forget_changes()")
    op.drop_table("fact_change")
