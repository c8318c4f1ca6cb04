"""What a client may be told, written out at the command line: of one child, or of all."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy import select

from consent import Purpose
from panel.exchange.entering import Client
from panel.exchange.groups import all_groups
from panel.exchange.permitted import permitted
from panel.exchange.reading import everything, record
from panel.exchange.resources import Name, Told
from panel.exchange.sources import OF_CHILDREN
from panel.exchange.sources_groups import GROUP
from panel.records.gate import Gate
from panel.register.models import Child

A_TIME = 200
"""Children whose records are open in one transaction."""


async def one_child(gate: Gate, client: Client, reference: str) -> Sequence[Told]:
    """All that the client may be told of the child of a reference; nothing where that is none."""
    async with gate.tenant.transaction(client.viewer.id) as session:
        child = await session.scalar(select(Child.id).where(Child.reference == reference))
        return () if child is None else await everything(gate, session, client, child)


async def all_children(gate: Gate, client: Client) -> AsyncIterator[Told]:
    """All that the client may be told of everybody, child by child; what is shared comes once.

    At the end the groups, each with its members.
    """
    async with gate.tenant.transaction(client.viewer.id) as session:
        children = sorted((await permitted(gate, session, client.viewer)).children)
    shared: set[Name] = set()
    for start in range(0, len(children), A_TIME):
        async for one in _some(gate, client, children[start : start + A_TIME]):
            if one.name not in shared:
                yield one
            if one.resource not in OF_CHILDREN:
                shared.add(one.name)
    if client.scopes.permits(GROUP.resource, "r"):
        async with gate.tenant.transaction(client.viewer.id) as session:
            for group in await all_groups(gate, session, client):
                yield group


async def _some(gate: Gate, client: Client, children: Sequence[UUID]) -> AsyncIterator[Told]:
    doing = f"sent the record to {client.name}"
    async with gate.tenant.transaction(client.viewer.id) as session:
        opened = await gate.open_here(session, children, client.viewer, Purpose.EXCHANGE, doing)
        for child in children:
            if child in opened:
                for one in await record(gate, opened[child], client):
                    yield one
