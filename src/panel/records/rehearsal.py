"""Before anything about sharing changes, every room says what would change for it.

A lower layer cannot ask a higher one, so rooms answer through a port that `app` wires
(ARCHITECTURE.md, "What a lower layer needs from a higher one is a port"). Nothing is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from consent import State
from panel.records.gate import Access


@dataclass(frozen=True, slots=True)
class Consequence:
    """Something that would change, as a sentence, and where to look at it now."""

    sentence: str
    look: str = ""
    """What the link says; empty where the viewer has no page for it."""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """A child's sharing facts as they are, and as they would be."""

    before: State
    after: State


class AskedRoom(Protocol):
    """What a room answers."""

    async def would_change(self, access: Access, turn: Turn) -> Sequence[Consequence]:
        """What would change for this room, as far as the viewer of the access may know it."""
        ...


class Rehearsal:
    """Every room, in the order in which it answers."""

    def __init__(self, rooms: Sequence[AskedRoom] = ()) -> None:
        """Args: the rooms."""
        self._rooms = tuple(rooms)

    async def asked(self, access: Access, turn: Turn) -> tuple[Consequence, ...]:
        """What each room would change: nothing where the facts stay what they are."""
        if turn.before == turn.after:
            return ()
        return tuple([one for room in self._rooms for one in await room.would_change(access, turn)])
