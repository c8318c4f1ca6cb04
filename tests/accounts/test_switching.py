"""One person at two authorities: the way between, and everybody who would like to misuse it."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from consent import Role
from panel.accounts.models import Worker
from panel.accounts.provider_models import (
    SignInProvider,
    SignInProviderAgency,
    WorkerIdentity,
)
from panel.accounts.service import add_agency, add_worker, give_role
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.database import Database
from panel.platform.ids import new_id
from panel.platform.sessions import Way, start
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.state import SharingFacts
from tests.conftest import MORNING, copied

Browser = AsyncTestClient[Litestar]
FIREFOX = {"User-Agent": "Mozilla/5.0 Firefox/140.0"}
CHROME = {"User-Agent": "Mozilla/5.0 Chrome/140.0"}


@dataclass
class Two:
    """Two authorities in one service, the same person at both, and somebody else at each."""

    here: Tenant
    there: Tenant
    app: Litestar
    rosa: UUID
    rosa_there: UUID
    mallory: UUID
    victim_there: UUID


@pytest.fixture
async def two(
    app: Litestar, tenant: Tenant, cluster: Cluster, template_database: str
) -> AsyncIterator[Two]:
    """A second authority in a database of its own, served beside the first."""
    with copied(cluster, f"panel_second_{new_id().hex[-12:]}", template_database) as second:
        database = Database(second.app_url, pool_size=2)
        record = replace(
            tenant.record, name="wexcombe", label="Wexcombe", host="wexcombe.localhost"
        )
        there = Tenant(record, database, tenant.ring, tenant.clock)
        (site,) = list(app.state.sites.values())
        app.state.sites[record.host] = replace(site, tenant=there, gate=Gate(there, SharingFacts()))
        rosa, mallory = await add_two(tenant, "Rosa Whitlow", "Mallory Crane")
        rosa_there, victim = await add_two(there, "Rosa Whitlow", "Victor Lamb")
        yield Two(tenant, there, app, rosa, rosa_there, mallory, victim)
        del app.state.sites[record.host]
        await database.close()


async def add_two(tenant: Tenant, *names: str) -> list[UUID]:
    """Practitioners of one agency."""
    async with tenant.transaction(JOB) as session:
        agency = await add_agency(session, key="health", name="Health", kind="health")
        made = []
        for name in names:
            first = name.split()[0].lower()
            worker = await add_worker(session, agency, name=name, email=f"{first}@demo.example")
            await give_role(session, worker, Role.PRACTITIONER)
            made.append(worker.id)
    return made


async def same_subject(tenant: Tenant, worker: UUID, issuer: str = "https://id.example") -> None:
    """Both accounts were signed in at the same provider as the same subject."""
    async with tenant.transaction(JOB) as session:
        provider = SignInProvider(
            key="id", label="Id", issuer=issuer, client_id="panel", secret_from="", terms={}
        )
        session.add(provider)
        await session.flush()
        agency = (await session.get_one(Worker, worker)).agency_id
        session.add(SignInProviderAgency(provider_id=provider.id, agency_id=agency))
        session.add(
            WorkerIdentity(
                worker_id=worker,
                provider_id=provider.id,
                issuer=issuer,
                subject="subject-1",
                linked_at=MORNING,
                used_at=MORNING,
            )
        )


async def cookie_of(tenant: Tenant, worker: UUID, way: Way = Way.PASSKEY) -> str:
    """A session of a worker."""
    async with tenant.transaction() as session:
        return await start(session, worker, "worker", tenant.clock.now(), way=way)


async def kinds(tenant: Tenant) -> list[str]:
    """What the audit log of an authority says, in order."""
    async with tenant.transaction(JOB) as session:
        found = await session.scalars(text("SELECT kind FROM audit_event ORDER BY id"))
        return list(found)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the last form of a page."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))


class Person:
    """A browser with a cookie for each authority, as browsers keep them: by host."""

    def __init__(self, app: Litestar, headers: dict[str, str]) -> None:
        self._app = app
        self._headers = headers
        self._jars: dict[str, dict[str, str]] = {}

    def signed_in(self, host: str, cookie: str) -> None:
        self._jars[host] = {"panel_session": cookie}

    def cookie(self, host: str) -> str:
        return self._jars.get(host, {}).get("panel_session", "")

    async def ask(
        self, method: str, url: str, data: dict[str, str] | None = None
    ) -> httpx.Response:
        parts = urlsplit(url)
        host = parts.hostname or ""
        async with AsyncExitStack() as stack:
            client: Browser = await stack.enter_async_context(
                AsyncTestClient(self._app, base_url=f"http://{host}")
            )
            client.cookies.update(self._jars.setdefault(host, {}))
            answer = await client.request(
                method,
                f"{parts.path}?{parts.query}" if parts.query else parts.path,
                data=data,
                headers=self._headers,
                follow_redirects=False,
            )
            if "panel_session" in answer.cookies:
                self._jars[host]["panel_session"] = answer.cookies["panel_session"]
            return answer

    async def press(self, page_url: str, action: str) -> httpx.Response:
        """Post the form of a page that goes to `action`, with its hidden fields."""
        page = await self.ask("GET", page_url)
        assert page.status_code == 200, page.text
        form = re.search(
            rf'<form method="post" action="{re.escape(action)}".*?</form>', page.text, re.DOTALL
        )
        assert form is not None, page.text
        parts = urlsplit(page_url)
        return await self.ask("POST", f"http://{parts.netloc}{action}", hidden(form.group()))


HERE, THERE = "http://testshire.localhost", "http://wexcombe.localhost"


def address_in(answer: httpx.Response) -> str:
    """Where a page that goes on by itself goes."""
    assert answer.status_code in (200, 201), answer.text
    found = re.search(r'content="0;url=([^"]+)"', answer.text)
    assert found is not None, answer.text
    return found.group(1).replace("&amp;", "&")


async def test_somebody_goes_to_the_other_authority_once(two: Two, clock: FixedClock) -> None:
    await same_subject(two.here, two.rosa)
    await same_subject(two.there, two.rosa_there)
    rosa = Person(two.app, FIREFOX)
    rosa.signed_in("testshire.localhost", await cookie_of(two.here, two.rosa))
    address = address_in(await rosa.press(f"{HERE}/elsewhere", "/elsewhere/go/wexcombe"))
    assert address.startswith(f"{THERE}/elsewhere/come-in?")

    # Kept is a hash; the secret is nowhere.
    secret = address.rpartition("t=")[2]
    async with two.here.transaction(JOB) as session:
        assert secret not in str(list(await session.execute(text("SELECT * FROM way_between"))))

    # To look at the address signs nobody in and does not use it up.
    assert (await rosa.ask("GET", address)).status_code == 200
    came = await rosa.press(address, "/elsewhere/come-in")
    assert came.status_code == 303, came.text
    home = await rosa.ask("GET", f"{THERE}/my-tasks")
    assert home.status_code == 200
    assert "Wexcombe" in home.text
    again = await rosa.press(address, "/elsewhere/come-in")
    assert again.status_code == 403

    # Both logs know, and what asks for proof asks for it there anew.
    assert "session.led_elsewhere" in await kinds(two.here)
    assert {"session.came_from_elsewhere", "session.refused"} <= set(await kinds(two.there))
    assert (await rosa.ask("GET", f"{THERE}/me/sign-in")).status_code == 303


@pytest.mark.parametrize("attack", ["late", "other browser", "signed out", "wrong authority"])
async def test_a_link_out_of_its_place_opens_nothing(
    two: Two, clock: FixedClock, attack: str
) -> None:
    await same_subject(two.here, two.rosa)
    await same_subject(two.there, two.rosa_there)
    rosa = Person(two.app, FIREFOX)
    rosa.signed_in("testshire.localhost", await cookie_of(two.here, two.rosa))
    address = address_in(await rosa.press(f"{HERE}/elsewhere", "/elsewhere/go/wexcombe"))
    who = rosa
    if attack == "late":
        clock.set(MORNING + timedelta(seconds=61))
    elif attack == "other browser":
        who = Person(two.app, CHROME)
    elif attack == "signed out":
        async with two.here.transaction() as session:
            await session.execute(text("DELETE FROM web_session"))
    else:
        address = address.replace("come_from", "x").replace(THERE, HERE)
        address = address.replace("came_from=testshire", "came_from=wexcombe")
    refused = await who.press(address, "/elsewhere/come-in")
    assert refused.status_code == 403
    assert "was used, is over, or was made in another browser" in refused.text
    async with two.there.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM web_session")) == 0


async def test_nobody_goes_where_no_account_is_theirs(two: Two) -> None:
    await same_subject(two.here, two.mallory, "https://other.example")
    await same_subject(two.there, two.rosa_there)
    mallory = Person(two.app, FIREFOX)
    mallory.signed_in("testshire.localhost", await cookie_of(two.here, two.mallory))
    page = await mallory.ask("GET", f"{HERE}/elsewhere")
    assert "/elsewhere/go/wexcombe" not in page.text
    form = hidden(page.text)
    refused = await mallory.ask("POST", f"{HERE}/elsewhere/go/wexcombe", form)
    assert refused.status_code == 403


async def test_a_provider_speaks_for_the_workers_of_its_agencies_alone(two: Two) -> None:
    """As at its own sign-in: taken off an agency there, it brings nobody in from here either."""
    await same_subject(two.here, two.rosa)
    await same_subject(two.there, two.rosa_there)
    rosa = Person(two.app, FIREFOX)
    rosa.signed_in("testshire.localhost", await cookie_of(two.here, two.rosa))
    address = address_in(await rosa.press(f"{HERE}/elsewhere", "/elsewhere/go/wexcombe"))
    async with two.there.transaction(JOB) as session:
        await session.execute(text("DELETE FROM sign_in_provider_agency"))
    assert (await rosa.press(address, "/elsewhere/come-in")).status_code == 403
    assert "/elsewhere/go/wexcombe" not in (await rosa.ask("GET", f"{HERE}/elsewhere")).text


async def confirmed(person: Person, *, begin_at: str = HERE) -> httpx.Response:
    """Confirm at both, as the pages lead; the last answer."""
    address = address_in(await person.press(f"{begin_at}/elsewhere", "/elsewhere/link/wexcombe"))
    back = address_in(await person.press(address, "/elsewhere/confirm"))
    return await person.press(back, "/elsewhere/finish")


async def test_somebody_confirms_that_both_accounts_are_theirs(two: Two) -> None:
    rosa = Person(two.app, FIREFOX)
    rosa.signed_in("testshire.localhost", await cookie_of(two.here, two.rosa))
    rosa.signed_in("wexcombe.localhost", await cookie_of(two.there, two.rosa_there))
    assert (await confirmed(rosa)).status_code == 303
    for tenant in (two.here, two.there):
        assert "elsewhere.linked" in await kinds(tenant)
    back = address_in(await rosa.press(f"{THERE}/elsewhere", "/elsewhere/go/testshire"))
    assert (await rosa.press(back, "/elsewhere/come-in")).status_code == 303

    # Ended at either, it is ended for both.
    await rosa.press(f"{HERE}/elsewhere", "/elsewhere/unlink/wexcombe")
    page = await rosa.ask("GET", f"{THERE}/elsewhere")
    assert "/elsewhere/go/testshire" not in page.text


async def test_nobody_is_led_into_linking_with_a_stranger(two: Two) -> None:
    mallory, victim = Person(two.app, FIREFOX), Person(two.app, FIREFOX)
    mallory.signed_in("testshire.localhost", await cookie_of(two.here, two.mallory))
    victim.signed_in("wexcombe.localhost", await cookie_of(two.there, two.victim_there))
    sent = address_in(await mallory.press(f"{HERE}/elsewhere", "/elsewhere/link/wexcombe"))
    # The victim believes the e-mail and presses the button; where it leads back they are nobody.
    back = address_in(await victim.press(sent, "/elsewhere/confirm"))
    refused = await victim.ask("GET", back)
    assert refused.status_code in (302, 303, 401)
    victim.signed_in("testshire.localhost", await cookie_of(two.here, two.rosa))
    assert (await victim.press(back, "/elsewhere/finish")).status_code == 403
    for tenant in (two.here, two.there):
        async with tenant.transaction() as session:
            assert await session.scalar(text("SELECT count(*) FROM worker_elsewhere")) == 0


async def test_to_link_asks_who_they_are(two: Two) -> None:
    rosa = Person(two.app, FIREFOX)
    rosa.signed_in("testshire.localhost", await cookie_of(two.here, two.rosa, Way.LINK))
    form = hidden((await rosa.ask("GET", f"{HERE}/elsewhere")).text)
    answer = await rosa.ask("POST", f"{HERE}/elsewhere/link/wexcombe", form)
    assert 'content="0;url=' not in answer.text
    async with two.here.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM way_between")) == 0
