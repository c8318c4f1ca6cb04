"""Resources that were read from one server, as a transaction for another."""

from collections.abc import Iterable, Mapping
from uuid import NAMESPACE_URL, uuid5

from interop.client_answers import Json, Resource


def transaction_of(resources: Iterable[Resource]) -> Json:
    """A transaction that makes each of them anew, with what they refer to among themselves.

    The other server gives ids and versions of its own; a reference to what is not sent with them
    stays as it is.
    """
    read = list(resources)
    names = {one.reference: temporary_name(one.reference) for one in read}
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": names[one.reference],
                "resource": _as_new(one.content, names),
                "request": {"method": "POST", "url": one.type},
            }
            for one in read
        ],
    }


def temporary_name(reference: str) -> str:
    """What a resource is called within one transaction: always the same for the same reference."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, reference)}"


def renamed(content: Json, names: Mapping[str, str]) -> Json:
    """A resource's content with other references, by the old ones."""
    return {key: _renamed(key, one, names) for key, one in content.items()}


def _renamed(key: str, value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return renamed(value, names)
    if isinstance(value, list):
        return [_renamed(key, one, names) for one in value]
    return names.get(value, value) if key == "reference" and isinstance(value, str) else value


def _as_new(content: Json, names: Mapping[str, str]) -> Json:
    new = renamed({key: one for key, one in content.items() if key != "id"}, names)
    meta = {
        key: one
        for key, one in new.pop("meta", {}).items()
        if key not in ("versionId", "lastUpdated", "source")
    }
    return new | ({"meta": meta} if meta else {})
