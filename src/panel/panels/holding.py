"""Holding a meeting: it begins, each child is talked about, and it ends; each step once."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Viewer
from panel.panels.attendance import Table, hold_open, mark, refuse_closed
from panel.panels.calendar import panel_rhythm
from panel.panels.meeting_rules import (
    Presence,
    recording_mistake,
    review_mistake,
    waits_since,
)
from panel.panels.models import (
    AgendaItem,
    DeclaredInterest,
    Discussion,
    Meeting,
    Panel,
)
from panel.panels.referrals import open_referral, record_discussed
from panel.panels.shared_view import SharedView
from panel.platform.problems import Clash, Conflict, Invalid, NotAllowed, NotFound, Problem
from panel.platform.tables import NOW, VIEWER, today_of
from panel.records.gate import NOT_HERE, Access
from panel.web.words import day as day_words
from panel.web.words import short_day

# The meeting --------------------------------------------------------------------------------------


async def begin(session: AsyncSession, panel: Panel, meeting: Meeting, viewer: Viewer) -> None:
    """The meeting begins, with or without a quorum; once is enough. Whoever begins it is here.

    Raises Problem before its day, and where it is not settled or has ended.
    """
    await hold_open(session, meeting)
    if today_of(session) < meeting.held_on:
        raise Problem(
            409,
            "It is not the day yet",
            f"This meeting is on {day_words(meeting.held_on)}, and can begin on that day.",
        )
    if meeting.began_at is None:
        meeting.began_at = session.info[NOW]
        await session.flush()
        await mark(session, panel, meeting, {viewer.id: Presence.HERE})


async def end(session: AsyncSession, panel: Panel, meeting: Meeting) -> None:
    """The meeting ends: whoever was not reached waits for the next one. Once is enough.

    Two people at once: the first ends it, the second waits and finds it ended.
    """
    await session.refresh(meeting, with_for_update=True)
    if meeting.state == "held":
        return
    refuse_closed(meeting)
    if meeting.began_at is None:
        raise Problem(
            409,
            "This meeting has not begun",
            "A meeting that has not begun cannot end.",
            "Begin it first, or cancel it on the agenda’s page.",
        )
    rows = list(
        await session.scalars(
            select(AgendaItem).where(
                AgendaItem.meeting_id == meeting.id, AgendaItem.state == "listed"
            )
        )
    )
    following = await _day_after(session, panel, meeting.held_on) if rows else None
    for row in rows:
        row.state = "not_reached"
        referral = await open_referral(session, row.child_id, panel.id)
        if referral is None:
            continue
        referral.deferred_on = waits_since(
            referral.deferred_on, referral.last_discussed_on, meeting.held_on
        )
        if referral.urgent_on == meeting.held_on:
            # Taken although something is missing: the chair's word goes with the child.
            referral.urgent_on = following
    meeting.state, meeting.ended_at = "held", session.info[NOW]
    await session.flush()


async def _day_after(session: AsyncSession, panel: Panel, day: date) -> date | None:
    """The panel's next meeting after a day; None past the end of the calendar."""
    dates = (await panel_rhythm(session, panel)).all_dates
    return min((one for one in dates if one > day), default=None)


async def confirm_minutes(session: AsyncSession, panel: Panel, meeting: Meeting) -> None:
    """A later meeting, while it is held, confirms the minutes of this one; once is enough."""
    await session.refresh(meeting, with_for_update=True)
    if meeting.confirmed_at is not None:
        return
    if meeting.state != "held":
        raise Problem(409, "There are no minutes yet", "This meeting has not ended.")
    if not await later_is_under_way(session, panel, meeting):
        raise Problem(
            409,
            "Minutes are confirmed at the next meeting",
            "No later meeting of this panel is under way.",
            "Begin the next meeting, and confirm them there.",
        )
    meeting.confirmed_at, meeting.confirmed_by = session.info[NOW], session.info[VIEWER]
    await session.flush()


async def later_is_under_way(session: AsyncSession, panel: Panel, meeting: Meeting) -> bool:
    """Whether a later meeting of the panel has begun and not ended."""
    found = await session.scalar(
        select(Meeting.id)
        .where(
            Meeting.panel_id == panel.id,
            Meeting.held_on > meeting.held_on,
            Meeting.began_at.is_not(None),
            Meeting.ended_at.is_(None),
        )
        .limit(1)
    )
    return found is not None


