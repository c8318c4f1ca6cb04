"""Plans as they were agreed: a version of each, and for some children all that belongs to it.

For a few families the plan was gone through again: an outcome got a measure, numbers came in month
by month, each one said what they think of the plan, and it was written down what happens if the
carer is ill.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy import select

from consent import Category
from panel.accounts.models import DemoPersona
from panel.accounts.service import SignedIn
from panel.demo.crew import Crew, crew_of_the_past
from panel.demo.safeguards import Written, Year
from panel.plans.agreeing import Agrees, answer_as_worker, answer_own, write_down_answer
from panel.plans.chasing import chase_overdue
from panel.plans.contingency import keep_contingency
from panel.plans.judging import answer_own_scaling
from panel.plans.linking import link_needs, needs_to_choose
from panel.plans.measure_rules import Smart
from panel.plans.measures import set_measure
from panel.plans.models import Action, DesiredOutcome, LeadProfessional, Plan, PlanVersion
from panel.plans.progress import add_reading
from panel.plans.reading import PlanReading, plan_for_reading
from panel.plans.versions import (
    AgreedAction,
    AgreedContent,
    AgreedOutcome,
    agree_plan,
    versions_of,
)
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.register.models import Involvement

PARENT = "parent-1"
GONE_THROUGH = 4
"""Children whose plan was gone through again, beside the child of the demonstration's mother."""
QUESTION = "How sure are you that you can manage this at home?"
GOOD_DAYS = (Decimal(2), Decimal(2), Decimal(3), Decimal(4))
SURE = (2, 3, 5, 6)
IF_NOT = {
    "must_know": "Talks with pictures. The book is in the blue bag. No nuts.",
    "carer_ill": "Grandmother comes and stays the night. The spare key is with her.",
    "child_ill": "Stay at home and ring the children’s community nurse before 4 in the afternoon.",
    "equipment": "The loan store lends a chair on the same day. Its number is on the chair.",
    "school_closed": "Grandmother until noon. Then somebody comes home from work.",
    "who_to_ring": "1. Grandmother\n2. The lead professional\n3. At night: 111",
}
EACH_ONE_SAYS = {
    "mother": (Agrees.YES, "One thing at a time, please. The rest can wait until spring."),
    "lead": (Agrees.YES, "I come every second week, and ring in between."),
    "other": (Agrees.NO, "The mornings at nursery should be in the plan as well."),
    "child": (
        Agrees.CANNOT_ANSWER,
        "Too young to be asked in words. Turned away when the pictures of nursery came out.",
    ),
}


def version_of(
    plan: Plan,
    outcomes: Sequence[DesiredOutcome],
    actions: Sequence[Action],
    names: Mapping[UUID, str],
) -> PlanVersion:
    """The first version of a plan that was agreed as it is; `names` are of workers."""
    places = {one.id: at for at, one in enumerate(outcomes, start=1)}
    content = AgreedContent(
        plan.summary,
        tuple(AgreedOutcome(one.text, one.measure, one.baseline, one.target) for one in outcomes),
        tuple(
            AgreedAction(
                one.text,
                one.owner_words if one.owner_worker_id is None else names[one.owner_worker_id],
                one.owner_worker_id is not None,
                one.due_on,
                0 if one.outcome_id is None else places[one.outcome_id],
            )
            for one in sorted(actions, key=lambda one: one.id)
        ),
    )
    version = PlanVersion(
        child_id=plan.child_id,
        plan_id=plan.id,
        number=1,
        agreed_on=plan.agreed_on or plan.started_on,
    )
    version.content = msgspec.json.encode(content).decode()
    return version


@dataclass(frozen=True, slots=True)
class Held:
    """A plan that was agreed some months ago, and who holds it."""

    one: Written
    agreed_on: date
    lead: SignedIn
    other: SignedIn | None
    """Somebody else who works with the child."""


