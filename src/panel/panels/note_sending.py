"""Sending notes: each to each recipient once, as the record allows at that moment.

What a delivery's person may be told is decided through the gate as that person, and logged so:
what leaves is a look at the record. Then the delivery is taken under its row lock, and the message
put in the outbox in the transaction that marks it, with a name of its own (`once`): whatever dies
in between, it is there once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import cast
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose, Viewer, ViewerKind
from panel.accounts.people_joining import KIND as INVITATION
from panel.panels.models import Meeting
from panel.panels.note_models import FamilyNote, NoteDelivery
from panel.panels.note_rules import (
    SUBJECT,
    Way,
    email_words,
    letter_words,
    ring_words,
    usual_way,
    why_not_sent,
)
from panel.platform import outbox
from panel.platform.crypto import Keys
from panel.platform.outbox import TRIES
from panel.platform.problems import NotFound, Problem
from panel.platform.tables import KEYS, NOW
from panel.platform.tenancy import load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB
from panel.records.gate import Access, Gate
from panel.records.restricted_use import is_use_restricted
from panel.records.who_leads import HOLDS_TODAY
from panel.register.models import Child, FamilyMember
from panel.register.service import Message
from panel.web import words

NOTES_READY = "notes_ready"
LETTER_READY = "decision_letter"
"""The kind of message that says that a letter about a decision can be read."""
MEETING = "meeting"
"""The kind of message that invites somebody to a meeting around a family, or cancels it."""
NO_ADDRESS = "No e-mail address is kept for this person. Send a letter instead."
NOT_BY_EMAIL = (
    "How to reach this person safely was changed after this e-mail was put in, so it was not sent."
    " Read it on the note, and choose how to send it."
)
_WAITS = (
    NoteDelivery.state == "waiting",
    NoteDelivery.outbox_id.is_(None),
    # What could not go waits for a person, who sees why: it is not tried every minute.
    NoteDelivery.failure.is_(None),
    ~is_use_restricted(NoteDelivery.child_id),
)
MOST = 50
"""Deliveries in one go; the rest a minute later."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one recipient may be told, decided as that recipient."""

    text: str
    ring: str


class _LeadFact(msgspec.Struct):
    id: UUID
    agency_id: UUID
    agency: str
    name: str | None
    phone: str | None


_LEAD = """
SELECT json_build_object('id', w.id, 'agency_id', g.id, 'agency', g.name,
  'name', encode(w.name, 'hex'), 'phone', encode(w.phone, 'hex'))::text
FROM lead_professional l JOIN worker w ON w.id = l.worker_id JOIN agency g ON g.id = w.agency_id
WHERE l.child_id = :child AND {holds_today} LIMIT 1
""".replace("{holds_today}", HOLDS_TODAY)
_READ_LEAD = msgspec.json.Decoder(_LeadFact)


async def whom_to_ring(access: Access) -> str:
    """Whom to ring, as this person may know it: who works with a child tells where they are."""
    found = await access.session.execute(
        text(_LEAD), {"child": access.child_id, "today": access.today}
    )
    line = found.scalar_one_or_none()
    if line is None or not access.may(Category.NETWORK):
        return ring_words("", "", "")
    lead = _READ_LEAD.decode(line)
    await load_keys(access.session, {lead.agency_id})

    def opened(column: str, sealed: str | None) -> str:
        if sealed is None:
            return ""
        return access.keys.open(lead.agency_id, f"worker.{column}", lead.id, bytes.fromhex(sealed))

    return ring_words(opened("name", lead.name), opened("phone", lead.phone), lead.agency)


def why_not_for(access: Access, categories: Sequence[str]) -> str:
    """Why this person may not read a note that was drafted from these; empty where they may."""
    asked = {Category.PANEL, *(Category(one) for one in categories)}
    return why_not_sent({one: access.decision(one) for one in asked}, categories)


async def told_to(gate: Gate, delivery: NoteDelivery, held_on: date) -> Told | str:
    """What a delivery's person may be told, or why nothing is. It is logged as their look."""
    viewer = Viewer(delivery.person_id, ViewerKind.FAMILY)
    doing = f"was sent the notes of {words.short_day(held_on)}"
    try:
        async with gate.open(delivery.child_id, viewer, Purpose.SUPPORT, doing) as access:
            note = await access.session.get_one(FamilyNote, delivery.note_id)
            if why := why_not_for(access, note.categories):
                return why
            return Told(note.text, await whom_to_ring(access))
    except NotFound:
        return why_not_sent({}, ())


