"""The family asks the panel to look again: by when it is answered, and what became of it."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select

from consent import Tie
from panel.allocation.before_panel import keep_tied
from panel.allocation.decision_service import standing_decision
from panel.allocation.models import Appeal, RequestDecision
from panel.allocation.request_service import request_of
from panel.allocation.rules import OUTCOME_WORDS, AppealOutcome, RequestState
from panel.panels.calendar import load_calendar, settings_of
from panel.panels.models import Panel
from panel.panels.referrals import come_again
from panel.panels.rules import notes_due_on
from panel.platform.problems import Clash, Conflict, Invalid, NotAllowed, NotFound, Problem
from panel.records.gate import NOT_HERE, Access


async def clock_from(access: Access, panel: Panel, day: date) -> date:
    """So many working days after a day, as the panel's setting says."""
    calendar = await load_calendar(access.session)
    return notes_due_on(day, settings_of(panel).appeal_working_days, calendar)


async def appeals_of(access: Access, request_id: UUID) -> Sequence[Appeal]:
    """The appeals about a request, newest first."""
    rows = await access.session.scalars(
        select(Appeal).where(Appeal.request_id == request_id).order_by(Appeal.id.desc())
    )
    return list(rows)


async def ask_again(
    access: Access,
    request_id: UUID,
    *,
    asked_on: date,
    grounds: str,
    by_person: UUID | None = None,
) -> Appeal:
    """Write down that the family asks the panel to look again; its clock runs from that day.

    A late one is taken all the same: the panel says whether it looks. Raises Invalid without
    grounds and for a day before the decision or to come, Problem before there is a decision and
    where they asked about it before, unless they took that back.
    """
    access.require_write()
    request = await request_of(access, request_id)
    # Two at once, or a decision meanwhile: the second waits, and sees what the first did.
    await access.session.refresh(request, with_for_update=True)
    decision = await standing_decision(access.session, request.id)
    if decision is None or request.state != RequestState.DECIDED:
        raise Problem(409, "Not decided yet", "The panel has not decided about this request.")
    if not grounds.strip():
        raise Invalid.because("grounds", "Write what the family wants the panel to look at again")
    if not decision.decided_on <= asked_on <= access.today:
        raise Invalid.because("asked_on", "They asked after the decision, and not after today")
    known = await access.session.scalar(
        select(Appeal.id).where(
            Appeal.decision_id == decision.id,
            Appeal.outcome.is_(None) | (Appeal.outcome == AppealOutcome.NOT_UPHELD.value),
        )
    )
    if known is not None:
        raise Problem(
            409,
            "They have asked already",
            "The panel looks at each decision again once.",
            "Tell the family of the complaint and of the tribunal, as their letter does.",
        )
    panel = await access.session.get_one(Panel, decision.panel_id)
    row = Appeal(
        child_id=access.child_id,
        request_id=request.id,
        decision_id=decision.id,
        asked_on=asked_on,
        by_person=by_person,
        answer_by=await clock_from(access, panel, asked_on),
    )
    row.grounds = grounds.strip()
    access.session.add(row)
    await keep_tied(access.session, request.id)
    await come_again(access.session, access.child_id, panel.id, access.today)
    return row


async def answer_appeal(
    access: Access, appeal_id: UUID, outcome: AppealOutcome, why: str, version: int
) -> None:
    """What became of it; upheld, the request is to be decided again and comes on the next agenda.

    Raises NotAllowed for anybody but who runs the panel, Invalid without a reason.
    """
    row = await access.session.get(Appeal, appeal_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound(NOT_HERE)
    request = await request_of(access, row.request_id)
    if Tie.PANEL not in access.ties:
        raise NotAllowed("Only the coordinator or the chair of the panel can answer this.")
    if not why.strip():
        raise Invalid.because("why", "Say why")
    await access.session.refresh(request, with_for_update=True)
    await access.session.refresh(row, with_for_update=True)
    if row.outcome is not None or row.version != version:
        theirs = "Changed" if row.outcome is None else OUTCOME_WORDS[AppealOutcome(row.outcome)]
        raise Conflict((Clash("Answer", OUTCOME_WORDS[outcome], theirs),))
    row.outcome, row.outcome_why = outcome.value, why.strip()
    row.decided_on, row.decided_by = access.today, access.viewer.id
    if outcome is AppealOutcome.UPHELD:
        decision = await access.session.get_one(
            RequestDecision, row.decision_id, populate_existing=True
        )
        if not decision.stands or request.state != RequestState.DECIDED:
            raise Problem(
                409,
                "The panel decided again",
                "The decision that the family asked about does not stand any more.",
                "Write down that they took it back, or that the decision stays.",
            )
        request.state = RequestState.SENT.value
        await come_again(access.session, access.child_id, decision.panel_id, access.today)
    await keep_tied(access.session, request.id)
