"""The pages of an allocation panel beside its meetings: criteria, unmet need, waiting lists."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.desk import Desk
from panel.accounts.taking import Transaction, take_here
from panel.allocation.criteria_service import add_version, read_criteria, versions
from panel.allocation.decision_forms import CriteriaForm
from panel.allocation.decision_service import require_deciding
from panel.allocation.fairness import Dimension
from panel.allocation.fairness_reading import (
    ALLOCATES,
    ANSWERS,
    DIMENSION_WORDS,
    fairness_by,
    sits_on_allocation,
)
from panel.allocation.models import Waiting
from panel.allocation.request_pages import (
    NOT_LISTED,
    address_of,
    holds_words,
    lacking_words,
    unmet_row,
)
from panel.allocation.request_service import left_of, may_read, requests_named
from panel.allocation.rules import (
    GROUNDS_WORDS,
    URGENCY_WORDS,
    Grounds,
    InLine,
    Urgency,
    in_order,
    position_words,
)
from panel.allocation.unmet_service import open_needs, services_lacking, totals
from panel.allocation.waiting_service import (
    in_line,
    list_of,
    services_waited_for,
    waiting_before,
)
from panel.directory.service import Named, named
from panel.panels.calendar import panel_by_key
from panel.panels.models import Panel
from panel.panels.run import panel_run_by
from panel.platform.problems import NotAllowed, NotFound
from panel.records.child_scoped import JOB
from panel.records.gate import Access
from panel.register.header import ChildHeader, child_header
from panel.web.forms import FieldErrors, Filled

ON_A_PAGE = 25
CRITERIA = "/panels/{key:str}/criteria"


async def panel_here(desk: Desk, session: AsyncSession, key: str) -> Panel:
    """An allocation panel of the viewer's. Raises NotFound for anybody else, Problem for others."""
    panel = await panel_by_key(session, key)
    who = desk.signed_in
    if panel.id not in who.panels | who.may_coordinate and not desk.viewer.roles & ALLOCATES:
        raise NotFound
    require_deciding(panel)
    return panel


async def headers_of(
    desk: Desk, session: AsyncSession, panel: Panel, children: Sequence[UUID], doing: str
) -> dict[UUID, tuple[ChildHeader, Access]]:
    """Whose a list's lines are, as this viewer may know; who left an item does not find it here."""
    stays = set(children) - await left_of(session, children, desk.viewer.id, panel.id)
    opened = await desk.gate.open_here(session, stays, desk.viewer, desk.purposes, doing)
    return {child: (await child_header(access), access) for child, access in opened.items()}


@get("/panels/{key:str}/unmet-need", include_in_schema=False)
async def unmet_page(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    reason: FromQuery[str] = "",
    service: FromQuery[str] = "",
    after: FromQuery[UUID | None] = None,
) -> Response[str]:
    """What is needed and could not be given, longest first, and how much of it for which reason.

    `service` are words of a service's name: which services there are to choose from would tell of
    requests that the viewer may not read.
    """
    chosen = Grounds(reason) if reason in set(Grounds) else None
    sought = service.replace("\0", "").strip()[:200]
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_here(desk, session, key)
        names = await named(session, await services_lacking(session, panel.id))
        found = await open_needs(
            session,
            panel.id,
            reason=chosen,
            services=_called(names, sought),
            after=after,
            most=ON_A_PAGE + 1,
        )
        shown = found[:ON_A_PAGE]
        headers = await headers_of(
            desk, session, panel, [one.child_id for one, _ in shown], "read the unmet needs"
        )
        rows = []
        for need, request in shown:
            if need.child_id in headers:
                header, access = headers[need.child_id]
                if sought and not may_read(access, request):
                    # That it is here would tell which service it is.
                    continue
                href = address_of(need.child_id, request.id)
                which = lacking_words(need, request, access, names)
                rows.append((header.name, header.initials, href, which, unmet_row(need, access)))
        base = f"/panels/{key}/unmet-need"
        asked = {"reason": "" if chosen is None else chosen.value, "service": sought}
        more = ""
        if len(found) > ON_A_PAGE:
            more = f"{base}?{_query(asked | {'after': str(shown[-1][0].id)})}"
        return desk.page(
            "allocation/unmet.html",
            panel=panel,
            base=base,
            rows=rows,
            totals=[
                (
                    f"{base}?{_query(asked | {'reason': one.value})}",
                    GROUNDS_WORDS[one],
                    count,
                )
                for one, count in (await totals(session, panel.id)).items()
            ],
            chosen="" if chosen is None else GROUNDS_WORDS[chosen],
            reason=asked["reason"],
            sought=sought,
            more=more,
        )


