"""Let workers join, move and leave: invitations, leavings, and roles that take two people."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
ROLES = (
    "practitioner",
    "coordinator",
    "chair",
    "panel_member",
    "manager",
    "budget_holder",
    "allocation_member",
    "commissioner",
    "governance_lead",
    "caldicott_guardian",
    "safeguarding_lead",
    "parents_representative",
    "administrator",
)
TABLES = ("invitation", "leaving", "role_proposal")


def row(table: str) -> list[sa.schema.SchemaItem]:
    """The columns that every row has, and the worker whom each row here is about."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f(f"fk_{table}_worker_id")),
    ]


def one_of(table: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    """A CHECK that the text is one of these."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def upgrade() -> None:
    """Make the tables, for the serving role; nobody deletes what was decided about somebody."""
    op.add_column("agency", sa.Column("closed_on", sa.Date(), nullable=True))
    op.create_table(
        "invitation",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ends_at", WHEN, nullable=False),
        *row("invitation"),
        one_of("invitation", "state", ("sent", "taken", "withdrawn")),
    )
    op.create_index(op.f("ix_invitation_worker_id"), "invitation", ["worker_id"])
    op.create_table(
        "leaving",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("for_safety", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended_roles", postgresql.JSONB(), nullable=False),
        sa.Column("plans_without", sa.Integer(), nullable=False),
        *row("leaving"),
        one_of("leaving", "state", ("planned", "done", "withdrawn")),
    )
    op.create_index(
        "uq_leaving_worker",
        "leaving",
        ["worker_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    op.create_table(
        "role_proposal",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("lapses_at", WHEN, nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", WHEN, nullable=True),
        *row("role_proposal"),
        one_of("role_proposal", "role", ROLES),
        one_of("role_proposal", "state", ("open", "confirmed", "refused", "withdrawn")),
        sa.CheckConstraint(
            "state <> 'confirmed' OR (answered_by IS NOT NULL AND answered_by <> proposed_by"
            " AND answered_by <> worker_id AND proposed_by <> worker_id)",
            name=op.f("ck_role_proposal_two_people"),
        ),
    )
    op.create_index(
        "uq_role_proposal_open",
        "role_proposal",
        ["worker_id", "role"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO panel_app")
        op.execute(
            f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
        )


def downgrade() -> None:
    """Take them away, with every invitation, leaving and proposal."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_column("agency", "closed_on")
