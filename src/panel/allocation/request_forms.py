"""What may come in about requests. A draft may leave anything empty: sending says what lacks."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, get_args
from uuid import UUID

import msgspec

from consent import Category
from panel.allocation.outside_rules import OutsideWords
from panel.allocation.request_service import RequestWords
from panel.allocation.rules import TEXT_WORDS, Urgency
from panel.web.forms import amount, chosen, line, on_day, paragraphs

LONGEST = 5_000
Basis = Literal["s17", "csdpa2", "s20", "ehcp", "continuing_care", "local_offer"]
Need = Literal[
    "spld", "mld", "sld", "pmld", "semh", "slcn", "hi", "vi", "msi", "pd", "asd", "ds", "oth"
]
UnitWord = Literal["hour", "session", "night", "week"]
Kept = Literal["health", "development", "education", "social_care", "family", "safeguarding"]
Placed = Literal["residential_school", "carer", "childrens_home", "other"]
FootingWord = Literal["looked_after", "accommodated", "shorter"]
CATEGORIES = get_args(Kept)
MOST_UNITS = 100_000


def _text(name: str) -> msgspec.Meta:
    """One of the texts: a draft may leave it empty."""
    return paragraphs(TEXT_WORDS[name], at_most=LONGEST)


class RequestForm(msgspec.Struct, forbid_unknown_fields=True):
    """A draft as it stands."""

    version: int
    legal_basis: Annotated[Basis | None, chosen("Legal basis")] = None
    category: Annotated[Kept, chosen("What is it about?")] = "social_care"
    need_code: Annotated[Need | None, chosen("Main type of need")] = None
    need: Annotated[str, _text("need")] = ""
    outcome: Annotated[str, _text("outcome")] = ""
    tried: Annotated[str, _text("tried")] = ""
    asked_for: Annotated[str, _text("asked_for")] = ""
    service_id: Annotated[UUID | None, chosen("Service")] = None
    asked_units: Annotated[
        Decimal | None, amount("How much is asked for", at_least=0, at_most=MOST_UNITS)
    ] = None
    unit: Annotated[UnitWord | None, chosen("Counted in")] = None
    urgency: Annotated[Literal["routine", "soon", "urgent"], chosen("How soon?")] = "routine"
    urgency_why: Annotated[str, _text("urgency_why")] = ""
    family_wishes: Annotated[str, _text("family_wishes")] = ""
    outside: Annotated[Literal["yes", "no"], chosen("Out of the area?")] = "no"
    placement_kind: Annotated[Placed | None, chosen("What kind of placement")] = None
    placement_footing: Annotated[FootingWord | None, chosen("How the child would live there")] = (
        None
    )
    placement_area: Annotated[str, line("In which authority’s area", at_most=200)] = ""
    placement_provider: Annotated[str, line("Who provides it", at_most=200)] = ""
    placement_from: Annotated[date | None, on_day("From")] = None
    placement_until: Annotated[date | None, on_day("Until")] = None

    @property
    def placement(self) -> OutsideWords | None:
        """The placement outside the area, where the request asks for one."""
        if self.outside == "no":
            return None
        return OutsideWords(
            self.placement_kind,
            self.placement_footing,
            self.placement_area,
            self.placement_provider,
            self.placement_from,
            self.placement_until,
        )

    @property
    def words(self) -> RequestWords:
        """As the service takes it."""
        return RequestWords(
            self.legal_basis,
            Category(self.category),
            self.need,
            self.need_code,
            self.outcome,
            self.tried,
            self.asked_for,
            self.service_id,
            self.asked_units,
            self.unit,
            Urgency(self.urgency),
            self.urgency_why,
            self.family_wishes,
        )


class NewForm(msgspec.Struct, forbid_unknown_fields=True):
    """A new draft, perhaps for a service that was found."""

    service_id: Annotated[UUID | None, chosen("Service")] = None


class ServiceForm(msgspec.Struct, forbid_unknown_fields=True):
    """Which service a draft asks for."""

    version: int
    service_id: Annotated[UUID, chosen("Service", missing="Choose a service from the list")]


class SendForm(msgspec.Struct, forbid_unknown_fields=True):
    """To which panel a request goes."""

    version: int
    panel: Annotated[UUID, chosen("Panel", missing="Select the panel")]


class WhyForm(msgspec.Struct, forbid_unknown_fields=True):
    """A step that is said in one line: withdrawn, closed."""

    version: int
    why: Annotated[str, line("Why", at_most=500, missing="Say why")]
