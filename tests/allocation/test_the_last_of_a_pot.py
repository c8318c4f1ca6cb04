"""Two approvals against the last of a pot: one comes first, and the other is told what is left."""

import asyncio
from collections import Counter
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from panel.allocation import packages, pots
from panel.allocation.package_models import EntryKind
from panel.platform.cluster import Cluster
from panel.platform.problems import Conflict, Invalid, NotAllowed
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.allocation.money_world import Money, Open, planned, version_of


async def approval(opened: Open, package_id: UUID, version: int) -> str:
    try:
        async with opened() as access:
            await packages.approve(access, package_id, version)
    except Invalid as refused:
        return refused.errors[0].sentence
    except Conflict:
        return "conflict"
    return "approved"


async def agrees(tenant: Tenant, pot_id: UUID) -> tuple[Decimal, Decimal, Decimal]:
    """The three amounts, which the ledger gives too."""
    async with tenant.transaction(JOB) as session:
        row = (
            await session.execute(
                text("SELECT amount, committed, spent FROM pot WHERE id = :p"), {"p": pot_id}
            )
        ).one()
        summed = (
            await session.execute(
                text(
                    "SELECT COALESCE(sum(CASE kind WHEN 'top_up' THEN amount WHEN 'cut' THEN -amount END), 0),"
                    " COALESCE(sum(CASE kind WHEN 'commitment' THEN amount WHEN 'release' THEN -amount END), 0),"
                    " COALESCE(sum(CASE kind WHEN 'actual' THEN amount WHEN 'refund' THEN -amount END), 0)"
                    " FROM pot_entry WHERE pot_id = :p"
                ),
                {"p": pot_id},
            )
        ).one()
    assert tuple(row) == tuple(summed), "the ledger and the balance say different things"
    return row[0], row[1], row[2]


async def test_of_two_against_the_last_thousand_one_is_approved_and_the_other_told(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    first = await planned(opened, money, price="9000.00")
    assert await approval(opened, first, await version_of(opened, first)) == "approved"
    two = [await planned(opened, money, price="1000.00") for _ in range(2)]
    versions = [await version_of(opened, one) for one in two]
    answers = await asyncio.gather(
        *(approval(opened, *each) for each in zip(two, versions, strict=True))
    )
    assert Counter(answers) == {
        "approved": 1,
        "£1,000.00 is asked of Short breaks 2026-27, and £0.00 is left": 1,
    }
    assert await agrees(tenant, money.pot) == (10000, 10000, 0)
    lost = two[0 if answers[1] == "approved" else 1]
    async with opened() as access:
        found = await packages.package_for_reading(access, lost)
        assert isinstance(found, packages.PackageReading)
        assert found.state == "planned", "nothing of a refused approval stays"


async def test_fifty_at_once_take_what_there_is_and_no_more(
    tenant: Tenant, money: Money, opened: Open
) -> None:
    async def promise(number: int) -> str:
        try:
            async with tenant.transaction(money.budget.id) as session:
                await pots.move(
                    session,
                    pots.Move(
                        money.pot,
                        EntryKind.COMMITMENT,
                        Decimal("470.00"),
                        grant_id=UUID(int=number),
                    ),
                )
        except Invalid as refused:
            return refused.errors[0].sentence
        return "promised"

    answers = Counter(await asyncio.gather(*map(promise, range(50))))
    assert answers.pop("promised") == 21  # 21 × £470 = £9,870
    assert answers == {"£470.00 is asked of Short breaks 2026-27, and £130.00 is left": 29}
    assert await agrees(tenant, money.pot) == (10000, 9870, 0)
    # The same package fifty times: once, and everybody else is told that it changed.
    one = await planned(opened, money, price="100.00")
    version = await version_of(opened, one)
    same = Counter(await asyncio.gather(*(approval(opened, one, version) for _ in range(50))))
    assert same == {"approved": 1, "conflict": 49}
    assert await agrees(tenant, money.pot) == (10000, 9970, 0)


async def test_the_ledger_is_only_added_to_and_the_balance_moved_by_it_alone(
    tenant: Tenant, money: Money, database_of_own: Cluster
) -> None:
    async def refused(kind: EntryKind, amount: str) -> str:
        with pytest.raises(Invalid) as told:
            async with tenant.transaction(money.budget.id) as session:
                await pots.move(session, pots.Move(money.pot, kind, Decimal(amount)))
        return told.value.errors[0].sentence

    async with tenant.transaction(money.budget.id) as session:
        await pots.move(session, pots.Move(money.pot, EntryKind.COMMITMENT, Decimal(600)))
        await pots.move(session, pots.Move(money.pot, EntryKind.ACTUAL, Decimal(200)))
    assert await refused(EntryKind.ACTUAL, "400.01") == (
        "£400.01 is to be paid out of Short breaks 2026-27, and £400.00 of it is promised"
    )
    assert await refused(EntryKind.RELEASE, "401") == (
        "£401.00 cannot be given back to Short breaks 2026-27: £400.00 is promised and not paid"
    )
    assert await refused(EntryKind.CUT, "9400.01") == (
        "Short breaks 2026-27 cannot lose £9,400.01: £9,400.00 is not promised yet"
    )
    assert await refused(EntryKind.REFUND, "200.01") == (
        "£200.01 cannot come back to Short breaks 2026-27: £200.00 was paid out of it"
    )
    assert await refused(EntryKind.TOP_UP, "9999999999.99") == (
        "Short breaks 2026-27 cannot hold £9,999,999,999.99 more: write a smaller amount"
    )
    for amount, said in (
        ("-1", "The amount must not be below £0.00"),
        ("0.001", "The amount must be in pounds and pence, with at most two decimals"),
        ("99999999999", "The amount must be £9,999,999,999.99 or less"),
    ):
        assert await refused(EntryKind.COMMITMENT, amount) == said
    assert await agrees(tenant, money.pot) == (10000, 600, 200)
    schema = tenant.record.schema_name
    with psycopg.connect(database_of_own.app_url, autocommit=True) as app:
        for statement in (
            "UPDATE pot_entry SET amount = 1",
            "DELETE FROM pot_entry",
            "TRUNCATE pot_entry",
            "UPDATE pot SET committed = 0",
            "UPDATE pot SET amount = 1",
            "DELETE FROM pot",
            "INSERT INTO pot (amount) VALUES (1)",
            "UPDATE payment SET amount = 1",
            "DELETE FROM line_actual",
            "SELECT move_pot()",
        ):
            app.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(statement.encode())


async def test_only_a_budget_holder_signs(tenant: Tenant, money: Money, opened: Open) -> None:
    one = await planned(opened, money)
    version = await version_of(opened, one)
    with pytest.raises(NotAllowed, match="A budget holder signs for money"):
        async with opened(money.family.rosa) as access:
            await packages.approve(access, one, version)
    # What the page forgot, the database refuses.
    with pytest.raises(Exception, match="row-level security"):
        async with tenant.transaction(money.family.rosa.id) as session:
            await pots.move(session, pots.Move(money.pot, EntryKind.COMMITMENT, Decimal(1)))
    async with tenant.transaction(money.family.rosa.id) as session:
        seen = await session.execute(text("SELECT count(*) FROM pot_entry"))
        assert seen.scalar_one() == 0, "the ledger is for who sits on the panel"
