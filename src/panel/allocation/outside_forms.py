"""What may come in about placements outside the area."""

from datetime import date
from typing import Annotated, Literal

import msgspec

from panel.allocation.outside_rules import Applies, ConditionWords, Rhythm, read_conditions
from panel.allocation.outside_visits import Met, Visit
from panel.web.forms import amount, chosen, line, on_day, paragraphs

LONGEST = 5_000


class ConditionForm(msgspec.Struct, forbid_unknown_fields=True):
    """That one condition is met, or is not."""

    version: int
    met: Annotated[
        Literal["yes", "no"], chosen("Is it met?", missing="Select whether the condition is met")
    ]
    met_on: Annotated[date | None, on_day("Since when")] = None
    note: Annotated[str, paragraphs("How it is met", at_most=LONGEST)] = ""

    def said(self, today: date) -> Met:
        """As the service takes it: what is met without a day is met today."""
        return Met(None if self.met == "no" else self.met_on or today, self.note)


class VisitForm(msgspec.Struct, forbid_unknown_fields=True):
    """A visit that was made."""

    version: int
    visited_on: Annotated[date, on_day("When", missing="Enter the day of the visit")]
    visited_by: Annotated[str, line("Who visited", at_most=200)] = ""
    note: Annotated[str, paragraphs("How the child is", at_most=LONGEST)] = ""

    @property
    def said(self) -> Visit:
        """As the service takes it."""
        return Visit(self.visited_on, self.visited_by, self.note)


class EndForm(msgspec.Struct, forbid_unknown_fields=True):
    """The child is there no more."""

    version: int
    ended_on: Annotated[date, on_day("When it ended", missing="Enter when it ended")]


class TermsForm(msgspec.Struct, forbid_unknown_fields=True):
    """A version of the conditions, by for whom they hold, with what is set about time."""

    name: Annotated[str, line("Name", at_most=100, missing="Enter what this version is called")]
    from_on: Annotated[date, on_day("From", missing="Enter from which day it holds")]
    review_months: Annotated[int, amount("Months until a review", at_least=1, at_most=12)] = 6
    visit_weeks: Annotated[
        int, amount("Weeks between visits to a looked-after child", at_least=1, at_most=13)
    ] = 6
    other_visit_weeks: Annotated[
        int, amount("Weeks between visits to any other child", at_least=1, at_most=26)
    ] = 26
    everybody: Annotated[str, paragraphs("For every child", at_most=20_000)] = ""
    looked_after: Annotated[str, paragraphs("For looked-after children", at_most=20_000)] = ""
    accommodated: Annotated[
        str, paragraphs("For children whom health or education accommodates", at_most=20_000)
    ] = ""

    @property
    def rhythm(self) -> Rhythm:
        """What is set about time."""
        return Rhythm(self.review_months, self.visit_weeks, self.other_visit_weeks)

    @property
    def conditions(self) -> list[ConditionWords]:
        """All of them."""
        return [
            *read_conditions(self.everybody, Applies.EVERYBODY),
            *read_conditions(self.looked_after, Applies.LOOKED_AFTER),
            *read_conditions(self.accommodated, Applies.ACCOMMODATED),
        ]
