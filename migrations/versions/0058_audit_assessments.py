"""Samples of signed-off assessments, their audits, and figures about agencies without a child.

The figures are counted by the database for those who answer for the work, since nobody of them
reaches every child, and is not to. They have an agency and numbers, and no id of anybody.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"
NOW = "NULLIF(current_setting('panel.now', true), '')::timestamptz"
TODAY = f"({NOW} AT TIME ZONE 'Europe/London')::date"
REACHABLE = (
    "(SELECT true FROM child_access a WHERE a.child_id = quality_audit.child_id"
    f" AND a.viewer_id = {VIEWER} AND a.valid_from <= {NOW} AND a.valid_until >= {NOW})"
)
ALL_AGENCIES = "ARRAY['coordinator', 'chair', 'governance_lead']"
DRAWS = "ARRAY['coordinator', 'chair', 'manager']"
READS = "ARRAY['coordinator', 'chair', 'manager', 'governance_lead']"

# Whose figures somebody reads: a manager's own agency, or all.
OF_WHOM = f"""
CREATE FUNCTION reads_quality_of(p_agency uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT answers_for_use({ALL_AGENCIES}) OR (answers_for_use(ARRAY['manager'])
    AND EXISTS (SELECT FROM worker w WHERE w.id = {VIEWER} AND w.agency_id = p_agency))
$$
"""

# A record that may only be kept is not counted (UK GDPR Article 18). A document made elsewhere has
# no sections here. A section counts that is asked for before sign-off.
COMPLETE = f"""
CREATE FUNCTION completeness_by_agency(p_from date, p_until date)
RETURNS TABLE (agency_id uuid, signed_off bigint, whole bigint, own_words bigint,
  with_own_words_asked bigint, days integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = "{{schema}}", pg_temp AS $$
BEGIN
  IF NOT answers_for_use({READS}) THEN
    RAISE EXCEPTION 'only those who answer for the work compare agencies'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN QUERY
  WITH asked AS (
    SELECT f.id AS form_id, s.value ->> 'key' AS section_key, EXISTS (
        SELECT FROM jsonb_array_elements(s.value -> 'questions') q
         WHERE q.value ->> 'voice' = 'child') AS own_words
      FROM form f, jsonb_array_elements(f.definition -> 'sections') s
     WHERE COALESCE(s.value ->> 'step', 'questions') <> 'review'),
  each AS (
    SELECT t.author_agency_id, t.signed_off_on - t.started_on AS took,
      count(*) FILTER (WHERE n.state = 'complete') = count(*) AS is_whole,
      count(*) FILTER (WHERE k.own_words) > 0 AS words_asked,
      count(*) FILTER (WHERE k.own_words AND n.state = 'complete') > 0 AS words_there
      FROM assessment t JOIN asked k ON k.form_id = t.form_id
      LEFT JOIN section_answer n ON n.assessment_id = t.id AND n.section_key = k.section_key
     WHERE t.state = 'signed_off' AND t.signed_off_on BETWEEN p_from AND p_until
       AND t.document_id IS NULL AND reads_quality_of(t.author_agency_id)
       AND NOT EXISTS (SELECT FROM processing_restriction x WHERE x.child_id = t.child_id
                        AND x.ended_on IS NULL AND x.from_on <= {TODAY})
     GROUP BY t.id)
  SELECT e.author_agency_id, count(*), count(*) FILTER (WHERE e.is_whole),
    count(*) FILTER (WHERE e.words_there), count(*) FILTER (WHERE e.words_asked),
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY e.took))::integer
    FROM each e GROUP BY e.author_agency_id ORDER BY e.author_agency_id;
