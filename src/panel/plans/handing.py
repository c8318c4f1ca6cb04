"""A plan changes hands at once: whoever begins is named in the transaction that ends another.

For those who decide over the work of others, and for what ends a stretch otherwise: somebody gives
a plan back, a case is closed, a case is opened again. What is asked of a person first is an offer
(`leads.offer_lead`).
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Worker
from panel.plans.lead_days import A_DAY, HELD, end_covers, lead_on
from panel.plans.leads import begin, join_team
from panel.plans.leaving import NobodyElse, TakesOver, manager_after, nobody_else
from panel.plans.models import LeadProfessional
from panel.plans.writing import lock_child
from panel.platform.problems import Invalid, NotAllowed
from panel.platform.tables import VIEWER, today_of
from panel.records.gate import Access, rewrite_access

GIVEN_BACK = "Gave the plan back"

_MAY_LEAD = """
SELECT EXISTS (SELECT 1 FROM worker_role r WHERE r.worker_id = :worker
  AND r.role IN ('practitioner', 'manager', 'coordinator')
  AND (r.from_on IS NULL OR r.from_on <= :day) AND (r.until_on IS NULL OR r.until_on >= :day))
"""


async def hand_at_once(
    session: AsyncSession,
    child_id: UUID,
    to_worker: UUID,
    reason: str,
    on: date | None = None,
) -> UUID:
    """Let a worker hold a child's plan from a day on (today), without an offer; who did, ends.

    Somebody who began on that very day keeps it, and the new one begins the day after: no day is
    without anybody. An offer that is open is withdrawn. `reason` is kept with the former's stretch.
    For a transaction that reaches the child, as somebody who may decide it or as scheduled work.
    Returns the id of the new stretch; that of the present one where they hold the plan already.
    Raises Invalid (`to_worker`, `on`).
    """
    today = today_of(session)
    begins = today if on is None else on
    if begins < today:
        raise Invalid.because("on", "The first day must be today or later")
    await lock_child(session, child_id)
    worker = await _who_stays(session, to_worker, begins)
    now = await _open_stretch(session, child_id)
    if now is not None and now.worker_id == to_worker and (now.from_on or begins) <= begins:
        return now.id
    await _withdraw_offer(session, child_id, today)
    former = await lead_on(session, child_id, begins)
    lead = _stretch_of(session, child_id, worker, today)
    await begin(session, lead, begins)
    if former is not None:
        (await session.get_one(LeadProfessional, former.lead_id)).reason = reason
    await rewrite_access(session, child_id)
    return lead.id


async def can_hold(session: AsyncSession, worker: Worker, day: date) -> bool:
    """Whether a worker stays, and has a role in which they can hold a plan from a day on."""
    try:
        await _who_stays(session, worker.id, day)
    except Invalid:
        return False
    return True


async def _who_stays(session: AsyncSession, worker_id: UUID, day: date) -> Worker:
    """A worker who can hold a plan from a day on. Raises Invalid."""
    worker = await session.get(Worker, worker_id, populate_existing=True)
    if worker is None:
        raise Invalid.because("to_worker", "Choose a worker from the list")
    if worker.until_on is not None:
        raise Invalid.because("to_worker", "They are leaving. Choose somebody who stays")
    if worker.from_on is not None and worker.from_on > day:
        raise Invalid.because("to_worker", "They begin later. Choose somebody who works here then")
    if not await session.scalar(text(_MAY_LEAD), {"worker": worker_id, "day": day}):
        raise Invalid.because(
            "to_worker", "They have no role in which they work with children. Choose somebody else"
        )
    return worker


async def _open_stretch(session: AsyncSession, child_id: UUID) -> LeadProfessional | None:
    return await session.scalar(
        select(LeadProfessional)
        .where(LeadProfessional.child_id == child_id, LeadProfessional.state == "accepted")
        .execution_options(populate_existing=True)
    )


async def _withdraw_offer(session: AsyncSession, child_id: UUID, day: date) -> None:
    offers = await session.scalars(
        select(LeadProfessional).where(
            LeadProfessional.child_id == child_id, LeadProfessional.state == "offered"
        )
    )
    for offer in offers:
        offer.state, offer.answered_on = "withdrawn", day


async def give_back(access: Access, reason: str, otherwise: TakesOver = nobody_else) -> UUID:
    """Whoever holds the plan cannot any more: their manager holds it from tomorrow, at once.

    Where the agency has no manager who stays, `otherwise` says who. Returns the new stretch.
    Raises NotAllowed for who does not hold it, and where there is nobody: then it is offered first.
    """
    session, day = access.session, access.today
    await lock_child(session, access.child_id)
    now = await _open_stretch(session, access.child_id)
    if now is None or now.worker_id != access.viewer.id:
        raise NotAllowed(
            "You do not hold this plan, so you cannot give it back.",
            "See who holds it on the child's page.",
        )
    taker = await _taker(session, access.child_id, now.worker_id, day, otherwise)
    if taker is None:
        raise NotAllowed(
            "Your agency has no manager who could take the plan over, and no coordinator does.",
            "Offer it to somebody else: you hold it until they accept.",
        )
    return await hand_at_once(session, access.child_id, taker, reason or GIVEN_BACK, day + A_DAY)


async def _taker(
    session: AsyncSession, child_id: UUID, worker_id: UUID, last_day: date, otherwise: TakesOver
) -> UUID | None:
    worker = await session.get_one(Worker, worker_id)
    manager = await manager_after(session, worker, last_day)
    return manager or await otherwise(session, child_id, last_day + A_DAY)


# A case is closed, and opened again ---------------------------------------------------------------


async def end_with_case(session: AsyncSession, child_id: UUID, on: date) -> None:
    """A case is closed on a day: whoever leads does so up to and including it.

    Offers are withdrawn; covers and joint periods end with it. In the transaction that closes.
    """
    await lock_child(session, child_id)
    await _withdraw_offer(session, child_id, on)
    for held in await _held_after(session, child_id, on):
        await end_covers(session, held.id, on)
        if held.from_on is None or held.from_on > max(on, today_of(session)):
            held.state = "withdrawn"
        else:
            # Where the last day is over already, who began after it led until then.
            held.state, held.until_on = "ended", max(on, held.from_on)
    await session.flush()
    await rewrite_access(session, child_id)


async def _held_after(
    session: AsyncSession, child_id: UUID, day: date
) -> Sequence[LeadProfessional]:
    found = await session.scalars(
        select(LeadProfessional)
        .where(
            LeadProfessional.child_id == child_id,
            LeadProfessional.state.in_(HELD),
            or_(LeadProfessional.until_on.is_(None), LeadProfessional.until_on > day),
        )
        .execution_options(populate_existing=True)
    )
    return list(found)


async def begin_again(
    session: AsyncSession, child_id: UUID, on: date, otherwise: TakesOver = nobody_else
) -> UUID | None:
    """A case is opened again: whoever held the plan last holds it from that day.

    Where they are gone, their manager does, else who `otherwise` says. Nothing where nobody ever
    held it: then it is offered first. Returns who holds it. In the transaction that opens; raises
    NobodyElse where there is nobody.
    """
    await lock_child(session, child_id)
    stretches = await _stretches(session, child_id)
    before = [one for one in stretches if one.from_on is not None and one.from_on <= on]
    after = [one for one in stretches if one.from_on is not None and one.from_on > on]
    if not stretches:
        return None
    last = before[-1] if before else after[0]
    if last.until_on is None and before:
        return last.worker_id
    begins = max(on, last.until_on + A_DAY) if before and last.until_on is not None else on
    if after:
        # Somebody is named for later already: they begin when the case does.
        after[0].from_on = min(begins, after[0].from_on or begins)
        await session.flush()
        await rewrite_access(session, child_id)
        return after[0].worker_id
    holder = await _again(session, child_id, last.worker_id, begins, otherwise)
    if holder is None:
        raise NobodyElse(
            "Whoever held the plan before is gone, and nobody is there to take it on.",
            "Give somebody at their agency the role of manager first.",
        )
    if holder.id == last.worker_id and last.until_on == begins - A_DAY:
        # No day is between: the same stretch goes on.
        last.state, last.until_on = "accepted", None
        await session.flush()
        await join_team(session, child_id, holder.agency_id, holder.id, begins)
    else:
        await begin(session, _stretch_of(session, child_id, holder, begins), begins)
    await rewrite_access(session, child_id)
    return holder.id


def _stretch_of(
    session: AsyncSession, child_id: UUID, worker: Worker, offered_on: date
) -> LeadProfessional:
    return LeadProfessional(
        child_id=child_id,
        worker_id=worker.id,
        agency_id=worker.agency_id,
        offered_on=offered_on,
        offered_by=session.info[VIEWER],
    )


async def _stretches(session: AsyncSession, child_id: UUID) -> Sequence[LeadProfessional]:
    """In which the plan was, is and will be held; the earliest first."""
    found = await session.scalars(
        select(LeadProfessional)
        .where(
            LeadProfessional.child_id == child_id,
            LeadProfessional.role == "main",
            LeadProfessional.state.in_(HELD),
        )
        .order_by(LeadProfessional.from_on, LeadProfessional.id)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def _again(
    session: AsyncSession, child_id: UUID, worker_id: UUID, begins: date, otherwise: TakesOver
) -> Worker | None:
    try:
        return await _who_stays(session, worker_id, begins)
    except Invalid:
        taker = await _taker(session, child_id, worker_id, begins - A_DAY, otherwise)
    return None if taker is None else await session.get_one(Worker, taker)
