"""What few children have: a court's order, an enquiry, a dispute, openings for safety, odd looks.

People act here as they do on the pages, at their moments of the past weeks, so that the history of
looks and what the nightly search finds unusual are what they would be. Everything is invented.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose
from panel.demo.crew import Crew, crew_of_the_past
from panel.demo.story import Story
from panel.governance.models import PatternKind
from panel.governance.patterns import close_pattern, find_unusual, open_patterns
from panel.platform.problems import NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.dates import working_days_before
from panel.register.models import Child
from panel.sharing.models import SharingEnquiry, SharingObjection, SharingOrder, SharingOverride
from panel.sharing.overriding import Reason, open_by_reference, review_override
from panel.sharing.service import request_access
from panel.web.paging import Asked

REVIEWER = "viv"
LEAD = "ngozi"
MANY = 27
"""Records that somebody opens within an hour; a smaller authority has no such day."""
READ = "read the record"
OPENED = "opened what was withheld, for safety"
NOTES = {
    PatternKind.MANY_REFUSALS: "He followed the links of a help desk ticket to see why they did not"
    " open. He saw nothing, and asks the coordinator from now on.",
    PatternKind.AFTER_CLOSURE: "A letter of the hospital came after the case was closed, and he"
    " filed it.",
}
"""What the governance lead found out, and closed; what is not named here waits."""


@dataclass(frozen=True, slots=True)
class Written:
    """A child of the invented year, with its story and its parents."""

    story: Story
    child_id: UUID
    mother: UUID
    father: UUID


@dataclass(frozen=True, slots=True)
class Year:
    """What was written so far."""

    children: tuple[Written, ...]
    agencies: dict[str, UUID]
    workers: dict[str, UUID]
    today: date

    def shaped(self, shape: str) -> Written | None:
        """The first child of a shape, where the year has one."""
        return next((one for one in self.children if one.story.shape == shape), None)


def write_rulings(session: AsyncSession, year: Year) -> None:
    """A court's order, an enquiry, and a dispute between parents that was decided."""
    if (one := year.shaped("protected_address")) is not None:
        session.add(
            SharingOrder(
                child_id=one.child_id,
                permits=False,
                categories=["contact", "education"],
                to=[one.father],
                from_on=one.story.referred_on,
                silent=True,
                reference="WX26P00017 (invented)",
                reason="He must not learn where they live or which nursery they go to.",
            )
        )
    if (one := year.shaped("urgent")) is not None:
        session.add(
            SharingEnquiry(
                child_id=one.child_id,
                agencies=[year.agencies["disabled-children"], year.agencies["health-visiting"]],
                from_on=working_days_before(year.today, 4),
                reason="A strategy meeting decided to ask how safe the family’s home is.",
            )
        )
    if (one := year.shaped("named")) is not None:
        raised = working_days_before(year.today, 20)
        session.add(
            SharingObjection(
                child_id=one.child_id,
                by_person_id=one.father,
                by_words=f"{'Her' if one.story.sex == 'female' else 'His'} father",
                agencies=[year.agencies["together"]],
                categories=[],
                raised_on=raised,
                reason="He refuses that the charity knows: his sister volunteers there.",
                decided_on=working_days_before(year.today, 17),
                decided_by=year.workers["grace"],
                upheld=True,
                decision_reason="Both were heard. The help does not depend on it, and his reason is"
                " a good one.",
            )
        )


async def look_back(tenant: Tenant, year: Year, *, seed: int) -> None:
    """Let people open, ask, review and look in the past weeks, and the lead close two patterns."""
    crew = await crew_of_the_past(tenant, seed)
    await _openings_for_safety(crew, year)
    await _a_request(crew, year)
    days = await _odd_looks(crew, year)
    async with tenant.transaction(JOB) as session:
        for day in days:
            await find_unusual(session, day)
    await _close(tenant, crew)


# Openings for safety, and a request -------------------------------------------------------------


