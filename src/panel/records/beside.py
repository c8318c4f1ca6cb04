"""What stands beside a child's case on a panel's papers and is kept by a higher room: a port.

A panel that decides about services needs the request in its pack and on the meeting's screen. The
room that keeps requests stands above panels, so `app` wires it (ARCHITECTURE.md, "What a lower
layer needs from a higher one is a port").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category


@dataclass(frozen=True, slots=True)
class Beside:
    """One paper beside a case: its title, what it says line by line, and where it is worked on."""

    id: UUID
    title: str
    lines: tuple[tuple[str, str], ...]
    withheld: str = ""
    """Why nothing of it is shown; its lines are empty then."""


class Reader(Protocol):
    """Who reads a child's papers: one viewer, or everybody at a table."""

    def may(
        self,
        category: Category,
        author_agency: UUID | None = None,
        author_person: UUID | None = None,
    ) -> bool:
        """Whether a category, or one entry in it, may be seen."""
        ...

    def open_text(
        self,
        sealed: str | None,
        field: str,
        row: UUID,
        category: Category,
        author_agency: UUID | None = None,
        author_person: UUID | None = None,
    ) -> str | None:
        """A sealed text (hex) where it may be seen, "" where there is none, else None."""
        ...


class BesideCase(Protocol):
    """The room that keeps such papers."""

    async def papers(
        self, session: AsyncSession, child_id: UUID, meeting_id: UUID, reader: Reader
    ) -> Sequence[Beside]:
        """What is before the panel at a meeting for the child, as far as the reader may see it.

        What was decided before that is one line each.
        """
        ...

    async def to_ratify(self, session: AsyncSession, panel_id: UUID) -> int:
        """How many decisions of the chair wait for the panel's next meeting: a count alone."""
        ...

    async def before(
        self, session: AsyncSession, panel_id: UUID, address: str
    ) -> Sequence[tuple[int, str, str]]:
        """What is before this panel in figures, as far as the viewer reaches: number, words, link.

        `address` is the panel's page.
        """
        ...


class NothingBeside:
    """Where no room keeps any."""

    async def papers(
        self, _session: AsyncSession, _child_id: UUID, _meeting_id: UUID, _reader: Reader
    ) -> Sequence[Beside]:
        """None."""
        return ()

    async def to_ratify(self, _session: AsyncSession, _panel_id: UUID) -> int:
        """None."""
        return 0

    async def before(
        self, _session: AsyncSession, _panel_id: UUID, _address: str
    ) -> Sequence[tuple[int, str, str]]:
        """None."""
        return ()
