"""How long whoever reviews an override reaches the record afterwards is the authority's to set.

Figures that the settings page refuses, and what is no number, count for nothing here either.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# Whoever reviews overrides reaches a child while one of theirs waits, and so many days more where
# it was not justified, to see to what follows. As it was set when the override was reviewed: a
# later change takes nobody's record away, and `child_access` stays what this says.
REVIEW_TIE = """
CREATE OR REPLACE VIEW review_tie WITH (security_invoker = true) AS
SELECT o.child_id, r.worker_id AS viewer_id, 'safeguarding'::text AS tie, r.worker_id AS who,
       GREATEST((o.starts_at AT TIME ZONE 'Europe/London')::date, r.from_on) AS from_on,
       LEAST(r.until_on, (o.reviewed_at AT TIME ZONE 'Europe/London')::date
                         + CASE WHEN o.justified THEN 0 ELSE {days} END) AS until_on,
       NULL::text[] AS categories
  FROM sharing_override o
  JOIN worker_role r ON r.role IN ('caldicott_guardian', 'safeguarding_lead')
                    AND r.worker_id <> o.to_id
 WHERE o.review_by IS NOT NULL
"""
AS_SET = """COALESCE((
    SELECT CASE WHEN jsonb_typeof(s.value) = 'number' THEN
             CASE WHEN s.value::numeric BETWEEN 1 AND 180 AND scale(s.value::numeric) = 0
                  THEN s.value::integer END END
      FROM setting s
     WHERE s.key = 'sharing.follow_up_days'
       AND (s.from_on IS NULL OR s.from_on <= o.reviewed_at)
     ORDER BY s.from_on DESC NULLS LAST, s.id DESC LIMIT 1), 28)"""


def upgrade() -> None:
    """Read the setting where the figure stood."""
    op.execute(REVIEW_TIE.format(days=AS_SET))


def downgrade() -> None:
    """Four weeks for everybody again."""
    op.execute(REVIEW_TIE.format(days="28"))
