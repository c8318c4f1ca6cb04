"""Steps between CONTACTS, IMPACT and social care, and the meetings around a family.

An episode begins in CONTACTS and its last step ends with it: the database sees to both, since
episodes come from several rooms and from imports. The episodes that are there get their step here.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
REACHABLE = (
    "(SELECT true FROM child_access a WHERE a.child_id = {table}.child_id AND"
    " a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz)"
)
CATEGORIES = (
    "identity",
    "contact",
    "network",
    "health",
    "development",
    "education",
    "social_care",
    "family",
    "finance",
    "views",
    "plan",
    "panel",
    "safeguarding",
)
TABLES = (
    "episode_step",
    "impact_meeting",
    "impact_invitation",
    "impact_view",
    "impact_decision",
    "impact_minutes",
    "minutes_copy",
    "minutes_answer",
)
STEPS = """
CREATE FUNCTION episode_has_its_step() RETURNS trigger LANGUAGE plpgsql
SET search_path = "{schema}", pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO episode_step (id, child_id, episode_id, kind, from_on, until_on,
      created_at, created_by, changed_at, changed_by, version)
    VALUES (gen_random_uuid(), NEW.child_id, NEW.id, 'contacts', NEW.opened_on, NEW.closed_on,
      NEW.created_at, NEW.created_by, NEW.changed_at, NEW.changed_by, 1);
    RETURN NULL;
  END IF;
  IF NEW.opened_on <> OLD.opened_on THEN
    UPDATE episode_step s SET from_on = LEAST(NEW.opened_on, s.until_on),
      changed_at = NEW.changed_at, changed_by = NEW.changed_by, version = s.version + 1
    WHERE s.id = (SELECT f.id FROM episode_step f WHERE f.episode_id = NEW.id
      ORDER BY f.from_on, f.created_at, f.id LIMIT 1);
  END IF;
  IF NEW.closed_on IS DISTINCT FROM OLD.closed_on THEN
    UPDATE episode_step s SET until_on = GREATEST(NEW.closed_on, CASE WHEN NEW.closed_on IS NULL
        THEN NULL ELSE s.from_on - 1 END),
      changed_at = NEW.changed_at, changed_by = NEW.changed_by, version = s.version + 1
    WHERE s.id = (SELECT l.id FROM episode_step l WHERE l.episode_id = NEW.id
      ORDER BY l.from_on DESC, l.created_at DESC, l.id DESC LIMIT 1);
  END IF;
  RETURN NULL;
END $$
"""
BEGUN = """
INSERT INTO episode_step (id, child_id, episode_id, kind, from_on, until_on,
  created_at, created_by, changed_at, changed_by, version)
SELECT gen_random_uuid(), e.child_id, e.id, 'contacts', e.opened_on,
  CASE WHEN e.closed_on IS NULL THEN NULL ELSE GREATEST(e.closed_on, e.opened_on - 1) END,
  e.created_at, e.created_by, e.changed_at, e.changed_by, 1
FROM episode e
"""


def this_schema() -> str:
    """The authority's schema; "authority" where the SQL is only printed."""
    if op.get_context().as_sql:
        return "authority"
    found: str = op.get_bind().execute(sa.text("SELECT current_schema()")).scalar_one()
    return found


def table(name: str, *columns: sa.schema.SchemaItem) -> None:
    """A table of children's rows, fenced, with what every row has."""
    op.create_table(
        name,
        *columns,
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f(f"fk_{name}_child_id")),
    )
    op.create_index(op.f(f"ix_{name}_child_id"), name, ["child_id"])
    op.execute(
        f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {name}"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {name} TO panel_app")
    reachable = REACHABLE.format(table=name)
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY reachable ON {name} USING ({reachable}) WITH CHECK ({reachable})")


