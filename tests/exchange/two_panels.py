"""Two Panels that know each other, the second one to be served, and a family who moves."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, time
from pathlib import Path
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose, Role, Viewer
from panel.accounts.service import add_agency, add_worker, give_role
from panel.casework.handover import HandoverView, draft_handover, handovers_of, mark_sent
from panel.casework.handover_models import AuthorityHandover
from panel.exchange import handing_over_in as there
from panel.exchange.clients import KeysGiven, NewClient, register_client
from panel.exchange.fhir_routes import BASE
from panel.exchange.handing_over import (
    SCOPES,
    NewAuthority,
    add_authority,
    hand_over_due,
    make_document,
    our_keys,
    public_key,
)
from panel.panels.calendar import add_panel
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.database import Database
from panel.platform.ids import new_id
from panel.platform.masterkey import master_key
from panel.platform.reaching import Reaching
from panel.platform.tables import KEYS, NOW
from panel.platform.tenancy import Tenant, authority_named, keyring, load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import Access, Gate, rewrite_viewer
from panel.register.service import open_episode, open_episode_of
from panel.sharing.service import SharingDecision
from panel.web.assets import CHECKOUT
from tests.conftest import copied
from tests.durability.serving import free_port
from tests.exchange.conftest import jwks
from tests.exchange.signing import ec_pair
from tests.exchange.whole_record import write_whole
from tests.sharing.family import (
    EVERYTHING,
    Family,
    agreed,
    invented_family,
    record,
    referred,
)

HERE = Reaching(to_this_machine=True)
NORTH, SOUTH = "northfield", "southfield"


@dataclass(frozen=True)
class South:
    """The authority that the family moves to: its Panel is served at `port`."""

    tenant: Tenant
    port: int
    environment: dict[str, str]
    panel: UUID
    lead: Viewer
    """A worker there."""
    authority: UUID
    """What it calls the first one."""


@dataclass(frozen=True)
class Two:
    """Both sides, which know each other, and the family who moves."""

    family: Family
    north: Tenant
    gate: Gate
    south: South
    clock: FixedClock
    authority: UUID
    """What the first calls the second."""

    async def draft(self, way: str = "system") -> AuthorityHandover:
        async with self.open() as access:
            return await draft_handover(
                access,
                self.authority,
                moves_on=date(2026, 12, 1),
                note="Mum prefers a text message before anybody rings.",
                way=way,
            )

    async def send(self) -> AuthorityHandover:
        row = await self.draft()
        made = await make_document(self.gate, row, "Mum prefers a text message.", "http://n" + BASE)
        async with self.open() as access:
            return await mark_sent(access, row.id, row.version, made.body, made.withheld)

    def open(self) -> AbstractAsyncContextManager[Access]:
        return self.gate.open(
            self.family.child, self.family.rosa, Purpose.SUPPORT, "handed the child over"
        )

    async def newest(self) -> HandoverView:
        """The handover that was made last."""
        async with self.open() as access:
            return (await handovers_of(access))[0]

    async def load(self, session: AsyncSession) -> None:
        """The keys of the child's texts."""
        await load_keys(session, {self.family.child})

    async def decide(self, decision: SharingDecision) -> None:
        """The family decides anew."""
        await record(self.gate, self.family, decision)

    async def ask(self) -> int:
        """The job's next round, as if it were due again."""
        async with self.north.transaction(JOB) as session:
            await session.execute(
                update(AuthorityHandover)
                .where(AuthorityHandover.next_at.is_not(None))
                .values(next_at=session.info[NOW])
            )
        return await hand_over_due(self.north, HERE)

    def acceptance(self) -> there.Acceptance:
        """Southfield's panel, and a lead professional there."""
        return there.Acceptance(self.south.panel, self.south.lead.id)

    async def accept(self, received_id: UUID, version: int) -> UUID:
        """Southfield takes the child on; who they are there."""
        async with self.south.tenant.transaction(JOB) as session:
            return await there.accept(
                session, received_id, version, self.acceptance(), self.south.lead
            )

    async def refuse(self, received_id: UUID, version: int, why: str) -> None:
        """Southfield says no."""
        async with self.south.tenant.transaction(JOB) as session:
            await there.refuse(session, received_id, version, why, self.south.lead)

    async def received(self) -> there.Waiting:
        async with self.south.tenant.transaction(JOB) as session:
            return (await there.received_handovers(session))[0]

    async def opened(self) -> there.Opened:
        one = await self.received()
        async with self.south.tenant.transaction(JOB) as session:
            return await there.open_received(session, one.id)


