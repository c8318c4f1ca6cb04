"""The child's places on agendas, the notes to the family, and whom these went to."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from consent import Category
from interop.messages import Note, Sending, Sitting
from panel.exchange.importing_child import NOT_HERE, Bringing
from panel.exchange.importing_file import Found
from panel.panels.models import WHY_TODAY, AgendaItem
from panel.panels.note_models import DELIVERY_STATES, FamilyNote, NoteDelivery
from panel.platform.clock import day_of

_STATES = {"planned": "listed", "cancelled": "listed"}
"""Of an item; the others are called the same. That it is cancelled is said of the meeting."""
_NOT_SENT = (
    "It waited to go where this record came from. Send it from here only if it has not gone."
)


async def bring_sittings(bringing: Bringing) -> None:
    """Places on agendas, with when the child was discussed."""
    discussed: dict[str, datetime] = {}
    for one in bringing.found.of("Encounter", Sitting):
        discussed[one.id] = one.message.discussed_at or one.message.starts_at
    planned = bringing.found.of("Appointment", Sitting)
    for one in sorted(planned, key=lambda each: each.message.starts_at):
        await _sitting(bringing, one, discussed.get(one.id))
    for one in bringing.found.of("Encounter", Sitting):
        item = bringing.row("Appointment", one.id)
        if item is None:
            reason = NOT_HERE.format(what="its place on an agenda")
            bringing.left_out("Encounter", one, reason)
        else:
            bringing.came("Encounter", one, item)


async def _sitting(bringing: Bringing, one: Found[Sitting], discussed: datetime | None) -> None:
    told, session = one.message, bringing.session
    if told.why not in WHY_TODAY or not told.panel:
        bringing.left_out("Appointment", one, "It does not say why, or on whose agenda it is.")
        return
    meeting = await bringing.places.meeting(told)
    items = select(func.max(AgendaItem.position)).where(AgendaItem.meeting_id == meeting.id)
    mine = items.where(AgendaItem.child_id == bringing.child_id)
    if await session.scalar(mine) is not None:
        bringing.left_out("Appointment", one, "A child has one place on a meeting's agenda.")
        return
    row = AgendaItem(
        child_id=bringing.child_id,
        meeting_id=meeting.id,
        position=(await session.scalar(items) or 0) + 1,
        minutes=told.minutes,
        why=told.why,
        state=_STATES.get(told.state, told.state),
        discussed_at=discussed if told.state == "discussed" else None,
    )
    await bringing.keep("Appointment", one, row)


async def bring_notes(bringing: Bringing) -> None:
    """Notes that were signed off, and how each went to whom. None goes out again by itself."""
    for one in bringing.found.of("DocumentReference", Note):
        await _note(bringing, one)
    for sending in bringing.found.of("Communication", Sending):
        await _sending(bringing, sending)


async def _note(bringing: Bringing, one: Found[Note]) -> None:
    told = one.message
    item = bringing.row("Encounter", told.sitting) or bringing.row("Appointment", told.sitting)
    agency = await bringing.places.agency(told.author_agency)
    if item is None or agency is None:
        what = "the discussion that it tells of" if item is None else "the agency that wrote it"
        bringing.left_out("DocumentReference", one, NOT_HERE.format(what=what))
        return
    signed_by = await bringing.places.worker(told.signed_off_by)
    # Who may read a note that does not say of what it tells, may see everything.
    known = bringing.categories(one, told.categories) or [each.value for each in Category]
    row = FamilyNote(
        child_id=bringing.child_id,
        meeting_id=await _meeting_of(bringing, item),
        number=told.number,
        state=told.state,
        author_agency_id=agency,
        categories=known,
        text=told.text,
        signed_off_at=told.signed_off_at,
        signed_off_by=bringing.wanted(one, told.signed_off_by, signed_by, "who signed it off"),
        due_on=day_of(told.signed_off_at),
    )
    await bringing.keep("DocumentReference", one, row)


async def _meeting_of(bringing: Bringing, item: UUID) -> UUID:
    return (await bringing.session.get_one(AgendaItem, item)).meeting_id


async def _sending(bringing: Bringing, one: Found[Sending]) -> None:
    told = one.message
    note = bringing.row("DocumentReference", told.note)
    person = bringing.person(told.to)
    if note is None or person is None or told.state not in DELIVERY_STATES:
        what = "its note" if note is None else "somebody or a state"
        bringing.left_out("Communication", one, NOT_HERE.format(what=what))
        return
    row = NoteDelivery(
        child_id=bringing.child_id,
        note_id=note,
        person_id=person,
        way=told.way,
        state=told.state,
        sent_at=told.sent_at,
        opened_at=told.opened_at,
        failure=_NOT_SENT if told.state == "waiting" else None,
    )
    await bringing.keep("Communication", one, row)
