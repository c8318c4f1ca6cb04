"""Money is neither lost nor made where a year turns, a package ends or a pot is missing."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from panel.allocation import packages, payments, pots
from panel.allocation.costing import Every
from panel.allocation.money import FinancialYear
from panel.allocation.new_year import promise_out_of_new_pots
from panel.allocation.package_models import EntryKind, PackageKind, PotKind
from panel.allocation.packages_pages import steps_of
from panel.allocation.payments import Account, Balance
from panel.platform.clock import FixedClock
from panel.platform.problems import Invalid
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Access
from tests.allocation.money_world import Money, Open, planned, version_of
from tests.allocation.test_the_last_of_a_pot import agrees

NEXT_YEAR = FinancialYear(2027)


async def wrong(opened: Open, does: Callable[[Access], Awaitable[object]]) -> str:
    with pytest.raises(Invalid) as refused:
        async with opened() as access:
            await does(access)
    return refused.value.errors[0].sentence


async def signed(opened: Open, money: Money, **changed: object) -> UUID:
    one = await planned(opened, money, **changed)
    version = await version_of(opened, one)
    async with opened() as access:
        await packages.approve(access, one, version)
    return one


async def billed(opened: Open, one: UUID, first: date, last: date, amount: str) -> None:
    version = await version_of(opened, one)
    async with opened() as access:
        found = await packages.package_for_reading(access, one)
        assert isinstance(found, packages.PackageReading)
        line = found.lines[0].id
        days = first, last
        await packages.bill(access, one, version, line, days, Decimal(1), Decimal(amount))


async def test_a_bill_of_a_new_year_waits_for_its_pot_and_is_paid_out_of_it(
    tenant: Tenant, money: Money, opened: Open, clock: FixedClock
) -> None:
    one = await signed(opened, money, price="365.00", every=Every.YEAR, until_on=None)
    clock.set(clock.now().replace(year=2027, month=5))
    april = date(2027, 4, 1), date(2027, 4, 30)
    # Without a pot of the year it is not written down as if somebody had paid it.
    with pytest.raises(Invalid, match=r"One answer") as refused:
        await billed(opened, one, *april, "30.00")
    assert refused.value.errors[0].sentence == (
        "There is no pot Short breaks for 2027-28: open it first"
    )
    async with tenant.transaction(money.budget.id) as session:
        new = pots.NewPot("Short breaks", PotKind.SHARE, money.council, NEXT_YEAR, Decimal(5000))
        following = (await pots.make_pot(session, money.budget, new)).id
    await billed(opened, one, *april, "30.00")
    assert await agrees(tenant, following) == (5000, 365, 30)


async def test_a_last_bill_comes_after_the_end_and_only_for_days_of_the_service(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    one = await signed(opened, money, price="7.00", every=Every.WEEK)
    version = await version_of(opened, one)
    assert (
        await wrong(
            opened,
            lambda access: packages.end_package(access, one, version, date(2028, 1, 1)),
        )
        == "The package ends on 31 March 2027 already: it cannot end later"
    )
    async with opened() as access:
        await packages.end_package(access, one, version, date(2026, 10, 31))
    assert await agrees(tenant, money.pot) == (10000, 31, 0)
    outside = "The days must lie within those of the service"
    for first, last in (
        (date(2026, 9, 30), date(2026, 10, 2)),
        (date(2026, 10, 31), date(2026, 11, 1)),
    ):
        with pytest.raises(Invalid) as refused:
            await billed(opened, one, first, last, "1.00")
        assert refused.value.errors[0].sentence == outside
    await billed(opened, one, date(2026, 10, 1), date(2026, 10, 31), "31.00")
    assert await agrees(tenant, money.pot) == (10000, 31, 31)
    async with opened() as access:
        found = await packages.package_for_reading(access, one)
    assert isinstance(found, packages.PackageReading)
    steps = steps_of(found, may_prepare=True, may_approve=True, may_sign=True, may_see_account=True)
    assert list(steps) == ["bill", "bill-back"]


async def test_what_made_a_lack_good_is_not_asked_back(money: Money, opened: Open) -> None:
    one = await signed(opened, money, kind=PackageKind.DIRECT_PAYMENT, price="500.00")
    october = date(2026, 10, 1), date(2026, 10, 31)
    version = await version_of(opened, one)
    async with opened() as access:
        await payments.take_return(access, one, version, october, Decimal("12.50"), "Nights")
    version = await version_of(opened, one)
    async with opened() as access:
        await payments.reconcile(access, one, version, october[1], "made_good", "")
    async with opened() as access:
        account = await payments.account_for_reading(access, one, money.council)
        assert isinstance(account, Account)
        assert [one.amount for one in account.payments] == [Decimal("12.50")]
        assert account.balance(access.today) == Balance(Decimal(0), Decimal(0), Decimal(0))


async def test_a_pot_that_is_opened_is_not_promised_twice(
    tenant: Tenant, money: Money, opened: Open, clock: FixedClock
) -> None:
    one = await signed(opened, money, price="365.00", every=Every.YEAR, until_on=None)
    over = await signed(opened, money, price="365.00", every=Every.YEAR)
    clock.set(clock.now().replace(year=2027, month=5))

    async def promises() -> int:
        async with tenant.transaction(JOB) as session:
            return await promise_out_of_new_pots(session)

    assert await promises() == 0
    async with tenant.transaction(money.budget.id) as session:
        new = pots.NewPot("Short breaks", PotKind.SHARE, money.council, NEXT_YEAR, Decimal(100))
        made = await pots.make_pot(session, money.budget, new)
        following, version = made.id, made.version
    # Not enough is in it: it waits, and nothing is promised by halves.
    assert await promises() == 0
    assert await agrees(tenant, following) == (100, 0, 0)
    async with tenant.transaction(money.budget.id) as session:
        kind = EntryKind.TOP_UP
        await pots.pay_in(
            session, money.budget, following, version, kind, Decimal(900), money.council
        )
    assert await promises() == 1
    assert await promises() == 0
    assert await agrees(tenant, following) == (1000, 365, 0)
    async with tenant.transaction(JOB) as session:
        assert set(await pots.promised(session, over)) == {money.pot}
        assert set(await pots.promised(session, one)) == {money.pot, following}


async def test_what_comes_back_after_a_year_end_goes_back_where_it_was_paid(
    tenant: Tenant, money: Money, opened: Open, clock: FixedClock
) -> None:
    one = await signed(opened, money, kind=PackageKind.DIRECT_PAYMENT, price="500.00")
    days = date(2026, 10, 1), date(2026, 10, 31)
    version = await version_of(opened, one)
    async with opened() as access:
        amount = Decimal(300)
        await payments.pay(access, one, version, "broker", amount, date(2026, 11, 2), days)
    clock.set(clock.now().replace(year=2027, month=5))
    version = await version_of(opened, one)
    async with opened() as access:
        april = date(2026, 10, 1), date(2027, 4, 30)
        await payments.take_return(access, one, version, april, Decimal(260), "Nights")
    version = await version_of(opened, one)
    async with opened() as access:
        await payments.reconcile(access, one, version, date(2027, 4, 30), "paid_back", "")
    assert await agrees(tenant, money.pot) == (10000, 500, 260)


async def test_two_stays_in_two_packages_at_once_pass_no_limit_unseen(
    money: Money, opened: Open
) -> None:
    both = [await planned(opened, money) for _ in range(2)]
    first, second = date(2026, 10, 2), date(2026, 10, 12)

    async def stays(one: UUID, begins: date) -> str:
        version = await version_of(opened, one)
        async with opened() as access:
            found = await packages.package_for_reading(access, one)
            assert isinstance(found, packages.PackageReading)
            line = found.lines[0].id
            days = begins, begins + timedelta(days=9)
            try:
                await packages.plan_stay(access, one, version, line, days, knowing=False)
            except Invalid as refused:
                return refused.errors[0].field
        return ""

    told = await asyncio.gather(stays(both[0], first), stays(both[1], second))
    assert sorted(told) == ["", "knowing"]
