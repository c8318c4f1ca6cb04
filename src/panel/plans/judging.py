"""One of the family judges themselves where a desired outcome of the agreed plan stands."""

from uuid import UUID

from sqlalchemy import select

from consent import OF_THE_FAMILY, Category, ViewerKind
from panel.plans.models import DesiredOutcome, OutcomeProgress, Plan
from panel.plans.rules import HIGHEST, LOWEST
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.records.gate import Access

BY_THE_FAMILY = "The family said so on their own page."
"""What stands beside the score on the plan."""


async def judge_own_outcome(access: Access, outcome_id: UUID, value: int) -> OutcomeProgress:
    """Keep where things stand today, in the family's eyes. Judged again on a day, the last counts.

    Raises NotAllowed for who is not of the family or does not read the plan, NotFound for an
    outcome that is none of the agreed plan or not worked towards any more, Invalid for no number of
    the scale.
    """
    if access.viewer.kind is not ViewerKind.FAMILY or not access.ties & OF_THE_FAMILY:
        raise NotAllowed("Only this child’s family can say this here.")
    if not access.may(Category.PLAN):
        raise NotAllowed("You cannot read this plan here.", "Ask the person who helps you.")
    if not LOWEST <= value <= HIGHEST:
        raise Invalid.because("value", f"Choose a number from {LOWEST} to {HIGHEST}")
    session = access.session
    outcome = await session.scalar(
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
