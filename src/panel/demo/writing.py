"""Writing the invented year into the database, as the rows that the rooms would have left."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, ParentalBasis, Purpose
from panel.accounts.models import DemoPersona, WorkerRole
from panel.accounts.service import add_agency, add_worker, remember_agency_keys
from panel.assessments.models import Assessment, Form, SectionAnswer
from panel.assessments.service import ensure_forms
from panel.demo import places
from panel.demo.agreeing import version_of, write_agreements
from panel.demo.allocating import allocate
from panel.demo.around import meet_around
from panel.demo.asking import Asked, asked
from panel.demo.directory import write_directory
from panel.demo.handed import hand_one_over
from panel.demo.in_bulk import write_in_bulk
from panel.demo.leading import write_leads
from panel.demo.other_forms import write_other_forms, write_own_form
from panel.demo.quality import write_quality
from panel.demo.referred import let_one_wait
from panel.demo.safeguards import Written, Year, look_back, write_rulings
from panel.demo.sentences import SOCIAL_CARE
from panel.demo.story import Story, referral_reason, stories
from panel.demo.terms import calendar_file
from panel.demo.voice import write_voice
from panel.demo.watching import write_changes
from panel.panels.calendar import (
    add_panel,
    import_terms,
    join_panel,
    meeting_on,
    panel_rhythm,
)
from panel.panels.models import AgendaItem, Discussion, FamilyWords, Meeting, Panel, Referral
from panel.panels.rules import next_review_meeting
from panel.plans.models import Action, DesiredOutcome, LeadProfessional, OutcomeProgress, Plan
from panel.platform.clock import LONDON, day_of
from panel.platform.tables import NOW
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.dates import months_after
from panel.records.gate import rewrite_access
from panel.register.models import Area, Child, Episode, Involvement, LevelOfNeed, SignificantEvent
from panel.register.service import (
    NewChild,
    NewFamilyLink,
    NewFamilyMember,
    new_family_member,
    new_link,
    open_record,
    tie_family_member,
)
from panel.sharing.gateways import ensure_gateways
from panel.sharing.models import (
    SharingAgreement,
    SharingObjection,
    SharingRestriction,
)
from panel.sharing.service import copy_of

AT_ONCE = 40
"""Children a transaction."""
NO_TO_SYSTEMS = 5
"""One family of so many does not want that systems of agencies get anything."""

EVENT_OF = {
    "health": "health",
    "development": "health",
    "education": "school",
    "family": "family",
    "social_care": "service",
    "safeguarding": "other",
}
"""What kind of event an entry is, by what it is about."""


@dataclass(slots=True)
class World:
    """Who and what is there by key, while the year is written."""

    panel: Panel
    today: date
    dates: tuple[date, ...]
    agencies: dict[str, UUID] = field(default_factory=dict)
    workers: dict[str, UUID] = field(default_factory=dict)
    worker_agency: dict[str, str] = field(default_factory=dict)
    meetings: dict[date, Meeting] = field(default_factory=dict)
    parents: dict[int, tuple[UUID, UUID]] = field(default_factory=dict)
    """Mother and father of each household."""
    allocates_on: tuple[date, ...] = ()
    """When the allocation panel meets."""
    asked: Asked = field(default_factory=lambda: Asked(()))
    form: Form | None = None
    people: dict[str, UUID] = field(default_factory=dict)
    """Family personas by key."""
    written: list[Written] = field(default_factory=list)
    """Every child so far."""


async def write_year(
    tenant: Tenant, *, seed: int, children: int, say: Callable[[str], None]
) -> None:
    """Fill an empty authority with a year of invented life, up to the clock's today."""
    today = day_of(tenant.clock.now())
    async with tenant.transaction(JOB) as session:
        world = await _place(session, today)
        await write_directory(session, seed, today)
    await remember_agency_keys(tenant)
    told = stories(seed, children, today, world.dates)
    world.asked = asked(seed, told, world.allocates_on, today)
    for start in range(0, len(told), AT_ONCE):
        async with tenant.transaction(JOB) as session:
            for story in told[start : start + AT_ONCE]:
                await _write_child(session, world, story)
        say(f"{min(start + AT_ONCE, len(told))} of {len(told)} children")
    year = Year(tuple(world.written), world.agencies, world.workers, today)
    async with tenant.transaction(JOB) as session:
        write_rulings(session, year)
        await _write_personas(session, world)
        await session.execute(text("SELECT rewrite_all_access()"))
    await look_back(tenant, year, seed=seed)
    await allocate(tenant, year, world.asked, seed=seed)
    await write_voice(tenant, year, seed=seed)
    await meet_around(tenant, year, seed=seed)
    await write_agreements(tenant, year, seed=seed)
    await write_leads(tenant, year, seed=seed)
    await write_quality(tenant, seed)
    await write_changes(tenant, seed)
    await write_in_bulk(tenant, seed=seed)
    await hand_one_over(tenant, seed=seed)
    await let_one_wait(tenant, seed=seed)


