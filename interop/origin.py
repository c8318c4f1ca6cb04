"""The tag on what another system sent, wherever it is told: it is that system's own word.

tagged(resource)                the resource with the tag, and without version and moment
is_sent(resource)               whether it has one
dated(tagged(...), moment)      with when it became so
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from interop.outgoing import Json
from interop.systems import ORIGIN

ANOTHER_SYSTEM: Final = "another-system"


def tagged(resource: Json) -> Json:
    """A resource with the tag that says that it is what another system sent."""
    meta = resource.get("meta")
    told = dict(meta.items()) if isinstance(meta, dict) else {}
    for moved in ("versionId", "lastUpdated"):
        told.pop(moved, None)
    tags = told.get("tag")
    others = [one for one in tags if not _is_origin(one)] if isinstance(tags, list) else []
    told["tag"] = [*others, {"system": ORIGIN, "code": ANOTHER_SYSTEM}]
    return {**resource, "meta": told}


def is_sent(resource: Mapping[str, object]) -> bool:
    """Whether a resource says that another system sent it."""
    meta = resource.get("meta")
    tags = meta.get("tag") if isinstance(meta, Mapping) else None
    return isinstance(tags, list) and any(_is_origin(one) for one in tags)


def _is_origin(tag: object) -> bool:
    return isinstance(tag, Mapping) and tag.get("system") == ORIGIN


def dated(resource: Json, changed_at: datetime | None) -> Json:
    """A `tagged` resource with when it became so, where that is told."""
    meta = resource["meta"]
    if changed_at is None or not isinstance(meta, dict):
        return resource
    moment = changed_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {**resource, "meta": {**meta, "lastUpdated": moment}}
