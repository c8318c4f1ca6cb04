"""Published releases as pages, files and the API read them: what stands in the ledger, and no more.

Nothing here reaches a record, a fact or a true count: what is not in a release cannot be shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from panel.insight.core.cells import Cell, Note
from panel.insight.core.words import Period, period_words
from panel.insight.saying import Areas


@dataclass(frozen=True, slots=True)
class Head:
    """A release, without its cells."""

    number: int
    period: Period
    made_at: datetime

    @property
    def term(self) -> str:
        """The term as people read it."""
        return period_words(self.period)


@dataclass(frozen=True, slots=True)
class Seen:
    """A release as a page shows it: the tables that it asked for, and what areas are called."""

    head: Head
    cells: Mapping[str, tuple[Cell, ...]]
    """By the table's key; a table that the release does not hold is not in it."""
    areas: Areas = field(default_factory=Areas)
    boundaries: tuple[tuple[str, str], ...] = ()
    """Code of a ward and its boundary as GeoJSON."""

    def of(self, key: str) -> tuple[Cell, ...]:
        """The cells of a table; none where the release does not hold it."""
        return self.cells.get(key, ())

    def holds(self, key: str) -> bool:
        """Whether the release has figures of this table for its term."""
        return any(one.note is not Note.NO_DATA for one in self.of(key))
