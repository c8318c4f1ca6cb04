"""A panel whose agenda is frozen: agencies, and children whose every text carries a marker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Question, State, Viewer, decide
from consent.model import Purpose, Role, ViewerKind
from panel.accounts.models import Agency, Worker
from panel.accounts.service import add_agency, add_worker, give_role, remember_agency_keys
from panel.assessments.definitions import Kind
from panel.assessments.definitions import Question as Asked
from panel.assessments.models import Assessment, SectionAnswer
from panel.assessments.reading import form_of
from panel.assessments.service import ensure_forms
from panel.documents.models import Document
from panel.panels.calendar import add_panel, join_panel
from panel.panels.models import (
    AgendaItem,
    Discussion,
    FamilyWords,
    GuestLink,
    Meeting,
    Panel,
    Referral,
)
from panel.plans.models import Action, DesiredOutcome, LeadProfessional, OutcomeProgress, Plan
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.models import (
    Child,
    FamilyLink,
    FamilyMember,
    Involvement,
    SignificantEvent,
)
from panel.sharing.models import SharingAgreement
from panel.sharing.state import SharingFacts

MEETING_DAY = date(2026, 11, 26)
LAST_MEETING = date(2026, 6, 18)
FROZEN_AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
PACK_UNTIL = date(2026, 12, 10)
MEMBERS = {
    "health": ("Health visiting", "health"),
    "education": ("Early years inclusion", "education"),
    "social-care": ("Children's social care", "social_care"),
    "voluntary": ("Homestart Wexcombe", "voluntary"),
    "council": ("Wexcombe Council", "council"),
}
GP = ("gp", "Marlow Surgery", "gp")


@dataclass(frozen=True, slots=True)
class Marked:
    """A text that carries a marker: whose child's, in which category, by whom."""

    child: UUID
    category: Category
    author_agency: UUID | None = None
    author_person: UUID | None = None
    at_the_meeting: bool = True


@dataclass
class World:
    """One authority with one panel, before a meeting whose packs are out."""

    tenant: Tenant
    gate: Gate
    agencies: dict[str, Agency] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    roles: dict[str, frozenset[Role]] = field(default_factory=dict)
    panel_id: UUID = JOB
    meeting_id: UUID = JOB
    last_meeting_id: UUID = JOB
    form_id: UUID = JOB
    children: list[UUID] = field(default_factory=list)
    mothers: dict[UUID, UUID] = field(default_factory=dict)
    items: dict[UUID, UUID] = field(default_factory=dict)
    markers: dict[str, Marked] = field(default_factory=dict)

    def mark(
        self,
        child: UUID,
        category: Category,
        agency: str | None = None,
        person: UUID | None = None,
    ) -> str:
        """A marker that stands for one text; letters and digits, so that no paper breaks it."""
        marker = f"zq{len(self.markers):04}z"
        author = None if agency is None else self.agencies[agency].id
        self.markers[marker] = Marked(child, category, author, person)
        return marker

    @asynccontextmanager
    async def as_job(self) -> AsyncIterator[AsyncSession]:
        """A transaction of scheduled work."""
        async with self.tenant.transaction(JOB) as session:
            yield session

    def worker_viewer(self, key: str) -> Viewer:
        """One of the workers as the gate knows them."""
        worker = self.workers[key]
        agency = next(one for one in self.agencies.values() if one.id == worker.agency_id)
        return Viewer(worker.id, ViewerKind.WORKER, agency.id, agency.kind, self.roles[key])

    def agency_viewer(self, key: str) -> Viewer:
        """A member agency as it looks at its pack."""
        agency = self.agencies[key]
        return Viewer(agency.id, ViewerKind.AGENCY, agency.id, agency.kind)

    async def permitted(self, viewer: Viewer) -> set[str]:
        """The markers that `consent.decide` lets this viewer see, worked out one by one."""
        async with self.tenant.transaction(viewer.id) as session:
            known = await SharingFacts().known(session, self.children, viewer)
        at = self.tenant.clock.now()
        states: dict[UUID, State] = {child: one.state for child, one in known.items()}
        return {
            marker
            for marker, one in self.markers.items()
            if one.child in states
            and decide(
                Question(
                    viewer, one.category, Purpose.PANEL, at, one.author_agency, one.author_person
                ),
                states[one.child],
            ).permitted
        }


