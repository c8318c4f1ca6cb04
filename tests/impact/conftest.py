"""Amina, whom the panel talked about, with an episode, a plan, her team, and her parents."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose, Viewer, ViewerKind
from panel.impact.invitations import Sender, invite, send_invitations
from panel.impact.meetings import (
    Held,
    WhenWhere,
    Wishes,
    ask_family,
    call_meeting,
    hold_meeting,
    meeting_to_change,
    plan_meeting,
)
from panel.impact.models import ImpactMeeting
from panel.impact.rules import Kind
from panel.impact.steps import PURPOSES, Read, move_step, step_now
from panel.plans.models import DesiredOutcome, Plan
from panel.platform.clock import FixedClock
from panel.platform.sessions import start
from panel.platform.tenancy import Tenant, load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.gate import Access
from panel.register.models import Episode
from tests.panels.conftest import AddChild, House, add_child, house
from tests.panels.note_world import Client, held_meeting

__all__ = ["add_child", "house"]

SENDER = Sender("https://panel.example", "no-reply@panel.example")
TODAY = date(2026, 11, 23)
WHEN = WhenWhere(TODAY + timedelta(days=7), time(10, 30), 60, "in_person", "Marlow Centre, room 2")


@dataclass(frozen=True)
class Message:
    """What was put out, as it would be read."""

    address: str
    subject: str
    body: str
    calendar: str
    failure: str


@dataclass
class World:
    """The child, her parents, and who works with her."""

    house: House
    child: UUID
    mother: UUID
    father: UUID
    outcome: UUID

    @property
    def lead(self) -> Viewer:
        """The health visitor who holds the plan."""
        return self.house.viewers["lead"]

    @property
    def assessor(self) -> Viewer:
        """The education worker who assessed her."""
        return self.house.viewers["assessor"]

    @asynccontextmanager
    async def opened(self, viewer: Viewer | None = None) -> AsyncIterator[Access]:
        """Her record, as the lead professional or somebody else opens it for these meetings."""
        who = viewer or self.lead
        async with self.house.gate.open(self.child, who, PURPOSES, "tried it") as access:
            yield access

    @asynccontextmanager
    async def as_family(self, person: UUID) -> AsyncIterator[Access]:
        """Her record, as one of her family opens it."""
        viewer = Viewer(person, ViewerKind.FAMILY)
        async with self.house.gate.open(self.child, viewer, Purpose.SUPPORT, "tried it") as access:
            yield access

    async def step(
        self, to: Kind, on: date = TODAY, reasons: str = "It is complex."
    ) -> date | None:
        """Step up or down; by when CONTACTS reviews again."""
        async with self.opened() as access:
            now = await step_now(access)
            assert now is not None
            return (await move_step(access, to, on, reasons, Read(now.id, now.version))).review_by

    async def planned(self, when: WhenWhere = WHEN) -> UUID:
        """A meeting to which mother, father and both workers are invited, not yet told."""
        async with self.opened() as access:
            row = await plan_meeting(access, when)
            await invite(access, row, [self.mother, self.father, self.lead.id, self.assessor.id])
            return row.id

    async def called(self, when: WhenWhere = WHEN) -> UUID:
        """The same, with the family asked and everybody told."""
        meeting = await self.planned(when)
        async with self.opened() as access:
            row = await meeting_to_change(access, meeting)
            said = Wishes("My sister Pia", "Polish", "part", "Not on a Friday")
            await ask_family(access, row, row.version, said, TODAY, "")
            await call_meeting(access, row, row.version, 4)
            await send_invitations(access, row, SENDER)
        return meeting

    async def held(self, came: frozenset[UUID] = frozenset()) -> UUID:
        """A meeting that was held today, with the next one in four weeks."""
        meeting = await self.called(
            WhenWhere(TODAY, time(8, 0), 60, "in_person", "Marlow Centre, room 2")
        )
        async with self.opened() as access:
            row = await meeting_to_change(access, meeting)
            held = Held(came, TODAY + timedelta(days=28))
            await hold_meeting(access, row, row.version, held)
        return meeting

    async def messages(self) -> list[Message]:
        """What was put out, oldest first."""
        async with self.house.as_("job") as session:
            rows = list(await session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))
            await load_keys(session, {row.holder_id for row in rows})
            return [
                Message(row.address, row.subject, row.body, row.calendar, row.failure or "")
                for row in rows
            ]

    async def row(self, session: AsyncSession, meeting: UUID) -> ImpactMeeting:
        """The meeting's row."""
        return await session.get_one(ImpactMeeting, meeting)


@pytest.fixture
async def world(house: House, add_child: AddChild) -> World:
    """Amina in CONTACTS since 1 September, discussed last on 19 November."""
    held = await held_meeting(house, add_child)
    async with house.as_("job") as session:
        session.add(Episode(child_id=held.child, opened_on=date(2026, 9, 1)))
        plan = (await session.scalars(select(Plan).where(Plan.child_id == held.child))).one()
        outcome = DesiredOutcome(child_id=held.child, plan_id=plan.id, position=1)
        outcome.text = "Amina sleeps through the night"
        session.add(outcome)
        await session.flush()
        return World(house, held.child, held.mother, held.father, outcome.id)


SignInFamily = Callable[[UUID], Awaitable[None]]


@pytest.fixture
def sign_in_family(client: Client, tenant: Tenant, clock: FixedClock) -> SignInFamily:
    """Sign one of the family in with the test's browser."""

    async def signed_in(person: UUID) -> None:
        async with tenant.transaction() as session:
            token = await start(session, person, "family", clock.now())
        client.cookies.clear()
        client.cookies.set("panel_session", token)

    return signed_in
