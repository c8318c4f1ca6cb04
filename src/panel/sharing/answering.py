"""Requests for access: asked with a purpose, answered with a reason, told to whoever asked.

What is asked for never opens by the answer alone: a request is agreed where something that is
recorded (an agreement, a duty, an order, an enquiry) opens it. Source: DOMAIN.md, "Categories,
purposes, defaults".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Agreement, Category, Decision, Purpose, Tie
from consent.facts import covered, is_for, refused
from panel.accounts.models import Agency
from panel.accounts.service import agencies, worker_names
from panel.platform.problems import FieldError, Gone, Invalid, NotAllowed, NotFound
from panel.records.dates import working_days_after, working_days_before
from panel.records.gate import Access
from panel.sharing.models import AccessRequest, SharingAgreement
from panel.sharing.objecting import is_about, open_objections
from panel.sharing.reading import decision_for, state_of_child
from panel.sharing.spans import spans
from panel.sharing.state import agreement_of

ASKED, AGREED, REFUSED, LAPSED = "asked", "agreed", "refused", "lapsed"
ASKABLE = (Purpose.SUPPORT, Purpose.PANEL, Purpose.REVIEW, Purpose.ALLOCATION)
"""What somebody can ask to see something for, and a family can agree to."""


class Answer(StrEnum):
    """How a request is answered by hand; an agreement that covers it answers it by itself."""

    REFUSED = "refused"
    OTHER_BASIS = "other_basis"
    """Something else that is recorded opens it."""


@dataclass(frozen=True, slots=True)
class WaitingRequest:
    """One request for access, for whoever answers it."""

    id: UUID
    who: str
    """Who asks; for an agency whose day came, who wrote down that it is expected."""
    agency_id: UUID
    agency: str
    category: Category
    purpose: Purpose
    reason: str
    asked_on: date
    due_on: date
    for_expected: bool
    is_mine: bool
    """Asked by the viewer for the viewer's own agency: somebody else answers."""
    wants_a_call: bool
    """The family asks to be rung about it."""


async def request_access(
    access: Access,
    categories: Sequence[Category],
    reason: str,
    purpose: Purpose | None = None,
) -> tuple[UUID, ...]:
    """Ask to see what is withheld; asked twice for the same, it stays one request.

    The purpose is that of the access unless another is given. Raises Invalid without a reason or a
    category, NotAllowed for somebody who is no worker. What is withheld in silence, and what the
    viewer sees already for that purpose, is not asked for.
    """
    if access.viewer.agency is None:
        raise NotAllowed("Only a worker can ask to see what is withheld.")
    errors = []
    if not categories:
        errors.append(FieldError("categories", "Select what you ask to see"))
    if not reason.strip():
        errors.append(FieldError("reason", "Say why you need it: whoever decides reads this"))
    if errors:
        raise Invalid(tuple(errors))
    why = purpose or _askable(access.purpose)
    waiting = {
        (one.category, purpose_of(one).value): one.id
        for one in await access.session.scalars(
            select(AccessRequest).where(
                AccessRequest.child_id == access.child_id,
                AccessRequest.worker_id == access.viewer.id,
                AccessRequest.agency_id == access.viewer.agency,
                AccessRequest.state == ASKED,
            )
        )
    }
    asked: list[UUID] = []
    for category in dict.fromkeys(categories):
        decision = access.decision(category)
        if decision.silent or (decision.permitted and why is access.purpose):
            continue
        open_one = waiting.get((category.value, why.value))
        if open_one is None:
            made = AccessRequest(
                child_id=access.child_id,
                worker_id=access.viewer.id,
                agency_id=access.viewer.agency,
                category=category.value,
                purpose=why.value,
                reason=reason,
                asked_on=access.today,
            )
            access.session.add(made)
            await access.session.flush()
            open_one = made.id
        asked.append(open_one)
    return tuple(asked)


async def ask_for_agency(
    access: Access,
    agency_id: UUID,
    categories: Sequence[Category],
    reason: str,
    purpose: Purpose | None = None,
    *,
    asker: UUID | None = None,
    involvement_id: UUID | None = None,
) -> None:
    """Ask, for an agency that needs to know, that it may see what is withheld from it.

    Whoever asks is not the one who may see; asked twice for the same, it stays one request. A job
    names the worker for whom it asks, and the expected part whose day came.
    """
    open_ones = set(
        await access.session.scalars(
            select(AccessRequest.category).where(
                AccessRequest.child_id == access.child_id,
                AccessRequest.agency_id == agency_id,
                AccessRequest.state == ASKED,
            )
        )
    )
    access.session.add_all(
        AccessRequest(
            child_id=access.child_id,
            worker_id=asker or access.viewer.id,
            agency_id=agency_id,
            category=category.value,
            purpose=(purpose or _askable(access.purpose)).value,
            reason=reason,
            asked_on=access.today,
            involvement_id=involvement_id,
        )
        for category in categories
        if category.value not in open_ones
    )
    await access.session.flush()


def may_answer(access: Access) -> bool:
    """Whether the viewer answers requests for this child: the lead professional, or the panel's."""
    return bool(access.ties & {Tie.LEAD, Tie.PANEL})


