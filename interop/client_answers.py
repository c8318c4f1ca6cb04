"""What a FHIR server answers, as `client` gives it on: resources, pages, and what went wrong.

A resource keeps the bytes in which it came, so that nothing is lost by reading it: 1.10 stays 1.10.
The texts of errors hold no more than a status and codes, since whatever raises ends in a log; what
the server said is in their `problems`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

Json = dict[str, Any]
Shape = TypeVar("Shape")

_DECODER = msgspec.json.Decoder(float_hook=Decimal)


class _Meta(msgspec.Struct):
    version: str = msgspec.field(name="versionId", default="")


class _Head(msgspec.Struct):
    type: str = msgspec.field(name="resourceType")
    id: str = ""
    meta: _Meta = msgspec.field(default_factory=_Meta)


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as it came."""

    type: str
    id: str
    version: str
    """What `update` takes as the version that was read; empty where the server tells none."""
    body: bytes = field(repr=False)
    """Its JSON, untouched."""

    @property
    def content(self) -> Json:
        """As plain values; a decimal is a Decimal with all its digits."""
        read: Json = _DECODER.decode(self.body)
        return read

    @property
    def reference(self) -> str:
        """How others refer to it: "Patient/123"."""
        return f"{self.type}/{self.id}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that a server says of what it was asked (OperationOutcome.issue)."""

    severity: str
    code: str
    text: str = field(repr=False)
    expression: tuple[str, ...] = ()
    """Where in what was sent."""

    @property
    def is_error(self) -> bool:
        """Whether what was asked is not done for it."""
        return self.severity in ("error", "fatal")


