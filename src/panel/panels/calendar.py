"""Terms, panels and their meetings: what is stored, and the days on which a panel meets."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from panel.panels.models import AgendaItem, Meeting, Panel, Referral
from panel.panels.models import ClosedDay as ClosedDayRow
from panel.panels.models import PanelAgency as SeatRow
from panel.panels.models import Term as TermRow
from panel.panels.rules import (
    OF_ITS_KIND,
    Cancelled,
    Moved,
    PanelSettings,
    Reason,
    ReviewMove,
    calendar_end_words,
    effect_on_reviews,
    meeting_dates,
    pack_closes,
    review_place,
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
from panel.platform.ids import new_id
from panel.platform.problems import Clash, Conflict, Invalid, NotFound, Problem
from panel.platform.read_models import ReadModel
from panel.platform.tables import NOW, VIEWER, today_of
from panel.records.gate import rewrite_access
from panel.sharing.shareable import PanelAgency
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
        select(SeatRow.id).where(SeatRow.panel_id == panel.id, SeatRow.agency_id == agency_id)
    )
    if member is None:
        session.add(SeatRow(panel_id=panel.id, agency_id=agency_id))
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
    """The panel's settings: the defaults of its kind, with what this authority changed."""
    known = {field.name for field in fields(PanelSettings)}
    changed: dict[str, Any] = {k: v for k, v in panel.settings.items() if k in known}
    if "agenda_order" in changed:
        changed["agenda_order"] = tuple(Reason(one) for one in changed["agenda_order"])
    for name in ("quorum_kinds", "quorum_roles"):
        if name in changed:
            changed[name] = tuple(changed[name])
    return PanelSettings(**{**OF_ITS_KIND.get(panel.kind, {}), **changed})


class _TermFact(msgspec.Struct):
    first_day: date
    last_day: date
    name: str


class _ClosedFact(msgspec.Struct):
    day: date
    kind: ClosedKind
    name: str


class MeetingFact(msgspec.Struct):
    """A stored meeting: only what was changed, frozen, held or asked about is stored."""

    id: UUID
    slot_on: date
    held_on: date
    state: str
    change_reason: str


class _SeatFact(msgspec.Struct):
    id: UUID
    kind: str
    from_on: date | None
    until_on: date | None


class RhythmFact(msgspec.Struct):
    """The calendar, and what is stored of a panel's meetings and seats."""

    terms: list[_TermFact] | None
    closed: list[_ClosedFact] | None
    agencies: list[_SeatFact] | None
    meetings: list[MeetingFact] | None


RHYTHM = """json_build_object(
  'terms', (SELECT json_agg(json_build_object('first_day', first_day, 'last_day', last_day,
     'name', name) ORDER BY first_day) FROM term),
  'closed', (SELECT json_agg(json_build_object('day', day, 'kind', kind, 'name', name)
     ORDER BY day) FROM closed_day),
  'agencies', (SELECT json_agg(json_build_object('id', g.id, 'kind', g.kind,
     'from_on', m.from_on, 'until_on', m.until_on) ORDER BY g.key)
     FROM panel_agency m JOIN agency g ON g.id = m.agency_id WHERE m.panel_id = p.id),
  'meetings', (SELECT json_agg(json_build_object('id', id, 'slot_on', slot_on,
     'held_on', held_on, 'state', state, 'change_reason', change_reason) ORDER BY slot_on)
     FROM meeting WHERE panel_id = p.id))"""
"""The calendar and the stored meetings of a panel `p`."""
_READ_RHYTHM = ReadModel(f"SELECT {RHYTHM}::text FROM panel p WHERE p.id = :panel", RhythmFact)  # noqa: S608 - fixed parts


