"""kill -9 during writes: whatever was acknowledged is there afterwards, once and whole.

PANEL_SOAK=1 does it for much longer (`make soak`).
"""

import asyncio
import os
import re
import secrets
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from random import SystemRandom

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.clock import SystemClock
from panel.platform.cluster import open_cluster
from panel.platform.database import Database
from panel.platform.masterkey import master_key
from panel.platform.tenancy import Tenant, authority_named, keyring, load_keys
from panel.records.child_scoped import JOB
from panel.register.models import Child, SignificantEvent
from tests.durability.serving import Site, is_alive, wait_until

pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(
        bool(os.environ.get("PANEL_TEST_DATABASE_URL")), reason="kills the embedded database"
    ),
]

ROUNDS_MORE = 40 if os.environ.get("PANEL_SOAK") else 0
CLIENTS = 4
HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def new_word() -> str:
    """A name that nobody else has: names have letters only."""
    return "Q" + "".join(secrets.choice(LETTERS) for _ in range(11))


@dataclass
class Sent:
    """A form that was sent: by what it is found again, and whether it was acknowledged."""

    kind: str
    word: str
    path: str
    fields: dict[str, str]
    acknowledged: bool = False


@dataclass
class Writer:
    """One browser that writes without a pause."""

    browser: httpx.AsyncClient
    taken: asyncio.Semaphore
    """Released with every form that was answered."""
    sent: list[Sent] = field(default_factory=list)
    own_child: str = ""

    async def sign_in(self) -> None:
        answer = await self.browser.get("/demo/sign-in/lead-health")
        assert answer.status_code == 303, answer.text

    async def hidden(self, page: str) -> dict[str, str]:
        shown = await self.browser.get(page)
        return dict(HIDDEN.findall(shown.text)) if shown.status_code == 200 else {}

    async def add_child(self) -> None:
        word = new_word()
        hidden = await self.hidden("/children/new")
        if not hidden:
            return
        form = hidden | {
            "given_name": "Testling",
            "family_name": word,
            "birth_date-day": "9",
            "birth_date-month": "3",
            "birth_date-year": "2022",
            "sex": "female",
            "contact_name": f"Mother {word}",
            "contact_relationship": "mother",
            "part": "health visiting",
        }
        answer = await self._post(Sent("child", word, "/children/new", form))
        if answer.status_code == 303:
            self.own_child = answer.headers["location"].removesuffix("/people")

    async def note_event(self) -> None:
        word = new_word()
        page = f"{self.own_child}/chronology"
        hidden = await self.hidden(page)
        if not hidden:
            return
        form = hidden | {
            "happened_on-day": "20",
            "happened_on-month": "11",
            "happened_on-year": "2026",
            "kind": "health",
            "category": "health",
            "text": f"Seen at home. {word} was written down on the way out.",
        }
        await self._post(Sent("event", word, page, form))

    async def _post(self, sent: Sent) -> httpx.Response:
        self.sent.append(sent)
        answer = await self.browser.post(sent.path, data=sent.fields)
        sent.acknowledged = answer.status_code == 303
        # A fault of the moment is allowed; a page that is not one of ours is not.
        assert answer.status_code in (303, 500, 503), answer.text
        assert "Traceback" not in answer.text
        return answer

    async def write(self, stop: asyncio.Event) -> None:
        """Write until told to stop or nobody answers any more."""
        with suppress(httpx.TransportError):
            while not stop.is_set():
                if self.own_child and len(self.sent) % 2:
                    await self.note_event()
                else:
                    await self.add_child()
                self.taken.release()


def kill_worker(site: Site) -> None:
    os.kill(site.pids()[1][0], signal.SIGKILL)


def kill_parent(site: Site) -> None:
    """The orphans end by themselves, or an old one would answer beside the next."""
    parent, workers = site.pids()
    os.kill(parent, signal.SIGKILL)
    assert site.process is not None
    site.process.wait(timeout=10)
    wait_until(lambda: not any(map(is_alive, workers)), "the orphaned workers end themselves")


def kill_all(site: Site) -> None:
    site.kill()


def kill_backend(site: Site) -> None:
    os.kill(site.backends()[0], signal.SIGKILL)


def kill_postmaster(site: Site) -> None:
    os.kill(site.postmaster(), signal.SIGKILL)


def kill_both(site: Site) -> None:
    kill_postmaster(site)
    site.kill()


KILLS: list[Callable[[Site], None]] = [
    kill_worker, kill_backend, kill_parent, kill_postmaster, kill_both, kill_all,
]  # fmt: skip


