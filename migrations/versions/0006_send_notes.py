"""Notes to families, whom they went to, what was answered, and incidents; fenced as all is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
TABLES = ("family_note", "incident", "note_answer", "note_delivery")
VIEWER_NOW = (
    "a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz"
)


def of_child(table: str) -> list[sa.schema.SchemaItem]:
    """The columns that every row about a child has, and their keys."""
    return [
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f(f"fk_{table}_child_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def of_note(table: str) -> sa.ForeignKeyConstraint:
    """The key of a row about a note."""
    return sa.ForeignKeyConstraint(
        ["note_id"], ["family_note.id"], name=op.f(f"fk_{table}_note_id")
    )


def make_tables() -> None:
    """The four tables."""
    op.create_table(
        "family_note",
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("author_agency_id", sa.Uuid(), nullable=False),
        sa.Column("categories", postgresql.JSONB(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("kept", sa.LargeBinary(), nullable=True),
        sa.Column("signed_off_at", WHEN, nullable=True),
        sa.Column("signed_off_by", sa.Uuid(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        *of_child("family_note"),
        sa.CheckConstraint(
            "state IN ('draft', 'signed_off', 'recalled')", name=op.f("ck_family_note_state")
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_family_note_meeting_id")
        ),
        sa.ForeignKeyConstraint(
            ["author_agency_id"], ["agency.id"], name=op.f("fk_family_note_author_agency_id")
        ),
    )
    op.create_table(
        "note_delivery",
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("held_back_test", sa.Text(), nullable=True),
        sa.Column("held_back_why", sa.LargeBinary(), nullable=True),
        sa.Column("outbox_id", sa.Uuid(), nullable=True),
        sa.Column("sendings", sa.Integer(), nullable=False),
        sa.Column("sent_at", WHEN, nullable=True),
        sa.Column("opened_at", WHEN, nullable=True),
        sa.Column("bounced_at", WHEN, nullable=True),
        sa.Column("recalled_at", WHEN, nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        *of_child("note_delivery"),
        of_note("note_delivery"),
        sa.CheckConstraint("way IN ('email', 'letter')", name=op.f("ck_note_delivery_way")),
        sa.CheckConstraint(
            "state IN ('held_back', 'waiting', 'sent', 'bounced', 'opened', 'recalled')",
            name=op.f("ck_note_delivery_state"),
        ),
        sa.CheckConstraint(
            "held_back_test IN ('serious_harm', 'childs_expectation')",
            name=op.f("ck_note_delivery_held_back_test"),
        ),
    )
    op.create_table(
        "note_answer",
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("said_at", WHEN, nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("replied_at", WHEN, nullable=True),
        sa.Column("replied_by", sa.Uuid(), nullable=True),
        *of_child("note_answer"),
        of_note("note_answer"),
        sa.CheckConstraint(
            "answer IN ('agree', 'disagree', 'could_not_say', 'question')",
            name=op.f("ck_note_answer_answer"),
        ),
    )
    op.create_table(
        "incident",
        sa.Column("note_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.Column("found_at", WHEN, nullable=False),
        sa.Column("what", sa.LargeBinary(), nullable=True),
        sa.Column("steps", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        *of_child("incident"),
        of_note("incident"),
        sa.CheckConstraint(
            "kind IN ('wrong_person', 'wrong_address', 'wrong_child')",
            name=op.f("ck_incident_kind"),
        ),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_incident_state")),
    )


def make_indexes() -> None:
    """By child and by note; and each note once for each number and person."""
    for table in TABLES:
        op.create_index(op.f(f"ix_{table}_child_id"), table, ["child_id"])
    for table in ("incident", "note_answer", "note_delivery"):
        op.create_index(op.f(f"ix_{table}_note_id"), table, ["note_id"])
    op.create_index(op.f("ix_family_note_meeting_id"), "family_note", ["meeting_id"])
    op.create_index(
        "uq_family_note_number", "family_note", ["meeting_id", "child_id", "number"], unique=True
    )
    op.create_index(
        "uq_note_delivery_person", "note_delivery", ["note_id", "person_id"], unique=True
    )
    op.create_index(
        "ix_note_delivery_waiting",
        "note_delivery",
        ["id"],
        postgresql_where=sa.text("state = 'waiting'"),
    )


def upgrade() -> None:
    """Make the tables and fence them."""
    make_tables()
    make_indexes()
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY reachable ON {table} USING ((SELECT true FROM child_access a"
            f" WHERE a.child_id = {table}.child_id AND {VIEWER_NOW}))"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO panel_app")
        # What pages were made from is read again after a write (migration 0003).
        op.execute(
            f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
        )


def downgrade() -> None:
    """Take them away again, with every note that was written."""
    for table in ("incident", "note_answer", "note_delivery", "family_note"):
        op.drop_table(table)
