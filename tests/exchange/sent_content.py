"""What the systems of two agencies sent of a child: of many types and categories, each of others.

Written as the inbox leaves it. The rule of each is one line: its category, and its sender's agency.
"""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.exchange.inbox_models import (
    CONTENT_FIELD,
    RAW_FIELD,
    Received,
    ReceivedPiece,
    SenderVersion,
)
from panel.exchange.inbox_receiving import keys_of, mark
from panel.exchange.models import ExchangeClient
from panel.platform.ids import new_id

Json = dict[str, Any]
NAMED = {"system": "urn:x:sender", "value": "7"}
HEARD = {"coding": [{"system": "http://snomed.info/sct", "code": "15188001"}]}
NARRATIVE = {
    "status": "generated",
    "div": '<div xmlns="http://www.w3.org/1999/xhtml">What stays with its sender</div>',
}
KINDS = (
    ("Condition", Category.HEALTH, 0), ("CarePlan", Category.PLAN, 1), ("Goal", Category.PLAN, 0),
    ("Flag", Category.SAFEGUARDING, 1), ("RelatedPerson", Category.FAMILY, 0),
    ("ServiceRequest", Category.HEALTH, 1), ("EpisodeOfCare", Category.PANEL, 0),
    ("Consent", Category.FAMILY, 1), ("Task", Category.PLAN, 0), ("CareTeam", Category.NETWORK, 1),
)  # fmt: skip
"""Type, category, and which of the two systems sent it."""


def bodies(child: UUID, ids: dict[str, UUID], worker: UUID) -> dict[str, Json]:
    """What each of `KINDS` says; they refer to each other, to a worker, and to nothing."""
    whose = {"reference": f"Patient/{child}"}

    def to(kind: str) -> Json:
        return {"reference": f"{kind}/{ids[kind]}"}

    nobody = {"reference": f"Encounter/{new_id()}"}
    said: dict[str, Json] = {
        "Condition": {
            "subject": whose, "code": HEARD, "identifier": [NAMED], "text": NARRATIVE,
            "recordedDate": "2026-10-05", "encounter": nobody,
        },
        "CarePlan": {
            "subject": whose, "status": "active", "intent": "plan", "goal": [to("Goal")],
            "identifier": [NAMED], "title": "To hear", "period": {"start": "2026-10-01"}, "careTeam": [to("CareTeam")],
            "activity": [{"reference": to("Task")}], "addresses": [to("Condition")],
        },
        "Goal": {
            "subject": whose, "lifecycleStatus": "active", "description": {"text": "She hears"},
            "addresses": [to("Condition")],
        },
        "Flag": {
            "subject": whose, "status": "inactive", "code": {"text": "Ask first"},
            "encounter": nobody, "text": NARRATIVE,
        },
        "RelatedPerson": {
            "patient": whose, "name": [{"family": "Teasel", "given": ["Ada"]}],
            "relationship": [{"text": "aunt"}],
            "address": [{"line": ["3 Teasel Close"], "postalCode": "WX1 1AA"}],
        },
        "ServiceRequest": {
            # Panel has no words for what is an error: it goes out as it came.
            "subject": whose, "status": "entered-in-error", "intent": "proposal",
            "code": {"text": "Audiology"}, "text": NARRATIVE,
            "requester": {"reference": f"Practitioner/{worker}"}, "authoredOn": "2026-10-06",
            "supportingInfo": [to("Condition"), to("Goal"), to("Flag"), nobody],
        },
        "EpisodeOfCare": {"patient": whose, "status": "active", "period": {"start": "2026-09-01"}},
        "Consent": {
            "patient": whose, "status": "entered-in-error", "scope": {"text": "x"},
            "category": [{"text": "x"}], "policyRule": {"text": "What stays with its sender"},
        },
        "Task": {
            "for": whose, "status": "requested", "intent": "plan", "basedOn": [to("CarePlan")],
            "focus": to("Goal"), "owner": {"reference": f"Practitioner/{worker}"},
            "description": "Ring audiology",
        },
        "CareTeam": {
            "subject": whose, "status": "active",
            "participant": [{"member": {"reference": f"Practitioner/{worker}"}}],
        },
    }  # fmt: skip
    return {
        kind: {"resourceType": kind, "id": str(ids[kind])} | content
        for kind, content in said.items()
    }


async def put_away(session: AsyncSession) -> None:
    """What was sent so far is told by itself no more, as if it were all of rows of ours."""
    await session.execute(text("UPDATE sender_version SET about_id = id"))


async def write_sent(
    session: AsyncSession, child: UUID, agencies: tuple[UUID, UUID], worker: UUID, plan: UUID
) -> dict[tuple[str, UUID], tuple[Category, UUID] | None]:
    """What each is of: a category and an agency; None for what is never told by itself."""
    senders = [await _sender(session, child, agency) for agency in agencies]
    ring = (await keys_of(session)).ring
    ids = {kind: new_id() for kind, _, _ in KINDS}
    said = bodies(child, ids, worker)
    rules: dict[tuple[str, UUID], tuple[Category, UUID] | None] = {}
    for kind, category, which in KINDS:
        version = _version(ids[kind], child, senders[which], said[kind], category)
        if "identifier" in said[kind]:
            named = (version.client_id, NAMED["system"], NAMED["value"])
            version.identifier_marks = [mark(ring, "identifier", *named)]
        session.add(version)
        rules[kind, ids[kind]] = (category, agencies[which])
    of_ours = _version(new_id(), child, senders[0], said["CarePlan"], Category.PLAN)
    of_ours.about_id = plan
    session.add(of_ours)
    await session.flush()
    return rules | {("CarePlan", of_ours.id): None}


def _version(
    id_: UUID, child: UUID, piece: ReceivedPiece, said: Json, category: Category
) -> SenderVersion:
    return SenderVersion(
        id=id_, child_id=child, type=said["resourceType"], author_agency_id=piece.agency_id,
        client_id=piece.client_id, piece_id=piece.id, category=category.value,
        body=msgspec.json.encode(said).decode(),
    )  # fmt: skip


async def _sender(session: AsyncSession, child: UUID, agency: UUID) -> ReceivedPiece:
    """A piece that a system of an agency sent of the child."""
    client = ExchangeClient(
        key=f"s-{new_id()}", name="What sends", agency_id=agency, scopes=["system/*.cruds"],
        purposes=["exchange"], jwks={"keys": []}, from_on=date(2026, 9, 1),
    )  # fmt: skip
    session.add(client)
    await session.flush()
    keys = await keys_of(session, child)
    whose = {"client_id": client.id, "agency_id": agency, "holder_id": child}
    received = Received(
        **whose, asked="POST Bundle", kind="document", bytes_long=2, state="done",
        content_index=new_id().bytes,
    )  # fmt: skip
    received.content = keys.seal_bytes(child, CONTENT_FIELD, received.id, b"{}")
    session.add(received)
    await session.flush()
    piece = ReceivedPiece(
        **whose, received_id=received.id, child_id=child, type="Condition", path="Condition",
        category=Category.HEALTH.value, state="matched",
    )  # fmt: skip
    piece.raw = keys.seal_bytes(child, RAW_FIELD, piece.id, b"{}")
    session.add(piece)
    await session.flush()
    return piece