async def send_notes(gate: Gate, site_url: str) -> int:
    """Put what waits into the outbox, each in a transaction of its own; how many went in."""
    async with gate.tenant.transaction(JOB) as session:
        waiting = [
            (delivery, held_on)
            for delivery, held_on in (
                await session.execute(
                    select(NoteDelivery, Meeting.held_on)
                    .join(FamilyNote, FamilyNote.id == NoteDelivery.note_id)
                    .join(Meeting, Meeting.id == FamilyNote.meeting_id)
                    .where(*_WAITS)
                    .order_by(NoteDelivery.id)
                    .limit(MOST)
                )
            ).all()
        ]
    put = 0
    for delivery, held_on in waiting:
        told = await told_to(gate, delivery, held_on)
        async with gate.tenant.transaction(JOB) as session:
            put += await _sent_once(session, delivery.id, told, held_on, site_url)
    return put


async def _sent_once(
    session: AsyncSession, delivery_id: UUID, told: Told | str, held_on: date, site_url: str
) -> bool:
    """Put one delivery into the outbox, unless somebody else has, or it was recalled."""
    delivery = await session.scalar(
        select(NoteDelivery)
        .where(NoteDelivery.id == delivery_id, *_WAITS)
        .with_for_update(skip_locked=True)
    )
    if delivery is None:
        return False
    if isinstance(told, str):
        delivery.failure = told
        return False
    return await _put(session, delivery, told, held_on, site_url)


async def _put(
    session: AsyncSession, delivery: NoteDelivery, told: Told, held_on: date, site_url: str
) -> bool:
    reached = await reached_now(session, delivery.person_id)
    is_letter = delivery.way == Way.LETTER
    if not is_letter and not reached.email:
        delivery.failure = NO_ADDRESS
        return False
    once = f"note {delivery.note_id} {delivery.person_id} {delivery.sendings}"
    await outbox.put(
        session,
        kind=outbox.BY_POST if is_letter else NOTES_READY,
        holder_id=delivery.child_id,
        to_viewer_id=delivery.person_id,
        address=on_the_envelope(reached) if is_letter else reached.email,
        subject=letter_title(held_on) if is_letter else SUBJECT,
        body=letter_words(told.text, told.ring) if is_letter else email_words(site_url, told.ring),
        once=once,
        facts={"delivery": str(delivery.id), "safely": reached.mark(session)},
    )
    delivery.outbox_id = await session.scalar(
        select(OutboxMessage.id).where(OutboxMessage.once == once)
    )
    delivery.failure = None
    return True


def letter_title(held_on: date) -> str:
    """What a letter is headed: no name stands in it."""
    return f"Notes from the panel, {words.short_day(held_on)}"


@dataclass(frozen=True, slots=True)
class Reached:
    """How one person is reached now: what is kept under their own name, and nobody else's."""

    person: UUID
    name: str
    email: str
    address: str
    safe_contact: str = ""

    def mark(self, session: AsyncSession) -> str:
        """By which other words on how to reach them safely are noticed: it says nothing of them."""
        ring = cast("Keys", session.info[KEYS]).ring
        return ring.index("how somebody is reached", f"{self.person} {self.safe_contact}").hex()


async def reached_now(session: AsyncSession, person: UUID) -> Reached:
    """How a person is reached now."""
    await load_keys(session, {person})
    member = await session.get(FamilyMember, person)
    if member is not None:
        return Reached(person, member.name, member.email, member.address, member.safe_contact)
    child = await session.get_one(Child, person)
    return Reached(person, f"{child.given_name} {child.family_name}", "", child.address)


def on_the_envelope(reached: Reached) -> str:
    return "\n".join(part for part in (reached.name, reached.address) if part)


async def readdressed(session: AsyncSession, person: UUID, message: OutboxMessage) -> str:
    """Have an e-mail go to the address that its person has now; or why it may not go by e-mail.

    Somebody who fled may have a new address, or may be reached by no e-mail at all any more: what
    was right when it was put in can put them at risk when it goes. Whoever signed the note off
    chose the way knowing the words on how to reach this person safely; with other words, they are
    asked again. A letter gets its address when it is printed (`letter_to_print`).
    """
    if message.kind == outbox.BY_POST:
        return ""
    reached = await reached_now(session, person)
    if not reached.email:
        return NO_ADDRESS
    is_as_it_was = message.facts.get("safely") in (None, reached.mark(session))
    usual = usual_way(has_email=True, safe_contact=reached.safe_contact)
    if not is_as_it_was and usual is not Way.EMAIL:
        return NOT_BY_EMAIL
    message.address = reached.email
    return ""


async def settle_deliveries(session: AsyncSession) -> None:
    """Write down what became of what was sent; within a transaction of scheduled work."""
    rows = await session.execute(
        select(NoteDelivery, OutboxMessage)
        .join(OutboxMessage, OutboxMessage.id == NoteDelivery.outbox_id)
        .where(NoteDelivery.sent_at.is_(None), NoteDelivery.state.in_(("waiting", "opened")))
        .order_by(NoteDelivery.id)
    )
    for delivery, message in rows.all():
        settle(delivery, message, session.info[NOW])


