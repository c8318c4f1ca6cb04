"""Handing a child over to another authority's Panel: the document is made, signed and sent.

What it holds is what the other authority's system may be told of the child, as the gate decides
when it is made; what is left out it says. It is sent until an answer is known, by its identifier:
the same again is the same there, so whoever dies in between, and whose answer is lost, asks again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose
from interop.client import Again, Credentials, FhirClient, SigningKey
from interop.client_answers import FhirError, NotReached, NotThere, NotUnderstood
from interop.client_tokens import new_signing_key, public_set
from interop.handed import Handing, TaskTold, read_task, signed_document
from interop.signed import NotBelieved
from panel.casework import handover as casework
from panel.casework.handover_models import AuthorityHandover, OtherAuthority
from panel.exchange.delivering import wait_before
from panel.exchange.entering import Client
from panel.exchange.models import ExchangeClient
from panel.exchange.pulling import why
from panel.exchange.reading import record
from panel.exchange.standing import client_by_key
from panel.platform.crypto import Keyring, Keys
from panel.platform.ids import new_id
from panel.platform.problems import FieldError, Invalid, NotAllowed, Problem
from panel.platform.reaching import Reaching, is_sendable
from panel.platform.tables import KEYS, NOW, today_of
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import Gate

OPERATION = "$hand-over"
SCOPES = ("system/Bundle.c", "system/Task.r")
AFTER = timedelta(minutes=15)
"""How long after an answer that nobody decided yet it is asked again."""
NO_SUCH = "Its answer is about something else. It is asked again."
MAY_NOT_BE_TOLD = (
    "{name} may not be told who this child is: the family has not agreed to share with its system,"
    " and no duty opens the record to it."
)
ASK_THE_FAMILY = "Ask the family, write down what they decided, and send it then."


def signing_key(ring: Keyring) -> Ed25519PrivateKey:
    """The authority's key for documents of handover."""
    # From the key of blind indexes, which outlives rotations of the others.
    return Ed25519PrivateKey.from_private_bytes(ring.index("handover of children", "signing"))


def public_key(ring: Keyring) -> str:
    """Its public part, as the other authority enters it: 64 hexadecimal digits."""
    return signing_key(ring).public_key().public_bytes_raw().hex()


# Other authorities --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewAuthority:
    """An authority to hand children to, and to be handed children by."""

    name: str
    client_key: str
    """The system as which it comes in here."""
    base: str = ""
    as_client: str = ""
    public_key: str = ""


async def add_authority(
    session: AsyncSession, new: NewAuthority, *, is_demo: bool
) -> OtherAuthority:
    """Keep another authority. Our key there is made now. Raises Invalid."""
    client = await session.scalar(
        select(ExchangeClient).where(ExchangeClient.key == new.client_key)
    )
    mistakes = []
    if not new.name.strip():
        mistakes.append(FieldError("name", "Enter the authority’s name"))
    if client is None or client.ended_on is not None:
        mistakes.append(FieldError("client", "There is no system of this key that comes in today"))
    if new.base and not is_sendable(new.base, to_this_machine=is_demo):
        mistakes.append(FieldError("base", "Enter a public address that begins with https://"))
    if new.base and not new.as_client.strip():
        mistakes.append(FieldError("as_client", "Enter what we are called there"))
    if not _is_key(new.public_key):
        mistakes.append(FieldError("public_key", "Enter their key: 64 digits from 0 to f"))
    taken = await session.scalar(
        select(OtherAuthority.id).where(OtherAuthority.client_key == new.client_key)
    )
    if taken is not None:
        mistakes.append(FieldError("client", "Another authority comes in as this system"))
    if mistakes or client is None:
        raise Invalid(tuple(mistakes))
    await load_keys(session, {client.agency_id})
    row = OtherAuthority(
        name=new.name.strip(),
        client_key=new.client_key,
        agency_id=client.agency_id,
        base=new.base.rstrip("/") or None,
        as_client=new.as_client.strip() or None,
        public_key=new.public_key.lower(),
    )
    row.signing_key = new_signing_key(f"panel-{new_id()}").decode() if new.base else ""
    session.add(row)
    await session.flush()
    return row


def _is_key(given: str) -> bool:
    return len(given) == 64 and set(given.lower()) <= set("0123456789abcdef")


async def our_keys(session: AsyncSession, row: OtherAuthority) -> str:
    """The public part of our key there, as the other system takes it (JWKS); "" for files."""
    await load_keys(session, {row.agency_id})
    if not row.signing_key:
        return ""
    return msgspec.json.encode(
        public_set([SigningKey.from_jwk(msgspec.json.decode(row.signing_key))])
    ).decode()


# Sending ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Made:
    """A document, and what it leaves out."""

    body: str
    withheld: tuple[str, ...]


