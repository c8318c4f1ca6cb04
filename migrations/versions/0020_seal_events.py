"""Events are only ever added to, and are sealed in batches into a tree that proves it.

Each event keeps its transaction's number, so that what is not sealed yet is found without looking
at everything. The column is added without a value: the tables are not written anew, and what was
there before is sealed first. Where an event stands in the order, its own row does not say.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from panel.platform.tables import XID8

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
JOB = "00000000-0000-7000-8000-000000000001"
NOBODY = "00000000-0000-0000-0000-000000000000"
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
ANSWERING = "ARRAY['governance_lead', 'caldicott_guardian', 'safeguarding_lead']"

LOOK = "id, child_id, at, viewer_id, viewer_kind, agency_id, purpose, doing, decisions"
EVENT = "id, at, actor_id, actor_kind, agency_id, kind, subject_id, details, holder_id, words"
OLDER = ("access_event", "history_search")
ONLY_ADDED = (*OLDER, "audit_event", "audit_leaf", "audit_seal")

# For everybody, the owner and a replica's apply too: only somebody who takes the trigger away first
# gets past it, and `panel audit verify` sees that.
REFUSE = """
CREATE FUNCTION only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'what happened is only ever added to %', TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $$
"""


def make_tables() -> None:
    """What happened that is no look at a record; the order, the seals and the key of them."""
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column(
            "transaction", XID8(), nullable=True, server_default=sa.text("pg_current_xact_id()")
        ),
        sa.CheckConstraint(
            "actor_kind IN ('worker', 'family', 'guest', 'client', 'job', 'operator', 'nobody')",
            name=op.f("ck_audit_event_actor_kind"),
        ),
        sa.CheckConstraint(
            "kind ~ '^[a-z]+(_[a-z]+)*([.][a-z]+(_[a-z]+)*)+$'", name=op.f("ck_audit_event_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_index("ix_audit_event_at", "audit_event", ["at", "id"])
    op.create_table(
        "audit_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_key")),
    )
    op.create_table(
        "audit_seal",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("form", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", WHEN, nullable=False),
        sa.Column("server", sa.BigInteger(), nullable=False),
        sa.Column("all_below", sa.BigInteger(), nullable=True),
        sa.Column("none_from", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_seal")),
    )
    op.create_table(
        "audit_leaf",
        sa.Column("position", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_leaf")),
        sa.UniqueConstraint("event_id", name=op.f("uq_audit_leaf_event_id")),
    )


def fence() -> None:
    """Whoever acts adds what they did; only scheduled work seals; those who answer for use read."""
    for table in ("audit_event", "audit_leaf", "audit_seal", "audit_key"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_act ON audit_event FOR INSERT WITH CHECK"
        f" (actor_id = {VIEWER} OR {VIEWER} IN ('{NOBODY}'::uuid, '{JOB}'::uuid))"
    )
    op.execute(
        "CREATE POLICY answering ON audit_event FOR SELECT USING"
        f" ({VIEWER} = '{JOB}'::uuid OR (SELECT answers_for_use({ANSWERING})))"
    )
    op.execute(f"GRANT SELECT, INSERT ({EVENT}) ON audit_event TO panel_app")
    for table in ("audit_leaf", "audit_seal", "audit_key"):
        op.execute(
            f"CREATE POLICY for_the_job ON {table} FOR SELECT USING ({VIEWER} = '{JOB}'::uuid)"
        )
        op.execute(
            f"CREATE POLICY sealed ON {table} FOR INSERT WITH CHECK ({VIEWER} = '{JOB}'::uuid)"
        )
        op.execute(f"GRANT SELECT, INSERT ON {table} TO panel_app")
    op.execute(
        f"CREATE POLICY for_the_job ON history_search FOR SELECT USING ({VIEWER} = '{JOB}'::uuid)"
    )
    # The number of a transaction is the database's to say, not the serving role's.
    op.execute("REVOKE INSERT ON access_event FROM panel_app")
    op.execute(f"GRANT INSERT ({LOOK}) ON access_event TO panel_app")


def upgrade() -> None:
    """Make the tables, number the events' transactions, and refuse every change of them."""
    make_tables()
    for table in OLDER:
        op.add_column(table, sa.Column("transaction", XID8(), nullable=True))
        op.alter_column(table, "transaction", server_default=sa.text("pg_current_xact_id()"))
    for table in (*OLDER, "audit_event"):
        op.create_index(f"ix_{table}_transaction", table, ["transaction"])
    fence()
    op.execute(REFUSE)
    op.execute("REVOKE EXECUTE ON FUNCTION only_added() FROM PUBLIC")
    for table in ONLY_ADDED:
        op.execute(
            f"CREATE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION only_added()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER only_added")


def downgrade() -> None:
    """Take the proof away, with everything that was not a look at a record."""
    for table in ONLY_ADDED:
        op.execute(f"DROP TRIGGER only_added ON {table}")
    op.execute("DROP FUNCTION only_added()")
    op.execute(f"REVOKE INSERT ({LOOK}) ON access_event FROM panel_app")
    op.execute("GRANT INSERT ON access_event TO panel_app")
    op.execute("DROP POLICY for_the_job ON history_search")
    for table in OLDER:
        op.drop_index(f"ix_{table}_transaction", table_name=table)
        op.drop_column(table, "transaction")
    for table in ("audit_leaf", "audit_seal", "audit_key", "audit_event"):
        op.drop_table(table)
