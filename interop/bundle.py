"""Bundles that are sent: search sets, histories, documents, collections, and answers to what came.

    searchset([Shown("Task", id, resource)], base, self_link=search.link(base), total=7)
    history([Past("Task", id, "update", version, changed_at, resource)], base, self_link=…)
    document(identifier, written_at, [Shown("Composition", …), …], base)
    answers("transaction", [Answer("201 Created", location=…, version=…), …])

A resource is a dict, or bytes that were made already as `msgspec.Raw(stamped.body)`: both are
encoded with `msgspec.json.encode(bundle)`. What comes in is read by `transaction`.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal

from msgspec import Raw, Struct

from interop.outcome import Issue, outcome

Resource = Mapping[str, object] | Raw
Mode = Literal["match", "include"]
Written = Literal["create", "update", "delete"]
Json = dict[str, object]

_METHODS: Mapping[Written, str] = {"create": "POST", "update": "PUT", "delete": "DELETE"}
_STATUS: Mapping[Written, str] = {"create": "201", "update": "200", "delete": "204"}


class Shown(Struct, frozen=True):
    """A resource in a bundle, and why it is there."""

    type: str
    id: str
    resource: Resource
    mode: Mode = "match"


class Past(Struct, frozen=True):
    """One version of a resource; a deleted one has no content."""

    type: str
    id: str
    written: Written
    version: str
    changed_at: datetime
    """Aware."""
    resource: Resource | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """What became of one entry of a transaction or batch, in the order in which they came."""

    status: str
    """"201 Created"."""
    location: str | None = None
    """Relative to the server: "Task/123/_history/abc"."""
    version: str | None = None
    changed_at: datetime | None = None
    resource: Resource | None = None
    issues: tuple[Issue, ...] = ()


def searchset(
    shown: Iterable[Shown],
    base: str,
    *,
    self_link: str,
    next_link: str | None = None,
    total: int | None = None,
    issues: Iterable[Issue] = (),
) -> Json:
    """What a search found: matches, what was included, and what there is to say about it.

    Args: `total` counts matches on all pages; None tells none.
    """
    entries: list[Json] = [_entry(one, base) | {"search": {"mode": one.mode}} for one in shown]
    told = list(issues)
    if told:
        entries.append({"resource": outcome(told), "search": {"mode": "outcome"}})
    return _bundle("searchset", entries, total=total, links=_links(self_link, next_link))


def history(
    versions: Iterable[Past],
    base: str,
    *,
    self_link: str,
    next_link: str | None = None,
    total: int | None = None,
) -> Json:
    """The versions of a resource, the newest first as they must be given."""
    entries = [_past(one, base) for one in versions]
    return _bundle("history", entries, total=total, links=_links(self_link, next_link))


def document(
    identifier: Mapping[str, str], written_at: datetime, shown: Iterable[Shown], base: str
) -> Json:
    """A document: its Composition first, then all that it refers to.

    Args: `identifier` has a system and a value that never name another document.
    Raises: ValueError where no Composition comes first, or a part of the identifier is missing.
    """
    parts = list(shown)
    if not parts or parts[0].type != "Composition":
        raise ValueError("a document begins with its Composition")
    if not identifier.get("system") or not identifier.get("value"):
        raise ValueError("a document's identifier has a system and a value")
    bundle = _bundle("document", [_entry(one, base) for one in parts])
    return bundle | {"identifier": dict(identifier), "timestamp": instant(written_at)}


def collection(shown: Iterable[Shown], base: str) -> Json:
    """Resources that are together for no other reason than being sent together."""
    return _bundle("collection", [_entry(one, base) for one in shown])


def answers(kind: Literal["transaction", "batch"], given: Iterable[Answer]) -> Json:
    """The answer to a transaction or batch, entry by entry."""
    return _bundle(f"{kind}-response", [_answer(one) for one in given])


def instant(moment: datetime) -> str:
    """A moment as FHIR writes it, in UTC.

    Raises: ValueError where the moment is naive.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment has a zone")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def etag(version: str) -> str:
    """The entity tag of a version."""
    return f'W/"{version}"'


def _bundle(
    kind: str, entries: list[Json], *, total: int | None = None, links: list[Json] | None = None
) -> Json:
    bundle: Json = {"resourceType": "Bundle", "type": kind}
    if total is not None:
        bundle["total"] = total
    if links:
        bundle["link"] = links
    if entries:
        # An empty list is none in FHIR's JSON.
        bundle["entry"] = entries
    return bundle


def _links(self_link: str, next_link: str | None) -> list[Json]:
    links: list[Json] = [{"relation": "self", "url": self_link}]
    if next_link is not None:
        links.append({"relation": "next", "url": next_link})
    return links


def _entry(one: Shown, base: str) -> Json:
    return {"fullUrl": f"{base}/{one.type}/{one.id}", "resource": one.resource}


def _past(one: Past, base: str) -> Json:
    at = f"{one.type}/{one.id}"
    entry: Json = {"fullUrl": f"{base}/{at}"}
    if one.resource is not None:
        entry["resource"] = one.resource
    entry["request"] = {
        "method": _METHODS[one.written],
        "url": one.type if one.written == "create" else at,
    }
    entry["response"] = {
        "status": _STATUS[one.written],
        "etag": etag(one.version),
        "lastModified": instant(one.changed_at),
    }
    return entry


def _answer(one: Answer) -> Json:
    response: Json = {"status": one.status}
    if one.location is not None:
        response["location"] = one.location
    if one.version is not None:
        response["etag"] = etag(one.version)
    if one.changed_at is not None:
        response["lastModified"] = instant(one.changed_at)
    if one.issues:
        response["outcome"] = outcome(one.issues)
    entry: Json = {"response": response}
    if one.resource is not None:
        entry = {"resource": one.resource} | entry
    return entry
