"""An allocation panel in term with its people, criteria that hold, and Amina with her parents."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose, Role, Viewer, ViewerKind
from panel.allocation.criteria_service import CriterionWords, add_version, criteria_on
from panel.allocation.decision_service import ratify, to_ratify
from panel.allocation.models import ServiceRequest
from panel.allocation.request_service import (
    RequestWords,
    save_request,
    send_request,
    start_request,
)
from panel.allocation.rules import Grounds, Kind, Proposed, Unmet
from panel.assessments import definitions
from panel.assessments.models import Form
from panel.directory.facts import ProviderFacts, ServiceFacts
from panel.directory.service import add_provider, add_service
from panel.panels.attendance import mark
from panel.panels.calendar import meeting_on
from panel.panels.holding import AtItem, at_item, begin
from panel.panels.meeting_reading import meeting_view, shared_view_of
from panel.panels.meeting_rules import Presence
from panel.panels.models import Meeting, Panel
from panel.panels.settle import freeze
from panel.platform.clock import FixedClock
from panel.records.gate import Access, rewrite_access
from panel.register.models import LevelOfNeed
from panel.sharing.models import SharingAgreement
from tests.allocation.money_world import money, opened
from tests.panels.conftest import NEXT_MEETING, AddChild, House, add_child, house
from tests.panels.meeting_world import BEGINS, seat
from tests.panels.note_world import person

__all__ = ["add_child", "house", "money", "opened"]

CAF = Path(definitions.__file__).parent / "forms" / "caf.json"
REVIEW = date(2027, 5, 20)
WORDS = RequestWords(
    legal_basis="s17",
    category=Category.SOCIAL_CARE,
    need="She wakes six times a night and needs an adult beside her",
    need_code="asd",
    outcome="Her mother sleeps two nights a week",
    tried="A sleep clinic for ten weeks",
    asked_for="Twelve nights away from home a year",
    asked_units=Decimal(12),
    unit="night",
    family_wishes="Somebody she knows already",
)


@dataclass
class Board:
    """The panel's house, with a child in it whose family asks for short breaks."""

    house: House
    clock: FixedClock
    mother: UUID
    father: UUID
    criteria: dict[str, UUID]

    @property
    def child(self) -> UUID:
        """Amina."""
        return self.house.children["Amina"]

    async def draft(self, child: str = "Amina", **changed: Any) -> tuple[UUID, int]:
        """A draft as the lead professional saves it: its id and version."""
        said = RequestWords(
            **{**{name: getattr(WORDS, name) for name in WORDS.__slots__}, **changed}
        )
        async with self.house.opened(child, "lead") as access:
            made = await start_request(access)
            saved = await save_request(access, made.id, said, made.version)
            return saved.id, saved.version

    async def sent(self, child: str = "Amina", **changed: Any) -> UUID:
        """A request that was sent to the panel."""
        made, version = await self.draft(child, **changed)
        async with self.house.opened(child, "lead") as access:
            await send_request(access, made, await self.house.panel(access.session), version)
        return made

    async def version(self, request: UUID) -> int:
        """The request's version now."""
        async with self.house.as_("job") as session:
            return (await session.get_one(ServiceRequest, request)).version

    async def meets(self, *here: str) -> None:
        """Freeze the agenda, come to the morning of the meeting and begin it with these here."""
        async with self.house.as_("coordinator") as session:
            panel = await self.house.panel(session)
            await freeze(session, panel, await meeting_on(session, panel, NEXT_MEETING))
        self.clock.set(BEGINS)
        async with self.house.as_("coordinator") as session:
            panel = await self.house.panel(session)
            meeting = await meeting_on(session, panel, NEXT_MEETING)
            await begin(session, panel, meeting, self.house.viewers["coordinator"])
            marks = {self.house.viewers[who].id: Presence.HERE for who in here}
            await mark(session, panel, meeting, marks)

    @asynccontextmanager
    async def at(self, who: str = "coordinator", child: str = "Amina") -> AsyncIterator[AtItem]:
        """The child's item at the meeting, for somebody at the table."""
        async with self.house.as_(who) as session:
            panel = await self.house.panel(session)
            viewer, of = self.house.viewers[who], self.house.children[child]
            view = await meeting_view(self.house.gate, session, panel, NEXT_MEETING, viewer)
            shared = await shared_view_of(self.house.gate, session, view, of, viewer, "tried")
            yield await at_item(view.panel, view.meeting, view.table, shared)

    def proposed(self, kind: Kind, **changed: Any) -> Proposed:
        """A decision that can be recorded, unless something is changed."""
        less = kind is not Kind.AGREED
        said: dict[str, Any] = {
            "kind": kind,
            "criterion_id": self.criteria["D1"],
            "reasons": "Costed at the second rate; ZQINTERNAL",
            "reasons_for_family": "You need time to rest",
            "review_on": REVIEW,
            "agreed_units": Decimal(6) if kind is Kind.IN_PART else None,
            "because": Grounds.NO_SUCH_SERVICE if less else None,
            "unmet": Unmet(Grounds.NO_SUCH_SERVICE, "Nobody near us") if less else None,
        }
        return Proposed(**{**said, **changed})

    @asynccontextmanager
    async def family(self, who: UUID) -> AsyncIterator[Access]:
        """Amina's record as one of her parents opens it."""
        viewer = Viewer(who, ViewerKind.FAMILY)
        async with self.house.gate.open(self.child, viewer, Purpose.SUPPORT, "read it") as access:
            yield access

    async def meeting(self, day: date = NEXT_MEETING) -> Meeting:
        """The meeting of a day as it is stored."""
        async with self.house.as_("coordinator") as session:
            return await meeting_on(session, await self.house.panel(session), day)

    async def ratifies(self) -> UUID:
        """The meeting, which is under way, ratifies what the chair decided: the meeting's id."""
        async with self.house.as_("coordinator") as session:
            panel = await self.house.panel(session)
            meeting = await meeting_on(session, panel, NEXT_MEETING)
            [waits] = await to_ratify(session, panel.id)
            await ratify(session, panel, meeting, waits.id, self.house.viewers["coordinator"])
            assert waits.ratified_meeting_id == meeting.id
            return meeting.id


