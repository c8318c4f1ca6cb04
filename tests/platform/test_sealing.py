"""What was committed is sealed once, whoever dies, whatever is open, and holds up nobody."""

import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from psycopg import sql
from sqlalchemy import event
from sqlalchemy.pool import Pool

from panel.commands.jobs import SEALING
from panel.platform import embedded_postgres
from panel.platform.audit import UNKNOWN, Actor, ActorKind, AuditEvent, Kind, record
from panel.platform.audit_check import Proof, prove, read_settings
from panel.platform.cluster import Cluster, create_database, open_cluster
from panel.platform.database import NOBODY, Database
from panel.platform.embedded_postgres import Durability
from panel.platform.ids import new_id
from panel.platform.jobs import run_due
from panel.platform.masterkey import master_key
from panel.platform.rotation import rotate_authority_key
from panel.platform.sealing import seal_events
from panel.platform.sessions import forgery_token, make_link
from panel.platform.tenancy import Tenant, authority_named
from panel.records.child_scoped import JOB
from tests.conftest import SignIn
from tests.platform.sealed_year import fill, owner_of
from tests.records.one_team import one_team


@pytest.fixture
def owner(database_of_own: Cluster, tenant: Tenant) -> Iterator[psycopg.Connection]:
    """The owner's connection to the test's authority."""
    with owner_of(database_of_own.owner_url, tenant.record.schema_name) as connection:
        yield connection


def proved(url: str | None, schema: str, **asked: Any) -> Proof:
    """The proof of everything, in a transaction of its own."""
    assert url is not None
    with psycopg.connect(url) as connection:
        read_settings(connection, schema)
        return prove(connection, "testshire", **asked)


async def sealed(tenant: Tenant, **given: Any) -> int:
    """Seal as the job does."""
    async with tenant.transaction(JOB) as session:
        return await seal_events(session, **given)


async def note(tenant: Tenant, **given: Any) -> None:
    """One event."""
    async with tenant.transaction() as session:
        record(session, Kind.COMMAND_RUN, **given)


async def test_what_is_committed_is_sealed_once(
    tenant: Tenant, owner: psycopg.Connection, database_of_own: Cluster
) -> None:
    assert await sealed(tenant) == 0
    fill(owner, 1, 40)
    owner.execute(
        "INSERT INTO history_search VALUES (gen_random_uuid(), now(), gen_random_uuid(), '{}', 0)"
    )
    owner.commit()
    before = proved(database_of_own.app_url, tenant.record.schema_name)
    assert (before.unsealed, before.sealed, before.findings) == (43, 0, [])
    assert await sealed(tenant, at_most=10) == 43
    assert await sealed(tenant) == 0
    fill(owner, 41, 60)
    assert await sealed(tenant) == 21
    for url in (database_of_own.app_url, database_of_own.owner_url):
        after = proved(url, tenant.record.schema_name)
        assert (after.unsealed, after.sealed, after.checked) == (0, 64, 64)
        assert after.findings == []
        assert after.seals == 5
        newest = proved(url, tenant.record.schema_name, newest=2)
        assert newest.checked < 64
        assert newest.findings == []


async def test_once_the_key_is_rotated_a_new_one_signs_and_the_old_one_proves_the_past(
    tenant: Tenant, owner: psycopg.Connection, database_of_own: Cluster, data_dir: Path
) -> None:
    assert database_of_own.owner_url is not None
    master = master_key(None, data_dir / "keys" / "master.key")
    for rotated in (False, True, True):
        if rotated:
            rotate_authority_key(database_of_own.owner_url, tenant.record, master, lambda _: None)
            # As it does when it first meets what the new key wraps.
            tenant.ring.learn()
        await note(tenant)
        assert await sealed(tenant) > 0
        await note(tenant)
        assert await sealed(tenant) > 0
    keys = owner.execute("SELECT count(*) FROM audit_key").fetchone()
    assert keys == (3,)
    after = proved(database_of_own.app_url, tenant.record.schema_name)
    assert (after.unsealed, after.findings) == (0, [])


async def test_a_sealer_that_dies_leaves_nothing_and_two_seal_once(
    tenant: Tenant, owner: psycopg.Connection, database_of_own: Cluster
) -> None:
    fill(owner, 1, 40)
    with pytest.raises(RuntimeError):
        async with tenant.transaction(JOB) as session:
            assert await seal_events(session) == 42
            raise RuntimeError("the power went")
    async with tenant.transaction(JOB) as session:
        assert await seal_events(session) == 42
        assert await sealed(tenant) == 0
    assert await sealed(tenant) == 0
    assert proved(database_of_own.app_url, tenant.record.schema_name).findings == []


