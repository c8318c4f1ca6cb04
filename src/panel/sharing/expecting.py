"""An agency that needs to know in the future is offered access when its day comes.

On the day a request opens on its behalf, once, and the coordinator or the lead professional asks
the family. Source: DOMAIN.md, "CONTACTS"; "Agreement and the law": a new agency needs a new
agreement.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose, Viewer, ViewerKind
from panel.accounts.models import Agency
from panel.records.child_scoped import JOB
from panel.records.gate import Access, Gate
from panel.records.who_leads import HOLDS_TODAY
from panel.sharing.answering import ask_for_agency
from panel.sharing.reading import decision_for, state_of_child

OFFERED = (Category.NETWORK, Category.PLAN)
"""Basic information without the address; whoever works with a child knows who that is."""
EXPECTED_NOW = "It was expected to work with the child from this day."
_LOOKING = "asked the family for an agency that was expected"


@dataclass(frozen=True, slots=True)
class _Due:
    involvement_id: UUID
    child_id: UUID
    agency_id: UUID
    asker_id: UUID


# Whoever is to begin, or wrote the agency down, or holds the plan, or runs the child's panel: a
# request has a worker who asks. Claimed in the statement, so that it is offered once.
_CLAIM = """
UPDATE involvement i SET offered_access_on = :today
FROM (
  SELECT v.id, COALESCE(v.worker_id,
    (SELECT w.id FROM worker w WHERE w.id = v.created_by),
    (SELECT l.worker_id FROM lead_professional l
      WHERE l.child_id = v.child_id AND {holds_today} LIMIT 1),
    (SELECT r.worker_id FROM referral f JOIN worker_role r ON r.panel_id = f.panel_id
      WHERE f.child_id = v.child_id AND r.role = 'coordinator'
        AND (r.until_on IS NULL OR r.until_on >= :today)
      ORDER BY f.referred_on DESC, r.worker_id LIMIT 1)) AS asker_id
  FROM involvement v
  WHERE v.offered_access_on IS NULL AND v.from_on IS NULL AND v.expected_from_on <= :today
    AND (v.until_on IS NULL OR v.until_on >= :today)
  FOR UPDATE OF v SKIP LOCKED
) due
WHERE i.id = due.id AND i.offered_access_on IS NULL AND due.asker_id IS NOT NULL
RETURNING i.id, i.child_id, i.agency_id, due.asker_id
"""


async def offer_access_to_expected(session: AsyncSession, gate: Gate, today: date) -> int:
    """Open a request for each expected agency whose day has come; for a job, in its transaction.

    What the agency would see already is not asked for. Returns how many agencies were looked at.
    """
    found = await session.execute(
        text(_CLAIM.replace("{holds_today}", HOLDS_TODAY)), {"today": today}
    )
    due = [_Due(*row) for row in found.all()]
    viewer = Viewer(JOB, ViewerKind.JOB)
    opened = await gate.open_here(
        session, dict.fromkeys(one.child_id for one in due), viewer, Purpose.SUPPORT, _LOOKING
    )
    for one in due:
        if (access := opened.get(one.child_id)) is not None:
            await _offer(access, one)
    return len(due)


async def _offer(access: Access, due: _Due) -> None:
    agency = await access.session.get_one(Agency, due.agency_id)
    state = await state_of_child(access)
    asked = []
    for category in OFFERED:
        decision = decision_for(access.at, state, agency, due.asker_id, Purpose.SUPPORT, category)
        if not (decision.permitted or decision.silent):
            asked.append(category)
    await ask_for_agency(
        access,
        due.agency_id,
        asked,
        EXPECTED_NOW,
        Purpose.SUPPORT,
        asker=due.asker_id,
        involvement_id=due.involvement_id,
    )
