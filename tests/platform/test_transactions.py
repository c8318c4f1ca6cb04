"""One transaction for the session and for the driver under it: kept together, or not at all."""

import asyncio

import psycopg
import pytest
from sqlalchemy import text

from panel.platform.cluster import Cluster
from panel.platform.database import DRIVER, DriverConnection
from panel.platform.ids import new_id
from panel.platform.read_models import ReadModel, send_last
from panel.platform.tenancy import Tenant

WRITE = (
    "INSERT INTO form_post (form_id, viewer_id, at, location) VALUES (%(id)s, %(id)s, now(), '/')"
)
COUNT = ReadModel("SELECT count(*)::text FROM form_post", int)


async def count(tenant: Tenant) -> int | None:
    async with tenant.transaction() as session:
        return await COUNT.line(session)


async def test_what_was_kept_for_the_end_is_committed(tenant: Tenant) -> None:
    async with tenant.transaction() as session:
        send_last(session, WRITE, {"id": new_id()})
    async with tenant.transaction() as session:
        await session.execute(text("SELECT 1"))
        send_last(session, WRITE, {"id": new_id()})
    assert await count(tenant) == 2


async def test_an_error_leaves_nothing(tenant: Tenant) -> None:
    with pytest.raises(ValueError, match="broken"):
        async with tenant.transaction() as session:
            await session.execute(text(WRITE.replace("%(id)s", f"'{new_id()}'")))
            send_last(session, WRITE, {"id": new_id()})
            raise ValueError("broken")
    assert await count(tenant) == 0


async def test_where_the_last_statement_fails_nothing_is_committed(tenant: Tenant) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        async with tenant.transaction() as session:
            twice = {"id": new_id()}
            send_last(session, WRITE, twice)
            send_last(session, WRITE, twice)
    assert await count(tenant) == 0


async def test_a_cancelled_request_leaves_nothing_and_gives_its_connection_back(
    tenant: Tenant,
) -> None:
    begun = asyncio.Event()

    async def wait_for_ever() -> None:
        async with tenant.transaction() as session:
            await session.execute(text(WRITE.replace("%(id)s", f"'{new_id()}'")))
            begun.set()
            await session.execute(text("SELECT pg_sleep(60)"))

    waiting = asyncio.create_task(wait_for_ever())
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await count(tenant) == 0


async def test_closing_waits_for_what_was_cut_off(tenant: Tenant) -> None:
    """A connection that came back to a closed pool would stay open."""
    begun = asyncio.Event()
    drivers: list[DriverConnection] = []

    async def wait_for_ever() -> None:
        async with tenant.transaction() as session:
            drivers.append(session.info[DRIVER])
            begun.set()
            # As read models ask: what SQLAlchemy was asked is closed where it is cut off.
            await drivers[0].execute("SELECT pg_sleep(60)")

    cut_off = asyncio.create_task(wait_for_ever())
    await begun.wait()
    cut_off.cancel()
    await tenant.database.close()
    (driver,) = drivers
    with pytest.raises(asyncio.CancelledError):
        await cut_off
    assert driver.closed
    assert await count(tenant) == 0


async def test_after_the_server_went_away_the_next_request_is_answered(
    tenant: Tenant, database_of_own: Cluster
) -> None:
    assert await count(tenant) == 0
    assert database_of_own.admin_url is not None
    with psycopg.connect(database_of_own.admin_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'panel_app' AND datname = current_database()"
        )
    assert await count(tenant) == 0
