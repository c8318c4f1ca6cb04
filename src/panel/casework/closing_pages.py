"""Closing a case and reopening it, as forms in words."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

from panel.accounts.step_pages import Field, Step
from panel.casework.closing import OpenThing
from panel.casework.closing_models import CaseClosure
from panel.register.service import CLOSURE_WORDS, LEVEL_WORDS
from panel.web import words
from panel.web.forms import chosen, on_day, paragraphs

THINGS = {"action": "Action", "request": "Request for service"}


class CloseForm(msgspec.Struct, forbid_unknown_fields=True):
    """The case is closed."""

    reason: Annotated[str, chosen("Reason", missing="Select why the case is closed")] = ""
    level: Annotated[str, chosen("Level of need now")] = ""
    what_next: Annotated[str, paragraphs("What happens next", at_most=2_000)] = ""
    left_with: Annotated[str, paragraphs("Who sees to what is open", at_most=1_000)] = ""
    told_family_on: Annotated[date | None, on_day("When the family was told")] = None


class ReopenForm(msgspec.Struct, forbid_unknown_fields=True):
    """A closed case goes on."""

    version: int
    because: Annotated[str, paragraphs("Why", at_most=2_000)] = ""


CLOSE = Step(
    "Close the case",
    "The record stays as it is. The family reads what you write here, and may come back at any"
    " time; then this case is reopened.",
    "Close the case",
    (
        Field("radios", "reason", "Why is it closed?", "", tuple(CLOSURE_WORDS.items())),
        Field(
            "select",
            "level",
            "Level of need now",
            "Leave empty to keep the judgement that holds.",
            tuple(LEVEL_WORDS.items()),
        ),
        Field("text", "what_next", "What happens next?", "The family reads it: plain words."),
        Field(
            "text",
            "left_with",
            "Who sees to what is still open?",
            "Only if something is open. Name them.",
        ),
        Field("day", "told_family_on", "When did you tell the family?", "For example, 27 3 2026"),
    ),
)
REOPEN = Step(
    "This case is closed",
    "Reopen it where the family comes back, or it was closed by mistake. Whoever held the plan"
    " holds it again from today.",
    "Reopen the case",
    (Field("text", "because", "Why is it reopened?"),),
)


def open_facts(
    level: str | None, things: Sequence[OpenThing], owners: Mapping[UUID, str]
) -> list[tuple[str, str]]:
    """What there is to know before closing: the level at the start, and what is open."""
    facts = [("Level of need at the start", _level(level))]
    for one in things:
        due = "" if one.due_on is None else f", by {words.short_day(one.due_on)}"
        owner = (owners.get(one.owner_id, "") if one.owner_id else "") or (
            "the family" if one.has_owner else "nobody yet"
        )
        facts.append((f"Open: {THINGS[one.kind].lower()}", f"{owner}{due}"))
    if not things:
        facts.append(("Open", "Nothing is left open"))
    return facts


def closed_facts(row: CaseClosure, *, reads_plan: bool) -> list[tuple[str, str]]:
    """How it was closed."""
    facts = [
        ("Closed on", words.day(row.closed_on)),
        ("Why", CLOSURE_WORDS[row.reason]),
        ("Level of need at the start", _level(row.level_then)),
        ("Level of need at the end", _level(row.level_now)),
    ]
    if reads_plan:
        facts.append(("What happens next", row.what_next))
        if row.left_with:
            facts.append(("Who sees to what was open", row.left_with))
    if row.told_family_on is not None:
        facts.append(("The family was told on", words.day(row.told_family_on)))
    return facts


def _level(level: str | None) -> str:
    return LEVEL_WORDS.get(level or "", "Not judged")
