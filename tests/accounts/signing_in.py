"""A worker with a password and an app for codes, browsers at any address, and what pages ask."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from uuid import UUID

import httpx
import pyotp
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select, text

from consent import Role
from panel.accounts.codes import new_secret
from panel.accounts.own_ways import set_two_steps, worker_of
from panel.accounts.passwords import Passwords
from panel.accounts.service import add_agency, add_worker, agency_by_key, give_role
from panel.platform.clock import FixedClock
from panel.platform.sessions import make_link
from panel.platform.tenancy import Tenant, load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB
from tests.conftest import QUICK_HASHING
from tests.in_memory import way_to

SITE = "http://testshire.localhost"
PASSWORD = "Green lamps under the bridge"
LINK = re.compile(r"(/sign-in/[\w-]{20,})")
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


@dataclass
class Person:
    """A worker, and what they sign in with."""

    tenant: Tenant
    clock: FixedClock
    id: UUID
    email: str
    secret: str = ""

    def code(self) -> str:
        """What their app shows now."""
        return pyotp.TOTP(self.secret).at(self.clock.now())

    async def told(self) -> list[str]:
        """The first lines of the e-mails that were put out to them."""
        return [body.partition("\n")[0] for _, body in await self._mailed()]

    async def link(self) -> str:
        """The path of the newest link in their mailbox, which is their own address."""
        links = [
            found[1]
            for address, body in await self._mailed()
            if address == self.email and (found := LINK.search(body))
        ]
        return links[-1]

    async def _mailed(self) -> list[tuple[str, str]]:
        async with self.tenant.transaction(JOB) as session:
            sent = select(OutboxMessage).order_by(OutboxMessage.id)
            found = list(await session.scalars(sent))
            await load_keys(session, {one.holder_id for one in found})
            return [(one.address, one.body) for one in found if one.to_viewer_id == self.id]

    async def sessions(self) -> int:
        """In how many browsers they are signed in."""
        async with self.tenant.transaction() as session:
            found = await session.execute(
                text("SELECT count(*) FROM web_session WHERE viewer_id = :id"), {"id": self.id}
            )
            counted: int = found.scalar_one()
            return counted


async def add_person(
    tenant: Tenant,
    clock: FixedClock,
    name: str = "Rosa Whitlow",
    email: str = "rosa@hv.example",
    agency: str = "hv",
    role: Role = Role.PRACTITIONER,
) -> Person:
    """A worker who has no way in of their own yet."""
    async with tenant.transaction() as session:
        found = await agency_by_key(session, agency) or await add_agency(
            session, key=agency, name=f"Agency {agency}", kind="health"
        )
        worker = await add_worker(session, found, name=name, email=email)
        await give_role(session, worker, role)
        return Person(tenant, clock, worker.id, email)


async def with_two_steps(person: Person, passwords: Passwords) -> Person:
    """The same, with a password and codes."""
    person.secret = new_secret()
    hashed = await passwords.hash(PASSWORD)
    async with person.tenant.transaction(person.id) as session:
        worker = await worker_of(session, person.id)
        await set_two_steps(session, worker, hashed=hashed, secret=person.secret, taken_step=0)
    async with person.tenant.transaction(JOB) as session:
        await session.execute(text("DELETE FROM outbox_message"))
    return person


@pytest.fixture
def passwords() -> Passwords:
    """What hashes quickly."""
    return Passwords(QUICK_HASHING)


@pytest.fixture
async def rosa(tenant: Tenant, clock: FixedClock, passwords: Passwords) -> Person:
    """Rosa Whitlow, a health visitor, with a password and codes."""
    return await with_two_steps(await add_person(tenant, clock), passwords)


Browse = Callable[..., httpx.AsyncClient]


@pytest.fixture
def browse(app: Litestar, client: AsyncTestClient[Litestar]) -> Browse:
    """A browser at an address: `browse("203.0.113.7")`; `client` starts and ends the site."""

    def opened(address: str = "198.51.100.4", **headers: str) -> httpx.AsyncClient:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.AsyncClient(transport=way_to(app, address), base_url=SITE, headers=given)

    return opened


def hidden(page: httpx.Response, action: str) -> dict[str, str]:
    """The hidden fields of the form on a page that goes to an address."""
    found = re.search(rf'<form[^>]* action="{re.escape(action)}".*?</form>', page.text, re.DOTALL)
    assert found is not None, f"no form to {action} on {page.url}:\n{page.text}"
    return {name: unescape(value) for name, value in HIDDEN.findall(found[0])}


async def fill(
    browser: httpx.AsyncClient, address: str, action: str = "", **typed: str
) -> httpx.Response:
    """Open a page and send its form."""
    page = await browser.get(address)
    given = hidden(page, action or address) | typed
    return await browser.post(action or address, data=given)


async def first_step(
    browser: httpx.AsyncClient, person: Person, password: str = PASSWORD, next_path: str = ""
) -> httpx.Response:
    """E-mail and password."""
    address = f"/sign-in?next={next_path}" if next_path else "/sign-in"
    return await fill(browser, address, "/sign-in", email=person.email, password=password)


async def by_link(browser: httpx.AsyncClient, person: Person) -> httpx.Response:
    """Come in by a link that was sent, as whoever has no way of their own yet."""
    async with person.tenant.transaction() as session:
        ends = person.clock.now() + timedelta(hours=1)
        link = await make_link(session, person.id, "worker", ends)
    return await browser.post(f"/sign-in/{link}")


async def second_step(browser: httpx.AsyncClient, code: str) -> httpx.Response:
    """The code."""
    return await fill(browser, "/sign-in/second", code=code)


async def sign_in(browser: httpx.AsyncClient, person: Person) -> None:
    """Both steps, with what is right."""
    assert (await first_step(browser, person)).status_code == 303
    answer = await second_step(browser, person.code())
    assert answer.status_code == 303, answer.text


def words(page: httpx.Response) -> str:
    """What a page says, as one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())
