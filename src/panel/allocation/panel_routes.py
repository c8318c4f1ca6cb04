"""The pages of an allocation panel beside its meetings: criteria, unmet need, waiting lists."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role
from panel.accounts.desk import Desk
from panel.accounts.taking import Transaction, take, transaction_of
from panel.allocation.criteria_service import add_version, read_criteria, versions
from panel.allocation.decision_forms import CriteriaForm
from panel.allocation.decision_service import require_deciding
from panel.allocation.models import ServiceRequest, Waiting
from panel.allocation.request_pages import NOT_LISTED, address_of, unmet_row
from panel.allocation.request_service import has_declared
from panel.allocation.rules import GROUNDS_WORDS, URGENCY_WORDS, Grounds, Urgency, in_order
from panel.allocation.unmet_service import open_needs, totals
from panel.allocation.waiting_service import in_line, place_of
from panel.directory.service import named
from panel.panels.calendar import panel_by_key
from panel.panels.models import Panel
from panel.panels.run import panel_run_by
from panel.platform.problems import NotFound
from panel.records.gate import Access
from panel.register.header import ChildHeader, child_header
from panel.web import words
from panel.web.forms import FieldErrors, Filled

ALLOCATES = frozenset({Role.ALLOCATION_MEMBER, Role.BUDGET_HOLDER})
ON_A_PAGE = 25
CRITERIA = "/panels/{key:str}/criteria"


async def _panel(desk: Desk, session: AsyncSession, key: str) -> Panel:
    """An allocation panel of the viewer's. Raises NotFound for anybody else, Problem for others."""
    panel = await panel_by_key(session, key)
    who = desk.signed_in
    if panel.id not in who.panels | who.may_coordinate and not desk.viewer.roles & ALLOCATES:
        raise NotFound
    require_deciding(panel)
    return panel


async def _headers(
    desk: Desk, session: AsyncSession, panel: Panel, children: Sequence[UUID], doing: str
) -> dict[UUID, tuple[ChildHeader, Access]]:
    """Whose a list's lines are, as this viewer may know; who left an item does not find it here."""
    stays = {
        one for one in children if not await has_declared(session, one, desk.viewer.id, panel.id)
    }
    opened = await desk.gate.open_here(session, stays, desk.viewer, desk.purposes, doing)
    return {child: (await child_header(access), access) for child, access in opened.items()}


@get("/panels/{key:str}/unmet-need", include_in_schema=False)
async def unmet_page(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    reason: FromQuery[str] = "",
    after: FromQuery[UUID | None] = None,
) -> Response[str]:
    """What is needed and could not be given, longest first, and how much of it for which reason."""
    chosen = Grounds(reason) if reason in set(Grounds) else None
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await _panel(desk, session, key)
        found = await open_needs(session, panel.id, reason=chosen, after=after, most=ON_A_PAGE + 1)
        shown = found[:ON_A_PAGE]
        headers = await _headers(
            desk, session, panel, [one.child_id for one, _ in shown], "read the unmet needs"
        )
        rows = []
        for need, request in shown:
            if need.child_id in headers:
                header, access = headers[need.child_id]
                href = address_of(need.child_id, request.id)
                rows.append((header.name, header.initials, href, unmet_row(need, access)))
        base = f"/panels/{key}/unmet-need"
        more = f"{base}?after={shown[-1][0].id}" if len(found) > ON_A_PAGE else ""
        return desk.page(
            "allocation/unmet.html",
            panel=panel,
            base=base,
            rows=rows,
            totals=[
                (f"{base}?reason={one.value}", GROUNDS_WORDS[one], count)
                for one, count in (await totals(session, panel.id)).items()
            ],
            chosen="" if chosen is None else GROUNDS_WORDS[chosen],
            more=f"{more}&reason={chosen.value}" if more and chosen else more,
        )


@get("/panels/{key:str}/waiting", include_in_schema=False)
async def waiting_page(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    service: FromQuery[UUID | None] = None,
    after: FromQuery[UUID | None] = None,
) -> Response[str]:
    """Who waits for which service, in the order in which places are offered.

    A page begins after the row of the id `after`.
    """
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await _panel(desk, session, key)
        rows = [
            (row[0], row[1])
            for row in (
                await session.execute(
                    select(Waiting, ServiceRequest)
                    .join(ServiceRequest, ServiceRequest.id == Waiting.request_id)
                    .where(
                        ServiceRequest.panel_id == panel.id,
                        Waiting.state.in_(("waiting", "offered")),
                    )
                )
            ).all()
        ]
        services = await named(session, {one.service_id for one, _ in rows})
        every = sorted(
            {one.service_id for one, _ in rows},
            key=lambda one: services[one].words if one in services else str(one),
        )
        here = service if service in every else (every[0] if every else None)
        listed = [(one, request) for one, request in rows if one.service_id == here]
        order = {
            one.id: at for at, one in enumerate(in_order([in_line(one) for one, _ in listed]), 1)
        }
        listed.sort(key=lambda pair: order[pair[0].id])
        line = [one for one, _ in listed]
        begins = order.get(after, 0) if after is not None else 0
        page = listed[begins : begins + ON_A_PAGE]
        headers = await _headers(
            desk, session, panel, [one.child_id for one, _ in page], "read a waiting list"
        )
        more = ""
        if begins + ON_A_PAGE < len(listed):
            more = f"/panels/{key}/waiting?service={here}&after={page[-1][0].id}"
        shown = [
            (
                headers[one.child_id][0].name,
                headers[one.child_id][0].initials,
                address_of(one.child_id, request.id),
                URGENCY_WORDS[Urgency(one.priority)],
                place_of(line, one, desk.today),
            )
            for one, request in page
            if one.child_id in headers
        ]
        return desk.page(
            "allocation/waiting.html",
            panel=panel,
            rows=shown,
            services=[
                (
                    f"/panels/{key}/waiting?service={one}",
                    services[one].words if one in services else NOT_LISTED,
                    one == here,
                )
                for one in every
            ],
            more=more,
        )


async def _criteria_page(desk: Desk, key: str, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await _panel(desk, session, key)
        return desk.page(
            "allocation/criteria.html",
            status=200 if errors is None else 422,
            panel=panel,
            versions=[
                (
                    one.set.name,
                    f"From {words.day(one.set.from_on)}"
                    + ("" if one.set.until_on is None else f" to {words.day(one.set.until_on)}"),
                    one.criteria,
                )
                for one in await versions(session)
            ],
            runs=panel.id in desk.signed_in.may_coordinate,
            address=f"/panels/{key}/criteria",
            filled=Filled({}, errors),
        )


@get(CRITERIA, include_in_schema=False)
async def criteria_page(desk: NamedDependency[Desk], key: FromPath[str]) -> Response[Any]:
    """The criteria, version by version."""
    return await _criteria_page(desk, key)


@post(CRITERIA, include_in_schema=False)
async def criteria_added(desk: NamedDependency[Desk], key: FromPath[str]) -> Response[Any]:
    """Add a version, by who runs the panel."""

    async def work(here: Transaction, form: CriteriaForm) -> None:
        await panel_run_by(desk, here.session, key)
        await _panel(desk, here.session, key)
        await add_version(
            here.session,
            form.name,
            form.from_on,
            [
                *read_criteria(form.duties, is_duty=True),
                *read_criteria(form.powers, is_duty=False),
            ],
        )

    return await take(
        desk,
        CriteriaForm,
        transaction_of(desk, desk.viewer.id),
        work,
        f"/panels/{key}/criteria",
        again=partial(_criteria_page, desk, key),
    )


HANDLERS = [unmet_page, waiting_page, criteria_page, criteria_added]
