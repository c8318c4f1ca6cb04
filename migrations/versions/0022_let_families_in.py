"""How one of a family signs in: the invitation, the safe contact that codes go to, since when."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
JOB = "00000000-0000-7000-8000-000000000001"
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
REACHED = (
    f"a.viewer_id = {VIEWER}"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz"
)


def upgrade() -> None:
    """Make the table, seen by its person, by who reaches a child of theirs, and by the job."""
    op.create_table(
        "family_access",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("word_mark", sa.LargeBinary(), nullable=True),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("email_index", sa.LargeBinary(), nullable=True),
        sa.Column("contact_from", WHEN, nullable=False),
        sa.Column("invited_at", WHEN, nullable=False),
        sa.Column("invitation_mark", sa.LargeBinary(), nullable=True),
        sa.Column("invitation_ends_at", WHEN, nullable=False),
        sa.Column("first_used_on", sa.Date(), nullable=True),
        sa.Column("last_signed_in_on", sa.Date(), nullable=True),
        sa.Column("withdrawn_at", WHEN, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "fact IN ('birth_date', 'agreed_word')", name=op.f("ck_family_access_fact")
        ),
        sa.CheckConstraint("way IN ('email', 'letter')", name=op.f("ck_family_access_way")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_access")),
    )
    op.create_index("ix_family_access_person_id", "family_access", ["person_id"], unique=True)
    op.create_index("ix_family_access_reference", "family_access", ["reference"], unique=True)
    op.create_index("ix_family_access_email_index", "family_access", ["email_index"])
    op.execute("ALTER TABLE family_access ENABLE ROW LEVEL SECURITY")
    # A person is one of the family or the child: either way whoever reaches the child.
    op.execute(
        "CREATE POLICY known ON family_access USING ("
        f"family_access.person_id = {VIEWER} OR {VIEWER} = '{JOB}'::uuid"
        " OR (SELECT true FROM child_access a"
        f" WHERE a.child_id = family_access.person_id AND {REACHED})"
        " OR (SELECT true FROM family_link l JOIN child_access a ON a.child_id = l.child_id"
        f" WHERE l.family_member_id = family_access.person_id AND {REACHED} LIMIT 1))"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON family_access TO panel_app")


def downgrade() -> None:
    """Take it away: from then on only links let a family in."""
    op.drop_table("family_access")
