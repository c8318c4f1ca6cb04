"""The page of everything that happened in a child's life and case."""

from typing import Literal
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from panel.accounts.desk import Desk
from panel.casework.chronology import whole_chronology
from panel.casework.chronology_pages import GROUP_CHOICES, worker_page
from panel.casework.chronology_rules import ENTRY_KEY, GROUPS, ORDERS, Order
from panel.register.service import child_header
from panel.web.paging import read_cursor


@get("/children/{child_id:uuid}/chronology/all", include_in_schema=False)
async def chronology_of_all(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    order: FromQuery[Order] = "newest",
    about: FromQuery[str] = "",
    whole: FromQuery[Literal["", "yes"]] = "",
    page: FromQuery[str | None] = None,
) -> Response[str]:
    """Significant events and what follows from the process, as far as this person may see them."""
    group = about if about in GROUPS else ""
    async with desk.open(child_id, "read the whole chronology") as access:
        header = await child_header(access)
        read = await whole_chronology(
            access, read_cursor(page, ENTRY_KEY), order=order, group=group, whole=whole == "yes"
        )
    address = f"/children/{child_id}/chronology/all"
    return desk.page(
        "casework/chronology.html",
        header=header,
        here="chronology",
        address=address,
        page=worker_page(read, address, order, group, whole=whole == "yes"),
        order=order,
        orders=list(ORDERS),
        about=group,
        groups=GROUP_CHOICES,
    )


HANDLERS = [chronology_of_all]
