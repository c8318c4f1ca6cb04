"""Placements outside the area at work: conditions ticked, visits written down, the panel's list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.allocation.before_panel import keep_tied
from panel.allocation.decision_service import standing_decision
from panel.allocation.models import RequestDecision, ServiceRequest
from panel.allocation.outside_models import (
    OutsideCondition,
    OutsidePlacement,
    PlacementCondition,
    PlacementVisit,
)
from panel.allocation.outside_rules import holds_for
from panel.allocation.outside_service import every_terms, placement_for, reckon_visit, terms_of
from panel.allocation.request_service import request_of, require_reader
from panel.allocation.rules import AGREES, Kind, RequestState
from panel.platform.problems import Clash, Conflict, FieldError, Invalid, NotFound, Problem
from panel.records.gate import NOT_HERE, Access

FAR_OFF = date(9999, 12, 31)
"""Where a placement stands on the list that nobody has to visit yet."""


@dataclass(frozen=True, slots=True)
class Met:
    """That a condition is met, since when, and how; without a day it is not met after all."""

    met_on: date | None
    note: str


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit as somebody writes it down."""

    visited_on: date
    visited_by: str
    note: str


async def opened_placement(
    access: Access, request_id: UUID
) -> tuple[ServiceRequest, OutsidePlacement]:
    """A request of this child with the placement outside the area that it asks for.

    Raises NotFound where it asks for none, NotAllowed where its texts are kept from the viewer.
    """
    request = await request_of(access, request_id)
    placement = await placement_for(access.session, request.id)
    if placement is None:
        raise NotFound(NOT_HERE)
    require_reader(access, request)
    return request, placement


async def _held(access: Access, request_id: UUID) -> tuple[ServiceRequest, OutsidePlacement]:
    """Both, held until the transaction ends, for somebody who may write."""
    access.require_write()
    request, placement = await opened_placement(access, request_id)
    await access.session.refresh(request, with_for_update=True)
    await access.session.refresh(placement)
    if request.state == RequestState.WITHDRAWN:
        raise Problem(409, "This request was withdrawn", "Nothing more is written about it.")
    return request, placement


async def condition_of(
    access: Access, placement: OutsidePlacement, condition_id: UUID
) -> OutsideCondition:
    """A condition that holds today for a placement. Raises NotFound for any other."""
    terms = terms_of(await every_terms(access.session), access.today)
    for one in () if terms is None else terms.conditions:
        if one.id == condition_id and holds_for(one.applies, placement.footing):
            return one
    raise NotFound("This condition does not hold for this placement.", "Load the page again.")


async def tick(
    access: Access, request_id: UUID, condition_id: UUID, said: Met, version: int
) -> PlacementCondition:
    """Write down that a condition is met and how, or that it is not after all.

    `version` is that of what was written down before, nought where nothing was. Raises Invalid,
    Conflict where somebody else wrote meanwhile, and Problem for a tick that is taken back from
    what the panel agreed to.
    """
    request, placement = await _held(access, request_id)
    condition = await condition_of(access, placement, condition_id)
    row = await access.session.scalar(
        select(PlacementCondition).where(
            PlacementCondition.placement_id == placement.id,
            PlacementCondition.condition_id == condition.id,
        )
    )
    if (0 if row is None else row.version) != version:
        theirs = "" if row is None else row.note
        raise Conflict((Clash(condition.title, said.note.strip(), theirs),))
    mistakes = []
    if said.met_on is not None and said.met_on > access.today:
        mistakes.append(FieldError("met_on", "A condition is met today or earlier"))
    if not said.note.strip():
        mistakes.append(FieldError("note", "Write down how it is met, or why it is not"))
    if mistakes:
        raise Invalid(tuple(mistakes))
    if said.met_on is None and await _is_agreed(access.session, request):
        raise Problem(
            409,
            "The panel agreed to this placement",
            "A condition of what was agreed is not taken back.",
            "Ask the panel to decide again.",
        )
    if row is None:
        row = PlacementCondition(
            child_id=access.child_id,
            placement_id=placement.id,
            condition_id=condition.id,
            category=request.category,
        )
        access.session.add(row)
    row.met_on, row.note = said.met_on, said.note.strip()
    await access.session.flush()
    return row


async def _is_agreed(session: AsyncSession, request: ServiceRequest) -> bool:
    stands = await standing_decision(session, request.id)
    return stands is not None and stands.kind in AGREES


async def visits_of(session: AsyncSession, placement_id: UUID) -> Sequence[PlacementVisit]:
    """Visits to a child who is placed, newest first."""
    rows = await session.scalars(
        select(PlacementVisit)
        .where(PlacementVisit.placement_id == placement_id)
        .order_by(PlacementVisit.visited_on.desc(), PlacementVisit.id.desc())
    )
    return list(rows)