async def write_agreements(tenant: Tenant, year: Year, *, seed: int) -> None:
    """Go through some plans again, and remind whoever has left something undone."""
    crew = await crew_of_the_past(tenant, seed)
    async with tenant.transaction(JOB) as session:
        mother = await session.scalar(select(DemoPersona.viewer_id).where(DemoPersona.id == PARENT))
    first = sorted(year.children, key=lambda one: one.mother != mother)
    gone = 0
    for one in first:
        held = await _held(crew, one, year.today)
        if held is None:
            continue
        await _go_through(crew, held, year.today)
        gone += 1
        if gone > GONE_THROUGH:
            break
    async with tenant.transaction(JOB) as session:
        await chase_overdue(session, year.today, crew.site_url)


async def _held(crew: Crew, one: Written, today: date) -> Held | None:
    async with crew.as_job() as (session, _):
        agreed_on = await session.scalar(
            select(Plan.agreed_on).where(
                Plan.child_id == one.child_id,
                Plan.state == "agreed",
                Plan.agreed_on <= today - timedelta(days=120),
            )
        )
        lead = await session.scalar(
            select(LeadProfessional.worker_id).where(
                LeadProfessional.child_id == one.child_id,
                LeadProfessional.state == "accepted",
                LeadProfessional.from_on <= today - timedelta(days=120),
            )
        )
        beside = await session.scalars(
            select(Involvement.worker_id)
            .where(Involvement.child_id == one.child_id, Involvement.worker_id != lead)
            .order_by(Involvement.from_on, Involvement.id)
        )
        others = [found for found in map(crew.worker, beside) if found is not None]
    holder = crew.worker(lead)
    if agreed_on is None or holder is None:
        return None
    return Held(one, agreed_on, holder, others[0] if others else None)


async def _plan(crew: Crew, held: Held) -> PlanReading | None:
    async with crew.opened(held.one.child_id, held.lead, "read the plan") as access:
        plan = await plan_for_reading(access) if access.may_write else None
    return plan if isinstance(plan, PlanReading) and plan.outcomes else None


async def _go_through(crew: Crew, held: Held, today: date) -> None:
    """Three months ago, at home, with the numbers that came in since."""
    day = today - timedelta(days=100)
    crew.at(day, 15)
    plan = await _plan(crew, held)
    if plan is None:
        return
    outcome = plan.outcomes[0].id
    smart = Smart(
        "now and then, never two days running",
        GOOD_DAYS[0],
        "on most days",
        Decimal(5),
        "good days a week",
        today + timedelta(days=90),
        "parent",
        QUESTION,
    )
    async with crew.opened(held.one.child_id, held.lead, "went through the plan") as access:
        await set_measure(access, outcome, 0, smart)
        await link_needs(
            access, outcome, [one.value for one in (await needs_to_choose(access))[:2]]
        )
        await keep_contingency(access, 0, IF_NOT, day)
        agreed = await agree_plan(access, plan.version, day)
        await answer_as_worker(access, agreed.id, *EACH_ONE_SAYS["lead"])
        await write_down_answer(access, agreed.id, held.one.child_id, *EACH_ONE_SAYS["child"])
    if held.other is not None:
        async with crew.opened(held.one.child_id, held.other, "answered the plan") as access:
            if access.may_write and access.may(Category.PLAN):
                await answer_as_worker(access, agreed.id, *EACH_ONE_SAYS["other"])
    for step, (good, sure) in enumerate(zip(GOOD_DAYS, SURE, strict=True)):
        crew.at(day + timedelta(days=30 * step), 18)
        async with crew.opened(held.one.child_id, held.lead, "kept a number") as access:
            await add_reading(
                access,
                outcome,
                kind="number",
                on=crew.today,
                value=good,
                said_by="parent",
                note="From the diary on the fridge",
            )
        async with crew.at_home(held.one.child_id, held.one.mother, "answered") as access:
            if access.may(Category.PLAN):
                if step == 0 and await versions_of(access, plan.id):
                    await answer_own(access, agreed.id, *EACH_ONE_SAYS["mother"])
                await answer_own_scaling(access, outcome, sure)
