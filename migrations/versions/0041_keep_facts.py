"""Coded facts of children without identity: what was touched, what happened, and what it comes to.

Triggers note whose record a statement changed, whichever service made the change; a plain insert
each, since an upsert would have two writers of one child wait for each other. Scheduled work turns
what it finds into events and facts, and alone reaches them. `panel_insight` reads facts, terms and
the names of areas, and nothing else in the schema.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0036"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"

OF_A_CHILD = (
    "agenda_item", "desired_outcome", "episode", "funding_share", "level_of_need",
    "outcome_progress", "outside_placement", "package", "place_offer", "plan",
    "processing_restriction", "referral", "request_decision", "service_line", "service_request",
    "unit_price", "unmet_need", "waiting",
)  # fmt: skip
"""Tables of a child's record that facts are made from."""
FUNCTIONS = ("touch_of_child", "touch_child", "touch_pair", "touch_erased", "touch_renamed")
FACTS = (
    "fact_child_term", "fact_need", "fact_request", "fact_unmet", "fact_package", "fact_wait",
    "fact_outcome", "fact_perception", "fact_transition", "fact_coverage", "fact_capacity",
)  # fmt: skip
KEPT = ("insight_touched", "insight_event", "insight_state")

AGES = ("0–2", "3–4", "5–7", "8–11", "12–15", "16–18", "19–25")
SEXES = ("female", "male", "indeterminate")
ETHNICITIES = ("asian", "black", "mixed", "white", "other")
NEEDS = (
    "asd", "ds", "gdd", "hi", "medical", "mld", "msi", "oth", "pd", "pmld", "semh", "slcn", "sld",
    "spld", "vi",
)  # fmt: skip
LEVELS = ("universal", "early_help", "targeted", "specialist")
SERVICES = (
    "short_break", "childcare", "play_and_leisure", "therapy", "health", "education",
    "family_support", "information", "equipment", "transport", "other",
)  # fmt: skip
BASES = ("s17", "csdpa2", "s20", "ehcp", "continuing_care", "local_offer")
DECISIONS = ("agreed", "agreed_in_part", "deferred", "declined")
REASONS = (
    "no_such_service", "no_capacity", "not_eligible", "no_money", "too_far", "wrong_time",
    "not_suitable", "family_declined", "other",
)  # fmt: skip
WAYS = ("in_kind", "direct_payment", "personal_budget")
UNITS = ("hour", "session", "day", "night", "week", "place", "item")
CLOCKS = ("identified_referral", "referral_panel", "panel_service", "request_decision", "place")
QUESTIONS = ("information", "assessment", "transparency", "participation", "feedback")
TRANSITIONS = (
    "school_start", "secondary", "preparing_adulthood", "adult_services", "hospital_home", "area",
)  # fmt: skip
LISTS = ("sen", "health", "dla")

TOUCH = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = "{schema}", pg_temp AS $$
BEGIN
{body}
  RETURN NULL;
END $$
"""
BY_COLUMN = """
  IF TG_OP = 'INSERT' THEN
    INSERT INTO insight_touched (id, child_id)
    SELECT gen_random_uuid(), t.child FROM (SELECT {column} AS child FROM came GROUP BY 1) t;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO insight_touched (id, child_id)
    SELECT gen_random_uuid(), t.child FROM (SELECT {column} AS child FROM went GROUP BY 1) t;
  ELSE
    INSERT INTO insight_touched (id, child_id)
    SELECT gen_random_uuid(), t.child FROM (SELECT {column} AS child FROM came
      UNION SELECT {column} FROM went) t;
  END IF;
"""
OF_A_PAIR = """
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO insight_touched (id, child_id)
    SELECT gen_random_uuid(), t.child FROM (SELECT child_id AS child FROM came
      UNION SELECT other_child_id FROM came) t;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO insight_touched (id, child_id)
    SELECT gen_random_uuid(), t.child FROM (SELECT child_id AS child FROM went
      UNION SELECT other_child_id FROM went) t;
  END IF;
"""
ERASED = """
  INSERT INTO insight_touched (id, child_id)
  SELECT gen_random_uuid(), n.holder_id FROM came n JOIN went o ON o.holder_id = n.holder_id
   WHERE n.wrapped IS NULL AND o.wrapped IS NOT NULL
     AND EXISTS (SELECT FROM child c WHERE c.id = n.holder_id);
"""
RENAMED = """
  IF TG_TABLE_NAME = 'agency' THEN
    INSERT INTO insight_touched (id, child_id)
    SELECT gen_random_uuid(), t.child_id FROM (SELECT f.child_id FROM came n
      JOIN went o ON o.id = n.id AND o.kind <> n.kind
      JOIN funding_share f ON f.agency_id = n.id GROUP BY 1) t;
  ELSIF EXISTS (SELECT FROM came n JOIN went o ON o.id = n.id AND o.kind <> n.kind) THEN
    INSERT INTO insight_touched (id, child_id)
    SELECT gen_random_uuid(), t.child_id FROM (
      SELECT r.child_id, r.service_id FROM service_request r
      UNION SELECT u.child_id, u.service_id FROM unmet_need u
      UNION SELECT l.child_id, l.service_id FROM service_line l) t
      JOIN came n ON n.id = t.service_id
      JOIN went o ON o.id = n.id AND o.kind <> n.kind;
  END IF;
