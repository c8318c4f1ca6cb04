"""Figures of an authority, such as how long something waits: dated settings, each with a default.

Never overwritten: a change counts from its moment on, and the earlier figure stays with its day and
the reason of the change. One mechanism for every room that has such figures.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.service import worker_names
from panel.platform.problems import Conflict
from panel.platform.tables import NOW
from panel.platform.work_tables import Setting

CHANGES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Figure:
    """One that an authority may set."""

    key: str
    """Of the setting."""
    default: int
    least: int
    most: int

    def may_be(self, value: object) -> bool:
        """Whether a stored value is a number within the bounds."""
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return self.least <= value <= self.most


@dataclass(frozen=True, slots=True)
class FigureChange:
    """One figure that was set."""

    key: str
    was: int
    figure: int
    at: datetime | None
    """From when on; None for one that counted from the beginning."""
    by: str
    source: str


@dataclass(frozen=True, slots=True)
class KeptFigures:
    """The figures now, and how they came to be."""

    now: Mapping[str, int]
    """By key."""
    changes: tuple[FigureChange, ...]
    """The newest first."""
    version: int
    """How many were ever set: another one where somebody set one meanwhile."""


_READ = text(
    "SELECT DISTINCT ON (key) key, value FROM setting"
    " WHERE key = ANY(:keys) AND (from_on IS NULL OR from_on <= :now)"
    " ORDER BY key, from_on DESC NULLS LAST, id DESC"
)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('figures of an authority', 0))")


async def figures(session: AsyncSession, asked: Iterable[Figure]) -> dict[str, int]:
    """The authority's figures now, by key; a value that may not be is left out for the default."""
    known = {one.key: one for one in asked}
    found = await session.execute(_READ, {"keys": list(known), "now": session.info[NOW]})
    said = {key: value for key, value in found if known[key].may_be(value)}
    return {key: said.get(key, one.default) for key, one in known.items()}


async def kept_figures(session: AsyncSession, asked: Iterable[Figure]) -> KeptFigures:
    """The figures now with the last changes, each with who made it and why."""
    known = {one.key: one for one in asked}
    found = await session.scalars(
        select(Setting)
        .where(Setting.key.in_(list(known)))
        .order_by(Setting.from_on.nulls_first(), Setting.id)
    )
    rows = [row for row in found if known[row.key].may_be(row.value)]
    names = await worker_names(session, [row.created_by for row in rows])
    before = {key: one.default for key, one in known.items()}
    changes = []
    for row in rows:
        by = names.get(row.created_by, "")
        was, before[row.key] = before[row.key], row.value
        changes.append(FigureChange(row.key, was, row.value, row.from_on, by, row.source))
    now = await figures(session, known.values())
    version = await _version(session, known)
    return KeptFigures(now, tuple(reversed(changes[-CHANGES_SHOWN:])), version)


async def set_figures(
    session: AsyncSession,
    asked: Iterable[Figure],
    wanted: Mapping[str, int],
    version: int,
    source: str,
) -> None:
    """Set what differs from now on, and why; what was set before stays, with its date.

    What waits already keeps the day it was given, where one was written down. Raises Conflict
    where somebody set one meanwhile.
    """
    known = {one.key: one for one in asked}
    await session.execute(_LOCK)
    if await _version(session, known) != version:
        raise Conflict(())
    now = await figures(session, known.values())
    session.add_all(
        Setting(key=key, value=figure, from_on=session.info[NOW], source=source)
        for key, figure in wanted.items()
        if figure != now[key]
    )
    await session.flush()


async def _version(session: AsyncSession, keys: Iterable[str]) -> int:
    counted = await session.scalar(
        select(func.count()).select_from(Setting).where(Setting.key.in_(list(keys)))
    )
    return counted or 0
