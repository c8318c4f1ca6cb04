"""The overview of one child's record."""

from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk
from panel.panels.case import read_case
from panel.panels.not_shown import grouped


@get("/children/{child_id:uuid}", include_in_schema=False)
async def case_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """Who the child is, what happens next, and what is known that this viewer may know."""
    async with desk.gate.open(child_id, desk.viewer, desk.purposes, "read the overview") as access:
        case = await read_case(access)
    return desk.page(
        "panels/case.html",
        case=case,
        header=case.header,
        here="overview",
        not_shown_here=grouped(case.not_shown),
    )


HANDLERS = [case_page]
