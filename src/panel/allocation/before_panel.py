"""Until when a request is before its panel, and ties the panel's people to the child.

It is before the panel while nobody has decided, or it was deferred; while the family asks again,
the chair's decision waits to be ratified, or a letter has not gone; while a package that answers
it is planned or active; and while a child is placed outside the area by it. Ten working days
after the last of these the tie ends (the setting of the packs: DOMAIN.md, "Categories, purposes,
defaults"). The day stands on the request, where the view `allocation_tie` reads it: a calendar of
working days is no work for a view that is asked for every record.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.allocation.models import ServiceRequest
from panel.panels.calendar import load_calendar, settings_of
from panel.panels.models import Panel
from panel.panels.rules import pack_closes
from panel.platform.tables import today_of
from panel.records.gate import rewrite_access

# The letter that counts is the one about the decision that stands. A copy that cannot go is not
# waited for: who may send it again runs the panel, and is tied by that.
_STANDS = text("""
SELECT q.state <> 'decided'
    OR NOT EXISTS (
      SELECT FROM request_decision d JOIN decision_letter l ON l.decision_id = d.id
       WHERE d.request_id = q.id AND d.stands AND d.kind <> 'deferred'
         AND (NOT d.chairs_action OR d.ratified_at IS NOT NULL)
         AND NOT EXISTS (SELECT FROM letter_copy c WHERE c.letter_id = l.id
                            AND c.sent_at IS NULL AND c.failure IS NULL))
    OR EXISTS (SELECT FROM appeal a WHERE a.request_id = q.id AND a.outcome IS NULL)
    OR EXISTS (SELECT FROM package p WHERE p.child_id = q.child_id AND p.request_id = q.id
                  AND p.state <> 'ended')
    OR (o.ended_on IS NULL AND o.until_on IS NULL AND o.id IS NOT NULL),
  GREATEST(COALESCE(o.ended_on, o.until_on),
    (SELECT max(p.until_on) FROM package p WHERE p.child_id = q.child_id AND p.request_id = q.id))
FROM service_request q
LEFT JOIN outside_placement o ON o.request_id = q.id AND o.is_asked
  AND EXISTS (SELECT FROM request_decision d WHERE d.request_id = q.id AND d.stands
                 AND d.kind IN ('agreed', 'agreed_in_part'))
WHERE q.id = :request
""")


async def keep_tied(session: AsyncSession, request_id: UUID) -> None:
    """Write down until when a request ties its panel's people, after anything that bears on it.

    In the transaction that changed it. A day that stands is left: nothing has come since.
    """
    row = await _held(session, request_id)
    if row is None or row.panel_id is None:
        return
    found = await session.execute(_STANDS, {"request": request_id})
    is_before, last_day = found.one()
    was = row.tie_until
    if is_before:
        row.tie_until = None
    elif was is None:
        today = today_of(session)
        row.tie_until = await _closes(session, row.panel_id, max(today, last_day or today))
    if row.tie_until != was:
        await rewrite_access(session, row.child_id)


async def _held(session: AsyncSession, request_id: UUID) -> ServiceRequest | None:
    await session.flush()
    found: ServiceRequest | None = await session.scalar(
        select(ServiceRequest)
        .where(ServiceRequest.id == request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found


async def _closes(session: AsyncSession, panel_id: UUID, last: date) -> date:
    panel = await session.get_one(Panel, panel_id)
    return pack_closes(last, settings_of(panel).pack_working_days, await load_calendar(session))
