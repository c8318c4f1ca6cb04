"""What the tests share is, after each of them, what it was before: or it is another."""

from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from panel.platform.cluster import Cluster
from panel.platform.ids import new_id
from tests.kept_database import OURS, SEQUENCES, KeptDatabase

AT = "authority_testshire"
A_LOOK = f"""
INSERT INTO {AT}.access_event (id, child_id, at, viewer_id, viewer_kind, purpose, doing, decisions)
VALUES (%(id)s, %(id)s, now(), %(id)s, 'worker', 'support', 'read', '{{}}')
"""
AN_AGENCY = f"""
INSERT INTO {AT}.agency
  (id, key, name, kind, created_at, created_by, changed_at, changed_by, version)
VALUES (%(id)s, 'hv', 'Health visiting', 'health', now(), %(id)s, now(), %(id)s, 1)
"""
HERE = "DO $$ BEGIN EXECUTE format('{}', current_database()); END $$"
OTHER_SHAPES = (
    f"CREATE TABLE {AT}.more (id integer)",
    f"GRANT DELETE ON {AT}.access_event TO panel_app",
    f"GRANT UPDATE (doing) ON {AT}.access_event TO panel_app",
    f"ALTER TABLE {AT}.access_event DISABLE TRIGGER only_added",
    f"ALTER TABLE {AT}.agency ALTER COLUMN name SET DEFAULT 'x'",
    f"ALTER TABLE {AT}.access_event NO FORCE ROW LEVEL SECURITY",
    HERE.format("ALTER ROLE panel_app IN DATABASE %%I SET work_mem = ''5MB''"),
    HERE.format("GRANT TEMP ON DATABASE %%I TO panel_insight"),
)


ALL_TABLES = (
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE " + OURS.format("r")
)


@pytest.fixture
def kept(cluster: Cluster, template_database: str) -> KeptDatabase:
    return KeptDatabase(cluster, f"panel_kept_{new_id().hex[-12:]}", template_database)


def done(made: Cluster, statement: str) -> None:
    assert made.admin_url is not None
    with psycopg.connect(made.admin_url) as admin:
        admin.execute(statement.encode(), {"id": UUID(int=7)})


def held(made: Cluster) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, and where every sequence stands."""
    assert made.admin_url is not None
    found = {}
    with psycopg.connect(made.admin_url) as admin:
        for names, what in ((ALL_TABLES, "*"), (SEQUENCES, "last_value, is_called")):
            for name in admin.execute(names.encode()).fetchall():
                asked = sql.SQL("SELECT t::text FROM (SELECT {} FROM {}) t ORDER BY 1").format(
                    sql.SQL(what), sql.Identifier(*name)
                )
                found[".".join(name)] = admin.execute(asked).fetchall()
    return found


def test_rows_and_sequences_are_put_back(kept: KeptDatabase) -> None:
    try:
        with kept.lent() as made:
            before = held(made)
            filled = {name for name, rows in before.items() if rows}
            assert f"{AT}.outside_condition" in filled
            done(made, A_LOOK)
            done(made, AN_AGENCY)
            done(made, f"DELETE FROM {AT}.outside_condition")
            done(made, f"SELECT setval('{AT}.child_reference', 4711)")
            assert held(made) != before
        for _ in range(2):
            with kept.lent() as made:
                assert held(made) == before
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only ever added"):
                    done(made, A_LOOK)
                    done(made, f"DELETE FROM {AT}.access_event")
        assert kept.renewed == 0
    finally:
        kept.drop()


def test_whatever_else_was_changed_makes_it_another(kept: KeptDatabase) -> None:
    try:
        for times, statement in enumerate(OTHER_SHAPES):
            with kept.lent() as made:
                assert kept.renewed == times, OTHER_SHAPES[times - 1]
                done(made, statement)
        assert kept.renewed == len(OTHER_SHAPES)
    finally:
        kept.drop()