@dataclass(frozen=True, slots=True)
class Seat:
    """An agency at a panel's table, from–until."""

    agency: PanelAgency
    from_on: date | None
    until_on: date | None


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A panel's rhythm with the term calendar and what was changed of it: all meeting days."""

    panel: Panel
    calendar: TermCalendar
    stored: tuple[MeetingFact, ...]
    seats: tuple[Seat, ...] = ()

    def agencies_on(self, day: date) -> tuple[PanelAgency, ...]:
        """The member agencies of a day."""
        return tuple(
            seat.agency
            for seat in self.seats
            if (seat.from_on is None or seat.from_on <= day)
            and (seat.until_on is None or seat.until_on >= day)
        )

    @property
    def changes(self) -> list[Cancelled | Moved]:
        """The meetings that were cancelled or moved."""
        return [
            Cancelled(one.slot_on) if one.state == "cancelled" else Moved(one.slot_on, one.held_on)
            for one in self.stored
            if one.state == "cancelled" or one.held_on != one.slot_on
        ]

    def dates(self, start: date, end: date) -> tuple[date, ...]:
        """The days on which the panel meets from one day to another, both included."""
        return self.dates_with(self.changes, start, end)

    def dates_with(
        self, changes: Sequence[Cancelled | Moved], start: date, end: date
    ) -> tuple[date, ...]:
        """The same with other changes than those that are stored."""
        return meeting_dates(
            self.panel.first_on, self.panel.every_days, self.calendar, start, end, changes
        )

    @property
    def all_dates(self) -> tuple[date, ...]:
        """Every known meeting day, to the end of the calendar."""
        end = self.calendar.ends_on or self.panel.first_on
        return self.dates(self.panel.first_on, end)

    def days(self, start: date, end: date) -> tuple[MeetingDay, ...]:
        """The meetings from one day to another, both included."""
        dates = self.dates(start, end)
        by_day = {one.held_on: one for one in self.stored if one.state != "cancelled"}
        meetings = [_meeting_day(day, by_day.get(day)) for day in dates]
        # A meeting that took place stays listed, whatever a newer calendar says of its day.
        meetings += [
            _meeting_day(one.held_on, one)
            for one in self.stored
            if one.state in ("held", "frozen")
            and one.held_on not in dates
            and start <= one.held_on <= end
        ]
        return tuple(sorted(meetings, key=lambda one: one.held_on))

    def cancelled(self, start: date, end: date) -> tuple[MeetingDay, ...]:
        """The meetings that were cancelled, by the day on which they would have been."""
        return tuple(
            _meeting_day(one.slot_on, one)
            for one in self.stored
            if one.state == "cancelled" and start <= one.slot_on <= end
        )


async def panel_rhythm(session: AsyncSession, panel: Panel) -> Rhythm:
    """A panel's rhythm, the calendar and its stored meetings, in one query."""
    fact = await _READ_RHYTHM.line(session, panel=panel.id)
    if fact is None:
        raise NotFound("There is no such panel.")
    return rhythm_from(panel, fact)


def rhythm_from(panel: Panel, fact: RhythmFact) -> Rhythm:
    """The rhythm of a panel from what was read of it."""
    calendar = TermCalendar(
        tuple(Term(one.first_day, one.last_day, one.name) for one in fact.terms or ()),
        tuple(ClosedDay(one.day, one.kind, one.name) for one in fact.closed or ()),
    )
    seats = tuple(
        Seat(PanelAgency(one.id, one.kind), one.from_on, one.until_on)
        for one in fact.agencies or ()
    )
    return Rhythm(panel, calendar, tuple(fact.meetings or ()), seats)


async def meeting_days(session: AsyncSession, panel: Panel, start: date, end: date) -> MeetingDays:
    """A panel's meetings from one day to another, both included, with the calendar applied."""
    rhythm = await panel_rhythm(session, panel)
    ends_on = rhythm.calendar.ends_on
    past_the_end = ends_on is None or end > ends_on
    return MeetingDays(
        panel.key,
        rhythm.days(start, end),
        ends_on,
        calendar_end_words(rhythm.calendar) if past_the_end else "",
    )


def _meeting_day(day: date, stored: MeetingFact | None) -> MeetingDay:
    if stored is None:
        return MeetingDay(day, day, "planned", None)
    return MeetingDay(stored.slot_on, day, stored.state, stored.id, stored.change_reason)


