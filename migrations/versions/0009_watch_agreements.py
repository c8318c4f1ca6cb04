"""Agreements that renew others, answers to requests, judgements, and agencies offered access."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
VIEWER_NOW = (
    "a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz"
)
ADDED = {
    "sharing_agreement": (
        sa.Column("renews_id", sa.Uuid(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("objected", postgresql.ARRAY(sa.Uuid()), nullable=True),
    ),
    "sharing_objection": (sa.Column("decided_by", sa.Uuid(), nullable=True),),
    "access_request": (
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("agreement_id", sa.Uuid(), nullable=True),
        sa.Column("involvement_id", sa.Uuid(), nullable=True),
    ),
    "involvement": (sa.Column("offered_access_on", sa.Date(), nullable=True),),
}


def upgrade() -> None:
    """Add the columns, and the table of judgements, fenced as every child's table is."""
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, column)
    op.create_index(
        op.f("uq_sharing_agreement_renews_id"), "sharing_agreement", ["renews_id"], unique=True
    )
    op.create_index(
        "uq_access_request_involvement",
        "access_request",
        ["involvement_id", "category"],
        unique=True,
    )
    op.create_table(
        "sharing_judgement",
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("why", sa.LargeBinary(), nullable=True),
        sa.Column("consulted", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "finding IN ('competent', 'not_competent', 'has_capacity', 'lacks_capacity',"
            " 'best_interests')",
            name=op.f("ck_sharing_judgement_finding"),
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["worker.id"], name=op.f("fk_sharing_judgement_author_id")
        ),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_sharing_judgement_child_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_judgement")),
    )
    op.create_index(op.f("ix_sharing_judgement_child_id"), "sharing_judgement", ["child_id"])
    op.execute("ALTER TABLE sharing_judgement ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY reachable ON sharing_judgement USING ((SELECT true FROM child_access a"
        f" WHERE a.child_id = sharing_judgement.child_id AND {VIEWER_NOW}))"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON sharing_judgement TO panel_app")
    # What pages were made from is read again after a write (migration 0003).
    op.execute(
        "CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sharing_judgement"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )


def downgrade() -> None:
    """Take them away again; who judged what, and what requests were answered with, is lost."""
    op.drop_table("sharing_judgement")
    op.drop_index("uq_access_request_involvement", table_name="access_request")
    op.drop_index(op.f("uq_sharing_agreement_renews_id"), table_name="sharing_agreement")
    for table, columns in ADDED.items():
        for column in columns:
            op.drop_column(table, column.name)
