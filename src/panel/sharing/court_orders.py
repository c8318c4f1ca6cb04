"""What a court permits or forbids: recorded with its case number, and before everything else.

A court's no goes before its yes. Source: DOMAIN.md, "Agreement and the law"; ARCHITECTURE.md, "The
record gate" (precedence).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import select

from consent import Category, CourtOrder, RestrictionKind, Span, State, Viewer
from consent.reach import is_named
from panel.accounts.service import worker_names
from panel.platform.clock import day_of
from panel.platform.problems import FieldError, Gone, Invalid, NotAllowed, NotFound
from panel.records.gate import Access, rewrite_access
from panel.records.rehearsal import Turn
from panel.sharing.confirming import gains, wait_to_confirm
from panel.sharing.ending import end_now, is_over
from panel.sharing.models import SharingOrder
from panel.sharing.named import EVERYONE, Named, who_can_be_named, words_of
from panel.sharing.reading import known_state
from panel.sharing.restrict_rules import (
    WHO_MAY_PROTECT,
    Change,
    changes,
    may_protect,
    wrong_span,
)
from panel.sharing.restricting import (
    EVERYTHING,
    REVIEW_FIRST,
    keeps_out_reviewers,
)


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A court's order as the form says it."""

    permits: bool
    what: Collection[str]
    """Categories, or EVERYTHING."""
    to: Collection[str]
    """Ids as texts, or EVERYONE."""
    reference: str
    reason: str
    """What the order says, in the recorder's words."""
    worker: UUID | None = None
    from_on: date | None = None
    until_on: date | None = None
    silent: bool = False


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """What would be recorded, and what it would change for whom."""

    fact: CourtOrder
    whom: tuple[str, ...]
    says: str
    changes: tuple[Change, ...]
    turn: Turn
    waits: bool
    """Whether it counts only once somebody else has confirmed it."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order as those who record orders read it."""

    id: UUID
    version: int
    permits: bool
    categories: tuple[Category, ...]
    whom: tuple[str, ...]
    reference: str
    from_on: date
    until_on: date | None
    silent: bool
    says: str
    recorded_by: str
    is_over: bool
    ended_on: date | None
    ended_by: str
    ended_why: str
    may_end: bool


async def plan_order(access: Access, new: NewOrder) -> PlannedOrder:
    """What would be recorded and who would see more or less. Nothing is written.

    Raises NotAllowed for somebody whose part it is not, Invalid with every mistake.
    """
    if not may_protect(access.viewer, access.ties):
        raise NotAllowed(WHO_MAY_PROTECT)
    named = await who_can_be_named(access, () if new.worker is None else (new.worker,))
    errors: list[FieldError] = []
    known = {category.value for category in Category}
    is_whole = EVERYTHING in new.what
    if not is_whole and (not new.what or not known.issuperset(new.what)):
        errors.append(FieldError("what", "Select what the order is about"))
    categories = (
        frozenset() if is_whole else frozenset(Category(one) for one in new.what if one in known)
    )
    to = _to(new, named, errors)
    state = await known_state(access)
    errors += wrong_span(new.from_on, new.until_on)
    if new.permits and is_named(access.viewer, to) and _is_kept(access, state, categories):
        sentence = (
            "Some of this is kept from you or your agency to protect somebody. Ask somebody of"
            " another agency to record the order"
        )
        errors.append(FieldError("to", sentence))
    if is_whole and not new.permits and is_named(access.viewer, to):
        sentence = "You could not open the record any more. Ask another agency to record this"
        errors.append(FieldError("to", sentence))
    if is_whole and not new.permits and await keeps_out_reviewers(access, to):
        errors.append(FieldError("to", REVIEW_FIRST))
    if not new.reference.strip():
        errors.append(FieldError("reference", "Enter the case number that is on the order"))
    if not new.reason.strip():
        errors.append(FieldError("reason", "Say what the order says"))
    if errors:
        raise Invalid(tuple(errors))
    span = Span(new.from_on or access.today, new.until_on)
    fact = CourtOrder(new.permits, categories, to, span, new.reference.strip(), new.silent)
    # As it will be once it holds, whether that is today or later.
    after = replace(state, orders=(*state.orders, replace(fact, span=Span())))
    by_id = {one.id: one for one in named}
    return PlannedOrder(
        fact,
        words_of(sorted(to), by_id) or ("everyone",),
        new.reason,
        changes(state, after, access.at, [one for one in named if not to or one.id in to]),
        Turn(state, after),
        fact.permits and await gains(access, to),
    )


async def record_order(access: Access, new: NewOrder) -> UUID:
    """A court's order counts from now, or from its day. Raises as `plan_order`.

    One that opens something to whoever records it, or to their agency, waits until somebody else
    has confirmed it (`confirming`): whether or not anything is protected from them, since waiting
    would tell of a protection in silence.
    """
    planned = await plan_order(access, new)
    fact = planned.fact
    if planned.waits:
        return await wait_to_confirm(access, fact, new.reason)
    made = SharingOrder(
        child_id=access.child_id,
        permits=fact.permits,
        categories=sorted(fact.categories),
        to=sorted(fact.to),
        from_on=fact.span.start,
        until_on=fact.span.end,
        silent=fact.silent,
        reference=fact.reference,
        reason=new.reason,
    )
    access.session.add(made)
    await rewrite_access(access.session, access.child_id)
    return made.id


