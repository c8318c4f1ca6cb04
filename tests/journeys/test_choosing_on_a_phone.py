"""On a phone a mother finds that the school sees the plan, reads what stopping means, stops it."""

import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect

from consent import Category, Purpose
from panel.accounts.service import add_agency
from panel.platform.clock import FixedClock
from panel.platform.sessions import make_link, start
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate
from panel.sharing.service import request_access
from tests.families.choosing import School, agreed, with_school, write_down
from tests.families.household import Family, give_plan, household
from tests.journeys.browser import assert_accessible, assert_fits, screenshot
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import DESKTOP, PHONE

TWO_MINUTES = 120
WORDS_A_MINUTE, A_TAP = 200, 4
"""Somebody who reads slowly (adults read about 238 a minute); seconds to find and press a button."""
LOOKED_FOR = 60
"""Words that somebody looks over on the way in, and after it is done."""


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    return await household(tenant)


@pytest.fixture
async def school(tenant: Tenant, gate: Gate, family: Family) -> School:
    """Ashdown School, which her mother agreed may see the basics and more; and a plan."""
    school = await with_school(tenant, family)
    await give_plan(tenant, family)
    earlier = date(2026, 11, 3)
    both = agreed(family.mother, {school.id, family.agency}, agreed_on=earlier)
    await write_down(gate, family, both)
    return school


SignIn = Callable[[UUID, str], Awaitable[None]]


@pytest.fixture
def signed_in(client: AsyncTestClient[Litestar], tenant: Tenant, clock: FixedClock) -> SignIn:
    """The browser becomes somebody else's: `await signed_in(family.father, "family")`."""

    async def sign_in(viewer: UUID, kind: str) -> None:
        async with tenant.transaction() as session:
            token = await start(session, viewer, kind, clock.now())
        client.cookies.clear()
        client.cookies.set("panel_session", token)

    return sign_in


async def looked_at(page: Page, name: str) -> None:
    """Accessible, no wider than the window, pictured: on a phone and at a desk."""
    for size, where in ((DESKTOP, "desk"), (PHONE, "phone")):
        await page.set_viewport_size(size)
        await screenshot(page, f"{name}-{where}")
        await assert_accessible(page)
        await assert_fits(page)


@pytest.mark.journey
async def test_a_mother_stops_the_school_in_a_few_taps(
    page: Page,
    client: AsyncTestClient[Litestar],
    tenant: Tenant,
    clock: FixedClock,
    family: Family,
    school: School,
    signed_in: SignIn,
) -> None:
    await serve(page, client)
    await signed_in(school.tom.id, "worker")
    stored = f"{SITE}/children/{family.child}/plan"
    await page.goto(stored)
    await expect(page.get_by_text("She dresses herself")).to_be_visible()

    async with tenant.transaction() as session:
        link = await make_link(session, family.mother, "family", clock.now() + timedelta(hours=1))
    client.cookies.clear()
    await page.set_viewport_size(PHONE)
    read: list[str] = []
    taps = 0
    began = time.perf_counter()
    await page.goto(f"{SITE}/sign-in/{link}")

    async def tap(role: Literal["button", "link"], name: str) -> None:
        nonlocal taps
        taps += 1
        read.append(await page.locator("main").inner_text())
        await page.get_by_role(role, name=name).first.click()

    await tap("button", "Sign in")
    await expect(page.get_by_role("link", name="Who may see what").first).to_be_visible()
    await tap("link", "Who may see what")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Who may see what about Freya")
    sees = "Ashdown School may see the name, the address, who helps and the plan."
    await expect(page.get_by_text(sees)).to_be_visible()
    await tap("button", "Stop sharing with Ashdown School")
    await expect(page.get_by_text("Ashdown School no longer sees")).to_be_visible()
    await expect(page.get_by_text("It works at once")).to_be_visible()
    await tap("button", "Yes, stop sharing")
    await expect(page.get_by_text("You have chosen. Rosa Whitlow will be told.")).to_be_visible()
    now = page.get_by_text("Ashdown School may see the name. It may not see")
    await expect(now).to_be_visible()
    read.append(await page.locator("main").inner_text())
    machine = time.perf_counter() - began

    counts = [len(one.split()) for one in read]
    # Every word of the choices and of what stopping means; of the others what one looks for.
    words = counts[2] + counts[3] + LOOKED_FOR
    person = words / WORDS_A_MINUTE * 60 + taps * A_TAP
    print(
        f"\n{taps} taps; {counts} words on {len(read)} pages. The machine took {machine:.1f} s;"
        f" somebody who reads {words} words at {WORDS_A_MINUTE} a minute takes {person:.0f} s"
    )
    assert taps <= 5
    assert person <= TWO_MINUTES

    await signed_in(school.tom.id, "worker")
    await page.goto(stored)
    await expect(page.get_by_text("She dresses herself")).to_have_count(0)
    await expect(page.get_by_text("You cannot see the plan section.").first).to_be_visible()


@pytest.mark.journey
async def test_every_page_of_choices_looks_right(
    page: Page,
    client: AsyncTestClient[Litestar],
    tenant: Tenant,
    gate: Gate,
    family: Family,
    school: School,
    signed_in: SignIn,
) -> None:
    await signed_in(family.mother, "family")
    await serve(page, client)
    base = f"{SITE}/family/{family.child}"
    async with gate.open(family.child, school.tom, Purpose.SUPPORT, "asked to see") as access:
        await request_access(access, [Category.HEALTH], "She is tired in class. Is she unwell?")
    await page.goto(f"{SITE}/family")
    await looked_at(page, "choices-home")
    await page.goto(f"{base}/choices")
    await looked_at(page, "choices")
    await page.get_by_text("Choose what Ashdown School may see").click()
    await looked_at(page, "choices-one-by-one")
    for change in ("stop-everything", "share-more", "keep-everything"):
        await page.goto(f"{base}/choices/{school.id}?change={change}")
        await looked_at(page, f"choices-{change}")
    await page.get_by_label("Year").fill("2020")
    await page.get_by_role("button", name="Yes, go on sharing").click()
    await page.get_by_role("link", name="The last day cannot be in the past").click()
    await expect(page.get_by_label("Day")).to_be_focused()
    await looked_at(page, "choices-mistake")
    async with tenant.transaction() as session:
        await add_agency(session, key="salt", name="Speech therapy", kind="health")
    await page.goto(f"{base}/choices/new?agency=")
    await expect(page.get_by_text("Choose how much they may see").first).to_be_visible()
    await looked_at(page, "choices-new")
    await page.goto(f"{base}/looks")
    await looked_at(page, "choices-looks")
    await page.goto(f"{base}/choices/{school.id}?change=refuse-health")
    await looked_at(page, "choices-refuse")
    await page.goto(f"{base}/choices")
    await page.get_by_role("button", name="Ask me by phone").click()
    await expect(page.get_by_text("You asked to be rung about it.")).to_be_visible()
    await signed_in(family.father, "family")
    await page.goto(f"{base}/choices/{school.id}?change=stop-basic")
    await looked_at(page, "choices-objection")
    await page.get_by_role("button", name="Yes, stop sharing").click()
    await expect(page.get_by_text("You said no here.").first).to_be_visible()
    await looked_at(page, "choices-objected")
    await signed_in(family.grandmother, "family")
    await page.goto(f"{base}/choices")
    await looked_at(page, "choices-relative")
