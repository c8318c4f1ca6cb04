"""A record with something of every type that is exchanged, by different agencies; who wrote what.

The rules by which each may be told are written down here once more and by themselves: a category
and the agencies whose record it is, for each thing. Nothing of the product is asked.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.allocation.models import ServiceRequest
from panel.assessments.models import Assessment, Form, SectionAnswer
from panel.panels.models import AgendaItem, Meeting, Referral
from panel.panels.note_models import FamilyNote, NoteDelivery
from panel.plans.models import Action, DesiredOutcome, LeadProfessional, OutcomeProgress, Plan
from panel.platform.ids import new_id
from panel.platform.tables import NOW
from panel.records.record_change import RecordChange
from panel.register.models import Child, Episode, FamilyLink, FamilyMember, Involvement
from panel.sharing.models import SharingAgreement
from tests.exchange.sent_content import write_sent
from tests.sharing.test_access_is_a_superset import TODAY, World

May = Callable[..., bool]
"""Whether a category of these agencies' entries may be told: may(category, agency, …)."""
Rule = Callable[[May], bool]

SECTIONS = ("child_says", "assessment_details", "health", "education_history")


@dataclass
class Content:
    """What there is, with its rule: (type, id) → rule. AuditEvents are another matter."""

    child: UUID
    rules: dict[tuple[str, UUID], Rule] = field(default_factory=dict)
    contact: Rule = field(default=lambda _may: False)
    """Of the Patient's address."""
    family: Rule = field(default=lambda _may: False)
    """Of what the Patient tells of languages."""
    before_panel: Rule = field(default=lambda _may: False)
    """Of the child's place in the Group of the panel."""
    sections: dict[str, Rule] = field(default_factory=dict)
    """Of the answers' sections, by their keys."""
    categories: dict[str, Category] = field(default_factory=dict)
    """Of the same sections."""
    sent: dict[tuple[str, str], UUID] = field(default_factory=dict)
    """What other systems sent: whose."""
    never: set[tuple[str, str]] = field(default_factory=set)
    """What is told by no way, since it speaks of a row of ours."""

    def permitted(self, may: May) -> set[tuple[str, str]]:
        """The type and id of all that may be told."""
        return {(kind, str(row)) for (kind, row), rule in self.rules.items() if rule(may)}


@dataclass(frozen=True)
class Authors:
    """Whose record each part is: a number of an agency of the world, or None for nobody's."""

    child: int | None
    family: int | None
    plan: int
    sections: tuple[int, ...]
    request: tuple[int, Category]
    note: tuple[int, tuple[Category, ...]]
    sitting: int | None
    episode: int | None
    senders: tuple[int, int] = (0, 2)
    """Whose systems sent what other systems sent."""


async def _wrote(
    session: AsyncSession, world: World, place: int | None, row: object
) -> UUID | None:
    """Say who made a row; its agency."""
    if place is None:
        return None
    await session.flush()
    table = row.__tablename__
    await session.execute(
        text(f'UPDATE "{table}" SET created_by = :worker WHERE id = :row'),
        {"worker": world.workers[place], "row": row.id},
    )
    return world.agencies[place]


async def write_content(
    session: AsyncSession, world: World, child_id: UUID, authors: Authors
) -> Content:
    """Something of every type, beside what the sharing state brought."""
    content = Content(child_id)
    await _who(session, world, authors, content)
    await _plans(session, world, authors, content)
    await _answers(session, world, authors, content)
    await _meetings(session, world, authors, content)
    await _sent(session, world, authors, content)
    return content


async def _sent(session: AsyncSession, world: World, authors: Authors, content: Content) -> None:
    plan = next(row for kind, row in content.rules if kind == "CarePlan")
    one, other = authors.senders
    agencies = (world.agencies[one], world.agencies[other])
    sent = await write_sent(session, content.child, agencies, world.workers[one], plan)
    for (kind, row), of in sent.items():
        if of is None:
            content.never.add((kind, str(row)))
        else:
            content.rules[kind, row] = lambda may, of=of: may(*of)
            content.sent[kind, str(row)] = of[1]


