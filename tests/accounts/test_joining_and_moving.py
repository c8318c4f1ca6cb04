"""Who is invited, what roles they get and lose, and which of that takes two people."""

import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from consent import Role, Viewer
from panel.accounts.identities import NotLetIn, link_invited
from panel.accounts.models import Agency, Worker, WorkerRole
from panel.accounts.people_agencies import close_agency, new_agency, rename_agency
from panel.accounts.people_joining import (
    NOT_INVITED,
    NewWorker,
    invitation_taken,
    invite,
    invite_again,
    withdraw_invitation,
)
from panel.accounts.people_leaving import leave_now
from panel.accounts.people_models import RoleProposal
from panel.accounts.people_reading import worker_for
from panel.accounts.people_roles import NewRole, add_role, answer_proposal, end_role
from panel.accounts.people_rules import Standing
from panel.accounts.providers import Terms, Wanted, provider_named, set_provider
from panel.accounts.service import give_role
from panel.panels.still_may_go import still_may_go
from panel.platform.clock import FixedClock, today
from panel.platform.openid_tokens import Proof
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound
from panel.platform.sessions import use_link
from panel.platform.tenancy import Tenant, load_keys
from panel.platform.work_tables import OutboxMessage, Setting
from panel.records.child_scoped import JOB
from tests.accounts.staff import CASEWORK, Staff, worker
from tests.accounts.test_leaving import version

pytestmark = pytest.mark.database
DAY = timedelta(days=1)
URL = "http://testshire.localhost"
Client = AsyncTestClient[Litestar]
LINK = re.compile(r"/sign-in/(\S+)")


def new(name: str = "Nia Frost", *roles: Role, email: str = "nia@health.example") -> NewWorker:
    return NewWorker(name, email, "Health visitor", None, roles, None, None)


async def invited(tenant: Tenant, by: Viewer, agency: UUID, who: NewWorker) -> UUID:
    async with tenant.transaction(by.id) as session:
        return (await invite(session, by, agency, who, CASEWORK, URL)).id


async def newest_link(tenant: Tenant) -> str:
    async with tenant.transaction(JOB) as session:
        rows = list(await session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))
        await load_keys(session, {one.holder_id for one in rows})
        found = LINK.search(rows[-1].body)
        assert found is not None, rows[-1].body
        return found[1]


async def standing(tenant: Tenant, who: UUID, viewer: Viewer) -> Standing:
    async with tenant.transaction(viewer.id) as session:
        return (await worker_for(session, viewer, who)).standing


async def propose(tenant: Tenant, by: Viewer, who: UUID, role: Role) -> UUID:
    known = await version(tenant, who)
    async with tenant.transaction(by.id) as session:
        wanted = NewRole(role, None, None, None)
        await add_role(session, by, who, known, wanted, CASEWORK)
    return await open_proposal(tenant, who)


async def open_proposal(tenant: Tenant, who: UUID) -> UUID:
    async with tenant.transaction(JOB) as session:
        found = await session.scalar(
            select(RoleProposal.id).where(
                RoleProposal.worker_id == who, RoleProposal.state == "open"
            )
        )
        assert found is not None
        return found


async def answer(tenant: Tenant, by: Viewer, proposal: UUID, said: str = "confirm") -> None:
    async with tenant.transaction(by.id) as session:
        await answer_proposal(session, by, proposal, 1, said)


async def roles_of(tenant: Tenant, who: UUID) -> set[tuple[str, date | None]]:
    async with tenant.transaction(JOB) as session:
        rows = await session.execute(
            select(WorkerRole.role, WorkerRole.until_on).where(WorkerRole.worker_id == who)
        )
        return {(row.role, row.until_on) for row in rows}


async def test_a_joiner_comes_in_by_a_link_that_works_once(
    client: Client, staff: Staff, tenant: Tenant
) -> None:
    nia = await invited(tenant, staff.cyril, staff.health, new("Nia Frost", Role.PRACTITIONER))
    assert await standing(tenant, nia, staff.cyril) is Standing.INVITED
    first = await newest_link(tenant)
    known = await version(tenant, nia)
    async with tenant.transaction(staff.cyril.id) as session:
        await invite_again(session, staff.cyril, nia, known, URL)
    second = await newest_link(tenant)
    assert (await client.post(f"/sign-in/{first}", follow_redirects=False)).status_code == 410
    assert (await client.post(f"/sign-in/{second}", follow_redirects=False)).status_code == 303
    assert (await client.get("/")).status_code == 200
    assert await standing(tenant, nia, staff.cyril) is Standing.ACTIVE
    assert (await client.post(f"/sign-in/{second}", follow_redirects=False)).status_code == 410