async def test_a_transaction_that_began_earlier_and_ends_later_is_not_left_out(
    tenant: Tenant, owner: psycopg.Connection, database_of_own: Cluster
) -> None:
    async with tenant.transaction() as late:
        record(late, Kind.COMMAND_RUN)
        await late.flush()
        fill(owner, 1, 20)
        assert await sealed(tenant) == 21
        assert await sealed(tenant) == 0
    assert await sealed(tenant) == 1
    assert proved(database_of_own.app_url, tenant.record.schema_name).findings == []


async def test_what_was_there_before_transactions_were_kept_is_sealed_first(
    tenant: Tenant, owner: psycopg.Connection, database_of_own: Cluster
) -> None:
    fill(owner, 1, 20)
    owner.execute("ALTER TABLE access_event DISABLE TRIGGER only_added")
    owner.execute("UPDATE access_event SET transaction = NULL WHERE doing = 'read the overview'")
    owner.execute("ALTER TABLE access_event ENABLE ALWAYS TRIGGER only_added")
    owner.commit()
    assert await sealed(tenant) == 21
    first = owner.execute("SELECT source FROM audit_leaf ORDER BY position LIMIT 20").fetchall()
    assert first == [(1,)] * 20
    assert proved(database_of_own.app_url, tenant.record.schema_name).findings == []


@contextmanager
def restored_elsewhere(database: Cluster) -> Iterator[Cluster]:
    """A dump of a database, put into another server whose transactions count from the start."""
    programs = embedded_postgres._carried_programs()
    assert database.owner_url is not None
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        data.chmod(0o755)
        dump = data / "panel.dump"
        subprocess.run(
            [programs / "pg_dump", "-Fc", "-f", dump, "--dbname", database.owner_url],
            check=True, timeout=120,
        )  # fmt: skip
        with open_cluster(None, data / "server", durable=Durability.LOST_WITH_THE_MACHINE) as other:
            made = create_database(other, "panel_restored")
            assert other.admin_url is not None
            admin = psycopg.conninfo.make_conninfo(other.admin_url, dbname="panel_restored")
            subprocess.run(
                [programs / "pg_restore", "--dbname", admin, dump], check=True, timeout=120
            )
            yield made


async def test_after_a_restore_into_another_server_nothing_is_skipped_or_sealed_twice(
    tenant: Tenant, owner: psycopg.Connection, database_of_own: Cluster
) -> None:
    for _ in range(400):  # so that this server has counted further than a new one
        owner.execute("SELECT pg_current_xact_id()")
        owner.commit()
    fill(owner, 1, 40)
    assert await sealed(tenant) == 42
    fill(owner, 41, 60)  # restored before they are sealed
    with restored_elsewhere(database_of_own) as other:
        database = Database(other.app_url, pool_size=2)
        moved = Tenant(authority_named(other.app_url, None), database, tenant.ring, tenant.clock)
        schema = moved.record.schema_name
        assert proved(other.app_url, schema).unsealed == 21
        await note(moved)
        assert await sealed(moved) == 22
        await note(moved)
        assert await sealed(moved) == 1
        assert await sealed(moved) == 0
        await database.close()
        proof = proved(other.app_url, schema)
        assert (proof.sealed, proof.checked, proof.unsealed) == (65, 65, 0)
        assert proof.findings == []


# Nobody waits.


@contextmanager
def told_by_the_wire(folder: Path) -> Iterator[Path]:
    """Every message between here and the server, in a file."""
    file = folder / f"wire-{new_id()}"
    with file.open("w") as out:

        def trace(connection: Any, _record: object) -> None:
            pgconn = connection.driver_connection.pgconn
            pgconn.trace(out.fileno())
            pgconn.set_trace_flags(psycopg.pq.Trace.SUPPRESS_TIMESTAMPS)

        event.listen(Pool, "connect", trace)
        try:
            yield file
        finally:
            event.remove(Pool, "connect", trace)


def asked_of_the_server(file: Path) -> list[str]:
    """The kinds of statement that were sent: simple ones, and those with values."""
    lines = [line.split("\t") for line in file.read_text().splitlines()]
    return [one[2] for one in lines if one[0] == "F" and one[2] in ("Query", "Bind")]


@asynccontextmanager
async def mid_seal(tenant: Tenant, count: int) -> AsyncIterator[None]:
    """A sealer that has written everything and has not committed."""
    async with tenant.transaction(JOB) as session:
        assert await seal_events(session) >= count
        yield


