"""Requests for service: written, checked for completeness, sent to a panel, taken back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from consent import Category, Tie
from panel.allocation.leaving import leave_lists
from panel.allocation.models import RequestDecision, ServiceRequest
from panel.allocation.outside_rules import OutsideWords
from panel.allocation.outside_service import outside_words, save_placement
from panel.allocation.rules import (
    STATE_WORDS,
    TEXT_WORDS,
    TOO_FINE,
    LeftWhy,
    RequestFacts,
    RequestState,
    Urgency,
    age_mistake,
    is_too_fine,
    missing_of,
)
from panel.assessments.reading import signed_off_id
from panel.directory.service import Named, named
from panel.directory.vocabulary import Status
from panel.panels.models import DeclaredInterest, Meeting, Panel
from panel.panels.referrals import close_papers, open_referral, papers_complete, put_before
from panel.platform.ids import new_id
from panel.platform.problems import (
    Clash,
    Conflict,
    FieldError,
    Invalid,
    NotAllowed,
    NotFound,
    Problem,
)
from panel.records.gate import NOT_HERE, Access, rewrite_access
from panel.register.history import level_of_need
from panel.register.models import Child

WRITERS = frozenset({Tie.TEAM, Tie.LEAD, Tie.MANAGER})
INTERESTED = (
    "You declared an interest in this child, so you leave this item: you do not read the request"
    " and cannot decide about it."
)


@dataclass(frozen=True, slots=True)
class RequestWords:
    """What somebody fills in of a request. Anything may be empty while it is a draft."""

    legal_basis: str | None = None
    category: Category = Category.SOCIAL_CARE
    need: str = ""
    need_code: str | None = None
    outcome: str = ""
    tried: str = ""
    asked_for: str = ""
    service_id: UUID | None = None
    asked_units: Decimal | None = None
    unit: str | None = None
    urgency: Urgency = Urgency.ROUTINE
    urgency_why: str = ""
    family_wishes: str = ""


TEXTS = tuple(TEXT_WORDS)
CODES = ("legal_basis", "need_code", "service_id", "asked_units", "unit")


def require_writer(access: Access) -> None:
    """Raise NotAllowed outside the child's team."""
    if not access.ties & WRITERS:
        raise NotAllowed(
            "Only somebody who works with this child can write a request.",
            "Ask a worker who is involved.",
        )


def category_of(request: ServiceRequest) -> Category:
    """Which kind of information a request's texts are."""
    return Category(request.category)


def may_read(access: Access, request: ServiceRequest) -> bool:
    """Whether a request's texts may be shown to this viewer."""
    return access.may(category_of(request), request.agency_id, request.created_by)


NOT_ALL_OF_IT = "You may not read all of this request, so you cannot write over it."


def may_fill_in(access: Access, request: ServiceRequest) -> bool:
    """Whether a viewer may read all that a draft's form holds, the family's words among it."""
    views = access.may(Category.VIEWS, request.agency_id, request.created_by)
    return may_read(access, request) and views


def require_reader(access: Access, request: ServiceRequest) -> None:
    """Raise NotAllowed where the record keeps the texts of a request from the viewer."""
    if not may_read(access, request):
        withheld = access.withheld(category_of(request))
        raise NotAllowed(str(withheld or "") or "You cannot see this request.")


async def is_interested(access: Access, panel_id: UUID | None) -> bool:
    """Whether the viewer declared an interest in the child at a meeting of this panel.

    Nobody who works with the child is kept from what they wrote themselves.
    """
    if panel_id is None or access.ties & WRITERS:
        return False
    return await has_declared(access.session, access.child_id, access.viewer.id, panel_id)


async def has_declared(
    session: AsyncSession, child_id: UUID, worker_id: UUID, panel_id: UUID
) -> bool:
    """Whether a worker declared an interest in a child before this panel, and it stands."""
    return worker_id in await interested_of(session, child_id, panel_id)


async def interested_of(session: AsyncSession, child_id: UUID, panel_id: UUID) -> frozenset[UUID]:
    """Who declared an interest in a child before a panel, and it stands."""
    found = await session.scalars(
        _standing(DeclaredInterest.worker_id).where(
            Meeting.panel_id == panel_id, DeclaredInterest.child_id == child_id
        )
    )
    return frozenset(found)


async def left_of(
    session: AsyncSession, children: Collection[UUID], worker_id: UUID, panel_id: UUID
) -> frozenset[UUID]:
    """Of these children, those whose items a worker left; one question for a whole list."""
    found = await session.scalars(
        _standing(DeclaredInterest.child_id).where(
            Meeting.panel_id == panel_id,
            DeclaredInterest.child_id.in_(children),
            DeclaredInterest.worker_id == worker_id,
        )
    )
    return frozenset(found)


def _standing(what: InstrumentedAttribute[UUID]) -> Select[UUID]:
    """A part of the interests that nobody took back, with the meeting of each."""
    return (
        select(what)
        .join_from(DeclaredInterest, Meeting, Meeting.id == DeclaredInterest.meeting_id)
        .where(DeclaredInterest.taken_back_at.is_(None))
    )


