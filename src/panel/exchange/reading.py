"""One resource, its earlier versions, and the whole record of a child, as a client may be told.

What is not there and what may not be told are the same answer. Each look is in the history of the
child, also one that ends so.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose
from interop.messages import FormAnswers, Message
from interop.search_values import as_uuid
from panel.exchange.entering import Client
from panel.exchange.finding import messages_of, open_messages, record_of
from panel.exchange.history import states_of
from panel.exchange.resources import Name, Told, references_in, told
from panel.exchange.sender_sources import read_sent
from panel.exchange.source import ChildLine, ChildSource, OpenSource
from panel.exchange.sources import SOURCES
from panel.platform.read_models import for_driver, rows_of, sql
from panel.records.gate import Access, Gate

_NOBODY: dict[UUID, Access] = {}


async def _child_of(
    session: AsyncSession, source: ChildSource[ChildLine], row: UUID
) -> UUID | None:
    """Whom a row is about, among the children that the viewer reaches.

    Also where the row is not told to anybody: a look that finds nothing is written down as one at
    something withheld is, or the looks, which the client may read, would tell the one from the
    other. (A Flag has the child's id, there or not.)
    """
    rows = await rows_of(
        session,
        for_driver(
            sql(
                "SELECT {child} FROM {rows} WHERE {id} = :row",
                child=source.child,
                rows=source.rows,
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
    message = found.get(row)
    if message is None:
        message = await read_sent(gate, session, client, resource, row)
    return None if message is None else told(resource, message)


async def may_be_told(
    gate: Gate, session: AsyncSession, client: Client, resource: str, row: UUID, child: UUID
) -> bool:
    """Whether a client may be told now that a resource of this child changed; logged as told."""
    opened = await _opened_for(
        gate, session, client, resource, row, f"word that {resource} changed"
    )
    return child in opened and row in await messages_of(session, resource, [row], opened)


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
    # A filling refers to its form by a canonical address, which is no id.
    forms = {UUID(message.form) for _, message in allowed if isinstance(message, FormAnswers)}
    beside = await referred_to(access.session, client, about_child, forms)
    return [*about_child, *beside]


async def referred_to(
    session: AsyncSession, client: Client, sent: Sequence[Told], forms: Iterable[UUID] = ()
) -> Sequence[Told]:
    """The agencies, workers with their posts, and services that resources refer to, what these
    refer to in turn, and these forms; each once."""
    found: dict[Name, Told] = {}
    wanted: Mapping[str, set[UUID]] = {**referred_ids(sent), "Questionnaire": set(forms)}
    while wanted:
        read = {kind: ids for kind, ids in wanted.items() if client.scopes.permits(kind, "r")}
        new = [told(kind, message) for kind, message in await open_messages(session, read)]
        found |= {one.name: one for one in new}
        wanted = _without(referred_ids(new), found)
    return list(found.values())


def _without(wanted: Mapping[str, set[UUID]], found: Collection[Name]) -> dict[str, set[UUID]]:
    new = {
        kind: {row for row in rows if (kind, str(row)) not in found}
        for kind, rows in wanted.items()
    }
    return {kind: rows for kind, rows in new.items() if rows}


def referred_ids(sent: Sequence[Told]) -> Mapping[str, set[UUID]]:
    """What resources refer to that is about no child, by type; a worker's post has their id."""
    wanted: dict[str, set[UUID]] = {}
    for kind, to in {name for one in sent for name in references_in(one.stamped.body)}:
        row = as_uuid(to)
        if row is not None and isinstance(SOURCES.get(kind), OpenSource):
            wanted.setdefault(kind, set()).add(row)
    if "Practitioner" in wanted:
        wanted.setdefault("PractitionerRole", set()).update(wanted["Practitioner"])
    return wanted