"""


def this_schema() -> str:
    """The authority's schema; "authority" where the SQL is only printed."""
    if op.get_context().as_sql:
        return "authority"
    found: str = op.get_bind().execute(sa.text("SELECT current_schema()")).scalar_one()
    return found


def one_of(name: str, column: str, codes: tuple[str, ...]) -> sa.CheckConstraint:
    """A check that a code is one of a closed list, or was not said."""
    listed = ", ".join(f"'{code}'" for code in ("", *codes))
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{name}_{column}"))


def fact(
    name: str, key: tuple[str, ...], *columns: sa.Column[Any], **codes: tuple[str, ...]
) -> None:
    """A table of facts of people: who, which term, what."""
    op.create_table(
        name,
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("record_key", sa.BigInteger(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("person", "period", *key, name=op.f(f"pk_{name}")),
        sa.CheckConstraint("octet_length(person) = 16", name=op.f(f"ck_{name}_person")),
        *(one_of(name, column, listed) for column, listed in codes.items()),
    )
    op.create_index(op.f(f"ix_{name}_period"), name, ["period"])


def text(name: str) -> sa.Column[Any]:
    """A code."""
    return sa.Column(name, sa.Text(), nullable=False)


def period() -> sa.Column[Any]:
    """The term, as 2026-autumn."""
    return text("period")


def flag(name: str) -> sa.Column[Any]:
    """Yes or no."""
    return sa.Column(name, sa.Boolean(), nullable=False)


def number(name: str) -> sa.Column[Any]:
    """A small whole number."""
    return sa.Column(name, sa.Integer(), nullable=False)


def pence(name: str) -> sa.Column[Any]:
    """Money in pence."""
    return sa.Column(name, sa.BigInteger(), nullable=False)


def units(name: str) -> sa.Column[Any]:
    """An exact number of units."""
    return sa.Column(name, sa.Numeric(12, 3), nullable=False)


def row_key() -> sa.Column[Any]:
    """What tells two things of one person apart."""
    return sa.Column("key", sa.LargeBinary(), nullable=False)


def make_facts() -> None:
    """A table for each kind of fact."""
    own = ("key",)
    fact(
        "fact_child_term", (), period(), text("ward"), text("age"), text("sex"),
        text("ethnicity"), text("need"), text("level"), flag("known"), flag("planned"),
        age=AGES, sex=SEXES, ethnicity=ETHNICITIES, need=NEEDS, level=LEVELS,
    )  # fmt: skip
    op.create_check_constraint(
        op.f("ck_fact_child_term_ward"), "fact_child_term", "ward ~ '^([EWSN][0-9]{8})?$'"
    )
    fact("fact_need", ("need",), period(), text("need"), need=NEEDS)
    fact(
        "fact_request", own, row_key(), period(), text("kind"), flag("short_break"),
        text("basis"), text("decision"), flag("duty"),
        kind=SERVICES, basis=BASES, decision=DECISIONS,
    )  # fmt: skip
    fact(
        "fact_unmet", own, row_key(), period(), text("need"), text("reason"), text("kind"),
        flag("short_break"), text("unit"), units("units_missing"),
        need=NEEDS, reason=REASONS, kind=SERVICES, unit=UNITS,
    )  # fmt: skip
    fact(
        "fact_package", own, row_key(), period(), text("kind"), text("how"),
        flag("residential"), text("unit"), units("units"), pence("pence"), pence("payer_health"),
        pence("payer_education"), pence("payer_social_care"),
        kind=SERVICES, how=WAYS, unit=UNITS,
    )  # fmt: skip
    fact(
        "fact_wait", ("clock", "key"), row_key(), period(), text("clock"), number("days"),
        flag("over"), clock=CLOCKS,
    )  # fmt: skip
    fact(
        "fact_outcome", own, row_key(), period(), text("need"), number("baseline"),
        number("latest"), number("target"), flag("reached"), flag("by_family"), need=NEEDS,
    )  # fmt: skip
    fact(
        "fact_perception", ("key", "question"), row_key(), period(), text("question"),
        number("answer"), question=QUESTIONS,
    )  # fmt: skip
    fact(
        "fact_transition", own, row_key(), period(), text("kind"), flag("in_time"),
        kind=TRANSITIONS,
    )  # fmt: skip
    fact(
        "fact_coverage", ("list",), period(), text("list"), flag("listed"), flag("known"),
        list=LISTS,
    )  # fmt: skip
    op.create_table(
        "fact_capacity",
        row_key(),
        period(),
        text("kind"),
        flag("short_break"),
        number("places"),
        number("free"),
        sa.PrimaryKeyConstraint("period", "key", name=op.f("pk_fact_capacity")),
        one_of("fact_capacity", "kind", SERVICES),
    )
    op.create_table(
        "fact_period",
        period(),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("period", name=op.f("pk_fact_period")),
    )


def make_history() -> None:
    """What was touched and waits, what happened, and how far it was taken in."""
    op.create_table(
        "insight_touched",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insight_touched")),
    )
    op.create_table(
        "insight_event",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=True),
        sa.Column("other", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_insight_event")),
        sa.CheckConstraint(
            "(kind = 'said' AND record IS NOT NULL AND said IS NOT NULL)"
            " OR (kind IN ('linked', 'parted') AND record IS NOT NULL AND other IS NOT NULL)"
            " OR (kind = 'erased' AND record IS NULL)",
            name=op.f("ck_insight_event_kind"),
        ),
    )
    op.create_index("ix_insight_event_record", "insight_event", ["record", "number"])
    op.create_index(
        "ix_insight_event_other",
        "insight_event",
        ["other"],
        postgresql_where=sa.text("other IS NOT NULL"),
    )
    op.create_table(
        "insight_state",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("fed_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insight_state")),
        sa.CheckConstraint("id = 1", name=op.f("ck_insight_state_id")),
    )


def fence() -> None:
    """Scheduled work reaches all of it; the role that counts reads facts, terms and areas."""
    for name in (*FACTS, "fact_period", *KEPT):
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY scheduled ON {name} FOR ALL USING ({VIEWER} = {JOB})"
            f" WITH CHECK ({VIEWER} = {JOB})"
        )
    for name in (*FACTS, "fact_period"):
        op.execute(f"GRANT SELECT, INSERT, DELETE ON {name} TO panel_app")
    op.execute("GRANT SELECT, DELETE ON insight_touched TO panel_app")
    op.execute("GRANT SELECT, INSERT, DELETE ON insight_event TO panel_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON insight_state TO panel_app")
    # On a server that others keep, the role that counts may not be there.
    counted = "\n".join(
        f"    CREATE POLICY counted ON {name} FOR SELECT TO panel_insight USING (true);"
        f" GRANT SELECT ON {name} TO panel_insight;"
        for name in (*FACTS, "fact_period")
    )
    op.execute(f"""
DO $do$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'panel_insight') THEN
    GRANT USAGE ON SCHEMA "{this_schema()}" TO panel_insight;
    GRANT SELECT (code, name) ON area TO panel_insight;
{counted}
  END IF;
END $do$
""")


