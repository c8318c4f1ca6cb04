"""What may come in about decisions, criteria, appeals and offers of a place."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from panel.allocation.request_forms import LONGEST, MOST_UNITS
from panel.allocation.rules import Grounds, Kind, NoneBecause, Proposed, Unmet
from panel.web.forms import amount, chosen, line, on_day, paragraphs

Ground = Literal[
    "no_such_service",
    "no_capacity",
    "not_eligible",
    "no_money",
    "too_far",
    "wrong_time",
    "not_suitable",
    "family_declined",
    "other",
]


class DecisionForm(msgspec.Struct, forbid_unknown_fields=True):
    """A decision about one request."""

    version: int
    kind: Annotated[
        Literal["agreed", "agreed_in_part", "deferred", "declined"],
        chosen("Decision", missing="Select what the panel decided"),
    ]
    criterion: Annotated[UUID, chosen("Criterion", missing="Select the criterion")]
    review_on: Annotated[date, on_day("Review by", missing="Enter by when it is reviewed")]
    reasons: Annotated[str, paragraphs("Reasons for the panel", at_most=LONGEST)] = ""
    reasons_for_family: Annotated[str, paragraphs("Reasons for the family", at_most=LONGEST)] = ""
    conditions: Annotated[str, paragraphs("Conditions", at_most=LONGEST)] = ""
    agreed_units: Annotated[
        Decimal | None, amount("How much is agreed", at_least=0, at_most=MOST_UNITS)
    ] = None
    because: Annotated[Ground | None, chosen("Why less")] = None
    unmet: Annotated[Literal["yes", "no"] | None, chosen("Is a need unmet?")] = None
    unmet_reason: Annotated[Ground | None, chosen("Why it is unmet")] = None
    unmet_words: Annotated[str, paragraphs("The family’s words", at_most=LONGEST)] = ""
    nothing_unmet: Annotated[str, paragraphs("Why no need is unmet", at_most=LONGEST)] = ""

    @property
    def decision(self) -> Proposed:
        """As the rules take it."""
        because = None if self.because is None else Grounds(self.because)
        return Proposed(
            Kind(self.kind),
            self.criterion,
            self.reasons,
            self.reasons_for_family,
            self.review_on,
            self.conditions,
            self.agreed_units,
            because,
            self._left(because),
        )

    def _left(self, because: Grounds | None) -> Unmet | NoneBecause | None:
        if self.unmet == "no":
            return NoneBecause(self.nothing_unmet)
        reason = because if self.unmet_reason is None else Grounds(self.unmet_reason)
        if self.unmet is None or reason is None:
            return None
        return Unmet(reason, self.unmet_words)


class CriteriaForm(msgspec.Struct, forbid_unknown_fields=True):
    """A version of the criteria: those about duties and those about powers stay apart."""

    name: Annotated[str, line("Name", at_most=100, missing="Enter what this version is called")]
    from_on: Annotated[date, on_day("From", missing="Enter from which day it holds")]
    duties: Annotated[str, paragraphs("Where there is a duty", at_most=20_000)] = ""
    powers: Annotated[str, paragraphs("Where there is none", at_most=20_000)] = ""


class AppealForm(msgspec.Struct, forbid_unknown_fields=True):
    """The family asks the panel to look again."""

    asked_on: Annotated[date, on_day("When they asked", missing="Enter when they asked")]
    grounds: Annotated[str, paragraphs("What the panel should look at again", at_most=LONGEST)] = ""


class AppealAnswerForm(msgspec.Struct, forbid_unknown_fields=True):
    """What became of it."""

    version: int
    outcome: Annotated[
        Literal["upheld", "not_upheld", "withdrawn"], chosen("Answer", missing="Select the answer")
    ]
    why: Annotated[str, line("Why", at_most=500, missing="Say why")]


class OfferForm(msgspec.Struct, forbid_unknown_fields=True):
    """A place is offered."""

    version: int
    answer_by: Annotated[date, on_day("Answer by", missing="Enter by when they answer")]


class LeaveForm(msgspec.Struct, forbid_unknown_fields=True):
    """The child comes off the list."""

    version: int
    left: Annotated[Literal["family", "met"], chosen("Reason", missing="Select the reason")]
    left_words: Annotated[str, paragraphs("In their words", at_most=LONGEST)] = ""


class OfferAnswerForm(msgspec.Struct, forbid_unknown_fields=True):
    """What the family says to it."""

    version: int
    answer: Annotated[
        Literal["accepted", "refused", "no_answer"],
        chosen("Answer", missing="Select what the family said"),
    ]
    why: Annotated[str, paragraphs("In their words", at_most=LONGEST)] = ""
