"""A password and then a code let somebody in, and nothing else that anybody types does."""

import asyncio
from base64 import b64decode
from datetime import timedelta
from hashlib import sha256

import httpx
import pytest
from sqlalchemy import text

from panel.accounts.codes import STEP
from panel.accounts.own_ways import keep_hash, make_recovery_codes, ways_of, worker_of
from panel.accounts.passwords import Hashing, Passwords
from panel.platform.clock import FixedClock
from panel.platform.entries import LASTS
from panel.platform.tenancy import Tenant
from tests.accounts.signing_in import (
    PASSWORD,
    SITE,
    Browse,
    Person,
    browse,
    fill,
    first_step,
    hidden,
    passwords,
    rosa,
    second_step,
    sign_in,
    words,
)

__all__ = ["browse", "passwords", "rosa"]
COOKIE = "panel_session"


async def test_both_steps_lead_to_where_they_wanted_to_go(browse: Browse, rosa: Person) -> None:
    async with browse() as browser:
        asked = await browser.get("/calendar?from=2026-12-01")
        assert asked.status_code == 401
        assert "You are not signed in" in words(asked)
        given = hidden(asked, "/sign-in") | {"email": " ROSA@hv.example", "password": PASSWORD}
        before = browser.cookies[COOKIE]
        answer = await browser.post("/sign-in", data=given)
        assert answer.headers["location"] == "/sign-in/second"
        between = browser.cookies[COOKIE]
        assert (await browser.get("/children")).status_code == 401, "half way in is not in"
        answer = await second_step(browser, rosa.code())
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            "/calendar?from=2026-12-01",
        )
        assert len({before, between, browser.cookies[COOKIE]}) == 3, "a new cookie at each step"
        assert (await browser.get("/children")).status_code == 200
        again = await browser.get("/sign-in?next=//evil.example")
        assert (again.status_code, again.headers["location"]) == (303, "/")
    async with browse() as copied:
        copied.cookies.set(COOKIE, between)
        assert (await copied.get("/sign-in/second")).status_code == 410
        assert (await copied.get("/children")).status_code == 401


async def test_what_was_searched_for_stands_in_no_table_while_somebody_signs_in(
    browse: Browse, rosa: Person
) -> None:
    async with browse() as browser:
        asked = await browser.get("/children?q=Freya+Kestrel")
        typed = {"email": rosa.email, "password": PASSWORD}
        await browser.post("/sign-in", data=hidden(asked, "/sign-in") | typed)
        async with rosa.tenant.transaction() as session:
            kept = (await session.execute(text("SELECT next_path FROM sign_in_entry"))).scalar_one()
        assert b"Kestrel" not in b64decode(kept)
        answer = await second_step(browser, rosa.code())
        assert answer.headers["location"] == "/children?q=Freya+Kestrel"


async def test_who_is_not_there_is_answered_as_who_is(browse: Browse, rosa: Person) -> None:
    nobody = Person(rosa.tenant, rosa.clock, rosa.id, "nobody@hv.example")
    async with browse() as browser:
        pages = [await first_step(browser, who, "wrong wrong wrong") for who in (rosa, nobody)]
    assert [page.status_code for page in pages] == [422, 422]
    told = [
        page.text.replace(who.email, "") for page, who in zip(pages, (rosa, nobody), strict=True)
    ]
    assert told[0] == told[1]
    assert "The e-mail address or the password is not right" in words(pages[0])
    assert "wrong wrong" not in pages[0].text, "no password is written on a page"


async def test_what_is_missing_is_named(browse: Browse, rosa: Person) -> None:
    async with browse() as browser:
        page = await fill(browser, "/sign-in", email="", password="")
    assert page.status_code == 422
    assert "Enter your e-mail address" in words(page)
    assert "Enter your password" in words(page)


async def test_no_other_site_signs_anybody_in(browse: Browse, rosa: Person) -> None:
    typed = {"email": rosa.email, "password": PASSWORD}
    async with browse() as browser, browse() as attacker:
        stolen = hidden(await attacker.get("/sign-in"), "/sign-in")
        own = hidden(await browser.get("/sign-in"), "/sign-in")
        for given, headers in (
            (stolen, {}),
            ({}, {}),
            (own, {"Origin": "https://evil.example"}),
            (own, {"Origin": "null"}),
            (own, {"Sec-Fetch-Site": "cross-site"}),
            (own | {"_csrf_token": "é"}, {}),
        ):
            answer = await browser.post("/sign-in", data=given | typed, headers=headers)
            assert answer.status_code == 403, headers
        answer = await browser.post("/sign-in", data=own | typed, headers={"Origin": SITE})
        assert answer.status_code == 303


