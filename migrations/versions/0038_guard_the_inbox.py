"""Whose mailbox of MESH is whose, what a client might do as it sent, and what may be deleted.

Scheduled work deletes what was received and is about no child's record, once its time is over, and
kept states of a resource that was moved to another child. Neither is anything of a child's record
as it stands; the fence says so, whoever asks.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0036"
branch_labels = None
depends_on = None

VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"
LEAD = "(SELECT answers_for_use(ARRAY['governance_lead']))"
LETTER = "unknown_letter"
# A piece that is with a child holds back what it came in; so does one that the job cannot see.
OF_NOBODY = f"{VIEWER} = {JOB} AND holder_id = agency_id"


def reaches(table: str) -> str:
    """SQL: the viewer reaches the child of a row now."""
    return (
        f"(SELECT true FROM child_access a WHERE a.child_id = {table}.child_id"
        f" AND a.viewer_id = {VIEWER}"
        " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
        " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz)"
    )


_KNOWN = (
    f"CASE WHEN child_id IS NULL THEN {VIEWER} = {JOB} OR client_id = {VIEWER}"
    f" OR (SELECT answers_for_use(ARRAY['coordinator'])) ELSE {reaches('received_piece')} END"
)
# As it was (0035), but for deleting, which is scheduled work's alone, and never what a child's is.
PIECES = (
    ("known", f"FOR SELECT USING ({_KNOWN})"),
    ("put", f"FOR INSERT WITH CHECK ({_KNOWN})"),
    ("changed", f"FOR UPDATE USING ({_KNOWN})"),
    ("forgotten", f"FOR DELETE USING ({OF_NOBODY} AND child_id IS NULL)"),
)


def upgrade() -> None:
    """Add what is to be known, and let scheduled work delete no more than this."""
    op.add_column("received", sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column("child", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("exchange_client", sa.Column("mesh_mailbox", sa.Text(), nullable=True))
    op.create_index(
        "uq_exchange_client_mesh_mailbox",
        "exchange_client",
        ["mesh_mailbox"],
        unique=True,
        postgresql_where=sa.text("ended_on IS NULL"),
    )
    op.create_index(
        "ix_received_waiting",
        "received",
        ["client_id"],
        postgresql_where=sa.text("state IN ('new', 'to_match', 'quarantined', 'refused')"),
    )
    op.create_table(
        LETTER,
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f(f"pk_{LETTER}")),
    )
    op.execute(f"ALTER TABLE {LETTER} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY kept ON {LETTER} USING ({VIEWER} = {JOB})")
    op.execute(f"CREATE POLICY seen ON {LETTER} FOR SELECT USING ({LEAD})")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON {LETTER} TO panel_app")
    op.execute(f"CREATE POLICY forgotten ON received FOR DELETE USING ({OF_NOBODY})")
    op.execute("DROP POLICY known ON received_piece")
    for policy, says in PIECES:
        op.execute(f"CREATE POLICY {policy} ON received_piece {says}")
    op.execute("GRANT DELETE ON received, received_piece TO panel_app")
    moved_away = f"{VIEWER} = {JOB} AND {reaches('resource_version')}"
    op.execute(f"CREATE POLICY moved_away ON resource_version FOR DELETE USING ({moved_away})")
    op.execute("GRANT DELETE ON resource_version TO panel_app")


def downgrade() -> None:
    """Nothing is deleted any more, and whose mailbox is whose is not known."""
    op.execute("REVOKE DELETE ON resource_version, received_piece, received FROM panel_app")
    op.execute("DROP POLICY moved_away ON resource_version")
    for policy, _ in PIECES:
        op.execute(f"DROP POLICY {policy} ON received_piece")
    op.execute(f"CREATE POLICY known ON received_piece USING ({_KNOWN})")
    op.execute("DROP POLICY forgotten ON received")
    op.drop_table(LETTER)
    op.drop_index("uq_exchange_client_mesh_mailbox", "exchange_client")
    op.drop_column("exchange_client", "mesh_mailbox")
    op.drop_index("ix_received_waiting", "received")
    op.drop_column("child", "told_at")
    op.drop_column("received", "scopes")
