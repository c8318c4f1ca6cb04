"""Subscriptions (R4) as clients write them and are shown them, and what they are sent.

    read(body, of_children)          -> Asked, or Refused with everything that is wrong
    resource(Kept(...))              -> the Subscription as its client may read it
    handshake(...), notification(…)  -> Bundles of the topic backport's shape
    status_told(...)                 -> the answer to $status, of the same shape

A notification names what changed and holds nothing of it (id-only). What a client sends with it to
be known by (channel.header) is never shown again: left out of a PUT, it stays as it was.
Sources: hl7.org/fhir/R4/subscription.html; Subscriptions R5 Backport 1.1, for R4.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from msgspec import Struct

from interop.bundle import Json, instant
from interop.outcome import Issue, Refused
from interop.search_values import as_uuid
from interop.served import MEDIA_TYPE, Interaction, Param, Served

TYPE = "Subscription"
CHANNELS = ("rest-hook", "message")
"""By https, or by MESH."""
PAYLOADS = ("", MEDIA_TYPE)
STATUSES = ("requested", "active", "error", "off")
LONGEST = 64 * 1024
"""Bytes of a Subscription."""
MOST_HEADERS = 10
LONGEST_HEADER = 4_000
LONGEST_TEXT = 1_000
EVENT = "Panel-Event"
"""The header that bears an event's id, the same however often it is sent."""

SUBSCRIPTION = Served(
    type=TYPE,
    profile=None,
    interactions=(
        Interaction.READ,
        Interaction.SEARCH,
        Interaction.CREATE,
        Interaction.UPDATE,
    ),
    params=(
        Param(
            name="_id",
            kind="token",
            url="http://hl7.org/fhir/SearchParameter/Resource-id",
            column="id",
        ),
        Param(
            name="status",
            kind="token",
            url="http://hl7.org/fhir/SearchParameter/Subscription-status",
            column="status",
            codes=STATUSES,
        ),
    ),
)
"""What is served of the type. It is also deleted, as no other type is."""

_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
_CONTENT = f"{_BACKPORT}backport-payload-content"
_STATUS = f"{_BACKPORT}backport-subscription-status-r4"
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
_MAILBOX = re.compile(r"mesh:([A-Z0-9]{4,20})", re.ASCII)
_OURS = frozenset(
    {
        "connection", "content-encoding", "content-length", "content-type", "expect", "host",
        "keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
        EVENT.lower(),
    }
)  # fmt: skip
"""Headers that are not a client's to set."""


class _Extension(Struct):
    url: str = ""
    code: str = msgspec.field(name="valueCode", default="")


class _Primitive(Struct):
    extension: tuple[_Extension, ...] = ()


class _Channel(Struct):
    type: str = ""
    endpoint: str = ""
    payload: str = ""
    payload_more: _Primitive = msgspec.field(name="_payload", default_factory=_Primitive)
    header: tuple[str, ...] | None = None


class _Subscription(Struct):
    type: str = msgspec.field(name="resourceType", default="")
    id: str = ""
    status: str = ""
    criteria: str = ""
    reason: str = ""
    end: str | None = None
    channel: _Channel = msgspec.field(default_factory=_Channel)


class Asked(Struct, frozen=True, kw_only=True):
    """A subscription as its client writes it, found good but for where it is to be told."""

    id: str
    status: Literal["requested", "active", "off"]
    resource: str
    patient: UUID | None
    endpoint: str
    payload: str
    headers: tuple[str, ...] | None
    """None where the client says nothing of them."""
    reason: str
    end: datetime | None


class Kept(Struct, frozen=True, kw_only=True):
    """A subscription as it is kept."""

    id: str
    status: str
    resource: str
    patient: UUID | None
    endpoint: str
    payload: str
    reason: str
    end: datetime | None
    error: str | None


class Event(Struct, frozen=True, kw_only=True):
    """One thing that a subscription is told."""

    id: str
    number: int
    at: datetime
    focus: str
    """"Task/123"."""


class Standing(Struct, frozen=True, kw_only=True):
    """How a subscription stands."""

    id: str
    state: str
    number: int
    """Of the last event that was sent; 0 before the first."""
    failure: str | None


