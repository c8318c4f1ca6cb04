"""What happens to children between meetings: they come, what is missing is given, some leave."""

from dataclasses import replace
from datetime import timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Capacity, Category, Level, ParentalBasis, Purpose
from panel.accounts.service import SignedIn, agencies
from panel.assessments.definitions import SectionAnswers
from panel.assessments.service import (
    look_at_section,
    read_assessment,
    save_section,
    sign_off,
    start_assessment,
)
from panel.demo import places
from panel.demo.crew import Crew
from panel.demo.sentences import NEEDS, REFERRALS
from panel.demo.story import Story, newcomer
from panel.demo.writing import as_registered, caf_answers
from panel.panels.agenda import CaseFact
from panel.panels.calendar import panel_by_key
from panel.panels.models import Panel, Referral
from panel.panels.referrals import acknowledge, close_referral, open_referral, refer
from panel.panels.rules import Part
from panel.plans.models import Action, LeadProfessional
from panel.plans.service import (
    ActionWords,
    OutcomeWords,
    accept_offer,
    add_action,
    add_outcome,
    agree_plan,
    begin_again,
    candidates,
    current_leads,
    decline_offer,
    leaver,
    mark_done,
    offer_lead,
    opened_for_offer,
    start_plan,
)
from panel.records.dates import age_in_years, months_after
from panel.records.gate import Access
from panel.register.models import Child
from panel.register.service import (
    NewFamilyLink,
    NewFamilyMember,
    add_child,
    add_family_member,
    add_involvement,
    child_details,
    child_header,
    close_episode,
    judge_level,
    link_family_member,
    note_event,
    open_episode,
    open_episode_of,
    people_of,
)
from panel.sharing.service import SharingDecision, record_agreement
from panel.sharing.systems import SYSTEM

PARENTS = {"mother": ParentalBasis.BIRTH_MOTHER, "father": ParentalBasis.FATHER_BY_REGISTRATION}
PURPOSES = frozenset({Purpose.SUPPORT, Purpose.PANEL, Purpose.REVIEW})
TWIN = 100_000
"""Added to a child's number, it gives the twin's."""
OLDEST = 8
"""Years: from then on a child is too old for CONTACTS."""


# They come --------------------------------------------------------------------------------------


async def children_come(crew: Crew, how_many: int) -> int:
    """So many children are referred today, now and then twins; returns how many came."""
    async with crew.as_job() as (session, _):
        known = await session.scalar(select(func.count()).select_from(Child)) or 0
    came = 0
    for number in range(known + 1, known + 1 + how_many):
        story = newcomer(number, crew.luck("newcomer", number), crew.today)
        people = await _one_comes(crew, story, {})
        came += 1
        if crew.happens(0.08, "twins", number):
            twin = replace(
                newcomer(number + TWIN, crew.luck("twin", number), crew.today),
                family=story.family, born=story.born, address=story.address,
                postcode=story.postcode, lead=story.lead,
            )  # fmt: skip
            await _one_comes(crew, twin, people)
            came += 1
    return came


async def _one_comes(crew: Crew, story: Story, people: dict[str, UUID]) -> dict[str, UUID]:
    """One child and the family, by the worker who then refers them to the panel."""
    who = crew.workers.get(story.lead) or crew.workers["rosa"]
    async with crew.as_(who) as (session, _):
        child = await add_child(
            session,
            as_registered(story),
            agency_id=who.viewer.agency,
            worker_id=who.viewer.id,
            part="first contact",
            from_on=crew.today,
        )
        family = await _family(session, story, child.id, people)
        await _team(session, story, child.id, crew)
        await judge_level(
            session, child.id, level="targeted", judged_on=crew.today, judged_by=who.viewer.id
        )
        await open_episode(session, child.id, crew.today, crew.today - timedelta(days=40))
        await note_event(
            session,
            child.id,
            happened_on=crew.today,
            kind="health",
            category=Category.HEALTH,
            author_agency_id=_agency(who),
            text=story.need.health.format(n=story.given),
        )
    async with crew.opened(child.id, who, "referred to a panel") as access:
        referral = await refer(
            access,
            await _panel(access),
            reason=REFERRALS[story.number % len(REFERRALS)],
            category=Category.HEALTH,
        )
        referral_id, version = referral.id, referral.version
    async with crew.opened(child.id, crew.coordinator, "acknowledged a referral") as access:
        await acknowledge(access, referral_id, version)
    return family


