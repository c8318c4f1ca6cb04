"""One of the family judges themselves where a desired outcome of the agreed plan stands."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from consent import OF_THE_FAMILY, Category, Tie, ViewerKind
from panel.plans.measure_rules import reading_mistake
from panel.plans.models import (
    DesiredOutcome,
    MeasureReading,
    OutcomeMeasure,
    OutcomeProgress,
    Plan,
)
from panel.plans.rules import HIGHEST, LOWEST
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.records.gate import Access

BY_THE_FAMILY = "The family said so on their own page."
"""What stands beside the score on the plan."""


def require_family(access: Access) -> None:
    """Raise NotAllowed for who is not of the family, or does not read the plan."""
    if access.viewer.kind is not ViewerKind.FAMILY or not access.ties & OF_THE_FAMILY:
        raise NotAllowed("Only this child’s family can say this here.")
    if not access.may(Category.PLAN):
        raise NotAllowed("You cannot read this plan here.", "Ask the person who helps you.")


async def _to_judge(access: Access, outcome_id: UUID) -> DesiredOutcome:
    """An outcome of the agreed plan that is worked towards, held for this transaction."""
    require_family(access)
    outcome = await access.session.scalar(
        select(DesiredOutcome)
        .join(Plan, Plan.id == DesiredOutcome.plan_id)
        .where(
            DesiredOutcome.id == outcome_id,
            DesiredOutcome.child_id == access.child_id,
            DesiredOutcome.state == "working_towards",
            Plan.state == "agreed",
        )
        .with_for_update()
    )
    if outcome is None:
        raise NotFound("There is nothing to judge here.", "Go back to your own page.")
    return outcome


async def judge_own_outcome(access: Access, outcome_id: UUID, value: int) -> OutcomeProgress:
    """Keep where things stand today, in the family's eyes. Judged again on a day, the last counts.

    Raises NotAllowed for who is not of the family or does not read the plan, NotFound for an
    outcome that is none of the agreed plan or not worked towards any more, Invalid for no number of
    the scale.
    """
    outcome = await _to_judge(access, outcome_id)
    if not LOWEST <= value <= HIGHEST:
        raise Invalid.because("value", f"Choose a number from {LOWEST} to {HIGHEST}")
    session = access.session
    row = await session.scalar(
        select(OutcomeProgress).where(
            OutcomeProgress.outcome_id == outcome.id,
            OutcomeProgress.on == access.today,
            OutcomeProgress.created_by == access.viewer.id,
        )
    )
    if row is None:
        row = OutcomeProgress(
            child_id=access.child_id, outcome_id=outcome.id, on=access.today, note=BY_THE_FAMILY
        )
        session.add(row)
    row.value = value
    await session.flush()
    return row


async def answer_own_scaling(access: Access, outcome_id: UUID, value: int) -> MeasureReading:
    """Keep a family's answer of today to the scaling question, 0 to 10; the last of a day counts.

    Raises as `judge_own_outcome` does, and NotFound where no such question is asked.
    """
    outcome = await _to_judge(access, outcome_id)
    session = access.session
    measure = await session.scalar(
        select(OutcomeMeasure).where(OutcomeMeasure.outcome_id == outcome.id)
    )
    if measure is None or not measure.scaling_question:
        raise NotFound("There is no such question here.", "Go back to your own page.")
    if wrong := reading_mistake("scaling", Decimal(value), access.today, access.today):
        raise Invalid.because(*wrong)
    row = await session.scalar(
        select(MeasureReading).where(
            MeasureReading.outcome_id == outcome.id,
            MeasureReading.kind == "scaling",
            MeasureReading.on == access.today,
            MeasureReading.created_by == access.viewer.id,
        )
    )
    if row is None:
        said_by = "child" if Tie.SELF in access.ties else "parent"
        row = MeasureReading(
            child_id=access.child_id,
            outcome_id=outcome.id,
            kind="scaling",
            on=access.today,
            said_by=said_by,
            note=BY_THE_FAMILY,
        )
        session.add(row)
    row.value = Decimal(value)
    await session.flush()
    return row
