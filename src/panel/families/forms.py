"""What may come in from a family."""

from typing import Annotated, Literal

import msgspec

from panel.panels.note_rules import Answer
from panel.web.forms import chosen, paragraphs

MOST = 2_000
"""Characters: about a page and a half of handwriting."""
MOST_OF_ANSWER = 1_800
"""Characters: with what they are about, they fit into what is told the panel."""


class TellForm(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody of the family wants the panel to know, or asks it."""

    said: Annotated[
        str,
        paragraphs(
            "What you write",
            at_most=MOST,
            missing="Write what the panel should know, or what you want to ask",
        ),
    ]


class AnswerForm(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody of the family says about their notes."""

    answer: Annotated[
        Answer,
        chosen("What you think", missing="Choose one"),
    ]
    said: Annotated[str, paragraphs("What you write", at_most=MOST_OF_ANSWER)] = ""


class OutcomeForm(msgspec.Struct, forbid_unknown_fields=True):
    """Where one of the family sees something that they want to be different, from 0 to 5."""

    value: Annotated[
        Literal["0", "1", "2", "3", "4", "5"],
        chosen("How it is now", missing="Choose how it is now"),
    ]
