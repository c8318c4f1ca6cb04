"""Direct payments held by a broker, returns, reconciliation; inclusion grants under their limit."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from panel.allocation import grants, packages, payments
from panel.allocation.package_models import PackageKind
from panel.allocation.packages_settings import GRANT_LIMIT, set_packages
from panel.allocation.payments import Account, Balance, outcome_mistake
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


async def test_an_account_with_a_broker_from_payment_to_reconciliation(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    one = await planned(opened, money, PackageKind.DIRECT_PAYMENT, price="500.00")

    async def paid(to: str, amount: str, on: date = date(2026, 10, 1)) -> None:
        async with opened() as access:
            version = await _version(access, one)
            await payments.pay(access, one, version, to, Decimal(amount), on, OCTOBER)

    async def refused(to: str, amount: str, on: date = date(2026, 10, 1)) -> list[str]:
        with pytest.raises(Invalid) as told:
            await paid(to, amount, on)
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
    assert await refused("broker", "200.01") == [
        "£200.01 is to be paid, and £200.00 of what was promised is left"
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
