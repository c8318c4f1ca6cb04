"""How a referral is answered, how a case is closed, and how a child is handed to another authority.

What another authority hands to us is of no child here until somebody accepts it: it is sealed for
the agency as whose it came, and read by whoever runs a panel and by scheduled work.
"""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"
REACHABLE = (
    "(SELECT true FROM child_access a WHERE a.child_id = {table}.child_id"
    f" AND a.viewer_id = {VIEWER}"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz)"
)
RUNS = f"({VIEWER} = {JOB} OR (SELECT answers_for_use(ARRAY['coordinator', 'chair'])))"
KEEPS = f"({VIEWER} = {JOB} OR (SELECT answers_for_use(ARRAY['governance_lead'])))"
WAYS = ("worker", "form", "letter", "telephone", "family", "system")
CLOSURES = (
    "needs_met",
    "moved_to_social_care",
    "moved_away",
    "withdrawn",
    "not_engaging",
    "reached_age",
    "died",
)
STATES = ("draft", "sent", "accepted", "refused", "withdrawn")
OF_CHILD = ("referral_answer", "case_closure", "authority_handover")
LINKS = (
    ("referral_answer", "referral_id", "referral"),
    ("referral_answer", "episode_id", "episode"),
    ("case_closure", "episode_id", "episode"),
    ("authority_handover", "episode_id", "episode"),
)


def column(name: str, *, needed: bool = False) -> sa.Column:
    """Text."""
    return sa.Column(name, sa.Text(), nullable=not needed)


def sealed(*names: str) -> list[sa.Column]:
    """Sealed texts."""
    return [sa.Column(one, sa.LargeBinary(), nullable=True) for one in names]


def day(name: str, *, needed: bool = False) -> sa.Column:
    """A day."""
    return sa.Column(name, sa.Date(), nullable=not needed)


def id_of(name: str, *, needed: bool = False) -> sa.Column:
    """Another row's id."""
    return sa.Column(name, sa.Uuid(), nullable=not needed)


