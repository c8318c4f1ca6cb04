"""Changes to prepare, and what the nightly watch found missing."""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
REACHABLE = (
    "(SELECT true FROM child_access a WHERE a.child_id = {table}.child_id AND"
    " a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz)"
)
KINDS = (
    "hospital_to_home",
    "nursery",
    "reception",
    "leaving_contacts",
    "secondary",
    "year_9",
    "own_agreement",
    "early_years_place",
    "phase_place",
    "post_16_place",
    "between_post_16",
    "dla_to_pip",
    "turning_18",
    "turning_25",
    "new_address",
    "new_school",
    "new_gp",
    "new_authority",
)


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


def make_transition() -> None:
    """What changes in a child's life, and who prepares it."""
    table(
        "transition",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("watch_from", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("found", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner_worker_id", sa.Uuid(), nullable=True),
        sa.Column("receiving_agency_id", sa.Uuid(), nullable=True),
        sa.Column("author_agency_id", sa.Uuid(), nullable=True),
        sa.Column("handed_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("plan", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_worker_id"], ["worker.id"], name=op.f("fk_transition_owner_worker_id")
        ),
        sa.ForeignKeyConstraint(
            ["receiving_agency_id"], ["agency.id"], name=op.f("fk_transition_receiving_agency_id")
        ),
        sa.ForeignKeyConstraint(
            ["author_agency_id"], ["agency.id"], name=op.f("fk_transition_author_agency_id")
        ),
        code("transition", "kind", *KINDS),
        code("transition", "state", "watched", "planned", "handed", "done", "not_needed"),
    )
    op.create_index(
        "uq_transition_kind_due", "transition", ["child_id", "kind", "due_on"], unique=True
    )
    op.create_index("ix_transition_due", "transition", ["due_on", "id"])
    op.create_index(op.f("ix_transition_owner_worker_id"), "transition", ["owner_worker_id"])


def make_gap() -> None:
    """Which child lacks which next step."""
    table(
        "gap",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=False),
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("agency_id", sa.Uuid(), nullable=True),
    )
    for name, columns, unique in (
        ("uq_gap_open", ["kind", "about_id"], True),
        ("ix_gap_open_since", ["since_on", "id"], False),
    ):
        op.create_index(
            name, "gap", columns, unique=unique, postgresql_where=sa.text("closed_on IS NULL")
        )


def upgrade() -> None:
    """Make both tables."""
    make_transition()
    make_gap()


def downgrade() -> None:
    """Take them away, with every plan for a change."""
    op.drop_table("gap")
    op.drop_table("transition")
