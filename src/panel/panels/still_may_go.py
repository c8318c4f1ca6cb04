"""What waits in the outbox is decided once more as it goes: between, somebody may have withdrawn.

A message was put in as the record allowed then. Where its reader has lost the child, or what a note
was drafted from is withheld from them now, it does not go, and its note says why; where only who
helps is withheld from them now, it goes without that. Where the use of the record is restricted it
waits. It goes to the address that its reader has
now, not to the one that was right when it was put in.
"""

from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose, Viewer, ViewerKind
from panel.accounts.models import Worker
from panel.accounts.people_joining import KIND, why_not_invited
from panel.panels.note_models import FamilyNote, NoteDelivery
from panel.panels.note_rules import email_words, letter_words, ring_words, why_not_sent
from panel.panels.note_sending import MEETING, readdressed
from panel.platform import outbox
from panel.platform.clock import day_of
from panel.platform.tables import NOW
from panel.platform.tenancy import Tenant, load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.restricted_use import held_back_words, restricted_since
from panel.register.service import Message, why_not_to_family
from panel.sharing.foresight import would_be_shown

HAS_LEFT = "This worker does not work here any more, so it was not sent."
NO_WORK_ADDRESS = "No e-mail address is kept for this worker now, so it was not sent."
REPLACED = "Another message took its place before it went."
NOT_THEIR_CHILD = "This worker is not tied to the child in the record now, so it was not sent."


def still_may_go(tenant: Tenant, site_url: str) -> outbox.MayGo:
    """Says of a message that is about to go why it may not, and takes out what it may not say."""

    async def why_not(session: AsyncSession, message: OutboxMessage) -> str:
        if "delivery" in message.facts:
            delivery = await session.get(NoteDelivery, UUID(message.facts["delivery"]))
            return "" if delivery is None else await _note(session, delivery, message)
        if "letter" in message.facts and message.to_viewer_id is not None:
            return await _letter(tenant, session, message.to_viewer_id, message)
        return await _other(tenant, session, message)

    async def _note(session: AsyncSession, delivery: NoteDelivery, message: OutboxMessage) -> str:
        since = await restricted_since(session, delivery.child_id)
        if since is not None:
            # It goes as another message, once the restriction has ended.
            delivery.outbox_id, delivery.failure = None, None
            delivery.sendings += 1
            return held_back_words(since)
        note = await session.get_one(FamilyNote, delivery.note_id)
        reader = Viewer(delivery.person_id, ViewerKind.FAMILY)
        shown = await would_be_shown(tenant, delivery.child_id, reader, Purpose.SUPPORT)
        why = why_not_sent(shown, note.categories) or await readdressed(
            session, delivery.person_id, message
        )
        if why:
            # It waits for a person, as what could not be put out at all does.
            delivery.outbox_id, delivery.failure = None, why
            return why
        if not shown[Category.NETWORK].permitted:
            ring = ring_words("", "", "")
            is_letter = message.kind == outbox.BY_POST
            message.body = (
                letter_words(note.text, ring) if is_letter else email_words(site_url, ring)
            )
        return ""

    return why_not


async def _letter(
    tenant: Tenant, session: AsyncSession, person: UUID, message: OutboxMessage
) -> str:
    """A letter about a decision: for who may still be told what the panel said."""
    since = await restricted_since(session, message.holder_id)
    if since is not None:
        return held_back_words(since)
    reader = Viewer(person, ViewerKind.FAMILY)
    shown = await would_be_shown(tenant, message.holder_id, reader, Purpose.SUPPORT)
    return why_not_sent(shown, ()) or await readdressed(session, person, message)


async def _other(tenant: Tenant, session: AsyncSession, message: OutboxMessage) -> str:
    if message.kind == MEETING:
        return await _meeting(tenant, session, message)
    if message.kind in set(Message):
        return await why_not_to_family(session, message)
    if message.to_viewer_id is None:
        return ""
    return await _to_somebody(tenant, session, message.to_viewer_id, message)


async def _meeting(tenant: Tenant, session: AsyncSession, message: OutboxMessage) -> str:
    """An invitation: for who still reaches the child, at the address that is safe now."""
    since = await restricted_since(session, message.holder_id)
    if since is not None:
        return held_back_words(since)
    if await _is_replaced(session, message):
        return REPLACED
    person = message.to_viewer_id
    if person is None:
        return ""
    if "safely" not in message.facts:
        return await _to_somebody(tenant, session, person, message)
    why = await _about_child(tenant, message.holder_id, person)
    return why or await readdressed(session, person, message)


async def _is_replaced(session: AsyncSession, message: OutboxMessage) -> bool:
    """Whether a later message says of the same invitation what is so now."""
    later = await session.scalar(
        select(OutboxMessage.id)
        .where(
            OutboxMessage.id > message.id,
            OutboxMessage.kind == MEETING,
            OutboxMessage.facts["meeting"].astext == str(message.facts.get("meeting")),
        )
        .limit(1)
    )
    return later is not None


async def stop_letter(session: AsyncSession, delivery_id: UUID, may_go: outbox.MayGo) -> str:
    """Why a letter may not be printed now, "" where it may; one that waits is stopped then."""
    delivery = await session.get(NoteDelivery, delivery_id)
    message = None
    if delivery is not None and delivery.outbox_id is not None:
        message = await session.get(OutboxMessage, delivery.outbox_id)
    if message is None or message.sent_at is not None:
        return ""
    await load_keys(session, {message.holder_id})
    if why := await may_go(session, message):
        outbox.stop(message, why)
    return why


async def _to_somebody(
    tenant: Tenant, session: AsyncSession, worker: UUID, message: OutboxMessage
) -> str:
    """Why it may not go to a worker: taken back, about a child out of their reach, or they left."""
    why = ""
    if KIND in message.facts:
        why = await why_not_invited(session, UUID(message.facts[KIND]))
    if not why and "child" in message.facts:
        why = await _about_child(tenant, UUID(message.facts["child"]), worker)
    return why or await _to_worker(session, worker, message)


async def _to_worker(session: AsyncSession, worker_id: UUID, message: OutboxMessage) -> str:
    """Have it go to the address that the worker has now."""
    worker = await session.get(Worker, worker_id)
    if worker is None:
        return ""
    if worker.until_on is not None and worker.until_on < day_of(session.info[NOW]):
        return HAS_LEFT
    await load_keys(session, {worker.agency_id})
    if not worker.email:
        return NO_WORK_ADDRESS
    message.address = worker.email
    return ""


async def _about_child(tenant: Tenant, child_id: UUID, worker: UUID) -> str:
    async with tenant.transaction(worker) as session:
        reached = await session.scalar(
            text(
                "SELECT true FROM child_access WHERE child_id = :child AND viewer_id = :viewer"
                " AND valid_from <= :now AND valid_until >= :now"
            ),
            {"child": child_id, "viewer": worker, "now": session.info["now"]},
        )
    return "" if reached else NOT_THEIR_CHILD
