"""What another authority hands to us: kept, read, and accepted or refused by who runs a panel.

It comes from the system of an authority that is kept here, signed with that authority's key, and
is looked at before anything is kept: what was changed on the way is refused. The same document
again is the same; another of the same identifier is refused. Accepted, all happens in one
transaction: the record is made or found, the episode opens, and the lead professional is named.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Viewer
from interop.handed import Handed, TaskTold, read_document
from interop.signed import NotBelieved
from panel.accounts.models import Worker
from panel.casework.closing import name_lead
from panel.casework.handover import arrived
from panel.casework.handover_models import AuthorityHandover, OtherAuthority, ReceivedHandover
from panel.exchange.entering import Client
from panel.exchange.importing import bring_one
from panel.exchange.importing_file import ChildFound, UnreadableRecords, read_file
from panel.exchange.importing_people import here_already, new_child
from panel.panels.models import Panel
from panel.panels.referrals import takes_referrals
from panel.panels.referring import refer_from_outside
from panel.plans.service import can_hold, end_with_case, lead_on
from panel.platform.clock import day_of
from panel.platform.problems import Clash, Conflict, FieldError, Invalid, NotFound, NotLetIn
from panel.platform.tables import today_of
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_access
from panel.register.models import Episode
from panel.register.service import open_episode, open_episode_of

REALM = 'Bearer realm="fhir"'
NOT_ONE_OF_OURS = "This system is of no authority that hands children over to us."
NOT_SIGNED = "The signature is not that of this authority, or the document was changed since."
NO_DOCUMENT = "This is no document of a handover."
ANOTHER = "Another document of this identifier came before. Give a new one another identifier."
NOT_HERE = "There is no such handover, or it is not yours to see."
REFERRED = "Handed over by {name}."


class Refused(Exception):
    """A document that is not taken; `sentence` goes to its sender."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.sentence, self.status = sentence, status


# Receiving ----------------------------------------------------------------------------------------


async def receive_handover(tenant: Tenant, client: Client, body: bytes) -> tuple[UUID, TaskTold]:
    """Keep a document that came; its identifier, and how it stands. Raises Refused, NotLetIn."""
    async with tenant.transaction(JOB) as session:
        other = await _authority_of(session, client)
        row = await _received(session, other, body)
        await load_keys(session, {row.agency_id})
        return row.identifier, told_of(row)


async def receive_file(session: AsyncSession, authority_id: UUID | None, body: bytes) -> UUID:
    """Keep a document that came as a file; the id of the row. The same again is the same row.

    In a transaction of scheduled work. Raises Invalid: no such authority, what is
    no document of theirs, or one that was changed on the way.
    """
    other = None if authority_id is None else await session.get(OtherAuthority, authority_id)
    if other is None or other.ended_on is not None:
        raise Invalid.because("authority", "Choose an authority from the list")
    try:
        return (await _received(session, other, body)).id
    except Refused as wrong:
        raise Invalid.because("file", wrong.sentence) from wrong


async def _received(session: AsyncSession, other: OtherAuthority, body: bytes) -> ReceivedHandover:
    """The row of a document of an authority, kept now or before. Raises Refused."""
    handed = _checked(body, other)
    digest = sha256(body).digest()
    row = await _row(session, other, handed.handing.identifier)
    if row is None:
        return await _keep(session, other, handed, body, digest)
    if row.digest not in (digest, b""):
        raise Refused(ANOTHER, 409)
    return row


async def received_state(tenant: Tenant, client: Client, identifier: UUID) -> TaskTold | None:
    """How a document stands that this client sent; None where it sent none. Raises NotLetIn."""
    async with tenant.transaction(JOB) as session:
        other = await _authority_of(session, client)
        row = await _row(session, other, identifier)
        if row is None:
            return None
        await load_keys(session, {row.agency_id})
        return told_of(row)


async def withdrawn_there(tenant: Tenant, client: Client, identifier: UUID) -> TaskTold:
    """The sender takes it back: what was not answered yet never will be; else the answer stands."""
    async with tenant.transaction(JOB) as session:
        other = await _authority_of(session, client)
        row = await _row(session, other, identifier)
        if row is None:
            # It is on its way, perhaps: what comes of this identifier from now on does not count.
            row = ReceivedHandover(
                authority_id=other.id,
                agency_id=other.agency_id,
                identifier=identifier,
                digest=b"",
                state="requested",
                received_on=today_of(session),
            )
            session.add(row)
            await session.flush()
        await load_keys(session, {row.agency_id})
        if row.state == "requested":
            row.state, row.answered_on = "withdrawn", today_of(session)
            await session.flush()
        return told_of(row)


def told_of(row: ReceivedHandover) -> TaskTold:
    """How it stands, as the sender is told."""
    if row.state == "withdrawn":
        return TaskTold("cancelled", on=row.answered_on)
    if row.state == "accepted":
        return TaskTold("accepted", on=row.answered_on, lead=row.lead_here)
    if row.state == "refused":
        return TaskTold("rejected", row.reason, row.answered_on)
    return TaskTold("requested")


