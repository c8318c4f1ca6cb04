"""The children of the crawl: the demonstration's scripted ones, with a row of every kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose
from panel.accounts.models import Agency, Worker
from panel.accounts.service import worker_at_desk
from panel.assessments.models import Assessment
from panel.casework.closing_models import CaseClosure
from panel.casework.handover_models import AuthorityHandover
from panel.casework.models import Transition
from panel.casework.quality_models import QualityAudit, QualitySample
from panel.demo.story import SHAPES
from panel.documents.models import Document, DocumentContent
from panel.documents.service import CONTENT_FIELD
from panel.insight.voice.models import Survey
from panel.panels.calendar import meeting_on, panel_by_key, panel_rhythm
from panel.panels.guests import MadeLink, NewGuest, item_to_ask, make_guest_link
from panel.panels.models import (
    AgendaItem,
    Attendance,
    DeclaredInterest,
    Discussion,
    FamilyWords,
    Meeting,
    Referral,
)
from panel.panels.note_models import FamilyNote, Incident, NoteAnswer, NoteDelivery
from panel.panels.referring_models import ReferralAnswer
from panel.plans.models import Action, FamilyClearance, LeadCover, LeadProfessional, LeadWish, Plan
from panel.platform.ids import new_id
from panel.platform.tables import KEYS
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.family_access import FamilyAccess
from panel.register.models import Child, Episode, FamilyLink, FamilyMember, Involvement
from panel.sharing.models import (
    AccessRequest,
    SharingAgreement,
    SharingEnquiry,
    SharingOrder,
    SharingOverride,
)
from tests.hostile.canary_allocation import allocated
from tests.hostile.canary_exchange import sent_by_systems
from tests.hostile.canary_lists import on_a_list
from tests.hostile.canary_meetings import met
from tests.hostile.canary_money import packaged
from tests.hostile.canary_plans import agreed
from tests.hostile.canary_rights import own_data
from tests.hostile.canary_sharing import opened_for_safety, sharing_facts

CRAWLED = (
    "escalation", "twin", "transition", "nothing_shared", "refused_agency", "two_parents",
    "protected_address", "withdrawn", "choice", "basic", "named", "young_person",
)  # fmt: skip
"""The twelve children whose every page is visited: one for each way in which sharing differs."""
NOT_AT_THE_MEETING = frozenset({"nothing_shared", "withdrawn", "young_person", "basic"})
"""Whom only their teams and the panel's coordinator reach."""

HERE = ("grace", "marcus", "rosa", "tom", "yusuf")
"""Who is at the meeting."""


@dataclass
class World:
    """Who and what there is to visit."""

    workers: dict[str, Worker] = field(default_factory=dict)
    agencies: dict[str, Agency] = field(default_factory=dict)
    children: dict[str, UUID] = field(default_factory=dict)
    """The crawled children by what they show."""
    parents: dict[UUID, dict[str, UUID]] = field(default_factory=dict)
    """By child: mother, father, grandmother, with the id of each."""
    held: date = date.min
    """The last meeting that was held."""
    coming: date = date.min
    """The meeting that is under way."""
    moved: list[tuple[UUID, UUID]] = field(default_factory=list)
    """What was on the wrong child: the child and the entry, where it stands now and where it was."""
    guests: dict[UUID, MadeLink] = field(default_factory=dict)
    """A link and its code for each child at the meeting."""
    sealed_from: str = "ivy"
    """A worker of the team of one child, from whom that record is sealed."""
    opened_by: str = ""
    """A worker outside the team of one child, who opened that record for safety."""


