"""The pages: a package from plan to approval, its pot, a contract, the calculator."""

import re
from typing import Any
from uuid import UUID

from litestar import Litestar
from litestar.testing import AsyncTestClient

from panel.platform.tenancy import Tenant
from tests.allocation.money_world import Money
from tests.plans.test_plan_pages import fill_in, words

Client = AsyncTestClient[Litestar]


def day(name: str, said: str) -> dict[str, str]:
    year, month, number = said.split("-")
    return {f"{name}-day": number, f"{name}-month": month, f"{name}-year": year}


async def test_a_package_is_planned_shared_approved_and_stands_in_the_ledger_without_a_name(
    client: Client, money: Money, sign_in: Any, tenant: Tenant
) -> None:
    await sign_in(money.planner.id)
    base = f"/children/{money.family.child}/packages"
    empty = await client.get(base)
    assert "There is no package yet" in empty.text
    wrong = await fill_in(
        client,
        f"{base}/new",
        {"name": "Nights away", "kind": "in_kind"}
        | day("from_on", "2026-10-1")
        | day("until_on", "2026-9-1"),
    )
    assert wrong.status_code == 422
    assert "The last day must not come before the first" in wrong.text
    made = await fill_in(
        client,
        f"{base}/new",
        {"name": "Nights away", "kind": "in_kind"} | day("from_on", "2026-10-1"),
    )
    assert made.status_code == 303
    listed = await client.get(base)
    found = re.search(rf'{base}/([0-9a-f-]{{36}})"', listed.text)
    assert found is not None
    page = f"{base}/{found[1]}"
    line = {
        "what": "Fern House", "units": "2", "unit": "night", "every": "week", "price": "£140.50",
        "law": "s17",
    } | day("from_on", "2026-10-1")  # fmt: skip
    stale = await fill_in(client, f"{page}/steps/line", line | {"price": "1.005"})
    assert "at most two decimals" in stale.text
    assert (await fill_in(client, f"{page}/steps/line", line)).status_code == 303
    share = {
        "year": "2026-27", "shared_by": "12", "agency_1": str(money.council), "parts_1": "7",
        "pot_1": str(money.pot), "agency_2": str(money.family.health), "parts_2": "4",
        "pot_2": str(money.pooled),
    }  # fmt: skip
    short = await fill_in(client, f"{page}/steps/share", share)
    assert "The shares add up to 11 of 12" in words(short.text)
    assert (
        await fill_in(client, f"{page}/steps/share", share | {"parts_2": "5"})
    ).status_code == 303
    # 182 days of 2 × £140.50 a week: £7,306.00; twelfths of it 7 and 5.
    assert "Approve it" not in words((await client.get(page)).text)
    await sign_in(money.budget.id)
    before = words((await client.get(page)).text)
    assert "£7,306.00" in before
    assert "7 of 12 Short breaks £4,261.83" in before
    assert "5 of 12 Complex needs £3,044.17" in before
    assert "Approve it" in before
    assert (await fill_in(client, f"{page}/steps/approve", {})).status_code == 303
    shown = await client.get(page)
    assert "Approved" in words(shown.text)
    assert (await client.get(f"{page}/steps/approve")).status_code == 403
    assert (await client.get(f"{page}/steps/nonsense")).status_code == 404
    asked = await fill_in(
        client, f"/children/{money.family.child}/grants/new", {"amount": "40", "what_for": "Scouts"}
    )
    assert asked.status_code == 303
    ledger = await client.get(f"/allocation/pots/{money.pot}")
    assert "Nights away" in ledger.text
    assert "£4,261.83" in ledger.text
    # Whoever does not work with the child reads the same ledger, and of whom it is not.
    await sign_in(money.stranger.id)
    ledger = await client.get(f"/allocation/pots/{money.pot}")
    assert "£4,261.83" in ledger.text
    assert "A package" in ledger.text
    assert "Nights away" not in ledger.text
    assert str(money.family.child) not in ledger.text
    assert "Kestrel" not in ledger.text
    assert (await client.get(page)).status_code == 404
    assert "Short breaks 2026-27" in words((await client.get("/allocation/pots")).text)
    # A health visitor reads the package and signs for nothing.
    await sign_in(money.family.rosa.id)
    read = words((await client.get(page)).text)
    assert "Fern House" in read
    assert "What you can do" not in read
    assert (await client.get("/allocation/pots")).status_code == 403


