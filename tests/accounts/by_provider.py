"""A worker, a provider, and a browser that goes from one to the other and back."""

import base64
import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from joserfc import jwk
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from consent import Role
from panel.accounts.providers import Terms, Wanted, set_provider
from panel.accounts.service import add_agency, add_worker, give_role
from panel.platform.clock import FixedClock
from panel.platform.tenancy import Tenant
from tests.accounts.provider_server import Claims, Person, Provider, served

BACK = "http://127.0.0.1:8000/sign-in/from/entra"
ROSA = Person("subject-rosa", "Rosa@Health.example")
SIGNING = jwk.RSAKey.generate_key(2048)
HIDDEN = re.compile(r'name="_csrf_token" value="([0-9a-f]{64})"')
ONWARD = re.compile(r'http-equiv="refresh" content="0;url=([^"]+)"')

NOBODY = "This sign-in does not let you in to Panel."
BROKEN = "The sign-in was not finished, took too long or was begun elsewhere."

Browser = AsyncTestClient[Litestar] | httpx.AsyncClient


@contextmanager
def a_provider(clock: FixedClock) -> Iterator[Provider]:
    """A provider at which Rosa is signed in, by the test's clock."""
    made = Provider(SIGNING, back=BACK, now=lambda: clock.now().timestamp(), person=ROSA)
    with served(made):
        yield made


@dataclass(frozen=True)
class House:
    """Who works where."""

    rosa: UUID


async def make_house(tenant: Tenant) -> House:
    """Health visiting, whose workers the provider signs in, and a school, whose it does not."""
    async with tenant.transaction() as session:
        health = await add_agency(session, key="health", name="Health visiting", kind="health")
        school = await add_agency(session, key="school", name="Larkfield", kind="school")
        rosa = await add_worker(session, health, name="Rosa Whitlow", email="rosa@health.example")
        await give_role(session, rosa, Role.PRACTITIONER)
        teacher = await add_worker(session, school, name="Tom Ash", email="tom@school.example")
        await give_role(session, teacher, Role.PRACTITIONER)
        leaver = await add_worker(session, health, name="Lea Verona", email="lea@health.example")
        await give_role(session, leaver, Role.PRACTITIONER)
        leaver.until_on = date(2026, 10, 31)
        former = await add_worker(session, health, name="Fay Marsh", email="fay@health.example")
        role = await give_role(session, former, Role.PRACTITIONER)
        role.until_on = date(2026, 10, 31)
        return House(rosa.id)


def wanted(provider: Provider, *, terms: Terms | None = None, key: str = "entra") -> Wanted:
    """The provider, as an administrator configures it."""
    return Wanted(
        key=key,
        label="Testshire account",
        issuer=provider.issuer,
        client_id=provider.client_id,
        agencies=["health"],
        terms=terms or Terms(),
        secret=provider.secret,
    )


async def configure(
    tenant: Tenant,
    provider: Provider,
    *,
    terms: Terms | None = None,
    key: str = "entra",
    **other: object,
) -> None:
    """Have the authority take the provider."""
    async with tenant.transaction() as session:
        await set_provider(session, replace(wanted(provider, terms=terms, key=key), **other))


async def go_there(browser: Browser, key: str = "entra", next_path: str = "/children") -> str:
    """Press the button; the provider's address to which the page leads."""
    form = {"_csrf_token": await form_token(browser, key), "next": next_path}
    return onward(await browser.post(f"/sign-in/with/{key}", data=form))


async def form_token(browser: Browser, key: str = "entra") -> str:
    """The token of the form with the button."""
    page = await browser.get(f"/sign-in/with/{key}")
    found = HIDDEN.search(page.text)
    assert found, page.text
    return found[1]


def onward(page: httpx.Response) -> str:
    """Where a page goes on to by itself."""
    found = ONWARD.search(page.text)
    assert found, page.text
    return html.unescape(found[1])


async def sign_in_there(address: str) -> str:
    """What the provider sends the browser back with: path and query."""
    async with httpx.AsyncClient(trust_env=False) as there:
        answer = await there.get(address)
    assert answer.status_code == 302, answer.text
    parts = urlsplit(answer.headers["location"])
    return f"{parts.path}?{parts.query}"


async def come_back(browser: Browser, back: str) -> httpx.Response:
    """Follow the provider's redirect."""
    return await browser.get(back, follow_redirects=False)


async def sign_in(browser: Browser, key: str = "entra") -> httpx.Response:
    """The whole way."""
    return await come_back(browser, await sign_in_there(await go_there(browser, key)))


async def sessions(tenant: Tenant) -> Sequence[UUID]:
    """Whose sessions there are."""
    async with tenant.transaction() as session:
        found = await session.execute(text("SELECT viewer_id FROM web_session"))
        return list(found.scalars())


async def links(tenant: Tenant) -> Sequence[tuple[UUID, str]]:
    """Which worker is whom at the provider."""
    async with tenant.transaction() as session:
        found = await session.execute(
            text("SELECT worker_id, subject FROM worker_identity ORDER BY subject")
        )
        return [(row.worker_id, row.subject) for row in found]


async def assert_nobody_came_in(answer: httpx.Response, tenant: Tenant, sentence: str) -> None:
    """Refused in a sentence, and nothing came of it."""
    assert answer.status_code == 403
    assert sentence in answer.text
    assert await sessions(tenant) == []
    assert await links(tenant) == []


def part(content: object) -> str:
    """A part of a token, unsigned."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def unsigned(_provider: Provider, claims: Claims) -> str:
    """A token that nobody signed."""
    return f"{part({'alg': 'none', 'kid': 'first'})}.{part(claims)}."


def says(**claims: object) -> Callable[[Claims], Claims]:
    """Spoils what a token says."""
    return lambda usual: usual | claims


def without(*names: str) -> Callable[[Claims], Claims]:
    """Leaves out what a token says."""
    return lambda usual: {name: said for name, said in usual.items() if name not in names}


def moved(**seconds: int) -> Callable[[Claims], Claims]:
    """Moves what a token says by so many seconds."""
    return lambda usual: usual | {name: usual[name] + by for name, by in seconds.items()}
