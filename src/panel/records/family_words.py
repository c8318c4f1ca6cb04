"""What a family reads of others' writing is compared with names and addresses first: a port.

Every permission to one of the family comes with the duty to redact third parties (`consent`). Who
is meant by a name only a higher room knows, so `app` wires the comparing (ARCHITECTURE.md, "What a
lower layer needs from a higher one is a port"; adr/0016).
"""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class FoundWords:
    """Words that keep a text from the family: as they were written, and why."""

    words: str
    why: str
    key: tuple[str, str]
    """What somebody's word that they may be read is remembered by: the kind, the words folded."""
    may_be_read: bool
    """Whether somebody may say so; what is protected from a reader only comes out."""


class Comparing(Protocol):
    """What the words of one child's record are compared with."""

    def kept_from(self, words: str, reader: UUID) -> tuple[FoundWords, ...]:
        """What is found in some words that this one of the family is to read."""
        ...

    def kept_from_any(self, words: str, *, knows_addresses: bool) -> tuple[FoundWords, ...]:
        """What is found for any of those who read them, told to who writes them.

        What is told must not answer a guess: without `knows_addresses` no kind of address is told
        from another.
        """
        ...


class FamilyWords(Protocol):
    """Gathers what words are compared with."""

    async def around(self, child_id: UUID, viewer_id: UUID) -> Comparing:
        """Of one child, for who reaches it; in transactions of its own, so never within another.

        For anybody else nothing is gathered: it would take longer for a child who is known here.
        """
        ...
