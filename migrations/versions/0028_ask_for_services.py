"""Requests for service, the panel's decisions, criteria, appeals and letters.

A request that was sent ties whoever sits on its allocation panel to the child: budget holders and
members, from the day it was sent to the day that stands on it once it is before the panel no more.
When the papers that bring a child to an allocation panel were complete stands with the referral.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
REACHABLE = (
    "(SELECT true FROM child_access a WHERE a.child_id = {table}.child_id AND"
    " a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz)"
)
BASES = ("s17", "csdpa2", "s20", "ehcp", "continuing_care", "local_offer")
NEEDS = (
    *("spld", "mld", "sld", "pmld", "semh", "slcn", "hi", "vi", "msi", "pd", "asd", "ds", "oth"),
)
UNITS = ("hour", "session", "night", "week")
URGENCIES = ("urgent", "soon", "routine")
GROUNDS = (
    "no_such_service",
    "no_capacity",
    "not_eligible",
    "no_money",
    "too_far",
    "wrong_time",
    "not_suitable",
    "family_declined",
    "other",
)
OF_CHILD = ("service_request", "request_decision", "appeal", "decision_letter", "letter_copy")
LINKS = (
    ("service_request", "referral_id", "referral"),
    ("service_request", "assessment_id", "assessment"),
    ("request_decision", "request_id", "service_request"),
    ("appeal", "request_id", "service_request"),
    ("appeal", "decision_id", "request_decision"),
    ("decision_letter", "decision_id", "request_decision"),
    ("letter_copy", "letter_id", "decision_letter"),
)

ALLOCATION_TIE = """
CREATE VIEW allocation_tie WITH (security_invoker = true) AS
SELECT q.child_id, r.worker_id AS viewer_id, 'request'::text AS tie, r.worker_id AS who,
       GREATEST(q.sent_on, r.from_on) AS from_on, LEAST(q.tie_until, r.until_on) AS until_on,
       NULL::text[] AS categories
  FROM service_request q
  JOIN worker_role r ON (r.panel_id = q.panel_id OR r.panel_id IS NULL)
                    AND r.role IN ('budget_holder', 'allocation_member')
 WHERE q.state IN ('sent', 'decided')
"""
# The view of ties is written anew from what it is, so that what other migrations put in stays.
ADD_TIE = """
DO $$ BEGIN
  EXECUTE 'CREATE OR REPLACE VIEW review_tie WITH (security_invoker = true) AS '
    || rtrim(pg_get_viewdef('review_tie'::regclass), ';')
    || ' UNION ALL SELECT allocation_tie.child_id, allocation_tie.viewer_id, allocation_tie.tie,'
    || ' allocation_tie.who, allocation_tie.from_on, allocation_tie.until_on,'
    || ' allocation_tie.categories FROM allocation_tie';
END $$
"""
TAKE_TIE = r"""
DO $$ BEGIN
  EXECUTE 'CREATE OR REPLACE VIEW review_tie WITH (security_invoker = true) AS '
    || regexp_replace(rtrim(pg_get_viewdef('review_tie'::regclass), ';'),
                      '\s*UNION ALL\s+SELECT allocation_tie\.child_id.*$', '');
END $$
"""


def table(name: str, *columns: sa.schema.SchemaItem, of_child: bool = True) -> None:
    """A table with what every row has, its index and its trigger."""
    child: list[sa.schema.SchemaItem] = []
    if of_child:
        child = [
            sa.Column("child_id", sa.Uuid(), nullable=False),
            sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f(f"fk_{name}_child_id")),
        ]
    op.create_table(
        name,
        *columns,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        *child,
    )
    if of_child:
        op.create_index(op.f(f"ix_{name}_child_id"), name, ["child_id"])
    op.execute(
        f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {name}"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {name} TO panel_app")


def sealed(*names: str) -> list[sa.Column[bytes]]:
    """Sealed columns."""
    return [sa.Column(name, sa.LargeBinary(), nullable=True) for name in names]


def code(name: str, column: str, values: Sequence[str]) -> sa.CheckConstraint:
    """One of these."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{name}_{column}"))


