"""The pages of a child's requests: written, sent, withdrawn, and all that became of one."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.status_codes import HTTP_422_UNPROCESSABLE_ENTITY
from sqlalchemy import select

from consent import Category, Tie
from panel.accounts.desk import Desk, go
from panel.accounts.taking import take
from panel.allocation import request_forms as forms
from panel.allocation import request_pages as pages
from panel.allocation.appeal_service import appeals_of
from panel.allocation.decision_service import decisions_of
from panel.allocation.fairness_reading import like_this
from panel.allocation.letter_service import copies_of, letter_about
from panel.allocation.models import Criterion, LetterCopy, PlaceOffer, ServiceRequest, Waiting
from panel.allocation.outside_models import OutsidePlacement
from panel.allocation.outside_pages import outside_address, placement_rows, stored_placement
from panel.allocation.outside_rules import FOOTING_WORDS, PLACEMENT_WORDS
from panel.allocation.outside_service import placement_for
from panel.allocation.package_requests import met_by, packages_for
from panel.allocation.packages import may_prepare, money_purposes
from panel.allocation.packages_beside import beside_request
from panel.allocation.packages_pages import STATE_WORDS as STATE_TAGS
from panel.allocation.request_pages import address_of
from panel.allocation.request_service import (
    WRITERS,
    category_of,
    facts_of,
    may_fill_in,
    may_read,
    request_of,
    requests_of,
    save_request,
    send_request,
    service_of,
    start_request,
    withdraw_request,
    words_of,
)
from panel.allocation.rules import (
    AGREES,
    ANSWER_WORDS,
    BASIS_WORDS,
    BY_HAND,
    LEFT_WORDS,
    NEED_WORDS,
    OUTCOME_WORDS,
    URGENCY_WORDS,
    Kind,
    OfferAnswer,
    RequestState,
    Unit,
    Urgency,
    WaitingState,
    missing_of,
)
from panel.allocation.services_routes import services_address, services_again
from panel.allocation.unmet_service import needs_of
from panel.allocation.waiting_service import (
    answers_of,
    lists_with,
    place_of,
    runs_list,
    waits_of,
)
from panel.directory.service import Named
from panel.panels.case import CATEGORY_TITLES
from panel.panels.models import Panel
from panel.panels.reading import all_panels
from panel.panels.referrals import is_chair
from panel.platform.problems import NotFound
from panel.records.child_scoped import JOB
from panel.records.gate import Access
from panel.register.header import child_header
from panel.register.people import people_of
from panel.web import words
from panel.web.forms import FieldErrors, Filled

REQUESTS = "/children/{child_id:uuid}/requests"
REQUEST = REQUESTS + "/{need_id:uuid}"
Form = TypeVar("Form", bound=msgspec.Struct)

READING = "read a request for service"
WRITING = "wrote a request for service"


@get(REQUESTS, include_in_schema=False)
async def requests_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """The child's requests, newest first."""
    purposes = money_purposes(desk.viewer, desk.purposes)
    async with desk.open(child_id, "read the child’s requests", purposes) as access:
        rows = [
            (
                address_of(child_id, one.id),
                one.reference,
                pages.state_tag(one),
                "" if one.sent_on is None else words.short_day(one.sent_on),
            )
            for one in await requests_of(access)
        ]
        return desk.page(
            "allocation/requests.html",
            header=await child_header(access),
            here="requests",
            rows=rows,
            may_write=bool(access.ties & WRITERS),
        )


