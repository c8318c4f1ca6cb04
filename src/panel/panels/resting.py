"""Reviews that rest while a child is in IMPACT or with social care, and go on after it.

Nothing is closed by it: the child stays before the panel, on no agenda, and whoever runs the panel
reads since when. Source: DOMAIN.md, "Words" (step up, step down).
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.panels.calendar import meeting_on, panel_rhythm, settings_of
from panel.panels.models import Panel, Referral
from panel.panels.rules import next_review_meeting
from panel.platform.tables import NOW, VIEWER, today_of
from panel.web import words


async def _before_contacts(
    session: AsyncSession, child_id: UUID
) -> Sequence[tuple[Referral, Panel]]:
    """The child's open referrals to CONTACTS panels, kept from others until the end."""
    rows = await session.execute(
        select(Referral, Panel)
        .join(Panel, Panel.id == Referral.panel_id)
        .where(Referral.child_id == child_id, Referral.state != "closed", Panel.kind == "contacts")
        .order_by(Referral.id)
        .with_for_update(of=Referral)
    )
    return [(referral, panel) for referral, panel in rows]


async def rest_reviews(session: AsyncSession, child_id: UUID, from_on: date) -> None:
    """The child is on no agenda of CONTACTS from a day on."""
    for referral, _panel in await _before_contacts(session, child_id):
        if referral.rests_from is None:
            referral.rests_from = from_on
    await session.flush()


_ELSEWHERE = text(
    "SELECT s.from_on FROM episode_step s WHERE s.episode_id = :episode AND s.until_on IS NULL"
    " AND s.kind <> 'contacts' LIMIT 1"
)


async def rest_where_elsewhere(session: AsyncSession, referral: Referral, episode_id: UUID) -> None:
    """A child who is referred while in IMPACT or with social care rests at once, from today."""
    panel = await session.get_one(Panel, referral.panel_id)
    if panel.kind != "contacts" or referral.rests_from is not None:
        return
    if await session.scalar(_ELSEWHERE, {"episode": episode_id}) is not None:
        referral.rests_from = today_of(session)
        await session.flush()


async def resume_reviews(session: AsyncSession, child_id: UUID, on: date) -> date | None:
    """CONTACTS goes on with the child from a day; returns by when the next review is due.

    The clock begins again on that day: the review is placed in the last meeting on or before so
    many calendar months after it (DOMAIN.md, CONTACTS). A child whom the panel never talked about
    is new there, as before. None where no panel has talked about the child.
    """
    due: list[date] = []
    for referral, panel in await _before_contacts(session, child_id):
        if referral.rests_from is None:
            continue
        referral.rests_from = None
        if referral.last_discussed_on is None:
            continue
        rhythm = await panel_rhythm(session, panel)
        place = next_review_meeting(on, rhythm.all_dates, settings_of(panel).review_months)
        referral.next_review_by = place.due_by
        referral.review_meeting_id = (
            None if place.meeting is None else (await meeting_on(session, panel, place.meeting)).id
        )
        due.append(place.due_by)
    await session.flush()
    return min(due, default=None)


_RESTING = text(
    "SELECT count(*) FROM child_access a JOIN referral f ON f.child_id = a.child_id"
    " WHERE a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now"
    " AND f.panel_id = :panel AND f.state <> 'closed' AND f.rests_from IS NOT NULL"
)


async def how_many_rest(session: AsyncSession, panel_id: UUID) -> int:
    """How many children before a panel rest; from process facts alone."""
    found = await session.execute(
        _RESTING,
        {"viewer": session.info[VIEWER], "now": session.info[NOW], "panel": panel_id},
    )
    return int(found.scalar_one())


def rests_words(since: date) -> str:
    """Why a child is on no agenda."""
    return f"Reviews rest since {words.short_day(since)}: in IMPACT, or with social care"
