"""What may come in from a family."""

from typing import Annotated

import msgspec

from panel.web.forms import paragraphs

MOST = 2_000
"""Characters: about a page and a half of handwriting."""


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