async def test_a_page_sends_the_same_statements_and_waits_for_nothing_while_it_is_sealed(
    owner: psycopg.Connection,
    tenant: Tenant,
    app: Litestar,
    client: AsyncTestClient[Litestar],
    sign_in: SignIn,
    database_of_own: Cluster,
    tmp_path: Path,
) -> None:
    with told_by_the_wire(tmp_path) as wire:
        # Whoever waits for a lock for a millisecond fails from here on.
        name = sql.Identifier(database_of_own.database)
        owner.execute(sql.SQL("ALTER DATABASE {} SET lock_timeout = 1").format(name))
        owner.commit()
        child, _, worker = await one_team(tenant)
        await sign_in(worker)
        for _ in range(8):  # until every statement is a prepared one
            assert (await client.get(f"/children/{child}")).status_code == 200

        async def page() -> list[str]:
            before = len(asked_of_the_server(wire))
            assert (await client.get(f"/children/{child}")).status_code == 200
            return asked_of_the_server(wire)[before:]

        usual = await page()
        assert len(usual) > 1
        looks = owner.execute("SELECT count(*) FROM access_event").fetchone()
        owner.commit()
        async with mid_seal(tenant, 9):
            assert await page() == usual
            after = owner.execute("SELECT count(*) FROM access_event").fetchone()
            assert looks is not None
            assert after == (looks[0] + 1,), "the look is committed while the sealer is at work"
            held = owner.execute(
                "SELECT DISTINCT c.relname, l.mode FROM pg_locks l JOIN pg_class c"
                " ON c.oid = l.relation AND l.database = (SELECT oid FROM pg_database"
                " WHERE datname = current_database()) JOIN pg_locks a ON a.pid = l.pid"
                " WHERE a.locktype = 'advisory' AND c.relname IN ('access_event', 'audit_event')"
            ).fetchall()
            assert {mode for _, mode in held} == {"AccessShareLock"}
            owner.commit()


# What is written down.


async def test_an_event_is_added_in_ones_own_name_and_never_changed(
    tenant: Tenant, owner: psycopg.Connection
) -> None:
    somebody, other = new_id(), new_id()
    async with tenant.transaction(somebody) as session:
        record(session, Kind.ROLE_GIVEN, subject=other, details={"role": "chair"})
    with pytest.raises(Exception, match="row-level security"):
        async with tenant.transaction(somebody) as session:
            record(session, Kind.ROLE_GIVEN, Actor(other, ActorKind.WORKER))
    async with tenant.transaction() as session:
        record(session, Kind.SIGN_IN_REFUSED, UNKNOWN)
    async with tenant.transaction(somebody) as session:
        assert (await session.execute(AuditEvent.__table__.select())).all() == []
    found = owner.execute(
        "SELECT actor_id, actor_kind, kind, subject_id, details, transaction IS NOT NULL"
        " FROM audit_event ORDER BY id"
    ).fetchall()
    assert found[0] == (somebody, "worker", "role.given", other, {"role": "chair"}, True)
    assert [one[2] for one in found] == ["role.given", "session.refused"]
    owner.commit()
    for statement in ("UPDATE audit_event SET kind = 'a.b'", "DELETE FROM access_event",
                      "TRUNCATE audit_leaf", "DELETE FROM history_search WHERE false"):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only ever added to"):
            owner.execute(statement.encode())
        owner.rollback()


async def test_words_are_sealed_for_their_holder_and_their_erasure_leaves_the_proof_whole(
    tenant: Tenant, owner: psycopg.Connection, database_of_own: Cluster
) -> None:
    holder = new_id()
    with pytest.raises(ValueError, match="whose"):
        await note(tenant, words="for Amina Kestrel")
    await note(tenant, words="for Amina Kestrel", holder=holder)
    kept = owner.execute("SELECT words FROM audit_event").fetchone()
    assert kept is not None
    assert b"Amina" not in kept[0]
    await sealed(tenant)
    owner.execute("UPDATE data_key SET wrapped = NULL, destroyed_at = now()")
    owner.commit()
    assert proved(database_of_own.app_url, tenant.record.schema_name).findings == []


async def test_signing_in_and_out_is_written_down(
    tenant: Tenant, client: AsyncTestClient[Litestar], owner: psycopg.Connection
) -> None:
    refused = await client.post("/sign-in/no-such-link", follow_redirects=False)
    assert refused.status_code == 410
    worker = (await one_team(tenant)).worker
    async with tenant.transaction() as session:
        link = await make_link(session, worker, "worker", tenant.clock.now() + timedelta(hours=1))
    came = await client.post(f"/sign-in/{link}", follow_redirects=False)
    assert came.status_code == 303
    token = client.cookies["panel_session"]
    left = await client.post(
        "/sign-out", data={"_csrf_token": forgery_token(token)}, follow_redirects=False
    )
    assert left.headers["location"] == "/signed-out"
    kinds = owner.execute(
        "SELECT kind, actor_kind, actor_id FROM audit_event ORDER BY id"
    ).fetchall()
    assert kinds == [
        ("session.refused", "nobody", NOBODY),
        ("session.started", "worker", worker),
        ("session.ended", "worker", worker),
    ]


async def test_the_job_seals_every_half_minute(tenant: Tenant, owner: psycopg.Connection) -> None:
    fill(owner, 1, 20)
    assert len(await run_due(tenant, [SEALING], JOB)) == 1
    assert await run_due(tenant, [SEALING], JOB) == []
    assert owner.execute("SELECT count(*) FROM audit_leaf").fetchone() == (21,)