async def _panel(access: Access) -> Panel:
    return await panel_by_key(access.session, places.PANEL_KEY)


def _agency(who: SignedIn) -> UUID:
    if who.viewer.agency is None:
        raise ValueError(f"{who.name} works at no agency.")
    return who.viewer.agency


async def _family(
    session: AsyncSession, story: Story, child_id: UUID, known: dict[str, UUID]
) -> dict[str, UUID]:
    """The parents, new or (of a twin) known already; their ids by relationship."""
    family: dict[str, UUID] = {}
    for relationship, basis in PARENTS.items():
        link = NewFamilyLink(
            relationship=relationship,
            parental_responsibility=True,
            basis=basis,
            lives_with=True,
            from_on=story.born,
        )
        if relationship in known:
            made = await link_family_member(session, child_id, known[relationship], link)
        else:
            made = await add_family_member(session, child_id, _parent(story, relationship), link)
        family[relationship] = made.family_member_id
    return family


def _parent(story: Story, relationship: str) -> NewFamilyMember:
    given = story.mother if relationship == "mother" else story.father
    # Some say "E-mail" and no address is kept: the note comes back, and goes by letter.
    has_email = relationship == "mother" or story.number % 10 > 0
    return NewFamilyMember(
        name=f"{given} {story.family}",
        email=f"{given.lower()}.{story.number}@families.example" if has_email else "",
        phone=f"07700 9{story.number % 100_000:05d}" if relationship == "mother" else "",
        address=story.address,
        safe_contact="Mobile, after four" if relationship == "mother" else "E-mail",
        first_language=story.language,
    )


async def _team(session: AsyncSession, story: Story, child_id: UUID, crew: Crew) -> None:
    """The agencies that work with nearly every child."""
    working = {
        "health visiting": "rosa" if story.number % 2 else "ivy",
        "paediatrician": "kofi",
        "inclusion teacher": "hana" if story.number % 3 else "lena",
    }
    for part, key in working.items():
        worker = crew.workers.get(key)
        if worker is not None and key != story.lead:
            await add_involvement(
                session,
                child_id,
                agency_id=_agency(worker),
                worker_id=worker.viewer.id,
                part=part,
                from_on=crew.today,
            )


async def come_again(crew: Crew, most: int) -> int:
    """Children whose referral was closed are referred once more, by whoever holds the plan."""
    async with crew.as_job() as (session, panel):
        rows = await session.execute(
            select(Child.id, Child.reference)
            .join(Referral, Referral.child_id == Child.id)
            .where(Referral.panel_id == panel.id)
            .group_by(Child.id, Child.reference)
            .having(func.count().filter(Referral.state != "closed") == 0)
            .order_by(Child.reference)
        )
        closed = [(row.id, row.reference) for row in rows]
        leads = await current_leads(session, [child for child, _ in closed])
    came = 0
    for child, reference in closed:
        who = crew.worker(leads[child].worker_id) if child in leads else None
        if came == most or who is None or not crew.happens(0.05, "again", reference, crew.today):
            continue
        async with crew.opened(child, who, "referred to a panel") as access:
            details = await child_details(access)
            if age_in_years(details.values["birth_date"], crew.today) >= OLDEST:
                continue
            reason = "Things have changed; one plan is needed again."
            await refer(access, await _panel(access), reason=reason, category=Category.HEALTH)
            await open_episode(access.session, child, crew.today)
            await begin_again(access.session, child, crew.today)
        came += 1
    return came


# What is missing is given -----------------------------------------------------------------------


async def give(crew: Crew, fact: CaseFact, part: Part) -> None:
    """Whoever owes a part of a case gives it, where that is somebody who works there."""
    if part is Part.ASSESSMENT:
        if (who := crew.worker(fact.assessor_id)) is not None:
            await _assess(crew, fact.child_id, who)
    elif part is Part.LEAD_PROFESSIONAL:
        await find_lead(crew, fact.child_id, fact.offered_to_id)
    elif part is Part.PLAN:
        if (who := crew.worker(fact.lead_id)) is not None:
            await _plan(crew, fact.child_id, who)
    elif (who := crew.worker(fact.lead_id or fact.assessor_id)) is not None:
        await _ask_to_share(crew, fact.child_id, who)


