"""Row-level security, the functions that write access, and what the serving role may do.

`child_tie` says how anybody is tied to a child; `child_access` is that view written down per
viewer, so that a policy probes one index; only the functions here write it. A tie is coarse: what
it may carry is for `consent.decide`. Source: ARCHITECTURE.md, "Row-level security".
"""

from alembic import op
from sqlalchemy import text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JOB = "00000000-0000-7000-8000-000000000001"
VIEWER_NOW = (
    "a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz"
)
CHILD_TABLES = (
    "access_request",
    "action",
    "agenda_item",
    "asked",
    "assessment",
    "desired_outcome",
    "discussion",
    "document",
    "document_content",
    "episode",
    "family_link",
    "family_words",
    "guest_link",
    "involvement",
    "lead_professional",
    "level_of_need",
    "outcome_progress",
    "plan",
    "referral",
    "section_answer",
    "sharing_agreement",
    "sharing_enquiry",
    "sharing_objection",
    "sharing_order",
    "sharing_override",
    "sharing_restriction",
    "significant_event",
)


def policy(table: str, child_column: str = "child_id") -> tuple[str, ...]:
    """The statements that fence a table: the scalar form, which probes an index (TRAPS.md)."""
    return (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY reachable ON {table} USING ((SELECT true FROM child_access a"
        f" WHERE a.child_id = {table}.{child_column} AND {VIEWER_NOW}))",
    )


AS_THE_OWNER = (
    "note_possible_duplicate(uuid, bytea, text)",
    "open_child(uuid)",
    "rewrite_all_access()",
    "rewrite_viewer_access(uuid)",
    "rewrite_child_access(uuid)",
)
"""The functions that run with the owner's rights."""

_VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"

# Parental responsibility ends at 18, and where an adoption or parental order gives it to somebody
# else (DOMAIN.md, "Agreement and the law"): `consent.standing` says the same of who may agree.
# Somebody born on 29 February comes of age on 1 March.
HELD = """
SELECT l.*,
       GREATEST((c.birth_date + interval '18 years')::date - 1,
                (c.birth_date - 1 + interval '18 years')::date) AS last_day,
       (SELECT min(o.from_on) FROM family_link o
         WHERE o.child_id = l.child_id AND o.family_member_id <> l.family_member_id
           AND o.parental_responsibility AND o.basis IN ('adoption', 'parental_order')
           AND (l.from_on IS NULL OR l.from_on < o.from_on)) AS replaced_on
  FROM family_link l JOIN child c ON c.id = l.child_id
"""

CHILD_TIE = f"""
CREATE VIEW child_tie WITH (security_invoker = true) AS
SELECT id AS child_id, '{JOB}'::uuid AS viewer_id, 'job' AS tie, '{JOB}'::uuid AS who,
       NULL::date AS from_on, NULL::date AS until_on, NULL::text[] AS categories
  FROM child
UNION ALL
SELECT id, id, 'self', id, NULL, NULL, NULL FROM child
UNION ALL
SELECT child_id, worker_id, 'team', worker_id, from_on, until_on, NULL
  FROM involvement WHERE worker_id IS NOT NULL AND from_on IS NOT NULL
UNION ALL
SELECT child_id, worker_id, 'lead', worker_id, from_on, until_on, NULL
  FROM lead_professional WHERE state IN ('accepted', 'ended')
UNION ALL
SELECT child_id, worker_id, 'offer', worker_id, offered_on, NULL, NULL
  FROM lead_professional WHERE state = 'offered'
UNION ALL
SELECT i.child_id, r.worker_id, 'manager', r.worker_id,
       GREATEST(i.from_on, r.from_on), LEAST(i.until_on, r.until_on), NULL
  FROM involvement i
  JOIN worker w ON w.agency_id = i.agency_id
  JOIN worker_role r ON r.worker_id = w.id AND r.role = 'manager'
 WHERE i.from_on IS NOT NULL
UNION ALL
SELECT f.child_id, r.worker_id, 'panel', r.worker_id,
       GREATEST(f.referred_on, r.from_on), r.until_on, NULL
  FROM referral f
  JOIN worker_role r ON r.panel_id = f.panel_id AND r.role IN ('coordinator', 'chair')
UNION ALL
SELECT a.child_id, m.agency_id, 'agenda', m.agency_id,
       (a.opens_at AT TIME ZONE 'Europe/London')::date, a.pack_until, NULL
  FROM agenda_item a
  JOIN meeting t ON t.id = a.meeting_id
  JOIN panel_agency m ON m.panel_id = t.panel_id
 WHERE a.opens_at IS NOT NULL AND a.state <> 'removed'
   AND (m.from_on IS NULL OR m.from_on <= t.held_on)
   AND (m.until_on IS NULL OR m.until_on >= t.held_on)
UNION ALL
SELECT a.child_id, r.worker_id, 'agenda', m.agency_id,
       GREATEST((a.opens_at AT TIME ZONE 'Europe/London')::date, r.from_on),
       LEAST(a.pack_until, r.until_on), NULL
  FROM agenda_item a
  JOIN meeting t ON t.id = a.meeting_id
  JOIN panel_agency m ON m.panel_id = t.panel_id
  JOIN worker w ON w.agency_id = m.agency_id
  JOIN worker_role r ON r.worker_id = w.id AND r.panel_id = t.panel_id
                    AND r.role IN ('panel_member', 'coordinator', 'chair')
 WHERE a.opens_at IS NOT NULL AND a.state <> 'removed'
   AND (m.from_on IS NULL OR m.from_on <= t.held_on)
   AND (m.until_on IS NULL OR m.until_on >= t.held_on)
UNION ALL
SELECT h.child_id, h.family_member_id, 'parent', h.family_member_id, h.from_on,
       LEAST(h.until_on, h.last_day, h.replaced_on - 1), NULL
  FROM ({HELD}) h
 WHERE h.parental_responsibility AND h.basis IS NOT NULL
   AND (h.from_on IS NULL OR h.from_on <= LEAST(h.until_on, h.last_day, h.replaced_on - 1,
                                                'infinity'::date))
UNION ALL
SELECT h.child_id, h.family_member_id, 'relative', h.family_member_id,
       CASE WHEN h.parental_responsibility AND h.basis IS NOT NULL
            THEN GREATEST(h.from_on, h.last_day + 1) ELSE h.from_on END,
       h.until_on, NULL
  FROM ({HELD}) h
 WHERE NOT h.parental_responsibility OR h.basis IS NULL
    OR (h.last_day IS NOT NULL AND h.replaced_on IS NULL
        AND (h.until_on IS NULL OR h.until_on > h.last_day))
UNION ALL
SELECT child_id, id, 'guest', id, NULL, (ends_at AT TIME ZONE 'Europe/London')::date, NULL
  FROM guest_link
UNION ALL
SELECT child_id, unnest("to"), 'named', NULL, from_on, until_on, NULL
  FROM sharing_order WHERE permits
UNION ALL
SELECT o.child_id, w.id, 'named', NULL, o.from_on, o.until_on, NULL
  FROM sharing_order o JOIN worker w ON w.agency_id = ANY (o."to") WHERE o.permits
UNION ALL
SELECT child_id, to_id, 'named', NULL, (starts_at AT TIME ZONE 'Europe/London')::date,
       (ends_at AT TIME ZONE 'Europe/London')::date, NULL
  FROM sharing_override
UNION ALL
SELECT o.child_id, w.id, 'named', NULL, (o.starts_at AT TIME ZONE 'Europe/London')::date,
       (o.ends_at AT TIME ZONE 'Europe/London')::date, NULL
  FROM sharing_override o JOIN worker w ON w.agency_id = o.to_id
"""


def access_functions(schema: str) -> tuple[str, ...]:
    """The functions that alone write `child_access`, as the owner, in one authority's schema."""
    path = f'SECURITY DEFINER SET search_path = "{schema}", pg_temp'
    written = """
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
    return (
        f"""
CREATE FUNCTION rewrite_child_access(p_child uuid) RETURNS void LANGUAGE plpgsql {path} AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(p_child::text, 0));
  DELETE FROM child_access WHERE child_id = p_child;
  {written.format(where="child_id = p_child")};
END $$
""",
        f"""
CREATE FUNCTION rewrite_viewer_access(p_viewer uuid) RETURNS void LANGUAGE plpgsql {path} AS $$
BEGIN
  DELETE FROM child_access WHERE viewer_id = p_viewer;
  {written.format(where="viewer_id = p_viewer")};
END $$
""",
        f"""
CREATE FUNCTION rewrite_all_access() RETURNS void LANGUAGE plpgsql {path} AS $$
BEGIN
  DELETE FROM child_access;
  {written.format(where="true")};
END $$
""",
        # A child who is new may be written by whoever brings it; a child who exists may not be
        # opened this way.
        f"""
CREATE FUNCTION open_child(p_child uuid) RETURNS void LANGUAGE plpgsql {path} AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM child WHERE id = p_child) THEN
    RAISE EXCEPTION 'this child has a record already';
  END IF;
  INSERT INTO child_access (child_id, viewer_id, valid_from, valid_until, ties)
  VALUES (p_child, {_VIEWER}, '-infinity', 'infinity', '[]') ON CONFLICT DO NOTHING;
