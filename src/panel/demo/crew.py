"""Who acts in the invented year: the workers as they sign in, the clock, and what chance decides.

Everybody acts through the services and the record gate as themselves; nothing is written behind
their backs.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose, Viewer, ViewerKind
from panel.accounts.desk import usual_purposes
from panel.accounts.service import (
    SignedIn,
    remember_agency_keys,
    worker_at_desk,
    worker_by_email,
)
from panel.demo import places
from panel.panels.calendar import panel_by_key
from panel.panels.models import Panel
from panel.plans.service import MINE_KEY, MyAction, my_actions
from panel.platform.clock import LONDON, FixedClock, day_of
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Access, Gate
from panel.sharing.state import SharingFacts
from panel.web.paging import Asked, read_cursor

COORDINATOR = "grace"
CHAIR = "marcus"


@dataclass(slots=True)
class Crew:
    """The invented authority's people at their desks, and the clock that the story moves."""

    gate: Gate
    clock: FixedClock
    seed: int
    site_url: str
    workers: dict[str, SignedIn] = field(default_factory=dict)
    """Who works there today, by key."""

    @property
    def tenant(self) -> Tenant:
        """The authority."""
        return self.gate.tenant

    @property
    def today(self) -> date:
        """The Europe/London date of the story."""
        return day_of(self.clock.now())

    @property
    def coordinator(self) -> SignedIn:
        """Who coordinates the panel."""
        return self.workers[COORDINATOR]

    @property
    def chair(self) -> SignedIn:
        """Who chairs it."""
        return self.workers[CHAIR]

    def at(self, day: date, hour: int, minute: int = 0) -> None:
        """It is this time of this day, in London."""
        self.clock.set(datetime.combine(day, time(hour, minute), LONDON).astimezone(UTC))

    def later(self, minutes: int) -> None:
        """So many minutes pass."""
        self.clock.set(self.clock.now() + timedelta(minutes=minutes))

    def luck(self, *what: object) -> Random:
        """What chance decides of something: the same for the same seed, whatever else happens."""
        return Random("|".join(str(one) for one in (self.seed, *what)))  # noqa: S311 - invention, not secrecy

    def happens(self, likely: float, *what: object) -> bool:
        """Whether something happens that does so `likely` times of one."""
        return self.luck(*what).random() < likely

    async def come_to_work(self) -> None:
        """Read anew who works there today, and in which roles."""
        found: dict[str, SignedIn] = {}
        async with self.tenant.transaction(JOB) as session:
            connection = await session.connection()
            for one in places.WORKERS:
                worker = await worker_by_email(session, f"{one.key}@{one.agency}.example")
                if worker is None:
                    continue
                here = await worker_at_desk(
                    connection, self.tenant.ring, worker.id, self.clock.now()
                )
                if here is not None:
                    found[one.key] = here
        self.workers = found

    def worker(self, worker_id: UUID | None) -> SignedIn | None:
        """Somebody who works there today."""
        return next((one for one in self.workers.values() if one.viewer.id == worker_id), None)

    @asynccontextmanager
    async def opened(self, child_id: UUID, who: SignedIn, doing: str) -> AsyncIterator[Access]:
        """A child's record as a worker opens it."""
        purposes = usual_purposes(who.viewer)
        async with self.gate.open(child_id, who.viewer, purposes, doing) as access:
            yield access

    @asynccontextmanager
    async def at_home(self, child_id: UUID, person: UUID, doing: str) -> AsyncIterator[Access]:
        """A child's record as one of the family opens it."""
        viewer = Viewer(person, ViewerKind.FAMILY)
        async with self.gate.open(child_id, viewer, Purpose.SUPPORT, doing) as access:
            yield access

    @asynccontextmanager
    async def as_(self, who: SignedIn) -> AsyncIterator[tuple[AsyncSession, Panel]]:
        """A transaction as a worker, with the panel."""
        async with self.tenant.transaction(who.viewer.id) as session:
            yield session, await panel_by_key(session, places.PANEL_KEY)

    async def asked_of(self, who: SignedIn) -> list[MyAction]:
        """What a worker is asked to do, as they read it page after page."""
        purposes = (Purpose.SUPPORT, Purpose.PANEL)
        found: list[MyAction] = []
        asked: Asked | None = Asked()
        async with self.tenant.transaction(who.viewer.id) as session:
            while asked is not None:
                page = await my_actions(self.gate, session, who.viewer, purposes, asked)
                found += page.rows
                asked = read_cursor(page.next, MINE_KEY) if page.next else None
        return found

    @asynccontextmanager
    async def as_job(self) -> AsyncIterator[tuple[AsyncSession, Panel]]:
        """A transaction of scheduled work, with the panel."""
        async with self.tenant.transaction(JOB) as session:
            yield session, await panel_by_key(session, places.PANEL_KEY)


async def crew_of_the_past(tenant: Tenant, seed: int) -> Crew:
    """The people of today at their desks, with a clock that can be set to days that are over."""
    clock = FixedClock(tenant.clock.now())
    past = Tenant(tenant.record, tenant.database, tenant.ring, clock)
    await remember_agency_keys(past)
    crew = Crew(Gate(past, SharingFacts()), clock, seed, "")
    await crew.come_to_work()
    return crew