async def test_a_code_is_taken_once_also_by_two_at_the_same_time(
    browse: Browse, rosa: Person, clock: FixedClock
) -> None:
    async with browse() as one, browse() as two:
        for browser in (one, two):
            await first_step(browser, rosa)
        answers = await asyncio.gather(*(second_step(each, rosa.code()) for each in (one, two)))
        assert sorted(answer.status_code for answer in answers) == [303, 422]
        # An older code of the same minutes is void too, once a newer one was taken.
        clock.set(clock.now() + timedelta(seconds=STEP))
        late = one if answers[1].status_code == 303 else two
        assert (await second_step(late, rosa.code())).status_code == 303


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
async def test_a_code_of_another_time_is_not_taken(
    browse: Browse, rosa: Person, clock: FixedClock, steps: int
) -> None:
    async with browse() as browser:
        await first_step(browser, rosa)
        code, now = rosa.code(), clock.now()
        clock.set(now - timedelta(seconds=steps * STEP))
        assert (await second_step(browser, code)).status_code == 422
        clock.set(now + timedelta(seconds=STEP))
        assert (await second_step(browser, code)).status_code == 303


async def test_the_second_step_waits_a_quarter_of_an_hour(
    browse: Browse, rosa: Person, clock: FixedClock
) -> None:
    async with browse() as browser:
        await first_step(browser, rosa)
        clock.set(clock.now() + LASTS + timedelta(seconds=1))
        assert (await browser.get("/sign-in/second")).status_code == 410


async def test_a_recovery_code_works_once_and_its_owner_is_told(
    browse: Browse, rosa: Person, tenant: Tenant
) -> None:
    async with tenant.transaction(rosa.id) as session:
        codes = await make_recovery_codes(session, await worker_of(session, rosa.id))
        kept = (await session.execute(text("SELECT code_hash FROM recovery_code"))).scalars().all()
    assert len(set(codes)) == len(kept) == 10
    assert sha256(codes[0].encode()).digest() not in kept
    for typed, status in ((codes[0].upper().replace("-", " "), 303), (codes[0], 422)):
        async with browse() as browser:
            await first_step(browser, rosa)
            assert (await second_step(browser, typed)).status_code == status
    assert "One of your recovery codes was used." in await rosa.told()


async def test_a_wrong_code_after_the_right_password_is_told_once(
    browse: Browse, rosa: Person
) -> None:
    async with browse() as browser:
        await first_step(browser, rosa)
        for _ in range(3):
            page = await second_step(browser, "000000")
            assert page.status_code == 422
    told = await rosa.told()
    assert len(told) == 1
    assert told[0].startswith("Somebody typed your password and then a wrong code")


async def test_a_password_is_hashed_anew_when_the_parameters_change(
    browse: Browse, rosa: Person, tenant: Tenant
) -> None:
    older = Passwords(Hashing(passes=2, memory=32, lanes=1))
    async with tenant.transaction(rosa.id) as session:
        worker = await worker_of(session, rosa.id)
        from_before = await older.hash(PASSWORD)
        await keep_hash(session, worker.id, from_before)
    async with browse() as browser:
        await sign_in(browser, rosa)
    async with tenant.transaction(rosa.id) as session:
        own = (await ways_of(session, rosa.id)).password
        assert own is not None
        assert "m=64,t=1" in own.password


async def test_who_left_does_not_sign_in(browse: Browse, rosa: Person, tenant: Tenant) -> None:
    async with tenant.transaction() as session:
        await session.execute(text("UPDATE worker SET until_on = '2026-11-22'"))
    async with browse() as browser:
        assert (await first_step(browser, rosa)).status_code == 422


async def test_only_pages_show_where_to_sign_in(browse: Browse, rosa: Person) -> None:
    async with browse() as browser:
        for address, headers in (
            ("/children", {"X-Panel-By-Itself": "yes"}),
            ("/children", {"Sec-Fetch-Dest": "empty"}),
            ("/live/meeting-0198c0de-0000-7000-8000-000000000001", {}),
        ):
            answer = await browser.get(address, headers=headers)
            assert answer.status_code == 401
            assert 'action="/sign-in"' not in answer.text
            assert COOKIE not in answer.cookies
        posted: httpx.Response = await browser.post("/children/new", data={"given_name": "Late"})
        assert posted.status_code == 401
        assert 'action="/sign-in"' not in posted.text