async def written(site: Site) -> tuple[Counter[tuple[str, str]], list[str]]:
    """How often each word is stored, and what is half there."""
    counted: Counter[tuple[str, str]] = Counter()
    with open_cluster(None, site.data_dir) as cluster:
        record = authority_named(cluster.app_url, None)
        ring = keyring(record, master_key(None, site.data_dir / "keys" / "master.key"))
        database = Database(cluster.app_url, pool_size=1)
        try:
            tenant = Tenant(record, database, ring, SystemClock())
            async with tenant.transaction(JOB) as session:
                children = list(await session.scalars(select(Child)))
                await load_keys(session, {child.id for child in children})
                for child in children:
                    counted["child", child.family_name] += 1
                for event in await session.scalars(select(SignificantEvent)):
                    counted["event", event.text] += 1
                return counted, await half_there(session)
        finally:
            await database.close()


ERASED = "EXISTS (SELECT 1 FROM data_key d WHERE d.holder_id = c.id AND d.destroyed_at IS NOT NULL)"
"""A child who was erased on purpose has neither a key nor a name to be found by."""
HALF = {
    "a child without an agency": "SELECT id FROM child c WHERE NOT EXISTS"
    " (SELECT 1 FROM involvement i WHERE i.child_id = c.id)",
    "a child that cannot be found by name": f"SELECT id FROM child c WHERE NOT {ERASED}"
    " AND NOT EXISTS (SELECT 1 FROM child_index i WHERE i.child_id = c.id AND i.kind = 'name_and_birth')",
    "a child without its family": "SELECT id FROM child c WHERE NOT EXISTS"
    " (SELECT 1 FROM family_link l WHERE l.child_id = c.id)",
    "a child without its key": f"SELECT id FROM child c WHERE NOT {ERASED}"
    " AND NOT EXISTS (SELECT 1 FROM data_key k WHERE k.holder_id = c.id AND k.wrapped IS NOT NULL)",
    "a child whom its team cannot reach": "SELECT i.id FROM involvement i"
    " WHERE i.worker_id IS NOT NULL AND i.from_on IS NOT NULL AND i.until_on IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM child_tie t WHERE t.child_id = i.child_id"
    " AND t.viewer_id = i.worker_id)",
}


async def half_there(session: AsyncSession) -> list[str]:
    """Records of which some rows are missing."""
    return [name for name, query in HALF.items() if (await session.execute(text(query))).first()]


async def check(site: Site, sent: list[Sent]) -> None:
    """Each acknowledged form once, no form twice, nothing half."""
    stored, half = await written(site)
    assert half == []
    for one in sent:
        times = sum(
            number for (kind, said), number in stored.items()
            if kind == one.kind and one.word in said
        )  # fmt: skip
        assert times == 1 if one.acknowledged else times in (0, 1), (one.kind, times)


def mistakes(page: str) -> str:
    """What a page says is wrong."""
    return " ".join(re.findall(r'(?s)class="govuk-error-[^>]*>(.*?)</', page)) or page


async def send_again(writer: Writer) -> None:
    """The same forms once more, as a browser does that never saw the answer."""
    for one in writer.sent:
        answer = await writer.browser.post(one.path, data=one.fields)
        assert answer.status_code == 303, f"{one.path}: {mistakes(answer.text)}"
        one.acknowledged = True


async def one_round(site: Site, kill: Callable[[Site], None], after: int) -> int:
    """Write, kill, heal, look; send everything again, look again. Gives the number of forms.

    The kill comes when so many forms were taken, while the other writers are in the middle of one.
    """
    site.start()
    stop = asyncio.Event()
    taken = asyncio.Semaphore(0)
    async with AsyncExitStack() as closing:
        writers = [
            Writer(await closing.enter_async_context(browser_of(site)), taken)
            for _ in range(CLIENTS)
        ]
        for writer in writers:
            await writer.sign_in()
        writing = [asyncio.create_task(writer.write(stop)) for writer in writers]
        async with asyncio.timeout(60):
            for _ in range(after):
                await taken.acquire()
        await asyncio.to_thread(kill, site)
        stop.set()
        await asyncio.gather(*writing)
        if kill is kill_postmaster:
            await says_that_it_is_down(writers[0].browser)
            site.kill()
        await asyncio.to_thread(site.start)
        sent = [one for writer in writers for one in writer.sent]
        await check(site, sent)
        for writer in writers:
            await send_again(writer)
        await check(site, sent)
    return len(sent)


def browser_of(site: Site) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=site.url, timeout=20)


async def says_that_it_is_down(browser: httpx.AsyncClient) -> None:
    """Without its database the site says so in plain words."""
    assert (await browser.get("/health/ready")).status_code == 503
    page = await browser.get("/children")
    assert page.status_code == 500
    assert "it is not your doing" in page.text
    assert "Traceback" not in page.text


async def test_what_was_acknowledged_survives(served: Site) -> None:
    chance = SystemRandom()
    kills = KILLS + [chance.choice(KILLS) for _ in range(ROUNDS_MORE)]
    forms = 0
    for kill in kills:
        forms += await one_round(served, kill, chance.randrange(8, 16))
        if kill is kill_worker:
            served.end()  # a second death within seconds is a crash loop, which ends the site
    served.end()
    print(f"{len(kills)} kills, {forms} forms, none lost and none doubled")
    assert forms > 5 * len(kills)
