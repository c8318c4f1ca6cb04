"""A health visitor fills in an assessment and looks at who may see it, in a real browser."""

from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect

from consent import Purpose
from panel.assessments.definitions import Answers
from panel.assessments.service import (
    read_assessment,
    save_section,
    settle_agreement,
    sign_off,
    start_assessment,
)
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate
from tests.assessments.conftest import caf, full, options
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import looked_at
from tests.sharing.family import Family, agreed, hold_the_plan, invented_family, record

__all__ = ["caf", "full", "options"]


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    return await invented_family(tenant)


@pytest.fixture
async def rosa(page: Page, client: AsyncTestClient[Litestar], family: Family, sign_in: Any) -> Page:
    """Rosa's browser, signed in."""
    await sign_in(family.rosa.id)
    await serve(page, client)
    return page


async def look(page: Page, path: str, name: str) -> None:
    """Open a page on a desktop and on a phone: accessible, no wider than the window, pictured."""
    await looked_at(page, name, begins=f"{SITE}{path}")


@pytest.mark.journey
async def test_filling_in_with_scripts(rosa: Page, family: Family) -> None:
    await rosa.goto(f"{SITE}/children/{family.child}/assessments")
    await rosa.get_by_role("button", name="Start an assessment").click()
    await expect(rosa.get_by_role("link", name="Names and birth date")).to_be_visible()
    base = rosa.url
    await rosa.get_by_role("link", name="Names and birth date").click()
    born = rosa.get_by_role("group", name="Date of birth")
    await expect(born).to_be_hidden()
    await rosa.get_by_role("group", name="Has Freya been born?").get_by_label("Yes").check()
    await expect(born).to_be_visible()
    await expect(rosa.get_by_role("group", name="Date when the baby is expected")).to_be_hidden()
    await expect(rosa.get_by_text("Saved 9:30")).to_be_visible()
    async with rosa.expect_response(lambda answer: answer.url.endswith("/typed")) as saved:
        await rosa.get_by_label("Last name").fill("Kestrel")
    assert (await saved.value).status == 200
    await expect(rosa.get_by_text("Saved 9:30")).to_be_visible()
    await rosa.goto(f"{base}/sections/names")
    await expect(rosa.get_by_label("Last name")).to_have_value("Kestrel")
    await rosa.get_by_role("button", name="Save and go on").click()
    await expect(rosa).to_have_url(f"{base}/sections/home-address")


@pytest.mark.journey
async def test_every_page_is_accessible_and_fits(
    rosa: Page, family: Family, gate: Gate, full: Answers, tenant: Tenant
) -> None:
    start = f"/children/{family.child}"
    await look(rosa, f"{start}/assessments", "assessments-none")
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "filled it in") as access:
        assessment = await start_assessment(access)
    base = f"{start}/assessments/{assessment}"
    await look(rosa, base, "assessment-tasks-new")
    for slug in ("child-says", "names", "people-present", "health", "agreement"):
        await look(rosa, f"{base}/sections/{slug}", f"assessment-{slug}")
    full["agreement"] |= {
        "agreed_by": str(family.mother),
        "share_with": [str(family.school), str(family.health)],
        "not_share_with": [],
        "level": "additional",
        "agreed_on": "2026-11-23",
        "from": "2026-11-23",
        "until": "2027-11-22",
    }
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "filled it in") as access:
        for section in (await read_assessment(access, assessment)).shown.sections:
            said = {
                question.key: full[section.key][question.key]
                for question in section.questions
                if question.key in full[section.key]
            }
            version = (await read_assessment(access, assessment)).section_version(section.key)
            await save_section(access, assessment, section.key, said, version)
        await settle_agreement(access, assessment)
    await look(rosa, base, "assessment-tasks")
    await look(rosa, f"{base}/check-answers", "assessment-check")
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "signed it off") as access:
        number = (await read_assessment(access, assessment)).answers_number
        await sign_off(access, assessment, number)
    await look(rosa, base, "assessment-read")
    await look(rosa, f"{start}/assessments", "assessments")
    await record(gate, family, agreed(family, agencies=frozenset({family.health})))
    await look(rosa, f"{start}/sharing", "sharing")
    agreement = rosa.get_by_role("link", name="See what changes if it ends").first
    await look(rosa, await agreement.get_attribute("href") or "", "sharing-withdraw")
    await hold_the_plan(tenant, family)
    await look(rosa, f"{start}/sharing/history", "sharing-history")
