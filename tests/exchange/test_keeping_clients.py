"""The information governance lead keeps systems; each is tied to its agency's children alone."""

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg import sql
from sqlalchemy import text

from consent import Category, Purpose, Role, Viewer, ViewerKind
from panel.accounts.service import add_agency, add_worker, give_role
from panel.cli import commands
from panel.exchange.client_pages import BASE
from panel.exchange.clients import KeysGiven, NewClient, end_client, one_client, register_client
from panel.exchange.unknown_letters import list_unknown
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.database import NOBODY
from panel.platform.ids import new_id
from panel.platform.problems import Invalid
from panel.platform.sessions import PROOF_LASTS
from panel.platform.tenancy import Tenant
from panel.records.access_check import differences
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.service import add_involvement
from panel.sharing.models import SharingRestriction
from tests.conftest import MORNING, SignIn
from tests.exchange.asking import Browser
from tests.exchange.conftest import Systems, jwks
from tests.exchange.signing import ec_pair
from tests.hostile.conftest import hidden_of, said_wrong
from tests.sharing.family import Family, agreed, record

EC = ec_pair("k1")


@pytest.fixture
async def lead(tenant: Tenant, family: Family) -> Viewer:
    async with tenant.transaction(JOB) as session:
        office = await add_agency(session, key="office", name="Testshire Council", kind="council")
        worker = await add_worker(session, office, name="Ngozi Hart", email="ngozi@office.example")
        await give_role(session, worker, Role.GOVERNANCE_LEAD)
        roles = frozenset({Role.GOVERNANCE_LEAD})
        return Viewer(worker.id, ViewerKind.WORKER, office.id, "council", roles)


async def reached(tenant: Tenant, client_id: UUID) -> set[UUID]:
    """The children whose rows the database gives a client now."""
    async with tenant.transaction(client_id) as session:
        return set((await session.execute(text("SELECT id FROM child"))).scalars())


def as_gate_takes_it(family: Family, systems: Systems, *, of: str = "health") -> Viewer:
    if of == "health":
        return Viewer(systems.gp_id, ViewerKind.CLIENT, family.health, "health")
    return Viewer(systems.school_id, ViewerKind.CLIENT, family.school, "school")


async def sees(gate: Gate, family: Family, viewer: Viewer, category: Category) -> bool:
    async with gate.open(family.child, viewer, Purpose.EXCHANGE, "read by a system") as access:
        return access.may(category)


async def test_it_reaches_whom_its_agency_works_with_and_consent_decides(
    gate: Gate, tenant: Tenant, family: Family, systems: Systems, clock: FixedClock
) -> None:
    school = as_gate_takes_it(family, systems, of="school")
    assert await reached(tenant, systems.school_id) == {family.child}
    assert not await sees(gate, family, school, Category.HEALTH)
    await record(gate, family, agreed(family))
    assert not await sees(gate, family, school, Category.HEALTH), "agreed to, but not for exchange"
    purposes = frozenset({Purpose.SUPPORT, Purpose.EXCHANGE})
    await record(gate, family, agreed(family, purposes=purposes))
    assert await sees(gate, family, school, Category.HEALTH)
    async with gate.open(family.child, school, Purpose.SUPPORT, "read for support") as access:
        assert not any(access.may(one) for one in Category), "for exchange and nothing else"
    async with tenant.transaction(JOB) as session:
        council = await add_agency(session, key="council", name="Council", kind="council")
        later = await register_client(
            session, NewClient("council-1", "Their system", council.id, "system/*.rs", jwks(EC))
        )
    assert await reached(tenant, later.id) == set()
    async with tenant.transaction(JOB) as session:
        await add_involvement(
            session,
            family.child,
            agency_id=council.id,
            from_on=date(2026, 11, 25),
            until_on=date(2026, 11, 26),
        )
    for day, expected in ((0, set()), (2, {family.child}), (3, {family.child}), (4, set())):
        clock.set(MORNING + timedelta(days=day))
        assert await reached(tenant, later.id) == expected, day
    assert await differences(tenant) == ()


async def test_ended_or_sealed_it_reaches_nobody(
    tenant: Tenant, family: Family, systems: Systems
) -> None:
    async with tenant.transaction(JOB) as session:
        row = (await one_client(session, systems.gp_id)).row
        await end_client(session, row.id, row.version, "It was replaced.")
    assert await reached(tenant, systems.gp_id) == set()
    async with tenant.transaction(JOB) as session:
        session.add(
            SharingRestriction(
                child_id=family.child,
                kind="protection",
                against=[family.school],
                from_on=date(2026, 11, 1),
            )
        )
        await rewrite_access(session, family.child)
    assert await reached(tenant, systems.school_id) == set()
    assert await reached(tenant, family.tom.id) == set(), "as its agency's workers"
    assert await differences(tenant) == ()


