"""Ending an agreement for one agency, what is withheld, and the history, on a desktop and a phone."""

from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect

from panel.platform.tenancy import Tenant
from panel.records.gate import Gate
from tests.journeys.in_process import SITE, serve
from tests.journeys.test_assessment_and_sharing import look
from tests.sharing.family import (
    Family,
    agreed,
    hold_the_plan,
    invented_family,
    record,
    referred,
    refused,
)


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    return await invented_family(tenant)


@pytest.mark.journey
async def test_the_school_is_taken_out_of_an_agreement(
    page: Page,
    client: AsyncTestClient[Litestar],
    family: Family,
    gate: Gate,
    tenant: Tenant,
    sign_in: Any,
) -> None:
    base = f"/children/{family.child}/sharing"
    both = frozenset({family.health, family.school})
    await hold_the_plan(tenant, family)
    await referred(tenant, family)
    made = await record(gate, family, agreed(family, agencies=both))
    await sign_in(family.rosa.id)
    await serve(page, client)
    withdraw = f"{base}/agreements/{made.id}/withdraw"
    await look(page, withdraw, "sharing-withdraw")
    await look(page, f"{withdraw}?agency={family.school}", "sharing-withdraw-one")
    await look(page, f"{base}/history", "sharing-history-with-law")
    await page.goto(f"{SITE}{withdraw}")
    await page.get_by_role("link", name="Made-up School").click()
    await expect(page.get_by_text("What was agreed for Health visiting goes on.")).to_be_visible()
    await page.get_by_role("button", name="It is withdrawn for Made-up School").click()
    await expect(page).to_have_url(f"{SITE}{base}")
    await page.get_by_text("Ended and withdrawn").click()
    await expect(page.get_by_text("Withdrawn in part")).to_be_visible()


@pytest.mark.journey
async def test_from_a_withheld_part_to_the_form_that_asks(
    page: Page, client: AsyncTestClient[Litestar], family: Family, gate: Gate, sign_in: Any
) -> None:
    await record(gate, family, refused(family, agencies=frozenset({family.school})))
    await sign_in(family.tom.id)
    await serve(page, client)
    await look(page, f"/children/{family.child}/people", "people-withheld")
    await page.get_by_role("link", name="Ask to see it").first.click()
    await expect(page.get_by_role("heading", name="What you cannot see")).to_be_visible()
    await expect(page.get_by_label("Why do you need it?")).to_be_visible()
