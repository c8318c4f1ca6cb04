"""The invented allocation panel's year: requests come in, it meets and decides, letters and money.

Everybody acts through the services and the record gate, at the moments of the story.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Viewer
from panel.accounts.desk import usual_purposes
from panel.allocation import packages, pots
from panel.allocation.appeal_service import ask_again
from panel.allocation.costing import Every
from panel.allocation.criteria_service import add_version, criteria_on
from panel.allocation.decision_service import act_as_chair, decide
from panel.allocation.letter_service import (
    approve_letter,
    draft_letter,
    send_letters,
    settle_letters,
)
from panel.allocation.models import RequestDecision, ServiceRequest
from panel.allocation.money import FinancialYear
from panel.allocation.outside_rules import Footing, OutsideWords, PlacementKind
from panel.allocation.outside_service import conditions_for, every_terms, terms_of, ticks_of
from panel.allocation.outside_visits import Met, Visit, opened_placement, record_visit, tick
from panel.allocation.package_models import EntryKind, PackageKind, PotKind
from panel.allocation.package_models import Unit as PackageUnit
from panel.allocation.request_service import (
    RequestWords,
    save_request,
    send_request,
    start_request,
)
from panel.allocation.rules import (
    KIND_WORDS,
    Grounds,
    Kind,
    LegalBasis,
    NoneBecause,
    Proposed,
    Unmet,
    Urgency,
    units_words,
)
from panel.allocation.waiting_service import join_list, offer_place
from panel.demo import places
from panel.demo.aftermath import Post
from panel.demo.asking import (
    CONDITION_MET,
    CRITERIA,
    GROUNDS_OF_APPEAL,
    IN_THEIR_WORDS,
    LESS,
    MET,
    NEED_CODES,
    NO_MONEY,
    PAPERS,
    POOLED,
    SHORT_BREAKS,
    VISIT,
    VISITOR,
    Ask,
    Asked,
    Fate,
)
from panel.demo.crew import Crew, crew_of_the_past
from panel.demo.directory import GRANTED
from panel.demo.safeguards import Written, Year
from panel.directory.models import Service
from panel.panels.attendance import mark
from panel.panels.calendar import meeting_on, panel_by_key
from panel.panels.holding import at_item, begin, contribute, done, end
from panel.panels.meeting_reading import meeting_view, shared_view_of
from panel.panels.meeting_rules import Heading, Presence
from panel.panels.models import Panel
from panel.panels.note_context import gather_for_plan
from panel.panels.note_rules import Way
from panel.panels.settle import freeze
from panel.panels.still_may_go import still_may_go
from panel.platform.ids import new_id
from panel.platform.outbox import send_due
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.dates import months_after, working_days_after, working_days_before
from panel.records.gate import Access

AT_THE_TABLE = ("astrid", "bridget", "denzil", "joan")
"""Who comes beside the coordinator."""
BUDGET, CHAIR = "bridget", "astrid"
FULL_YEAR = timedelta(days=364)
A_MONTH = timedelta(days=28)
"""From asking for a place out of the area to moving in."""
A_REQUEST = Decimal(1000)
"""What each pot holds for each request of the year."""
LEAST = Decimal(40_000)
"""What each holds in a small authority."""


@dataclass(slots=True)
class _Case:
    """A child who asks: the request, and how often it was decided."""

    ask: Ask
    written: Written
    request: UUID
    decided: int = 0


@dataclass(slots=True)
class _Run:
    """The panel at work."""

    crew: Crew
    asked: Asked
    year: Year
    cases: dict[UUID, _Case] = field(default_factory=dict)
    """By child."""
    children: dict[int, Written] = field(default_factory=dict)
    pots: dict[tuple[str, str], UUID] = field(default_factory=dict)
    """By name and financial year."""
    services: dict[str, UUID] = field(default_factory=dict)
    """What the directory has of what is asked for, by its key there."""


async def allocate(tenant: Tenant, year: Year, asked: Asked, *, seed: int) -> None:
    """Let the panel's year happen."""
    if not asked.days:
        return
    crew = await crew_of_the_past(tenant, seed)
    run = _Run(crew, asked, year, children={one.story.number: one for one in year.children})
    await _begin(run)
    for day in asked.days:
        for ask in asked.for_meeting(day):
            await _send(run, ask)
        if run.cases:
            await _meet(run, day)
    for fate in (Fate.WAITS, Fate.CHAIR, Fate.DRAFT):
        for ask in asked.of(fate):
            await _send(run, ask)
    await _act_as_chair(run)
    await _appeal(run)
    await _visit(run)


