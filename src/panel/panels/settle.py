"""Settling an agenda: order, minutes, the freeze, late items, what is taken off or asked for."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from panel.accounts.models import Worker
from panel.panels.agenda import CaseFact, Prepared, prepare, reason_of
from panel.panels.calendar import load_calendar, settings_of
from panel.panels.models import AgendaItem as ItemRow
from panel.panels.models import Asked, Meeting, Panel
from panel.panels.rules import (
    AgendaItem,
    Candidate,
    Part,
    RolledOver,
    add_late_item,
    pack_closes,
)
from panel.platform import outbox
from panel.platform.problems import Clash, Conflict, Invalid, NotFound, Problem
from panel.platform.tables import NOW, VIEWER, today_of
from panel.platform.tenancy import load_keys
from panel.records.gate import rewrite_access
from panel.web.words import day as day_words

PART_WORDS = {
    Part.ASSESSMENT: "assessment",
    Part.PLAN: "plan",
    Part.LEAD_PROFESSIONAL: "lead professional",
    Part.SHARING: "agreement to share with the panel",
    Part.REQUEST: "request for service",
}
LONGEST_ITEM = 60
"""Minutes: more than an hour of one child is a meeting of its own."""


async def _hold(session: AsyncSession, meeting: Meeting) -> None:
    """Read the meeting anew and keep others from settling it until this transaction ends."""
    await session.refresh(meeting, with_for_update=True)
    if meeting.state in ("cancelled", "held"):
        raise Problem(409, "This agenda cannot change", f"The meeting is {meeting.state} already.")


def _changed(meeting: Meeting) -> None:
    """Give the meeting its next version, so that whoever read the earlier agenda is told."""
    flag_modified(meeting, "state")


def _refuse_stale(meeting: Meeting, version: int, wanted: str) -> None:
    if meeting.version != version:
        raise Conflict((Clash("The agenda", wanted, "Somebody changed the agenda meanwhile."),))


def _refuse_frozen(meeting: Meeting) -> None:
    if meeting.frozen_at is not None:
        raise Problem(
            409,
            "The agenda is frozen",
            "Packs are out, so its order and minutes stay as they are.",
            "Add a late item, or take a child off with a reason.",
        )


async def _rows(session: AsyncSession, meeting: Meeting) -> dict[UUID, ItemRow]:
    rows = await session.scalars(select(ItemRow).where(ItemRow.meeting_id == meeting.id))
    return {row.child_id: row for row in rows}


def _write(
    session: AsyncSession,
    meeting: Meeting,
    rows: dict[UUID, ItemRow],
    item: AgendaItem,
    position: int,
) -> ItemRow:
    """Store an item as it stands, in its child's one row for this meeting."""
    candidate = item.candidate
    row = rows.get(candidate.child_id)
    if row is None:
        row = ItemRow(meeting_id=meeting.id, child_id=candidate.child_id, minutes=item.minutes)
        session.add(row)
        rows[candidate.child_id] = row
    row.position = position
    row.minutes = item.minutes
    row.why = reason_of(item.why).value
    row.since_on = candidate.waiting_since if item.why is None else item.why.due
    row.late = item.late
    row.urgent = candidate.urgent is not None
    row.owed = [debt.what.value for debt in candidate.debts]
    row.state = "listed"
    return row


async def arrange(
    session: AsyncSession,
    panel: Panel,
    meeting: Meeting,
    child_id: UUID,
    to: int | str,
    version: int,
) -> None:
    """Move a child's item `"up"`, `"down"` or to a place counted from 1, before the freeze.

    Raises Conflict when somebody else changed the agenda since it was read, NotFound for a child
    who is not on it.
    """
    await _hold(session, meeting)
    _refuse_stale(meeting, version, "Move a child.")
    _refuse_frozen(meeting)
    prepared = await prepare(session, panel, meeting, session.info[VIEWER])
    items = list(prepared.agenda.items)
    place = _place(prepared, child_id)
    wanted = {"up": place - 1, "down": place + 1}.get(str(to))
    if wanted is None:
        wanted = int(to) - 1
    items.insert(max(0, min(wanted, len(items) - 1)), items.pop(place))
    rows = await _rows(session, meeting)
    for position, item in enumerate(items):
        _write(session, meeting, rows, item, position)
    _changed(meeting)
    await session.flush()


def _place(prepared: Prepared, child_id: UUID) -> int:
    for place, item in enumerate(prepared.agenda.items):
        if item.candidate.child_id == child_id:
            return place
    raise NotFound("This child is not on the agenda.", "Load the agenda again.")