async def make_world(tenant: Tenant, gate: Gate) -> World:
    """Give the demonstration's year, of 24 children or more, what it does not have by itself."""
    world = World()
    async with tenant.transaction(JOB) as session:
        await _look(session, world)
        held, coming = await _meetings(session, world)
        for place, (shape, child) in enumerate(sorted(world.children.items())):
            await _grandmother(session, world, child)
            await _rows(session, world, child, held, coming if _meets(shape) else None, place)
        await _sharing(session, world)
        await sharing_facts(session, world.workers, world.agencies, world.children, world.parents)
        await _moved(session, world, coming)
        await _authors(session, world)
        await sent_by_systems(session, world.agencies, world.children.values())
        await on_a_list(session, world.agencies, world.children.values())
        await session.flush()
        await session.execute(text("SELECT rewrite_all_access()"))
    await _guests(gate, world)
    world.opened_by = await opened_for_safety(
        tenant, world.workers, world.children["refused_agency"]
    )
    return world


def _meets(shape: str) -> bool:
    return shape not in NOT_AT_THE_MEETING


async def _look(session: AsyncSession, world: World) -> None:
    for agency in await session.scalars(select(Agency)):
        world.agencies[agency.key] = agency
    await load_keys(session, {one.id for one in world.agencies.values()})
    for worker in await session.scalars(select(Worker)):
        world.workers[worker.email.split("@", maxsplit=1)[0]] = worker
    children = list(await session.scalars(select(Child).order_by(Child.reference)))
    for shape in CRAWLED:
        world.children[shape] = children[SHAPES.index(shape)].id
    for link in await session.scalars(select(FamilyLink)):
        world.parents.setdefault(link.child_id, {})[link.relationship] = link.family_member_id


async def _meetings(session: AsyncSession, world: World) -> tuple[Meeting, Meeting]:
    """The last meeting that was held, and the next, whose agenda is settled and which has begun."""
    panel = await panel_by_key(session, "contacts")
    now: datetime = session.info["now"]
    days = (await panel_rhythm(session, panel)).all_dates
    world.held = max(day for day in days if day < now.date())
    world.coming = min(day for day in days if day >= now.date())
    held = await meeting_on(session, panel, world.held)
    held.began_at = held.ended_at = now - timedelta(days=9)
    coming = await meeting_on(session, panel, world.coming)
    coming.state, coming.frozen_at, coming.began_at = "frozen", now - timedelta(days=3), now
    await session.flush()
    for key in HERE:
        worker = world.workers[key]
        session.add(
            Attendance(
                meeting_id=coming.id, agency_id=worker.agency_id, worker_id=worker.id,
                state="here", here_at=now,
            )
        )  # fmt: skip
    return held, coming


async def _grandmother(session: AsyncSession, world: World, child: UUID) -> None:
    """Somebody of the family without parental responsibility."""
    person = FamilyMember(name="Cora Elder", email="cora@families.example", phone="07700 900999")
    session.add(person)
    await session.flush()
    session.add(FamilyLink(child_id=child, family_member_id=person.id, relationship="grandmother"))
    world.parents[child]["grandmother"] = person.id


