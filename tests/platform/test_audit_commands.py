"""panel audit, as whoever runs the site, and an auditor without any key, use it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import select

from panel.cli import commands
from panel.platform.audit import AuditEvent, Kind
from panel.platform.audit_check import Proof
from panel.platform.cluster import Cluster
from panel.platform.ids import new_id
from panel.platform.sealing import seal_events
from panel.platform.tenancy import CONTROL, Tenant
from panel.records.child_scoped import JOB
from panel.web import assets
from tests.platform.sealed_year import fill, owner_of

Panel = Callable[..., Awaitable[Result]]
TABLES = ("access_event", "audit_event", "history_search", "audit_leaf", "audit_seal", "audit_key")


@pytest.fixture
def owner(database_of_own: Cluster, tenant: Tenant) -> Iterator[psycopg.Connection]:
    with owner_of(database_of_own.owner_url, tenant.record.schema_name) as connection:
        fill(connection, 1, 100)
        yield connection


@pytest.fixture
def panel(for_commands: dict[str, str | None]) -> Panel:
    assets.build()

    async def ran(*words: str, **other: str) -> Result:
        # A thread of its own, since some commands bring their own loop.
        runner = CliRunner()
        return await asyncio.to_thread(runner.invoke, commands, words, env=for_commands | other)

    return ran


async def seal(tenant: Tenant) -> int:
    async with tenant.transaction(JOB) as session:
        return await seal_events(session)


def change(owner: psycopg.Connection, *statements: str) -> None:
    """Past the triggers, and with nothing left to see of it."""
    with guards_off(owner):
        for statement in statements:
            owner.execute(statement.encode())
    owner.commit()


@contextmanager
def guards_off(owner: psycopg.Connection) -> Iterator[None]:
    for table in TABLES[:-1]:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER only_added".encode())
    yield
    for table in TABLES[:-1]:
        owner.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER only_added".encode())


async def test_verify_says_what_holds_what_waits_and_what_was_changed(
    panel: Panel, owner: psycopg.Connection, tenant: Tenant
) -> None:
    nothing = await panel("audit", "checkpoint", "--out", "never-written")
    assert (nothing.exit_code, nothing.output) == (
        1, "Error: Nothing is sealed yet. Run: panel jobs\n"
    )  # fmt: skip
    assert await seal(tenant) == 105
    fill(owner, 101, 120)
    well = await panel("audit", "verify")
    assert well.exit_code == 0, well.output
    assert "✓ testshire: 105 events are as they were sealed (1 seals)." in well.output
    assert "21 not sealed yet, the oldest from" in well.output
    event = owner.execute("SELECT id FROM access_event WHERE doing <> '' LIMIT 1").fetchone()
    assert event is not None
    change(owner, f"UPDATE access_event SET doing = 'read nothing' WHERE id = '{event[0]}'")
    ill = await panel("audit", "verify")
    assert ill.exit_code == 1
    assert f"✗ Event {event[0]} of 2026-11-23" in ill.output
    assert "in access_event was changed after it was sealed." in ill.output
    told = await panel("audit", "verify", "--json")
    assert told.exit_code == 1
    found = json.loads(told.stdout)
    assert [one["event"] for one in found["findings"]] == [str(event[0])]
    assert (found["sealed"], found["unsealed"]) == (105, 21)
    assert set(found) == set(Proof.__struct_fields__)
    doctor = await panel("doctor")
    assert doctor.exit_code == 1
    assert "in access_event was changed after it was sealed." in doctor.output
    assert "panel audit verify says from which event on" in doctor.output


async def test_doctor_says_that_sealing_has_fallen_behind(
    panel: Panel, owner: psycopg.Connection, tenant: Tenant
) -> None:
    behind = await panel("doctor")
    assert behind.exit_code == 0, behind.output
    assert "! testshire: sealing has fallen behind: " in behind.output
    told = json.loads((await panel("doctor", "--json")).stdout)["authorities"]["testshire"]["audit"]
    assert (told["behind"], told["seals"], told["findings"]) == (True, 0, [])


async def test_a_tree_made_anew_is_found_by_the_checkpoint_that_was_kept(
    panel: Panel, owner: psycopg.Connection, tenant: Tenant, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    for number, first in enumerate((101, 201), start=1):
        await seal(tenant)
        said = await panel("audit", "checkpoint", "--out", str(kept))
        assert said.output.startswith(f"Seal {number} of "), said.output
        assert "kept before" in (await panel("audit", "checkpoint", "--out", str(kept))).output
        fill(owner, first, first + 99)
    well = await panel("audit", "verify", "--checkpoint", str(kept))
    assert well.exit_code == 0, well.output
    assert "(2 seals, and 2 kept)" in well.output
    key = (await panel("audit", "key")).output.strip()
    assert json.loads((await panel("audit", "key", "--json")).stdout)[0]["public"] == key
    assert (await panel("audit", "verify", "--key", key)).exit_code == 0

    # Somebody with the database and every key changes an event of the second seal and seals again.
    change(
        owner,
        "UPDATE access_event SET doing = '' WHERE id = (SELECT event_id FROM audit_leaf"
        " WHERE position > 110 AND source = 1 LIMIT 1)",
        "DELETE FROM audit_leaf WHERE position >= 105",
        "DELETE FROM audit_seal WHERE number > 1",
    )
    await seal(tenant)
    assert (await panel("audit", "verify")).exit_code == 0
    ill = await panel("audit", "verify", "--checkpoint", str(kept))
    assert ill.exit_code == 1
    assert "The checkpoint of seal 2 that was kept says something else than" in ill.output
    assert "events from place 105 on were sealed anew" in ill.output

    # Without the key, all of it is sealed with another one.
    change(owner, "DELETE FROM audit_leaf", "DELETE FROM audit_seal", "DELETE FROM audit_key")
    await seal(tenant)
    assert (await panel("audit", "verify")).exit_code == 0
    assert (
        "with another key than the one you trust"
        in (await panel("audit", "verify", "--key", key)).output
    )
    ill = await panel("audit", "verify", "--checkpoint", str(kept))
    assert "events from place 0 on were sealed anew" in ill.output

    kept.write_text(kept.read_text().replace("size: 105", "size: 104", 1))
    assert f"Line 1 of {kept} was changed" in (
        await panel("audit", "verify", "--checkpoint", str(kept))
    ).output.replace("\n", " ")


@pytest.fixture
def auditor_url(cluster: Cluster, database_of_own: Cluster, tenant: Tenant) -> Iterator[str]:
    """A role that reads what happened and the seals, as docs/operations.md makes it."""
    assert cluster.admin_url is not None
    name = f"auditor_{new_id().hex[-12:]}"
    role, schema = sql.Identifier(name), sql.Identifier(tenant.record.schema_name)
    admin = make_conninfo(cluster.admin_url, dbname=database_of_own.database)
    with psycopg.connect(admin, autocommit=True) as connection:
        for statement in (
            "CREATE ROLE {role} LOGIN BYPASSRLS PASSWORD 'look-only'",
            "GRANT USAGE ON SCHEMA {schema}, {control} TO {role}",
            "GRANT SELECT ON {control}.authority TO {role}",
            *(f"GRANT SELECT ON {{schema}}.{table} TO {{role}}" for table in TABLES),
        ):
            connection.execute(
                sql.SQL(statement).format(role=role, schema=schema, control=sql.Identifier(CONTROL))
            )
        given = conninfo_to_dict(database_of_own.app_url)
        host, port = given.get("host"), given.get("port", "")
        yield f"postgresql://{name}:look-only@/{database_of_own.database}?host={host}&port={port}"
        connection.execute(sql.SQL("DROP OWNED BY {}").format(role))
        connection.execute(sql.SQL("DROP ROLE {}").format(role))


async def test_an_auditor_proves_it_with_no_key_and_no_other_right(
    panel: Panel,
    owner: psycopg.Connection,
    tenant: Tenant,
    auditor_url: str,
    tmp_path: Path,
) -> None:
    await seal(tenant)
    theirs = {
        "PANEL_DATABASE_URL": auditor_url,
        "PANEL_OWNER_DATABASE_URL": "",
        "PANEL_DATA_DIR": str(tmp_path),
    }
    well = await panel("audit", "verify", **theirs)
    assert well.exit_code == 0, well.output
    assert "105 events are as they were sealed" in well.output
    change(owner, "DELETE FROM access_event WHERE id = (SELECT id FROM access_event LIMIT 1)")
    ill = await panel("audit", "verify", **theirs)
    assert ill.exit_code == 1
    assert "in access_event was sealed and is gone" in ill.output


async def test_what_is_done_as_the_owner_is_written_down(
    panel: Panel, tenant: Tenant, tmp_path: Path
) -> None:
    for words in (("keys", "rotate"), ("backup", "--out", str(tmp_path / "panel.backup"))):
        done = await panel(*words)
        assert done.exit_code == 0, done.output
    async with tenant.transaction(JOB) as session:
        found = await session.scalars(
            select(AuditEvent.details["command"].astext)
            .where(AuditEvent.kind == Kind.COMMAND_RUN)
            .order_by(AuditEvent.id)
        )
        assert found.all() == ["keys rotate", "backup"]