async def _place(session: AsyncSession, today: date) -> World:
    """Agencies, people, terms, the panel, its meetings, forms and statutory gateways."""
    year = today.year if today.month >= 8 else today.year - 1
    await import_terms(session, calendar_file(range(year - 2, year + 2)))
    first = date(year - 2, 9, 1) + timedelta(days=(3 - date(year - 2, 9, 1).weekday()) % 7 + 7)
    panel = await add_panel(
        session,
        key=places.PANEL_KEY,
        kind="contacts",
        first_on=first,
        name=places.PANEL_NAME,
        place=places.PLACE,
    )
    rhythm = await panel_rhythm(session, panel)
    since = months_after(today, -13)
    world = World(panel, today, tuple(day for day in rhythm.all_dates if day >= since))
    for agency in places.AGENCIES:
        row = await add_agency(session, key=agency.key, name=agency.name, kind=agency.kind)
        world.agencies[agency.key] = row.id
        if agency.on_panel:
            await join_panel(session, panel, row.id)
        for worker in (one for one in places.WORKERS if one.agency == agency.key):
            made = await add_worker(
                session,
                row,
                name=worker.name,
                email=f"{worker.key}@{agency.key}.example",
                job_title=worker.job_title,
            )
            # 01632 960000 to 960999 are kept for stories and belong to nobody.
            made.phone = f"01632 960{len(world.workers):03d}"
            if worker.key == places.LEAVER:
                made.until_on = today - timedelta(days=8)
            world.workers[worker.key] = made.id
            world.worker_agency[worker.key] = agency.key
            session.add_all(
                WorkerRole(
                    worker_id=made.id,
                    role=role.value,
                    panel_id=panel.id if role in places.PANEL_ROLES else None,
                )
                for role in worker.roles
            )
    await _place_allocation(session, world, year)
    session.add_all(Area(id=code, name=name, boundary=None) for code, name in places.WARDS)
    await ensure_gateways(session)
    await ensure_forms(session)
    await write_own_form(session)
    world.form = await session.scalar(
        select(Form).where(Form.key == "caf").order_by(Form.number.desc()).limit(1)
    )
    for day in world.dates:
        if day < today:
            meeting = await meeting_on(session, panel, day)
            meeting.state = "held"
            opens = datetime.combine(day - timedelta(days=6), time(9), LONDON)
            meeting.frozen_at = opens
            world.meetings[day] = meeting
    await session.flush()
    return world


async def _place_allocation(session: AsyncSession, world: World, year: int) -> None:
    """The panel that decides on requests: every fourth Tuesday afternoon, with its own table."""
    first = date(year - 2, 9, 1) + timedelta(days=(1 - date(year - 2, 9, 1).weekday()) % 7 + 7)
    panel = await add_panel(
        session,
        key=places.ALLOCATION_KEY,
        kind="allocation",
        first_on=first,
        every_days=28,
        name=places.ALLOCATION_NAME,
        starts_at=time(13, 30),
        place=places.PLACE,
    )
    panel.settings = {
        "capacity_minutes": 180,
        "quorum_kinds": ["health", "education", "social_care"],
        "quorum_roles": ["chair"],
        "advice": places.ADVICE,
    }
    for key in places.ALLOCATION_AGENCIES:
        await join_panel(session, panel, world.agencies[key])
    session.add_all(
        WorkerRole(worker_id=world.workers[key], role=role.value, panel_id=panel.id)
        for key, role in places.ALLOCATION_SEATS
    )
    rhythm = await panel_rhythm(session, panel)
    since = months_after(world.today, -12)
    world.allocates_on = tuple(day for day in rhythm.all_dates if day >= since)


