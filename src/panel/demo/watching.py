"""What comes for the invented children, and what the nightly watch finds, as of today.

Lead professionals prepare some of the changes; one is handed over, one is not needed. Through the
services, as those who do it. The same seed and children give the same story.
"""

from uuid import UUID

from sqlalchemy import text

from panel.accounts.service import SignedIn
from panel.casework.transition_rules import LEAVING_CONTACTS_AT, TransitionKind
from panel.casework.transitions import (
    Preparing,
    TransitionReading,
    finish,
    hand_over,
    prepare,
    transitions_of,
)
from panel.casework.watch import find_transitions, watch
from panel.demo.crew import Crew, crew_of_the_past
from panel.platform.tenancy import Tenant

MOST_TOLD = 8
PREPARING = "prepared a change"
PLANS = {
    TransitionKind.NURSERY: "Two short visits with a parent, then three mornings a week. The"
    " nursery has the feeding plan and knows whom to ring.",
    TransitionKind.RECEPTION: "The school visits at home in June. The frame and the chair are"
    " there on the first day; the helper has met the family.",
    TransitionKind.LEAVING_CONTACTS: "The school's own meetings go on with the plan. The family"
    " knows who asks whom from then on.",
}
USUAL = "The family says what must not be lost. Both sides meet once before the day."
NOT_NEEDED = "The family has arranged it with the school already."
_LED = """
SELECT DISTINCT ON (c.reference) t.child_id, l.worker_id, c.reference
  FROM transition t JOIN child c ON c.id = t.child_id
  JOIN lead_professional l ON l.child_id = t.child_id AND l.state = 'accepted'
   AND l.from_on <= :today
 WHERE t.state = 'watched' ORDER BY c.reference, l.from_on LIMIT :most
"""
_SCHOOL = "SELECT id FROM agency WHERE kind IN ('education', 'school') ORDER BY key LIMIT 1"


async def write_changes(tenant: Tenant, seed: int) -> None:
    """Find the changes, prepare some of them, and look who lacks a next step."""
    crew = await crew_of_the_past(tenant, seed)
    crew.at(crew.today, 5)
    async with crew.as_job() as (session, _):
        await find_transitions(session, crew.today, LEAVING_CONTACTS_AT)
        found = await session.execute(text(_LED), {"today": crew.today, "most": MOST_TOLD})
        led = [(row.child_id, row.worker_id) for row in found]
        school = (await session.execute(text(_SCHOOL))).scalar_one_or_none()
    for place, (child, worker) in enumerate(led):
        lead = crew.worker(worker)
        if lead is not None:
            await _prepared(crew, child, lead, school, place)
    async with crew.as_job() as (session, _):
        await watch(session, crew.today)


async def _prepared(
    crew: Crew, child: UUID, lead: SignedIn, school: UUID | None, place: int
) -> None:
    async with crew.opened(child, lead, PREPARING) as access:
        if not access.may_write:
            return
        one = next((each for each in (await transitions_of(access)).shown if each.is_open), None)
        if one is None:
            return
        if place == MOST_TOLD - 1:
            await finish(access, one.id, one.version, "not_needed", NOT_NEEDED)
            return
        row = await prepare(access, one.id, one.version, _said(one, lead, school, place))
        if place == 1 and school is not None:
            await hand_over(access, one.id, row.version)


def _said(one: TransitionReading, lead: SignedIn, school: UUID | None, place: int) -> Preparing:
    # Every third has nobody to receive the child yet: the watch says so.
    receiving = None if place % 3 == 2 else school
    return Preparing(lead.viewer.id, receiving, PLANS.get(one.kind, USUAL))
