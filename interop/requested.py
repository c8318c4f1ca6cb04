"""What one entry of a transaction or batch asks for: a method, an address, and on what condition.

Only what `served` has can be asked for: DELETE and PATCH are FHIR's, and refused. Issues have paths
below the entry: "request.url".
"""

import re
from collections.abc import Mapping
from typing import Literal, cast, get_args

from msgspec import Struct
from msgspec.structs import replace

from interop.outcome import Code, Issue
from interop.served import SERVED, Interaction

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

_METHODS: tuple[Method, ...] = get_args(Method)
_ETAG = re.compile(r'(?:W/)?"([A-Za-z0-9.-]{1,64})"', re.ASCII)
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_BY_METHOD: Mapping[Method, Interaction] = {
    "POST": Interaction.CREATE,
    "PUT": Interaction.UPDATE,
}
_LONGEST = 4_000
"""Characters of an address or a condition."""


class Asked(Struct, frozen=True, kw_only=True):
    """A request that can be done."""

    method: Method
    type: str
    interaction: Interaction
    id: str | None = None
    version: str | None = None
    """Of a vread."""
    query: str = ""
    """Of a search, without the question mark."""
    if_match: str | None = None
    """The version that must be the newest."""
    if_none_match: str | None = None
    """The version that need not be sent again."""
    if_none_exist: str | None = None
    """The search that must find nothing, else what it finds is taken instead."""


class _Wrong(Exception):
    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.text)
        self.issue = issue


def asked(
    request: object, resource: Mapping[str, object] | None, base: str
) -> Asked | tuple[Issue, ...]:
    """What an entry's `request` asks for, or what is wrong with it and its resource's type and id.

    Args: `base` is this server's address, without a slash at its end. Never raises.
    """
    try:
        return _asked(request, resource, base)
    except _Wrong as wrong:
        return (wrong.issue,)


def _asked(request: object, resource: Mapping[str, object] | None, base: str) -> Asked:
    if not isinstance(request, Mapping):
        raise _wrong("required", "An entry says what is asked for.", "request")
    method = request.get("method")
    if method not in _METHODS:
        raise _wrong("value", "The method is one of FHIR's HTTP verbs.", "request.method")
    found = _addressed(cast("Method", method), _text(request, "url", needed=True) or "", base)
    _resource_fits(found, resource)
    return _on_condition(found, request)


def _addressed(method: Method, url: str, base: str) -> Asked:
    plain, _, query = url.removeprefix(f"{base}/").partition("?")
    type_, *rest = plain.split("/")
    if type_ not in SERVED:
        raise _wrong("not-supported", "There are no resources of this type here.", "request.url")
    if any(_ID.fullmatch(part) is None for part in rest if part != "_history"):
        raise _wrong("not-supported", "This address is none that an entry can have.", "request.url")
    found = _read(method, type_, rest, query) if method in ("GET", "HEAD") else None
    if found is None:
        found = _write(method, type_, rest, query)
    if not SERVED[type_].allows(found.interaction):
        raise _wrong("not-supported", "That cannot be done with this type.", "request.method")
    return found


def _read(method: Method, type_: str, rest: list[str], query: str) -> Asked:
    match rest:
        case []:
            return Asked(method=method, type=type_, interaction=Interaction.SEARCH, query=query)
        case [id_] if id_ != "_history":
            return Asked(method=method, type=type_, interaction=Interaction.READ, id=id_)
        case [id_, "_history"] if id_ != "_history":
            return Asked(
                method=method, type=type_, interaction=Interaction.HISTORY, id=id_, query=query
            )
        case [id_, "_history", version] if "_history" not in (id_, version):
            return Asked(
                method=method, type=type_, interaction=Interaction.VREAD, id=id_, version=version
            )
    raise _wrong("not-supported", "This address is none that can be read.", "request.url")


def _write(method: Method, type_: str, rest: list[str], query: str) -> Asked:
    interaction = _BY_METHOD.get(method)
    if interaction is None:
        raise _wrong("not-supported", "Panel does not delete or patch.", "request.method")
    if query:
        raise _wrong("not-supported", "Write by type and id, not by a search.", "request.url")
    match method, rest:
        case "POST", []:
            return Asked(method=method, type=type_, interaction=interaction)
        case "PUT", [id_] if id_ != "_history":
            return Asked(method=method, type=type_, interaction=interaction, id=id_)
    raise _wrong("value", "Create at a type, update at a type and an id.", "request.url")


def _resource_fits(found: Asked, resource: Mapping[str, object] | None) -> None:
    if found.method in ("GET", "HEAD"):
        return
    if resource is None:
        raise _wrong("required", "There is no resource to write.", "resource")
    if resource.get("resourceType") != found.type:
        raise _wrong("value", "The address names another type.", "resource.resourceType")
    if found.method == "PUT" and resource.get("id") != found.id:
        raise _wrong("value", "The address names another id.", "resource.id")


def _on_condition(found: Asked, request: Mapping[str, object]) -> Asked:
    exists = _text(request, "ifNoneExist")
    if exists is not None and found.method != "POST":
        raise _wrong("value", "Only a create has this condition.", "request.ifNoneExist")
    match = _version(request, "ifMatch")
    if match is not None and found.method != "PUT":
        raise _wrong("value", "Only an update has this condition.", "request.ifMatch")
    none = _version(request, "ifNoneMatch")
    if none is not None and found.method not in ("GET", "HEAD"):
        raise _wrong("not-supported", "Only a read has this condition.", "request.ifNoneMatch")
    return replace(
        found,
        if_match=match,
        if_none_match=none,
        if_none_exist=exists.removeprefix("?") if exists is not None else None,
    )


def _version(request: Mapping[str, object], name: str) -> str | None:
    text = _text(request, name)
    if text is None:
        return None
    found = _ETAG.fullmatch(text)
    if found is None:
        raise _wrong("value", 'A version is written like W/"3".', f"request.{name}")
    return found[1]


def _text(request: Mapping[str, object], name: str, *, needed: bool = False) -> str | None:
    value = request.get(name)
    if value is None and not needed:
        return None
    if not isinstance(value, str) or not value:
        raise _wrong(
            "required" if value is None else "value", "A text is missing here.", f"request.{name}"
        )
    if len(value) > _LONGEST:
        raise _wrong("too-long", f"This has more than {_LONGEST} characters.", f"request.{name}")
    return value


def _wrong(code: Code, text: str, path: str) -> _Wrong:
    return _Wrong(Issue(code, text, (path,)))
