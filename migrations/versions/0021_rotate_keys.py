"""Keys have generations, a rotation says how far it is, and an erasure has a certificate."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
JOB = "00000000-0000-7000-8000-000000000001"
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
ANSWERING = "ARRAY['governance_lead', 'caldicott_guardian', 'safeguarding_lead']"

# What was destroyed stays so, whoever writes: a restored row cannot be put back by the site.
STAYS = """
CREATE FUNCTION stays_destroyed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.destroyed_at IS NOT NULL AND (NEW.wrapped IS NOT NULL OR NEW.destroyed_at IS NULL) THEN
    RAISE EXCEPTION 'a destroyed key does not come back' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
# Blind indexes are made with another key, so they would go on telling whom a guess is about.
UNFOUND = """
CREATE FUNCTION no_longer_found() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = "{schema}", pg_temp AS $$
BEGIN
  DELETE FROM child_index WHERE child_id = NEW.holder_id;
  RETURN NULL;
END $$
"""


def this_schema() -> str:
    """The authority's schema; "authority" where the SQL is only printed."""
    if op.get_context().as_sql:
        return "authority"
    found: str = op.get_bind().execute(text("SELECT current_schema()")).scalar_one()
    return found


def upgrade() -> None:
    """Make the tables; the serving role adds certificates and destroys keys, and no more."""
    op.create_table(
        "authority_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authority_key")),
    )
    op.create_index("uq_authority_key_generation", "authority_key", ["generation"], unique=True)
    op.create_table(
        "key_rotation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("after_id", sa.Uuid(), nullable=True),
        sa.Column("holders", sa.Integer(), nullable=False),
        sa.Column("texts", sa.Integer(), nullable=False),
        sa.Column("started_at", WHEN, nullable=False),
        sa.Column("finished_at", WHEN, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_rotation")),
        sa.CheckConstraint("kind IN ('authority', 'data')", name=op.f("ck_key_rotation_kind")),
    )
    op.create_index(
        "uq_key_rotation_open",
        "key_rotation",
        ["kind"],
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "erasure_certificate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("certificate", postgresql.JSONB(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_certificate")),
    )
    op.create_index(
        "uq_erasure_certificate_holder", "erasure_certificate", ["holder_id"], unique=True
    )
    op.execute("GRANT SELECT ON authority_key, key_rotation TO panel_app")
    op.execute("ALTER TABLE erasure_certificate ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY answering ON erasure_certificate FOR SELECT"
        f" USING ({VIEWER} = '{JOB}'::uuid OR (SELECT answers_for_use({ANSWERING})))"
    )
    op.execute(
        "CREATE POLICY carried_out ON erasure_certificate FOR INSERT"
        f" WITH CHECK ({VIEWER} = '{JOB}'::uuid)"
    )
    op.execute("GRANT SELECT, INSERT ON erasure_certificate TO panel_app")
    op.execute("REVOKE UPDATE, DELETE ON data_key FROM panel_app")
    op.execute("GRANT UPDATE (wrapped, destroyed_at) ON data_key TO panel_app")
    op.execute(STAYS)
    op.execute(UNFOUND.format(schema=this_schema()))
    op.execute("REVOKE EXECUTE ON FUNCTION stays_destroyed(), no_longer_found() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER stays_destroyed BEFORE UPDATE ON data_key"
        " FOR EACH ROW EXECUTE FUNCTION stays_destroyed()"
    )
    op.execute(
        "CREATE TRIGGER no_longer_found AFTER UPDATE OF wrapped ON data_key FOR EACH ROW"
        " WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL)"
        " EXECUTE FUNCTION no_longer_found()"
    )
    for table in ("authority_key", "key_rotation", "erasure_certificate"):
        op.execute(
            f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
        )


def downgrade() -> None:
    """Take it all away. What a later key wraps could never be opened again, so that is refused."""
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT FROM authority_key) THEN RAISE EXCEPTION"
        " 'keys were rotated: without their table nothing could be opened'; END IF; END $$"
    )
    op.execute("DROP TRIGGER no_longer_found ON data_key")
    op.execute("DROP TRIGGER stays_destroyed ON data_key")
    op.execute("DROP FUNCTION no_longer_found()")
    op.execute("DROP FUNCTION stays_destroyed()")
    op.execute("GRANT UPDATE, DELETE ON data_key TO panel_app")
    for table in ("erasure_certificate", "key_rotation", "authority_key"):
        op.drop_table(table)