async def set_minutes(
    session: AsyncSession,
    panel: Panel,
    meeting: Meeting,
    child_id: UUID,
    minutes: int,
    version: int,
) -> None:
    """Give a child's item more or fewer minutes, before the freeze. Raises Invalid, Conflict."""
    if not 1 <= minutes <= LONGEST_ITEM:
        raise Invalid.because("minutes", f"Minutes must be between 1 and {LONGEST_ITEM}")
    await _hold(session, meeting)
    _refuse_stale(meeting, version, f"{minutes} minutes")
    _refuse_frozen(meeting)
    prepared = await prepare(session, panel, meeting, session.info[VIEWER])
    _place(prepared, child_id)
    rows = await _rows(session, meeting)
    for position, item in enumerate(prepared.agenda.items):
        row = _write(session, meeting, rows, item, position)
        if row.child_id == child_id:
            row.minutes = minutes
    _changed(meeting)
    await session.flush()


async def freeze(
    session: AsyncSession, panel: Panel, meeting: Meeting, version: int | None = None
) -> Prepared:
    """Freeze the agenda: its items are settled and each agency's pack opens. Once is enough.

    Two people at once: the first freezes, the second waits and sees the frozen agenda. With a
    `version`, raises Conflict when the agenda is no longer the one that was read.
    """
    await _hold(session, meeting)
    if meeting.frozen_at is not None:
        return await prepare(session, panel, meeting, session.info[VIEWER])
    if version is not None:
        _refuse_stale(meeting, version, "Freeze the agenda.")
    prepared = await prepare(session, panel, meeting, session.info[VIEWER])
    rows = await _rows(session, meeting)
    until = await _pack_until(session, panel, meeting)
    for position, item in enumerate(prepared.agenda.items):
        row = _write(session, meeting, rows, item, position)
        row.opens_at, row.pack_until = session.info[NOW], until
    listed = {item.candidate.child_id for item in prepared.agenda.items}
    for child_id, row in rows.items():
        # Arranged earlier and off the agenda since: nothing of it opens.
        if child_id not in listed and row.state == "listed":
            row.state = "removed"
    meeting.state, meeting.frozen_at = "frozen", session.info[NOW]
    await session.flush()
    for child_id in sorted(listed):
        await rewrite_access(session, child_id)
    await _tell_members(session, panel, meeting, until)
    return await prepare(session, panel, meeting, session.info[VIEWER])


_MEMBERS = """
SELECT DISTINCT w.id FROM panel_agency m JOIN worker w ON w.agency_id = m.agency_id
JOIN worker_role r ON r.worker_id = w.id AND r.panel_id = m.panel_id AND r.role = 'panel_member'
WHERE m.panel_id = :panel
  AND (m.from_on IS NULL OR m.from_on <= :day) AND (m.until_on IS NULL OR m.until_on >= :day)
  AND (w.from_on IS NULL OR w.from_on <= :day) AND (w.until_on IS NULL OR w.until_on >= :day)
  AND (r.from_on IS NULL OR r.from_on <= :day) AND (r.until_on IS NULL OR r.until_on >= :day)
ORDER BY w.id
"""


async def _tell_members(session: AsyncSession, panel: Panel, meeting: Meeting, until: date) -> None:
    """Each member is told that the pack is open; nothing of a child goes into the message."""
    found = await session.execute(text(_MEMBERS), {"panel": panel.id, "day": meeting.held_on})
    members = list(
        await session.scalars(select(Worker).where(Worker.id.in_(found.scalars().all())))
    )
    await load_keys(session, {member.agency_id for member in members})
    day = day_words(meeting.held_on)
    for member in members:
        await outbox.put(
            session,
            kind="pack_open",
            holder_id=member.agency_id,
            to_viewer_id=member.id,
            address=member.email,
            subject=f"{panel.name}, {day}: your pack is open",
            body=(
                f"The agenda of the {panel.name} on {day} is settled.\n\n"
                "Sign in to Panel to read your agency's pack. It is open until "
                f"{day_words(until)}.\n"
            ),
            once=f"pack open {meeting.id} {member.id}",
        )


async def _pack_until(session: AsyncSession, panel: Panel, meeting: Meeting) -> date:
    calendar = await load_calendar(session)
    return pack_closes(meeting.held_on, settings_of(panel).pack_working_days, calendar)


def could_join(prepared: Prepared) -> list[Candidate]:
    """The ready children who may be put on: who came late first, then who rolled over.

    Before the freeze the rules fill the agenda, and only who was taken off can be put back.
    """
    agenda = prepared.agenda
    if not prepared.frozen:
        return [one.candidate for one in agenda.rolled_over if _taken_off(prepared, one)]
    return [*agenda.came_late, *(one.candidate for one in agenda.rolled_over if not _owes(one))]


def _taken_off(prepared: Prepared, rolled: RolledOver) -> bool:
    item = prepared.facts[rolled.candidate.child_id].item
    return item is not None and item.state == "removed" and not _owes(rolled)


def _owes(rolled: RolledOver) -> bool:
    return bool(rolled.candidate.debts) and rolled.candidate.urgent is None


