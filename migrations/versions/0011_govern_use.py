"""What the information governance lead works with: searches, unusual patterns, documents.

The history of looks stays fenced for everybody. Whoever answers for its use reads it through one
function, which refuses everybody else and writes down each search that it answers.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
JOB = "00000000-0000-7000-8000-000000000001"
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
NOW = "NULLIF(current_setting('panel.now', true), '')::timestamptz"

LEAD = "ARRAY['governance_lead']"
ANSWERING = "ARRAY['governance_lead', 'caldicott_guardian', 'safeguarding_lead']"

TO_ONE_CHILD = (
    ("action", "outcome_id", "desired_outcome"),
    ("action", "plan_id", "plan"),
    ("desired_outcome", "plan_id", "plan"),
    ("document_content", "document_id", "document"),
    ("guest_link", "agenda_item_id", "agenda_item"),
    ("incident", "note_id", "family_note"),
    ("note_answer", "note_id", "family_note"),
    ("note_delivery", "note_id", "family_note"),
    ("outcome_progress", "outcome_id", "desired_outcome"),
    ("section_answer", "assessment_id", "assessment"),
)
"""Columns of a child's table that name a row of another one: both are of the same child."""

INDEXES = (
    ("ix_access_event_at", ("at", "id"), None),
    ("ix_access_event_child_at", ("child_id", "at", "id"), None),
    ("ix_access_event_viewer_at", ("viewer_id", "at", "id"), None),
    ("ix_access_event_agency_at", ("agency_id", "at", "id"), None),
    ("ix_access_event_purpose_at", ("purpose", "at", "id"), None),
    # Few looks are refused; without these, an agency that has none is searched from end to end.
    *(
        (f"ix_access_event_refused_{of}at", columns, "jsonb_exists(decisions, 'refused')")
        for of, columns in (
            ("", ("at", "id")),
            ("viewer_", ("viewer_id", "at", "id")),
            ("agency_", ("agency_id", "at", "id")),
        )
    ),
)

# Every condition is added only where it is asked for, so that each question has a plan of its own.
SEARCH = """
CREATE FUNCTION search_access_history(
  p_search uuid, p_look uuid, p_asked jsonb, p_worker uuid, p_agency uuid, p_reference text,
  p_since timestamptz, p_before timestamptz, p_purpose text, p_refused boolean,
  p_at timestamptz, p_id uuid, p_back boolean, p_some integer)
RETURNS TABLE (id uuid, at timestamptz, child_id uuid, reference text, viewer_id uuid,
  viewer_kind text, agency_id uuid, purpose text, doing text, refused boolean, reached boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = "{schema}", pg_temp AS $$
DECLARE
  asked text := 'true';
  place text := ' ORDER BY e.at DESC, e.id DESC';
  child uuid;
  shown integer;
BEGIN
  IF NOT answers_for_use({lead}) THEN
    RAISE EXCEPTION 'only the information governance lead searches the history'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF p_reference IS NOT NULL THEN
    SELECT c.id INTO child FROM child c WHERE c.reference = p_reference;
    asked := asked || ' AND e.child_id = $3';
  END IF;
  IF p_worker IS NOT NULL THEN asked := asked || ' AND e.viewer_id = $1'; END IF;
  IF p_agency IS NOT NULL THEN asked := asked || ' AND e.agency_id = $2'; END IF;
  IF p_since IS NOT NULL THEN asked := asked || ' AND e.at >= $4'; END IF;
  IF p_before IS NOT NULL THEN asked := asked || ' AND e.at < $5'; END IF;
  IF p_purpose IS NOT NULL THEN asked := asked || ' AND e.purpose = $6'; END IF;
  IF p_refused THEN asked := asked || ' AND jsonb_exists(e.decisions, ''refused'')'; END IF;
  IF p_at IS NOT NULL AND p_back THEN
    asked := asked || ' AND (e.at, e.id) > ($7, $8)';
    place := ' ORDER BY e.at, e.id';
  ELSIF p_at IS NOT NULL THEN
    asked := asked || ' AND (e.at, e.id) < ($7, $8)';
  END IF;
  RETURN QUERY EXECUTE
    'WITH found AS (SELECT e.* FROM access_event e WHERE ' || asked || place || ' LIMIT $9)'
    ' SELECT e.id, e.at, e.child_id, c.reference, e.viewer_id, e.viewer_kind, e.agency_id,'
    ' e.purpose, e.doing, jsonb_exists(e.decisions, ''refused''), EXISTS (SELECT FROM child_access a'
    ' WHERE a.child_id = e.child_id AND a.viewer_id = $10 AND a.valid_from <= $11'
    ' AND a.valid_until >= $11)'
    ' FROM found e LEFT JOIN child c ON c.id = e.child_id' || place
    USING p_worker, p_agency, child, p_since, p_before, p_purpose, p_at, p_id, p_some,
      {viewer}, {now};
  GET DIAGNOSTICS shown = ROW_COUNT;
  INSERT INTO history_search (id, at, viewer_id, asked, shown)
  VALUES (p_search, {now}, {viewer}, p_asked, shown);
  IF child IS NOT NULL THEN
    INSERT INTO access_event
      (id, child_id, at, viewer_id, viewer_kind, agency_id, purpose, doing, decisions)
    SELECT p_look, child, {now}, {viewer}, 'worker', w.agency_id, 'governance',
      'searched the history of looks at this record', '{{}}'
      FROM worker w WHERE w.id = {viewer};
  END IF;
END $$
"""

