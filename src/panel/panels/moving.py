"""An entry of a meeting that stands on the wrong child is moved to the right one, with its trail.

On the wrong child nothing of it is left to read: the row stays, empty, as taken back. On the right
child it is a row of its own, sealed with that child's key, with the same author and time. That it
happened is kept as an incident of the child whom it is about.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.accounts.service import worker_names
from panel.panels.asking import bring_in, end_part_of_action
from panel.panels.attendance import Table
from panel.panels.holding import interest_of, item_of
from panel.panels.models import Discussion, Meeting
from panel.panels.move_rules import holds, without
from panel.panels.note_answers import READABLE, recall, step_taken
from panel.panels.note_models import FamilyNote, Incident, NoteDelivery
from panel.panels.note_rules import IncidentKind, Step
from panel.plans.models import Action
from panel.plans.service import action_of_meeting, lock_child, move_action
from panel.platform.problems import Invalid, NotAllowed, NotFound, Problem
from panel.records.gate import NOT_HERE, Access
from panel.sharing.reading import SeenBy, seen_since
from panel.web import words

IN_THE_NOTE = "Something in this note was about another child. It was taken off this record."
"""What the incident of a recalled note says on the wrong child: nothing of the other."""


@dataclass(frozen=True, slots=True)
class NoteTouched:
    """A note to the wrong child's family, and what moving the entry does with it."""

    id: UUID
    number: int
    state: str
    holds_it: bool
    """Whether it says a sentence of the entry word for word."""
    open_copies: int
    """How many people can read it now."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry on the wrong child, opened for somebody who may move it."""

    access: Access
    meeting: Meeting
    row: Discussion | Action
    text: str
    author: str
    written_at: datetime
    category: Category
    notes: Sequence[NoteTouched] = field(default_factory=list)

    @property
    def is_action(self) -> bool:
        """Whether it is an action rather than something said."""
        return isinstance(self.row, Action)

    @property
    def is_for_family(self) -> bool:
        """Whether a note to the family is drafted from it."""
        return not isinstance(self.row, Discussion) or self.row.for_family

    @property
    def author_agency(self) -> UUID | None:
        """Whose entry it is, where it is something said."""
        return self.row.author_agency_id if isinstance(self.row, Discussion) else None


async def entry_to_move(access: Access, meeting: Meeting, entry_id: UUID) -> Entry:
    """The entry, which the viewer may see on the child where it stands.

    Raises NotFound, NotAllowed where it is withheld from them or they declared an interest,
    Problem where it was moved already.
    """
    session = access.session
    await _no_interest(access, meeting)
    said = await session.get(Discussion, entry_id)
    if said is not None and said.child_id == access.child_id and said.meeting_id == meeting.id:
        _refuse_moved(said)
        category = Category(said.category)
        if not access.may(category, said.author_agency_id):
            raise NotAllowed("You cannot see this entry, so you cannot move it.")
        author = await _name(session, said.worker_id)
        at, notes = said.said_at or said.created_at, await _notes(access, meeting, said.text)
        return Entry(access, meeting, said, said.text, author, at, category, notes)
    asked = await action_of_meeting(access, meeting.id, entry_id)
    if asked is None:
        raise NotFound(NOT_HERE)
    _refuse_moved(asked)
    author = await _name(session, asked.created_by)
    at, notes = asked.created_at, await _notes(access, meeting, asked.text)
    return Entry(access, meeting, asked, asked.text, author, at, Category.PLAN, notes)


async def _no_interest(access: Access, meeting: Meeting) -> None:
    interest = await interest_of(access.session, meeting, access.child_id, access.viewer.id)
    if interest is not None:
        raise NotAllowed(
            "You declared an interest in this child, so you cannot move what was said of them.",
            "Ask whoever runs the panel with you.",
        )


def _refuse_moved(row: Discussion | Action) -> None:
    if row.moved_away_at is not None:
        raise Problem(
            409,
            "This was moved already",
            "It is no longer on this child’s record, and nothing was changed.",
            "Read it on the record of the child whom it is about.",
        )


async def _name(session: AsyncSession, worker: UUID | None) -> str:
    names = await worker_names(session, [] if worker is None else [worker])
    return next(iter(names.values()), "")


_OPEN_COPIES = """
SELECT note_id, count(*) AS copies FROM note_delivery
WHERE child_id = :child AND state = ANY(:readable) GROUP BY note_id
"""


async def _notes(access: Access, meeting: Meeting, said: str) -> list[NoteTouched]:
    rows = await _note_rows(access, meeting)
    found = await access.session.execute(
        text(_OPEN_COPIES), {"child": access.child_id, "readable": list(READABLE)}
    )
    copies: dict[UUID, int] = {row.note_id: row.copies for row in found}
    return [
        NoteTouched(row.id, row.number, row.state, holds(row.text, said), copies.get(row.id, 0))
        for row in rows
    ]


async def _note_rows(access: Access, meeting: Meeting) -> list[FamilyNote]:
    """The notes of the child that are not recalled, in the order in which a move locks them."""
    rows = await access.session.scalars(
        select(FamilyNote)
        .where(
            FamilyNote.child_id == access.child_id,
            FamilyNote.meeting_id == meeting.id,
            FamilyNote.state != "recalled",
        )
        .order_by(FamilyNote.number)
    )
    return list(rows)


async def seen_meanwhile(entry: Entry) -> list[SeenBy]:
    """Who opened the wrong child's record since, so that the entry could be seen."""
    agency = entry.row.author_agency_id if isinstance(entry.row, Discussion) else None
    return await seen_since(entry.access, entry.written_at, entry.category, agency)


# The move -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moved:
    """An entry as it is now, on the child whom it is about."""

    entry_id: UUID
    recalled: int
    """How many notes were recalled."""


