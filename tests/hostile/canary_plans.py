"""What a plan keeps beside its lines, for every child of the crawl who has one."""

from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.plans.models import (
    ContingencyPlan,
    DesiredOutcome,
    MeasureReading,
    OutcomeMeasure,
    Plan,
    PlanAnswer,
    PlanVersion,
)
from panel.plans.rules import CURRENT

if TYPE_CHECKING:
    from tests.hostile.canary_world import World


async def agreed(session: AsyncSession, world: "World", child: UUID, mother: UUID) -> None:
    """Its first outcome is measured, its newest version answered; and what if all goes wrong."""
    rosa, today = world.workers["rosa"], session.info["now"].date()
    about = {"child_id": child}
    if not await session.scalar(select(ContingencyPlan.id).filter_by(**about)):
        said = ContingencyPlan(**about, author_agency_id=rosa.agency_id, checked_on=today)
        said.must_know = said.carer_ill = said.child_ill = said.equipment = "What to do"
        said.school_closed = said.worse = said.who_to_ring = "Whom to ring"
        session.add(said)
    plan = await session.scalar(select(Plan).filter_by(**about).where(Plan.state.in_(CURRENT)))
    if plan is None:
        return
    outcome = await session.scalar(
        select(DesiredOutcome).filter_by(plan_id=plan.id).order_by(DesiredOutcome.position).limit(1)
    )
    if outcome is not None:
        if not await session.scalar(select(OutcomeMeasure.id).filter_by(outcome_id=outcome.id)):
            measure = OutcomeMeasure(**about, outcome_id=outcome.id, baseline_number=Decimal(1))
            measure.baseline_words, measure.target_words = "Seldom", "Often"
            measure.unit, measure.scaling_question = "days", "How sure are you?"
            session.add(measure)
        for kind in ("number", "scaling"):
            session.add(
                MeasureReading(
                    **about, outcome_id=outcome.id, kind=kind, on=today, value=Decimal(3),
                    said_by="parent", note="As they say",
                )
            )  # fmt: skip
    newest = await session.scalar(
        select(PlanVersion).filter_by(plan_id=plan.id).order_by(PlanVersion.number.desc()).limit(1)
    )
    if newest is None:
        newest = PlanVersion(**about, plan_id=plan.id, number=1, agreed_on=today)
        newest.content = '{"summary": "As it was agreed"}'
        session.add(newest)
        await session.flush()
    there = set(await session.scalars(select(PlanAnswer.person_id).filter_by(version_id=newest.id)))
    for person in {child, mother} - there:
        session.add(
            PlanAnswer(
                **about, version_id=newest.id, person_id=person, agrees="no", on=today,
                words="What they say", written_by_agency_id=rosa.agency_id,
            )
        )  # fmt: skip
    await session.flush()