async def _rows(
    session: AsyncSession,
    world: World,
    child: UUID,
    held: Meeting,
    coming: Meeting | None,
    place: int,
) -> None:
    """A row of every table that the demonstration's year leaves empty."""
    now: datetime = session.info["now"]
    today = now.date()
    rosa, yusuf, tom = (world.workers[key] for key in ("rosa", "yusuf", "tom"))
    mother, father = world.parents[child]["mother"], world.parents[child]["father"]
    about: Mapping[str, Any] = {"child_id": child}
    for category, by in (("health", rosa), ("education", world.workers["hana"]), ("finance", tom)):
        await _file(session, child, category, by)
    asked = Action(**about, text="Ask Dad", owner_words="Dad", note="He will", due_on=today)
    session.add_all([
        FamilyAccess(
            person_id=child, reference=f"{child}", fact="birth_date", way="letter", email="own",
            contact_from=now, invited_at=now, invitation_ends_at=now + timedelta(days=28),
        ),
        AccessRequest(
            **about, worker_id=yusuf.id, agency_id=yusuf.agency_id, category="health",
            reason="To help at home", asked_on=today,
        ),
        LeadProfessional(
            **about, worker_id=tom.id, agency_id=tom.agency_id, state="declined", reason="Too far",
            offered_on=today - timedelta(days=30), answered_on=today, offered_by=rosa.id,
            note="Ring first", family="said", family_words="Not him", over_limit="He knows us",
        ),
        LeadWish(**about, worker_id=rosa.id, said_on=today, said_by="Mum", words="Rosa, please"),
        LeadProfessional(
            **about, worker_id=world.workers["beth"].id, state="offered", offered_on=today,
            agency_id=world.workers["beth"].agency_id, offered_by=rosa.id, reason="-",
        ),
        asked,
        FamilyWords(
            **about, meeting_id=held.id, family_member_id=mother, asked_on=today, said_on=today,
            text="What she says", author_agency_id=rosa.agency_id,
        ),
        FamilyWords(
            **about, meeting_id=coming.id if coming else None, family_member_id=father,
            asked_on=today, said_on=today, text="What he says himself",
        ),
        FamilyWords(
            **about, meeting_id=coming.id if coming else None, family_member_id=child,
            asked_on=today, said_on=today, text="What the child says",
        ),
    ])  # fmt: skip
    if not await session.scalar(select(Referral.id).where(Referral.child_id == child)):
        panel = held.panel_id
        session.add(
            Referral(
                **about, panel_id=panel, referred_on=today - timedelta(days=60),
                agency_id=rosa.agency_id, worker_id=rosa.id, category="health", reason="Why",
            )
        )  # fmt: skip
    await _at_meeting(session, world, child, held, place, is_over=True)
    await _notes(session, world, child, held, mother, father)
    if coming is not None:
        await _at_meeting(session, world, child, coming, place, is_over=False)
    await session.flush()
    session.add(
        FamilyClearance(
            **about, action_id=asked.id, words="Ask Dad", marked="[]", why="He is their father"
        )
    )
    await _covered(session, world, child)
    await _former_plan(session, world, child)
    await agreed(session, world, child, mother)
    await _audited(session, world, child)
    _changes(session, world, child)
    await _left_and_came(session, child, session.info["now"].date())
    await own_data(session, world, child, mother)
    await met(session, world.workers, child, world.parents[child])
    await packaged(session, world, child)
    await allocated(session, world, held.panel_id, child, mother)


async def _covered(session: AsyncSession, world: World, child: UUID) -> None:
    """Somebody said no to standing in for whoever holds the plan, where somebody does."""
    held = await session.scalar(
        select(LeadProfessional.id).where(
            LeadProfessional.child_id == child, LeadProfessional.state == "accepted"
        )
    )
    if held is not None:
        today, by = session.info["now"].date(), world.workers["yusuf"]
        session.add(
            LeadCover(
                child_id=child, lead_id=held, worker_id=by.id, agency_id=by.agency_id,
                state="declined", from_on=today, until_on=today, offered_on=today,
                offered_by=by.id, answered_on=today, reason="I am away too",
            )
        )  # fmt: skip


async def _former_plan(session: AsyncSession, world: World, child: UUID) -> None:
    """A plan by an agency that is not the present one's, replaced since."""
    by = world.workers["yusuf"]
    today = session.info["now"].date()
    session.add(
        Plan(
            child_id=child, number=0, state="replaced", author_agency_id=by.agency_id,
            summary="An earlier plan", started_on=today - timedelta(days=300),
            replaced_on=today - timedelta(days=200),
        )
    )  # fmt: skip


def _changes(session: AsyncSession, world: World, child: UUID) -> None:
    """A change that somebody prepares, and one that was not needed."""
    by = world.workers["grace"]
    today = session.info["now"].date()
    for kind, state in (("new_school", "planned"), ("new_gp", "not_needed")):
        session.add(
            Transition(
                child_id=child, kind=kind, watch_from=today, due_on=today + timedelta(days=30),
                found=False, state=state, owner_worker_id=by.id, author_agency_id=by.agency_id,
                plan="Two visits first", reason="She stays where she is",
            )
        )  # fmt: skip


