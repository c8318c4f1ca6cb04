"""What may come in on the sharing page."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from panel.web.forms import chosen, paragraphs


class AskForm(msgspec.Struct, forbid_unknown_fields=True):
    """A worker asks to see what is withheld."""

    categories: Annotated[list[str], chosen("What you ask to see")]
    reason: Annotated[
        str,
        paragraphs(
            "Why do you need it?",
            at_most=2_000,
            missing="Say why you need it: whoever decides reads this",
        ),
    ]
    purpose: Annotated[
        Literal["support", "panel", "review", "allocation"] | None, chosen("What you need it for")
    ] = None
    """None: what the page was opened for."""


class WithdrawForm(msgspec.Struct, forbid_unknown_fields=True):
    """An agreement or refusal ends: nothing to fill in but the button."""

    agency: Annotated[UUID | None, chosen("The agency")] = None
    """It ends for this one alone."""