async def _authority_of(session: AsyncSession, client: Client) -> OtherAuthority:
    found = await session.scalar(
        select(OtherAuthority).where(
            OtherAuthority.client_key == client.key, OtherAuthority.ended_on.is_(None)
        )
    )
    if found is None:
        raise NotLetIn(403, NOT_ONE_OF_OURS, REALM)
    return found


def _checked(body: bytes, other: OtherAuthority) -> Handed:
    try:
        return read_document(body, other.public_key or "")
    except NotBelieved as wrong:
        if wrong.why == "document":
            raise Refused(NO_DOCUMENT, 400) from wrong
        raise Refused(NOT_SIGNED, 422) from wrong


async def _row(
    session: AsyncSession, other: OtherAuthority, identifier: UUID
) -> ReceivedHandover | None:
    return await session.scalar(
        select(ReceivedHandover)
        .where(ReceivedHandover.authority_id == other.id, ReceivedHandover.identifier == identifier)
        .with_for_update()
    )


async def _keep(
    session: AsyncSession, other: OtherAuthority, handed: Handed, body: bytes, digest: bytes
) -> ReceivedHandover:
    # One at a time for each sender: two of one identifier at once are one.
    await session.execute(
        update(OtherAuthority)
        .where(OtherAuthority.id == other.id)
        .values(version=OtherAuthority.version)
        .execution_options(synchronize_session=False)
    )
    again = await _row(session, other, handed.handing.identifier)
    if again is not None:
        if again.digest != digest:
            raise Refused(ANOTHER, 409)
        return again
    await load_keys(session, {other.agency_id})
    row = ReceivedHandover(
        authority_id=other.id,
        agency_id=other.agency_id,
        identifier=handed.handing.identifier,
        digest=digest,
        state="requested",
        received_on=today_of(session),
    )
    row.document = body.decode()
    session.add(row)
    await session.flush()
    return row


# Reading ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """One that came, without a word of it."""

    id: UUID
    authority: str
    received_on: date
    state: str
    answered_on: date | None


MOST = 100


async def received_handovers(session: AsyncSession) -> Sequence[Waiting]:
    """What came, those without an answer first, at most 100."""
    rows = await session.execute(
        select(ReceivedHandover, OtherAuthority.name)
        .join(OtherAuthority, OtherAuthority.id == ReceivedHandover.authority_id)
        .order_by(
            ReceivedHandover.state != "requested",
            ReceivedHandover.received_on.desc(),
            ReceivedHandover.id.desc(),
        )
        .limit(MOST)
    )
    return [
        Waiting(row.id, name, row.received_on, row.state, row.answered_on) for row, name in rows
    ]


@dataclass(frozen=True, slots=True)
class Opened:
    """One that came, read."""

    id: UUID
    version: int
    authority: str
    received_on: date
    state: str
    reason: str
    handed: Handed
    child: ChildFound
    types: Sequence[tuple[str, int]]
    """What came with it: type and how many."""


async def open_received(session: AsyncSession, received_id: UUID) -> Opened:
    """One of them, read anew and checked anew. Raises NotFound, Invalid."""
    row, other = await _one(session, received_id)
    handed = _still_theirs(row, other)
    child = _child_of(handed)
    return Opened(
        row.id,
        row.version,
        other.name,
        row.received_on,
        row.state,
        row.reason,
        handed,
        child,
        sorted((kind, len(found)) for kind, found in child.about.items()),
    )


async def kept_authority(session: AsyncSession, authority_id: UUID) -> OtherAuthority:
    """One authority. Raises NotFound."""
    row = await session.get(OtherAuthority, authority_id)
    if row is None:
        raise NotFound("There is no such authority.", "Go back to the list.")
    return row


async def _one(session: AsyncSession, received_id: UUID) -> tuple[ReceivedHandover, OtherAuthority]:
    row = await session.get(ReceivedHandover, received_id)
    if row is None:
        raise NotFound(NOT_HERE, "Go back to the list.")
    await load_keys(session, {row.agency_id})
    return row, await session.get_one(OtherAuthority, row.authority_id)


def _still_theirs(row: ReceivedHandover, other: OtherAuthority) -> Handed:
    try:
        return read_document(row.document.encode(), other.public_key or "")
    except NotBelieved as wrong:
        raise Invalid.because("answer", NOT_SIGNED) from wrong


def _child_of(handed: Handed) -> ChildFound:
    try:
        file = read_file(handed.record)
    except UnreadableRecords as wrong:
        raise Invalid.because("answer", "The record in this document cannot be read") from wrong
    if len(file.children) != 1:
        raise Invalid.because("answer", "The document has to be about one child")
    return file.children[0]


# Answering ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How we take a child on."""

    panel_id: UUID
    lead_id: UUID
    """The worker who holds the plan here from today."""