async def add_late(
    session: AsyncSession, panel: Panel, meeting: Meeting, child_id: UUID, reason: str
) -> None:
    """Put a ready child on a frozen agenda, at its end, flagged late and with a reason.

    Before the freeze it only takes back what was taken off. Raises Invalid with a sentence.
    """
    await _hold(session, meeting)
    prepared = await prepare(session, panel, meeting, session.info[VIEWER])
    candidate = next((one for one in _waiting(prepared) if one.child_id == child_id), None)
    if candidate is None:
        raise Invalid.because("child", "Choose a child from the list")
    try:
        added = add_late_item(prepared.agenda, candidate, reason, prepared.settings)
    except ValueError as error:
        raise Invalid.because("reason", str(error)) from error
    rows = await _rows(session, meeting)
    row = _write(session, meeting, rows, added.items[-1], _after(rows))
    row.reason = reason.strip()
    row.opens_at = session.info[NOW]
    row.pack_until = await _pack_until(session, panel, meeting)
    if meeting.frozen_at is None:
        row.late, row.opens_at, row.pack_until = False, None, None
    _changed(meeting)
    await rewrite_access(session, child_id)


def _after(rows: dict[UUID, ItemRow]) -> int:
    return max((row.position for row in rows.values()), default=-1) + 1


def _waiting(prepared: Prepared) -> list[Candidate]:
    agenda = prepared.agenda
    return [
        *could_join(prepared),
        *(one.candidate for one in agenda.not_ready),
        *(one.candidate for one in agenda.rolled_over if _owes(one)),
    ]


async def take_off(
    session: AsyncSession, panel: Panel, meeting: Meeting, child_id: UUID, reason: str
) -> None:
    """Take a child off the agenda, with a reason; after the freeze the packs close to them."""
    if not reason.strip():
        raise Invalid.because("reason", "Say why the child comes off the agenda")
    await _hold(session, meeting)
    prepared = await prepare(session, panel, meeting, session.info[VIEWER])
    place = _place(prepared, child_id)
    rows = await _rows(session, meeting)
    row = _write(session, meeting, rows, prepared.agenda.items[place], place)
    row.state, row.reason = "removed", reason.strip()
    _changed(meeting)
    await rewrite_access(session, child_id)


# Asking for what is missing ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ask:
    """Who was asked for what, and whether it went out now or had been asked today already."""

    part: Part
    name: str
    now: bool


async def ask_for_missing(
    session: AsyncSession, prepared: Prepared, child_id: UUID, part: Part, site_url: str
) -> Ask:
    """Ask the worker who owes a part, once a day; the message holds no more than the reference.

    Raises Problem where nobody in particular owes it, NotFound where it is not missing.
    """
    fact = prepared.facts.get(child_id)
    if fact is None or part not in prepared.missing(child_id):
        raise NotFound("This is not missing any more.", "Load the agenda again.")
    worker = await _owing_worker(session, fact, part)
    today = today_of(session)
    once = f"ask {child_id} {part.value} {today}"
    # Two people may press the button at once; the message goes out once.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:once, 0))"), {"once": once}
    )
    known = await session.scalar(
        select(Asked.id).where(
            Asked.child_id == child_id, Asked.what == part.value, Asked.asked_on == today
        )
    )
    if known is not None:
        return Ask(part, worker.name, now=False)
    session.add(
        Asked(
            child_id=child_id,
            what=part.value,
            worker_id=worker.id,
            agency_id=worker.agency_id,
            asked_on=today,
        )
    )
    await outbox.put(
        session,
        kind="ask_for_missing",
        holder_id=child_id,
        to_viewer_id=worker.id,
        address=worker.email,
        subject=f"{fact.reference}: {PART_WORDS[part]} needed",
        body=_asking(prepared, fact, part, site_url),
        once=once,
        facts={"child": str(child_id), "what": part.value},
    )
    return Ask(part, worker.name, now=True)


async def _owing_worker(session: AsyncSession, fact: CaseFact, part: Part) -> Worker:
    owing = fact.owing(part)
    if owing is None:
        coordinators = part in (Part.LEAD_PROFESSIONAL, Part.SHARING)
        raise Problem(
            409,
            "There is nobody to ask",
            "This one is the coordinator's to see to."
            if coordinators
            else f"Nobody at {fact.referred_by} is named for this child.",
            "Offer the part of lead professional, or ask for an agreement, on the child's record."
            if coordinators
            else "Name a worker on the child's record, under People.",
        )
    await load_keys(session, {owing.agency_id})
    worker = await session.get(Worker, owing.id)
    if worker is None:
        raise NotFound("This worker is no longer here.", "Choose somebody else.")
    return worker


def _asking(prepared: Prepared, fact: CaseFact, part: Part, site_url: str) -> str:
    return (
        f"The {prepared.panel.name} meets on {day_words(prepared.meeting.held_on)}.\n\n"
        f"{fact.reference} is not ready for it: the {PART_WORDS[part]} is missing, and it is"
        " yours to give.\n\n"
        f"Papers close on {day_words(prepared.papers_close)}.\n\n"
        f"Sign in to see the record: {site_url}/children/{fact.child_id}\n"
    )