@dataclass(frozen=True, slots=True)
class Version:
    """One entry of a history: what the resource was, or that it was deleted."""

    method: str
    """POST, PUT or DELETE."""
    at: str
    """When, as the server writes it."""
    resource: Resource | None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search."""

    matches: tuple[Resource, ...]
    included: tuple[Resource, ...]
    problems: tuple[Problem, ...]
    total: int | None
    """Matches on all pages, where the server tells."""
    next: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a resource that was sent, or of one entry of a transaction."""

    status: int
    """201 where it was made, 200 where it was there or was changed."""
    type: str = ""
    id: str = ""
    version: str = ""
    resource: Resource | None = None
    """As the server has it, where it tells."""
    problems: tuple[Problem, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether it was taken; entries of a batch are each taken or not."""
        return 200 <= self.status < 300


# --- What went wrong ------------------------------------------------------------------------------


class FhirError(Exception):
    """What was asked is not done. `problems` holds what the server says of it."""

    def __init__(self, status: int, problems: tuple[Problem, ...] = ()) -> None:
        self.status, self.problems = status, problems
        codes = ", ".join(dict.fromkeys(one.code for one in problems))
        super().__init__(f"{status} {codes}".strip())


class NotLetIn(FhirError):
    """401: the token, or what was signed for one, is not good."""


class NotAllowed(FhirError):
    """403: the scopes do not let it through."""


class NotThere(FhirError):
    """404 or 410: it is not there, or may not be told. A server does not say which."""


class Changed(FhirError):
    """409 or 412: it is no longer as it was read, or several match. Read it again."""


class NotTaken(FhirError):
    """400, 413 or 422: what was sent is wrong; each problem says where."""


class Waits(FhirError):
    """202: it was received, and waits until a person has looked at it. Do not send it again."""


class TooMuch(FhirError):
    """429 or 503: not now. `wait` is how many seconds the server asks for, where it does."""

    def __init__(
        self, status: int, problems: tuple[Problem, ...] = (), wait: float | None = None
    ) -> None:
        super().__init__(status, problems)
        self.wait = wait


class ServerFailed(FhirError):
    """Any other 5xx: whether something was written is not known."""


class NotReached(Exception):
    """No answer came: not connected, cut off, or too late. Names the kind of it, never where."""


class NotUnderstood(Exception):
    """An answer came that is no FHIR, is too large, or points to another server."""


def error_of(status: int, problems: tuple[Problem, ...], wait: float | None) -> FhirError:
    """The error of a status."""
    if status in (429, 503):
        return TooMuch(status, problems, wait)
    kinds: Mapping[int, type[FhirError]] = {
        400: NotTaken,
        401: NotLetIn,
        403: NotAllowed,
        404: NotThere,
        409: Changed,
        410: NotThere,
        412: Changed,
        413: NotTaken,
        422: NotTaken,
    }
    usual = ServerFailed if status >= 500 else FhirError
    return kinds.get(status, usual)(status, problems)


# --- Reading --------------------------------------------------------------------------------------


class _Details(msgspec.Struct):
    text: str = ""


class _Issue(msgspec.Struct):
    severity: str = "error"
    code: str = "processing"
    diagnostics: str = ""
    details: _Details = msgspec.field(default_factory=_Details)
    expression: tuple[str, ...] = ()


class _Outcome(msgspec.Struct):
    issue: tuple[_Issue, ...] = ()
    type: str = msgspec.field(name="resourceType", default="")


class _Link(msgspec.Struct):
    relation: str = ""
    url: str = ""


class _Request(msgspec.Struct):
    method: str = ""
    url: str = ""


class _Response(msgspec.Struct):
    status: str = ""
    location: str = ""
    etag: str = ""
    outcome: _Outcome | None = None
    modified: str = msgspec.field(name="lastModified", default="")


class _Search(msgspec.Struct):
    mode: str = "match"


class _Entry(msgspec.Struct):
    raw: msgspec.Raw = msgspec.field(name="resource", default=msgspec.Raw())
    search: _Search = msgspec.field(default_factory=_Search)
    request: _Request = msgspec.field(default_factory=_Request)
    response: _Response = msgspec.field(default_factory=_Response)

    @property
    def resource(self) -> bytes:
        """Its JSON; empty where there is none."""
        return bytes(self.raw)


class _Bundle(msgspec.Struct):
    type: str = msgspec.field(name="resourceType")
    entry: tuple[_Entry, ...] = ()
    link: tuple[_Link, ...] = ()
    total: int | None = None


def resource_of(body: bytes) -> Resource:
    """A resource from its JSON. Raises NotUnderstood."""
    head = _read(body, _Head)
    return Resource(head.type, head.id, head.meta.version, bytes(body))


def problems_of(body: bytes) -> tuple[Problem, ...]:
    """What an OperationOutcome says; nothing where the bytes are none."""
    try:
        read = msgspec.json.decode(body, type=_Outcome)
    except (msgspec.DecodeError, RecursionError):
        return ()
    return _problems(read) if read.type == "OperationOutcome" else ()


def _problems(outcome: _Outcome | None) -> tuple[Problem, ...]:
    if outcome is None:
        return ()
    return tuple(
        Problem(one.severity, one.code, one.details.text or one.diagnostics, one.expression)
        for one in outcome.issue
    )


def page_of(body: bytes) -> Page:
    """A page of a search from its Bundle. Raises NotUnderstood."""
    bundle = _bundle(body)
    by_mode: dict[str, list[bytes]] = {}
    for one in bundle.entry:
        if one.resource:
            by_mode.setdefault(one.search.mode, []).append(one.resource)
    return Page(
        matches=tuple(map(resource_of, by_mode.get("match", ()))),
        included=tuple(map(resource_of, by_mode.get("include", ()))),
        problems=tuple(
            said for outcome in by_mode.get("outcome", ()) for said in problems_of(outcome)
        ),
        total=bundle.total,
        next=next((one.url for one in bundle.link if one.relation == "next"), None),
    )


def versions_of(body: bytes) -> tuple[list[Version], str | None]:
    """A page of a history, and where the next is. Raises NotUnderstood."""
    bundle = _bundle(body)
    versions = [
        Version(
            one.request.method,
            one.response.modified,
            resource_of(one.resource) if one.resource else None,
        )
        for one in bundle.entry
    ]
    return versions, next((one.url for one in bundle.link if one.relation == "next"), None)


def answers_of(body: bytes) -> list[Written]:
    """What became of each entry of a transaction or batch, in order. Raises NotUnderstood."""
    return [_written(one) for one in _bundle(body).entry]


def _written(entry: _Entry) -> Written:
    said = entry.response
    number = said.status[:3]
    resource = resource_of(entry.resource) if entry.resource else None
    type_, id_, version = named_in(said.location)
    return Written(
        status=int(number) if number.isascii() and number.isdigit() else 0,
        type=type_ or (resource.type if resource else ""),
        id=id_ or (resource.id if resource else ""),
        version=version_of(said.etag) or version,
        resource=resource,
        problems=_problems(said.outcome),
    )


def named_in(location: str) -> tuple[str, str, str]:
    """Type, id and version of an address "…/Task/123/_history/abc"; empty where it has none."""
    parts = location.rstrip("/").split("/")
    version = ""
    if len(parts) >= 4 and parts[-2] == "_history":
        version, parts = parts[-1], parts[:-2]
    if len(parts) < 2:
        return "", "", version
    return parts[-2], parts[-1], version


def version_of(etag: str) -> str:
    """The version in W/"version"; empty where there is none."""
    return etag.strip().removeprefix("W/").strip('"')


def _bundle(body: bytes) -> _Bundle:
    read = _read(body, _Bundle)
    if read.type != "Bundle":
        raise NotUnderstood("no Bundle")
    return read


def _read(body: bytes, kind: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        # Its words may hold what was sent: they go no further.
        raise NotUnderstood("no FHIR") from None
