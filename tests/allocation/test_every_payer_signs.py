"""Two agencies pay out of their own pots: both sign, and all is promised or nothing."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from consent import Viewer
from panel.allocation import packages, pots
from panel.allocation.costing import Every
from panel.allocation.package_models import PackageKind, PotKind, Unit
from panel.allocation.package_signing import signing_of
from panel.allocation.packages_pages import signing_notes
from panel.platform.problems import Invalid, NotAllowed
from panel.platform.tenancy import Tenant
from tests.allocation.money_world import (
    FIRST,
    THIS_YEAR,
    Money,
    Open,
    council_holder,
    health_holder,
    planned,
)
from tests.allocation.test_the_last_of_a_pot import agrees


@dataclass(frozen=True, slots=True)
class Both:
    """The council and the health visitors, each with a pot of its own."""

    una: Viewer
    """Who signs for the health visitors."""
    theirs: UUID
    """The health visitors' own pot."""


@pytest.fixture
async def both(tenant: Tenant, money: Money) -> Both:
    una = await health_holder(tenant, money)
    async with tenant.transaction(una.id) as session:
        new = pots.NewPot("Therapies", PotKind.SHARE, money.family.health, THIS_YEAR, Decimal(900))
        pot = await pots.make_pot(session, una, new)
    return Both(una, pot.id)


async def shared(opened: Open, money: Money, both: Both, many: int = 1) -> Sequence[UUID]:
    """Packages of £300 each, of which the council pays two thirds and health one."""
    made = []
    async with opened(money.planner) as access:
        for _ in range(many):
            words = packages.PackageWords("Nights", PackageKind.IN_KIND, FIRST, date(2027, 3, 31))
            one = await packages.start_package(access, words)
            line = packages.LineWords(
                "A night", Decimal(3), Unit.NIGHT, Every.ONCE, FIRST, Decimal(100)
            )
            await packages.add_line(access, one.id, one.version, line)
            payers = [
                packages.Payer(money.council, 2, money.pot),
                packages.Payer(money.family.health, 1, both.theirs),
            ]
            await packages.share_cost(access, one.id, one.version, payers, 3, THIS_YEAR)
            made.append(one.id)
    return made


async def read(opened: Open, one: UUID) -> packages.PackageReading:
    async with opened() as access:
        found = await packages.package_for_reading(access, one)
    assert isinstance(found, packages.PackageReading)
    return found


async def notes(opened: Open, one: UUID) -> Sequence[str]:
    async with opened() as access:
        found = await packages.package_for_reading(access, one)
        assert isinstance(found, packages.PackageReading)
        return signing_notes(await signing_of(access, found))


async def signs(opened: Open, who: Viewer, one: UUID, version: int) -> Sequence[str]:
    async with opened(who) as access:
        return await packages.approve(access, one, version)


async def test_each_agency_signs_for_its_own_pot_and_a_change_voids_it(
    tenant: Tenant, money: Money, opened: Open, both: Both
) -> None:
    (one,) = await shared(opened, money, both)
    version = (await read(opened, one)).version
    assert list(await signs(opened, money.budget, one, version)) == ["Health visiting"]
    assert await notes(opened, one) == [
        "Testshire Council signed for it already. It waits for the others who pay."
    ]
    assert await agrees(tenant, money.pot) == (10000, 0, 0)
    with pytest.raises(NotAllowed, match="has signed for its part already"):
        await signs(opened, money.budget, one, version)
    # The planner changes it meanwhile: what was signed was another package.
    async with opened(money.planner) as access:
        words = packages.PackageWords("Days", PackageKind.IN_KIND, FIRST, date(2027, 3, 31))
        await packages.change_package(access, one, version, words)
    version = (await read(opened, one)).version
    assert list(await signs(opened, both.una, one, version)) == ["Testshire Council"]
    assert list(await signs(opened, money.budget, one, version)) == []
    assert await agrees(tenant, money.pot) == (10000, 200, 0)
    assert await agrees(tenant, both.theirs) == (900, 100, 0)
    # Either pays a bill out of what both promised.
    found = await read(opened, one)
    async with opened() as access:
        days = FIRST, FIRST
        await packages.bill(
            access, one, found.version, found.lines[0].id, days, Decimal(1), Decimal(30)
        )
    assert await agrees(tenant, both.theirs) == (900, 100, 10)


async def test_fifty_at_once_leave_nothing_promised_by_halves(
    tenant: Tenant, money: Money, opened: Open, both: Both
) -> None:
    made = await shared(opened, money, both, 50)
    # Health has £900: enough for nine. Half wait for one agency, half for the other.
    versions = [(await read(opened, made[0])).version] * 50
    first = [both.una if at % 2 else money.budget for at in range(50)]
    last = [money.budget if at % 2 else both.una for at in range(50)]
    for who in (both.una, money.budget):
        async with opened(who) as access:
            for one, version, signer in zip(made, versions, first, strict=True):
                if signer is who:
                    await packages.approve(access, one, version)

    async def approval(one: UUID, version: int, who: Viewer) -> str:
        try:
            await signs(opened, who, one, version)
        except Invalid as refused:
            return refused.errors[0].sentence
        return "approved"

    told = Counter(await asyncio.gather(*map(approval, made, versions, last)))
    assert told == {"approved": 9, "£100.00 is asked of Therapies 2026-27, and £0.00 is left": 41}
    assert await agrees(tenant, money.pot) == (10000, 9 * 200, 0)
    assert await agrees(tenant, both.theirs) == (900, 9 * 100, 0)
    async with opened() as access:
        found, _ = await packages.packages_for_reading(access)
        assert Counter(one.state for one in found) == {"active": 9, "planned": 41}
        for one in found:
            promised = await pots.promised(access.session, one.id)
            assert len(promised) == (2 if one.state == "active" else 0)


