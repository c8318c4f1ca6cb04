"""A passkey signs its owner in alone, and is believed once, here, and for what was asked."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from panel.accounts.passkeys import LASTS, Place
from panel.accounts.throttle import CHALLENGES
from panel.platform.clock import FixedClock
from panel.platform.tenancy import Tenant
from tests.accounts.authenticator import PRESENT, Device
from tests.accounts.signing_in import (
    Browse,
    Person,
    add_person,
    browse,
    by_link,
    fill,
    hidden,
    passwords,
    words,
)

__all__ = ["browse", "passwords"]
PASSKEYS = "/me/sign-in/passkeys"


@pytest.fixture
async def rosa(tenant: Tenant, clock: FixedClock) -> Person:
    """Rosa Whitlow, who has no way in of her own yet."""
    return await add_person(tenant, clock)


async def asked(browser: httpx.AsyncClient, page: str, action: str) -> dict[str, str]:
    """The hidden fields of a passkey's form."""
    return hidden(await browser.get(page), action)


async def challenge(
    browser: httpx.AsyncClient, action: str, given: dict[str, str]
) -> httpx.Response:
    return await browser.post(f"{action}/challenge", data={"_csrf_token": given["_csrf_token"]})


async def add(
    browser: httpx.AsyncClient, device: Device, name: str = "Work phone"
) -> httpx.Response:
    given = await asked(browser, f"{PASSKEYS}/new", PASSKEYS)
    options = (await challenge(browser, PASSKEYS, given)).json()
    answer = given | {"name": name, "credential": device.make(options)}
    return await browser.post(PASSKEYS, data=answer)


async def enter(
    browser: httpx.AsyncClient,
    device: Device,
    page: str = "/sign-in",
    action: str = "/sign-in/passkey",
) -> httpx.Response:
    given = await asked(browser, page, action)
    options = (await challenge(browser, action, given)).json()
    return await browser.post(action, data=given | {"credential": device.sign(options)})


@pytest.fixture
async def device(browse: Browse, rosa: Person) -> Device:
    """Rosa's telephone, with her passkey."""
    made = Device()
    async with browse() as browser:
        await by_link(browser, rosa)
        assert (await add(browser, made)).status_code == 303
    return made


async def test_it_is_chosen_after_a_link_and_signs_in_alone(browse: Browse, rosa: Person) -> None:
    device = Device()
    async with browse() as browser:
        landed = await by_link(browser, rosa)
        assert landed.headers["location"] == "/me/sign-in/set-up"
        by_the_link = browser.cookies["panel_session"]
        assert "Not now" in words(await browser.get("/me/sign-in/set-up"))
        assert (await browser.get("/children")).status_code == 200, "they may go on working"
        made = await add(browser, device)
        assert (made.status_code, made.headers["location"]) == (303, "/me/sign-in")
        assert browser.cookies["panel_session"] != by_the_link
        assert "Work phone" in words(await browser.get("/me/sign-in"))
    assert await rosa.told() == ["A passkey was added."]
    async with browse() as browser:
        answer = await enter(browser, device, "/sign-in?next=/calendar")
        assert (answer.status_code, answer.headers["location"]) == (303, "/calendar")
        assert (await browser.get("/children")).status_code == 200
    async with browse() as browser:
        assert (await by_link(browser, rosa)).headers["location"] == "/", "asked once"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda device: setattr(device, "origin", "https://evil.example"),
        lambda device: setattr(device, "origin", "http://testshire.localhost.evil.example"),
        lambda device: setattr(device, "host", "localhost"),
        lambda device: setattr(device, "flags", PRESENT),
        lambda device: setattr(device, "count", -1),
        lambda device: setattr(device, "credential", b"x" * 32),
        lambda device: setattr(device, "key", Device().key),
    ],
    ids=["origin", "longer origin", "host", "nobody verified", "count", "unknown", "other key"],
)
async def test_what_is_not_its_answer_is_not_believed(
    browse: Browse, device: Device, spoil: Callable[[Device], None]
) -> None:
    device.count = 1
    async with browse() as browser:
        assert (await enter(browser, device)).status_code == 303
    spoil(device)
    async with browse() as browser:
        answer = await enter(browser, device)
        assert answer.status_code == 422
        assert "This passkey is not known here" in words(answer)
        assert (await browser.get("/children")).status_code == 401


async def test_rubbish_is_not_believed(browse: Browse, device: Device) -> None:
    for rubbish in ("", "{}", "[]", "null", '{"rawId": 5}', "x" * 5_000, '{"rawId": "é"}'):
        async with browse() as browser:
            given = await asked(browser, "/sign-in", "/sign-in/passkey")
            await challenge(browser, "/sign-in/passkey", given)
            answer = await browser.post("/sign-in/passkey", data=given | {"credential": rubbish})
            assert answer.status_code == 422, rubbish


