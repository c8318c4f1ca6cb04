"""What a family is asked on its own page by a room beside the families' own: a port.

Rooms of one layer do not know each other: `app` wires the room that asks to the page that shows it
(ARCHITECTURE.md, "What a lower layer needs from a higher one is a port").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from panel.records.gate import Access


@dataclass(frozen=True, slots=True)
class FamilyAsk:
    """One thing that somebody is asked, or answered and can change."""

    title: str
    more: str
    href: str
    is_new: bool
    """Whether it waits for them."""
    dismiss: str = ""
    """Where a form says that they do not want to; empty where there is nothing to put aside."""
    version: int = 0
    on: date | None = None
    """The day on which they meet, where that is settled and to come."""


class FamilyAsks(Protocol):
    """The room that asks."""

    async def of(self, access: Access) -> Sequence[FamilyAsk]:
        """What this one of the family is asked about the child, and what they answered."""
        ...


class NothingAsked:
    """Where no room asks anything."""

    async def of(self, _access: Access) -> Sequence[FamilyAsk]:
        """Nothing."""
        return ()
