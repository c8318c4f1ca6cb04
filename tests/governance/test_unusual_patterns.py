"""What stands out in a day's looks is written down once, seen, and closed by somebody else."""

import html
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from consent import Role, Viewer
from panel.commands.jobs import find_unusual_patterns
from panel.governance.models import PatternKind, UnusualPattern
from panel.governance.pattern_rules import (
    DEFAULTS,
    Seen,
    Threshold,
    is_out_of_hours,
    may_close,
    most_children_in_an_hour,
    surname_words,
)
from panel.governance.patterns import close_pattern, find_unusual, open_patterns
from panel.governance.thresholds import set_thresholds, thresholds
from panel.platform.clock import FixedClock
from panel.platform.ids import new_id
from panel.platform.jobs import Job, run_due
from panel.platform.problems import Gone, NotAllowed, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.register.models import Episode
from panel.web.paging import Asked
from tests.governance.conftest import MONDAY, Looks, Offices, children_named, minutes
from tests.sharing.family import Family

Client = AsyncTestClient[Litestar]
DAY = date(2026, 11, 23)


async def find(tenant: Tenant, day: date = DAY) -> int:
    async with tenant.transaction(JOB) as session:
        return await find_unusual(session, day)


async def rows(tenant: Tenant) -> set[tuple[str, UUID, int, bool]]:
    async with tenant.transaction(JOB) as session:
        found = await session.execute(
            text("SELECT kind, viewer_id, how_many, of_lead FROM unusual_pattern")
        )
        return {tuple(row) for row in found}


# The rules.


def test_an_hour_is_any_sixty_minutes() -> None:
    start = datetime(2026, 11, 23, 9, 45, tzinfo=UTC)
    looks = [Seen(new_id(), at, new_id()) for at in minutes(start, 30, apart=1.9)]
    assert most_children_in_an_hour(looks) == 30
    assert most_children_in_an_hour(looks[::-1]) == 30
    apart = [Seen(new_id(), at, new_id()) for at in minutes(start, 30, apart=10)]
    assert most_children_in_an_hour(apart) == 6
    child = new_id()
    assert most_children_in_an_hour(Seen(child, at, child) for at in minutes(start, 50)) == 1
    assert most_children_in_an_hour([]) == 0


@pytest.mark.parametrize(
    ("moment", "out"),
    [
        ("2026-11-23T09:30", False),
        ("2026-11-23T06:59", True),
        ("2026-11-23T20:00", True),
        ("2026-07-06T06:30", False),  # 7:30 in London
        ("2026-07-06T19:30", True),  # 20:30 in London
        ("2026-11-22T11:00", True),  # Sunday
        ("2026-12-25T11:00", True),  # Christmas Day, a Friday
    ],
)
def test_out_of_hours_is_in_london(moment: str, *, out: bool) -> None:
    assert is_out_of_hours(datetime.fromisoformat(moment).replace(tzinfo=UTC), 7, 20) is out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Tom Arden", {"arden"}),
        ("Dr Maria Smith-Jones", {"smith", "jones", "smithjones"}),
        ("Siân O’Brien", {"obrien"}),
        ("Ngozi B", set()),
        ("", set()),
    ],
)
def test_a_surname_in_words(name: str, words: set[str]) -> None:
    assert surname_words(name) == words


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("of_lead", [True, False])
def test_nobody_closes_what_is_about_themselves(role: Role, *, of_lead: bool) -> None:
    me, other = new_id(), new_id()
    everything = frozenset(Role)
    assert not may_close(about=me, of_lead=of_lead, who=me, roles=everything)
    guardians = {Role.CALDICOTT_GUARDIAN, Role.SAFEGUARDING_LEAD}
    expected = role in guardians if of_lead else role is Role.GOVERNANCE_LEAD
    assert may_close(about=other, of_lead=of_lead, who=me, roles={role}) is expected


# The job.


async def test_each_kind_is_found_with_its_figure(
    tenant: Tenant, family: Family, offices: Offices, looks: Looks
) -> None:
    async with tenant.transaction(JOB) as session:
        names = [f"Otto Wren{chr(97 + n)}" for n in range(26)]
        many = await children_named(session, *names, agency=family.school)
        (namesake, closed) = await children_named(
            session, "Ida Whitlow", "Ned Finch", agency=family.health
        )
        session.add(
            Episode(child_id=closed, opened_on=date(2026, 1, 5), closed_on=date(2026, 10, 1))
        )
    seen = {"health": "agreement"}
    looks.many([
        (family.tom, child, at, seen, "support")
        for child, at in zip(many, minutes(MONDAY, 26), strict=True)
    ])  # fmt: skip
    looks.at(family.rosa, namesake, MONDAY)
    looks.many(
        [
            (family.nia, family.child, at, seen, "support")
            for at in minutes(MONDAY.replace(hour=21), 5)
        ]
    )
    looks.at(family.rosa, closed, MONDAY + timedelta(minutes=1))
    looks.many(
        [
            (offices.lead, new_id(), at, {"refused": "no tie"}, "support")
            for at in minutes(MONDAY, 10)
        ]
    )
    assert await find(tenant) == 5
    assert await rows(tenant) == {
        ("many_children", family.tom.id, 26, False),
        ("own_name", family.rosa.id, 1, False),
        ("out_of_hours", family.nia.id, 5, False),
        ("after_closure", family.rosa.id, 1, False),
        ("many_refusals", offices.lead.id, 10, True),
    }