async def _openings_for_safety(crew: Crew, year: Year) -> None:
    """One that was reviewed, and one that waits for its review."""
    today = year.today
    if (one := year.shaped("nothing_shared")) is not None:
        override, version = await _open(
            crew,
            one,
            "mo",
            working_days_before(today, 12),
            "A neighbour heard her cry all night, and nobody opens the door.",
        )
        crew.at(working_days_before(today, 11), 10)
        viv = crew.workers[REVIEWER]
        async with crew.gate.open(
            one.child_id, viv.viewer, Purpose.SAFEGUARDING, "reviewed a safeguarding override"
        ) as access:
            await review_override(
                access,
                override,
                version,
                justified=True,
                note="It could not wait: the team was at the door within the hour.",
                telling=Reason(""),
            )
    if (one := year.shaped("withdrawn")) is not None:
        await _open(
            crew,
            one,
            "petra",
            working_days_before(today, 1),
            "The family was seen at the station with all their bags. Is somebody with them?",
        )


async def _open(crew: Crew, one: Written, who: str, day: date, why: str) -> tuple[UUID, int]:
    """Somebody outside the team opens a record by its reference; the override, its version."""
    crew.at(day, 16, 10)
    worker = crew.workers[who]
    async with crew.tenant.transaction(JOB) as session:
        child = await session.get_one(Child, one.child_id)
        await open_by_reference(
            session, worker.viewer, child.reference, one.story.born, Reason(why)
        )
        found = await session.scalars(
            select(SharingOverride).where(
                SharingOverride.child_id == one.child_id,
                SharingOverride.to_id == worker.viewer.id,
            )
        )
        override = found.one()
    async with crew.gate.open(one.child_id, worker.viewer, Purpose.SAFEGUARDING, OPENED):
        pass
    return override.id, override.version


async def _a_request(crew: Crew, year: Year) -> None:
    """The health visitor asks a family for what only they can open; it waits for them."""
    one = year.shaped("escalation")
    if one is None:
        return
    crew.at(working_days_before(year.today, 2), 11)
    async with crew.opened(one.child_id, crew.workers["rosa"], "asked to see more") as access:
        why = "To help the family with the form for the Disability Living Allowance."
        await request_access(access, [Category.FINANCE], why, Purpose.SUPPORT)


# Looks that stand out ---------------------------------------------------------------------------


async def _odd_looks(crew: Crew, year: Year) -> tuple[date, ...]:
    """Looks of four people on four days of the past weeks; returns the days."""
    days = tuple(working_days_before(year.today, back) for back in (9, 7, 5, 3))
    known = [one for one in year.children if one.story.referred_on <= days[0]]
    open_cases = [one for one in known if one.story.closed_on is None]
    hers = [one for one in open_cases if one.story.number % 2 == 0][:MANY]
    if len(hers) == MANY:
        await _look(crew, "ivy", days[0], 10, hers)
    await _tried(crew, "alan", days[1], year.children[:11])
    over = days[2] - timedelta(days=60)
    closed = [
        one
        for one in known
        if one.story.closed_on is not None
        and one.story.closed_on < over
        and one.story.number % 3
        and one.story.lead != "marcus"
    ]
    await _look(crew, "marcus", days[2], 14, closed[:1])
    theirs = [one for one in open_cases if one.story.number % 2]
    await _look(crew, "hana", days[3], 21, theirs[:6])
    return days


async def _look(crew: Crew, who: str, day: date, hour: int, children: list[Written]) -> None:
    for place, one in enumerate(children):
        crew.at(day, hour, 5 + 2 * place)
        async with crew.opened(one.child_id, crew.workers[who], READ):
            pass


async def _tried(crew: Crew, who: str, day: date, children: tuple[Written, ...]) -> None:
    """Somebody whose role has no case data tries addresses of records; each is refused."""
    for place, one in enumerate(children):
        crew.at(day, 15, 3 * place)
        try:
            async with crew.gate.open(
                one.child_id, crew.workers[who].viewer, Purpose.SUPPORT, READ
            ):
                pass
        except NotFound:
            continue


async def _close(tenant: Tenant, crew: Crew) -> None:
    lead = crew.workers[LEAD].viewer
    async with tenant.transaction(lead.id) as session:
        for one in (await open_patterns(session, lead, Asked())).rows:
            if (note := NOTES.get(one.kind)) is not None:
                await close_pattern(session, lead, one.id, one.version, note)
