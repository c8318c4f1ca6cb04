"""Packages with lines, prices, payers and payments; pots with a ledger; contracts; grants.

The three amounts of a pot are moved by its ledger alone. A line is added by one statement: its
trigger takes the pot's row, which locks it, and moves the amounts where they allow it; where they
do not, the line is not added and the statement says that it added none. The serving role may write
neither the amounts nor a line that is there.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
MONEY = sa.Numeric(12, 2)
UNITS = sa.Numeric(12, 3)
JOB = "00000000-0000-7000-8000-000000000001"
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
IS_JOB = f"{VIEWER} = '{JOB}'::uuid"
SIGNS = f"{IS_JOB} OR (SELECT answers_for_use(ARRAY['budget_holder']))"
SITS = f"{IS_JOB} OR (SELECT answers_for_use(ARRAY['budget_holder', 'allocation_member']))"
WORKERS = f"{IS_JOB} OR (SELECT EXISTS (SELECT FROM worker w WHERE w.id = {VIEWER}))"
REACHABLE = (
    "(SELECT true FROM child_access a WHERE a.child_id = {table}.child_id AND"
    " a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz)"
)

# With the owner's rights, since the serving role may not write the amounts. The row's lock makes
# others wait, and what they then see is the amount as it became: it is part of the row itself.
MOVE = """
CREATE FUNCTION move_pot() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = "{schema}", pg_temp AS $$
DECLARE
  d_amount numeric := CASE NEW.kind WHEN 'top_up' THEN NEW.amount
                                    WHEN 'cut' THEN -NEW.amount ELSE 0 END;
  d_committed numeric := CASE NEW.kind WHEN 'commitment' THEN NEW.amount
                                       WHEN 'release' THEN -NEW.amount ELSE 0 END;
  d_spent numeric := CASE NEW.kind WHEN 'actual' THEN NEW.amount
                                   WHEN 'refund' THEN -NEW.amount ELSE 0 END;
BEGIN
  UPDATE pot SET amount = amount + d_amount, committed = committed + d_committed,
                 spent = spent + d_spent, version = version + (d_amount <> 0)::int
   WHERE id = NEW.pot_id
     AND 0 <= spent + d_spent
     AND spent + d_spent <= committed + d_committed
     AND committed + d_committed <= amount + d_amount
     AND amount + d_amount <= 9999999999.99;
  IF FOUND THEN
    RETURN NEW;
  END IF;
  RETURN NULL;
END $$
"""


def this_schema() -> str:
    """The authority's schema; "authority" where the SQL is only printed."""
    if op.get_context().as_sql:
        return "authority"
    found: str = op.get_bind().execute(text("SELECT current_schema()")).scalar_one()
    return found


def table(name: str, *columns: sa.schema.SchemaItem, of_child: bool = True) -> None:
    """A table with what every row has, its index, its fence and its trigger."""
    child = [sa.Column("child_id", sa.Uuid(), nullable=False)] if of_child else []
    key = [link(name, "child_id", "child")] if of_child else []
    op.create_table(
        name,
        *columns,
        *child,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        *key,
    )
    if of_child:
        op.create_index(op.f(f"ix_{name}_child_id"), name, ["child_id"])
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {name}"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )


def ref(name: str, *, needed: bool = True) -> sa.Column[sa.Uuid[object]]:
    """A column that names a row."""
    return sa.Column(name, sa.Uuid(), nullable=not needed)


def words(name: str, *, needed: bool = True) -> sa.Column[str]:
    """A column with a code or a name."""
    return sa.Column(name, sa.Text(), nullable=not needed)


def day(name: str, *, needed: bool = True) -> sa.Column[object]:
    """A column with a day."""
    return sa.Column(name, sa.Date(), nullable=not needed)


def money(*names: str) -> list[sa.Column[object]]:
    """Columns with amounts."""
    return [sa.Column(name, MONEY, nullable=False) for name in names]


def count(*names: str) -> list[sa.Column[int]]:
    """Columns with whole numbers."""
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def yes_or_no(name: str) -> sa.Column[bool]:
    """A column that says yes or no."""
    return sa.Column(name, sa.Boolean(), nullable=False)


def sealed(*names: str) -> list[sa.Column[bytes]]:
    """Sealed columns."""
    return [sa.Column(name, sa.LargeBinary(), nullable=True) for name in names]