async def test_a_list_of_children_is_no_opening_of_records(
    tenant: Tenant, family: Family, looks: Looks
) -> None:
    async with tenant.transaction(JOB) as session:
        many = await children_named(
            session, *(f"Otto Arden{chr(97 + n)}" for n in range(30)), agency=family.school
        )
    looks.many(
        [(family.tom, child, MONDAY, {"identity": "own_record"}, "support") for child in many]
    )
    assert await find(tenant) == 0


async def test_one_less_is_not_told_and_a_case_closed_lately_or_opened_again_neither(
    tenant: Tenant, family: Family, offices: Offices, looks: Looks
) -> None:
    async with tenant.transaction(JOB) as session:
        lately, again = await children_named(
            session, "Ned Finch", "Una Finch", agency=family.health
        )
        session.add(
            Episode(child_id=lately, opened_on=date(2026, 1, 5), closed_on=date(2026, 11, 20))
        )
        session.add(Episode(child_id=again, opened_on=date(2026, 1, 5), closed_on=date(2026, 2, 1)))
        session.add(Episode(child_id=again, opened_on=date(2026, 11, 1)))
    for child in (lately, again):
        looks.at(family.rosa, child, MONDAY + timedelta(minutes=child.int % 59))
    refused = {"refused": "no tie"}
    looks.many([(family.tom, new_id(), at, refused, "support") for at in minutes(MONDAY, 9)])
    late = minutes(MONDAY.replace(hour=21), 4)
    looks.many([(family.nia, family.child, at, {"health": "agreement"}, "panel") for at in late])
    assert await find(tenant) == 0


async def test_it_is_made_once_whatever_the_job_does(
    tenant: Tenant, family: Family, offices: Offices, looks: Looks, clock: FixedClock
) -> None:
    refused = {"refused": "no tie"}
    looks.many([(family.tom, new_id(), at, refused, "support") for at in minutes(MONDAY, 12)])
    assert await find(tenant) == 1
    async with tenant.transaction(offices.lead.id) as session:
        (line,) = (await open_patterns(session, offices.lead, Asked())).rows
        await close_pattern(session, offices.lead, line.id, line.version, "A wrong link")
    assert await find(tenant) == 0
    # The job itself, a night later and missed for two: each day is gone through once.
    job = [Job("find unusual patterns", timedelta(days=1), find_unusual_patterns, catch_up=14)]
    for day in (24, 24, 26):
        clock.set(datetime(2026, 11, day, 3, tzinfo=UTC))
        await run_due(tenant, job, JOB)
    assert [how_many for _, _, how_many, _ in await rows(tenant)] == [12]
    done = looks.ask("SELECT count(*) FROM job_run WHERE job = 'find unusual patterns'")
    assert done == [(3,)]


async def test_the_thresholds_are_the_authoritys(
    tenant: Tenant, family: Family, offices: Offices, looks: Looks
) -> None:
    looks.many(
        [(family.tom, new_id(), at, {"refused": "no tie"}, "support") for at in minutes(MONDAY, 3)]
    )
    assert await find(tenant) == 0
    async with tenant.transaction(offices.lead.id) as session:
        wanted = DEFAULTS | {Threshold.MANY_REFUSALS: 3}
        await set_thresholds(session, wanted, "After a complaint")
        assert await thresholds(session) == wanted
        assert await thresholds(session, MONDAY - timedelta(days=1)) == DEFAULTS
    assert await find(tenant) == 1


async def test_a_lead_who_raises_the_thresholds_is_told_of_as_before(
    tenant: Tenant, family: Family, offices: Offices, looks: Looks
) -> None:
    refusals = minutes(MONDAY, DEFAULTS[Threshold.MANY_REFUSALS])
    for viewer in (offices.lead, family.tom):
        looks.many([(viewer, new_id(), at, {"refused": "no tie"}, "support") for at in refusals])
    async with tenant.transaction(offices.lead.id) as session:
        wanted = DEFAULTS | {Threshold.MANY_REFUSALS: 1_000, Threshold.CLOSED_FOR: 900}
        await set_thresholds(session, wanted, "Nothing to see here")
    assert await find(tenant) == 1
    assert {row[1] for row in await rows(tenant)} == {offices.lead.id}


# Seen, closed, kept.


async def made(tenant: Tenant, worker: Viewer, *, of_lead: bool = False) -> UUID:
    async with tenant.transaction(JOB) as session:
        row = UnusualPattern(
            kind=PatternKind.OUT_OF_HOURS.value,
            viewer_id=worker.id,
            agency_id=worker.agency,
            day=DAY,
            how_many=7,
            threshold=5,
            of_lead=of_lead,
        )
        session.add(row)
        await session.flush()
        return row.id


