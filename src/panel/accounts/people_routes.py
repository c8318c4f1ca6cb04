"""The pages of people and agencies: thin, since `people_*.py` says what may be."""

from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from consent import Role, Viewer
from panel.accounts.desk import READING_PEOPLE, Desk, go
from panel.accounts.people_agencies import close_agency, new_agency, rename_agency
from panel.accounts.people_forms import (
    AddressForm,
    AgencyForm,
    AnswerForm,
    EndRoleForm,
    InviteForm,
    LeaveForm,
    RenameForm,
    RoleForm,
    VersionForm,
)
from panel.accounts.people_joining import (
    CAME_IN,
    NEW_ADDRESS,
    correct_address,
    invitation_days,
    invite,
    invite_again,
    link_sent,
    never_came_in,
    withdraw_invitation,
)
from panel.accounts.people_leaving import leave_now, plan_leaving, stay_after_all
from panel.accounts.people_pages import (
    KIND_WORDS,
    PEOPLE,
    agency_href,
    agency_row,
    default_last_day,
    earliest_end,
    holdings_words,
    link_words,
    may_change_agencies,
    proposal_row,
    role_choices,
    role_row,
    standing_words,
    worker_href,
    worker_row,
    worker_steps,
)
from panel.accounts.people_reading import (
    NOBODY,
    WorkerLine,
    agencies_for,
    agency_for,
    open_proposals,
    worker_called,
    worker_for,
    worker_to_manage,
    workers_of,
)
from panel.accounts.people_roles import add_role, answer_proposal, end_role
from panel.accounts.people_rules import A_DAY, TAKE_TWO, may_manage
from panel.accounts.service import worker_names
from panel.accounts.taking import Again, Form, Transaction, take, take_here, transaction_of
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.records.casework import Holdings, Leaver
from panel.records.child_scoped import JOB
from panel.web.forms import FieldErrors, Filled
from panel.web.paging import read_cursor

WORKER = f"{PEOPLE}/workers/{{worker_id:uuid}}"
AGENCY = f"{PEOPLE}/agencies/{{agency_id:uuid}}"


def _reader(desk: Desk) -> Viewer:
    return desk.require(*sorted(READING_PEOPLE)).viewer


async def _administrator(desk: Desk) -> Viewer:
    """Who changes an account, once they showed again who they are."""
    viewer = desk.require(Role.ADMINISTRATOR).viewer
    await desk.require_proof()
    return viewer


async def _change(
    desk: Desk,
    reads: type[Form],
    work: Callable[[Transaction, Form], Awaitable[object]],
    to: str,
    *,
    again: Again | None = None,
) -> Response[Any]:
    """What an administrator posts, once they showed again who they are."""
    await _administrator(desk)
    return await take_here(desk, reads, work, to, again=again)


# --- Agencies and their people ------------------------------------------------------------------


@get(PEOPLE, include_in_schema=False)
async def people(desk: NamedDependency[Desk], email: FromQuery[str] = "") -> Response[Any]:
    """The agencies, a search by e-mail, and what waits for a second person."""
    viewer = _reader(desk)
    errors = None
    async with desk.tenant.transaction(viewer.id) as session:
        if email.strip():
            found = await worker_called(session, viewer, email[:254])
            if found is not None:
                return go(worker_href(found))
            errors = FieldErrors({"email": NOBODY}, {"email": [email[:254]]})
        rows = [agency_row(one) for one in await agencies_for(session, viewer)]
        waiting = []
        if Role.ADMINISTRATOR in viewer.roles:
            waiting = [proposal_row(one, viewer) for one in await open_proposals(session, viewer)]
    return desk.page(
        "accounts/people.html",
        rows=rows,
        waiting=waiting,
        filled=Filled({}, errors),
        is_administrator=Role.ADMINISTRATOR in viewer.roles,
        changes_agencies=may_change_agencies(viewer),
    )