async def meeting_on(session: AsyncSession, panel: Panel, day: date) -> Meeting:
    """The meeting of a day, stored from now on. Raises NotFound, naming the meeting before it."""
    stored = await session.scalar(
        select(Meeting).where(
            Meeting.panel_id == panel.id, Meeting.held_on == day, Meeting.state != "cancelled"
        )
    )
    if stored is not None:
        return stored
    rhythm = await panel_rhythm(session, panel)
    if not rhythm.days(day, day):
        why = why_not_in_term(day, rhythm.calendar) or ""
        raise NotFound(
            f"There is no meeting of {panel.name} on {weekday_words(day)}. {why}".strip(),
            "See the dates with: panel meetings",
        )
    # Two people may open the page for the first time at once: one row, for both.
    now, viewer = session.info[NOW], session.info[VIEWER]
    await session.execute(
        insert(Meeting)
        .values(
            id=new_id(),
            panel_id=panel.id,
            slot_on=day,
            held_on=day,
            state="planned",
            change_reason="",
            version=1,
            created_at=now,
            created_by=viewer,
            changed_at=now,
            changed_by=viewer,
        )
        .on_conflict_do_nothing()
    )
    stored = await session.scalar(
        select(Meeting).where(Meeting.panel_id == panel.id, Meeting.slot_on == day)
    )
    if stored is None or stored.held_on != day:
        raise NotFound(f"There is no meeting of {panel.name} on {weekday_words(day)}.")
    return stored