async def test_an_invitation_is_withdrawn_or_runs_out(
    client: Client, staff: Staff, tenant: Tenant, clock: FixedClock
) -> None:
    async with tenant.transaction(JOB) as session:
        session.add(Setting(key="accounts.invitation_days", value=2, source="short"))
    nia = await invited(tenant, staff.alan, staff.health, new())
    known = await version(tenant, nia)
    link = await newest_link(tenant)
    clock.set(clock.now() + 3 * DAY)
    assert await standing(tenant, nia, staff.alan) is Standing.LINK_OVER
    assert (await client.post(f"/sign-in/{link}", follow_redirects=False)).status_code == 410
    async with tenant.transaction(staff.alan.id) as session:
        await invite_again(session, staff.alan, nia, known, URL)
    link = await newest_link(tenant)
    async with tenant.transaction(staff.alan.id) as session:
        await withdraw_invitation(session, staff.alan, nia, known)
    assert (await client.post(f"/sign-in/{link}", follow_redirects=False)).status_code == 410
    assert await standing(tenant, nia, staff.alan) is Standing.WITHDRAWN
    async with tenant.transaction(JOB) as session:
        # What waited in the outbox does not go any more.
        for message in await session.scalars(select(OutboxMessage)):
            assert await still_may_go(tenant, URL)(session, message) == NOT_INVITED
    with pytest.raises(NotAllowed):
        async with tenant.transaction(staff.alan.id) as session:
            await withdraw_invitation(session, staff.alan, nia, known)


async def test_who_comes_in_otherwise_leaves_no_link_behind(
    staff: Staff, tenant: Tenant, clock: FixedClock
) -> None:
    nia = await invited(tenant, staff.cyril, staff.health, new())
    link = await newest_link(tenant)
    async with tenant.transaction() as session:
        await invitation_taken(session, nia)
        assert await use_link(session, link, clock.now()) is None


async def test_whose_invitation_was_withdrawn_is_not_linked(staff: Staff, tenant: Tenant) -> None:
    nia = await invited(tenant, staff.cyril, staff.health, new("Nia Frost", Role.PRACTITIONER))
    async with tenant.transaction() as session:
        await set_provider(session, Wanted(
            key="entra", label="Account", issuer="https://login.example", client_id="panel",
            agencies=["health"], terms=Terms(), secret="a secret of the test",
        ))  # fmt: skip
        there = await provider_named(session, "entra")
    read = await version(tenant, nia)
    async with tenant.transaction(staff.cyril.id) as session:
        await withdraw_invitation(session, staff.cyril, nia, read)
    proof = Proof(iss="https://login.example", sub="nia", aud="panel", exp=0, iat=0)
    claims = {"email": "nia@health.example", "email_verified": True}
    async with tenant.transaction() as session:
        with pytest.raises(NotLetIn):
            await link_invited(session, there, proof, claims)
    read = await version(tenant, nia)
    async with tenant.transaction(staff.cyril.id) as session:
        await invite_again(session, staff.cyril, nia, read, URL)
    async with tenant.transaction() as session:
        assert await link_invited(session, there, proof, claims) == nia


async def test_who_moves_leaves_and_joins_as_a_new_row(
    staff: Staff, tenant: Tenant, clock: FixedClock
) -> None:
    mover = new("Rosa Whitlow", Role.PRACTITIONER, email="rosa@health.example")
    with pytest.raises(Invalid) as refused:
        await invited(tenant, staff.alan, staff.portage, mover)
    assert "leave there" in refused.value.errors[0].sentence
    known = await version(tenant, staff.rosa.id)
    async with tenant.transaction(JOB) as session:
        await leave_now(session, staff.alan, staff.rosa.id, known, CASEWORK)
    again = await invited(tenant, staff.alan, staff.portage, mover)
    assert again != staff.rosa.id
    async with tenant.transaction(JOB) as session:
        assert (await session.get_one(Worker, staff.rosa.id)).agency_id == staff.health
        assert (await session.get_one(Worker, again)).agency_id == staff.portage
        reached = await session.scalar(
            text("SELECT count(*) FROM involvement WHERE worker_id = :w"), {"w": again}
        )
        assert reached == 0, "what they were tied to stays with the old row"


