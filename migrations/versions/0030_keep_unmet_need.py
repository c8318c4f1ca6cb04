"""Unmet need, waiting lists and offers of a place."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
REACHABLE = (
    "(SELECT true FROM child_access a WHERE a.child_id = {table}.child_id AND"
    " a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz)"
)
NEEDS = "'spld', 'mld', 'sld', 'pmld', 'semh', 'slcn', 'hi', 'vi', 'msi', 'pd', 'asd', 'ds', 'oth'"
GROUNDS = (
    "'no_such_service', 'no_capacity', 'not_eligible', 'no_money', 'too_far', 'wrong_time',"
    " 'not_suitable', 'family_declined', 'other'"
)
LEFT = "'withdrawn', 'declined', 'met', 'family', 'moved', 'age', 'died'"
TABLES = ("unmet_need", "waiting", "place_offer")


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


def upgrade() -> None:
    """Make the tables."""
    table(
        "unmet_need",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("need_code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("units_needed", sa.Numeric(12, 3), nullable=False),
        sa.Column("units_agreed", sa.Numeric(12, 3), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("closed_why", sa.LargeBinary(), nullable=True),
        code("unmet_need", "need_code", NEEDS),
        code("unmet_need", "reason", GROUNDS),
        names("unmet_need", "request_id", "service_request"),
        names("unmet_need", "decision_id", "request_decision"),
    )
    op.create_index(op.f("ix_unmet_need_request_id"), "unmet_need", ["request_id"])
    op.create_index(
        "ix_unmet_need_open",
        "unmet_need",
        ["from_on", "id"],
        postgresql_where=sa.text("until_on IS NULL"),
    )
    table(
        "waiting",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("left_why", sa.Text(), nullable=True),
        sa.Column("left_words", sa.LargeBinary(), nullable=True),
        code("waiting", "priority", "'urgent', 'soon', 'routine'"),
        code("waiting", "state", "'waiting', 'offered', 'accepted', 'left'"),
        code("waiting", "left_why", LEFT),
        names("waiting", "request_id", "service_request"),
    )
    op.create_index(op.f("ix_waiting_request_id"), "waiting", ["request_id"])
    op.create_index("ix_waiting_service", "waiting", ["service_id", "state", "since_on"])
    op.create_index(
        "uq_waiting_request",
        "waiting",
        ["request_id", "service_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'offered')"),
    )
    table(
        "place_offer",
        sa.Column("waiting_id", sa.Uuid(), nullable=False),
        sa.Column("offered_on", sa.Date(), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("why", sa.LargeBinary(), nullable=True),
        code("place_offer", "answer", "'accepted', 'refused', 'no_answer', 'taken_back'"),
        names("place_offer", "waiting_id", "waiting"),
    )
    op.create_index(op.f("ix_place_offer_waiting_id"), "place_offer", ["waiting_id"])
    op.create_index(
        "uq_place_offer_open",
        "place_offer",
        ["waiting_id"],
        unique=True,
        postgresql_where=sa.text("answer IS NULL"),
    )
    of_the_same_child("unmet_need", "request_id", "service_request")
    of_the_same_child("unmet_need", "decision_id", "request_decision")
    of_the_same_child("waiting", "request_id", "service_request")
    of_the_same_child("place_offer", "waiting_id", "waiting")


def downgrade() -> None:
    """Take them away, with all that is unmet and everybody who waits."""
    for name in reversed(TABLES):
        op.drop_table(name)