async def _who(session: AsyncSession, world: World, authors: Authors, content: Content) -> None:
    rules, child_id = content.rules, content.child
    child = await session.get_one(Child, child_id)
    child.birth_date, child.sex = date(2021, 3, 9), "female"
    child.address, child.postcode, child.phone = "1 Teasel Close", "WX1 1AA", "01632 960001"
    child.primary_need, child.interpreter = "asd", "Polish"
    wrote = await _wrote(session, world, authors.child, child)
    rules["Patient", child_id] = lambda may: may(Category.IDENTITY, wrote)
    rules["Condition", child_id] = lambda may: may(Category.HEALTH, wrote)
    rules["Flag", child_id] = lambda may: may(Category.FAMILY, wrote)
    for referral in await session.scalars(select(Referral).where(Referral.child_id == child_id)):
        referred_by = referral.agency_id
        content.before_panel = lambda may, referred_by=referred_by: (
            may(Category.PANEL, referred_by) and may(Category.IDENTITY, wrote)
        )
    content.contact = lambda may: may(Category.CONTACT, wrote)
    content.family = lambda may: may(Category.FAMILY, wrote)
    links = list(await session.scalars(select(FamilyLink).where(FamilyLink.child_id == child_id)))
    for link in links:
        (await session.get_one(FamilyMember, link.family_member_id)).address = "1 Teasel Close"
        by = await _wrote(session, world, authors.family, link)
        rules["RelatedPerson", link.id] = lambda may, by=by: may(Category.FAMILY, by)
    parts: list[tuple[UUID | None, UUID]] = [
        (None, one.agency_id)
        for one in await session.scalars(
            select(Involvement).where(Involvement.child_id == child_id)
        )
    ]
    parts += [
        (one.agency_id, one.agency_id)
        for one in await session.scalars(
            select(LeadProfessional).where(LeadProfessional.child_id == child_id)
        )
    ]
    if parts:
        rules["CareTeam", child_id] = lambda may: any(
            may(Category.NETWORK, *part) for part in parts
        )
    for agreement in await session.scalars(
        select(SharingAgreement).where(SharingAgreement.child_id == child_id)
    ):
        if agreement.given:
            rules["Consent", agreement.id] = lambda may, agreement=agreement: (
                may.agency in agreement.agencies and may(Category.FAMILY)
            )
    episode = Episode(child_id=child_id, opened_on=TODAY - timedelta(days=90))
    session.add(episode)
    opened = await _wrote(session, world, authors.episode, episode)
    rules["EpisodeOfCare", episode.id] = lambda may: may(Category.PANEL, opened)


async def _plans(session: AsyncSession, world: World, authors: Authors, content: Content) -> None:
    rules, child_id = content.rules, content.child
    agency = world.agencies[authors.plan]
    days = TODAY - timedelta(days=30)
    plan = Plan(
        child_id=child_id, state="agreed", author_agency_id=agency, summary="To play with others",
        started_on=days, agreed_on=days,
    )  # fmt: skip
    draft = Plan(
        child_id=child_id, number=2, state="draft", author_agency_id=agency, started_on=TODAY
    )
    session.add_all([plan, draft])
    await session.flush()
    outcome = DesiredOutcome(child_id=child_id, plan_id=plan.id, position=1, text="She plays")
    session.add(outcome)
    await session.flush()
    session.add(OutcomeProgress(child_id=child_id, outcome_id=outcome.id, on=TODAY, value=2))
    action = Action(
        child_id=child_id, plan_id=plan.id, outcome_id=outcome.id, text="Ring the nursery",
        owner_worker_id=world.workers[0],
    )  # fmt: skip
    asked = Action(child_id=child_id, text="What the panel asked for")
    unseen = Action(child_id=child_id, plan_id=draft.id, text="Not agreed yet")
    session.add_all([action, asked, unseen])
    await session.flush()

    def of_plan(may: May) -> bool:
        return may(Category.PLAN, agency)

    rules["CarePlan", plan.id] = of_plan
    rules["Goal", outcome.id] = of_plan
    rules["Task", action.id] = of_plan
    rules["Task", asked.id] = lambda may: may(Category.PLAN)
    changed = new_id()
    await session.execute(
        insert(RecordChange).values(
            id=changed, child_id=child_id, row_id=plan.id, what="plan.state", version=1,
            created_at=session.info[NOW], created_by=world.workers[authors.plan],
            changed_at=session.info[NOW], changed_by=world.workers[authors.plan],
        )
    )  # fmt: skip
    rules["Provenance", changed] = lambda may: may(Category.PLAN)
    place, category = authors.request
    request = ServiceRequest(
        child_id=child_id, reference=f"R-{child_id.hex[-8:]}", state="sent", sent_on=TODAY,
        agency_id=world.agencies[place], category=category.value, need="Speech",
        asked_for="Therapy",
    )  # fmt: skip
    session.add(request)
    await session.flush()
    rules["ServiceRequest", request.id] = lambda may: may(category, world.agencies[place])


