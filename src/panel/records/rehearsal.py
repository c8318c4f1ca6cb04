"""Before anything about sharing changes, every room says what would change for it.

A lower layer cannot ask a higher one, so rooms answer through a port that `app` wires
(ARCHITECTURE.md, "What a lower layer needs from a higher one is a port"). Nothing is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from consent import State, ViewerKind
from panel.records.gate import Access


@dataclass(frozen=True, slots=True)
class Consequence:
    """Something that would change, as a sentence, and where to look at it now."""

    sentence: str
    look: str = ""
    """What the link says; empty where the viewer has no page for it."""
    href: str = ""


def is_for_family(access: Access) -> bool:
    """Whether the answer is read by one of the family, who is told it in plainer words."""
    return access.viewer.kind is ViewerKind.FAMILY


@dataclass(frozen=True, slots=True)
class Turn:
    """A child's sharing facts as they are, and as they would be."""

    before: State
    after: State


class AskedRoom(Protocol):
    """What a room answers."""

    async def would_change(self, access: Access, turn: Turn) -> Sequence[Consequence]:
        """What would change for this room, as far as the viewer of the access may know it.

        One of the family is told it in words that somebody of eleven reads, and not what each page
        says in its own words: who sees which kind of information.
        """
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
