"""What may come in about who agreed, and about what to do when something goes wrong."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from panel.plans.contingency import SECTIONS
from panel.web.forms import chosen, on_day, paragraphs

Says = Literal["yes", "no", "cannot_answer"]


class OwnAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody says of a version themselves."""

    agrees: Annotated[Says, chosen("Do you agree", missing="Choose an answer")]
    words: Annotated[str, paragraphs("In your own words", at_most=2_000)] = ""


class WrittenAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """What one of the family said of a version, written down by a worker."""

    who: Annotated[UUID, chosen("Who", missing="Choose who said it")]
    agrees: Annotated[Says, chosen("Do they agree", missing="Choose what they said")]
    words: Annotated[str, paragraphs("In their own words", at_most=2_000)] = ""


def _section(name: str) -> object:
    return paragraphs(SECTIONS[name], at_most=2_000)


class ContingencyForm(msgspec.Struct, forbid_unknown_fields=True):
    """The page for when something goes wrong."""

    version: int
    checked_on: Annotated[
        date, on_day("Date", missing="Enter the day on which you went through it together")
    ]
    must_know: Annotated[str, _section("must_know")] = ""
    carer_ill: Annotated[str, _section("carer_ill")] = ""
    child_ill: Annotated[str, _section("child_ill")] = ""
    equipment: Annotated[str, _section("equipment")] = ""
    school_closed: Annotated[str, _section("school_closed")] = ""
    worse: Annotated[str, _section("worse")] = ""
    who_to_ring: Annotated[str, _section("who_to_ring")] = ""

    @property
    def sections(self) -> dict[str, str]:
        """What each section says."""
        return {name: getattr(self, name) for name in SECTIONS}