@get(AGENCY, include_in_schema=False)
async def agency_page(
    desk: NamedDependency[Desk], agency_id: FromPath[UUID], page: FromQuery[str] = ""
) -> Response[str]:
    """The people of one agency."""
    viewer = _reader(desk)
    href = agency_href(agency_id)
    async with desk.tenant.transaction(viewer.id) as session:
        agency = await agency_for(session, viewer, agency_id)
        found = await workers_of(session, agency, read_cursor(page, (UUID,)))
        rows = [worker_row(one, desk.today) for one in found.rows]
        manages = may_manage(viewer, agency_id) and agency.closed_on is None
        return desk.page(
            "accounts/people_agency.html",
            name=agency.name,
            kind=KIND_WORDS.get(agency.kind, agency.kind),
            closed_on=agency.closed_on,
            rows=rows,
            note=found.note,
            previous=found.previous and f"{href}?page={found.previous}",
            next=found.next and f"{href}?page={found.next}",
            invite_href=f"{href}/invite" if manages else "",
            change_href=f"{href}/change" if may_change_agencies(viewer) else "",
            back_href=PEOPLE,
        )


@get(f"{PEOPLE}/agencies/new", include_in_schema=False)
async def new_agency_page(desk: NamedDependency[Desk]) -> Response[str]:
    """A new agency."""
    await _administrator(desk)
    return await _new_agency(desk)


@post(f"{PEOPLE}/agencies/new", include_in_schema=False)
async def add_agency_here(desk: NamedDependency[Desk]) -> Response[Any]:
    """Add it."""

    async def work(here: Transaction, form: AgencyForm) -> None:
        await new_agency(here.session, desk.viewer, form.name, form.kind, form.ods_code)

    again = partial(_new_agency, desk)
    return await _change(desk, AgencyForm, work, PEOPLE, again=again)


