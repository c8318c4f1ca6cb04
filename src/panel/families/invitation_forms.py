"""What may come in when somebody lets a family sign in, and when they do."""

from typing import Annotated, Literal

import msgspec

from panel.web.forms import chosen, line


class InviteForm(msgspec.Struct, forbid_unknown_fields=True):
    """An invitation, after whoever sends it read what its reader would see."""

    way: Annotated[
        Literal["email", "letter"], chosen("How it goes", missing="Select how the invitation goes")
    ]
    fact: Annotated[
        Literal["birth_date", "agreed_word"],
        chosen("What they know", missing="Select what they will be asked for"),
    ]
    word: Annotated[str, line("The word", at_most=60)] = ""
    email: Annotated[str, line("E-mail address", at_most=254)] = ""
    asked: Annotated[bool, chosen("You asked them")] = False
    version: int = 0


class PressForm(msgspec.Struct, forbid_unknown_fields=True):
    """A button on a page that was read at this version."""

    version: int