async def test_roles_have_dates_and_reach_ends_with_them(
    staff: Staff, tenant: Tenant, clock: FixedClock
) -> None:
    day = today(clock)
    known = await version(tenant, staff.rosa.id)
    async with tenant.transaction(staff.cyril.id) as session:
        manager = NewRole(Role.MANAGER, None, day + 2 * DAY, day + 9 * DAY)
        await add_role(session, staff.cyril, staff.rosa.id, known, manager, CASEWORK)
    assert ("manager", day + 9 * DAY) in await roles_of(tenant, staff.rosa.id)
    async with tenant.transaction(staff.cyril.id) as session:
        with pytest.raises(Conflict):
            await add_role(session, staff.cyril, staff.rosa.id, known, manager, CASEWORK)
        with pytest.raises(Invalid) as refused:
            await add_role(session, staff.cyril, staff.rosa.id, known + 1, manager, CASEWORK)
    assert "already" in refused.value.errors[0].sentence
    async with tenant.transaction(JOB) as session:
        query = select(WorkerRole).where(
            WorkerRole.worker_id == staff.rosa.id, WorkerRole.role == "practitioner"
        )
        role = await session.scalar(query)
        assert role is not None
        role_id = role.id
    async with tenant.transaction(staff.cyril.id) as session:
        with pytest.raises(Invalid) as held:
            await end_role(
                session, staff.cyril, staff.rosa.id, role_id, 1, day + 20 * DAY, holds_plans=True
            )
        assert "lead professional" in held.value.errors[0].sentence
        with pytest.raises(Conflict):
            await end_role(session, staff.cyril, staff.rosa.id, role_id, 9, day, holds_plans=False)
        with pytest.raises(Invalid):
            early = day - 2 * DAY
            await end_role(
                session, staff.cyril, staff.rosa.id, role_id, 1, early, holds_plans=False
            )
        await end_role(session, staff.cyril, staff.rosa.id, role_id, 1, day, holds_plans=False)
    assert ("practitioner", day) in await roles_of(tenant, staff.rosa.id)


@pytest.mark.parametrize(
    ("role", "field"),
    [
        (NewRole(Role.COORDINATOR, None, None, None), "role"),
        (NewRole(Role.COMMISSIONER, None, None, None), "role"),
        (NewRole(Role.GOVERNANCE_LEAD, None, None, None), "role"),
        (NewRole(Role.MANAGER, None, date(2026, 1, 1), None), "from_on"),
        (NewRole(Role.MANAGER, None, None, date(2026, 1, 1)), "until_on"),
        (NewRole(Role.MANAGER, UUID(int=5), None, None), "panel_id"),
        (NewRole(Role.PRACTITIONER, None, None, None), "role"),
    ],
)
async def test_what_an_agencys_own_administrator_cannot_give(
    staff: Staff, tenant: Tenant, role: NewRole, field: str
) -> None:
    async with tenant.transaction(staff.cyril.id) as session:
        with pytest.raises(Invalid) as refused:
            await add_role(session, staff.cyril, staff.rosa.id, 1, role, CASEWORK)
    assert refused.value.errors[0].field == field


async def test_two_people_make_an_administrator(
    staff: Staff, tenant: Tenant, clock: FixedClock
) -> None:
    proposal = await propose(tenant, staff.alan, staff.rosa.id, Role.ADMINISTRATOR)
    assert ("administrator", None) not in await roles_of(tenant, staff.rosa.id)
    with pytest.raises(NotAllowed, match="You proposed this"):
        await answer(tenant, staff.alan, proposal)
    with pytest.raises(Invalid):
        await propose(tenant, staff.berta, staff.rosa.id, Role.ADMINISTRATOR)
    await answer(tenant, staff.berta, proposal)
    assert ("administrator", None) in await roles_of(tenant, staff.rosa.id)
    with pytest.raises(Conflict):
        await answer(tenant, staff.cyril, proposal)


async def test_a_role_that_was_given_meanwhile_is_not_given_twice(
    staff: Staff, tenant: Tenant
) -> None:
    proposal = await propose(tenant, staff.alan, staff.rosa.id, Role.SAFEGUARDING_LEAD)
    async with tenant.transaction(JOB) as session:
        # At the command line, say.
        rosa = await session.get_one(Worker, staff.rosa.id)
        await give_role(session, rosa, Role.SAFEGUARDING_LEAD)
    with pytest.raises(NotAllowed, match="have this role already"):
        await answer(tenant, staff.berta, proposal)
    await answer(tenant, staff.berta, proposal, "refuse")


