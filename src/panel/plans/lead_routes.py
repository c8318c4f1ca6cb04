"""The pages of who leads: handed over on terms, covered, given back, with the budget."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.desk import Desk, Posted, go, unless_invalid
from panel.accounts.taking import take
from panel.plans import caseload_routes, pages
from panel.plans import lead_forms as forms
from panel.plans import lead_pages as words
from panel.plans.budgeting import budget_held, end_budget, give_budget, may_give_budget
from panel.plans.caseload import Load, loads
from panel.plans.covering import (
    NO_COVER,
    accept_cover,
    ask_for_cover,
    child_of_cover,
    cover_for_answer,
    covers,
    decline_cover,
    end_cover,
)
from panel.plans.handing import give_back
from panel.plans.lead_days import lead_on
from panel.plans.leads import FamilySays, Terms, candidates, lead_history, offer_lead
from panel.plans.suggesting import note_wish, suggestions, wish_of_family
from panel.platform.problems import NotFound
from panel.records.child_scoped import JOB
from panel.records.gate import Access
from panel.register.service import child_header
from panel.web.forms import FieldErrors, Filled, Nothing

LOOKING = "read who holds the plan"
HANDING = "changed who holds the plan"
COVERING = "changed who covers for the lead professional"


def _lead(child_id: UUID) -> str:
    return f"/children/{child_id}/lead-professional"


async def _loads(desk: Desk, child_id: UUID) -> dict[UUID, Load]:
    """What everybody who could lead for a child holds, of every child: counts alone."""
    async with desk.gate.open(child_id, desk.viewer, desk.purposes, LOOKING) as access:
        people = [one.worker_id for one in await candidates(access)] if access.may_write else []
    async with desk.tenant.transaction(JOB) as session:
        return await loads(session, people)


async def _framed(
    desk: Desk, access: Access, template: str, errors: FieldErrors | None, **shown: object
) -> Response[Any]:
    return desk.page(
        f"plans/{template}.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="plan",
        errors=[] if errors is None else errors.summary,
        back_href=_lead(access.child_id),
        **shown,
    )


# Who leads ----------------------------------------------------------------------------------------


async def _lead_page(
    desk: Desk, child_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    held = await _loads(desk, child_id)
    async with desk.open(child_id, LOOKING) as access:
        lines, wish = await lead_history(access), await wish_of_family(access)
        found = await suggestions(access, held, wish) if access.may_write else ()
        held_budget = await budget_held(access)
        facts = words.LeadPageFacts(
            child_id=child_id,
            viewer_id=desk.viewer.id,
            today=access.today,
            may_write=access.may_write,
            lines=lines,
            suggestions=found,
            wish=wish,
            covers=await covers(access),
            budget=held_budget,
            amount=(
                await desk.site.held_budget.of_child(access)
                if held_budget is not None and held_budget.from_on is not None
                else None
            ),
            may_give_budget=may_give_budget(access),
        )
        page = pages.lead_page(
            child_id,
            lines,
            [one.candidate for one in found],
            desk.viewer.id,
            access.today,
            may_write=access.may_write,
        )
        sections = words.lead_sections(facts)
        return await _framed(
            desk, access, "lead", errors, page=page, sections=sections, filled=Filled({}, errors)
        )


@get("/children/{child_id:uuid}/lead-professional", include_in_schema=False)
async def lead(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Who holds the plan and who covers, what was before, and the form that offers it."""
    return await _lead_page(desk, child_id)


