"""Everything that happened to a child, as each reader may know it, in pages by key."""

from datetime import date, timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from consent import Category, Purpose, RestrictionKind, Viewer, ViewerKind
from panel.casework.chronology import (
    A_PAGE,
    WholeChronology,
    chronology_for_family,
    whole_chronology,
)
from panel.casework.chronology_rules import (
    GROUPS,
    SAYINGS,
    Entry,
    Order,
    beyond,
    put_in_order,
    words_of,
)
from panel.platform.clock import FixedClock
from panel.platform.tenancy import Tenant
from panel.records.gate import Access, Gate
from panel.register.history import CLOSURE_WORDS, EVENT_KINDS, note_event
from panel.register.models import Child
from panel.sharing.models import SharingRestriction
from panel.web.paging import Asked, page_of, read_cursor
from tests.conftest import SignIn
from tests.families.conftest import SignInFamily
from tests.families.household import Client, Family, give_plan, words
from tests.panels.conftest import REFERRED, AddChild, House

ZERO = UUID(int=0)
FIRST: Asked = Asked()
DAYS = st.dates(date(2024, 1, 1), date(2024, 3, 10))


def entry(on: date, kind: str, number: int) -> Entry:
    """An entry of nobody's."""
    return Entry(on, kind, uuid5(ZERO, str(number)), Category.PANEL, None, "", "", None)


@given(
    st.lists(st.tuples(DAYS, st.sampled_from(sorted(SAYINGS))), max_size=40),
    st.sampled_from(["newest", "oldest"]),
    st.integers(1, 7),
)
def test_pages_by_key_hold_every_entry_once_both_ways(
    happened: list[tuple[date, str]], order: Order, at_most: int
) -> None:
    entries = [entry(on, kind, number) for number, (on, kind) in enumerate(happened)]
    ordered = put_in_order(entries, order)
    kinds = (date, str, UUID)

    def turned(asked: Asked) -> tuple[list[Entry], str | None, str | None]:
        page = page_of(beyond(ordered, asked), asked, at_most, lambda one: one.key)
        return page.rows, page.previous, page.next

    rows, _, following = turned(FIRST)
    seen, last = list(rows), rows
    while following is not None:
        rows, before, following = turned(read_cursor(following, kinds))
        assert before is not None
        back, _, _ = turned(read_cursor(before, kinds))
        assert back == last
        seen, last = seen + rows, rows
    assert seen == ordered


def test_every_kind_of_entry_has_words_for_both_readers() -> None:
    for kind, saying in SAYINGS.items():
        assert saying.group in GROUPS
        for detail in saying.details or {"1": ""}:
            one = Entry(date(2026, 1, 5), kind, ZERO, Category.PANEL, None, "Portage", detail, None)
            for reader in ("worker", "family"):
                said = words_of(one, reader)
                assert said
                assert "{" not in said
                assert not said.endswith(": ")
    assert SAYINGS["episode_closed"].details is CLOSURE_WORDS
    assert SAYINGS["event"].details is EVENT_KINDS


def kinds_of(read: WholeChronology) -> list[str]:
    """The kinds of entry on a page, in its order."""
    return [one.entry.kind for one in read.page.rows]


async def event(access: Access, on: date, category: Category, text: str, agency: UUID) -> None:
    """Somebody writes down an event of school."""
    await note_event(
        access.session,
        access.child_id,
        happened_on=on,
        kind="school",
        category=category,
        author_agency_id=agency,
        text=text,
    )


async def test_own_and_derived_entries_stand_in_one_order(
    house: House, add_child: AddChild, clock: FixedClock
) -> None:
    child = await add_child("Amina")
    clock.set(clock.now() + timedelta(hours=1))
    async with house.as_("job") as session:
        row = (await session.scalars(select(Child).where(Child.id == child))).one()
        row.school = "Marlow nursery"
    async with house.opened("Amina", "lead") as access:
        health = house.agencies["health"]
        await event(access, date(2026, 10, 1), Category.HEALTH, "A first word", health)
    async with house.opened("Amina", "lead") as access:
        read = await whole_chronology(access, FIRST, order="oldest")
        back = await whole_chronology(access, FIRST, order="newest")
        people = await whole_chronology(access, FIRST, order="newest", group="people")
    assert kinds_of(read) == [
        "event", "agency_began", "agency_began", "assessment_signed", "lead_began", "plan_agreed",
        "plan_started", "referred", "moved_school",
    ]  # fmt: skip
    assert kinds_of(back) == kinds_of(read)[::-1]
    assert set(kinds_of(people)) == {"agency_began", "lead_began"}
    assert read.page.rows[0].text == "A first word"
    assert {one.entry.on for one in read.page.rows[1:-1]} == {REFERRED}
    assert read.number == 9
    assert read.withheld == ()


