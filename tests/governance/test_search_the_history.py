"""The information governance lead searches who looked at what; nobody else does."""

import html
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from consent import Category, Purpose, Viewer
from panel.accounts.service import add_worker, agency_by_key
from panel.governance.history import HistoryQuestion, search_history, workers_called
from panel.platform.ids import new_id
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.web.paging import Asked, read_cursor
from tests.governance.conftest import MONDAY, Looks, Offices, children_named, minutes
from tests.sharing.family import Family, hold_the_plan, sees

Client = AsyncTestClient[Litestar]
SEARCH = "/governance/history"


async def found(
    gate: Gate, offices: Offices, asked: Asked | None = None, **question: Any
) -> list[Any]:
    page = await search_history(gate, offices.lead, HistoryQuestion(**question), asked or Asked())
    return page.rows


async def shown(client: Client, page: str, status: int = 200) -> str:
    answer = await client.get(page)
    assert answer.status_code == status, answer.text
    plain = re.sub(r"<[^>]+>", " ", answer.text.split("<main", 1)[1])
    return re.sub(r"\s+", " ", html.unescape(plain))


async def test_each_part_of_the_question_narrows_it(
    gate: Gate, family: Family, offices: Offices, looks: Looks, tenant: Tenant
) -> None:
    async with tenant.transaction(JOB) as session:
        (other,) = await children_named(session, "Otto Wren", agency=family.school)
    monday, tuesday = MONDAY, MONDAY + timedelta(days=1)
    looks.many(
        [
            (family.rosa, family.child, monday, {"health": "agreement"}, "support"),
            (family.tom, family.child, tuesday, {"health": "withheld: nothing"}, "panel"),
            (family.tom, other, tuesday, {"refused": "no tie"}, "support"),
        ]
    )
    assert len(await found(gate, offices)) == 3
    assert [one.who for one in await found(gate, offices, worker=family.rosa.id)] == [
        "Rosa Whitlow"
    ]
    assert len(await found(gate, offices, agency=family.school)) == 2
    assert {one.agency for one in await found(gate, offices, reference="C-1001")} == {
        "Health visiting", "Made-up School", "Testshire Council",
    } - {"Testshire Council"}  # fmt: skip
    assert len(await found(gate, offices, since=date(2026, 11, 24), worker=family.tom.id)) == 2
    assert len(await found(gate, offices, until=date(2026, 11, 23), worker=family.rosa.id)) == 1
    assert [one.purpose for one in await found(gate, offices, purpose=Purpose.PANEL)] == ["panel"]
    (refused,) = await found(gate, offices, refused_only=True)
    assert refused.refused
    assert refused.who == "Tom Arden"
    with pytest.raises(Invalid):
        await found(gate, offices, since=date(2026, 11, 24), until=date(2026, 11, 23))


async def test_the_last_day_is_a_london_day(
    gate: Gate, family: Family, offices: Offices, looks: Looks
) -> None:
    late = datetime(2026, 7, 1, 22, 59, tzinfo=UTC)  # 23:59 in London
    looks.at(family.rosa, family.child, late)
    looks.at(family.rosa, family.child, late + timedelta(minutes=2))
    on_day = {"since": date(2026, 7, 1), "until": date(2026, 7, 1)}
    assert [one.at for one in await found(gate, offices, **on_day)] == [late]


async def test_it_is_paged_by_key_both_ways(
    gate: Gate, family: Family, offices: Offices, looks: Looks
) -> None:
    moments = minutes(MONDAY, 120)
    looks.many(
        [(family.rosa, family.child, at, {"health": "agreement"}, "support") for at in moments]
    )
    asked, seen, cursors = Asked(), [], []
    question = HistoryQuestion(worker=family.rosa.id)
    while True:
        page = await search_history(gate, offices.lead, question, asked)
        seen += [one.at for one in page.rows]
        if page.next is None:
            break
        cursors.append(page)
        asked = read_cursor(page.next, (datetime, UUID))
    assert seen == moments[::-1]
    back = await search_history(
        gate, offices.lead, question, read_cursor(page.previous, (datetime, UUID))
    )
    assert [one.at for one in back.rows] == [one.at for one in cursors[-1].rows]


