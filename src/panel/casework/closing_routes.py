"""The page on which a case is closed and reopened."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from consent import Category
from panel.accounts.desk import Desk
from panel.accounts.service import worker_names
from panel.accounts.step_pages import Shown, step_page
from panel.accounts.taking import take
from panel.casework import closing as service
from panel.casework import closing_pages as pages
from panel.records.gate import Access
from panel.register.service import child_header, level_of_need, open_episode_of
from panel.web.forms import FieldErrors

READING = "read how the case stands"


def address(child_id: UUID) -> str:
    """The page of a child."""
    return f"/children/{child_id}/closing"


async def _page(desk: Desk, child_id: UUID, errors: FieldErrors | None = None) -> Response[str]:
    back = f"/children/{child_id}"
    async with desk.open(child_id, READING) as access:
        episode = await open_episode_of(access.session, child_id)
        row = await service.last_closure(access.session, child_id) if episode is None else None
        header = await child_header(access)
        whose = (header.name, header.facts)
        if row is not None:
            facts = pages.closed_facts(row, reads_plan=access.may(Category.PLAN))
            shown = Shown(f"{address(child_id)}/reopen", back, row.version, facts, whose=whose)
            return step_page(desk, pages.REOPEN, shown, errors)
        things = await service.open_things(access.session, child_id)
        owners = await worker_names(
            access.session, [one.owner_id for one in things if one.owner_id is not None]
        )
        level = None if episode is None else episode.level_at_start
        level = level or await _first_level(access)
        facts = pages.open_facts(level, things, owners)
        link = ("Hand the child over to another authority", f"/children/{child_id}/handover")
        shown = Shown(address(child_id), back, facts=facts, link=link, whose=whose)
    return step_page(desk, pages.CLOSE, shown, errors)


async def _first_level(access: Access) -> str | None:
    judged = await level_of_need(access.session, access.child_id)
    return None if judged is None else judged.level


@get("/children/{child_id:uuid}/closing", include_in_schema=False)
async def closing_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """Close the case, or see how it was closed."""
    return await _page(desk, child_id)


@post("/children/{child_id:uuid}/closing", include_in_schema=False)
async def close(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Close it."""

    async def work(access: Access, form: pages.CloseForm) -> None:
        await service.close_case(
            access,
            reason=form.reason,
            what_next=form.what_next,
            left_with=form.left_with,
            level=form.level,
            told_family_on=form.told_family_on,
        )

    return await take(
        desk,
        pages.CloseForm,
        partial(desk.open, child_id, "closed the case"),
        work,
        address(child_id),
        again=partial(_page, desk, child_id),
    )


@post("/children/{child_id:uuid}/closing/reopen", include_in_schema=False)
async def reopen(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Go on with a case that was closed."""

    async def work(access: Access, form: pages.ReopenForm) -> None:
        row = await service.last_closure(access.session, child_id)
        closure_id = child_id if row is None else row.id
        await service.reopen_case(access, closure_id, form.version, form.because)

    return await take(
        desk,
        pages.ReopenForm,
        partial(desk.open, child_id, "reopened the case"),
        work,
        address(child_id),
        again=partial(_page, desk, child_id),
    )


HANDLERS = [closing_page, close, reopen]
