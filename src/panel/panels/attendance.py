"""Who is at a meeting: read for its pages, and written down as people come, stand in and leave."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role, Viewer, ViewerKind
from panel.panels.calendar import settings_of
from panel.panels.meeting_rules import (
    Person,
    Presence,
    attendees,
    chair_now,
    leaving_mistake,
)
from panel.panels.models import Attendance, Meeting, Panel
from panel.panels.reading import AgencySeats, Seat, seats_of
from panel.panels.rules import Attendee, Quorum, quorum
from panel.platform.problems import Invalid, Problem
from panel.platform.tables import NOW, today_of
from panel.platform.tenancy import load_keys
from panel.sharing.shareable import AtTheTable
from panel.web.words import day as day_words


@dataclass(frozen=True, slots=True)
class Table:
    """A meeting's table: everybody who has a seat, substitutes, and whether there is a quorum."""

    people: tuple[Person, ...]
    quorum: Quorum
    agencies: tuple[AgencySeats, ...]

    @property
    def here(self) -> list[Person]:
        """Who is in the room now."""
        return [one for one in self.people if one.is_here]

    @property
    def chair(self) -> Person | None:
        """Who chairs now."""
        return chair_now(self.people)

    def person(self, person_id: UUID | None) -> Person | None:
        """Somebody of the table."""
        return next((one for one in self.people if one.id == person_id), None)

    def looking(self, viewer: Viewer) -> list[AtTheTable]:
        """Who looks at the meeting's screen: everybody here, and whoever holds the page.

        While nobody is written down as here, every member agency is thought to be.
        """
        seen = [_at_the_table(one) for one in self.here if one.id != viewer.id]
        if not self.here:
            seen = [_pack(one) for one in self.agencies if one.member]
        own = self.person(viewer.id)
        return seen if own is None else [*seen, _at_the_table(own, viewer)]


def _at_the_table(person: Person, viewer: Viewer | None = None) -> AtTheTable:
    roles = frozenset(Role(role) for role in person.roles)
    # Somebody whose name was typed looks for their agency, or as the one whose place they take.
    by_hand = Viewer(
        person.id,
        ViewerKind.WORKER if roles else ViewerKind.AGENCY,
        person.agency_id,
        person.agency_kind,
        roles,
    )
    return AtTheTable(viewer or by_hand, person.is_member, person.runs)


def _pack(agency: AgencySeats) -> AtTheTable:
    viewer = Viewer(agency.id, ViewerKind.AGENCY, agency.id, agency.kind)
    return AtTheTable(viewer, for_member=True)


async def table_of(session: AsyncSession, panel: Panel, meeting: Meeting) -> Table:
    """The table of a meeting, with what is written down of who came."""
    agencies = await seats_of(session, meeting.id)
    rows = list(
        await session.scalars(
            select(Attendance)
            .where(Attendance.meeting_id == meeting.id)
            .order_by(Attendance.created_at, Attendance.id)
        )
    )
    people = _people(agencies, {row.worker_id: row for row in rows if row.worker_id})
    await load_keys(session, {row.agency_id for row in rows if row.worker_id is None})
    by_id = {agency.id: agency for agency in agencies}
    names = {one.id: one for one in people}
    substitutes = [
        _substitute(row, by_id[row.agency_id], names.get(row.stands_in_for or row.id))
        for row in rows
        if row.worker_id is None and row.agency_id in by_id
    ]
    everybody = (*people, *substitutes)
    return Table(everybody, quorum_of(panel, attendees(everybody)), tuple(agencies))


def quorum_of(
    panel: Panel, attending: Collection[Attendee], spared: Collection[str] = ()
) -> Quorum:
    """Whether so many of the right people are enough for this panel.

    `spared` are roles that need not be there this time, though the panel asks for them.
    """
    settings = settings_of(panel)
    roles = [role for role in settings.quorum_roles if role not in spared]
    return quorum(attending, settings.quorum_minimum, settings.quorum_kinds, roles)


def _people(
    agencies: Collection[AgencySeats], rows: Mapping[UUID | None, Attendance]
) -> list[Person]:
    return [
        _person(agency, seat, rows.get(seat.worker_id))
        for agency in agencies
        for seat in agency.seats
    ]


def _person(agency: AgencySeats, seat: Seat, row: Attendance | None) -> Person:
    return Person(
        seat.worker_id,
        seat.name,
        agency.id,
        agency.name,
        agency.kind,
        agency.member,
        frozenset(seat.roles),
        None if row is None else Presence(row.state),
        None if row is None else row.here_at,
        None if row is None else row.left_at,
        None if row is None else row.chaired_from,
    )


def _substitute(row: Attendance, agency: AgencySeats, stands_in_for: Person | None) -> Person:
    # A substitute counts for whom they stand in for.
    roles = frozenset() if stands_in_for is None else stands_in_for.roles
    return Person(
        row.id,
        row.name,
        agency.id,
        agency.name,
        agency.kind,
        agency.member,
        roles,
        Presence(row.state),
        row.here_at,
        row.left_at,
        row.chaired_from,
        is_substitute=True,
        stands_in_for="" if stands_in_for is None else stands_in_for.name,
    )


# Writing it down ----------------------------------------------------------------------------------


async def hold_open(session: AsyncSession, meeting: Meeting) -> None:
    """Read the meeting anew and hold it until this transaction ends.

    Raises Problem before its agenda is frozen, and once it has ended.
    """
    await session.refresh(meeting, with_for_update=True)
    refuse_closed(meeting)