async def orders_of(access: Access) -> tuple[OrderLine, ...]:
    """Every order, newest first, but what forbids the viewer something in silence.

    Raises NotAllowed.
    """
    if not may_protect(access.viewer, access.ties):
        raise NotAllowed(WHO_MAY_PROTECT)
    found = await access.session.scalars(
        select(SharingOrder)
        .where(SharingOrder.child_id == access.child_id)
        .order_by(SharingOrder.from_on.desc(), SharingOrder.id.desc())
    )
    rows = [row for row in found if not _is_hidden_from(access.viewer, row)]
    named = {one.id: one for one in await who_can_be_named(access)}
    people = [one for row in rows for one in (row.created_by, row.ended_by) if one is not None]
    names = await worker_names(access.session, people)
    return tuple(_line(access, row, named, names) for row in rows)


async def order_of(access: Access, order_id: UUID) -> tuple[OrderLine, tuple[Change, ...], Turn]:
    """One order in force, and what would change if it ended now.

    Raises NotFound, Gone for one that is over, NotAllowed where it is not the viewer's to end.
    """
    row = await _row(access, order_id)
    named = await who_can_be_named(access)
    state = await known_state(access)
    rest = list(state.orders)
    rest.remove(_fact(row))
    to = frozenset(row.to)
    after = replace(state, orders=tuple(rest))
    changed = changes(state, after, access.at, [one for one in named if not to or one.id in to])
    names = await worker_names(access.session, [row.created_by])
    line = _line(access, row, {one.id: one for one in named}, names)
    return line, changed, Turn(state, after)


async def end_order(access: Access, order_id: UUID, version: int, why: str) -> None:
    """The court discharged it, or it was recorded wrongly. Raises as `order_of`, Conflict."""
    end_now(access, await _row(access, order_id), version, why)
    await rewrite_access(access.session, access.child_id)


def _to(new: NewOrder, named: Collection[Named], errors: list[FieldError]) -> frozenset[UUID]:
    chosen = set(new.to)
    if EVERYONE in chosen and not new.permits:
        if len(chosen) > 1 or new.worker is not None:
            errors.append(FieldError("to", "Select everyone, or those it names, not both"))
        return frozenset()
    offered = {str(one.id): one.id for one in named}
    found = {offered[one] for one in chosen if one in offered}
    if new.worker is not None:
        found.add(new.worker)
    if EVERYONE in chosen:
        errors.append(FieldError("to", "A court names whom it lets see something. Select them"))
    elif not found or chosen - offered.keys():
        errors.append(FieldError("to", "Select whom the order names"))
    return frozenset(found)


def _is_kept(access: Access, state: State, categories: frozenset[Category]) -> bool:
    """Whether a protection is against the viewer by name, which they may not end: nor go around.

    One in silence is not asked: the answer would tell of it.
    """
    return any(
        one.kind is RestrictionKind.PROTECTION
        and one.span.holds(access.today)
        and is_named(access.viewer, one.against)
        and (not one.categories or not categories or bool(one.categories & categories))
        for one in state.restrictions
    )


def _is_hidden_from(viewer: Viewer, row: SharingOrder) -> bool:
    return row.silent and not row.permits and is_named(viewer, frozenset(row.to))


async def _row(access: Access, order_id: UUID) -> SharingOrder:
    row = await access.session.get(SharingOrder, order_id)
    if row is None or row.child_id != access.child_id or _is_hidden_from(access.viewer, row):
        raise NotFound("There is no such order.")
    if not may_protect(access.viewer, access.ties):
        raise NotAllowed(WHO_MAY_PROTECT)
    if not row.permits and is_named(access.viewer, frozenset(row.to)):
        raise NotAllowed(
            "This order is against you or your agency, so you cannot end it.",
            "Ask somebody of another agency who may end it.",
        )
    if is_over(row, access.today):
        raise Gone("This order is over already.", "Read the list of orders.")
    return row


def _fact(row: SharingOrder) -> CourtOrder:
    return CourtOrder(
        row.permits,
        frozenset(Category(one) for one in row.categories),
        frozenset(row.to),
        Span(row.from_on, row.until_on),
        row.reference,
        row.silent,
    )


def _line(
    access: Access, row: SharingOrder, named: Mapping[UUID, Named], names: Mapping[UUID, str]
) -> OrderLine:
    over = is_over(row, access.today)
    is_against_me = not row.permits and is_named(access.viewer, frozenset(row.to))
    return OrderLine(
        id=row.id,
        version=row.version,
        permits=row.permits,
        categories=tuple(category for category in Category if category in row.categories),
        whom=words_of(row.to, named) or ("everyone",),
        reference=row.reference,
        from_on=row.from_on,
        until_on=row.until_on,
        silent=row.silent,
        says="" if is_against_me else row.reason,
        recorded_by=names.get(row.created_by, ""),
        is_over=over,
        ended_on=None if row.ended_at is None else day_of(row.ended_at),
        ended_by="" if row.ended_by is None else names.get(row.ended_by, ""),
        ended_why="" if is_against_me else row.ended_why,
        may_end=not over and not is_against_me,
    )
