"""What is said of a service, apart from how it is kept: forms, files and tables all become this."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from panel.directory.vocabulary import Route, Status


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """Where a service is."""

    name: str = ""
    address: str = ""
    postcode: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class AreaFacts:
    """Whom it serves by where they live; `code` is a ward's, where it is known."""

    name: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """All of it. Ages are whole years, both included; None is not said."""

    name: str
    description: str = ""
    kind: str = "other"
    status: Status = Status.ACTIVE
    closed_until: date | None = None
    url: str = ""
    email: str = ""
    phone: str = ""
    min_age: int | None = None
    max_age: int | None = None
    needs_met: tuple[str, ...] = ()
    """Codes; none is for any need."""
    accessibility: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    cost: str = ""
    free: bool = False
    referral_route: Route = Route.SELF
    capacity: int | None = None
    places_free: int | None = None
    places_as_of: date | None = None
    """The day on which the free places were said."""
    unit: str | None = None
    unit_cost: Decimal | None = None
    """What the authority pays, in pounds: never published."""
    statutory: bool = False
    published: bool = True
    places: tuple[PlaceFacts, ...] = ()
    areas: tuple[AreaFacts, ...] = ()
    """None is not said, and counts as the whole authority."""


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """Who provides it."""

    name: str
    description: str = ""
    kind: str = "voluntary"
    email: str = ""
    phone: str = ""
    website: str = ""
