"""A coordinator keeps the directory; a provider says by its link how many places are free."""

import re
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select

from panel.directory.facts import ProviderFacts, ServiceFacts
from panel.directory.links import open_link, send_link
from panel.directory.models import Provider, Service, ServiceChange
from panel.directory.searching import place_in_list, running_services_of
from panel.directory.service import (
    add_provider,
    add_service,
    change_provider,
    end_service,
    find_provider,
)
from panel.platform.clock import FixedClock
from panel.platform.problems import Gone
from panel.platform.tenancy import Tenant, load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB
from panel.web.paging import Asked, write_cursor
from tests.conftest import SignIn
from tests.directory.conftest import Keepers

Browser = AsyncTestClient[Litestar]
SERVICE = {
    "name": "Saturday swimming", "description": "With a trained helper.", "kind": "short_break",
    "referral_route": "self", "needs_met": "autistic_spectrum_disorder", "breaks": "activities",
    "min_age": "5", "max_age": "11", "wards": "W90000001", "capacity": "8", "places_free": "2",
    "unit_cost": "42.50", "unit": "session", "published": "yes", "place_name": "Pool",
    "postcode": "WX1 1AA",
}  # fmt: skip


async def send(client: Browser, path: str, page: str, **fields: str) -> tuple[int, str]:
    """Send a form of a page with its own hidden fields; the answer's status and text."""
    shown = (await client.get(page)).text
    form = shown[shown.rindex("<form", 0, shown.index(f'action="{path}"')) :]
    hidden = dict(
        re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form.split("</form>")[0])
    )
    answer = await client.post(path, data=hidden | fields)
    return answer.status_code, answer.text


async def only(tenant: Tenant, kind: type[Service] | type[Provider]) -> UUID:
    async with tenant.transaction(JOB) as session:
        return (await session.scalars(select(kind.id))).one()


async def a_service(client: Browser, tenant: Tenant) -> tuple[UUID, UUID]:
    """A provider and its service, by the pages."""
    status, _ = await send(
        client, "/directory/providers/new", "/directory/providers/new",
        name="Wexcombe Together", kind="voluntary", email="office@together.example",
    )  # fmt: skip
    assert status == 200
    provider = await only(tenant, Provider)
    new = f"/directory/providers/{provider}/services/new"
    status, _ = await send(client, new, new, **SERVICE)
    assert status == 200
    return provider, await only(tenant, Service)