async def make_world(tenant: Tenant, gate: Gate) -> World:
    """The agencies, their people, the panel and its meeting; no child yet."""
    world = World(tenant, gate)
    async with world.as_job() as session:
        for key, (name, kind) in {**MEMBERS, GP[0]: GP[1:]}.items():
            world.agencies[key] = await add_agency(session, key=key, name=name, kind=kind)
        panel = await add_panel(
            session,
            key="contacts",
            kind="contacts",
            first_on=date(2026, 9, 3),
            place="Marlow Centre",
        )
        world.panel_id = panel.id
        for key in MEMBERS:
            await join_panel(session, panel, world.agencies[key].id)
            role = Role.COORDINATOR if key == "council" else Role.PANEL_MEMBER
            await _person(session, world, key, f"Member {key}", role, panel.id)
        await _person(session, world, GP[0], "Dr Priya Wren", Role.PRACTITIONER, None)
        meeting = Meeting(
            panel_id=panel.id,
            slot_on=MEETING_DAY,
            held_on=MEETING_DAY,
            state="frozen",
            frozen_at=FROZEN_AT,
        )
        last = Meeting(panel_id=panel.id, slot_on=LAST_MEETING, held_on=LAST_MEETING, state="held")
        session.add_all([meeting, last])
        world.form_id = (await ensure_forms(session))["caf"]
        await session.flush()
        world.meeting_id, world.last_meeting_id = meeting.id, last.id
    await remember_agency_keys(tenant)
    return world


async def _person(
    session: AsyncSession, world: World, key: str, name: str, role: Role, panel: UUID | None
) -> None:
    worker = await add_worker(session, world.agencies[key], name=name, email=f"{key}@demo.example")
    await give_role(session, worker, role, panel)
    world.workers[key] = worker
    world.roles[key] = frozenset({role})


async def add_marked_child(world: World, number: int, *, sharing: Any = None) -> UUID:
    """A child on the agenda with a text of every category by several agencies.

    `sharing` is called with (child id, mother's id) and gives the rows of agreements and
    restrictions.
    """
    async with world.as_job() as session:
        child_id, mother = new_id(), FamilyMember(name=f"Parent {number}")
        about: dict[str, Any] = {"child_id": child_id}
        mark = world.mark

        await session.execute(text("SELECT open_child(:c)"), {"c": child_id})
        child = Child(
            id=child_id,
            reference=f"C-{2000 + number}",
            birth_date=date(2022, 6, 15),
            given_name=mark(child_id, Category.IDENTITY),
            family_name=mark(child_id, Category.IDENTITY),
            address=mark(child_id, Category.CONTACT),
            disability=mark(child_id, Category.HEALTH),
            school=mark(child_id, Category.EDUCATION),
            first_language=mark(child_id, Category.FAMILY),
        )
        session.add(mother)
        session.add(child)
        await session.flush()
        session.add(
            FamilyLink(
                **about,
                family_member_id=mother.id,
                relationship="Mother",
                parental_responsibility=True,
                basis="birth_mother",
            )
        )
        session.add_all(_texts(world, child_id, mother.id, number))
        await session.flush()
        item = AgendaItem(
            **about,
            meeting_id=world.meeting_id,
            position=number,
            minutes=10,
            why="review_due",
            since_on=date(2026, 12, 18),
            opens_at=FROZEN_AT,
            pack_until=PACK_UNTIL,
            reason=mark(child_id, Category.PANEL),
        )
        session.add(item)
        await session.flush()
        session.add(
            GuestLink(
                **about,
                agenda_item_id=item.id,
                agency_id=world.agencies["gp"].id,
                token_hash=new_id().bytes,
                code_hash=b"-",
                name=mark(child_id, Category.PANEL, "gp"),
                question=mark(child_id, Category.PANEL, "gp"),
                answer=mark(child_id, Category.PANEL, "gp"),
                ends_at=FROZEN_AT + timedelta(days=6),
                answered_at=FROZEN_AT + timedelta(days=1),
            )
        )
        if sharing is not None:
            session.add_all(sharing(child_id, mother.id))
        await _plan(session, world, child_id)
        await _assessment(session, world, child_id)
        await rewrite_access(session, child_id)
    world.children.append(child_id)
    world.mothers[child_id] = mother.id
    world.items[child_id] = item.id
    return child_id