async def move_entry(entry: Entry, to: Access, table: Table, why: str) -> Moved:
    """Move it. Of two people at the same time the first moves it, and the second is told.

    Raises Invalid for a child who is not on the same agenda or is the one on whom it stands,
    Problem where it was moved meanwhile.
    """
    access, session = entry.access, entry.access.session
    if to.child_id == access.child_id:
        raise Invalid.because("to", "Choose another child than the one on whom it stands")
    await item_of(session, entry.meeting, to.child_id)
    await _no_interest(to, entry.meeting)
    await session.refresh(entry.row, with_for_update=True)
    _refuse_moved(entry.row)
    said, seen, for_family = entry.row.text, await seen_meanwhile(entry), entry.is_for_family
    moved = await _moved_row(entry.row, to, table, access, why)
    recalled = 0
    for note in await _note_rows(access, entry.meeting):
        recalled += await _see_to_note(entry, note, said, for_family=for_family)
    incident = Incident(
        child_id=to.child_id,
        entry_id=moved,
        kind=IncidentKind.WRONG_CHILD.value,
        found_on=to.today,
        found_at=to.at,
        steps={one.value: to.today.isoformat() for one in (Step.STOPPED, Step.PUT_RIGHT)},
    )
    incident.what = why
    incident.seen = msgspec.json.encode(seen_lines(seen)).decode()
    session.add(incident)
    await session.flush()
    return Moved(moved, recalled)


async def _moved_row(
    row: Discussion | Action, to: Access, table: Table, wrong: Access, why: str
) -> UUID:
    if isinstance(row, Action):
        owner = row.owner_worker_id
        if owner is not None:
            # In one order, so that two moves between the same children do not wait for each other.
            for child in sorted((wrong.child_id, to.child_id)):
                await lock_child(to.session, child)
            await bring_in(to, table, owner, "to")
        moved = await move_action(row, to, why)
        if owner is not None:
            await end_part_of_action(wrong, owner)
        return moved.id
    return (await _move_said(row, to, why)).id


async def _move_said(row: Discussion, to: Access, why: str) -> Discussion:
    moved = Discussion(
        child_id=to.child_id,
        meeting_id=row.meeting_id,
        author_agency_id=row.author_agency_id,
        worker_id=row.worker_id,
        said_at=row.said_at or row.created_at,
        heading=row.heading,
        category=row.category,
        for_family=row.for_family,
        taken_back_at=row.taken_back_at,
        taken_back_by=row.taken_back_by,
        moved_from=row.id,
        moved_why=why,
    )
    moved.text, moved.taken_back_why = row.text, row.taken_back_why
    to.session.add(moved)
    row.text = row.taken_back_why = row.moved_why = ""
    row.for_family = False
    row.moved_away_at = row.taken_back_at = to.at
    row.taken_back_by = to.viewer.id
    await to.session.flush()
    return moved


async def _see_to_note(entry: Entry, note: FamilyNote, said: str, *, for_family: bool) -> int:
    """Take it out of a draft, recall what was sent; whatever was drafted from it is read again."""
    await entry.access.session.refresh(note, with_for_update=True)
    it_holds = holds(note.text, said)
    if not it_holds and not for_family:
        return 0
    if note.state == "signed_off" and it_holds:
        return await _recall(entry, note)
    if it_holds:
        note.text = without(note.text, said)
    note.check_again_at = entry.access.at
    return 0


async def _recall(entry: Entry, note: FamilyNote) -> int:
    access = entry.access
    copy = await access.session.scalar(
        select(NoteDelivery)
        .where(NoteDelivery.note_id == note.id, NoteDelivery.state.in_(READABLE))
        .order_by(NoteDelivery.id)
        .limit(1)
    )
    if copy is None:
        note.state = "recalled"
        return 0
    await recall(access, entry.meeting.id, copy.id, IncidentKind.WRONG_CHILD, IN_THE_NOTE)
    return 1


def seen_lines(seen: Sequence[SeenBy]) -> list[str]:
    """Who could see it, a line for each: who, which agency, when."""
    return [
        f"{', '.join(part for part in (one.who, one.agency) if part)}: {when_seen(one)}"
        for one in seen
    ] or ["Nobody opened the record in between."]


def when_seen(one: SeenBy) -> str:
    """When somebody could see it, and how often: "3 December 2026 at 9:30, 2 times"."""
    first, last = words.day_and_time(one.first_at), words.day_and_time(one.last_at)
    if one.times == 1:
        return first
    until = "" if last == first else f" until {last}"
    return f"{first}, {words.plural(one.times, 'time')}{until}"


# Afterwards ---------------------------------------------------------------------------------------


async def incident_of(access: Access, meeting: Meeting, entry_id: UUID) -> Incident:
    """What is kept of the move of an entry that is on this child now.

    Raises NotFound, and NotAllowed for who may not see what was said or declared an interest.
    """
    session = access.session
    await _no_interest(access, meeting)
    if not access.may(Category.PANEL):
        raise NotAllowed("What the panel said of this child is withheld from you.")
    said = await session.get(Discussion, entry_id)
    asked = await action_of_meeting(access, meeting.id, entry_id) if said is None else None
    row = said or asked
    if row is None or row.child_id != access.child_id or row.meeting_id != meeting.id:
        raise NotFound(NOT_HERE)
    found: Incident | None = await session.scalar(
        select(Incident).where(Incident.child_id == access.child_id, Incident.entry_id == entry_id)
    )
    if found is None:
        raise NotFound(NOT_HERE)
    return found


async def take_step_of_entry(access: Access, meeting: Meeting, entry_id: UUID, step: Step) -> None:
    """A step that follows a move is done today; with the last one the incident is closed."""
    row = await incident_of(access, meeting, entry_id)
    await step_taken(access, row, step)
