"""A worker writes down what a family decides, and the coordinator decides, in a real browser."""

from datetime import date, timedelta
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect
from sqlalchemy import text

from consent import Category, Purpose
from panel.platform.clock import FixedClock
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.service import record_objection, request_access
from tests.journeys.in_process import SITE, serve
from tests.journeys.test_assessment_and_sharing import look
from tests.sharing.family import (
    Family,
    agreed,
    hold_the_plan,
    invented_family,
    record,
    referred,
)


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    return await invented_family(tenant)


@pytest.mark.journey
async def test_a_mothers_yes_is_written_down_and_a_mistake_is_said(
    page: Page, client: AsyncTestClient[Litestar], family: Family, sign_in: Any
) -> None:
    await sign_in(family.rosa.id)
    await serve(page, client)
    await page.goto(f"{SITE}/children/{family.child}/sharing")
    await page.get_by_role("button", name="Write down what the family decided").click()
    await page.get_by_label("They agreed to share").check()
    await page.get_by_role("group", name="Who decided?").get_by_label("Grandmother").check()
    await page.get_by_label("They have parental responsibility").check()
    about = page.get_by_role("group", name="Which agencies is it about?")
    await about.get_by_label("Made-up School").check()
    await page.get_by_label("Basic information", exact=True).check()
    purposes = page.get_by_role("group", name="What may it be used for?")
    await purposes.get_by_label("Working with the child").check()
    until = page.get_by_role("group", name="Until which day?")
    for part, said in (("Day", "22"), ("Month", "11"), ("Year", "2027")):
        await until.get_by_label(part).fill(said)
    await page.get_by_label("How did you explain it?").fill("Face to face")
    await page.get_by_role("button", name="Record what they decided").click()
    await expect(page.get_by_role("alert")).to_contain_text(
        "It is not recorded that her grandmother has parental responsibility."
    )
    await expect(page.get_by_label("How did you explain it?")).to_have_value("Face to face")
    await page.get_by_role("group", name="Who decided?").get_by_label("Mother", exact=True).check()
    await page.get_by_role("button", name="Record what they decided").click()
    await expect(page).to_have_url(f"{SITE}/children/{family.child}/sharing")
    await expect(page.get_by_text("Her mother agreed to share In force")).to_be_visible()


@pytest.mark.journey
async def test_every_page_is_accessible_and_fits(
    page: Page,
    client: AsyncTestClient[Litestar],
    family: Family,
    gate: Gate,
    tenant: Tenant,
    clock: FixedClock,
    sign_in: Any,
) -> None:
    base = f"/children/{family.child}/sharing"
    await hold_the_plan(tenant, family)
    coordinator = await referred(tenant, family)
    old = await record(gate, family, agreed(family, until_on=date(2026, 12, 1)))
    clock.set(clock.now() + timedelta(days=1))
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote") as access:
        objection = await record_objection(access, family.father, reason="He fears gossip")
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "asked") as access:
        (asked,) = await request_access(access, [Category.FINANCE], "To plan her day")
    async with tenant.transaction(JOB) as session:
        await session.execute(
            text("UPDATE access_request SET asked_on = '2026-11-02' WHERE id = :a"), {"a": asked}
        )
    await sign_in(family.rosa.id)
    await serve(page, client)
    await look(page, "/", "home-what-waits")
    await look(page, base, "sharing-what-waits")
    await look(page, f"{base}/agreements/new?asked={asked}", "sharing-agreement")
    await look(page, f"{base}/agreements/{old.id}/renew", "sharing-renew")
    await look(page, f"{base}/judgements/new", "sharing-judgement")
    await look(page, f"{base}/objections/new", "sharing-objection-new")
    await look(page, f"{base}/requests/{asked}", "sharing-request")
    await sign_in(coordinator.id)
    await look(page, "/", "home-coordinator-what-waits")
    await look(page, f"{base}/objections/{objection}", "sharing-objection")
