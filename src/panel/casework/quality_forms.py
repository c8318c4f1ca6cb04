"""What may come in from the pages of samples and audits."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

from panel.accounts.desk import refused_by_rule
from panel.assessments.definitions import SectionAnswers
from panel.assessments.forms import decode_section
from panel.assessments.rules import missing_answers
from panel.casework.quality import LONGEST_ANSWER, NewSample
from panel.casework.quality_form import audit_form, audit_forms, questions_of
from panel.casework.quality_rules import MOST_DRAWN
from panel.platform.problems import FieldError, Invalid
from panel.web.forms import FieldErrors, amount, chosen, on_day, paragraphs

STALE_PAGE = "This page is from an earlier version of the form. Reload it and fill it in again"


class SampleForm(msgspec.Struct, forbid_unknown_fields=True):
    """A sample to draw."""

    agency: Annotated[UUID, chosen("Agency", missing="Select whose assessments are audited")]
    from_on: Annotated[date, on_day("First day", missing="Enter the first day of sign-off")]
    until_on: Annotated[date, on_day("Last day", missing="Enter the last day of sign-off")]
    asked: Annotated[
        int,
        amount("How many", at_least=1, at_most=MOST_DRAWN, missing="Enter how many are drawn"),
    ]

    def new(self) -> NewSample:
        """The sample."""
        return NewSample(self.agency, self.from_on, self.until_on, self.asked)


class AnswerForm(msgspec.Struct, forbid_unknown_fields=True):
    """What the author says to an audit."""

    version: int
    words: Annotated[
        str,
        paragraphs("Your answer", at_most=LONGEST_ANSWER, missing="Enter what you want to say"),
    ]


class AuditForm(msgspec.Struct):
    """How an assessment was judged, read by the audit form's own definition."""

    version: int
    number: int
    answers: SectionAnswers


def read_audit_form(fields: Sequence[tuple[str, object]]) -> AuditForm | FieldErrors:
    """The judgement that was posted, or every mistake in it. Raises Invalid for a stale page."""
    posted: dict[str, list[str]] = {}
    for name, value in fields:
        if isinstance(value, str) and not name.startswith("_"):
            posted.setdefault(name, []).append(value)
    number, version = (_number(posted.pop(name, ())) for name in ("form", "version"))
    if number not in audit_forms():
        raise Invalid.because("form", STALE_PAGE)
    section = questions_of(number)
    decoded = decode_section(audit_form(number), section, posted, {})
    wrong = [*decoded.problems, *missing_answers(section, decoded.answers)]
    if wrong:
        mistakes = [FieldError(one.field, one.message) for one in wrong]
        return refused_by_rule(fields, mistakes)
    return AuditForm(version, number, decoded.answers)


def _number(given: Sequence[str]) -> int:
    said = next(iter(given), "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else 0
