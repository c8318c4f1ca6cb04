"""Several write on one page: over a cut of the network, a killed server and the end of a session.

Every text is there afterwards, once, in the order in which its author wrote it; and whoever looks
into the browser's stores meanwhile reads none of it.
"""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select, text

from panel.accounts.models import Worker
from panel.panels.models import Discussion, Meeting
from panel.platform.clock import SystemClock
from panel.platform.cluster import Cluster
from panel.platform.sessions import forgery_token, start
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.state import SharingFacts
from panel.web import assets
from tests.demo.year import database_from, tenant_of
from tests.durability.serving import Site
from tests.journeys.browser import assert_accessible, open_page
from tests.journeys.browser_stores import KEPT, STATUS, UNTIL_STORED, stored
from tests.panels.pack_world import (
    FROZEN_AT,
    MEETING_DAY,
    World,
    add_marked_child,
    make_world,
)

pytestmark = [pytest.mark.journey, pytest.mark.database]

RENEWED = """
async () => {
  let renewed = false;
  document.addEventListener("panel:refreshed", () => { renewed = true; });
  const answered = new Promise((done) => {
    const ask = window.fetch;
    window.fetch = async (address, options) => {
      const answer = await ask(address, options);
      if (options?.headers?.["X-Panel-By-Itself"]) answer.clone().text().then(done);
      return answer;
    };
  });
  document.dispatchEvent(new Event("panel:sent"));
  await answered;
  for (let i = 0; i < 5; i += 1) await new Promise((done) => setTimeout(done));
  return renewed;
}
"""
"""Whether the page, told to look again, puts what it is shown then in the place of its parts."""


@dataclass
class Served(Site):
    """The page on which they write, and the site that it is part of."""

    settings: Mapping[str, str] = field(default_factory=dict)

    def launch(self) -> subprocess.Popen[bytes]:
        """Serve the page, and the rest of the site."""
        command = [sys.executable, "typing_site.py", str(self.port)]
        return self.run(command, self.settings, Path(__file__).parent)


@pytest.fixture(scope="module")
def database_of_own(cluster: Cluster, template_database: str) -> Iterator[Cluster]:
    """One database for all tests of this file; each has a meeting and a child of its own in it."""
    with database_from(cluster, template_database) as made:
        yield made


@pytest.fixture(scope="module")
async def panel(database_of_own: Cluster, data_dir: Path) -> AsyncIterator[World]:
    """A panel, and people of several agencies."""
    tenant = tenant_of(database_of_own, data_dir)
    yield await make_world(tenant, Gate(tenant, SharingFacts()))
    await tenant.database.close()


@pytest.fixture
async def world(panel: World) -> World:
    """A meeting with one child, both the test's own, and people of several agencies."""
    number = len(panel.mothers) + 1
    async with panel.as_job() as session:
        day = MEETING_DAY + timedelta(days=number)
        meeting = Meeting(
            panel_id=panel.panel_id, slot_on=day, held_on=day, state="frozen", frozen_at=FROZEN_AT
        )
        session.add(meeting)
        await session.flush()
    world = replace(panel, meeting_id=meeting.id, children=[])
    await add_marked_child(world, number)
    return world


