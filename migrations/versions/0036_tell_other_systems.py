"""What other systems are told by themselves: subscriptions, what waits to go, exports, pulls.

A notification holds no more than which resource changed. What an export keeps for an hour is lines
as their sources read them: what is sealed in its own table is sealed here, by the same key. Whether
any of it may be told is decided when it leaves.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
TEXTS = postgresql.ARRAY(sa.Text())
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"
LEAD = "(SELECT answers_for_use(ARRAY['governance_lead']))"
OWN = f"{VIEWER} = {JOB} OR client_id = {VIEWER}"
TABLES = ("export_line", "export_part", "export_job", "delivery", "subscription", "pull_source")


def reachable(name: str) -> str:
    """Whether the viewer may reach the child of a row now."""
    return (
        f"(SELECT true FROM child_access a WHERE a.child_id = {name}.child_id AND"
        f" a.viewer_id = {VIEWER}"
        " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
        " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz)"
    )


def make(name: str, *parts: sa.schema.SchemaItem, **references: str) -> None:
    """A table with who and when, and what its columns refer to."""
    op.create_table(
        name,
        *parts,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_{name}_{column}"))
            for column, table in references.items()
        ),
    )
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")


def make_subscriptions() -> None:
    """What clients want to be told of, and each thing that they are to be told."""
    make(
        "subscription",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("headers", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("end_at", WHEN, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", WHEN, nullable=False),
        sa.Column("since", WHEN, nullable=False),
        sa.Column("looked_until", WHEN, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ended_at", WHEN, nullable=True),
        sa.CheckConstraint(
            "state IN ('requested', 'active', 'error', 'off')", name=op.f("ck_subscription_state")
        ),
        client_id="exchange_client",
        agency_id="agency",
    )
    op.create_index(op.f("ix_subscription_client_id"), "subscription", ["client_id"])
    make(
        "delivery",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("told_at", WHEN, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", WHEN, nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("settled_at", WHEN, nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'dead', 'withheld', 'given_up')",
            name=op.f("ck_delivery_state"),
        ),
        child_id="child",
        subscription_id="subscription",
    )
    op.create_index(op.f("ix_delivery_child_id"), "delivery", ["child_id"])
    op.create_index(
        "uq_delivery_sequence", "delivery", ["subscription_id", "child_id", "sequence"], unique=True
    )
    op.create_index(
        "uq_delivery_told",
        "delivery",
        ["subscription_id", "resource", "resource_id", "told_at"],
        unique=True,
    )
    op.create_index(
        "ix_delivery_waiting",
        "delivery",
        ["subscription_id", "child_id", "sequence"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_delivery_dead", "delivery", ["next_at"], postgresql_where=sa.text("state = 'dead'")
    )


def make_exports() -> None:
    """What a client asked for as files, and the lines of them."""
    make(
        "export_job",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("types", TEXTS, nullable=False),
        sa.Column("since", WHEN, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("as_of", WHEN, nullable=True),
        sa.Column("ends_at", WHEN, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", WHEN, nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'ready', 'failed', 'cancelled')", name=op.f("ck_export_job_state")
        ),
        client_id="exchange_client",
    )
    op.create_index("ix_export_job_client_state", "export_job", ["client_id", "state"])
    make(
        "export_part",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("row_ids", postgresql.ARRAY(sa.Uuid()), nullable=True),
        client_id="exchange_client",
        job_id="export_job",
    )
    op.create_index(
        "uq_export_part_number", "export_part", ["job_id", "resource", "number"], unique=True
    )
    make(
        "export_line",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("part_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        child_id="child",
        part_id="export_part",
    )
    op.create_index(op.f("ix_export_line_child_id"), "export_line", ["child_id"])
    op.create_index("uq_export_line_place", "export_line", ["part_id", "place"], unique=True)


def make_pulls() -> None:
    """Other systems that are asked by schedule."""
    make(
        "pull_source",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("token_address", sa.Text(), nullable=True),
        sa.Column("as_client", sa.Text(), nullable=False),
        sa.Column("scopes", TEXTS, nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=True),
        sa.Column("types", TEXTS, nullable=False),
        sa.Column("every_minutes", sa.Integer(), nullable=False),
        sa.Column("looked_until", WHEN, nullable=True),
        sa.Column("next_at", WHEN, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        client_id="exchange_client",
        agency_id="agency",
    )
    op.create_index(op.f("ix_pull_source_client_id"), "pull_source", ["client_id"])


def fence() -> None:
    """A client reaches its own; scheduled work all; the lead what is not about a child."""
    line, delivery = reachable("export_line"), reachable("delivery")
    policies = (
        ("subscription", "SELECT USING", f"{OWN} OR {LEAD}"),
        ("subscription", "INSERT WITH CHECK", f"client_id = {VIEWER}"),
        ("subscription", "UPDATE USING", OWN),
        ("delivery", "SELECT USING", delivery),
        ("delivery", "INSERT WITH CHECK", f"{VIEWER} = {JOB}"),
        ("delivery", "UPDATE USING", f"{VIEWER} = {JOB}"),
        ("delivery", "DELETE USING", f"{VIEWER} = {JOB}"),
        ("export_job", "ALL USING", OWN),
        ("export_part", "ALL USING", OWN),
        ("export_line", "SELECT USING", line),
        ("export_line", "INSERT WITH CHECK", line),
        ("export_line", "DELETE USING", f"{VIEWER} = {JOB}"),
        ("pull_source", "SELECT USING", f"{VIEWER} = {JOB} OR {LEAD}"),
        ("pull_source", "INSERT WITH CHECK", f"{VIEWER} = {JOB} OR {LEAD}"),
        ("pull_source", "UPDATE USING", f"{VIEWER} = {JOB} OR {LEAD}"),
    )
    for name, what, who in policies:
        does = what.split()[0].lower()
        op.execute(f"CREATE POLICY {does}_{name} ON {name} FOR {what} ({who})")
    for name in ("subscription", "delivery", "pull_source"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {name} TO panel_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON export_job, export_part TO panel_app")
    op.execute("GRANT DELETE ON delivery TO panel_app")
    op.execute("GRANT SELECT, INSERT, DELETE ON export_line TO panel_app")


def upgrade() -> None:
    """Make the tables and fence them."""
    make_subscriptions()
    make_exports()
    make_pulls()
    fence()


def downgrade() -> None:
    """Take them away again: nobody is told anything by itself any more."""
    for name in TABLES:
        op.drop_table(name)
