"""Decided requests without a child, to compare them; an agency's pots.

Whoever sits on an allocation panel reaches the children whose requests are before it and no others,
so that no query of theirs can compare. The function reads past that fence and gives back coarse
columns alone: no id of a child, a request or a worker, no day, and of a ward, an ethnicity, an age,
a need or a level only the one that is asked for. Without one it gives the columns in which requests
are alike, to the panel's people. Its rows come in an order that tells nothing.

An agency's pack for an allocation panel says what is left in its own pots and in pooled ones, so an
agency reads those, beside the workers who read every pot.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

NOW = "NULLIF(current_setting('panel.now', true), '')::timestamptz"
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
TODAY = f"({NOW} AT TIME ZONE 'Europe/London')::date"
SIGNATURE = "decided_requests(text, uuid)"

SITS = f"""
CREATE FUNCTION sits_on_allocation() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT answers_for_use(ARRAY['budget_holder', 'allocation_member']) OR EXISTS (
    SELECT FROM worker_role r JOIN worker w ON w.id = r.worker_id
      JOIN panel p ON p.id = r.panel_id AND p.kind = 'allocation'
     WHERE r.worker_id = {VIEWER} AND r.role IN ('coordinator', 'chair', 'panel_member')
       AND (r.from_on IS NULL OR r.from_on <= {TODAY})
       AND (r.until_on IS NULL OR r.until_on >= {TODAY})
       AND (w.from_on IS NULL OR w.from_on <= {TODAY})
       AND (w.until_on IS NULL OR w.until_on >= {TODAY}))
$$
"""

# A record that may only be kept is not compared with (UK GDPR Article 18). Age bands as
# DOMAIN.md, "Commissioning", has them; fairness.py has the same, and a test compares the two.
READ = f"""
CREATE FUNCTION decided_requests(p_by text, p_but uuid)
RETURNS TABLE (outcome text, need text, age text, level text, ward text, ethnicity text,
  service text, criterion text, waited integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = "{{schema}}", pg_temp AS $$
BEGIN
  IF NOT (sits_on_allocation()
          OR (p_by IS NOT NULL AND answers_for_use(ARRAY['governance_lead', 'manager']))) THEN
    RAISE EXCEPTION 'only those who allocate or answer for it compare requests'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN QUERY
  SELECT d.kind,
    CASE WHEN p_by IS NULL OR p_by = 'need' THEN COALESCE(q.need_code, '') ELSE '' END,
    CASE WHEN p_by IS NOT NULL AND p_by <> 'age' OR c.birth_date IS NULL THEN ''
         WHEN y.years <= 2 THEN '0–2' WHEN y.years <= 4 THEN '3–4' WHEN y.years <= 7 THEN '5–7'
         WHEN y.years <= 11 THEN '8–11' WHEN y.years <= 15 THEN '12–15'
         WHEN y.years <= 18 THEN '16–18' ELSE '19–25' END,
    CASE WHEN p_by IS NULL OR p_by = 'level' THEN COALESCE(q.level_of_need, '') ELSE '' END,
    CASE WHEN p_by = 'ward' THEN COALESCE(c.ward_code, '') ELSE '' END,
    CASE WHEN p_by = 'ethnicity' THEN COALESCE(c.ethnicity, '') ELSE '' END,
    CASE WHEN p_by IS NULL THEN COALESCE(q.service_id::text, '') ELSE '' END,
    CASE WHEN p_by IS NULL THEN k.key ELSE '' END,
    GREATEST(0, (SELECT min(f.decided_on) FROM request_decision f WHERE f.request_id = q.id)
      - COALESCE(q.sent_on, d.decided_on))
    FROM service_request q
    JOIN request_decision d ON d.request_id = q.id AND d.stands
    JOIN criterion k ON k.id = d.criterion_id
    JOIN child c ON c.id = q.child_id
    CROSS JOIN LATERAL (SELECT date_part('year', pg_catalog.age(d.decided_on::timestamp,
      c.birth_date::timestamp)) AS years) y
   WHERE q.state = 'decided' AND q.id IS DISTINCT FROM p_but
     AND NOT EXISTS (SELECT FROM processing_restriction x WHERE x.child_id = q.child_id
                      AND x.ended_on IS NULL AND x.from_on <= {TODAY})
   ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9;
END $$
"""


def this_schema() -> str:
    """The authority's schema; "authority" where the SQL is only printed."""
    if op.get_context().as_sql:
        return "authority"
    found: str = op.get_bind().execute(sa.text("SELECT current_schema()")).scalar_one()
    return found


def upgrade() -> None:
    """Make the functions, and let an agency read what its pack tells of its pots."""
    op.execute(SITS)
    op.execute("REVOKE EXECUTE ON FUNCTION sits_on_allocation() FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION sits_on_allocation() TO panel_app")
    op.execute(READ.format(schema=this_schema()))
    op.execute(f"REVOKE EXECUTE ON FUNCTION {SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO panel_app")
    op.execute(
        f"CREATE POLICY reading_for_a_pack ON pot FOR SELECT USING ((agency_id = {VIEWER}"
        f" OR kind = 'pooled') AND EXISTS (SELECT FROM agency a WHERE a.id = {VIEWER}))"
    )


def downgrade() -> None:
    """Take both away."""
    op.execute("DROP POLICY reading_for_a_pack ON pot")
    op.execute(f"DROP FUNCTION {SIGNATURE}")
    op.execute("DROP FUNCTION sits_on_allocation()")
