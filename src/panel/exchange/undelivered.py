"""What could not be told to a system, for the information governance lead: no record is in it.

They see which system, which type, when and why, and decide whether it is tried again. Which child
it is about they see nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Viewer
from panel.exchange.models import ExchangeClient
from panel.exchange.telling_models import Delivery, Subscription
from panel.platform.audit import Kind, by_viewer, record
from panel.platform.problems import Conflict, NotFound
from panel.platform.tables import NOW

MOST = 100
"""Shown on the page; the rest comes when these are decided."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One that is dead."""

    id: UUID
    version: int
    client: str
    resource: str
    made_at: datetime
    tries: int
    failure: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each, over all systems."""

    waiting: int
    sent: int
    withheld: int
    dead: int


async def counts(session: AsyncSession) -> Counts:
    """How many wait, went, were withheld, and are dead."""
    found = await session.execute(select(Delivery.state, func.count()).group_by(Delivery.state))
    by_state: dict[str, int] = dict(list(found))
    return Counts(*(by_state.get(state, 0) for state in ("waiting", "sent", "withheld", "dead")))


async def dead(session: AsyncSession) -> Sequence[Undelivered]:
    """The oldest of those that are dead, as scheduled work reads them."""
    found = await session.execute(
        select(Delivery, ExchangeClient.name)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(ExchangeClient, ExchangeClient.id == Subscription.client_id)
        .where(Delivery.state == "dead")
        .order_by(Delivery.id)
        .limit(MOST)
    )
    return [
        Undelivered(
            row.id, row.version, name, row.resource, row.created_at, row.tries, row.failure or ""
        )
        for row, name in found
    ]


async def try_again(session: AsyncSession, delivery_id: UUID, version: int, viewer: Viewer) -> None:
    """Put it in line once more, as if it had not been tried. Raises NotFound, Conflict."""
    row = await _dead(session, delivery_id, version)
    row.state, row.tries, row.next_at, row.settled_at = "waiting", 0, session.info[NOW], None
    _note(session, Kind.DELIVERY_TRIED_AGAIN, row, viewer)


async def give_up(session: AsyncSession, delivery_id: UUID, version: int, viewer: Viewer) -> None:
    """It is not told. Raises NotFound, Conflict."""
    row = await _dead(session, delivery_id, version)
    row.state, row.settled_at = "given_up", session.info[NOW]
    _note(session, Kind.DELIVERY_GIVEN_UP, row, viewer)


async def _dead(session: AsyncSession, delivery_id: UUID, version: int) -> Delivery:
    row = await session.get(Delivery, delivery_id, with_for_update=True)
    if row is None:
        raise NotFound("There is no such message.")
    if row.version != version or row.state != "dead":
        raise Conflict(())
    return row


def _note(session: AsyncSession, what: Kind, row: Delivery, viewer: Viewer) -> None:
    told = {"type": row.resource, "subscription": str(row.subscription_id)}
    record(session, what, by_viewer(viewer), subject=row.id, details=told)
