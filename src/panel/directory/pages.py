"""What the directory's pages say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from panel.directory.matching import (
    Candidate,
    Count,
    Match,
    Matches,
    Reason,
    Wanted,
    ages_words,
    obstacles,
    places_words,
    told,
    why_not,
)
from panel.directory.models import (
    Provider,
    ProviderLink,
    Service,
    ServiceChange,
    ServicePlace,
)
from panel.directory.rules import is_open
from panel.directory.searching import Sought
from panel.directory.service import Whole
from panel.directory.vocabulary import (
    ACCESS,
    BREAKS,
    EVERYWHERE,
    KINDS,
    LANGUAGES,
    NEEDS,
    ROUTE_WORDS,
    STATUS_WORDS,
    UNITS,
    Route,
    Status,
)
from panel.platform.clock import day_of
from panel.web.paging import Page
from panel.web.words import day_and_time, in_a_row, lower_first, plural, short_day

DIRECTORY = "/directory"
PROVIDERS = f"{DIRECTORY}/providers"
PROVIDER_KIND_WORDS = {
    "council": "Council",
    "health": "Health",
    "education": "School or college",
    "voluntary": "Voluntary or community",
    "private": "Private company",
    "other": "Another kind",
}
CHANGE_WORDS = {
    "added": "Added",
    "changed": "Changed",
    "closed": "Closed for now",
    "opened": "Opened again",
    "ended": "Ended",
    "said_places": "The provider said how many places are free",
    "imported": "Taken from a file",
}
FIELD_WORDS = {
    "name": "name",
    "description": "description",
    "kind": "kind",
    "status": "status",
    "closed_until": "last day it is closed",
    "url": "web page",
    "email": "e-mail",
    "phone": "telephone",
    "min_age": "youngest age",
    "max_age": "oldest age",
    "needs_met": "needs",
    "accessibility": "accessibility",
    "languages": "languages",
    "breaks": "kind of short break",
    "cost": "cost to families",
    "free": "free of charge",
    "referral_route": "how families come to it",
    "capacity": "places",
    "places_free": "places free",
    "places_as_of": "day on which places were said",
    "unit": "what the cost is for",
    "unit_cost": "cost to the authority",
    "statutory": "statutory",
    "published": "published",
    "places": "where it is",
    "areas": "area served",
}
BUT_FOR_WORDS = {
    Reason.CAPACITY: ("has no place free", "have no place free"),
    Reason.CLOSED: ("is closed for now", "are closed for now"),
    Reason.DISTANCE: ("is too far away", "are too far away"),
    Reason.AREA: ("serves other wards", "serve other wards"),
    Reason.LANGUAGE: (
        "does not say that it speaks the language",
        "do not say that they speak the language",
    ),
    Reason.ACCESS: (
        "does not say that it has what is needed to take part",
        "do not say that they have what is needed to take part",
    ),
    Reason.AGE: ("takes other ages", "take other ages"),
    Reason.NEED: ("is for other needs", "are for other needs"),
}
"""Of one, and of several."""
STANDING_COLOURS = {Status.ACTIVE: "green", Status.CLOSED_FOR_NOW: "yellow", Status.ENDED: "grey"}


def service_href(service_id: UUID) -> str:
    """The page of a service."""
    return f"{DIRECTORY}/services/{service_id}"


def provider_href(provider_id: UUID) -> str:
    """The page of a provider."""
    return f"{PROVIDERS}/{provider_id}"


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service as a list shows it."""

    href: str
    name: str
    provider: str
    ages: str
    needs: str
    places: str
    standing: str
    colour: str


def service_row(service: Service, provider: Provider, today: date) -> ServiceRow:
    """A service in a list."""
    standing, colour = _standing(service, today)
    return ServiceRow(
        service_href(service.id),
        service.name,
        provider.name,
        ages_words(service.min_age, service.max_age).capitalize(),
        needs_words(service.needs_met),
        places_words(service.places_free, service.places_as_of, today),
        standing,
        colour,
    )


def _standing(service: Service, today: date) -> tuple[str, str]:
    status = Status(service.status)
    if status is Status.CLOSED_FOR_NOW:
        if is_open(status, service.closed_until, today):
            status = Status.ACTIVE
        elif service.closed_until is not None:
            until = short_day(service.closed_until)
            return f"Closed until {until}", STANDING_COLOURS[status]
    return STATUS_WORDS[status], STANDING_COLOURS[status]


def needs_words(needs: Sequence[str]) -> str:
    """Which needs a service is for."""
    return ", ".join(NEEDS.get(one, one) for one in needs) or "Any need"


def areas_words(read: Whole) -> str:
    """Whom it serves by where they live."""
    names = [one.name for one in read.areas]
    if not names:
        return "Everywhere in the authority"
    if read.service.area_codes == [EVERYWHERE] and all(not one.code for one in read.areas):
        return f"{in_a_row(names)} (counted as everywhere: no ward here is called so)"
    return in_a_row(names)


