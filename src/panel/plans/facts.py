"""Process facts about plans for other rooms: that there is one and where it stands, no content.

And plans brought in from an earlier list.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.plans.models import Plan
from panel.plans.writing import OutcomeWords, lock_child, put_in_place, put_outcome


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """Where a child's current plan stands."""

    agreed_on: date | None
    state: str
    author_agency_id: UUID
    started_on: date


async def current_plan_facts(
    session: AsyncSession, child_ids: Iterable[UUID]
) -> dict[UUID, PlanFacts]:
    """The current plan of each child; a child without one is absent."""
    rows = await session.execute(
        text(
            "SELECT child_id, agreed_on, state, author_agency_id, started_on FROM plan"
            " WHERE child_id = ANY(:children) AND state IN ('draft', 'agreed')"
        ),
        {"children": list(child_ids)},
    )
    return {
        row.child_id: PlanFacts(row.agreed_on, row.state, row.author_agency_id, row.started_on)
        for row in rows
    }


async def import_plan(
    session: AsyncSession,
    child_id: UUID,
    *,
    author_agency_id: UUID,
    agreed_on: date,
    summary: str,
    outcomes: Sequence[OutcomeWords] = (),
) -> bool:
    """A plan that was agreed before Panel; returns whether it was added.

    The same plan (agency and day) is added once, and a plan as late or later known here stays the
    one that counts.
    """
    await lock_child(session, child_id)
    known = await session.execute(
        select(Plan.started_on, Plan.agreed_on).where(Plan.child_id == child_id)
    )
    if any(max(started, agreed or started) >= agreed_on for started, agreed in known):
        return False
    plan = await put_in_place(
        session, child_id, author_agency_id, summary, agreed_on, replaced_on=agreed_on
    )
    plan.state, plan.agreed_on = "agreed", agreed_on
    for words in outcomes:
        await put_outcome(session, plan, words)
    await session.flush()
    return True
