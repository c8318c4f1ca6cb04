"""What of all there is fits a child, ranked, each with why; and what would fit but for one thing.

Pure: no database, no clock. `service.match` lets the database cut the candidates and gives them
here; both rank alike (tests/directory/test_matching_on_database.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from math import cos, hypot, radians
from uuid import UUID

from panel.directory.rules import OLD_AFTER, is_open
from panel.directory.vocabulary import ACCESS, EVERYWHERE, LANGUAGES, NEEDS, Status
from panel.web.words import in_a_row, lower_first, plural, short_day

KM_A_DEGREE = 111.195
OLDEST = 200
"""Years: where no oldest age is said, nobody is too old."""


class Reason(StrEnum):
    """Why a service does not fit; in the order in which it may change soonest."""

    CAPACITY = "capacity"
    CLOSED = "closed"
    DISTANCE = "distance"
    AREA = "area"
    LANGUAGE = "language"
    ACCESS = "access"
    AGE = "age"
    NEED = "need"


_RANK = {reason: place for place, reason in enumerate(Reason, start=1)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; what is not said is not asked of a service. It names nobody."""

    age: int | None = None
    needs: tuple[str, ...] = ()
    """A service that meets one of them fits; one that meets more comes first."""
    ward: str | None = None
    languages: tuple[str, ...] = ()
    access: tuple[str, ...] = ()
    near: tuple[float, float] | None = None
    """Latitude and longitude."""
    within_km: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What matching looks at of a service."""

    id: UUID
    name: str
    provider: str = ""
    needs: tuple[str, ...] = ()
    min_age: int | None = None
    max_age: int | None = None
    status: Status = Status.ACTIVE
    closed_until: date | None = None
    areas: tuple[str, ...] = (EVERYWHERE,)
    languages: tuple[str, ...] = ()
    access: tuple[str, ...] = ()
    places_free: int | None = None
    places_as_of: date | None = None
    points: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """A service with why it fits, and the one thing for which it does not, if any."""

    service: Candidate
    why: tuple[str, ...]
    obstacle: Reason | None
    why_not: str
    km: float | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many; `more` where they were not counted to the end."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        return f"more than {self.number:,}" if self.more else f"{self.number:,}"


@dataclass(frozen=True, slots=True)
class Matches:
    """The best, and how many there are: that fit, and that would but for one thing."""

    found: tuple[Match, ...]
    fitting: Count
    but_for: Mapping[Reason, Count] = field(default_factory=dict)


def match(wanted: Wanted, services: Iterable[Candidate], today: date, limit: int = 20) -> Matches:
    """The best for what is wanted. Services that fail in two things or more are left out."""
    ranked = []
    counts = dict.fromkeys(Reason, 0)
    fitting = 0
    for service in services:
        if service.status is Status.ENDED:
            continue
        km = _km(wanted, service)
        failed = obstacles(wanted, service, km, today)
        if len(failed) > 1:
            continue
        obstacle = next(iter(failed), None)
        if obstacle is None:
            fitting += 1
        else:
            counts[obstacle] += 1
        ranked.append((_key(wanted, service, km, obstacle), service, km, obstacle))
    ranked.sort(key=lambda one: one[0])
    best = [told(wanted, one, km, failed, today) for _, one, km, failed in ranked[:limit]]
    return Matches(
        tuple(best),
        Count(fitting),
        {reason: Count(number) for reason, number in counts.items() if number},
    )


def obstacles(
    wanted: Wanted, service: Candidate, km: float | None, today: date
) -> Sequence[Reason]:
    """Everything for which a service does not fit."""
    youngest = 0 if service.min_age is None else service.min_age
    oldest = OLDEST if service.max_age is None else service.max_age
    wards = {wanted.ward, EVERYWHERE}
    fails = {
        Reason.CAPACITY: service.places_free == 0,
        Reason.CLOSED: not is_open(service.status, service.closed_until, today),
        Reason.DISTANCE: wanted.within_km is not None
        and wanted.near is not None
        and (km is None or km > wanted.within_km),
        Reason.AREA: wanted.ward is not None and not wards & set(service.areas),
        Reason.LANGUAGE: not set(wanted.languages) <= set(service.languages),
        Reason.ACCESS: not set(wanted.access) <= set(service.access),
        Reason.AGE: wanted.age is not None and not youngest <= wanted.age <= oldest,
        Reason.NEED: bool(wanted.needs and service.needs)
        and not set(wanted.needs) & set(service.needs),
    }
    return [reason for reason, fail in fails.items() if fail]


def _key(
    wanted: Wanted, service: Candidate, km: float | None, obstacle: Reason | None
) -> tuple[int, int, int, float, str, UUID]:
    return (
        0 if obstacle is None else _RANK[obstacle],
        -len(set(wanted.needs) & set(service.needs)),
        0 if service.places_free else 1,
        OLDEST * KM_A_DEGREE if km is None else km,
        service.name,
        service.id,
    )


def _km(wanted: Wanted, service: Candidate) -> float | None:
    if wanted.near is None:
        return None
    return min((km_between(wanted.near, one) for one in service.points), default=None)


def km_between(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Kilometres as the crow flies, good to a per cent within a county."""
    north = there[0] - here[0]
    east = (there[1] - here[1]) * cos(radians(here[0]))
    return KM_A_DEGREE * hypot(north, east)


