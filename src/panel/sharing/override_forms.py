"""What may come in about overrides: opening what is withheld, and the review of it."""

from datetime import date
from typing import Annotated, Literal

import msgspec

from panel.web.forms import chosen, line, on_day, paragraphs

Why = Annotated[
    str,
    paragraphs(
        "Why can it not wait?",
        at_most=4_000,
        missing="Say who is at risk, of what, and why it cannot wait: this is reviewed",
    ),
]
Kept = Annotated[bool, chosen("Telling the family would put someone at risk")]
Risk = Annotated[str, paragraphs("Who would be at risk?", at_most=2_000)]


class OpenForm(msgspec.Struct, forbid_unknown_fields=True):
    """Open what is withheld from me."""

    what: Annotated[list[str], chosen("What you need to see")]
    reason: Why
    kept_from_family: Kept = False
    family_risk: Risk = ""


class OpenByReferenceForm(msgspec.Struct, forbid_unknown_fields=True):
    """Open a record that is not among mine."""

    reference: Annotated[
        str, line("Reference", at_most=20, missing="Enter the reference of the record")
    ]
    born: Annotated[
        date, on_day("Date of birth", missing="Enter the child’s date of birth, or expected one")
    ]
    reason: Why
    kept_from_family: Kept = False
    family_risk: Risk = ""


class ReviewForm(msgspec.Struct, forbid_unknown_fields=True):
    """Whether it was justified."""

    version: int
    justified: Annotated[Literal["yes", "no"], chosen("Whether it was justified")]
    note: Annotated[
        str,
        paragraphs("Why?", at_most=4_000, missing="Say why it was, or was not, justified"),
    ]
    kept_from_family: Kept = False
    family_risk: Risk = ""


class StepForm(msgspec.Struct, forbid_unknown_fields=True):
    """A step is done."""

    step: Annotated[
        Literal["stopped", "told_manager", "told_governance", "told_family", "decided_ico"],
        chosen("The step"),
    ]