def refuse_closed(meeting: Meeting) -> None:
    """Raise Problem before the agenda is frozen, and once the meeting has ended."""
    if meeting.state == "held":
        raise Problem(
            409,
            "This meeting has ended",
            f"The meeting of {day_words(meeting.held_on)} is over, so nothing was added.",
            "Read its minutes. What has to be put right is put right on the child’s record.",
        )
    if meeting.frozen_at is None or meeting.state != "frozen":
        raise Problem(
            409,
            "The agenda is not settled yet",
            f"The meeting of {day_words(meeting.held_on)} is held when its agenda is frozen.",
            "Freeze the agenda first.",
        )


async def mark(
    session: AsyncSession, panel: Panel, meeting: Meeting, marks: Mapping[UUID, Presence]
) -> None:
    """Write down where people of the table are; who is not named stays as they are.

    Where nobody chairs, the first who is here in the role of chair takes the chair.
    Raises Invalid for somebody without a seat, and for who is here before the day has come.
    """
    await hold_open(session, meeting)
    table = await table_of(session, panel, meeting)
    now: datetime = session.info[NOW]
    early = today_of(session) < meeting.held_on
    is_chaired = table.chair is not None
    for worker_id, presence in marks.items():
        person = table.person(worker_id)
        if person is None or person.is_substitute:
            raise Invalid.because("here", "Choose people who sit on this panel")
        if early and presence is Presence.HERE:
            said = f"Nobody can be here before {day_words(meeting.held_on)}"
            raise Invalid.because("here", said)
        row = await _row(session, meeting, person)
        _place(row, presence, now)
        if presence is Presence.HERE and Role.CHAIR in person.roles and not is_chaired:
            row.chaired_from, is_chaired = now, True
    await session.flush()


async def _row(session: AsyncSession, meeting: Meeting, person: Person) -> Attendance:
    where = (
        Attendance.id == person.id if person.is_substitute else Attendance.worker_id == person.id
    )
    row: Attendance | None = await session.scalar(
        select(Attendance).where(Attendance.meeting_id == meeting.id, where)
    )
    if row is None:
        row = Attendance(
            meeting_id=meeting.id,
            agency_id=person.agency_id,
            worker_id=person.id,
            state=Presence.ABSENT.value,
        )
        session.add(row)
    return row


def _place(row: Attendance, presence: Presence, now: datetime) -> None:
    row.state = presence.value
    if presence is Presence.HERE:
        row.here_at, row.left_at = row.here_at or now, None
    elif presence is Presence.LEFT:
        row.left_at = now
    else:
        row.here_at = row.left_at = row.chaired_from = None


async def add_substitute(
    session: AsyncSession,
    panel: Panel,
    meeting: Meeting,
    *,
    name: str,
    agency_id: UUID,
    stands_in_for: UUID | None,
) -> None:
    """Somebody without a seat is here for an agency of the table. Raises Invalid."""
    await hold_open(session, meeting)
    table = await table_of(session, panel, meeting)
    if today_of(session) < meeting.held_on:
        said = f"Nobody can be here before {day_words(meeting.held_on)}"
        raise Invalid.because("name", said)
    if agency_id not in {one.id for one in table.agencies}:
        raise Invalid.because("agency", "Choose an agency of this panel")
    replaced = table.person(stands_in_for)
    if stands_in_for is not None and (replaced is None or replaced.agency_id != agency_id):
        raise Invalid.because("stands_in_for", "Choose somebody of the same agency, or nobody")
    if replaced is not None and replaced.is_here:
        raise Invalid.because("stands_in_for", f"{replaced.name} is here")
    session.add(
        Attendance(
            meeting_id=meeting.id,
            agency_id=agency_id,
            name=name,
            stands_in_for=stands_in_for,
            state=Presence.HERE.value,
            here_at=session.info[NOW],
        )
    )
    await session.flush()


async def leave(
    session: AsyncSession, panel: Panel, meeting: Meeting, who: UUID, new_chair: UUID | None
) -> None:
    """Somebody leaves before the end; a chair who leaves names who goes on. Raises Invalid."""
    await hold_open(session, meeting)
    table = await table_of(session, panel, meeting)
    is_chair = table.chair is not None and table.chair.id == who
    person, follows = table.person(who), table.person(new_chair) if is_chair else None
    mistake = leaving_mistake(
        person, follows, is_chair=is_chair, others_here=max(len(table.here) - 1, 0)
    )
    if person is None or mistake:
        raise Invalid.because("new_chair" if person and person.is_here else "who", mistake)
    _place(await _row(session, meeting, person), Presence.LEFT, session.info[NOW])
    if follows is not None:
        await _take_chair(session, meeting, follows)
    await session.flush()


async def take_chair(session: AsyncSession, panel: Panel, meeting: Meeting, who: UUID) -> None:
    """Somebody who is here chairs from now on. Raises Invalid for anybody else."""
    await hold_open(session, meeting)
    table = await table_of(session, panel, meeting)
    person = table.person(who)
    if person is None or not person.is_here:
        raise Invalid.because("chair", "Choose somebody who is here")
    if table.chair is None or table.chair.id != person.id:
        await _take_chair(session, meeting, person)
    await session.flush()


async def _take_chair(session: AsyncSession, meeting: Meeting, person: Person) -> None:
    row = await _row(session, meeting, person)
    row.chaired_from = session.info[NOW]
