"""Terms, panels and their meetings: what is stored, and the days on which a panel meets."""

from dataclasses import dataclass, fields
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.panels.models import ClosedDay as ClosedDayRow
from panel.panels.models import Meeting, Panel, PanelAgency, Referral
from panel.panels.models import Term as TermRow
from panel.panels.rules import (
    Cancelled,
    Moved,
    PanelSettings,
    Reason,
    ReviewMove,
    calendar_end_words,
    effect_on_reviews,
    meeting_dates,
    why_not_in_term,
)
from panel.panels.terms import (
    ClosedDay,
    ClosedKind,
    MergedCalendar,
    Term,
    TermCalendar,
    TermReading,
    UnreadableCalendar,
    merge_calendars,
    read_terms,
)
from panel.platform.problems import Clash, Conflict, Invalid, NotFound, Problem
from panel.web.words import day as weekday_words
from panel.web.words import short_day as day_words

USUAL_START = time(9, 30)
KINDS = ("contacts", "allocation")


@dataclass(frozen=True, slots=True)
class MeetingDay:
    """One meeting of a panel: its place in the rhythm, its day, and how far it is."""

    slot_on: date
    held_on: date
    state: str
    meeting_id: UUID | None
    change_reason: str = ""


@dataclass(frozen=True, slots=True)
class MeetingDays:
    """A panel's meetings over a stretch, and what to know about the end of the calendar."""

    panel: str
    meetings: tuple[MeetingDay, ...]
    calendar_ends_on: date | None
    note: str
    """Says that the calendar ends, when the stretch reaches past it."""


@dataclass(frozen=True, slots=True)
class ImportedTerms:
    """What an import of a term calendar did."""

    reading: TermReading
    merged: MergedCalendar


async def load_calendar(session: AsyncSession) -> TermCalendar:
    """The authority's terms and closed days."""
    terms = await session.scalars(select(TermRow).order_by(TermRow.first_day))
    closed = await session.scalars(select(ClosedDayRow).order_by(ClosedDayRow.day))
    return TermCalendar(
        tuple(Term(row.first_day, row.last_day, row.name) for row in terms),
        tuple(ClosedDay(row.day, ClosedKind(row.kind), row.name) for row in closed),
    )


async def import_terms(session: AsyncSession, content: bytes) -> ImportedTerms:
    """Take a term calendar in; what it does not speak of stays. Raises Invalid, takes nothing."""
    try:
        reading = read_terms(content)
    except UnreadableCalendar as error:
        raise Invalid.because("file", str(error)) from error
    merged = merge_calendars(await load_calendar(session), reading.calendar)
    await session.execute(delete(TermRow))
    await session.execute(delete(ClosedDayRow))
    session.add_all(
        TermRow(first_day=term.first_day, last_day=term.last_day, name=term.name)
        for term in merged.calendar.terms
    )
    session.add_all(
        ClosedDayRow(day=closed.day, kind=closed.kind.value, name=closed.name)
        for closed in merged.calendar.closed
    )
    await session.flush()
    return ImportedTerms(reading, merged)


async def add_panel(
    session: AsyncSession,
    *,
    key: str,
    kind: str,
    first_on: date,
    every_days: int = 14,
    name: str = "",
    starts_at: time = USUAL_START,
    place: str = "",
) -> Panel:
    """A new panel and its rhythm. Raises Invalid for a key that is taken or a rhythm of none."""
    if kind not in KINDS:
        raise Invalid.because("kind", f"A panel is one of: {', '.join(KINDS)}.")
    if every_days < 1:
        raise Invalid.because("every", "A panel meets every so many days: give 1 or more.")
    if await session.scalar(select(Panel.id).where(Panel.key == key)) is not None:
        raise Invalid.because("key", f"There is a panel called {key} already.")
    panel = Panel(
        key=key,
        kind=kind,
        name=name or {"contacts": "CONTACTS panel", "allocation": "Allocation panel"}[kind],
        first_on=first_on,
        every_days=every_days,
        starts_at=starts_at,
        place=place,
        settings={},
    )
    session.add(panel)
    await session.flush()
    return panel


