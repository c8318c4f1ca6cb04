"""A court order in favour of whoever records it counts once somebody else has seen it.

Else a worker from whom something is kept in silence, to protect somebody, could open it by an order
that they alone have seen. Each such order waits, whether or not anything is kept from them. Whoever
protects, at another agency, confirms it; so does the information governance lead.
"""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import select

from consent import Category, CourtOrder, Span
from consent.reach import is_named
from panel.accounts.service import worker_names
from panel.platform.problems import Conflict, Gone, Invalid, NotAllowed, NotFound
from panel.records.gate import Access, rewrite_access
from panel.records.rehearsal import Turn
from panel.sharing.left_to_governance import is_left_to_governance
from panel.sharing.models import OrderToConfirm, SharingOrder
from panel.sharing.named import agencies_of_workers, who_can_be_named, words_of
from panel.sharing.reading import known_state
from panel.sharing.restrict_rules import Change, changes, may_protect

WHO_MAY_CONFIRM = (
    "Somebody of another agency who may record an order confirms it, or the information governance"
    " lead: nobody whom it lets see something, and nobody who recorded it."
)


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """One order that waits, as those who record orders read it."""

    id: UUID
    version: int
    categories: tuple[Category, ...]
    whom: tuple[str, ...]
    reference: str
    from_on: date
    until_on: date | None
    silent: bool
    says: str
    recorded_by: str
    may_confirm: bool
    is_over: bool = False


async def gains(access: Access, to: frozenset[UUID]) -> bool:
    """Whether an order opens something to the viewer, their agency or a colleague there."""
    colleagues = (await agencies_of_workers(access, sorted(to))).values()
    return is_named(access.viewer, to) or access.viewer.agency in colleagues


async def wait_to_confirm(access: Access, fact: CourtOrder, says: str) -> UUID:
    """Keep an order that opens nothing yet."""
    made = OrderToConfirm(
        child_id=access.child_id,
        categories=sorted(fact.categories),
        to=sorted(fact.to),
        from_on=fact.span.start,
        until_on=fact.span.end,
        silent=fact.silent,
        reference=fact.reference,
        reason=says,
    )
    access.session.add(made)
    await rewrite_access(access.session, access.child_id)
    return made.id


async def waiting_orders(access: Access) -> tuple[WaitingOrder, ...]:
    """Every order that waits, the oldest first; asked by who may read orders."""
    rows = await access.session.scalars(
        select(OrderToConfirm)
        .where(
            OrderToConfirm.child_id == access.child_id,
            OrderToConfirm.answered_at.is_(None),
        )
        .order_by(OrderToConfirm.id)
    )
    return tuple([await _line(access, row) for row in rows.all()])


async def waiting_order(
    access: Access, waiting_id: UUID
) -> tuple[WaitingOrder, tuple[Change, ...], Turn]:
    """One order that waits, for whoever may confirm it, and what it would open.

    Raises NotFound, NotAllowed for whom it is not to confirm, Gone for one that is answered.
    """
    row = await _row(access, waiting_id)
    named = await who_can_be_named(access)
    state = await known_state(access)
    after = replace(state, orders=(*state.orders, replace(_fact(row), span=Span())))
    changed = changes(state, after, access.at, [one for one in named if one.id in row.to])
    return await _line(access, row), changed, Turn(state, after)


async def answer_order(
    access: Access, waiting_id: UUID, version: int, evidence: str, *, confirmed: bool
) -> None:
    """The order counts from now or its day, or it does not; with what was seen.

    Raises as `waiting_order`, Invalid without evidence, Conflict where it was changed meanwhile.
    """
    row = await _row(access, waiting_id)
    if not evidence.strip():
        raise Invalid.because("reason", "Say what you have seen, and who showed it to you")
    if row.version != version:
        raise Conflict(())
    row.answered_at, row.answered_by, row.evidence = access.at, access.viewer.id, evidence
    if confirmed:
        order = SharingOrder(
            child_id=access.child_id,
            permits=True,
            categories=row.categories,
            to=row.to,
            from_on=row.from_on,
            until_on=row.until_on,
            silent=row.silent,
            reference=row.reference,
            reason=row.reason,
        )
        access.session.add(order)
        await access.session.flush()
        row.order_id = order.id
    await rewrite_access(access.session, access.child_id)


async def _may_confirm(access: Access, row: OrderToConfirm) -> bool:
    if row.created_by == access.viewer.id or await gains(access, frozenset(row.to)):
        return False
    if await is_left_to_governance(access, row.id):
        return True
    of = await agencies_of_workers(access, [row.created_by])
    is_elsewhere = of.get(row.created_by) != access.viewer.agency
    return is_elsewhere and may_protect(access.viewer, access.ties)


async def _row(access: Access, waiting_id: UUID) -> OrderToConfirm:
    row = await access.session.get(OrderToConfirm, waiting_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound("There is no such order.")
    if not await _may_confirm(access, row):
        raise NotAllowed(WHO_MAY_CONFIRM)
    if row.answered_at is not None:
        raise Gone("Somebody has answered for this order already.", "Read the list of orders.")
    return row


def _fact(row: OrderToConfirm) -> CourtOrder:
    return CourtOrder(
        permits=True,
        categories=frozenset(Category(one) for one in row.categories),
        to=frozenset(row.to),
        span=Span(row.from_on, row.until_on),
        reference=row.reference,
        silent=row.silent,
    )


async def _line(access: Access, row: OrderToConfirm) -> WaitingOrder:
    named = {one.id: one for one in await who_can_be_named(access)}
    names = await worker_names(access.session, [row.created_by])
    return WaitingOrder(
        id=row.id,
        version=row.version,
        categories=tuple(category for category in Category if category in row.categories),
        whom=words_of(row.to, named),
        reference=row.reference,
        from_on=row.from_on,
        until_on=row.until_on,
        silent=row.silent,
        says=row.reason,
        recorded_by=names.get(row.created_by, ""),
        may_confirm=await _may_confirm(access, row),
    )