def acceptance(
    panel_id: UUID | None, lead_id: UUID | None, may_coordinate: Collection[UUID]
) -> Acceptance:
    """How we take a child on, from a form. Raises Invalid."""
    mistakes = []
    if panel_id is None or panel_id not in may_coordinate:
        mistakes.append(FieldError("panel", "Choose a panel that you run"))
    if lead_id is None:
        mistakes.append(FieldError("lead", "Choose who is lead professional from today"))
    if panel_id is None or lead_id is None or mistakes:
        raise Invalid(tuple(mistakes))
    return Acceptance(panel_id, lead_id)


async def accept(
    session: AsyncSession, received_id: UUID, version: int, how: Acceptance, viewer: Viewer
) -> UUID:
    """Take the child on; the child's id here. Accepted already, it is the same child.

    Where their case is open here, it goes on with whoever leads it: what another authority says of
    a child closes nothing here, and gives nobody else the plan.

    In a transaction of scheduled work, which reaches every child. Raises NotFound, Conflict,
    Invalid; then nothing may be kept.
    """
    row, other = await _held(session, received_id)
    if row.state == "accepted" and row.handover_id is not None:
        return (await session.get_one(AuthorityHandover, row.handover_id)).child_id
    _require_open(row, version)
    lead, panel = await _lead(session, how), await session.get(Panel, how.panel_id)
    if panel is None or not takes_referrals(panel):
        raise Invalid.because("panel", "Choose a panel")
    handed = _still_theirs(row, other)
    today = today_of(session)
    known = await here_already(session, new_child(_child_of(handed)))
    episode = None if known is None else await open_episode_of(session, known.id)
    child_id = await bring_one(session, read_file(handed.record))
    leads = None if episode is None else await _who_leads(session, child_id, today)
    episode = episode or await _begin(session, child_id, today)
    await load_keys(session, {child_id, lead.agency_id})
    await refer_from_outside(
        session,
        child_id,
        panel,
        way="system",
        referred_on=today,
        agency_id=other.agency_id,
        reason=handed.handing.note or REFERRED.format(name=other.name),
        category=Category.PLAN,
    )
    if leads is None:
        await name_lead(session, child_id, lead, today)
    arrival = await arrived(
        session,
        child_id,
        other,
        identifier=row.identifier,
        episode_id=episode.id,
        on=today,
        sent_on=day_of(handed.handing.written_at),
        note=handed.handing.note,
        withheld=handed.handing.withheld,
    )
    await session.flush()
    lead = leads or lead
    await load_keys(session, {lead.agency_id})
    row.lead_here = f"{lead.name}, {lead.job_title}".strip(", ")
    _answer(row, "accepted", today, viewer)
    row.handover_id = arrival.id
    await rewrite_access(session, child_id)
    return child_id


async def refuse(
    session: AsyncSession, received_id: UUID, version: int, reason: str, viewer: Viewer
) -> None:
    """Say no, with the reason that the other authority and the family there read."""
    if not reason.strip():
        raise Invalid.because("reason", "Say why: the other authority and the family read it")
    row, _ = await _held(session, received_id)
    _require_open(row, version)
    row.reason = reason.strip()
    _answer(row, "refused", today_of(session), viewer)


async def _held(
    session: AsyncSession, received_id: UUID
) -> tuple[ReceivedHandover, OtherAuthority]:
    await session.get(ReceivedHandover, received_id, with_for_update=True, populate_existing=True)
    return await _one(session, received_id)


def _require_open(row: ReceivedHandover, version: int) -> None:
    if row.state != "requested" or row.version != version:
        words = {"withdrawn": "The other authority took it back", "refused": "It was refused"}
        said = words.get(row.state, "Somebody answered already")
        raise Conflict((Clash("The handover", "Your answer", said),))


def _answer(row: ReceivedHandover, state: str, on: date, viewer: Viewer) -> None:
    row.state, row.answered_on, row.answered_by = state, on, viewer.id


async def _lead(session: AsyncSession, how: Acceptance) -> Worker:
    worker = await session.get(Worker, how.lead_id)
    today = today_of(session)
    if worker is None or not await can_hold(session, worker, today):
        raise Invalid((FieldError("lead", "Choose somebody who stays and works with children"),))
    await load_keys(session, {worker.agency_id})
    return worker


async def _who_leads(session: AsyncSession, child_id: UUID, today: date) -> Worker | None:
    now = await lead_on(session, child_id, today)
    return None if now is None else await session.get_one(Worker, now.holder_id)


async def _begin(session: AsyncSession, child_id: UUID, today: date) -> Episode:
    """What went on there ended by coming here: a new episode begins, and nobody leads it yet."""
    going_on = await session.scalars(
        select(Episode).where(Episode.child_id == child_id, Episode.closed_on.is_(None))
    )
    for one in going_on:
        one.closed_on, one.closure_reason = today, "moved_away"
    await end_with_case(session, child_id, today)
    await session.flush()
    return await open_episode(session, child_id, today)
