"""`panel_insight` reads facts, terms and the names of areas, and nothing else that there is."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from panel.insight.core.fold import TABLES
from panel.insight.counting import areas, opened_to_count, periods, why_not_to_count
from panel.platform.cluster import Cluster
from panel.platform.tenancy import CONTROL

pytestmark = pytest.mark.database

SCHEMA = "authority_testshire"
READABLE = frozenset({*TABLES.values(), "fact_period"})
COLUMNS = {("area", "code"), ("area", "name")}
IDENTITY = ("child_id", "created_by", "changed_by", "agency_id", "worker_id", "created_at")


@pytest.fixture
def insight(database_of_own: Cluster) -> Iterator[psycopg.Connection]:
    """A connection as the role that counts."""
    assert database_of_own.insight_url is not None
    with psycopg.connect(database_of_own.insight_url, autocommit=True) as connection:
        yield connection


def test_it_reads_facts_and_nothing_else_in_any_schema(insight: psycopg.Connection) -> None:
    rows = insight.execute(
        "SELECT n.nspname, c.relname, p.what FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE',"
        " 'REFERENCES', 'TRIGGER']) AS p (what)"
        " WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"
        " AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
        " AND has_table_privilege(current_user, c.oid, p.what)"
    ).fetchall()
    assert set(rows) == {(SCHEMA, name, "SELECT") for name in READABLE}
    columns = insight.execute(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = %s::regnamespace AND a.attnum > 0 AND c.relkind IN ('r', 'v')"
        " AND NOT c.relname = ANY(%s)"
        " AND has_any_column_privilege(current_user, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')"
        " AND has_column_privilege(current_user, c.oid, a.attnum, 'SELECT, INSERT, UPDATE')",
        [SCHEMA, sorted(READABLE)],
    ).fetchall()
    assert set(columns) == COLUMNS


def test_it_runs_no_function_with_anothers_rights_and_uses_no_sequence(
    insight: psycopg.Connection,
) -> None:
    functions = insight.execute(
        "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND p.prosecdef"
        " AND has_function_privilege(current_user, p.oid, 'EXECUTE')"
    ).fetchall()
    assert functions == []
    sequences = insight.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'S' AND n.nspname !~ '^pg_'"
        " AND has_sequence_privilege(current_user, c.oid, 'USAGE, SELECT, UPDATE')"
    ).fetchall()
    assert sequences == []


def test_it_makes_nothing_and_becomes_nobody(insight: psycopg.Connection) -> None:
    for statement in (
        f"CREATE TABLE {SCHEMA}.mine (id integer)",
        "CREATE TABLE public.mine (id integer)",
        "SET ROLE panel_app",
        "SET ROLE panel_owner",
        f"SELECT * FROM {SCHEMA}.child",
        f"SELECT boundary FROM {SCHEMA}.area",
        f"SELECT * FROM {SCHEMA}.insight_event",
        f"SELECT * FROM {SCHEMA}.insight_touched",
        f"SELECT * FROM {CONTROL}.authority",
        f"DELETE FROM {SCHEMA}.fact_child_term",
        f"INSERT INTO {SCHEMA}.fact_period VALUES ('2026-autumn', now(), now())",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            insight.execute(statement.encode())


def test_no_fact_has_a_column_for_an_identity_or_a_day(insight: psycopg.Connection) -> None:
    rows = insight.execute(
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = ANY(%s)",
        [SCHEMA, sorted(TABLES.values())],
    ).fetchall()
    assert len(rows) > 60
    for table, column, kind in rows:
        assert column not in IDENTITY, (table, column)
        assert kind not in {"uuid", "date", "timestamp with time zone", "jsonb"}, (table, column)


def test_the_serving_role_reaches_facts_in_scheduled_work_alone(database_of_own: Cluster) -> None:
    assert database_of_own.owner_url is not None
    with psycopg.connect(database_of_own.owner_url, autocommit=True) as owner:
        owner.execute(f"SET search_path = {SCHEMA}")
        owner.execute(
            "INSERT INTO fact_need VALUES (decode(repeat('00', 16), 'hex'), 1, '2026-autumn', 'asd')"
        )
        owner.execute("INSERT INTO insight_event (kind) VALUES ('erased')")
        owner.execute("INSERT INTO insight_touched VALUES (gen_random_uuid(), gen_random_uuid())")
    with psycopg.connect(database_of_own.app_url, autocommit=True) as app:
        app.execute(f"SET search_path = {SCHEMA}")
        for table in ("fact_need", "insight_event", "insight_touched"):
            select = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            for viewer, seen in (
                ("00000000-0000-7000-8000-000000000001", 1),
                ("00000000-0000-7000-8000-000000000002", 0),
                ("", 0),
            ):
                app.execute("SELECT set_config('panel.viewer', %s, false)", [viewer])
                assert app.execute(select).fetchone() == (seen,), (table, viewer)


def test_it_counts_in_one_authority_at_one_moment(database_of_own: Cluster) -> None:
    assert database_of_own.insight_url is not None
    with opened_to_count(database_of_own.insight_url, SCHEMA) as connection:
        assert periods(connection) == ()
        assert areas(connection) == {}
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TEMPORARY TABLE mine (id integer)")


def test_why_nothing_can_be_counted_is_said(database_of_own: Cluster) -> None:
    assert why_not_to_count(database_of_own.insight_url, SCHEMA) == ""
    assert "Set PANEL_INSIGHT_URL" in why_not_to_count(None, SCHEMA)
    assert "not panel_app" in why_not_to_count(database_of_own.app_url, SCHEMA)
    assert "PANEL_INSIGHT_URL is not right" in why_not_to_count(
        "postgresql://nobody@127.0.0.1:1/nothing", SCHEMA
    )