async def _left_and_came(session: AsyncSession, child: UUID, today: date) -> None:
    """How help ended once, what became of a referral, and a handover that was refused."""
    episode = Episode(
        child_id=child, opened_on=today - timedelta(days=400),
        closed_on=today - timedelta(days=380), closure_reason="needs_met",
    )  # fmt: skip
    session.add(episode)
    await session.flush()
    closure = CaseClosure(
        child_id=child, episode_id=episode.id, reason="needs_met",
        closed_on=today - timedelta(days=380),
    )  # fmt: skip
    closure.what_next, closure.left_with = "School helps", "Rosa"
    closure.reopened_because = "They came back"
    handover = AuthorityHandover(
        child_id=child, episode_id=episode.id, direction="out", state="refused", way="file",
        authority_name="Fernshire", identifier=new_id(), withheld=[], tries=0,
        sent_on=today, answered_on=today,
    )  # fmt: skip
    handover.note, handover.reason, handover.lead_there = "Text first", "Lives elsewhere", "Sara"
    session.add_all([closure, handover])
    referral = await session.scalar(select(Referral).where(Referral.child_id == child).limit(1))
    if referral is not None:
        answer = ReferralAnswer(
            child_id=child, referral_id=referral.id, way="letter", acknowledge_by=today,
            episode_id=episode.id, joins=False, criteria=[],
        )  # fmt: skip
        answer.reasons, answer.what_else = "Too old", "Youth service"
        session.add(answer)
    await session.flush()


async def _audited(session: AsyncSession, world: World, child: UUID) -> None:
    """Every assessment of the child was drawn, judged by the coordinator and answered."""
    grace, now = world.workers["grace"], session.info["now"]
    those = await session.scalars(select(Assessment).where(Assessment.child_id == child))
    for one in those.all():
        sample = await session.scalar(
            select(QualitySample).where(QualitySample.agency_id == one.author_agency_id)
        )
        if sample is None:
            sample = QualitySample(
                agency_id=one.author_agency_id, from_on=now.date(), until_on=now.date(),
                seed="a seed", asked=1, frame=1, drawn=1,
            )  # fmt: skip
            session.add(sample)
            await session.flush()
        audit = await session.scalar(
            select(QualityAudit).where(QualityAudit.assessment_id == one.id)
        ) or QualityAudit(
            child_id=child, sample_id=sample.id, assessment_id=one.id, author_id=one.author_id,
            agency_id=one.author_agency_id, form_number=1, ratings={"complete": "partly"},
        )  # fmt: skip
        audit.state, audit.auditor_id = "answered", grace.id
        audit.audited_at = audit.answered_at = now
        audit.comments, audit.author_words = "{}", "I see it otherwise"
        session.add(audit)
        await session.flush()


async def _file(session: AsyncSession, child: UUID, category: str, by: Worker) -> None:
    document = Document(
        child_id=child, title="A report", file_name="report.png", media_type="image/png",
        bytes_long=1, category=category, author_id=by.id, author_agency_id=by.agency_id,
        content_index=new_id().bytes,
    )  # fmt: skip
    session.add(document)
    await session.flush()
    content = DocumentContent(child_id=child, document_id=document.id)
    keys = session.info[KEYS]
    content.sealed = keys.seal_bytes(child, CONTENT_FIELD, content.id, b"text")
    session.add(content)


async def _at_meeting(
    session: AsyncSession,
    world: World,
    child: UUID,
    meeting: Meeting,
    place: int,
    *,
    is_over: bool,
) -> None:
    """The child's item, and what several agencies said."""
    now: datetime = session.info["now"]
    about: Mapping[str, Any] = {"child_id": child, "meeting_id": meeting.id}
    known = await session.scalar(
        select(AgendaItem).where(AgendaItem.child_id == child, AgendaItem.meeting_id == meeting.id)
    )
    item = known or AgendaItem(**about, position=place + 1, minutes=10, why="review_due")
    if is_over:
        item.state, item.discussed_at = "discussed", now - timedelta(days=9)
        item.opens_at, item.pack_until = now - timedelta(days=40), now.date() - timedelta(days=2)
    else:
        item.opens_at, item.pack_until = now - timedelta(days=3), now.date() + timedelta(days=14)
    session.add(item)
    said = (
        ("rosa", "health"), ("hana", "education"), ("tom", "social_care"), ("yusuf", "panel"),
        ("viv", "safeguarding"), ("kofi", "health"), ("grace", "panel"), ("tom", "finance"),
        ("rosa", "development"), ("hana", "views"),
    )  # fmt: skip
    for number, (key, category) in enumerate(said):
        worker = world.workers[key]
        session.add(
            Discussion(
                **about, author_agency_id=worker.agency_id, worker_id=worker.id, said_at=now,
                category=category, text="Said", for_family=number % 2 == 0,
                taken_back_at=now if number == 7 else None,
            )
        )  # fmt: skip
    session.add(
        DeclaredInterest(
            **about, worker_id=world.workers["hana"].id, reason="A neighbour", declared_at=now
        )
    )


