"""Bulk export as it is asked for and answered. Source: FHIR Bulk Data Access 2.0.

    parse(pairs, types)      -> Asked, or Refused: no parameter is passed over
    manifest(...)            -> what is told once it is ready

A manifest counts no lines: what is left out at the download would show in the difference.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from interop.bundle import Json, instant
from interop.outcome import Issue, Refused, tellable

NDJSON = "application/fhir+ndjson"
FORMATS = frozenset({NDJSON, "application/ndjson", "ndjson"})
TYPES = "_type"
SINCE = "_since"
FORMAT = "_outputFormat"


class Asked(Struct, frozen=True):
    """What an export is to hold."""

    types: tuple[str, ...] | None
    """None for every type that may be read."""
    since: datetime | None


class File(Struct, frozen=True):
    """One file of it."""

    type: str
    url: str


def parse(pairs: Sequence[tuple[str, str]], types: Collection[str]) -> Asked | Refused:
    """What was asked for; `types` are those that there are."""
    issues: list[Issue] = []
    named: tuple[str, ...] | None = None
    since: datetime | None = None
    for name, value in pairs:
        if name == TYPES:
            kinds = tuple(dict.fromkeys((*(named or ()), *value.split(","))))
            if any(kind not in types for kind in kinds):
                issues.append(Issue("value", "There are no resources of this type here.", (name,)))
            named = kinds
        elif name == SINCE:
            since = _instant(value)
            if since is None:
                issues.append(Issue("value", "Say since which instant.", (name,)))
        elif name == FORMAT:
            if value.replace(" ", "+") not in FORMATS:
                issues.append(Issue("not-supported", f"The files are {NDJSON}.", (name,)))
        else:
            issues.append(
                Issue("not-supported", "An export has no such parameter here.", tellable(name))
            )
    names = [name for name, _ in pairs]
    if names.count(SINCE) > 1:
        issues.append(Issue("value", "Say it once.", (SINCE,)))
    return Refused(tuple(issues)) if issues else Asked(named, since)


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
