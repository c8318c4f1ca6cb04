"""What may come in about systems of other agencies."""

from typing import Annotated
from uuid import UUID

import msgspec

from interop.scopes import LONGEST
from interop.smart import LARGEST_KEYS
from panel.exchange.clients import KeysGiven, NewClient
from panel.web.forms import chosen, line, paragraphs

_Name = Annotated[str, line("Name", at_most=100, missing="Enter what the system is called")]
_Scopes = Annotated[
    str,
    paragraphs(
        "Scopes", at_most=LONGEST, missing="Enter one scope or more, for example system/CarePlan.rs"
    ),
]
_Keys = Annotated[str, paragraphs("Public keys", at_most=LARGEST_KEYS)]
_Mailbox = Annotated[str, line("MESH mailbox", at_most=40)]
_Address = Annotated[str, line("Where the keys are published", at_most=500)]


class RegisterForm(msgspec.Struct, forbid_unknown_fields=True):
    """A system that is to come in."""

    name: _Name
    key: Annotated[str, line("Key", at_most=64, missing="Enter a key")]
    agency_id: Annotated[UUID, chosen("Agency", missing="Select the agency whose system it is")]
    scopes: _Scopes
    jwks: _Keys = ""
    jwks_url: _Address = ""
    mesh_mailbox: _Mailbox = ""

    def new(self) -> NewClient:
        """The client as it would be registered."""
        keys = KeysGiven(self.jwks, self.jwks_url)
        return NewClient(self.key, self.name, self.agency_id, self.scopes, keys, self.mesh_mailbox)


class ChangeForm(msgspec.Struct, forbid_unknown_fields=True):
    """What it is called, and what it may ask for."""

    version: int
    name: _Name
    scopes: _Scopes
    mesh_mailbox: _Mailbox = ""


class KeysForm(msgspec.Struct, forbid_unknown_fields=True):
    """Other keys."""

    version: int
    jwks: _Keys = ""
    jwks_url: _Address = ""

    def keys(self) -> KeysGiven:
        """The keys as they were given."""
        return KeysGiven(self.jwks, self.jwks_url)


class EndForm(msgspec.Struct, forbid_unknown_fields=True):
    """It comes in no more."""

    version: int
    why: Annotated[str, line("Why", at_most=500, missing="Say why it is ended")]


class RevokeForm(msgspec.Struct, forbid_unknown_fields=True):
    """Its tokens are over."""

    version: int