@pytest.mark.parametrize("silent", [False, True])
async def test_what_is_withheld_is_said_but_not_where_silence_is_kept(
    house: House, add_child: AddChild, *, silent: bool
) -> None:
    child = await add_child("Amina")
    education = house.agencies["education"]
    async with house.as_("job") as session:
        session.add(
            SharingRestriction(
                child_id=child,
                kind=RestrictionKind.PROTECTION.value,
                categories=["health"],
                against=[education],
                from_on=date(2026, 9, 1),
                silent=silent,
                reason="A threat was made",
            )
        )
    async with house.opened("Amina", "lead") as access:
        health = house.agencies["health"]
        await event(access, date(2026, 10, 1), Category.HEALTH, "Seen at the clinic", health)
    async with house.opened("Amina", "assessor") as access:
        read = await whole_chronology(access, FIRST, order="oldest")
    assert "event" not in kinds_of(read)
    assert read.number == len(read.page.rows)
    assert [one.category for one in read.withheld] == ([] if silent else [Category.HEALTH])


async def test_no_edge_of_a_page_tells_of_what_is_withheld(
    house: House, add_child: AddChild
) -> None:
    child = await add_child("Amina")
    education, health = house.agencies["education"], house.agencies["health"]
    async with house.as_("job") as session:
        session.add(
            SharingRestriction(
                child_id=child,
                kind=RestrictionKind.PROTECTION.value,
                categories=["health"],
                against=[education],
                from_on=date(2026, 9, 1),
                silent=True,
                reason="A threat was made",
            )
        )
    async with house.opened("Amina", "lead") as access:
        for back in range(2 * A_PAGE):
            category = Category.HEALTH if back % 2 else Category.EDUCATION
            on = date(2026, 11, 20) - timedelta(days=back)
            await event(access, on, category, f"Day {back}", health)
    async with house.opened("Amina", "assessor") as access:
        read = await whole_chronology(access, FIRST, order="newest")
        assert len(read.page.rows) == A_PAGE
        assert read.page.next is not None
        asked = read_cursor(read.page.next, (date, str, UUID))
        assert asked.key == read.page.rows[-1].entry.key
        more = await whole_chronology(access, asked, order="newest")
        everything = await whole_chronology(access, FIRST, order="newest", whole=True)
    assert everything.page.rows == [*read.page.rows, *more.page.rows]
    assert all(one.entry.category is not Category.HEALTH for one in everything.page.rows)


async def test_a_worker_turns_the_pages_and_prints(
    house: House, add_child: AddChild, client: Client, sign_in: SignIn
) -> None:
    child = await add_child("Amina")
    async with house.opened("Amina", "lead") as access:
        for back in range(A_PAGE):
            on = date(2026, 10, 1) - timedelta(days=back)
            await event(access, on, Category.HEALTH, f"Day {back}.", house.agencies["health"])
    await sign_in(house.viewers["lead"].id)
    address = f"/children/{child}/chronology/all"
    first = await client.get(address)
    assert first.status_code == 200
    assert "37 entries, newest first." in first.text
    assert "Referred to the" in first.text
    assert "Day 29." not in first.text
    assert "Day 29." in (await client.get(f"{address}?whole=yes")).text
    assert "Referred to the" not in (await client.get(f"{address}?about=events")).text
    linked = await client.get(f"/children/{child}/chronology")
    assert f'href="{address}"' in linked.text


async def test_the_family_reads_what_happened_without_what_workers_wrote(
    tenant: Tenant, gate: Gate, family: Family, client: Client, sign_in_family: SignInFamily
) -> None:
    rosa = Viewer(family.rosa, ViewerKind.WORKER, family.agency, "health")
    await give_plan(tenant, family)
    async with gate.open(family.child, rosa, Purpose.SUPPORT, "wrote") as access:
        on = date(2026, 11, 10)
        await event(access, on, Category.EDUCATION, "ZQWORKER about nursery", family.agency)
        await event(access, on, Category.SAFEGUARDING, "ZQWORKER a worry", family.agency)
    mother = Viewer(family.mother, ViewerKind.FAMILY)
    async with gate.open(family.child, mother, Purpose.SUPPORT, "read") as access:
        read = await chronology_for_family(access, FIRST, order="oldest")
    assert kinds_of(read).count("event") == 1
    await sign_in_family(family.mother)
    home = await client.get("/family")
    assert f'href="/family/{family.child}/chronology"' in home.text
    page = await client.get(f"/family/{family.child}/chronology")
    assert page.status_code == 200
    said = words(page.text)
    assert "Health visiting began to help" in said
    assert "Something was written down about: School or nursery" in said
    assert "ZQWORKER" not in page.text
    assert (await client.get(f"/family/{family.child}/chronology?order=oldest")).status_code == 200