async def test_a_service_is_added_found_changed_closed_and_remembered(
    client: Browser, tenant: Tenant, keepers: Keepers, sign_in: SignIn
) -> None:
    await sign_in(keepers.grace.id)
    provider, service = await a_service(client, tenant)
    href = f"/directory/services/{service}"
    for query, there in {
        "words=swims": True, "words=together": True, "words=music": False,
        "need=autistic_spectrum_disorder&age=7&ward=W90000001&free=yes": True,
        "age=12": False, "ward=W90000002": False, "need=hearing_impairment": False,
    }.items():  # fmt: skip
        page = (await client.get(f"/directory?{query}")).text
        assert ("Saturday swimming" in page) is there, query
    assert "Age must be a whole number of years" in (await client.get("/directory?age=x")).text
    for path in ("/directory", "/directory/providers"):
        cursor = write_cursor(("a\0b", service), "after")
        answer = await client.get(path, params={"page": cursor, "ward": "\0", "words": "\0"})
        assert "That page link no longer works" in answer.text
    assert (await client.get("/directory/match", params={"ward": "\0"})).status_code == 200
    match = await client.get(
        "/directory/match?age=12&need=autistic_spectrum_disorder&ward=W90000001"
    )
    assert "No service fits" in match.text
    assert "1 would fit but takes other ages" in match.text
    for change, sentence in {
        ("min_age", "12"): "The youngest age must not be above the oldest age",
        ("places_free", "9"): "There cannot be more free places than places there are",
        ("unit_cost", "-1"): "Cost to the authority must be between 0 and 1,000,000",
        ("unit", ""): "Select what the cost is for",
        ("email", "nobody"): "Enter an e-mail address, like name@example.com",
        ("url", "javascript:alert(1)"): "Enter a web address that begins with https://",
        ("wards", "W1"): "Select from the list",
    }.items():
        status, page = await send(
            client, f"{href}/change", f"{href}/change", **(SERVICE | dict([change]))
        )
        assert (status, sentence in page) == (422, True), change
    stale = SERVICE | {"version": "9"}
    assert (await send(client, f"{href}/change", f"{href}/change", **stale))[0] == 409
    changed = SERVICE | {"name": "Sunday swimming", "places_free": "1"}
    assert (await send(client, f"{href}/change", f"{href}/change", **changed))[0] == 200
    past = {"closed_until-day": "1", "closed_until-month": "1", "closed_until-year": "2026"}
    status, page = await send(client, f"{href}/close", f"{href}/close", **past)
    assert (status, "must be today or later" in page) == (422, True)
    until = past | {"closed_until-year": "2027"}
    assert (await send(client, f"{href}/close", f"{href}/close", **until))[0] == 200
    page = (await client.get(href)).text
    assert "Closed until 1 January 2027" in page
    assert "name: Saturday swimming → Sunday swimming" in page
    assert "Grace Tolliver" in page
    assert (await send(client, f"{href}/open", href))[0] == 200
    assert (await send(client, f"{href}/end", f"{href}/close"))[0] == 200
    assert "Sunday swimming" not in (await client.get("/directory")).text
    assert "Sunday swimming" in (await client.get("/directory?ended=yes")).text
    # Whoever works here reads it; only those who keep it change it or see what changed.
    await sign_in(keepers.rosa.id)
    page = (await client.get(href)).text
    assert "Sunday swimming" in page
    assert "What changed" not in page
    assert (await client.get(f"{href}/change")).status_code == 403
    assert (await client.get(f"/directory/providers/{provider}")).status_code == 200


async def test_a_provider_says_its_places_by_its_link(
    client: Browser, tenant: Tenant, keepers: Keepers, sign_in: SignIn, clock: FixedClock
) -> None:
    await sign_in(keepers.alan.id)
    provider, service = await a_service(client, tenant)
    page = f"/directory/providers/{provider}"
    assert (await send(client, f"{page}/link", page))[0] == 200
    async with tenant.transaction(JOB) as session:
        (mail,) = await session.scalars(select(OutboxMessage))
        await load_keys(session, {provider})
        assert mail.address == "office@together.example"
        link = re.search(r"/providers/\S+", mail.body)
        assert link is not None
        # Only its hash is kept.
        token = link[0].rsplit("/", 1)[1].encode()
        kept = await session.execute(select(OutboxMessage.facts))
        assert token.decode() not in str(kept.all())
    client.cookies.clear()
    assert "Saturday swimming" in (await client.get(link[0])).text
    own = f"{link[0]}/services/{service}"
    status, shown = await send(client, own, own, places_free="9")
    assert (status, "more free places than places there are" in shown) == (422, True)
    said = {"places_free": "5", "closed_until-day": "3"}
    assert (await send(client, own, own, **said))[0] == 422
    said = {"places_free": "0", "closed": "yes", "closed_until": "2026-12-24"}
    version = re.search(r'name="version" value="(\d+)"', (await client.get(own)).text)
    assert version is not None
    said["version"] = version[1]
    checked = await client.post(own, data=said)
    assert "Is this right?" in checked.text
    assert "Yes, until 24 December 2026" in checked.text
    async with tenant.transaction(JOB) as session:
        assert (await session.get_one(Service, service)).places_free == 2
    confirmed = await client.post(own, data=said | {"confirmed": "yes"})
    assert "Closed until 24 December 2026" in confirmed.text
    # Pressed twice it is one answer, and one change; another answer is asked for again.
    again = await client.post(own, data=said | {"confirmed": "yes"})
    assert (again.status_code, again.text) == (confirmed.status_code, confirmed.text)
    other_answer = said | {"confirmed": "yes", "places_free": "1"}
    assert (await client.post(own, data=other_answer)).status_code == 409
    async with tenant.transaction(JOB) as session:
        read = await session.get_one(Service, service)
        assert (read.places_free, read.places_as_of) == (0, date(2026, 11, 23))
        change = (
            await session.scalars(select(ServiceChange).where(ServiceChange.what == "said_places"))
        ).one()
        assert (change.by_kind, change.by_id, change.what) == ("provider", provider, "said_places")
    # Once the last day is over it is open, and the form says so.
    assert "checked" in (await client.get(own)).text
    async with tenant.transaction(JOB) as session:
        (await session.get_one(Service, service)).closed_until = date(2026, 11, 22)
    shown = (await client.get(own)).text
    assert ("checked" in shown, 'value="22"' in shown) == (False, False)
    # It changes nothing else, opens nobody else's service, and its time ends.
    assert (await client.post(own, data=said | {"name": "x"})).status_code == 422
    elsewhere = await client.post(own, data=said, headers={"Origin": "https://evil.example"})
    assert elsewhere.status_code == 403
    other = f"{link[0]}/services/{provider}"
    assert (await client.get(other)).status_code == 404
    assert (await client.get("/providers/guessed")).status_code == 404
    clock.set(clock.now() + timedelta(days=29))
    over = await client.get(link[0])
    assert over.status_code == 410
    assert "This link was good until 21 December 2026 at 9:30." in over.text
    assert "Ask whoever sent it at the council for a new one." in over.text


