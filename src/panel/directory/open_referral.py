"""Open Referral UK 3.0 (HSDS UK profile), in and out. Pure: JSON to facts, facts to JSON.

Nothing is lost on the way round: what came in is kept as it was, and only what was changed here
since is written over it. What the standard has no property for is told in properties that begin
with "panel_", and read back.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from panel.directory.facts import AreaFacts, PlaceFacts, ProviderFacts, ServiceFacts
from panel.directory.rules import FURTHEST_AGE, mistakes
from panel.directory.shapes import SERVICE, Unkeepable, without_nothing, wrong
from panel.directory.vocabulary import (
    LANGUAGES,
    TAXONOMIES,
    TERMS,
    UNITS,
    Route,
    Status,
    Taxonomy,
    made_id,
)
from panel.web.forms import clean_line, clean_paragraphs

Json = dict[str, Any]

LARGEST = 40 * 1024 * 1024
"""Bytes that a file of services may have: some ten thousand services."""
PROFILE = "https://docs.openreferraluk.org/"
VERSION = "HSDS-UK-3.0"
_OLD = ("eligibilitys", "regular_schedules", "holiday_schedules", "service_taxonomys")
"""Properties that only services of version 1 have."""
_STATUS_IN = {
    "active": Status.ACTIVE,
    "temporarily closed": Status.CLOSED_FOR_NOW,
    "inactive": Status.ENDED,
    "defunct": Status.ENDED,
}
_STATUS_OUT = {
    Status.ACTIVE: "active",
    Status.CLOSED_FOR_NOW: "temporarily closed",
    Status.ENDED: "inactive",
}


class UnreadableServices(ValueError):
    """The file as a whole cannot be read; nothing was taken from it. Its text is for the reader."""


@dataclass(frozen=True, slots=True)
class ServiceProblem:
    """What is wrong with one service of a file, or what to know of it: its place, from 1."""

    position: int
    what: str
    sentence: str

    def __str__(self) -> str:
        where = f"service {self.position}"
        return (
            f"{where}, {self.what}: {self.sentence}" if self.what else f"{where}: {self.sentence}"
        )


class CannotBeTaken(Exception):
    """One service cannot be taken: what is wrong, and where in it."""

    def __init__(self, what: str, sentence: str) -> None:
        super().__init__(sentence)
        self.what, self.sentence = what, sentence


@dataclass(frozen=True, slots=True)
class IncomingPlace:
    """A place as it came in."""

    id: UUID
    facts: PlaceFacts
    original: Json


@dataclass(frozen=True, slots=True)
class IncomingProvider:
    """An organisation as it came in."""

    id: UUID
    facts: ProviderFacts
    original: Json


@dataclass(frozen=True, slots=True)
class Incoming:
    """A service as it came in."""

    position: int
    id: UUID
    provider_id: UUID
    provider: IncomingProvider | None
    """None where the file only gives its id."""
    original: Json
    """Without its organisation and places, which are kept with theirs."""
    places: tuple[IncomingPlace, ...] | None
    """None where the file does not say where it is."""
    notes: tuple[ServiceProblem, ...] = ()


# In ------------------------------------------------------------------------------------------


def read_services(content: bytes) -> Iterator[Incoming | ServiceProblem]:
    """The services of a file and what is wrong, one by one. Raises UnreadableServices.

    A file is a page of services, a list of them, one service, or one organisation with its
    services.
    """
    found, organization = _services_in(_json(content))
    return _read_each(found, organization)


def _json(content: bytes) -> object:
    if len(content) > LARGEST:
        raise UnreadableServices(
            f"This file is larger than {LARGEST // 1024 // 1024} MB. Split it into several."
        )
    try:
        return json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise UnreadableServices(
            "This is not JSON. Export the services as Open Referral UK 3.0."
        ) from error


def _no_number(_text: str) -> float:
    raise ValueError("NaN and Infinity are not JSON.")


def _services_in(read: object) -> tuple[list[object], object]:
    if isinstance(read, list):
        return read, None
    if not isinstance(read, dict):
        raise UnreadableServices("There are no services in this file.")
    version = read.get("version", read.get("schema_version", ""))
    is_old = {"totalElements", "content"} <= read.keys()
    if is_old or (isinstance(version, str) and version and "3.0" not in version):
        said = f"version {version[:20]}" if isinstance(version, str) and version else "version 1"
        raise UnreadableServices(
            f"This file is Open Referral {said}. Export the services as Open Referral UK 3.0."
        )
    if isinstance(read.get("contents"), list):
        return read["contents"], None
    if isinstance(read.get("services"), list):
        return read["services"], {name: one for name, one in read.items() if name != "services"}
    if "id" in read and "status" in read:
        return [read], None
    raise UnreadableServices(
        "There are no services in this file. A page of Open Referral UK 3.0 lists them under"
        " “contents”."
    )


def _read_each(
    found: Sequence[object], organization: object
) -> Iterator[Incoming | ServiceProblem]:
    first: dict[str, int] = {}
    places: dict[UUID, int] = {}
    described: dict[UUID, Json] = {}
    for position, one in enumerate(found, start=1):
        read = _read(position, one, organization)
        if isinstance(read, ServiceProblem):
            yield read
            continue
        twice = first.setdefault(str(read.id), position)
        if twice != position:
            yield ServiceProblem(
                position, "id", f"This id stands at service {twice} already, which was taken."
            )
            continue
        taken = next((places[each.id] for each in read.places or () if each.id in places), None)
        if taken is not None:
            yield ServiceProblem(
                position,
                "service_at_locations",
                f"A place has the id of a place of service {taken}.",
            )
            continue
        places.update((each.id, position) for each in read.places or ())
        yield read
        yield from read.notes
        if read.provider is not None:
            known = described.setdefault(read.provider.id, read.provider.original)
            if known != read.provider.original:
                yield ServiceProblem(
                    position,
                    "organization",
                    "An earlier service of the file describes it otherwise: the first is kept.",
                )


def _read(position: int, value: object, organization: object) -> Incoming | ServiceProblem:
    try:
        service = _checked(value, organization)
        given = service.pop("organization", None)
        at = service.pop("service_at_locations", None)
        provider = None if given is None else read_organization(given)
        _check_sense(service)
    except CannotBeTaken as wrongly:
        return ServiceProblem(position, wrongly.what, wrongly.sentence)
    places = None
    if at is not None:
        places = tuple(IncomingPlace(UUID(one["id"]), place_of(one), one) for one in at)
    return Incoming(
        position=position,
        id=UUID(service["id"]),
        provider_id=provider.id if provider else UUID(service["organization_id"]),
        provider=provider,
        original=service,
        places=places,
        notes=tuple(_notes(position, at or ())),
    )


def _checked(value: object, organization: object) -> Json:
    """A service of the right shape, with its organisation. Raises CannotBeTaken."""
    if not isinstance(value, dict):
        raise CannotBeTaken("", "This is no service.")
    if any(name in value for name in _OLD):
        raise CannotBeTaken("", "This service is of version 1. Export version 3.0.")
    try:
        service: Json = without_nothing(value)
        if organization is not None and "organization" not in service:
            service["organization"] = without_nothing(organization)
    except Unkeepable as error:
        raise CannotBeTaken("", str(error)) from error
    for what, is_wrong in wrong(service, SERVICE):
        raise CannotBeTaken(what, f"It {is_wrong}.")
    if "organization" not in service and "organization_id" not in service:
        raise CannotBeTaken("organization", "It does not say who provides it.")
    return service


def _check_sense(service: Json) -> None:
    """Raises CannotBeTaken for what has the right shape and cannot be so."""
    if (negative := _negative_cost(service)) is not None:
        raise CannotBeTaken("cost_options", negative)
    if (said := _wrong_own(service)) is not None:
        raise CannotBeTaken(*said)
    for mistake in mistakes(facts_of(service)):
        raise CannotBeTaken(mistake.field, f"{mistake.sentence}.")


def _notes(position: int, at: Sequence[Json]) -> Iterator[ServiceProblem]:
    if any(_degrees(one) is None for one in at if _has_point(one)):
        yield ServiceProblem(
            position,
            "latitude",
            "A place is not in degrees: it is kept, and no distance is told from it.",
        )


def read_organization(value: Json) -> IncomingProvider:
    """An organisation whose shape is good."""
    return IncomingProvider(UUID(value["id"]), provider_of(value), value)


def _negative_cost(service: Json) -> str | None:
    for one in service.get("cost_options", ()):
        if one.get("amount", 0) < 0 or not math.isfinite(one.get("amount", 0)):
            return "A cost is below nothing."
    return None


def _wrong_own(service: Json) -> tuple[str, str] | None:
    """What is wrong with a property of our own, before it is read."""
    for name in ("panel_capacity", "panel_places_free"):
        value = service.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            return name, "It must be a whole number."
    for name in ("panel_places_as_of", "panel_closed_until"):
        if name in service and _day(service[name]) is None:
            return name, "It must be a date, like 2026-11-28."
    route = service.get("panel_referral_route", Route.SELF)
    if route not in list(Route):
        return "panel_referral_route", f"It must be one of: {', '.join(Route)}."
    if service.get("panel_unit", "hour") not in UNITS:
        return "panel_unit", f"It must be one of: {', '.join(UNITS)}."
    return None


def facts_of(service: Json) -> ServiceFacts:
    """What a service whose shape is good says; places are read apart from it."""
    terms = _terms_of(service)
    cost, free = _cost_of(service)
    route = service.get("panel_referral_route", "self")
    capacity, places_free = service.get("panel_capacity"), service.get("panel_places_free")
    return ServiceFacts(
        name=clean_line(service.get("name", ""))[:300],
        description=clean_paragraphs(service.get("description", ""))[:20_000],
        kind=next(iter(terms["kind"]), "other"),
        status=_STATUS_IN[service.get("status", "active")],
        closed_until=_day(service.get("panel_closed_until")),
        url=clean_line(service.get("url", "")),
        email=clean_line(service.get("email", "")),
        phone=_text(service.get("panel_phone"))[:50],
        min_age=_age(service.get("minimum_age")),
        max_age=_age(service.get("maximum_age")),
        needs_met=terms["need"],
        accessibility=terms["access"],
        languages=_languages_of(service),
        breaks=terms["break"],
        cost=cost,
        free=free,
        referral_route=Route(route),
        capacity=capacity,
        places_free=places_free,
        places_as_of=_day(service.get("panel_places_as_of")),
        unit=service.get("panel_unit"),
        areas=_areas_of(service),
    )


def term_ids_of(service: Json) -> set[UUID]:
    """Every term of a taxonomy that a service stands under."""
    found = set()
    for one in service.get("attributes", ()):
        term = one.get("taxonomy_term", {}).get("id") or one.get("taxonomy_term_id")
        if term is not None:
            found.add(UUID(term))
    return found


def place_of(at: Json) -> PlaceFacts:
    """Where a service at a location is."""
    location = at.get("location", {})
    address: Json = next(iter(location.get("addresses", ())), {})
    lines = (address.get(part, "") for part in ("address_1", "city", "state_province"))
    point = _degrees(at) or (None, None)
    return PlaceFacts(
        name=clean_line(location.get("name", ""))[:300],
        address=clean_line(", ".join(line for line in lines if line))[:500],
        postcode=clean_line(address.get("postal_code", ""))[:20],
        latitude=point[0],
        longitude=point[1],
    )


def provider_of(organization: Json) -> ProviderFacts:
    """Who an organisation is."""
    return ProviderFacts(
        name=clean_line(organization.get("name", ""))[:300],
        description=clean_paragraphs(organization.get("description", ""))[:20_000],
        kind="other",
        email=clean_line(organization.get("email", "")),
        website=clean_line(organization.get("website", "")),
    )


def _has_point(at: Json) -> bool:
    return "latitude" in at.get("location", {}) or "longitude" in at.get("location", {})


def _degrees(at: Json) -> tuple[float, float] | None:
    location = at.get("location", {})
    latitude, longitude = location.get("latitude"), location.get("longitude")
    if latitude is None or longitude is None:
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    return float(latitude), float(longitude)


def _terms_of(service: Json) -> dict[str, tuple[str, ...]]:
    ours = term_ids_of(service) & TERMS.keys()
    found: dict[str, list[str]] = {one.key: [] for one in TAXONOMIES}
    for one in ours:
        taxonomy, code = TERMS[one]
        found[taxonomy.key].append(code)
    return {
        one.key: tuple(code for code in one.words if code in found[one.key]) for one in TAXONOMIES
    }


def _cost_of(service: Json) -> tuple[str, bool]:
    options = service.get("cost_options", ())
    said = [_cost_words(one) for one in options]
    amounts = [one["amount"] for one in options if "amount" in one]
    text = "; ".join(one for one in said if one) or service.get("fees", "")
    return clean_line(text)[:500], bool(amounts) and not any(amounts)


def _cost_words(option: Json) -> str:
    amount = option.get("amount")
    if not amount:
        return str(option.get("option") or option.get("amount_description") or "")
    parts = [option.get("option", ""), f"£{amount:,.2f}".removesuffix(".00")]
    words = ": ".join(part for part in parts if part)
    return f"{words} {option.get('amount_description', '')}".strip()


def _languages_of(service: Json) -> tuple[str, ...]:
    codes = (one.get("code") for one in service.get("languages", ()))
    return tuple(
        dict.fromkeys(code for code in codes if isinstance(code, str) and code in LANGUAGES)
    )


def _areas_of(service: Json) -> tuple[AreaFacts, ...]:
    found = []
    for one in service.get("service_areas", ()):
        name = clean_line(one.get("name") or one.get("service_area") or "")[:300]
        code = one.get("panel_area_code", "")
        if name:
            found.append(AreaFacts(name, code if isinstance(code, str) else ""))
    return tuple(found)


def _age(value: float | None) -> int | None:
    if value is None or not math.isfinite(value):
        return None
    # Below nothing stays as it is, so that the rule of ages says it.
    return math.floor(value) if value <= FURTHEST_AGE else None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _text(value: object) -> str:
    return clean_line(value) if isinstance(value, str) else ""


# Out -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutPlace:
    """A place as it is kept."""

    id: UUID
    facts: PlaceFacts
    original: Json


@dataclass(frozen=True, slots=True)
class OutProvider:
    """A provider as it is kept."""

    id: UUID
    facts: ProviderFacts
    original: Json


@dataclass(frozen=True, slots=True)
class OutService:
    """A service as it is kept."""

    id: UUID
    facts: ServiceFacts
    original: Json
    changed_at: datetime
    as_imported: bool
    """Whether nothing was changed since it came in."""
    provider: OutProvider
    places: tuple[OutPlace, ...] = ()


LISTED = (
    "id", "organization_id", "name", "description", "url", "email", "status", "fees",
    "accreditations", "minimum_age", "maximum_age", "assured_date", "assurer_email", "alert",
    "last_modified",
)  # fmt: skip
"""What a list says of each service, beside its organisation: what a service has once."""
_LISTED_OF_ORGANIZATION = (
    "id", "name", "description", "email", "website", "logo", "uri", "parent_organization_id",
)  # fmt: skip


def full_service(service: OutService) -> Json:
    """All of a service."""
    out = _service(service)
    out["organization"] = organization(service.provider)
    if service.places:
        out["service_at_locations"] = [at_location(one) for one in service.places]
    return out


def listed_service(service: OutService) -> Json:
    """A service as a list has it."""
    out = _service(service)
    short = {name: out[name] for name in LISTED if name in out}
    short.update((name, value) for name, value in out.items() if name.startswith("panel_"))
    said = organization(service.provider)
    short["organization"] = {name: said[name] for name in _LISTED_OF_ORGANIZATION if name in said}
    return short


def service_within(service: OutService) -> Json:
    """A service as its own organisation lists it."""
    out = full_service(service)
    del out["organization"]
    return out


def organization(provider: OutProvider) -> Json:
    """An organisation, without its services."""
    out: Json = {"id": str(provider.id)} | provider.original
    said, now = provider_of(provider.original), provider.facts
    for name in ("name", "description", "email", "website"):
        if getattr(said, name) != getattr(now, name):
            _put(out, name, getattr(now, name))
    out.setdefault("name", now.name)
    out.setdefault("description", now.description)
    return out


def at_location(place: OutPlace) -> Json:
    """A service at a location, without the service."""
    out: Json = {"id": str(place.id)} | place.original
    said, now = place_of(place.original), place.facts
    if said == now:
        return out
    location: Json = {
        "id": str(made_id("location", str(place.id))),
        "location_type": "physical",
    } | out.get("location", {})
    if said.name != now.name:
        _put(location, "name", now.name)
    if (said.latitude, said.longitude) != (now.latitude, now.longitude):
        _put(location, "latitude", now.latitude)
        _put(location, "longitude", now.longitude)
    if (said.address, said.postcode) != (now.address, now.postcode):
        first: Json = next(iter(location.get("addresses", ())), {})
        rest = location.get("addresses", [])[1:]
        location["addresses"] = [_address(place, first), *rest]
    out["location"] = location
    return out


def _address(place: OutPlace, original: Json) -> Json:
    parts = [part.strip() for part in place.facts.address.split(",")]
    street = ", ".join(parts[:-2]) if len(parts) > 2 else parts[0]
    return {
        "id": str(made_id("address", str(place.id))),
        "country": "GB",
        "address_type": "physical",
    } | original | {
        "address_1": street,
        "city": parts[-2] if len(parts) > 2 else ", ".join(parts[1:2]),
        "state_province": parts[-1] if len(parts) > 2 else "",
        "postal_code": place.facts.postcode,
    }  # fmt: skip


def _service(service: OutService) -> Json:
    out: Json = {"id": str(service.id)} | service.original
    said, now = facts_of(service.original), service.facts
    for names, write in _WRITERS:
        if any(getattr(said, name) != getattr(now, name) for name in names):
            write(out, service)
    out.setdefault("name", now.name)
    out.setdefault("status", _STATUS_OUT[now.status])
    if not service.as_imported or "last_modified" not in out:
        out["last_modified"] = _moment(service.changed_at)
    return out


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _put(out: Json, name: str, value: object) -> None:
    """Say it, or leave it out where there is nothing to say."""
    if value is None or value == "":
        out.pop(name, None)
    else:
        out[name] = value


Write = Callable[[Json, OutService], None]


def _plain(name: str, attribute: str) -> tuple[tuple[str, ...], Write]:
    def write(out: Json, service: OutService) -> None:
        value = getattr(service.facts, attribute)
        _put(out, name, value.isoformat() if isinstance(value, date) else value)

    return (attribute,), write


def _write_status(out: Json, service: OutService) -> None:
    out["status"] = _STATUS_OUT[service.facts.status]


def term_json(taxonomy: Taxonomy, code: str) -> Json:
    """A term of one of our taxonomies."""
    return {
        "id": str(taxonomy.term_id(code)),
        "name": taxonomy.words[code],
        "description": taxonomy.words[code],
        "taxonomy": taxonomy.name,
        "taxonomy_id": str(taxonomy.id),
        "term": code,
    }


def _write_attributes(out: Json, service: OutService) -> None:
    now = service.facts
    others = [
        one
        for one in out.get("attributes", ())
        if not term_ids_of({"attributes": [one]}) & TERMS.keys()
    ]
    codes = {
        "need": now.needs_met,
        "kind": (now.kind,),
        "break": now.breaks,
        "access": now.accessibility,
    }
    ours = [
        {
            "id": str(made_id("attribute", str(service.id), one.key, code)),
            "link_type": one.key,
            "taxonomy_term": term_json(one, code),
        }
        for one in TAXONOMIES
        for code in codes[one.key]
    ]
    out["attributes"] = others + ours


def _write_languages(out: Json, service: OutService) -> None:
    others = [one for one in out.get("languages", ()) if one.get("code") not in LANGUAGES]
    out["languages"] = others + [
        {
            "id": str(made_id("language", str(service.id), code)),
            "code": code,
            "name": LANGUAGES[code],
        }
        for code in service.facts.languages
    ]


def _write_cost(out: Json, service: OutService) -> None:
    now = service.facts
    out.pop("fees", None)
    if not now.cost and not now.free:
        out.pop("cost_options", None)
        return
    option: Json = {"id": str(made_id("cost", str(service.id)))}
    _put(option, "option", now.cost)
    if now.free:
        option["amount"] = 0
    out["cost_options"] = [option]


def _write_areas(out: Json, service: OutService) -> None:
    out["service_areas"] = [_area(service.id, one) for one in service.facts.areas]
    if not service.facts.areas:
        del out["service_areas"]


def _area(service_id: UUID, area: AreaFacts) -> Json:
    out: Json = {
        "id": str(made_id("area", str(service_id), area.code or area.name)),
        "name": area.name,
        "service_area": area.name,
    }
    _put(out, "panel_area_code", area.code)
    return out


_WRITERS: tuple[tuple[tuple[str, ...], Write], ...] = (
    _plain("name", "name"),
    _plain("description", "description"),
    _plain("url", "url"),
    _plain("email", "email"),
    (("status",), _write_status),
    _plain("minimum_age", "min_age"),
    _plain("maximum_age", "max_age"),
    (("needs_met", "kind", "breaks", "accessibility"), _write_attributes),
    (("languages",), _write_languages),
    (("cost", "free"), _write_cost),
    (("areas",), _write_areas),
    _plain("panel_phone", "phone"),
    _plain("panel_referral_route", "referral_route"),
    _plain("panel_capacity", "capacity"),
    _plain("panel_places_free", "places_free"),
    _plain("panel_places_as_of", "places_as_of"),
    _plain("panel_closed_until", "closed_until"),
    _plain("panel_unit", "unit"),
)
NEVER_SENT = frozenset({"unit_cost", "statutory", "published", "places"})
"""What no file says and none is told: money, what is for us alone; places are written apart."""
SENT = tuple(one.name for one in fields(ServiceFacts) if one.name not in NEVER_SENT)
"""The fields that a file may change."""
