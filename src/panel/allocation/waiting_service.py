"""Waiting lists: who waits for a place at a service, in which order, and what they were offered."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.allocation.decision_service import standing_decision
from panel.allocation.models import PlaceOffer, ServiceRequest, Waiting
from panel.allocation.request_service import request_of
from panel.allocation.rules import (
    ANSWER_WORDS,
    InLine,
    Kind,
    OfferAnswer,
    RequestState,
    Urgency,
    WaitingState,
    answer_mistake,
    in_order,
    position_words,
)
from panel.platform.problems import Clash, Conflict, Invalid, NotFound, Problem
from panel.records.gate import NOT_HERE, Access

_STILL = (WaitingState.WAITING.value, WaitingState.OFFERED.value)


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
            Waiting.state.in_(_STILL),
        )
    )
    if known is not None:
        return known
    row = Waiting(
        child_id=access.child_id,
        service_id=request.service_id,
        request_id=request.id,
        since_on=request.sent_on or access.today,
        priority=request.urgency,
    )
    access.session.add(row)
    await access.session.flush()
    return row


async def list_of(session: AsyncSession, service_id: UUID) -> list[Waiting]:
    """Who waits for a service, as far as the viewer reaches."""
    rows = await session.scalars(
        select(Waiting).where(Waiting.service_id == service_id, Waiting.state.in_(_STILL))
    )
    return list(rows)


async def services_waited_for(session: AsyncSession, panel_id: UUID) -> dict[UUID, int]:
    """For which services those before a panel wait, and how many, as far as the viewer reaches."""
    rows = await session.execute(
        select(Waiting.service_id, func.count())
        .join(ServiceRequest, ServiceRequest.id == Waiting.request_id)
        .where(ServiceRequest.panel_id == panel_id, Waiting.state.in_(_STILL))
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
            Waiting.state.in_(_STILL),
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
        select(Waiting).where(Waiting.service_id.in_(services), Waiting.state.in_(_STILL))
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


async def offer_place(
    access: Access, waiting_id: UUID, answer_by: date, version: int
) -> PlaceOffer:
    """Offer a place, to be answered by a day to come. Raises Invalid, Conflict."""
    access.require_write()
    row = await access.session.get(Waiting, waiting_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound(NOT_HERE)
    await request_of(access, row.request_id)
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


async def answer_offer(
    access: Access, offer_id: UUID, answer: OfferAnswer, why: str, version: int
) -> None:
    """What the family says: who refuses keeps their place on the list. Raises Invalid, Conflict."""
    access.require_write()
    offer = await access.session.get(PlaceOffer, offer_id)
    if offer is None or offer.child_id != access.child_id:
        raise NotFound(NOT_HERE)
    row = await access.session.get_one(Waiting, offer.waiting_id)
    await request_of(access, row.request_id)
    if wrong := answer_mistake(answer, why):
        raise Invalid.because("why", wrong)
    await access.session.refresh(offer, with_for_update=True)
    if offer.answer is not None or offer.version != version:
        theirs = "Changed" if offer.answer is None else ANSWER_WORDS[OfferAnswer(offer.answer)]
        raise Conflict((Clash("Answer", ANSWER_WORDS[answer], theirs),))
    offer.answer, offer.answered_on, offer.why = answer.value, access.today, why.strip()
    accepted = answer is OfferAnswer.ACCEPTED
    row.state = (WaitingState.ACCEPTED if accepted else WaitingState.WAITING).value
    await access.session.flush()
