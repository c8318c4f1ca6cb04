"""Requests about one's own data with their copies and corrections; holds and disposal lists.

An open request ties the information governance lead to the child, and a part that is to be left out
for serious harm ties the Caldicott guardian, until the second look is over. What stands on these
tables is for those who answer for the use of records; the family member who asks sees their own
request and the copy made for them.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
JOB = "00000000-0000-7000-8000-000000000001"
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
LEAD = "ARRAY['governance_lead']"
ANSWERING = "ARRAY['governance_lead', 'caldicott_guardian', 'safeguarding_lead']"
REACHABLE = (
    "(SELECT true FROM child_access a WHERE a.child_id = {table}.child_id AND"
    " a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz)"
)

REQUEST_TIE = """
CREATE VIEW request_tie WITH (security_invoker = true) AS
SELECT q.child_id, r.worker_id AS viewer_id, 'governance'::text AS tie, r.worker_id AS who,
       GREATEST(q.received_on, r.from_on) AS from_on, LEAST(q.answered_on, r.until_on) AS until_on,
       NULL::text[] AS categories
  FROM right_request q JOIN worker_role r ON r.role = 'governance_lead'
UNION ALL
SELECT d.child_id, r.worker_id, 'safeguarding', r.worker_id,
       GREATEST((d.decided_at AT TIME ZONE 'Europe/London')::date, r.from_on), r.until_on, NULL
  FROM redaction d
  JOIN worker_role r ON r.role IN ('caldicott_guardian', 'safeguarding_lead')
                    AND r.worker_id <> d.decided_by
 WHERE d.takes_out AND d.exemption = 'serious_harm' AND d.second_at IS NULL
"""
# The view of ties is written anew from what it is, so that what other migrations put in stays.
ADD_TIE = """
DO $$ BEGIN
  EXECUTE 'CREATE OR REPLACE VIEW review_tie WITH (security_invoker = true) AS '
    || rtrim(pg_get_viewdef('review_tie'::regclass), ';')
    || ' UNION ALL SELECT request_tie.child_id, request_tie.viewer_id, request_tie.tie,'
    || ' request_tie.who, request_tie.from_on, request_tie.until_on, request_tie.categories'
    || ' FROM request_tie';
END $$
"""
TAKE_TIE = r"""
DO $$ BEGIN
  EXECUTE 'CREATE OR REPLACE VIEW review_tie WITH (security_invoker = true) AS '
    || regexp_replace(rtrim(pg_get_viewdef('review_tie'::regclass), ';'),
                      '\s*UNION ALL\s+SELECT request_tie\.child_id.*$', '');
END $$
"""
# A lead is tied to nobody before there is a request: a reference alone finds the record for it.
FIND = """
CREATE FUNCTION child_for_governance(p_reference text) RETURNS uuid LANGUAGE plpgsql
SECURITY DEFINER SET search_path = "{schema}", pg_temp AS $$
BEGIN
  IF NOT answers_for_use({lead}) THEN
    RAISE EXCEPTION 'only the information governance lead finds a record so'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN (SELECT id FROM child WHERE reference = p_reference);
END $$
"""


def this_schema() -> str:
    """The authority's schema; "authority" where the SQL is only printed."""
    if op.get_context().as_sql:
        return "authority"
    found: str = op.get_bind().execute(text("SELECT current_schema()")).scalar_one()
    return found


def table(name: str, *columns: sa.schema.SchemaItem, of_child: bool = True) -> None:
    """A table with what every row has, its index and its trigger."""
    child = [sa.Column("child_id", sa.Uuid(), nullable=False)] if of_child else []
    key = (
        [sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f(f"fk_{name}_child_id"))]
        if of_child
        else []
    )
    op.create_table(
        name,
        *columns,
        *child,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        *key,
    )
    if of_child:
        op.create_index(op.f(f"ix_{name}_child_id"), name, ["child_id"])
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {name}"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )


def sealed(*names: str) -> list[sa.Column[bytes]]:
    """Sealed columns."""
    return [sa.Column(name, sa.LargeBinary(), nullable=True) for name in names]