def code(name: str, column: str, *values: str) -> sa.CheckConstraint:
    """One of these."""
    listed = ", ".join(f"'{one}'" for one in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{name}_{column}"))


def names(name: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    """A column that names a row of another table."""
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{name}_{column}"))


def of_the_same_child(name: str, column: str, to: str) -> None:
    """What a row names is of the same child."""
    op.execute(
        f"CREATE TRIGGER same_child_{column} AFTER INSERT OR UPDATE OF {column}, child_id"
        f" ON {name} FOR EACH ROW EXECUTE FUNCTION of_the_same_child('{column}', '{to}')"
    )


def id_of(column: str, *, needed: bool = False) -> sa.Column:
    """An id."""
    return sa.Column(column, sa.Uuid(), nullable=not needed)


def code_in(column: str, *, needed: bool = False) -> sa.Column:
    """A word in the clear."""
    return sa.Column(column, sa.Text(), nullable=not needed)


def sealed(column: str) -> sa.Column:
    """A sealed text."""
    return sa.Column(column, sa.LargeBinary(), nullable=True)


def day(column: str, *, needed: bool = False) -> sa.Column:
    """A date."""
    return sa.Column(column, sa.Date(), nullable=not needed)


def moment(column: str, *, needed: bool = False) -> sa.Column:
    """A time, in UTC."""
    return sa.Column(column, WHEN, nullable=not needed)


def make_steps() -> None:
    """Where an episode is, and what keeps it so."""
    name = "episode_step"
    table(
        name,
        id_of("episode_id", needed=True),
        code_in("kind", needed=True),
        day("from_on", needed=True),
        day("until_on"),
        sealed("reasons"),
        id_of("author_agency_id"),
        id_of("worker_id"),
        names(name, "episode_id", "episode"),
        names(name, "author_agency_id", "agency"),
        code(name, "kind", "contacts", "impact", "social_care"),
        sa.CheckConstraint("until_on >= from_on - 1", name=op.f("ck_episode_step_days")),
    )
    op.create_index(
        "uq_episode_step_current",
        name,
        ["episode_id"],
        unique=True,
        postgresql_where=sa.text("until_on IS NULL"),
    )
    of_the_same_child(name, "episode_id", "episode")
    op.execute(BEGUN)
    op.execute(STEPS.format(schema=this_schema()))
    op.execute("REVOKE EXECUTE ON FUNCTION episode_has_its_step() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER has_its_step AFTER INSERT OR UPDATE OF opened_on, closed_on ON episode"
        " FOR EACH ROW EXECUTE FUNCTION episode_has_its_step()"
    )


def make_meeting() -> None:
    """The meeting, as the family wants it, and who is asked to it."""
    name = "impact_meeting"
    table(
        name,
        id_of("episode_id", needed=True),
        id_of("author_agency_id", needed=True),
        day("held_on", needed=True),
        sa.Column("starts_at", sa.Time(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        code_in("format", needed=True),
        sealed("place"),
        sealed("who_comes"),
        sealed("interpreter"),
        code_in("child_joins", needed=True),
        sealed("wishes"),
        day("asked_on"),
        sealed("not_asked_why"),
        moment("family_said_at"),
        id_of("family_said_by"),
        code_in("state", needed=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        moment("held_at"),
        sealed("cancelled_why"),
        day("next_on"),
        names(name, "episode_id", "episode"),
        names(name, "author_agency_id", "agency"),
        code(name, "format", "in_person", "online", "phone", "home"),
        code(name, "child_joins", "not_asked", "yes", "part", "no"),
        code(name, "state", "planned", "called", "held", "cancelled"),
        sa.CheckConstraint("minutes BETWEEN 10 AND 480", name=op.f("ck_impact_meeting_minutes")),
    )
    op.create_index(op.f("ix_impact_meeting_episode_id"), name, ["episode_id"])
    of_the_same_child(name, "episode_id", "episode")
    name = "impact_invitation"
    table(
        name,
        id_of("meeting_id", needed=True),
        code_in("kind", needed=True),
        id_of("person_id"),
        sealed("name"),
        sealed("address"),
        code_in("answer", needed=True),
        sealed("said"),
        moment("answered_at"),
        sa.Column("sent_sequence", sa.Integer(), nullable=True),
        moment("sent_at"),
        code_in("failure"),
        moment("taken_back_at"),
        sa.Column("came", sa.Boolean(), nullable=True),
        names(name, "meeting_id", "impact_meeting"),
        code(name, "kind", "worker", "family", "guest"),
        code(name, "answer", "waiting", "yes", "no"),
    )
    op.create_index(op.f("ix_impact_invitation_meeting_id"), name, ["meeting_id"])
    op.create_index(
        "uq_impact_invitation_person",
        name,
        ["meeting_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("person_id IS NOT NULL AND taken_back_at IS NULL"),
    )
    of_the_same_child(name, "meeting_id", "impact_meeting")


def make_said() -> None:
    """What was said and decided."""
    name = "impact_view"
    table(
        name,
        id_of("meeting_id", needed=True),
        id_of("outcome_id"),
        code_in("speaker", needed=True),
        id_of("person_id"),
        id_of("author_agency_id"),
        code_in("category", needed=True),
        sealed("words"),
        moment("said_at", needed=True),
        moment("taken_back_at"),
        names(name, "meeting_id", "impact_meeting"),
        names(name, "outcome_id", "desired_outcome"),
        names(name, "author_agency_id", "agency"),
        code(name, "speaker", "child", "family", "worker"),
        code(name, "category", *CATEGORIES),
    )
    op.create_index(op.f("ix_impact_view_meeting_id"), name, ["meeting_id"])
    name = "impact_decision"
    table(
        name,
        id_of("meeting_id", needed=True),
        id_of("outcome_id", needed=True),
        id_of("author_agency_id", needed=True),
        sealed("words"),
        moment("taken_back_at"),
        names(name, "meeting_id", "impact_meeting"),
        names(name, "outcome_id", "desired_outcome"),
        names(name, "author_agency_id", "agency"),
    )
    op.create_index(op.f("ix_impact_decision_meeting_id"), name, ["meeting_id"])
    for name in ("impact_view", "impact_decision"):
        of_the_same_child(name, "meeting_id", "impact_meeting")
        of_the_same_child(name, "outcome_id", "desired_outcome")


def make_minutes() -> None:
    """The minutes, for whom they are open, and what they say of them."""
    name = "impact_minutes"
    table(
        name,
        id_of("meeting_id", needed=True),
        sa.Column("number", sa.Integer(), nullable=False),
        code_in("state", needed=True),
        id_of("author_agency_id", needed=True),
        sa.Column("categories", JSONB(), nullable=False),
        sealed("text"),
        sealed("kept"),
        moment("sent_at"),
        id_of("sent_by"),
        names(name, "meeting_id", "impact_meeting"),
        names(name, "author_agency_id", "agency"),
        code(name, "state", "draft", "sent"),
    )
    op.create_index("uq_impact_minutes_number", name, ["meeting_id", "number"], unique=True)
    of_the_same_child(name, "meeting_id", "impact_meeting")
    name = "minutes_copy"
    table(
        name,
        id_of("minutes_id", needed=True),
        id_of("person_id", needed=True),
        code_in("state", needed=True),
        code_in("held_back_test"),
        sealed("held_back_why"),
        moment("opened_at"),
        names(name, "minutes_id", "impact_minutes"),
        code(name, "state", "held_back", "open"),
        code(name, "held_back_test", "serious_harm", "childs_expectation"),
    )
    op.create_index("uq_minutes_copy_person", name, ["minutes_id", "person_id"], unique=True)
    name = "minutes_answer"
    table(
        name,
        id_of("minutes_id", needed=True),
        id_of("person_id", needed=True),
        code_in("agrees"),
        sealed("words"),
        sealed("signed_name"),
        moment("said_at", needed=True),
        moment("signed_at"),
        names(name, "minutes_id", "impact_minutes"),
        code(name, "agrees", "agree", "disagree", "could_not_say"),
    )
    op.create_index(op.f("ix_minutes_answer_minutes_id"), name, ["minutes_id"])
    for name in ("minutes_copy", "minutes_answer"):
        of_the_same_child(name, "minutes_id", "impact_minutes")


def upgrade() -> None:
    """Make the tables; give every episode its step."""
    op.add_column("referral", sa.Column("rests_from", sa.Date(), nullable=True))
    op.add_column("outbox_message", sa.Column("calendar", sa.LargeBinary(), nullable=True))
    make_steps()
    make_meeting()
    make_said()
    make_minutes()


def downgrade() -> None:
    """Take them away, with all that was said and decided."""
    op.execute("DROP TRIGGER has_its_step ON episode")
    op.execute("DROP FUNCTION episode_has_its_step()")
    for name in reversed(TABLES):
        op.drop_table(name)
    op.drop_column("outbox_message", "calendar")
    op.drop_column("referral", "rests_from")
