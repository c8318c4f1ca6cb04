"""Meetings and minutes as a family's first page leads to them, and where the child is."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from consent import Category
from panel.impact.answers import own_minutes
from panel.impact.family_pages import ANSWERS, STATES, meeting_path
from panel.impact.meetings import OPEN
from panel.impact.minutes_pages import family_path
from panel.impact.models import ImpactInvitation, ImpactMeeting, MinutesAnswer
from panel.impact.rules import Kind
from panel.impact.steps import step_now
from panel.platform.clock import day_of
from panel.records.family_asks import FamilyAsk
from panel.records.gate import Access
from panel.web import words

KEPT_IN_SIGHT = 3
"""Meetings that are over and minutes that the first page leads to."""


async def meetings_for_family(access: Access) -> Sequence[FamilyAsk]:
    """What is to come first, then minutes, then what is over."""
    rows = await access.session.execute(
        select(ImpactMeeting, ImpactInvitation)
        .join(ImpactInvitation, ImpactInvitation.meeting_id == ImpactMeeting.id)
        .where(
            ImpactMeeting.child_id == access.child_id,
            ImpactInvitation.person_id == access.viewer.id,
            ImpactInvitation.taken_back_at.is_(None),
        )
        .order_by(ImpactMeeting.held_on.desc(), ImpactMeeting.id)
        .limit(20)
    )
    found = [(row, invitation) for row, invitation in rows]
    coming = [one for one in found if one[0].state in OPEN]
    over = [one for one in found if one[0].state not in OPEN]
    return [
        *(_meeting(*one, access.today) for one in reversed(coming)),
        *await _minutes(access),
        *(_meeting(*one, access.today) for one in over[:KEPT_IN_SIGHT]),
    ]


def _meeting(row: ImpactMeeting, invitation: ImpactInvitation, today: date) -> FamilyAsk:
    is_open = row.state in OPEN
    more = STATES[row.state]
    if is_open:
        more = f"{more} {ANSWERS[invitation.answer]}"
    return FamilyAsk(
        title=f"Meeting on {words.day(row.held_on)}",
        more=more,
        href=meeting_path(row.child_id, row.id),
        is_new=is_open and invitation.answer == "waiting",
        on=row.held_on if row.state == "called" and row.held_on >= today else None,
    )


async def _minutes(access: Access) -> list[FamilyAsk]:
    own = (await own_minutes(access))[:KEPT_IN_SIGHT]
    signed = await _signed(access) if own else {}
    return [
        FamilyAsk(
            title=f"Minutes of the meeting on {words.day(one.held_on)}",
            more=_minutes_words(signed.get(one.id)),
            href=family_path(one.child_id, one.id),
            is_new=one.is_new,
        )
        for one in own
    ]


def _minutes_words(signed_at: datetime | None) -> str:
    if signed_at is not None:
        return f"You signed them on {words.short_day(day_of(signed_at))}."
    return "You can read them, say what you think, sign them and keep a copy."


async def _signed(access: Access) -> dict[UUID, datetime]:
    """When this person signed which minutes."""
    rows = await access.session.execute(
        select(MinutesAnswer.minutes_id, MinutesAnswer.signed_at).where(
            MinutesAnswer.child_id == access.child_id,
            MinutesAnswer.person_id == access.viewer.id,
            MinutesAnswer.signed_at.is_not(None),
        )
    )
    return {minutes: at for minutes, at in rows if at is not None}


async def where_words(access: Access) -> str:
    """Where the child is in the process, as a family reads it.

    Empty in CONTACTS, nowhere, and for who may not know: as in the chronology.
    """
    row = await step_now(access)
    if row is None or row.kind == Kind.CONTACTS:
        return ""
    if not access.may(Category.SOCIAL_CARE if row.kind == Kind.SOCIAL_CARE else Category.PANEL):
        return ""
    since = words.short_day(row.from_on)
    if row.kind == Kind.IMPACT:
        return f"Since {since} the people who help meet with you (IMPACT). Nothing was stopped."
    return f"Since {since} social care works with you. Nothing was stopped."
