"""Published releases as pages, files and the API read them: what stands in the ledger, and no more.

Nothing here reaches a record, a fact or a true count: what is not in a release cannot be shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.insight.core.cells import Cell, Note
from panel.insight.core.words import Period, period_words
from panel.insight.core.written import changes_from
from panel.insight.release_models import PublishedCell, PublishedRelease
from panel.insight.saying import Areas
from panel.register.models import Area

NO_BOUNDARY = "null"
"""As JSON says it: an area of which the name alone is known."""
WITHOUT_FIGURES = (Note.NO_DATA, Note.ONCE)
"""Notes of tables that have no figures at all in a release."""


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
    earlier: Mapping[str, Head] = field(default_factory=dict)
    """Tables whose cells are of an earlier release than `head`, and of which."""

    def of(self, key: str) -> tuple[Cell, ...]:
        """The cells of a table; none where the release does not hold it."""
        return self.cells.get(key, ())

    def holds(self, key: str) -> bool:
        """Whether the release has figures of this table for its term."""
        return any(one.note not in WITHOUT_FIGURES for one in self.of(key))

    def head_of(self, key: str) -> Head:
        """The release that the cells of a table are of."""
        return self.earlier.get(key, self.head)


async def heads(session: AsyncSession) -> tuple[Head, ...]:
    """All releases, the newest first."""
    found = await session.execute(
        select(
            PublishedRelease.number,
            PublishedRelease.period,
            PublishedRelease.made_at,
        ).order_by(PublishedRelease.number.desc())
    )
    return tuple(Head(number, Period(period), made_at) for number, period, made_at in found)


async def held(session: AsyncSession, head: Head) -> frozenset[str]:
    """The keys of the tables of which a release has figures."""
    found = await session.execute(
        _cells_of(head, PublishedCell.table_key)
        .where(PublishedCell.note.not_in(WITHOUT_FIGURES))
        .distinct()
    )
    return frozenset(found.scalars())


async def look(session: AsyncSession, head: Head, keys: Sequence[str]) -> Seen:
    """A release with these tables, and with its areas as they are called today."""
    found: dict[str, list[Cell]] = {}
    if keys:
        asked = _cells_of(
            head,
            PublishedCell.table_key,
            PublishedCell.cell,
            PublishedCell.value,
            PublishedCell.note,
        ).where(PublishedCell.table_key.in_(keys))
        for key, cell, value, note in await session.execute(asked):
            found.setdefault(key, []).append(Cell(tuple(cell), value, Note(note)))
    areas = [
        (code, name, said)
        for code, name, said in await session.execute(
            select(Area.id, Area.name, cast(Area.boundary, Text))
        )
    ]
    return Seen(
        head,
        {key: tuple(cells) for key, cells in found.items()},
        _called({code: name for code, name, _ in areas}, await methods_of(session, head)),
        tuple(sorted((code, said) for code, _, said in areas if said not in {None, NO_BOUNDARY})),
    )


async def look_back(session: AsyncSession, published: Sequence[Head], seen: Seen) -> Seen:
    """With the tables that this release leaves out because they come out once in three terms, out
    of the newest before it that has them. `published`: all releases, the newest first."""
    cells, earlier = dict(seen.cells), dict(seen.earlier)
    left = {key for key, those in cells.items() if any(one.note is Note.ONCE for one in those)}
    for head in published:
        if left and head.number < seen.head.number:
            before = await look(session, head, sorted(left))
            found = {key for key in left if before.holds(key)}
            cells |= {key: before.of(key) for key in found}
            earlier |= dict.fromkeys(found, head)
            left -= found
    return replace(seen, cells=cells, earlier=earlier)


def _called(names: Mapping[str, str], methods: Mapping[str, Any]) -> Areas:
    """What areas are called, with the groups of wards and the changes that a release published."""
    return Areas.of(names, methods.get("clusters", {}), changes_from(methods))


async def methods_of(session: AsyncSession, head: Head) -> Mapping[str, Any]:
    """The rules by which the figures of a release were changed, as published with it."""
    found = await session.execute(
        select(PublishedRelease.methods).where(PublishedRelease.number == head.number)
    )
    said: Mapping[str, Any] = found.scalar_one()
    return said


def _cells_of(head: Head, *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .join(PublishedRelease, PublishedRelease.id == PublishedCell.release_id)
        .where(PublishedRelease.number == head.number)
    )
