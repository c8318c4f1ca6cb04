"""A package from its plan to its end: what is promised, changed, billed, given back and refused."""

from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from consent import Viewer
from panel.allocation import packages, pots
from panel.allocation.costing import Every
from panel.allocation.money import FinancialYear
from panel.allocation.package_models import EntryKind, PackageKind, PotKind, Unit
from panel.allocation.packages_settings import limits, set_packages
from panel.platform.clock import FixedClock
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Access
from tests.allocation.money_world import (
    FIRST,
    THIS_YEAR,
    Money,
    Open,
    council_holder,
    health_holder,
    planned,
    version_of,
)

NEXT_YEAR = THIS_YEAR.following


async def told(opened: Open, work: Callable[[Access], Awaitable[object]]) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        async with opened() as access:
            await work(access)
    return {one.field: one.sentence for one in refused.value.errors}


async def read(opened: Open, package_id: UUID) -> packages.PackageReading:
    async with opened() as access:
        found = await packages.package_for_reading(access, package_id)
    assert isinstance(found, packages.PackageReading)
    return found


async def promised(tenant: Tenant, package_id: UUID) -> dict[UUID, tuple[Decimal, Decimal]]:
    async with tenant.transaction(JOB) as session:
        found = await pots.promised(session, package_id)
    return {pot: (one.committed, one.spent) for pot, one in found.items()}


