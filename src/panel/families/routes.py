"""What a parent, a carer or a young person opens."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from panel.accounts.desk import FAMILY_HOME, FOR_FAMILIES, Desk, go
from panel.families.forms import MOST, TellForm
from panel.families.pages import child_page, tell_page, thanks
from panel.families.reading import child_for_family, children_of
from panel.panels.telling import tell_the_panel
from panel.records.gate import Access
from panel.web.forms import FieldErrors, Filled


@get(FAMILY_HOME, include_in_schema=False, opt=FOR_FAMILIES)
async def family_home(
    desk: NamedDependency[Desk], told: FromQuery[UUID | None] = None
) -> Response[str]:
    """What happens next, whom to ring, the plan, and what one told the panel."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        children = await children_of(session, desk.gate, desk.viewer, "opened their own page")
    return desk.page(
        "families/home.html",
        children=[child_page(one, desk.today) for one in children],
        thanks=next((thanks(one) for one in children if one.child_id == told), ""),
    )


@get("/family/{child_id:uuid}/tell", include_in_schema=False, opt=FOR_FAMILIES)
async def tell(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The page on which somebody of the family tells the panel something."""
    async with desk.gate.open(
        child_id, desk.viewer, desk.purposes, "opened the page to tell the panel something"
    ) as access:
        return await _tell(desk, access)


@post("/family/{child_id:uuid}/tell", include_in_schema=False, opt=FOR_FAMILIES)
async def told(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Keep what somebody of the family tells the panel."""
    posted = await desk.posted()
    read = posted.read(TellForm)
    location = f"{FAMILY_HOME}?told={child_id}"
    async with desk.gate.open(
        child_id, desk.viewer, desk.purposes, "told the panel something"
    ) as access:
        if isinstance(read, FieldErrors):
            return await _tell(desk, access, read)
        if await desk.first_time(access.session, posted, location):
            await tell_the_panel(access, read.said)
    return go(location)


async def _tell(desk: Desk, access: Access, errors: FieldErrors | None = None) -> Response[Any]:
    child = await child_for_family(access)
    if child.before is None:
        return go(FAMILY_HOME)
    return desk.page(
        "families/tell.html",
        status=200 if errors is None else 422,
        page=tell_page(child),
        filled=Filled({}, errors),
        at_most=MOST,
    )


HANDLERS = [family_home, tell, told]
