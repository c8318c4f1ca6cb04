"""A session in use stays; an idle one ends after an hour, and any after twelve."""

from datetime import timedelta

from consent import Role
from panel.accounts.models import WorkerRole
from panel.accounts.service import add_agency, add_worker, signed_in
from panel.platform.clock import FixedClock
from panel.platform.sessions import end, start
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