async def _notes(
    session: AsyncSession, world: World, child: UUID, held: Meeting, mother: UUID, father: UUID
) -> None:
    """The note of the last meeting: sent to the mother, held back from the father, and a draft."""
    now: datetime = session.info["now"]
    rosa = world.workers["rosa"]
    about: Mapping[str, Any] = {"child_id": child}
    note = FamilyNote(
        **about, meeting_id=held.id, number=1, state="signed_off", due_on=now.date(),
        author_agency_id=rosa.agency_id, categories=["panel", "health"], text="Dear family",
        kept="[]", signed_off_at=now - timedelta(days=4), signed_off_by=rosa.id,
    )  # fmt: skip
    later = FamilyNote(
        **about, meeting_id=held.id, number=2, due_on=now.date(), text="A second note",
        author_agency_id=world.workers["kofi"].agency_id, kept="[]",
        categories=["panel", "social_care"],
    )  # fmt: skip
    session.add_all([note, later])
    await session.flush()
    session.add_all([
        NoteDelivery(**about, note_id=note.id, person_id=mother, way="email", state="waiting"),
        NoteDelivery(
            **about, note_id=note.id, person_id=father, way="letter", state="held_back",
            held_back_test="serious_harm", held_back_why="He would be angry",
        ),
        NoteDelivery(**about, note_id=note.id, person_id=child, way="letter", state="waiting"),
        NoteAnswer(
            **about, note_id=note.id, person_id=mother, answer="question", text="What next?",
            said_at=now, reply="We ring you", replied_at=now, replied_by=rosa.id,
        ),
        Incident(
            **about, note_id=note.id, person_id=mother, kind="wrong_address", what="It went astray",
            found_on=now.date(), found_at=now,
        ),
    ])  # fmt: skip
    asked = select(Survey).where(Survey.child_id == child, Survey.meeting_id == held.id)
    survey = await session.scalar(asked.where(Survey.person_id == mother)) or Survey(
        **about, meeting_id=held.id, person_id=mother, occasion="panel", offered_on=now.date()
    )
    survey.state, survey.answered_at, survey.information = "answered", now, 4
    survey.is_shown, survey.own_words = True, "They listened"
    session.add(survey)


async def _sharing(session: AsyncSession, world: World) -> None:
    """Each kind of sharing fact that the demonstration has none of."""
    now: datetime = session.info["now"]
    today = now.date()
    of = world.children
    school = world.agencies["little-acorns"].id
    session.add_all([
        SharingOrder(
            child_id=of["basic"], permits=True, categories=["health"], from_on=today,
            to=[world.workers["lena"].id], reference="FD26P00001",
        ),
        SharingOrder(
            child_id=of["named"], permits=False, categories=["family"], from_on=today,
            to=[world.agencies["early-help"].id], reference="FD26P00002", silent=True,
        ),
        SharingOverride(
            child_id=of["choice"], to_id=world.workers["yusuf"].id, categories=["social_care"],
            starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=23), reason="Tonight",
        ),
        SharingEnquiry(
            child_id=of["nothing_shared"], agencies=[world.agencies["disabled-children"].id],
            from_on=today,
        ),
    ])  # fmt: skip
    urgent = await session.scalar(select(Referral).where(Referral.child_id == of["two_parents"]))
    assert urgent is not None
    urgent.urgent_on, urgent.urgent_reason = world.coming, "It cannot wait"
    # The school of this child is in the team and was agreed to, until the family withdrew.
    agreement = await session.scalar(
        select(SharingAgreement).where(SharingAgreement.child_id == of["withdrawn"])
    )
    assert agreement is not None
    agreement.agencies = [*agreement.agencies, school]
    agreement.withdrawn_at = now - timedelta(hours=1)
    for key in ("sian", "tom", "rosa"):
        worker = world.workers[key]
        session.add(
            Involvement(
                child_id=of["withdrawn"], agency_id=worker.agency_id, worker_id=worker.id,
                part="help at home", from_on=today - timedelta(days=90),
            )
        )  # fmt: skip