def as_registered(story: Story) -> NewChild:
    """The child as whoever registers them types it in."""
    return NewChild(
        given_name=story.given,
        family_name=story.family,
        birth_date=story.born,
        sex=story.sex,
        nhs_number=story.nhs_number,
        address=story.address,
        postcode=story.postcode,
        ward_code=story.ward,
        ethnicity=story.ethnicity,
        primary_need=story.need.key,
        first_language=story.language,
        interpreter=story.interpreter or None,
    )


async def _write_child(session: AsyncSession, world: World, story: Story) -> None:
    lead_agency = world.agencies[world.worker_agency[story.lead]]
    child = await open_record(session, as_registered(story))
    session.add(
        Involvement(
            child_id=child.id,
            agency_id=lead_agency,
            worker_id=world.workers[story.lead],
            part="holds the plan" if story.lead_on else "first contact",
            from_on=story.referred_on,
        )
    )
    mother, father = await _write_family(session, world, story, child)
    _write_involvements(session, world, story, child)
    _write_process(session, world, story, child)
    await _write_assessment(session, world, story, child)
    await write_other_forms(session, story, child)
    await _write_plan(session, world, story, child)
    await _write_panel(session, world, story, child, mother)
    _write_sharing(session, world, story, child, mother, father)
    for entry in story.entries:
        session.add(
            SignificantEvent(
                child_id=child.id,
                happened_on=entry.on,
                kind=EVENT_OF.get(entry.category, "contact"),
                category=entry.category,
                author_agency_id=world.agencies[entry.agency],
                text=entry.text,
            )
        )
    # Once for all of what ties people to the child.
    await rewrite_access(session, child.id)
    _remember_personas(world, story, child, mother, father)
    world.written.append(Written(story, child.id, mother, father))


async def _write_family(
    session: AsyncSession, world: World, story: Story, child: Child
) -> tuple[UUID, UUID]:
    known = world.parents.get(story.household) if story.household else None
    if known is None:
        known = (
            await new_family_member(
                session,
                NewFamilyMember(
                    name=f"{story.mother} {story.family}",
                    email=f"{story.mother.lower()}.{story.number}@families.example",
                    phone=f"07700 9{story.number:05d}",
                    address=story.address,
                    safe_contact="Mobile, after four",
                    first_language=story.language,
                ),
            ),
            await new_family_member(
                session,
                NewFamilyMember(
                    name=f"{story.father} {story.family}",
                    email=f"{story.father.lower()}.{story.number}@families.example",
                    safe_contact="E-mail",
                    first_language=story.language,
                ),
            ),
        )
        await session.flush()
        if story.household:
            world.parents[story.household] = known
    mother, father = known
    for person, relationship, basis in (
        (mother, "mother", ParentalBasis.BIRTH_MOTHER),
        (father, "father", ParentalBasis.FATHER_BY_REGISTRATION),
    ):
        link = NewFamilyLink(
            relationship=relationship,
            parental_responsibility=True,
            basis=basis,
            lives_with=relationship == "mother" or not story.sharing.protected_from_father,
            from_on=story.born,
        )
        if story.household:
            # Brothers and sisters become one group.
            await tie_family_member(session, child.id, person, link)
        else:
            session.add(new_link(child.id, person, link))
    return mother, father