async def next_meeting_day(session: AsyncSession, panel: Panel, day: date) -> MeetingDay | None:
    """The first meeting on or after a day; None past the end of the calendar."""
    rhythm = await panel_rhythm(session, panel)
    found = rhythm.days(day, day + timedelta(days=400))
    return next((one for one in found if one.state != "held"), None)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a change of a meeting would do, before anyone confirms it."""

    slot_on: date
    to: date | None
    """The new day; None for a cancellation."""
    reviews: tuple[ReviewMove, ...]
    next_on: date | None
    """The meeting after the one that changes: where its children go when it is cancelled."""
    frozen: bool
    """Whether packs are out already: they close with a cancellation, and stay open with a move."""


async def rehearse_change(
    session: AsyncSession, panel: Panel, meeting: Meeting, to: date | None
) -> Rehearsal:
    """What cancelling (None) or moving a meeting does to reviews. Raises Invalid for a bad day."""
    rhythm = await panel_rhythm(session, panel)
    if meeting.state in ("held", "cancelled"):
        raise Problem(409, "This meeting cannot change", f"It is {meeting.state} already.")
    if meeting.held_on < today_of(session):
        raise Problem(409, "This meeting cannot change", "Its day is over.")
    if to is not None and (why := why_not_in_term(to, rhythm.calendar)) is not None:
        raise Invalid.because("to", f"{why} Choose a day in term.")
    before = rhythm.all_dates
    if to == meeting.held_on:
        raise Invalid.because("to", f"The meeting is on {weekday_words(to)} already.")
    if to in before:
        raise Invalid.because("to", f"The panel meets on {weekday_words(to)} already.")
    if to is not None and to < today_of(session):
        raise Invalid.because("to", "Choose today or a later day.")
    changed: Cancelled | Moved = (
        Cancelled(meeting.slot_on) if to is None else Moved(meeting.slot_on, to)
    )
    others = [one for one in rhythm.changes if one.slot != meeting.slot_on]
    end = rhythm.calendar.ends_on or panel.first_on
    after = rhythm.dates_with([*others, changed], panel.first_on, end)
    return Rehearsal(
        meeting.slot_on,
        to,
        effect_on_reviews(await _reviews(session, panel), before, after),
        min((day for day in after if day > meeting.held_on), default=None),
        meeting.state == "frozen",
    )


async def _reviews(session: AsyncSession, panel: Panel) -> list[tuple[UUID, date, date]]:
    # From child_access, so that a wide viewer's list uses its index (TRAPS.md).
    rows = await session.execute(
        text(
            "SELECT f.child_id, f.last_discussed_on, f.next_review_by FROM child_access a"
            " JOIN referral f ON f.child_id = a.child_id"
            " WHERE a.viewer_id = :viewer AND f.panel_id = :panel AND f.state <> 'closed'"
            " AND f.last_discussed_on IS NOT NULL AND f.next_review_by IS NOT NULL"
            " AND f.rests_from IS NULL"
        ),
        {"viewer": session.info[VIEWER], "panel": panel.id},
    )
    return [(row.child_id, row.last_discussed_on, row.next_review_by) for row in rows]


@dataclass(frozen=True, slots=True)
class ReviewLoad:
    """How many reviews wait for a meeting: placed there, and overdue ones that it gets first."""

    meeting: MeetingDay
    placed: int
    overdue: int


async def review_load(
    session: AsyncSession, panel: Panel, start: date, end: date
) -> list[ReviewLoad]:
    """The meetings of a stretch, each with the reviews that are due there."""
    rhythm = await panel_rhythm(session, panel)
    dates = rhythm.all_dates
    placed: dict[date, int] = {}
    overdue: dict[date, int] = {}
    for _, discussed, due in await _reviews(session, panel):
        # A review whose meeting has passed without it goes to the next one, overdue.
        found = review_place(max(discussed, start - timedelta(days=1)), due, dates).meeting
        on = found or min((day for day in dates if day >= max(start, discussed)), default=None)
        if on is not None:
            placed[on] = placed.get(on, 0) + 1
            if on > due:
                overdue[on] = overdue.get(on, 0) + 1
    return [
        ReviewLoad(one, placed.get(one.held_on, 0), overdue.get(one.held_on, 0))
        for one in rhythm.days(start, end)
    ]


async def change_meeting(
    session: AsyncSession,
    panel: Panel,
    meeting: Meeting,
    to: date | None,
    reason: str,
    version: int,
) -> Rehearsal:
    """Cancel (None) or move a meeting, with a reason. Raises Conflict when it changed meanwhile.

    Reviews find their new meeting; a frozen agenda moves with its packs, or is cancelled with
    them, and its children wait as put off. An urgent child goes where the meeting goes, or to the
    next one.
    """
    if not reason.strip():
        raise Invalid.because("reason", "Say why the meeting changes: members will ask.")
    await session.refresh(meeting, with_for_update=True)
    if meeting.version != version:
        now = "cancelled" if meeting.state == "cancelled" else day_words(meeting.held_on)
        wanted = "cancelled" if to is None else day_words(to)
        raise Conflict((Clash("The meeting", wanted, now),))
    rehearsed = await rehearse_change(session, panel, meeting, to)
    was_on = meeting.held_on
    if to is None:
        meeting.state = "cancelled"
    else:
        meeting.held_on = to
    meeting.change_reason = reason.strip()
    await session.flush()
    await _place_reviews(session, panel, rehearsed)
    await _carry_urgent(session, panel, was_on, to or rehearsed.next_on)
    if rehearsed.frozen:
        await _carry_items(session, panel, meeting, was_on)
    return rehearsed


async def _place_reviews(session: AsyncSession, panel: Panel, rehearsed: Rehearsal) -> None:
    moved = {move.child_id: move.after for move in rehearsed.reviews}
    if not moved:
        return
    rows = await session.scalars(
        select(Referral).where(
            Referral.panel_id == panel.id,
            Referral.state != "closed",
            Referral.child_id.in_(moved),
        )
    )
    for row in rows:
        day = moved[row.child_id]
        row.review_meeting_id = None if day is None else (await meeting_on(session, panel, day)).id
    await session.flush()


async def _carry_urgent(session: AsyncSession, panel: Panel, was_on: date, to: date | None) -> None:
    rows = await session.scalars(
        select(Referral).where(Referral.panel_id == panel.id, Referral.urgent_on == was_on)
    )
    for row in rows:
        row.urgent_on = to
    await session.flush()


async def _carry_items(session: AsyncSession, panel: Panel, meeting: Meeting, was_on: date) -> None:
    calendar = await load_calendar(session)
    until = pack_closes(meeting.held_on, settings_of(panel).pack_working_days, calendar)
    rows = list(
        await session.scalars(
            select(AgendaItem).where(
                AgendaItem.meeting_id == meeting.id, AgendaItem.state == "listed"
            )
        )
    )
    for row in rows:
        row.pack_until = until
        if meeting.state == "cancelled":
            row.state = "removed"
    if meeting.state == "cancelled":
        waiting = await session.scalars(
            select(Referral).where(
                Referral.panel_id == panel.id,
                Referral.state != "closed",
                Referral.child_id.in_([row.child_id for row in rows]),
            )
        )
        for one in waiting:
            one.deferred_on = one.deferred_on or was_on
    for row in rows:
        await rewrite_access(session, row.child_id)
