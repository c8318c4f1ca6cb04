"""The list of children: paged by key, narrowed, and only of those whom I may know."""

import re
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from consent import Purpose, Viewer
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.children_list import ON_A_PAGE, Order, Show, list_children
from panel.register.search import find_children
from panel.web.paging import Asked, read_cursor

Add = Callable[..., Awaitable[UUID]]
Client = AsyncTestClient[Litestar]
TODAY = date(2026, 11, 23)


async def read(
    gate: Gate, viewer: Viewer, show: Show = "all", order: Order = "added", cursor: str = ""
) -> Any:
    """One page of the list."""
    asked = read_cursor(cursor, (UUID,)) if cursor else Asked()
    return await list_children(
        gate, viewer, (Purpose.SUPPORT,), show=show, order=order, asked=asked, today=TODAY
    )


@pytest.mark.parametrize("order", ["added", "age"])
async def test_every_child_is_on_one_page_and_only_there(
    gate: Gate, add: Add, team: Any, order: Order
) -> None:
    ids = [await add("Amina", "Kestrel", date(2022, 3, 1 + n % 7)) for n in range(120)]
    seen: list[UUID] = []
    cursor = ""
    while True:
        page = await read(gate, team.rosa, order=order, cursor=cursor)
        seen += [child.child_id for child in page.rows]
        if page.next is None:
            break
        cursor = page.next
    assert sorted(seen) == sorted(ids)
    assert len(page.rows) == len(ids) % ON_A_PAGE
    back = await read(gate, team.rosa, order=order, cursor=page.previous)
    assert [child.child_id for child in back.rows] == seen[
        -len(page.rows) - ON_A_PAGE : -len(page.rows)
    ]
    if order == "added":
        assert seen == ids[::-1]


async def test_a_narrow_viewer_sees_their_own_and_nothing_else(
    tenant: Tenant, gate: Gate, add: Add, team: Any
) -> None:
    for number in range(30):
        await add("Jakub", "Merrow", date(2020, 1, 1 + number % 28), team.hana)
    mine = await add("Amina", "Kestrel")
    page = await read(gate, team.rosa)
    assert [(child.child_id, child.name) for child in page.rows] == [(mine, "Amina Kestrel")]
    assert page.next is None
    async with tenant.transaction(team.rosa.id) as session:
        for table in ("child", "child_index", "involvement"):
            found = await session.execute(
                text(f"SELECT DISTINCT {'id' if table == 'child' else 'child_id'} FROM {table}")
            )
            assert found.scalars().all() == [mine], table


async def test_the_list_is_narrowed_to_my_lead_and_my_agency(
    tenant: Tenant, gate: Gate, add: Add, team: Any
) -> None:
    led, other = await add("Amina", "Kestrel"), await add("Theo", "Barnaby")
    async with tenant.transaction(JOB) as session:
        await session.execute(
            text(
                "INSERT INTO lead_professional (id, child_id, worker_id, agency_id, state,"
                " offered_on, offered_by, from_on, created_at, created_by, changed_at, changed_by,"
                " version) VALUES (gen_random_uuid(), :c, :w, :a, 'accepted', :d, :w, :d, now(),"
                " :w, now(), :w, 1)"
            ),
            {"c": led, "w": team.rosa.id, "a": team.rosa.agency, "d": TODAY},
        )
        await rewrite_access(session, led)
        await session.execute(
            text("UPDATE involvement SET agency_id = :a WHERE child_id = :c"),
            {"a": team.hana.agency, "c": other},
        )
    lead = await read(gate, team.rosa, show="lead")
    assert [child.child_id for child in lead.rows] == [led]
    assert lead.rows[0].lead_words == "Rosa Whitlow, Health visiting"
    agency = await read(gate, team.rosa, show="agency")
    assert [child.child_id for child in agency.rows] == [led]
    assert len((await read(gate, team.rosa, show="team")).rows) == 2


async def test_whose_name_is_withheld_is_listed_by_reference(
    gate: Gate, add: Add, team: Any, protect: Any
) -> None:
    child = await add("Amina", "Kestrel", nhs_number="9990548609")
    await protect(child, "identity")
    listed = (await read(gate, team.rosa)).rows
    assert [(one.name, one.age_words, one.born) for one in listed] == [("C-1001", "", None)]
    # A hit by name would give the name away; by reference it gives nothing.
    for typed, found in (("Amina", 0), ("9990548609", 0), ("9 March 2022", 0), ("C-1001", 1)):
        result = await find_children(gate, team.rosa, (Purpose.SUPPORT,), typed, TODAY)
        assert len(result.found) == found, typed


async def test_the_page_lists_searches_and_says_when_there_is_nobody(
    client: Client, add: Add, team: Any, sign_in: Any
) -> None:
    await sign_in(team.hana.id)
    assert "No children here" in (await client.get("/children")).text
    assert "No child whom you can see fits this" in (await client.get("/children?q=Amina")).text
    await sign_in(team.rosa.id)
    await add("Amina", "Kestrel")
    for address in ("/children", "/children?q=ameena", "/children?show=team&order=age"):
        shown = await client.get(address)
        assert shown.status_code == 200
        assert re.search(r'data-initials="A K">Amina Kestrel<', shown.text), address
    assert "no such day" in (await client.get("/children?q=31/2/2020")).text
    assert "no longer works" in (await client.get("/children?page=nonsense")).text


async def test_nobody_signed_in_sees_no_list(client: Client) -> None:
    assert (await client.get("/children")).status_code == 401