def _write_involvements(session: AsyncSession, world: World, story: Story, child: Child) -> None:
    parts = {agency.key: agency.part for agency in places.AGENCIES}
    working = {
        "health-visiting": "rosa" if story.number % 2 else "ivy",
        "paediatrics": "marcus" if story.number % 3 else "kofi",
        "early-years": "hana" if story.number % 2 else "lena",
    }
    if any(entry.category == "social_care" for entry in story.entries):
        working["disabled-children"] = "tom" if story.number % 2 else "mo"
    if any(entry.category == "finance" for entry in story.entries):
        working["together"] = "yusuf"
    if story.need.key == "speech_language_communication":
        working["speech-therapy"] = "farah"
    for agency, worker in working.items():
        if worker == story.lead:
            continue
        session.add(
            Involvement(
                child_id=child.id,
                agency_id=world.agencies[agency],
                worker_id=world.workers[worker],
                part=parts[agency],
                from_on=story.referred_on,
            )
        )
    if story.transition_on is not None:
        session.add(
            Involvement(
                child_id=child.id,
                agency_id=world.agencies["larkfield"],
                part="school place",
                expected_from_on=story.transition_on,
            )
        )
    if story.shape == "leaver":
        session.add(
            Involvement(
                child_id=child.id,
                agency_id=world.agencies["portage"],
                worker_id=world.workers["olive"],
                part="holds the plan until the handover",
                from_on=world.today - timedelta(days=7),
            )
        )


def _write_process(session: AsyncSession, world: World, story: Story, child: Child) -> None:
    session.add(
        Episode(
            child_id=child.id,
            identified_on=story.referred_on - timedelta(days=30 + story.number % 90),
            opened_on=story.referred_on,
            closed_on=story.closed_on,
            closure_reason="needs_met" if story.closed_on else None,
            level_at_start="targeted",
        )
    )
    session.add(
        LevelOfNeed(
            child_id=child.id,
            level="specialist" if story.need.key == "complex_medical" else "targeted",
            judged_on=story.referred_on,
            judged_by=world.workers["marcus"],
        )
    )
    agency = world.agencies[world.worker_agency[story.lead]]
    if story.lead_on is not None:
        ended = story.lead_ended_on
        session.add(
            LeadProfessional(
                child_id=child.id,
                worker_id=world.workers[story.lead],
                agency_id=agency,
                state="accepted" if ended is None else "ended",
                offered_on=story.referred_on,
                offered_by=world.workers["grace"],
                answered_on=story.lead_on,
                from_on=story.lead_on,
                until_on=None if ended is None else ended - timedelta(days=1),
                reason="" if ended is None else "Left the agency.",
            )
        )
    elif story.offered_on is not None:
        session.add(
            LeadProfessional(
                child_id=child.id,
                worker_id=world.workers[story.lead],
                agency_id=agency,
                state="offered",
                offered_on=story.offered_on,
                offered_by=world.workers["grace"],
            )
        )
    if story.shape == "leaver" and story.lead_ended_on is not None:
        session.add(
            LeadProfessional(
                child_id=child.id,
                worker_id=world.workers["olive"],
                agency_id=world.agencies["portage"],
                state="accepted",
                offered_on=story.lead_ended_on,
                offered_by=JOB,
                answered_on=story.lead_ended_on,
                from_on=story.lead_ended_on,
            )
        )


def caf_answers(story: Story) -> dict[str, dict[str, object]]:
    """The CAF as it was filled in."""
    name, need = story.given, story.need
    mother = f"{story.mother} {story.family}"

    def element(strengths: str, needs: str) -> dict[str, object]:
        return {"strengths": strengths, "needs": needs, "whose_view": ["assessor", "parent"]}

    social = SOCIAL_CARE[story.number % len(SOCIAL_CARE)]
    return {
        "child_says": {"own_words": need.child, "how_heard": ["play"]},
        "names": {
            "given_name": name,
            "family_name": story.family,
            "sex": story.sex,
            "born": "yes",
            "birth_date": story.born.isoformat(),
            "nhs_number": story.nhs_number,
        },
        "home_address": {"address": story.address, "postcode": story.postcode},
        "languages": {
            "child_language": story.language,
            "parent_language": story.language,
            **_said_of_interpreters(story),
        },
        "background": {"ethnicity": story.ethnicity},
        "disability": {
            "disabled": "yes",
            "disability_details": need.health.format(n=name),
        },
        "school_record": {"setting": "Little Acorns Nursery"},
        "reason": {"what_led": f"{referral_reason(story)} {social}"},
        "people_present": {
            "assessed_on": (story.assessed_on or story.referred_on).isoformat(),
            "present": [{"name": mother, "role": "Mother"}],
            "assessor_name": _worker_name(story.lead),
            "assessor_role": "Lead professional",
        },
        "services": {"working_with": [{"service": "Health visiting", "when": "now"}]},
        "parents_and_carers": {
            "adults": [
                {
                    "name": mother,
                    "relationship": "Mother",
                    "lives_with_child": "yes",
                    "has_responsibility": "yes",
                    "basis": "birth_mother",
                }
            ]
        },
        "health": {"general_health": element(need.health.format(n=name), need.event)},
        "body_and_communication": {
            "speech_language_communication": element(
                need.development.format(n=name), need.outcome.format(n=name)
            )
        },
        "learning": {
            "participation_in_learning": element(
                need.education.format(n=name), need.second_outcome.format(n=name)
            )
        },
        "conclusions": {
            "conclusions": "Two services should work from one plan.",
            "solutions": need.action,
            "actions": need.second_action,
            "start_level": "targeted",
        },
        "parents_say": {
            "comments": [
                {"name": mother, "own_words": need.parent.format(n=name), "agrees": "agree"}
            ]
        },
        "agreement": {
            "store": "yes",
            **_said_of_sharing(story),
            "how_explained": ["talked"],
            **_interpreted(story),
            "agreed_on": (story.assessed_on or story.referred_on).isoformat(),
        },
    }


