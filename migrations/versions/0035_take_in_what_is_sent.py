"""What other systems sent: as it came, taken apart, their own versions, and what they would change.

What came is seen by its sender and by whoever finds out whom it is about, until that is known; from
then on as the child's record is, by those who reach the child.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"
NOW = "NULLIF(current_setting('panel.now', true), '')::timestamptz"
MATCHES = "(SELECT answers_for_use(ARRAY['coordinator']))"
"""Whoever finds out whom something is about."""
CATEGORIES = (
    "identity", "contact", "network", "health", "development", "education", "social_care", "family",
    "finance", "views", "plan", "panel", "safeguarding",
)  # fmt: skip


def reaches(child: str) -> str:
    """SQL: the viewer reaches the child in a column now."""
    return (
        f"(SELECT true FROM child_access a WHERE a.child_id = {child} AND a.viewer_id = {VIEWER}"
        f" AND a.valid_from <= {NOW} AND a.valid_until >= {NOW})"
    )


def listed(*values: str) -> str:
    """Values as SQL lists them."""
    return ", ".join(f"'{value}'" for value in values)


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


def table(name: str, *columns: sa.Column, to: dict[str, str], **checks: str) -> None:
    """A table with its key, foreign keys and checks."""
    op.create_table(
        name,
        *columns,
        *made_by(),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        *(
            sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{name}_{column}"))
            for column, other in to.items()
        ),
        *(
            sa.CheckConstraint(f"{column} IN ({values})", name=op.f(f"ck_{name}_{column}"))
            for column, values in checks.items()
        ),
    )


def make_received() -> None:
    """What came, as bytes, and each resource in it."""
    table(
        "received",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("content_index", sa.LargeBinary(), nullable=False),
        sa.Column("identifier_index", sa.LargeBinary(), nullable=True),
        sa.Column("bytes_long", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        to={"client_id": "exchange_client", "agency_id": "agency"},
        state=listed("new", "to_match", "offered", "quarantined", "done", "not_ours", "refused"),
    )
    op.create_index("uq_received_content", "received", ["client_id", "content_index"], unique=True)
    op.create_index(
        "uq_received_identifier", "received", ["client_id", "identifier_index"], unique=True
    )
    op.create_index("ix_received_state", "received", ["state", "created_at"])
    table(
        "received_piece",
        sa.Column("received_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=True),
        sa.Column("about", sa.Integer(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("full_url", sa.LargeBinary(), nullable=True),
        sa.Column("sender_id", sa.LargeBinary(), nullable=True),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("kept", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reason_path", sa.Text(), nullable=True),
        sa.Column("became_type", sa.Text(), nullable=True),
        sa.Column("became_id", sa.Uuid(), nullable=True),
        to={
            "received_id": "received",
            "client_id": "exchange_client",
            "agency_id": "agency",
            "child_id": "child",
        },
        state=listed("to_match", "matched", "kept", "quarantined", "not_ours"),
        category=listed(*CATEGORIES),
    )
    op.create_index(
        "uq_received_piece_path", "received_piece", ["received_id", "path"], unique=True
    )
    op.create_index(op.f("ix_received_piece_child_id"), "received_piece", ["child_id"])


def make_versions() -> None:
    """What the sender has now, and what it would change of ours."""
    table(
        "sender_version",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("author_agency_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("identifier_marks", postgresql.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        to={
            "child_id": "child",
            "author_agency_id": "agency",
            "client_id": "exchange_client",
            "piece_id": "received_piece",
        },
        category=listed(*CATEGORIES),
    )
    op.create_index(op.f("ix_sender_version_child_id"), "sender_version", ["child_id"])
    op.create_index("ix_sender_version_type", "sender_version", ["type", "child_id"])
    op.create_index(
        "ix_sender_version_marks", "sender_version", ["identifier_marks"], postgresql_using="gin"
    )
    table(
        "proposal",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("received_id", sa.Uuid(), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("after", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", WHEN, nullable=True),
        to={"child_id": "child", "received_id": "received", "piece_id": "received_piece"},
        state=listed("open", "taken", "left"),
        category=listed(*CATEGORIES),
    )
    for column in ("child_id", "received_id"):
        op.create_index(op.f(f"ix_proposal_{column}"), "proposal", [column])
    op.create_index("ix_proposal_state", "proposal", ["child_id", "state"])


def fence() -> None:
    """Before it is known whom it is about: its sender and whoever finds out; then the child's."""
    seen = (
        f"{VIEWER} = {JOB} OR client_id = {VIEWER} OR {reaches('received.holder_id')}"
        f" OR holder_id = agency_id AND {MATCHES}"
    )
    piece = (
        f"CASE WHEN child_id IS NULL THEN {VIEWER} = {JOB} OR client_id = {VIEWER} OR {MATCHES}"
        f" ELSE {reaches('received_piece.child_id')} END"
    )
    policies = (
        ("received", "came", f"FOR INSERT WITH CHECK ({VIEWER} IN (client_id, {JOB}))"),
        ("received", "seen", f"FOR SELECT USING ({seen})"),
        # Whose it turns out to be may be a child whom its sender does not reach.
        ("received", "taken_in", f"FOR UPDATE USING ({seen})"),
        ("received_piece", "known", f"USING ({piece})"),
        *(
            (name, "reachable", f"USING ({reaches(f'{name}.child_id')})")
            for name in ("sender_version", "proposal")
        ),
    )
    for name in ("received", "received_piece", "sender_version", "proposal"):
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {name}"
            " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {name} TO panel_app")
    for name, policy, says in policies:
        op.execute(f"CREATE POLICY {policy} ON {name} {says}")


def upgrade() -> None:
    """Make the tables and fence them."""
    make_received()
    make_versions()
    fence()


def downgrade() -> None:
    """Take them away, with all that other systems sent."""
    for name in ("proposal", "sender_version", "received_piece", "received"):
        op.drop_table(name)