def _called(names: Mapping[UUID, Named], sought: str) -> list[UUID] | None:
    """The services whose name or provider holds these words; None where nothing is sought."""
    if not sought:
        return None
    return [one for one, said in names.items() if sought.casefold() in said.words.casefold()]


def _query(asked: Mapping[str, str]) -> str:
    return urlencode({name: value for name, value in asked.items() if value})


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
    base = f"/panels/{key}/waiting"
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_here(desk, session, key)
        waited_for = await services_waited_for(session, panel.id)
        names = _service_names(waited_for, await named(session, waited_for))
    here = service if service in names else next(iter(names), None)
    # As scheduled work: how many stand before a child, whether or not the viewer reaches them.
    async with desk.tenant.transaction(JOB) as session:
        line = in_order([in_line(one) for one in await list_of(session, here)]) if here else []
    async with desk.tenant.transaction(desk.viewer.id) as session:
        listed = await waiting_before(session, panel.id, here) if here else []
        order = {one.id: at for at, one in enumerate(line)}
        listed.sort(key=lambda one: order.get(one.id, 0))
        begins = next((at for at, one in enumerate(listed, 1) if one.id == after), 0)
        page = listed[begins : begins + ON_A_PAGE]
        headers = await headers_of(
            desk, session, panel, [one.child_id for one in page], "read a waiting list"
        )
        asked = await requests_named(session, [one.request_id for one in page])
        is_more = begins + ON_A_PAGE < len(listed)
        shown = [
            _waiting_row(one, headers[one.child_id][0], line, desk.today)
            for one in page
            # Whoever may not read a request is not told what it asks for.
            if one.child_id in headers and may_read(headers[one.child_id][1], asked[one.request_id])
        ]
        return desk.page(
            "allocation/waiting.html",
            panel=panel,
            rows=shown,
            unread=len(page) - len(shown),
            heading="" if here is None else f"{names[here]}: in this order",
            services=[
                (f"{base}?service={one}", f"{name}: {waited_for[one]}", one == here)
                for one, name in names.items()
            ],
            more=f"{base}?service={here}&after={page[-1].id}" if is_more else "",
        )


def _service_names(waited_for: Iterable[UUID], known: Mapping[UUID, Named]) -> dict[UUID, str]:
    """What services are called, in order; those that are not listed any more last."""
    unlisted = sorted(one for one in waited_for if one not in known)
    names = sorted(((one.words, of) for of, one in known.items()), key=lambda one: one[0])
    return {of: name for name, of in names} | {
        of: NOT_LISTED if len(unlisted) == 1 else f"{NOT_LISTED} ({at})"
        for at, of in enumerate(unlisted, start=1)
    }


def _waiting_row(
    row: Waiting, header: ChildHeader, line: Sequence[InLine], today: date
) -> tuple[str, str, str, str, str]:
    return (
        header.name,
        header.initials,
        address_of(row.child_id, row.request_id),
        URGENCY_WORDS[Urgency(row.priority)],
        position_words(line, row.id, today),
    )


async def _criteria_page(desk: Desk, key: str, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_here(desk, session, key)
        return desk.page(
            "allocation/criteria.html",
            status=200 if errors is None else 422,
            panel=panel,
            versions=[
                (
                    one.set.name,
                    holds_words(one.set.from_on, one.set.until_on),
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
        await panel_here(desk, here.session, key)
        await add_version(
            here.session,
            form.name,
            form.from_on,
            [
                *read_criteria(form.duties, is_duty=True),
                *read_criteria(form.powers, is_duty=False),
            ],
        )

    return await take_here(
        desk,
        CriteriaForm,
        work,
        f"/panels/{key}/criteria",
        again=partial(_criteria_page, desk, key),
    )


@get("/allocation/fairness", include_in_schema=False)
async def fairness_page(desk: NamedDependency[Desk], by: FromQuery[str] = "") -> Response[str]:
    """Whether some groups are agreed to less often, or wait longer: nobody's request by itself.

    For allocation panels, the information governance lead and managers. A commissioner reads what
    is published.
    """
    chosen = Dimension(by) if by in set(Dimension) else Dimension.WARD
    async with desk.tenant.transaction(desk.viewer.id) as session:
        if not desk.viewer.roles & ANSWERS and not await sits_on_allocation(
            session, desk.signed_in
        ):
            raise NotAllowed("This page is for other roles than yours.")
        found = await fairness_by(session, chosen)
    return desk.page(
        "allocation/fairness.html",
        found=found,
        chosen=DIMENSION_WORDS[chosen],
        dimensions=[
            (f"/allocation/fairness?by={one.value}", said, one is chosen)
            for one, said in DIMENSION_WORDS.items()
        ],
    )


HANDLERS = [unmet_page, waiting_page, criteria_page, criteria_added, fairness_page]
