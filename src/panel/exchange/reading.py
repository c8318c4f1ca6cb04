"""One resource, its earlier versions, and the whole record of a child, as a client may be told.

What is not there and what may not be told are the same answer. Each look is in the history of the
child, also one that ends so.
"""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose
from interop.messages import Message
from interop.search_values import as_uuid
from panel.exchange.entering import Client
from panel.exchange.finding import messages_of, record_of
from panel.exchange.history import states_of
from panel.exchange.resources import Name, Told, references, told
from panel.exchange.source import ChildLine, ChildSource, OpenSource, sql
from panel.exchange.sources import SOURCES
from panel.platform.read_models import for_driver, rows_of
from panel.records.gate import Access, Gate

_NOBODY: dict[UUID, Access] = {}


async def _child_of(
    session: AsyncSession, source: ChildSource[ChildLine], row: UUID
) -> UUID | None:
    """Whom a row is about, among the children that the viewer reaches."""
    rows = await rows_of(
        session,
        for_driver(
            sql(
                "SELECT {child} FROM {rows} WHERE ({where}) AND {id} = :row",
                child=source.child,
                rows=source.rows,
                where=source.where,
                id=source.id,
            )
        ),
        {"row": row},
    )
    return rows[0][0] if rows else None


async def _opened_for(
    gate: Gate, session: AsyncSession, client: Client, resource: str, row: UUID, doing: str
) -> dict[UUID, Access]:
    source = SOURCES[resource]
    if isinstance(source, OpenSource):
        return _NOBODY
    child = await _child_of(session, source, row)
    if child is None:
        return _NOBODY
    return await gate.open_here(
        session,
        [child],
        client.viewer,
        Purpose.EXCHANGE,
        f"sent {doing} to {client.name}",
        source.about,
    )


async def read(
    gate: Gate, session: AsyncSession, client: Client, resource: str, row: UUID
) -> Told | None:
    """A resource; None where there is none that may be told."""
    opened = await _opened_for(gate, session, client, resource, row, resource)
    found = await messages_of(session, resource, [row], opened)
    return told(resource, found[row]) if row in found else None


async def versions(
    gate: Gate, session: AsyncSession, client: Client, resource: str, row: UUID
) -> Sequence[Told]:
    """What a resource says and said, newest first; nothing where it may not be told now."""
    opened = await _opened_for(gate, session, client, resource, row, f"the history of {resource}")
    states = await states_of(session, SOURCES[resource], row, opened)
    return [told(resource, one) for one in states]


async def everything(
    gate: Gate, session: AsyncSession, client: Client, child: UUID
) -> Sequence[Told]:
    """All that may be told of a child, the Patient first, with what it refers to.

    Nothing where not even who the child is may be told. Types that the client's scopes do not let
    it read are left out.
    """
    opened = await gate.open_here(
        session, [child], client.viewer, Purpose.EXCHANGE, f"sent the record to {client.name}"
    )
    if child not in opened:
        return ()
    return await record(opened[child], client)


async def record(access: Access, client: Client) -> Sequence[Told]:
    """As `everything`, of a record that is open."""
    allowed: list[tuple[str, Message]] = [
        (resource, message)
        for resource, message in await record_of(access)
        if client.scopes.permits(resource, "r")
    ]
    if not any(resource == "Patient" for resource, _ in allowed):
        return ()
    about_child = [told(resource, message) for resource, message in allowed]
    beside = await referred_to(access.session, client, about_child)
    return [*about_child, *beside]


async def referred_to(
    session: AsyncSession, client: Client, sent: Sequence[Told]
) -> Sequence[Told]:
    """The agencies, workers with their posts, services and forms that resources refer to, and what
    these refer to in turn; each once."""
    found: dict[Name, Told] = {}
    latest = sent
    while latest:
        wanted = _open_rows(latest, found.keys())
        new: list[Told] = []
        for kind in sorted(wanted):
            if client.scopes.permits(kind, "r"):
                read = await messages_of(session, kind, wanted[kind], _NOBODY)
                new += [told(kind, message) for message in read.values()]
        found |= {one.name: one for one in new}
        latest = new
    return list(found.values())


def _open_rows(sent: Iterable[Told], known: Collection[Name]) -> dict[str, set[UUID]]:
    """What is referred to and about no child, by type. A worker has a post of the same id."""
    wanted: dict[str, set[UUID]] = {}
    for one in sent:
        for kind, to in references(one.content):
            row = as_uuid(to)
            if row is None or not isinstance(SOURCES.get(kind), OpenSource):
                continue
            for each in ("Practitioner", "PractitionerRole") if kind == "Practitioner" else (kind,):
                if (each, to) not in known:
                    wanted.setdefault(each, set()).add(row)
    return wanted