async def request_of(access: Access, request_id: UUID) -> ServiceRequest:
    """A request of this child. Raises NotFound; NotAllowed for who left the item."""
    row = await access.session.get(ServiceRequest, request_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound(NOT_HERE)
    if row.state == RequestState.DRAFT and not access.ties & WRITERS:
        # Nobody but the team knows of what was not sent yet.
        raise NotFound(NOT_HERE)
    if await is_interested(access, row.panel_id):
        raise NotAllowed(INTERESTED, "Go to the next child.")
    return row


async def requests_named(
    session: AsyncSession, ids: Collection[UUID]
) -> Mapping[UUID, ServiceRequest]:
    """Requests by their ids, as far as the viewer reaches."""
    rows = await session.scalars(select(ServiceRequest).where(ServiceRequest.id.in_(ids)))
    return {row.id: row for row in rows}


async def requests_of(access: Access) -> Sequence[ServiceRequest]:
    """The child's requests that the viewer may know of, newest first."""
    rows = await access.session.scalars(
        select(ServiceRequest)
        .where(ServiceRequest.child_id == access.child_id)
        .order_by(ServiceRequest.id.desc())
    )
    is_writer = bool(access.ties & WRITERS)
    known = [one for one in rows if is_writer or one.state != RequestState.DRAFT]
    if is_writer:
        return known
    left = set(
        await access.session.scalars(
            _standing(Meeting.panel_id).where(
                DeclaredInterest.child_id == access.child_id,
                DeclaredInterest.worker_id == access.viewer.id,
            )
        )
    )
    return [one for one in known if one.panel_id not in left]


async def held(access: Access, request_id: UUID, version: int, mine: str) -> ServiceRequest:
    """A request that somebody is about to change, held until the transaction ends.

    Raises Conflict where it is not as they read it.
    """
    row = await request_of(access, request_id)
    await access.session.refresh(row, with_for_update=True)
    if row.version != version:
        theirs = STATE_WORDS[RequestState(row.state)]
        raise Conflict((Clash("The request", mine, theirs),))
    return row


async def start_request(access: Access, service_id: UUID | None = None) -> ServiceRequest:
    """A new draft, by somebody who works with the child; for a service of the directory or none.

    Raises NotAllowed, and Invalid for a service that does not take the child.
    """
    require_writer(access)
    agency = access.viewer.agency
    if agency is None:
        raise NotAllowed("Only a worker of an agency can write a request.")
    await _require_fit(access, service_id)
    made = new_id()
    row = ServiceRequest(
        id=made,
        child_id=access.child_id,
        reference=f"R-{made.hex[-8:].upper()}",
        agency_id=agency,
        service_id=service_id,
    )
    access.session.add(row)
    await access.session.flush()
    return row


def _require_draft(row: ServiceRequest) -> None:
    if row.state != RequestState.DRAFT:
        raise Problem(
            409,
            "This request was sent",
            "A request that was sent is not written over.",
            "Withdraw it and write a new one, or tell the panel at the meeting.",
        )


async def save_request(
    access: Access,
    request_id: UUID,
    said: RequestWords,
    version: int,
    outside: OutsideWords | None = None,
) -> ServiceRequest:
    """Save a draft as it stands, with the placement outside the area where it asks for one.

    Raises Conflict where somebody else saved first.
    """
    require_writer(access)
    row = await access.session.get(ServiceRequest, request_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound(NOT_HERE)
    await access.session.refresh(row, with_for_update=True)
    _require_draft(row)
    if not may_fill_in(access, row):
        raise NotAllowed(NOT_ALL_OF_IT, "Ask who wrote it.")
    if is_too_fine(said.asked_units):
        raise Invalid.because("asked_units", TOO_FINE)
    if row.version != version:
        clashes = tuple(
            Clash(TEXT_WORDS[name], getattr(said, name), getattr(row, name))
            for name in TEXTS
            if getattr(said, name) != getattr(row, name)
        )
        raise Conflict(clashes or (Clash("The request", "Your change", "Saved meanwhile"),))
    for name in TEXTS:
        setattr(row, name, getattr(said, name).strip())
    for name in CODES:
        setattr(row, name, getattr(said, name))
    row.category, row.urgency = said.category.value, said.urgency.value
    await save_placement(access.session, row, outside)
    await access.session.flush()
    return row


async def facts_of(access: Access, row: ServiceRequest) -> RequestFacts:
    """What is filled in, and what stands on the record now."""
    level = await level_of_need(access.session, access.child_id)
    assessment = await signed_off_id(access)
    return RequestFacts(
        row.legal_basis,
        row.need,
        row.need_code,
        row.outcome,
        row.tried,
        row.asked_for,
        row.asked_units,
        row.unit,
        row.urgency,
        row.urgency_why,
        row.family_wishes,
        assessment is not None,
        None if level is None else level.level,
        await outside_words(access.session, row.id),
    )


async def send_request(
    access: Access, request_id: UUID, panel: Panel, version: int
) -> ServiceRequest:
    """Send a complete request to an allocation panel: the child comes on its list.

    Raises Invalid with a sentence for each thing that is missing, for a panel that decides nothing
    and for a service that does not take children of this age; Conflict for a stale draft.
    """
    require_writer(access)
    row = await held(access, request_id, version, "Send it")
    _require_draft(row)
    mistakes = [FieldError(*one) for one in missing_of(await facts_of(access, row))]
    if panel.kind != "allocation":
        mistakes.append(
            FieldError("panel", f"The {panel.name} decides nothing. Choose an allocation panel")
        )
    if wrong := await wrong_service(access, row.service_id):
        mistakes.append(FieldError("service_id", wrong))
    if mistakes:
        raise Invalid(tuple(mistakes))
    level = await level_of_need(access.session, access.child_id)
    assessment = await signed_off_id(access)
    referral = await open_referral(access.session, access.child_id, panel.id)
    if referral is None:
        referral = await put_before(access, panel, reason=row.asked_for, category=category_of(row))
        await access.session.flush()
    await papers_complete(access.session, referral, access.today)
    row.panel_id, row.referral_id = panel.id, referral.id
    row.state, row.sent_on, row.sent_by = RequestState.SENT.value, access.today, access.viewer.id
    row.level_of_need = None if level is None else level.level
    row.assessment_id = assessment
    await access.session.flush()
    await rewrite_access(access.session, access.child_id)
    return row


async def wrong_service(access: Access, service_id: UUID | None) -> str:
    """Why a child cannot be given a service, or empty."""
    if service_id is None:
        return ""
    service = (await named(access.session, [service_id])).get(service_id)
    if service is None or service.status is Status.ENDED:
        return "This service is not in the directory any more. Choose another, or none"
    child = await access.session.get_one(Child, access.child_id)
    return age_mistake(child.birth_date, access.today, service.ages)


async def choose_service(
    access: Access, request_id: UUID, service_id: UUID, version: int
) -> ServiceRequest:
    """Ask for a service of the directory in a draft. Raises Conflict, and Invalid as `send`."""
    require_writer(access)
    row = await held(access, request_id, version, "Ask for this service")
    _require_draft(row)
    require_reader(access, row)
    await _require_fit(access, service_id)
    row.service_id = service_id
    await access.session.flush()
    return row


async def _require_fit(access: Access, service_id: UUID | None) -> None:
    if wrong := await wrong_service(access, service_id):
        raise Invalid.because("service_id", wrong)


async def services_asked_for(access: Access) -> Sequence[Named]:
    """The services of the directory that the child's requests ask for, as far as they are read."""
    asked = [
        one.service_id
        for one in await requests_of(access)
        if one.service_id is not None and may_read(access, one)
    ]
    return list((await named(access.session, asked)).values()) if asked else ()


async def service_of(access: Access, row: ServiceRequest) -> Named | None:
    """The service of the directory that a request asks for."""
    if row.service_id is None:
        return None
    return (await named(access.session, [row.service_id])).get(row.service_id)


async def withdraw_request(access: Access, request_id: UUID, why: str, version: int) -> None:
    """Take back a request that is not decided, with a reason. Raises Invalid without one."""
    require_writer(access)
    row = await held(access, request_id, version, "Withdraw it")
    if not why.strip():
        raise Invalid.because("why", "Say why the request is withdrawn")
    decided = select(RequestDecision.id).where(
        RequestDecision.request_id == row.id, RequestDecision.stands
    )
    is_open = row.state in (RequestState.DRAFT, RequestState.SENT)
    if not is_open or await access.session.scalar(decided) is not None:
        raise Problem(
            409,
            "This request is decided",
            "A request that the panel has decided is not withdrawn.",
            "Ask the panel to look again.",
        )
    row.state, row.withdrawn_why = RequestState.WITHDRAWN.value, why.strip()
    await access.session.flush()
    await leave_lists(access.session, row.id, LeftWhy.WITHDRAWN)
    if row.panel_id is not None and not await _others_wait(access, row):
        await close_papers(access.session, access.child_id, row.panel_id)
    await rewrite_access(access.session, access.child_id)


async def _others_wait(access: Access, row: ServiceRequest) -> bool:
    found = await access.session.scalar(
        select(ServiceRequest.id).where(
            ServiceRequest.child_id == access.child_id,
            ServiceRequest.panel_id == row.panel_id,
            ServiceRequest.state.in_((RequestState.SENT.value, RequestState.DECIDED.value)),
        )
    )
    return found is not None


def words_of(row: ServiceRequest) -> RequestWords:
    """A request as its form shows it."""
    said = RequestWords(category=category_of(row), urgency=Urgency(row.urgency))
    return replace(said, **{name: getattr(row, name) for name in (*TEXTS, *CODES)})