async def test_who_sees_and_closes_which(tenant: Tenant, family: Family, offices: Offices) -> None:
    of_tom = await made(tenant, family.tom)
    of_lead = await made(tenant, offices.lead, of_lead=True)
    expected = {
        offices.lead: {of_tom: True, of_lead: False},
        offices.second_lead: {of_tom: True, of_lead: False},
        offices.guardian: {of_lead: True},
    }
    for viewer, seen in expected.items():
        async with tenant.transaction(viewer.id) as session:
            found = await open_patterns(session, viewer, Asked())
            assert {one.id: one.may_close for one in found.rows} == seen
    async with tenant.transaction(family.tom.id) as session:
        with pytest.raises(NotAllowed):
            await open_patterns(session, family.tom, Asked())
        assert await session.scalar(text("SELECT count(*) FROM unusual_pattern")) == 0
    with pytest.raises(NotFound):
        async with tenant.transaction(offices.guardian.id) as session:
            await close_pattern(session, offices.guardian, of_tom, 1, "Not mine")
    for viewer in (offices.lead, offices.second_lead):
        with pytest.raises(NotAllowed):
            async with tenant.transaction(viewer.id) as session:
                await close_pattern(session, viewer, of_lead, 1, "It was me")
    async with tenant.transaction(offices.guardian.id) as session:
        await close_pattern(session, offices.guardian, of_lead, 1, "She prepared a request")
    with pytest.raises(Gone):
        async with tenant.transaction(offices.guardian.id) as session:
            await close_pattern(session, offices.guardian, of_lead, 2, "Again")


async def test_the_database_closes_none_about_oneself_and_deletes_none(
    tenant: Tenant, offices: Offices
) -> None:
    of_lead = await made(tenant, offices.lead, of_lead=True)
    closing = text("UPDATE unusual_pattern SET closed_at = now() WHERE id = :id RETURNING id")
    async with tenant.transaction(offices.lead.id) as session:
        assert (await session.execute(closing, {"id": of_lead})).all() == []
    async with tenant.transaction(offices.guardian.id) as session:
        assert len((await session.execute(closing, {"id": of_lead})).all()) == 1


async def test_a_lead_closes_one_on_a_page_and_finds_it_among_the_closed(
    client: Client, tenant: Tenant, family: Family, offices: Offices, sign_in: Any, looks: Looks
) -> None:
    pattern = await made(tenant, family.tom)
    await sign_in(offices.lead.id)
    home = await client.get("/", follow_redirects=False)
    assert home.headers["location"] == "/governance"
    assert "Opened records 7 times outside working hours" in (await client.get("/governance")).text
    address = f"/governance/patterns/{pattern}"
    page = (await client.get(address)).text
    assert f"worker_id={family.tom.id}" in page
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.split("<main")[1]))
    empty = await client.post(address, data=fields | {"note": " "})
    assert empty.status_code == 422
    assert "Write what you found out" in empty.text
    said = fields | {"note": "He covered for a colleague who was ill."}
    for _ in range(2):
        answer = await client.post(address, data=said, follow_redirects=False)
        assert answer.status_code == 303
    assert "Nothing unusual waits" in (await client.get("/governance")).text
    closed = html.unescape((await client.get("/governance/patterns/closed")).text)
    assert "He covered for a colleague who was ill." in closed
    assert "Ngozi Hart" in closed
    again = (await client.get(address)).text
    assert "Close it" not in again
    stored = looks.ask("SELECT note FROM unusual_pattern")
    assert b"colleague" not in bytes(stored[0][0])


async def test_the_thresholds_are_changed_on_a_page(
    client: Client, family: Family, offices: Offices, sign_in: Any, tenant: Tenant
) -> None:
    await sign_in(offices.guardian.id)
    assert (await client.get("/governance/thresholds")).status_code == 403
    await sign_in(offices.lead.id)
    page = (await client.get("/governance/thresholds")).text.split("<main")[1]
    fields = dict(re.findall(r'name="(\w+)" type="text" value="([^"]*)"', page))
    fields |= dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    wrong = fields | {"day_begins": "20", "day_ends": "7", "source": "Board"}
    answer = await client.post("/governance/thresholds", data=wrong)
    assert answer.status_code == 422
    assert "must end after it begins" in answer.text
    answer = await client.post("/governance/thresholds", data=fields | {"out_of_hours": "0"})
    assert answer.status_code == 422
    saved = fields | {"out_of_hours": "12", "source": "Too many false alarms"}
    answer = await client.post("/governance/thresholds", data=saved, follow_redirects=False)
    assert answer.status_code == 303
    async with tenant.transaction() as session:
        assert (await thresholds(session))[Threshold.OUT_OF_HOURS] == 12
        kept = await session.scalar(text("SELECT count(*) FROM setting"))
    assert kept == 1