def _said_of_sharing(story: Story) -> dict[str, object]:
    if story.sharing.kind == "nothing":
        return {"share": "no"}
    return {"share": "yes", "systems": "yes" if _agrees_to_systems(story) else "no"}


def _said_of_interpreters(story: Story) -> dict[str, object]:
    if not story.interpreter:
        return {"interpreter_needed": "no"}
    details = f"{story.language}, for both parents"
    return {"interpreter_needed": "yes", "interpreter_details": details}


def _interpreted(story: Story) -> dict[str, object]:
    if not story.interpreter:
        return {"interpreter_used": "no"}
    return {"interpreter_used": "yes", "interpreter_name": "Marek Longbarrow"}


def _worker_name(key: str) -> str:
    return next(worker.name for worker in places.WORKERS if worker.key == key)


async def _write_assessment(
    session: AsyncSession, world: World, story: Story, child: Child
) -> None:
    started = story.assessed_on or story.draft_on
    if started is None or world.form is None:
        return
    author_agency = world.agencies[world.worker_agency[story.lead]]
    signed = story.assessed_on is not None
    assessment = Assessment(
        child_id=child.id,
        form_id=world.form.id,
        form_key="caf",
        number=1,
        state="signed_off" if signed else "draft",
        author_id=world.workers[story.lead],
        author_agency_id=author_agency,
        started_on=story.referred_on,
        signed_off_on=story.assessed_on,
        signed_off_by=world.workers[story.lead] if signed else None,
    )
    session.add(assessment)
    await session.flush()
    answers = caf_answers(story)
    for section in world.form.definition["sections"]:
        given = answers.get(section["key"])
        if given is None and not signed:
            continue
        session.add(
            SectionAnswer(
                child_id=child.id,
                assessment_id=assessment.id,
                section_key=section["key"],
                category=Category(section["category"]).value,
                state="complete" if given else "looked_at",
                answers=msgspec.json.encode(given or {}).decode(),
                saved_at=session.info[NOW],
            )
        )


