"""What other systems sent, as a source beside our own rows: read, searched and exported like them.

Its sender reads back what it sent, whole. Others are told of it what consent lets them, and of that
only what Panel has words for: what else stands in it, its narrative and what is contained in it
may be about anything.
"""

from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose
from interop.bundle import instant
from interop.incoming.taking_apart import read
from interop.messages import Carer, Message, OfChild
from interop.outgoing import WRITERS, Json
from panel.exchange.columns import to
from panel.exchange.entering import Client
from panel.exchange.inbox_versions import as_sent
from panel.exchange.permitted import may
from panel.exchange.source import ChildLine, ChildSource, hex_of, listed, plain
from panel.platform.read_models import for_driver, rows_of, sql
from panel.records.gate import Access, Gate

NOT_TOLD: Final = ("text", "contained", "extension", "note")
"""Elements of a resource that has no message which nobody but its sender is told."""


STRICTEST: Final = frozenset({Category.HEALTH, Category.SAFEGUARDING})
"""Who may be told of these may be told whatever a text can hold."""
OF_CARERS: Final = frozenset({Category.FAMILY, Category.CONTACT, Category.IDENTITY})
"""What is told of a carer is of these, part by part."""
TOLD_OF_ANY: Final = ("resourceType", "id", "status", "lifecycleStatus", "intent")
"""Elements of a resource without a message, of another category, that others are told: codes of
FHIR's own. A plan that was entered in error may tell of an illness, and to plans more is agreed."""
WHOSE: Final = ("subject", "for", "patient", "individual", "beneficiary")


class AsSent(OfChild, frozen=True, kw_only=True):
    """A resource that goes out as it was sent, rather than from Panel's words."""

    resource: Json


class SenderRow(ChildLine):
    """A sender's version."""

    category: Category
    author_agency_id: UUID
    body: str | None


def written(type_: str, message: Message) -> Json:
    """A message as its FHIR resource, whichever kind it is."""
    if isinstance(message, AsSent):
        return message.resource
    resource: Json = WRITERS[type_].write(message)
    return resource


def _told(row: SenderRow, access: Access) -> Message | None:
    body = access.open_text(
        row.body, "sender_version.body", row.id, row.category, row.author_agency_id
    )
    if not body:
        return None
    sent = as_sent(row.id, row.changed_at, body)
    own = access.viewer.agency == row.author_agency_id
    message = None if own else _message(row, body)
    if isinstance(message, Carer):
        return _carer(message, row, access)
    if message is not None:
        return message
    if not own and row.category in STRICTEST:
        sent = {name: value for name, value in sent.items() if name not in NOT_TOLD}
    elif not own:
        sent = _bare(row, sent)
    return AsSent(id=str(row.id), child=str(row.child_id), changed_at=row.changed_at, resource=sent)


def _carer(said: Carer, row: SenderRow, access: Access) -> Carer:
    """A carer as our own rows tell of one: where they live is contact, and since when identity.

    Not even that it changed is told to who may not be told where they live; nor to anybody but its
    sender where the sender labels it as protected.
    """
    author = row.author_agency_id
    if not access.may(Category.IDENTITY, author):
        said = msgspec.structs.replace(said, from_on=None)
    if access.may(Category.CONTACT, author) and not said.restricted:
        return said
    return msgspec.structs.replace(
        said,
        changed_at=None,
        parts_withheld=said.restricted or bool(access.withheld_of([Category.CONTACT])),
        lives_with=False,
        phone=None,
        email=None,
        address=None,
    )


def _bare(row: SenderRow, sent: Json) -> Json:
    """What it is, of whom, and how its sender says that it stands."""
    told = {name: value for name, value in sent.items() if name in TOLD_OF_ANY}
    whose = next((name for name in WHOSE if name in sent), "subject")
    moment: Json = {"lastUpdated": instant(row.changed_at)}
    return told | {"meta": moment, whose: {"reference": f"Patient/{row.child_id}"}}


def _message(row: SenderRow, body: str) -> Message | None:
    found = read(body.encode()).pieces
    message = found[0].message if len(found) == 1 else None
    if not isinstance(message, OfChild):
        return None
    return msgspec.structs.replace(
        message, id=str(row.id), child=str(row.child_id), changed_at=row.changed_at
    )


def sender_source(resource_type: str) -> ChildSource[SenderRow]:
    """The source of what other systems sent of one FHIR type; one that speaks of our rows is not.

    What is read back of a row of ours is what a worker wrote, until somebody takes what is offered.
    """
    if not resource_type.isalpha():
        raise ValueError(f"{resource_type} is no type of FHIR")
    return ChildSource(
        resource=resource_type,
        line=SenderRow,
        rows="sender_version r",
        where=sql("r.type = '{type}' AND r.about_id IS NULL", type=resource_type),
        fields=listed(plain("category", "author_agency_id"), hex_of("body")),
        may_be_told=may("r.child_id", "r.category", "r.author_agency_id"),
        columns={"patient": to("r.child_id")},
        message=_told,
    )


async def read_sent(
    gate: Gate, session: AsyncSession, client: Client, resource: str, row: UUID
) -> Message | None:
    """What was sent under an id, as far as this client may be told; None where it may not be.

    `written` makes the resource of it. The look is in the child's history.
    """
    source = sender_source(resource)
    rows = await rows_of(session, for_driver(source.selected_one()), {"row": row})
    if not rows:
        return None
    line = source.decoder.decode(rows[0][0])
    doing = f"sent {resource} to {client.name}"
    about = OF_CARERS if resource == "RelatedPerson" else frozenset({line.category})
    opened = await gate.open_here(
        session, [line.child_id], client.viewer, Purpose.EXCHANGE, doing, about
    )
    return source.message(line, opened[line.child_id]) if line.child_id in opened else None
