"""What may come in about requests. A draft may leave anything empty: sending says what lacks."""

from decimal import Decimal
from typing import Annotated, Literal, get_args
from uuid import UUID

import msgspec

from consent import Category
from panel.allocation.request_service import RequestWords
from panel.allocation.rules import TEXT_WORDS, Urgency
from panel.web.forms import amount, chosen, line, paragraphs

LONGEST = 5_000
Basis = Literal["s17", "csdpa2", "s20", "ehcp", "continuing_care", "local_offer"]
Need = Literal[
    "spld", "mld", "sld", "pmld", "semh", "slcn", "hi", "vi", "msi", "pd", "asd", "ds", "oth"
]
UnitWord = Literal["hour", "session", "night", "week"]
Kept = Literal["health", "development", "education", "social_care", "family", "safeguarding"]
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