END $$
""",
        # Says nothing to whoever asks: a record they may not see answers as none does.
        f"""
CREATE FUNCTION note_possible_duplicate(p_child uuid, p_token bytea, p_reason text)
RETURNS void LANGUAGE sql {path} AS $$
  INSERT INTO possible_duplicate (id, child_id, other_child_id, reason, created_at, created_by,
                                  changed_at, changed_by, version)
  SELECT gen_random_uuid(), p_child, i.child_id, p_reason, now(), {_VIEWER}, now(), {_VIEWER}, 1
    FROM child_index i
   WHERE i.token = p_token AND i.child_id <> p_child
     AND NOT EXISTS (SELECT 1 FROM possible_duplicate d
                      WHERE d.child_id = p_child AND d.other_child_id = i.child_id)
$$
""",
        # References count up over every child, seen or not; a sequence tells nobody who exists.
        "CREATE SEQUENCE child_reference START 1001",
    )


def fences() -> list[str]:
    """Every policy: the child's tables, and those that hold a person or a message."""
    statements = [line for table in CHILD_TABLES for line in policy(table)]
    statements += policy("child", "id")
    statements += policy("child_index")
    statements += [
        "ALTER TABLE child_access ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY own_rows ON child_access FOR SELECT USING (viewer_id = {_VIEWER})",
        "ALTER TABLE access_event ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY own_look ON access_event FOR INSERT WITH CHECK (viewer_id = {_VIEWER})",
        "CREATE POLICY reachable ON access_event FOR SELECT USING ((SELECT true FROM child_access a"
        f" WHERE a.child_id = access_event.child_id AND {VIEWER_NOW}))",
        "ALTER TABLE family_member ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY made ON family_member FOR INSERT WITH CHECK (true)",
    ]
    of_family = (
        f"(family_member.id = {_VIEWER} OR (SELECT true FROM family_link l"
        " JOIN child_access a ON a.child_id = l.child_id"
        f" WHERE l.family_member_id = family_member.id AND {VIEWER_NOW} LIMIT 1))"
    )
    statements += [
        f"CREATE POLICY known ON family_member FOR SELECT USING {of_family}",
        f"CREATE POLICY changed ON family_member FOR UPDATE USING {of_family}",
        "ALTER TABLE outbox_message ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY put_in ON outbox_message FOR INSERT WITH CHECK (true)",
        "CREATE POLICY sent ON outbox_message FOR ALL USING"
        f" (to_viewer_id = {_VIEWER} OR {_VIEWER} = '{JOB}'::uuid)",
        "ALTER TABLE possible_duplicate ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY both_known ON possible_duplicate USING ((SELECT count(*) = 2 FROM child_access a"
        " WHERE a.child_id IN (possible_duplicate.child_id, possible_duplicate.other_child_id)"
        f" AND {VIEWER_NOW}))",
    ]
    return statements


