"""What the pages of the inbox read: what came, how far it is, and what it would change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from interop.incoming.envelope import value_of
from interop.outgoing import Json
from panel.accounts.models import Agency
from panel.exchange.inbox_models import Proposal, Received, ReceivedPiece, SenderVersion
from panel.exchange.inbox_offers import DATES, KNOWS, label_of, written
from panel.plans.models import Action
from panel.platform.clock import day_of
from panel.records.gate import Access, Withheld
from panel.register.children import value_words
from panel.register.models import Child
from panel.web.words import short_day

ON_A_PAGE = 50
TO_DO = ("to_match", "offered", "quarantined")
SHOWN = (*TO_DO, "done", "not_ours", "refused")
STATE_WORDS = {
    "new": "Just came",
    "to_match": "Find out who it is about",
    "offered": "Would change a record",
    "quarantined": "Broken",
    "done": "Done",
    "not_ours": "Not one of ours",
    "refused": "Refused, and its sender told why",
}
KIND_WORDS = {
    "": "Not looked at yet",
    "broken": "Cannot be read",
    "resource": "One entry",
    "transaction": "Entries that belong together",
    "batch": "Several entries",
    "document": "A document",
    "message": "A message",
    "collection": "A collection",
}
TYPE_WORDS = {
    "Patient": "Who the child is",
    "RelatedPerson": "A parent or carer",
    "Practitioner": "A worker",
    "PractitionerRole": "A worker’s part",
    "Organization": "An agency",
    "EpisodeOfCare": "A time in a service’s care",
    "Condition": "A finding or diagnosis",
    "CarePlan": "A plan",
    "Goal": "A desired outcome",
    "CareTeam": "A team",
    "Task": "An action",
    "ServiceRequest": "A request",
    "QuestionnaireResponse": "A form that was filled in",
    "Appointment": "An appointment",
    "Encounter": "A visit",
    "DocumentReference": "A letter or report",
    "Composition": "A letter or report",
    "Communication": "A message",
    "Consent": "A decision about sharing",
    "Flag": "An alert",
    "Observation": "A measurement or observation",
    "AllergyIntolerance": "An allergy",
    "Immunization": "A vaccination",
    "MessageHeader": "What the message is for",
}


def type_words(type_: str) -> str:
    """A FHIR type as people call it; its own name where there are no words for it."""
    return TYPE_WORDS.get(type_, type_ or "Something that cannot be read")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was received."""

    id: UUID
    came: datetime
    agency: str
    kind: str
    state: str
    reason: str


async def counts(session: AsyncSession) -> dict[str, int]:
    """How many there are in each state, of those that the viewer may see."""
    rows = await session.execute(text("SELECT state, count(*) FROM received GROUP BY state"))
    return {row[0]: row[1] for row in rows}


async def lines_of(session: AsyncSession, state: str, before: UUID | None) -> Sequence[Line]:
    """What is in a state, the newest first; one more than stands on a page."""
    query = (
        select(Received, Agency.name)
        .join(Agency, Agency.id == Received.agency_id)
        .where(Received.state == state)
        .order_by(Received.id.desc())
        .limit(ON_A_PAGE + 1)
    )
    if before is not None:
        query = query.where(Received.id < before)
    rows = await session.execute(query)
    return [
        Line(
            row.id,
            row.created_at,
            name,
            KIND_WORDS.get(row.kind, row.kind),
            STATE_WORDS[row.state],
            row.reason or "",
        )
        for row, name in rows
    ]


@dataclass(frozen=True, slots=True)
class PieceLine:
    """One resource of what was received."""

    what: str
    path: str
    state: str
    reason: str
    at: str
    kept: Sequence[str]
    child_id: UUID | None


PIECE_WORDS = {
    "to_match": "Waits",
    "matched": "On the child’s record",
    "kept": "Kept as it came",
    "quarantined": "Broken",
    "not_ours": "Not one of ours",
}