async def _running(access: Access, request_id: UUID, mine: str, version: int) -> OutsidePlacement:
    """A placement that was agreed to and has not ended, as somebody read it."""
    request, placement = await _held(access, request_id)
    if not await _is_agreed(access.session, request):
        raise Problem(
            409,
            "The panel has not agreed to this placement",
            "Visits are written down once it is agreed.",
        )
    if placement.version != version:
        theirs = "Somebody wrote something down meanwhile"
        raise Conflict((Clash("The placement", mine, theirs),))
    if placement.ended_on is not None:
        raise Problem(409, "This placement has ended", "Nothing more is written about it.")
    return placement


async def record_visit(
    access: Access, request_id: UUID, said: Visit, version: int
) -> PlacementVisit:
    """Write a visit down; from it the next is reckoned.

    `version` is the placement's as it was read. Raises Invalid, Conflict where somebody else wrote
    one down meanwhile, and Problem for a placement that is not agreed to or has ended.
    """
    placement = await _running(access, request_id, said.note.strip(), version)
    wrong_day = ""
    if said.visited_on > access.today:
        wrong_day = "A visit is written down once it was made"
    elif placement.from_on is not None and said.visited_on < placement.from_on:
        wrong_day = "The child was not there yet on this day"
    found = (
        ("visited_on", wrong_day),
        ("visited_by", "" if said.visited_by.strip() else "Enter who visited"),
        ("note", "" if said.note.strip() else "Write down how the child is"),
    )
    mistakes = tuple(FieldError(name, sentence) for name, sentence in found if sentence)
    if mistakes:
        raise Invalid(mistakes)
    row = PlacementVisit(
        child_id=access.child_id,
        placement_id=placement.id,
        category=placement.category,
        visited_on=said.visited_on,
    )
    row.visited_by, row.note = said.visited_by.strip(), said.note.strip()
    access.session.add(row)
    await access.session.flush()
    await reckon_visit(access.session, placement)
    return row


async def end_placement(access: Access, request_id: UUID, ended_on: date, version: int) -> None:
    """The child is there no more: it leaves the list. Raises as `record_visit`."""
    placement = await _running(access, request_id, "It has ended", version)
    if ended_on > access.today:
        raise Invalid.because("ended_on", "Enter a day that is past, or today")
    if placement.from_on is not None and ended_on < placement.from_on:
        raise Invalid.because("ended_on", "A placement cannot end before it begins")
    placement.ended_on = ended_on
    await keep_tied(access.session, request_id)


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the panel's list."""

    placement: OutsidePlacement
    request: ServiceRequest
    decision: RequestDecision | None

    @property
    def agreed(self) -> RequestDecision | None:
        """The decision by which it was agreed to, where it was."""
        decision = self.decision
        return decision if decision is not None and decision.kind in AGREES else None


async def placements_of(
    session: AsyncSession,
    panel_id: UUID,
    today: date,
    *,
    after: UUID | None = None,
    most: int = 50,
) -> Sequence[Listed]:
    """Placements outside the area that a panel agreed to or has before it, as the viewer reaches.

    Overdue visits first, then the next ones, then what is not agreed yet. A page begins after the
    row of the id `after`.
    """
    by = func.coalesce(OutsidePlacement.visit_by, FAR_OFF)
    listed = (*AGREES, Kind.DEFERRED.value)
    asked = (
        select(OutsidePlacement, ServiceRequest, RequestDecision)
        .join(ServiceRequest, ServiceRequest.id == OutsidePlacement.request_id)
        .outerjoin(
            RequestDecision,
            (RequestDecision.request_id == ServiceRequest.id) & RequestDecision.stands,
        )
        .where(
            ServiceRequest.panel_id == panel_id,
            OutsidePlacement.is_asked,
            OutsidePlacement.ended_on.is_(None),
            or_(OutsidePlacement.until_on.is_(None), OutsidePlacement.until_on >= today),
            or_(
                ServiceRequest.state == RequestState.SENT.value,
                (ServiceRequest.state == RequestState.DECIDED.value)
                & RequestDecision.kind.in_(listed),
            ),
        )
        .order_by(by, OutsidePlacement.id)
        .limit(most)
    )
    if after is not None and (last := await session.get(OutsidePlacement, after)) is not None:
        at = last.visit_by or FAR_OFF
        asked = asked.where((by > at) | ((by == at) & (OutsidePlacement.id > last.id)))
    return [Listed(*row) for row in (await session.execute(asked)).all()]