ANSWERS = f"""
CREATE FUNCTION answers_for_use(p_roles text[]) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM worker_role r JOIN worker w ON w.id = r.worker_id
     WHERE r.worker_id = {VIEWER} AND r.role = ANY (p_roles)
       AND (r.from_on IS NULL OR r.from_on <= ({NOW} AT TIME ZONE 'Europe/London')::date)
       AND (r.until_on IS NULL OR r.until_on >= ({NOW} AT TIME ZONE 'Europe/London')::date)
       AND (w.from_on IS NULL OR w.from_on <= ({NOW} AT TIME ZONE 'Europe/London')::date)
       AND (w.until_on IS NULL OR w.until_on >= ({NOW} AT TIME ZONE 'Europe/London')::date))
$$
"""

# One statement under one snapshot: whoever writes facts writes access in the same transaction, so
# that what is compared belongs together however many write meanwhile.
COMPARE = """
CREATE FUNCTION compare_access() RETURNS TABLE (child_id uuid, reference text, viewer_id uuid, what text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = "{schema}", pg_temp AS $$
BEGIN
  IF {viewer} IS DISTINCT FROM '{job}'::uuid THEN
    RAISE EXCEPTION 'only scheduled work compares access' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN QUERY
  WITH should AS (SELECT d.* FROM access_due d)
  SELECT COALESCE(a.child_id, s.child_id), c.reference, COALESCE(a.viewer_id, s.viewer_id),
    CASE WHEN a.child_id IS NULL THEN 'missing' WHEN s.child_id IS NULL THEN 'too many'
         ELSE 'different' END
    FROM child_access a
    FULL JOIN should s ON s.child_id = a.child_id AND s.viewer_id = a.viewer_id
    LEFT JOIN child c ON c.id = COALESCE(a.child_id, s.child_id)
   WHERE a.child_id IS NULL OR s.child_id IS NULL OR a.valid_from <> s.valid_from
      OR a.valid_until <> s.valid_until
      OR ARRAY(SELECT t FROM jsonb_array_elements(s.ties) t ORDER BY t)
         <> ARRAY(SELECT t FROM jsonb_array_elements(a.ties) t ORDER BY t);
END $$
"""

# A foreign key is checked past the fences: it takes another child's row, seen or not. This looks as
# whoever writes does, and says the same of a row that is not there and of one they may not see.
SAME_CHILD = """
CREATE FUNCTION of_the_same_child() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  named uuid;
  found boolean;
BEGIN
  EXECUTE format('SELECT ($1).%I', TG_ARGV[0]) INTO named USING NEW;
  IF named IS NOT NULL THEN
    EXECUTE format('SELECT true FROM %I.%I WHERE id = $1 AND child_id = $2',
                   TG_TABLE_SCHEMA, TG_ARGV[1]) INTO found USING named, NEW.child_id;
    IF found IS NULL THEN
      RAISE EXCEPTION 'there is no such row of this child' USING ERRCODE = 'foreign_key_violation';
    END IF;
  END IF;
  RETURN NULL;
END $$
"""

AS_THE_OWNER = (
    "search_access_history(uuid, uuid, jsonb, uuid, uuid, text, timestamptz, timestamptz, text,"
    " boolean, timestamptz, uuid, boolean, integer)",
    "compare_access()",
)


def this_schema() -> str:
    """The authority's schema; "authority" where the SQL is only printed."""
    if op.get_context().as_sql:
        return "authority"
    found: str = op.get_bind().execute(text("SELECT current_schema()")).scalar_one()
    return found


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


