"""Lists of other registers, who stands on them, and which of our children each of them is.

A list is brought in by scheduled work and nobody else. Who is on it is seen by whoever reaches the
child that it may be; nobody else reads a name of it. What was decided of a pair is added to.
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"
NOW = "NULLIF(current_setting('panel.now', true), '')::timestamptz"
LOOKS = f"{VIEWER} = {JOB} OR (SELECT answers_for_use(ARRAY['coordinator', 'governance_lead']))"
"""Whoever may know which lists there are."""
FUNCTIONS = ("touch_listed", "touch_linked", "touch_everybody", "touch_forgotten")

TOUCH = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = "{schema}", pg_temp AS $$
BEGIN
  INSERT INTO insight_touched (id, child_id) {rows};
  RETURN NULL;
END $$
"""
TOUCHED = {
    "touch_listed": "SELECT gen_random_uuid(), t.person_id"
    " FROM (SELECT person_id FROM came GROUP BY 1) t",
    "touch_linked": "SELECT gen_random_uuid(), t.one FROM (SELECT child_id AS one FROM came"
    " UNION SELECT l.person_id FROM came k JOIN listed_child l ON l.id = k.listed_child_id) t",
    "touch_forgotten": "SELECT gen_random_uuid(), l.person_id FROM came n"
    " JOIN went o ON o.holder_id = n.holder_id JOIN listed_child l ON l.id = n.holder_id"
    " WHERE n.wrapped IS NULL AND o.wrapped IS NOT NULL",
    # Of every child it can be said from now on whether it is on the list.
    "touch_everybody": "SELECT gen_random_uuid(), c.id FROM child c",
}


def reaches(child: str) -> str:
    """SQL: the viewer reaches the child in a column now."""
    return (
        f"(SELECT true FROM child_access a WHERE a.child_id = {child} AND a.viewer_id = {VIEWER}"
        f" AND a.valid_from <= {NOW} AND a.valid_until >= {NOW})"
    )


def this_schema() -> str:
    """The authority's schema; "authority" where the SQL is only printed."""
    if op.get_context().as_sql:
        return "authority"
    found: str = op.get_bind().execute(sa.text("SELECT current_schema()")).scalar_one()
    return found


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


def make_lists() -> None:
    """The lists, what they count by ward, and who stands on them."""
    table(
        "register_list",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("opt_out_checked_on", sa.Date(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("file_digest", sa.LargeBinary(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind = 'dla' OR opt_out_checked_on IS NOT NULL", name=op.f("ck_register_list_opt_out")
        ),
        to={"agency_id": "agency"},
        kind="'sen', 'health', 'dla'",
        legal_basis="'s251', 'consent', 'cfa2014', 'ca2004', 'published'",
    )
    op.create_index("uq_register_list_file", "register_list", ["file_digest"], unique=True)
    op.create_index("ix_register_list_kind", "register_list", ["kind", "agency_id", "as_of"])
    table(
        "list_count",
        sa.Column("register_list_id", sa.Uuid(), nullable=False),
        sa.Column("ward_code", sa.Text(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        to={"register_list_id": "register_list"},
    )
    op.create_index(
        "uq_list_count_ward", "list_count", ["register_list_id", "ward_code"], unique=True
    )
    table(
        "listed_child",
        sa.Column("register_list_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("need", sa.Text(), nullable=False),
        sa.Column("ward_code", sa.Text(), nullable=True),
        *(
            sa.Column(name, sa.LargeBinary(), nullable=True)
            for name in ("given_name", "family_name", "nhs_number", "address", "postcode")
        ),
        to={"register_list_id": "register_list"},
        sex="'female', 'male', 'indeterminate', 'not_known'",
    )
    op.create_index(
        "uq_listed_child_person", "listed_child", ["register_list_id", "person_id"], unique=True
    )
    op.create_index("ix_listed_child_person_id", "listed_child", ["person_id"])


def make_links() -> None:
    """What was said of a pair, one row after the other."""
    table(
        "list_link",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("listed_child_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("weight", sa.Numeric(6, 2), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        to={"child_id": "child", "listed_child_id": "listed_child"},
        state="'proposed', 'linked', 'parted'",
    )
    op.create_index(op.f("ix_list_link_child_id"), "list_link", ["child_id"])
    op.create_index(
        "uq_list_link_pair", "list_link", ["listed_child_id", "child_id", "number"], unique=True
    )


def fence() -> None:
    """Lists by who answers for them; who is on them, by who reaches the child it may be."""
    beside = (
        f"{VIEWER} = {JOB} OR EXISTS (SELECT FROM list_link k"
        " WHERE k.listed_child_id = listed_child.id)"
    )
    by_job = f"{VIEWER} = {JOB}"
    policies = (
        ("register_list", "known", f"FOR SELECT USING ({LOOKS})"),
        ("list_count", "known", f"FOR SELECT USING ({LOOKS})"),
        ("listed_child", "beside", f"FOR SELECT USING ({beside})"),
        ("listed_child", "sealed_anew", f"FOR UPDATE USING ({by_job})"),
        *(
            (name, "brought_in", f"FOR INSERT WITH CHECK ({by_job})")
            for name in ("register_list", "list_count", "listed_child")
        ),
        ("list_link", "reachable", f"USING ({reaches('list_link.child_id')})"),
    )
    for name in ("register_list", "list_count", "listed_child", "list_link"):
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"GRANT SELECT, INSERT ON {name} TO panel_app")
    op.execute("GRANT UPDATE ON listed_child TO panel_app")
    for name, policy, says in policies:
        op.execute(f"CREATE POLICY {policy} ON {name} {says}")


def make_triggers() -> None:
    """Have facts made anew of whom a list speaks of."""
    schema = this_schema()
    for name, rows in TOUCHED.items():
        op.execute(TOUCH.format(name=name, schema=schema, rows=rows))
        op.execute(f"REVOKE EXECUTE ON FUNCTION {name}() FROM PUBLIC")
    for name, function in (
        ("register_list", "touch_everybody"),
        ("listed_child", "touch_listed"),
        ("list_link", "touch_linked"),
    ):
        op.execute(
            f"CREATE TRIGGER touched_by_insert AFTER INSERT ON {name}"
            f" REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
    op.execute(
        "CREATE TRIGGER touched_listed AFTER UPDATE ON data_key"
        " REFERENCING OLD TABLE AS went NEW TABLE AS came"
        " FOR EACH STATEMENT EXECUTE FUNCTION touch_forgotten()"
    )


def upgrade() -> None:
    """Make the tables, fence them, and have facts follow them."""
    make_lists()
    make_links()
    fence()
    make_triggers()


def downgrade() -> None:
    """Take them away, with all lists."""
    op.execute("DROP TRIGGER touched_listed ON data_key")
    op.execute("DROP POLICY beside ON listed_child")
    for name in ("list_link", "listed_child", "list_count", "register_list"):
        op.drop_table(name)
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
