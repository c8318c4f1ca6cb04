"""What stands beside a request: the child's package, its cost, who pays, and what is left in pots."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy.exc import IntegrityError

from consent import Role
from panel.allocation import packages, pots
from panel.allocation.beside import RequestsBeside
from panel.allocation.costing import Every
from panel.allocation.decision_service import act_as_chair
from panel.allocation.package_models import Package, PackageKind, PotKind, Unit
from panel.allocation.package_requests import packages_for, start_from
from panel.allocation.packages_beside import NOT_FOR_ALL, beside_request
from panel.allocation.rules import Kind
from panel.allocation.unmet_service import close_need, needs_of
from panel.panels.packs import pack_meeting, read_pack
from panel.platform.ids import new_id
from panel.platform.problems import NotFound
from tests.allocation.conftest import Board
from tests.allocation.money_world import THIS_YEAR
from tests.conftest import SignIn
from tests.panels.conftest import NEXT_MEETING, AddChild
from tests.panels.meeting_world import seat
from tests.plans.test_plan_pages import fill_in, words

FIRST = date(2026, 11, 1)
HERE = ("chair", "member", "social", "second")
NIGHTS = "Nights away: a direct payment, planned, 1 November 2026 to 31 March 2027"
LEFT = "Left in pots in 2026-27"


async def paid_for(board: Board) -> tuple[UUID, UUID]:
    """The health visitors' package of Amina's at £900, out of their pot of £4,000; and a pool.

    The ids of both.
    """
    await seat(board.house, "holder", "health", "Bola Finch", Role.BUDGET_HOLDER)
    holder, health = board.house.viewers["holder"], board.house.agencies["health"]
    made = []
    async with board.house.as_("holder") as session:
        for name, kind, amount, law in (
            ("Short breaks", PotKind.SHARE, "4000", None),
            ("Complex needs", PotKind.POOLED, "5000", "s75"),
        ):
            new = pots.NewPot(name, kind, health, THIS_YEAR, Decimal(amount), law)
            made.append((await pots.make_pot(session, holder, new)).id)
    async with board.house.opened("Amina", "lead") as access:
        said = packages.PackageWords(
            "Nights away", PackageKind.DIRECT_PAYMENT, FIRST, date(2027, 3, 31)
        )
        package = await packages.start_package(access, said)
        line = packages.LineWords(
            "Fern House", Decimal(9), Unit.NIGHT, Every.ONCE, FIRST, Decimal(100)
        )
        await packages.add_line(access, package.id, package.version, line)
        payers = [packages.Payer(health, 1, made[0])]
        await packages.share_cost(access, package.id, package.version, payers, 1, THIS_YEAR)
        return package.id, made[0]


def told(lines: Sequence[tuple[str, str]]) -> dict[str, str]:
    return dict(lines)


async def test_each_reader_is_told_what_they_may_see(board: Board) -> None:
    async with board.house.opened("Amina", "lead") as access:
        assert await beside_request(access.session, board.child, access) == [
            ("Package", "None yet")
        ]
    await paid_for(board)
    await board.sent()
    async with board.house.opened("Amina", "lead") as access:
        whole = told(await beside_request(access.session, board.child, access))
    # Who sits on no panel about money sees no pot.
    assert whole == {
        "Package": NIGHTS,
        "Costs in 2026-27": "£900.00",
        "Who pays": "Health visiting £900.00 out of Short breaks",
        "Account": "Nothing is left and nothing is owed.",
    }
    async with board.house.opened("Amina", "assessor") as access:
        other = told(await beside_request(access.session, board.child, access))
    assert other | {"Account": ""} == whole | {"Account": ""}
    # What the family was paid is theirs, and nobody agreed to share that.
    assert "You cannot see the money section" in other["Account"]
    await board.meets(*HERE)
    papers = RequestsBeside()
    async with board.at("second") as at:
        [paper] = await papers.papers(at.session, board.child, at.meeting.id, at.view)
    assert told(paper.lines)["Costs in 2026-27"] == "£900.00"
    assert told(paper.lines)["Account"] == NOT_FOR_ALL
    assert LEFT not in told(paper.lines)
    async with board.house.as_("job") as session:
        pack = await pack_meeting(session, "allocation", NEXT_MEETING)
    found = {}
    for agency in ("health", "education"):
        document = await read_pack(board.house.gate, pack, pack.agency(agency), beside=papers)
        [section] = [
            one for one in document.items[0].sections if one.title.startswith("Request R-")
        ]
        found[agency] = {one.heading: one.text for one in section.entries}
    assert found["health"]["Costs in 2026-27"] == "£900.00"
    assert found["health"][LEFT] == (
        "Complex needs (Health visiting) £5,000.00; Short breaks (Health visiting) £4,000.00"
    )
    assert found["education"]["Package"] == NIGHTS
    assert "You cannot see the money section" in found["education"]["Account"]
    assert found["education"][LEFT] == "Complex needs (Health visiting) £5,000.00"


async def test_the_pages_of_a_request_and_of_its_decision(
    board: Board, client: AsyncTestClient[Litestar], sign_in: SignIn
) -> None:
    await paid_for(board)
    request = await board.sent()
    page = f"/children/{board.child}/requests/{request}"
    await sign_in(board.house.viewers["holder"].id)
    shown = words((await client.get(page)).text)
    assert "Costs in 2026-27 £900.00" in shown
    assert "Short breaks (Health visiting) £4,000.00" in shown
    await board.meets(*HERE)
    await sign_in(board.house.viewers["coordinator"].id)
    decide = f"/panels/allocation/{NEXT_MEETING}/meeting/{board.child}/requests/{request}"
    shown = words((await client.get(decide)).text)
    assert "What there is already" in shown
    assert NIGHTS in shown
    assert "You cannot see the money section" in shown
    assert "Left in pots" not in shown


async def test_a_package_starts_from_what_was_agreed_and_meets_the_need(
    board: Board, add_child: AddChild, client: AsyncTestClient[Litestar], sign_in: SignIn
) -> None:
    _, pot = await paid_for(board)
    request = await board.sent()
    page = f"/children/{board.child}/requests/{request}"
    base = f"/children/{board.child}/packages"
    new = f"{base}/new?answers={request}"
    await sign_in(board.house.viewers["lead"].id)
    early = await client.get(new)
    assert early.status_code == 409
    assert "Nothing of this request is agreed" in early.text
    assert (await client.get(f"{base}/new?answers={new_id()}")).status_code == 404
    async with board.house.opened("Amina", "chair") as access:
        panel = await board.house.panel(access.session)
        version = await board.version(request)
        await act_as_chair(access, panel, request, board.proposed(Kind.IN_PART), version)
    shown = await client.get(page)
    assert "Start the package" in shown.text
    assert new in shown.text
    assert "You can close the need" not in shown.text
    first = {"from_on-day": "1", "from_on-month": "12", "from_on-year": "2026"}
    made = await fill_in(client, new, {"name": "Fern House", "kind": "in_kind"} | first)
    assert made.status_code == 303
    async with board.house.opened("Amina", "lead") as access:
        [package] = await packages_for(access, request)
        line = packages.LineWords(
            "Nights", Decimal(1), Unit.NIGHT, Every.MONTH, date(2026, 12, 1), Decimal(50)
        )
        await packages.add_line(access, package.id, package.version, line)
        [package] = await packages_for(access, request)
        payers = [packages.Payer(board.house.agencies["health"], 1, pot)]
        await packages.share_cost(access, package.id, package.version, payers, 1, THIS_YEAR)
    shown = await client.get(f"{base}/{package.id}")
    assert "Answers request R-" in words(shown.text)
    assert page in shown.text
    # Planned, it meets nothing yet; approved by a budget holder, it does.
    assert "You can close the need" not in (await client.get(page)).text
    await sign_in(board.house.viewers["holder"].id)
    done = await fill_in(client, f"{base}/{package.id}/steps/approve", {})
    assert done.status_code == 303, done.text
    await sign_in(board.house.viewers["lead"].id)
    met = "“Fern House” gives 12 nights in the first twelve months, and 12 nights were needed."
    shown = await client.get(page)
    assert f"{met} You can close the need." in words(shown.text)
    assert f'value="{met}"' in shown.text
    async with board.house.opened("Amina", "lead") as access:
        [need] = await needs_of(access, request)
        await close_need(access, need.id, met, need.version)
    assert "You can close the need" not in (await client.get(page)).text
    # A request of another child is none that this child's package could answer.
    other = await add_child("Ben", referred=False)
    async with board.house.opened("Ben", "lead") as access:
        said = packages.PackageWords("X", PackageKind.IN_KIND, FIRST)
        with pytest.raises(NotFound):
            await start_from(access, said, request)
    with pytest.raises(IntegrityError, match="no such row of this child"):
        async with board.house.as_("job") as session:
            row = Package(
                child_id=other, request_id=request, kind="in_kind", state="planned", from_on=FIRST,
                author_agency_id=board.house.agencies["health"], shared_by=1, broker_holds=False,
            )  # fmt: skip
            session.add(row)
