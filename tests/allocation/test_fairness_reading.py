"""Decided requests read without a child, and what the pages say of them."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from consent import Role
from panel.accounts.models import Worker
from panel.accounts.service import give_role
from panel.allocation.fairness import Dimension, age_band
from panel.allocation.fairness_reading import decided_requests, fairness_by
from panel.allocation.models import RequestDecision, ServiceRequest
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.restricted_use import ProcessingRestriction
from panel.register.models import Child
from tests.allocation.conftest import Board
from tests.conftest import SignIn
from tests.panels.conftest import AddChild
from tests.plans.test_plan_pages import words

BORN = date(2004, 2, 29)
DAYS = [
    date(2004 + years, month, day)
    for years in (0, 3, 5, 8, 12, 16, 19, 22)
    for month, day in ((2, 28), (3, 1), (12, 31))
]


async def decided_before(
    board: Board, child: UUID, kind: str, *, decided_on: date, waited: int = 10, **said: Any
) -> None:
    """A request of long ago, as it stands."""
    async with board.house.as_("job") as session:
        request = ServiceRequest(
            child_id=child,
            panel_id=board.house.panel_id,
            reference=f"R-{new_id().hex[-8:]}",
            state="decided",
            legal_basis="s17",
            category="social_care",
            agency_id=board.house.viewers["lead"].agency,
            sent_on=decided_on - timedelta(days=waited),
            **{"need_code": "asd", "level_of_need": "targeted"} | said,
        )
        session.add(request)
        await session.flush()
        session.add(
            RequestDecision(
                child_id=child,
                request_id=request.id,
                panel_id=board.house.panel_id,
                kind=kind,
                criterion_id=board.criteria["D1"],
                because=None if kind == "agreed" else "no_money",
                review_on=decided_on,
                decided_on=decided_on,
                decided_by=board.house.viewers["chair"].id,
                chairs_action=True,
            )
        )


async def test_ages_are_those_of_the_day_and_only_those_who_may_compare_read_them(
    board: Board, tenant: Tenant
) -> None:
    async with board.house.as_("job") as session:
        (await session.get_one(Child, board.child)).birth_date = BORN
    for day in DAYS:
        await decided_before(board, board.child, "agreed", decided_on=day)
    async with board.house.as_("chair") as session:
        found = await decided_requests(session)
        ages = await decided_requests(session, Dimension.AGE)
    assert sorted(one.age for one in found) == sorted(age_band(BORN, day) for day in DAYS)
    assert {(one.need, one.level, one.criterion, one.waited_days) for one in found} == {
        ("asd", "targeted", "D1", 10)
    }
    assert {(one.need, one.level, one.criterion, one.ward) for one in ages} == {("", "", "", "")}
    assert sorted(one.age for one in ages) == sorted(one.age for one in found)
    manager = board.house.viewers["social"].id
    async with tenant.transaction(JOB) as session:
        await give_role(session, await session.get_one(Worker, manager), Role.MANAGER)
    async with tenant.transaction(manager) as session:
        assert len(await decided_requests(session, Dimension.WARD)) == len(DAYS)
    for who in ("lead", "administrator"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with board.house.as_(who) as session:
                await decided_requests(session, Dimension.WARD)
    # What may only be kept is compared with no more.
    async with board.house.as_("job") as session:
        session.add(ProcessingRestriction(child_id=board.child, from_on=date(2026, 11, 1)))
    async with board.house.as_("chair") as session:
        assert await decided_requests(session) == []


async def test_the_pages_show_like_cases_and_groups_without_a_name(
    board: Board, add_child: AddChild, client: AsyncTestClient[Litestar], sign_in: SignIn
) -> None:
    request = await board.sent()
    page = f"/children/{board.child}/requests/{request}"
    await sign_in(board.house.viewers["coordinator"].id)
    assert "Fewer than five decided requests" in words((await client.get(page)).text)
    assert "Too few requests" in words((await client.get("/allocation/fairness")).text)
    wards = {"Ben": "E05000001", "Cora": "E05000002", "Dov": "E05000003"}
    for name, ward in wards.items():
        child = await add_child(name, referred=False)
        async with board.house.as_("job") as session:
            (await session.get_one(Child, child)).ward_code = ward
        for at in range(12):
            agreed = at < (4 if name == "Dov" else 11 if name == "Ben" else 8)
            kind = "agreed" if agreed else "declined"
            await decided_before(board, child, kind, decided_on=date(2026, 10, 1), waited=at)
    shown = words((await client.get(page)).text)
    assert "36 decided requests are alike in main type of need and level of need." in shown
    assert "Agreed 23" in shown
    assert "D1 Needs help at night" in shown
    by_ward = await client.get("/allocation/fairness?by=ward")
    told = words(by_ward.text)
    assert "E05000002 about 10 67% (39% to 86%)" in told
    assert "Nearly all" in told
    assert "E05000003 about 10 33% (14% to 61%)" in told
    assert not any(name in by_ward.text for name in wards)
    for by in ("age", "ethnicity", "need", "level", "nonsense"):
        assert (await client.get(f"/allocation/fairness?by={by}")).status_code == 200
    async with board.house.as_("coordinator") as session:
        assert len((await fairness_by(session, Dimension.WARD)).rows) == 3
    await sign_in(board.house.viewers["lead"].id)
    assert "Requests like this one" not in (await client.get(page)).text
    for who in ("lead", "administrator"):
        await sign_in(board.house.viewers[who].id)
        assert (await client.get("/allocation/fairness")).status_code == 403
