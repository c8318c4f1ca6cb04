"""On which days who leads: whoever holds the plan, or whoever covers; and the days without anybody.

The rule, as a fact of the database: from the first day on which somebody held a child's plan, each
day of an open episode has somebody who holds it and who works here on that day. Dates are
Europe/London dates, from and until inclusive. Process facts alone. Source: DOMAIN.md, "Words"
(lead professional).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.plans.models import LeadCover, LeadProfessional

A_DAY = timedelta(days=1)
HELD = ("accepted", "ended")
"""The states of a stretch in which somebody led."""


@dataclass(frozen=True, slots=True)
class LeadOn:
    """Who leads for a child on a day."""

    child_id: UUID
    worker_id: UUID
    """Whoever is to be rung on that day: who covers, else who holds the plan."""
    agency_id: UUID
    lead_id: UUID
    """The stretch in which the plan is held."""
    holder_id: UUID
    """Who holds the plan."""
    from_on: date
    """Since when they hold it."""
    covers_until: date | None
    """The last day of the cover; None where nobody covers."""


# A cover counts only while who covers works here: then whoever holds the plan is rung again.
_ON = """
SELECT l.child_id, l.id AS lead_id, l.worker_id AS holder_id, l.from_on,
  COALESCE(c.worker_id, l.worker_id) AS worker_id, COALESCE(c.agency_id, l.agency_id) AS agency_id,
  c.until_on AS covers_until
FROM lead_professional l JOIN worker w ON w.id = l.worker_id
LEFT JOIN LATERAL (SELECT v.worker_id, v.agency_id, v.until_on
  FROM lead_cover v JOIN worker o ON o.id = v.worker_id
  WHERE v.lead_id = l.id AND v.state IN ('accepted', 'ended') AND v.from_on <= :day
    AND v.until_on >= :day AND (o.until_on IS NULL OR o.until_on >= :day)
  ORDER BY v.from_on DESC, v.id DESC LIMIT 1) c ON true
WHERE l.child_id = ANY(:children) AND l.role = 'main' AND l.state IN ('accepted', 'ended')
  AND l.from_on <= :day AND (l.until_on IS NULL OR l.until_on >= :day)
  AND (w.until_on IS NULL OR w.until_on >= :day)
"""


async def leads_on(
    session: AsyncSession, child_ids: Iterable[UUID], day: date
) -> dict[UUID, LeadOn]:
    """Who leads for each child on a day; a child for whom nobody does is absent."""
    rows = await session.execute(text(_ON), {"children": list(child_ids), "day": day})
    return {
        row.child_id: LeadOn(
            row.child_id,
            row.worker_id,
            row.agency_id,
            row.lead_id,
            row.holder_id,
            row.from_on,
            row.covers_until,
        )
        for row in rows
    }


async def lead_on(session: AsyncSession, child_id: UUID, day: date) -> LeadOn | None:
    """Who leads for a child on a day, or None where nobody does."""
    return (await leads_on(session, [child_id], day)).get(child_id)


@dataclass(frozen=True, slots=True)
class WithoutLead:
    """Days in a row on which an open case had nobody who led; both included."""

    child_id: UUID
    from_on: date
    until_on: date


DAYS_WITHOUT_LEAD = """
WITH first_held AS (
  SELECT child_id, min(from_on) AS day FROM lead_professional
   WHERE role = 'main' AND state IN ('accepted', 'ended') GROUP BY child_id
), needed AS (
  SELECT e.child_id, range_agg(daterange(
      GREATEST(e.opened_on, f.day), LEAST(e.closed_on, CAST(:day AS date)), '[]')) AS days
    FROM episode e JOIN first_held f ON f.child_id = e.child_id
   WHERE GREATEST(e.opened_on, f.day) <= LEAST(e.closed_on, CAST(:day AS date))
   GROUP BY e.child_id
), rested AS (
  -- A case that was closed and goes on was closed on the days between.
  SELECT child_id, range_agg(daterange(closed_on + 1, again_on, '[)')) AS days FROM (
    SELECT child_id, CAST(from_code AS date) AS closed_on,
        (created_at AT TIME ZONE 'Europe/London')::date AS again_on
      FROM record_change
     WHERE what = 'episode.closed_on' AND from_code IS NOT NULL AND to_code IS NULL) c
   WHERE again_on > closed_on GROUP BY child_id
), held AS (
  SELECT l.child_id, range_agg(daterange(l.from_on, LEAST(l.until_on, w.until_on), '[]')) AS days
    FROM lead_professional l JOIN worker w ON w.id = l.worker_id
   WHERE l.role = 'main' AND l.state IN ('accepted', 'ended')
     AND l.from_on <= COALESCE(LEAST(l.until_on, w.until_on), l.from_on)
   GROUP BY l.child_id
)
SELECT child_id, lower(gap) AS from_on, upper(gap) - 1 AS until_on FROM (
  SELECT n.child_id, unnest(n.days - COALESCE(h.days, '{}'::datemultirange)
      - COALESCE(r.days, '{}'::datemultirange)) AS gap
    FROM needed n LEFT JOIN held h ON h.child_id = n.child_id
    LEFT JOIN rested r ON r.child_id = n.child_id) s