async def _answers(session: AsyncSession, world: World, authors: Authors, content: Content) -> None:
    form = await session.scalar(select(Form).where(Form.key == "caf"))
    assert form is not None
    defined = form.definition["sections"]
    filling = Assessment(
        child_id=content.child, form_id=form.id, form_key="caf", state="signed_off",
        author_id=world.workers[0], author_agency_id=world.agencies[0],
        started_on=TODAY - timedelta(days=60), signed_off_on=TODAY - timedelta(days=50),
    )  # fmt: skip
    session.add(filling)
    await session.flush()
    for section, place in zip(defined, authors.sections, strict=False):
        question = next(q for q in section["questions"] if q["kind"] in ("long_text", "short_text"))
        session.add(
            SectionAnswer(
                child_id=content.child, assessment_id=filling.id, section_key=section["key"],
                author_agency_id=world.agencies[place], category=section["category"],
                state="complete", answers=f'{{"{question["key"]}": "Something said"}}',
            )
        )  # fmt: skip
        content.categories[section["key"]] = Category(section["category"])
        content.sections[section["key"]] = lambda may, section=section, place=place: may(
            Category(section["category"]), world.agencies[place]
        )
    await session.flush()
    content.rules["QuestionnaireResponse", filling.id] = lambda may: any(
        rule(may) for rule in content.sections.values()
    )


async def _meetings(
    session: AsyncSession, world: World, authors: Authors, content: Content
) -> None:
    rules, child_id = content.rules, content.child
    first = await session.scalar(
        select(func.min(Meeting.slot_on)).where(Meeting.panel_id == world.panel)
    )
    meeting = Meeting(
        panel_id=world.panel, slot_on=(first or TODAY) - timedelta(days=1),
        held_on=TODAY - timedelta(days=20), state="held",
    )  # fmt: skip
    session.add(meeting)
    await session.flush()
    said_at = datetime.combine(TODAY - timedelta(days=20), time(10), UTC)
    item = AgendaItem(
        child_id=child_id, meeting_id=meeting.id, position=1, minutes=10, why="new",
        state="discussed", discussed_at=said_at,
    )  # fmt: skip
    session.add(item)
    await session.flush()
    items = list(await session.scalars(select(AgendaItem).where(AgendaItem.child_id == child_id)))
    for one in items:
        by = await _wrote(session, world, authors.sitting, one)
        rules["Appointment", one.id] = lambda may, by=by: may(Category.PANEL, by)
        if one.id == item.id:
            rules["Encounter", one.id] = rules["Appointment", one.id]
    place, categories = authors.note
    agency = world.agencies[place]
    note = FamilyNote(
        child_id=child_id, meeting_id=meeting.id, state="signed_off", author_agency_id=agency,
        categories=[one.value for one in categories], text="Dear Marta", signed_off_at=said_at,
        due_on=TODAY,
    )  # fmt: skip
    session.add(note)
    await session.flush()

    def of_note(may: May) -> bool:
        return all(may(one, agency) for one in {Category.PANEL, *categories})

    rules["DocumentReference", note.id] = of_note
    for link in await session.scalars(select(FamilyLink).where(FamilyLink.child_id == child_id)):
        sent = NoteDelivery(
            child_id=child_id, note_id=note.id, person_id=link.family_member_id, way="letter",
            state="sent", sent_at=said_at,
        )  # fmt: skip
        session.add(sent)
        await session.flush()
        of_link = rules["RelatedPerson", link.id]
        rules["Communication", sent.id] = lambda may, of_link=of_link: of_note(may) and of_link(may)
