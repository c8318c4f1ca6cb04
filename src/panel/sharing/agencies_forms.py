"""What may come in about agreements between agencies."""

from datetime import date
from typing import Annotated

import msgspec

from panel.sharing.agencies_agreeing import NewVersion
from panel.web.forms import chosen, line, on_day, paragraphs


class VersionForm(msgspec.Struct, forbid_unknown_fields=True):
    """An agreement between agencies, or the next version of one."""

    title: Annotated[str, line("What it is called", missing="Enter what the agreement is called")]
    reference: Annotated[
        str,
        line("Reference", at_most=60, missing="Enter a reference without a semicolon"),
    ]
    parties: Annotated[
        list[str], chosen("The agencies", missing="Select the agencies, two or more")
    ]
    categories: Annotated[list[str], chosen("What may be shared")]
    purposes: Annotated[list[str], chosen("What it may be used for")]
    from_on: Annotated[date, on_day("From")]
    review_on: Annotated[date, on_day("Review on")]
    why: Annotated[
        str,
        paragraphs(
            "What is this version for?", at_most=2_000, missing="Say what this version is for"
        ),
    ]
    until_on: Annotated[date | None, on_day("Until")] = None
    version: int = 0

    def new(self) -> NewVersion:
        """The version as it would be kept."""
        return NewVersion(
            title=self.title,
            reference=self.reference,
            parties=self.parties,
            categories=self.categories,
            purposes=self.purposes,
            from_on=self.from_on,
            until_on=self.until_on,
            review_on=self.review_on,
            why=self.why,
        )
