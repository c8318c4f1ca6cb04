"""Who declared an interest in a child neither reads nor changes what the child's money is for."""

from collections.abc import Awaitable, Callable
from datetime import date, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from consent import Viewer
from panel.allocation import grants, packages, payments
from panel.allocation.interests import LEFT, NOT_SHOWN
from panel.allocation.money import FinancialYear
from panel.allocation.package_models import PackageKind
from panel.allocation.package_requests import start_from
from panel.panels.models import DeclaredInterest, Meeting, Panel
from panel.platform.problems import NotAllowed
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Access, Withheld
from tests.allocation.money_world import FIRST, THIS_YEAR, Money, Open, planned, version_of
from tests.plans.test_plan_pages import words as words_of

DAYS = (FIRST, FIRST)


async def declared(tenant: Tenant, money: Money, *who: Viewer) -> list[UUID]:
    async with tenant.transaction(JOB) as session:
        panel = Panel(
            key="allocation",
            kind="allocation",
            name="Allocation panel",
            first_on=date(2026, 11, 12),
            starts_at=time(9),
        )
        session.add(panel)
        await session.flush()
        meeting = Meeting(panel_id=panel.id, slot_on=date(2026, 11, 12), held_on=date(2026, 11, 12))
        session.add(meeting)
        await session.flush()
        rows = [
            DeclaredInterest(
                child_id=money.family.child,
                meeting_id=meeting.id,
                worker_id=one.id,
                reason="My neighbour",
                declared_at=session.info["now"],
            )
            for one in who
        ]
        session.add_all(rows)
        await session.flush()
        return [one.id for one in rows]


async def test_who_declared_an_interest_is_refused_every_change_and_sees_nothing(
    tenant: Tenant, money: Money, opened: Open, client: AsyncTestClient[Litestar], sign_in: Any
) -> None:
    one = await planned(opened, money, PackageKind.DIRECT_PAYMENT)
    version = await version_of(opened, one)
    async with opened(money.family.rosa) as access:
        grant = (await grants.ask_for_grant(access, Decimal(20), "A ball")).id
    kept = await declared(tenant, money, money.budget, money.planner)
    words = packages.PackageWords("X", PackageKind.IN_KIND, FIRST)
    amount, payers = Decimal(1), [packages.Payer(money.council, 100, money.pot)]
    does: list[Callable[[Access], Awaitable[object]]] = [
        lambda access: packages.approve(access, one, version),
        lambda access: packages.approve_change(access, one, version),
        lambda access: packages.take_change_back(access, one, version),
        lambda access: packages.change_package(access, one, version, words),
        lambda access: packages.share_cost(access, one, version, payers, 100, THIS_YEAR),
        lambda access: packages.end_line(access, one, version, one, FIRST),
        lambda access: packages.end_package(access, one, version, FIRST),
        lambda access: packages.bill(access, one, version, one, DAYS, amount, amount),
        lambda access: payments.pay(access, one, version, "broker", amount, FIRST, DAYS),
        lambda access: start_from(access, words, None),
        lambda access: grants.ask_for_grant(access, amount, "X"),
        lambda access: grants.decide_grant(access, grant, 1, pot_id=money.pot, answer=""),
    ]
    for work in does:
        with pytest.raises(NotAllowed) as refused:
            async with opened() as access:
                await work(access)
        assert refused.value.sentence == LEFT
    async with opened() as access:
        found, withheld = await packages.packages_for_reading(access)
        assert (list(found), str(withheld)) == ([], NOT_SHOWN)
        assert isinstance(await packages.package_for_reading(access, one), Withheld)
        assert list(await grants.grants_for_reading(access)) == []
        with pytest.raises(NotAllowed, match="you do not see"):
            await grants.grant_for_reading(access, grant)
    # Whoever works with the child and signs for nothing goes on seeing what the child has.
    async with opened(money.planner) as access:
        assert isinstance(await packages.package_for_reading(access, one), packages.PackageReading)
        with pytest.raises(NotAllowed, match="you leave the child’s packages"):
            await packages.change_package(access, one, version, words)
    # So do the pages, in a sentence.
    await sign_in(money.budget.id)
    base = f"/children/{money.family.child}/packages"
    for path in (base, f"{base}/{one}"):
        read = await client.get(path)
        assert NOT_SHOWN in words_of(read.text)
        assert "Short breaks" not in read.text
    for path in (
        f"{base}/new",
        f"{base}/{one}/steps/approve",
        f"/children/{money.family.child}/grants/new",
    ):
        refused_page = await client.get(path)
        assert refused_page.status_code == 403
        assert LEFT in words_of(refused_page.text)
    # Taken back, it holds no more.
    async with tenant.transaction(JOB) as session:
        for row in kept:
            (await session.get_one(DeclaredInterest, row)).taken_back_at = session.info["now"]
    async with opened() as access:
        found, _ = await packages.packages_for_reading(access)
        assert [each.cost(FinancialYear(2026)).total for each in found] == [100]