async def test_a_challenge_is_taken_once_in_time_and_by_the_browser_that_asked(
    browse: Browse, device: Device, clock: FixedClock
) -> None:
    path = "/sign-in/passkey"
    async with browse() as browser, browse() as other:
        given = await asked(browser, "/sign-in", path)
        signed = device.sign((await challenge(browser, path, given)).json())
        theirs = await asked(other, "/sign-in", path)
        stolen = await other.post(path, data=theirs | {"credential": signed})
        assert stolen.status_code == 422
        clock.set(clock.now() + LASTS)
        assert (await browser.post(path, data=given | {"credential": signed})).status_code == 422
        options = (await challenge(browser, path, given)).json()
        wrong = await browser.post(path, data=given | {"credential": "{}"})
        assert wrong.status_code == 422
        late = await browser.post(path, data=given | {"credential": device.sign(options)})
        assert late.status_code == 422, "it was taken with what was wrong"


async def test_a_passkey_is_of_one_person(
    browse: Browse, device: Device, rosa: Person, tenant: Tenant, clock: FixedClock
) -> None:
    ines = await add_person(tenant, clock, "Ines Cardoso", "ines@hv.example")
    async with browse() as browser:
        await by_link(browser, ines)
        again = await add(browser, device)
        assert again.status_code == 422
        assert "This passkey is there already" in words(again)
        own = Device()
        assert (await add(browser, own)).status_code == 303
        clock.set(clock.now() + timedelta(minutes=11))
        asks = await browser.get("/me/sign-in")
        assert asks.headers["location"].startswith("/sign-in/again?next=")
        action, page = "/sign-in/again/passkey", asks.headers["location"]
        assert (await enter(browser, device, page, action)).status_code == 422
        assert (await browser.get("/me/sign-in")).status_code == 303
        assert (await enter(browser, own, page, action)).headers["location"] == "/me/sign-in"
        assert (await browser.get("/me/sign-in")).status_code == 200


async def test_it_is_removed_but_not_the_last(browse: Browse, rosa: Person, device: Device) -> None:
    async with browse() as browser:
        await enter(browser, device)
        only = re_remove(await browser.get("/me/sign-in"))
        refused = await fill(browser, "/me/sign-in", only)
        assert refused.status_code == 422
        assert "This is the only way in that you have" in words(refused)
        second = Device()
        await add(browser, second, "Laptop")
        assert (await fill(browser, "/me/sign-in", only)).status_code == 303
        assert "Work phone" not in words(await browser.get("/me/sign-in"))
    async with browse() as browser:
        assert (await enter(browser, device)).status_code == 422
        assert (await enter(browser, second)).status_code == 303
    assert (await rosa.told())[-1] == "A passkey was removed."


def re_remove(page: httpx.Response) -> str:
    start = page.text.index(f'action="{PASSKEYS}/') + len('action="')
    return page.text[start : page.text.index('"', start)]


async def test_challenges_are_not_made_without_end(browse: Browse, tenant: Tenant) -> None:
    async with browse("203.0.113.9") as browser:
        given = await asked(browser, "/sign-in", "/sign-in/passkey")
        async with tenant.transaction() as session:
            assert (await challenge(browser, "/sign-in/passkey", given)).status_code == 200
            await session.execute(
                text("UPDATE sign_in_attempt SET tries = :most"), {"most": CHALLENGES.tries}
            )
        assert (await challenge(browser, "/sign-in/passkey", given)).status_code == 429
    async with browse("203.0.113.10") as browser:
        given = await asked(browser, "/sign-in", "/sign-in/passkey")
        assert (await challenge(browser, "/sign-in/passkey", given)).status_code == 200


@pytest.mark.parametrize(
    ("site", "asked_for", "host", "origin"),
    [
        ("https://panel.example.org", "panel.example.org", "panel.example.org", "https://panel.example.org"),
        ("https://panel.example.org:8443", "panel.example.org", "panel.example.org", "https://panel.example.org:8443"),
        ("https://panel.example.org", "other.example.org", "other.example.org", "https://other.example.org"),
        ("http://127.0.0.1:8000", "localhost:8001", "localhost", "http://localhost:8001"),
    ],
)  # fmt: skip
def test_where_a_passkey_belongs(site: str, asked_for: str, host: str, origin: str) -> None:
    assert Place.of(site, asked_for) == Place(host, origin)
