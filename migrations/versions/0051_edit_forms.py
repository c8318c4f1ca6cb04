"""Forms that an authority edits, and the days on which the clock of an assessment stood still.

A published version never changes: the database refuses it, whoever asks. There is one draft of a
form at a time. Who still runs the release before adds versions as published, as it always did.
"""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
REACHABLE = (
    "(SELECT true FROM child_access a WHERE a.child_id = clock_stop.child_id AND"
    " a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz)"
)
KEEP = """
CREATE FUNCTION keep_published_form() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.state <> 'draft' THEN
      RAISE EXCEPTION 'a version of a form that was published stays';
    END IF;
    RETURN OLD;
  END IF;
  IF NEW.state NOT IN ('draft', 'published', 'retired') THEN
    RAISE EXCEPTION 'a form is a draft, published or retired';
  END IF;
  IF TG_OP = 'UPDATE' AND (NEW.key, NEW.number) IS DISTINCT FROM (OLD.key, OLD.number) THEN
    RAISE EXCEPTION 'a version of a form keeps its key and its number';
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.state <> 'draft' AND (NEW.state = 'draft'
     OR (NEW.title, NEW.definition) IS DISTINCT FROM (OLD.title, OLD.definition)) THEN
    RAISE EXCEPTION 'a published version of a form never changes';
  END IF;
  RETURN NEW;
END $$
"""
REASONS = (
    "'family_away', 'child_in_hospital', 'family_asked', 'waiting_for_specialist',"
    " 'waiting_for_interpreter', 'court_or_enquiry'"
)


def guard_forms() -> None:
    """Say of each version what it is, and let nobody change what was published."""
    op.add_column("form", sa.Column("state", sa.Text(), nullable=False, server_default="published"))
    op.create_index(
        "uq_form_draft", "form", ["key"], unique=True, postgresql_where=sa.text("state = 'draft'")
    )
    op.execute(KEEP)
    op.execute(
        "CREATE TRIGGER keep_published BEFORE INSERT OR UPDATE OR DELETE ON form"
        " FOR EACH ROW EXECUTE FUNCTION keep_published_form()"
    )


def make_stops() -> None:
    """When the clock of an assessment stood still, and for which agreed reason."""
    op.create_table(
        "clock_stop",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_stop")),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_clock_stop_child_id")),
        sa.ForeignKeyConstraint(
            ["assessment_id"], ["assessment.id"], name=op.f("fk_clock_stop_assessment_id")
        ),
        sa.CheckConstraint(f"reason IN ({REASONS})", name=op.f("ck_clock_stop_reason")),
        sa.CheckConstraint("until_on >= from_on", name=op.f("ck_clock_stop_period")),
    )
    op.create_index(op.f("ix_clock_stop_child_id"), "clock_stop", ["child_id"])
    op.create_index(op.f("ix_clock_stop_assessment_id"), "clock_stop", ["assessment_id"])
    op.create_index(
        "uq_clock_stop_open",
        "clock_stop",
        ["assessment_id"],
        unique=True,
        postgresql_where=sa.text("until_on IS NULL"),
    )
    op.execute("ALTER TABLE clock_stop ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY reachable ON clock_stop USING ({REACHABLE}) WITH CHECK ({REACHABLE})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON clock_stop TO panel_app")
    op.execute(
        "CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clock_stop"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )
    op.execute(
        "CREATE TRIGGER same_child_assessment_id AFTER INSERT OR UPDATE OF assessment_id, child_id"
        " ON clock_stop FOR EACH ROW"
        " EXECUTE FUNCTION of_the_same_child('assessment_id', 'assessment')"
    )


def upgrade() -> None:
    """Guard the forms, add what an assessment’s clock needs, and make the stops."""
    guard_forms()
    op.add_column("assessment", sa.Column("late_reason", sa.Text(), nullable=True))
    op.add_column("assessment", sa.Column("referred_on", sa.Date(), nullable=True))
    make_stops()


def downgrade() -> None:
    """Take the stops and reasons away; drafts of forms go, since nothing would tell them apart."""
    op.drop_table("clock_stop")
    op.drop_column("assessment", "referred_on")
    op.drop_column("assessment", "late_reason")
    op.execute("DROP TRIGGER keep_published ON form")
    op.execute("DROP FUNCTION keep_published_form()")
    op.execute("DELETE FROM form WHERE state = 'draft'")
    op.drop_index("uq_form_draft", table_name="form")
    op.drop_column("form", "state")
