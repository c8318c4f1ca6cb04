"""Have somebody else confirm what a worker records in their own favour.

A court order that opens something to whoever records it waits in a table of its own until somebody
else has seen it. What nobody else may decide is left to the information governance lead, who is
tied to the child while it waits.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
VIEWER_NOW = (
    "a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz"
)
GUARDIANS = "('caldicott_guardian', 'safeguarding_lead')"
# For how many days a reviewer follows up: as 0014 has it.
DAYS = """COALESCE((
    SELECT CASE WHEN jsonb_typeof(s.value) = 'number' THEN
             CASE WHEN s.value::numeric BETWEEN 1 AND 180 AND scale(s.value::numeric) = 0
                  THEN s.value::integer END END
      FROM setting s
     WHERE s.key = 'sharing.follow_up_days'
       AND (s.from_on IS NULL OR s.from_on <= o.reviewed_at)
     ORDER BY s.from_on DESC NULLS LAST, s.id DESC LIMIT 1), 28)"""

# An objection by name to the agency of those who run the child's panel; an order that waits; an
# override whose record is kept from everybody who would review it. What is done stays for the day
# on which it was done, so that whoever did it reads what they wrote.
LEFT = f"""
CREATE VIEW left_to_governance WITH (security_invoker = true) AS
SELECT o.child_id, 'objection'::text AS what, o.id AS about_id, o.raised_on AS from_on,
       o.decided_on AS until_on, o.decided_on IS NOT NULL AS is_done
  FROM sharing_objection o
 WHERE EXISTS (SELECT 1 FROM referral f
                 JOIN worker_role r ON r.panel_id = f.panel_id
                                   AND r.role IN ('coordinator', 'chair')
                 JOIN worker w ON w.id = r.worker_id
                WHERE f.child_id = o.child_id AND w.agency_id = ANY (o.agencies))
UNION ALL
SELECT child_id, 'order', id, (created_at AT TIME ZONE 'Europe/London')::date,
       (answered_at AT TIME ZONE 'Europe/London')::date, answered_at IS NOT NULL
  FROM order_to_confirm
UNION ALL
SELECT o.child_id, 'override', o.id, (o.starts_at AT TIME ZONE 'Europe/London')::date,
       (o.reviewed_at AT TIME ZONE 'Europe/London')::date + CASE WHEN o.justified THEN 0 ELSE {DAYS} END,
       o.reviewed_at IS NOT NULL AND (o.justified OR o.closed_on IS NOT NULL)
  FROM sharing_override o
 WHERE o.review_by IS NOT NULL
   AND NOT EXISTS (
     SELECT 1 FROM worker_role r JOIN worker w ON w.id = r.worker_id
      WHERE r.role IN {GUARDIANS} AND r.worker_id <> o.to_id
        AND (r.until_on IS NULL
             OR r.until_on >= (o.starts_at AT TIME ZONE 'Europe/London')::date)
        AND NOT EXISTS (SELECT 1 FROM child_cut c
                         WHERE c.child_id = o.child_id AND c.who IN (w.id, w.agency_id)))
   AND EXISTS (SELECT 1 FROM child_cut c WHERE c.child_id = o.child_id)
"""
BY_GUARDIANS = f"""
SELECT o.child_id, r.worker_id AS viewer_id, 'safeguarding'::text AS tie, r.worker_id AS who,
       GREATEST((o.starts_at AT TIME ZONE 'Europe/London')::date, r.from_on) AS from_on,
       LEAST(r.until_on, (o.reviewed_at AT TIME ZONE 'Europe/London')::date
                         + CASE WHEN o.justified THEN 0 ELSE {DAYS} END) AS until_on,
       NULL::text[] AS categories
  FROM sharing_override o
  JOIN worker_role r ON r.role IN {GUARDIANS}
                    AND r.worker_id <> o.to_id
 WHERE o.review_by IS NOT NULL
"""
BY_GOVERNANCE = """
UNION ALL
SELECT l.child_id, r.worker_id, 'governance', r.worker_id, GREATEST(l.from_on, r.from_on),
       LEAST(l.until_on, r.until_on), NULL
  FROM left_to_governance l
  JOIN worker_role r ON r.role = 'governance_lead'
"""
REVIEW_TIE = "CREATE OR REPLACE VIEW review_tie WITH (security_invoker = true) AS"


def upgrade() -> None:
    """Make the table, fence it, and tie the information governance lead to what is left to them."""
    op.create_table(
        "order_to_confirm",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("to", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", WHEN, nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("evidence", sa.LargeBinary(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_to_confirm")),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_order_to_confirm_child_id")
        ),
    )
    op.create_index(op.f("ix_order_to_confirm_child_id"), "order_to_confirm", ["child_id"])
    op.execute("ALTER TABLE order_to_confirm ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY reachable ON order_to_confirm USING ((SELECT true FROM child_access a"
        f" WHERE a.child_id = order_to_confirm.child_id AND {VIEWER_NOW}))"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON order_to_confirm TO panel_app")
    op.execute(
        "CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON order_to_confirm"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )
    op.execute(LEFT)
    op.execute("GRANT SELECT ON left_to_governance TO panel_app")
    op.execute(f"{REVIEW_TIE} {BY_GUARDIANS} {BY_GOVERNANCE}")


def downgrade() -> None:
    """Take them away again; an order that nobody has confirmed is lost."""
    op.execute(f"{REVIEW_TIE} {BY_GUARDIANS}")
    op.execute("DROP VIEW left_to_governance")
    op.drop_table("order_to_confirm")
