"""What may come in on the pages of panels (msgspec, unknown fields refused)."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar.datastructures import UploadFile

from panel.platform.problems import FieldError
from panel.records.dates import age_in_years
from panel.web.forms import (
    amount,
    chosen,
    future_date_mistake,
    line,
    on_day,
    paragraphs,
    upload,
)

LONGEST_REASON = 2_000
OLDEST = 25
"""The last age, in years, of a child or young person (DOMAIN.md, Words)."""


class MoveForm(msgspec.Struct, forbid_unknown_fields=True):
    """A child's item moves up, down, or to a place counted from 1."""

    version: int
    direction: Literal["up", "down"] | None = None
    position: Annotated[int | None, amount("Position", at_least=1, at_most=500)] = None


class MinutesForm(msgspec.Struct, forbid_unknown_fields=True):
    """How long an item may take."""

    version: int
    minutes: Annotated[int, amount("Minutes", at_least=1, at_most=60)]


class ReasonForm(msgspec.Struct, forbid_unknown_fields=True):
    """Why a child comes off an agenda."""

    reason: Annotated[
        str,
        paragraphs("Reason", at_most=LONGEST_REASON, missing="Say why the child comes off"),
    ]


class LateForm(msgspec.Struct, forbid_unknown_fields=True):
    """A child is put on an agenda by a person, and why."""

    child: Annotated[UUID, chosen("Child", missing="Choose a child from the list")]
    reason: Annotated[
        str, paragraphs("Reason", at_most=LONGEST_REASON, missing="Say why the child is added")
    ]


class VersionForm(msgspec.Struct, forbid_unknown_fields=True):
    """A step that only needs to know what was read."""

    version: int


class AskForm(msgspec.Struct, forbid_unknown_fields=True):
    """Ask who owes something for a child."""

    child: UUID
    what: Literal["assessment", "plan", "lead_professional", "sharing", "request"]


class ChangeForm(msgspec.Struct, forbid_unknown_fields=True):
    """A meeting is cancelled or moved; first it is rehearsed."""

    version: int
    change: Annotated[
        Literal["cancel", "move"],
        chosen("Change", missing="Select whether the meeting is cancelled or moved"),
    ]
    reason: Annotated[
        str,
        paragraphs("Reason", at_most=500, missing="Say why the meeting changes: members will ask"),
    ]
    to: Annotated[date | None, on_day("New day")] = None
    confirm: bool = False


class TermsForm(msgspec.Struct, forbid_unknown_fields=True):
    """A term calendar as a file."""

    file: Annotated[UploadFile, upload("Term calendar", missing="Select the calendar file (.ics)")]


ReasonCategory = Annotated[
    Literal["health", "development", "education", "social_care", "family", "plan", "safeguarding"],
    chosen("What the reason is about", missing="Select what the reason is about"),
]
Reason = Annotated[
    str,
    paragraphs(
        "Why", at_most=LONGEST_REASON, missing="Say why the panel should talk about this child"
    ),
]


class ReferForm(msgspec.Struct, forbid_unknown_fields=True):
    """A child is referred to a panel."""

    panel: Annotated[UUID, chosen("Panel", missing="Choose a panel")]
    category: ReasonCategory
    reason: Reason


class IntakeForm(msgspec.Struct, forbid_unknown_fields=True):
    """A child is referred from outside, by letter or telephone."""

    given_name: Annotated[str, line("Given name", at_most=100, missing="Enter given name")]
    family_name: Annotated[str, line("Family name", at_most=100, missing="Enter family name")]
    birth_date: Annotated[
        date, on_day("Date of birth", missing="Enter the date of birth, as 27 3 2022")
    ]
    agency: Annotated[UUID, chosen("Who refers", missing="Choose who refers the child")]
    referred_on: Annotated[date, on_day("On which day", missing="Enter the day of the referral")]
    category: ReasonCategory
    reason: Reason
    another_child: Annotated[bool, chosen("This is another child")] = False


class EscalateForm(msgspec.Struct, forbid_unknown_fields=True):
    """A case cannot wait for its turn."""

    version: int
    reason: Annotated[
        str, paragraphs("Why", at_most=LONGEST_REASON, missing="Say why this cannot wait")
    ]


class UrgentForm(msgspec.Struct, forbid_unknown_fields=True):
    """The chair takes a child who is not ready."""

    version: int
    meeting: Annotated[date, chosen("Meeting", missing="Choose a meeting")]
    reason: Annotated[
        str, paragraphs("Why", at_most=LONGEST_REASON, missing="Say why the child is urgent")
    ]


class TransitionForm(msgspec.Struct, forbid_unknown_fields=True):
    """A change that is coming; both empty takes it back."""

    version: int
    what: Annotated[str, line("What is coming", at_most=100)] = ""
    on: Annotated[date | None, on_day("When")] = None


class WordsForm(msgspec.Struct, forbid_unknown_fields=True):
    """The family was asked, and perhaps said something."""

    how: Annotated[
        Literal["telephone", "visit", "letter", "text_message", "interpreter", "other"],
        chosen("How", missing="Select how the family was asked"),
    ]
    family_member: UUID | None = None
    said: Annotated[str, paragraphs("What they said", at_most=5_000)] = ""


def intake_mistakes(form: IntakeForm, today: date) -> list[FieldError]:
    """What does not fit together about a referral: days to come, a child who is grown up."""
    found = [
        FieldError(field, said)
        for field, label, on in (
            ("birth_date", "Date of birth", form.birth_date),
            ("referred_on", "The day of the referral", form.referred_on),
        )
        if (said := future_date_mistake(label, on, today))
    ]
    if not found and form.referred_on < form.birth_date:
        found = [FieldError("referred_on", "This is before the child was born. Check both days")]
    if not found and age_in_years(form.birth_date, today) > OLDEST:
        said = f"This is more than {OLDEST} years ago. Check the year"
        found = [FieldError("birth_date", said)]
    return found