async def test_a_proposal_lapses_is_refused_or_taken_back(
    staff: Staff, tenant: Tenant, clock: FixedClock
) -> None:
    proposal = await propose(tenant, staff.alan, staff.rosa.id, Role.SAFEGUARDING_LEAD)
    clock.set(clock.now() + 8 * DAY)
    with pytest.raises(NotAllowed, match="lapsed"):
        await answer(tenant, staff.berta, proposal)
    again = await propose(tenant, staff.alan, staff.rosa.id, Role.SAFEGUARDING_LEAD)
    await answer(tenant, staff.berta, again, "refuse")
    third = await propose(tenant, staff.alan, staff.rosa.id, Role.SAFEGUARDING_LEAD)
    await answer(tenant, staff.alan, third, "refuse")
    async with tenant.transaction(JOB) as session:
        states = await session.scalars(select(RoleProposal.state).order_by(RoleProposal.id))
        assert list(states) == ["withdrawn", "refused", "withdrawn"]
    assert {one for one, _ in await roles_of(tenant, staff.rosa.id)} == {"practitioner"}


async def test_ending_an_administrator_takes_two_and_the_last_one_stays(
    staff: Staff, tenant: Tenant, clock: FixedClock
) -> None:
    async def end(by: Viewer, who: Viewer) -> UUID:
        async with tenant.transaction(by.id) as session:
            query = select(WorkerRole).where(WorkerRole.worker_id == who.id)
            role = await session.scalar(query)
            assert role is not None
            yesterday = today(clock) - DAY
            await end_role(session, by, who.id, role.id, role.version, yesterday, holds_plans=False)
        return await open_proposal(tenant, who.id)

    ended = await end(staff.alan, staff.berta)
    with pytest.raises(NotAllowed, match="about you"):
        await answer(tenant, staff.berta, ended)
    with pytest.raises(NotFound):
        await answer(tenant, staff.cyril, ended)  # of another agency, and not the council's
    async with tenant.transaction(JOB) as session:
        council = await session.get_one(Agency, staff.council)
        dora = await worker(session, council, "Dora Elm", Role.ADMINISTRATOR)
    await answer(tenant, dora, ended)
    assert ("administrator", today(clock) - DAY) in await roles_of(tenant, staff.berta.id)


async def test_the_database_is_the_second_fence_of_the_rule_of_two(
    staff: Staff, tenant: Tenant
) -> None:
    proposal = await propose(tenant, staff.alan, staff.rosa.id, Role.ADMINISTRATOR)
    for second in (staff.alan.id, staff.rosa.id, None):
        with pytest.raises(IntegrityError, match="two_people"):
            async with tenant.transaction(staff.alan.id) as session:
                await session.execute(
                    text("UPDATE role_proposal SET state = 'confirmed', answered_by = :by"
                         " WHERE id = :id"),
                    {"by": second, "id": proposal},
                )  # fmt: skip


async def test_nobody_gives_themselves_a_role(staff: Staff, tenant: Tenant) -> None:
    for role in (Role.PRACTITIONER, Role.GOVERNANCE_LEAD):
        with pytest.raises(NotAllowed, match="their own"):
            await propose(tenant, staff.alan, staff.alan.id, role)


async def test_an_agencys_administrator_acts_on_nobody_elses(staff: Staff, tenant: Tenant) -> None:
    with pytest.raises(NotFound):
        await propose(tenant, staff.cyril, staff.tomas.id, Role.MANAGER)
    with pytest.raises(NotFound):
        await invited(tenant, staff.cyril, staff.portage, new())
    with pytest.raises(NotFound):
        async with tenant.transaction(JOB) as session:
            await leave_now(session, staff.cyril, staff.tomas.id, 1, CASEWORK)
    with pytest.raises(NotFound):
        await standing(tenant, staff.tomas.id, staff.cyril)
    with pytest.raises(NotFound):
        await standing(tenant, staff.tomas.id, staff.ines)
    assert await standing(tenant, staff.rosa.id, staff.ines) is Standing.ACTIVE
    with pytest.raises(NotAllowed):
        await propose(tenant, staff.ines, staff.rosa.id, Role.MANAGER)


