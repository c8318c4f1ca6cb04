"""Agreements say themselves when they lapse and in which words; incidents say apart who saw it.

So that opening a record reads, of what lapsed long ago, one row of each kind by an index, however
many there were. A trigger keeps both columns, since they follow from the others.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLE = "sharing_agreement"
OPEN = "9999-12-31"

# The day is that of `consent.facts.lapse_day`. Those of one mark are told in the same words to the
# same people (`consent.standpoint`), but for the day; a refusal that ended is never told.
SAY_WHEN_IT_LAPSES = f"""
CREATE FUNCTION say_when_it_lapses() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  withdrawn_on date := (NEW.withdrawn_at AT TIME ZONE 'Europe/London')::date;
BEGIN
  NEW.lapses_on := LEAST(COALESCE(NEW.until_on, '{OPEN}'), withdrawn_on);
  NEW.lapses_as := CASE WHEN NEW.given THEN encode(substr(sha256(convert_to(jsonb_build_array(
    NEW.by_words, NEW.agencies, NEW.level, NEW.named, NEW.purposes,
    COALESCE(NEW.lapses_on = withdrawn_on, false))::text, 'UTF8')), 1, 16), 'hex')::uuid END;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Add the columns, what keeps them, and the indexes that facts are read by."""
    op.add_column("incident", sa.Column("seen", sa.LargeBinary(), nullable=True))
    # Whatever the trigger had not seen would be read as one without an end: in full.
    op.add_column(TABLE, sa.Column("lapses_on", sa.Date(), server_default=OPEN, nullable=False))
    op.add_column(TABLE, sa.Column("lapses_as", sa.Uuid(), nullable=True))
    op.execute(SAY_WHEN_IT_LAPSES)
    op.execute("REVOKE EXECUTE ON FUNCTION say_when_it_lapses() FROM PUBLIC")
    op.execute(
        f"CREATE TRIGGER lapses BEFORE INSERT OR UPDATE ON {TABLE}"
        " FOR EACH ROW EXECUTE FUNCTION say_when_it_lapses()"
    )
    op.execute(f"UPDATE {TABLE} SET lapses_as = NULL")
    op.create_index("ix_sharing_agreement_lapses_on", TABLE, ["child_id", "lapses_on"])
    op.create_index(
        "ix_sharing_agreement_lapses_as", TABLE, ["child_id", "lapses_as", "lapses_on", "id"]
    )
    op.create_index(
        "ix_sharing_agreement_never_began",
        TABLE,
        ["child_id", "from_on"],
        postgresql_where=sa.text("lapses_on < from_on"),
    )


def downgrade() -> None:
    """Take it away again, with who could see what was moved; the rest follows from columns."""
    op.execute(f"DROP TRIGGER lapses ON {TABLE}")
    op.execute("DROP FUNCTION say_when_it_lapses()")
    for name in ("never_began", "lapses_as", "lapses_on"):
        op.drop_index(f"ix_sharing_agreement_{name}", table_name=TABLE)
    op.drop_column(TABLE, "lapses_as")
    op.drop_column(TABLE, "lapses_on")
    op.drop_column("incident", "seen")
