"""Whoever guesses is slowed down, and nobody is locked out by others (docs/adr/0019)."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import text

from panel.accounts.entering import Claim, account_of, try_code, try_password
from panel.accounts.passwords import Passwords
from panel.accounts.throttle import (
    AT_ACCOUNT_BY_STRANGERS,
    AT_ACCOUNT_FROM_HERE,
    FROM_HERE,
    KNOWN_FOR,
    forget_attempts,
    whose_address,
)
from panel.platform.clock import FixedClock
from panel.platform.problems import TooMany
from panel.platform.tenancy import Tenant
from tests.accounts.authenticator import Device
from tests.accounts.signing_in import (
    PASSWORD,
    Browse,
    Person,
    browse,
    first_step,
    passwords,
    rosa,
    second_step,
    sign_in,
    words,
)
from tests.accounts.test_passkeys import add, enter

__all__ = ["browse", "passwords", "rosa"]
HOME = "198.51.100.4"
ELSEWHERE = "192.0.2.77"
WRONG = "wrong wrong wrong"
AT_ONCE = 8


@pytest.mark.parametrize(
    ("client", "forwarded", "hops", "found"),
    [
        ("192.0.2.1", "", 0, "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", 0, "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9", 1, "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9", 1, "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", 2, "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9", 2, "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", 0, "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "", 0, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "", 0, "192.0.2.1"),
        ("fe80::1%eth0", "", 0, "fe80::/64"),
        ("testclient", "", 0, "testclient"),
        ("10.0.0.1", "rubbish", 1, "rubbish"),
    ],
)
def test_whose_address_it_is(client: str, forwarded: str, hops: int, found: str) -> None:
    assert whose_address(client, forwarded, hops) == found


async def knocks(
    rosa: Person, passwords: Passwords, addresses: list[str], email: str = ""
) -> dict[str, int]:
    """Wrong passwords from these addresses, several at once: how many were answered how."""
    told = {"wrong": 0, "not told": 0, "held back": 0}
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(address: str) -> None:
        async with gate:
            try:
                claim = await try_password(
                    rosa.tenant, passwords, email or rosa.email, WRONG, address
                )
            except TooMany:
                told["held back"] += 1
            else:
                told["wrong" if claim is None else "not told"] += 1

    await asyncio.gather(*(one(address) for address in addresses))
    return told


async def test_a_thousand_from_many_addresses_lock_nobody_out(
    browse: Browse, rosa: Person, passwords: Passwords, clock: FixedClock
) -> None:
    async with browse(HOME) as browser:
        await sign_in(browser, rosa)
    clock.set(clock.now() + timedelta(minutes=2))
    botnet = [f"203.0.{by // 250}.{by % 250}" for by in range(1_000)]
    told = await knocks(rosa, passwords, botnet)
    assert told == {
        "wrong": AT_ACCOUNT_BY_STRANGERS.tries,
        "not told": 1_000 - AT_ACCOUNT_BY_STRANGERS.tries,
        "held back": 0,
    }
    async with browse(HOME) as browser:
        wrong = await first_step(browser, rosa, WRONG)
        assert wrong.status_code == 422, "where they signed in before, a slip is told at once"
        await sign_in(browser, rosa)
    clock.set(clock.now() + timedelta(minutes=2))
    async with browse(ELSEWHERE) as browser:
        assert (await first_step(browser, rosa, WRONG)).status_code == 303
        assert (await second_step(browser, rosa.code())).status_code == 422, "though the code is"
        await sign_in(browser, rosa)


async def test_a_thousand_from_one_address_hold_that_address_back_for_minutes(
    browse: Browse, rosa: Person, passwords: Passwords, clock: FixedClock, tenant: Tenant
) -> None:
    told = await knocks(rosa, passwords, [HOME] * 1_000)
    allowed = AT_ACCOUNT_FROM_HERE.tries
    assert told == {"wrong": allowed, "not told": 0, "held back": 1_000 - allowed}
    async with browse(HOME) as browser:
        page = await first_step(browser, rosa)
        assert page.status_code == 429
        assert "Your account is not locked: a passkey signs you in now." in words(page)
        assert "Try again in 15 minutes." in words(page)
    async with browse(ELSEWHERE) as browser:
        await sign_in(browser, rosa)
    other = Claim("another account", None, right=False)
    assert not await try_code(tenant, other, "000000", HOME), "others here are not held back"
    clock.set(clock.now() + AT_ACCOUNT_FROM_HERE.within)
    async with browse(HOME) as browser:
        await sign_in(browser, rosa)


async def test_its_owner_comes_in_by_passkey_through_a_storm_of_passwords(
    browse: Browse, rosa: Person, passwords: Passwords
) -> None:
    """From where the storm comes, and from an address that the account never knew."""
    device = Device()
    async with browse("203.0.113.200") as browser:
        await sign_in(browser, rosa)
        assert (await add(browser, device)).status_code == 303
    botnet = [f"203.0.{by // 250}.{by % 250}" for by in range(200)]
    await knocks(rosa, passwords, [HOME] * 200 + botnet)
    for address, said in ((HOME, 429), (ELSEWHERE, 303)):
        async with browse(address) as browser:
            held_back = await first_step(browser, rosa)
            assert held_back.status_code == said
        async with browse(address) as browser:
            answer = await enter(browser, device, "/sign-in?next=/calendar")
            assert (answer.status_code, answer.headers["location"]) == (303, "/calendar")
            assert (await browser.get("/children")).status_code == 200
    assert await rosa.sessions() == 3


async def test_an_account_that_is_not_there_is_counted_as_one_that_is(
    rosa: Person, passwords: Passwords
) -> None:
    botnet = [f"203.0.113.{by}" for by in range(60)]
    here = await knocks(rosa, passwords, botnet)
    assert here == await knocks(rosa, passwords, botnet, email="nobody@hv.example")
    assert here["not told"] == 60 - AT_ACCOUNT_BY_STRANGERS.tries


async def test_many_accounts_from_one_address_hold_it_back(
    rosa: Person, passwords: Passwords
) -> None:
    for by in range(FROM_HERE.tries):
        await knocks(rosa, passwords, [ELSEWHERE], email=f"{by}@hv.example")
    assert (await knocks(rosa, passwords, [ELSEWHERE]))["held back"] == 1
    assert (await knocks(rosa, passwords, [HOME]))["wrong"] == 1


async def test_who_knows_the_password_cannot_try_codes_without_end(
    rosa: Person, passwords: Passwords, tenant: Tenant
) -> None:
    claim = await try_password(tenant, passwords, rosa.email, PASSWORD, HOME)
    assert claim is not None
    assert await try_code(tenant, claim, rosa.code(), HOME)
    rosa.clock.set(rosa.clock.now() + timedelta(minutes=2))
    for by in range(AT_ACCOUNT_BY_STRANGERS.tries):
        assert not await try_code(tenant, claim, "000000", f"203.0.113.{by}")
    with pytest.raises(TooMany, match="A passkey or a recovery code signs you in now"):
        await try_code(tenant, claim, rosa.code(), ELSEWHERE)
    assert await try_code(tenant, claim, rosa.code(), HOME), "where they signed in before"
    # What follows a wrong password looks the same.
    guess = Claim(claim.account, claim.worker_id, right=False)
    with pytest.raises(TooMany, match="A passkey or a recovery code signs you in now"):
        await try_code(tenant, guess, "000000", ELSEWHERE)


async def test_what_a_wrong_code_is_told_does_not_say_whether_the_password_was_right(
    rosa: Person, tenant: Tenant
) -> None:
    async with tenant.transaction() as session:
        account = await account_of(session, rosa.id)
    right, wrong = (Claim(account, rosa.id, right=one) for one in (True, False))
    for _ in range(AT_ACCOUNT_FROM_HERE.tries):
        assert not await try_code(tenant, wrong, "000000", ELSEWHERE)
    for claim in (wrong, right):
        with pytest.raises(TooMany, match="tried too many times"):
            await try_code(tenant, claim, "000000", ELSEWHERE)
    for by in range(AT_ACCOUNT_BY_STRANGERS.tries):
        with suppress(TooMany):
            await try_code(tenant, wrong, "000000", f"203.0.113.{by}")
    for claim in (wrong, right):
        with pytest.raises(TooMany, match="A passkey or a recovery code"):
            await try_code(tenant, claim, "000000", "192.0.2.88")
    assert await try_code(tenant, right, rosa.code(), "192.0.2.88"), "the owner is not held back"


async def test_no_address_and_no_account_stands_in_the_tables(
    rosa: Person, passwords: Passwords, tenant: Tenant, clock: FixedClock
) -> None:
    await knocks(rosa, passwords, [HOME])
    claim = await try_password(tenant, passwords, rosa.email, PASSWORD, HOME)
    assert claim is not None
    await try_code(tenant, claim, rosa.code(), HOME)
    await knocks(rosa, passwords, [ELSEWHERE])
    async with tenant.transaction() as session:
        for table in ("sign_in_attempt", "known_address"):
            rows = (await session.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all()
            assert rows
            for told in (HOME, HOME.encode().hex(), rosa.email, claim.account, str(rosa.id)):
                assert not any(told in row for row in rows)
    clock.set(clock.now() + KNOWN_FOR + timedelta(days=1))
    async with tenant.transaction() as session:
        await forget_attempts(session, clock.now())
        for table in ("sign_in_attempt", "known_address"):
            assert (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0
