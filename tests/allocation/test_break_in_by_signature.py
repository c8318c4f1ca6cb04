"""Money that nobody signed for, or that somebody signed for who does not pay: each is refused."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from consent import Purpose, Role, Viewer
from panel.accounts.models import Worker
from panel.accounts.service import give_role
from panel.allocation import grants, packages, payments, pots
from panel.allocation.costing import Every
from panel.allocation.money import FinancialYear
from panel.allocation.package_models import (
    EntryKind,
    PackageKind,
    PackageSignature,
    PotKind,
    Unit,
)
from panel.panels.models import AgendaItem, Meeting, Panel, PanelAgency
from panel.platform.problems import Invalid, NotAllowed
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Access, Gate, rewrite_access
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
from tests.allocation.test_every_payer_signs import Both, both, notes, read, shared, signs
from tests.allocation.test_the_last_of_a_pot import agrees

__all__ = ["both"]

END = date(2027, 3, 31)
NEXT_YEAR = THIS_YEAR.following
IN_KIND = PackageKind.IN_KIND
Change = Callable[[Access, int], Awaitable[object]]


async def does(opened: Open, who: Viewer, one: UUID, change: Change) -> None:
    version = await version_of(opened, one)
    async with opened(who) as access:
        await change(access, version)


async def in_common(opened: Open, money: Money, payers: Sequence[packages.Payer]) -> UUID:
    """A package of £300, and who pays it."""
    async with opened(money.planner) as access:
        made = await packages.start_package(
            access, packages.PackageWords("Nights", IN_KIND, FIRST, END)
        )
        line = packages.LineWords("Night", Decimal(3), Unit.NIGHT, Every.ONCE, FIRST, Decimal(100))
        await packages.add_line(access, made.id, made.version, line)
        whole = sum(one.parts for one in payers)
        await packages.share_cost(access, made.id, made.version, payers, whole, THIS_YEAR)
        return made.id


async def test_a_start_that_moves_hides_no_year_from_who_signs(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    one = await planned(opened, money, price="70.00", every=Every.WEEK, until_on=date(2028, 3, 31))
    async with tenant.transaction(money.budget.id) as session:
        new = pots.NewPot("Short breaks", PotKind.SHARE, money.council, NEXT_YEAR, Decimal(9000))
        following = (await pots.make_pot(session, money.budget, new)).id

    def starts(day: date) -> Change:
        words = packages.PackageWords("Nights", IN_KIND, day, date(2028, 3, 31))
        return lambda access, version: packages.change_package(access, one, version, words)

    await does(opened, money.planner, one, starts(NEXT_YEAR.first))
    found = await read(opened, one)
    assert found.cost(THIS_YEAR).total == 0
    await signs(opened, money.budget, one, found.version)
    assert await agrees(tenant, following) == (9000, 3660, 0)
    assert await agrees(tenant, money.pot) == (10000, 0, 0)
    # What was signed costs nothing this year: to begin earlier waits for a signature.
    await does(opened, money.budget, one, starts(FIRST))
    assert await agrees(tenant, money.pot) == (10000, 0, 0)
    assert len(await notes(opened, one)) == 1
    with pytest.raises(Invalid):
        await does(
            opened,
            money.budget,
            one,
            lambda access, version: packages.bill(
                access, one, version, found.lines[0].id, (FIRST, FIRST), Decimal(1), Decimal(10)
            ),
        )


async def test_the_pots_that_pay_are_signed_for_and_not_one_of_another_year(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    una = await health_holder(tenant, money)
    health, long_ago = money.family.health, FinancialYear(2019)
    async with tenant.transaction(una.id) as session:
        new = pots.NewPot(
            "Short breaks", PotKind.POOLED, money.council, long_ago, Decimal(1), "s75"
        )
        bait = await pots.make_pot(session, una, new)
        await pots.pay_in(
            session, una, bait.id, bait.version, EntryKind.TOP_UP, Decimal("0.01"), health
        )
    one = await in_common(opened, money, [packages.Payer(health, 1, bait.id)])
    version = await version_of(opened, one)
    # A pool of 2019 is not the council's own pot of this year, whatever both are called.
    with pytest.raises(Invalid, match=r"^One answer") as told:
        await signs(opened, una, one, version)
    assert told.value.errors[0].sentence == (
        "There is no pot Short breaks for 2026-27: open it first"
    )
    assert await agrees(tenant, money.pot) == (10000, 0, 0)
    # Nor does a part in the pool of an earlier year make her sign for this year's.
    async with tenant.transaction(una.id) as session:
        new = pots.NewPot(
            "Complex needs", PotKind.POOLED, money.council, long_ago, Decimal(1), "s75"
        )
        former = await pots.make_pot(session, una, new)
        await pots.pay_in(
            session, una, former.id, former.version, EntryKind.TOP_UP, Decimal(1), health
        )
    two = await in_common(opened, money, [packages.Payer(health, 1, former.id)])
    with pytest.raises(NotAllowed, match="paid nothing into the pool Complex needs 2026-27"):
        await signs(opened, una, two, await version_of(opened, two))
    assert await agrees(tenant, money.pooled) == (5000, 0, 0)


async def test_a_change_that_waits_says_what_it_costs_now(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    second = await council_holder(tenant, money)
    one = await planned(opened, money, price="70.00", every=Every.WEEK, until_on=None)
    found = await read(opened, one)
    line = found.lines[0].id
    await does(
        opened,
        money.planner,
        one,
        lambda access, version: packages.end_line(access, one, version, line, END),
    )

    def until(day: date) -> Change:
        words = packages.PackageWords("Nights", IN_KIND, FIRST, day)
        return lambda access, version: packages.change_package(access, one, version, words)

    await does(opened, money.planner, one, until(date(2026, 10, 28)))
    await signs(opened, money.budget, one, await version_of(opened, one))
    assert await agrees(tenant, money.pot) == (10000, 280, 0)
    await does(opened, second, one, until(date(2026, 11, 4)))
    assert "would cost £350.00 in 2026-27 instead of £280.00" in (await notes(opened, one))[0]
    # A price of days on which nothing is given yet costs nothing, until the change is made.
    await does(
        opened,
        second,
        one,
        lambda access, version: packages.change_price(
            access, one, version, line, Decimal(7000), date(2026, 10, 29)
        ),
    )
    assert "would cost £7,280.00 in 2026-27 instead of £280.00" in (await notes(opened, one))[0]


async def test_who_pays_out_of_no_pot_signs_too(
    tenant: Tenant, money: Money, opened: Open, both: Both
) -> None:
    council, health = money.council, money.family.health
    payers = [packages.Payer(council, 1, money.pot), packages.Payer(health, 99)]
    one = await in_common(opened, money, payers)
    version = await version_of(opened, one)
    assert list(await signs(opened, money.budget, one, version)) == ["Health visiting"]
    assert await agrees(tenant, money.pot) == (10000, 0, 0)
    assert list(await signs(opened, both.una, one, version)) == []
    assert await agrees(tenant, money.pot) == (10000, 3, 0)
    # What has pots is not moved out of them by one of the agencies.
    second = await council_holder(tenant, money)
    (two,) = await shared(opened, money, both)
    version = await version_of(opened, two)
    for who in (money.budget, both.una):
        await signs(opened, who, two, version)
    without = [packages.Payer(council, 1), packages.Payer(health, 99)]
    await does(
        opened,
        second,
        two,
        lambda access, version: packages.share_cost(access, two, version, without, 100, THIS_YEAR),
    )
    async with opened() as access:
        left = await packages.approve_change(access, two, (await read(opened, two)).version)
    assert list(left) == ["Health visiting"]
    assert await agrees(tenant, both.theirs) == (900, 100, 0)


async def test_who_does_not_pay_moves_nothing_of_a_package(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    una = await health_holder(tenant, money)
    one = await planned(opened, money, PackageKind.DIRECT_PAYMENT, price="300.00")
    await signs(opened, money.budget, one, await version_of(opened, one))
    line = (await read(opened, one)).lines[0].id
    await does(
        opened,
        money.budget,
        one,
        lambda access, version: packages.bill(
            access, one, version, line, (FIRST, FIRST), Decimal(1), Decimal(100)
        ),
    )
    await does(
        opened,
        money.budget,
        one,
        lambda access, version: packages.add_line(
            access,
            one,
            version,
            packages.LineWords("Taxi", Decimal(1), Unit.DAY, Every.ONCE, FIRST, Decimal(5)),
        ),
    )
    bill = (await read(opened, one)).lines[0].actuals[0].id
    elsewhere = packages.Spending("For something else", FIRST, "Una’s friend", broker_holds=True)
    days = FIRST, FIRST
    wrong: list[Change] = [
        lambda access, version: packages.take_bill_back(access, one, version, bill),
        lambda access, version: packages.plan_spending(access, one, version, elsewhere),
        lambda access, version: packages.take_change_back(access, one, version),
        lambda access, version: payments.take_return(
            access, one, version, days, Decimal(0), "Nothing"
        ),
        lambda access, version: payments.reconcile(access, one, version, FIRST, "even", ""),
    ]
    for change in wrong:
        with pytest.raises(NotAllowed, match="money of Testshire Council"):
            await does(opened, una, one, change)
    assert await agrees(tenant, money.pot) == (10000, 300, 100)
    # Nor where no pot pays.
    bare = await in_common(opened, money, [packages.Payer(money.council, 1)])
    await signs(opened, money.budget, bare, await version_of(opened, bare))
    with pytest.raises(NotAllowed, match="does not pay for this package"):
        await does(
            opened,
            una,
            bare,
            lambda access, version: packages.end_package(access, bare, version, FIRST),
        )


async def test_nobody_takes_out_of_a_pot_what_another_agency_put_there(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    una = await health_holder(tenant, money)
    health = money.family.health

    async def moves(pot_id: UUID, kind: EntryKind, amount: str, agency: UUID) -> None:
        async with tenant.transaction(una.id) as session:
            pot = await pots.pot_of(session, pot_id)
            await pots.pay_in(session, una, pot_id, pot.version, kind, Decimal(amount), agency)

    with pytest.raises(NotAllowed, match="money of Testshire Council"):
        await moves(money.pot, EntryKind.CUT, "1.00", money.council)
    await moves(money.pooled, EntryKind.TOP_UP, "50.00", health)
    with pytest.raises(NotAllowed, match="another agency"):
        await moves(money.pooled, EntryKind.CUT, "1.00", money.council)
    with pytest.raises(Invalid, match=r"^One answer") as told:
        await moves(money.pooled, EntryKind.CUT, "50.01", health)
    assert told.value.errors[0].sentence == (
        "Your agency has £50.00 in this pool: take out no more than that"
    )
    await moves(money.pooled, EntryKind.CUT, "50.00", health)
    assert await agrees(tenant, money.pooled) == (5000, 0, 0)


async def test_who_only_reads_a_pack_decides_about_no_grant(
    tenant: Tenant, money: Money, opened: Open, gate: Gate
) -> None:
    async with opened(money.planner) as access:
        asked = (await grants.ask_for_grant(access, Decimal(20), "A ball")).id
    day = date(2026, 11, 12)
    async with tenant.transaction(JOB) as session:
        panel = Panel(
            key="contacts", kind="contacts", name="CONTACTS", first_on=day, starts_at=time(9)
        )
        session.add(panel)
        await session.flush()
        session.add(PanelAgency(panel_id=panel.id, agency_id=money.council))
        meeting = Meeting(panel_id=panel.id, slot_on=day, held_on=day)
        session.add(meeting)
        await session.flush()
        session.add(
            AgendaItem(
                child_id=money.family.child,
                meeting_id=meeting.id,
                position=1,
                minutes=10,
                why="new",
                opens_at=session.info["now"],
                pack_until=date(2027, 11, 26),
            )
        )
        stranger = await session.get_one(Worker, money.stranger.id)
        await give_role(session, stranger, Role.PANEL_MEMBER, panel.id)
        await rewrite_access(session, money.family.child)
    who = replace(money.stranger, roles=money.stranger.roles | {Role.PANEL_MEMBER})
    purposes = (Purpose.ALLOCATION, Purpose.PANEL)
    for pot in (money.pot, None):
        with pytest.raises(NotAllowed):
            async with gate.open(money.family.child, who, purposes, "tested") as access:
                assert await grants.grants_for_reading(access)
                await grants.decide_grant(access, asked, 1, pot_id=pot, answer="No")
    assert await agrees(tenant, money.pot) == (10000, 0, 0)


async def test_the_database_takes_a_signature_from_the_agency_alone_whose_it_is(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    una = await health_holder(tenant, money)
    one = await planned(opened, money)
    version = await version_of(opened, one)

    async def writes(agency: UUID) -> None:
        async with opened(una) as access:
            row = PackageSignature(
                child_id=access.child_id,
                package_id=one,
                package_version=version,
                change_id=None,
                agency_id=agency,
            )
            access.session.add(row)
            await access.session.flush()

    with pytest.raises(DBAPIError, match="row-level security"):
        await writes(money.council)
    await writes(money.family.health)
