"""What may come in: a family's answers, and what commissioners tell families."""

from typing import Annotated, Literal

import msgspec

from panel.insight.core.words import QUESTIONS
from panel.insight.voice.answering import Answers
from panel.web.forms import chosen, line, paragraphs

MOST_WORDS = 1_000
"""Characters: half a page of handwriting."""
MOST_SAID = 600

Answer = Annotated[Literal["0", "1", "2", "3", "4", "5"] | None, chosen("Your answer")]


class SurveyForm(msgspec.Struct, forbid_unknown_fields=True):
    """A family's answers; what is left out was not answered."""

    version: int
    information: Answer = None
    assessment: Answer = None
    transparency: Answer = None
    participation: Answer = None
    feedback: Answer = None
    own_words: Annotated[str, paragraphs("In your own words", at_most=MOST_WORDS)] = ""
    readers: Annotated[Literal["nobody", "helpers"], chosen("Who may read it")] = "nobody"

    def answers(self) -> Answers:
        """As they are kept."""
        given = {one: getattr(self, one) for one in QUESTIONS}
        return Answers(
            {one: None if value is None else int(value) for one, value in given.items()},
            self.own_words.strip(),
            self.readers == "helpers",
        )


class VersionForm(msgspec.Struct, forbid_unknown_fields=True):
    """One press: of which version."""

    version: int


class SaidForm(msgspec.Struct, forbid_unknown_fields=True):
    """What families said, in general words, and what was done."""

    said: Annotated[
        str,
        paragraphs(
            "What families said", at_most=MOST_SAID, missing="Write what families said, in general"
        ),
    ]
    done: Annotated[
        str, paragraphs("What was done", at_most=MOST_SAID, missing="Write what was done")
    ]
    area_code: Annotated[str, line("Where", at_most=20)] = ""
    table_key: Annotated[str, line("Published table", at_most=80)] = ""
    is_about_nobody: Annotated[bool, chosen("Nobody can be recognised")] = False
    version: int = 0