ORDER BY child_id, from_on
"""
"""Every stretch of days, up to `:day`, on which an open case had no lead professional.

For scheduled work, which reaches every child: one pass over episodes and stretches.
"""


async def days_without_lead(session: AsyncSession, day: date) -> Sequence[WithoutLead]:
    """The days up to `day` on which an open case had nobody; by child, then by day."""
    found = await session.execute(text(DAYS_WITHOUT_LEAD), {"day": day})
    return [WithoutLead(row.child_id, row.from_on, row.until_on) for row in found]


# What ends with a stretch -------------------------------------------------------------------------


async def end_covers(session: AsyncSession, lead_id: UUID, last_day: date) -> None:
    """Whoever covers covers nobody once the stretch has ended: the next one holds the plan."""
    for cover in await _covers(session, LeadCover.lead_id == lead_id, last_day):
        cut_cover(cover, last_day)


async def covers_by(session: AsyncSession, worker_id: UUID, last_day: date) -> list[LeadCover]:
    """Covers that a worker gives or is asked for after a day."""
    return await _covers(session, LeadCover.worker_id == worker_id, last_day)


async def _covers(
    session: AsyncSession, whose: ColumnElement[bool], last_day: date
) -> list[LeadCover]:
    found = await session.scalars(
        select(LeadCover)
        .where(whose, LeadCover.state.in_(("offered", *HELD)), LeadCover.until_on > last_day)
        .order_by(LeadCover.child_id, LeadCover.from_on, LeadCover.id)
        .execution_options(populate_existing=True)
    )
    return list(found)


def cut_cover(cover: LeadCover, last_day: date) -> None:
    """End a cover with a day; one that is still to come, or not answered, never begins."""
    if cover.from_on > last_day or cover.state == "offered":
        cover.state = "withdrawn"
    else:
        cover.state, cover.until_on = "ended", last_day


async def end_joint(session: AsyncSession, child_id: UUID, worker_id: UUID, last_day: date) -> None:
    """Whoever leads beside another no longer does after a day."""
    found = await session.scalars(
        select(LeadProfessional)
        .where(
            LeadProfessional.child_id == child_id,
            LeadProfessional.worker_id == worker_id,
            LeadProfessional.role == "joint",
            LeadProfessional.state.in_(HELD),
            LeadProfessional.until_on > last_day,
        )
        .execution_options(populate_existing=True)
    )
    for beside in found:
        if beside.from_on is None or beside.from_on > last_day:
            beside.state = "withdrawn"
        else:
            beside.until_on = last_day
