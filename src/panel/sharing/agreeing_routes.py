"""The pages on which a worker writes down what a family decided, renews it, or judges."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from consent import Finding
from consent.standing import AGE_OF_OWN_AGREEMENT, has_reached
from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.platform.problems import NotFound
from panel.records.gate import Access
from panel.register.service import child_header
from panel.sharing.agreeing import (
    agency_options,
    foretell,
    giver_options,
    record_conversation,
    renew_agreement,
    renewable,
)
from panel.sharing.agreeing_forms import AgreementForm, JudgementForm, RenewForm
from panel.sharing.agreeing_pages import (
    agreement_page,
    conversation_lines,
    filled_for,
    findings,
    foretold_words,
    only_one_may,
    request_summary,
)
from panel.sharing.answering import waiting_request
from panel.sharing.judging import record_judgement
from panel.sharing.pages import agreement_card
from panel.sharing.reading import agreement_line
from panel.sharing.rehearsed import Typed, rehearsed
from panel.sharing.service import live_agreements
from panel.sharing.standing import family_facts
from panel.web.forms import FieldErrors, Filled

BASE = "/children/{child_id:uuid}/sharing"
WRITING = "wrote down what the family decided about sharing"


def base_of(child_id: UUID) -> str:
    """The address of a child's sharing page."""
    return f"/children/{child_id}/sharing"


@get(f"{BASE}/agreements/new", include_in_schema=False)
async def new(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    asked: FromQuery[UUID | None] = None,
) -> Response[str]:
    """A form for what the family decided; `asked` is a request for access that it answers."""
    async with desk.open(child_id, WRITING) as access:
        return await _agreement(desk, access, asked)


@post(f"{BASE}/agreements", include_in_schema=False)
async def record(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Keep what the family decided; what closes something once it is read what that changes."""
    opens = partial(desk.open, child_id, WRITING)

    async def show(access: Access, form: AgreementForm, typed: Typed) -> Response[Any]:
        told = await foretell(access, form)
        base = base_of(child_id)
        return desk.page(
            "sharing/check.html",
            header=await child_header(access),
            here="sharing",
            title="Check what changes",
            lead="Read what changes, for whom. It counts from the first day below: on the next"
            " page, the next pack and the next message.",
            lines=conversation_lines(form, told),
            changes=foretold_words(told),
            rooms=await desk.site.rehearsal.asked(access, told.turn),
            typed=typed,
            action=f"{base}/agreements",
            confirm="Record what they decided",
            back_href=f"{base}/agreements/new",
        )

    async def work(access: Access, form: AgreementForm) -> None:
        await record_conversation(access, form)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with opens() as access:
            return await _agreement(desk, access, None, errors)

    return await rehearsed(desk, AgreementForm, opens, show, work, base_of(child_id), again=again)


async def _agreement(
    desk: Desk, access: Access, request_id: UUID | None, errors: FieldErrors | None = None
) -> Response[str]:
    access.require_write()
    header = await child_header(access)
    givers = await giver_options(access)
    asked = None if request_id is None else await waiting_request(access, request_id)
    stored = filled_for(asked, only_one_may(givers), desk.today)
    base = base_of(access.child_id)
    return desk.page(
        "sharing/agreement.html",
        status=200 if errors is None else 422,
        header=header,
        here="sharing",
        page=agreement_page(givers, await agency_options(access), header.name),
        asked=() if asked is None else request_summary(asked),
        any_live=bool(await live_agreements(access)),
        filled=Filled(stored, errors),
        action=f"{base}/agreements",
        back_href=base,
    )


@get(f"{BASE}/agreements/{{agreement_id:uuid}}/renew", include_in_schema=False)
async def renewal(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], agreement_id: FromPath[UUID]
) -> Response[str]:
    """A form for a new conversation about the same terms."""
    async with desk.open(child_id, "looked at an agreement to share") as access:
        return await _renewal(desk, access, agreement_id)


@post(f"{BASE}/agreements/{{agreement_id:uuid}}/renew", include_in_schema=False)
async def renew(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], agreement_id: FromPath[UUID]
) -> Response[Any]:
    """Keep that the same terms were agreed to until a later day."""
    opens = partial(desk.open, child_id, "renewed an agreement to share")

    async def work(access: Access, form: RenewForm) -> None:
        await renew_agreement(access, agreement_id, form)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with opens() as access:
            return await _renewal(desk, access, agreement_id, errors)

    return await take(desk, RenewForm, opens, work, base_of(child_id), again=again)


async def _renewal(
    desk: Desk, access: Access, agreement_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    old = await renewable(access, agreement_id)
    line = await agreement_line(access, old.id)
    if line is None:
        raise NotFound("There is no such agreement.")
    base = base_of(access.child_id)
    return desk.page(
        "sharing/renew.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        card=agreement_card(line, "", desk.today),
        is_judged=old.capacity in {"own_competent", "best_interests"},
        filled=Filled({"agreed_on": desk.today}, errors),
        action=f"{base}/agreements/{agreement_id}/renew",
        back_href=base,
    )


@get(f"{BASE}/judgements/new", include_in_schema=False)
async def judgement(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """A form for what a worker judged about who can decide."""
    async with desk.open(child_id, "looked at who decides about sharing") as access:
        return await _judgement(desk, access)


@post(f"{BASE}/judgements", include_in_schema=False)
async def judge(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Keep what a worker judged about who can decide."""
    opens = partial(desk.open, child_id, "wrote down who can decide about sharing")

    async def work(access: Access, form: JudgementForm) -> None:
        await record_judgement(
            access, Finding(form.finding), form.made_on, form.why, form.consulted
        )

    async def again(errors: FieldErrors) -> Response[Any]:
        async with opens() as access:
            return await _judgement(desk, access, errors)

    return await take(desk, JudgementForm, opens, work, base_of(child_id), again=again)


async def _judgement(
    desk: Desk, access: Access, errors: FieldErrors | None = None
) -> Response[str]:
    access.require_write()
    born = (await family_facts(access)).born
    base = base_of(access.child_id)
    from_16 = has_reached(born, AGE_OF_OWN_AGREEMENT, desk.today)
    return desk.page(
        "sharing/judgement.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        findings=findings(from_16=from_16),
        from_16=from_16,
        filled=Filled({"made_on": desk.today}, errors),
        action=f"{base}/judgements",
        back_href=base,
    )


HANDLERS = [new, record, renewal, renew, judgement, judge]