async def _moved(session: AsyncSession, world: World, coming: Meeting) -> None:
    """Something that was written on the wrong child, and stands where it belongs."""
    now: datetime = session.info["now"]
    wrong, right = world.children["escalation"], world.children["twin"]
    rosa = world.workers["rosa"]
    was = Discussion(
        child_id=wrong, meeting_id=coming.id, author_agency_id=rosa.agency_id, worker_id=rosa.id,
        category="health", said_at=now, moved_away_at=now,
    )  # fmt: skip
    session.add(was)
    await session.flush()
    now_here = Discussion(
        child_id=right, meeting_id=coming.id, author_agency_id=rosa.agency_id, worker_id=rosa.id,
        category="health", said_at=now, text="Of the other child", moved_from=was.id,
        moved_why="Both have that name",
    )  # fmt: skip
    session.add(now_here)
    action_was = Action(child_id=wrong, meeting_id=coming.id, moved_away_at=now)
    session.add(action_was)
    await session.flush()
    action_here = Action(
        child_id=right, meeting_id=coming.id, text="An action", moved_from=action_was.id,
        moved_why="Both have that name", due_on=now.date(),
    )  # fmt: skip
    session.add(action_here)
    await session.flush()
    world.moved = [
        (wrong, was.id), (right, now_here.id), (wrong, action_was.id), (right, action_here.id),
    ]  # fmt: skip
    session.add(
        Incident(
            child_id=right, entry_id=now_here.id, kind="wrong_child", what="On the wrong child",
            seen='["Somebody: yesterday"]', found_on=now.date(), found_at=now,
        )
    )  # fmt: skip


async def _authors(session: AsyncSession, world: World) -> None:
    """Half of what the year wrote down was written by somebody who works there."""
    await session.flush()
    for place, child in enumerate(sorted(world.children.values())):
        worker = world.workers[("rosa", "yusuf", "hana")[place % 3]].id
        given = {"worker": worker, "child": child}
        for table in ("involvement", "family_link", "sharing_agreement", "guest_link"):
            await session.execute(
                text(f"UPDATE {table} SET created_by = :worker WHERE child_id = :child"),
                given,
            )
        await session.execute(
            text("UPDATE child SET created_by = :worker WHERE id = :child"), given
        )
        await session.execute(
            text(
                "UPDATE family_member SET created_by = :worker WHERE id IN"
                " (SELECT family_member_id FROM family_link WHERE child_id = :child)"
            ),
            given,
        )


async def _guests(gate: Gate, world: World) -> None:
    """A guest of the surgery for every child at the meeting, asked by the coordinator."""
    tenant = gate.tenant
    async with tenant.transaction(JOB) as session:
        grace = await worker_at_desk(
            await session.connection(), tenant.ring, world.workers["grace"].id, tenant.clock.now()
        )
    assert grace is not None
    surgery = world.agencies["mill-lane"].id
    for shape, child in world.children.items():
        if not _meets(shape):
            continue
        async with gate.open(child, grace.viewer, Purpose.PANEL, "asked a guest") as access:
            item = await item_to_ask(access.session, "contacts", world.coming, child)
            new = NewGuest(surgery, "Dr Priya Wren", "What do you know?", access.today)
            world.guests[child] = await make_guest_link(access, item, new)
