"""What may come in on the pages of the inbox (msgspec, unknown fields refused)."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from panel.web.forms import chosen, line, on_day


class AboutForm(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody decided about one whom something is about."""

    version: int
    about: int


class AgainForm(msgspec.Struct, forbid_unknown_fields=True):
    """What was quarantined is tried again."""

    version: int


class NewChildForm(msgspec.Struct, forbid_unknown_fields=True):
    """The child is not here yet."""

    version: int
    about: int
    panel: Annotated[UUID, chosen("Panel", missing="Choose the panel that takes the referral")]
    given_name: Annotated[str, line("Given name", at_most=100, missing="Enter given name")]
    family_name: Annotated[str, line("Family name", at_most=100, missing="Enter family name")]
    birth_date: Annotated[
        date, on_day("Date of birth", missing="Enter the date of birth, as 27 3 2022")
    ]
    another_child: Annotated[bool, chosen("This is another child")] = False


class DecideForm(msgspec.Struct, forbid_unknown_fields=True):
    """What is offered is taken, or what is written stays."""

    version: int
    row_version: int
    answer: Annotated[
        Literal["take", "leave"], chosen("Answer", missing="Choose what should be written")
    ]
