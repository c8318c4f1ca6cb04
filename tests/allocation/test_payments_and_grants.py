"""Direct payments held by a broker, returns, reconciliation; inclusion grants under their limit."""

import asyncio
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from panel.allocation import grants, packages, payments, pots
from panel.allocation.money import FinancialYear
from panel.allocation.package_models import PackageKind, PotKind
from panel.allocation.packages_settings import GRANT_LIMIT, set_packages
from panel.allocation.payments import Account, Balance, outcome_mistake
from panel.platform.clock import FixedClock
from panel.platform.problems import Conflict, Invalid, NotAllowed
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Access
from tests.allocation.money_world import Money, Open, planned
from tests.allocation.test_the_last_of_a_pot import agrees

OVER_THE_LIMIT = (
    "An inclusion grant is £250.00 at most: ask the allocation panel for more, with a request for"
    " service"
)
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))


async def test_an_account_with_a_broker_from_payment_to_reconciliation(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    one = await planned(opened, money, PackageKind.DIRECT_PAYMENT, price="500.00")

    async def paid(
        to: str, amount: str, on: date = date(2026, 10, 1), days: payments.Days = OCTOBER
    ) -> None:
        async with opened() as access:
            version = await _version(access, one)
            await payments.pay(access, one, version, to, Decimal(amount), on, days)

    async def refused(
        to: str, amount: str, on: date = date(2026, 10, 1), days: payments.Days = OCTOBER
    ) -> list[str]:
        with pytest.raises(Invalid) as told:
            await paid(to, amount, on, days)
        return [each.sentence for each in told.value.errors]

    assert await refused("broker", "10") == [
        "The package is not approved yet: nothing is paid for it"
    ]
    async with opened() as access:
        await packages.approve(access, one, await _version(access, one))
    assert await refused("family", "10") == [
        "Choose whom the plan names: the broker holds the money"
    ]
    assert await refused("broker", "-10", date(2026, 12, 1)) == [
        "The amount must not be below £0.00",
        "The day of a payment must be today or in the past",
    ]
    assert await refused("broker", "1", date(1, 1, 1)) == [
        "The package starts on 1 October 2026: the payment is long before"
    ]
    await paid("broker", "300.00")
    assert await refused("broker", "200.01", days=NOVEMBER) == [
        "£200.01 is to be paid, and £200.00 of what was promised is left"
    ]

    assert await refused("broker", "1.00", days=(OCTOBER[1], NOVEMBER[1])) == [
        (
            "£300.00 was paid on 1 October 2026 for 1 October 2026 to 31 October 2026 already:"
            " write other days"
        )
    ]

    async def returned(first: date, last: date, spent: str) -> None:
        async with opened() as access:
            version = await _version(access, one)
            await payments.take_return(
                access, one, version, (first, last), Decimal(spent), "Nights"
            )

    async def settled(until: date, outcome: str) -> None:
        async with opened() as access:
            version = await _version(access, one)
            await payments.reconcile(access, one, version, until, outcome, "")

    with pytest.raises(Invalid) as early:
        await settled(OCTOBER[1], "carried_over")
    assert early.value.errors[0].sentence == (
        "Money was paid and there is no return for it yet: ask the family or the broker"
    )
    await returned(*OCTOBER, "260.00")
    with pytest.raises(Invalid) as twice:
        await returned(date(2026, 10, 31), date(2026, 11, 2), "1.00")
    assert twice.value.errors[0].sentence == (
        "There is a return from 1 October 2026 to 31 October 2026 already: write the days that it"
        " leaves"
    )
    with pytest.raises(Invalid) as even:
        await settled(OCTOBER[1], "even")
    assert even.value.errors[0].sentence == (
        "£40.00 is left: choose whether it is carried over or paid back"
    )
    await settled(OCTOBER[1], "carried_over")
    await returned(date(2026, 11, 1), date(2026, 11, 7), "10.00")
    async with opened() as access:
        account = await payments.account_for_reading(access, one, money.council)
        assert isinstance(account, Account)
        assert account.balance(date(2026, 11, 8)) == Balance(Decimal(40), Decimal(0), Decimal(10))
    await settled(date(2026, 11, 8), "paid_back")
    assert await agrees(tenant, money.pot) == (10000, 500, 270)
    with pytest.raises(Invalid) as late:
        await paid("broker", "1.00", date(2026, 11, 8))
    assert late.value.errors[0].sentence.startswith("It is reconciled up to 8 November 2026")
    await returned(date(2026, 11, 9), date(2026, 11, 20), "12.50")
    await settled(date(2026, 11, 20), "made_good")
    assert await agrees(tenant, money.pot) == (10000, 500, Decimal("282.50"))
    # Ended, its last return and reconciliation still come; what is paid back is free again.
    async with opened() as access:
        version = await _version(access, one)
        await packages.end_package(access, one, version, date(2026, 11, 22))
    assert await agrees(tenant, money.pot) == (10000, 500, Decimal("282.50"))
    with pytest.raises(NotAllowed):
        async with opened(money.family.rosa) as access:
            await payments.pay(
                access, one, await _version(access, one), "broker", Decimal(1), OCTOBER[0], OCTOBER
            )


async def _version(access: Access, package_id: UUID) -> int:
    found = await packages.package_for_reading(access, package_id)
    assert isinstance(found, packages.PackageReading)
    return found.version


def test_what_becomes_of_a_balance_must_fit_it() -> None:
    assert outcome_mistake(Decimal(0), "even") == ""
    assert outcome_mistake(Decimal(-5), "made_good") == ""
    assert outcome_mistake(Decimal(-5), "paid_back") == (
        "£5.00 was laid out: choose whether it is carried over or made good"
    )
    assert outcome_mistake(Decimal(0), "carried_over") == (
        "Nothing is left and nothing is owed: choose that it is even"
    )


async def test_an_inclusion_grant_is_approved_at_once_under_its_limit(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    async def asked(amount: str) -> UUID:
        async with opened(money.family.rosa) as access:
            return (await grants.ask_for_grant(access, Decimal(amount), "Swimming club")).id

    for amount, sentence in (
        ("250.01", OVER_THE_LIMIT),
        ("-5", "The amount must not be below £0.00"),
        ("5.555", "The amount must be in pounds and pence, with at most two decimals"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            await asked(amount)
        assert refused.value.errors[0].sentence == sentence
    one = await asked("250.00")
    with pytest.raises(NotAllowed):
        async with opened(money.family.rosa) as access:
            await grants.decide_grant(access, one, 1, pot_id=money.pot, answer="")
    async with opened() as access:
        await grants.decide_grant(access, one, 1, pot_id=money.pot, answer="")
    assert await agrees(tenant, money.pot) == (10000, 250, 250)
    with pytest.raises(Conflict):
        async with opened() as access:
            await grants.decide_grant(access, one, 1, pot_id=money.pot, answer="")
    async with opened() as access:
        mine = (await grants.ask_for_grant(access, Decimal(20), "A ball")).id
    with pytest.raises(NotAllowed, match="You asked for this grant"):
        async with opened() as access:
            await grants.decide_grant(access, mine, 1, pot_id=money.pot, answer="")
    async with opened() as access:
        await grants.decide_grant(access, mine, 1, pot_id=None, answer="He has one")
    two = await asked("100.00")
    with pytest.raises(Invalid, match=r"^One answer"):
        async with opened() as access:
            await grants.decide_grant(access, two, 1, pot_id=None, answer="")
    async with tenant.transaction(JOB) as session:
        await set_packages(session, GRANT_LIMIT, "99.99", "The panel of 12 November")
    with pytest.raises(Invalid) as over:
        async with opened() as access:
            await grants.decide_grant(access, two, 1, pot_id=money.pot, answer="")
    assert over.value.errors[0].sentence == "Without the panel £99.99 at most is approved"
    async with opened() as access:
        await grants.decide_grant(access, two, 1, pot_id=None, answer="The club is free")
    async with opened() as access:
        states = [each.state for each in await grants.grants_for_reading(access)]
    assert sorted(states) == ["approved", "declined", "declined"]


async def test_days_are_paid_for_again_once_all_of_it_came_back(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    one = await planned(opened, money, PackageKind.DIRECT_PAYMENT, price="500.00")
    async with opened() as access:
        await packages.approve(access, one, await _version(access, one))

    async def paid(on: date) -> None:
        async with opened() as access:
            version = await _version(access, one)
            await payments.pay(access, one, version, "broker", Decimal(300), on, OCTOBER)

    async def settled(until: date, spent: str, outcome: str) -> None:
        async with opened() as access:
            first = date(2026, 10, 1) if until.month == 10 else date(2026, 11, 3)
            await payments.take_return(
                access, one, await _version(access, one), (first, until), Decimal(spent), ""
            )
            await access.session.flush()
            await payments.reconcile(access, one, await _version(access, one), until, outcome, "")

    await paid(OCTOBER[0])
    await settled(date(2026, 10, 31), "0.00", "paid_back")
    await paid(date(2026, 11, 3))
    assert await agrees(tenant, money.pot) == (10000, 500, 300)
    # Of what was spent in part nothing is paid a second time.
    await settled(date(2026, 11, 10), "1.00", "paid_back")
    with pytest.raises(Invalid) as again:
        await paid(date(2026, 11, 12))
    assert again.value.errors[0].sentence.startswith("£300.00 was paid on 3 November 2026 for")


async def test_days_of_a_service_are_billed_once_unless_the_bill_is_taken_back(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    one = await planned(opened, money, price="500.00")
    async with opened() as access:
        await packages.approve(access, one, await _version(access, one))
        found = await packages.package_for_reading(access, one)
    assert isinstance(found, packages.PackageReading)
    line = found.lines[0].id

    async def billed(amount: str, days: payments.Days) -> str:
        try:
            async with opened() as access:
                version = await _version(access, one)
                await packages.bill(access, one, version, line, days, Decimal(1), Decimal(amount))
        except Invalid as refused:
            return refused.errors[0].sentence
        except Conflict:
            return "changed"
        return ""

    # Twice at one instant: one is kept, and the other hears of it.
    both = await asyncio.gather(billed("200.00", OCTOBER), billed("200.00", OCTOBER))
    assert sorted(map(bool, both)) == [False, True]
    assert await billed("10.00", (OCTOBER[1], date(2026, 11, 3))) == (
        "£200.00 was billed for 1 October 2026 to 31 October 2026 already: write other days, or take"
        " that bill back"
    )

    async def taken_back() -> None:
        async with opened() as access:
            found = await packages.package_for_reading(access, one)
            assert isinstance(found, packages.PackageReading)
            wrong = found.lines[0].actuals[0].id
            await packages.take_bill_back(access, one, found.version, wrong)

    await taken_back()
    assert await agrees(tenant, money.pot) == (10000, 500, 0)
    with pytest.raises(Invalid) as twice:
        await taken_back()
    assert twice.value.errors[0].sentence == "This bill was taken back already"
    assert await billed("20.00", OCTOBER) == ""
    assert await agrees(tenant, money.pot) == (10000, 500, 20)


async def test_the_grants_of_a_child_in_a_year_are_one_sum(
    tenant: Tenant, money: Money, opened: Open, clock: FixedClock
) -> None:
    async def asked(amount: str) -> UUID:
        async with opened(money.family.rosa) as access:
            return (await grants.ask_for_grant(access, Decimal(amount), "Swimming club")).id

    async def approved(one: UUID, pot: UUID = money.pot) -> str:
        try:
            async with opened() as access:
                await grants.decide_grant(access, one, 1, pot_id=pot, answer="")
        except Invalid as refused:
            return refused.errors[0].sentence
        return ""

    assert await approved(await asked("50.00")) == ""
    # Two at one instant, each under the limit and together over it.
    two = [await asked("150.00") for _ in range(2)]
    told = await asyncio.gather(*map(approved, two))
    assert sorted(told) == [
        "",
        (
            "Without the panel £250.00 at most is approved for a child in a financial year, and"
            " £50.00 of it is left in 2026-27"
        ),
    ]
    assert await agrees(tenant, money.pot) == (10000, 200, 200)
    # The next financial year begins anew.
    clock.set(clock.now().replace(year=2027, month=5))
    async with tenant.transaction(money.budget.id) as session:
        new = pots.NewPot(
            "Short breaks", PotKind.SHARE, money.council, FinancialYear(2027), Decimal(500)
        )
        following = (await pots.make_pot(session, money.budget, new)).id
    lost = two[0 if told[0] else 1]
    assert await approved(lost, following) == ""