@asynccontextmanager
async def two_panels(
    tenant: Tenant,
    gate: Gate,
    cluster: Cluster,
    template: str,
    data_dir: Path,
    clock: FixedClock,
    for_commands: dict[str, str | None],
) -> AsyncIterator[Two]:
    """Two databases, and what `panel serve` needs for the second."""
    family = await invented_family(tenant)
    await referred(tenant, family)
    port = free_port()
    with copied(cluster, f"panel_south_{new_id().hex[-12:]}", template) as made:
        told = authority_named(made.app_url, None)
        ring = keyring(told, master_key(None, data_dir / "keys" / "master.key"))
        other = Tenant(told, Database(made.app_url, pool_size=2), ring, clock)
        kept = {name: value for name, value in for_commands.items() if value is not None}
        environment = kept | {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": f"{CHECKOUT / 'src'}:{CHECKOUT}",
            "PANEL_DATABASE_URL": made.app_url,
            "PANEL_OWNER_DATABASE_URL": made.owner_url or "",
            "PANEL_SITE_URL": f"http://127.0.0.1:{port}",
            "PANEL_INSECURE_COOKIES": "yes",
            "PANEL_AS_OF": "2026-11-23T09:30",
        }
        try:
            yield await _both(tenant, gate, family, other, port, environment, clock)
        finally:
            await other.database.close()


async def _both(
    north: Tenant,
    gate: Gate,
    family: Family,
    south: Tenant,
    port: int,
    environment: dict[str, str],
    clock: FixedClock,
) -> Two:
    async with north.transaction(JOB) as session:
        await write_whole(session, family)
        if await open_episode_of(session, family.child) is None:
            await open_episode(session, family.child, date(2026, 9, 1))
        agency = await add_agency(session, key="south", name="Southfield", kind="council")
        new = NewClient(
            SOUTH, "Southfield’s Panel", agency.id, "system/*.rs", jwks(ec_pair("ec-1"))
        )
        await rewrite_viewer(session, (await register_client(session, new)).id)
        ours = public_key(session.info[KEYS].ring)
    await record(
        gate,
        family,
        agreed(
            family,
            agencies=frozenset({agency.id, family.health}),
            purposes=EVERYTHING | {Purpose.EXCHANGE},
        ),
    )
    async with south.transaction(JOB) as session:
        theirs = public_key(session.info[KEYS].ring)
    async with north.transaction(JOB) as session:
        authority = await add_authority(
            session,
            NewAuthority("Southfield", SOUTH, f"http://127.0.0.1:{port}{BASE}", NORTH, theirs),
            is_demo=True,
        )
        keys = await our_keys(session, authority)
    async with south.transaction(JOB) as session:
        agency = await add_agency(session, key="north", name="Northfield", kind="council")
        new = NewClient(
            NORTH, "Northfield’s Panel", agency.id, " ".join(SCOPES), KeysGiven(keys, "")
        )
        await register_client(session, new)
        known = await add_authority(
            session, NewAuthority("Northfield", NORTH, public_key=ours), is_demo=True
        )
        home = await add_agency(session, key="home", name="Early years", kind="council")
        lead = await add_worker(session, home, name="Sara Lindqvist", email="sara@demo.example")
        await give_role(session, lead, Role.PRACTITIONER)
        panel = await add_panel(
            session,
            key="contacts",
            name="CONTACTS",
            kind="contacts",
            first_on=date(2026, 11, 26),
            starts_at=time(9),
        )
    reader = replace(family.rosa, id=lead.id, agency=home.id)
    return Two(
        family,
        north,
        gate,
        South(south, port, environment, panel.id, reader, known.id),
        clock,
        authority.id,
    )
