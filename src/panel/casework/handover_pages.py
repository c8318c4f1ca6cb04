"""Handing a child over to another authority, as forms in words."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from panel.accounts.step_pages import Field, Step
from panel.casework.handover import STATE_WORDS, WAYS, HandoverView
from panel.casework.handover_models import OtherAuthority
from panel.register.service import CATEGORY_WORDS
from panel.web import words
from panel.web.forms import chosen, line, on_day, paragraphs


class DraftForm(msgspec.Struct, forbid_unknown_fields=True):
    """A handover is prepared."""

    authority: Annotated[UUID, chosen("Authority", missing="Choose an authority")]
    way: Annotated[Literal["system", "file"], chosen("Way", missing="Select how it goes there")] = (
        "system"
    )
    moves_on: Annotated[date | None, on_day("When the child moves")] = None
    note: Annotated[str, paragraphs("What to know first", at_most=4_000)] = ""


class VersionForm(msgspec.Struct, forbid_unknown_fields=True):
    """A step that only needs to know what was read."""

    version: int


class WithdrawForm(msgspec.Struct, forbid_unknown_fields=True):
    """It is taken back."""

    version: int
    reason: Annotated[str, paragraphs("Why", at_most=2_000)] = ""


class AnswerForm(msgspec.Struct, forbid_unknown_fields=True):
    """What was answered to a file."""

    version: int
    answer: Annotated[
        Literal["accepted", "refused"], chosen("Answer", missing="Select what they answered")
    ]
    lead: Annotated[str, line("Lead professional there", at_most=200)] = ""
    reason: Annotated[str, paragraphs("Why it was refused", at_most=2_000)] = ""


def draft_step(authorities: Sequence[OtherAuthority]) -> Step:
    """The form that prepares a handover."""
    return Step(
        "Hand the child over to another authority",
        "Nobody is in between: you and the lead professional go on until they accept. Then the"
        " case here is closed on that day.",
        "Prepare the handover",
        (
            Field(
                "select",
                "authority",
                "Which authority does the child move to?",
                "",
                [(str(one.id), one.name) for one in authorities],
            ),
            Field("radios", "way", "How does it go there?", "", tuple(WAYS.items())),
            Field("day", "moves_on", "When does the child move?", "Leave empty if not known."),
            Field(
                "text",
                "note",
                "What should they know first?",
                "They read it before all else: what matters to the family now.",
            ),
        ),
    )


SEND = Step(
    "Send the handover",
    "What the family agreed to share with that authority’s system goes, and what a duty opens."
    " The rest stays here, and the document says what is left out.",
    "Sign and send",
)
WITHDRAW = Step(
    "Take the handover back",
    "If they accepted meanwhile, their answer stands.",
    "Take it back",
    (Field("text", "reason", "Why is it taken back?"),),
)
ANSWER = Step(
    "What did they answer?",
    "Write it down as it was told you.",
    "Save the answer",
    (
        Field(
            "radios",
            "answer",
            "Their answer",
            "",
            (("accepted", "They accept the child"), ("refused", "They refuse")),
        ),
        Field("line", "lead", "Who is lead professional there?", "Only if they accept."),
        Field("text", "reason", "Why do they refuse?", "Only if they refuse. The family reads it."),
    ),
)


def facts_of(one: HandoverView) -> list[tuple[str, str]]:
    """How one handover stands."""
    is_out = one.direction == "out"
    facts = [("To" if is_out else "From", one.authority), ("State", state_words(one))]
    for label, on in (("The child moves on", one.moves_on), ("Sent on", one.sent_on)):
        if on is not None:
            facts.append((label, words.day(on)))
    if is_out and one.state == "sent":
        said = "Not yet" if one.delivered_at is None else words.day_and_time(one.delivered_at)
        facts.append(("They have it since", said))
    if one.answered_on is not None:
        facts.append(("Answered on", words.day(one.answered_on)))
    if one.withheld:
        left = ", ".join(_category(category) for category in one.withheld)
        facts.append(("Left out", left))
    facts += [
        (label, said)
        for label, said in (
            ("What to know first", one.note),
            ("Why", one.reason),
            ("Lead professional there", one.lead_there),
            ("Last try", one.failure),
        )
        if said
    ]
    return facts


def state_words(one: HandoverView) -> str:
    """The state, also of one that is being asked back."""
    return "Asked back, not answered yet" if one.is_asked_back else STATE_WORDS[one.state]


def _category(key: str) -> str:
    known = {category.value: said for category, said in CATEGORY_WORDS.items()}
    return known.get(key, key)
