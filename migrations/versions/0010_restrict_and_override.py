"""Ends and reviews of what sharing is decided by, former names, and agreements of agencies.

A record that is sealed from somebody by name is out of their reach altogether: `child_cut` says
from when, and `access_due`, which the functions write into `child_access`, leaves those days out.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
UUIDS = postgresql.ARRAY(postgresql.UUID(as_uuid=True))
TEXTS = postgresql.ARRAY(sa.Text())
ENDED = ("sharing_restriction", "sharing_order", "sharing_enquiry")
TABLES = ("agencies_agreement", "former_identity", "override_attempt")
OVERRIDE = (
    "author_id", "kept_from_family", "family_risk", "review_by", "reviewed_at", "reviewed_by",
    "justified", "review_note", "steps", "closed_on",
)  # fmt: skip
VIEWER_NOW = (
    "a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz"
)

# Whom a sealed record, or a court that forbids everything, keeps out by name for good. One with an
# end is left to `consent.decide`: a row of child_access is one stretch of time without a gap.
CHILD_CUT = """
CREATE VIEW child_cut WITH (security_invoker = true) AS
SELECT child_id, unnest(against) AS who, from_on, true AS yields_to_a_court
  FROM sharing_restriction
 WHERE kind = 'protection' AND cardinality(categories) = 0 AND until_on IS NULL
UNION ALL
SELECT child_id, unnest("to"), from_on, false
  FROM sharing_order
 WHERE NOT permits AND cardinality(categories) = 0 AND until_on IS NULL
"""

# Whoever reviews overrides reaches a child while one of theirs waits, and four weeks more where it
# was not justified, to see to what follows.
REVIEW_TIE = """
CREATE VIEW review_tie WITH (security_invoker = true) AS
SELECT o.child_id, r.worker_id AS viewer_id, 'safeguarding'::text AS tie, r.worker_id AS who,
       GREATEST((o.starts_at AT TIME ZONE 'Europe/London')::date, r.from_on) AS from_on,
       LEAST(r.until_on, (o.reviewed_at AT TIME ZONE 'Europe/London')::date
                         + CASE WHEN o.justified THEN 0 ELSE 28 END) AS until_on,
       NULL::text[] AS categories
  FROM sharing_override o
  JOIN worker_role r ON r.role IN ('caldicott_guardian', 'safeguarding_lead')
                    AND r.worker_id <> o.to_id
 WHERE o.review_by IS NOT NULL
"""

_TIES = "child_id, viewer_id, tie, who, from_on, until_on, categories"

# What `child_access` is to hold. An override ends at a moment, so whoever has nothing but that
# loses the record at that moment.
ACCESS_DUE = f"""
CREATE VIEW access_due WITH (security_invoker = true) AS
SELECT child_id, viewer_id,
       CASE WHEN bool_or(from_on IS NULL) THEN '-infinity'
            ELSE min(from_on)::timestamp AT TIME ZONE 'Europe/London' END AS valid_from,
       CASE WHEN bool_or(last_on IS NULL) THEN 'infinity'
            ELSE max(LEAST(over_at, (last_on + 1)::timestamp AT TIME ZONE 'Europe/London'))
                 - interval '1 microsecond' END AS valid_until,
       COALESCE(jsonb_agg(jsonb_build_object('tie', tie, 'who', who, 'from', from_on,
                'until', until_on, 'categories', categories))
                FILTER (WHERE tie NOT IN ('job', 'offer', 'named')), '[]') AS ties
  FROM (
    SELECT t.*, LEAST(t.until_on, cut.from_on - 1) AS last_on, cut.from_on AS cut_on,
           CASE WHEN t.tie = 'named' AND NOT ordered.is_so THEN (
             SELECT max(o.ends_at) FROM sharing_override o
              WHERE o.child_id = t.child_id AND o.to_id IN (t.viewer_id, acts.agency_id))
           END AS over_at
      FROM (SELECT {_TIES} FROM child_tie UNION ALL SELECT {_TIES} FROM review_tie) t
     CROSS JOIN LATERAL (
       SELECT COALESCE((SELECT w.agency_id FROM worker w WHERE w.id = t.viewer_id),
                       (SELECT g.agency_id FROM guest_link g WHERE g.id = t.viewer_id))
              AS agency_id) acts
     CROSS JOIN LATERAL (
       SELECT EXISTS (SELECT 1 FROM sharing_order o WHERE o.child_id = t.child_id AND o.permits
                         AND (t.viewer_id = ANY (o."to") OR acts.agency_id = ANY (o."to")))
              AS is_so) ordered
     CROSS JOIN LATERAL (
       SELECT min(c.from_on) AS from_on FROM child_cut c
        WHERE c.child_id = t.child_id AND c.who IN (t.viewer_id, acts.agency_id)
          AND NOT (c.yields_to_a_court AND ordered.is_so)) cut
  ) tied
 WHERE cut_on IS NULL OR from_on IS NULL OR from_on < cut_on
 GROUP BY child_id, viewer_id