END $$
"""
JUDGED = f"""
CREATE FUNCTION judgements_by_agency(p_from date, p_until date)
RETURNS TABLE (agency_id uuid, form_number integer, ratings jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = "{{schema}}", pg_temp AS $$
BEGIN
  IF NOT answers_for_use({READS}) THEN
    RAISE EXCEPTION 'only those who answer for the work compare agencies'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN QUERY
  SELECT u.agency_id, u.form_number, u.ratings FROM quality_audit u
    JOIN assessment t ON t.id = u.assessment_id
   WHERE u.state <> 'drawn' AND t.signed_off_on BETWEEN p_from AND p_until
     AND reads_quality_of(u.agency_id)
     AND NOT EXISTS (SELECT FROM processing_restriction x WHERE x.child_id = u.child_id
                      AND x.ended_on IS NULL AND x.from_on <= {TODAY})
   ORDER BY 1, 2, 3;
END $$
"""
FUNCTIONS = (
    "reads_quality_of(uuid)",
    "completeness_by_agency(date, date)",
    "judgements_by_agency(date, date)",
)


def this_schema() -> str:
    """The authority's schema; "authority" where the SQL is only printed."""
    if op.get_context().as_sql:
        return "authority"
    found: str = op.get_bind().execute(sa.text("SELECT current_schema()")).scalar_one()
    return found


def made_by(name: str) -> list[sa.schema.SchemaItem]:
    """Columns that every row has, and its key."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    ]


def links(name: str, of: Sequence[tuple[str, str]]) -> list[sa.ForeignKeyConstraint]:
    """Columns that name a row of another table."""
    return [
        sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{name}_{column}"))
        for column, to in of
    ]


def make_samples() -> None:
    """What was drawn, when, of what, and with which seed. About no child."""
    name = "quality_sample"
    op.create_table(
        name,
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=False),
        *made_by(name),
        *links(name, [("agency_id", "agency")]),
        sa.CheckConstraint("from_on <= until_on", name=op.f(f"ck_{name}_period")),
        sa.CheckConstraint(
            "0 < drawn AND drawn <= frame AND drawn <= asked", name=op.f(f"ck_{name}_drawn")
        ),
    )
    op.create_index("uq_quality_sample_period", name, ["agency_id", "from_on"], unique=True)
    op.create_index("ix_quality_sample_created_at", name, ["created_at", "id"])
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    # A draw stays as it was made: there is no right to change one.
    op.execute(f"GRANT SELECT, INSERT ON {name} TO panel_app")
    op.execute(
        f"CREATE POLICY read ON {name} FOR SELECT USING"
        f" ({VIEWER} = {JOB} OR (SELECT answers_for_use({READS})))"
    )
    op.execute(
        f"CREATE POLICY drawn ON {name} FOR INSERT WITH CHECK"
        f" ({VIEWER} = {JOB} OR (SELECT answers_for_use({DRAWS})))"
    )


def make_audits() -> None:
    """How each assessment that was drawn was judged."""
    name = "quality_audit"
    op.create_table(
        name,
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("sample_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("form_number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("auditor_id", sa.Uuid(), nullable=True),
        sa.Column("audited_at", WHEN, nullable=True),
        sa.Column("ratings", JSONB(), nullable=False),
        sa.Column("comments", sa.LargeBinary(), nullable=True),
        sa.Column("author_words", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", WHEN, nullable=True),
        *made_by(name),
        *links(
            name,
            [
                ("child_id", "child"),
                ("sample_id", "quality_sample"),
                ("assessment_id", "assessment"),
                ("author_id", "worker"),
                ("agency_id", "agency"),
                ("auditor_id", "worker"),
            ],
        ),
        sa.CheckConstraint(
            "state IN ('drawn', 'audited', 'answered')", name=op.f(f"ck_{name}_state")
        ),
        sa.CheckConstraint(
            "(state = 'drawn') = (audited_at IS NULL)"
            " AND (audited_at IS NULL) = (auditor_id IS NULL)"
            " AND (state = 'answered') = (answered_at IS NOT NULL)",
            name=op.f(f"ck_{name}_done"),
        ),
    )
    op.create_index(op.f("ix_quality_audit_child_id"), name, ["child_id"])
    op.create_index(op.f("ix_quality_audit_assessment_id"), name, ["assessment_id"])
    op.create_index(
        "uq_quality_audit_assessment", name, ["sample_id", "assessment_id"], unique=True
    )
    op.create_index("ix_quality_audit_author", name, ["author_id", "audited_at", "id"])
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY reachable ON {name} USING ({REACHABLE}) WITH CHECK ({REACHABLE})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {name} TO panel_app")
    op.execute(
        f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {name}"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )
    op.execute(
        f"CREATE TRIGGER same_child_assessment_id AFTER INSERT OR UPDATE OF assessment_id, child_id"
        f" ON {name} FOR EACH ROW EXECUTE FUNCTION of_the_same_child('assessment_id', 'assessment')"
    )


def upgrade() -> None:
    """Make both tables and what counts."""
    make_samples()
    make_audits()
    op.execute(OF_WHOM)
    op.execute(COMPLETE.format(schema=this_schema()))
    op.execute(JUDGED.format(schema=this_schema()))
    for function in FUNCTIONS:
        op.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO panel_app")


def downgrade() -> None:
    """Take them away, with every audit."""
    for function in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_table("quality_audit")
    op.drop_table("quality_sample")
