"""Wherever something is withheld the page says who decided, on which basis, since when, how to ask.

Every page about one child that there is, walked from the route table as a worker from whom the
mother keeps it: a new page with a withheld part that says less fails here.
"""

import html
import re
from datetime import date
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from consent import Category
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate, rewrite_access
from panel.register.models import Involvement
from panel.sharing.models import SharingAgreement, SharingRestriction
from tests.conftest import SignIn
from tests.panels.pack_world import World, add_marked_child, agreed, make_world

Client = AsyncTestClient[Litestar]
REFUSED_ON = date(2026, 5, 3)
WHO_AND_WHY = "Her mother has not agreed to share it with your agency (since 3 May 2026)."
SHOW_IT = {
    "", "chronology", "documents", "people", "plan", "panels", "services", "sharing",
    "assessments/{id}",
}  # fmt: skip
"""Pages on which the child of this test has something withheld."""


def refused(child: UUID, mother: UUID, agency: UUID) -> SharingAgreement:
    return SharingAgreement(
        child_id=child,
        given=False,
        by_person_id=mother,
        capacity="parental_responsibility",
        by_words="her mother",
        agencies=[agency],
        purposes=[],
        from_on=REFUSED_ON,
    )


@pytest.fixture
async def world(tenant: Tenant, gate: Gate) -> World:
    made = await make_world(tenant, gate)
    await add_marked_child(
        made,
        1,
        sharing=lambda c, m: [agreed(made, c, m), refused(c, m, made.agencies["gp"].id)],
    )
    async with made.as_job() as session:
        child = made.children[0]
        session.add(
            Involvement(
                child_id=child,
                agency_id=made.agencies["gp"].id,
                worker_id=made.workers["gp"].id,
                from_on=date(2026, 1, 5),
            )
        )
        await rewrite_access(session, child)
    return made


async def pages_of_child(app: Litestar, world: World) -> list[tuple[str, str]]:
    """(pattern after the child, address) of every page that needs a child and no more."""
    child = world.children[0]
    async with world.as_job() as session:
        assessment = await session.scalar(text("SELECT id FROM assessment"))
    found = {
        route.path.removeprefix("/children/{child_id:uuid}").strip("/"): ""
        for route in app.routes
        if route.path.startswith("/children/{child_id:uuid}")
        and "GET" in getattr(route, "methods", ())
        and route.path.count("{") == 1
    }
    pages = [(one, f"/children/{child}/{one}".rstrip("/")) for one in sorted(found)]
    return [*pages, ("assessments/{id}", f"/children/{child}/assessments/{assessment}")]


def withheld_blocks(page: str) -> list[str]:
    """What stands in each place of something that is not shown (HTML)."""
    found = re.findall(r'<p class="panel-not-shown">(.*?)</p>', page, re.DOTALL)
    return [one for one in found if "cannot see" in one or "not shown" in one]


def plain(block: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", block))).strip()


async def test_every_withheld_part_says_who_why_since_when_and_how_to_ask(
    app: Litestar, client: Client, world: World, sign_in: SignIn
) -> None:
    await sign_in(world.worker_viewer("gp").id)
    saying: set[str] = set()
    for pattern, address in await pages_of_child(app, world):
        answer = await client.get(address, follow_redirects=True)
        if answer.status_code != 200 or not answer.headers["content-type"].startswith("text/html"):
            continue
        for block in withheld_blocks(answer.text):
            said = plain(block)
            assert WHO_AND_WHY in said, f"{pattern}: says “{said}” and not who decided and when"
            # On the sharing page itself the form to ask stands below.
            if pattern != "sharing":
                assert f'href="/children/{world.children[0]}/sharing#ask"' in block, (
                    f"{pattern}: link to the form that asks, with the macro `withheld`"
                )
            saying.add(pattern)
    assert saying >= SHOW_IT, f"nothing was withheld on {SHOW_IT - saying}: the test lost its data"
    sharing = (await client.get(f"/children/{world.children[0]}/sharing")).text
    assert 'id="ask"' in sharing
    assert 'name="reason"' in sharing


async def test_what_is_silent_stays_silent_everywhere(
    app: Litestar, client: Client, world: World, sign_in: SignIn
) -> None:
    async with world.as_job() as session:
        session.add(
            SharingRestriction(
                child_id=world.children[0],
                kind="protection",
                categories=[Category.HEALTH, Category.CONTACT],
                against=[world.agencies["gp"].id],
                from_on=date(2026, 6, 1),
                silent=True,
                by_words="",
            )
        )
    await sign_in(world.worker_viewer("gp").id)
    for pattern, address in await pages_of_child(app, world):
        answer = await client.get(address, follow_redirects=True)
        for block in withheld_blocks(answer.text):
            said = plain(block)
            assert "health" not in said.lower(), f"{pattern}: {said}"
            assert "contact" not in said.lower(), f"{pattern}: {said}"


async def test_a_protection_says_no_more_than_that(
    client: Client, world: World, sign_in: SignIn
) -> None:
    async with world.as_job() as session:
        session.add(
            SharingRestriction(
                child_id=world.children[0],
                kind="protection",
                categories=[Category.EDUCATION],
                against=[world.agencies["gp"].id],
                from_on=date(2026, 6, 1),
                by_words="her mother",
            )
        )
    await sign_in(world.worker_viewer("gp").id)
    page = (await client.get(f"/children/{world.children[0]}/documents")).text
    [block] = withheld_blocks(page)
    assert plain(block) == (
        "Documents about education are attached that you cannot see. It is protected, and only a"
        " court can open it. Ask to see it"
    )


async def test_an_agencys_pack_says_whom_to_ask(
    client: Client, world: World, sign_in: SignIn, tenant: Tenant
) -> None:
    async with world.as_job() as session:
        child, mother = world.children[0], world.mothers[world.children[0]]
        session.add(refused(child, mother, world.agencies["voluntary"].id))
    await sign_in(world.worker_viewer("voluntary").id)
    page = (await client.get("/panels/contacts/2026-11-26/pack")).text
    blocks = re.findall(r'<(?:p|div) class="panel-not-shown">(.*?)</(?:p|div)>', page, re.DOTALL)
    assert blocks
    for block in blocks:
        assert WHO_AND_WHY in plain(block)
        assert "Ask the coordinator if you need it for this meeting." in plain(block)
