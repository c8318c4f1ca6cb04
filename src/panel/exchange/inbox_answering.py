"""What a sender was answered, kept so that who sends the same again is told the same.

Only that something was shown is kept, and not what it said: a resource is shown again as it may be
told then. Else what somebody asked once would be told for ever, whatever consent and scopes say
since, and what was erased would stand in the answer.
"""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec
from msgspec import Raw

from interop.bundle import Answer, answers, etag
from interop.outcome import not_found
from interop.outgoing import Stamped
from panel.platform.crypto import ERASED

Shows = Callable[[str, str], Awaitable[Stamped | None]]
"""A resource by type and id as it may be told now; None where it may not be."""
Entry = dict[str, Any]


class Answered(msgspec.Struct, frozen=True):
    """An answer to what was sent."""

    status: int
    body: str | None = None
    """JSON."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)


class _Named(msgspec.Struct):
    """What a resource is, and nothing that it says."""

    type: str = msgspec.field(name="resourceType")
    id: str = ""


class _Entries(msgspec.Struct):
    entry: list[dict[str, Raw]] = msgspec.field(default_factory=list)


def to_keep(answered: Answered) -> str:
    """An answer without what its resources say, as JSON."""
    if answered.body is None:
        return _json(answered)
    kind = msgspec.json.decode(answered.body, type=_Named).type
    if kind == "OperationOutcome":
        return _json(answered)
    if kind != "Bundle":
        return _json(msgspec.structs.replace(answered, body=_json(_named(answered.body))))
    bundle = msgspec.json.decode(answered.body, type=dict[str, Raw])
    entries = msgspec.json.decode(answered.body, type=_Entries).entry
    kept = [
        one | {"resource": Raw(msgspec.json.encode(_named(one["resource"])))}
        if "resource" in one
        else one
        for one in entries
    ]
    told = bundle | {"entry": Raw(msgspec.json.encode(kept))}
    return _json(msgspec.structs.replace(answered, body=_json(told)))


async def told_again(kept: str, shows: Shows) -> Answered:
    """The answer that was kept, with its resources as they may be told now.

    Of what was erased since, that it came.
    """
    if kept == ERASED:
        return Answered(202)
    answered = msgspec.json.decode(kept, type=Answered)
    if answered.body is None:
        return answered
    told: dict[str, Any] = msgspec.json.decode(answered.body)
    if told["resourceType"] == "OperationOutcome":
        return answered
    if told["resourceType"] != "Bundle":
        shown = await shows(told["resourceType"], told["id"])
        return msgspec.structs.replace(answered, body=None if shown is None else _text(shown.body))
    told["entry"] = [await _entry(one, shows) for one in told.get("entry", [])]
    return msgspec.structs.replace(answered, body=_json(told))


async def _entry(kept: Entry, shows: Shows) -> Entry:
    named = kept.get("resource")
    if named is None:
        return kept
    shown = await shows(named["resourceType"], named["id"])
    is_read = "location" not in kept["response"]
    if shown is None and is_read:
        gone = answers("batch", [Answer(status="404", issues=(not_found(),))])
        return cast("list[Entry]", gone["entry"])[0]
    rest = {name: value for name, value in kept.items() if name != "resource"}
    if shown is None:
        return rest
    if is_read:
        response = {name: one for name, one in kept["response"].items() if name != "lastModified"}
        rest["response"] = response | {"etag": etag(shown.version)}
    return rest | {"resource": Raw(shown.body)}


def _named(resource: str | Raw) -> _Named:
    return msgspec.json.decode(resource, type=_Named)


def _json(value: object) -> str:
    return _text(msgspec.json.encode(value))


def _text(encoded: bytes) -> str:
    return encoded.decode()
