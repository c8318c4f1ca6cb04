"""Where a cell is: the areas of an authority, and which children a cell is about."""

from collections.abc import Mapping
from dataclasses import dataclass

from panel.insight.core.changes import AreaChange, counted_as, hidden_groups, hidden_wards
from panel.insight.core.words import Level, Period, Span


@dataclass(frozen=True, slots=True)
class Grid:
    """The areas of an authority, as they stand in a term."""

    clusters: Mapping[str, str]
    """Ward → its cluster. Codes of wards and clusters differ."""
    least_known: int = 30
    """Published children known that a ward needs for tables of its own. Not under 20."""
    changes: tuple[AreaChange, ...] = ()
    """Wards that became others, by the term from which it holds."""

    def __post_init__(self) -> None:
        """ValueError: a gate under 20, or a code that is a ward's and a cluster's."""
        if self.least_known < 20:
            raise ValueError("A ward needs at least 20 children for tables of its own")
        if not set(self.clusters).isdisjoint(self.clusters.values()):
            raise ValueError("A ward and a cluster have the same code")

    def areas(self, level: Level) -> tuple[str, ...]:
        """The codes of a level, in order; of the authority none, since it is "*"."""
        if level is Level.AUTHORITY:
            return ()
        return tuple(sorted(set(self.clusters if level is Level.WARD else self.clusters.values())))

    def area_of(self, ward: str, level: Level, period: Period) -> str | None:
        """The one area of a level in which whoever has a ward's code counts in a term."""
        now = counted_as(self.changes, period).get(ward, ward)
        group = self.clusters.get(now)
        return group if group is None or level is Level.CLUSTER else now

    def hidden(self, level: Level, span: Span, period: Period) -> frozenset[str]:
        """The areas that have no figures in a table because wards changed: of terms alone."""
        if level is Level.WARD:
            return hidden_wards(self.changes, span, period)
        if level is Level.CLUSTER:
            return hidden_groups(self.changes, self.clusters, period)
        return frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    """Which children a cell is about, whatever table shows it: dimensions that are "*" left out."""

    universe: str
    """The fact and what of it counts."""
    span: Span
    period: Period
    of: tuple[tuple[str, str], ...]
    """Dimensions and codes, sorted by dimension."""