"""
WRITTEN = """
INSERT INTO child_access (child_id, viewer_id, valid_from, valid_until, ties)
SELECT child_id, viewer_id, valid_from, valid_until, ties FROM access_due WHERE {where}
ON CONFLICT (child_id, viewer_id) DO UPDATE
   SET valid_from = EXCLUDED.valid_from, valid_until = EXCLUDED.valid_until,
       ties = EXCLUDED.ties
"""
BEFORE = """
INSERT INTO child_access (child_id, viewer_id, valid_from, valid_until, ties)
SELECT child_id, viewer_id,
       CASE WHEN bool_or(from_on IS NULL) THEN '-infinity'
            ELSE min(from_on)::timestamp AT TIME ZONE 'Europe/London' END,
       CASE WHEN bool_or(until_on IS NULL) THEN 'infinity'
            ELSE ((max(until_on) + 1)::timestamp AT TIME ZONE 'Europe/London')
                 - interval '1 microsecond' END,
       COALESCE(jsonb_agg(jsonb_build_object('tie', tie, 'who', who, 'from', from_on,
                'until', until_on, 'categories', categories))
                FILTER (WHERE tie NOT IN ('job', 'offer', 'named')), '[]')
  FROM child_tie WHERE {where}
 GROUP BY child_id, viewer_id
ON CONFLICT (child_id, viewer_id) DO UPDATE
   SET valid_from = EXCLUDED.valid_from, valid_until = EXCLUDED.valid_until,
       ties = EXCLUDED.ties
"""


def access_functions(schema: str, written: str) -> tuple[str, ...]:
    """The functions that write `child_access`, anew; who may run them stays as it is."""
    path = f'SECURITY DEFINER SET search_path = "{schema}", pg_temp'
    return (
        f"""
CREATE OR REPLACE FUNCTION rewrite_child_access(p_child uuid) RETURNS void
LANGUAGE plpgsql {path} AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(p_child::text, 0));
  DELETE FROM child_access WHERE child_id = p_child;
  {written.format(where="child_id = p_child")};
END $$
""",
        f"""
CREATE OR REPLACE FUNCTION rewrite_viewer_access(p_viewer uuid) RETURNS void
LANGUAGE plpgsql {path} AS $$
BEGIN
  DELETE FROM child_access WHERE viewer_id = p_viewer;
  {written.format(where="viewer_id = p_viewer")};
END $$
""",
        f"""
CREATE OR REPLACE FUNCTION rewrite_all_access() RETURNS void
LANGUAGE plpgsql {path} AS $$
BEGIN
  DELETE FROM child_access;
  {written.format(where="true")};
END $$
""",
    )


def row(table: str) -> list[sa.schema.SchemaItem]:
    """The columns that every row has."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def this_schema() -> str:
    """The authority's schema; "authority" where the SQL is only printed."""
    if op.get_context().as_sql:
        return "authority"
    found: str = op.get_bind().execute(text("SELECT current_schema()")).scalar_one()
    return found