def _texts(world: World, child_id: UUID, mother: UUID, number: int) -> list[Any]:
    mark, about = world.mark, {"child_id": child_id}
    writers = list(MEMBERS)
    rows: list[Any] = []
    rows.extend(
        SignificantEvent(
            **about,
            happened_on=date(2026, 10, 1) + timedelta(days=place),
            kind="other",
            category=category.value,
            author_agency_id=world.agencies[writer].id,
            text=mark(child_id, category, writer),
        )
        for place, category in enumerate(Category)
        for writer in ("health", writers[(place + number) % len(writers)])
    )
    rows.extend(
        Discussion(
            **about,
            meeting_id=world.last_meeting_id,
            author_agency_id=world.agencies[writer].id,
            category=category.value,
            text=mark(child_id, category, writer),
        )
        for category, writer in (
            (Category.PANEL, "council"),
            (Category.SAFEGUARDING, "social-care"),
        )
    )
    rows.append(
        Referral(
            **about,
            panel_id=world.panel_id,
            referred_on=date(2026, 5, 1),
            agency_id=world.agencies["voluntary"].id,
            category="social_care",
            reason=mark(child_id, Category.SOCIAL_CARE, "voluntary"),
            escalation=mark(child_id, Category.PANEL),
            escalated_on=date(2026, 11, 1),
            last_discussed_on=LAST_MEETING,
            next_review_by=date(2026, 12, 18),
        )
    )
    rows.extend(
        FamilyWords(
            **about,
            meeting_id=world.meeting_id,
            family_member_id=person,
            author_agency_id=None if writer is None else world.agencies[writer].id,
            asked_on=date(2026, 11, 9),
            said_on=date(2026, 11, 16),
            text=mark(child_id, Category.VIEWS, writer, person),
        )
        for person, writer in ((mother, None), (None, "voluntary"))
    )
    lead = world.workers["health"]
    rows += [
        LeadProfessional(
            **about,
            worker_id=lead.id,
            agency_id=lead.agency_id,
            state="accepted",
            offered_on=date(2026, 5, 4),
            offered_by=lead.id,
            from_on=date(2026, 5, 4),
        ),
        Document(
            **about,
            title=mark(child_id, Category.EDUCATION, "education"),
            media_type="application/pdf",
            bytes_long=10,
            category="education",
            author_id=world.workers["education"].id,
            author_agency_id=world.agencies["education"].id,
            content_index=new_id().bytes,
        ),
        Involvement(
            **about,
            agency_id=world.agencies["health"].id,
            worker_id=world.workers["health"].id,
            part=mark(child_id, Category.NETWORK, "health"),
            from_on=date(2026, 1, 5),
        ),
        Involvement(
            **about,
            agency_id=world.agencies["education"].id,
            part=mark(child_id, Category.NETWORK, "education"),
            expected_from_on=date(2027, 9, 1),
        ),
    ]
    return rows


async def _plan(session: AsyncSession, world: World, child_id: UUID) -> None:
    mark, about = world.mark, {"child_id": child_id}

    def marked() -> str:
        return mark(child_id, Category.PLAN, "education")

    plan = Plan(
        **about,
        state="agreed",
        author_agency_id=world.agencies["education"].id,
        summary=marked(),
        started_on=date(2026, 7, 1),
        agreed_on=date(2026, 7, 1),
    )
    session.add(plan)
    await session.flush()
    outcome = DesiredOutcome(**about, plan_id=plan.id, position=1, text=marked(), measure=marked())
    session.add(outcome)
    await session.flush()
    session.add_all(
        [
            OutcomeProgress(**about, outcome_id=outcome.id, on=date(2026, 10, 2), note=marked()),
            Action(
                **about,
                plan_id=plan.id,
                outcome_id=outcome.id,
                text=marked(),
                owner_words=marked(),
                due_on=date(2026, 12, 1),
            ),
            Action(**about, plan_id=plan.id, text=marked(), owner_words=marked(), note=marked()),
        ]
    )


def _answer(question: Asked, marker: str) -> Any:
    return {"needs": marker} if question.kind is Kind.ELEMENT else marker


async def _assessment(session: AsyncSession, world: World, child_id: UUID) -> None:
    """A signed-off CAF with one marked answer in every section that takes free text."""
    form = await form_of(session, world.form_id)
    writers = list(MEMBERS)
    made = Assessment(
        child_id=child_id,
        form_id=world.form_id,
        form_key="caf",
        state="signed_off",
        author_id=world.workers["health"].id,
        author_agency_id=world.agencies["health"].id,
        started_on=date(2026, 10, 1),
        signed_off_on=date(2026, 10, 20),
        signed_off_by=world.workers["health"].id,
    )
    session.add(made)
    await session.flush()
    free = (Kind.SHORT_TEXT, Kind.LONG_TEXT, Kind.ELEMENT)
    for place, section in enumerate(form.sections):
        asked = next((q for q in section.questions if q.kind in free and not q.show_if), None)
        if asked is None:
            continue
        writer = writers[place % len(writers)]
        marker = world.mark(child_id, section.category, writer)
        answers = {asked.key: _answer(asked, marker)}
        session.add(
            SectionAnswer(
                child_id=child_id,
                assessment_id=made.id,
                section_key=section.key,
                author_agency_id=world.agencies[writer].id,
                category=section.category.value,
                state="looked_at",
                answers=msgspec.json.encode(answers).decode(),
                saved_at=FROZEN_AT,
            )
        )


def agreed(
    world: World,
    child_id: UUID,
    mother: UUID,
    *,
    level: str | None = "additional",
    agencies: tuple[str, ...] = (),
    **other: Any,
) -> SharingAgreement:
    """Her mother agrees; with every member agency unless some are named."""
    named = agencies or tuple(MEMBERS)
    return SharingAgreement(
        **{
            "child_id": child_id,
            "given": True,
            "by_person_id": mother,
            "capacity": "parental_responsibility",
            "by_words": "her mother",
            "agencies": [world.agencies[key].id for key in named],
            "level": level,
            "purposes": ["panel", "support", "review"],
            "from_on": date(2026, 5, 3),
            **other,
        }
    )


async def panel_of(session: AsyncSession, world: World) -> Panel:
    """The panel."""
    found = await session.get(Panel, world.panel_id)
    assert found is not None
    return found