async def test_a_link_ends_when_the_provider_has_another_address(tenant: Tenant) -> None:
    said = ProviderFacts("Together", "", "voluntary", "office@together.example", "", "")
    async with tenant.transaction(JOB) as session:
        provider = await add_provider(session, said)
        await send_link(session, provider.id, provider.version, "https://panel.example")
    async with tenant.transaction(JOB) as session:
        await load_keys(session, {provider.id})
        mail = (await session.scalars(select(OutboxMessage))).one()
        found = re.search(r"/providers/(\S+)", mail.body)
        assert found is not None
        token = found[1]
        await open_link(session, token)
        version = (await find_provider(session, provider.id)).version
        other = replace(said, phone="01234 567890")
        await change_provider(session, provider.id, version, other)
        await open_link(session, token)
    async with tenant.transaction(JOB) as session:
        version = (await find_provider(session, provider.id)).version
        other = replace(said, email="new@together.example")
        await change_provider(session, provider.id, version, other)
        with pytest.raises(Gone):
            await open_link(session, token)


async def test_a_provider_with_many_services_is_shown_all_of_them(
    client: Browser, tenant: Tenant, keepers: Keepers, sign_in: SignIn
) -> None:
    async with tenant.transaction(keepers.grace.id) as session:
        provider = await add_provider(session, ProviderFacts("Wexcombe Together"))
        for number in range(30):
            await add_service(session, provider.id, ServiceFacts(f"Club {number:02}"))
        ended = await session.scalar(select(Service).where(Service.name == "Club 29"))
        assert ended is not None
        await end_service(session, ended.id, ended.version)
    async with tenant.transaction(JOB) as session:
        running = await running_services_of(session, provider.id, Asked())
        assert [one.name for one in running.rows] == [f"Club {number:02}" for number in range(25)]
        rest = await running_services_of(session, provider.id, place_in_list(running.next or ""))
        assert [one.name for one in rest.rows] == [f"Club {number:02}" for number in range(25, 29)]
        before = place_in_list(rest.previous or "")
        assert (await running_services_of(session, provider.id, before)).rows == running.rows
    await sign_in(keepers.rosa.id)
    first = (await client.get(f"/directory/providers/{provider.id}")).text
    following = re.search(rf'href="(/directory/providers/{provider.id}\?page=[^"]+)"', first)
    assert following is not None
    assert ("Club 24" in first, "Club 29" in first) == (True, False)
    assert "Club 29" in (await client.get(following[1])).text