async def waiting_requests(access: Access) -> tuple[WaitingRequest, ...]:
    """What waits for an answer, longest first, for those who answer; nothing for others.

    The reason is addressed to whoever decides, so they read it whatever the category is.
    """
    if not may_answer(access):
        return ()
    rows = list(
        await access.session.scalars(
            select(AccessRequest)
            .where(AccessRequest.child_id == access.child_id, AccessRequest.state == ASKED)
            .order_by(AccessRequest.asked_on, AccessRequest.id)
        )
    )
    if not rows:
        return ()
    known = {agency.id: agency.name for agency in await agencies(access.session)}
    names = await worker_names(access.session, [row.worker_id for row in rows])
    within = (await spans(access.session)).answer_working_days
    return tuple(
        WaitingRequest(
            id=row.id,
            who=names.get(row.worker_id, ""),
            agency_id=row.agency_id,
            agency=known.get(row.agency_id, ""),
            category=Category(row.category),
            purpose=purpose_of(row),
            reason=row.reason,
            asked_on=row.asked_on,
            due_on=working_days_after(row.asked_on, within),
            for_expected=row.involvement_id is not None,
            is_mine=_is_own(access, row),
            wants_a_call=row.ring_asked_at is not None,
        )
        for row in rows
    )


async def waiting_request(access: Access, request_id: UUID) -> WaitingRequest:
    """One that waits. Raises NotAllowed for who does not answer, NotFound, Gone when answered."""
    _require_answerer(access)
    for one in await waiting_requests(access):
        if one.id == request_id:
            return one
    row = await access.session.get(AccessRequest, request_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound("There is no such request.")
    raise _answered()


async def answer_request(access: Access, request_id: UUID, answer: Answer, reason: str) -> None:
    """Refuse a request with a reason, or say that something else that is recorded opens it.

    Raises NotAllowed for who does not answer and for who asked, Invalid without a reason or where
    nothing opens it, NotFound, Gone when it is answered.
    """
    _require_answerer(access)
    row = await access.session.get(AccessRequest, request_id, with_for_update=True)
    if row is None or row.child_id != access.child_id:
        raise NotFound("There is no such request.")
    if row.state != ASKED:
        raise _answered()
    if _is_own(access, row):
        raise NotAllowed("You asked for this yourself, so somebody else answers it.")
    if not reason.strip():
        raise Invalid.because("reason", "Give the reason: whoever asked reads it")
    if answer is Answer.OTHER_BASIS:
        decision = await _decision_for(access, row)
        if not decision.permitted:
            raise Invalid.because(
                "answer",
                "Nothing that is recorded opens this to them yet. Record what does first: an"
                " agreement, a court's order, a safeguarding enquiry",
            )
        row.basis = decision.basis.value
    row.state = REFUSED if answer is Answer.REFUSED else AGREED
    row.answer = reason
    row.answered_on = access.today
    row.answered_by = access.viewer.id
    await access.session.flush()


async def settle_requests(access: Access, said: SharingAgreement) -> None:
    """What the family decided answers the requests that it covers, wherever it was written down.

    A request that an open objection is about goes on waiting: what was agreed does not begin.
    """
    rows = await access.session.scalars(
        select(AccessRequest)
        .where(AccessRequest.child_id == access.child_id, AccessRequest.state == ASKED)
        .with_for_update()
    )
    disputed = await open_objections(access)
    agreement = agreement_of(said)
    for row in rows:
        category = Category(row.category)
        purpose = purpose_of(row)
        if any(is_about(one, {row.agency_id}, {purpose}, {category}) for one in disputed):
            continue
        if is_settled(agreement, row.agency_id, category, purpose):
            row.state = AGREED if said.given else REFUSED
            row.answered_on = access.today
            row.answered_by = access.viewer.id
            row.agreement_id = said.id
            row.basis = "agreement" if said.given else "refusal"
    await access.session.flush()


def is_settled(said: Agreement, agency: UUID, category: Category, purpose: Purpose) -> bool:
    """Whether what somebody decided answers an agency that asked to see a category for this."""
    if said.given:
        return agency in said.agencies and category in covered(said) and purpose in said.purposes
    is_about = (not said.agencies or agency in said.agencies) and is_for(said, purpose)
    return is_about and category in refused(said)


async def lapse_requests(session: AsyncSession, today: date) -> int:
    """Requests for access that nobody answered within the working days that are set lapse: refused.

    For a job, over every child. Returns how many lapsed. Source: DOMAIN.md, "defaults".
    """
    last = working_days_before(today, (await spans(session)).answer_working_days)
    waiting = await session.scalars(
        select(AccessRequest)
        .where(AccessRequest.state == ASKED, AccessRequest.asked_on < last)
        .with_for_update(skip_locked=True)
    )
    lapsed = 0
    for request in waiting:
        request.state = LAPSED
        request.answered_on = today
        lapsed += 1
    return lapsed


async def _decision_for(access: Access, row: AccessRequest) -> Decision:
    agency = await access.session.get_one(Agency, row.agency_id)
    state = await state_of_child(access)
    asked = Category(row.category)
    return decision_for(access.at, state, agency, row.worker_id, purpose_of(row), asked)


def purpose_of(row: AccessRequest) -> Purpose:
    """For what it was asked: of an older request, to support."""
    return Purpose.SUPPORT if row.purpose is None else Purpose(row.purpose)


def _askable(purpose: Purpose) -> Purpose:
    return purpose if purpose in ASKABLE else Purpose.SUPPORT


def _is_own(access: Access, row: AccessRequest) -> bool:
    return row.worker_id == access.viewer.id and row.agency_id == access.viewer.agency


def _require_answerer(access: Access) -> None:
    if not may_answer(access):
        raise NotAllowed(
            "The lead professional or the coordinator of the child's panel answers requests."
        )


def _answered() -> Gone:
    return Gone("This request was answered already.", "Read the answer on the sharing page.")
