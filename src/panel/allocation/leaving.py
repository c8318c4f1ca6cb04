"""Leaving a waiting list: in one place, whatever the reason. The others move up; the row stays."""

from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.allocation.models import PlaceOffer, Waiting
from panel.allocation.rules import OLDEST, LeftWhy, OfferAnswer, WaitingState
from panel.platform.tables import today_of
from panel.records.dates import months_after
from panel.records.restricted_use import is_use_restricted
from panel.register.models import Child, Episode

STILL = (WaitingState.WAITING.value, WaitingState.OFFERED.value)
_LEFT_BY = {"moved_away": LeftWhy.MOVED, "died": LeftWhy.DIED}
"""What of an episode's end takes a child off every list.

The rest may leave a need unmet: a panel for the youngest ends episodes at its own age limit, and
that does not end what an allocation panel gives.
"""


async def leave_lists(
    session: AsyncSession, request_id: UUID, why: LeftWhy, words: str = ""
) -> None:
    """Take the child of a request off the list that it stands on; an open offer is taken back.

    Nothing happens where it stands on none. `words` are the family's, or how the need is met.
    """
    rows = await session.scalars(
        select(Waiting)
        .where(Waiting.request_id == request_id, Waiting.state.in_(STILL))
        .order_by(Waiting.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    today = today_of(session)
    for row in list(rows):
        offer = await session.scalar(
            select(PlaceOffer)
            .where(PlaceOffer.waiting_id == row.id, PlaceOffer.answer.is_(None))
            .with_for_update()
        )
        if offer is not None:
            refuses = why is LeftWhy.FAMILY
            offer.answer = (OfferAnswer.REFUSED if refuses else OfferAnswer.TAKEN_BACK).value
            offer.answered_on, offer.why = today, words.strip() if refuses else ""
        row.state, row.left_on, row.left_why = WaitingState.LEFT.value, today, why.value
        row.left_words = words.strip()
    await session.flush()


async def take_off_who_left(session: AsyncSession) -> int:
    """Take off the lists who turned 26, left the area or died; how many requests.

    Within scheduled work: an episode is closed, and a birthday comes, without anybody at a list.
    A record that may only be kept waits until it may be used.
    """
    today = today_of(session)
    no_longer = months_after(today, -12 * (OLDEST + 1))
    found = await session.execute(
        select(Waiting.request_id, Child.birth_date, _last_closure())
        .join(Child, Child.id == Waiting.child_id)
        .where(
            Waiting.state.in_(STILL),
            ~is_use_restricted(Waiting.child_id),
            (Child.birth_date <= no_longer) | _last_closure().in_(_LEFT_BY),
        )
        .order_by(Waiting.request_id)
    )
    rows = found.all()
    for request_id, born, closure in rows:
        await leave_lists(session, request_id, _why(born, closure, no_longer))
    return len(rows)


def _why(born: date | None, closure: str | None, no_longer: date) -> LeftWhy:
    known = _LEFT_BY.get(closure or "")
    if known is not None:
        return known
    return LeftWhy.AGE if born is not None and born <= no_longer else LeftWhy.MOVED


def _last_closure() -> ColumnElement[str | None]:
    """Why a waiting child's last episode ended since they wait; None while one is open."""
    of_child = Episode.child_id == Waiting.child_id
    goes_on = exists().where(and_(of_child, Episode.closed_on.is_(None)))
    return (
        select(Episode.closure_reason)
        .where(of_child, Episode.closed_on >= Waiting.since_on, ~goes_on)
        .order_by(Episode.closed_on.desc(), Episode.id.desc())
        .limit(1)
        .correlate(Waiting)
        .scalar_subquery()
    )
