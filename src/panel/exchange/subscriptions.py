"""What clients want to be told of, as they ask for it, read it, change it and take it away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from interop.outcome import Issue
from interop.outgoing import Json, Stamped, stamped
from interop.subscriptions import Asked, Kept, mailbox_of, resource
from panel.exchange.entering import Client
from panel.exchange.sources import IN_A_RECORD
from panel.exchange.telling_models import Subscription
from panel.platform.audit import Actor, ActorKind, Kind, record
from panel.platform.reaching import is_sendable
from panel.platform.tables import NOW
from panel.platform.tenancy import load_keys

SUBSCRIBABLE = IN_A_RECORD
"""Types that somebody may be told of. Who looked is not among them: to be told is to look."""
MOST = 50
"""Subscriptions of one client at a time."""
NOT_AN_ENDPOINT = "Send to an https address that is reached from the Internet."


class NotKept(Exception):
    """A subscription that is not kept, and why."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.text)
        self.issue = issue


@dataclass(frozen=True, slots=True)
class Shown:
    """A subscription as its client reads it."""

    id: UUID
    changed_at: datetime
    stamped: Stamped


def shown(row: Subscription) -> Shown:
    """What a client reads of a subscription of its own."""
    content: Json = dict(
        resource(
            Kept(
                id=str(row.id),
                status=row.state,
                resource=row.resource,
                patient=row.patient_id,
                endpoint=row.endpoint,
                payload=row.payload,
                reason=row.reason,
                end=row.end_at,
                error=row.failure,
            )
        )
    )
    return Shown(row.id, row.changed_at, stamped(content))


def require_endpoint(address: str, *, is_demo: bool) -> None:
    """Raise NotKept for an address that is never sent to."""
    if mailbox_of(address) is None and not is_sendable(address, to_this_machine=is_demo):
        raise NotKept(Issue("value", NOT_AN_ENDPOINT, ("Subscription.channel.endpoint",)))


async def own(session: AsyncSession, client: Client) -> Sequence[Subscription]:
    """Those of a client that it has not taken away, the oldest first."""
    found = await session.scalars(
        select(Subscription)
        .where(Subscription.client_id == client.viewer.id, Subscription.ended_at.is_(None))
        .order_by(Subscription.id)
    )
    return list(found)


async def one(session: AsyncSession, client: Client, row_id: UUID) -> Subscription | None:
    """One of a client's own."""
    return next((row for row in await own(session, client) if row.id == row_id), None)


async def make(
    session: AsyncSession, client: Client, asked: Asked, *, is_demo: bool
) -> Subscription:
    """Keep a subscription; it is told nothing before its endpoint has answered. Raises NotKept."""
    require_endpoint(asked.endpoint, is_demo=is_demo)
    if len(await own(session, client)) >= MOST:
        raise NotKept(Issue("too-costly", f"A client has at most {MOST} subscriptions."))
    now: datetime = session.info[NOW]
    row = Subscription(
        client_id=client.viewer.id,
        agency_id=client.agency_id,
        resource=asked.resource,
        patient_id=asked.patient,
        endpoint=asked.endpoint,
        payload=asked.payload,
        reason=asked.reason,
        end_at=asked.end,
        state="off" if asked.status == "off" else "requested",
        tries=0,
        number=0,
        next_at=now,
        since=now,
        looked_until=now,
    )
    row.headers = "\n".join(asked.headers or ())
    session.add(row)
    _note(session, Kind.SUBSCRIPTION_MADE, row, client)
    await session.flush()
    return row


async def change(
    session: AsyncSession, client: Client, row: Subscription, asked: Asked, *, is_demo: bool
) -> None:
    """Keep what its client says of it now. Raises NotKept.

    Where it goes elsewhere, or was off, the endpoint has to answer first.
    """
    require_endpoint(asked.endpoint, is_demo=is_demo)
    await load_keys(session, {row.agency_id})
    now: datetime = session.info[NOW]
    again = (
        row.endpoint != asked.endpoint
        or row.payload != asked.payload
        or row.state in ("off", "requested")
        or asked.status == "requested"
    )
    if row.state == "off":
        # What changed while it was off is not told afterwards.
        row.since = row.looked_until = now
    row.resource, row.patient_id = asked.resource, asked.patient
    row.endpoint, row.payload = asked.endpoint, asked.payload
    row.reason, row.end_at = asked.reason, asked.end
    if asked.headers is not None:
        row.headers = "\n".join(asked.headers)
    if asked.status == "off":
        row.state = "off"
    elif again:
        row.state, row.tries, row.next_at, row.failure = "requested", 0, now, None
    _note(session, Kind.SUBSCRIPTION_CHANGED, row, client)
    await session.flush()


async def end(session: AsyncSession, client: Client, row: Subscription) -> None:
    """Take it away: nothing more goes out, also of what waits."""
    row.state, row.ended_at = "off", session.info[NOW]
    _note(session, Kind.SUBSCRIPTION_ENDED, row, client)
    await session.flush()


def _note(session: AsyncSession, what: Kind, row: Subscription, client: Client) -> None:
    by = Actor(client.viewer.id, ActorKind.CLIENT, client.agency_id)
    record(session, what, by, subject=row.id, details={"type": row.resource, "state": row.state})