async def join_panel(session: AsyncSession, panel: Panel, agency_id: UUID) -> None:
    """Make an agency a member of a panel; once is enough."""
    member = await session.scalar(
        select(PanelAgency.id).where(
            PanelAgency.panel_id == panel.id, PanelAgency.agency_id == agency_id
        )
    )
    if member is None:
        session.add(PanelAgency(panel_id=panel.id, agency_id=agency_id))
        await session.flush()


async def panel_by_key(session: AsyncSession, key: str) -> Panel:
    """The panel of a key. Raises NotFound, naming those that there are."""
    found = await session.scalar(select(Panel).where(Panel.key == key))
    if found is None:
        keys = list(await session.scalars(select(Panel.key).order_by(Panel.key)))
        known = f"There are: {', '.join(keys)}." if keys else "Add one with: panel panels add"
        raise NotFound(f"There is no panel called {key}.", known)
    return found


def settings_of(panel: Panel) -> PanelSettings:
    """The panel's settings: the defaults, with what this authority changed."""
    known = {field.name for field in fields(PanelSettings)}
    changed: dict[str, Any] = {k: v for k, v in panel.settings.items() if k in known}
    if "agenda_order" in changed:
        changed["agenda_order"] = tuple(Reason(one) for one in changed["agenda_order"])
    for name in ("quorum_kinds", "quorum_roles"):
        if name in changed:
            changed[name] = tuple(changed[name])
    return PanelSettings(**changed)


async def _meetings_by_slot(session: AsyncSession, panel: Panel) -> dict[date, Meeting]:
    rows = await session.scalars(select(Meeting).where(Meeting.panel_id == panel.id))
    return {row.slot_on: row for row in rows}


def _changes(stored: dict[date, Meeting]) -> list[Cancelled | Moved]:
    changes: list[Cancelled | Moved] = []
    for slot, row in stored.items():
        if row.state == "cancelled":
            changes.append(Cancelled(slot))
        elif row.held_on != slot:
            changes.append(Moved(slot, row.held_on))
    return changes


async def meeting_days(session: AsyncSession, panel: Panel, start: date, end: date) -> MeetingDays:
    """A panel's meetings from one day to another, both included, with the calendar applied."""
    calendar = await load_calendar(session)
    stored = await _meetings_by_slot(session, panel)
    days = meeting_dates(panel.first_on, panel.every_days, calendar, start, end, _changes(stored))
    by_day = {row.held_on: row for row in stored.values() if row.state != "cancelled"}
    meetings = [_meeting_day(day, by_day.get(day)) for day in days]
    # A meeting that took place stays listed, whatever a newer calendar says of its day.
    meetings += [
        _meeting_day(row.held_on, row)
        for row in stored.values()
        if row.state in ("held", "frozen")
        and row.held_on not in days
        and start <= row.held_on <= end
    ]
    ends_on = calendar.ends_on
    past_the_end = ends_on is None or end > ends_on
    return MeetingDays(
        panel.key,
        tuple(sorted(meetings, key=lambda one: one.held_on)),
        ends_on,
        calendar_end_words(calendar) if past_the_end else "",
    )


def _meeting_day(day: date, row: Meeting | None) -> MeetingDay:
    if row is None:
        return MeetingDay(day, day, "planned", None)
    return MeetingDay(row.slot_on, row.held_on, row.state, row.id, row.change_reason)


async def all_meeting_dates(session: AsyncSession, panel: Panel, start: date) -> tuple[date, ...]:
    """Every known meeting date from a day on, to the end of the calendar."""
    found = await meeting_days(session, panel, start, start + timedelta(days=3 * 366))
    return tuple(one.held_on for one in found.meetings)


