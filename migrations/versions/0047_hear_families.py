"""What families say of how they were treated, and what commissioners made of it.

What one of a family answers is theirs: nobody else who reaches the child reads the row, but where
they showed it, and the information governance lead, who makes copies of records. Facts follow it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"
NOW = "NULLIF(current_setting('panel.now', true), '')::timestamptz"
REACHED = (
    f"(SELECT true FROM child_access a WHERE a.child_id = survey.child_id AND a.viewer_id = {VIEWER}"
    f" AND a.valid_from <= {NOW} AND a.valid_until >= {NOW})"
)
OWN = f"(survey.person_id = {VIEWER} OR {VIEWER} = {JOB})"
COPIES = "(SELECT answers_for_use(ARRAY['governance_lead']))"
"""Whoever makes copies of records for those who ask for one."""
READS_DRAFTS = (
    f"({VIEWER} = {JOB} OR (SELECT answers_for_use("
    "ARRAY['commissioner', 'governance_lead', 'parents_representative'])))"
)
WRITES = f"({VIEWER} = {JOB} OR (SELECT answers_for_use(ARRAY['commissioner'])))"
QUESTIONS = ("information", "assessment", "transparency", "participation", "feedback")
TOUCHED = {
    "INSERT": "NEW TABLE AS came",
    "UPDATE": "OLD TABLE AS went NEW TABLE AS came",
    "DELETE": "OLD TABLE AS went",
}


def made_by() -> list[sa.Column]:
    """Columns that every row has."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    ]


def code(name: str, column: str, *values: str) -> sa.CheckConstraint:
    """One of these."""
    listed = ", ".join(f"'{one}'" for one in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{name}_{column}"))


def make_survey() -> None:
    """The questions of one occasion for one of a family: offered, and what became of it."""
    op.create_table(
        "survey",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("offered_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answered_at", WHEN, nullable=True),
        *(sa.Column(one, sa.Integer(), nullable=True) for one in QUESTIONS),
        sa.Column("is_shown", sa.Boolean(), nullable=False),
        sa.Column("own_words", sa.LargeBinary(), nullable=True),
        *made_by(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey")),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_survey_child_id")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_survey_meeting_id")),
        code("survey", "occasion", "panel", "review"),
        code("survey", "state", "offered", "answered", "dismissed", "withdrawn"),
        *(
            sa.CheckConstraint(f"{one} BETWEEN 0 AND 5", name=op.f(f"ck_survey_{one}"))
            for one in QUESTIONS
        ),
    )
    op.create_index(op.f("ix_survey_child_id"), "survey", ["child_id"])
    op.create_index(
        "uq_survey_occasion", "survey", ["meeting_id", "child_id", "person_id"], unique=True
    )
    op.execute("ALTER TABLE survey ENABLE ROW LEVEL SECURITY")
    op.execute("GRANT SELECT, INSERT, UPDATE ON survey TO panel_app")
    for policy, says in (
        ("read", f"FOR SELECT USING ({REACHED} AND ({OWN} OR survey.is_shown OR {COPIES}))"),
        ("offered", f"FOR INSERT WITH CHECK ({REACHED} AND {OWN})"),
        ("answered", f"FOR UPDATE USING ({REACHED} AND {OWN})"),
    ):
        op.execute(f"CREATE POLICY {policy} ON survey {says}")
    op.execute(
        "CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON survey"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )
    for event, tables in TOUCHED.items():
        op.execute(
            f"CREATE TRIGGER touched_by_{event.lower()} AFTER {event} ON survey"
            f" REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION touch_of_child()"
        )


def make_said() -> None:
    """You said, we did: about no child, and for everybody once it is published."""
    op.create_table(
        "said_and_done",
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("done", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=True),
        sa.Column("table_key", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("published_at", WHEN, nullable=True),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", WHEN, nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        *made_by(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_said_and_done")),
        sa.ForeignKeyConstraint(
            ["area_code"], ["area.code"], name=op.f("fk_said_and_done_area_code")
        ),
        code("said_and_done", "state", "draft", "published", "withdrawn"),
        sa.CheckConstraint(
            "state <> 'published' OR (published_at IS NOT NULL AND published_by IS NOT NULL)",
            name=op.f("ck_said_and_done_published"),
        ),
    )
    op.create_index(
        "ix_said_and_done_published",
        "said_and_done",
        ["published_at", "id"],
        postgresql_where=sa.text("state = 'published'"),
    )
    op.execute("ALTER TABLE said_and_done ENABLE ROW LEVEL SECURITY")
    op.execute("GRANT SELECT, INSERT, UPDATE ON said_and_done TO panel_app")
    for policy, says in (
        (
            "read",
            f"FOR SELECT USING ({READS_DRAFTS} OR (state = 'published' AND {VIEWER} IS NOT NULL))",
        ),
        ("written", f"FOR INSERT WITH CHECK ({WRITES})"),
        ("changed", f"FOR UPDATE USING ({WRITES})"),
    ):
        op.execute(f"CREATE POLICY {policy} ON said_and_done {says}")


def upgrade() -> None:
    """Make both tables."""
    make_survey()
    make_said()


def downgrade() -> None:
    """Take them away, with all that was answered and said."""
    op.drop_table("said_and_done")
    op.drop_table("survey")
