"""What was received, taken apart: each resource with its bytes, its message, what is wrong."""

from collections.abc import Mapping
from typing import Any

from msgspec import Raw, Struct

from interop.messages import Message

NO_SUCH_ELEMENT = "R4 has no such element here."
"""A reason: the path then ends in a name that its sender made up."""


class Problem(Struct, frozen=True):
    """What is wrong at a place; the sentence repeats nothing of what was received."""

    path: str
    """From the received body on, as FHIRPath writes it: "Bundle.entry[3].resource.birthDate"."""
    reason: str
    above: str | None = None
    """The path to what holds it, where the last name is none of R4's but its sender's."""

    @property
    def place(self) -> str:
        """The path without anything that its sender wrote."""
        return self.path if self.above is None else self.above


class Identifier(Struct, frozen=True):
    """A business identifier, of the resource itself or of what it refers to."""

    system: str
    value: str


class Subject(Struct, frozen=True, kw_only=True):
    """Whom a resource is about, as far as it says so."""

    reference: str | None = None
    """As received: "Patient/1", "urn:uuid:…", "#p"."""
    nhs_number: str | None = None
    """Of ten digits that fit each other."""
    nhs_number_verified: bool = False
    identifiers: tuple[Identifier, ...] = ()


class Request(Struct, frozen=True, kw_only=True):
    """What an entry of a transaction or batch asks for."""

    method: str
    url: str
    if_match: str | None = None
    if_none_match: str | None = None
    if_none_exist: str | None = None
    if_modified_since: str | None = None


class Piece(Struct, frozen=True, kw_only=True):
    """One resource, or an entry that only asks for something (then without a type)."""

    type: str
    path: str
    raw: Raw
    """Its bytes exactly as received."""
    value: Mapping[str, Any] = {}
    """What the bytes say, decimals exact; empty where they cannot be read."""
    around: Mapping[str, Any] = {}
    """What its entry of a Bundle says beside it."""
    full_url: str | None = None
    request: Request | None = None
    id: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    subject: Subject | None = None
    message: Message | None = None
    """What it says in Panel's words; None where Panel has no place for it, or it is quarantined."""
    present: frozenset[str] = frozenset()
    """The fields of the message that the resource spoke of. The others overwrite nothing: who may
    not be told where a child lives is sent no address, and no address is no news."""
    kept: tuple[str, ...] = ()
    """Paths of what the message does not hold."""
    set_aside: str | None = None
    """Why a valid resource has no message."""
    problems: tuple[Problem, ...] = ()
    """Why it is quarantined."""
    remarks: tuple[Problem, ...] = ()
    """Rules of FHIR that it breaks, though it can be understood: who must be strict refuses it."""

    @property
    def is_quarantined(self) -> bool:
        """Whether somebody has to look at it before anything is taken from it."""
        return bool(self.problems)


class Received(Struct, frozen=True, kw_only=True):
    """What one body held."""

    kind: str
    """The Bundle's type ("transaction"), "resource" for a single one, "broken" for neither."""
    pieces: tuple[Piece, ...] = ()
    broken: Problem | None = None
    """Why nothing at all could be taken apart."""
    remarks: tuple[Problem, ...] = ()
    """What is wrong with the Bundle around the pieces."""


class Limits(Struct, frozen=True, kw_only=True):
    """How much one body may hold."""

    size: int = 32 * 1024 * 1024
    """Bytes."""
    depth: int = 64
    """Brackets within brackets."""
    entries: int = 10_000