def touch(table: str, function: str, *events: str) -> None:
    """Have a table's statements note whose record they changed."""
    tables = {
        "INSERT": "NEW TABLE AS came",
        "UPDATE": "OLD TABLE AS went NEW TABLE AS came",
        "DELETE": "OLD TABLE AS went",
    }
    for event in events or tables:
        op.execute(
            f'CREATE TRIGGER touched_by_{event.lower()} AFTER {event} ON "{table}"'
            f" REFERENCING {tables[event]} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )


def make_triggers() -> None:
    """Functions with the owner's rights, since nobody else adds to what is touched."""
    schema = this_schema()
    bodies = (
        BY_COLUMN.format(column="child_id"),
        BY_COLUMN.format(column="id"),
        OF_A_PAIR,
        ERASED,
        RENAMED,
    )
    for name, body in zip(FUNCTIONS, bodies, strict=True):
        op.execute(TOUCH.format(name=name, schema=schema, body=body))
        op.execute(f"REVOKE EXECUTE ON FUNCTION {name}() FROM PUBLIC")
    for table in OF_A_CHILD:
        touch(table, "touch_of_child")
    touch("child", "touch_child")
    touch("possible_duplicate", "touch_pair")
    touch("data_key", "touch_erased", "UPDATE")
    touch("service", "touch_renamed", "UPDATE")
    touch("agency", "touch_renamed", "UPDATE")


def upgrade() -> None:
    """Make it all, and have every child's record looked at once."""
    make_facts()
    make_history()
    fence()
    make_triggers()
    op.execute("INSERT INTO insight_touched (id, child_id) SELECT gen_random_uuid(), id FROM child")


def downgrade() -> None:
    """Take it away; facts are made anew from the rooms when it comes back."""
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}() CASCADE")
    for name in (*FACTS, "fact_period", *KEPT):
        op.drop_table(name)
    op.execute(f"""
DO $do$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'panel_insight') THEN
    REVOKE SELECT (code, name) ON area FROM panel_insight;
    REVOKE USAGE ON SCHEMA "{this_schema()}" FROM panel_insight;
  END IF;
END $do$
""")
