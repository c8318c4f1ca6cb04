"""What may come in about who leads: a handover's terms, cover, the family's wish, the budget."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from panel.plans.caseload import MOST_PLANS
from panel.plans.forms import Offer
from panel.web.forms import amount, chosen, line, on_day, paragraphs


class OfferOnTerms(Offer, kw_only=True, forbid_unknown_fields=True):
    """To whom the part of lead professional is offered, and how it is handed over."""

    note: Annotated[str, paragraphs("What they should know", at_most=5_000)] = ""
    joint_until: Annotated[date | None, on_day("Last day together")] = None
    family: Annotated[
        Literal["said", "asked", "could_not_ask"] | None, chosen("What the family says")
    ] = None
    family_words: Annotated[str, paragraphs("What the family says", at_most=2_000)] = ""
    over_limit: Annotated[str, paragraphs("Why", at_most=1_000)] = ""


class CoverAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Who is asked to cover, from when until when."""

    worker_id: Annotated[UUID, chosen("Who", missing="Choose whom to ask")]
    from_on: Annotated[date, on_day("First day", missing="Enter the first day")]
    until_on: Annotated[date, on_day("Last day", missing="Enter the last day")]


class CoverEnded(msgspec.Struct, forbid_unknown_fields=True):
    """That a cover ends today, and why."""

    version: int
    reason: Annotated[str, line("Reason", at_most=500)] = ""


class CoverDeclined(msgspec.Struct, forbid_unknown_fields=True):
    """Why somebody cannot cover."""

    reason: Annotated[
        str, paragraphs("Reason", at_most=1_000, missing="Enter why you cannot cover")
    ]


class FamilyWish(msgspec.Struct, forbid_unknown_fields=True):
    """Whom the family would like, in their words."""

    said_on: Annotated[date, on_day("Date", missing="Enter the day on which they said it")]
    said_by: Annotated[str, line("Who said it", at_most=100, missing="Enter who said it")]
    words: Annotated[
        str, paragraphs("What they said", at_most=2_000, missing="Enter what they said")
    ]
    wished_id: Annotated[UUID | None, chosen("Whom they named")] = None


class GivenBack(msgspec.Struct, forbid_unknown_fields=True):
    """Why somebody cannot hold the plan any more."""

    reason: Annotated[
        str,
        paragraphs("Reason", at_most=1_000, missing="Enter why you cannot hold it any more"),
    ]


class BudgetGiven(msgspec.Struct, forbid_unknown_fields=True):
    """From when until when the lead professional holds the budget."""

    version: int
    from_on: Annotated[date, on_day("First day", missing="Enter the first day")]
    until_on: Annotated[date | None, on_day("Last day")] = None


class BudgetEnded(msgspec.Struct, forbid_unknown_fields=True):
    """That the lead professional gives the budget back."""

    version: int


class CaseloadLimit(msgspec.Struct, forbid_unknown_fields=True):
    """How many plans one worker of the agency holds at most, from when, and where it says so."""

    limit: Annotated[
        int,
        amount("Limit", at_least=1, at_most=MOST_PLANS, missing="Enter how many plans"),
    ]
    from_on: Annotated[date, on_day("First day", missing="Enter the first day")]
    source: Annotated[
        str, line("Where it says so", at_most=200, missing="Enter where this comes from")
    ]
