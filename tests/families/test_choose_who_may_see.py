"""A parent reads who may see what about a child, chooses, and it works at once."""

from datetime import date

import pytest
from sqlalchemy import select

from consent import Category, Level, Purpose
from panel.accounts.service import add_agency
from panel.panels.calendar import join_panel
from panel.panels.models import AgendaItem, Meeting, Panel
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.models import SharingObjection
from tests.families.choosing import (
    ENDS,
    School,
    agreed,
    choose,
    evidence_of,
    may_see,
    path_of,
    rehearse,
    standing,
    with_school,
    write_down,
)
from tests.families.conftest import SignInFamily
from tests.families.household import Client, Family, words


@pytest.fixture
async def school(tenant: Tenant, family: Family) -> School:
    return await with_school(tenant, family)


@pytest.fixture
async def mother(client: Client, family: Family, sign_in_family: SignInFamily) -> Client:
    """The browser of Freya's mother."""
    await sign_in_family(family.mother)
    return client


async def page_of(client: Client, family: Family) -> str:
    shown = await client.get(f"/family/{family.child}/choices")
    assert shown.status_code == 200, shown.text
    return words(shown.text)


async def test_she_reads_who_may_see_what_and_who_chose_it(
    mother: Client, gate: Gate, family: Family, school: School
) -> None:
    await write_down(gate, family, agreed(family.mother, {school.id}))
    home = await mother.get("/family")
    assert f'href="/family/{family.child}/choices"' in home.text
    said = await page_of(mother, family)
    assert "Who may see what about Freya" in said
    assert "Ashdown School may see the name, the address, who helps and the plan." in said
    assert "It may not see health, school, home life, money or worries." in said
    assert "You said yes on 23 November 2026. It ends on 3 May 2027." in said
    assert "The people who run the panel may see the name and who helps. The law says so:" in said


async def test_she_stops_it_after_she_read_what_changes(
    mother: Client, tenant: Tenant, gate: Gate, family: Family, school: School
) -> None:
    await write_down(gate, family, agreed(family.mother, {school.id, family.agency}))
    assert await may_see(gate, family, school.tom, Category.PLAN)
    said = words((await rehearse(mother, family, school.id, "stop-everything")).text)
    assert "Stop sharing with Ashdown School?" in said
    assert "Ashdown School no longer sees the address, who helps or the plan." in said
    assert "It works at once: on the next page they open" in said
    assert "What people at Ashdown School wrote themselves, they keep." in said
    assert "It goes on until 3 May 2027." in said
    assert await may_see(gate, family, school.tom, Category.PLAN), "reading changes nothing"
    done = await choose(mother, family, school.id, "stop-everything")
    assert (done.status_code, done.headers["location"]) == (
        303, f"/family/{family.child}/choices?done=yes",
    )  # fmt: skip
    assert not await may_see(gate, family, school.tom, Category.PLAN)
    said = words((await mother.get(done.headers["location"])).text)
    assert "You have chosen. Rosa Whitlow will be told." in said
    assert "That ended on 23 November 2026." in said
    (rest,) = await standing(tenant, family)
    assert set(rest.agencies) == {family.agency}, "the others go on as they were"
    assert (rest.from_on, rest.until_on) == (date(2026, 11, 23), ENDS)


async def test_she_stops_one_kind_and_shares_it_again(
    mother: Client, tenant: Tenant, gate: Gate, family: Family, school: School
) -> None:
    await write_down(gate, family, agreed(family.mother, {school.id}, level=Level.ADDITIONAL))
    await choose(mother, family, school.id, "stop-more")
    assert await may_see(gate, family, school.tom, Category.PLAN)
    assert not await may_see(gate, family, school.tom, Category.HEALTH)
    await choose(mother, family, school.id, "share-more")
    assert await may_see(gate, family, school.tom, Category.HEALTH)
    (row,) = await standing(tenant, family)
    assert row.level == "additional"
    assert await evidence_of(tenant, row) == "Said on the family's page by themselves."
    assert row.by_person_id == row.created_by == family.mother
    assert row.capacity == "parental_responsibility"
    assert row.basis == "birth_mother"


async def test_she_chooses_another_end(
    mother: Client, tenant: Tenant, gate: Gate, family: Family, school: School
) -> None:
    first = await write_down(gate, family, agreed(family.mother, {school.id}))
    day = {"until-day": "1", "until-month": "9", "until-year": "2027"}
    done = await choose(mother, family, school.id, "keep-everything", **day)
    assert done.status_code == 303, words(done.text)
    (row,) = await standing(tenant, family)
    assert (row.until_on, row.renews_id) == (date(2027, 9, 1), first.id)


async def test_she_shares_with_somebody_new(
    mother: Client, tenant: Tenant, gate: Gate, family: Family, school: School
) -> None:
    base = f"/family/{family.child}/choices"
    async with tenant.transaction() as session:
        agency = await add_agency(session, key="salt", name="Speech therapy", kind="health")
    shown = await mother.get(f"{base}/new")
    assert "Speech therapy" in shown.text
    nothing = await mother.get(f"{base}/new?agency=")
    assert nothing.status_code == 422
    assert "Choose how much they may see" in words(nothing.text)
    onward = await mother.get(
        f"{base}/new", params={"agency": str(agency.id), "change": "share-basic"},
        follow_redirects=False,
    )  # fmt: skip
    assert onward.headers["location"] == f"{path_of(family, agency.id)}?change=share-basic"
    done = await choose(mother, family, agency.id, "share-basic")
    assert done.status_code == 303
    assert "Speech therapy may see the name, the address, who helps and the plan." in await page_of(
        mother, family
    )


