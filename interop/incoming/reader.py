"""How one FHIR type is read as a message: what all of them share."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from interop.incoming.bindings import same_system
from interop.incoming.spoken import NotPanels, Spoken
from interop.messages import Message
from interop.systems import CONFIDENTIALITY

Fields = dict[str, Any]
"""A message's fields by name; None where the resource did not speak of it."""


class Assumed(Struct, frozen=True):
    """A value that a field must have, and that the resource did not say."""

    value: object


class Reader(Struct, frozen=True, kw_only=True):
    """The reading of one type.

    `read` raises `Lacking` where the resource leaves out what makes it one, and `NotPanels` where
    it is something that Panel does not keep.
    """

    message: type[Message]
    read: Callable[[Spoken], Fields]
    otherwise: Mapping[str, Any] = {}
    """What fields without a default hold where the resource was silent."""
    tells_errors: bool = False
    """That it was entered in error is something to take in, not a reason to leave it."""


class Mapped(Struct, frozen=True):
    """A message and which of its fields the resource spoke of."""

    message: Message
    present: frozenset[str]


def read_with(reader: Reader, spoken: Spoken) -> Mapped:
    """One resource as its message; raises as the reader does."""
    if _is_error(spoken) and not reader.tells_errors:
        raise NotPanels("Its sender says that it was entered in error.")
    fields = reader.read(spoken) | _about(spoken)
    assumed = dict(reader.otherwise)
    said: Fields = {}
    for name, value in fields.items():
        if isinstance(value, Assumed):
            assumed[name] = value.value
        elif value is not None:
            said[name] = value
    return Mapped(reader.message(**(assumed | said)), frozenset(said))


def _is_error(spoken: Spoken) -> bool:
    codes = [spoken.value.get("status"), spoken.value.get("lifecycleStatus")]
    verification = spoken.one("verificationStatus")
    codes += [each.value.get("code") for each in verification.many("coding")]
    return "entered-in-error" in codes


def _about(spoken: Spoken) -> Fields:
    meta = spoken.one("meta")
    labels = {
        (same_system(each.value.get("system")), each.value.get("code"))
        for each in meta.many("security")
    }
    restricted = bool(labels & {(CONFIDENTIALITY, "R"), (CONFIDENTIALITY, "V")})
    redacted = any(code == "REDACTED" for _, code in labels)
    return {
        "id": spoken.value.get("id") or "",
        "changed_at": meta.moment("lastUpdated"),
        "restricted": restricted if labels else None,
        "parts_withheld": redacted if labels else None,
    }
