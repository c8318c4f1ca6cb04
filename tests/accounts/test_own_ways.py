"""How I sign in: the first choice, every change with proof and an e-mail, sessions, starting anew."""

import re
from datetime import timedelta
from email.message import EmailMessage
from html import unescape

import httpx
import pyotp
import pytest
from sqlalchemy import text

from consent import Role
from panel.accounts.own_ways import change_password, worker_of
from panel.accounts.passwords import Passwords
from panel.panels.still_may_go import still_may_go
from panel.platform.clock import FixedClock
from panel.platform.outbox import Bounced, send_due
from panel.platform.sessions import PROOF_LASTS, make_link
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.accounts.signing_in import (
    LINK,
    PASSWORD,
    SITE,
    Browse,
    Person,
    add_person,
    browse,
    by_link,
    fill,
    first_step,
    hidden,
    passwords,
    rosa,
    second_step,
    sign_in,
    with_two_steps,
    words,
)

__all__ = ["browse", "passwords", "rosa"]
MINE = "/me/sign-in"
NEW = "Seven quiet herons at dusk"
COLLEAGUE = "/people/new-sign-in"


@pytest.fixture
async def alan(tenant: Tenant, clock: FixedClock, passwords: Passwords) -> Person:
    """The administrator of Rosa's agency."""
    made = await add_person(tenant, clock, "Alan T", "alan@hv.example", role=Role.ADMINISTRATOR)
    return await with_two_steps(made, passwords)


def secret_on(page: httpx.Response) -> str:
    found = re.search(r'<code class="panel-secret">([A-Z2-7 ]+)</code>', page.text)
    assert found is not None
    return found[1].replace(" ", "")


async def again(browser: httpx.AsyncClient, person: Person) -> None:
    """Show again who it is, with a fresh code."""
    person.clock.set(person.clock.now() + timedelta(seconds=60))
    answer = await fill(
        browser, "/sign-in/again?next=/me/sign-in", "/sign-in/again",
        password=PASSWORD, code=person.code(),
    )  # fmt: skip
    assert (answer.status_code, answer.headers["location"]) == (303, MINE)


async def test_a_new_administrator_chooses_a_password_and_codes_after_the_first_link(
    browse: Browse, tenant: Tenant, clock: FixedClock
) -> None:
    alan = await add_person(tenant, clock, "Alan Thimblewood", role=Role.ADMINISTRATOR)
    async with browse() as browser:
        landed = await by_link(browser, alan)
        assert landed.headers["location"] == f"{MINE}/set-up"
        assert f'href="{MINE}/password"' in (await browser.get(f"{MINE}/set-up")).text
        page = await browser.get(f"{MINE}/password")
        assert "<svg" in page.text
        assert not re.search(r"<svg[^>]*style=|<style", page.text), "the policy allows no style"
        alan.secret = secret_on(page)
        given = hidden(page, f"{MINE}/password")
        for typed, wrong in (
            ({"password": "short", "code": alan.code()}, "12 characters or more"),
            ({"password": "Alan Thimblewood 1", "code": alan.code()}, "your name"),
            ({"password": NEW, "code": "000000"}, "The code is not right"),
            ({"password": "", "code": ""}, "Enter a password"),
        ):
            refused = await browser.post(f"{MINE}/password", data=given | typed)
            assert refused.status_code == 422
            assert wrong in words(refused)
            assert secret_on(refused) == alan.secret, "the app stays right"
            assert f'value="{typed["password"]}"' not in refused.text or not typed["password"]
        cookie = browser.cookies["panel_session"]
        right = given | {"password": NEW, "code": alan.code()}
        answer = await browser.post(f"{MINE}/password", data=right)
        assert answer.headers["location"] == f"{MINE}/recovery-codes?next={MINE}"
        assert browser.cookies["panel_session"] != cookie
        assert await alan.told() == ["A password with codes was set for you."]
        shown = await fill(
            browser, f"{MINE}/recovery-codes?next=/calendar", f"{MINE}/recovery-codes"
        )
        codes = re.findall(r"<code class=\"panel-secret\">([a-z2-7-]+)</code>", shown.text)
        assert len(codes) == 10
        assert 'href="/calendar"' in shown.text
        assert codes[0] not in (await browser.get(f"{MINE}/recovery-codes")).text
    clock.set(clock.now() + timedelta(minutes=1))
    async with browse() as browser:
        assert (await first_step(browser, alan, NEW)).status_code == 303
        assert (await second_step(browser, codes[3])).status_code == 303
        assert "9 not used" in words(await browser.get(MINE))


