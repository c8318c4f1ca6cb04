"""Notifications as they leave: at least once, in order for each child, and only if still permitted.

One is taken under a row lock (`SKIP LOCKED`) and put off in the same transaction, so that whoever
dies while sending leaves it to be sent again, with the same id. Then the gate is asked, as the
client, whether it may be told still; then it goes; then what became of it is kept. The next of the
same child waits for the one before. Where one is given up as dead the next goes on: each names a
resource and says nothing of it, so nothing is misread without the one before.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from interop.mesh import Letter, MeshError
from interop.served import MEDIA_TYPE
from interop.subscriptions import EVENT, Event, handshake, headers_of, mailbox_of, notification
from panel.exchange.entering import Client
from panel.exchange.events import CLIENT_ENDED, may_go_on
from panel.exchange.reading import may_be_told
from panel.exchange.telling_models import Delivery, Subscription
from panel.platform.audit import Kind, record
from panel.platform.reaching import NotReached, Reaching
from panel.platform.tables import NOW
from panel.platform.tenancy import load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import Gate

TRIES = 10
"""How often one is sent before it is dead: over about a day."""
FIRST = timedelta(minutes=1)
LONGEST = timedelta(hours=6)
MOST = 500
"""Sent by one run at most."""
LASTS = 45.0
"""Seconds that one run goes on: other work waits meanwhile."""
KEPT = timedelta(days=30)
"""How long it is known what was sent."""
GONE = 410
WORKFLOW = "PANEL_NOTIFICATION"
"""What MESH is told that a message is."""
NOT_TOLD = "It may not be told any more."

_NEXT = text("""
SELECT d.id FROM delivery d JOIN subscription s ON s.id = d.subscription_id
 WHERE d.state = 'waiting' AND d.next_at <= :now
   AND s.state IN ('active', 'error') AND s.ended_at IS NULL
   AND NOT d.subscription_id = ANY(CAST(:silent AS uuid[]))
   AND NOT EXISTS (SELECT FROM delivery b WHERE b.subscription_id = d.subscription_id
     AND b.child_id = d.child_id AND b.sequence < d.sequence AND b.state = 'waiting')
 ORDER BY d.next_at, d.id LIMIT 1 FOR UPDATE OF d SKIP LOCKED
""")
_NUMBER = text("UPDATE subscription SET number = number + 1 WHERE id = :id RETURNING number")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is about to be sent, out of its transaction."""

    id: UUID
    child_id: UUID
    resource: str
    resource_id: UUID
    told_at: datetime
    subscription_id: UUID
    endpoint: str
    payload: str
    headers: Mapping[str, str]
    client: Client


def wait_before(event: UUID, tries: int) -> timedelta:
    """How long to wait after so many tries: twice as long each time, at most 6 hours.

    Up to half is taken off by the event's own id, so that events that failed together do not come
    back together, and the same event always waits the same.
    """
    usual = min(FIRST * (1 << (min(tries, 20) - 1)), LONGEST)
    drawn = int.from_bytes(sha256(event.bytes + tries.to_bytes(4)).digest()[:4])
    return usual * (1 - drawn / 2**33)


