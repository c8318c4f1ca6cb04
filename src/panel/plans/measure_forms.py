"""What may come in about measures, readings, needs and services."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from panel.plans.measure_rules import MOST_NUMBER, SCALE_HIGHEST, SCALE_LOWEST, Smart
from panel.web.forms import amount, chosen, line, on_day, paragraphs

Judge = Literal["child", "parent", "worker"]


class Measure(msgspec.Struct, forbid_unknown_fields=True):
    """The SMART parts of an outcome."""

    version: int
    baseline_words: Annotated[str, paragraphs("Where things stand now", at_most=2_000)] = ""
    target_words: Annotated[str, paragraphs("What we aim for", at_most=2_000)] = ""
    unit: Annotated[str, line("What is counted", at_most=60)] = ""
    baseline_number: Annotated[
        Decimal | None, amount("The number now", at_least=0, at_most=MOST_NUMBER)
    ] = None
    target_number: Annotated[
        Decimal | None, amount("The number to reach", at_least=0, at_most=MOST_NUMBER)
    ] = None
    by_on: Annotated[date | None, on_day("By when")] = None
    judged_by: Annotated[Judge | None, chosen("Who judges")] = None
    scaling_question: Annotated[str, line("Question on a scale", at_most=200)] = ""

    @property
    def smart(self) -> Smart:
        """The parts."""
        return Smart(
            self.baseline_words,
            self.baseline_number,
            self.target_words,
            self.target_number,
            self.unit,
            self.by_on,
            self.judged_by,
            self.scaling_question,
        )


class ReadingForm(msgspec.Struct, forbid_unknown_fields=True):
    """A number on a day."""

    kind: Annotated[Literal["number", "scaling"], chosen("What it is")]
    on: Annotated[date, on_day("Date")]
    value: Annotated[
        Decimal,
        amount("Number", at_least=0, at_most=MOST_NUMBER, missing="Enter the number"),
    ]
    said_by: Annotated[Judge, chosen("Who says so", missing="Choose who says so")]
    note: Annotated[str, paragraphs("What was seen", at_most=2_000)] = ""


class Needs(msgspec.Struct, forbid_unknown_fields=True):
    """The needs that an outcome rests on."""

    needs: Annotated[list[str], chosen("Needs")] = []


class ServiceOfAction(msgspec.Struct, forbid_unknown_fields=True):
    """The service by which an action is done; none where it is taken away."""

    version: int
    service_id: Annotated[UUID | None, chosen("Service")] = None


class OwnScaling(msgspec.Struct, forbid_unknown_fields=True):
    """One of the family answers a question on its scale."""

    value: Annotated[
        int,
        amount(
            "Number",
            at_least=SCALE_LOWEST,
            at_most=SCALE_HIGHEST,
            missing="Choose a number from 0 to 10",
        ),
    ]
