"""Bytes of a resource, and the version that goes with exactly what they say."""

from hashlib import sha256

import msgspec

from interop.outgoing.elements import Json

_PLAIN = msgspec.json.Encoder(decimal_format="number")
_CANONICAL = msgspec.json.Encoder(decimal_format="number", order="sorted")


class Stamped(msgspec.Struct, frozen=True):
    """A resource as it goes out: `body` bears `version` as meta.versionId; the ETag is W/"…"."""

    body: bytes
    version: str
    """32 hexadecimal digits."""


def encode(resource: Json) -> bytes:
    """JSON in UTF-8; a decimal is a number with all its digits ("1.10")."""
    return _PLAIN.encode(resource)


def stamped(resource: Json) -> Stamped:
    """A resource with its version: half of the SHA-256 of its canonical JSON as it is shown here.

    The version depends on nothing else, so neither it nor an ETag tells that something withheld has
    changed, and two receivers who are shown the same have the same. What meta says of version and
    time counts for nothing: a row also changes where nothing of it is told.
    """
    meta = resource.get("meta")
    told = dict(meta.items()) if isinstance(meta, dict) else {}
    told.pop("versionId", None)
    at = told.pop("lastUpdated", None)
    bare = {name: value for name, value in resource.items() if name != "meta"}
    canonical = _CANONICAL.encode({**bare, "meta": told} if told else bare)
    version = sha256(canonical).hexdigest()[:32]
    # Type, id and meta stand first, as people expect to read them.
    head = {name: bare.pop(name) for name in ("resourceType", "id") if name in bare}
    stamp: Json = {"versionId": version} | ({} if at is None else {"lastUpdated": at})
    return Stamped(_PLAIN.encode({**head, "meta": stamp | told, **bare}), version)