def link(name: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    """A foreign key by id."""
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{name}_{column}"))


def code(name: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    """One of these."""
    listed = ", ".join(f"'{one}'" for one in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{name}_{column}"))


def table(name: str, *parts: sa.Column | sa.Constraint) -> None:
    """A table with the columns that every row has."""
    op.create_table(
        name,
        *parts,
        id_of("id", needed=True),
        sa.Column("created_at", WHEN, nullable=False),
        id_of("created_by", needed=True),
        sa.Column("changed_at", WHEN, nullable=False),
        id_of("changed_by", needed=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {name} TO panel_app")


def make_answers() -> None:
    """What became of a referral: acknowledged, joined to an episode, eligible or not."""
    name = "referral_answer"
    table(
        name,
        id_of("child_id", needed=True),
        id_of("referral_id", needed=True),
        column("way", needed=True),
        day("acknowledge_by", needed=True),
        day("acknowledged_on"),
        column("acknowledged_how"),
        id_of("episode_id"),
        sa.Column("joins", sa.Boolean(), nullable=False),
        column("outcome"),
        day("decided_on"),
        id_of("decided_by"),
        sa.Column("criteria", sa.ARRAY(sa.Text()), nullable=False),
        *sealed("reasons", "what_else"),
        link(name, "child_id", "child"),
        link(name, "referral_id", "referral"),
        link(name, "episode_id", "episode"),
        link(name, "decided_by", "worker"),
        code(name, "way", WAYS),
        code(name, "outcome", ("eligible", "not_eligible")),
        sa.CheckConstraint(
            "(outcome IS NULL) = (decided_on IS NULL) AND (outcome IS NULL) = (decided_by IS NULL)",
            name=op.f(f"ck_{name}_decided"),
        ),
    )
    op.create_index(op.f(f"ix_{name}_child_id"), name, ["child_id"])
    op.create_index(f"uq_{name}_referral", name, ["referral_id"], unique=True)
    op.create_index(
        f"ix_{name}_waiting",
        name,
        ["acknowledge_by"],
        postgresql_where=sa.text("acknowledged_on IS NULL"),
    )


def make_closures() -> None:
    """How an episode was closed; one that was reopened keeps what was said of its closing."""
    name = "case_closure"
    table(
        name,
        id_of("child_id", needed=True),
        id_of("episode_id", needed=True),
        column("reason", needed=True),
        day("closed_on", needed=True),
        column("level_then"),
        column("level_now"),
        *sealed("what_next", "left_with"),
        day("told_family_on"),
        day("reopened_on"),
        *sealed("reopened_because"),
        link(name, "child_id", "child"),
        link(name, "episode_id", "episode"),
        code(name, "reason", CLOSURES),
    )
    op.create_index(op.f(f"ix_{name}_child_id"), name, ["child_id"])
    op.create_index(
        f"uq_{name}_episode",
        name,
        ["episode_id"],
        unique=True,
        postgresql_where=sa.text("reopened_on IS NULL"),
    )


def make_handovers() -> None:
    """Children handed to another authority, or by one; and what came and is not accepted yet."""
    table(
        "other_authority",
        column("name", needed=True),
        column("client_key", needed=True),
        id_of("agency_id", needed=True),
        column("base"),
        column("as_client"),
        column("public_key"),
        *sealed("signing_key"),
        day("ended_on"),
        link("other_authority", "agency_id", "agency"),
    )
    op.create_index("uq_other_authority_client", "other_authority", ["client_key"], unique=True)
    op.execute(f"CREATE POLICY kept ON other_authority FOR INSERT WITH CHECK ({KEEPS})")
    op.execute(f"CREATE POLICY changed ON other_authority FOR UPDATE USING ({KEEPS})")
    op.execute(f"CREATE POLICY named ON other_authority FOR SELECT USING ({VIEWER} IS NOT NULL)")
    name = "authority_handover"
    table(
        name,
        id_of("child_id", needed=True),
        id_of("episode_id"),
        column("direction", needed=True),
        column("state", needed=True),
        id_of("authority_id"),
        column("authority_name", needed=True),
        id_of("identifier", needed=True),
        column("way", needed=True),
        day("moves_on"),
        day("sent_on"),
        sa.Column("delivered_at", WHEN, nullable=True),
        day("answered_on"),
        column("task_state"),
        sa.Column("withheld", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("withdraw_asked_at", WHEN, nullable=True),
        sa.Column("next_at", WHEN, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        column("failure"),
        *sealed("note", "reason", "document", "lead_there"),
        link(name, "child_id", "child"),
        link(name, "episode_id", "episode"),
        link(name, "authority_id", "other_authority"),
        code(name, "direction", ("out", "in")),
        code(name, "state", STATES),
        code(name, "way", ("system", "file")),
    )
    op.create_index(op.f(f"ix_{name}_child_id"), name, ["child_id"])
    op.create_index(f"uq_{name}_identifier", name, ["identifier", "direction"], unique=True)
    op.create_index(
        f"uq_{name}_one_going",
        name,
        ["child_id"],
        unique=True,
        postgresql_where=sa.text("direction = 'out' AND state IN ('draft', 'sent')"),
    )
    op.create_index(
        f"ix_{name}_due", name, ["next_at"], postgresql_where=sa.text("next_at IS NOT NULL")
    )
    name = "received_handover"
    table(
        name,
        id_of("authority_id", needed=True),
        id_of("agency_id", needed=True),
        id_of("identifier", needed=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        column("state", needed=True),
        day("received_on", needed=True),
        day("answered_on"),
        id_of("answered_by"),
        id_of("handover_id"),
        *sealed("document", "reason", "lead_here"),
        link(name, "authority_id", "other_authority"),
        link(name, "agency_id", "agency"),
        code(name, "state", ("requested", "accepted", "refused", "withdrawn")),
    )
    op.create_index(
        "uq_received_handover_identifier", name, ["authority_id", "identifier"], unique=True
    )
    op.create_index("ix_received_handover_agency_id", name, ["agency_id"])
    op.execute(f"CREATE POLICY known ON {name} USING ({RUNS}) WITH CHECK ({RUNS})")


def upgrade() -> None:
    """Make the tables, and fence them."""
    make_answers()
    make_closures()
    make_handovers()
    for name in OF_CHILD:
        reachable = REACHABLE.format(table=name)
        op.execute(
            f"CREATE POLICY reachable ON {name} USING ({reachable}) WITH CHECK ({reachable})"
        )
        op.execute(
            f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {name}"
            " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
        )
    for name, column_, to in LINKS:
        op.execute(
            f"CREATE TRIGGER same_child_{column_} AFTER INSERT OR UPDATE OF {column_}, child_id"
            f" ON {name} FOR EACH ROW EXECUTE FUNCTION of_the_same_child('{column_}', '{to}')"
        )


def downgrade() -> None:
    """Take it all away, with every answer, closure and handover."""
    for name in (
        "received_handover",
        "authority_handover",
        "other_authority",
        "case_closure",
        "referral_answer",
    ):
        op.drop_table(name)