@post(REQUESTS, include_in_schema=False)
async def new_request(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Start a draft."""
    to = f"/children/{child_id}/requests"

    async def work(access: Access, form: forms.NewForm) -> None:
        await start_request(access, form.service_id)

    opens = partial(desk.open, child_id, WRITING)
    again = partial(services_again, desk, child_id, None)
    taken = await take(desk, forms.NewForm, opens, work, to, again=again)
    if taken.status_code == HTTP_422_UNPROCESSABLE_ENTITY:
        return taken
    async with desk.open(child_id, WRITING) as access:
        newest = await access.session.scalar(
            select(ServiceRequest.id)
            .where(
                ServiceRequest.child_id == child_id,
                ServiceRequest.created_by == access.viewer.id,
                ServiceRequest.state == RequestState.DRAFT.value,
            )
            .order_by(ServiceRequest.id.desc())
            .limit(1)
        )
    return go(to if newest is None else address_of(child_id, newest))


async def _page(
    desk: Desk,
    child_id: UUID,
    need_id: UUID,
    errors: FieldErrors | None = None,
    form: str = "",
) -> Response[str]:
    """One request; `form` says which of its forms has the mistakes."""
    async with desk.tenant.transaction(JOB) as session:
        lists = await lists_with(session, need_id)
    purposes = money_purposes(desk.viewer, desk.purposes)
    async with desk.open(child_id, READING, purposes) as access:
        row = await request_of(access, need_id)
        header = await child_header(access)
        service = await service_of(access, row)
        writes = bool(access.ties & WRITERS)
        reads = may_read(access, row)
        placement = await placement_for(access.session, need_id) if reads else None
        is_draft = row.state == RequestState.DRAFT
        shown = {
            "header": header,
            "here": "requests",
            "request": row,
            "address": address_of(child_id, need_id),
            "tag": pages.state_tag(row),
            "withheld": ""
            if reads
            else str(access.withheld(category_of(row)) or "You cannot see this request."),
            "rows": pages.request_rows(row, access, service, placement_rows(placement))
            if reads
            else (),
            "outside": "" if placement is None else outside_address(child_id, need_id),
            "may_write": writes,
            "may_work": access.may_write,
            "is_panel": Tie.PANEL in access.ties,
            "wrong": form,
            "filled": Filled({}, errors),
            "nothing": Filled(),
        }
        if is_draft and writes and may_fill_in(access, row):
            return desk.page(
                "allocation/request_draft.html",
                status=200 if errors is None else 422,
                **shown,
                **await _to_fill_in(
                    access, row, placement, service, errors if form == "draft" else None
                ),
            )
        return desk.page(
            "allocation/request.html",
            status=200 if errors is None else 422,
            **shown,
            **await _became(access, row, lists),
            has=await beside_request(access.session, child_id, access) if reads else (),
            like=await like_this(access, row, desk.signed_in),
        )


async def _to_fill_in(
    access: Access,
    row: ServiceRequest,
    placement: OutsidePlacement | None,
    service: Named | None,
    errors: FieldErrors | None,
) -> dict[str, Any]:
    """The form of a draft: what stands in it, what it offers, and what is still missing."""
    stored = {name: getattr(words_of(row), name) for name in words_of(row).__slots__}
    stored |= {"category": row.category, **stored_placement(placement)}
    facts = await facts_of(access, row)
    return {
        "draft": Filled(stored, errors),
        "missing": [sentence for _, sentence in missing_of(facts)],
        "level": pages.level_words(facts.level_of_need),
        "bases": [(key.value, said) for key, said in BASIS_WORDS.items()],
        "needs": [(key.value, said) for key, said in NEED_WORDS.items()],
        "categories": [
            (one.value, title)
            for one, title in CATEGORY_TITLES.items()
            if one.value in forms.CATEGORIES
        ],
        "unit_choices": [(one.value, f"{one.value.capitalize()}s") for one in Unit],
        "urgencies": [(key.value, URGENCY_WORDS[key]) for key in reversed(Urgency)],
        "placed": [(key.value, said) for key, said in PLACEMENT_WORDS.items()],
        "footings": [(key.value, said) for key, said in FOOTING_WORDS.items()],
        "services": []
        if service is None
        else [(str(service.id), service.words), ("", "No service in particular")],
        "find_href": f"{services_address(access.child_id)}?asking={row.id}",
        "panels": [
            (str(one.id), one.name)
            for one in await all_panels(access.session)
            if one.kind == "allocation"
        ],
    }


async def _became(
    access: Access, row: ServiceRequest, lists: Mapping[UUID, list[Waiting]]
) -> dict[str, Any]:
    """What became of a request: decisions, letter, unmet need, appeals, waiting."""
    session = access.session
    decisions = await decisions_of(session, row.id)
    criteria = {
        one.id: one
        for one in await session.scalars(
            select(Criterion).where(Criterion.id.in_([one.criterion_id for one in decisions]))
        )
    }
    stands = next((one for one in decisions if one.stands), None)
    letter = None if stands is None else await letter_about(session, stands.id)
    waited = await waits_of(access, row.id)
    answering = await packages_for(access, row.id)
    needs = await needs_of(access, row.id)
    started = f"/children/{access.child_id}/packages"
    may_start = stands is not None and stands.kind in AGREES and may_prepare(access)
    chairs = row.panel_id is not None and await is_chair(session, access.viewer.id, row.panel_id)
    return {
        "decisions": [pages.decision_row(one, row, criteria, access) for one in decisions],
        "stands": stands,
        "letter": letter,
        "kept_why": letter.kept_why if letter is not None and access.may(Category.PANEL) else "",
        "copies": [] if letter is None else await _copies(access, letter.id),
        "unmet": [pages.unmet_row(one, access) for one in needs],
        "met": {one.id: met_by(one, answering) for one in needs},
        "packages": [
            (f"{started}/{one.id}", one.name, *STATE_TAGS[one.state]) for one in answering
        ],
        "start": f"{started}/new?answers={row.id}" if may_start else "",
        "appeals": [
            pages.appeal_row(one, access, access.today) for one in await appeals_of(access, row.id)
        ],
        "waits": await _waits(access, row, lists, waited),
        "may_offer": await runs_list(access, row),
        "may_join": access.may_write
        and stands is not None
        and stands.kind != Kind.DECLINED
        and all(one.state == WaitingState.LEFT for one, _ in waited),
        "leaving": [(key.value, LEFT_WORDS[key]) for key in BY_HAND],
        "chairs": chairs,
        "outcomes": [(key.value, said) for key, said in OUTCOME_WORDS.items()],
    }


async def _waits(
    access: Access,
    row: ServiceRequest,
    lists: Mapping[UUID, list[Waiting]],
    waited: Sequence[tuple[Waiting, Sequence[PlaceOffer]]],
) -> list[tuple[Any, ...]]:
    """Where the child waits for what was asked for: its place, and what was offered."""
    waits = []
    for waiting, offers in waited:
        place = place_of(lists.get(waiting.service_id, ()), waiting, access.today)
        open_offer = next((one for one in offers if one.answer is None), None)
        told = [
            f"Offered on {words.short_day(one.offered_on)}: "
            f"{ANSWER_WORDS[OfferAnswer(one.answer)]}."
            f" {one.why if access.may(Category.VIEWS) else ''}".rstrip()
            for one in offers
            if one.answer is not None
        ]
        told += pages.left_words(waiting, access)
        may_say = () if open_offer is None else await answers_of(access, row, open_offer)
        answers = [(key.value, ANSWER_WORDS[key]) for key in may_say]
        waits.append((waiting, place, open_offer, told, answers))
    return waits


async def _copies(access: Access, letter_id: UUID) -> list[tuple[LetterCopy, str, str]]:
    """Each copy with whose it is; one that did not go, with how to reach them safely."""
    copies = await copies_of(access.session, letter_id)
    people = {one.member_id: one for one in (await people_of(access)).family}
    return [pages.copy_row(one, people.get(one.person_id), access) for one in copies]


async def request_again(
    desk: Desk, child_id: UUID, need_id: UUID, form: str, errors: FieldErrors
) -> Response[Any]:
    """The page of a request with the mistakes of one of its forms.

    Several of them ask why: the error summary leads to the field of the one that was sent.
    """
    anchors = {**errors.anchors, "why": f"{form}-why"}
    return await _page(desk, child_id, need_id, replace(errors, anchors=anchors), form)


@get(REQUEST, include_in_schema=False)
async def request_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], need_id: FromPath[UUID]
) -> Response[str]:
    """One request: the draft to fill in, or what was sent and what became of it."""
    return await _page(desk, child_id, need_id)


_WHOLE = frozenset({"draft", "send", "withdraw"})
"""Forms after which the page is another, and is read from its top."""
_PLACES = {"leave": "waiting"}
"""Where a form's doing is read, where that is not called as the form."""


async def work_on(
    desk: Desk,
    where: tuple[UUID, UUID],
    kind: type[Form],
    work: Callable[[Access, Form], Awaitable[object]],
    name: str,
    doing: str,
) -> Response[Any]:
    """Do something with a request; a mistake is shown in the form of this `name` on its page."""
    child_id, need_id = where
    page = address_of(child_id, need_id)
    purposes = money_purposes(desk.viewer, desk.purposes)
    return await take(
        desk,
        kind,
        partial(desk.open, child_id, doing, purposes),
        work,
        page if name in _WHOLE else f"{page}#{_PLACES.get(name, name)}",
        again=partial(request_again, desk, child_id, need_id, name),
    )


@post(REQUEST, include_in_schema=False)
async def save(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], need_id: FromPath[UUID]
) -> Response[Any]:
    """Save the draft."""

    async def work(access: Access, form: forms.RequestForm) -> None:
        await save_request(access, need_id, form.words, form.version, form.placement)

    return await work_on(desk, (child_id, need_id), forms.RequestForm, work, "draft", WRITING)


@post(f"{REQUEST}/send", include_in_schema=False)
async def send(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], need_id: FromPath[UUID]
) -> Response[Any]:
    """Send it to a panel, once it is complete."""

    async def work(access: Access, form: forms.SendForm) -> None:
        panel = await access.session.get(Panel, form.panel)
        if panel is None:
            raise NotFound("There is no such panel.", "Load the page again.")
        await send_request(access, need_id, panel, form.version)

    doing = "sent a request to a panel"
    return await work_on(desk, (child_id, need_id), forms.SendForm, work, "send", doing)


@post(f"{REQUEST}/withdraw", include_in_schema=False)
async def withdraw(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], need_id: FromPath[UUID]
) -> Response[Any]:
    """Take it back."""

    async def work(access: Access, form: forms.WhyForm) -> None:
        await withdraw_request(access, need_id, form.why, form.version)

    doing = "withdrew a request"
    return await work_on(desk, (child_id, need_id), forms.WhyForm, work, "withdraw", doing)


HANDLERS = [requests_page, new_request, request_page, save, send, withdraw]