def read(body: bytes, of_children: Collection[str]) -> Asked | Refused:
    """A Subscription that a client sends.

    Args: `of_children` are the types that may be subscribed to. Whether the endpoint may be sent to
    is for whoever sends to see.
    """
    if len(body) > LONGEST:
        return Refused((Issue("too-long", "The Subscription is too long."),))
    try:
        said = msgspec.json.decode(body, type=_Subscription)
    except (msgspec.DecodeError, RecursionError):
        return Refused((Issue("structure", "This cannot be read as a Subscription."),))
    issues: list[Issue] = []
    if said.type != TYPE:
        issues.append(Issue("structure", "This is no Subscription.", ("resourceType",)))
    status = said.status
    if status not in ("requested", "active", "off"):
        issues.append(
            Issue("value", "The status is requested, active or off.", ("Subscription.status",))
        )
    if not 0 < len(said.reason.strip()) <= LONGEST_TEXT or "\0" in said.reason:
        issues.append(Issue("required", "Say what it is for.", ("Subscription.reason",)))
    found = _criteria(said.criteria, of_children, issues)
    end = _end(said.end, issues)
    _channel(said.channel, issues)
    if issues or found is None:
        return Refused(tuple(issues))
    return Asked(
        id=said.id,
        status="off" if status == "off" else "requested" if status == "requested" else "active",
        resource=found[0],
        patient=found[1],
        endpoint=said.channel.endpoint,
        payload=said.channel.payload,
        headers=said.channel.header,
        reason=said.reason.strip(),
        end=end,
    )


def _criteria(
    text: str, of_children: Collection[str], issues: list[Issue]
) -> tuple[str, UUID | None] | None:
    """The type and the child that `Type?patient=…` names."""
    kind, _, query = text.partition("?")
    where = ("Subscription.criteria",)
    if kind not in of_children:
        issues.append(
            Issue("not-supported", "The criteria begin with a type that is about children.", where)
        )
        return None
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=5) if query else []
    names = ("_id",) if kind == "Patient" else ("patient", "subject")
    if not pairs:
        return kind, None
    one = as_uuid(pairs[0][1].removeprefix("Patient/"))
    if len(pairs) > 1 or pairs[0][0] not in names or one is None:
        asked = f"{kind}?{names[0]}=…"
        issues.append(
            Issue("not-supported", f"The criteria are {kind}? or {asked}, for one child.", where)
        )
        return None
    return kind, one


def _end(text: str | None, issues: list[Issue]) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        issues.append(Issue("value", "The end is an instant.", ("Subscription.end",)))
        return None
    return found


def _channel(channel: _Channel, issues: list[Issue]) -> None:
    at = "Subscription.channel"
    if channel.type not in CHANNELS:
        issues.append(
            Issue("not-supported", "The channel is rest-hook, or message.", (f"{at}.type",))
        )
    mailbox = mailbox_of(channel.endpoint)
    if (channel.type == "message") != (mailbox is not None):
        issues.append(Issue("value", "A message goes to mesh:MAILBOX.", (f"{at}.endpoint",)))
    if mailbox is not None and (not channel.payload or channel.header):
        issues.append(Issue("value", "By MESH goes JSON without headers.", (f"{at}.payload",)))
    if not 0 < len(channel.endpoint) <= LONGEST_TEXT or not channel.endpoint.isprintable():
        issues.append(Issue("required", "Say where to send to.", (f"{at}.endpoint",)))
    if channel.payload not in PAYLOADS:
        issues.append(
            Issue("not-supported", f"The payload is empty or {MEDIA_TYPE}.", (f"{at}.payload",))
        )
    contents = [one for one in channel.payload_more.extension if one.url == _CONTENT]
    if any(one.code != "id-only" for one in contents):
        issues.append(
            Issue("not-supported", "Only ids are sent (id-only).", (f"{at}.payload.extension",))
        )
    if not _are_headers(channel.header or ()):
        issues.append(Issue("value", 'A header is written "Name: value".', (f"{at}.header",)))


def _are_headers(lines: Sequence[str]) -> bool:
    return len(lines) <= MOST_HEADERS and all(_is_header(line) for line in lines)