@post("/children/{child_id:uuid}/lead-professional/offers", include_in_schema=False)
async def offer(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Offer the part of lead professional to a worker, on terms."""
    held = await _loads(desk, child_id)

    async def work(access: Access, form: forms.OfferOnTerms) -> None:
        load = held.get(form.worker_id)
        terms = Terms(
            note=form.note,
            joint_until=form.joint_until,
            family=None if form.family is None else FamilySays(form.family),
            family_words=form.family_words,
            over_limit=form.over_limit,
            plans_held=0 if load is None else load.plans,
            limit=None if load is None else load.limit,
        )
        await offer_lead(access, form.worker_id, terms)

    return await take(
        desk,
        forms.OfferOnTerms,
        partial(desk.open, child_id, HANDING),
        work,
        _lead(child_id),
        again=partial(_lead_page, desk, child_id),
    )


# The family's wish --------------------------------------------------------------------------------


async def _wish(desk: Desk, child_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.open(child_id, LOOKING) as access:
        access.require_write()
        people = words.cover_choices(await candidates(access), None)
        now = await wish_of_family(access)
        filled = Filled({"said_on": access.today}, errors)
        return await _framed(
            desk,
            access,
            "lead_wish",
            errors,
            choices=people,
            now="" if now is None else words.wish_words(now),
            filled=filled,
        )


@get("/children/{child_id:uuid}/lead-professional/wish", include_in_schema=False)
async def wish_form(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Whom the family would like."""
    return await _wish(desk, child_id)


@post("/children/{child_id:uuid}/lead-professional/wish", include_in_schema=False)
async def wish(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Write it down."""

    async def work(access: Access, form: forms.FamilyWish) -> None:
        await note_wish(
            access,
            worker_id=form.wished_id,
            said_on=form.said_on,
            said_by=form.said_by,
            words=form.words,
        )

    opens = partial(desk.open, child_id, "wrote down whom the family would like")
    again = partial(_wish, desk, child_id)
    return await take(desk, forms.FamilyWish, opens, work, _lead(child_id), again=again)


# Cover --------------------------------------------------------------------------------------------


async def _cover_form(
    desk: Desk, child_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    async with desk.open(child_id, LOOKING) as access:
        access.require_write()
        now = await lead_on(access.session, child_id, access.today)
        choices = words.cover_choices(
            await candidates(access), None if now is None else now.holder_id
        )
        filled = Filled({}, errors)
        return await _framed(desk, access, "cover_form", errors, choices=choices, filled=filled)


@get("/children/{child_id:uuid}/lead-professional/cover/new", include_in_schema=False)
async def new_cover(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Ask somebody to cover."""
    return await _cover_form(desk, child_id)


@post("/children/{child_id:uuid}/lead-professional/cover/new", include_in_schema=False)
async def put_cover(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """They are asked; until they agree nothing changes."""

    async def work(access: Access, form: forms.CoverAsked) -> None:
        await ask_for_cover(access, form.worker_id, form.from_on, form.until_on)

    opens, again = partial(desk.open, child_id, COVERING), partial(_cover_form, desk, child_id)
    return await take(desk, forms.CoverAsked, opens, work, _lead(child_id), again=again)


@post(
    "/children/{child_id:uuid}/lead-professional/cover/{cover_id:uuid}/end",
    include_in_schema=False,
)
async def stop_cover(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], cover_id: FromPath[UUID]
) -> Response[Any]:
    """Who holds the plan is back, or who covers cannot go on."""

    async def work(access: Access, form: forms.CoverEnded) -> None:
        await end_cover(access, cover_id, form.version, form.reason)

    opens, again = partial(desk.open, child_id, COVERING), partial(_lead_page, desk, child_id)
    return await take(desk, forms.CoverEnded, opens, work, _lead(child_id), again=again)


@asynccontextmanager
async def _asked_of_me(desk: Desk, cover_id: UUID, doing: str) -> AsyncIterator[Access]:
    """The record of the child whom a question to the person at the desk is about."""
    child_id = await child_of_cover(desk.gate, desk.viewer.id, cover_id)
    if child_id is None:
        raise NotFound(NO_COVER, "What you are asked is on your first page.")
    async with desk.open(child_id, doing) as access:
        yield access


async def _question(desk: Desk, cover_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    async with _asked_of_me(desk, cover_id, "read a question to cover") as access:
        cover, asked = await cover_for_answer(access, cover_id)
        page = words.cover_page(cover, asked, access.today)
    return desk.page(
        "plans/cover.html",
        status=200 if errors is None else 422,
        page=page,
        filled=Filled({}, errors),
        errors=[] if errors is None else errors.summary,
    )


@get("/lead-professional/cover/{cover_id:uuid}", include_in_schema=False)
async def my_cover(desk: NamedDependency[Desk], cover_id: FromPath[UUID]) -> Response[Any]:
    """A question to me: for whom, which days, what it means."""
    return await _question(desk, cover_id)


async def _answered(
    desk: Desk,
    cover_id: UUID,
    posted: Posted,
    doing: str,
    work: Callable[[Access], Awaitable[None]],
) -> Response[Any]:
    """Do it once; the child may be out of reach then, so a second post looks for nothing."""
    child_id = await child_of_cover(desk.gate, desk.viewer.id, cover_id)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        if await desk.first_time(session, posted, "/"):
            children = [] if child_id is None else [child_id]
            opened = await desk.gate.open_here(session, children, desk.viewer, desk.purposes, doing)
            if child_id is None or child_id not in opened:
                raise NotFound(NO_COVER, "What you are asked is on your first page.")
            await work(opened[child_id])
    return go("/")


@post("/lead-professional/cover/{cover_id:uuid}/accept", include_in_schema=False)
async def agree_cover(desk: NamedDependency[Desk], cover_id: FromPath[UUID]) -> Response[Any]:
    """I cover on these days."""
    posted = await desk.posted()
    unless_invalid(posted.read(Nothing))

    async def work(access: Access) -> None:
        await accept_cover(access, cover_id)

    return await _answered(desk, cover_id, posted, "agreed to cover", work)


@post("/lead-professional/cover/{cover_id:uuid}/decline", include_in_schema=False)
async def refuse_cover(desk: NamedDependency[Desk], cover_id: FromPath[UUID]) -> Response[Any]:
    """I cannot, with the reason."""
    posted = await desk.posted()
    read = posted.read(forms.CoverDeclined)
    if isinstance(read, FieldErrors):
        return await _question(desk, cover_id, read)
    form = read

    async def work(access: Access) -> None:
        await decline_cover(access, cover_id, form.reason)

    return await _answered(desk, cover_id, posted, "declined to cover", work)


# Giving back, and the budget ----------------------------------------------------------------------


async def _give_back(
    desk: Desk, child_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    async with desk.open(child_id, LOOKING) as access:
        filled = Filled({}, errors)
        return await _framed(desk, access, "give_back", errors, filled=filled)


@get("/children/{child_id:uuid}/lead-professional/give-back", include_in_schema=False)
async def give_back_form(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """I cannot hold the plan any more: what happens then."""
    return await _give_back(desk, child_id)


@post("/children/{child_id:uuid}/lead-professional/give-back", include_in_schema=False)
async def put_back(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """My manager holds it from tomorrow; else whoever runs the child's panel."""

    async def work(access: Access, form: forms.GivenBack) -> None:
        async def coordinator(session: AsyncSession, child: UUID, day: date) -> UUID | None:
            return await desk.site.casework.coordinator(session, child, day, desk.viewer.id)

        await give_back(access, form.reason, coordinator)

    opens, again = partial(desk.open, child_id, HANDING), partial(_give_back, desk, child_id)
    return await take(desk, forms.GivenBack, opens, work, _lead(child_id), again=again)


async def _budget(desk: Desk, child_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.open(child_id, LOOKING) as access:
        held = await budget_held(access)
        amount = await desk.site.held_budget.of_child(access)
        return await _framed(
            desk,
            access,
            "lead_budget",
            errors,
            worker="" if held is None else held.worker,
            version="" if held is None else held.version,
            said=words.budget_words(held, amount, access.today),
            is_held=held is not None and held.holds_on(access.today),
            filled=Filled({"from_on": access.today}, errors),
        )


@get("/children/{child_id:uuid}/lead-professional/budget", include_in_schema=False)
async def budget_form(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Whether whoever holds the plan holds the budget too."""
    return await _budget(desk, child_id)


@post("/children/{child_id:uuid}/lead-professional/budget", include_in_schema=False)
async def put_budget(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """They hold it from a day on."""

    async def work(access: Access, form: forms.BudgetGiven) -> None:
        await give_budget(access, form.version, form.from_on, form.until_on)

    opens = partial(desk.open, child_id, "gave the budget to the lead professional")
    again = partial(_budget, desk, child_id)
    return await take(desk, forms.BudgetGiven, opens, work, _lead(child_id), again=again)


@post("/children/{child_id:uuid}/lead-professional/budget/end", include_in_schema=False)
async def stop_budget(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """They hold it up to today."""

    async def work(access: Access, form: forms.BudgetEnded) -> None:
        await end_budget(access, form.version)

    opens = partial(desk.open, child_id, "took the budget back")
    again = partial(_budget, desk, child_id)
    return await take(desk, forms.BudgetEnded, opens, work, _lead(child_id), again=again)


HANDLERS = [
    lead,
    offer,
    wish_form,
    wish,
    new_cover,
    put_cover,
    stop_cover,
    my_cover,
    agree_cover,
    refuse_cover,
    give_back_form,
    put_back,
    budget_form,
    put_budget,
    stop_budget,
    *caseload_routes.HANDLERS,
]
