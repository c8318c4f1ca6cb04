"""What may come in on the pages of a meeting (msgspec, unknown fields refused)."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from panel.platform.problems import FieldError
from panel.register.service import CategoryName
from panel.web.forms import (
    LONGEST_TEXT,
    FieldErrors,
    chosen,
    line,
    on_day,
    paragraphs,
    read_form,
)

LONGEST_WHY = 2_000


class AttendanceForm(msgspec.Struct, forbid_unknown_fields=True):
    """Who is here and who sent apologies, beside how the page had it when it was opened.

    Only what was changed on the page is written, so that two people can tick at the same time.
    """

    here: Annotated[list[UUID], chosen("Here")] = []
    apologies: Annotated[list[UUID], chosen("Sent apologies")] = []
    was_here: list[UUID] = []
    was_apologies: list[UUID] = []


def attendance_mistakes(form: AttendanceForm) -> list[FieldError]:
    """Somebody cannot be here and have sent apologies."""
    if set(form.here) & set(form.apologies):
        return [FieldError("here", "Tick here or apologies for each person, not both")]
    return []


class SubstituteForm(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody without a seat is here for an agency."""

    name: Annotated[str, line("Name", at_most=100, missing="Enter the name of who is here")]
    agency: Annotated[UUID, chosen("Agency", missing="Choose the agency that they are here for")]
    stands_in_for: Annotated[UUID | None, chosen("In the place of")] = None


class LeaveForm(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody leaves before the end; a chair names who goes on."""

    who: Annotated[UUID, chosen("Who leaves", missing="Choose who leaves")]
    new_chair: Annotated[UUID | None, chosen("Who chairs from now on")] = None


class ChairForm(msgspec.Struct, forbid_unknown_fields=True):
    """Who chairs from now on."""

    chair: Annotated[UUID, chosen("Who chairs", missing="Choose who chairs")]


class SayForm(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody says about a child; the page gave the form its `client_id`."""

    client_id: UUID
    heading: Literal["discussion", "needs_to_know"]
    text: Annotated[
        str, paragraphs("What you write", at_most=LONGEST_TEXT, missing="Write what was said")
    ]
    category: Annotated[CategoryName, chosen("What it is about")] = "panel"
    for_family: Annotated[bool, chosen("For the family’s notes")] = False


class Said(msgspec.Struct):
    """What one press says about a child, under one heading or several."""

    said: list[SayForm]


_UNDER = "under"
"""Names the heading whose own button was pressed."""
_BEGINNINGS = {"discussion": "", "needs_to_know": "needs_to_know-"}
"""How the names of the fields under each heading begin."""
_ANCHORS = {"text": "discussion-text", "category": "discussion-category"}

_Fields = Sequence[tuple[str, object]]


def heading_of(fields: _Fields) -> str:
    """The heading whose own button was pressed; fields of one heading alone are of that one."""
    given = {name: str(value) for name, value in fields}
    if given.get(_UNDER) in _BEGINNINGS:
        return given[_UNDER]
    alone = (one for one, begins in _BEGINNINGS.items() if f"{begins}client_id" in given)
    return next(alone, "discussion")


def said_in(fields: _Fields, asked: str = "") -> Said | FieldErrors:
    """What stands under the headings; where all are empty, the one that is `asked` for is missing.

    A mistake under one heading keeps what was typed under both.
    """
    parts = {one: _under(fields, begins) for one, begins in _BEGINNINGS.items()}
    written = [one for one, part in parts.items() if _has_words(part)]
    said, sentences = [], {}
    for heading in written or [one for one in parts if one == asked]:
        read = read_form(SayForm, parts[heading])
        if isinstance(read, FieldErrors):
            for name, sentence in read.sentences.items():
                sentences[_BEGINNINGS[heading] + name if name else name] = sentence
        else:
            said.append(read)
    if not sentences:
        return Said(said)
    typed: dict[str, list[str]] = {}
    for name, value in fields:
        typed.setdefault(name, []).append(str(value))
    return FieldErrors(sentences, typed, _ANCHORS)


def _under(fields: _Fields, begins: str) -> _Fields:
    others = tuple(one for one in _BEGINNINGS.values() if len(one) > len(begins))
    return [
        (name.removeprefix(begins), value)
        for name, value in fields
        if name.startswith(begins) and not name.startswith(others) and name != _UNDER
    ]


def _has_words(part: _Fields) -> bool:
    return any(name == "text" and str(value).strip() for name, value in part)


class WhyForm(msgspec.Struct, forbid_unknown_fields=True):
    """Why somebody takes back what they wrote."""

    why: Annotated[str, line("Why", missing="Say why you take this back")]


class ActionForm(msgspec.Struct, forbid_unknown_fields=True):
    """Who does what by when, in one line."""

    who: Annotated[str, line("Who", at_most=100, missing="Enter who does this")]
    what: Annotated[str, line("What", at_most=1_000, missing="Enter what is to be done")]
    due_on: Annotated[date, on_day("By when", missing="Enter by when")]


class NeedsForm(msgspec.Struct, forbid_unknown_fields=True):
    """An agency that needs to know, now or from a day."""

    agency: Annotated[UUID, chosen("Agency", missing="Choose the agency that needs to know")]
    part: Annotated[str, line("What they do for the child", at_most=100)] = ""
    from_on: Annotated[date | None, on_day("From which day")] = None


class ReviewForm(msgspec.Struct, forbid_unknown_fields=True):
    """The panel wants the child back by another day than the calendar proposes."""

    version: int
    review_by: Annotated[date, on_day("Review by", missing="Enter by when the review should be")]
    review_why: Annotated[
        str,
        paragraphs("Why", at_most=LONGEST_WHY, missing="Say why, so that others understand it"),
    ]


class InterestForm(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody is too near to a child."""

    worker: Annotated[UUID, chosen("Who", missing="Choose who declares an interest")]
    reason: Annotated[
        str, line("What the interest is", at_most=500, missing="Say what the interest is")
    ]


class InterestBackForm(msgspec.Struct, forbid_unknown_fields=True):
    """An interest was declared by mistake."""

    worker: UUID


class MoveForm(msgspec.Struct, forbid_unknown_fields=True):
    """To which child an entry is moved, and why."""

    to: Annotated[UUID, chosen("Child", missing="Choose the child whom it is about")]
    why: Annotated[
        str,
        paragraphs("Why", at_most=LONGEST_WHY, missing="Say how it came to be on the wrong child"),
    ]