# One child --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AtItem:
    """A child's item while the meeting is under way, and whose access does the work."""

    panel: Panel
    meeting: Meeting
    table: Table
    view: SharedView
    item: AgendaItem

    @property
    def access(self) -> Access:
        """Of whoever works on it."""
        return self.view.access

    @property
    def session(self) -> AsyncSession:
        """The transaction."""
        return self.access.session


async def at_item(panel: Panel, meeting: Meeting, table: Table, view: SharedView) -> AtItem:
    """The child's item, for somebody at the table to work on; the meeting cannot end meanwhile.

    Raises Problem before the meeting begins and after it ended, NotAllowed for somebody who is
    not here or who left the item, NotFound for a child who is not on the agenda.
    """
    access, session = view.access, view.access.session
    # Several write at once; only the end of the meeting waits for them.
    await session.refresh(meeting, with_for_update={"read": True})
    refuse_closed(meeting)
    if meeting.began_at is None:
        raise Problem(
            409,
            "This meeting has not begun",
            "What is said is written down once the meeting has begun.",
            "Begin it on the meeting’s page.",
        )
    person = table.person(access.viewer.id)
    if person is None or not person.is_here:
        raise NotAllowed(
            "You are not written down as here, so nothing was added.",
            "Ask the coordinator to tick your name on the meeting’s page.",
        )
    item = await item_of(session, meeting, access.child_id)
    if await interest_of(session, meeting, access.child_id, access.viewer.id) is not None:
        raise NotAllowed(
            "You declared an interest in this child, so you leave this item.",
            "Go to the next child.",
        )
    return AtItem(panel, meeting, table, view, item)


async def item_of(session: AsyncSession, meeting: Meeting, child_id: UUID) -> AgendaItem:
    """The child's item on this agenda. Raises NotFound."""
    row = await session.scalar(
        select(AgendaItem).where(
            AgendaItem.meeting_id == meeting.id,
            AgendaItem.child_id == child_id,
            AgendaItem.state != "removed",
        )
    )
    if row is None:
        raise NotFound(NOT_HERE)
    return row


async def contribute(
    at: AtItem,
    *,
    text: str,
    heading: str,
    category: Category,
    for_family: bool,
    client_id: UUID,
) -> Discussion:
    """Add what somebody says, under their own agency; the same `client_id` is kept once.

    Raises Problem where the panel may not record it: CONTACTS decides nothing.
    """
    if mistake := recording_mistake(at.panel.kind, heading):
        raise Problem(409, "This is not recorded here", f"{mistake}.")
    agency = at.access.viewer.agency
    if agency is None:
        raise NotAllowed("Only a worker of an agency can add to a discussion.")
    if (known := await _with_client_id(at, client_id)) is not None:
        return known
    said = Discussion(
        child_id=at.access.child_id,
        meeting_id=at.meeting.id,
        author_agency_id=agency,
        worker_id=at.access.viewer.id,
        said_at=at.session.info[NOW],
        client_id=client_id,
        heading=heading,
        category=category.value,
        for_family=for_family,
        text=text,
    )
    try:
        async with at.session.begin_nested():
            at.session.add(said)
    except IntegrityError:
        # Sent twice at the same moment: the other one is kept.
        known = await _with_client_id(at, client_id)
        if known is None:
            raise _another_form() from None
        return known
    return said


async def _with_client_id(at: AtItem, client_id: UUID) -> Discussion | None:
    known: Discussion | None = await at.session.scalar(
        select(Discussion).where(Discussion.client_id == client_id)
    )
    if known is None:
        return None
    mine = known.child_id == at.access.child_id and known.worker_id == at.access.viewer.id
    if not mine or known.meeting_id != at.meeting.id:
        raise _another_form()
    return known


def _another_form() -> Problem:
    return Problem(
        409,
        "This form was used already",
        "What you wrote was not added.",
        "Go back, copy what you wrote, reload the page and add it again.",
    )


async def take_back(at: AtItem, discussion_id: UUID, why: str) -> None:
    """Somebody takes back what they wrote themselves, with a reason; the trail keeps it."""
    row = await at.session.get(Discussion, discussion_id, with_for_update=True)
    if row is None or row.child_id != at.access.child_id or row.meeting_id != at.meeting.id:
        raise NotFound(NOT_HERE)
    if row.worker_id != at.access.viewer.id:
        raise NotAllowed("You can take back only what you wrote yourself.", "Ask who wrote it.")
    if row.taken_back_at is None:
        row.taken_back_at, row.taken_back_by = at.session.info[NOW], at.access.viewer.id
        row.taken_back_why = why
        await at.session.flush()


