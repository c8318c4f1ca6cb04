"""One resource, its earlier versions, and the whole record of a child, as a client may be told.

What is not there and what may not be told are the same answer. Each look is in the history of the
child, also one that ends so.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose
from interop.messages import FormAnswers, Message
from interop.search_values import as_uuid
from panel.exchange.entering import Client
from panel.exchange.finding import messages_of, open_messages, record_of
from panel.exchange.groups import open_members
from panel.exchange.history import states_of
from panel.exchange.resources import Name, Told, references_in, told
from panel.exchange.showing import show
from panel.exchange.source import AnySource, ChildLine, ChildSource, GroupSource, OpenSource
from panel.exchange.sources import SOURCES, sources_of
from panel.exchange.sources_people import PATIENT
from panel.platform.read_models import for_driver, rows_of, sql
from panel.records.gate import Access, Gate


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a row is, and whom it is about."""

    source: ChildSource[ChildLine]
    child_id: UUID
    category: Category | None

    @property
    def about(self) -> frozenset[Category]:
        """What is decided and logged where it is told."""
        own = frozenset[Category]() if self.category is None else {self.category}
        return self.source.about | own


async def _place_of(session: AsyncSession, resource: str, row: UUID) -> _Place | None:
    """Where a row is, among those of the children that the viewer reaches.

    Also where the row is not told to anybody: a look that finds nothing is written down as one at
    something withheld is, or the looks, which the client may read, would tell the one from the
    other. (A Flag has the child's id, there or not.)
    """
    for source in sources_of(resource):
        if not isinstance(source, ChildSource):
            continue
        rows = await rows_of(
            session,
            for_driver(
                sql(
                    "SELECT {child}, {category} FROM {rows} WHERE {id} = :row AND {kind}",
                    child=source.child,
                    category=source.category,
                    rows=source.rows,
                    id=source.id,
                    kind=source.kind,
                )
            ),
            {"row": row},
        )
        if rows:
            child, category = rows[0]
            return _Place(source, child, None if category is None else Category(category))
    return None


async def _opened_for(
    gate: Gate, session: AsyncSession, client: Client, resource: str, row: UUID, doing: str
) -> tuple[AnySource, dict[UUID, Access]]:
    """Where a row is, and the record that it is on, opened."""
    source = SOURCES[resource]
    if isinstance(source, GroupSource):
        return source, await open_members(gate, session, client, source, [row])
    place = await _place_of(session, resource, row)
    if place is None:
        if not isinstance(source, ChildSource):
            return source, {}
        # A look at what is not there is written down as well: without, it would be the quicker one.
        place = _Place(source, row, None)
    doing = _sent(doing, client)
    return place.source, await gate.open_here(
        session, [place.child_id], client.viewer, Purpose.EXCHANGE, doing, place.about
    )


def _sent(what: str, client: Client) -> str:
    """A look, in the words of the child's history."""
    return f"sent {what} to {client.name}"


async def read(
    gate: Gate, session: AsyncSession, client: Client, resource: str, row: UUID
) -> Told | None:
    """A resource; None where there is none that may be told."""
    _, opened = await _opened_for(gate, session, client, resource, row, resource)
    found = await messages_of(session, resource, [row], opened)
    shown = await show(gate, session, client, [(resource, one) for one in found.values()])
    return shown[0] if shown else None


async def patient_of(gate: Gate, access: Access, client: Client) -> Told | None:
    """As `read`, of the child of a record that is open: the look is in the history by itself."""
    opened = {access.child_id: access.again(_sent("Patient", client), PATIENT.about)}
    found = await messages_of(access.session, "Patient", [access.child_id], opened)
    shown = await show(gate, access.session, client, [("Patient", one) for one in found.values()])
    return shown[0] if shown else None


async def may_be_told(
    gate: Gate, session: AsyncSession, client: Client, resource: str, row: UUID, child: UUID
) -> bool:
    """Whether a client may be told now that a resource of this child changed; logged as told."""
    _, opened = await _opened_for(
        gate, session, client, resource, row, f"word that {resource} changed"
    )
    return child in opened and row in await messages_of(session, resource, [row], opened)


async def versions(
    gate: Gate, session: AsyncSession, client: Client, resource: str, row: UUID
) -> Sequence[Told]:
    """What a resource says and said, newest first; nothing where it may not be told now."""
    source, opened = await _opened_for(
        gate, session, client, resource, row, f"the history of {resource}"
    )
    states = await states_of(session, source, row, opened)
    shown = await show(gate, session, client, [(resource, one) for one in states])
    # What differs in nothing that this client is shown is one version, since the first of them.
    return [
        one
        for one, before in zip_longest(shown, shown[1:])
        if before is None or one.stamped.version != before.stamped.version
    ]


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
    # Asked first and by itself: that a record is there and withheld would else be read for long.
    if child not in await messages_of(session, "Patient", [child], opened):
        return ()
    return await record(gate, opened[child], client)


async def record(gate: Gate, access: Access, client: Client) -> Sequence[Told]:
    """As `everything`, of a record that is open."""
    allowed: list[tuple[str, Message]] = [
        (resource, message)
        for resource, message in await record_of(access)
        if client.scopes.permits(resource, "r")
    ]
    if not any(resource == "Patient" for resource, _ in allowed):
        return ()
    about_child = await show(gate, access.session, client, allowed)
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
