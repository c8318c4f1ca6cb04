"""Decisions about requests: at a meeting, or by the chair, ratified at the next meeting.

Both go through `_record`, which holds the request: of two decisions at one moment the first stands
and the second is told. Nothing less than what was asked for is recorded without its unmet need, or
the reason why there is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from consent import Role, Viewer
from panel.allocation.before_panel import keep_tied
from panel.allocation.criteria_service import criterion_for
from panel.allocation.leaving import leave_lists
from panel.allocation.models import RequestDecision, ServiceRequest, UnmetNeed
from panel.allocation.outside_service import await_visits, outside_mistakes
from panel.allocation.request_service import (
    INTERESTED,
    has_declared,
    interested_of,
    request_of,
    require_reader,
)
from panel.allocation.rules import (
    AGREES,
    KIND_WORDS,
    Kind,
    LeftWhy,
    LegalBasis,
    Proposed,
    RequestState,
    Unmet,
    agreed_of,
    decision_mistakes,
)
from panel.panels.attendance import quorum_of, table_of
from panel.panels.holding import AtItem, place_review
from panel.panels.meeting_rules import Heading, attendees, recording_mistake, review_mistake
from panel.panels.models import Meeting, Panel
from panel.panels.referrals import is_chair, open_referral, record_discussed
from panel.panels.rules import Quorum
from panel.platform.problems import (
    Clash,
    Conflict,
    FieldError,
    Invalid,
    NotAllowed,
    NotFound,
    Problem,
)
from panel.platform.tables import NOW
from panel.records.gate import NOT_HERE, Access

NO_QUORUM = "There is no quorum, so this meeting cannot decide."
BY_THE_DECISION = "As the decision about the request says."


@dataclass(frozen=True, slots=True)
class _Sitting:
    """Where a decision is made: at a meeting, or by the chair."""

    access: Access
    panel: Panel
    meeting: Meeting | None


async def decide(at: AtItem, request_id: UUID, decision: Proposed, version: int) -> RequestDecision:
    """Record what the meeting decided about a request of the child whose item it is.

    `version` is the request's as it was read. Raises Problem where this panel decides nothing or
    there is no quorum, Invalid with a sentence for each thing that cannot be, Conflict where the
    request was decided meanwhile.
    """
    require_deciding(at.panel)
    if not (await _quorum_at(at)).met:
        raise Problem(
            409,
            "There is no quorum",
            NO_QUORUM,
            "Tick who is here, wait for the others, or let the chair act and ratify it next time.",
        )
    sitting = _Sitting(at.access, at.panel, at.meeting)
    made = await _record(sitting, request_id, decision, version)
    await at.session.refresh(at.item)
    await place_review(
        at, review_by=decision.review_on, why=BY_THE_DECISION, version=at.item.version
    )
    return made


async def _quorum_at(at: AtItem) -> Quorum:
    """Whether enough are left at the table once those who declared an interest left the item."""
    left = await interested_of(at.session, at.access.child_id, at.panel.id)
    stay = [one for one in at.table.people if one.id not in left]
    # A chair who declared an interest leaves the chair to whoever else runs the meeting.
    chair_left = any(Role.CHAIR in one.roles for one in at.table.people if one.id in left)
    others_run = any(one.runs and one.is_here for one in stay)
    spared = (Role.CHAIR.value,) if chair_left and others_run else ()
    return quorum_of(at.panel, attendees(stay), spared)


async def act_as_chair(
    access: Access, panel: Panel, request_id: UUID, decision: Proposed, version: int
) -> RequestDecision:
    """The chair decides between meetings; the next meeting ratifies it, or decides again.

    Raises NotAllowed for anybody but the chair and for a chair with a declared interest.
    """
    await require_chair(access, panel)
    if await has_declared(access.session, access.child_id, access.viewer.id, panel.id):
        raise NotAllowed(INTERESTED, "Ask somebody else to chair.")
    made = await _record(_Sitting(access, panel, None), request_id, decision, version)
    referral = await open_referral(access.session, access.child_id, panel.id)
    if referral is not None:
        await record_discussed(access.session, referral, panel, access.today, decision.review_on)
    return made


async def require_chair(access: Access, panel: Panel) -> None:
    """Raise Problem for a panel that decides nothing, NotAllowed for anybody but its chair."""
    require_deciding(panel)
    if not await is_chair(access.session, access.viewer.id, panel.id):
        raise NotAllowed(
            "Only the chair of the panel can act between meetings.",
            "Ask the chair, or wait for the next meeting.",
        )


def require_deciding(panel: Panel) -> None:
    """Raise Problem for a panel that decides nothing (CONTACTS)."""
    if mistake := recording_mistake(panel.kind, Heading.ALLOCATION):
        raise Problem(409, "This is not recorded here", f"{mistake}.")


async def _record(
    sitting: _Sitting, request_id: UUID, decision: Proposed, version: int
) -> RequestDecision:
    access, session = sitting.access, sitting.access.session
    request = await request_of(access, request_id)
    if request.panel_id != sitting.panel.id:
        raise NotFound(NOT_HERE)
    require_reader(access, request)
    await session.refresh(request, with_for_update=True)
    if request.version != version:
        raise Conflict(
            (Clash("Decision", KIND_WORDS[decision.kind], await _as_is(request, session)),)
        )
    if request.state not in (RequestState.SENT, RequestState.DECIDED):
        raise Problem(409, "There is nothing to decide", "This request was withdrawn.")
    asked = request.asked_units or Decimal(0)
    basis = LegalBasis(request.legal_basis or LegalBasis.LOCAL_OFFER)
    criterion = await criterion_for(session, decision.criterion_id, access.today)
    mistakes = decision_mistakes(
        decision,
        basis=basis,
        asked=asked,
        criterion_is_duty=criterion.is_duty,
        today=access.today,
    )
    if decision.kind in AGREES:
        mistakes += await outside_mistakes(session, request.id, decision.review_on)
    if mistakes:
        raise Invalid(tuple(FieldError(*one) for one in mistakes))
    held_on = access.today if sitting.meeting is None else sitting.meeting.held_on
    if wrong := review_mistake(decision.review_on, held_on):
        raise Invalid.because("review_on", wrong)
    await _replace_former(session, request)
    made = _row(sitting, request, decision, agreed_of(decision, asked))
    session.add(made)
    request.state = RequestState.DECIDED.value
    # Decided a second time it is another request than the one that somebody else may have read.
    flag_modified(request, "state")
    await session.flush()
    if decision.kind in AGREES:
        await await_visits(session, request.id)
    await _settle_unmet(sitting, request, made, decision)
    if decision.kind is Kind.DECLINED:
        await leave_lists(session, request.id, LeftWhy.DECLINED)
    await keep_tied(session, request.id)
    return made


async def _as_is(request: ServiceRequest, session: AsyncSession) -> str:
    standing = await standing_decision(session, request.id)
    return "Changed meanwhile" if standing is None else KIND_WORDS[Kind(standing.kind)]


async def standing_decision(session: AsyncSession, request_id: UUID) -> RequestDecision | None:
    """The decision about a request that counts; None before the first."""
    found: RequestDecision | None = await session.scalar(
        select(RequestDecision).where(
            RequestDecision.request_id == request_id, RequestDecision.stands
        )
    )
    return found


async def decisions_of(session: AsyncSession, request_id: UUID) -> Sequence[RequestDecision]:
    """Every decision about a request, newest first."""
    rows = await session.scalars(
        select(RequestDecision)
        .where(RequestDecision.request_id == request_id)
        .order_by(RequestDecision.id.desc())
    )
    return list(rows)


async def _replace_former(session: AsyncSession, request: ServiceRequest) -> None:
    former = await standing_decision(session, request.id)
    if former is not None:
        former.stands = False
        await session.flush()


def _row(
    sitting: _Sitting, request: ServiceRequest, decision: Proposed, agreed: Decimal
) -> RequestDecision:
    made = RequestDecision(
        child_id=request.child_id,
        request_id=request.id,
        panel_id=sitting.panel.id,
        meeting_id=None if sitting.meeting is None else sitting.meeting.id,
        kind=decision.kind.value,
        criterion_id=decision.criterion_id,
        because=None
        if decision.kind is Kind.AGREED or decision.because is None
        else decision.because.value,
        review_on=decision.review_on,
        agreed_units=agreed,
        decided_on=sitting.access.today,
        decided_by=sitting.access.viewer.id,
        chairs_action=sitting.meeting is None,
    )
    made.reasons = decision.reasons.strip()
    made.reasons_for_family = decision.reasons_for_family.strip()
    made.conditions = decision.conditions.strip()
    if decision.kind is not Kind.AGREED and decision.unmet is not None:
        why = "" if isinstance(decision.unmet, Unmet) else decision.unmet.why.strip()
        made.nothing_unmet = why
    return made


async def _settle_unmet(
    sitting: _Sitting, request: ServiceRequest, made: RequestDecision, decision: Proposed
) -> None:
    """What was unmet by an earlier decision is closed by this one, which says what is now."""
    session, today = sitting.access.session, sitting.access.today
    rows = await session.scalars(
        select(UnmetNeed).where(UnmetNeed.request_id == request.id, UnmetNeed.until_on.is_(None))
    )
    for row in rows:
        row.until_on = today
        row.closed_why = f"The panel decided again: {KIND_WORDS[decision.kind].lower()}."
    if decision.kind is Kind.AGREED or not isinstance(decision.unmet, Unmet):
        await session.flush()
        return
    unmet = UnmetNeed(
        child_id=request.child_id,
        request_id=request.id,
        decision_id=made.id,
        service_id=request.service_id,
        need_code=request.need_code,
        reason=decision.unmet.reason.value,
        units_needed=request.asked_units,
        units_agreed=made.agreed_units,
        unit=request.unit,
        from_on=today,
    )
    unmet.words = decision.unmet.words.strip()
    session.add(unmet)
    await session.flush()


# Ratified at the next meeting ---------------------------------------------------------------------


async def to_ratify(session: AsyncSession, panel_id: UUID) -> list[RequestDecision]:
    """Decisions of the chair that no meeting has ratified, oldest first, as the viewer reaches."""
    rows = await session.scalars(
        select(RequestDecision)
        .where(
            RequestDecision.panel_id == panel_id,
            RequestDecision.chairs_action,
            RequestDecision.ratified_at.is_(None),
            RequestDecision.stands,
        )
        .order_by(RequestDecision.id)
    )
    return list(rows)


async def count_to_ratify(session: AsyncSession, panel_id: UUID) -> int:
    """How many decisions of the chair wait for a meeting."""
    found = await session.scalar(
        select(func.count())
        .select_from(RequestDecision)
        .where(
            RequestDecision.panel_id == panel_id,
            RequestDecision.chairs_action,
            RequestDecision.ratified_at.is_(None),
            RequestDecision.stands,
        )
    )
    return found or 0


async def ratify(
    session: AsyncSession, panel: Panel, meeting: Meeting, decision_id: UUID, viewer: Viewer
) -> None:
    """A meeting that is under way, with a quorum, ratifies what the chair decided; once is enough.

    Raises Problem before it begins, after it ended and without a quorum, NotAllowed for somebody
    who declared an interest in the child, NotFound for a decision that is not this panel's.
    """
    await session.refresh(meeting, with_for_update={"read": True})
    if meeting.began_at is None or meeting.ended_at is not None:
        raise Problem(
            409,
            "This meeting is not under way",
            "What the chair decided is ratified while the panel meets.",
            "Begin the meeting first.",
        )
    if not (await table_of(session, panel, meeting)).quorum.met:
        raise Problem(409, "There is no quorum", NO_QUORUM, "Tick who is here.")
    row = await session.get(RequestDecision, decision_id)
    if row is None or row.panel_id != panel.id or not row.chairs_action:
        raise NotFound(NOT_HERE)
    # The request before its decision, as everybody holds them.
    await session.get_one(ServiceRequest, row.request_id, with_for_update=True)
    await session.refresh(row, with_for_update=True)
    if await has_declared(session, row.child_id, viewer.id, panel.id):
        raise NotAllowed(INTERESTED, "Ask somebody else to ratify it.")
    if not row.stands:
        raise Problem(409, "The panel decided again", "This decision does not stand any more.")
    if row.ratified_at is None:
        row.ratified_at, row.ratified_meeting_id = session.info[NOW], meeting.id
        await keep_tied(session, row.request_id)