# In words ------------------------------------------------------------------------------------


def told(
    wanted: Wanted, service: Candidate, km: float | None, obstacle: Reason | None, today: date
) -> Match:
    """A service with the sentences that say why and why not."""
    why = [words for words in _reasons_for(wanted, service, km, obstacle, today) if words]
    not_words = "" if obstacle is None else why_not(obstacle, wanted, service, km)
    return Match(service, tuple(why), obstacle, not_words, km)


def _reasons_for(
    wanted: Wanted, service: Candidate, km: float | None, obstacle: Reason | None, today: date
) -> Iterable[str]:
    met = [NEEDS[one] for one in wanted.needs if one in service.needs and one in NEEDS]
    if met:
        yield f"For {in_a_row([lower_first(one) for one in met])}"
    elif wanted.needs and not service.needs:
        yield "For any need"
    if wanted.age is not None and obstacle is not Reason.AGE:
        yield f"Takes {ages_words(service.min_age, service.max_age)}"
    if wanted.ward is not None and obstacle is not Reason.AREA:
        yield "Serves everywhere" if EVERYWHERE in service.areas else "Serves this ward"
    if km is not None and obstacle is not Reason.DISTANCE:
        yield f"{km:.1f} km away"
    if wanted.languages and obstacle is not Reason.LANGUAGE:
        yield f"Speaks {in_a_row([LANGUAGES.get(one, one) for one in wanted.languages])}"
    if wanted.access and obstacle is not Reason.ACCESS:
        yield in_a_row([ACCESS.get(one, one) for one in wanted.access])
    if obstacle is not Reason.CAPACITY:
        yield places_words(service.places_free, service.places_as_of, today)


def why_not(obstacle: Reason, wanted: Wanted, service: Candidate, km: float | None = None) -> str:
    """The one thing for which a service does not fit, as a sentence."""
    said, until = service.places_as_of, service.closed_until
    far = "Where it is, is not known" if km is None else f"{km:.1f} km away"
    spoken = _missing(wanted.languages, service.languages, LANGUAGES)
    access = [lower_first(one) for one in _missing(wanted.access, service.access, ACCESS)]
    needs = [lower_first(NEEDS.get(one, one)) for one in service.needs]
    sentences = {
        Reason.CAPACITY: f"Full (said {short_day(said)})" if said else "Full",
        Reason.CLOSED: f"Closed until {short_day(until)}" if until else "Closed for now",
        Reason.DISTANCE: f"{far}: further than {wanted.within_km or 0:g} km",
        Reason.AREA: "Serves other wards",
        Reason.LANGUAGE: f"Does not say that it speaks {in_a_row(spoken)}",
        Reason.ACCESS: f"Does not say that it has: {in_a_row(access)}",
        Reason.AGE: f"Takes {ages_words(service.min_age, service.max_age)}",
        Reason.NEED: f"For {in_a_row(needs)}",
    }
    return sentences[obstacle]


def _missing(wanted: Sequence[str], there: Sequence[str], words: Mapping[str, str]) -> list[str]:
    return [words.get(one, one) for one in wanted if one not in there]


def ages_words(youngest: int | None, oldest: int | None) -> str:
    """Whom it takes: "ages 5 to 11"."""
    if youngest is None and oldest is None:
        return "any age"
    if oldest is None:
        return f"ages {youngest} and over"
    if youngest is None or youngest == 0:
        return f"ages up to {oldest}"
    return f"age {youngest}" if youngest == oldest else f"ages {youngest} to {oldest}"


def places_words(places_free: int | None, as_of: date | None, today: date) -> str:
    """How many places are free and when that was said."""
    if places_free is None:
        return "Does not say whether a place is free: ask"
    free = plural(places_free, "place free", "places free") if places_free else "No place free"
    if as_of is None:
        return f"{free} (nobody wrote down when this was said)"
    old = ", which is long ago: ask" if today - as_of > OLD_AFTER else ""
    return f"{free} (said {short_day(as_of)}{old})"