async def _new_agency(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    return desk.page(
        "accounts/people_new_agency.html",
        status=200 if errors is None else 422,
        filled=Filled({}, errors),
        kinds=list(KIND_WORDS.items()),
        action=f"{PEOPLE}/agencies/new",
        back_href=PEOPLE,
    )


@get(f"{AGENCY}/change", include_in_schema=False)
async def change_agency_page(
    desk: NamedDependency[Desk], agency_id: FromPath[UUID]
) -> Response[str]:
    """Rename or close an agency."""
    await _administrator(desk)
    return await _change_agency(desk, agency_id)


@post(f"{AGENCY}/change", include_in_schema=False)
async def rename_here(desk: NamedDependency[Desk], agency_id: FromPath[UUID]) -> Response[Any]:
    """Rename it."""

    async def work(here: Transaction, form: RenameForm) -> None:
        await rename_agency(here.session, desk.viewer, agency_id, form.version, form.name)

    again = partial(_change_agency, desk, agency_id)
    return await _change(desk, RenameForm, work, agency_href(agency_id), again=again)


@post(f"{AGENCY}/close", include_in_schema=False)
async def close_here(desk: NamedDependency[Desk], agency_id: FromPath[UUID]) -> Response[Any]:
    """Close it."""

    async def work(here: Transaction, form: VersionForm) -> None:
        await close_agency(here.session, desk.viewer, agency_id, form.version)

    return await _change(desk, VersionForm, work, agency_href(agency_id))


async def _change_agency(
    desk: Desk, agency_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    href = agency_href(agency_id)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        agency = await agency_for(session, desk.viewer, agency_id)
        return desk.page(
            "accounts/people_change_agency.html",
            status=200 if errors is None else 422,
            name=agency.name,
            version=agency.version,
            is_open=agency.closed_on is None,
            filled=Filled({"name": agency.name}, errors),
            action=f"{href}/change",
            close_action=f"{href}/close",
            back_href=href,
        )


# --- Joiners ------------------------------------------------------------------------------------


@get(f"{AGENCY}/invite", include_in_schema=False)
async def invite_page(desk: NamedDependency[Desk], agency_id: FromPath[UUID]) -> Response[str]:
    """Invite somebody to an agency."""
    await _administrator(desk)
    return await _invite(desk, agency_id)


@post(f"{AGENCY}/invite", include_in_schema=False)
async def invite_here(desk: NamedDependency[Desk], agency_id: FromPath[UUID]) -> Response[Any]:
    """Invite them."""

    async def work(here: Transaction, form: InviteForm) -> None:
        await invite(
            here.session, desk.viewer, agency_id, form.wanted(), desk.site.casework, desk.site.url
        )

    again = partial(_invite, desk, agency_id)
    return await _change(desk, InviteForm, work, agency_href(agency_id), again=again)


async def _invite(desk: Desk, agency_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    viewer = desk.viewer
    if not may_manage(viewer, agency_id):
        raise NotFound("There is no such agency, or its accounts are not yours to see.")
    async with desk.tenant.transaction(viewer.id) as session:
        agency = await agency_for(session, viewer, agency_id)
        seats = await desk.site.casework.seats(session)
        days = await invitation_days(session)
    return desk.page(
        "accounts/people_invite.html",
        status=200 if errors is None else 422,
        agency=agency.name,
        days=days,
        filled=Filled({}, errors),
        roles=role_choices(viewer, TAKE_TWO),
        panels=[(str(one.panel_id), one.name) for one in seats],
        action=f"{agency_href(agency_id)}/invite",
        back_href=agency_href(agency_id),
    )


@post(f"{WORKER}/invitation", include_in_schema=False)
async def invite_again_here(
    desk: NamedDependency[Desk], worker_id: FromPath[UUID]
) -> Response[Any]:
    """Send a new link."""

    async def work(here: Transaction, form: VersionForm) -> None:
        await invite_again(here.session, desk.viewer, worker_id, form.version, desk.site.url)

    return await _change(desk, VersionForm, work, worker_href(worker_id))


@post(f"{WORKER}/invitation/withdraw", include_in_schema=False)
async def withdraw_here(desk: NamedDependency[Desk], worker_id: FromPath[UUID]) -> Response[Any]:
    """Withdraw the link."""

    async def work(here: Transaction, form: VersionForm) -> None:
        await withdraw_invitation(here.session, desk.viewer, worker_id, form.version)

    return await _change(desk, VersionForm, work, worker_href(worker_id))


@get(f"{WORKER}/address", include_in_schema=False)
async def address_page(desk: NamedDependency[Desk], worker_id: FromPath[UUID]) -> Response[str]:
    """Where the link of somebody goes who never came in."""
    await _administrator(desk)
    return await _address(desk, worker_id)


@post(f"{WORKER}/address", include_in_schema=False)
async def correct_here(desk: NamedDependency[Desk], worker_id: FromPath[UUID]) -> Response[Any]:
    """Put the address right, and send another link there."""

    async def work(here: Transaction, form: AddressForm) -> None:
        await correct_address(
            here.session, desk.viewer, worker_id, form.version, form.email, desk.site.url
        )

    again = partial(_address, desk, worker_id)
    return await _change(desk, AddressForm, work, worker_href(worker_id), again=again)


async def _address(desk: Desk, worker_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        _, line = await worker_to_manage(session, desk.viewer, worker_id)
        if not await never_came_in(session, worker_id):
            raise NotAllowed(CAME_IN, NEW_ADDRESS)
    return desk.page(
        "accounts/people_address.html",
        status=200 if errors is None else 422,
        line=line,
        version=line.version,
        filled=Filled({"email": line.email}, errors),
        action=f"{worker_href(worker_id)}/address",
        back_href=worker_href(worker_id),
    )


@post(f"{WORKER}/stay", include_in_schema=False)
async def stay_here(desk: NamedDependency[Desk], worker_id: FromPath[UUID]) -> Response[Any]:
    """They stay after all."""

    async def work(here: Transaction, form: VersionForm) -> None:
        await stay_after_all(here.session, desk.viewer, worker_id, form.version)

    return await _change(desk, VersionForm, work, worker_href(worker_id))


# --- One worker ---------------------------------------------------------------------------------


@get(WORKER, include_in_schema=False)
async def worker_page(desk: NamedDependency[Desk], worker_id: FromPath[UUID]) -> Response[str]:
    """One worker: roles, state, and the steps; for their own manager, the cases that they lead."""
    viewer = _reader(desk)
    casework = desk.site.casework
    async with desk.tenant.transaction(viewer.id) as session:
        line = await worker_for(session, viewer, worker_id)
        panels = {one.panel_id: one.name for one in await casework.seats(session)}
        cases = None
        if Role.MANAGER in viewer.roles and viewer.agency == line.agency_id:
            cases = await casework.cases(desk.gate, session, viewer, desk.purposes, worker_id)
    manages = may_manage(viewer, line.agency_id) and worker_id != viewer.id
    link, came_in = "", True
    if manages:
        async with desk.tenant.transaction(JOB) as session:
            link = link_words(await link_sent(session, worker_id), line.email)
            came_in = not await never_came_in(session, worker_id)
    roles = [role_row(one, worker_id, panels, desk.today) for one in line.roles]
    return desk.page(
        "accounts/people_worker.html",
        line=line,
        state=standing_words(line),
        roles=roles,
        ends_roles=manages,
        steps=worker_steps(line, viewer, came_in=came_in),
        link=link,
        cases=cases,
        plans_without=line.leaving.plans_without if manages and line.leaving else 0,
        version=line.version,
        back_href=agency_href(line.agency_id),
    )


@get(f"{WORKER}/roles/new", include_in_schema=False)
async def role_page(desk: NamedDependency[Desk], worker_id: FromPath[UUID]) -> Response[str]:
    """Give a role."""
    await _administrator(desk)
    return await _role(desk, worker_id)


@post(f"{WORKER}/roles/new", include_in_schema=False)
async def add_role_here(desk: NamedDependency[Desk], worker_id: FromPath[UUID]) -> Response[Any]:
    """Give it, or propose it."""

    async def work(here: Transaction, form: RoleForm) -> None:
        await add_role(
            here.session, desk.viewer, worker_id, form.version, form.wanted(), desk.site.casework
        )

    again = partial(_role, desk, worker_id)
    return await _change(desk, RoleForm, work, worker_href(worker_id), again=again)


async def _role(desk: Desk, worker_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    viewer = desk.viewer
    async with desk.tenant.transaction(viewer.id) as session:
        _, line = await worker_to_manage(session, viewer, worker_id)
        seats = await desk.site.casework.seats(session)
    return desk.page(
        "accounts/people_role.html",
        status=200 if errors is None else 422,
        line=line,
        version=line.version,
        filled=Filled({}, errors),
        roles=role_choices(viewer),
        panels=[(str(one.panel_id), one.name) for one in seats],
        action=f"{worker_href(worker_id)}/roles/new",
        back_href=worker_href(worker_id),
    )


@get(f"{WORKER}/roles/{{role_id:uuid}}/end", include_in_schema=False)
async def end_role_page(
    desk: NamedDependency[Desk], worker_id: FromPath[UUID], role_id: FromPath[UUID]
) -> Response[str]:
    """End a role."""
    await _administrator(desk)
    return await _end_role(desk, worker_id, role_id)


@post(f"{WORKER}/roles/{{role_id:uuid}}/end", include_in_schema=False)
async def end_role_here(
    desk: NamedDependency[Desk], worker_id: FromPath[UUID], role_id: FromPath[UUID]
) -> Response[Any]:
    """End it, or propose its end."""
    await _administrator(desk)
    await _manages(desk, worker_id)
    held = await _holdings(desk, worker_id, desk.today)

    async def work(here: Transaction, form: EndRoleForm) -> None:
        await end_role(
            here.session, desk.viewer, worker_id, role_id, form.version, form.last_day,
            holds_plans=held.plans > 0,
        )  # fmt: skip

    again = partial(_end_role, desk, worker_id, role_id)
    return await take_here(desk, EndRoleForm, work, worker_href(worker_id), again=again)


async def _end_role(
    desk: Desk, worker_id: UUID, role_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    viewer = desk.viewer
    async with desk.tenant.transaction(viewer.id) as session:
        _, line = await worker_to_manage(session, viewer, worker_id)
        panels = {one.panel_id: one.name for one in await desk.site.casework.seats(session)}
    role = next((one for one in line.roles if one.id == role_id), None)
    if role is None:
        raise NotFound("There is no such role.", "See their roles on their page.")
    return desk.page(
        "accounts/people_end_role.html",
        status=200 if errors is None else 422,
        line=line,
        role=role_row(role, worker_id, panels, desk.today),
        takes_two=role.role in TAKE_TWO,
        version=role.version,
        filled=Filled({"last_day": earliest_end(desk.today)}, errors),
        action=f"{worker_href(worker_id)}/roles/{role_id}/end",
        back_href=worker_href(worker_id),
    )


# --- Leavers ------------------------------------------------------------------------------------


@get(f"{WORKER}/leave", include_in_schema=False)
async def leave_page(desk: NamedDependency[Desk], worker_id: FromPath[UUID]) -> Response[str]:
    """What happens when somebody leaves, before it is said that they do."""
    await _administrator(desk)
    return await _leave(desk, worker_id)


@post(f"{WORKER}/leave", include_in_schema=False)
async def leave_here(desk: NamedDependency[Desk], worker_id: FromPath[UUID]) -> Response[Any]:
    """They leave on a day, or at once."""
    viewer = await _administrator(desk)

    async def work(here: Transaction, form: LeaveForm) -> None:
        casework = desk.site.casework
        if form.when == "now":
            await leave_now(here.session, viewer, worker_id, form.version, casework)
            return
        if form.last_day is None:
            raise Invalid.because("last_day", "Enter the last day")
        await plan_leaving(here.session, viewer, worker_id, form.version, form.last_day, casework)

    # Every child of theirs is reached, which nobody's own transaction does.
    opens, again = transaction_of(desk, JOB), partial(_leave, desk, worker_id)
    return await take(desk, LeaveForm, opens, work, worker_href(worker_id), again=again)


async def _leave(desk: Desk, worker_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    viewer = desk.viewer
    line = await _manages(desk, worker_id)
    last_day = default_last_day(line, desk.today)
    held = await _holdings(desk, worker_id, last_day)
    async with desk.tenant.transaction(viewer.id) as session:
        takers = [] if held.manager_id is None else [held.manager_id]
        names = await worker_names(session, takers)
    return desk.page(
        "accounts/people_leave.html",
        status=200 if errors is None else 422,
        line=line,
        says=holdings_words(line, held, ", ".join(names.values()), viewer),
        version=line.version,
        filled=Filled({"last_day": last_day}, errors),
        action=f"{worker_href(worker_id)}/leave",
        back_href=worker_href(worker_id),
    )


async def _manages(desk: Desk, worker_id: UUID) -> WorkerLine:
    """The worker, whose account this person manages. Raises NotFound."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        _, line = await worker_to_manage(session, desk.viewer, worker_id)
    return line


async def _holdings(desk: Desk, worker_id: UUID, last_day: date) -> Holdings:
    async with desk.tenant.transaction(JOB) as session:
        leaver = Leaver(worker_id, last_day - A_DAY, for_safety=False)
        return await desk.site.casework.holdings(session, leaver)


# --- The second person --------------------------------------------------------------------------


@post(f"{PEOPLE}/proposals/{{proposal_id:uuid}}", include_in_schema=False)
async def answer_here(desk: NamedDependency[Desk], proposal_id: FromPath[UUID]) -> Response[Any]:
    """Confirm or refuse what another administrator proposed."""

    async def work(here: Transaction, form: AnswerForm) -> None:
        await answer_proposal(here.session, desk.viewer, proposal_id, form.version, form.answer)

    return await _change(desk, AnswerForm, work, PEOPLE)


HANDLERS = [
    people,
    agency_page,
    new_agency_page,
    add_agency_here,
    change_agency_page,
    rename_here,
    close_here,
    invite_page,
    invite_here,
    invite_again_here,
    withdraw_here,
    address_page,
    correct_here,
    stay_here,
    worker_page,
    role_page,
    add_role_here,
    end_role_page,
    end_role_here,
    leave_page,
    leave_here,
    answer_here,
]