async def make_document(gate: Gate, row: AuthorityHandover, note: str, base: str) -> Made:
    """The document of a handover, signed. Raises NotAllowed where not even the child may be told.

    Args: `row` as it was read in another transaction; `note` its words; `base` this server.
    """
    tenant = gate.tenant
    client, other = await _as_client(tenant, row)
    async with tenant.transaction(client.viewer.id) as session:
        doing = f"handed the record over to {other.name}"
        opened = await gate.open_here(
            session, [row.child_id], client.viewer, Purpose.EXCHANGE, doing
        )
        access = opened.get(row.child_id)
        told = () if access is None else await record(gate, access, client)
        if access is None or not told:
            raise NotAllowed(MAY_NOT_BE_TOLD.format(name=other.name), ASK_THE_FAMILY)
        decided = {one: access.decision(one) for one in Category}
        withheld = tuple(
            one.value for one, said in decided.items() if not said.permitted and not said.silent
        )
        now: datetime = session.info[NOW]
        handing = Handing(
            row.identifier,
            now,
            tenant.record.label,
            other.name,
            str(row.child_id),
            note if access.may(Category.PLAN) else "",
            withheld,
            row.moves_on,
        )
        ring = cast("Keys", session.info[KEYS]).ring
        body = signed_document(handing, [one.shown() for one in told], base, signing_key(ring))
    return Made(body.decode(), withheld)


async def _as_client(tenant: Tenant, row: AuthorityHandover) -> tuple[Client, OtherAuthority]:
    async with tenant.transaction(JOB) as session:
        other = await session.get_one(OtherAuthority, row.authority_id)
        client = await client_by_key(session, other.client_key)
        if client is None:
            raise NotAllowed(
                f"The system of {other.name} does not come in any more.",
                "Ask the information governance lead.",
            )
        return client, other


@dataclass(frozen=True, slots=True)
class _Due:
    """A handover that is asked about now, out of its transaction."""

    id: UUID
    identifier: UUID
    base: str
    credentials: Credentials
    body: bytes
    is_there: bool
    asks_back: bool
    now: datetime


async def hand_over_due(tenant: Tenant, reaching: Reaching) -> int:
    """Send or ask after every handover that is due; how many were."""
    done = 0
    while (due := await _taken(tenant)) is not None:
        told, failure = await _ask(due, reaching)
        try:
            await settle(tenant, due.id, told, failure)
        except Problem as refused:
            # The use of the record is restricted, for one: it is tried again later.
            await settle(tenant, due.id, None, refused.sentence)
        done += 1
    return done


async def _taken(tenant: Tenant) -> _Due | None:
    """Take one and put it off: whoever dies now leaves it to be sent again."""
    async with tenant.transaction(JOB) as session:
        now: datetime = session.info[NOW]
        row = await session.scalar(
            select(AuthorityHandover)
            .where(AuthorityHandover.next_at <= now, AuthorityHandover.state == "sent")
            .order_by(AuthorityHandover.next_at, AuthorityHandover.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return None
        other = await session.get_one(OtherAuthority, row.authority_id)
        await load_keys(session, {row.child_id, other.agency_id})
        row.tries += 1
        row.next_at = now + wait_before(row.id, row.tries)
        key = SigningKey.from_jwk(msgspec.json.decode(other.signing_key))
        return _Due(
            row.id,
            row.identifier,
            other.base or "",
            Credentials(other.as_client or "", (key,), SCOPES),
            row.document.encode(),
            row.delivered_at is not None,
            row.withdraw_asked_at is not None,
            now,
        )


async def _ask(due: _Due, reaching: Reaching) -> tuple[TaskTold | None, str]:
    """What the other side says; or why it says nothing."""
    path = f"{OPERATION}/{due.identifier}"
    try:
        async with (
            reaching.client() as http,
            FhirClient(
                due.base, due.credentials, http=http, again=Again(times=0), now=due.now.timestamp
            ) as fhir,
        ):
            if due.asks_back:
                answer = await fhir.operation(f"{path}/$withdraw", b"{}")
            elif due.is_there:
                answer = await _asked_after(fhir, path, due.body)
            else:
                answer = await fhir.operation(OPERATION, due.body)
        return read_task(answer, due.identifier), ""
    except NotBelieved:
        return None, NO_SUCH
    except (FhirError, NotReached, NotUnderstood) as error:
        return None, why(error)


async def _asked_after(fhir: FhirClient, path: str, body: bytes) -> bytes:
    try:
        return await fhir.asked(path)
    except NotThere:
        # It was there and is not: restored from an older copy. It is sent anew.
        return await fhir.operation(OPERATION, body)


async def settle(tenant: Tenant, handover_id: UUID, told: TaskTold | None, failure: str) -> None:
    """What the other side said takes effect, in one transaction; said twice it is said once."""
    async with tenant.transaction(JOB) as session:
        row = await session.get_one(
            AuthorityHandover, handover_id, with_for_update=True, populate_existing=True
        )
        if row.state != "sent":
            return
        await load_keys(session, {row.child_id})
        if told is None:
            row.failure = failure
            return
        now: datetime = session.info[NOW]
        row.delivered_at, row.failure, row.tries = row.delivered_at or now, None, 0
        row.next_at = now + AFTER
        # The day is theirs to say, between the one on which it went and today.
        today = today_of(session)
        on = min(max(told.on or today, row.sent_on or today), today)
        if told.state == "accepted":
            await casework.settle_accepted(session, row, on, told.lead)
        elif told.state == "rejected":
            await casework.settle_refused(session, row, on, told.reason)
        elif told.state == "cancelled":
            await casework.settle_withdrawn(session, row, on)
