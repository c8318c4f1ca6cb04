"""A transaction or batch that came: its entries, what each asks for, and in which order to do it.

    work = read(decoded, base)                      -> Work, or Refused with all that is wrong
    for entry in work.ordered(): ...                   DELETE, POST, PUT and PATCH, then GET, HEAD
    for wanted in work.conditional(): ...              references like Patient?identifier=s|v
    known = {entry.full_url: "Task/123", …}            once each new id is chosen
    resource = work.linked(entry, known)               with its references to the others resolved

In a transaction one wrong entry refuses all; in a batch `work.refused` has the issues by the
entry's number, and the other entries stand. Entries may refer to each other in circles: ids are
chosen before references are resolved. Source: hl7.org/fhir/R4/http.html#transaction.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, cast

from msgspec import Struct

from interop.outcome import Issue, Refused
from interop.references import references, resolved, texts
from interop.requested import Asked, Method, asked

MOST_ENTRIES = 1_000

_ORDER: Mapping[Method, int] = {
    "DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3,
}  # fmt: skip
_URN = ("urn:uuid:", "urn:oid:")


class Entry(Struct, frozen=True, kw_only=True):
    """One entry that can be done."""

    index: int
    full_url: str | None
    resource: Mapping[str, object] | None
    request: Asked
    named: frozenset[str] = frozenset()
    """The texts of all references in its resource."""

    @property
    def path(self) -> str:
        """Where it stands: "Bundle.entry[3]"."""
        return _path(self.index)


class Conditional(Struct, frozen=True):
    """A reference by search: the one resource of a type that fits, or the entry is wrong."""

    text: str
    """The reference as it stands: the key for `known`."""
    type: str
    query: str
    path: str
    index: int


class Work(Struct, frozen=True, kw_only=True):
    """What is to be done."""

    kind: Literal["transaction", "batch"]
    size: int
    """How many entries came, with those that are refused."""
    entries: tuple[Entry, ...]
    refused: Mapping[int, tuple[Issue, ...]]

    def ordered(self) -> tuple[Entry, ...]:
        """The entries in the order in which they are done."""
        return tuple(sorted(self.entries, key=lambda entry: _ORDER[entry.request.method]))

    def conditional(self) -> tuple[Conditional, ...]:
        """Every reference by search, in the entries that are written."""
        return tuple(found for entry in self.entries for found in _conditional(entry))

    def linked(self, entry: Entry, known: Mapping[str, str]) -> dict[str, object] | None:
        """The entry's resource with its references resolved; None where it has none.

        Args: `known` leads from full addresses (and from the text of conditional references) to
        "Type/id". A relative reference is looked for beside the entry's own full address.
        """
        if entry.resource is None:
            return None
        return resolved(entry.resource, known, _root(entry))


def read(bundle: object, base: str) -> Work | Refused:
    """What a decoded Bundle asks for. Never raises.

    Args: `base` is this server's address.
    """
    if not isinstance(bundle, Mapping) or bundle.get("resourceType") != "Bundle":
        return _no("structure", "Send a Bundle.", "Bundle")
    kind = bundle.get("type")
    if kind not in ("transaction", "batch"):
        return _no("value", "Here a Bundle is a transaction or a batch.", "Bundle.type")
    listed = bundle.get("entry", [])
    if not isinstance(listed, list):
        return _no("structure", "The entries are a list.", "Bundle.entry")
    if len(listed) > MOST_ENTRIES:
        return _no("too-costly", f"Send at most {MOST_ENTRIES} entries at a time.", "Bundle.entry")
    return _read(cast('Literal["transaction", "batch"]', kind), listed, base.rstrip("/"))


def _read(kind: Literal["transaction", "batch"], listed: list[object], base: str) -> Work | Refused:
    entries: list[Entry] = []
    refused: dict[int, tuple[Issue, ...]] = {}
    for index, raw in enumerate(listed):
        entry = _entry(index, raw, base)
        if isinstance(entry, Entry):
            entries.append(entry)
        else:
            refused[index] = entry
    full_urls = _full_urls(listed)
    doubled = _twice(entries)
    for entry in entries:
        wrong = (*doubled.get(entry.index, ()), *_dangling(kind, entry, full_urls))
        if wrong:
            refused[entry.index] = wrong
    if kind == "transaction" and refused:
        return Refused(tuple(issue for index in sorted(refused) for issue in refused[index]))
    return Work(
        kind=kind,
        size=len(listed),
        entries=tuple(entry for entry in entries if entry.index not in refused),
        refused=refused,
    )


def _entry(index: int, raw: object, base: str) -> Entry | tuple[Issue, ...]:
    path = _path(index)
    if not isinstance(raw, Mapping):
        return (Issue("structure", "An entry is an object.", (path,)),)
    full_url, resource = raw.get("fullUrl"), raw.get("resource")
    if full_url is not None and (not isinstance(full_url, str) or not full_url):
        return (Issue("value", "The full address is a text.", (f"{path}.fullUrl",)),)
    if resource is not None and not isinstance(resource, Mapping):
        return (Issue("structure", "A resource is an object.", (f"{path}.resource",)),)
    named = texts(resource)
    if named is None:
        return (Issue("too-costly", "This is too deeply nested.", (f"{path}.resource",)),)
    found = asked(raw.get("request"), resource, base)
    if not isinstance(found, Asked):
        return tuple(issue.at(path) for issue in found)
    return Entry(index=index, full_url=full_url, resource=resource, request=found, named=named)


def _full_urls(listed: list[object]) -> frozenset[str]:
    return frozenset(
        raw["fullUrl"]
        for raw in listed
        if isinstance(raw, Mapping) and isinstance(raw.get("fullUrl"), str)
    )


def _twice(entries: list[Entry]) -> dict[int, tuple[Issue, ...]]:
    """Issues by entry: a full address or a written resource that an entry before has as well."""
    wrong: dict[int, tuple[Issue, ...]] = {}
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        for kind, name, where in _identities(entry):
            if (kind, name) in seen:
                text = "An entry before this one is the same resource."
                issue = Issue("duplicate", text, (f"{entry.path}.{where}",))
                wrong[entry.index] = (*wrong.get(entry.index, ()), issue)
            seen.add((kind, name))
    return wrong


def _identities(entry: Entry) -> Iterator[tuple[str, str, str]]:
    if entry.full_url is not None:
        yield "full", entry.full_url, "fullUrl"
    wanted = entry.request
    if wanted.method in ("PUT", "PATCH", "DELETE"):
        yield "written", f"{wanted.type}/{wanted.id}", "request.url"


def _dangling(kind: str, entry: Entry, full_urls: frozenset[str]) -> tuple[Issue, ...]:
    """References to entries that are not there; and in a batch, to any."""
    wrong: list[Issue] = []
    urns = [one for one in entry.named if one.startswith(_URN)]
    if kind == "transaction" and all(one in full_urls for one in urns):
        return ()
    for path, text in references(entry.resource, f"{entry.path}.resource"):
        if not text.startswith(_URN):
            continue
        if text not in full_urls:
            wrong.append(Issue("value", "No entry has this full address.", (path,)))
        elif kind == "batch" and text != entry.full_url:
            apart = "The entries of a batch stand alone: send a transaction."
            wrong.append(Issue("processing", apart, (path,)))
    return tuple(wrong)


def _conditional(entry: Entry) -> Iterator[Conditional]:
    for path, text in references(entry.resource, f"{entry.path}.resource"):
        type_, mark, query = text.partition("?")
        if mark and type_.isascii() and type_.isalpha():
            yield Conditional(text, type_, query, path, entry.index)


def _root(entry: Entry) -> str:
    """What another server's full address has before Type/id; empty where it is none such."""
    if entry.full_url is None or not entry.full_url.startswith(("http://", "https://")):
        return ""
    parts = entry.full_url.rsplit("/", 2)
    return f"{parts[0]}/" if len(parts) == 3 else ""


def _path(index: int) -> str:
    return f"Bundle.entry[{index}]"


def _no(code: Literal["structure", "value", "too-costly"], text: str, path: str) -> Refused:
    return Refused((Issue(code, text, (path,)),))
