"""A plan goes to a colleague of the same agency, with the open actions of whoever held it.

It is the agency's own decision, and takes effect at once: nobody else learns of the child by it,
and no day is without a lead professional. Another agency's worker is offered the plan instead
(`panel.plans.leads`). Whoever asks says which rows they saw; one that changed since is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Worker
from panel.plans.handing import hand_at_once
from panel.plans.leads import open_offers
from panel.plans.models import Action, LeadProfessional
from panel.plans.writing import lock_child
from panel.platform.problems import Problem
from panel.platform.tables import NOW, VIEWER, today_of
from panel.records.gate import Access, rewrite_access
from panel.register.models import Involvement

A_DAY = timedelta(days=1)
GIVEN = "Given to a colleague of the same agency"


class NotGiven(Problem):
    """The plan stays where it is; `code` says why, for whoever lists many."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(409, "The plan was not given on", sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class HeldPlan:
    """A plan that somebody holds now without an end."""

    child_id: UUID
    lead_id: UUID
    version: int
    worker_id: UUID
    agency_id: UUID
    offered: bool
    """Whether it is offered to somebody who has not answered."""


@dataclass(frozen=True, slots=True)
class Given:
    """The rows as a step left them: the history's new line, and the actions that went along."""

    lead_id: UUID
    version: int
    actions: Mapping[str, int]
    """The version of each, by its id."""
    joined: UUID | None = None
    """The part in the team that came with it; None where the colleague was in the team before."""


_HELD = """
SELECT l.child_id, l.id, l.version, l.worker_id, l.agency_id, EXISTS (SELECT
    FROM lead_professional o WHERE o.child_id = l.child_id AND o.state = 'offered') AS offered
FROM child_access x JOIN lead_professional l ON l.child_id = x.child_id
WHERE x.viewer_id = :viewer AND x.valid_from <= :now AND x.valid_until >= :now
  AND l.state = 'accepted' AND l.worker_id = ANY(:workers)
ORDER BY l.from_on, l.id LIMIT :most
"""


async def plans_held(
    session: AsyncSession, workers: Sequence[UUID], most: int
) -> Sequence[HeldPlan]:
    """The plans that these workers hold, of children whom the transaction's viewer reaches."""
    found = await session.execute(
        text(_HELD),
        {
            "viewer": session.info[VIEWER],
            "now": session.info[NOW],
            "workers": list(workers),
            "most": most,
        },
    )
    return [HeldPlan(*row) for row in found]


_WHO_LEADS = """
SELECT l.worker_id, l.agency_id, count(*) AS plans
FROM child_access x JOIN lead_professional l ON l.child_id = x.child_id
WHERE x.viewer_id = :viewer AND x.valid_from <= :now AND x.valid_until >= :now
  AND l.state = 'accepted'
GROUP BY 1, 2 ORDER BY 1
"""


async def who_leads(session: AsyncSession) -> Sequence[tuple[UUID, UUID, int]]:
    """Who holds plans of children whom the viewer reaches: worker, agency, how many."""
    found = await session.execute(
        text(_WHO_LEADS), {"viewer": session.info[VIEWER], "now": session.info[NOW]}
    )
    return [(row.worker_id, row.agency_id, row.plans) for row in found]


_MAY_HOLD = """
SELECT w.id FROM worker w WHERE w.agency_id = ANY(:agencies) AND w.until_on IS NULL
  AND (w.from_on IS NULL OR w.from_on <= :today)
  AND EXISTS (SELECT FROM worker_role r WHERE r.worker_id = w.id
    AND r.role IN ('practitioner', 'manager') AND (r.from_on IS NULL OR r.from_on <= :today)
    AND (r.until_on IS NULL OR r.until_on >= :today))
ORDER BY w.agency_id, w.id
"""


async def who_may_hold(session: AsyncSession, agencies: Sequence[UUID]) -> Sequence[UUID]:
    """Workers of these agencies who stay and can hold a plan."""
    found = await session.scalars(
        text(_MAY_HOLD), {"agencies": list(agencies), "today": today_of(session)}
    )
    return list(found)