async def test_each_reads_of_the_way_in_what_it_needs(
    database_of_own: Cluster, tenant: Tenant, family: Family, systems: Systems, lead: Viewer
) -> None:
    both = {systems.gp_id, systems.school_id}
    expected = {
        systems.gp_id: {systems.gp_id},
        systems.school_id: {systems.school_id},
        lead.id: both,
        JOB: both,
        NOBODY: both,
        family.rosa.id: set(),
        family.mother: set(),
        new_id(): set(),
    }
    with psycopg.connect(database_of_own.app_url) as app:
        for viewer, clients in expected.items():
            with app.transaction(force_rollback=True):
                for name, value in (
                    ("search_path", tenant.record.schema_name),
                    ("panel.viewer", str(viewer)),
                    ("panel.now", MORNING.isoformat()),
                ):
                    app.execute(
                        sql.SQL("SET LOCAL {} = {}").format(sql.SQL(name), sql.Literal(value))
                    )
                found = app.execute("SELECT id FROM exchange_client").fetchall()
                assert {one for (one,) in found} == clients, viewer
                may_change = viewer in (JOB, lead.id)
                changed = app.execute("UPDATE exchange_client SET name = 'x'").rowcount
                assert changed == (2 if may_change else 0)
                for table in ("exchange_token", "used_assertion"):
                    app.execute(f"SELECT count(*) FROM {table}")
                if viewer not in (NOBODY, JOB):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
                        app.execute(
                            "INSERT INTO exchange_token (token_hash, client_id, scopes, made_at,"
                            " ends_at) VALUES ('a', %s, '{}', now(), now())",
                            [systems.gp_id],
                        )
                with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
                    app.execute("UPDATE exchange_token SET ends_at = now()")


async def test_every_mistake_is_told(tenant: Tenant, family: Family, systems: Systems) -> None:
    async def refused(**other: object) -> dict[str, str]:
        told: dict[str, object] = {
            "key": "new-one",
            "name": "A system",
            "agency_id": family.health,
            "scopes": "system/*.rs",
            "keys": jwks(EC),
        }
        with pytest.raises(Invalid) as raised:
            async with tenant.transaction(JOB) as session:
                await register_client(session, msgspec.convert(told | other, NewClient))
        return {one.field: one.sentence for one in raised.value.errors}

    assert "already" in (await refused(key="gp-records"))["key"]
    for key in ("", "A", "a b", "-a", "a" * 65, "ä", "a\n"):
        assert (await refused(key=key)).keys() == {"key"}, key
    assert (await refused(agency_id=new_id())).keys() == {"agency_id"}
    assert (await refused(scopes="patient/*.rs", name=" ")).keys() == {"name", "scopes"}
    for keys in (
        KeysGiven("", ""),
        KeysGiven(jwks(EC).jwks, "https://keys.example"),
        KeysGiven("{}", ""),
    ):
        assert (await refused(keys=keys)).keys() == {"jwks"}
    for address in ("http://keys.example", "https://a:b@keys.example", "file:///x", "keys",
                    "http://127.0.0.1/keys"):  # fmt: skip
        assert (await refused(keys=KeysGiven("", address))).keys() == {"jwks_url"}, address


async def posted(client: Browser, page: str, action: str = "", **said: str) -> tuple[int, str]:
    fields = hidden_of(await client.get(page))
    answer = await client.post(action or page, data=fields | said, follow_redirects=False)
    return answer.status_code, said_wrong(answer) if answer.status_code == 422 else ""


