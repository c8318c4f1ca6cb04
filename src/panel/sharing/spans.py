"""How long what concerns sharing may wait or last: settings of the authority, with defaults.

Dated and never overwritten: a change counts from its moment on, and the earlier figure stays with
its day. Source of the defaults: DOMAIN.md, "Categories, purposes, defaults" and "Agreement and the
law".
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.service import worker_names
from panel.platform.problems import Conflict
from panel.platform.tables import NOW
from panel.platform.work_tables import Setting

PREFIX = "sharing."
CHANGES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Spans:
    """Days, working days, hours and a number; each is a setting named `sharing.` and the field."""

    remind_days: int = 28
    """Before an agreement ends, and before a young person turns 16 or 18."""
    objection_working_days: int = 5
    """From an objection to its decision."""
    answer_working_days: int = 10
    """From a request for access to its answer; then it lapses to refused."""
    override_hours: int = 24
    """How long a safeguarding override opens what it opens."""
    review_working_days: int = 2
    """From a safeguarding override to its review."""
    follow_up_days: int = 28
    """For which whoever reviews an override reaches the record after one that was not justified.

    `review_tie` in the database reads it too, as it was set when the override was reviewed.
    """
    override_misses: int = 5
    """References a day by which somebody may open nothing: nobody tries out who is known here."""


BOUNDS: Mapping[str, tuple[int, int]] = {
    "remind_days": (1, 730),
    "objection_working_days": (1, 30),
    "answer_working_days": (1, 60),
    "override_hours": (1, 72),
    "review_working_days": (1, 10),
    "follow_up_days": (1, 180),
    "override_misses": (1, 50),
}
"""The least and the most that each may be."""


@dataclass(frozen=True, slots=True)
class SpanChange:
    """One figure that was set."""

    name: str
    was: int
    figure: int
    at: datetime | None
    """From when on; None for one that counted from the beginning."""
    by: str
    source: str


@dataclass(frozen=True, slots=True)
class KeptSpans:
    """The figures now, and how they came to be."""

    now: Spans
    changes: tuple[SpanChange, ...]
    """The newest first."""
    version: int
    """How many were ever set: another one where somebody set one meanwhile."""


_READ = """
SELECT DISTINCT ON (key) key, value FROM setting
WHERE key LIKE 'sharing.%' AND (from_on IS NULL OR from_on <= :now)
ORDER BY key, from_on DESC NULLS LAST, id DESC
"""
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('spans of sharing', 0))")


async def spans(session: AsyncSession) -> Spans:
    """The authority's spans now; a value that is no number within its bounds is left out."""
    found = await session.execute(text(_READ), {"now": session.info[NOW]})
    said = {key.removeprefix(PREFIX): value for key, value in found}
    return replace(Spans(), **{name: value for name, value in said.items() if _may_be(name, value)})


async def kept_spans(session: AsyncSession) -> KeptSpans:
    """The figures now with the last changes, each with who made it and why."""
    now = await spans(session)
    rows = [row for row in await _rows(session) if _may_be(_name(row), row.value)]
    names = await worker_names(session, [row.created_by for row in rows])
    before = {one.name: getattr(Spans(), one.name) for one in fields(Spans)}
    changes = []
    for row in rows:
        name = _name(row)
        by = names.get(row.created_by, "")
        changes.append(SpanChange(name, before[name], row.value, row.from_on, by, row.source))
        before[name] = row.value
    return KeptSpans(now, tuple(reversed(changes[-CHANGES_SHOWN:])), await _version(session))


async def set_spans(session: AsyncSession, wanted: Spans, version: int, source: str) -> None:
    """Set what differs from now on, and why; what was set before stays, with its date.

    What waits already keeps the day it was given, where one was written down. Raises Conflict
    where somebody set one meanwhile.
    """
    await session.execute(_LOCK)
    if await _version(session) != version:
        raise Conflict(())
    now = await spans(session)
    session.add_all(
        Setting(
            key=PREFIX + one.name,
            value=getattr(wanted, one.name),
            from_on=session.info[NOW],
            source=source,
        )
        for one in fields(Spans)
        if getattr(wanted, one.name) != getattr(now, one.name)
    )
    await session.flush()


def _may_be(name: str, value: object) -> bool:
    least, most = BOUNDS.get(name, (1, 0))
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _name(row: Setting) -> str:
    return row.key.removeprefix(PREFIX)


async def _rows(session: AsyncSession) -> list[Setting]:
    found = await session.scalars(
        select(Setting)
        .where(Setting.key.startswith(PREFIX, autoescape=True))
        .order_by(Setting.from_on.nulls_first(), Setting.id)
    )
    return list(found)


async def _version(session: AsyncSession) -> int:
    counted = await session.scalar(
        select(func.count())
        .select_from(Setting)
        .where(Setting.key.startswith(PREFIX, autoescape=True))
    )
    return counted or 0
