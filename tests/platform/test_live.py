"""Open pages hear of changes once they are committed, and of each other, over every process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import psycopg
import pytest

from panel.accounts.live_routes import short_name
from panel.platform.cluster import Cluster
from panel.platform.ids import new_id
from panel.platform.live import Changed, Event, Heartbeat, Live, Present, Writing, tell
from panel.platform.tenancy import Tenant

pytestmark = pytest.mark.database

ROSA, HANA, ROW = new_id(), new_id(), new_id()
QUIET = 0.3
"""Seconds in which nothing is heard, in the words of a page that beats so often."""


@pytest.fixture
async def live(database_of_own: Cluster, tenant: Tenant) -> AsyncIterator[Live]:
    """One serving process."""
    made = Live(database_of_own.app_url, [tenant.record.schema_name], heartbeat=QUIET)
    yield made
    await made.close()


@pytest.fixture
async def other(database_of_own: Cluster, tenant: Tenant) -> AsyncIterator[Live]:
    """Another serving process."""
    made = Live(database_of_own.app_url, [tenant.record.schema_name], heartbeat=QUIET)
    yield made
    await made.close()


class Page:
    """What one page hears."""

    def __init__(self, events: AsyncIterator[Event]) -> None:
        self.events = events
        self.heard: list[Event] = []

    async def until(self, event: Event) -> None:
        async with asyncio.timeout(10):
            async for one in self.events:
                self.heard.append(one)
                if one == event:
                    return

    async def changes(self, beats: int = 1) -> list[Event]:
        """The changes heard until it was quiet for a while."""
        found: list[Event] = []
        async for one in self.events:
            self.heard.append(one)
            if isinstance(one, Changed):
                found.append(one)
            elif not isinstance(one, Present | Writing):
                beats -= 1
                if beats == 0:
                    break
        return found


@asynccontextmanager
async def at_rest(live: Live, tenant: Tenant, topic: str = "meeting-1") -> AsyncIterator[Page]:
    """Rosa's page, past what every page hears first."""
    async with live.listen(tenant, topic, ROSA) as events:
        page = Page(events)
        await page.until(Present(frozenset({ROSA})))
        yield page


async def test_a_page_hears_of_a_change_once_it_is_committed(live: Live, tenant: Tenant) -> None:
    async with at_rest(live, tenant) as page:
        await page.changes()
        async with tenant.transaction() as session:
            await tell(session, "meeting-1", ROW)
            assert await page.changes() == []
        await page.until(Changed(ROW))


async def test_what_was_rolled_back_is_not_heard_of(live: Live, tenant: Tenant) -> None:
    async with at_rest(live, tenant) as page:
        await page.changes()
        with pytest.raises(ZeroDivisionError):
            async with tenant.transaction() as session:
                await tell(session, "meeting-1", ROW)
                raise ZeroDivisionError
        assert await page.changes() == []


async def test_a_page_hears_of_its_own_topic_alone(live: Live, tenant: Tenant) -> None:
    async with at_rest(live, tenant) as page:
        await page.changes()
        async with tenant.transaction() as session:
            await tell(session, "meeting-2", ROW)
        assert await page.changes() == []


async def test_pages_of_two_processes_see_each_other_come_and_go(
    live: Live, other: Live, tenant: Tenant
) -> None:
    both, alone = Present(frozenset({ROSA, HANA})), Present(frozenset({ROSA}))
    async with at_rest(live, tenant) as page:
        async with other.listen(tenant, "meeting-1", HANA) as events:
            await Page(events).until(both)
            await page.until(both)
        await page.until(alone)
    async with (
        at_rest(live, tenant) as page,
        live.listen(tenant, "meeting-1", HANA) as events,
    ):
        await page.until(both)
        await Page(events).until(both)


async def test_the_pages_of_others_hear_who_is_writing(
    live: Live, other: Live, tenant: Tenant
) -> None:
    said = Writing(HANA, "under the discussion")
    async with at_rest(live, tenant) as page, at_rest(live, tenant, "meeting-2") as elsewhere:
        async with other.listen(tenant, "meeting-1", HANA) as events:
            own = Page(events)
            await own.until(Present(frozenset({ROSA, HANA})))
            other.say_writing(tenant, "meeting-1", HANA, said.place)
            await page.until(said)
            await own.changes()
            assert said not in own.heard
        await elsewhere.changes()
        assert said not in elsewhere.heard


