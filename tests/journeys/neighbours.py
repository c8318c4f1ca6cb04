"""A second Panel beside the demonstration: another authority, that a family moves to."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID

from playwright.async_api import Browser
from sqlalchemy import select

from consent import Capacity, Level, Purpose, Role
from panel.accounts.models import Agency, DemoPersona
from panel.accounts.service import add_agency, add_worker, give_role, worker_at_desk
from panel.commands.opening import gate_of
from panel.exchange.clients import KeysGiven, NewClient, register_client
from panel.exchange.fhir_routes import BASE
from panel.exchange.handing_over import (
    AFTER,
    SCOPES,
    NewAuthority,
    add_authority,
    hand_over_due,
    our_keys,
    public_key,
)
from panel.panels.calendar import add_panel
from panel.platform.clock import LONDON, FixedClock
from panel.platform.cluster import Cluster, open_cluster
from panel.platform.database import Database
from panel.platform.ids import new_id
from panel.platform.masterkey import master_key
from panel.platform.reaching import Reaching
from panel.platform.sessions import start
from panel.platform.tables import KEYS
from panel.platform.tenancy import Tenant, authority_named, keyring
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_viewer
from panel.settings import from_environment
from panel.sharing.service import SharingDecision, record_agreement
from panel.web.assets import CHECKOUT
from tests.conftest import copied
from tests.durability.serving import free_port
from tests.exchange.conftest import jwks
from tests.exchange.signing import ec_pair
from tests.exchange.test_first_exchange import served
from tests.journeys.browser import open_page
from tests.journeys.person import DESKTOP, Person

HERE, THERE = "wexcombe", "southfield"
NAME = "Southfield"


def half_past_nine(day: date) -> FixedClock:
    """A clock that stands at half past nine of a day in London."""
    return FixedClock(datetime.combine(day, time(9, 30), LONDON).astimezone(UTC))


@dataclass(frozen=True)
class Neighbour:
    """The other authority, served at `url`, and the demonstration behind which it lies."""

    gate: Gate
    """Of the demonstration."""
    clock: FixedClock
    """What the demonstration's jobs go by."""
    tenant: Tenant
    url: str
    coordinator: UUID
    lead: UUID

    async def signed_in(self, browser: Browser, stack: AsyncExitStack, who: UUID) -> Person:
        """Somebody who works there, at a browser of their own."""
        async with self.tenant.transaction() as session:
            token = await start(session, who, "worker", self.tenant.clock.now())
        opened = open_page(browser, viewport=DESKTOP, base_url=self.url)
        person = Person(await stack.enter_async_context(opened))
        await person.page.context.add_cookies(
            [{"name": "panel_session", "value": token, "url": self.url}]
        )
        return person

    async def jobs_run(self) -> None:
        """The demonstration's job sends what waits, or asks how it stands, a while later."""
        self.clock.set(self.clock.now() + AFTER + timedelta(minutes=1))
        await hand_over_due(self.gate.tenant, Reaching(to_this_machine=True))


@asynccontextmanager
async def neighbour(
    folder: Path, day: date, cluster: Cluster, template: str, data_dir: Path
) -> AsyncIterator[Neighbour]:
    """Serve it, known to the demonstration of a folder and knowing that, on a day."""
    port, clock = free_port(), half_past_nine(day)
    with copied(cluster, f"panel_south_{new_id().hex[-12:]}", template) as made:
        record = authority_named(made.app_url, None)
        ring = keyring(record, master_key(None, data_dir / "keys" / "master.key"))
        tenant = Tenant(record, Database(made.app_url, pool_size=2), ring, clock)
        environment = {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": f"{CHECKOUT / 'src'}:{CHECKOUT}",
            "PANEL_DATA_DIR": str(data_dir),
            "PANEL_DATABASE_URL": made.app_url,
            "PANEL_OWNER_DATABASE_URL": made.owner_url or "",
            "PANEL_SITE_URL": f"http://127.0.0.1:{port}",
            "PANEL_INSECURE_COOKIES": "yes",
            "PANEL_AS_OF": f"{day}T09:30",
        }
        settings = from_environment({"PANEL_DATA_DIR": str(folder)})
        try:
            with open_cluster(None, folder) as own:
                async with gate_of(settings, own, None, half_past_nine(day)) as gate:
                    people = await _acquainted(gate.tenant, tenant, port)
                    with served(environment, port):
                        url = f"http://127.0.0.1:{port}"
                        own_clock = gate.tenant.clock
                        assert isinstance(own_clock, FixedClock)
                        yield Neighbour(gate, own_clock, tenant, url, *people)
        finally:
            await tenant.database.close()


async def _acquainted(here: Tenant, there: Tenant, port: int) -> tuple[UUID, UUID]:
    """Each keeps the other; the coordinator and the lead professional of the other one."""
    async with there.transaction(JOB) as session:
        theirs = public_key(session.info[KEYS].ring)
    async with here.transaction(JOB) as session:
        agency = await add_agency(session, key=THERE, name=NAME, kind="council")
        comes_in = NewClient(
            THERE, f"{NAME}’s Panel", agency.id, "system/*.rs", jwks(ec_pair("ec-1"))
        )
        await rewrite_viewer(session, (await register_client(session, comes_in)).id)
        known = NewAuthority(NAME, THERE, f"http://127.0.0.1:{port}{BASE}", HERE, theirs)
        keys = await our_keys(session, await add_authority(session, known, is_demo=True))
        ours = public_key(session.info[KEYS].ring)
    async with there.transaction(JOB) as session:
        agency = await add_agency(session, key=HERE, name="Wexcombe", kind="council")
        await register_client(
            session,
            NewClient(HERE, "Wexcombe’s Panel", agency.id, " ".join(SCOPES), KeysGiven(keys, "")),
        )
        await add_authority(session, NewAuthority("Wexcombe", HERE, public_key=ours), is_demo=True)
        home = await add_agency(session, key="home", name="Early Years South", kind="council")
        lead = await add_worker(session, home, name="Sara Lindqvist", email="sara@demo.example")
        await give_role(session, lead, Role.PRACTITIONER)
        runs = await add_worker(session, home, name="Olga Brandt", email="olga@demo.example")
        panel = await add_panel(
            session,
            key="contacts",
            kind="contacts",
            first_on=date(2027, 9, 9),
            name="CONTACTS South",
        )
        await give_role(session, runs, Role.COORDINATOR, panel.id)
        return runs.id, lead.id


async def the_mother_agrees(gate: Gate, child: UUID, day: date) -> None:
    """Hana writes down that Marta lets the other authority's Panel have the record."""
    tenant = gate.tenant
    async with tenant.transaction(JOB) as session:
        ids = {one.id: one.viewer_id for one in await session.scalars(select(DemoPersona))}
        agency = await session.scalar(select(Agency.id).where(Agency.key == THERE))
        hana = await worker_at_desk(
            await session.connection(), tenant.ring, ids["lead-education"], tenant.clock.now()
        )
    assert hana is not None
    assert agency is not None
    decision = SharingDecision(
        by_person=ids["parent-1"],
        capacity=Capacity.PARENTAL_RESPONSIBILITY,
        given=True,
        agreed_on=day,
        agencies=frozenset({agency}),
        level=Level.ADDITIONAL,
        purposes=frozenset({Purpose.SUPPORT, Purpose.PANEL, Purpose.REVIEW, Purpose.EXCHANGE}),
        until_on=day + timedelta(days=300),
        how_explained="We talked about it face to face",
    )
    async with gate.open(child, hana.viewer, Purpose.SUPPORT, "asked the family") as access:
        await record_agreement(access, decision)
