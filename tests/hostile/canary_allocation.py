"""A request of every crawled child with all that became of it; withdrawn, so it ties nobody."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.allocation.models import (
    Appeal,
    Criterion,
    CriterionSet,
    DecisionLetter,
    LetterCopy,
    PlaceOffer,
    RequestDecision,
    ServiceRequest,
    UnmetNeed,
    Waiting,
)
from panel.allocation.outside_models import (
    OutsideCondition,
    OutsidePlacement,
    PlacementCondition,
    PlacementVisit,
)
from panel.platform.ids import new_id
from tests.hostile.canary_rights import HasWorkers


async def allocated(
    session: AsyncSession, world: HasWorkers, panel_id: UUID, child: UUID, mother: UUID
) -> None:
    """A row of each table."""
    now: datetime = session.info["now"]
    today = now.date()
    rosa = world.workers["rosa"]
    about: Mapping[str, Any] = {"child_id": child}
    criterion = await session.scalar(select(Criterion))
    if criterion is None:
        made = CriterionSet(name="Criteria", from_on=today - timedelta(days=365))
        session.add(made)
        await session.flush()
        criterion = Criterion(set_id=made.id, key="D1", title="Night", text="Wakes", is_duty=True)
        session.add(criterion)
        await session.flush()
    request = ServiceRequest(
        **about, panel_id=panel_id, reference=f"R-{new_id().hex[-8:]}", state="withdrawn",
        legal_basis="s17", category="social_care", need="Sleep", need_code="asd", outcome="Rest",
        tried="A clinic", asked_for="Nights", service_id=new_id(), asked_units=Decimal(12),
        unit="night", urgency="soon", urgency_why="Worn out", family_wishes="Near us",
        level_of_need="targeted", agency_id=rosa.agency_id, sent_on=today, sent_by=rosa.id,
        withdrawn_why="They moved",
    )  # fmt: skip
    session.add(request)
    await session.flush()
    await _placed(session, about, request, today)
    decision = RequestDecision(
        **about, request_id=request.id, panel_id=panel_id, kind="agreed_in_part",
        criterion_id=criterion.id, because="no_capacity", reasons="Rates", review_on=today,
        reasons_for_family="Six now", conditions="Ring first", nothing_unmet="Nothing",
        agreed_units=Decimal(6), decided_on=today, decided_by=rosa.id, chairs_action=True,
        ratified_at=now,
    )  # fmt: skip
    waiting = Waiting(
        **about, service_id=request.service_id, request_id=request.id, since_on=today,
        priority="soon", state="left", left_on=today, left_why="family", left_words="Not now",
    )  # fmt: skip
    session.add_all([decision, waiting])
    await session.flush()
    letter = DecisionLetter(
        **about, decision_id=decision.id, body="Dear family", kept_why="Known", approved_on=today,
        approved_by=rosa.id,
    )  # fmt: skip
    session.add(letter)
    await session.flush()
    session.add_all([
        LetterCopy(**about, letter_id=letter.id, person_id=mother, way="email", state="sent"),
        Appeal(
            **about, request_id=request.id, decision_id=decision.id, asked_on=today,
            by_person=mother, grounds="Too few", answer_by=today, outcome="not_upheld",
            outcome_why="As before", decided_on=today, decided_by=rosa.id,
        ),
        UnmetNeed(
            **about, request_id=request.id, decision_id=decision.id, need_code="asd",
            reason="no_capacity", words="We need more", units_needed=Decimal(12),
            units_agreed=Decimal(6), unit="night", from_on=today, until_on=today,
            closed_why="They moved",
        ),
        PlaceOffer(
            **about, waiting_id=waiting.id, offered_on=today, answer_by=today, answer="refused",
            answered_on=today, why="Too far",
        ),
    ])  # fmt: skip


async def _placed(
    session: AsyncSession, about: Mapping[str, Any], request: ServiceRequest, today: date
) -> None:
    """The request asks for a placement out of the area: a condition is met, somebody visited."""
    category = request.category
    placement = OutsidePlacement(
        **about, request_id=request.id, is_asked=True, category=category, kind="carer",
        footing="looked_after", area="Elsewhere", provider="A home", from_on=today,
    )  # fmt: skip
    session.add(placement)
    await session.flush()
    condition = await session.scalar(select(OutsideCondition).where(OutsideCondition.key == "O1"))
    assert condition is not None
    session.add_all([
        PlacementCondition(
            **about, placement_id=placement.id, condition_id=condition.id, category=category,
            met_on=today, note="She was asked",
        ),
        PlacementVisit(
            **about, placement_id=placement.id, category=category, visited_on=today,
            visited_by="Ida Marsh", note="She is well",
        ),
    ])  # fmt: skip