async def listed(
    session: AsyncSession, youngest: int | None = None, oldest: int | None = None, **said: Any
) -> UUID:
    """A service of the directory."""
    name = said.pop("name", "Kestrel House")
    provider = await add_provider(session, ProviderFacts(f"{name} Trust"))
    facts = ServiceFacts(name=name, min_age=youngest, max_age=oldest, **said)
    return (await add_service(session, provider.id, facts)).id


async def judged(house: House, child: str) -> None:
    """The child's level of need is judged, and their family lets it be used to allocate."""
    async with house.as_("job") as session:
        session.add(
            LevelOfNeed(
                child_id=house.children[child],
                level="targeted",
                judged_on=date(2026, 11, 9),
                judged_by=house.viewers["lead"].id,
            )
        )
        agreement = await session.scalar(
            select(SharingAgreement).where(SharingAgreement.child_id == house.children[child])
        )
        if agreement is not None:
            agreement.purposes = [*agreement.purposes, "allocation"]


@pytest.fixture
async def board(house: House, add_child: AddChild, clock: FixedClock) -> Board:
    """Five people with a seat; nothing is asked for yet."""
    await seat(house, "social", "social-care", "Tom Brackenbury", Role.PRACTITIONER)
    await seat(house, "second", "education", "Lena Ashgrove")
    async with house.as_("job") as session:
        panel = await session.get_one(Panel, house.panel_id)
        panel.kind, panel.key, panel.name = "allocation", "allocation", "Allocation panel"
        form = await session.get_one(Form, house.form_id)
        form.definition = msgspec.json.decode(CAF.read_bytes())
        await add_version(
            session,
            "Criteria of 2026",
            date(2026, 11, 23),
            [
                CriterionWords("D1", "Needs help at night", "Wakes most nights.", is_duty=True),
                CriterionWords("P1", "Would gain from a club", "Any child.", is_duty=False),
            ],
        )
        criteria = {one.key: one.id for one in await criteria_on(session, date(2026, 11, 23))}
    child = await add_child("Amina", referred=False)
    await judged(house, "Amina")
    async with house.as_("job") as session:
        mother = await person(
            session, child, "Marta Kestrel", "mother", "birth_mother", email="marta@demo.example"
        )
        father = await person(
            session,
            child,
            "Ben Kestrel",
            "father",
            "father_by_registration",
            address="2 Old Lane\nMarlow",
        )
        await rewrite_access(session, child)
    return Board(house, clock, mother, father, criteria)
