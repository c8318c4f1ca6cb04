"""The pages of placements outside the area: a child's with its conditions, the panel's list."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from panel.accounts.desk import Desk
from panel.accounts.taking import Transaction, take, transaction_of
from panel.allocation import outside_forms as forms
from panel.allocation.decision_service import standing_decision
from panel.allocation.outside_pages import (
    Line,
    due_lines,
    line_of,
    outside_address,
    placement_rows,
)
from panel.allocation.outside_rules import APPLIES_WORDS, Applies
from panel.allocation.outside_service import (
    Terms,
    Ticks,
    add_terms,
    conditions_for,
    every_terms,
    lacking_of,
    terms_of,
    ticks_of,
)
from panel.allocation.outside_visits import (
    Listed,
    condition_of,
    end_placement,
    opened_placement,
    placements_of,
    record_visit,
    tick,
    visits_of,
)
from panel.allocation.panel_routes import ON_A_PAGE, headers_of, panel_here
from panel.allocation.request_pages import address_of, holds_words
from panel.allocation.request_routes import REQUEST
from panel.allocation.request_service import category_of, may_read
from panel.allocation.rules import AGREES
from panel.panels.run import panel_run_by
from panel.records.gate import Access
from panel.register.header import ChildHeader, child_header
from panel.web.forms import FieldErrors, Filled

PLACEMENT = f"{REQUEST}/out-of-area"
CONDITION = f"{PLACEMENT}/conditions/{{condition_id:uuid}}"
LIST = "/panels/{key:str}/out-of-area"
CONDITIONS = f"{LIST}/conditions"
READING = "read a placement out of the area"


# A child's placement ------------------------------------------------------------------------------


async def _placement_page(
    desk: Desk,
    child_id: UUID,
    need_id: UUID,
    wrong: str = "",
    errors: FieldErrors | None = None,
) -> Response[Any]:
    """One placement; `wrong` says which of its forms has the mistakes."""
    async with desk.open(child_id, READING) as access:
        session, today = access.session, access.today
        request, placement = await opened_placement(access, need_id)
        decision = await standing_decision(session, request.id)
        agreed = decision if decision is not None and decision.kind in AGREES else None
        day = today if agreed is None else agreed.decided_on
        ticks = (await ticks_of(session, [placement.id])).get(placement.id, {})
        versions = await every_terms(session)
        now = terms_of(versions, today)
        return desk.page(
            "allocation/placement.html",
            status=200 if errors is None else 422,
            header=await child_header(access),
            here="requests",
            request=request,
            placement=placement,
            rows=placement_rows(placement),
            address=outside_address(child_id, need_id),
            back=address_of(child_id, need_id),
            conditions=conditions_for(placement, terms_of(versions, day), ticks),
            holding=set() if now is None else {one.id for one in now.conditions},
            due=due_lines(placement, agreed, today),
            visits=await visits_of(session, placement.id),
            may_work=access.may_write and request.state != "withdrawn",
            runs=agreed is not None and placement.ended_on is None,
            wrong=wrong,
            filled=Filled({}, errors),
            nothing=Filled(),
        )


@get(PLACEMENT, include_in_schema=False)
async def placement_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], need_id: FromPath[UUID]
) -> Response[Any]:
    """Where a child is or would be, what is met of the conditions, and who visited."""
    return await _placement_page(desk, child_id, need_id)


async def _condition_page(
    desk: Desk,
    where: tuple[UUID, UUID],
    condition_id: UUID,
    errors: FieldErrors | None = None,
) -> Response[Any]:
    child_id, need_id = where
    async with desk.open(child_id, READING) as access:
        access.require_write()
        _, placement = await opened_placement(access, need_id)
        condition = await condition_of(access, placement, condition_id)
        ticks = (await ticks_of(access.session, [placement.id])).get(placement.id, {})
        told = ticks.get(condition.id)
        stored: dict[str, object] = {"met_on": access.today}
        if told is not None:
            met = "no" if told.met_on is None else "yes"
            stored = {"met": met, "met_on": told.met_on, "note": told.note}
        address = outside_address(child_id, need_id)
        return desk.page(
            "allocation/placement_condition.html",
            status=200 if errors is None else 422,
            header=await child_header(access),
            condition=condition,
            version=0 if told is None else told.version,
            address=f"{address}/conditions/{condition_id}",
            back=address,
            filled=Filled(stored, errors),
        )


@get(CONDITION, include_in_schema=False)
async def condition_page(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    need_id: FromPath[UUID],
    condition_id: FromPath[UUID],
) -> Response[Any]:
    """One condition, and how it is met."""
    return await _condition_page(desk, (child_id, need_id), condition_id)


@post(CONDITION, include_in_schema=False)
async def condition_ticked(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    need_id: FromPath[UUID],
    condition_id: FromPath[UUID],
) -> Response[Any]:
    """Write down that it is met, or is not."""

    async def work(access: Access, form: forms.ConditionForm) -> None:
        await tick(access, need_id, condition_id, form.said(access.today), form.version)

    return await take(
        desk,
        forms.ConditionForm,
        partial(desk.open, child_id, "wrote down a condition of a placement"),
        work,
        f"{outside_address(child_id, need_id)}#conditions",
        again=partial(_condition_page, desk, (child_id, need_id), condition_id),
    )


@post(f"{PLACEMENT}/visits", include_in_schema=False)
async def visited(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], need_id: FromPath[UUID]
) -> Response[Any]:
    """Write a visit down."""

    async def work(access: Access, form: forms.VisitForm) -> None:
        await record_visit(access, need_id, form.said, form.version)

    return await take(
        desk,
        forms.VisitForm,
        partial(desk.open, child_id, "wrote down a visit to a placement"),
        work,
        f"{outside_address(child_id, need_id)}#visits",
        again=partial(_placement_page, desk, child_id, need_id, "visit"),
    )


@post(f"{PLACEMENT}/end", include_in_schema=False)
async def ended(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], need_id: FromPath[UUID]
) -> Response[Any]:
    """The child is there no more."""

    async def work(access: Access, form: forms.EndForm) -> None:
        await end_placement(access, need_id, form.ended_on, form.version)

    return await take(
        desk,
        forms.EndForm,
        partial(desk.open, child_id, "ended a placement out of the area"),
        work,
        outside_address(child_id, need_id),
        again=partial(_placement_page, desk, child_id, need_id, "end"),
    )


# The panel's list ---------------------------------------------------------------------------------


@get(LIST, include_in_schema=False)
async def list_page(
    desk: NamedDependency[Desk], key: FromPath[str], after: FromQuery[UUID | None] = None
) -> Response[str]:
    """Placements outside the area, overdue visits first; of children whom the viewer reaches."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_here(desk, session, key)
        found = await placements_of(session, panel.id, desk.today, after=after, most=ON_A_PAGE + 1)
        shown = found[:ON_A_PAGE]
        doing = "read the placements out of the area"
        children = [one.request.child_id for one in shown]
        headers = await headers_of(desk, session, panel, children, doing)
        versions = await every_terms(session)
        ticks = await ticks_of(session, [one.placement.id for one in shown])
        rows = []
        for one in shown:
            if one.request.child_id not in headers:
                continue
            of = ticks.get(one.placement.id, {})
            line = _line(one, headers[one.request.child_id], versions, of)
            if line is not None:
                rows.append(line)
        base = f"/panels/{key}/out-of-area"
        return desk.page(
            "allocation/out_of_area.html",
            panel=panel,
            base=base,
            rows=rows,
            more=f"{base}?after={shown[-1].placement.id}" if len(found) > ON_A_PAGE else "",
        )


