"""What happened so far, as one of the family reads it."""

from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from panel.accounts.desk import FAMILY_HOME, FOR_FAMILIES, Desk
from panel.casework.chronology import chronology_for_family
from panel.casework.chronology_pages import family_page
from panel.casework.chronology_rules import ENTRY_KEY, Order
from panel.families.reading import child_for_family
from panel.web.paging import read_cursor


@get("/family/{child_id:uuid}/chronology", include_in_schema=False, opt=FOR_FAMILIES)
async def what_happened(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    order: FromQuery[Order] = "newest",
    page: FromQuery[str | None] = None,
) -> Response[str]:
    """What happened and when, in plain words."""
    async with desk.open(child_id, "read what happened so far") as access:
        child = await child_for_family(access)
        read = await chronology_for_family(access, read_cursor(page, ENTRY_KEY), order=order)
    address = f"/family/{child_id}/chronology"
    turned: Order = "oldest" if order == "newest" else "newest"
    return desk.page(
        "families/happened.html",
        title="What happened so far"
        + ("" if child.is_self or not child.name else f": {child.name}"),
        back_href=FAMILY_HOME,
        page=family_page(read, address, order),
        order=order,
        turned_href=f"{address}?order={turned}",
    )


HANDLERS = [what_happened]