# Criteria and money -----------------------------------------------------------------------------


async def _begin(run: _Run) -> None:
    """Criteria of last year and of this one; the pots of both financial years."""
    crew = run.crew
    first = min((one.sent_on for one in run.asked.by_number.values()), default=run.asked.days[0])
    starts = min(first, run.asked.days[0]) - timedelta(days=30)
    crew.at(starts, 9)
    now = FinancialYear.of(crew.today)
    last = FinancialYear.of(run.year.today)
    async with crew.tenant.transaction(JOB) as session:
        named = {service.name: key for key, service in GRANTED.items()}
        listed = await session.execute(
            select(Service.name, Service.id).where(Service.name.in_(named))
        )
        run.services = {named[row[0]]: row[1] for row in listed}
        await add_version(session, f"Criteria of {now.name}", starts, CRITERIA)
        if last.first > starts:
            await add_version(session, f"Criteria of {last.name}", last.first, CRITERIA)
    budget = crew.workers[BUDGET].viewer
    async with crew.tenant.transaction(budget.id) as session:
        for one in dict.fromkeys((now, last)):
            await _open_pots(run, session, budget, one)


async def _open_pots(run: _Run, session: AsyncSession, budget: Viewer, one: FinancialYear) -> None:
    team, board = run.year.agencies["disabled-children"], run.year.agencies["icb"]
    every = max(LEAST, A_REQUEST * len(run.asked.by_number))
    opened = (
        (SHORT_BREAKS, PotKind.SHARE, team, every, None),
        (POOLED, PotKind.POOLED, team, every, "s75"),
    )
    for name, kind, agency, amount, law in opened:
        new = pots.NewPot(name, kind, agency, one, amount, law)
        pot = await pots.make_pot(session, budget, new)
        run.pots[name, one.name] = pot.id
    joint = await pots.pot_of(session, run.pots[POOLED, one.name])
    await pots.pay_in(session, budget, joint.id, joint.version, EntryKind.TOP_UP, every, board)


# A request --------------------------------------------------------------------------------------


async def _send(run: _Run, ask: Ask) -> None:
    """Whoever holds the plan writes a request and, but for a draft, sends it."""
    crew, wish, story = run.crew, ask.wish, ask.story
    child = run.children[story.number]
    crew.at(ask.sent_on, 11)
    draft = ask.fate is Fate.DRAFT
    said = RequestWords(
        legal_basis=wish.basis.value,
        category=wish.category,
        need=wish.need.format(n=story.given),
        need_code=NEED_CODES[story.need.key].value,
        outcome=wish.outcome.format(n=story.given),
        tried="" if draft else wish.tried,
        asked_for=wish.asked_for,
        service_id=run.services[wish.service],
        asked_units=Decimal(wish.units),
        unit=wish.unit.value,
        urgency=ask.urgency,
        urgency_why=_WHY[ask.urgency],
        family_wishes="" if draft else wish.wishes,
    )
    async with crew.opened(child.child_id, crew.workers[story.lead], "asked for a service") as at:
        request = await start_request(at)
        request = await save_request(at, request.id, said, request.version, _outside(run, ask))
        # The same seed gives the same references: a page that names one can be found again.
        request.reference = ask.reference
        await at.session.flush()
        if not draft:
            panel = await _panel(at.session)
            await send_request(at, request.id, panel, request.version)
    run.cases[child.child_id] = _Case(ask, child, request.id)