async def test_a_change_that_costs_more_is_signed_as_the_package_was(
    tenant: Tenant, money: Money, opened: Open, both: Both
) -> None:
    second = await council_holder(tenant, money)
    (one,) = await shared(opened, money, both)
    version = (await read(opened, one)).version
    await signs(opened, both.una, one, version)
    await signs(opened, money.budget, one, version)

    async def asks(who: Viewer, price: str) -> None:
        version = (await read(opened, one)).version
        line = packages.LineWords("Taxi", Decimal(1), Unit.DAY, Every.ONCE, FIRST, Decimal(price))
        async with opened(who) as access:
            assert await packages.add_line(access, one, version, line) is None

    async def answers(who: Viewer) -> Sequence[str]:
        version = (await read(opened, one)).version
        async with opened(who) as access:
            return await packages.approve_change(access, one, version)

    # A budget holder asks for more; what was approved stands until both have signed for it.
    with pytest.raises(NotAllowed, match="A budget holder signs"):
        await asks(money.planner, "60.00")
    await asks(second, "60.00")
    assert await notes(opened, one) == [
        (
            "A change waits to be approved: “Taxi” is added, 1 day once at £60.00, from 1 October"
            " 2026. The package would cost £360.00 in 2026-27 instead of £300.00. What was approved"
            " stands until then."
        )
    ]
    found = await read(opened, one)
    assert [each.what for each in found.lines] == ["A night"]
    with pytest.raises(Invalid, match=r"^One answer") as another:
        await asks(money.budget, "1.00")
    assert another.value.errors[0].sentence == (
        "Another change waits to be approved: approve it or take it back first"
    )
    assert list(await answers(both.una)) == ["Testshire Council"]
    assert await agrees(tenant, both.theirs) == (900, 100, 0)
    assert list(await answers(money.budget)) == []
    assert await agrees(tenant, money.pot) == (10000, 240, 0)
    assert await agrees(tenant, both.theirs) == (900, 120, 0)
    # Who wrote it does not sign it; what one pot lacks stops all of it.
    await asks(money.budget, "2700.00")
    with pytest.raises(NotAllowed, match="You wrote this change"):
        await answers(money.budget)
    await answers(second)
    with pytest.raises(Invalid) as lacks:
        await answers(both.una)
    assert lacks.value.errors[0].sentence == (
        "£900.00 is asked of Therapies 2026-27, and £780.00 is left"
    )
    assert await agrees(tenant, money.pot) == (10000, 240, 0)
    async with opened() as access:
        await packages.take_change_back(access, one, (await read(opened, one)).version)
    assert await notes(opened, one) == []


async def test_what_costs_less_is_given_back_at_once_and_a_rise_never_reaches_a_pot(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    second = await council_holder(tenant, money)
    one = await planned(opened, money, price="70.00", every=Every.WEEK)
    await signs(opened, money.budget, one, (await read(opened, one)).version)
    assert await agrees(tenant, money.pot) == (10000, 1820, 0)
    found = await read(opened, one)
    line = found.lines[0].id
    async with opened() as access:
        await packages.change_price(access, one, found.version, line, Decimal(35), date(2027, 3, 1))
    assert await agrees(tenant, money.pot) == (10000, 1665, 0)
    # A longer package, another price and who pays from far off: each waits, and none is promised.
    for change in (
        lambda access, version: packages.change_price(
            access, one, version, line, Decimal(36), date(2027, 3, 2)
        ),
        lambda access, version: packages.change_package(
            access,
            one,
            version,
            packages.PackageWords("Longer", PackageKind.IN_KIND, FIRST, date(2030, 3, 31)),
        ),
    ):
        async with opened() as access:
            await change(access, (await read(opened, one)).version)
        assert await notes(opened, one) != []
        assert await agrees(tenant, money.pot) == (10000, 1665, 0)
        async with opened(second) as access:
            await packages.take_change_back(access, one, (await read(opened, one)).version)
    # Ended, it takes what waits with it.
    async with opened() as access:
        await packages.change_price(
            access, one, (await read(opened, one)).version, line, Decimal(36), date(2027, 3, 2)
        )
    async with opened() as access:
        await packages.end_package(
            access, one, (await read(opened, one)).version, date(2026, 10, 7)
        )
    assert await notes(opened, one) == []
    assert await agrees(tenant, money.pot) == (10000, 70, 0)
