"""What may come in on the directory's pages."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from panel.directory.facts import AreaFacts, PlaceFacts, ProviderFacts, ServiceFacts
from panel.directory.service import SaidPlaces
from panel.directory.shapes import is_email, is_web_address
from panel.directory.statement import NewStatement
from panel.directory.vocabulary import ACCESS, BREAKS, KINDS, LANGUAGES, NEEDS, Route, Status
from panel.platform.problems import FieldError, Invalid
from panel.web.forms import amount, chosen, line, on_day, paragraphs

ProviderKind = Literal["council", "health", "education", "voluntary", "private", "other"]
UnitName = Literal["hour", "session", "night", "week"]
RouteName = Literal["self", "worker", "panel"]


class ProviderForm(msgspec.Struct, forbid_unknown_fields=True):
    """A provider. `version` is that which was read; 0 for a new one."""

    name: Annotated[str, line("Name", at_most=300, missing="Enter the provider’s name")]
    kind: Annotated[ProviderKind, chosen("Kind", missing="Select what kind of provider it is")]
    version: int = 0
    description: Annotated[str, paragraphs("What they do", at_most=5_000)] = ""
    email: Annotated[str, line("E-mail", at_most=254)] = ""
    phone: Annotated[str, line("Telephone", at_most=50)] = ""
    website: Annotated[str, line("Website", at_most=500)] = ""

    def facts(self) -> ProviderFacts:
        """Who it is. Raises Invalid."""
        _check_addresses(self.email, ("website", self.website))
        return ProviderFacts(
            self.name, self.description, self.kind, self.email, self.phone, self.website
        )


class ServiceForm(msgspec.Struct, forbid_unknown_fields=True):
    """A service. `version` is that which was read; 0 for a new one."""

    name: Annotated[str, line("Name", at_most=300, missing="Enter the service’s name")]
    description: Annotated[str, paragraphs("What it is", at_most=5_000, missing="Enter what it is")]
    kind: Annotated[str, line("Kind", missing="Select what kind of service it is")]
    referral_route: Annotated[RouteName, chosen("How families come to it")]
    version: int = 0
    needs_met: Annotated[list[str], chosen("Needs")] = []
    breaks: Annotated[list[str], chosen("Short breaks")] = []
    min_age: Annotated[int | None, amount("Youngest age", at_least=0, at_most=120)] = None
    max_age: Annotated[int | None, amount("Oldest age", at_least=0, at_most=120)] = None
    wards: Annotated[list[str], chosen("Wards")] = []
    accessibility: Annotated[list[str], chosen("Accessibility")] = []
    languages: Annotated[list[str], chosen("Languages")] = []
    capacity: Annotated[int | None, amount("Places", at_least=0, at_most=100_000)] = None
    places_free: Annotated[int | None, amount("Places free", at_least=0, at_most=100_000)] = None
    cost: Annotated[str, line("Cost to families", at_most=500)] = ""
    free: Annotated[bool, chosen("Free")] = False
    unit_cost: Annotated[
        Decimal | None, amount("Cost to the authority", at_least=0, at_most=1_000_000)
    ] = None
    unit: Annotated[UnitName | None, chosen("What the cost is for")] = None
    email: Annotated[str, line("E-mail", at_most=254)] = ""
    phone: Annotated[str, line("Telephone", at_most=50)] = ""
    url: Annotated[str, line("Web page", at_most=500)] = ""
    place_name: Annotated[str, line("Name of the place", at_most=300)] = ""
    address: Annotated[str, line("Address", at_most=500)] = ""
    postcode: Annotated[str, line("Postcode", at_most=20)] = ""
    latitude: Annotated[Decimal | None, amount("Latitude", at_least=-90, at_most=90)] = None
    longitude: Annotated[Decimal | None, amount("Longitude", at_least=-180, at_most=180)] = None
    statutory: Annotated[bool, chosen("Statutory")] = False
    published: Annotated[bool, chosen("Published")] = False

    def facts(self, wards: dict[str, str], before: ServiceFacts | None = None) -> ServiceFacts:
        """What it is; what the page does not ask stays as it was. Raises Invalid."""
        _check_addresses(self.email, ("url", self.url))
        for name, known in (
            ("needs_met", NEEDS),
            ("breaks", BREAKS),
            ("accessibility", ACCESS),
            ("languages", LANGUAGES),
            ("wards", wards),
        ):
            if not set(getattr(self, name)) <= known.keys():
                raise Invalid.because(name, "Select from the list")
        if self.kind not in KINDS:
            raise Invalid.because("kind", "Select what kind of service it is")
        if (self.latitude is None) != (self.longitude is None):
            raise Invalid.because("longitude", "Enter both latitude and longitude, or neither")
        said = before or ServiceFacts(name=self.name)
        return ServiceFacts(
            name=self.name,
            description=self.description,
            kind=self.kind,
            status=Status(said.status),
            closed_until=said.closed_until,
            url=self.url,
            email=self.email,
            phone=self.phone,
            min_age=self.min_age,
            max_age=self.max_age,
            needs_met=tuple(one for one in NEEDS if one in self.needs_met),
            accessibility=tuple(one for one in ACCESS if one in self.accessibility),
            languages=tuple(one for one in LANGUAGES if one in self.languages),
            breaks=tuple(one for one in BREAKS if one in self.breaks),
            cost=self.cost,
            free=self.free,
            referral_route=Route(self.referral_route),
            capacity=self.capacity,
            places_free=self.places_free,
            unit=self.unit,
            unit_cost=self.unit_cost,
            statutory=self.statutory,
            published=self.published,
            places=self._places(said),
            areas=self._areas(said, wards),
        )

    def _places(self, said: ServiceFacts) -> tuple[PlaceFacts, ...]:
        point = (
            (float(self.latitude), float(self.longitude))
            if self.latitude is not None and self.longitude is not None
            else (None, None)
        )
        first = PlaceFacts(self.place_name, self.address, self.postcode, *point)
        others = said.places[1:]
        return (first, *others) if first != PlaceFacts() or others else ()

    def _areas(self, said: ServiceFacts, wards: dict[str, str]) -> tuple[AreaFacts, ...]:
        # An area that is no ward here came from elsewhere: no box shows it, so none unticks it.
        other = [one for one in said.areas if one.code not in wards]
        return (*(AreaFacts(wards[one], one) for one in wards if one in self.wards), *other)


class CloseForm(msgspec.Struct, forbid_unknown_fields=True):
    """A service is closed for now."""

    version: int
    closed_until: Annotated[date | None, on_day("The last day it is closed")] = None


class StandForm(msgspec.Struct, forbid_unknown_fields=True):
    """A service opens again or ends, or a link is sent: what was read of it."""

    version: int


class SayForm(msgspec.Struct, forbid_unknown_fields=True):
    """What a provider says of its own service."""

    version: int
    places_free: Annotated[int | None, amount("Places free", at_least=0, at_most=100_000)] = None
    closed: Annotated[bool, chosen("Closed for now")] = False
    closed_until: Annotated[date | None, on_day("The last day it is closed")] = None
    confirmed: Annotated[Literal["yes"] | None, chosen("Confirmed")] = None

    def said(self) -> SaidPlaces:
        """What is said."""
        return SaidPlaces(self.places_free, self.closed, self.closed_until)


class StatementForm(msgspec.Struct, forbid_unknown_fields=True):
    """What the authority says about its short breaks. `version` 0 before the first."""

    version: int
    eligibility: Annotated[
        str,
        paragraphs("Who can have them", at_most=10_000, missing="Enter who can have short breaks"),
    ]
    how_it_meets_needs: Annotated[
        str,
        paragraphs(
            "How they meet carers’ needs",
            at_most=10_000,
            missing="Enter how the short breaks meet the needs of carers",
        ),
    ]
    reviewed_on: Annotated[
        date, on_day("The last review", missing="Enter the day of the last review")
    ]
    review_by: Annotated[
        date, on_day("The next review", missing="Enter the day of the next review")
    ]
    carers_views: Annotated[str, paragraphs("What carers said", at_most=10_000)] = ""

    def new(self) -> NewStatement:
        """The statement."""
        return NewStatement(
            self.eligibility,
            self.how_it_meets_needs,
            self.carers_views,
            self.reviewed_on,
            self.review_by,
        )


def _check_addresses(email: str, page: tuple[str, str]) -> None:
    wrong = []
    if email and not is_email(email):
        wrong.append(FieldError("email", "Enter an e-mail address, like name@example.com"))
    if page[1] and not is_web_address(page[1]):
        wrong.append(FieldError(page[0], "Enter a web address that begins with https://"))
    if wrong:
        raise Invalid(tuple(wrong))