async def test_one_of_two_pages_of_somebody_may_be_left(
    live: Live, other: Live, tenant: Tenant
) -> None:
    async with (
        other.listen(tenant, "meeting-1", HANA) as events,
        live.listen(tenant, "meeting-1", ROSA),
    ):
        page = Page(events)
        await page.until(Present(frozenset({ROSA, HANA})))
        async with live.listen(tenant, "meeting-1", ROSA):
            pass
        await page.changes(beats=2)
        await page.until(Present(frozenset({ROSA, HANA})))


async def test_nothing_is_left_of_a_page_that_went_away(live: Live, tenant: Tenant) -> None:
    async def listen() -> None:
        async with live.listen(tenant, "meeting-1", ROSA) as events:
            async for _event in events:
                pass

    tasks = [asyncio.create_task(listen()) for _ in range(20)]
    async with AsyncExitStack() as leaving:
        page = Page(await leaving.enter_async_context(live.listen(tenant, "meeting-1", HANA)))
        await page.until(Present(frozenset({ROSA, HANA})))
        assert live.open_pages == 21
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await page.until(Present(frozenset({HANA})))
    assert live.open_pages == 0


async def test_after_a_lost_connection_every_page_looks_again(
    live: Live, tenant: Tenant, database_of_own: Cluster
) -> None:
    async with at_rest(live, tenant) as page:
        await page.changes()
        with psycopg.connect(database_of_own.app_url, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            ).fetchall()
        assert ended == [(True,)]
        await page.until(Changed())
        async with tenant.transaction() as session:
            await tell(session, "meeting-1", ROW)
        await page.until(Changed(ROW))


async def test_a_page_that_is_slow_is_told_once_to_look_again(live: Live, tenant: Tenant) -> None:
    async with at_rest(live, tenant) as page:
        await page.changes()
        for _ in range(3):
            async with tenant.transaction() as session:
                for _ in range(60):
                    await tell(session, "meeting-1", new_id())
        heard = await page.changes()
        assert Changed() in heard
        assert len(heard) < 60


async def test_the_heart_of_a_busy_page_beats_too(live: Live, other: Live, tenant: Tenant) -> None:
    """At each beat it is asked whether a page may be heard still, and who is here says so."""

    async def write() -> None:
        while True:
            async with tenant.transaction() as session:
                await tell(session, "meeting-1", ROW)

    async with at_rest(live, tenant) as page:
        writing = asyncio.create_task(write())
        try:
            await page.until(Changed(ROW))
            await page.until(Heartbeat())
            await page.until(Heartbeat())
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        assert Changed(ROW) in page.heard


async def test_it_is_known_how_many_pages_somebody_has(live: Live, tenant: Tenant) -> None:
    async with AsyncExitStack() as leaving:
        for topic in ("meeting-1", "meeting-1", "meeting-2"):
            await leaving.enter_async_context(live.listen(tenant, topic, ROSA))
        assert (live.pages_of(ROSA), live.pages_of(HANA)) == (3, 0)
    assert live.pages_of(ROSA) == 0


async def test_what_others_say_on_the_channel_does_no_harm(
    live: Live, tenant: Tenant, database_of_own: Cluster
) -> None:
    async with at_rest(live, tenant) as page:
        await page.changes()
        channel = f"{tenant.record.schema_name}_live"
        with psycopg.connect(database_of_own.app_url, autocommit=True) as connection:
            for said in ("", "x", "[]", '{"topic": 1}', '{"topic": "meeting-1", "what": "here"}'):
                connection.execute("SELECT pg_notify(%s, %s)", [channel, said])
        async with tenant.transaction() as session:
            await tell(session, "meeting-1", ROW)
        await page.until(Changed(ROW))


@pytest.mark.parametrize(
    ("name", "short"),
    [("Rosa Mary Whitlow", "Rosa W"), ("Rosa", "Rosa"), ("", "")],
)
def test_how_somebody_is_called_among_colleagues(name: str, short: str) -> None:
    assert short_name(name) == short
