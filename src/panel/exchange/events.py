"""What subscriptions are to be told: found where rows changed, put in order, kept until it goes.

It is scheduled work. What a client may not be told when it changes is not even put in line; what it
may not be told any more when it goes is withheld then (`delivering`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.exchange.entering import Client
from panel.exchange.finding import Condition, Hit, Order, find
from panel.exchange.permitted import permitted
from panel.exchange.source import AnySource
from panel.exchange.sources import SOURCES
from panel.exchange.standing import client_by_id
from panel.exchange.subscriptions import SUBSCRIBABLE
from panel.exchange.telling_models import Delivery, Subscription
from panel.platform.read_models import sql
from panel.platform.tables import NOW
from panel.records.gate import Gate

MOST = 500
"""Events that one run puts in line for a subscription; what is left is the next run's."""
LOOKED_BACK = timedelta(hours=1)
"""Rows say when the work that wrote them began. What began earlier and came later is found too, as
long as it took no longer than this."""
CLIENT_ENDED = "The system was ended, or may not read this type any more."
OVER = "It came to its end."


async def put_in_line(gate: Gate, session: AsyncSession) -> None:
    """Put every change since the last look in line, for each subscription that goes on.

    Done again it finds the same, and nothing twice: a state of a row is told once.
    """
    rows = await session.scalars(
        select(Subscription)
        .where(Subscription.state.in_(("active", "error")), Subscription.ended_at.is_(None))
        .order_by(Subscription.id)
        .with_for_update(skip_locked=True)
    )
    for row in list(rows):
        client = await may_go_on(session, row)
        if client is not None:
            await _put(gate, session, row, client)


async def may_go_on(session: AsyncSession, row: Subscription) -> Client | None:
    """The client of a subscription that goes on; one that does not is put off."""
    now: datetime = session.info[NOW]
    client = await client_by_id(session, row.client_id)
    if client is None or not client.scopes.permits(row.resource, "r"):
        row.state, row.failure = "off", CLIENT_ENDED
        return None
    if row.end_at is not None and row.end_at <= now:
        row.state, row.failure = "off", OVER
        return None
    return client


async def _put(gate: Gate, session: AsyncSession, row: Subscription, client: Client) -> None:
    now: datetime = session.info[NOW]
    hits = await _changed(gate, row, client)
    places = await _last_places(session, row, {hit.child_id for hit in hits if hit.child_id})
    for hit in hits:
        if hit.child_id is None:
            continue
        places[hit.child_id] = places.get(hit.child_id, 0) + 1
        session.add(
            Delivery(
                child_id=hit.child_id,
                subscription_id=row.id,
                sequence=places[hit.child_id],
                resource=hit.type,
                resource_id=hit.id,
                told_at=hit.changed_at,
                state="waiting",
                tries=0,
                next_at=now,
            )
        )
    if len(hits) < MOST:
        row.looked_until = now
    await session.flush()


async def _changed(gate: Gate, row: Subscription, client: Client) -> Sequence[Hit]:
    """What changed and may be told, in the order in which it did."""
    if row.resource not in SUBSCRIBABLE:
        return ()
    source = SOURCES[row.resource]
    whose = None if row.patient_id is None else {row.patient_id}
    async with gate.tenant.transaction(client.viewer.id) as reading:
        allowed = await permitted(gate, reading, client.viewer, whose)
        conditions = [_since(source, row)]
        if row.patient_id is not None:
            conditions.append(
                Condition(
                    sql("{child} = :patient", child=source.child), {"patient": row.patient_id}
                )
            )
        return await find(reading, source, allowed, conditions, Order(by_change=True), MOST)


def _since(source: AnySource, row: Subscription) -> Condition:
    return Condition(
        sql(
            "{changed} >= :since AND NOT EXISTS (SELECT FROM delivery d"
            " WHERE d.subscription_id = :subscription AND d.resource = '{resource}'"
            " AND d.resource_id = {id} AND d.told_at >= {changed})",
            changed=source.changed,
            resource=source.resource,
            id=source.id,
        ),
        {
            "since": max(row.since, row.looked_until - LOOKED_BACK),
            "subscription": row.id,
        },
    )


async def _last_places(
    session: AsyncSession, row: Subscription, children: set[UUID]
) -> dict[UUID, int]:
    found = await session.execute(
        select(Delivery.child_id, func.max(Delivery.sequence))
        .where(Delivery.subscription_id == row.id, Delivery.child_id.in_(children))
        .group_by(Delivery.child_id)
    )
    return dict(list(found))
