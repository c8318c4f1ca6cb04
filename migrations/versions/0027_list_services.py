"""List services: providers, services with where and for whom, links of providers, the statement."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
CHANGED = (
    "provider",
    "service",
    "service_place",
    "service_area",
    "provider_link",
    "short_breaks_statement",
)
TABLES = (*CHANGED, "service_change")
KINDS = (
    "short_break", "childcare", "play_and_leisure", "therapy", "health", "education",
    "family_support", "information", "equipment", "transport", "other",
)  # fmt: skip

FIND_BY = """
CREATE FUNCTION find_service_by() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  has_room boolean := NEW.places_free IS NULL OR NEW.places_free > 0;
  -- What is closed until a day may be open when it is asked for, though nobody writes then.
  may_be_open boolean := NEW.status = 'active'
    OR (NEW.status = 'closed_for_now' AND NEW.closed_until IS NOT NULL);
  standings text[] := ARRAY_REMOVE(ARRAY[
    CASE WHEN may_be_open AND has_room THEN 'takes' END,
    CASE WHEN may_be_open AND NOT has_room THEN 'full' END,
    CASE WHEN NEW.status = 'closed_for_now' THEN 'closed' END], NULL);
  named text[] := NEW.needs_met || CASE
    WHEN cardinality(NEW.needs_met) = 0 THEN ARRAY['*', '~'] ELSE ARRAY['~'] END;
  -- Without a word for where, for who asks of no ward; "@+" is for more wards than get words.
  wheres text[] := ARRAY[''] || CASE WHEN cardinality(NEW.area_codes) > 8 THEN ARRAY['@+']
    ELSE ARRAY(SELECT '@' || a FROM unnest(NEW.area_codes) a) END;
BEGIN
  -- Who looks for a need, an age, a free place and a ward finds all four in one word of one index,
  -- and in the same index in which language and with what access.
  NEW.found_by := CASE WHEN NEW.status = 'ended' THEN '{}' ELSE ARRAY(
    SELECT n || ':' || s || w FROM unnest(named) n, unnest(standings) s, unnest(wheres) w
    UNION ALL
    SELECT n || ':' || b.band || ':' || s || w
      FROM unnest(named) n, unnest(standings) s, unnest(wheres) w,
      (VALUES (0, 0, 2), (1, 3, 4), (2, 5, 7), (3, 8, 11), (4, 12, 15), (5, 16, 18), (6, 19, 25))
        AS b(band, youngest, oldest)
    WHERE COALESCE(NEW.min_age, 0) <= b.oldest AND COALESCE(NEW.max_age, 25) >= b.youngest
    UNION ALL SELECT 'speaks:' || l FROM unnest(NEW.languages) l
    UNION ALL SELECT 'has:' || h FROM unnest(NEW.accessibility) h) END;
  NEW.words := to_tsvector('english', NEW.name || ' ' || NEW.description);
  RETURN NEW;
END $$
"""


def row(table: str) -> list[sa.schema.SchemaItem]:
    """The columns that every row has."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def words(*names: str) -> list[sa.Column[str]]:
    """Columns of text that are never absent."""
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def lists(*names: str) -> list[sa.Column[list[str]]]:
    """Columns with a list of codes."""
    return [sa.Column(name, postgresql.ARRAY(sa.Text()), nullable=False) for name in names]


