"""A child handed to another authority: the signed document, and the Task that says how it stands.

Pure. The document is a FHIR document Bundle: a Composition first, which says who hands over to
whom, what is left out and what to know first; then the record. Its signature stands in
`Bundle.signature` as a JWS (Ed25519) over the SHA-256 of the whole Bundle without it, in
one order of members. The Task has the document's identifier, and one of four states: requested,
accepted, rejected, cancelled (FHIR R4 Task.status).
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey
from joserfc.jws import serialize_compact

from interop import systems
from interop.bundle import Shown, document, instant
from interop.signed import NotBelieved, read_key, registry, verified

ALGORITHM: Final = "Ed25519"
"""By its name of RFC 9864."""
SYSTEM: Final = systems.own_codes("handover")
SIGNED_FOR: Final = {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.1"}
"""Author's signature (FHIR R4 value set signature-type)."""
TaskState = Literal["requested", "accepted", "rejected", "cancelled"]
YEARS: Final = range(2000, 2201)
"""In which a document may say that it was written."""
STATES: Final[tuple[TaskState, ...]] = ("requested", "accepted", "rejected", "cancelled")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Handing:
    """What a document says beside the record."""

    identifier: UUID
    written_at: datetime
    sender: str
    receiver: str
    child: str
    """The Patient's id in the document."""
    note: str = ""
    withheld: tuple[str, ...] = ()
    """Categories of information that are left out."""
    moves_on: date | None = None


@dataclass(frozen=True, slots=True)
class Handed:
    """A document that was found to be its sender's, word for word."""

    handing: Handing
    record: bytes
    """The record alone: a collection Bundle."""


@dataclass(frozen=True, slots=True)
class TaskTold:
    """How it stands on the receiving side."""

    state: TaskState
    reason: str = ""
    on: date | None = None
    """The day on which it was answered."""
    lead: str = ""
    """Who holds the plan there."""


# The document -------------------------------------------------------------------------------------


def signed_document(
    handing: Handing, shown: Sequence[Shown], base: str, key: Ed25519PrivateKey
) -> bytes:
    """The document, signed."""
    composition = _composition(handing)
    first = Shown("Composition", str(handing.identifier), composition)
    identifier = {"system": SYSTEM, "value": str(handing.identifier)}
    made = msgspec.json.encode(document(identifier, handing.written_at, [first, *shown], base))
    bundle: Json = msgspec.json.decode(made)
    token = serialize_compact(
        {"alg": ALGORITHM}, _digest(bundle), OKPKey.import_key(key), registry=registry([ALGORITHM])
    )
    signature = {
        "type": [SIGNED_FOR],
        "when": instant(handing.written_at),
        "who": {"display": handing.sender},
        "sigFormat": "application/jose",
        "data": base64.b64encode(token.encode()).decode(),
    }
    return msgspec.json.encode(bundle | {"signature": signature}, order="sorted")


def _composition(handing: Handing) -> Json:
    sections: list[Json] = []
    if handing.note:
        sections.append(_section("What to know first", handing.note))
    if handing.withheld:
        sections.append(
            _section("Left out", " ".join(handing.withheld))
            | {"emptyReason": {"coding": [{"code": "withheld"}]}}
        )
    event = {"period": {"end": handing.moves_on.isoformat()}} if handing.moves_on else None
    return {
        "resourceType": "Composition",
        "id": str(handing.identifier),
        "status": "final",
        "type": {"coding": [{"system": SYSTEM, "code": "handover"}], "text": "Handover"},
        "subject": {"reference": f"Patient/{handing.child}"},
        "date": instant(handing.written_at),
        "author": [{"display": handing.sender}],
        "custodian": {"display": handing.receiver},
        "title": "A child who moves to another authority",
        "section": sections,
    } | ({"event": [event]} if event else {})


def _section(title: str, said: str) -> Json:
    text = said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{text}</p></div>'
    return {
        "title": title,
        "code": {"text": said},
        "text": {"status": "generated", "div": div},
    }


