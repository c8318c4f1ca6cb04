"""Packages that go on into a year are promised its money as soon as that year has a pot.

A package is promised out of the pots that there are when it is signed. Without this, a pot that is
opened later would show as free what those packages need, and it would be promised twice.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.allocation.package_models import Package
from panel.allocation.packages import settle
from panel.platform.problems import Invalid
from panel.platform.tables import today_of
from panel.platform.tenancy import load_keys

NOT_PROMISED_YET = text(
    """
SELECT DISTINCT p.id, p.child_id
  FROM package p
  JOIN funding_share s ON s.package_id = p.id
  JOIN pot former ON former.id = s.pot_id
  JOIN pot q ON q.name = former.name AND q.kind = former.kind
   AND q.agency_id = former.agency_id
   AND q.financial_year > former.financial_year
 CROSS JOIN LATERAL (SELECT make_date(left(q.financial_year, 4)::int, 4, 1) AS first) y
 WHERE p.state = 'active'
   AND (p.until_on IS NULL OR p.until_on >= y.first)
   AND s.from_on <= y.first AND (s.until_on IS NULL OR s.until_on > y.first)
   AND y.first + interval '1 year' > :today
   AND NOT EXISTS (SELECT FROM pot_entry e WHERE e.pot_id = q.id AND e.package_id = p.id)
 ORDER BY p.id
"""
)


@dataclass(frozen=True, slots=True)
class _Reached:
    session: AsyncSession
    child_id: UUID
    today: date


async def promise_out_of_new_pots(session: AsyncSession) -> int:
    """Promise what running packages cost in years that have got a pot; how many were.

    Within scheduled work. A package for which a pot has not enough waits until it has.
    """
    today = today_of(session)
    waiting = (await session.execute(NOT_PROMISED_YET, {"today": today})).all()
    done = 0
    for package_id, child_id in waiting:
        await load_keys(session, {child_id})
        try:
            async with session.begin_nested():
                row = await session.get(Package, package_id, with_for_update={"skip_locked": True})
                if row is None or row.state != "active":
                    continue
                await settle(_Reached(session, child_id, today), row)
        except Invalid:
            # Whoever changes or bills the package is told what is left.
            continue
        done += 1
    return done