# Interests ----------------------------------------------------------------------------------------


async def interest_of(
    session: AsyncSession, meeting: Meeting, child_id: UUID, worker_id: UUID
) -> DeclaredInterest | None:
    """The interest that somebody declared in a child at a meeting; None where there is none."""
    found: DeclaredInterest | None = await session.scalar(
        select(DeclaredInterest).where(
            DeclaredInterest.meeting_id == meeting.id,
            DeclaredInterest.child_id == child_id,
            DeclaredInterest.worker_id == worker_id,
            DeclaredInterest.taken_back_at.is_(None),
        )
    )
    return found


async def declare_interest(at: AtItem, worker_id: UUID, reason: str) -> None:
    """Somebody at the table is too near to this child, and leaves the item; once is enough."""
    person = at.table.person(worker_id)
    if person is None or person.is_substitute:
        raise Invalid.because("worker", "Choose somebody who sits on this panel")
    row = await at.session.scalar(
        select(DeclaredInterest)
        .where(
            DeclaredInterest.meeting_id == at.meeting.id,
            DeclaredInterest.child_id == at.access.child_id,
            DeclaredInterest.worker_id == worker_id,
        )
        .with_for_update()
    )
    if row is None:
        row = DeclaredInterest(
            child_id=at.access.child_id, meeting_id=at.meeting.id, worker_id=worker_id
        )
        at.session.add(row)
    row.reason, row.declared_at, row.taken_back_at = reason, at.session.info[NOW], None
    await at.session.flush()


async def take_interest_back(at: AtItem, worker_id: UUID) -> None:
    """An interest that was declared by mistake: the person comes back to the item."""
    row = await interest_of(at.session, at.meeting, at.access.child_id, worker_id)
    if row is not None:
        row.taken_back_at = at.session.info[NOW]
        await at.session.flush()


# The child is done --------------------------------------------------------------------------------


async def place_review(at: AtItem, *, review_by: date, why: str, version: int) -> None:
    """The panel wants the child back by another day than the rules propose, and says why.

    Raises Invalid for a day that cannot be, Conflict where somebody changed it meanwhile.
    """
    if mistake := review_mistake(review_by, at.meeting.held_on):
        raise Invalid.because("review_by", mistake)
    item = at.item
    await at.session.refresh(item, with_for_update=True)
    if item.version != version:
        theirs = "As proposed" if item.review_by is None else short_day(item.review_by)
        raise Conflict((Clash("Review by", short_day(review_by), theirs),))
    item.review_by, item.review_why = review_by, why
    if item.state == "discussed":
        await _record(at)
    await at.session.flush()


class _Before(msgspec.Struct):
    """A referral as it was before its child was marked as done."""

    state: str
    first_panel_on: date | None
    last_discussed_on: date | None
    next_review_by: date | None
    review_meeting_id: UUID | None
    deferred_on: date | None


_BEFORE = _Before.__struct_fields__


async def done(at: AtItem) -> None:
    """The panel has talked about the child: the next review is placed. Once is enough."""
    await at.session.refresh(at.item, with_for_update=True)
    if at.item.state == "discussed":
        return
    at.item.state, at.item.discussed_at = "discussed", at.session.info[NOW]
    referral = await open_referral(at.session, at.access.child_id, at.panel.id)
    if referral is not None:
        before = {name: getattr(referral, name) for name in _BEFORE}
        at.item.before = msgspec.to_builtins(before)
    await _record(at)
    await at.session.flush()


async def not_done(at: AtItem) -> None:
    """Somebody marked the wrong child as done: the child waits again, with the dates of before."""
    await at.session.refresh(at.item, with_for_update=True)
    if at.item.state != "discussed":
        return
    referral = await open_referral(at.session, at.access.child_id, at.panel.id)
    if referral is not None and at.item.before is not None:
        for name, value in msgspec.structs.asdict(msgspec.convert(at.item.before, _Before)).items():
            setattr(referral, name, value)
    at.item.state, at.item.discussed_at, at.item.before = "listed", None, None
    await at.session.flush()


async def _record(at: AtItem) -> None:
    referral = await open_referral(at.session, at.access.child_id, at.panel.id)
    if referral is not None:
        await record_discussed(
            at.session, referral, at.panel, at.meeting.held_on, at.item.review_by
        )