def _outside(run: _Run, ask: Ask) -> OutsideWords | None:
    """The place out of the area, of the one child who asks for one."""
    if run.asked.placed is not ask:
        return None
    looked_after = ask.wish.basis is LegalBasis.S20
    return OutsideWords(
        PlacementKind.CARER.value,
        (Footing.LOOKED_AFTER if looked_after else Footing.SHORTER).value,
        "Ferndale Borough Council",
        "Larkspur Carers",
        ask.sent_on + A_MONTH,
    )


_WHY = {
    Urgency.ROUTINE: "",
    Urgency.SOON: "The family say that they cannot go on like this until the summer.",
    Urgency.URGENT: "The mother goes into hospital next week, and nobody else is at home.",
}


async def _panel(session: AsyncSession) -> Panel:
    return await panel_by_key(session, places.ALLOCATION_KEY)


# A meeting --------------------------------------------------------------------------------------


async def _meet(run: _Run, day: date) -> None:
    """The agenda is settled, the panel meets and decides, and what follows is done."""
    crew = run.crew
    crew.at(working_days_before(day, PAPERS - 1), 16)
    async with crew.as_(crew.coordinator) as (session, _):
        panel = await _panel(session)
        await freeze(session, panel, await meeting_on(session, panel, day))
    await _meet_conditions(run)
    crew.at(day, 13, 30)
    async with crew.as_(crew.coordinator) as (session, _):
        panel = await _panel(session)
        meeting = await meeting_on(session, panel, day)
        await begin(session, panel, meeting, crew.coordinator.viewer)
        here = {crew.workers[one].viewer.id: Presence.HERE for one in AT_THE_TABLE}
        await mark(session, panel, meeting, here)
    crew.later(40)
    decided = await _decide_all(run, day)
    crew.later(50)
    async with crew.as_(crew.coordinator) as (session, _):
        panel = await _panel(session)
        await end(session, panel, await meeting_on(session, panel, day))
    await _afterwards(run, day, decided)


async def _meet_conditions(run: _Run) -> None:
    """What a place out of the area needs is settled before the panel meets."""
    for case in run.cases.values():
        if case.ask is not run.asked.placed or case.decided:
            continue
        async with _opened_by_lead(run, case, "wrote down the conditions of a placement") as at:
            _, placement = await opened_placement(at, case.request)
            terms = terms_of(await every_terms(at.session), at.today)
            if terms is None:
                continue
            ticks = (await ticks_of(at.session, [placement.id])).get(placement.id, {})
            for one in conditions_for(placement, terms, ticks):
                await tick(at, case.request, one.id, Met(at.today, CONDITION_MET), one.version)


async def _visit(run: _Run) -> None:
    """Somebody visits the child who is placed out of the area, once."""
    for case in run.cases.values():
        if case.ask is not run.asked.placed or not case.decided:
            continue
        crew = run.crew
        crew.at(min(case.ask.sent_on + A_MONTH + timedelta(days=6), run.year.today), 16)
        async with _opened_by_lead(run, case, "wrote down a visit to a placement") as at:
            _, placement = await opened_placement(at, case.request)
            said = Visit(at.today, VISITOR, VISIT)
            if placement.from_on is not None and placement.from_on <= at.today:
                await record_visit(at, case.request, said, placement.version)


async def _decide_all(run: _Run, day: date) -> list[tuple[_Case, Kind]]:
    """Each child on the agenda in turn: a decision, or how it goes with what was agreed."""
    crew = run.crew
    me = crew.coordinator.viewer
    found: list[tuple[_Case, Kind]] = []
    async with crew.as_(crew.coordinator) as (session, _):
        panel = await _panel(session)
        view = await meeting_view(crew.gate, session, panel, day, me)
        keys = {one.key: one.id for one in await criteria_on(session, day)}
        for child in view.children:
            child_id = child.fact.child_id
            shared = await shared_view_of(
                crew.gate, session, view, child_id, me, "wrote at the meeting"
            )
            at = await at_item(panel, view.meeting, view.table, shared)
            case = run.cases[child_id]
            if case.decided < len(case.ask.kinds):
                kind = case.ask.kinds[case.decided]
                request = await session.get_one(ServiceRequest, case.request)
                said = _proposed(case.ask, kind, day, keys)
                made = await decide(at, case.request, said, request.version)
                await contribute(
                    at,
                    text=_said(case.ask, kind, made),
                    heading=Heading.ALLOCATION,
                    category=case.ask.wish.category,
                    for_family=False,
                    client_id=new_id(),
                )
                case.decided += 1
                found.append((case, kind))
            await done(at)
    return found