def grants(schema: str) -> list[str]:
    """What the serving role may do: everything but rewrite history or grant itself a child."""
    return [
        f'GRANT USAGE ON SCHEMA "{schema}" TO panel_app',
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "{schema}" TO panel_app',
        f'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA "{schema}" TO panel_app',
        "REVOKE INSERT, UPDATE, DELETE ON child_access FROM panel_app",
        "REVOKE UPDATE, DELETE ON access_event FROM panel_app",
        "REVOKE INSERT, UPDATE, DELETE ON migrated FROM panel_app",
        # PostgreSQL lets everybody run a new function, and these run as the owner.
        *(f"REVOKE EXECUTE ON FUNCTION {one} FROM PUBLIC" for one in AS_THE_OWNER),
        *(f"GRANT EXECUTE ON FUNCTION {one} TO panel_app" for one in AS_THE_OWNER),
    ]


def this_schema() -> str:
    """The authority's schema; "authority" where the SQL is only printed."""
    if op.get_context().as_sql:
        return "authority"
    found: str = op.get_bind().execute(text("SELECT current_schema()")).scalar_one()
    return found


def upgrade() -> None:
    """Fence every child-scoped table."""
    schema = this_schema()
    op.execute(CHILD_TIE)
    for statement in (*access_functions(schema), *fences(), *grants(schema)):
        op.execute(statement)


def downgrade() -> None:
    """Take the fences down with everything that stands on them."""
    schema = this_schema()
    for function in AS_THE_OWNER:
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP SEQUENCE child_reference")
    op.execute("DROP VIEW child_tie")
    policies = op.get_bind().execute(
        text("SELECT tablename, policyname FROM pg_policies WHERE schemaname = current_schema()")
    )
    for table, name in policies.fetchall():
        op.execute(f'DROP POLICY "{name}" ON "{table}"')
        op.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
    op.execute(f'REVOKE ALL ON ALL TABLES IN SCHEMA "{schema}" FROM panel_app')
    op.execute(f'REVOKE ALL ON SCHEMA "{schema}" FROM panel_app')
