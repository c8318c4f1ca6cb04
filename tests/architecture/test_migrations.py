"""The database is what the models say, fenced, up and down, over every authority."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

import panel.app
import panel.insight.models
from panel.platform.cluster import Cluster
from panel.platform.masterkey import master_key
from panel.platform.migrate import Target, current, downgrade, head, migrate_all, upgrade
from panel.platform.tables import Base
from panel.platform.tenancy import record_authority
from panel.records.child_scoped import child_scoped_tables
from tests.architecture import migration_lint

SCHEMA = "authority_testshire"
NO_FACTS = {
    "access_event",
    "area_population",
    "area_became",
    "audit_event",
    "audit_key",
    "audit_leaf",
    "audit_seal",
    "bulk_step",
    "bulk_work",
    "calendar_feed",
    "child_mark",
    "delivery",
    "exchange_token",
    "export_job",
    "export_line",
    "export_part",
    "fact_capacity",
    "fact_change",
    "fact_child_term",
    "fact_coverage",
    "fact_need",
    "fact_outcome",
    "fact_package",
    "fact_perception",
    "fact_period",
    "fact_request",
    "fact_transition",
    "fact_unmet",
    "fact_wait",
    "family_access",
    "form_post",
    "governance_document",
    "history_search",
    "insight_cell",
    "insight_event",
    "insight_file",
    "insight_refusal",
    "insight_release",
    "insight_state",
    "other_authority",
    "received_handover",
    "insight_touched",
    "invented_child",
    "job_run",
    "known_address",
    "list_count",
    "list_link",
    "listed_child",
    "migrated",
    "notice_choice",
    "outbox_message",
    "own_password",
    "passkey",
    "pull_source",
    "recovery_code",
    "register_list",
    "quality_sample",
    "said_and_done",
    "sign_in_attempt",
    "sign_in_challenge",
    "sign_in_entry",
    "sign_in_link",
    "sign_in_provider",
    "sign_in_provider_agency",
    "subscription",
    "table_wish",
    "task_notice",
    "unknown_letter",
    "unusual_pattern",
    "used_assertion",
    "version_pass",
    "way_between",
    "web_session",
    "worker_elsewhere",
    "worker_identity",
}
"""Tables that no page about a child or a panel is made from."""
MODELS = (panel.app, panel.insight.models)


def owner_url(cluster: Cluster) -> str:
    assert cluster.owner_url is not None
    return cluster.owner_url


def test_the_migrations_pass_their_lint() -> None:
    assert migration_lint.main() == 0


def test_the_tables_are_those_of_the_models(database_of_own: Cluster) -> None:
    target = Target(owner_url(database_of_own), SCHEMA, Base.metadata)
    with target.connection() as connection:
        connection.execute(text(f'SET search_path TO "{SCHEMA}"'))
        connection.dialect.default_schema_name = SCHEMA
        context = MigrationContext.configure(connection, opts={"version_table": "migrated"})
        differences = compare_metadata(context, Base.metadata)
    assert differences == [], "Change the models and the migrations together."


def test_every_child_scoped_table_is_fenced(database_of_own: Cluster) -> None:
    with psycopg.connect(owner_url(database_of_own)) as connection:
        rows = connection.execute(
            "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,"
            " (SELECT count(*) FROM pg_policies p WHERE p.schemaname = %s"
            "   AND p.tablename = c.relname) FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s",
            [SCHEMA, SCHEMA],
        ).fetchall()
    state = {name: (secured, forced, policies) for name, secured, forced, policies in rows}
    for table in [
        *(one.name for one in child_scoped_tables()),
        "child",
        "child_index",
        "child_mark",
    ]:
        secured, forced, policies = state[table]
        assert secured, f"{table} has no row-level security: add it to 0002's CHILD_TABLES."
        assert policies >= 1, f"{table} has no policy."
        assert not forced, f"{table} forces row-level security: migrations would update nothing."


def test_every_table_of_facts_notes_its_changes(database_of_own: Cluster) -> None:
    with psycopg.connect(owner_url(database_of_own)) as connection:
        rows = connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relkind = 'r' AND NOT EXISTS (SELECT 1 FROM pg_trigger t"
            "   WHERE t.tgrelid = c.oid AND t.tgname = 'noted')",
            [SCHEMA],
        ).fetchall()
    assert {name for (name,) in rows} == NO_FACTS, (
        "A new table needs the trigger `noted` (migration 0003), or pages would show what was"
        " there before; if no page about a child or a panel is made from it, name it here."
    )


def test_the_serving_role_cannot_rewrite_history_or_grant_itself_a_child(
    database_of_own: Cluster,
) -> None:
    forbidden = (
        "UPDATE access_event SET doing = ''",
        "DELETE FROM access_event",
        "INSERT INTO access_event (transaction) VALUES ('1')",
        "INSERT INTO audit_event (transaction) VALUES ('1')",
        *(
            f"{change} {table}"
            for table in ("audit_event", "audit_leaf", "audit_seal", "audit_key")
            for change in ("DELETE FROM", "TRUNCATE")
        ),
        "UPDATE audit_event SET kind = 'a.b'",
        "UPDATE audit_leaf SET hash = ''",
        "UPDATE audit_seal SET root = ''",
        "UPDATE audit_key SET public = ''",
        "ALTER TABLE access_event DISABLE TRIGGER only_added",
        "INSERT INTO history_search VALUES (gen_random_uuid(), now(), gen_random_uuid(), '{}', 0)",
        "UPDATE history_search SET shown = 0",
        "DELETE FROM history_search",
        "UPDATE unusual_pattern SET how_many = 0",
        "DELETE FROM unusual_pattern",
        "UPDATE governance_document SET parts = '[]'",
        "DELETE FROM governance_document",
        "UPDATE pot_entry SET amount = 1",
        "DELETE FROM pot_entry",
        "UPDATE pot SET committed = 0",
        "UPDATE record_change SET what = ''",
        "DELETE FROM record_change",
        "INSERT INTO child_access VALUES (gen_random_uuid(), gen_random_uuid(), now(), now(), '[]')",
        "DELETE FROM child_access",
        "INSERT INTO fact_change VALUES (1, now())",
        "DELETE FROM fact_change",
        "SELECT note_change()",
        "DROP TABLE child",
        "ALTER TABLE child DISABLE ROW LEVEL SECURITY",
    )
    with psycopg.connect(database_of_own.app_url, autocommit=True) as connection:
        for statement in forbidden:
            connection.execute(f"SET search_path = {SCHEMA}")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_a_connection_without_a_scope_sees_no_table(database_of_own: Cluster) -> None:
    with (
        psycopg.connect(database_of_own.app_url) as connection,
        pytest.raises(psycopg.errors.UndefinedTable),
    ):
        connection.execute("SELECT * FROM child")


def test_migrations_go_down_and_up_again(database_of_own: Cluster) -> None:
    target = Target(owner_url(database_of_own), SCHEMA)
    downgrade(target, "base")
    assert current(target) is None
    upgrade(target)
    assert current(target) == head(target)


def test_every_authority_is_migrated_and_named(database_of_own: Cluster, data_dir: Path) -> None:
    url = owner_url(database_of_own)
    record_authority(
        url,
        master_key(None, data_dir / "keys" / "master.key"),
        name="otherton",
        label="Otherton",
        host="otherton.localhost",
        demo=True,
    )
    said: list[str] = []
    migrate_all(url, said.append)
    newest = head(Target(url, SCHEMA))
    assert said == [
        f"otherton (1 of 2): from nothing to {newest}",
        f"testshire (2 of 2): from {newest} to {newest}",
    ]


def test_the_layers_hold() -> None:
    lint_imports = Path(sys.executable).parent / "lint-imports"
    ran = subprocess.run([lint_imports], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
