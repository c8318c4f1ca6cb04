"""Changes to prepare, for a child and across children; and who lacks a next step."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from consent import Role
from panel.accounts.desk import Desk
from panel.accounts.service import agencies
from panel.accounts.taking import take
from panel.casework import forms, pages
from panel.casework.chronology_routes import HANDLERS as CHRONOLOGY
from panel.casework.closing_routes import HANDLERS as CLOSING
from panel.casework.gap_queries import KIND_WORDS as GAP_WORDS
from panel.casework.gap_queries import GapKind
from panel.casework.looking import KEY, coming_transitions, sees_all, watch_list
from panel.casework.transitions import (
    Preparing,
    finish,
    hand_over,
    kinds_to_write_down,
    prepare,
    transition_of,
    transitions_of,
    write_down,
)
from panel.plans.service import candidates
from panel.records.gate import Access
from panel.register.service import child_header
from panel.web.forms import FieldErrors, Filled
from panel.web.paging import read_cursor

Form = TypeVar("Form", bound=msgspec.Struct)
READING = "read which changes come"
CHANGING = "prepared a change"
LIST = "/children/{child_id:uuid}/transitions"
ONE = "/children/{child_id:uuid}/transitions/{transition_id:uuid}"
SEES_WATCH = (Role.COORDINATOR, Role.CHAIR, Role.MANAGER)
SEES_COMING = (*SEES_WATCH, Role.PRACTITIONER)


@get("/watch", include_in_schema=False)
async def watch(
    desk: NamedDependency[Desk], kind: FromQuery[str] = "", page: FromQuery[str | None] = None
) -> Response[str]:
    """Who lacks a next step: of every child that a coordinator reaches, of a manager's agency."""
    desk.require(*SEES_WATCH)
    asked = kind if kind in GAP_WORDS else ""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await watch_list(
            desk.gate, session, desk.viewer, desk.purposes, asked, read_cursor(page, KEY)
        )
    return desk.page(
        "casework/watch.html",
        page=pages.watch_page(found, asked, desk.today),
        kind=asked,
        kinds=[("", "Everything"), *((one.value, GAP_WORDS[one]) for one in GapKind)],
        of_agency="" if sees_all(desk.viewer) else desk.signed_in.agency_name,
    )


@get("/transitions", include_in_schema=False)
async def coming(
    desk: NamedDependency[Desk],
    show: FromQuery[Literal["", "mine", "unplanned"]] = "",
    page: FromQuery[str | None] = None,
) -> Response[str]:
    """The changes to prepare across children, soonest first."""
    desk.require(*SEES_COMING)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await coming_transitions(
            desk.gate, session, desk.viewer, desk.purposes, show, read_cursor(page, KEY)
        )
    return desk.page(
        "casework/coming.html",
        page=pages.coming_page(found, show, desk.today),
        show=show,
        shows=list(pages.SHOWS),
    )


async def _list(desk: Desk, access: Access, errors: FieldErrors | None = None) -> Response[Any]:
    found = await transitions_of(access)
    open_ones, over = pages.transition_lines(access.child_id, found.shown, access.today)
    return desk.page(
        "casework/transitions.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="chronology",
        coming=open_ones,
        over=over,
        withheld_words=pages.withheld_changes(found.withheld),
        may_write=access.may_write,
        kinds=list(kinds_to_write_down().items()),
        filled=Filled({}, errors),
    )


@get(LIST, include_in_schema=False)
async def transitions(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The changes that come for one child."""
    async with desk.open(child_id, READING) as access:
        return await _list(desk, access)


@post(LIST, include_in_schema=False)
async def add_transition(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Write down a change that no birth date tells of."""

    async def work(access: Access, form: forms.WrittenDown) -> None:
        await write_down(access, form.kind, form.due_on)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.open(child_id, READING) as access:
            return await _list(desk, access, errors)

    opens = partial(desk.open, child_id, CHANGING)
    location = f"/children/{child_id}/transitions"
    return await take(desk, forms.WrittenDown, opens, work, location, again=again)


async def _one(
    desk: Desk, access: Access, transition_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    one = await transition_of(access, transition_id)
    may_write = access.may_write and one.is_open and one.plan is not None
    people = await candidates(access) if may_write else ()
    places = await agencies(access.session) if may_write else []
    owner = "" if one.owner is None else str(one.owner.id)
    stored = {
        "owner_worker_id": owner,
        "receiving_agency_id": one.receiving_id,
        "plan": one.plan,
        "state": "done",
    }
    choices = [(str(who.worker_id), f"{who.name}, {who.agency}") for who in people]
    if one.owner is not None and owner not in dict(choices):
        choices.insert(0, (owner, f"{one.owner.name}, {one.owner.agency}"))
    return desk.page(
        "casework/transition.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="chronology",
        page=pages.one_page(access.child_id, one, access.today),
        version=one.version,
        may_write=may_write,
        people=choices,
        places=[(str(place.id), place.name) for place in places if place.closed_on is None],
        filled=Filled(stored, errors),
        reason=Filled({}, errors),
    )


@get(ONE, include_in_schema=False)
async def transition(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], transition_id: FromPath[UUID]
) -> Response[Any]:
    """One change: who prepares it, who receives the child, and the plan."""
    async with desk.open(child_id, READING) as access:
        return await _one(desk, access, transition_id)


async def _changed(
    desk: Desk,
    child_id: UUID,
    transition_id: UUID,
    kind: type[Form],
    work: Callable[[Access, Form], Awaitable[object]],
) -> Response[Any]:
    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.open(child_id, READING) as access:
            return await _one(desk, access, transition_id, errors)

    opens = partial(desk.open, child_id, CHANGING)
    location = f"/children/{child_id}/transitions/{transition_id}"
    return await take(desk, kind, opens, work, location, again=again)


@post(ONE, include_in_schema=False)
async def save_transition(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], transition_id: FromPath[UUID]
) -> Response[Any]:
    """Name who prepares it, who receives the child, and the plan."""

    async def work(access: Access, form: forms.Prepared) -> None:
        said = Preparing(form.owner_worker_id, form.receiving_agency_id, form.plan)
        await prepare(access, transition_id, form.version, said)

    return await _changed(desk, child_id, transition_id, forms.Prepared, work)


@post(f"{ONE}/hand-over", include_in_schema=False)
async def hand_transition_over(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], transition_id: FromPath[UUID]
) -> Response[Any]:
    """The receiving agency has taken the child on."""

    async def work(access: Access, form: forms.HandedOver) -> None:
        await hand_over(access, transition_id, form.version)

    return await _changed(desk, child_id, transition_id, forms.HandedOver, work)


@post(f"{ONE}/finish", include_in_schema=False)
async def finish_transition(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], transition_id: FromPath[UUID]
) -> Response[Any]:
    """It is done, or needs no preparing."""

    async def work(access: Access, form: forms.Finished) -> None:
        await finish(access, transition_id, form.version, form.state, form.reason)

    return await _changed(desk, child_id, transition_id, forms.Finished, work)


HANDLERS = [
    watch,
    coming,
    transitions,
    add_transition,
    transition,
    save_transition,
    hand_transition_over,
    finish_transition,
    *CHRONOLOGY,
    *CLOSING,
]
