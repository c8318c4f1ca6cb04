"""What may come in when a request for access is answered."""

from typing import Annotated, Literal

import msgspec

from panel.web.forms import chosen, paragraphs


class AnswerForm(msgspec.Struct, forbid_unknown_fields=True):
    """A request is refused, or agreed on another basis than the family's agreement."""

    answer: Annotated[
        Literal["refused", "other_basis"], chosen("The answer", missing="Select your answer")
    ]
    reason: Annotated[
        str,
        paragraphs("Why", at_most=2_000, missing="Give the reason: whoever asked reads it"),
    ]