def codes(name: str, column: str, values: Sequence[str]) -> sa.CheckConstraint:
    """One of these."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{name}_{column}"))


def link(name: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    """A column that names a row of another of these tables."""
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{name}_{column}"))


def make_rights() -> None:
    """Requests, copies, redactions, corrections, restrictions."""
    table(
        "right_request",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        *sealed("who", "about", "proof", "extended_why", "outcome_why"),
        sa.Column("asker_id", sa.Uuid(), nullable=True),
        sa.Column("stops", postgresql.JSONB(), nullable=False),
        sa.Column("extended_on", sa.Date(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        codes("right_request", "kind", ("access", "rectification", "restriction", "objection")),
        codes("right_request", "outcome", ("done", "done_in_part", "refused", "withdrawn")),
    )
    op.create_index(
        "ix_right_request_open",
        "right_request",
        ["received_on"],
        postgresql_where=sa.text("answered_on IS NULL"),
    )
    table(
        "access_file",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("asker_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("for_lead", sa.Uuid(), nullable=False),
        sa.Column("gathered_at", WHEN, nullable=True),
        *sealed("pieces", "made"),
        sa.Column("handed_out_at", WHEN, nullable=True),
        sa.Column("handed_out_by", sa.Uuid(), nullable=True),
        codes("access_file", "state", ("asked", "gathered", "ready", "handed_out")),
        link("access_file", "request_id", "right_request"),
    )
    op.create_index("uq_access_file_number", "access_file", ["request_id", "number"], unique=True)
    table(
        "redaction",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("piece", sa.Text(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=True),
        sa.Column("end", sa.Integer(), nullable=True),
        *sealed("words", "reason", "second_note"),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("must_go", sa.Boolean(), nullable=False),
        sa.Column("takes_out", sa.Boolean(), nullable=True),
        sa.Column("exemption", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", WHEN, nullable=True),
        sa.Column("second_agrees", sa.Boolean(), nullable=True),
        sa.Column("second_by", sa.Uuid(), nullable=True),
        sa.Column("second_at", WHEN, nullable=True),
        codes(
            "redaction",
            "exemption",
            ("somebody_else", "protected", "serious_harm", "expected", "legal"),
        ),
        link("redaction", "file_id", "access_file"),
    )
    op.create_index("ix_redaction_file", "redaction", ["file_id", "id"])
    table(
        "correction",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        *sealed("asked", "before", "after", "reason", "statement"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("row_id", sa.Uuid(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        codes("correction", "state", ("asked", "corrected", "refused")),
        link("correction", "request_id", "right_request"),
    )
    table(
        "processing_restriction",
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        *sealed("why", "ended_why"),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
    )
    op.create_index(
        "uq_processing_restriction_running",
        "processing_restriction",
        ["child_id"],
        unique=True,
        postgresql_where=sa.text("ended_on IS NULL"),
    )


def make_retention() -> None:
    """Holds and disposal lists."""
    table(
        "legal_hold",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        *sealed("why", "released_why"),
        sa.Column("released_on", sa.Date(), nullable=True),
        sa.Column("released_by", sa.Uuid(), nullable=True),
    )
    op.create_index(
        "uq_legal_hold_running",
        "legal_hold",
        ["child_id"],
        unique=True,
        postgresql_where=sa.text("released_on IS NULL"),
    )
    table(
        "disposal_list",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("proposed_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.Column("reviewed_at", WHEN, nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", WHEN, nullable=True),
        sa.Column("done_at", WHEN, nullable=True),
        codes("disposal_list", "state", ("proposed", "reviewed", "approved", "done")),
        sa.CheckConstraint("approved_by <> reviewed_by", name=op.f("ck_disposal_list_two_people")),
        of_child=False,
    )
    op.create_index("uq_disposal_list_number", "disposal_list", ["number"], unique=True)
    table(
        "disposal_line",
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("closure_reason", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("keep_why", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("refused_why", sa.Text(), nullable=False),
        sa.Column("holders", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("done_at", WHEN, nullable=True),
        codes("disposal_line", "decision", ("dispose", "keep")),
        codes("disposal_line", "outcome", ("destroyed", "refused")),
        link("disposal_line", "list_id", "disposal_list"),
    )
    op.create_index("uq_disposal_line_child", "disposal_line", ["list_id", "child_id"], unique=True)


def fence(name: str, reads: str, writes: str) -> None:
    """Who reads a table, and who adds to it and changes it. Nobody deletes."""
    op.execute(f"CREATE POLICY reading ON {name} FOR SELECT USING ({reads})")
    op.execute(f"CREATE POLICY adding ON {name} FOR INSERT WITH CHECK ({writes})")
    op.execute(f"CREATE POLICY changing ON {name} FOR UPDATE USING ({writes})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {name} TO panel_app")


def upgrade() -> None:
    """Make the tables, fence them, and tie whoever answers a request."""
    make_rights()
    make_retention()
    job = f"{VIEWER} = '{JOB}'::uuid"
    leads = f"{job} OR (SELECT answers_for_use({LEAD}))"
    answering = f"{job} OR (SELECT answers_for_use({ANSWERING}))"
    fence(
        "right_request",
        f"{answering} OR asker_id = {VIEWER}",
        f"{leads} OR asker_id = {VIEWER}",
    )
    fence("access_file", f"{answering} OR asker_id = {VIEWER}", f"{leads} OR asker_id = {VIEWER}")
    fence("redaction", answering, answering)
    for name in ("correction", "processing_restriction"):
        reachable = REACHABLE.format(table=name)
        fence(name, f"{reachable} OR {answering}", f"{reachable} OR {leads}")
    fence("legal_hold", answering, leads)
    fence("disposal_list", answering, answering)
    fence("disposal_line", answering, answering)
    for name, column, to in (
        ("access_file", "request_id", "right_request"),
        ("redaction", "file_id", "access_file"),
    ):
        op.execute(
            f"CREATE TRIGGER same_child_{column} AFTER INSERT OR UPDATE OF {column}, child_id"
            f" ON {name} FOR EACH ROW EXECUTE FUNCTION of_the_same_child('{column}', '{to}')"
        )
    op.execute(
        "CREATE TRIGGER same_child_request_id AFTER INSERT OR UPDATE OF request_id, child_id"
        " ON correction FOR EACH ROW"
        " EXECUTE FUNCTION of_the_same_child('request_id', 'right_request')"
    )
    op.execute(REQUEST_TIE)
    op.execute("GRANT SELECT ON request_tie TO panel_app")
    op.execute(ADD_TIE)
    op.execute(FIND.format(schema=this_schema(), lead=LEAD))
    op.execute("REVOKE EXECUTE ON FUNCTION child_for_governance(text) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION child_for_governance(text) TO panel_app")


def downgrade() -> None:
    """Take it all away, with every request, copy, hold and list."""
    op.execute("DROP FUNCTION child_for_governance(text)")
    op.execute(TAKE_TIE)
    op.execute("DROP VIEW request_tie")
    for name in (
        "disposal_line",
        "disposal_list",
        "legal_hold",
        "processing_restriction",
        "correction",
        "redaction",
        "access_file",
        "right_request",
    ):
        op.drop_table(name)