async def _write_plan(session: AsyncSession, world: World, story: Story, child: Child) -> None:
    if story.planned_on is None:
        return
    need, name = story.need, story.given
    plan = Plan(
        child_id=child.id,
        number=1,
        state="agreed",
        author_agency_id=world.agencies[world.worker_agency[story.lead]],
        summary=f"What matters most to {name} and the family this half year.",
        started_on=story.planned_on,
        agreed_on=story.planned_on,
    )
    session.add(plan)
    await session.flush()
    reviewed = story.last_discussed_on
    # Whoever is asked is in the team, or could not find the action again.
    teacher = "hana" if story.number % 2 else "lena"
    outcomes: list[tuple[DesiredOutcome, str, str]] = []
    for position, (wanted, measure, doing, owner) in enumerate(
        (
            (need.outcome, need.measure, need.action, story.lead),
            (need.second_outcome, "What the family say at the review", need.second_action, teacher),
        ),
        start=1,
    ):
        outcome = DesiredOutcome(
            child_id=child.id,
            plan_id=plan.id,
            position=position,
            text=wanted.format(n=name),
            measure=measure,
            baseline=1,
            target=5,
            state="working_towards",
        )
        session.add(outcome)
        outcomes.append((outcome, doing, owner))
    await session.flush()
    actions: list[Action] = []
    for position, (outcome, doing, owner) in enumerate(outcomes, start=1):
        for step in range(1, 4 if reviewed else 2):
            on = story.planned_on + timedelta(days=40 * step)
            if on <= world.today:
                session.add(
                    OutcomeProgress(
                        child_id=child.id, outcome_id=outcome.id, on=on, value=min(step + 1, 5)
                    )
                )
        due = story.planned_on + timedelta(days=35 + 60 * position)
        done = due < world.today and (story.number + position) % 3 != 0
        actions.append(
            Action(
                child_id=child.id,
                plan_id=plan.id,
                outcome_id=outcome.id,
                text=doing,
                owner_worker_id=world.workers[owner if owner != places.LEAVER else "olive"],
                due_on=due,
                state="done" if done else "to_do",
                done_on=due if done else None,
            )
        )
    actions.append(
        Action(
            child_id=child.id,
            plan_id=plan.id,
            text="Ring the nursery about the morning routine",
            owner_words="Mum",
            due_on=world.today + timedelta(days=10 + story.number % 20),
            state="to_do",
        )
    )
    session.add_all(actions)
    names = {world.workers[one.key]: one.name for one in places.WORKERS}
    session.add(version_of(plan, [one for one, _, _ in outcomes], actions, names))


async def _write_panel(
    session: AsyncSession, world: World, story: Story, child: Child, mother: UUID
) -> None:
    if not story.at_panel:
        return
    last = story.last_discussed_on
    due_by = None if last is None else months_after(last, 6)
    place = None if last is None else next_review_meeting(last, world.dates).meeting
    if story.shape == "overdue_review" and last is not None:
        due_by = min(months_after(last, 6), world.today - timedelta(days=9))
        place = None
    review = (
        None
        if place is None or place < world.today
        else await meeting_on(session, world.panel, place)
    )
    session.add(
        Referral(
            child_id=child.id,
            panel_id=world.panel.id,
            referred_on=story.referred_on,
            agency_id=world.agencies[world.worker_agency[story.lead]],
            worker_id=world.workers[story.lead],
            reason=referral_reason(story),
            category="social_care",
            state="closed" if story.closed_on else "acknowledged",
            first_panel_on=story.discussions[0][0] if story.discussions else None,
            last_discussed_on=last,
            next_review_by=None if story.closed_on else due_by,
            review_meeting_id=None if review is None or story.closed_on else review.id,
            transition=story.transition or None,
            transition_on=story.transition_on,
            escalated_on=story.escalated_on,
            escalation=story.escalation,
            urgent_on=_next(world) if story.urgent_reason else None,
            urgent_reason=story.urgent_reason,
        )
    )
    for day, said in story.discussions:
        meeting = world.meetings[day]
        session.add(
            AgendaItem(
                child_id=child.id,
                meeting_id=meeting.id,
                position=story.number,
                minutes=10,
                why="new" if day == story.discussions[0][0] else "review_due",
                since_on=story.referred_on,
                state="discussed",
                opens_at=meeting.frozen_at,
                pack_until=day + timedelta(days=14),
            )
        )
        session.add(
            Discussion(
                child_id=child.id,
                meeting_id=meeting.id,
                author_agency_id=world.agencies["early-help"],
                category="panel",
                text=said,
            )
        )
    if story.words and story.words_on is not None:
        session.add(
            FamilyWords(
                child_id=child.id,
                family_member_id=mother,
                asked_on=story.words_on - timedelta(days=3),
                asked_how="telephone",
                said_on=story.words_on,
                author_agency_id=world.agencies[world.worker_agency[story.lead]],
                text=story.words,
            )
        )


def _next(world: World) -> date | None:
    return next((day for day in world.dates if day >= world.today), None)


