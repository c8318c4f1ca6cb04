"""Bulk export as it is asked for and answered. Source: FHIR Bulk Data Access 2.0.

    parameters(body)         -> the pairs of a Parameters resource, or Refused
    parse(pairs, types)      -> Asked, or Refused: no parameter is passed over
    manifest(...)            -> what is told once it is ready

A manifest counts no lines: what is left out at the download would show in the difference.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import DecodeError, Struct, field, json

from interop.bundle import Json, instant
from interop.outcome import Issue, Refused, tellable
from interop.search_values import as_uuid

NDJSON = "application/fhir+ndjson"
FORMATS = frozenset({NDJSON, "application/ndjson", "ndjson"})
TYPES = "_type"
SINCE = "_since"
FORMAT = "_outputFormat"
PATIENT = "patient"
LONGEST = 256 * 1024
"""Bytes of a Parameters resource."""
MOST_PATIENTS = 1_000


class Asked(Struct, frozen=True):
    """What an export is to hold."""

    types: tuple[str, ...] | None
    """None for every type that may be read."""
    since: datetime | None
    patients: tuple[UUID, ...] | None = None
    """None for all whom it may be about."""


class _Reference(Struct):
    reference: str = ""


class _Parameter(Struct):
    name: str
    text: str | None = field(name="valueString", default=None)
    instant: str | None = field(name="valueInstant", default=None)
    to: _Reference | None = field(name="valueReference", default=None)

    def said(self) -> str | None:
        """What it says, in the one kind of value that is its own; "" of one that there is not."""
        match self.name:
            case "_since":
                return self.instant
            case "patient":
                return None if self.to is None else self.to.reference
            case "_type" | "_outputFormat":
                return self.text
        return ""


class _Parameters(Struct):
    type: str = field(name="resourceType", default="")
    parameter: tuple[_Parameter, ...] = ()


class File(Struct, frozen=True):
    """One file of it."""

    type: str
    url: str


def parameters(body: bytes) -> Sequence[tuple[str, str]] | Refused:
    """The names and values of a Parameters resource, as if they stood in an address."""
    try:
        read = json.decode(body, type=_Parameters)
    except (DecodeError, RecursionError):
        return Refused((Issue("structure", "This cannot be read as Parameters."),))
    if read.type != "Parameters":
        return Refused((Issue("structure", "These are no Parameters.", ("resourceType",)),))
    said = [(one.name, one.said()) for one in read.parameter]
    wrong = [name for name, value in said if value is None]
    if wrong:
        kinds = "_type and _outputFormat are a valueString, _since is a valueInstant, patient is a"
        return Refused(
            tuple(Issue("value", f"{kinds} valueReference.", tellable(name)) for name in wrong)
        )
    return [(name, value) for name, value in said if value is not None]


def parse(
    pairs: Sequence[tuple[str, str]], types: Collection[str], besides: Collection[str] = ()
) -> Asked | Refused:
    """What was asked for.

    Args: `types` are those that there are; `besides` names the parameters that this way of asking
    has besides the usual ones: PATIENT.
    """
    known = {TYPES, SINCE, FORMAT, *besides}
    issues = [
        Issue("not-supported", "An export has no such parameter here.", tellable(name))
        for name in dict(pairs)
        if name not in known
    ]
    named = _types(_values(pairs, TYPES), types, issues)
    since = _since(_values(pairs, SINCE), issues)
    patients = _patients(_values(pairs, PATIENT), issues) if PATIENT in known else None
    if any(one.replace(" ", "+") not in FORMATS for one in _values(pairs, FORMAT)):
        issues.append(Issue("not-supported", f"The files are {NDJSON}.", (FORMAT,)))
    return Refused(tuple(issues)) if issues else Asked(named, since, patients)


def _values(pairs: Sequence[tuple[str, str]], name: str) -> Sequence[str]:
    return [value for each, value in pairs if each == name]


def _types(
    values: Sequence[str], there: Collection[str], issues: list[Issue]
) -> tuple[str, ...] | None:
    kinds = tuple(dict.fromkeys(kind for value in values for kind in value.split(",")))
    if any(kind not in there for kind in kinds):
        issues.append(Issue("value", "There are no resources of this type here.", (TYPES,)))
    return kinds or None


def _since(values: Sequence[str], issues: list[Issue]) -> datetime | None:
    found = [_instant(value) for value in values]
    if None in found:
        issues.append(Issue("value", "Say since which instant.", (SINCE,)))
    if len(found) > 1:
        issues.append(Issue("value", "Say it once.", (SINCE,)))
    return found[0] if found else None


def _patients(values: Sequence[str], issues: list[Issue]) -> tuple[UUID, ...] | None:
    found = [as_uuid(value.removeprefix("Patient/")) for value in values]
    if None in found or len(found) > MOST_PATIENTS:
        told = f"A patient is Patient/ and an id, and there are {MOST_PATIENTS} of them at most."
        issues.append(Issue("value", told, (PATIENT,)))
    return tuple(one for one in found if one is not None) or None


def _instant(value: str) -> datetime | None:
    try:
        # A plus that was not escaped comes as a space.
        found = datetime.fromisoformat(value.replace(" ", "+"))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def is_asynchronous(prefer: str) -> bool:
    """Whether a header Prefer asks for an answer later."""
    return "respond-async" in {one.strip().lower() for one in prefer.replace(";", ",").split(",")}


def manifest(*, as_of: datetime, asked: str, files: Iterable[File]) -> Json:
    """What is told once it is ready: where each file is."""
    return {
        "transactionTime": instant(as_of),
        "request": asked,
        "requiresAccessToken": True,
        "output": [{"type": one.type, "url": one.url} for one in files],
        "error": [],
    }