async def _assess(crew: Crew, child_id: UUID, who: SignedIn) -> None:
    async with crew.opened(child_id, who, "filled in an assessment") as access:
        assessment = await start_assessment(access)
        answers = caf_answers(await _as_known(crew, access, who))
        answers["agreement"] |= await _agreement(crew, access)
        record = await read_assessment(access, assessment)
        for section in record.shown.sections:
            asked = {question.key for question in section.questions}
            told = cast("SectionAnswers", answers.get(section.key, {}))
            said = {key: one for key, one in told.items() if key in asked and one}
            if said and section.key not in record.withheld:
                version = record.section_version(section.key)
                await save_section(access, assessment, section.key, said, version)
            else:
                await look_at_section(access, record, section)
    crew.later(10)
    async with crew.opened(child_id, who, "signed an assessment off") as access:
        number = (await read_assessment(access, assessment)).answers_number
        await sign_off(access, assessment, number)


async def _as_known(crew: Crew, access: Access, who: SignedIn) -> Story:
    """The child as the record tells whoever fills in the form."""
    known = (await child_details(access)).values
    people = (await people_of(access)).family
    mother = next((one.name for one in people if one.relationship == "mother"), "The mother")
    reference = (await child_header(access)).reference
    story = newcomer(number_of(reference), crew.luck(reference), crew.today)
    return replace(
        story,
        given=known.get("given_name") or story.given,
        family=known.get("family_name") or story.family,
        sex=known.get("sex") or "female",
        born=known.get("birth_date") or story.born,
        nhs_number=known.get("nhs_number") or story.nhs_number,
        address=known.get("address") or story.address,
        postcode=known.get("postcode") or story.postcode,
        need=next((one for one in NEEDS if one.key == known.get("primary_need")), story.need),
        mother=mother.split()[0],
        lead=next(key for key, one in crew.workers.items() if one.viewer.id == who.viewer.id),
        assessed_on=crew.today,
    )


def number_of(reference: str) -> int:
    """The number in a reference."""
    return int("".join(sign for sign in reference if sign.isdigit()))


async def _agreement(crew: Crew, access: Access) -> dict[str, object]:
    """What the mother says about sharing: mostly yes, now and then no, or the basics alone."""
    mother = next(one for one in (await people_of(access)).family if one.relationship == "mother")
    known = [str(one.id) for one in await agencies(access.session)]
    luck = crew.luck("agreement", mother.name, mother.phone, crew.today)
    said: dict[str, object] = {
        "agreed_by": str(mother.member_id),
        "capacity": "parental_responsibility",
    }
    if luck.random() < 0.04:
        # Where nothing is shared, nobody is asked about systems.
        return said | {"share": "no", "systems": ""}
    return said | {
        "share_with": known,
        "level": "basic" if luck.random() < 0.06 else "additional",
        "purposes": ["support", "panel", "review"],
        "from": crew.today.isoformat(),
        "until": months_after(crew.today, 24).isoformat(),
    }


async def find_lead(crew: Crew, child_id: UUID, offered_to: UUID | None) -> None:
    """The plan is offered to somebody of the team, who says yes or, with a reason, no."""
    offered = offered_to
    async with crew.opened(child_id, crew.coordinator, "offered the plan") as access:
        reference = (await child_header(access)).reference
        if offered is None:
            could = [
                one
                for one in await candidates(access)
                if one.leaves_on is None and crew.worker(one.worker_id) is not None
            ]
            team = [one for one in could if one.in_team] or could
            if not team:
                return
            chosen = crew.luck("lead", reference, crew.today).choice(team)
            await offer_lead(access, chosen.worker_id)
            offered = chosen.worker_id
    if (who := crew.worker(offered)) is None:
        return
    async with crew.tenant.transaction(who.viewer.id) as session:
        offer_id = await session.scalar(
            select(LeadProfessional.id).where(
                LeadProfessional.child_id == child_id,
                LeadProfessional.worker_id == who.viewer.id,
                LeadProfessional.state == "offered",
            )
        )
    if offer_id is None:
        return
    purposes = (Purpose.SUPPORT, Purpose.PANEL)
    async with opened_for_offer(crew.gate, who.viewer, purposes, offer_id, "answered") as access:
        if crew.happens(0.12, "declines", reference, crew.today):
            await decline_offer(access, offer_id, "My list is full this month.")
        else:
            await accept_offer(access, offer_id)