def make_tables() -> None:
    """The three tables."""
    op.create_table(
        "history_search",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("viewer_id", sa.Uuid(), nullable=False),
        sa.Column("asked", postgresql.JSONB(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history_search")),
    )
    op.create_index("ix_history_search_at", "history_search", ["at", "id"])
    op.create_table(
        "unusual_pattern",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("viewer_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("how_many", sa.Integer(), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("of_lead", sa.Boolean(), nullable=False),
        sa.Column("closed_at", WHEN, nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        *row("unusual_pattern"),
        sa.CheckConstraint(
            "kind IN ('many_children', 'own_name', 'out_of_hours', 'after_closure',"
            " 'many_refusals')",
            name=op.f("ck_unusual_pattern_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["viewer_id"], ["worker.id"], name=op.f("fk_unusual_pattern_viewer_id")
        ),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_unusual_pattern_agency_id")
        ),
    )
    op.create_index(
        "uq_unusual_pattern_day", "unusual_pattern", ["kind", "viewer_id", "day"], unique=True
    )
    op.create_index("ix_unusual_pattern_closed", "unusual_pattern", ["closed_at", "id"])
    op.create_table(
        "governance_document",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("parts", postgresql.JSONB(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        *row("governance_document"),
        sa.CheckConstraint(
            "kind IN ('joint_controllers', 'processing_record', 'impact_assessment',"
            " 'notice_for_families', 'notice_for_workers')",
            name=op.f("ck_governance_document_kind"),
        ),
    )
    op.create_index(
        "uq_governance_document_number", "governance_document", ["kind", "number"], unique=True
    )


def fence() -> None:
    """Who reads and writes them: nobody deletes, and nobody closes a pattern about themselves."""
    op.execute("ALTER TABLE history_search ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY answering ON history_search FOR SELECT"
        f" USING ((SELECT answers_for_use({ANSWERING})))"
    )
    op.execute("GRANT SELECT ON history_search TO panel_app")
    op.execute("ALTER TABLE unusual_pattern ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY answering ON unusual_pattern FOR SELECT"
        f" USING ((SELECT answers_for_use({LEAD}))"
        f" OR (of_lead AND (SELECT answers_for_use({ANSWERING}))) OR {VIEWER} = '{JOB}'::uuid)"
    )
    op.execute(
        f"CREATE POLICY found ON unusual_pattern FOR INSERT WITH CHECK ({VIEWER} = '{JOB}'::uuid)"
    )
    op.execute(
        f"CREATE POLICY closing ON unusual_pattern FOR UPDATE USING (viewer_id <> {VIEWER}"
        f" AND closed_at IS NULL AND CASE WHEN of_lead"
        " THEN (SELECT answers_for_use(ARRAY['caldicott_guardian', 'safeguarding_lead']))"
        f" ELSE (SELECT answers_for_use({LEAD})) END) WITH CHECK (true)"
    )
    op.execute("GRANT SELECT, INSERT ON unusual_pattern TO panel_app")
    op.execute(
        "GRANT UPDATE (closed_at, closed_by, note, changed_at, changed_by, version)"
        " ON unusual_pattern TO panel_app"
    )
    op.execute("GRANT SELECT, INSERT ON governance_document TO panel_app")
    op.execute(
        "GRANT UPDATE (approved_on, approved_by, changed_at, changed_by, version)"
        " ON governance_document TO panel_app"
    )
    # An attempt at a record that is not there belongs to nobody's child: the job counts it too.
    op.execute(
        f"CREATE POLICY for_the_job ON access_event FOR SELECT USING ({VIEWER} = '{JOB}'::uuid)"
    )


def upgrade() -> None:
    """Make the tables, the functions and the indexes; refuse rows that name another child's."""
    schema = this_schema()
    make_tables()
    op.execute(ANSWERS)
    fence()
    for name, columns, where in INDEXES:
        op.create_index(
            name, "access_event", list(columns), postgresql_where=where and sa.text(where)
        )
    op.execute(SEARCH.format(schema=schema, lead=LEAD, viewer=VIEWER, now=NOW))
    op.execute(COMPARE.format(schema=schema, viewer=VIEWER, job=JOB))
    op.execute(SAME_CHILD)
    for function in AS_THE_OWNER:
        op.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO panel_app")
    op.execute("REVOKE EXECUTE ON FUNCTION of_the_same_child() FROM PUBLIC")
    op.execute("REVOKE EXECUTE ON FUNCTION answers_for_use(text[]) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION answers_for_use(text[]) TO panel_app")
    for table, column, named in TO_ONE_CHILD:
        op.execute(
            f"CREATE TRIGGER same_child_{column} AFTER INSERT OR UPDATE OF {column}, child_id"
            f" ON {table} FOR EACH ROW EXECUTE FUNCTION of_the_same_child('{column}', '{named}')"
        )


def downgrade() -> None:
    """Take it all away, with every search, pattern and document."""
    for table, column, _named in TO_ONE_CHILD:
        op.execute(f"DROP TRIGGER same_child_{column} ON {table}")
    op.execute("DROP FUNCTION of_the_same_child()")
    for function in AS_THE_OWNER:
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP POLICY for_the_job ON access_event")
    for name, _columns, _where in INDEXES:
        op.drop_index(name, table_name="access_event")
    for table in ("governance_document", "unusual_pattern", "history_search"):
        op.drop_table(table)
    op.execute("DROP FUNCTION answers_for_use(text[])")