def _write_sharing(
    session: AsyncSession, world: World, story: Story, child: Child, mother: UUID, father: UUID
) -> None:
    sharing = story.sharing
    member = [agency.key for agency in places.AGENCIES if agency.on_panel]
    agencies = [*member, "portage", "little-acorns", "mill-lane"]
    since = story.referred_on
    if sharing.kind == "nothing":
        return
    refused = [world.agencies[sharing.refused_agency]] if sharing.refused_agency else []
    agreement = SharingAgreement(
        child_id=child.id,
        given=True,
        by_person_id=mother,
        capacity="parental_responsibility",
        by_words=f"{'Her' if story.sex == 'female' else 'His'} mother",
        agencies=[world.agencies[key] for key in agencies if world.agencies[key] not in refused],
        not_agencies=refused,
        level="basic" if sharing.kind == "basic" else "additional",
        named=sorted(sharing.named),
        purposes=["support", "panel", "review", *_to_allocate(world, story)],
        from_on=since,
        until_on=since + timedelta(days=730),
        withdrawn_at=None
        if sharing.withdrawn_on is None
        else datetime.combine(sharing.withdrawn_on, time(12), LONDON),
        how_explained="Talked through at home with the leaflet in pictures.",
    )
    session.add(agreement)
    if connected := _connected(world, story, agreement.agencies):
        session.add(_with_systems(agreement, connected))
    if sharing.objection:
        session.add(
            SharingObjection(
                child_id=child.id,
                by_person_id=father,
                by_words=f"{'Her' if story.sex == 'female' else 'His'} father",
                agencies=[world.agencies["together"]],
                categories=[],
                raised_on=world.today - timedelta(days=2),
                reason="He does not want the charity to see health matters.",
            )
        )
    if sharing.protected_from_father:
        session.add(
            SharingRestriction(
                child_id=child.id,
                kind="protection",
                categories=["contact"],
                against=[father],
                from_on=since,
                silent=True,
                by_words="The court papers",
                reason="Where they live is kept from him.",
            )
        )
    if sharing.choice_against:
        session.add(
            SharingRestriction(
                child_id=child.id,
                kind="choice",
                categories=["social_care"],
                against=[world.agencies[sharing.choice_against]],
                from_on=since,
                by_words="The family",
                reason="A volunteer is a neighbour.",
            )
        )


def _connected(world: World, story: Story, agreed: list[UUID]) -> list[UUID]:
    """The agencies whose own computer system the family agrees to: for most the health agencies'.

    None where the family said no (every fifth), or agreed to very little.
    """
    if not _agrees_to_systems(story):
        return []
    return [world.agencies[key] for key in places.CONNECTED if world.agencies[key] in agreed]


def _agrees_to_systems(story: Story) -> bool:
    return story.sharing.kind != "basic" and story.number % NO_TO_SYSTEMS != 0


def _with_systems(agreement: SharingAgreement, agencies: list[UUID]) -> SharingAgreement:
    """A word beside an agreement: these agencies' own systems get the same, until the same day."""
    beside = copy_of(agreement, agencies=agencies, not_agencies=[])
    beside.purposes = [Purpose.EXCHANGE.value]
    beside.withdrawn_at = agreement.withdrawn_at
    beside.how_explained = "Asked by itself: their own computer system gets it, too."
    return beside


def _to_allocate(world: World, story: Story) -> list[str]:
    """Whoever asks for a service lets the panel see what it needs to decide."""
    return ["allocation"] if story.number in world.asked.by_number else []


def _remember_personas(
    world: World, story: Story, child: Child, mother: UUID, father: UUID
) -> None:
    keys = {"escalation": ("parent-1", mother), "two_parents": ("parent-2", father)}
    if story.shape in keys:
        key, person = keys[story.shape]
        world.people[key] = person
    if story.shape == "young_person":
        world.people["young-person"] = child.id


async def _write_personas(session: AsyncSession, world: World) -> None:
    words = {
        "parent-1": "A mother",
        "parent-2": "A father who objects to some of the sharing",
        "young-person": "A young person of 16",
    }
    session.add_all(
        DemoPersona(
            id=worker.persona,
            viewer_id=world.workers[worker.key],
            kind="worker",
            role_words=worker.role_words,
        )
        for worker in places.WORKERS
        if worker.persona
    )
    session.add_all(
        DemoPersona(id=key, viewer_id=person, kind="family", role_words=words[key])
        for key, person in world.people.items()
    )
    await session.flush()