async def meeting_on(session: AsyncSession, panel: Panel, day: date) -> Meeting:
    """The meeting of a day, stored from now on. Raises NotFound, naming the meeting before it."""
    stored = await session.scalar(
        select(Meeting).where(
            Meeting.panel_id == panel.id, Meeting.held_on == day, Meeting.state != "cancelled"
        )
    )
    if stored is not None:
        return stored
    found = await meeting_days(session, panel, day, day)
    if not found.meetings:
        why = why_not_in_term(day, await load_calendar(session)) or ""
        raise NotFound(
            f"There is no meeting of {panel.name} on {weekday_words(day)}. {why}".strip(),
            "See the dates with: panel meetings",
        )
    meeting = Meeting(panel_id=panel.id, slot_on=day, held_on=day, state="planned")
    session.add(meeting)
    await session.flush()
    return meeting


async def next_meeting_day(session: AsyncSession, panel: Panel, day: date) -> MeetingDay | None:
    """The first meeting on or after a day; None past the end of the calendar."""
    found = await meeting_days(session, panel, day, day + timedelta(days=400))
    return next((one for one in found.meetings if one.state != "held"), None)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a change of a meeting would do, before anyone confirms it."""

    slot_on: date
    to: date | None
    """The new day; None for a cancellation."""
    reviews: tuple[ReviewMove, ...]


async def rehearse_change(
    session: AsyncSession, panel: Panel, meeting: Meeting, to: date | None
) -> Rehearsal:
    """What cancelling (None) or moving a meeting does to reviews. Raises Invalid for a bad day."""
    calendar = await load_calendar(session)
    if meeting.state in ("held", "cancelled"):
        raise Problem(409, "This meeting cannot change", f"It is {meeting.state} already.")
    if to is not None and (why := why_not_in_term(to, calendar)) is not None:
        raise Invalid.because("to", f"{why} Choose a day in term.")
    stored = await _meetings_by_slot(session, panel)
    start, end = panel.first_on, calendar.ends_on or panel.first_on
    before = meeting_dates(panel.first_on, panel.every_days, calendar, start, end, _changes(stored))
    if to is not None and to in before and to != meeting.held_on:
        raise Invalid.because("to", f"The panel meets on {weekday_words(to)} already.")
    others = [one for one in _changes(stored) if one.slot != meeting.slot_on]
    changed: Cancelled | Moved = (
        Cancelled(meeting.slot_on) if to is None else Moved(meeting.slot_on, to)
    )
    after = meeting_dates(
        panel.first_on, panel.every_days, calendar, start, end, [*others, changed]
    )
    return Rehearsal(
        meeting.slot_on, to, effect_on_reviews(await _reviews(session, panel), before, after)
    )


async def _reviews(session: AsyncSession, panel: Panel) -> list[tuple[UUID, date, date]]:
    rows = await session.execute(
        select(Referral.child_id, Referral.last_discussed_on, Referral.next_review_by).where(
            Referral.panel_id == panel.id,
            Referral.state != "closed",
            Referral.last_discussed_on.is_not(None),
            Referral.next_review_by.is_not(None),
        )
    )
    return [
        (child, discussed, due)
        for child, discussed, due in rows
        if discussed is not None and due is not None
    ]


async def change_meeting(
    session: AsyncSession,
    panel: Panel,
    meeting: Meeting,
    to: date | None,
    reason: str,
    version: int,
) -> Rehearsal:
    """Cancel (None) or move a meeting, with a reason. Raises Conflict when it changed meanwhile."""
    if not reason.strip():
        raise Invalid.because("reason", "Say why the meeting changes: members will ask.")
    if meeting.version != version:
        now = "cancelled" if meeting.state == "cancelled" else day_words(meeting.held_on)
        wanted = "cancelled" if to is None else day_words(to)
        raise Conflict((Clash("The meeting", wanted, now),))
    rehearsed = await rehearse_change(session, panel, meeting, to)
    if to is None:
        meeting.state = "cancelled"
    else:
        meeting.held_on = to
    meeting.change_reason = reason.strip()
    await session.flush()
    return rehearsed