def _said(ask: Ask, kind: Kind, made: RequestDecision) -> str:
    """The decision as the minutes have it."""
    asked = units_words(Decimal(ask.wish.units), ask.wish.unit)
    if kind is Kind.IN_PART:
        agreed = units_words(made.agreed_units, ask.wish.unit)
        return f"{ask.wish.name}: {agreed} of {asked} agreed."
    return f"{ask.wish.name}, {asked}: {KIND_WORDS[kind].lower()}."


def _proposed(ask: Ask, kind: Kind, day: date, criteria: Mapping[str, UUID]) -> Proposed:
    """A decision in the panel's words, and in those of the letter."""
    wish = ask.wish
    said = Proposed(
        kind=kind,
        criterion_id=criteria[wish.criterion],
        reasons=f"The assessment bears it out; costed at £{wish.price} for each {wish.unit}.",
        reasons_for_family=wish.why,
        review_on=months_after(day, 6),
        conditions="Please tell us when you are away" if wish.law == "s20" else "",
    )
    if kind is Kind.AGREED:
        return said
    because, why = LESS[kind]
    duty = wish.basis is not LegalBasis.LOCAL_OFFER
    if kind is Kind.DECLINED and not duty:
        because, why = Grounds.NO_MONEY, NO_MONEY
    could = IN_THEIR_WORDS[kind]
    words = could[ask.story.number % len(could)]
    met = NoneBecause(MET[kind is Kind.DEFERRED])
    return Proposed(
        kind=kind,
        criterion_id=said.criterion_id,
        reasons=f"{said.reasons} The panel heard all of the papers.",
        reasons_for_family=why,
        review_on=day + timedelta(days=42) if kind is Kind.DEFERRED else said.review_on,
        agreed_units=Decimal(wish.part) if kind is Kind.IN_PART else None,
        because=because,
        unmet=Unmet(because, words) if ask.leaves_unmet else met,
    )


# What follows -----------------------------------------------------------------------------------


async def _afterwards(run: _Run, day: date, decided: Sequence[tuple[_Case, Kind]]) -> None:
    """Letters are approved and go out; what is agreed becomes a package; some wait for a place."""
    crew = run.crew
    crew.at(working_days_after(day, 1), 10)
    for case, _ in decided:
        await _write_letter(run, case)
    await _post(crew)
    for case, kind in decided:
        crew.at(working_days_after(day, 2), 14)
        if kind in (Kind.AGREED, Kind.IN_PART):
            await _make_package(run, case, kind)
        if kind is Kind.IN_PART and case.ask.leaves_unmet:
            await _join(run, case)


async def _write_letter(run: _Run, case: _Case) -> None:
    crew, child = run.crew, case.written.child_id
    gathered = await gather_for_plan(crew.tenant, child)
    async with crew.opened(child, crew.coordinator, "wrote the letter about a decision") as at:
        draft = await draft_letter(at, gathered, case.request)
        ways = {one.who.person: one.way or Way.EMAIL for one in draft.gets}
        why = "It is what the family asked for, in their own words." if draft.marks else ""
        await approve_letter(at, draft, decision_id=draft.decision.id, ways=ways, kept_why=why)


async def _post(crew: Crew) -> None:
    """What the scheduler does with letters."""
    while await send_letters(crew.gate, crew.site_url):
        pass
    async with crew.tenant.transaction(JOB) as session:
        may_go = still_may_go(crew.tenant, crew.site_url)
        while await send_due(session, Post(crew), crew.clock.now(), may_go=may_go):
            pass
        await settle_letters(session)


