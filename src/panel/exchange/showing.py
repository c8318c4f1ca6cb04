"""Messages as one client is shown them: what another system sent refers to nothing it may not see.

Our own rows refer only to what consent let be read with them. What another system sent refers to
whatever it liked. So each reference in it is looked for as this client would, and one that leads to
nothing here, or to nothing that may be told, is no id any more; the two look the same.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from interop.messages import Message
from interop.outgoing import Json
from interop.search_values import as_uuid
from panel.exchange.conditions import one_of_ids
from panel.exchange.entering import Client
from panel.exchange.finding import Order, Part, find_in
from panel.exchange.permitted import permitted
from panel.exchange.resources import Name, Told, references, told
from panel.exchange.sender_sources import ABSENT, AsSent
from panel.exchange.source import text_of
from panel.exchange.sources import SOURCES, sources_of
from panel.records.gate import Gate

_OF_A_REFERENCE: Final = frozenset(
    {"id", "extension", "reference", "type", "identifier", "display"}
)


async def show(
    gate: Gate, session: AsyncSession, client: Client, said: Iterable[tuple[str, Message]]
) -> list[Told]:
    """Messages, by type, as they are sent to a client."""
    some = list(said)
    sent = [one for _, one in some if isinstance(one, AsSent) and not one.is_own]
    if not sent:
        return [told(resource, message) for resource, message in some]
    known = await _known(gate, session, client, sent)
    return [told(resource, _without_others(message, known)) for resource, message in some]


async def _known(
    gate: Gate, session: AsyncSession, client: Client, sent: Sequence[AsSent]
) -> Mapping[Name, str | None]:
    """What of all that they refer to is here and may be told, and of which child it is."""
    wanted: dict[str, set[UUID]] = {}
    for one in sent:
        for kind, to in references(one.resource):
            row = as_uuid(to)
            if kind in SOURCES and row is not None:
                wanted.setdefault(kind, set()).add(row)
    children = {UUID(one.child) for one in sent}
    # Whose it is, is told of whatever is told; of no other child is anything said.
    wanted.pop("Patient", None)
    if not wanted:
        return {}
    children = {UUID(one.child) for one in sent}
    allowed = await permitted(gate, session, client.viewer, children)
    parts = [
        Part(source, [one_of_ids(source, sorted(ids), number)])
        for number, (kind, ids) in enumerate(sorted(wanted.items()))
        for source in sources_of(kind)
    ]
    most = sum(len(ids) for ids in wanted.values())
    hits = await find_in(session, parts, allowed, Order(), most)
    return {(hit.type, str(hit.id)): text_of(hit.child_id) for hit in hits}


def _without_others(message: Message, known: Mapping[Name, str | None]) -> Message:
    if not isinstance(message, AsSent) or message.is_own:
        return message
    whose = (None, message.child)
    to = {name for name, child in known.items() if child in whose}
    return message.saying(leading_only_to(message.resource, {*to, ("Patient", message.child)}))


def leading_only_to(resource: Json, known: Set[Name]) -> Json:
    """A copy of a resource whose references lead only to what is known."""
    return _object(resource, known)


def _object(value: Mapping[str, object], known: Set[Name]) -> Json:
    return {name: _copied(inner, known) for name, inner in value.items()}


def _copied(value: object, known: Set[Name]) -> object:
    if isinstance(value, list):
        return [_copied(one, known) for one in value]
    if not isinstance(value, Mapping):
        return value
    if not _is_reference(value):
        return _object(value, known)
    kind, _, to = str(value.get("reference", "")).partition("/")
    if (kind, to) in known:
        return {name: value[name] for name in ("reference", "display") if name in value}
    return {"display": value["display"]} if value.get("display") else ABSENT


def _is_reference(value: Mapping[str, object]) -> bool:
    """Whether it refers to something, by an address or by an identifier."""
    to = value.get("reference"), value.get("identifier")
    refers = isinstance(to[0], str) or isinstance(to[1], Mapping)
    return refers and value.keys() <= _OF_A_REFERENCE