class ByMesh(Protocol):
    """A mailbox of ours, to send from."""

    async def __call__(self, letter: Letter) -> None:
        """Send it. Raises MeshError."""
        ...


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends what waits for one authority."""

    gate: Gate
    reaching: Reaching
    base: str
    """This server's address."""
    by_mesh: ByMesh | None = None
    """Where messages to mailboxes of MESH go; None where there is no mailbox of ours."""

    async def send_due(self, most: int = MOST) -> int:
        """Send what is due; how many were taken. Where nobody answers, the rest waits for another
        run, so that one who is silent holds up no other; after 45 seconds, all of it does.
        """
        silent: set[UUID] = set()
        time = asyncio.get_running_loop().time
        until = time() + LASTS
        taken = 0
        while taken < most and time() < until and await self.send_next(silent):
            taken += 1
        return taken

    async def send_next(self, silent: set[UUID]) -> bool:
        """Send the one that is due longest, of a subscription that is not silent; False where none
        is. A subscription that does not answer is added to those that are silent.
        """
        async with self.gate.tenant.transaction(JOB) as session:
            found = await session.execute(_NEXT, {"now": session.info[NOW], "silent": list(silent)})
            delivery_id = found.scalar_one_or_none()
            if delivery_id is None:
                return False
            going = await self._taken(session, delivery_id)
        if going is not None and await self._still_permitted(going) and not await self._send(going):
            silent.add(going.subscription_id)
        return True

    async def _taken(self, session: AsyncSession, delivery_id: UUID) -> Outgoing | None:
        """Take one: until it comes back, nobody else takes it. None where it does not go."""
        row = await session.get_one(Delivery, delivery_id)
        subscription = await session.get_one(Subscription, row.subscription_id)
        client = await may_go_on(session, subscription)
        if client is None:
            _settle(session, row, "withheld", subscription.failure or CLIENT_ENDED)
            return None
        row.tries += 1
        row.next_at = session.info[NOW] + wait_before(row.id, row.tries)
        await load_keys(session, {subscription.agency_id})
        return Outgoing(
            row.id,
            row.child_id,
            row.resource,
            row.resource_id,
            row.told_at,
            subscription.id,
            subscription.endpoint,
            subscription.payload,
            headers_of(subscription.headers.splitlines()),
            client,
        )

    async def _still_permitted(self, going: Outgoing) -> bool:
        """Ask the gate, as the client; the look is kept before anything leaves."""
        async with self.gate.tenant.transaction(going.client.viewer.id) as session:
            told = await may_be_told(
                self.gate, session, going.client, going.resource, going.resource_id, going.child_id
            )
        if not told:
            async with self.gate.tenant.transaction(JOB) as session:
                row = await session.get_one(Delivery, going.id)
                _settle(session, row, "withheld", NOT_TOLD)
        return told

    async def _send(self, going: Outgoing) -> bool:
        """Send it and keep what became of it; whether anybody answered."""
        number = await self._number(going)
        event = Event(
            id=str(going.id),
            number=number,
            at=going.told_at,
            focus=f"{going.resource}/{going.resource_id}",
        )
        body = notification(self.base, str(going.subscription_id), event)
        status, failure = await self._post(
            going.endpoint, going.payload, going.headers, body, event.id
        )
        async with self.gate.tenant.transaction(JOB) as session:
            row = await session.get_one(Delivery, going.id)
            if row.state == "waiting":
                await _came_back(session, row, status, failure)
        return status > 0

    async def _number(self, going: Outgoing) -> int:
        """The event's number; the same when it is sent again."""
        async with self.gate.tenant.transaction(JOB) as session:
            row = await session.get_one(Delivery, going.id, with_for_update=True)
            if row.number is None:
                given = await session.execute(_NUMBER, {"id": going.subscription_id})
                row.number = given.scalar_one()
            return row.number

    async def shake_hands(self) -> None:
        """See of each new subscription whether somebody is there who takes what is sent."""
        async with self.gate.tenant.transaction(JOB) as session:
            waiting = list(
                await session.scalars(
                    select(Subscription.id).where(
                        Subscription.state == "requested",
                        Subscription.ended_at.is_(None),
                        Subscription.next_at <= session.info[NOW],
                    )
                )
            )
        for one in waiting:
            await self._shake(one)

    async def _shake(self, subscription_id: UUID) -> None:
        async with self.gate.tenant.transaction(JOB) as session:
            row = await session.scalar(
                select(Subscription)
                .where(Subscription.id == subscription_id, Subscription.state == "requested")
                .with_for_update(skip_locked=True)
            )
            if row is None or await may_go_on(session, row) is None:
                return
            row.tries += 1
            row.next_at = session.info[NOW] + wait_before(row.id, row.tries)
            await load_keys(session, {row.agency_id})
            endpoint, payload = row.endpoint, row.payload
            headers = headers_of(row.headers.splitlines())
            body = handshake(self.base, str(row.id), session.info[NOW])
        status, failure = await self._post(
            endpoint, payload, headers, body, f"handshake-{subscription_id}"
        )
        async with self.gate.tenant.transaction(JOB) as session:
            row = await session.get_one(Subscription, subscription_id)
            if row.state != "requested" or row.endpoint != endpoint:
                return
            if _is_taken(status):
                row.state, row.failure, row.tries = "active", None, 0
            elif row.tries >= TRIES or status == GONE:
                row.state, row.failure = "off", failure
            else:
                row.failure = failure

    async def _post(
        self, endpoint: str, payload: str, headers: Mapping[str, str], body: object, event: str
    ) -> tuple[int, str]:
        """The answer's status and what is wrong with it; 0 where nobody answered."""
        content = msgspec.json.encode(body) if payload else b""
        if (mailbox := mailbox_of(endpoint)) is not None:
            return await self._by_mesh(Letter(mailbox, WORKFLOW, content, local_id=event))
        told = dict(headers) | {EVENT: event}
        if payload:
            told["Content-Type"] = MEDIA_TYPE
        try:
            status = await self.reaching.post(endpoint, content, told)
        except NotReached as error:
            return 0, str(error)
        return status, "" if _is_taken(status) else f"It answered with {status}."

    async def _by_mesh(self, letter: Letter) -> tuple[int, str]:
        """As `_post`."""
        if self.by_mesh is None:
            return 0, "There is no mailbox of MESH here to send it from."
        try:
            await self.by_mesh(letter)
        except MeshError as error:
            return error.status, str(error)
        return 200, ""


def _is_taken(status: int) -> bool:
    return 200 <= status < 300


async def _came_back(session: AsyncSession, row: Delivery, status: int, failure: str) -> None:
    """Keep what became of one that was sent."""
    subscription = await session.get_one(Subscription, row.subscription_id)
    if _is_taken(status):
        _settle(session, row, "sent", None)
        if subscription.state == "error":
            subscription.state, subscription.failure = "active", None
    elif row.tries >= TRIES or status == GONE:
        _settle(session, row, "dead", failure)
        if subscription.state == "active":
            subscription.state = "error"
        subscription.failure = failure
        told = {"tries": row.tries, "type": row.resource, "subscription": str(subscription.id)}
        record(session, Kind.DELIVERY_DEAD, subject=row.id, details=told)
    else:
        row.failure = failure


async def forget_settled(session: AsyncSession, now: datetime) -> None:
    """Drop what was settled long ago; what is dead waits for somebody to decide."""
    await session.execute(
        delete(Delivery).where(
            Delivery.settled_at < now - KEPT,
            Delivery.state.in_(("sent", "withheld", "given_up")),
        )
    )


def _settle(session: AsyncSession, row: Delivery, state: str, failure: str | None) -> None:
    row.state, row.failure, row.settled_at = state, failure, session.info[NOW]
