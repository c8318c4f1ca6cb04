"""What may come in about changes to prepare."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from panel.casework.transition_rules import TransitionKind
from panel.web.forms import chosen, on_day, paragraphs

LONGEST = 5_000


class WrittenDown(msgspec.Struct, forbid_unknown_fields=True):
    """A change that no birth date tells of."""

    kind: Annotated[TransitionKind, chosen("What changes", missing="Select what changes")]
    due_on: Annotated[date, on_day("Day", missing="Enter the day on which it happens")]


class Prepared(msgspec.Struct, forbid_unknown_fields=True):
    """Who prepares it, who receives the child, and how."""

    version: int
    owner_worker_id: Annotated[UUID | None, chosen("Who prepares it")] = None
    receiving_agency_id: Annotated[UUID | None, chosen("Receiving agency")] = None
    plan: Annotated[str, paragraphs("Plan", at_most=LONGEST)] = ""


class HandedOver(msgspec.Struct, forbid_unknown_fields=True):
    """The receiving agency has taken the child on."""

    version: int


class Finished(msgspec.Struct, forbid_unknown_fields=True):
    """It is done, or it needs no preparing."""

    version: int
    state: Annotated[
        Literal["done", "not_needed"],
        chosen("What became of it", missing="Select whether it is done or not needed"),
    ]
    reason: Annotated[str, paragraphs("Reason", at_most=LONGEST)] = ""
