"""The lead professional who holds the child's budget: given by a budget holder, for days.

Holding it is a flag with dates on the stretch in which the plan is held, and ends with it. What
there is to spend is kept by the room of allocation and read through `panel.records.held_budget`.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from consent import Role
from panel.accounts.service import worker_names
from panel.plans.models import LeadProfessional
from panel.plans.writing import lock_child
from panel.platform.problems import Conflict, Invalid, NotAllowed
from panel.records.gate import Access

MAY_GIVE = Role.BUDGET_HOLDER


@dataclass(frozen=True, slots=True)
class BudgetHeld:
    """Who holds the plan, and from when until when the budget with it; None: not."""

    version: int
    worker: str
    from_on: date | None
    until_on: date | None
    given_by: str

    def holds_on(self, day: date) -> bool:
        """Whether the budget is theirs on a day."""
        return (
            self.from_on is not None
            and self.from_on <= day
            and (self.until_on is None or day <= self.until_on)
        )


async def budget_held(access: Access) -> BudgetHeld | None:
    """Whether whoever holds the plan holds the budget; None where nobody holds the plan."""
    lead = await _holder(access)
    if lead is None:
        return None
    by = [] if lead.budget_by is None else [lead.budget_by]
    names = await worker_names(access.session, [lead.worker_id, *by])
    return BudgetHeld(
        lead.version,
        names.get(lead.worker_id, ""),
        lead.budget_from,
        lead.budget_until,
        "" if lead.budget_by is None else names.get(lead.budget_by, ""),
    )


async def _holder(access: Access) -> LeadProfessional | None:
    return await access.session.scalar(
        select(LeadProfessional)
        .where(LeadProfessional.child_id == access.child_id, LeadProfessional.state == "accepted")
        .execution_options(populate_existing=True)
    )


def may_give_budget(access: Access) -> bool:
    """Whether the viewer may say that the lead professional holds the budget."""
    return MAY_GIVE in access.viewer.roles


async def give_budget(access: Access, version: int, from_on: date, until_on: date | None) -> UUID:
    """Whoever holds the plan holds the budget as well, from a day until another or an open end.

    Raises NotAllowed for who is no budget holder, for one's own budget and where nobody holds the
    plan; Invalid for days that are not in order; Conflict where it was changed meanwhile.
    """
    lead = await _to_change(access, version)
    if lead.worker_id == access.viewer.id:
        raise NotAllowed("Nobody gives a budget to themselves.", "Ask another budget holder.")
    if from_on < access.today:
        raise Invalid.because("from_on", "The first day must be today or later")
    if until_on is not None and until_on < from_on:
        raise Invalid.because("until_on", "The last day is before the first. Check the dates")
    lead.budget_from, lead.budget_until = from_on, until_on
    lead.budget_by = access.viewer.id
    await access.session.flush()
    return lead.id


async def end_budget(access: Access, version: int) -> None:
    """They hold the budget up to and including today; not at all where it was still to begin."""
    lead = await _to_change(access, version)
    if lead.budget_from is None or lead.budget_from > access.today:
        lead.budget_from = lead.budget_until = None
    else:
        lead.budget_until = access.today
    lead.budget_by = access.viewer.id
    await access.session.flush()


async def _to_change(access: Access, version: int) -> LeadProfessional:
    if not may_give_budget(access):
        raise NotAllowed(
            "A budget is given by a budget holder of the allocation panel.", "Ask one of them."
        )
    await lock_child(access.session, access.child_id)
    lead = await _holder(access)
    if lead is None:
        raise NotAllowed("Nobody holds this plan, so nobody can hold its budget.")
    if lead.version != version:
        raise Conflict(())
    return lead
