"""Taking what was read again only while it is so: whatever commits when, nothing stale is shown."""

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Agency
from panel.accounts.service import add_agency
from panel.platform.changes import KEPT_FOR, Readings, forget_changes
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.remembered import Remembered
from panel.platform.tenancy import Tenant
from tests.conftest import MORNING

pytestmark = pytest.mark.database


async def read(tenant: Tenant, readings: Readings[str], word: str) -> str:
    """What is kept, or the word, read now and kept."""
    async with tenant.transaction() as session:
        snapshot, kept = await readings.get(session, "agencies")
        return kept or readings.keep(session, "agencies", snapshot, word)


async def test_what_was_read_is_taken_again_while_nothing_is_written(tenant: Tenant) -> None:
    readings: Readings[str] = Readings(2)
    assert await read(tenant, readings, "first") == "first"
    assert await read(tenant, readings, "second") == "first"


async def test_any_write_of_facts_has_it_read_again(tenant: Tenant) -> None:
    readings: Readings[str] = Readings(2)
    await read(tenant, readings, "first")
    async with tenant.transaction() as session:
        agency = await add_agency(session, key="gp", name="A practice", kind="gp")
    assert await read(tenant, readings, "second") == "second"
    async with tenant.transaction() as session:
        found = await session.get(Agency, agency.id)
        assert found is not None
        found.name = "Another practice"
    assert await read(tenant, readings, "third") == "third"
    async with tenant.transaction() as session:
        await session.execute(text("DELETE FROM agency"))
    assert await read(tenant, readings, "fourth") == "fourth"


async def test_a_write_that_began_before_and_is_committed_after_is_noticed(
    tenant: Tenant,
) -> None:
    readings: Readings[str] = Readings(2)
    async with tenant.transaction() as slow:
        await add_agency(slow, key="gp", name="A practice", kind="gp")
        assert await read(tenant, readings, "before") == "before"
        # Others come and go meanwhile, so its number is not the newest any more.
        async with tenant.transaction() as quick:
            await add_agency(quick, key="school", name="A school", kind="school")
        assert await read(tenant, readings, "between") == "between"
        assert await read(tenant, readings, "not again") == "between"
    assert await read(tenant, readings, "after") == "after"


async def test_a_write_that_came_to_nothing_changes_nothing(tenant: Tenant) -> None:
    readings: Readings[str] = Readings(2)
    await read(tenant, readings, "first")
    with pytest.raises(RuntimeError, match="stop"):
        async with tenant.transaction() as session:
            await add_agency(session, key="gp", name="A practice", kind="gp")
            raise RuntimeError("stop")
    assert await read(tenant, readings, "second") == "first"


async def count_agencies(session: AsyncSession, readings: Readings[int]) -> int:
    """How many agencies there are, as a page would read it."""
    snapshot, kept = await readings.get(session, "how many")
    if kept is not None:
        return kept
    found = await session.scalar(text("SELECT count(*) FROM agency"))
    assert isinstance(found, int)
    return readings.keep(session, "how many", snapshot, found)


async def test_what_was_read_after_writing_is_gone_with_a_rollback(tenant: Tenant) -> None:
    readings: Readings[int] = Readings(2)
    with pytest.raises(RuntimeError, match="stop"):
        async with tenant.transaction() as session:
            await add_agency(session, key="gp", name="A practice", kind="gp")
            assert await count_agencies(session, readings) == 1
            raise RuntimeError("stop")
    async with tenant.transaction() as session:
        assert await count_agencies(session, readings) == 0


async def test_what_is_written_after_reading_in_the_same_transaction_is_noticed(
    tenant: Tenant,
) -> None:
    readings: Readings[int] = Readings(2)
    async with tenant.transaction() as session:
        await add_agency(session, key="gp", name="A practice", kind="gp")
        async with tenant.transaction() as other:
            await add_agency(other, key="school", name="A school", kind="school")
        assert await count_agencies(session, readings) == 2
        await add_agency(session, key="icb", name="A board", kind="icb")
    async with tenant.transaction() as session:
        assert await count_agencies(session, readings) == 3


async def test_it_is_read_again_after_a_while_and_on_another_day(
    tenant: Tenant, clock: FixedClock
) -> None:
    readings: Readings[str] = Readings(2)
    await read(tenant, readings, "first")
    clock.set(MORNING + KEPT_FOR)
    assert await read(tenant, readings, "second") == "second"
    clock.set(MORNING + timedelta(days=1))
    assert await read(tenant, readings, "third") == "third"


async def test_notes_of_yesterday_are_forgotten(tenant: Tenant, database_of_own: Cluster) -> None:
    async with tenant.transaction() as session:
        await add_agency(session, key="gp", name="A practice", kind="gp")
    assert database_of_own.owner_url is not None
    with psycopg.connect(database_of_own.owner_url, autocommit=True) as owner:
        owner.execute("UPDATE authority_testshire.fact_change SET at = at - interval '40 years'")
    async with tenant.transaction() as session:
        await forget_changes(session)
        left = await session.scalar(text("SELECT count(*) FROM fact_change"))
    assert left == 0


def test_the_least_recently_asked_is_forgotten_first() -> None:
    kept: Remembered[str] = Remembered(2)
    kept.keep("a", "A", MORNING)
    kept.keep("b", "B", MORNING)
    assert kept.get("a", MORNING) == "A"
    kept.keep("c", "C", MORNING)
    assert kept.get("b", MORNING) is None
    assert kept.get("a", MORNING) == "A"


def test_what_is_over_leaves_the_memory() -> None:
    kept: Remembered[str] = Remembered(9)
    kept.keep("a", "A", MORNING, MORNING + timedelta(minutes=1))
    kept.keep("b", "B", MORNING + timedelta(minutes=2))
    assert kept.get("a", MORNING) is None


def test_what_is_good_for_a_while_is_not_given_before_or_after_it() -> None:
    kept: Remembered[str] = Remembered(2)
    kept.keep("a", "A", MORNING, MORNING + timedelta(minutes=1))
    assert kept.get("a", MORNING - timedelta(seconds=1)) is None
    assert kept.get("a", MORNING + timedelta(seconds=59)) == "A"
    assert kept.get("a", MORNING + timedelta(minutes=1)) is None
