"""A budget holder plans a package and signs it; every page about money on a phone and a desktop."""

from datetime import date
from decimal import Decimal

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect

from panel.allocation import contracts, packages, payments
from panel.allocation.package_models import PackageKind
from panel.platform.clock import FixedClock
from panel.platform.sessions import start
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate
from tests.allocation.money_world import FIRST, Money, invented_money, opens, planned, version_of
from tests.allocation.test_joint_contracts import AGREEMENT
from tests.journeys.browser import assert_accessible, assert_fits
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import DESKTOP, PHONE


@pytest.fixture
async def money(tenant: Tenant, gate: Gate) -> Money:
    return await invented_money(tenant, gate)


async def looked_at(page: Page, path: str) -> None:
    """Accessible and no wider than the window, on a phone and on a desktop."""
    await page.goto(f"{SITE}{path}")
    for size in (PHONE, DESKTOP):
        await page.set_viewport_size(size)
        await assert_accessible(page)
        await assert_fits(page)


@pytest.mark.journey
async def test_a_budget_holder_plans_and_signs(
    page: Page, client: AsyncTestClient[Litestar], tenant: Tenant, gate: Gate, clock: FixedClock,
    money: Money,
) -> None:  # fmt: skip
    opened = opens(gate, money)
    paid = await planned(opened, money, PackageKind.PERSONAL_BUDGET, price="900.00")
    version = await version_of(opened, paid)
    async with opened() as access:
        await packages.approve(access, paid, version)
    version = await version_of(opened, paid)
    async with opened() as access:
        days = (FIRST, date(2026, 10, 31))
        await payments.pay(access, paid, version, "broker", Decimal(300), FIRST, days)
    async with tenant.transaction(money.budget.id) as session:
        contract = await contracts.make_contract(session, money.budget, AGREEMENT)
        token = await start(session, money.budget.id, "worker", clock.now())
    client.cookies.set("panel_session", token)
    await serve(page, client)
    base = f"/children/{money.family.child}/packages"
    await looked_at(page, f"{base}/new")
    await page.get_by_label("What is it called?").fill("Help at home")
    await page.get_by_label("Services given in kind").check()
    first = page.get_by_role("group", name="First day")
    for part, figure in (("Day", "1"), ("Month", "12"), ("Year", "2026")):
        await first.get_by_label(part).fill(figure)
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("link", name="Help at home").click()
    await page.get_by_role("link", name="Add a service").click()
    await page.get_by_role("button", name="Add it").click()
    await expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    for path in (
        base,
        f"{base}/{paid}",
        f"{base}/{paid}/steps/share",
        f"{base}/{paid}/steps/stay",
        f"/children/{money.family.child}/grants/new",
        "/allocation/pots",
        "/allocation/pots/new",
        f"/allocation/pots/{money.pot}",
        "/allocation/contracts",
        f"/allocation/contracts/{contract}",
        "/allocation/fairness?by=need",
        "/allocation/limits",
        "/allocation/calculator?year=2026-27&price=x",
    ):
        await looked_at(page, path)