def service_facts(read: Whole, today: date) -> list[tuple[str, str]]:
    """What is said of a service, line by line."""
    service = read.service
    money = "–"
    if service.unit_cost is not None and service.unit is not None:
        money = f"{pounds(service.unit_cost)} {UNITS[service.unit]}. Not published."
    rows = [
        ("What it is", service.description or "–"),
        ("Kind", KINDS[service.kind]),
        ("Ages", ages_words(service.min_age, service.max_age).capitalize()),
        ("Needs", needs_words(service.needs_met)),
        ("Short breaks", ", ".join(BREAKS[one] for one in service.breaks) or "–"),
        ("Places free", places_words(service.places_free, service.places_as_of, today)),
        ("Places there are", "–" if service.capacity is None else f"{service.capacity:,}"),
        ("Serves", areas_words(read)),
        *[("Where", place_words(one)) for one in read.places],
        ("How families come to it", ROUTE_WORDS[Route(service.referral_route)]),
        ("Cost to families", "Free" if service.free else service.cost or "Not said"),
        ("Cost to the authority", money),
        ("Accessibility", ", ".join(ACCESS.get(one, one) for one in service.accessibility) or "–"),
        ("Languages", ", ".join(LANGUAGES.get(one, one) for one in service.languages) or "–"),
        ("E-mail", service.email or "–"),
        ("Telephone", service.phone or "–"),
        ("Web page", service.url or "–"),
        ("Published", published_words(service)),
    ]
    if service.source:
        rows.append(("Came from", service.source))
    return rows


def place_words(place: ServicePlace) -> str:
    """A place in a line."""
    return ", ".join(one for one in (place.name, place.address, place.postcode) if one) or "–"


def published_words(service: Service) -> str:
    """Whether others read of it."""
    if service.statutory:
        return "No: it is a statutory service"
    return "Yes, as open data" if service.published else "No"


def pounds(amount: Decimal) -> str:
    """An amount of money."""
    return f"£{amount:,.2f}"


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One change of a service."""

    when: str
    who: str
    what: str
    details: str


def history_row(change: ServiceChange, names: Mapping[UUID, str], provider: str) -> HistoryRow:
    """One change, by whom and of what."""
    if change.by_kind == "file":
        who = str(change.after.get("file", ""))
        fields: list[str] = change.after.get("fields", [])
        details = ", ".join(FIELD_WORDS.get(one, one) for one in fields)
    else:
        who = provider if change.by_kind == "provider" else names.get(change.by_id, "Panel")
        details = "; ".join(
            f"{FIELD_WORDS.get(one, one)}: {_said(change.before.get(one))} → {_said(value)}"
            for one, value in change.after.items()
            if one in change.before
        )
    return HistoryRow(day_and_time(change.at), who, CHANGE_WORDS[change.what], details)


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_said(one) for one in value) or "–"
    if isinstance(value, dict):
        return " ".join(str(one) for one in value.values() if one not in (None, ""))
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value).replace("_", " ")
    return text if len(text) <= 80 else f"{text[:79]}…"


# Filters and forms --------------------------------------------------------------------------


def form_choices(wards: Sequence[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """Everything that the form of a service offers."""
    return {
        "kinds": list(KINDS.items()),
        "needs": list(NEEDS.items()),
        "breaks": list(BREAKS.items()),
        "accesses": list(ACCESS.items()),
        "languages": list(LANGUAGES.items()),
        "units": [(code, words.capitalize()) for code, words in UNITS.items()],
        "routes": [(one.value, words) for one, words in ROUTE_WORDS.items()],
        "wards": list(wards),
    }


def stored_service(read: Whole) -> dict[str, object]:
    """What the form of a service shows first."""
    facts = read.facts
    place = facts.places[0] if facts.places else None
    return {
        "name": facts.name,
        "description": facts.description,
        "kind": facts.kind,
        "referral_route": facts.referral_route.value,
        "needs_met": facts.needs_met,
        "breaks": facts.breaks,
        "min_age": facts.min_age,
        "max_age": facts.max_age,
        "wards": [one.code for one in facts.areas if one.code],
        "accessibility": facts.accessibility,
        "languages": facts.languages,
        "capacity": facts.capacity,
        "places_free": facts.places_free,
        "cost": facts.cost,
        "free": "yes" if facts.free else "",
        "unit_cost": facts.unit_cost,
        "unit": facts.unit,
        "email": facts.email,
        "phone": facts.phone,
        "url": facts.url,
        "place_name": place.name if place else "",
        "address": place.address if place else "",
        "postcode": place.postcode if place else "",
        "latitude": place.latitude if place else None,
        "longitude": place.longitude if place else None,
        "statutory": "yes" if facts.statutory else "",
        "published": "yes" if facts.published else "",
    }


def stored_provider(provider: Provider) -> dict[str, object]:
    """What the form of a provider shows first."""
    return {
        name: getattr(provider, name)
        for name in ("name", "description", "kind", "email", "phone", "website")
    }


def list_href(sought: Sought, page: str | None) -> str | None:
    """The address of another page of the same list."""
    if not page:
        return None
    said = {
        "words": sought.words,
        "need": sought.need,
        "age": "" if sought.age is None else str(sought.age),
        "ward": sought.ward,
        "free": "yes" if sought.free_now else "",
        "ended": "yes" if sought.ended else "",
        "page": page,
    }
    return f"{DIRECTORY}?{urlencode({name: value for name, value in said.items() if value})}"


def neighbours(page: Page[Any], address: str) -> dict[str, Any]:
    """The pages beside one of a list at an address that asks nothing else, and its note."""
    return {
        "previous": page.previous and f"{address}?page={page.previous}",
        "next": page.next and f"{address}?page={page.next}",
        "note": page.note,
    }


def link_words(link: ProviderLink | None, today: date) -> str:
    """How a provider's link stands."""
    if link is None:
        return "No link was sent yet."
    ends = day_and_time(link.ends_at)
    used = "" if link.used_at is None else f" Last used on {short_day(day_of(link.used_at))}."
    if day_of(link.ends_at) < today:
        return f"The last link was good until {ends}.{used}"
    return f"A link was sent and is good until {ends}.{used or ' Not used yet.'}"