async def _plan(crew: Crew, child_id: UUID, who: SignedIn) -> None:
    async with crew.opened(child_id, who, "made a plan") as access:
        story = await _as_known(crew, access, who)
        need = story.need
        plan = await start_plan(access, f"What matters most to {story.given} this half year.")
        for wanted, doing in (
            (need.outcome, need.action),
            (need.second_outcome, need.second_action),
        ):
            outcome = await add_outcome(
                access, OutcomeWords(wanted.format(n=story.given), need.measure, 1, 5)
            )
            await add_action(
                access,
                ActionWords(
                    doing,
                    outcome_id=outcome.id,
                    owner_worker_id=who.viewer.id,
                    due_on=crew.today + timedelta(days=60),
                ),
            )
        await agree_plan(access, plan.version, crew.today)


async def _ask_to_share(crew: Crew, child_id: UUID, who: SignedIn) -> None:
    """The family is asked again whether the panel may know of the child, and most agree now."""
    async with crew.opened(child_id, who, "asked the family about sharing") as access:
        mother = next(
            (one for one in (await people_of(access)).family if one.relationship == "mother"), None
        )
        reference = (await child_header(access)).reference
        if mother is None or not crew.happens(0.15, "shares after all", reference, crew.today):
            return
        known = {one.key: one.id for one in await agencies(access.session)}
        with_people = SharingDecision(
            by_person=mother.member_id,
            capacity=Capacity.PARENTAL_RESPONSIBILITY,
            given=True,
            agreed_on=crew.today,
            agencies=frozenset(known.values()),
            level=Level.ADDITIONAL,
            purposes=PURPOSES,
            until_on=months_after(crew.today, 24),
            how_explained="Talked through at home.",
        )
        await record_agreement(access, with_people)
        if crew.happens(0.8, "shares with systems", reference, crew.today):
            connected = frozenset(known[key] for key in places.CONNECTED)
            await record_agreement(
                access, replace(with_people, agencies=connected, purposes=SYSTEM)
            )


# What is to be done -----------------------------------------------------------------------------


async def do_actions(crew: Crew) -> int:
    """Everybody looks at what they are asked to do, and most do what is due; how much was done."""
    done = 0
    async with crew.as_job() as (session, _):
        asked = set(
            await session.scalars(
                select(Action.owner_worker_id).where(Action.state.in_(("to_do", "doing")))
            )
        )
    for key, who in sorted(crew.workers.items()):
        if who.viewer.id not in asked:
            continue
        soon = crew.today + timedelta(days=7)
        # Whose plan is withheld since sees that there is something, and leaves it to the lead.
        seen = [one for one in await crew.asked_of(who) if one.text is not None]
        due = [one for one in seen if one.due_on is not None and one.due_on <= soon]
        for one in due:
            if crew.happens(0.7, "does", key, one.reference, one.due_on, crew.today):
                async with crew.opened(one.child_id, who, "did an action") as access:
                    await mark_done(access, one.id)
                done += 1
    return done


# They leave -------------------------------------------------------------------------------------


async def some_leave(crew: Crew, discussed: list[tuple[UUID, str, int]]) -> int:
    """Of these children (id, reference, times discussed) some need the panel no more."""
    left = 0
    for child, reference, times in discussed:
        async with crew.opened(child, crew.coordinator, "looked whether the panel ends") as access:
            born = (await child_details(access)).values.get("birth_date")
            too_old = born is not None and age_in_years(born, crew.today) >= OLDEST
            ends = times > 1 and crew.happens(0.2, "needs met", reference, crew.today)
            referral = await open_referral(access.session, child, (await _panel(access)).id)
            if referral is None or not (too_old or ends):
                continue
            await close_referral(access, referral.id, referral.version)
            reason = "reached_age" if too_old else "needs_met"
            if await open_episode_of(access.session, child) is not None:
                await close_episode(access.session, child, crew.today, reason)
        left += 1
    return left


async def somebody_leaves(crew: Crew, key: str) -> int:
    """A worker leaves today; how many plans a manager of the agency holds from tomorrow."""
    who = crew.workers[key]
    async with crew.as_job() as (session, _):
        return await leaver(session, who.viewer.id, crew.today)
