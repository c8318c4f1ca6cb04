"""What an outcome is measured by, what it rests on, who agreed to a plan, what if all goes wrong.

What was agreed is kept as it was, with what each one said of it in their own words. Nothing that
figures are made of changes: a reading on an outcome's own measure stands beside the judgement on
the scale of 0 to 5.
"""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
REACHABLE = (
    "(SELECT true FROM child_access a WHERE a.child_id = {table}.child_id AND"
    " a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz)"
)
JUDGES = "'child', 'parent', 'worker'"
TABLES = (
    "outcome_measure",
    "outcome_reading",
    "outcome_need",
    "plan_version",
    "plan_answer",
    "contingency_plan",
    "action_chase",
)
SECTIONS = (
    "must_know",
    "carer_ill",
    "child_ill",
    "equipment",
    "school_closed",
    "worse",
    "who_to_ring",
)


def table(
    name: str, *columns: sa.schema.SchemaItem, rights: str = "SELECT, INSERT, UPDATE"
) -> None:
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
    op.execute(f"GRANT {rights} ON {name} TO panel_app")
    reachable = REACHABLE.format(table=name)
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY reachable ON {name} USING ({reachable}) WITH CHECK ({reachable})")


def code(name: str, column: str, listed: str) -> sa.CheckConstraint:
    """One of these."""
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


def make_measures() -> None:
    """How an outcome is measured, each reading, and the needs it answers."""
    table(
        "outcome_measure",
        sa.Column("outcome_id", sa.Uuid(), nullable=False),
        sa.Column("baseline_words", sa.LargeBinary(), nullable=True),
        sa.Column("baseline_number", sa.Numeric(9, 2), nullable=True),
        sa.Column("target_words", sa.LargeBinary(), nullable=True),
        sa.Column("target_number", sa.Numeric(9, 2), nullable=True),
        sa.Column("unit", sa.LargeBinary(), nullable=True),
        sa.Column("by_on", sa.Date(), nullable=True),
        sa.Column("judged_by", sa.Text(), nullable=True),
        sa.Column("scaling_question", sa.LargeBinary(), nullable=True),
        code("outcome_measure", "judged_by", JUDGES),
        names("outcome_measure", "outcome_id", "desired_outcome"),
    )
    op.create_index("uq_outcome_measure_outcome", "outcome_measure", ["outcome_id"], unique=True)
    table(
        "outcome_reading",
        sa.Column("outcome_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("value", sa.Numeric(9, 2), nullable=False),
        sa.Column("said_by", sa.Text(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        code("outcome_reading", "kind", "'number', 'scaling'"),
        code("outcome_reading", "said_by", JUDGES),
        sa.CheckConstraint(
            "kind <> 'scaling' OR value BETWEEN 0 AND 10", name=op.f("ck_outcome_reading_scale")
        ),
        names("outcome_reading", "outcome_id", "desired_outcome"),
    )
    op.create_index(op.f("ix_outcome_reading_outcome_id"), "outcome_reading", ["outcome_id", "on"])
    table(
        "outcome_need",
        sa.Column("outcome_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("section_key", sa.Text(), nullable=False),
        sa.Column("question_key", sa.Text(), nullable=False),
        names("outcome_need", "outcome_id", "desired_outcome"),
        names("outcome_need", "assessment_id", "assessment"),
        rights="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "uq_outcome_need",
        "outcome_need",
        ["outcome_id", "assessment_id", "section_key", "question_key"],
        unique=True,
    )
    op.create_index(op.f("ix_outcome_need_assessment_id"), "outcome_need", ["assessment_id"])
    op.add_column("action", sa.Column("service_id", sa.Uuid(), nullable=True))


def make_versions() -> None:
    """What was agreed, and what each one said of it."""
    table(
        "plan_version",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        names("plan_version", "plan_id", "plan"),
        # What it says is sealed anew when keys change; its number and its day never change.
        rights="SELECT, INSERT, UPDATE (content, changed_at, changed_by, version)",
    )
    op.create_index("uq_plan_version_number", "plan_version", ["plan_id", "number"], unique=True)
    table(
        "plan_answer",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("written_by_agency_id", sa.Uuid(), nullable=True),
        sa.Column("agrees", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("on", sa.Date(), nullable=False),
        code("plan_answer", "agrees", "'yes', 'no', 'cannot_answer'"),
        sa.CheckConstraint(
            "num_nonnulls(person_id, worker_id) = 1", name=op.f("ck_plan_answer_one_person")
        ),
        sa.CheckConstraint(
            "worker_id IS NULL OR written_by_agency_id IS NULL",
            name=op.f("ck_plan_answer_own_words"),
        ),
        names("plan_answer", "version_id", "plan_version"),
        names("plan_answer", "worker_id", "worker"),
        names("plan_answer", "written_by_agency_id", "agency"),
    )
    for column in ("person_id", "worker_id"):
        op.create_index(
            f"uq_plan_answer_{column.removesuffix('_id')}",
            "plan_answer",
            ["version_id", column],
            unique=True,
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )
    table(
        "contingency_plan",
        sa.Column("author_agency_id", sa.Uuid(), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        *(sa.Column(one, sa.LargeBinary(), nullable=True) for one in SECTIONS),
        names("contingency_plan", "author_agency_id", "agency"),
    )
    op.create_index("uq_contingency_plan_child", "contingency_plan", ["child_id"], unique=True)


def make_chases() -> None:
    """Who was reminded of an action that is overdue."""
    table(
        "action_chase",
        sa.Column("action_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        code("action_chase", "step", "'owner', 'manager'"),
        names("action_chase", "action_id", "action"),
        names("action_chase", "worker_id", "worker"),
        rights="SELECT, INSERT",
    )
    op.create_index(
        "uq_action_chase_step", "action_chase", ["action_id", "due_on", "step"], unique=True
    )
    op.create_index("ix_action_chase_worker", "action_chase", ["worker_id", "step"])


def upgrade() -> None:
    """Make the tables."""
    make_measures()
    make_versions()
    make_chases()
    for name, column, to in (
        ("outcome_measure", "outcome_id", "desired_outcome"),
        ("outcome_reading", "outcome_id", "desired_outcome"),
        ("outcome_need", "outcome_id", "desired_outcome"),
        ("outcome_need", "assessment_id", "assessment"),
        ("plan_version", "plan_id", "plan"),
        ("plan_answer", "version_id", "plan_version"),
        ("action_chase", "action_id", "action"),
    ):
        of_the_same_child(name, column, to)


def downgrade() -> None:
    """Take them away, with what was agreed and what each one said."""
    for name in reversed(TABLES):
        op.drop_table(name)
    op.drop_column("action", "service_id")
