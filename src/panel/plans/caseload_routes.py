"""The pages of caseloads: who of an agency holds how many plans, and the limit."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from panel.accounts.desk import Desk
from panel.accounts.taking import Transaction, take_here
from panel.plans.caseload import CASELOAD_KEY, agency_managed, caseload, limits_of, set_limit
from panel.plans.lead_forms import CaseloadLimit
from panel.plans.lead_pages import caseload_page
from panel.records.child_scoped import JOB
from panel.web.forms import FieldErrors, Filled
from panel.web.paging import read_cursor

CASELOAD = "/caseload"


@get(CASELOAD, include_in_schema=False)
async def caseload_list(desk: NamedDependency[Desk], page: FromQuery[str] = "") -> Response[Any]:
    """What everybody of the manager's agency holds, the most first."""
    agency = agency_managed(desk.viewer)
    async with desk.tenant.transaction(JOB) as session:
        found = await caseload(session, agency, read_cursor(page, CASELOAD_KEY))
        limit = (await limits_of(session, [agency]))[agency]
    shown = caseload_page(found, limit, desk.today, CASELOAD)
    return desk.page("plans/caseload.html", page=shown, limit_href=f"{CASELOAD}/limit")


async def _limit(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    agency = agency_managed(desk.viewer)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        limit = (await limits_of(session, [agency]))[agency]
    stored = {"limit": str(limit), "from_on": desk.today}
    return desk.page(
        "plans/caseload_limit.html",
        status=200 if errors is None else 422,
        filled=Filled(stored, errors),
        errors=[] if errors is None else errors.summary,
        back_href=CASELOAD,
    )


@get(f"{CASELOAD}/limit", include_in_schema=False)
async def limit_form(desk: NamedDependency[Desk]) -> Response[Any]:
    """How many plans one worker holds at most."""
    return await _limit(desk)


@post(f"{CASELOAD}/limit", include_in_schema=False)
async def put_limit(desk: NamedDependency[Desk]) -> Response[Any]:
    """Set it, from a day on."""

    async def work(here: Transaction, form: CaseloadLimit) -> None:
        await set_limit(here.session, desk.viewer, form.limit, form.from_on, form.source)

    return await take_here(desk, CaseloadLimit, work, CASELOAD, again=partial(_limit, desk))


HANDLERS = [caseload_list, limit_form, put_limit]