def settle(delivery: NoteDelivery, message: OutboxMessage, now: datetime) -> None:
    """One delivery after its message: sent, come back, or tried so often."""
    if message.sent_at is not None:
        delivery.sent_at, delivery.failure = message.sent_at, None
        if delivery.state == "waiting":
            delivery.state = "sent"
    elif message.attempts >= TRIES:
        delivery.failure = message.failure
        if delivery.state == "waiting":
            delivery.state, delivery.bounced_at = "bounced", now
    elif message.attempts:
        tried = words.plural(message.attempts, "time")
        delivery.failure = f"Tried {tried}. {message.failure}"


async def post_letters(session: AsyncSession, delivery_id: UUID | None = None) -> None:
    """Letters that were posted: that of one delivery, or (in the demonstration) all that wait."""
    asked = select(OutboxMessage).where(
        OutboxMessage.kind == outbox.BY_POST, OutboxMessage.sent_at.is_(None)
    )
    for message in await session.scalars(asked.with_for_update(skip_locked=True)):
        if delivery_id is None or message.facts.get("delivery") == str(delivery_id):
            message.sent_at = session.info[NOW]
            message.attempts += 1


async def stop_recalled(session: AsyncSession) -> None:
    """Messages of copies that were recalled, and have not gone, do not go any more."""
    recalled = select(NoteDelivery.outbox_id).where(NoteDelivery.state == "recalled")
    waiting = select(OutboxMessage).where(
        OutboxMessage.sent_at.is_(None),
        OutboxMessage.attempts < TRIES,
        OutboxMessage.id.in_(recalled),
    )
    for message in await session.scalars(waiting.with_for_update()):
        outbox.stop(message, "Recalled before it went.")


async def another_way(session: AsyncSession, delivery: NoteDelivery, way: Way) -> None:
    """Send a delivery once more, this way: it came back, or has not gone. Raises Problem, else."""
    never_out = delivery.state == "waiting" and delivery.outbox_id is None
    if delivery.state != "bounced" and not never_out:
        raise Problem(409, "This was sent", "This copy has gone out.", "Read the log.")
    delivery.way = way.value
    delivery.state = "waiting"
    delivery.sendings += 1
    delivery.outbox_id = None
    delivery.bounced_at = None
    delivery.failure = None
    await session.flush()


# Letters on paper -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as it goes into the envelope."""

    title: str
    address: str
    body: str
    made_at: datetime


async def letter_of(session: AsyncSession, delivery_id: UUID) -> Letter:
    """The letter of a delivery, within a transaction of scheduled work. Raises NotFound."""
    delivery = await session.get(NoteDelivery, delivery_id)
    message = None
    if delivery is not None and delivery.outbox_id is not None:
        message = await session.get(OutboxMessage, delivery.outbox_id)
    if delivery is None or message is None or message.kind != outbox.BY_POST:
        raise NotFound("There is no letter here.")
    await load_keys(session, {message.holder_id})
    return Letter(message.subject, message.address, message.body, message.created_at)


async def letter_to_print(session: AsyncSession, delivery_id: UUID) -> Letter:
    """The letter with the name and the address that its person has now. Raises NotFound.

    Somebody may have moved since it was put in, or go by another name that alone is to be told.
    """
    kept = await letter_of(session, delivery_id)
    delivery = await session.get_one(NoteDelivery, delivery_id)
    return replace(kept, address=on_the_envelope(await reached_now(session, delivery.person_id)))


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as the demonstration's mailbox shows it."""

    to: str
    subject: str
    body: str
    at: datetime
    is_letter: bool
    state: str
    delivery: str


async def mailbox(session: AsyncSession, most: int = 100) -> list[Sent]:
    """What was sent to families, and links that let workers in, newest first; in the demonstration
    only, for scheduled work."""
    rows = list(
        await session.scalars(
            select(OutboxMessage)
            .where(
                OutboxMessage.kind.in_(
                    (NOTES_READY, LETTER_READY, MEETING, outbox.BY_POST, INVITATION, *Message)
                )
            )
            .order_by(OutboxMessage.id.desc())
            .limit(most)
        )
    )
    await load_keys(session, {row.holder_id for row in rows})
    return [
        Sent(
            row.address,
            row.subject,
            row.body,
            row.sent_at or row.created_at,
            row.kind == outbox.BY_POST,
            "Sent" if row.sent_at else row.failure or "Waiting",
            str(row.facts.get("delivery", "")),
        )
        for row in rows
    ]