def ended() -> list[sa.Column[object]]:
    """When something ended, by whom, and why (sealed)."""
    return [
        sa.Column("ended_at", WHEN, nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_why", sa.LargeBinary(), nullable=True),
    ]


def add_columns() -> None:
    """What the tables of sharing still lacked."""
    for table in ENDED:
        for column in ended():
            op.add_column(table, column)
    op.add_column("sharing_restriction", sa.Column("by_person_id", sa.Uuid(), nullable=True))
    op.add_column("sharing_order", sa.Column("reason", sa.LargeBinary(), nullable=True))
    op.add_column("sharing_enquiry", sa.Column("reason", sa.LargeBinary(), nullable=True))
    for column in (
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("kept_from_family", sa.Boolean(), nullable=True),
        sa.Column("family_risk", sa.LargeBinary(), nullable=True),
        sa.Column("review_by", sa.Date(), nullable=True),
        sa.Column("reviewed_at", WHEN, nullable=True),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.Column("justified", sa.Boolean(), nullable=True),
        sa.Column("review_note", sa.LargeBinary(), nullable=True),
        sa.Column("steps", postgresql.JSONB(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
    ):
        op.add_column("sharing_override", column)


def make_tables() -> None:
    """Former names, what agencies agreed with each other, and overrides that opened nothing."""
    op.create_table(
        "former_identity",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("given_name", sa.LargeBinary(), nullable=True),
        sa.Column("family_name", sa.LargeBinary(), nullable=True),
        sa.Column("nhs_number", sa.LargeBinary(), nullable=True),
        sa.Column("open_to", UUIDS, nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        *ended(),
        *row("former_identity"),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_former_identity_child_id")
        ),
    )
    op.create_index(op.f("ix_former_identity_child_id"), "former_identity", ["child_id"])
    op.create_table(
        "agencies_agreement",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("parties", UUIDS, nullable=False),
        sa.Column("categories", TEXTS, nullable=False),
        sa.Column("purposes", TEXTS, nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        *row("agencies_agreement"),
    )
    op.create_index(
        op.f("uq_agencies_agreement_agreement_id_number"),
        "agencies_agreement",
        ["agreement_id", "number"],
        unique=True,
    )
    op.create_table(
        "override_attempt",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        *row("override_attempt"),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_override_attempt_worker_id")
        ),
    )
    op.create_index(op.f("ix_override_attempt_worker_id"), "override_attempt", ["worker_id"])


def upgrade() -> None:
    """Add, fence, and write `child_access` with what is cut and what is reviewed."""
    schema = this_schema()
    add_columns()
    make_tables()
    op.execute("ALTER TABLE former_identity ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY reachable ON former_identity USING ((SELECT true FROM child_access a"
        f" WHERE a.child_id = former_identity.child_id AND {VIEWER_NOW}))"
    )
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO panel_app")
        op.execute(
            f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
        )
    op.execute(CHILD_CUT)
    op.execute(REVIEW_TIE)
    op.execute(ACCESS_DUE)
    op.execute("GRANT SELECT ON child_cut, review_tie, access_due TO panel_app")
    for statement in access_functions(schema, WRITTEN):
        op.execute(statement)


def downgrade() -> None:
    """Take them away again; who may reach whom is written without them from then on."""
    for statement in access_functions(this_schema(), BEFORE):
        op.execute(statement)
    op.execute("DROP VIEW access_due")
    op.execute("DROP VIEW review_tie")
    op.execute("DROP VIEW child_cut")
    for table in TABLES:
        op.drop_table(table)
    for column in OVERRIDE:
        op.drop_column("sharing_override", column)
    op.drop_column("sharing_enquiry", "reason")
    op.drop_column("sharing_order", "reason")
    op.drop_column("sharing_restriction", "by_person_id")
    for table in ENDED:
        for column in ("ended_at", "ended_by", "ended_why"):
            op.drop_column(table, column)
