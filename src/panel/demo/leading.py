"""Who leads for the invented children: somebody is away and covered, somebody hands over.

Through the services, as those who do it. The same seed and children give the same story.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from panel.accounts.service import SignedIn
from panel.demo.crew import Crew, crew_of_the_past
from panel.demo.safeguards import Written, Year
from panel.plans.covering import accept_cover, ask_for_cover
from panel.plans.leads import Candidate, FamilySays, Terms, accept_offer, candidates, offer_lead
from panel.plans.suggesting import note_wish
from panel.platform.problems import Invalid
from panel.platform.tenancy import Tenant

MOST_TRIED = 9
AWAY = timedelta(days=9)
TOGETHER = timedelta(days=14)
HANDED_OVER = "Tuesday mornings suit best. Ring before you come; the little one sleeps until ten."
FAMILY_SAYS = "We know her from the group. That is fine with us."
WOULD_LIKE = "Somebody who has met us before, please."
_LED = """
SELECT child_id, worker_id FROM lead_professional
 WHERE state = 'accepted' AND from_on <= :today AND child_id = ANY(:children)
"""


async def write_leads(tenant: Tenant, year: Year, *, seed: int) -> None:
    """Of the children whom somebody leads for: one cover, one handover with days together."""
    crew = await crew_of_the_past(tenant, seed)
    usual = [one for one in year.children if one.story.shape == "usual"]
    led = await _led(crew, usual)
    # The last ones: the first are the personas' own, and are shown as they are.
    stories = iter([one for one in reversed(usual) if one.child_id in led][:MOST_TRIED])
    for tell in (_is_covered, _is_handed_over, _would_like):
        for one in stories:
            lead = crew.worker(led[one.child_id])
            if lead is not None and await tell(crew, one, lead):
                break


async def _led(crew: Crew, children: Sequence[Written]) -> dict[UUID, UUID]:
    async with crew.as_job() as (session, _):
        found = await session.execute(
            text(_LED),
            {"children": [one.child_id for one in children], "today": crew.today},
        )
        return {row.child_id: row.worker_id for row in found}


async def _other(crew: Crew, one: Written, lead: SignedIn) -> tuple[Candidate, SignedIn] | None:
    """Somebody else who could, the team first."""
    async with crew.opened(one.child_id, lead, "read who holds the plan") as access:
        people = await candidates(access)
    for could in people:
        who = crew.worker(could.worker_id)
        if who is not None and could.worker_id != lead.viewer.id and could.leaves_on is None:
            return could, who
    return None


async def _is_covered(crew: Crew, one: Written, lead: SignedIn) -> bool:
    """The lead professional is away from today, and somebody agreed to cover."""
    found = await _other(crew, one, lead)
    if found is None:
        return False
    _, who = found
    async with crew.opened(one.child_id, lead, "asked somebody to cover") as access:
        try:
            cover = await ask_for_cover(access, who.viewer.id, crew.today, crew.today + AWAY)
        except Invalid:
            return False
        cover_id = cover.id
    async with crew.opened(one.child_id, who, "agreed to cover") as access:
        await accept_cover(access, cover_id)
    return True


async def _is_handed_over(crew: Crew, one: Written, lead: SignedIn) -> bool:
    """The plan changes hands with a note and two weeks together; the family said what it thinks."""
    found = await _other(crew, one, lead)
    if found is None:
        return False
    _, who = found
    terms = Terms(
        note=HANDED_OVER,
        joint_until=crew.today + TOGETHER,
        family=FamilySays.SAID,
        family_words=FAMILY_SAYS,
    )
    async with crew.opened(one.child_id, lead, "offered to hand the plan over") as access:
        try:
            offer = await offer_lead(access, who.viewer.id, terms)
        except Invalid:
            return False
        offer_id = offer.id
    async with crew.opened(one.child_id, who, "became lead professional") as access:
        await accept_offer(access, offer_id)
    return True


async def _would_like(crew: Crew, one: Written, lead: SignedIn) -> bool:
    """The family said whom it would like."""
    found = await _other(crew, one, lead)
    async with crew.opened(one.child_id, lead, "wrote down whom the family would like") as access:
        await note_wish(
            access,
            worker_id=None if found is None else found[0].worker_id,
            said_on=crew.today,
            said_by="her mother",
            words=WOULD_LIKE,
        )
    return True
