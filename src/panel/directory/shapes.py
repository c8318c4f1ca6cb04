"""What Open Referral UK 3.0 lets a service and an organisation be, property by property.

Only what a file must keep to so that what goes out again is good for the compiled schemas. What
is not named here may be there too: it is kept as it came.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast
from uuid import UUID

DEEPEST = 40
"""Levels within levels that a service may have."""


@dataclass(frozen=True)
class Shape:
    """An object: its known properties, and those that must be there."""

    known: Mapping[str, "Kind"]
    required: tuple[str, ...] = ("id",)


Kind = str | tuple[str, ...] | Shape | Sequence[Shape]
"""A simple kind by its name, one of several words, an object, or a list of objects."""

_TERM = Shape(
    {
        "id": "uuid", "name": "text", "description": "text", "parent_id": "uuid",
        "taxonomy": "text", "taxonomy_id": "uuid", "term_uri": "uri", "term": "text",
    },
    ("id", "name", "description"),
)  # fmt: skip
_ATTRIBUTES = [
    Shape(
        {
            "id": "uuid", "link_id": "uuid", "taxonomy_term_id": "uuid", "link_type": "text",
            "taxonomy_term": _TERM,
        }
    )
]  # fmt: skip
ORGANIZATION = Shape(
    {
        "id": "uuid", "name": "text", "description": "text", "email": "email", "website": "uri",
        "logo": "text", "uri": "uri", "parent_organization_id": "uuid",
        "organization_identifiers": [
            Shape(
                {
                    "id": "uuid", "organization_id": "uuid", "identifier_scheme": "text",
                    "identifier_type": "text", "identifier": "text", "attributes": _ATTRIBUTES,
                },
                ("id", "identifier_type", "identifier"),
            )
        ],
        "attributes": _ATTRIBUTES,
    },
    ("id", "name", "description"),
)  # fmt: skip
_WHERE = ("physical", "postal", "virtual")
_ADDRESS = Shape(
    {
        "id": "uuid", "location_id": "uuid", "attention": "text", "address_1": "text",
        "city": "text", "region": "text", "state_province": "text", "postal_code": "text",
        "country": "text", "address_type": _WHERE, "attributes": _ATTRIBUTES,
    },
    ("id", "address_1", "city", "state_province", "postal_code", "country", "address_type"),
)  # fmt: skip
_ACCESSIBILITY = Shape(
    {
        "id": "uuid", "location_id": "uuid", "description": "text", "details": "text",
        "url": "uri", "attributes": _ATTRIBUTES, "accessibility": "text",
    }
)  # fmt: skip
_LOCATION = Shape(
    {
        "id": "uuid", "location_type": _WHERE, "name": "text", "description": "text",
        "latitude": "number", "longitude": "number", "external_identifier": "text",
        "external_identifier_type": "text", "addresses": [_ADDRESS],
        "accessibility": [_ACCESSIBILITY], "attributes": _ATTRIBUTES,
    },
    ("id", "location_type"),
)  # fmt: skip
SERVICE = Shape(
    {
        "id": "uuid", "organization_id": "uuid", "name": "text", "description": "text",
        "url": "uri", "email": "email",
        "status": ("active", "inactive", "defunct", "temporarily closed"),
        "fees": "text", "accreditations": "text", "minimum_age": "number",
        "maximum_age": "number", "assured_date": "text", "assurer_email": "email",
        "alert": "text", "last_modified": "moment",
        "schedules": [
            Shape(
                {
                    "id": "uuid", "service_id": "uuid", "service_at_location_id": "uuid",
                    "valid_from": "text", "valid_to": "text", "dtstart": "text",
                    "freq": ("WEEKLY", "MONTHLY"), "interval": "number", "byday": "text",
                    "bymonthday": "text", "description": "text", "opens_at": "text",
                    "closes_at": "text", "schedule_link": "uri", "attending_type": "text",
                    "notes": "text",
                }
            )
        ],
        "service_areas": [
            Shape(
                {
                    "id": "uuid", "service_id": "uuid", "name": "text", "extent": "text",
                    "extent_type": "text", "uri": "text", "service_area": "text",
                }
            )
        ],
        "service_at_locations": [
            Shape(
                {
                    "id": "uuid", "service_id": "uuid", "location_id": "uuid",
                    "location": _LOCATION,
                }
            )
        ],
        "languages": [Shape({"id": "uuid", "service_id": "uuid", "phone_id": "uuid"})],
        "organization": ORGANIZATION,
        "funding": [Shape({"id": "uuid", "service_id": "uuid", "source": "text"})],
        "cost_options": [
            Shape(
                {
                    "id": "uuid", "service_id": "uuid", "valid_from": "text",
                    "valid_to": "text", "option": "text", "amount": "number",
                    "amount_description": "text",
                }
            )
        ],
        "contacts": [
            Shape(
                {
                    "id": "uuid", "service_id": "uuid", "name": "text", "title": "text",
                    "attributes": _ATTRIBUTES,
                }
            )
        ],
        "attributes": _ATTRIBUTES,
    },
    ("id", "name", "status"),
)  # fmt: skip

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(
    rf"{_ATOM}(\.{_ATOM})*@([A-Za-z0-9]([A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?\.)+[A-Za-z]{{2,63}}"
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:([A-Za-z0-9._~:/?#@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
_MOMENT = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?"
    r"(Z|[+-]([01]\d|2[0-3]):[0-5]\d)"
    r"|\d{4}-(0[13-9]|1[0-2])-(29|30)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?"
    r"(Z|[+-]([01]\d|2[0-3]):[0-5]\d)"
    r"|\d{4}-(0[13578]|1[02])-31T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?"
    r"(Z|[+-]([01]\d|2[0-3]):[0-5]\d)"
)


def is_email(text: str) -> bool:
    """Whether it can be one e-mail address."""
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None


def is_web_address(text: str) -> bool:
    """Whether it can be the address of a page."""
    lowered = text.lower()
    starts = lowered.startswith(("http://", "https://"))
    return starts and len(text) > len("https://") and _URI.fullmatch(text) is not None


def is_uuid(value: str) -> bool:
    """Whether it is an id as it is written: 8-4-4-4-12."""
    if len(value) != 36:
        return False
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_SIMPLE: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "text": (lambda _text: True, ""),
    "uuid": (is_uuid, "must be a UUID"),
    "email": (is_email, "must be an e-mail address"),
    "uri": (lambda text: _URI.fullmatch(text) is not None, "must be a web address"),
    "moment": (
        lambda text: _MOMENT.fullmatch(text) is not None,
        "must be a date with a time and its zone",
    ),
}


def _simple(kind: str, value: object) -> str:
    """What is wrong with a value, or ""."""
    if kind == "number":
        return "" if _is_number(value) else "must be a number"
    if not isinstance(value, str):
        return "must be text"
    is_good, said = _SIMPLE[kind]
    return "" if is_good(value) else said


def wrong(value: object, shape: Shape, path: str = "") -> Iterator[tuple[str, str]]:
    """Every (property, what is wrong with it); a property is named from the top: "a.b.c"."""
    if not isinstance(value, dict):
        yield path, "must be an object"
        return
    for name in shape.required:
        if name not in value:
            yield _under(path, name), "is missing"
    for name, found in value.items():
        kind = shape.known.get(name)
        if kind is not None:
            yield from _wrong(found, kind, _under(path, name))


def _wrong(value: object, kind: Kind, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(kind, Shape):
        yield from wrong(value, kind, path)
    elif isinstance(kind, tuple):
        if value not in kind:
            yield path, f"must be one of: {', '.join(str(one) for one in kind)}"
    elif isinstance(kind, str):
        if said := _simple(kind, value):
            yield path, said
    elif not isinstance(value, list):
        yield path, "must be a list"
    else:
        for each in value:
            yield from wrong(each, kind[0], path)


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


class Unkeepable(ValueError):
    """Something that no database keeps: its text is for the reader."""


Value = TypeVar("Value")


def without_nothing(value: Value, depth: int = 0) -> Value:
    """The value without its nulls, which say no more than absence does. Raises Unkeepable."""
    if depth > DEEPEST:
        raise Unkeepable("It is nested too deeply.")
    kept: object = value
    if isinstance(value, dict):
        kept = {
            without_nothing(name, depth + 1): without_nothing(one, depth + 1)
            for name, one in value.items()
            if one is not None
        }
    elif isinstance(value, list):
        kept = [without_nothing(one, depth + 1) for one in value if one is not None]
    elif isinstance(value, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
        raise Unkeepable("It holds a character that cannot be kept.")
    return cast("Value", kept)