async def test_the_lead_registers_changes_and_ends_one(
    client: Browser,
    sign_in: SignIn,
    lead: Viewer,
    family: Family,
    clock: FixedClock,
    tenant: Tenant,
) -> None:
    await sign_in(family.rosa.id)
    assert (await client.get(BASE)).status_code == 403
    await sign_in(lead.id)
    assert BASE in (await client.get("/governance")).text
    assert "No system comes in yet" in (await client.get(BASE)).text
    new = f"{BASE}/new"
    status, wrong = await posted(client, new, name="", key="X", scopes="x", jwks="{}")
    assert status == 422
    assert "Enter what the system is called" in wrong
    assert "Select the agency whose system it is" in wrong
    said = {"name": "Practice records", "key": "gp", "agency_id": str(family.health)}
    status, wrong = await posted(client, new, **said, scopes="system/CarPlan.rs", jwks="{}")
    assert status == 422
    assert "CarPlan” is no type" in wrong
    assert "no set of keys" in wrong
    good = said | {"scopes": "system/CarePlan.rs", "jwks": jwks(EC).jwks}
    status, wrong = await posted(client, new, **good, mesh_mailbox="X 26")
    assert "Enter a mailbox as MESH writes it" in wrong
    good["mesh_mailbox"] = " x26hc005"
    assert (await posted(client, new, **good))[0] == 303
    status, wrong = await posted(client, new, **good)
    assert "There is a client of this key already" in wrong
    page = (await client.get(BASE)).text.split(f'href="{BASE}/')[2].split('"')[0]
    here = f"{BASE}/{page}"
    shown = (await client.get(here)).text
    for words in (
        "Practice records", "Health visiting", "system/CarePlan.rs", "k1", "Ngozi Hart", "X26HC005",
    ):  # fmt: skip
        assert words in shown
    stale = hidden_of(await client.get(f"{here}/change"))
    changed = {"name": "Practice", "scopes": "system/CarePlan.rs\nsystem/Patient.rs"}
    assert (await posted(client, f"{here}/change", **changed, mesh_mailbox="X26HC006"))[0] == 303
    taken = good | {"key": "other", "mesh_mailbox": "X26HC006"}
    assert "Another system sends from this mailbox" in (await posted(client, new, **taken))[1]
    overtaken = await client.post(f"{here}/change", data=stale | changed)
    assert overtaken.status_code == 409
    assert (await posted(client, f"{here}/keys", jwks="", jwks_url="http://x.example"))[0] == 422
    address = {"jwks": "", "jwks_url": "https://keys.example/jwks"}
    assert (await posted(client, f"{here}/keys", **address))[0] == 303
    assert "https://keys.example/jwks" in (await client.get(here)).text
    assert (await posted(client, here, f"{here}/revoke"))[0] == 303
    clock.set(MORNING + PROOF_LASTS)
    again = await client.get(f"{here}/keys", follow_redirects=False)
    assert again.headers["location"].startswith("/sign-in/again")
    assert (await posted(client, f"{here}/end", why=""))[0] == 422
    assert (await posted(client, f"{here}/end", why="It was replaced"))[0] == 303
    shown = (await client.get(here)).text
    assert "Ended on 23 Nov" in shown
    async with tenant.transaction(JOB) as session:
        await list_unknown(session, {"20261123-1": "X99ZZ001", "20261123-2": "X99ZZ001"})
    assert "X99ZZ001" in (await client.get(BASE)).text
    assert "It was replaced" in shown
    assert (await client.get(f"{here}/end")).status_code == 403


async def test_a_command_registers_one_and_lists_them(
    for_commands: dict[str, str | None], tenant: Tenant, family: Family, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(jwks(EC).jwks, "utf-8")

    async def run(*words: str) -> Result:
        # In a thread of its own, as a command runs outside of any loop.
        given = ("clients", *words)
        return await asyncio.to_thread(CliRunner().invoke, commands, given, env=for_commands)

    usual = ("--agency", "hv", "--name", "Practice records", "--scopes", "system/*.rs")
    assert "There is none" in (await run("list")).output
    added = await run("add", "gp", *usual, "--jwks", str(keys))
    assert added.exit_code == 0, added.output
    assert "gp) may ask for system/*.rs" in added.output
    [listed] = json.loads((await run("list", "--json")).output)
    assert listed == {
        "key": "gp",
        "name": "Practice records",
        "agency": "Health visiting",
        "scopes": ["system/*.rs"],
        "keys": ["k1"],
        "ended_on": None,
    }
    assert "gp: Practice records, of Health visiting" in (await run("list")).output
    for words, said in (
        (("gp", *usual, "--jwks", str(keys)), "already"),
        (("b", *usual), "Paste the keys"),
        (("b", *usual, "--jwks", str(tmp_path / "none")), "cannot be read"),
        (("b", *usual[2:], "--agency", "nobody", "--jwks", str(keys)), "no agency of the key"),
    ):
        wrong = await run("add", *words)
        assert wrong.exit_code == 1, wrong.output
        assert said in wrong.output
        assert wrong.output.count("\n") == 1