async def test_she_reads_on_which_meeting_it_shows_first(
    mother: Client, tenant: Tenant, gate: Gate, family: Family, school: School
) -> None:
    await write_down(gate, family, agreed(family.mother, {school.id}))
    async with tenant.transaction(JOB) as session:
        panel = (await session.scalars(select(Panel))).one()
        await join_panel(session, panel, school.id)
        meeting = Meeting(
            panel_id=panel.id,
            slot_on=date(2026, 12, 3),
            held_on=date(2026, 12, 3),
            state="frozen",
            frozen_at=session.info["now"],
        )
        session.add(meeting)
        await session.flush()
        session.add(
            AgendaItem(
                child_id=family.child,
                meeting_id=meeting.id,
                position=1,
                minutes=10,
                why="new",
                opens_at=session.info["now"],
                pack_until=date(2026, 12, 17),
            )
        )
    said = words((await rehearse(mother, family, school.id, "stop-everything")).text)
    assert "Where it shows first" in said
    assert "The papers for the meeting on 3 December 2026 say less to Ashdown School." in said


async def test_she_lets_the_computer_of_an_agency_have_it_and_stops_that_alone(
    mother: Client, tenant: Tenant, gate: Gate, family: Family, school: School
) -> None:
    await write_down(gate, family, agreed(family.mother, {school.id, family.agency}))
    assert "Its computer gets only what this team wrote." in await page_of(mother, family)
    said = words((await rehearse(mother, family, school.id, "share-system")).text)
    assert "Share with the computer of Ashdown School?" in said
    assert "It gets the name, the address, who helps and the plan." in said
    assert "Ashdown School may see" not in said
    done = await choose(mother, family, school.id, "share-system")
    assert done.status_code == 303, words(done.text)
    people, system = await standing(tenant, family)
    assert set(people.agencies) == {school.id, family.agency}, "the people's word stays as it was"
    assert (set(system.agencies), system.purposes) == ({school.id}, ["exchange"])
    assert (system.level, system.until_on) == ("basic", ENDS)
    page = await page_of(mother, family)
    assert "Its computer gets what the family said yes to." in page
    assert "This is about its computer. You said yes on 23 November 2026." in page
    await choose(mother, family, school.id, "share-more")
    page = await page_of(mother, family)
    assert "Its computer gets the name, the address, who helps and the plan." in page, (
        "more for people is not more for their computer"
    )
    said = words((await rehearse(mother, family, school.id, "stop-system")).text)
    assert "What the computer of Ashdown School has now, it keeps." in said
    await choose(mother, family, school.id, "stop-system")
    assert {tuple(row.purposes) for row in await standing(tenant, family)} == {
        ("panel", "review", "support")
    }
    assert await may_see(gate, family, school.tom, Category.HEALTH)
    assert "Its computer gets only what this team wrote." in await page_of(mother, family)


async def test_the_computer_of_an_agency_stays_as_it_was_agreed_in_one_word(
    mother: Client, tenant: Tenant, gate: Gate, family: Family, school: School
) -> None:
    everything = frozenset({Purpose.SUPPORT, Purpose.EXCHANGE})
    await write_down(gate, family, agreed(family.mother, {school.id}, purposes=everything))
    await choose(mother, family, school.id, "share-more")
    found = {row.level: set(row.purposes) for row in await standing(tenant, family)}
    assert found == {"basic": {"exchange"}, "additional": {"support", "panel", "review"}}
    await choose(mother, family, school.id, "stop-system")
    (row,) = await standing(tenant, family)
    assert "exchange" not in row.purposes


async def test_what_another_parent_agreed_for_a_computer_is_not_stopped_by_a_press(
    mother: Client, tenant: Tenant, gate: Gate, family: Family, school: School
) -> None:
    """It is a no to the computer alone, which is decided with both; the people see on."""
    earlier = date(2026, 11, 2)
    await write_down(gate, family, agreed(family.mother, {school.id}))
    fathers = agreed(
        family.father, {school.id}, purposes=frozenset({Purpose.EXCHANGE}), agreed_on=earlier
    )
    await write_down(gate, family, fathers)
    said = words((await rehearse(mother, family, school.id, "stop-system")).text)
    assert "Somebody else who may choose said yes here. So your no is not the last word." in said
    assert "You should know by Monday 30 November 2026." in said
    assert "Until then what is shared now goes on." in said
    assert "no longer" not in said
    await choose(mother, family, school.id, "stop-system")
    async with tenant.transaction(JOB) as session:
        (row,) = await session.scalars(select(SharingObjection))
        assert (row.by_person_id, row.agencies) == (family.mother, [school.id])
        assert row.purposes == ["exchange"]
    page = await page_of(mother, family)
    assert "Its computer gets what the family said yes to." in page, "until it is decided"
    assert "You said no to this. It is not settled yet." in page
    assert "You said no here." not in page
    for change in ("stop-system", "refuse-system", "share-system"):
        assert (await rehearse(mother, family, school.id, change)).status_code == 422
    home = words((await mother.get("/family")).text)
    assert "You said no to sharing more with the computer of Ashdown School." in home
    await choose(mother, family, school.id, "share-more")
    assert await may_see(gate, family, school.tom, Category.HEALTH), "new for people does not wait"
    nobody = await rehearse(mother, family, family.agency, "share-system")
    assert "so their computer gets nothing" in words(nobody.text)