def of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    """A column that names a row of another table."""
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def one_of(table: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    """A CHECK that the text is one of these."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def check(rule: str, name: str) -> sa.CheckConstraint:
    """A rule of a service."""
    return sa.CheckConstraint(rule, name=op.f(f"ck_service_{name}"))


def unique(table: str, column: str) -> sa.UniqueConstraint:
    """No two rows have the same."""
    return sa.UniqueConstraint(column, name=op.f(f"uq_{table}_{column}"))


def upgrade() -> None:
    """Make the tables, for the serving role; a service ends and is never deleted."""
    op.create_table(
        "provider",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        *words("name", "description", "kind", "email", "phone", "website"),
        sa.Column("original", postgresql.JSONB(), nullable=False),
        *row("provider"),
        unique("provider", "organization_id"),
        one_of(
            "provider", "kind", ("council", "health", "education", "voluntary", "private", "other")
        ),
    )
    op.create_index("ix_provider_name", "provider", ["name", "id"])
    op.create_table(
        "service",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Uuid(), nullable=False),
        *words("source", "name", "description", "kind", "status"),
        sa.Column("closed_until", sa.Date(), nullable=True),
        *words("url", "email", "phone"),
        sa.Column("min_age", sa.Integer(), nullable=True),
        sa.Column("max_age", sa.Integer(), nullable=True),
        *lists("needs_met", "accessibility", "languages", "breaks", "area_codes"),
        *words("cost"),
        sa.Column("free", sa.Boolean(), nullable=False),
        *words("referral_route"),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("places_free", sa.Integer(), nullable=True),
        sa.Column("places_as_of", sa.Date(), nullable=True),
        sa.Column("statutory", sa.Boolean(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("unit_cost", sa.Numeric(12, 2), nullable=True),
        sa.Column("original", postgresql.JSONB(), nullable=False),
        sa.Column("term_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("imported_at", WHEN, nullable=True),
        sa.Column("found_by", postgresql.ARRAY(sa.Text()), nullable=False, server_default="{}"),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False, server_default=""),
        *row("service"),
        unique("service", "external_id"),
        of("service", "provider_id", "provider"),
        one_of("service", "kind", KINDS),
        one_of("service", "status", ("active", "closed_for_now", "ended")),
        one_of("service", "referral_route", ("self", "worker", "panel")),
        one_of("service", "unit", ("hour", "session", "night", "week")),
        check("min_age >= 0 AND max_age <= 120 AND min_age <= max_age", "ages"),
        check("capacity >= 0 AND places_free >= 0", "places"),
        check("places_free <= capacity", "places_of_capacity"),
        check("unit_cost >= 0", "unit_cost"),
    )
    op.create_index("ix_service_provider_id", "service", ["provider_id", "id"])
    op.create_index("ix_service_name", "service", ["name", "id"])
    op.create_index("ix_service_found_by", "service", ["found_by"], postgresql_using="gin")
    op.create_index("ix_service_area_codes", "service", ["area_codes"], postgresql_using="gin")
    op.create_index("ix_service_words", "service", ["words"], postgresql_using="gin")
    op.create_index("ix_service_term_ids", "service", ["term_ids"], postgresql_using="gin")
    op.create_index(
        "ix_service_public",
        "service",
        ["external_id"],
        postgresql_where=sa.text("published AND NOT statutory"),
    )
    op.create_table(
        "service_place",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *words("name", "address", "postcode"),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("original", postgresql.JSONB(), nullable=False),
        *row("service_place"),
        unique("service_place", "external_id"),
        of("service_place", "service_id", "service"),
    )
    op.create_index("ix_service_place_service_id", "service_place", ["service_id", "position"])
    op.create_table(
        "service_area",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *words("name", "code"),
        *row("service_area"),
        of("service_area", "service_id", "service"),
    )
    op.create_index("ix_service_area_service_id", "service_area", ["service_id", "position"])
    op.create_table(
        "provider_link",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at", WHEN, nullable=False),
        sa.Column("used_at", WHEN, nullable=True),
        *row("provider_link"),
        unique("provider_link", "token_hash"),
        of("provider_link", "provider_id", "provider"),
    )
    op.create_index("ix_provider_link_provider_id", "provider_link", ["provider_id", "ends_at"])
    op.create_table(
        "short_breaks_statement",
        *words("eligibility", "how_it_meets_needs", "carers_views"),
        sa.Column("reviewed_on", sa.Date(), nullable=False),
        sa.Column("review_by", sa.Date(), nullable=False),
        *row("short_breaks_statement"),
    )
    op.create_table(
        "service_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        *words("by_kind", "what"),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_change")),
        of("service_change", "service_id", "service"),
        one_of("service_change", "by_kind", ("worker", "provider", "file")),
        one_of(
            "service_change",
            "what",
            ("added", "changed", "closed", "opened", "ended", "said_places", "imported"),
        ),
    )
    op.create_index("ix_service_change_service_id", "service_change", ["service_id", "at", "id"])
    op.execute(FIND_BY)
    op.execute("REVOKE EXECUTE ON FUNCTION find_service_by() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER found_by BEFORE INSERT OR UPDATE ON service"
        " FOR EACH ROW EXECUTE FUNCTION find_service_by()"
    )
    for table in CHANGED:
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO panel_app")
    for table in ("service_place", "service_area"):
        op.execute(f"GRANT DELETE ON {table} TO panel_app")
    op.execute("GRANT SELECT, INSERT ON service_change TO panel_app")
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
        )


def downgrade() -> None:
    """Take them away, with every service."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("DROP FUNCTION find_service_by()")