async def test_a_secret_that_is_not_ours_is_not_taken(
    browse: Browse, tenant: Tenant, clock: FixedClock
) -> None:
    una, ines = [
        await add_person(tenant, clock, name, f"{name}@hv.example") for name in ("Una P", "Ines C")
    ]
    async with browse() as browser, browse() as other:
        await by_link(browser, una)
        await by_link(other, ines)
        theirs = await other.get(f"{MINE}/password")
        code = pyotp.TOTP(secret_on(theirs)).at(clock.now())
        stolen = hidden(theirs, f"{MINE}/password")["offered"]
        for offered in (stolen, "AAAA", "é", "x" * 300):
            answer = await fill(
                browser, f"{MINE}/password", offered=offered, password=NEW, code=code
            )
            assert answer.status_code == 403, offered


async def test_every_change_asks_for_proof_and_is_told(browse: Browse, rosa: Person) -> None:
    async with browse() as browser, browse("203.0.113.3") as other:
        await sign_in(browser, rosa)
        rosa.clock.set(rosa.clock.now() + timedelta(minutes=1))
        await sign_in(other, rosa)
        rosa.clock.set(rosa.clock.now() + PROOF_LASTS)
        for page in (MINE, f"{MINE}/password", f"{MINE}/password/change", f"{MINE}/passkeys/new"):
            asks = await browser.get(page)
            assert (asks.status_code, asks.headers["location"]) == (
                303,
                f"/sign-in/again?next={page}",
            )
        await again(browser, rosa)
        refused = await fill(browser, f"{MINE}/password/change", password="password1234")
        assert "guessed first" in words(refused)
        changed = await fill(browser, f"{MINE}/password/change", password=NEW)
        assert changed.status_code == 303
        assert (await browser.get("/children")).status_code == 200
        assert (await other.get("/children")).status_code == 401, "signed out everywhere else"
        assert (await first_step(other, rosa, PASSWORD)).status_code == 422
        assert (await first_step(other, rosa, NEW)).status_code == 303
        last = await fill(browser, MINE, f"{MINE}/password/remove")
        assert last.status_code == 422
        assert "This is the only way in that you have" in words(last)
    assert await rosa.told() == ["Your password was changed. You were signed out everywhere else."]


async def test_a_form_that_asks_for_proof_keeps_all_but_the_password(
    browse: Browse, rosa: Person
) -> None:
    async with browse() as browser:
        await sign_in(browser, rosa)
        page = await browser.get(f"{MINE}/password/change")
        rosa.clock.set(rosa.clock.now() + PROOF_LASTS + timedelta(minutes=1))
        typed = hidden(page, f"{MINE}/password/change") | {"password": NEW}
        kept = await browser.post(f"{MINE}/password/change", data=typed)
        assert kept.status_code == 403
        assert NEW not in kept.text, "a page that stays open holds no password"
        assert "Show who you are (opens in a new tab)" in words(kept)
        assert 'href="/sign-in/again?next=/sign-in/done"' in kept.text
        await again(browser, rosa)
        form = kept.text[kept.text.index('<form method="post" action="/me') :]
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
        back = await browser.post(
            f"{MINE}/password/change", data={name: unescape(said) for name, said in fields.items()}
        )
        assert back.status_code == 409
        assert "You are signed in as Rosa Whitlow. Send it now." in words(back)
        sent = await browser.post(
            f"{MINE}/password/change", data=hidden(back, f"{MINE}/password/change")
        )
        assert sent.status_code == 422
        assert "Enter a password" in words(sent)
        given = hidden(sent, f"{MINE}/password/change") | {"password": NEW}
        sent = await browser.post(f"{MINE}/password/change", data=given)
        assert sent.status_code == 303
    assert len(await rosa.told()) == 1


@pytest.mark.parametrize("typed", [{"password": "wrong wrong wrong"}, {"code": "000000"}, {}])
async def test_what_is_wrong_shows_nobody(
    browse: Browse, rosa: Person, typed: dict[str, str]
) -> None:
    async with browse() as browser:
        await sign_in(browser, rosa)
        rosa.clock.set(rosa.clock.now() + PROOF_LASTS)
        given = {"password": PASSWORD, "code": rosa.code()} | (typed or {"code": ""})
        answer = await fill(browser, "/sign-in/again", **given)
        assert answer.status_code == 422
        assert "The password or the code is not right" in words(answer)
        assert (await browser.get(MINE)).status_code == 303


