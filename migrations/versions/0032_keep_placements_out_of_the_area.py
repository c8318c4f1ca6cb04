"""Placements outside the authority's area: where, the conditions of the authority, visits.

The conditions are versions that follow one another. The first is here in words of the product's
own, from the law that holds for England; an authority adds its own from a day to come.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
REACHABLE = (
    "(SELECT true FROM child_access a WHERE a.child_id = {table}.child_id AND"
    " a.viewer_id = NULLIF(current_setting('panel.viewer', true), '')::uuid"
    " AND a.valid_from <= NULLIF(current_setting('panel.now', true), '')::timestamptz"
    " AND a.valid_until >= NULLIF(current_setting('panel.now', true), '')::timestamptz)"
)
OF_CHILD = ("outside_placement", "placement_condition", "placement_visit")
LINKS = (
    ("outside_placement", "request_id", "service_request"),
    ("placement_condition", "placement_id", "outside_placement"),
    ("placement_visit", "placement_id", "outside_placement"),
)
REGULATIONS = "Care Planning, Placement and Case Review (England) Regulations 2010"
FIRST = (
    (
        "O1",
        "everybody",
        "The child’s wishes and feelings",
        "Somebody asked the child in the way they communicate, and what they said was weighed.",
        "Children Act 1989, sections 17(4A) and 22(4)",
    ),
    (
        "O2",
        "everybody",
        "No suitable place nearer",
        "Places in the area and next to it were looked for, and it is written down why none of"
        " them meets the need as well.",
        "Children Act 1989, section 22C(7) to (9)",
    ),
    (
        "O3",
        "looked_after",
        "The other authority is consulted and told",
        "The authority of the area was told before the child moves and has the care plan; it was"
        " asked first where the place is at a distance.",
        f"{REGULATIONS}, regulations 11 and 13",
    ),
    (
        "O4",
        "looked_after",
        "Family and reviewing officer are consulted",
        "Relatives were asked where that is right for the child, and the independent reviewing"
        " officer was asked.",
        f"{REGULATIONS}, regulation 11",
    ),
    (
        "O5",
        "looked_after",
        "The nominated officer approves",
        "The nominated officer has approved it, or the director of children’s services where it is"
        " at a distance. Outside England and Wales the further conditions are kept too.",
        f"{REGULATIONS}, regulations 11 and 12",
    ),
    (
        "H1",
        "accommodated",
        "The responsible authority is told",
        "Who accommodates the child has told the authority in whose area the family lives that it"
        " is for three months or more.",
        "Children Act 1989, sections 85 and 86",
    ),
    (
        "H2",
        "accommodated",
        "Visits are arranged",
        "It is settled who visits the child for the responsible authority, and from when.",
        "Children Act 1989, section 86A",
    ),
)
NOBODY = "00000000-0000-0000-0000-000000000000"
SET_ID = "01890000-0000-7000-8000-000000003200"


def table(name: str, *columns: sa.schema.SchemaItem, of_child: bool = True) -> None:
    """A table with what every row has, its trigger and, of a child's rows, its fence."""
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
    op.execute(
        f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {name}"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {name} TO panel_app")
    if of_child:
        op.create_index(op.f(f"ix_{name}_child_id"), name, ["child_id"])
        reachable = REACHABLE.format(table=name)
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY reachable ON {name} USING ({reachable}) WITH CHECK ({reachable})"
        )


def code(name: str, column: str, *values: str) -> sa.CheckConstraint:
    """One of these."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{name}_{column}"))


def names(name: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    """A column that names a row of another table."""
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{name}_{column}"))


def make_conditions() -> None:
    """Versions of the authority's conditions, with what it sets beside them."""
    table(
        "outside_terms",
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("review_months", sa.Integer(), nullable=False),
        sa.Column("visit_weeks", sa.Integer(), nullable=False),
        sa.Column("other_visit_weeks", sa.Integer(), nullable=False),
        of_child=False,
    )
    op.create_index("uq_outside_terms_from", "outside_terms", ["from_on"], unique=True)
    table(
        "outside_condition",
        sa.Column("terms_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("applies", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("law", sa.Text(), nullable=False),
        code("outside_condition", "applies", "everybody", "looked_after", "accommodated"),
        names("outside_condition", "terms_id", "outside_terms"),
        of_child=False,
    )
    op.create_index(
        "uq_outside_condition_key", "outside_condition", ["terms_id", "key"], unique=True
    )


def make_placements() -> None:
    """Where a child is, what is met of the conditions, and who visited."""
    name = "outside_placement"
    table(
        name,
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("is_asked", sa.Boolean(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("footing", sa.Text(), nullable=True),
        sa.Column("area", sa.LargeBinary(), nullable=True),
        sa.Column("provider", sa.LargeBinary(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("visit_by", sa.Date(), nullable=True),
        code(name, "kind", "residential_school", "carer", "childrens_home", "other"),
        code(name, "footing", "looked_after", "accommodated", "shorter"),
        names(name, "request_id", "service_request"),
    )
    op.create_index("uq_outside_placement_request", name, ["request_id"], unique=True)
    op.create_index(
        "ix_outside_placement_visit",
        name,
        ["visit_by", "id"],
        postgresql_where=sa.text("is_asked AND ended_on IS NULL"),
    )
    name = "placement_condition"
    table(
        name,
        sa.Column("placement_id", sa.Uuid(), nullable=False),
        sa.Column("condition_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("met_on", sa.Date(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        names(name, "placement_id", "outside_placement"),
        names(name, "condition_id", "outside_condition"),
    )
    op.create_index(
        "uq_placement_condition_once", name, ["placement_id", "condition_id"], unique=True
    )
    name = "placement_visit"
    table(
        name,
        sa.Column("placement_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=False),
        sa.Column("visited_by", sa.LargeBinary(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        names(name, "placement_id", "outside_placement"),
    )
    op.create_index("ix_placement_visit_on", name, ["placement_id", "visited_on"])


def put_in_first_version() -> None:
    """The conditions that hold until an authority writes its own."""
    by = f"now(), '{NOBODY}', now(), '{NOBODY}', 1"
    op.execute(
        "INSERT INTO outside_terms (id, from_on, name, review_months, visit_weeks,"
        " other_visit_weeks, created_at, created_by, changed_at, changed_by, version)"
        f" VALUES ('{SET_ID}', DATE '2011-04-01', 'As the law has it', 6, 6, 26, {by})"
    )
    for at, (key, applies, title, said, law) in enumerate(FIRST, start=1):
        given = ", ".join(f"'{one}'" for one in (key, applies, title, said, law))
        op.execute(
            "INSERT INTO outside_condition (id, terms_id, key, applies, title, text, law,"
            " created_at, created_by, changed_at, changed_by, version)"
            f" VALUES ('{SET_ID[:-2]}{at:02}', '{SET_ID}', {given}, {by})"
        )


def upgrade() -> None:
    """Make the tables, and put the first version of the conditions in."""
    make_conditions()
    make_placements()
    for name, column, to in LINKS:
        op.execute(
            f"CREATE TRIGGER same_child_{column} AFTER INSERT OR UPDATE OF {column}, child_id"
            f" ON {name} FOR EACH ROW EXECUTE FUNCTION of_the_same_child('{column}', '{to}')"
        )
    put_in_first_version()


def downgrade() -> None:
    """Take them away, with every placement, condition and visit."""
    for name in (*reversed(OF_CHILD), "outside_condition", "outside_terms"):
        op.drop_table(name)