@pytest.fixture(scope="module")
def site(
    panel: World,
    database_of_own: Cluster,
    data_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    """The page on which they write, in two serving processes that are started once people exist."""
    assert panel.workers
    assets.build()
    site = Served(
        tmp_path_factory.mktemp("typing"),
        settings={
            "PANEL_DATA_DIR": str(data_dir),
            "PANEL_DATABASE_URL": database_of_own.app_url,
            "PANEL_INSECURE_COOKIES": "yes",
        },
    )
    yield site
    site.end()


@pytest.fixture
def served(site: Served) -> Served:
    """The site, started where the test before it left it stopped."""
    site.start()
    return site


def page_of(world: World) -> str:
    """The address of the page on which they write of the test's child."""
    return f"/typing/{world.meeting_id}/{world.children[0]}"


async def sign_in(page: Page, tenant: Tenant, worker: Worker, url: str) -> None:
    async with tenant.transaction() as session:
        token = await start(session, worker.id, "worker", SystemClock().now())
    await page.context.add_cookies([{"name": "panel_session", "value": token, "url": url}])


@pytest_asyncio.fixture(loop_scope="session")
async def two(
    browser: Browser, tenant: Tenant, world: World, served: Served
) -> AsyncIterator[tuple[Page, Page]]:
    """Two people at browsers of their own, with the page open, who see each other."""
    async with AsyncExitStack() as leaving:
        pages = []
        for key in ("health", "education"):
            page = await leaving.enter_async_context(open_page(browser, base_url=served.url))
            await sign_in(page, tenant, world.workers[key], served.url)
            await page.goto(page_of(world))
            pages.append(page)
        first, second = pages
        await expect(first.locator("[data-presence]")).to_have_text("Member e is also here")
        await expect(second.locator("[data-presence]")).to_have_text("Member h is also here")
        yield first, second


async def type_in(page: Page, words: str) -> None:
    await page.get_by_label("Your words").press_sequentially(words)


async def add(page: Page, words: str) -> None:
    await type_in(page, words)
    await page.get_by_role("button", name="Add").click()


async def kept(tenant: Tenant, world: World, key: str) -> list[str]:
    """What the server has of somebody's, in the order in which it came."""
    async with tenant.transaction(JOB) as session:
        await load_keys(session, set(world.children))
        rows = await session.scalars(
            select(Discussion)
            .where(
                Discussion.meeting_id == world.meeting_id,
                Discussion.worker_id == world.workers[key].id,
            )
            .order_by(Discussion.id)
        )
        return [row.text for row in rows]


async def assert_unreadable(page: Page, *, rows: int) -> None:
    number, said = await stored(page)
    assert number == rows
    for word in ("Heron", "discussion", "typing", "text"):
        assert word not in said


async def test_what_one_adds_the_other_sees_and_keeps_typing(two: tuple[Page, Page]) -> None:
    rosa, hana = two
    await assert_accessible(rosa)
    box = hana.get_by_label("Your words")
    await type_in(hana, "Heron half a sent")
    await box.evaluate("box => box.setSelectionRange(2, 5)")
    await hana.evaluate("document.activeElement.marked = true")
    await add(rosa, "Heron seen at home")
    await expect(hana.locator("ol li")).to_contain_text(["Heron seen at home"])
    await expect(rosa.locator("ol li")).to_contain_text(["Heron seen at home"])
    await expect(rosa.get_by_label("Your words")).to_have_value("")
    await expect(rosa.locator(STATUS)).to_contain_text("Saved ")
    await expect(box).to_have_value("Heron half a sent")
    assert await box.evaluate(
        "box => [box.selectionStart, box.selectionEnd, document.activeElement === box, box.marked]"
    ) == [2, 5, True, True]


async def test_a_cut_of_the_network_loses_nothing(
    two: tuple[Page, Page], tenant: Tenant, world: World
) -> None:
    for page in two:
        await page.context.set_offline(True)
    said: dict[str, list[str]] = {"health": [], "education": []}
    for number in range(4):
        for key, page in zip(said, two, strict=True):
            words = f"Heron {number} of {key}"
            said[key].append(words)
            await add(page, words)
    for page in two:
        await expect(page.locator(STATUS)).to_have_text(KEPT)
        await type_in(page, "Heron in the middle of a wo")
        await page.get_by_label("Your words").blur()
        await expect(page.locator(STATUS)).to_have_text(KEPT)
        await page.evaluate(UNTIL_STORED, 5)
        await assert_unreadable(page, rows=5)
    for page in two:
        await page.context.set_offline(False)
    for page in two:
        await expect(page.locator("ol li")).to_have_count(8, timeout=20_000)
        await expect(page.get_by_label("Your words")).to_have_value("Heron in the middle of a wo")
    for key, page in zip(said, two, strict=True):
        assert await kept(tenant, world, key) == said[key]
        await assert_unreadable(page, rows=1)


async def test_a_page_that_was_closed_in_the_cut_sends_when_it_is_opened_again(
    two: tuple[Page, Page], tenant: Tenant, world: World
) -> None:
    rosa, _hana = two
    await rosa.context.set_offline(True)
    await add(rosa, "Heron on the way out")
    await type_in(rosa, "Heron not done")
    await rosa.evaluate(UNTIL_STORED, 2)
    again = await rosa.context.new_page()
    await rosa.close()
    await again.context.set_offline(False)
    await again.goto(page_of(world))
    await expect(again.locator("ol li")).to_contain_text(["Heron on the way out"])
    await expect(again.get_by_label("Your words")).to_have_value("Heron not done")
    assert await kept(tenant, world, "health") == ["Heron on the way out"]


async def test_a_server_that_is_killed_loses_nothing(
    two: tuple[Page, Page], tenant: Tenant, world: World, served: Served
) -> None:
    said: dict[str, list[str]] = {"health": [], "education": []}
    for number in range(6):
        for key, page in zip(said, two, strict=True):
            said[key].append(f"Heron {number} of {key}")
            await add(page, said[key][-1])
            if (number, key) == (2, "health"):
                served.kill()
    for page in two:
        await expect(page.locator(STATUS)).to_have_text(KEPT)
    served.start()
    for page in two:
        await expect(page.locator("ol li")).to_have_count(12, timeout=40_000)
    for key, words in said.items():
        assert await kept(tenant, world, key) == words
    await expect(two[0].locator("[data-presence]")).to_have_text(
        "Member e is also here", timeout=20_000
    )


async def test_the_end_of_a_session_in_the_middle_loses_nothing_and_shows_nobody_else(
    two: tuple[Page, Page], tenant: Tenant, world: World, served: Served
) -> None:
    rosa, _hana = two
    async with tenant.transaction() as session:
        await session.execute(text("DELETE FROM web_session"))
    await add(rosa, "Heron as the session ended")
    await expect(rosa.locator(STATUS)).to_contain_text("You are signed out. Your words are kept")
    await type_in(rosa, "Heron typed on")
    await rosa.evaluate(UNTIL_STORED, 2)
    # Somebody else at the same computer finds nothing, and sends nothing in their own name.
    await sign_in(rosa, tenant, world.workers["education"], served.url)
    other = await rosa.context.new_page()
    await other.goto(page_of(world))
    await expect(other.get_by_label("Your words")).to_have_value("")
    await assert_unreadable(other, rows=2)
    await rosa.evaluate("window.dispatchEvent(new Event('online'))")
    await expect(rosa.locator(STATUS)).to_contain_text("You are signed out")
    assert await kept(tenant, world, "education") == []
    # Nor is what they see put into the page that stands under her name.
    assert not await rosa.evaluate(RENEWED)
    await other.close()
    # The same person signs in again, here or on another tab.
    await sign_in(rosa, tenant, world.workers["health"], served.url)
    await rosa.evaluate("window.dispatchEvent(new Event('online'))")
    await expect(rosa.locator("ol li")).to_contain_text(["Heron as the session ended"])
    await rosa.reload()
    await expect(rosa.get_by_label("Your words")).to_have_value("Heron typed on")
    await expect(rosa.locator(STATUS)).to_contain_text("Your words from before are here again")
    assert await kept(tenant, world, "health") == ["Heron as the session ended"]


async def test_what_the_server_refuses_comes_back_with_the_reason(
    two: tuple[Page, Page], tenant: Tenant, world: World
) -> None:
    rosa, _hana = two
    await add(rosa, "Heron, refuse this")
    await expect(rosa.locator(STATUS)).to_contain_text("Not saved. ")
    await expect(rosa.get_by_label("Your words")).to_have_value("Heron, refuse this")
    await rosa.get_by_label("Your words").fill("Heron, take this")
    await rosa.get_by_role("button", name="Add").click()
    await expect(rosa.locator("ol li")).to_contain_text(["Heron, take this"])
    assert await kept(tenant, world, "health") == ["Heron, take this"]


async def test_without_a_script_the_form_posts_and_the_page_shows_it(
    browser: Browser, tenant: Tenant, world: World, served: Served
) -> None:
    async with open_page(browser, base_url=served.url, java_script_enabled=False) as page:
        await sign_in(page, tenant, world.workers["health"], served.url)
        await page.goto(page_of(world))
        await page.get_by_label("Your words").fill("Heron without a script")
        await page.get_by_role("button", name="Add").click()
        await expect(page.locator("ol li")).to_contain_text(["Heron without a script"])
    assert await kept(tenant, world, "health") == ["Heron without a script"]


async def test_who_may_not_listen_learns_nothing(
    tenant: Tenant, world: World, served: Served
) -> None:
    async with httpx.AsyncClient(base_url=served.url) as stranger:
        address = f"/live/typing-{world.meeting_id}"
        assert (await stranger.get(address)).status_code == 401
        async with tenant.transaction() as session:
            token = await start(session, world.workers["health"].id, "worker", SystemClock().now())
        stranger.cookies.set("panel_session", token)
        for wrong in ("typing-x", f"typing-{world.children[0]}", "meeting", "other-1", "-"):
            assert (await stranger.get(f"/live/{wrong}")).status_code == 404
        said = {"_csrf_token": forgery_token(token), "place": "discussion"}
        for wrong in ("typing-x", f"typing-{world.children[0]}", "meeting"):
            assert (await stranger.post(f"/live/{wrong}/writing", data=said)).status_code == 404
        told = f"{address}/writing"
        assert (await stranger.post(told, data={"place": "discussion"})).status_code == 403
        assert (await stranger.post(told, data=said | {"place": "x" * 201})).status_code == 422
        assert (await stranger.post(told, data=said)).status_code == 204
        async with stranger.stream("GET", address) as opened:
            assert opened.headers["content-type"].startswith("text/event-stream")
            assert opened.headers["cache-control"] == "no-store"


async def test_a_server_that_is_stopped_waits_for_no_open_page(
    two: tuple[Page, Page], tenant: Tenant, world: World, served: Served
) -> None:
    served.end()
    await add(two[0], "Heron while it was away")
    await expect(two[0].locator(STATUS)).to_have_text(KEPT)
    served.start()
    for page in two:
        await expect(page.locator("ol li")).to_contain_text(
            ["Heron while it was away"], timeout=40_000
        )
    assert await kept(tenant, world, "health") == ["Heron while it was away"]
