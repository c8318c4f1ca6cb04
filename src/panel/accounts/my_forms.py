"""What may come in from the page that says how somebody signs in."""

from typing import Annotated

import msgspec

from panel.accounts.passwords import LONGEST
from panel.web.forms import line


class TwoStepsForm(msgspec.Struct, forbid_unknown_fields=True):
    """A first password, with the code that shows that the app has the secret."""

    password: Annotated[str, line("Password", at_most=LONGEST, missing="Enter a password")]
    code: Annotated[str, line("Code", at_most=20, missing="Enter the code that the app shows")]
    offered: Annotated[str, line("Secret", at_most=400)]
    """The secret on the page, sealed."""
    next: Annotated[str, line("Next page")] = ""


class PasswordForm(msgspec.Struct, forbid_unknown_fields=True):
    """Another password."""

    password: Annotated[str, line("Password", at_most=LONGEST, missing="Enter a password")]


class PasskeyForm(msgspec.Struct, forbid_unknown_fields=True):
    """A passkey that the browser made, and what to call it."""

    name: Annotated[str, line("Name", at_most=60, missing="Enter a name for this passkey")]
    credential: Annotated[str, line("Passkey", at_most=8_000, missing="No passkey was made")]
    next: Annotated[str, line("Next page")] = ""


class RecoveryForm(msgspec.Struct, forbid_unknown_fields=True):
    """New recovery codes."""

    next: Annotated[str, line("Next page")] = ""


class NewSignInForm(msgspec.Struct, forbid_unknown_fields=True):
    """For whom an administrator makes a link to choose anew."""

    email: Annotated[str, line("E-mail address", missing="Enter their e-mail address")]
