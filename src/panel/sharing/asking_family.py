"""Requests for access as the family answers them: who asks to see what, and why.

Yes and no are choices like any other and settle the request (`choosing`); here is what is read, and
the third answer: to be rung. A request about something that the viewer may not see themselves is
for those who answer for the child, and to somebody from whom anything is kept an agency that asks
would tell where the child is. Source: DOMAIN.md, "Categories, purposes, defaults".
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from consent import Category, Purpose
from panel.accounts.service import agencies
from panel.platform.problems import Gone, NotFound
from panel.records.dates import working_days_after
from panel.records.gate import Access
from panel.sharing.answering import ASKED, purpose_of
from panel.sharing.choices import Voice
from panel.sharing.models import AccessRequest
from panel.sharing.spans import spans


@dataclass(frozen=True, slots=True)
class AskedOfFamily:
    """Somebody asks to see something of a child."""

    id: UUID
    agency_id: UUID
    agency: str
    category: Category
    purpose: Purpose
    reason: str
    due_on: date
    """Unanswered after this day it counts as a no."""
    wants_a_call: bool


async def asked_of_family(access: Access, voice: Voice) -> tuple[AskedOfFamily, ...]:
    """What waits for an answer that the viewer may give, longest first."""
    if voice.capacity is None or voice.kept_from:
        return ()
    found = await access.session.scalars(
        select(AccessRequest)
        .where(AccessRequest.child_id == access.child_id, AccessRequest.state == ASKED)
        .order_by(AccessRequest.asked_on, AccessRequest.id)
    )
    rows = [row for row in found if access.may(Category(row.category))]
    if not rows:
        return ()
    known = {one.id: one.name for one in await agencies(access.session)}
    within = (await spans(access.session)).answer_working_days
    return tuple(
        AskedOfFamily(
            id=row.id,
            agency_id=row.agency_id,
            agency=known[row.agency_id],
            category=Category(row.category),
            purpose=purpose_of(row),
            reason=row.reason,
            due_on=working_days_after(row.asked_on, within),
            wants_a_call=row.ring_asked_at is not None,
        )
        for row in rows
    )


async def asked_purposes(
    access: Access, agency: UUID, categories: frozenset[Category]
) -> frozenset[Purpose]:
    """For what an agency asks to see these: a yes to it is a yes to that."""
    found = await access.session.scalars(
        select(AccessRequest.purpose).where(
            AccessRequest.child_id == access.child_id,
            AccessRequest.agency_id == agency,
            AccessRequest.category.in_([one.value for one in categories]),
            AccessRequest.state == ASKED,
        )
    )
    return frozenset(Purpose(one) for one in found if one is not None)


async def ask_to_be_rung(access: Access, voice: Voice, request_id: UUID) -> None:
    """The family asks to talk about a request first. Raises NotFound, Gone for one answered."""
    if request_id not in {one.id for one in await asked_of_family(access, voice)}:
        row = await access.session.get(AccessRequest, request_id)
        if row is None or row.child_id != access.child_id or voice.capacity is None:
            raise NotFound("There is no such question.")
        if row.state == ASKED:
            raise NotFound("There is no such question.")
        raise Gone("This was answered already.", "Go back and read how it is now.")
    row = await access.session.get_one(AccessRequest, request_id, with_for_update=True)
    if row.ring_asked_at is None:
        row.ring_asked_at = access.at
        await access.session.flush()