def codes(name: str, column: str, values: Sequence[str]) -> sa.CheckConstraint:
    """One of these."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{name}_{column}"))


def check(name: str, what: str, rule: str) -> sa.CheckConstraint:
    """What always holds."""
    return sa.CheckConstraint(rule, name=op.f(f"ck_{name}_{what}"))


def link(name: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    """A column that names a row of another table."""
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{name}_{column}"))


def make_pots() -> None:
    """Pots and their ledger."""
    table(
        "pot",
        words("name"),
        words("kind"),
        words("law", needed=False),
        ref("agency_id"),
        words("financial_year"),
        *(
            sa.Column(one, MONEY, server_default=sa.text("0"), nullable=False)
            for one in ("amount", "committed", "spent")
        ),
        codes("pot", "kind", ("share", "pooled", "aligned")),
        codes("pot", "law", ("s75", "s10")),
        check("pot", "sums", "0 <= spent AND spent <= committed AND committed <= amount"),
        check("pot", "pooled_by_law", "kind <> 'pooled' OR law IS NOT NULL"),
        link("pot", "agency_id", "agency"),
        of_child=False,
    )
    op.create_index("uq_pot_name", "pot", ["name", "financial_year", "agency_id"], unique=True)
    table(
        "pot_entry",
        ref("pot_id"),
        ref("package_id", needed=False),
        ref("grant_id", needed=False),
        ref("agency_id", needed=False),
        words("kind"),
        *money("amount"),
        day("on"),
        codes("pot_entry", "kind", ("top_up", "cut", "commitment", "release", "actual", "refund")),
        check("pot_entry", "amount", "amount > 0"),
        link("pot_entry", "pot_id", "pot"),
        link("pot_entry", "agency_id", "agency"),
        of_child=False,
    )
    op.create_index("ix_pot_entry_pot", "pot_entry", ["pot_id", "id"])
    op.create_index("ix_pot_entry_package", "pot_entry", ["package_id"])


def make_contracts() -> None:
    """Contracts of several authorities."""
    table(
        "joint_contract",
        words("reference"),
        words("title"),
        words("provider"),
        *count("places"),
        day("from_on"),
        day("until_on"),
        of_child=False,
    )
    op.create_index("uq_joint_contract_reference", "joint_contract", ["reference"], unique=True)
    table(
        "contract_price",
        ref("contract_id"),
        *money("amount"),
        day("from_on"),
        day("until_on", needed=False),
        link("contract_price", "contract_id", "joint_contract"),
        of_child=False,
    )
    op.create_index(op.f("ix_contract_price_contract_id"), "contract_price", ["contract_id"])
    table(
        "contract_party",
        ref("contract_id"),
        words("authority"),
        yes_or_no("is_ours"),
        *count("places", "health", "education", "social_care"),
        link("contract_party", "contract_id", "joint_contract"),
        of_child=False,
    )
    op.create_index(
        "uq_contract_party_name", "contract_party", ["contract_id", "authority"], unique=True
    )


def make_packages() -> None:
    """Packages, their lines, what they cost and who pays."""
    table(
        "package",
        ref("request_id", needed=False),
        ref("author_agency_id"),
        *sealed("name", "spending_plan", "broker"),
        words("kind"),
        words("state"),
        day("from_on"),
        day("until_on", needed=False),
        *count("shared_by"),
        day("plan_agreed_on", needed=False),
        yes_or_no("broker_holds"),
        day("reviewed_on", needed=False),
        day("approved_on", needed=False),
        ref("approved_by", needed=False),
        codes("package", "kind", ("in_kind", "direct_payment", "personal_budget")),
        codes("package", "state", ("planned", "active", "ended")),
        link("package", "request_id", "service_request"),
        link("package", "author_agency_id", "agency"),
    )
    table(
        "service_line",
        ref("package_id"),
        ref("service_id", needed=False),
        *sealed("what"),
        sa.Column("units", UNITS, nullable=False),
        words("unit"),
        words("every"),
        day("from_on"),
        day("until_on", needed=False),
        words("law", needed=False),
        codes("service_line", "every", ("week", "fortnight", "month", "year", "once")),
        codes("service_line", "unit", ("hour", "session", "day", "night", "week", "place", "item")),
        codes("service_line", "law", ("s17", "s20")),
        link("service_line", "package_id", "package"),
    )
    table(
        "unit_price",
        ref("service_line_id"),
        *money("amount"),
        day("from_on"),
        day("until_on", needed=False),
        link("unit_price", "service_line_id", "service_line"),
    )
    table(
        "line_actual",
        ref("service_line_id"),
        day("from_on"),
        day("until_on"),
        sa.Column("units", UNITS, nullable=False),
        *money("amount"),
        ref("returns_id", needed=False),
        link("line_actual", "service_line_id", "service_line"),
        link("line_actual", "returns_id", "line_actual"),
    )
    op.create_index("uq_line_actual_returns", "line_actual", ["returns_id"], unique=True)
    table(
        "short_break",
        ref("service_line_id"),
        day("from_on"),
        day("until_on"),
        yes_or_no("passes_limit"),
        day("cancelled_on", needed=False),
        link("short_break", "service_line_id", "service_line"),
    )
    table(
        "funding_share",
        ref("package_id"),
        ref("agency_id"),
        *count("parts"),
        ref("pot_id", needed=False),
        day("from_on"),
        day("until_on", needed=False),
        link("funding_share", "package_id", "package"),
        link("funding_share", "agency_id", "agency"),
        link("funding_share", "pot_id", "pot"),
    )


def make_signatures() -> None:
    """Changes that wait to be signed, and who signs."""
    table(
        "package_change",
        ref("package_id"),
        words("kind"),
        *sealed("what"),
        sa.Column("said", JSONB(), nullable=False),
        words("state"),
        words("financial_year"),
        *money("cost_before", "cost_after"),
        day("decided_on", needed=False),
        codes("package_change", "kind", ("days", "line", "price", "end_line", "shares")),
        codes("package_change", "state", ("waits", "signed", "taken_back")),
        link("package_change", "package_id", "package"),
    )
    op.create_index(
        "uq_package_change_waits",
        "package_change",
        ["package_id"],
        unique=True,
        postgresql_where=sa.text("state = 'waits'"),
    )
    table(
        "package_signature",
        ref("package_id"),
        *count("package_version"),
        ref("change_id", needed=False),
        ref("agency_id"),
        link("package_signature", "package_id", "package"),
        link("package_signature", "change_id", "package_change"),
        link("package_signature", "agency_id", "agency"),
    )


def make_payments() -> None:
    """Payments, returns, reconciliations and inclusion grants."""
    table(
        "payment",
        ref("package_id"),
        words("paid_to"),
        *money("amount"),
        day("on"),
        day("from_on"),
        day("until_on"),
        codes("payment", "paid_to", ("family", "broker")),
        link("payment", "package_id", "package"),
    )
    table(
        "payment_return",
        ref("package_id"),
        ref("agency_id"),
        day("from_on"),
        day("until_on"),
        *money("spent"),
        *sealed("note"),
        link("payment_return", "package_id", "package"),
        link("payment_return", "agency_id", "agency"),
    )
    table(
        "reconciliation",
        ref("package_id"),
        ref("agency_id"),
        day("until_on"),
        *money("carried_in", "paid", "spent"),
        words("outcome"),
        *sealed("note"),
        codes("reconciliation", "outcome", ("even", "carried_over", "paid_back", "made_good")),
        link("reconciliation", "package_id", "package"),
        link("reconciliation", "agency_id", "agency"),
    )
    table(
        "inclusion_grant",
        ref("agency_id"),
        *money("amount"),
        *sealed("what_for", "answer"),
        day("asked_on"),
        words("state"),
        ref("pot_id", needed=False),
        day("decided_on", needed=False),
        ref("decided_by", needed=False),
        codes("inclusion_grant", "state", ("asked", "approved", "declined")),
        link("inclusion_grant", "agency_id", "agency"),
        link("inclusion_grant", "pot_id", "pot"),
    )


OF_PACKAGE = (
    "service_line",
    "funding_share",
    "package_change",
    "payment",
    "payment_return",
    "reconciliation",
)
OF_LINE = ("unit_price", "line_actual", "short_break")
ONLY_ADDED = frozenset({"line_actual", "payment", "payment_return", "reconciliation"})
OF_CHILD = ("package", *OF_PACKAGE, *OF_LINE, "inclusion_grant")


def fence(name: str, reads: str, writes: str, grants: str = "SELECT, INSERT, UPDATE") -> None:
    """Who reads a table, and who adds to it and changes it. Nobody deletes."""
    op.execute(f"CREATE POLICY reading ON {name} FOR SELECT USING ({reads})")
    op.execute(f"CREATE POLICY adding ON {name} FOR INSERT WITH CHECK ({writes})")
    op.execute(f"CREATE POLICY changing ON {name} FOR UPDATE USING ({writes})")
    op.execute(f"GRANT {grants} ON {name} TO panel_app")


def upgrade() -> None:
    """Make the tables and fence them."""
    make_pots()
    make_contracts()
    make_packages()
    for name, column, columns in (
        ("package", "request_id", "service_request"),
        *((one, "package_id", "package") for one in ("service_line", "funding_share")),
        *((one, "service_line_id", "service_line") for one in OF_LINE),
    ):
        index(name, column)
        same_child(name, column, columns)
    same_child("line_actual", "returns_id", "line_actual")
    make_signatures()
    for name in ("package_change", "package_signature"):
        index(name, "package_id")
        same_child(name, "package_id", "package")
    same_child("package_signature", "change_id", "package_change")
    make_payments()
    for name in ("payment", "payment_return", "reconciliation"):
        index(name, "package_id")
        same_child(name, "package_id", "package")
    for name in OF_CHILD:
        reachable = REACHABLE.format(table=name)
        grants = "SELECT, INSERT" if name in ONLY_ADDED else "SELECT, INSERT, UPDATE"
        fence(name, reachable, reachable, grants)
    reachable = REACHABLE.format(table="package_signature")
    # Nobody signs for somebody else, nor for another agency.
    own = (
        f"({IS_JOB} OR created_by = {VIEWER} AND agency_id = (SELECT w.agency_id FROM worker w"
        f" WHERE w.id = {VIEWER}))"
    )
    fence("package_signature", reachable, f"{reachable} AND ({SIGNS}) AND {own}", "SELECT, INSERT")
    # A note may have to be put right for whom it is about (UK GDPR Article 16); a sum is not changed.
    for name in ("payment_return", "reconciliation"):
        op.execute(f"GRANT UPDATE (note, changed_at, changed_by, version) ON {name} TO panel_app")
    # A pot stands on the packages that it pays for, which workers read; its ledger is for who sits on the
    # panel, and of a package for whoever reaches it.
    who_and_when = "id, created_at, created_by, changed_at, changed_by, version"
    written = "name, kind, law, agency_id, financial_year"
    fence(
        "pot",
        WORKERS,
        SIGNS,
        f"SELECT, INSERT ({written}, {who_and_when}), UPDATE (name, changed_at, changed_by, version)",
    )
    fence(
        "pot_entry",
        f"{SITS} OR EXISTS (SELECT FROM package p WHERE p.id = pot_entry.package_id)",
        SIGNS,
        "SELECT, INSERT",
    )
    for name in ("joint_contract", "contract_price", "contract_party"):
        fence(name, SITS, SIGNS)
    op.execute(MOVE.format(schema=this_schema()))
    op.execute("REVOKE EXECUTE ON FUNCTION move_pot() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER moves_pot BEFORE INSERT ON pot_entry"
        " FOR EACH ROW EXECUTE FUNCTION move_pot()"
    )


def index(name: str, column: str) -> None:
    """What a row belongs to, found fast."""
    op.create_index(op.f(f"ix_{name}_{column}"), name, [column])


def same_child(name: str, column: str, to: str) -> None:
    """A row belongs to one of the same child."""
    op.execute(
        f"CREATE TRIGGER same_child_{column} AFTER INSERT OR UPDATE OF {column}, child_id"
        f" ON {name} FOR EACH ROW EXECUTE FUNCTION of_the_same_child('{column}', '{to}')"
    )


def downgrade() -> None:
    """Take it all away, with every package, pot and contract."""
    for name in (
        "pot_entry",
        "inclusion_grant",
        "package_signature",
        "package_change",
        "reconciliation",
        "payment_return",
        "payment",
        "funding_share",
        "short_break",
        "line_actual",
        "unit_price",
        "service_line",
        "package",
        "contract_party",
        "contract_price",
        "joint_contract",
        "pot",
    ):
        op.drop_table(name)
    op.execute("DROP FUNCTION move_pot()")