async def give_plan(access: Access, lead_id: UUID, version: int, to_id: UUID) -> Given:
    """Let a colleague hold the plan from today; who began today keeps today.

    Raises NotAllowed for who may only read the record, and NotGiven where the plan is no longer
    held as it was seen, is offered to somebody, or the colleague cannot hold it.
    """
    access.require_write()
    session = access.session
    await lock_child(session, access.child_id)
    lead = await session.get(LeadProfessional, lead_id, populate_existing=True)
    if lead is None or lead.child_id != access.child_id:
        raise NotGiven("changed", "Somebody else holds the plan by now.")
    if lead.state != "accepted" or lead.version != version:
        raise NotGiven("changed", "Who holds the plan changed meanwhile.")
    if await open_offers(session, [access.child_id]):
        raise NotGiven("offered", "The plan is offered to somebody who has not answered yet.")
    await _require_taker(session, lead, to_id)
    actions = await _actions_along(session, access.child_id, lead.worker_id, to_id)
    teams = await _parts(session, access.child_id, to_id)
    given_id = await hand_at_once(session, access.child_id, to_id, GIVEN)
    joined = next(iter(await _parts(session, access.child_id, to_id) - teams), None)
    given = await session.get_one(LeadProfessional, given_id)
    return Given(given_id, given.version, actions, joined)


async def _parts(session: AsyncSession, child_id: UUID, worker_id: UUID) -> set[UUID]:
    """A worker's parts in a child's team that have no end."""
    found = await session.scalars(
        select(Involvement.id).where(
            Involvement.child_id == child_id,
            Involvement.worker_id == worker_id,
            Involvement.until_on.is_(None),
        )
    )
    return set(found)


async def _require_taker(session: AsyncSession, lead: LeadProfessional, to_id: UUID) -> None:
    worker = await session.get(Worker, to_id, populate_existing=True)
    if worker is None or to_id not in await who_may_hold(session, [worker.agency_id]):
        raise NotGiven("cannot_hold", "This colleague leaves, or cannot hold a plan.")
    if worker.agency_id != lead.agency_id:
        raise NotGiven("other_agency", "Offer the plan to a worker of another agency instead.")
    if to_id == lead.worker_id:
        raise NotGiven("same", "They hold the plan already.")


async def _actions_along(
    session: AsyncSession, child_id: UUID, former_id: UUID, to_id: UUID
) -> dict[str, int]:
    found = await session.scalars(
        select(Action)
        .where(
            Action.child_id == child_id,
            Action.owner_worker_id == former_id,
            Action.state.in_(("to_do", "doing")),
        )
        .order_by(Action.id)
    )
    rows = list(found)
    for row in rows:
        row.owner_worker_id = to_id
    await session.flush()
    return {str(row.id): row.version for row in rows}


async def take_plan_back(access: Access, given: Given, to_id: UUID) -> None:
    """The former one holds the plan again, and does the actions that went along: a new line.

    Raises what `give_plan` raises; NotGiven where one of the actions changed since.
    """
    session = access.session
    await lock_child(session, access.child_id)
    found = await session.scalars(
        select(Action)
        .where(Action.id.in_([UUID(one) for one in given.actions]))
        .execution_options(populate_existing=True)
    )
    now = {str(row.id): row.version for row in found}
    if now != dict(given.actions):
        raise NotGiven("changed", "An action that went along was changed since.")
    await give_plan(access, given.lead_id, given.version, to_id)
    if given.joined is None:
        return
    part = await session.get(Involvement, given.joined, populate_existing=True)
    if part is not None and part.until_on is None and part.from_on is not None:
        # Who reached the child by this alone no longer does from tomorrow, or from today.
        part.until_on = max(part.from_on, access.today - A_DAY)
        await rewrite_access(session, access.child_id)
