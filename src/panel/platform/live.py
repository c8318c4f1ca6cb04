"""Telling open pages that something changed, through PostgreSQL: ids only, never content.

Who writes says so in the transaction that writes (`tell`), so that nobody hears of what was rolled
back. Each serving process has one connection that listens, for all its pages; one channel for each
authority. When that connection was lost, every page is told to look again: what was said meanwhile
is not said twice. Who else looks at the same page is kept in memory, from what each process says
of its own pages.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic
from uuid import UUID

import msgspec
import psycopg
import structlog
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.tenancy import TENANT, Tenant

log = structlog.get_logger()

HEARTBEAT = 15.0
"""Seconds after which a page hears something even when nothing happened."""
GONE_AFTER = 2.5 * HEARTBEAT
"""Seconds after which somebody of whom nothing was heard counts as gone."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between attempts to reach a database that went away."""
MOST_WAITING = 50
"""Events that wait for a slow page; beyond them it is told once to look again."""


class _News(StrEnum):
    """What is said of a topic: a row changed, or of somebody that their page came, is here still or
    went, or that they are writing."""

    CHANGED = "changed"
    JOINED = "joined"
    HERE = "here"
    LEFT = "left"
    WRITING = "writing"


class _Said(msgspec.Struct, omit_defaults=True):
    """What goes through the database, as JSON."""

    topic: str
    what: _News
    id: UUID | None = None
    """The row that changed, or who it is."""
    place: str = ""
    """Where somebody is writing: as the page names it."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Something of the topic changed. Without an id anything may have."""

    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Present:
    """Who has a page of the topic open now, the listener too."""

    viewers: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Writing:
    """Somebody else is writing, where their page says. Nothing is kept of it."""

    viewer: UUID
    place: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """So much time has passed, whatever happened in it; the connection is alive."""


Event = Changed | Present | Writing | Heartbeat


@dataclass(slots=True, eq=False)
class _Page:
    """One open page."""

    tenant: Tenant
    viewer: UUID
    waiting: asyncio.Queue[Event] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))

    def put(self, event: Event) -> None:
        try:
            self.waiting.put_nowait(event)
        except asyncio.QueueFull:
            while not self.waiting.empty():
                self.waiting.get_nowait()
            self.waiting.put_nowait(Changed())


_Place = tuple[str, str]
"""A channel and a topic."""


def _channel(schema: str) -> str:
    return f"{schema}_live"


async def tell(session: AsyncSession, topic: str, row_id: UUID | None = None) -> None:
    """Tell every open page of a topic that a row of it changed, once this transaction commits."""
    tenant: Tenant = session.info[TENANT]
    await session.execute(
        text("SELECT pg_notify(:channel, :said)"),
        {
            "channel": _channel(tenant.record.schema_name),
            "said": _encoded(_Said(topic, _News.CHANGED, row_id)),
        },
    )


def _encoded(said: _Said) -> str:
    return msgspec.json.encode(said).decode()