async def pieces_of(session: AsyncSession, received_id: UUID) -> Sequence[PieceLine]:
    """The resources that this viewer may know of, in order."""
    rows = await session.scalars(
        select(ReceivedPiece)
        .where(ReceivedPiece.received_id == received_id)
        .order_by(ReceivedPiece.id)
    )
    return [
        PieceLine(
            type_words(one.type),
            one.path,
            PIECE_WORDS[one.state],
            one.reason or "",
            one.reason_path or "",
            one.kept,
            one.child_id,
        )
        for one in rows
    ]


# On the child's record ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offer:
    """One field that another system would change: as it was, is and would be."""

    id: UUID
    version: int
    row_version: int
    field: str
    before: str
    now: str
    after: str
    agency: str
    came: date
    is_changed: bool
    """Whether somebody wrote since it came."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One thing that another system says of the child."""

    id: UUID
    what: str
    says: str
    agency: str
    on: date
    kept: Sequence[str]


@dataclass(frozen=True, slots=True)
class FromSystems:
    """What other systems sent of a child, as far as this viewer may see it."""

    offers: Sequence[Offer]
    sent: Sequence[Sent]
    withheld: Sequence[Withheld]
    may_decide: bool


async def from_systems(access: Access) -> FromSystems:
    """What is offered, and what the senders say, each by its own category and author."""
    sent, hidden = await _sent(access)
    offers = await _offers(access)
    decides = access.may_write and bool(access.ties & KNOWS)
    return FromSystems(offers, sent, access.withheld_of(hidden), decides)


async def _sent(access: Access) -> tuple[list[Sent], set[Category]]:
    rows = await access.session.execute(
        select(SenderVersion, Agency.name, ReceivedPiece.kept)
        .join(Agency, Agency.id == SenderVersion.author_agency_id)
        .join(ReceivedPiece, ReceivedPiece.id == SenderVersion.piece_id)
        .where(SenderVersion.child_id == access.child_id)
        .order_by(SenderVersion.changed_at.desc(), SenderVersion.id.desc())
    )
    shown: list[Sent] = []
    hidden: set[Category] = set()
    for row, agency, kept in rows:
        category = Category(row.category)
        if access.may(category, row.author_agency_id):
            says = says_of(value_of(msgspec.Raw(row.body.encode())))
            shown.append(
                Sent(row.id, type_words(row.type), says, agency, day_of(row.changed_at), kept)
            )
        else:
            hidden.add(category)
    return shown, hidden


def says_of(resource: Json) -> str:
    """What a resource says, in the words that its sender wrote first."""
    for name in ("code", "description", "title", "summary", "type", "serviceType", "vaccineCode"):
        words = _words(resource.get(name))
        if words:
            return words
    return _words(resource.get("category")) or _words(resource.get("name"))


def _words(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return next((words for one in value if (words := _words(one))), "")
    if isinstance(value, dict):
        if given := _words(value.get("given")):
            # A person's name, as they are called rather than as they are filed.
            return f"{given} {_words(value.get('family'))}".strip()
        return next(
            (
                words
                for name in ("text", "display", "coding", "family")
                if (words := _words(value.get(name)))
            ),
            "",
        )
    return ""


async def _offers(access: Access) -> list[Offer]:
    rows = await access.session.execute(
        select(Proposal, Agency.name)
        .join(ReceivedPiece, ReceivedPiece.id == Proposal.piece_id)
        .join(Agency, Agency.id == ReceivedPiece.agency_id)
        .where(Proposal.child_id == access.child_id, Proposal.state == "open")
        .order_by(Proposal.id)
    )
    offers = []
    for row, agency in rows:
        table, _, column = row.target.partition(".")
        model = Child if table == "child" else Action
        target = await access.session.get(model, row.row_id)
        if target is None or not access.may(Category(row.category)):
            continue
        now = written(getattr(target, column))
        offers.append(
            Offer(
                row.id,
                row.version,
                target.version,
                label_of(row.target),
                _shown(column, row.before),
                _shown(column, now),
                _shown(column, row.after),
                agency,
                day_of(row.created_at),
                now != row.before,
            )
        )
    return offers


def _shown(column: str, value: str) -> str:
    if not value:
        return "Nothing"
    if column in DATES:
        return short_day(date.fromisoformat(value))
    return value_words(column, value)