async def test_a_package_over_two_years_is_promised_by_share_and_follows_its_price(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    one = await planned(opened, money, price="70.00", every=Every.WEEK, until_on=date(2027, 9, 30))
    version = await version_of(opened, one)
    async with opened(money.planner) as access:
        payers = [
            packages.Payer(money.council, 2, money.pot),
            packages.Payer(money.family.health, 1, money.pooled),
        ]
        await packages.share_cost(access, one, version, payers, 3, THIS_YEAR)
    async with opened() as access:
        await packages.approve(access, one, await _version(access, one))
    # 182 days of £10 to 31 March 2027: £1,820 in thirds. There is no pot for the next year yet.
    found = await read(opened, one)
    assert [found.cost(year).total for year in found.years] == [1820, 1830]
    assert await promised(tenant, one) == {
        money.pot: (Decimal("1213.33"), 0),
        money.pooled: (Decimal("606.67"), 0),
    }
    async with tenant.transaction(money.budget.id) as session:
        new = pots.NewPot("Short breaks", PotKind.SHARE, money.council, NEXT_YEAR, Decimal(5000))
        following = (await pots.make_pot(session, money.budget, new)).id
    # £77 a week from 1 March: 31 days of £11 instead of £10; 183 days of £11 next year.
    async with opened() as access:
        line = found.lines[0].id
        await packages.change_price(
            access, one, found.version, line, Decimal("77.00"), date(2027, 3, 1)
        )
    # It costs more: what was approved stands until somebody else has signed for it.
    assert (await promised(tenant, one))[money.pot] == (Decimal("1213.33"), 0)
    second = await council_holder(tenant, money)
    async with opened(second) as access:
        await packages.approve_change(access, one, await _version(access, one))
    assert await promised(tenant, one) == {
        money.pot: (Decimal("1234.00"), 0),
        money.pooled: (Decimal("617.00"), 0),
        following: (Decimal("1342.00"), 0),
    }
    # A bill of £100 is paid in thirds; one beyond what was promised is refused.
    found = await read(opened, one)
    days, later = (FIRST, date(2026, 10, 31)), (date(2026, 11, 1), date(2026, 11, 20))
    async with opened() as access:
        await packages.bill(access, one, found.version, line, days, Decimal(4), Decimal(100))
    assert await promised(tenant, one) == {
        money.pot: (Decimal("1234.00"), Decimal("66.67")),
        money.pooled: (Decimal("617.00"), Decimal("33.33")),
        following: (Decimal("1342.00"), 0),
    }
    version = await version_of(opened, one)
    assert await told(
        opened,
        lambda access: packages.bill(access, one, version, line, later, Decimal(1), Decimal(1752)),
    ) == {"amount": "£1,168.00 is to be paid, and £1,167.33 of what was promised is left"}
    # From April others pay: the council all of it.
    async with opened() as access:
        payers = [packages.Payer(money.council, 1, money.pot)]
        await packages.share_cost(access, one, version, payers, 1, NEXT_YEAR)
    async with opened(second) as access:
        await packages.approve_change(access, one, await _version(access, one))
    found = await read(opened, one)
    assert [len(found.cost(year).shares) for year in found.years] == [2, 1]
    assert (await promised(tenant, one))[following] == (Decimal("2013.00"), 0)
    far = await told(
        opened, lambda access: packages.end_package(access, one, found.version, date(9999, 12, 31))
    )
    assert far == {"until_on": "The last day must come within 25 years of the first"}
    # It ends early: what was promised for later comes back, what was paid does not.
    async with opened() as access:
        await packages.end_package(access, one, found.version, date(2026, 10, 7))
    assert await promised(tenant, one) == {
        money.pot: (Decimal("66.67"), Decimal("66.67")),
        money.pooled: (Decimal("33.33"), Decimal("33.33")),
        following: (0, 0),
    }
    version = await version_of(opened, one)
    ended = await told(opened, lambda access: packages.approve(access, one, version))
    assert ended == {"": "This package has ended: nothing in it changes any more"}


async def _version(access: Access, package_id: UUID) -> int:
    found = await packages.package_for_reading(access, package_id)
    assert isinstance(found, packages.PackageReading)
    return found.version


async def test_what_cannot_be_is_refused_with_a_sentence(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    backwards = packages.PackageWords("X", PackageKind.IN_KIND, FIRST, date(2026, 9, 30))
    assert await told(opened, lambda access: packages.start_package(access, backwards)) == {
        "until_on": "The last day must not come before the first: it starts on 1 October 2026 and"
        " would end on 30 September 2026"
    }
    long_ago = packages.PackageWords("X", PackageKind.IN_KIND, date(1, 1, 1), date(9999, 1, 1))
    assert await told(opened, lambda access: packages.start_package(access, long_ago)) == {
        "from_on": "The first day must lie between 1990 and 2100",
        "until_on": "The last day must come within 25 years of the first",
    }
    async with opened() as access:
        words = packages.PackageWords("Empty", PackageKind.DIRECT_PAYMENT, FIRST, None)
        empty = (await packages.start_package(access, words)).id
    assert await told(opened, lambda access: packages.approve(access, empty, 1)) == {
        "": "There is no service in this package yet. Nobody has said yet who pays. The plan of"
        " spending is not agreed with the family yet"
    }
    one = await planned(opened, money)
    found = await read(opened, one)

    def a_line(**said: Any) -> packages.LineWords:
        usual: dict[str, Any] = {
            "what": "X", "units": Decimal(1), "unit": Unit.HOUR, "every": Every.WEEK,
            "from_on": FIRST, "price": Decimal(1),
        }  # fmt: skip
        return packages.LineWords(**(usual | said))

    for said, field, sentence in (
        ({"price": Decimal(-1)}, "price", "The price must not be below £0.00"),
        (
            {"price": Decimal("1.001")},
            "price",
            "The price must be in pounds and pence, with at most two decimals",
        ),
        (
            {"price": Decimal(10) ** 12},
            "price",
            "The price must be £9,999,999,999.99 or less",
        ),
        (
            {"price": Decimal(10**6), "units": Decimal(10**6)},
            "price",
            "How many and the price make more than £100,000,000 each time: check both",
        ),
        ({"units": Decimal(-2)}, "units", "How many must be more than nought"),
        (
            {"from_on": date(2026, 9, 30)},
            "from_on",
            "The package starts on 1 October 2026: a service cannot come before",
        ),
        (
            {"until_on": date(2027, 4, 1)},
            "until_on",
            "The package ends on 31 March 2027: a service cannot go on after",
        ),
    ):
        line = a_line(**said)
        wrong = await told(
            opened, lambda access, line=line: packages.add_line(access, one, found.version, line)
        )
        assert wrong == {field: sentence}
    payers = [packages.Payer(money.council, 60, money.pot), packages.Payer(money.family.health, 30)]
    assert await told(
        opened,
        lambda access: packages.share_cost(access, one, found.version, payers, 100, THIS_YEAR),
    ) == {"parts_1": "The shares add up to 90 of 100: change them until they add up to 100"}
    theirs = [packages.Payer(money.family.health, 100, money.pot)]
    assert await told(
        opened,
        lambda access: packages.share_cost(access, one, found.version, theirs, 100, THIS_YEAR),
    ) == {"pot_1": "This pot is another agency’s: choose the payer’s own, or a pooled one"}
    # Somebody changes it while the budget holder reads: the approval is stale.
    async with opened(money.family.rosa) as access:
        await packages.add_line(access, one, found.version, a_line(price=Decimal(5)))
    with pytest.raises(Conflict):
        async with opened() as access:
            await packages.approve(access, one, found.version)
    # Once it is paid for, a budget holder alone changes it; others read it.
    async with opened() as access:
        await packages.approve(access, one, await _version(access, one))
    version = await version_of(opened, one)
    with pytest.raises(NotAllowed):
        async with opened(money.family.rosa) as access:
            await packages.end_package(access, one, version, date(2026, 12, 1))
    with pytest.raises(NotFound):
        async with opened() as access:
            await packages.package_for_reading(access, UUID(int=1))
    with pytest.raises(Invalid) as twice:
        async with tenant.transaction(money.budget.id) as session:
            new = pots.NewPot("Short breaks", PotKind.SHARE, money.council, THIS_YEAR, Decimal(1))
            await pots.make_pot(session, money.budget, new)
    assert twice.value.errors[0].sentence == (
        "There is a pot of this name and agency in 2026-27 already"
    )


async def test_two_people_make_a_package_and_who_pays_signs_it(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    una = await health_holder(tenant, money)
    health = money.family.health

    async def refused(who: Viewer, one: UUID) -> str:
        with pytest.raises(NotAllowed) as told:
            async with opened(who) as access:
                await packages.approve(access, one, await _version(access, one))
        return str(told.value)

    own, pooled = [await planned(opened, money, pot=pot) for pot in (money.pot, money.pooled)]
    # Another agency's pot, and a pool into which one's own agency paid nothing.
    assert await refused(una, own) == (
        "Short breaks 2026-27 is the money of Testshire Council: you cannot sign for it."
    )
    assert await refused(una, pooled) == (
        "Your agency has paid nothing into the pool Complex needs 2026-27: you cannot sign for it."
    )
    async with tenant.transaction(una.id) as session:
        pot = await pots.pot_of(session, money.pooled)
        as_read = pot.version
        await pots.pay_in(session, una, pot.id, as_read, EntryKind.TOP_UP, Decimal(50), health)
        # Whoever read the pot before that is told that it has changed.
        with pytest.raises(Conflict):
            await pots.pay_in(session, una, pot.id, as_read, EntryKind.TOP_UP, Decimal(50), health)
    async with opened(una) as access:
        await packages.approve(access, pooled, await _version(access, pooled))
    # Nor may she promise more out of the council's pot later, or pay out of it.
    async with opened() as access:
        await packages.approve(access, own, await _version(access, own))
    line = (await read(opened, own)).lines[0].id
    more = packages.LineWords("X", Decimal(1), Unit.DAY, Every.ONCE, FIRST, Decimal(5))
    with pytest.raises(NotAllowed, match="money of Testshire Council"):
        async with opened(una) as access:
            await packages.add_line(access, own, await _version(access, own), more)
    with pytest.raises(NotAllowed, match="money of Testshire Council"):
        async with opened(una) as access:
            version, days = await _version(access, own), (FIRST, FIRST)
            await packages.bill(access, own, version, line, days, Decimal(1), Decimal(10))
    # Whoever planned it, wrote a price of it or changed it last leaves it to somebody else.
    async with opened() as access:
        words = packages.PackageWords("Help", PackageKind.IN_KIND, FIRST, None)
        mine = (await packages.start_package(access, words)).id
        said = packages.LineWords("Club", Decimal(1), Unit.HOUR, Every.ONCE, FIRST, Decimal(5))
        await packages.add_line(access, mine, 1, said)
        payers = [packages.Payer(money.council, 1, money.pot)]
        await packages.share_cost(access, mine, await _version(access, mine), payers, 1, THIS_YEAR)
    assert await refused(money.budget, mine) == packages.OWN_PLAN
    changed = await planned(opened, money)
    async with opened() as access:
        words = packages.PackageWords("Longer", PackageKind.IN_KIND, FIRST, date(2028, 3, 31))
        await packages.change_package(access, changed, await _version(access, changed), words)
    assert await refused(money.budget, changed) == packages.OWN_PLAN
    async with opened(money.planner) as access:
        await packages.change_package(access, changed, await _version(access, changed), words)
    async with opened() as access:
        await packages.approve(access, changed, await _version(access, changed))


async def test_a_limit_of_short_breaks_is_warned_of_before_it_is_passed(
    tenant: Tenant, money: Money, opened: Open, clock: FixedClock
) -> None:
    one = await planned(opened, money)
    line = (await read(opened, one)).lines[0].id

    async def stay(first: date, last: date, *, knowing: bool = False) -> None:
        async with opened() as access:
            await packages.plan_stay(
                access, one, await _version(access, one), line, (first, last), knowing=knowing
            )

    for month in (10, 11, 12):
        await stay(date(2026, month, 2), date(2026, month, 18))
    await stay(date(2027, 1, 2), date(2027, 1, 18))
    async with tenant.transaction(JOB) as session:
        limit = await limits(session)
    assert [one.sentence for one in (await read(opened, one)).warnings(limit)] == [
        "The longest stay is 17 days at a stretch; the limit is 17.",
        "68 days away in the 12 months from 2 October 2026 to 1 October 2027: 7 days left of 75.",
    ]
    with pytest.raises(Invalid) as refused:
        await stay(date(2027, 2, 2), date(2027, 2, 9))
    assert refused.value.errors[0].field == "knowing"
    assert "76 days away in the 12 months" in refused.value.errors[0].sentence
    await stay(date(2027, 2, 2), date(2027, 2, 8))
    await stay(date(2027, 3, 2), date(2027, 3, 9), knowing=True)
    stays = (await read(opened, one)).lines[0].stays
    assert [each.passes_limit for each in stays] == [False] * 5 + [True]
    async with opened() as access:
        await packages.cancel_stay(access, one, await _version(access, one), stays[-1].id)
    assert not any(each.passes for each in (await read(opened, one)).warnings(limit))
    # Days away in another package count with them, and are in another place.
    other = await planned(opened, money)
    there = (await read(opened, other)).lines[0].id
    async with opened() as access:
        version = await _version(access, other)
        days = date(2027, 3, 20), date(2027, 3, 20)
        await packages.plan_stay(access, other, version, there, days, knowing=True)
    passed = [each.sentence for each in (await read(opened, one)).warnings(limit) if each.passes]
    assert [said[:32] for said in passed] == [
        "76 days away in the 12 months fr",
        "The stays are in 2 settings: the",
    ]
    async with opened() as access:
        stay = (await read(opened, other)).lines[0].stays[0].id
        await packages.cancel_stay(access, other, await _version(access, other), stay)
    async with tenant.transaction(JOB) as session:
        await set_packages(session, "packages.stretch", 28, "Wales")
        await set_packages(session, "packages.in_a_year", 120, "Wales")
        limit = await limits(session)
    assert (await read(opened, one)).warnings(limit) == []


async def test_the_year_of_a_pot_that_is_over_stays_as_it_is(
    tenant: Tenant, money: Money, opened: Open, clock: FixedClock
) -> None:
    one = await planned(opened, money, price="365.00", every=Every.YEAR, until_on=None)
    async with opened() as access:
        await packages.approve(access, one, await _version(access, one))
    before = await promised(tenant, one)
    assert before == {money.pot: (Decimal("182.00"), 0)}
    clock.set(clock.now().replace(year=2027, month=5))
    found = await read(opened, one)
    words = packages.PackageWords("Renamed", PackageKind.IN_KIND, FIRST, None)
    wrong = await told(
        opened, lambda access: packages.change_package(access, one, found.version, words)
    )
    assert wrong == {"": "There is no pot Short breaks for 2027-28: open it first"}
    async with tenant.transaction(money.budget.id) as session:
        new = pots.NewPot("Short breaks", PotKind.SHARE, money.council, NEXT_YEAR, Decimal(5000))
        following = (await pots.make_pot(session, money.budget, new)).id
    async with opened() as access:
        await packages.change_package(access, one, found.version, words)
    # 366 days of a year of 366, since 29 February 2028 lies in it.
    assert await promised(tenant, one) == before | {following: (Decimal("365.00"), 0)}
    assert FinancialYear.of(date(2028, 2, 29)) == NEXT_YEAR