def _is_header(line: str) -> bool:
    name, colon, value = line.partition(":")
    return (
        bool(colon)
        and len(line) <= LONGEST_HEADER
        and _NAME.fullmatch(name) is not None
        and name.lower() not in _OURS
        and value.isascii()
        # A line's end before the value would make one header two.
        and value.strip(" \t").isprintable()
    )


def mailbox_of(endpoint: str) -> str | None:
    """The mailbox of MESH that an endpoint names; None where it is another."""
    found = _MAILBOX.fullmatch(endpoint)
    return None if found is None else found[1]


def headers_of(lines: Sequence[str]) -> Mapping[str, str]:
    """Header lines by their names."""
    pairs = (line.partition(":") for line in lines)
    return {name: value.strip() for name, _, value in pairs}


def criteria(resource: str, patient: UUID | None) -> str:
    """What a subscription looks at, as R4 writes it."""
    if patient is None:
        return f"{resource}?"
    return f"{resource}?{'_id' if resource == 'Patient' else 'patient'}={patient}"


def resource(kept: Kept) -> Json:
    """A subscription as its client reads it."""
    kind = "rest-hook" if mailbox_of(kept.endpoint) is None else "message"
    channel: Json = {"type": kind, "endpoint": kept.endpoint}
    if kept.payload:
        channel["payload"] = kept.payload
        channel["_payload"] = {"extension": [{"url": _CONTENT, "valueCode": "id-only"}]}
    told: Json = {
        "resourceType": TYPE,
        "id": kept.id,
        "status": kept.status,
        "reason": kept.reason,
        "criteria": criteria(kept.resource, kept.patient),
        "channel": channel,
    }
    if kept.end is not None:
        told["end"] = instant(kept.end)
    if kept.error is not None:
        told["error"] = kept.error
    return told


def handshake(base: str, subscription: str, at: datetime) -> Json:
    """What is sent first, to see that somebody is there who takes it."""
    return _bundle(base, subscription, subscription, at, "requested", "handshake", 0, [])


def notification(base: str, subscription: str, event: Event) -> Json:
    """One event: its number, and what it is about."""
    parts: list[Json] = [
        {"name": "eventNumber", "valueString": str(event.number)},
        {"name": "timestamp", "valueInstant": instant(event.at)},
        {"name": "focus", "valueReference": {"reference": f"{base}/{event.focus}"}},
    ]
    told: list[Json] = [{"name": "notificationEvent", "part": parts}]
    return _bundle(
        base, subscription, event.id, event.at, "active", "event-notification", event.number, told
    )


def status_told(base: str, standing: Standing, at: datetime) -> Json:
    """How a subscription stands, as `$status` is answered: a searchset of one."""
    told = _status(base, standing.id, standing.state, "query-status", standing.number)
    if standing.failure is not None:
        told.append({"name": "error", "valueCodeableConcept": {"text": standing.failure}})
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "timestamp": instant(at),
        "total": 1,
        "entry": [
            {
                "fullUrl": f"urn:uuid:{standing.id}",
                "resource": _parameters(standing.id, told),
                "search": {"mode": "match"},
            }
        ],
    }


def _status(base: str, subscription: str, status: str, kind: str, number: int) -> list[Json]:
    address = f"{base}/{TYPE}/{subscription}"
    return [
        {"name": "subscription", "valueReference": {"reference": address}},
        {"name": "status", "valueCode": status},
        {"name": "type", "valueCode": kind},
        {"name": "eventsSinceSubscriptionStart", "valueString": str(number)},
    ]


def _parameters(id_: str, told: list[Json]) -> Json:
    return {
        "resourceType": "Parameters",
        "id": id_,
        "meta": {"profile": [_STATUS]},
        "parameter": told,
    }


def _bundle(
    base: str,
    subscription: str,
    id_: str,
    at: datetime,
    status: str,
    kind: str,
    number: int,
    events: list[Json],
) -> Json:
    parameters = [*_status(base, subscription, status, kind, number), *events]
    return {
        "resourceType": "Bundle",
        "id": id_,
        "type": "history",
        "timestamp": instant(at),
        "entry": [
            {
                "fullUrl": f"urn:uuid:{id_}",
                "resource": _parameters(id_, parameters),
                "request": {"method": "GET", "url": f"{TYPE}/{subscription}"},
                "response": {"status": "200"},
            }
        ],
    }
