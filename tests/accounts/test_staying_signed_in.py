"""A session in use stays; an idle one ends after an hour, and any after twelve."""

from datetime import timedelta

from litestar import Litestar
from litestar.testing import AsyncTestClient

from consent import Role
from panel.accounts.models import WorkerRole
from panel.accounts.service import add_agency, add_worker, signed_in
from panel.platform.clock import FixedClock
from panel.platform.sessions import LONGEST, end, goes_on, start
from panel.platform.tenancy import Tenant


async def _signed_in_worker(tenant: Tenant, clock: FixedClock) -> str:
    async with tenant.transaction() as session:
        agency = await add_agency(session, key="hv", name="Health visiting", kind="health")
        worker = await add_worker(session, agency, name="Rosa Whitlow", email="rosa@hv.example")
        session.add(WorkerRole(worker_id=worker.id, role=Role.PRACTITIONER.value))
        return await start(session, worker.id, "worker", clock.now())


async def test_a_session_in_use_goes_on(tenant: Tenant, clock: FixedClock) -> None:
    token = await _signed_in_worker(tenant, clock)
    for _ in range(4):
        clock.set(clock.now() + timedelta(minutes=50))
        who = await signed_in(tenant, token, clock.now())
        assert who is not None
        assert who.name == "Rosa Whitlow"


async def test_a_page_that_only_listens_keeps_no_session_alive(
    tenant: Tenant, clock: FixedClock
) -> None:
    token = await _signed_in_worker(tenant, clock)
    for _ in range(2):
        clock.set(clock.now() + timedelta(minutes=25))
        assert await goes_on(tenant, token, clock.now())
        assert await signed_in(tenant, token, clock.now(), LONGEST) is not None
    clock.set(clock.now() + timedelta(minutes=11))
    assert not await goes_on(tenant, token, clock.now())
    assert await signed_in(tenant, token, clock.now(), LONGEST) is None


async def test_what_a_page_asks_for_by_itself_is_no_use_of_the_session(
    tenant: Tenant, clock: FixedClock, client: AsyncTestClient[Litestar]
) -> None:
    token = await _signed_in_worker(tenant, clock)
    client.cookies.set("panel_session", token)
    for minutes, status in ((50, 200), (11, 401)):
        clock.set(clock.now() + timedelta(minutes=minutes))
        answer = await client.get("/children", headers={"X-Panel-By-Itself": "yes"})
        assert answer.status_code == status


async def test_an_idle_session_ends(tenant: Tenant, clock: FixedClock) -> None:
    token = await _signed_in_worker(tenant, clock)
    clock.set(clock.now() + timedelta(minutes=61))
    assert await signed_in(tenant, token, clock.now()) is None


async def test_a_session_ends_after_twelve_hours_in_use(tenant: Tenant, clock: FixedClock) -> None:
    token = await _signed_in_worker(tenant, clock)
    for _ in range(16):
        clock.set(clock.now() + timedelta(minutes=45))
        who = await signed_in(tenant, token, clock.now())
    assert who is None


async def test_signing_out_ends_it_at_once(tenant: Tenant, clock: FixedClock) -> None:
    token = await _signed_in_worker(tenant, clock)
    async with tenant.transaction() as session:
        await end(session, token)
    assert await signed_in(tenant, token, clock.now()) is None
