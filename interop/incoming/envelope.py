"""The body as JSON: whether it is, and the bytes of each resource in it, untouched."""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final, NoReturn

import msgspec
from msgspec import Raw, Struct

from interop.incoming.received import Limits, Problem, Request

_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])
_LIST: Final = msgspec.json.Decoder(list[Raw])
_TEXT: Final = msgspec.json.Decoder(str)
_STRINGS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_WHOLE: Final = re.compile(rb'(?:[^"]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
"""Strings that have an end, and what stands between them."""
_SOME: Final = 256 * 1024
"""Bytes."""
_NO_PART_OF_IT: Final = bytes(set(range(256)) - set(b'[]{}"'))
_BRACES: Final = bytes.maketrans(b"[]", b"{}")
_STEPS: Final = {ord("{"): 1, ord("}"): -1}
_ROUNDS: Final = 100
KINDS: Final = frozenset({
    "document", "message", "transaction", "transaction-response", "batch", "batch-response",
    "history", "searchset", "collection",
})  # fmt: skip
"""What a Bundle may be (hl7.org/fhir/R4/valueset-bundle-type.html)."""
_NO_JSON: Final = "This is not well-formed JSON."
_MAX_DIGITS: Final = 400
"""Of one number: FHIR needs 18, and a longer one only costs time."""


class Broken(ValueError):
    """The body cannot be taken apart; its text says why."""


class Part(Struct, frozen=True, kw_only=True):
    """One resource's bytes and where they stood."""

    raw: Raw
    path: str
    full_url: str | None = None
    request: Request | None = None
    is_resource: bool = True
    around: Mapping[str, Any] = {}
    """What its entry says beside it."""
    broken: str | None = None


class Envelope(Struct, frozen=True, kw_only=True):
    """A Bundle's parts, or the one resource that the body is."""

    kind: str
    parts: tuple[Part, ...]
    remarks: tuple[Problem, ...] = ()


def opened(body: bytes, limits: Limits) -> Envelope:
    """The parts of a body. Raises `Broken` where it is no JSON object within the limits."""
    if len(body) > limits.size:
        raise Broken(f"This is larger than the {limits.size // 1024 // 1024} MB that are taken in.")
    outer = _outer(body, limits.depth)
    if _text(outer.get("resourceType")) != "Bundle":
        return Envelope(kind="resource", parts=(Part(raw=Raw(body), path=""),))
    return _bundle(body, outer, limits)


def _outer(body: bytes, depth: int) -> dict[str, Raw]:
    try:
        start = body.decode("utf-8-sig").lstrip()[:1]
    except UnicodeDecodeError:
        raise Broken("This is not UTF-8 text.") from None
    if start == "<":
        raise Broken("This is XML. Send FHIR as JSON (application/fhir+json).")
    if start != "{":
        raise Broken("This is not a JSON object.")
    if _deepest(body) > depth:
        raise Broken(f"This is nested more than {depth} levels deep.")
    try:
        return _OBJECT.decode(body.removeprefix(BOM_UTF8))
    except (msgspec.MsgspecError, RecursionError):
        raise Broken(_NO_JSON) from None


def _deepest(body: bytes) -> int:
    """How many brackets stand within brackets; much is read some at a time: others work between."""
    if len(body) <= _SOME:
        return _levels(_brackets(body))
    deepest = level = at = 0
    while at < len(body):
        whole = _WHOLE.match(body, at, at + _SOME)
        until = at if whole is None else whole.end()
        if until == at:
            # A string that is longer, or has no end.
            string = _STRINGS.match(body, at)
            at = len(body) if string is None else string.end()
            continue
        levels = list(_counted(_brackets(body[at:until]), level))
        deepest, level, at = max(deepest, *levels), levels[-1], until
    return deepest


def _brackets(some: bytes) -> bytes:
    """The brackets outside strings, all written as braces.

    JSON has a backslash within strings alone: without what it stands before, quotes are their ends.
    """
    unescaped = some.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Strings without a bracket first, all at once: what is left has few.
    left = unescaped.translate(_BRACES, _NO_PART_OF_IT).replace(b'""', b"")
    return b"".join(left.split(b'"')[::2])


def _levels(brackets: bytes) -> int:
    """How deep they stand: the innermost pairs are taken away until none is left."""
    rounds = 0
    while brackets:
        without = brackets.replace(b"{}", b"")
        if len(without) == len(brackets) or rounds == _ROUNDS:
            # They do not go together, or are deeper than anybody means.
            return rounds + max(_counted(brackets, 0))
        brackets, rounds = without, rounds + 1
    return rounds


def _counted(brackets: bytes, level: int) -> Iterator[int]:
    """The level before the first and after each."""
    return accumulate(map(_STEPS.__getitem__, brackets), initial=level)


def _bundle(body: bytes, outer: dict[str, Raw], limits: Limits) -> Envelope:
    around = _around(body, outer.get("entry"))
    remarks: list[Problem] = []
    kind = _text_of(around.get("type"))
    if kind not in KINDS:
        remarks.append(Problem("Bundle.type", "A Bundle says what type it is of."))
        kind = "collection"
    entries = _entries(outer.get("entry"))
    if len(entries) > limits.entries:
        raise Broken(f"This Bundle has more than {limits.entries} entries.")
    parts = tuple(_entry(raw, f"Bundle.entry[{number}]") for number, raw in enumerate(entries))
    if kind in {"transaction", "batch"}:
        remarks += [
            Problem(
                f"Bundle.entry[{number}].request", f"An entry of a {kind} says what is asked for."
            )
            for number, part in enumerate(parts)
            if part.request is None
        ]
    return Envelope(kind=kind, parts=parts, remarks=tuple(remarks))


def _entries(raw: Raw | None) -> list[Raw]:
    if raw is None:
        return []
    try:
        return _LIST.decode(raw)
    except msgspec.MsgspecError:
        raise Broken("The entries of this Bundle are not a list.") from None


def _entry(raw: Raw, path: str) -> Part:
    try:
        entry = _OBJECT.decode(raw)
        around = _around(bytes(raw), entry.get("resource"))
    except msgspec.MsgspecError:
        return Part(raw=raw, path=path, broken="An entry of a Bundle is a JSON object.")
    except Broken as broken:
        return Part(raw=raw, path=path, broken=str(broken))
    full_url = around.get("fullUrl")
    found = entry.get("resource")
    return Part(
        raw=raw if found is None else found,
        path=path if found is None else f"{path}.resource",
        full_url=full_url if isinstance(full_url, str) else None,
        request=_request(around.get("request")),
        is_resource=found is not None,
        around=around,
    )


def _around(whole: bytes, inner: Raw | None) -> dict[str, Any]:
    """What stands around the inner value, which is long and read on its own."""
    if inner is not None:
        whole = whole.replace(bytes(inner), b"null", 1)
    return value_of(Raw(whole))


def _request(given: object) -> Request | None:
    if not isinstance(given, dict):
        return None
    said = {name: value for name, value in given.items() if isinstance(value, str)}
    if "method" not in said or "url" not in said:
        return None
    return Request(
        method=said["method"],
        url=said["url"],
        if_match=said.get("ifMatch"),
        if_none_match=said.get("ifNoneMatch"),
        if_none_exist=said.get("ifNoneExist"),
        if_modified_since=said.get("ifModifiedSince"),
    )


def _text_of(given: object) -> str:
    return given if isinstance(given, str) else ""


def _text(raw: Raw | None) -> str | None:
    try:
        return None if raw is None else _TEXT.decode(raw)
    except msgspec.MsgspecError:
        return None


def value_of(raw: Raw) -> dict[str, Any]:
    """One resource's bytes as values, decimals exact. Raises `Broken`.

    A name that stands twice in one object means what its reader happens to take: nobody may guess.
    """
    try:
        value = json.loads(
            bytes(raw).decode("utf-8-sig"),
            object_pairs_hook=_once_each,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_no_number,
        )
    except Broken:
        raise
    except (ValueError, RecursionError):
        raise Broken(_NO_JSON) from None
    if not isinstance(value, dict):
        raise Broken("A resource is a JSON object.")
    return value


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise Broken("A name stands twice in the same object.")
    return value


def _decimal(text: str) -> Decimal:
    if len(text) > _MAX_DIGITS:
        raise Broken("A number has more digits than anybody can mean.")
    number = Decimal(text)
    if abs(number.adjusted()) > _MAX_DIGITS:
        raise Broken("A number is larger or smaller than anybody can mean.")
    return number


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise Broken("A number has more digits than anybody can mean.")
    return int(text)


def _no_number(_text: str) -> NoReturn:
    raise Broken("NaN and Infinity are no numbers of JSON.")
