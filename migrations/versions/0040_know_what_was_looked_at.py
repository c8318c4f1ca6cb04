"""How far what entries were is kept already, and whose rows were written since.

The mark names the oldest transaction that was not over when everything was last gone through, and
the transaction that wrote the mark itself: after a restore that is another one, and everything is
looked at again.

Rows know which transaction wrote them (xmin), in 32 bits, of which half are the past; what was
written in a savepoint has a later number than its transaction, never an earlier one. Both numbers
are compared by how long ago they are.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

NAME = "version_pass"
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
OF_CHILDREN = (
    "action",
    "agenda_item",
    "assessment",
    "desired_outcome",
    "episode",
    "family_link",
    "family_note",
    "involvement",
    "lead_professional",
    "note_delivery",
    "outcome_progress",
    "plan",
    "record_change",
    "sender_version",
    "service_request",
    "sharing_agreement",
)
"""Children's tables that decide which entries systems are told, and when these changed."""


def this_schema() -> str:
    """The authority's schema; "authority" where the SQL is only printed."""
    if op.get_context().as_sql:
        return "authority"
    found: str = op.get_bind().execute(text("SELECT current_schema()")).scalar_one()
    return found


def written(alias: str) -> str:
    """Whether a row was written by a transaction that was not over at the mark."""
    return f"age({alias}.xmin) <= (SELECT m.ago FROM mark m)"


def children_written() -> str:
    """The function's query: each table is gone through without its fence, for two columns alone."""
    parts = [f"SELECT x.child_id FROM {table} x WHERE {written('x')}" for table in OF_CHILDREN]
    parts += [
        f"SELECT c.id FROM child c WHERE {written('c')}",
        "SELECT l.child_id FROM family_member f JOIN family_link l ON l.family_member_id = f.id"
        f" WHERE {written('f')}",
        "SELECT i.child_id FROM meeting t JOIN agenda_item i ON i.meeting_id = t.id"
        f" WHERE {written('t')}",
        # Whom scheduled work could not reach before, it has not seen.
        f"SELECT a.child_id FROM child_access a WHERE a.viewer_id = {JOB} AND {written('a')}",
        # An authority's council is who an episode is with: before there is one, none is told.
        f"SELECT c.id FROM child c WHERE EXISTS (SELECT FROM agency g WHERE g.kind = 'council'"
        f" AND {written('g')})",
    ]
    return (
        "WITH mark AS MATERIALIZED"
        " (SELECT age((since % 4294967296)::text::xid) AS ago)"
        f" SELECT w.child_id FROM ({' UNION '.join(parts)}) w"
    )


def upgrade() -> None:
    """Make the table and the function; both are scheduled work's alone."""
    op.create_table(
        NAME,
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("written_by", sa.BigInteger(), nullable=False),
        sa.Column("queries", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f(f"pk_{NAME}")),
    )
    op.execute(f"ALTER TABLE {NAME} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY all_{NAME} ON {NAME} FOR ALL USING ({VIEWER} = {JOB})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {NAME} TO panel_app")
    op.execute(
        "CREATE FUNCTION children_written(since bigint) RETURNS SETOF uuid LANGUAGE plpgsql STABLE"
        f' SECURITY DEFINER SET search_path = "{this_schema()}", pg_temp AS $$ BEGIN'
        f" IF {VIEWER} IS DISTINCT FROM {JOB} THEN"
        " RAISE EXCEPTION 'this is for scheduled work' USING ERRCODE = 'insufficient_privilege';"
        f" END IF; RETURN QUERY {children_written()}; END $$"
    )
    op.execute("REVOKE EXECUTE ON FUNCTION children_written(bigint) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION children_written(bigint) TO panel_app")


def downgrade() -> None:
    """Take them away: everything is looked at each time."""
    op.execute("DROP FUNCTION children_written(bigint)")
    op.drop_table(NAME)