def _line(
    one: Listed,
    whose: tuple[ChildHeader, Access],
    versions: Sequence[Terms],
    ticks: Ticks,
) -> Line | None:
    """A line as its reader may see it; None where even that is kept in silence."""
    header, access = whose
    if not may_read(access, one.request):
        withheld = str(access.withheld(category_of(one.request)) or "")
        return Line(header.child_id, header.name, header.initials, withheld) if withheld else None
    # What was agreed keeps the version that it was agreed by.
    day = access.today if one.agreed is None else one.agreed.decided_on
    lacks = lacking_of(one.placement.footing, terms_of(versions, day), ticks)
    return line_of(one, header, access.today, lacks)


async def _terms_page(desk: Desk, key: str, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_here(desk, session, key)
        return desk.page(
            "allocation/out_of_area_conditions.html",
            status=200 if errors is None else 422,
            panel=panel,
            versions=[
                (
                    one.set.name,
                    holds_words(one.set.from_on, one.set.until_on),
                    one.set,
                    [(row, APPLIES_WORDS[Applies(row.applies)]) for row in one.conditions],
                )
                for one in await every_terms(session)
            ],
            runs=panel.id in desk.signed_in.may_coordinate,
            base=f"/panels/{key}/out-of-area",
            filled=Filled({"review_months": 6, "visit_weeks": 6, "other_visit_weeks": 26}, errors),
        )


@get(CONDITIONS, include_in_schema=False)
async def conditions_page(desk: NamedDependency[Desk], key: FromPath[str]) -> Response[Any]:
    """The conditions, version by version."""
    return await _terms_page(desk, key)


@post(CONDITIONS, include_in_schema=False)
async def conditions_added(desk: NamedDependency[Desk], key: FromPath[str]) -> Response[Any]:
    """Add a version, by who runs the panel."""

    async def work(here: Transaction, form: forms.TermsForm) -> None:
        await panel_run_by(desk, here.session, key)
        await panel_here(desk, here.session, key)
        await add_terms(here.session, form.name, form.from_on, form.rhythm, form.conditions)

    return await take(
        desk,
        forms.TermsForm,
        transaction_of(desk, desk.viewer.id),
        work,
        f"/panels/{key}/out-of-area/conditions",
        again=partial(_terms_page, desk, key),
    )


HANDLERS = [
    placement_page,
    condition_page,
    condition_ticked,
    visited,
    ended,
    list_page,
    conditions_page,
    conditions_added,
]