async def test_agencies_are_added_renamed_and_closed(staff: Staff, tenant: Tenant) -> None:
    async with tenant.transaction(staff.alan.id) as session:
        made = await new_agency(session, staff.alan, "St Osyth’s School", "school", "")
        twin = "st osyth’s school"
        with pytest.raises(Invalid):
            await new_agency(session, staff.alan, twin, "school", "")
        assert made.key == "st-osyth-s-school"
        await rename_agency(session, staff.alan, made.id, 1, "St Osyth Academy")
        with pytest.raises(Conflict):
            await rename_agency(session, staff.alan, made.id, 1, "Otherwise")
        with pytest.raises(NotAllowed, match="people work there"):
            await close_agency(session, staff.alan, staff.health, 1)
        await close_agency(session, staff.alan, made.id, 2)
        with pytest.raises(NotAllowed, match="closed already"):
            await close_agency(session, staff.alan, made.id, 3)
        with pytest.raises(NotAllowed, match="closed"):
            await invite(session, staff.alan, made.id, new(), CASEWORK, URL)
    async with tenant.transaction(staff.cyril.id) as session:
        for step in (
            new_agency(session, staff.cyril, "Mine", "health", ""),
            rename_agency(session, staff.cyril, staff.health, 1, "Mine"),
            close_agency(session, staff.cyril, staff.health, 1),
        ):
            with pytest.raises(NotAllowed, match="administrator of the council"):
                await step


# --- The pages ------------------------------------------------------------------------------------


HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')


async def hidden(client: Client, path: str) -> dict[str, str]:
    page = await client.get(path)
    assert page.status_code == 200, page.text
    return dict(HIDDEN.findall(page.text.split("<main")[1]))


async def test_the_pages_do_what_they_say(
    client: Client, staff: Staff, sign_in: Any, tenant: Tenant, clock: FixedClock
) -> None:
    await sign_in(staff.alan.id)
    home = (await client.get("/")).text
    assert "Set up" in home
    assert "No term is known" in home
    invite_path = f"/people/agencies/{staff.portage}/invite"
    form = await hidden(client, invite_path)
    mistaken = await client.post(invite_path, data=form | {"name": "", "email": "x@y.example"})
    assert mistaken.status_code == 422
    assert "Enter their name" in mistaken.text
    sent = form | {"name": "Olive Stack", "email": "olive@portage.example", "roles": "manager"}
    assert (await client.post(invite_path, data=sent, follow_redirects=False)).status_code == 303
    assert (await client.post(invite_path, data=sent, follow_redirects=False)).status_code == 303
    found = await client.get("/people?email=OLIVE@portage.example", follow_redirects=False)
    olive = found.headers["location"]
    assert "Invited, link until" in (await client.get(olive)).text
    leave = f"/people/workers/{staff.tomas.id}/leave"
    form = await hidden(client, leave)
    said = (await client.get(leave)).text
    assert "hold one plan" not in said, "another agency's cases are not counted"
    gone = form | {"when": "now"}
    assert (await client.post(leave, data=gone, follow_redirects=False)).status_code == 303
    page = await client.get(f"/people/workers/{staff.tomas.id}")
    assert "Left at once on" in page.text
    unknown = await client.get("/people?email=nobody@nowhere.example")
    assert "There is nobody of that name here" in unknown.text


async def test_hostile_forms(
    client: Client, staff: Staff, sign_in: Any, tenant: Tenant, clock: FixedClock
) -> None:
    await sign_in(staff.cyril.id)
    rosa = f"/people/workers/{staff.rosa.id}"
    form = await hidden(client, f"{rosa}/roles/new")
    extra = form | {"role": "manager", "agency_id": str(staff.council), "worker_id": "x"}
    assert (await client.post(f"{rosa}/roles/new", data=extra)).status_code == 422
    beyond = form | {"role": "coordinator"}
    assert (await client.post(f"{rosa}/roles/new", data=beyond)).status_code == 422
    stale = form | {"role": "manager", "version": "77"}
    assert (await client.post(f"{rosa}/roles/new", data=stale)).status_code == 409
    own = f"/people/workers/{staff.cyril.id}/roles/new"
    to_oneself = await client.post(own, data=form | {"role": "manager"})
    assert to_oneself.status_code == 403
    for path in ("leave", "stay", "invitation", "invitation/withdraw", "roles/new"):
        theirs = f"/people/workers/{staff.tomas.id}/{path}"
        answer = await client.post(theirs, data=form | {"when": "now", "role": "manager"})
        assert answer.status_code in (404, 422), path
    assert {one for one, _ in await roles_of(tenant, staff.tomas.id)} == {"practitioner"}
    await sign_in(staff.ines.id)
    assert (await client.get(rosa)).status_code == 200
    shown = (await client.get(rosa)).text.split('id="cases"')[1]
    assert f"/children/{staff.amina}" in shown, "their own manager reads the list"
    for path in ("/roles/new", "/leave"):
        assert (await client.get(f"{rosa}{path}")).status_code == 403
    await sign_in(staff.rosa.id)
    assert (await client.get("/people")).status_code == 403
    assert (await client.get(rosa)).status_code == 403