async def test_sessions_are_listed_and_end_at_once(browse: Browse, rosa: Person) -> None:
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Safari/604.1"
    async with (
        browse(user_agent=firefox) as here,
        browse("203.0.113.5", user_agent=phone) as lost,
        browse("203.0.113.6") as third,
    ):
        for browser in (lost, third, here):
            await sign_in(browser, rosa)
            rosa.clock.set(rosa.clock.now() + timedelta(minutes=1))
        page = await here.get(MINE)
        assert "Firefox on Linux" in words(page)
        assert "Safari on iPhone" in words(page)
        assert "With a password and a code" in words(page)
        line = page.text[page.text.index("Safari on iPhone") :]
        found = re.search(rf'action="({MINE}/sessions/[^"]+/end)"', line)
        assert found is not None
        assert (await lost.get("/children")).status_code == 200
        assert (await fill(here, MINE, found[1])).status_code == 303
        assert (await lost.get("/children")).status_code == 401
        assert (await third.get("/children")).status_code == 200
        assert (await fill(here, MINE, f"{MINE}/sessions/end-others")).status_code == 303
        assert (await third.get("/children")).status_code == 401
        assert await rosa.sessions() == 1
        foreign = found[1]
        ines = await with_two_steps(
            await add_person(rosa.tenant, rosa.clock, "Ines C", "ines@hv.example"),
            Passwords(),
        )
        await sign_in(third, ines)
        given = hidden(await third.get(MINE), f"{MINE}/password/remove")
        assert (await third.post(foreign, data=given)).status_code == 303
        assert await rosa.sessions() == 1, "nobody ends another’s"


async def test_an_administrator_of_the_agency_starts_a_colleague_anew(
    browse: Browse, rosa: Person, alan: Person, tenant: Tenant, clock: FixedClock
) -> None:
    stranger = await add_person(tenant, clock, "Una Pike", "una@school.example", agency="school")
    async with browse() as hers, browse("203.0.113.8") as his:
        await sign_in(hers, rosa)
        assert (await hers.get(COLLEAGUE)).status_code == 403
        await sign_in(his, alan)
        answers = [
            await fill(his, COLLEAGUE, email=email)
            for email in (stranger.email, "nobody@hv.example", alan.email)
        ]
        assert [one.status_code for one in answers] == [422, 422, 422]
        said = {words(one).replace(person, "") for one, person in zip(
            answers, (stranger.email, "nobody@hv.example", alan.email), strict=True
        )}  # fmt: skip
        assert len(said) == 1
        assert (await hers.get("/children")).status_code == 200
        async with tenant.transaction() as session:
            unused = await make_link(session, rosa.id, "worker", clock.now() + timedelta(hours=1))
        made = await fill(his, COLLEAGUE, email=rosa.email)
        page = await his.get(made.headers["location"])
        link = await rosa.link()
        assert f"Made for {rosa.email} on" in words(page)
        for shown in (made, page, await his.get(COLLEAGUE)):
            assert link not in shown.text, "shown to nobody"
            assert LINK.search(shown.text) is None
        assert (await hers.get("/children")).status_code == 401, "signed out everywhere"
        assert (await hers.post(f"/sign-in/{unused}")).status_code == 410
        assert (await first_step(hers, rosa)).status_code == 422, "the password is void"
        assert (await hers.post(link)).headers["location"] == f"{MINE}/set-up"
        assert (await hers.get(f"{MINE}/password")).status_code == 200
        clock.set(clock.now() + PROOF_LASTS)
        assert (await his.get(COLLEAGUE)).headers["location"].startswith("/sign-in/again")
    told = await rosa.told()
    assert len(told) == 2
    assert told[0].startswith("An administrator of your agency made a link")
    assert told[1].startswith("You choose anew how you sign in to Panel")


async def test_the_address_of_whoever_came_in_is_changed_by_nobody(
    browse: Browse, rosa: Person, alan: Person
) -> None:
    """Started anew they have no way in of their own: they are whom they were all the same."""
    async with browse() as hers, browse("203.0.113.8") as his:
        await sign_in(hers, rosa)
        await sign_in(his, alan)
        page = (await fill(his, COLLEAGUE, email=rosa.email)).headers["location"]
        assert "Correct the address" not in words(await his.get(page))
        refused = await his.get(f"{page}/address")
        assert refused.status_code == 403
        assert "whoever reads the new mailbox would read their cases" in words(refused)
        given = hidden(await his.get(page), f"{page}/invitation") | {"email": alan.email + ".uk"}
        assert (await his.post(f"{page}/address", data=given)).status_code == 403
        assert (await hers.post(await rosa.link())).status_code == 303, "her link goes on"


