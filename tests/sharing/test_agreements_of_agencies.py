"""What agencies agreed with each other is kept in versions, and opens nothing by itself."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from consent import Category, Purpose, Role, Viewer, ViewerKind
from panel.accounts.service import add_worker, agency_by_key, give_role
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.state import SharingFacts
from tests.sharing.family import Family, agreed, record, sees
from tests.sharing.restricted import Client, fill, plain

PAGE = "/sharing-agreements"


@pytest.fixture
async def keeper(tenant: Tenant, family: Family, client: Client, sign_in: Any) -> Client:
    """The information governance lead, signed in."""
    assert family.child
    async with tenant.transaction(JOB) as session:
        health = await agency_by_key(session, "hv")
        assert health is not None
        worker = await add_worker(session, health, name="Ngozi Hart", email="ngozi@demo.example")
        await give_role(session, worker, Role.GOVERNANCE_LEAD)
    await sign_in(worker.id)
    return client


def on(name: str, day: date) -> dict[str, str]:
    return {f"{name}-day": str(day.day), f"{name}-month": str(day.month), f"{name}-year": str(day.year)}  # fmt: skip


def signed(family: Family, **typed: Any) -> dict[str, Any]:
    return {
        "title": "Early help sharing",
        "reference": "ISA 2026/4",
        "parties": [str(family.health), str(family.school)],
        "categories": ["identity", "health"],
        "purposes": "support",
        "why": "The first one",
        **on("from_on", date(2026, 9, 1)),
        **on("review_on", date(2026, 11, 1)),
    } | typed


async def test_it_is_kept_changed_and_every_version_stays(
    keeper: Client, family: Family, tenant: Tenant, gate: Gate
) -> None:
    assert "Agreements between agencies" in plain(await keeper.get("/"))
    assert (await fill(keeper, f"{PAGE}/new", **signed(family))).status_code == 303
    said = plain(await keeper.get(PAGE))
    assert "Early help sharing, version 1 Review overdue" in said
    assert "Health visiting and Made-up School" in said
    assert not await sees(gate, family, family.tom), "an agreement of agencies opens nothing"
    async with tenant.transaction(JOB) as session:
        made = await session.scalar(text("SELECT agreement_id FROM agencies_agreement"))
    change = f"{PAGE}/{made}/change"
    early = await fill(keeper, change, **signed(family))
    assert early.status_code == 422
    assert "The new version begins after the one before it." in plain(early)
    typed = signed(
        family, categories="health", why="Names are told anyway",
        **on("from_on", date(2026, 11, 20)), **on("review_on", date(2027, 11, 1)),
    )  # fmt: skip
    assert (await fill(keeper, change, **typed)).status_code == 303
    assert (await fill(keeper, change, **(typed | {"version": "1"}))).status_code == 409
    said = plain(await keeper.get(f"{PAGE}/{made}"))
    assert "version 2 In force" in said
    assert "version 1 Over" in said
    assert "From 1 September 2026 until 19 November 2026" in said
    async with tenant.transaction(JOB) as session:
        known = await SharingFacts().known(session, [family.child], Viewer(JOB, ViewerKind.JOB))
    first, second = known[family.child].state.arrangements
    assert first.span.end == date(2026, 11, 19)
    assert second.categories == {Category.HEALTH}
    assert second.purposes == {Purpose.SUPPORT}
    assert second.parties == {family.health, family.school}


async def test_the_history_names_the_agreement_beside_what_permits(
    keeper: Client, family: Family, tenant: Tenant, gate: Gate
) -> None:
    assert (await fill(keeper, f"{PAGE}/new", **signed(family))).status_code == 303
    await record(gate, family, agreed(family))
    assert await sees(gate, family, family.tom)
    async with tenant.transaction(JOB) as session:
        told = await session.scalar(
            text(
                "SELECT decisions ->> 'law' FROM access_event WHERE viewer_id = :tom"
                " ORDER BY id DESC LIMIT 1"
            ),
            {"tom": family.tom.id},
        )
    assert "ISA 2026/4" in told


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"title": " "}, "Enter what the agreement is called"),
        ({"reference": "a; b"}, "Enter a reference without a semicolon"),
        ({"parties": []}, "Select the agencies, two or more"),
        ({"parties": "one"}, "Select the agencies, two or more"),
        ({"categories": "gossip"}, "Select what may be shared"),
        ({"purposes": "fun"}, "Select what it may be used for"),
        ({"why": ""}, "Say what this version is for"),
        (on("until_on", date(2026, 8, 1)), "The end is before the beginning"),
        (on("review_on", date(2026, 8, 1)), "The review is before the beginning"),
        ({"from_on-day": "32"}, "From must be"),
        ({"number": "7"}, "Nothing was saved"),
    ],
)
async def test_what_could_not_be_signed_is_refused(
    keeper: Client, family: Family, tenant: Tenant, typed: dict[str, Any], said: str
) -> None:
    given = {name: str(family.school) if value == "one" else value for name, value in typed.items()}
    answer = await fill(keeper, f"{PAGE}/new", **signed(family, **given))
    assert answer.status_code == 422
    assert said in plain(answer), plain(answer)
    async with tenant.transaction(JOB) as session:
        assert await session.scalar(text("SELECT count(*) FROM agencies_agreement")) == 0


async def test_a_reference_names_one_agreement(keeper: Client, family: Family) -> None:
    assert (await fill(keeper, f"{PAGE}/new", **signed(family))).status_code == 303
    again = await fill(keeper, f"{PAGE}/new", **signed(family, title="Another"))
    assert "Another agreement has this reference" in plain(again)


async def test_it_is_for_governance_and_administrators(
    client: Client, family: Family, sign_in: Any
) -> None:
    await sign_in(family.rosa.id)
    unknown = f"{PAGE}/0199aaaa-0000-7000-8000-000000000000"
    for address in (PAGE, f"{PAGE}/new", unknown, f"{unknown}/change"):
        assert (await client.get(address)).status_code == 403