def read_document(body: bytes, public_key: str) -> Handed:
    """What a document says, once its signature was found to be of this key (64 hex digits).

    Raises NotBelieved, `why` being "document" for what is none and "signature" for one of another,
    or of which anything was changed since.
    """
    bundle = _bundle(body)
    try:
        token = base64.b64decode(bundle["signature"]["data"], validate=True).decode("ascii")
    except (KeyError, TypeError, ValueError) as error:
        raise NotBelieved("signature") from error
    unsigned = {name: value for name, value in bundle.items() if name != "signature"}
    if verified(token, read_key(_published(public_key)), ALGORITHM) != _digest(unsigned):
        raise NotBelieved("signature")
    try:
        return _read(unsigned)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise NotBelieved("document") from error


def _bundle(body: bytes) -> Json:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise NotBelieved("document") from error
    if not isinstance(found, dict) or found.get("resourceType") != "Bundle":
        raise NotBelieved("document")
    if found.get("type") != "document":
        raise NotBelieved("document")
    return found


def _read(bundle: Json) -> Handed:
    first, *rest = bundle["entry"]
    composition = first["resource"]
    identifier = UUID(bundle["identifier"]["value"])
    if bundle["identifier"]["system"] != SYSTEM or composition["resourceType"] != "Composition":
        raise ValueError(SYSTEM)
    said = {one["title"]: str(one["code"]["text"]) for one in composition.get("section", ())}
    events = composition.get("event", ())
    handing = Handing(
        identifier,
        _moment(bundle["timestamp"]),
        composition["author"][0]["display"],
        composition["custodian"]["display"],
        composition["subject"]["reference"].removeprefix("Patient/"),
        said.get("What to know first", ""),
        tuple(said.get("Left out", "").split()),
        date.fromisoformat(events[0]["period"]["end"]) if events else None,
    )
    record = {"resourceType": "Bundle", "type": "collection", "entry": rest}
    return Handed(handing, msgspec.json.encode(record))


def _moment(given: str) -> datetime:
    found = datetime.fromisoformat(given)
    # Near the first and last year there are moments that are of no day elsewhere.
    if found.year not in YEARS:
        raise ValueError(given)
    return found


def _digest(bundle: Mapping[str, Any]) -> bytes:
    return sha256(msgspec.json.encode(bundle, order="sorted")).hexdigest().encode()


def _published(public_key: str) -> dict[str, str]:
    try:
        raw = bytes.fromhex(public_key)
    except ValueError as error:
        raise NotBelieved("keys") from error
    return {"kty": "OKP", "crv": "Ed25519", "x": _text(raw)}


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


# The Task -----------------------------------------------------------------------------------------


def task(identifier: UUID, told: TaskTold) -> Json:
    """The Task by which both sides know how it stands."""
    made: Json = {
        "resourceType": "Task",
        "id": str(identifier),
        "identifier": [{"system": SYSTEM, "value": str(identifier)}],
        "status": told.state,
        "intent": "order",
        "code": {"coding": [{"system": SYSTEM, "code": "handover"}], "text": "Handover"},
    }
    if told.reason:
        made["statusReason"] = {"text": told.reason}
    if told.on:
        made["executionPeriod"] = {"end": told.on.isoformat()}
    if told.lead:
        made["owner"] = {"display": told.lead}
    return made


class _Text(msgspec.Struct):
    text: str = ""


class _Period(msgspec.Struct):
    end: date | None = None


class _Display(msgspec.Struct):
    display: str = ""


class _Identifier(msgspec.Struct):
    value: str
    system: str = ""


class _Task(msgspec.Struct, rename="camel"):
    resource_type: Literal["Task"]
    status: str
    identifier: list[_Identifier]
    status_reason: _Text = msgspec.field(default_factory=_Text)
    execution_period: _Period = msgspec.field(default_factory=_Period)
    owner: _Display = msgspec.field(default_factory=_Display)


def read_task(body: bytes, identifier: UUID) -> TaskTold:
    """How it stands, from the answer about this document. Raises NotBelieved ("task")."""
    try:
        found = msgspec.json.decode(body, type=_Task)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise NotBelieved("task") from error
    known = {(one.system, one.value) for one in found.identifier}
    if found.status not in STATES or (SYSTEM, str(identifier)) not in known:
        raise NotBelieved("task")
    return TaskTold(
        found.status,
        found.status_reason.text,
        found.execution_period.end,
        found.owner.display,
    )
