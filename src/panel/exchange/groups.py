"""With whom a group is told, and their records opened: decided in the query, and again by the gate.

Whom a client may not know is neither counted nor opened, and so leaves no look either.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose
from panel.exchange.entering import Client
from panel.exchange.finding import Order, find, messages_of
from panel.exchange.permitted import PERMITTED, permitted
from panel.exchange.resources import Told, told
from panel.exchange.source import AnySource, GroupSource
from panel.exchange.sources_groups import GROUP
from panel.platform.read_models import for_driver, rows_of
from panel.records.gate import Access, Gate

MOST = 1_000
"""Groups of an authority: one for each panel."""


async def members_of(
    gate: Gate,
    session: AsyncSession,
    client: Client,
    ids: Iterable[UUID],
    source: GroupSource[Any] = GROUP,
) -> frozenset[UUID]:
    """The children with whom these groups are told; of groups that are not, nobody."""
    asked = list(ids)
    rows = await rows_of(session, for_driver(source.reached), {"ids": asked}, prepared=False)
    allowed = await permitted(gate, session, client.viewer, [row[0] for row in rows])
    if not allowed.rows:
        return frozenset()
    told = await rows_of(
        session,
        for_driver(f"WITH {PERMITTED} {source.members}"),
        {**allowed.values(), "ids": asked},
        prepared=False,
    )
    return frozenset(row[0] for row in told)


async def open_members(
    gate: Gate, session: AsyncSession, client: Client, source: AnySource, ids: Iterable[UUID]
) -> dict[UUID, Access]:
    """The records of those with whom groups are told; nobody's for a source of another kind."""
    if not isinstance(source, GroupSource):
        return {}
    members = await members_of(gate, session, client, ids, source)
    doing = f"sent {source.resource} to {client.name}"
    return await gate.open_here(
        session, sorted(members), client.viewer, Purpose.EXCHANGE, doing, source.about
    )


async def all_groups(gate: Gate, session: AsyncSession, client: Client) -> Sequence[Told]:
    """Every group that the client may be told of."""
    allowed = await permitted(gate, session, client.viewer)
    hits = await find(session, GROUP, allowed, (), Order(), MOST)
    ids = [one.id for one in hits]
    opened = await open_members(gate, session, client, GROUP, ids)
    messages = await messages_of(session, GROUP.resource, ids, opened)
    return [told(GROUP.resource, one) for one in messages.values()]
