"""Every page of restrictions, orders, enquiries and overrides, on a desktop and on a phone."""

from datetime import date
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect

from consent import Category, Purpose, RestrictionKind, Role
from panel.accounts.service import add_worker, agency_by_key, give_role
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.agencies_agreeing import NewVersion, record_agreement_of_agencies
from panel.sharing.court_orders import NewOrder, record_order
from panel.sharing.enquiring import NewEnquiry, begin_enquiry
from panel.sharing.former_names import NewFormerName, record_former_name
from panel.sharing.overriding import Reason, open_withheld
from panel.sharing.restricting import NewRestriction, restrict
from tests.journeys.browser import assert_accessible, screenshot
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import looked_at
from tests.sharing.family import Family, agreed, hold_the_plan, invented_family, record, refused
from tests.sharing.restricted import Guardians, with_social_care

Client = AsyncTestClient[Litestar]


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    return await invented_family(tenant)


@pytest.fixture
async def guardians(tenant: Tenant, family: Family, gate: Gate) -> Guardians:
    made = await with_social_care(tenant, family)
    both = frozenset({family.health, made.social_care.agency})
    await record(gate, family, agreed(family, agencies=both))
    await record(gate, family, refused(family, agencies=frozenset({family.school})))
    await hold_the_plan(tenant, family)
    return made


async def look(page: Page, path: str, name: str) -> None:
    """Open a page on a desktop and on a phone: accessible, no wider than the window, pictured."""
    await looked_at(page, name, begins=f"{SITE}{path}")


@pytest.mark.journey
async def test_every_page_is_accessible_and_fits(
    page: Page, client: Client, family: Family, guardians: Guardians, gate: Gate, tenant: Tenant,
    sign_in: Any,
) -> None:  # fmt: skip
    base = f"/children/{family.child}/sharing"
    async with gate.open(
        family.child, guardians.social_care, Purpose.SUPPORT, "recorded"
    ) as access:
        protected = NewRestriction(
            RestrictionKind.PROTECTION, ["contact"], [str(family.father)], "Violence", silent=True
        )
        restriction = await restrict(access, protected)
        ordered = NewOrder(
            permits=True, what=["health"], to=[str(family.grandmother)], reference="ZZ26P00001",
            reason="She is to be told",
        )  # fmt: skip
        order = await record_order(access, ordered)
        enquiry = await begin_enquiry(
            access, NewEnquiry([str(guardians.social_care.agency)], "Strategy discussion")
        )
        former = NewFormerName(
            "Rowan", "Thistledown", [str(guardians.social_care.agency)], "Adopted"
        )
        former_id = await record_former_name(access, former)
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "opened") as access:
        override = await open_withheld(access, ["health"], Reason("She is afraid to go home"))
    await serve(page, client)
    await sign_in(guardians.social_care.id)
    for path, name in (
        ("", "sharing-steps"),
        ("/restrictions", "restrictions"),
        ("/restrictions/protect", "protect"),
        ("/restrictions/former-name", "former-name"),
        (f"/restrictions/{restriction}/end", "end-restriction"),
        (f"/restrictions/former-names/{former_id}/end", "end-former-name"),
        ("/orders", "orders"),
        ("/orders/new", "order"),
        (f"/orders/{order}/end", "end-order"),
        ("/enquiries", "enquiries"),
        ("/enquiries/new", "enquiry"),
        (f"/enquiries/{enquiry}/end", "end-enquiry"),
    ):
        await look(page, f"{base}{path}", name)
    await sign_in(family.rosa.id)
    await look(page, f"{base}/restrictions/choose", "choose")
    await sign_in(family.tom.id)
    await look(page, base, "sharing-withheld")
    await look(page, f"{base}/override", "override")
    await look(page, "/safeguarding/open", "open-record")
    await look(page, "/safeguarding/opened", "opened")
    await sign_in(guardians.lead.id)
    for path, name in (
        ("/", "home-to-review"),
        ("/safeguarding/reviews", "reviews"),
        (f"{base}/overrides/{override}", "review"),
    ):
        await look(page, path, name)


@pytest.mark.journey
async def test_a_protection_is_checked_before_it_is_recorded(
    page: Page, client: Client, family: Family, guardians: Guardians, sign_in: Any, gate: Gate
) -> None:
    base = f"/children/{family.child}/sharing/restrictions"
    await serve(page, client)
    await sign_in(guardians.social_care.id)
    await page.goto(f"{SITE}{base}")
    await page.get_by_role("button", name="Protect somebody").click()
    await page.get_by_role("button", name="See what changes").click()
    await expect(page.get_by_role("alert")).to_contain_text("Say why it is withheld")
    await assert_accessible(page)
    await page.get_by_label("Contact details").check()
    await page.get_by_label("Health visiting", exact=True).check()
    await page.get_by_label("Say that it is withheld, and nothing more").check()
    await page.get_by_label("Why is it withheld?").fill("He came to the door")
    await page.get_by_role("button", name="See what changes").click()
    await expect(
        page.get_by_text("Health visiting no longer sees contact details.")
    ).to_be_visible()
    await screenshot(page, "check-protection")
    await assert_accessible(page)
    await page.get_by_role("button", name="Withhold it").click()
    await expect(page.get_by_role("heading", name="Contact details withheld")).to_be_visible()
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read") as access:
        assert not access.may(Category.CONTACT)


@pytest.mark.journey
async def test_agreements_of_agencies_are_accessible(
    page: Page, client: Client, family: Family, tenant: Tenant, sign_in: Any
) -> None:
    async with tenant.transaction(JOB) as session:
        health = await agency_by_key(session, "hv")
        assert health is not None
        worker = await add_worker(session, health, name="Ngozi Hart", email="ngozi@demo.example")
        await give_role(session, worker, Role.GOVERNANCE_LEAD)
        made = await record_agreement_of_agencies(
            session,
            NewVersion(
                "Early help", "ISA 2026/4", [str(family.health), str(family.school)], ["health"],
                ["support"], date(2026, 9, 1), None, date(2026, 11, 1), "The first one",
            ),
        )  # fmt: skip
    await serve(page, client)
    await sign_in(worker.id)
    for path, name in (
        ("/governance", "home-governance"),
        ("/sharing-agreements", "agencies-agreements"),
        ("/sharing-agreements/new", "agencies-new"),
        (f"/sharing-agreements/{made}", "agencies-agreement"),
        (f"/sharing-agreements/{made}/change", "agencies-change"),
        ("/safeguarding/reviews", "reviews-figures"),
    ):
        await look(page, path, name)
