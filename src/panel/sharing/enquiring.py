"""A safeguarding enquiry (Children Act 1989 section 47): begun, and ended, by who may.

It sees through what a family chose and never through a protection: `consent` says how.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import select

from consent import Enquiry, Span
from panel.accounts.service import worker_names
from panel.platform.clock import day_of
from panel.platform.problems import FieldError, Gone, Invalid, NotAllowed, NotFound
from panel.records.gate import Access, rewrite_access
from panel.records.rehearsal import Turn
from panel.sharing.ending import end_now, is_over
from panel.sharing.models import SharingEnquiry
from panel.sharing.named import Kind, Named, who_can_be_named, words_of
from panel.sharing.reading import known_state
from panel.sharing.restrict_rules import (
    WHO_MAY_ENQUIRE,
    Change,
    changes,
    may_enquire,
    wrong_dates,
)


@dataclass(frozen=True, slots=True)
class NewEnquiry:
    """An enquiry as the form says it."""

    agencies: Collection[str]
    """Ids as texts."""
    reason: str
    from_on: date | None = None
    until_on: date | None = None


@dataclass(frozen=True, slots=True)
class PlannedEnquiry:
    """What would be recorded, and what it would open to whom."""

    fact: Enquiry
    agencies: tuple[str, ...]
    reason: str
    changes: tuple[Change, ...]
    turn: Turn


@dataclass(frozen=True, slots=True)
class EnquiryLine:
    """One enquiry as those who make it read it."""

    id: UUID
    version: int
    agencies: tuple[str, ...]
    from_on: date
    until_on: date | None
    reason: str
    recorded_by: str
    is_over: bool
    ended_on: date | None
    ended_by: str
    ended_why: str
    may_end: bool


async def plan_enquiry(access: Access, new: NewEnquiry) -> PlannedEnquiry:
    """What would be recorded and what would open. Raises NotAllowed, Invalid."""
    _require(access)
    named = [one for one in await who_can_be_named(access) if one.kind is Kind.AGENCY]
    offered = {str(one.id): one.id for one in named}
    errors = wrong_dates(new.from_on, new.until_on, access.today)
    if not new.agencies or not offered.keys() >= set(new.agencies):
        errors.append(FieldError("agencies", "Select the agencies that make the enquiry"))
    if not new.reason.strip():
        sentence = "Say why it is made: the strategy discussion, and who decided"
        errors.append(FieldError("reason", sentence))
    if errors:
        raise Invalid(tuple(errors))
    agencies = frozenset(offered[one] for one in new.agencies)
    fact = Enquiry(agencies, Span(new.from_on or access.today, new.until_on))
    state = await known_state(access)
    after = replace(state, enquiries=(*state.enquiries, Enquiry(agencies)))
    return PlannedEnquiry(
        fact,
        words_of(sorted(agencies), {one.id: one for one in named}),
        new.reason,
        changes(state, after, access.at, [one for one in named if one.id in agencies]),
        Turn(state, after),
    )


async def begin_enquiry(access: Access, new: NewEnquiry) -> UUID:
    """The enquiry begins, now or on its day. Raises as `plan_enquiry`."""
    fact = (await plan_enquiry(access, new)).fact
    made = SharingEnquiry(
        child_id=access.child_id,
        agencies=sorted(fact.agencies),
        from_on=fact.span.start,
        until_on=fact.span.end,
        reason=new.reason,
    )
    access.session.add(made)
    await rewrite_access(access.session, access.child_id)
    return made.id


async def enquiries_of(access: Access) -> tuple[EnquiryLine, ...]:
    """Every enquiry, newest first. Raises NotAllowed for whose part it is not."""
    _require(access)
    rows = list(
        await access.session.scalars(
            select(SharingEnquiry)
            .where(SharingEnquiry.child_id == access.child_id)
            .order_by(SharingEnquiry.from_on.desc(), SharingEnquiry.id.desc())
        )
    )
    named = {one.id: one for one in await who_can_be_named(access)}
    people = [one for row in rows for one in (row.created_by, row.ended_by) if one is not None]
    names = await worker_names(access.session, people)
    return tuple(_line(access, row, named, names) for row in rows)


async def enquiry_of(
    access: Access, enquiry_id: UUID
) -> tuple[EnquiryLine, tuple[Change, ...], Turn]:
    """One enquiry under way, and what would close if it ended now.

    Raises NotAllowed for whose part it is not, NotFound, Gone for one that is over.
    """
    row = await _row(access, enquiry_id)
    named = await who_can_be_named(access)
    state = await known_state(access)
    rest = list(state.enquiries)
    rest.remove(Enquiry(frozenset(row.agencies), Span(row.from_on, row.until_on)))
    after = replace(state, enquiries=tuple(rest))
    changed = changes(state, after, access.at, [one for one in named if one.id in row.agencies])
    names = await worker_names(access.session, [row.created_by])
    return _line(access, row, {one.id: one for one in named}, names), changed, Turn(state, after)


async def end_enquiry(access: Access, enquiry_id: UUID, version: int, why: str) -> None:
    """The enquiry ends, and what it opened closes at once. Raises as `enquiry_of`, Conflict."""
    end_now(access, await _row(access, enquiry_id), version, why)
    await rewrite_access(access.session, access.child_id)


def _require(access: Access) -> None:
    if not may_enquire(access.viewer, access.ties):
        raise NotAllowed(WHO_MAY_ENQUIRE)


async def _row(access: Access, enquiry_id: UUID) -> SharingEnquiry:
    _require(access)
    row = await access.session.get(SharingEnquiry, enquiry_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound("There is no such enquiry.")
    if is_over(row, access.today):
        raise Gone("This enquiry is over already.", "Read the list of enquiries.")
    return row


def _line(
    access: Access, row: SharingEnquiry, named: Mapping[UUID, Named], names: Mapping[UUID, str]
) -> EnquiryLine:
    over = is_over(row, access.today)
    return EnquiryLine(
        id=row.id,
        version=row.version,
        agencies=words_of(row.agencies, named),
        from_on=row.from_on,
        until_on=row.until_on,
        reason=row.reason,
        recorded_by=names.get(row.created_by, ""),
        is_over=over,
        ended_on=None if row.ended_at is None else day_of(row.ended_at),
        ended_by="" if row.ended_by is None else names.get(row.ended_by, ""),
        ended_why=row.ended_why,
        may_end=not over,
    )