def link(name: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    """A column that names a row of another table."""
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{name}_{column}"))


def text(name: str, *, needed: bool = False) -> sa.Column[str]:
    """A text column."""
    return sa.Column(name, sa.Text(), nullable=not needed)


def id_of(name: str, *, needed: bool = False) -> sa.Column[object]:
    """A column that holds an id."""
    return sa.Column(name, sa.Uuid(), nullable=not needed)


def day(name: str, *, needed: bool = False) -> sa.Column[object]:
    """A date column."""
    return sa.Column(name, sa.Date(), nullable=not needed)


def units(name: str) -> sa.Column[object]:
    """A number of units."""
    return sa.Column(name, sa.Numeric(12, 3), nullable=True)


def make_requests() -> None:
    """Requests."""
    name = "service_request"
    table(
        name,
        id_of("panel_id"),
        id_of("referral_id"),
        text("reference", needed=True),
        text("state", needed=True),
        text("legal_basis"),
        text("category", needed=True),
        *sealed("need", "outcome", "tried", "asked_for", "urgency_why", "family_wishes"),
        *sealed("withdrawn_why"),
        text("need_code"),
        id_of("service_id"),
        units("asked_units"),
        text("unit"),
        text("urgency", needed=True),
        id_of("assessment_id"),
        text("level_of_need"),
        id_of("agency_id", needed=True),
        day("sent_on"),
        id_of("sent_by"),
        day("tie_until"),
        code(name, "state", ("draft", "sent", "decided", "withdrawn")),
        code(name, "legal_basis", BASES),
        code(name, "need_code", NEEDS),
        code(name, "unit", UNITS),
        code(name, "urgency", URGENCIES),
        link(name, "panel_id", "panel"),
        link(name, "referral_id", "referral"),
        link(name, "assessment_id", "assessment"),
        link(name, "agency_id", "agency"),
    )
    op.create_index("uq_service_request_reference", name, ["reference"], unique=True)
    op.create_index("ix_service_request_panel", name, ["panel_id", "state"])


def make_criteria() -> None:
    """Versions of the criteria."""
    table(
        "criterion_set",
        day("from_on", needed=True),
        day("until_on"),
        text("name", needed=True),
        of_child=False,
    )
    op.create_index("uq_criterion_set_from", "criterion_set", ["from_on"], unique=True)
    table(
        "criterion",
        id_of("set_id", needed=True),
        text("key", needed=True),
        text("title", needed=True),
        text("text", needed=True),
        sa.Column("is_duty", sa.Boolean(), nullable=False),
        link("criterion", "set_id", "criterion_set"),
        of_child=False,
    )
    op.create_index("uq_criterion_key", "criterion", ["set_id", "key"], unique=True)


def make_decisions() -> None:
    """Decisions and appeals."""
    name = "request_decision"
    table(
        name,
        id_of("request_id", needed=True),
        id_of("panel_id", needed=True),
        id_of("meeting_id"),
        text("kind", needed=True),
        id_of("criterion_id", needed=True),
        text("because"),
        *sealed("reasons", "reasons_for_family", "conditions", "nothing_unmet"),
        day("review_on", needed=True),
        units("agreed_units"),
        day("decided_on", needed=True),
        id_of("decided_by", needed=True),
        sa.Column("chairs_action", sa.Boolean(), server_default=sa.false(), nullable=False),
        id_of("ratified_meeting_id"),
        sa.Column("ratified_at", WHEN, nullable=True),
        sa.Column("stands", sa.Boolean(), server_default=sa.true(), nullable=False),
        code(name, "kind", ("agreed", "agreed_in_part", "deferred", "declined")),
        code(name, "because", GROUNDS),
        sa.CheckConstraint(
            "kind = 'agreed' OR because IS NOT NULL", name=op.f(f"ck_{name}_says_why")
        ),
        sa.CheckConstraint(
            "chairs_action = (meeting_id IS NULL)", name=op.f(f"ck_{name}_at_a_meeting")
        ),
        link(name, "request_id", "service_request"),
        link(name, "panel_id", "panel"),
        link(name, "meeting_id", "meeting"),
        link(name, "ratified_meeting_id", "meeting"),
        link(name, "criterion_id", "criterion"),
    )
    op.create_index(op.f("ix_request_decision_request_id"), name, ["request_id"])
    op.create_index(
        "uq_request_decision_stands",
        name,
        ["request_id"],
        unique=True,
        postgresql_where=sa.text("stands"),
    )
    op.create_index(
        "ix_request_decision_to_ratify",
        name,
        ["panel_id"],
        postgresql_where=sa.text("chairs_action AND ratified_at IS NULL AND stands"),
    )
    table(
        "appeal",
        id_of("request_id", needed=True),
        id_of("decision_id", needed=True),
        day("asked_on", needed=True),
        id_of("by_person"),
        *sealed("grounds", "outcome_why"),
        day("answer_by", needed=True),
        text("outcome"),
        day("decided_on"),
        id_of("decided_by"),
        code("appeal", "outcome", ("upheld", "not_upheld", "withdrawn")),
        link("appeal", "request_id", "service_request"),
        link("appeal", "decision_id", "request_decision"),
    )
    op.create_index(op.f("ix_appeal_request_id"), "appeal", ["request_id"])
    op.create_index(
        "uq_appeal_open",
        "appeal",
        ["decision_id"],
        unique=True,
        postgresql_where=sa.text("outcome IS NULL"),
    )


def make_letters() -> None:
    """Letters and their copies."""
    name = "decision_letter"
    table(
        name,
        id_of("decision_id", needed=True),
        *sealed("body", "kept_why"),
        day("approved_on", needed=True),
        id_of("approved_by", needed=True),
        link(name, "decision_id", "request_decision"),
    )
    op.create_index("uq_decision_letter_decision", name, ["decision_id"], unique=True)
    table(
        "letter_copy",
        id_of("letter_id", needed=True),
        id_of("person_id", needed=True),
        text("way", needed=True),
        text("state", needed=True),
        id_of("outbox_id"),
        sa.Column("sent_at", WHEN, nullable=True),
        sa.Column("opened_at", WHEN, nullable=True),
        text("failure"),
        code("letter_copy", "way", ("email", "letter")),
        code("letter_copy", "state", ("waiting", "sent", "opened")),
        link("letter_copy", "letter_id", "decision_letter"),
    )
    op.create_index("uq_letter_copy_person", "letter_copy", ["letter_id", "person_id"], unique=True)


def upgrade() -> None:
    """Make the tables, fence them, and tie whoever sits on the panel."""
    make_requests()
    make_criteria()
    make_decisions()
    make_letters()
    for name in OF_CHILD:
        reachable = REACHABLE.format(table=name)
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY reachable ON {name} USING ({reachable}) WITH CHECK ({reachable})"
        )
    for name, column, to in LINKS:
        op.execute(
            f"CREATE TRIGGER same_child_{column} AFTER INSERT OR UPDATE OF {column}, child_id"
            f" ON {name} FOR EACH ROW EXECUTE FUNCTION of_the_same_child('{column}', '{to}')"
        )
    # What was decided is not written over: only whether it stands, that it was ratified, and a
    # text that somebody has a right to have put right (UK GDPR Article 16).
    op.execute("REVOKE UPDATE ON request_decision FROM panel_app")
    op.execute(
        "GRANT UPDATE (stands, ratified_meeting_id, ratified_at, reasons, reasons_for_family,"
        " conditions, nothing_unmet, changed_at, changed_by, version)"
        " ON request_decision TO panel_app"
    )
    op.add_column("referral", day("papers_on"))
    op.execute(ALLOCATION_TIE)
    op.execute("GRANT SELECT ON allocation_tie TO panel_app")
    op.execute(ADD_TIE)


def downgrade() -> None:
    """Take it all away, with every request, decision and letter."""
    op.execute(TAKE_TIE)
    op.execute("DROP VIEW allocation_tie")
    op.drop_column("referral", "papers_on")
    for name in (
        "letter_copy",
        "decision_letter",
        "appeal",
        "request_decision",
        "criterion",
        "criterion_set",
        "service_request",
    ):
        op.drop_table(name)