# The match ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MatchRow:
    """A service that fits, or nearly."""

    id: UUID
    href: str
    name: str
    provider: str
    why: str
    why_not: str
    takes_age: bool


@dataclass(frozen=True, slots=True)
class MatchPage:
    """What fits, what nearly does, and how many."""

    fits: Sequence[MatchRow]
    nearly: Sequence[MatchRow]
    fitting: str
    but_for: Sequence[str]


def wanted_facts(wanted: Wanted, wards: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is looked for, line by line."""
    facts = (
        ("Age", "" if wanted.age is None else plural(wanted.age, "year", "years")),
        ("Needs", listed(NEEDS[one] for one in wanted.needs)),
        ("Ward", wards.get(wanted.ward or "", "")),
        ("Language to be spoken", listed(LANGUAGES[one] for one in wanted.languages)),
        ("To take part", listed(ACCESS[one] for one in wanted.access)),
    )
    return [one for one in facts if one[1]]


def listed(words: Iterable[str]) -> str:
    """Codes in words, in a row."""
    said = list(words)
    return in_a_row([*said[:1], *(lower_first(one) for one in said[1:])]) if said else ""


def match_page(found: Matches) -> MatchPage:
    """The page of a match."""
    rows = [(one.obstacle, _match_row(one)) for one in found.found]
    return MatchPage(
        [row for obstacle, row in rows if obstacle is None],
        [row for obstacle, row in rows if obstacle is not None],
        _counted(found.fitting, "fits", "fit"),
        [
            f"{_upper(count)} would fit but {one if _is_one(count) else many}"
            for reason, (one, many) in BUT_FOR_WORDS.items()
            if (count := found.but_for.get(reason)) is not None
        ],
    )


def _counted(count: Count, one: str, many: str) -> str:
    if count.number == 0:
        return "No service fits"
    said = f"service {one}" if _is_one(count) else f"services {many}"
    return f"{_upper(count)} {said}"


def _is_one(count: Count) -> bool:
    return count.number == 1 and not count.more


def _upper(count: Count) -> str:
    said = str(count)
    return said[:1].upper() + said[1:]


def _match_row(one: Match) -> MatchRow:
    return MatchRow(
        one.service.id,
        service_href(one.service.id),
        one.service.name,
        one.service.provider,
        _sentences(one.why),
        one.why_not,
        one.obstacle is not Reason.AGE,
    )


def found_row(wanted: Wanted, service: Service, provider: Provider, today: date) -> MatchRow:
    """A service that was found by its words, with all that is not as wanted."""
    candidate = Candidate(
        service.id,
        service.name,
        provider.name,
        tuple(service.needs_met),
        service.min_age,
        service.max_age,
        Status(service.status),
        service.closed_until,
        tuple(service.area_codes),
        tuple(service.languages),
        tuple(service.accessibility),
        service.places_free,
        service.places_as_of,
    )
    failed = obstacles(wanted, candidate, None, today)
    row = _match_row(told(wanted, candidate, None, next(iter(failed), None), today))
    if not failed[1:]:
        return row
    said = _sentences([why_not(one, wanted, candidate) for one in failed])
    return replace(row, why="", why_not=said, takes_age=Reason.AGE not in failed)


def _sentences(said: Sequence[str]) -> str:
    return ". ".join(said) + "." if said else ""