async def _make_package(run: _Run, case: _Case, kind: Kind) -> None:
    """Whoever leads writes down what was agreed and who pays; the budget holder signs for it."""
    crew, wish, child = run.crew, case.ask.wish, case.written.child_id
    starts = crew.today + timedelta(days=14 - crew.today.weekday())
    direct = wish.basis is LegalBasis.CSDPA2 and case.ask.story.number % 2 == 0
    how = PackageKind.DIRECT_PAYMENT if direct else PackageKind.IN_KIND
    units = Decimal(wish.units if kind is Kind.AGREED else wish.part)
    async with _opened_by_lead(run, case, "planned a package") as at:
        named = packages.PackageWords(wish.name, how, starts, starts + FULL_YEAR)
        made = await packages.start_package(at, named, case.request)
        line = packages.LineWords(
            wish.name,
            units,
            PackageUnit(wish.unit.value),
            Every.YEAR,
            starts,
            wish.price,
            law=wish.law,
            service_id=run.services[wish.service],
        )
        await packages.add_line(at, made.id, made.version, line)
        year = FinancialYear.of(starts)
        payers = [
            packages.Payer(run.year.agencies[agency], parts, run.pots[pot, year.name])
            for agency, parts, pot in wish.payers
        ]
        await packages.share_cost(at, made.id, made.version, payers, 100, year)
        if direct:
            plan = "Help at bath time and bedtime, from somebody the family choose."
            said = packages.Spending(plan, crew.today)
            await packages.plan_spending(at, made.id, made.version, said)
    async with _paying(run, child) as at:
        await packages.approve(at, made.id, made.version)


def _paying(run: _Run, child: UUID) -> AbstractAsyncContextManager[Access]:
    budget = run.crew.workers[BUDGET].viewer
    purposes = packages.money_purposes(budget, usual_purposes(budget))
    return run.crew.gate.open(child, budget, purposes, "signed for a package")


async def _join(run: _Run, case: _Case) -> None:
    """The child waits for the rest of it; now and then a place is offered."""
    async with _opened_by_lead(run, case, "put the child on a waiting list") as at:
        waits = await join_list(at, case.request)
    if not run.crew.happens(0.3, "offer", case.ask.story.number):
        return
    coordinator, answer_by = run.crew.coordinator, run.crew.today + timedelta(days=14)
    async with run.crew.opened(case.written.child_id, coordinator, "offered a place") as at:
        await offer_place(at, waits.id, answer_by, waits.version)


def _opened_by_lead(run: _Run, case: _Case, doing: str) -> AbstractAsyncContextManager[Access]:
    lead = run.crew.workers[case.ask.story.lead]
    return run.crew.opened(case.written.child_id, lead, doing)


# Between meetings -------------------------------------------------------------------------------


async def _act_as_chair(run: _Run) -> None:
    """The chair agrees to what cannot wait; the next meeting ratifies it."""
    crew = run.crew
    chair = crew.workers[CHAIR]
    for case in run.cases.values():
        if case.ask.fate is not Fate.CHAIR:
            continue
        crew.at(min(case.ask.sent_on + timedelta(days=1), run.year.today), 15)
        doing = "acted for the panel as its chair"
        async with crew.opened(case.written.child_id, chair, doing) as at:
            keys = {one.key: one.id for one in await criteria_on(at.session, crew.today)}
            request = await at.session.get_one(ServiceRequest, case.request)
            said = _proposed(case.ask, Kind.AGREED, crew.today, keys)
            panel = await _panel(at.session)
            await act_as_chair(at, panel, case.request, said, request.version)


async def _appeal(run: _Run) -> None:
    """A family asks the panel to look again; it waits for the answer."""
    crew = run.crew
    for case in run.cases.values():
        if not (case.ask.appeals and case.decided):
            continue
        crew.at(run.year.today - timedelta(days=1), 10)
        async with _opened_by_lead(run, case, "wrote down that the family ask again") as at:
            await ask_again(
                at,
                case.request,
                asked_on=crew.today - timedelta(days=1),
                grounds=GROUNDS_OF_APPEAL,
                by_person=case.written.mother,
            )