async def test_a_child_has_a_name_only_where_the_gate_shows_it(
    gate: Gate, family: Family, offices: Offices, tenant: Tenant, looks: Looks
) -> None:
    looks.at(family.rosa, family.child, MONDAY)
    (look, *_) = await found(gate, offices)
    assert (look.reference, look.child_name) == ("C-1001", "")
    # With an override towards the lead the record opens, and so does the name.
    async with tenant.transaction(JOB) as session:
        await session.execute(
            text(
                "INSERT INTO sharing_override (id, child_id, to_id, categories, starts_at, ends_at,"
                " created_at, created_by, changed_at, changed_by, version) VALUES (:id, :child,"
                " :lead, '{}', :now, :until, :now, :lead, :now, :lead, 1)"
            ),
            {
                "id": new_id(), "child": family.child, "lead": offices.lead.id, "now": MONDAY,
                "until": MONDAY + timedelta(hours=24),
            },
        )  # fmt: skip
        await session.execute(text("SELECT rewrite_child_access(:c)"), {"c": family.child})
    before = looks.ask("SELECT count(*) FROM access_event WHERE child_id = %s", family.child)
    rows = await found(gate, offices)
    after = looks.ask("SELECT count(*) FROM access_event WHERE child_id = %s", family.child)
    assert {one.child_name for one in rows} == {"Freya Kestrel"}
    assert after[0][0] == before[0][0] + 1, "to show the name is a look at the record"


async def test_nobody_is_there_for_an_address_of_nobodys(
    gate: Gate, family: Family, offices: Offices
) -> None:
    with pytest.raises(NotFound):
        async with gate.open(new_id(), family.tom, Purpose.SUPPORT, "read the record"):
            pass
    (look,) = await found(gate, offices, refused_only=True)
    assert look.reference == ""


async def test_every_search_is_written_down_and_is_a_look_at_the_child(
    gate: Gate, family: Family, offices: Offices, looks: Looks, tenant: Tenant
) -> None:
    await found(gate, offices, reference="C-1001", refused_only=True)
    await found(gate, offices, reference="C-9999")
    rows = looks.ask("SELECT viewer_id, asked, shown FROM history_search ORDER BY id")
    assert rows == [
        (offices.lead.id, {"reference": "C-1001", "refused": "yes"}, 0),
        (offices.lead.id, {"reference": "C-9999"}, 0),
    ]
    # The look is on the child's own history, where the family and the lead professional see it.
    logged = looks.ask("SELECT child_id, purpose, decisions FROM access_event")
    assert logged == [(family.child, "governance", {})]
    (own,) = await found(gate, offices, purpose=Purpose.GOVERNANCE)
    assert own.who == "Ngozi Hart"


async def test_nobody_else_reaches_it(
    client: Client, gate: Gate, family: Family, offices: Offices, tenant: Tenant, sign_in: Any
) -> None:
    others: list[Viewer] = [family.rosa, family.tom, offices.guardian]
    for viewer in others:
        with pytest.raises(NotAllowed):
            await search_history(gate, viewer, HistoryQuestion(), Asked())
        await sign_in(viewer.id)
        await shown(client, f"{SEARCH}?worker=", status=403)
    for viewer in (*others, None):
        # The database refuses too, whatever a page forgot.
        with pytest.raises(ProgrammingError, match="only the information governance lead"):
            async with tenant.transaction(*(() if viewer is None else (viewer.id,))) as session:
                await session.execute(
                    text(
                        "SELECT * FROM search_access_history(gen_random_uuid(), gen_random_uuid(),"
                        " '{}', NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, false, 5)"
                    )
                )
    async with tenant.transaction(offices.lead.id) as session:
        # Nor does the lead read the table itself past the children in reach.
        assert await session.scalar(text("SELECT count(*) FROM access_event")) == 0
    async with tenant.transaction(family.rosa.id) as session:
        assert await session.scalar(text("SELECT count(*) FROM history_search")) == 0