async def test_a_mistyped_address_is_corrected_until_its_owner_comes_in(
    browse: Browse, alan: Person, tenant: Tenant, clock: FixedClock
) -> None:
    nia = await add_person(tenant, clock, "Nia Frost", "nia@hv.exmaple")
    page = f"/people/workers/{nia.id}"
    async with browse() as his, browse("203.0.113.8") as hers:
        await sign_in(his, alan)
        await fill(his, page, f"{page}/invitation")
        mistyped = await nia.link()
        for wrong, why in (
            (nia.email, "the address that the link went to"),
            (alan.email, "Somebody has this e-mail address already"),
            ("nia frost", "Enter one e-mail address"),
        ):
            answer = await fill(his, f"{page}/address", email=wrong)
            assert (answer.status_code, why in words(answer)) == (422, True)
        assert (await fill(his, f"{page}/address", email="nia@hv.example")).status_code == 303
        nia.email = "nia@hv.example"
        shown = await his.get(page)
        assert "Made for nia@hv.example on" in words(shown)
        assert LINK.search(shown.text) is None
        assert (await hers.post(mistyped)).status_code == 410
        assert (await hers.post(await nia.link())).status_code == 303
        assert (await his.get(f"{page}/address")).status_code == 403
        assert "Made for" not in words(await his.get(page)), "used"


async def test_the_page_says_when_a_link_went_and_why_it_did_not(
    browse: Browse, alan: Person, tenant: Tenant, clock: FixedClock
) -> None:
    class Way:
        async def send(self, message: EmailMessage) -> None:
            if "exmaple" in message["To"]:
                raise Bounced("The mail server says that there is no such address.")

    nia = await add_person(tenant, clock, "Nia Frost", "nia@hv.exmaple")
    page = f"/people/workers/{nia.id}"
    async with browse() as his:
        await sign_in(his, alan)
        await fill(his, page, f"{page}/invitation")
        for address, said in (
            ("nia@hv.exmaple", "and it did not go: The mail server says that there is no such"),
            ("nia@hv.example", "Sent to nia@hv.example on"),
        ):
            if address != nia.email:
                await fill(his, f"{page}/address", email=address)
            async with tenant.transaction(JOB) as session:
                await send_due(session, Way(), clock.now(), may_go=still_may_go(tenant, SITE))
            assert said in words(await his.get(page))


async def test_who_came_in_is_at_work_whatever_became_of_a_later_link(
    browse: Browse, alan: Person, rosa: Person
) -> None:
    page = f"/people/workers/{rosa.id}"
    async with browse() as his, browse() as hers:
        await sign_in(hers, rosa)
        await sign_in(his, alan)
        for step in ("invitation", "invitation/withdraw"):
            answer = await fill(his, page, f"{page}/{step}")
            assert answer.status_code == 303
            shown = words(await his.get(page))
            assert "Invit" not in shown.split("Account")[0], step
            assert "Active" in shown, step


async def test_a_way_in_that_began_with_the_old_password_is_over(
    browse: Browse, rosa: Person, passwords: Passwords, tenant: Tenant
) -> None:
    async with browse() as browser:
        assert (await first_step(browser, rosa)).status_code == 303
        hashed = await passwords.hash(NEW)
        async with tenant.transaction(rosa.id) as session:
            await change_password(session, await worker_of(session, rosa.id), hashed)
        late = await browser.get("/sign-in/second")
        assert (late.status_code, await rosa.sessions()) == (410, 0)


async def test_no_link_is_used_from_another_site(browse: Browse, rosa: Person) -> None:
    async with rosa.tenant.transaction() as session:
        link = await make_link(session, rosa.id, "worker", rosa.clock.now() + timedelta(hours=1))
    async with browse() as browser:
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = await browser.post(f"/sign-in/{link}", headers=headers)
            assert answer.status_code == 403
            assert "panel_session" not in answer.cookies
        assert (await browser.post(f"/sign-in/{link}")).headers["location"] == "/"


async def test_nothing_of_it_stands_in_the_clear(rosa: Person, tenant: Tenant) -> None:
    async with tenant.transaction() as session:
        row = (await session.execute(text("SELECT p::text FROM own_password p"))).scalar_one()
    for told in (PASSWORD, "argon2", rosa.secret, rosa.secret.encode().hex(), "6172676f6e32"):
        assert told not in row
