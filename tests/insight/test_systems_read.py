"""A system of an agency reads what is published with a scope of its own, and nothing beside it."""

from collections.abc import Mapping
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select, text, update

from panel.exchange.models import ExchangeClient
from panel.platform.clock import FixedClock
from panel.platform.sessions import start
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_viewer
from tests.exchange.web import give_token
from tests.families.household import household
from tests.insight.put_out import put_areas, put_out

pytestmark = pytest.mark.database

API = "/api/v1/releases"
FIGURES = "system/releases.r"
ADDRESSES = (API, f"{API}/1/catalogue", f"{API}/1/tables/unmet_by_kind_ward")
NOT_THERE = (
    f"{API}/2/catalogue", f"{API}/99999999999999999999/catalogue", f"{API}/1/tables/child",
    f"{API}/2/tables/unmet_by_kind_ward", f"{API}/1/tables/insight_refusal",
)  # fmt: skip


def with_token(token: str, scheme: str = "Bearer") -> Mapping[str, str]:
    return {"Authorization": f"{scheme} {token}"}


async def registered(tenant: Tenant, agency: UUID, key: str, *scopes: str) -> UUID:
    async with tenant.transaction(JOB) as session:
        made = ExchangeClient(
            key=key, name=key, agency_id=agency, scopes=list(scopes), purposes=["exchange"],
            jwks={"keys": []}, from_on=tenant.clock.now().date(),
        )  # fmt: skip
        session.add(made)
        await session.flush()
        await rewrite_viewer(session, made.id)
        return made.id


async def test_a_system_reads_the_published_cells_and_nothing_else(
    client: AsyncTestClient[Litestar], tenant: Tenant, clock: FixedClock
) -> None:
    family = await household(tenant)
    await put_areas(tenant)
    await put_out(tenant)
    async with tenant.transaction(JOB) as session:
        agency = (await session.execute(text("SELECT id FROM agency LIMIT 1"))).scalar_one()
    analysts = await registered(tenant, agency, "analysts", FIGURES)
    records = await registered(tenant, agency, "records", "system/*.cruds")
    reads = with_token(await give_token(tenant, analysts, "of figures", (FIGURES,)))
    other = with_token(await give_token(tenant, records, "of records", ("system/*.cruds", FIGURES)))

    # The same as a commissioner reads, to the byte.
    async with tenant.transaction() as session:
        token = await start(session, family.commissioner, "worker", clock.now())
    by_hand = {"Cookie": f"panel_session={token}"}
    for address in ADDRESSES:
        read = await client.get(address, headers=reads)
        assert read.status_code == 200, address
        assert read.content == (await client.get(address, headers=by_hand)).content
        assert read.headers["cache-control"] == "no-store"

    # Whatever is not there is answered alike, whoever asks.
    answers = [await client.get(one, headers=reads) for one in NOT_THERE]
    assert {(one.status_code, one.content) for one in answers} == {(404, answers[0].content)}
    assert answers[0].content == (await client.get(NOT_THERE[0], headers=by_hand)).content

    # The scope lets no record through, and records' scopes no figure.
    for path in (
        "Patient", f"Patient/{family.child}", f"Patient/{family.child}/$everything",
        f"CarePlan?patient={family.child}", "Group", "Group/$export", "Patient/$export", "$export",
        "Subscription", "Organization", "Practitioner",
    ):  # fmt: skip
        asked = await client.get(f"/fhir/R4/{path}", headers={**reads, "Prefer": "respond-async"})
        assert asked.status_code in {403, 404}, path
        assert "entry" not in asked.json(), path
    for address in (*ADDRESSES, *NOT_THERE):
        refused = await client.get(address, headers=other)
        assert refused.status_code == 403, address
        assert refused.headers["www-authenticate"] == (
            'Bearer realm="releases", error="insufficient_scope", scope="system/releases.r"'
        )
        for bad in (with_token("nonsense"), with_token("of figures", "Basic"), with_token("")):
            assert (await client.get(address, headers=bad)).status_code == 401
        assert (await client.get(address)).status_code == 401
    # A token opens no page.
    assert (await client.get("/commissioning", headers=reads)).status_code in {303, 401}

    # The database itself gives it published cells, and nothing of what was refused or of files.
    async with tenant.transaction(analysts) as session:
        for table, has_some in (
            ("insight_cell", True), ("insight_release", True), ("insight_file", False),
            ("insight_refusal", False), ("table_wish", False), ("fact_child_term", False),
        ):  # fmt: skip
            found = await session.scalar(text(f"SELECT EXISTS (SELECT FROM {table})"))
            assert found is has_some, table
    async with tenant.transaction(records) as session:
        assert not await session.scalar(text("SELECT EXISTS (SELECT FROM insight_cell)"))

    # What is taken from it is taken from its tokens too.
    async with tenant.transaction(JOB) as session:
        await session.execute(
            update(ExchangeClient)
            .where(ExchangeClient.id == analysts)
            .values(scopes=["system/Task.r"], version=ExchangeClient.version + 1)
        )
    assert (await client.get(API, headers=reads)).status_code == 403
    async with tenant.transaction(JOB) as session:
        row = (
            await session.execute(select(ExchangeClient).where(ExchangeClient.id == analysts))
        ).scalar_one()
        row.scopes, row.ended_on, row.ended_why = [FIGURES], clock.now().date(), "Over"
    assert (await client.get(API, headers=reads)).status_code == 401
