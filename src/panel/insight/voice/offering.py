"""Offering the survey: once to each of the family who got the notes of a meeting. Scheduled work.

The notes decide whom to ask: whoever was sent them knows of the meeting, and nobody is told of one
by being asked. Notes of a review are notes of a meeting too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from panel.insight.voice.models import Survey
from panel.insight.voice.rules import OPEN_FOR, occasion_of
from panel.platform.read_models import rows_of
from panel.platform.tables import today_of

AT_ONCE = 500
"""Offers of one run; what is left is the next run's."""

# Process facts alone: whose notes of which meeting went out, and why the child was on its agenda.
_DUE = """
SELECT DISTINCT n.child_id, d.person_id, n.meeting_id, i.why
  FROM note_delivery d
  JOIN family_note n ON n.id = d.note_id AND n.state = 'signed_off'
  JOIN agenda_item i ON i.meeting_id = n.meeting_id AND i.child_id = n.child_id
   AND i.discussed_at IS NOT NULL
 WHERE d.state IN ('sent', 'opened') AND COALESCE(d.sent_at, d.opened_at) >= %(since)s
   AND NOT EXISTS (SELECT FROM survey s WHERE s.meeting_id = n.meeting_id
    AND s.child_id = n.child_id AND s.person_id = d.person_id)
   AND NOT EXISTS (SELECT FROM processing_restriction x WHERE x.child_id = n.child_id
    AND x.ended_on IS NULL)
   AND NOT EXISTS (SELECT FROM data_key k WHERE k.holder_id = n.child_id AND k.wrapped IS NULL)
 ORDER BY n.child_id, n.meeting_id, d.person_id LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Due:
    """Somebody who is to be asked, and after what."""

    child_id: UUID
    person_id: UUID
    meeting_id: UUID
    why: str
    """Why the child was on the agenda (`panels.models.WHY_TODAY`)."""


async def due(session: AsyncSession, today: date) -> Sequence[Due]:
    """Who got notes in the last weeks and was not asked yet, in the order of children."""
    rows = await rows_of(session, _DUE, {"since": today - OPEN_FOR, "most": AT_ONCE})
    return [Due(*row) for row in rows]


async def offer(session: AsyncSession) -> int:
    """Offer the survey to whoever is to be asked; how many offers. Done again it offers nothing."""
    today = today_of(session)
    offers = [
        Survey(
            child_id=one.child_id,
            person_id=one.person_id,
            meeting_id=one.meeting_id,
            occasion=occasion_of(one.why).value,
            offered_on=today,
        )
        for one in await due(session, today)
    ]
    session.add_all(offers)
    await session.flush()
    return len(offers)


async def offer_surveys(session: AsyncSession, _slot: datetime) -> None:
    """The job."""
    await offer(session)
