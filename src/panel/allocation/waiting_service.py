"""Waiting lists: who waits for a place at a service, in which order, and what they were offered."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.allocation.decision_service import standing_decision
from panel.allocation.leaving import STILL, leave_lists
from panel.allocation.models import PlaceOffer, ServiceRequest, Waiting
from panel.allocation.packages import may_sign
from panel.allocation.request_service import WRITERS, request_of
from panel.allocation.rules import (
    ANSWER_WORDS,
    ANSWERS,
    InLine,
    Kind,
    LeftWhy,
    OfferAnswer,
    RequestState,
    Urgency,
    WaitingState,
    answer_mistake,
    in_order,
    left_mistake,
    position_words,
)
from panel.panels.referrals import runs_panel
from panel.platform.problems import (
    Clash,
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    Problem,
)
from panel.records.gate import NOT_HERE, Access

RUNS = "Only the coordinator or the chair of the panel, or who signs for the money, can do this."
ASKS = "Only the lead professional or the team writes down what the family says."


async def join_list(access: Access, request_id: UUID) -> Waiting:
    """The child waits for the service of a request, as urgent as the request; once is enough.

    Raises Invalid for a request that names no service, Problem before it is decided.
    """
    access.require_write()
    request = await request_of(access, request_id)
    # Two at once: the second waits, and finds the child on the list.
    await access.session.refresh(request, with_for_update=True)
    if request.service_id is None:
        raise Invalid.because("service_id", "This request names no service to wait for")
    if request.state != RequestState.DECIDED:
        raise Problem(409, "Not decided yet", "The panel has not decided about this request.")
    decision = await standing_decision(access.session, request.id)
    if decision is not None and decision.kind == Kind.DECLINED:
        raise Problem(409, "This request was declined", "Nobody waits for what was declined.")
    known = await access.session.scalar(
        select(Waiting).where(
            Waiting.request_id == request.id,
            Waiting.service_id == request.service_id,
            Waiting.state.in_(STILL),
        )
    )
    if known is not None:
        return known
    left = await access.session.scalar(
        select(Waiting.id)
        .where(Waiting.request_id == request.id, Waiting.state == WaitingState.LEFT.value)
        .limit(1)
    )
    row = Waiting(
        child_id=access.child_id,
        service_id=request.service_id,
        request_id=request.id,
        # Who left and comes again comes last.
        since_on=access.today if left else request.sent_on or access.today,
        priority=request.urgency,
    )
    access.session.add(row)
    await access.session.flush()
    return row


async def list_of(session: AsyncSession, service_id: UUID) -> list[Waiting]:
    """Who waits for a service, as far as the viewer reaches."""
    rows = await session.scalars(
        select(Waiting).where(Waiting.service_id == service_id, Waiting.state.in_(STILL))
    )
    return list(rows)


async def services_waited_for(session: AsyncSession, panel_id: UUID) -> dict[UUID, int]:
    """For which services those before a panel wait, and how many, as far as the viewer reaches."""
    rows = await session.execute(
        select(Waiting.service_id, func.count())
        .join(ServiceRequest, ServiceRequest.id == Waiting.request_id)
        .where(ServiceRequest.panel_id == panel_id, Waiting.state.in_(STILL))
        .group_by(Waiting.service_id)
    )
    return {row[0]: row[1] for row in rows}


async def waiting_before(session: AsyncSession, panel_id: UUID, service_id: UUID) -> list[Waiting]:
    """Who of those before a panel waits for one service, as far as the viewer reaches."""
    rows = await session.scalars(
        select(Waiting)
        .join(ServiceRequest, ServiceRequest.id == Waiting.request_id)
        .where(
            ServiceRequest.panel_id == panel_id,
            Waiting.service_id == service_id,
            Waiting.state.in_(STILL),
        )
    )
    return list(rows)


async def lists_with(session: AsyncSession, request_id: UUID) -> Mapping[UUID, list[Waiting]]:
    """The whole lists on which a request stands, by service; within scheduled work.

    Whoever works with one child reaches nobody else on the list, and is told all the same how
    many stand before.
    """
    services = select(Waiting.service_id).where(Waiting.request_id == request_id)
    rows = await session.scalars(
        select(Waiting).where(Waiting.service_id.in_(services), Waiting.state.in_(STILL))
    )
    found: dict[UUID, list[Waiting]] = {}
    for row in rows:
        found.setdefault(row.service_id, []).append(row)
    return found


def in_line(row: Waiting) -> InLine:
    """A row as the rules put it in order."""
    return InLine(row.id, Urgency(row.priority), row.since_on)


def place_of(rows: Sequence[Waiting], row: Waiting, today: date) -> str:
    """Where a child stands on the list of a service, and why there."""
    return position_words(in_order([in_line(one) for one in rows]), row.id, today)


async def waits_of(access: Access, request_id: UUID) -> list[tuple[Waiting, list[PlaceOffer]]]:
    """For what a request waits or waited, with the offers, newest first."""
    rows = list(
        await access.session.scalars(
            select(Waiting).where(Waiting.request_id == request_id).order_by(Waiting.id.desc())
        )
    )
    offers = list(
        await access.session.scalars(
            select(PlaceOffer)
            .where(PlaceOffer.waiting_id.in_([one.id for one in rows]))
            .order_by(PlaceOffer.id.desc())
        )
    )
    return [(row, [one for one in offers if one.waiting_id == row.id]) for row in rows]


async def runs_list(access: Access, request: ServiceRequest) -> bool:
    """Whether the viewer offers the places for which the requests of a panel wait."""
    if request.panel_id is None:
        return False
    if may_sign(access):
        return True
    return await runs_panel(access.session, access.viewer.id, request.panel_id)


async def _waits(access: Access, waiting_id: UUID) -> tuple[Waiting, ServiceRequest]:
    row = await access.session.get(Waiting, waiting_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound(NOT_HERE)
    return row, await request_of(access, row.request_id)


async def take_off_list(
    access: Access, waiting_id: UUID, why: LeftWhy, words: str, version: int
) -> None:
    """Somebody takes the child off the list: the team, or who runs it.

    Raises NotAllowed for anybody else, Invalid without the family's words, Conflict.
    """
    row, request = await _waits(access, waiting_id)
    if not access.ties & WRITERS and not await runs_list(access, request):
        raise NotAllowed(ASKS, "Ask the lead professional.")
    if wrong := left_mistake(why, words):
        raise Invalid.because("left_words", wrong)
    await access.session.refresh(row, with_for_update=True)
    if row.version != version or row.state not in STILL:
        raise Conflict((Clash("Waiting list", "Take off the list", row.state.capitalize()),))
    await leave_lists(access.session, row.request_id, why, words)


async def offer_place(
    access: Access, waiting_id: UUID, answer_by: date, version: int
) -> PlaceOffer:
    """Offer a place, to be answered by a day to come, by who runs the list.

    Raises NotAllowed for anybody else, Invalid, Conflict.
    """
    row, request = await _waits(access, waiting_id)
    if not await runs_list(access, request):
        raise NotAllowed(RUNS, "Ask the coordinator of the panel to offer the place.")
    if answer_by <= access.today:
        raise Invalid.because("answer_by", "The answer must be by a day to come")
    await access.session.refresh(row, with_for_update=True)
    if row.version != version or row.state != WaitingState.WAITING:
        raise Conflict((Clash("Waiting list", "Offer a place", row.state.capitalize()),))
    row.state = WaitingState.OFFERED.value
    offer = PlaceOffer(
        child_id=access.child_id,
        waiting_id=row.id,
        offered_on=access.today,
        answer_by=answer_by,
    )
    access.session.add(offer)
    await access.session.flush()
    return offer


async def answers_of(
    access: Access, request: ServiceRequest, offer: PlaceOffer
) -> Sequence[OfferAnswer]:
    """Which answers to an offer the viewer may write down."""
    if access.ties & WRITERS:
        return ANSWERS
    is_over = offer.answer_by < access.today
    return (OfferAnswer.NO_ANSWER,) if is_over and await runs_list(access, request) else ()


async def answer_offer(
    access: Access, offer_id: UUID, answer: OfferAnswer, why: str, version: int
) -> None:
    """What the family says: who refuses keeps their place on the list.

    Written down by who works with the child; that nobody answered in time also by who runs the
    list. Raises NotAllowed, Invalid, Conflict.
    """
    offer = await access.session.get(PlaceOffer, offer_id)
    if offer is None or offer.child_id != access.child_id:
        raise NotFound(NOT_HERE)
    row, request = await _waits(access, offer.waiting_id)
    if answer not in await answers_of(access, request, offer):
        raise NotAllowed(ASKS, "Ask the lead professional.")
    if wrong := answer_mistake(answer, why):
        raise Invalid.because("why", wrong)
    # The list before the offer, as whoever leaves it holds them.
    await access.session.refresh(row, with_for_update=True)
    await access.session.refresh(offer, with_for_update=True)
    if offer.answer is not None or offer.version != version:
        theirs = "Changed" if offer.answer is None else ANSWER_WORDS[OfferAnswer(offer.answer)]
        raise Conflict((Clash("Answer", ANSWER_WORDS[answer], theirs),))
    offer.answer, offer.answered_on, offer.why = answer.value, access.today, why.strip()
    accepted = answer is OfferAnswer.ACCEPTED
    row.state = (WaitingState.ACCEPTED if accepted else WaitingState.WAITING).value
    await access.session.flush()