class Live:
    """The open pages of this process, over every authority, and the connection that listens."""

    def __init__(self, url: str, schemas: Iterable[str], *, heartbeat: float = HEARTBEAT) -> None:
        """Args: the serving role's database; the authorities' schemas; seconds between signs."""
        self._url = url
        self._channels = [_channel(schema) for schema in schemas]
        self._heartbeat = heartbeat
        self._pages: dict[_Place, set[_Page]] = {}
        self._seen: dict[_Place, dict[UUID, float]] = {}
        self._listener: asyncio.Task[None] | None = None
        self._is_listening = asyncio.Event()
        self._saying: set[asyncio.Task[None]] = set()

    @property
    def open_pages(self) -> int:
        """How many pages listen now."""
        return sum(map(len, self._pages.values()))

    def pages_of(self, viewer: UUID) -> int:
        """How many of them are somebody's."""
        return sum(one.viewer == viewer for pages in self._pages.values() for one in pages)

    @asynccontextmanager
    async def listen(
        self, tenant: Tenant, topic: str, viewer: UUID
    ) -> AsyncIterator[AsyncIterator[Event]]:
        """What happens in a topic, for one page of a viewer, until the page is left.

        It begins with `Changed`, since something may have changed between the reading of the page
        and now, and with who is present; at least every `heartbeat` seconds something comes. The
        page is forgotten on leaving, however it is left.
        """
        place: _Place = (_channel(tenant.record.schema_name), topic)
        page = _Page(tenant, viewer)
        self._pages.setdefault(place, set()).add(page)
        try:
            await self._have_listener()
            is_news = self._see(place, viewer)
            self._say(tenant, _Said(topic, _News.JOINED, viewer))
            page.put(Changed())
            for one in self._pages[place] if is_news else {page}:
                one.put(self._present(place))
            yield self._events(place, page)
        finally:
            self._leave(place, page)

    def say_writing(self, tenant: Tenant, topic: str, viewer: UUID, place: str) -> None:
        """Tell the pages of everybody else, soon, that somebody is writing; nothing is kept."""
        self._say(tenant, _Said(topic, _News.WRITING, viewer, place))

    async def close(self) -> None:
        """Stop listening; open pages hear nothing more."""
        # What is being said is said to the end: cut off while it connects, it would hold a place at
        # the server for a minute.
        if self._saying:
            await asyncio.wait(self._saying, timeout=LONGEST_PAUSE)
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
            self._listener = None
        # Who listens again may do so in another event loop.
        self._is_listening = asyncio.Event()

    # Pages ------------------------------------------------------------------------------------

    async def _events(self, place: _Place, page: _Page) -> AsyncIterator[Event]:
        beats_at = monotonic() + self._heartbeat
        while True:
            event: Event | None = None
            with suppress(TimeoutError):
                # Not wait_for, which can swallow that the page was left (Python 3.11).
                async with asyncio.timeout(max(beats_at - monotonic(), 0)):
                    event = await page.waiting.get()
            if event is not None:
                yield event
            # On a busy page too: at a heartbeat it is asked whether the page may be heard still,
            # and each says that they are here.
            if monotonic() >= beats_at:
                beats_at = monotonic() + self._heartbeat
                self._see(place, page.viewer)
                self._say(page.tenant, _Said(place[1], _News.HERE, page.viewer))
                # Somebody of whom nothing was heard is gone, without a word from them.
                yield self._present(place)
                yield Heartbeat()

    def _leave(self, place: _Place, page: _Page) -> None:
        pages = self._pages[place]
        pages.discard(page)
        if not any(one.viewer == page.viewer for one in pages):
            self._say(page.tenant, _Said(place[1], _News.LEFT, page.viewer))
        if not pages:
            del self._pages[place]
            self._seen.pop(place, None)

    def _say(self, tenant: Tenant, said: _Said) -> None:
        """Say it to every process, soon; a page need not wait for it, nor stay for it."""
        task = asyncio.create_task(_said_to_all(tenant, said))
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    def _see(self, place: _Place, viewer: UUID) -> bool:
        """Note that somebody is here; returns whether that is news."""
        seen = self._seen.setdefault(place, {})
        is_news = monotonic() - seen.get(viewer, -GONE_AFTER) >= GONE_AFTER
        seen[viewer] = monotonic()
        return is_news

    def _present(self, place: _Place) -> Present:
        since = monotonic() - GONE_AFTER
        seen = self._seen.get(place, {})
        return Present(frozenset(one for one, last in seen.items() if last > since))

    # What is heard ------------------------------------------------------------------------------

    async def _have_listener(self) -> None:
        """Have the connection listen; without a database it goes on trying, and the page waits."""
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._keep_listening(), name="live pages")
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_PAUSE):
                await self._is_listening.wait()

    async def _keep_listening(self) -> None:
        """Listen for as long as the process runs, through every loss of the connection."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True
                ) as connection:
                    for channel in self._channels:
                        await connection.execute(
                            sql.SQL("LISTEN {}").format(sql.Identifier(channel))
                        )
                    self._is_listening.set()
                    self._look_again()
                    pause = FIRST_PAUSE
                    async for said in connection.notifies():
                        self._hear(said.channel, said.payload)
            except (psycopg.Error, OSError) as error:
                log.warning("open pages are not told of changes", kind=type(error).__name__)
            finally:
                self._is_listening.clear()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _look_again(self) -> None:
        for pages in self._pages.values():
            for page in pages:
                page.put(Changed())

    def _hear(self, channel: str, payload: str) -> None:
        try:
            said = msgspec.json.decode(payload, type=_Said)
        except msgspec.DecodeError:
            log.warning("something else was said on the channel of open pages")
            return
        place = (channel, said.topic)
        pages = self._pages.get(place, set())
        if said.what is _News.CHANGED:
            for page in pages:
                page.put(Changed(said.id))
        elif said.what is _News.WRITING and said.id is not None:
            for page in pages:
                if page.viewer != said.id:
                    page.put(Writing(said.id, said.place))
        elif pages and said.id is not None:
            self._hear_of(place, pages, said.what, said.id)

    def _hear_of(self, place: _Place, pages: set[_Page], what: _News, viewer: UUID) -> None:
        is_here = any(page.viewer == viewer for page in pages)
        if what is _News.LEFT and not is_here:
            is_news = self._seen.get(place, {}).pop(viewer, None) is not None
        else:
            is_news = self._see(place, viewer)
        if what is _News.JOINED:
            # Whoever comes hears who is here from the process of each.
            # Each once, however many pages they have: else so many pages say so many times as much.
            for one in {page.viewer: page for page in pages}.values():
                self._say(one.tenant, _Said(place[1], _News.HERE, one.viewer))
        if is_news:
            for page in pages:
                page.put(self._present(place))


async def _said_to_all(tenant: Tenant, said: _Said) -> None:
    with suppress(psycopg.Error, OSError):
        await tenant.look_up(
            "SELECT pg_notify(:channel, :said)",
            channel=_channel(tenant.record.schema_name),
            said=_encoded(said),
        )