async def test_a_contract_with_its_three_statements_a_pot_and_the_calculator(
    client: Client, money: Money, sign_in: Any
) -> None:
    await sign_in(money.stranger.id)
    contract = {
        "reference": "TRI-2026", "title": "Places near home", "provider": "Made-up Care",
        "places": "12", "price": "3218.47", "ours": "1",
    } | day("from_on", "2026-9-1") | day("until_on", "2031-8-31")  # fmt: skip
    for place, (name, places, parts) in enumerate(
        (
            ("Westshire", "6", "50 30 20"),
            ("Middleshire", "4", "33 33 34"),
            ("Eastshire", "2", "40 35 25"),
        ),
        start=1,
    ):
        health, education, social = parts.split()
        contract |= {
            f"authority_{place}": name, f"places_{place}": places, f"health_{place}": health,
            f"education_{place}": education, f"social_care_{place}": social,
        }  # fmt: skip
    wrong = await fill_in(client, "/allocation/contracts/new", contract | {"places_3": "1"})
    assert "The shares add up to 11 of 12" in words(wrong.text)
    assert (await fill_in(client, "/allocation/contracts/new", contract)).status_code == 303
    again = await fill_in(client, "/allocation/contracts/new", contract)
    assert "There is a contract with this reference already" in words(again.text)
    listed = await client.get("/allocation/contracts")
    found = re.search(r"/allocation/contracts/([0-9a-f-]{36})", listed.text)
    assert found is not None
    page = f"/allocation/contracts/{UUID(found[1])}"
    said = words((await client.get(page)).text)
    for amount in ("£584,841.98", "£389,894.65", "£194,947.32", "£292,420.99", "£128,665.23"):
        assert amount in said
    assert len(set(re.findall(r"mark ([0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4})", said))) == 1
    price = {"price": "3315.02"} | day("from_on", "2028-4-1")
    assert (await fill_in(client, f"{page}/price", price)).status_code == 303
    assert "£2,074,255.37" in words((await client.get(page)).text)
    pot = {
        "name": "Equipment", "kind": "pooled", "agency_id": str(money.council), "year": "2026",
        "amount": "1000",
    }  # fmt: skip
    wrong = await fill_in(client, "/allocation/pots/new", pot)
    assert "Write the financial year as 2026-27" in words(wrong.text)
    wrong = await fill_in(client, "/allocation/pots/new", pot | {"year": "2026-27"})
    assert "Say under which law the money is pooled" in words(wrong.text)
    opened = await fill_in(client, "/allocation/pots/new", pot | {"year": "2026-27", "law": "s10"})
    assert opened.status_code == 303
    paid = {"kind": "cut", "amount": "6000", "agency_id": str(money.council)}
    wrong = await fill_in(client, f"/allocation/pots/{money.pooled}/pay-in", paid)
    assert "cannot lose £6,000.00: £5,000.00 is not promised yet" in words(wrong.text)
    wales = {"stretch": "28", "in_a_year": "120", "grant_limit": "-1", "source": "Wales"}
    wrong = await fill_in(
        client, "/allocation/limits", wales | {"review_months": "6", "warn_days": "14"}
    )
    assert "The limit of a grant must not be below £0.00" in words(wrong.text)
    wales |= {"review_months": "6", "warn_days": "14", "grant_limit": "300"}
    assert (await fill_in(client, "/allocation/limits", wales)).status_code == 303
    kept = (await client.get("/allocation/limits")).text
    assert 'name="stretch" type="text" value="28"' in kept
    assert 'value="300"' in kept
    asked = await client.get("/allocation/calculator", params={"year": "2026-27", "price": "5"})
    assert "Fewer than five children" in asked.text
    wrong = await client.get("/allocation/calculator", params={"year": "x", "price": "-200"})
    assert wrong.status_code == 422
    assert "between -100 and 1,000" in wrong.text
