"""The pages of objections: one is written down, and the coordinator decides it."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from consent import Category, Purpose
from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.platform.problems import Invalid
from panel.records.gate import Access
from panel.register.service import child_header
from panel.sharing.agreeing import agency_options, giver_options
from panel.sharing.agreeing_pages import EVERY_NAMED, person_words
from panel.sharing.agreeing_routes import BASE, base_of
from panel.sharing.objecting import (
    ObjectionOutcome,
    decide_objection,
    objection_view,
    record_objection,
)
from panel.sharing.objecting_forms import DecisionForm, ObjectionForm
from panel.sharing.objecting_pages import ABOUTS, objection_page
from panel.sharing.systems import SYSTEM
from panel.web.forms import FieldErrors, Filled


@get(f"{BASE}/objections/new", include_in_schema=False)
async def new(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """A form for what somebody with parental responsibility objects to."""
    async with desk.open(child_id, "looked at who may see this record") as access:
        return await _new(desk, access)


@post(f"{BASE}/objections", include_in_schema=False)
async def objected(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Keep an objection: from now on new sharing waits."""
    opens = partial(desk.open, child_id, "wrote down an objection to sharing")

    async def work(access: Access, form: ObjectionForm) -> None:
        if not set(form.agencies) <= {one.id for one in await agency_options(access)}:
            raise Invalid.because("agencies", "Choose agencies from the list")
        await record_objection(
            access,
            form.by_person,
            frozenset(form.agencies),
            frozenset(Category(one) for one in form.categories),
            form.reason,
            SYSTEM if form.about == "system" else frozenset(),
        )

    async def again(errors: FieldErrors) -> Response[Any]:
        async with opens() as access:
            return await _new(desk, access, errors)

    return await take(desk, ObjectionForm, opens, work, base_of(child_id), again=again)


async def _new(desk: Desk, access: Access, errors: FieldErrors | None = None) -> Response[str]:
    access.require_write()
    base = base_of(access.child_id)
    people = [
        (str(one.person), person_words(one), one.why)
        for one in await giver_options(access)
        if not one.is_child
    ]
    return desk.page(
        "sharing/objection_new.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        people=people,
        agencies=[(str(one.id), one.name) for one in await agency_options(access)],
        categories=EVERY_NAMED,
        abouts=ABOUTS,
        filled=Filled({"about": "everything"}, errors),
        action=f"{base}/objections",
        back_href=base,
    )


def deciding(desk: Desk) -> Sequence[Purpose]:
    """As usual; the information governance lead comes for what is left to them."""
    return (*desk.purposes, Purpose.GOVERNANCE)


@get(f"{BASE}/objections/{{objection_id:uuid}}", include_in_schema=False)
async def objection(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], objection_id: FromPath[UUID]
) -> Response[str]:
    """One objection with the reasons of both, and its decision."""
    async with desk.open(child_id, "looked at an objection to sharing", deciding(desk)) as access:
        return await _objection(desk, access, objection_id)


@post(f"{BASE}/objections/{{objection_id:uuid}}", include_in_schema=False)
async def decide(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], objection_id: FromPath[UUID]
) -> Response[Any]:
    """Keep the decision: it works on the next look."""
    opens = partial(desk.open, child_id, "decided an objection to sharing", deciding(desk))

    async def work(access: Access, form: DecisionForm) -> None:
        await decide_objection(access, objection_id, ObjectionOutcome(form.outcome), form.reason)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with opens() as access:
            return await _objection(desk, access, objection_id, errors)

    to = f"{base_of(child_id)}/objections/{objection_id}"
    return await take(desk, DecisionForm, opens, work, to, again=again)


async def _objection(
    desk: Desk, access: Access, objection_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    view = await objection_view(access, objection_id)
    base = base_of(access.child_id)
    rooms = [
        () if one.turn is None else await desk.site.rehearsal.asked(access, one.turn)
        for one in (view.if_upheld, view.if_dismissed)
    ]
    return desk.page(
        "sharing/objection.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        page=objection_page(view, desk.today),
        rooms_if_upheld=rooms[0],
        rooms_if_dismissed=rooms[1],
        filled=Filled({}, errors),
        action=f"{base}/objections/{objection_id}",
        back_href=base,
    )


HANDLERS = [new, objected, objection, decide]