async def test_a_lead_whose_role_ended_is_refused(
    gate: Gate, family: Family, offices: Offices, tenant: Tenant
) -> None:
    async with tenant.transaction(JOB) as session:
        await session.execute(
            text("UPDATE worker_role SET until_on = '2026-11-22' WHERE worker_id = :w"),
            {"w": offices.lead.id},
        )
    with pytest.raises(ProgrammingError):
        await found(gate, offices)


async def test_workers_are_found_by_words_of_their_name(
    tenant: Tenant, family: Family, offices: Offices
) -> None:
    async with tenant.transaction(offices.lead.id) as session:
        assert [one.name for one in await workers_called(session, "whitlow ROSA")] == [
            "Rosa Whitlow"
        ]
        assert [one.id for one in await workers_called(session, "tom@demo.example")] == [
            family.tom.id
        ]
        assert await workers_called(session, "nobody@demo.example") == []
        assert await workers_called(session, "1234") == []


async def test_the_lead_searches_on_a_page(
    client: Client, gate: Gate, family: Family, offices: Offices, sign_in: Any, tenant: Tenant
) -> None:
    await hold_the_plan(tenant, family)
    for _ in range(60):
        await sees(gate, family, family.tom, Category.HEALTH)
    await sign_in(offices.lead.id)
    said = await shown(client, SEARCH)
    assert "Nothing was searched yet" in said
    said = await shown(client, f"{SEARCH}?worker=arden&since-day=23&since-month=11&since-year=2026")
    assert "Tom Arden, Made-up School" in said
    assert "C-1001" in said
    assert "Freya" not in said
    page = (await client.get(f"{SEARCH}?worker=arden")).text
    older = html.unescape(re.findall(r'href="([^"]*)" rel="next"', page)[0])
    assert "Tom Arden" in await shown(client, older)
    assert "no longer works" in await shown(client, f"{SEARCH}?worker=arden&page=nonsense")
    said = await shown(client, "/governance/searches")
    assert "Ngozi Hart Tom Arden, from 23 November 2026" in said


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("worker=Zebedee", "Nobody of this name works here"),
        ("since-day=31&since-month=2&since-year=2026", "First day must be a real date"),
        ("since=2026-11-24&until=2026-11-23", "The last day is before the first one"),
        ("agency=x", "Choose agency from the list"),
        ("colour=red", "this form sent something that the page does not have"),
        ("reference=" + "9" * 30, "must be 20 characters or fewer"),
        # What is asked is kept in the clear: a name is not taken where a reference belongs.
        ("reference=Freya", "Enter the reference as it stands on the record"),
    ],
)
async def test_a_wrong_answer_is_told_and_searches_nothing(
    client: Client, family: Family, offices: Offices, sign_in: Any, looks: Looks,
    query: str, sentence: str,
) -> None:  # fmt: skip
    await sign_in(offices.lead.id)
    assert sentence in await shown(client, f"{SEARCH}?{query}", status=422)
    assert looks.ask("SELECT count(*) FROM history_search") == [(0,)]


async def test_namesakes_are_told_apart(
    client: Client, gate: Gate, tenant: Tenant, family: Family, offices: Offices, sign_in: Any
) -> None:
    async with tenant.transaction(JOB) as session:
        office = await agency_by_key(session, "office")
        assert office is not None
        await add_worker(session, office, name="Tom Arden", email="tom2@office.example")
    await sees(gate, family, family.tom)
    await sign_in(offices.lead.id)
    said = await shown(client, f"{SEARCH}?worker=Arden")
    assert "Several people are called so" in said
    page = (await client.get(f"{SEARCH}?worker=Arden")).text
    there = html.unescape(re.findall(r'href="([^"]*)">Tom Arden, Made-up School', page)[0])
    assert "C-1001" in await shown(client, there)
