"""The lead professional's first page: my children, what is next, what is overdue, what was said."""

from collections.abc import AsyncIterator
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from consent import Purpose
from panel.accounts.models import Worker
from panel.assessments.definitions import built_in_forms, encode_form
from panel.assessments.models import Assessment, Form
from panel.panels.models import AgendaItem, FamilyWords, Meeting, Panel, Referral
from panel.plans.pages import lead_home, my_actions_part
from panel.plans.service import (
    HOME_KEY,
    MINE_KEY,
    ActionWords,
    OutcomeWords,
    add_action,
    add_outcome,
    home_of_lead,
    import_lead,
    my_actions,
    offer_lead,
    start_plan,
)
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.web.paging import Asked, read_cursor

SUPPORT = (Purpose.SUPPORT, Purpose.PANEL)
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
FIRST = Asked()


@pytest.fixture
async def lead(tenant: Tenant, people: Any) -> AsyncIterator[Any]:
    """Rosa holds Amina's plan since June."""
    await hold(tenant, people.rosa, people.child)
    return people.rosa


async def hold(tenant: Tenant, viewer: Any, child: Any) -> None:
    async with tenant.transaction(JOB) as session:
        worker = await session.get(Worker, viewer.id)
        assert worker is not None
        await import_lead(session, child, worker, date(2026, 6, 1))


async def refer(tenant: Tenant, people: Any, child: Any, review_by: date) -> None:
    """The child is known to a panel, with a review due; and is on an agenda a week before."""
    async with tenant.transaction(JOB) as session:
        panel = Panel(
            key=f"p{review_by}", name="CONTACTS", kind="contacts", first_on=TODAY, starts_at=time(9)
        )
        session.add(panel)
        await session.flush()
        meeting = Meeting(
            panel_id=panel.id, slot_on=review_by - 7 * DAY, held_on=review_by - 7 * DAY
        )
        session.add(meeting)
        await session.flush()
        session.add(
            Referral(
                child_id=child,
                panel_id=panel.id,
                referred_on=date(2026, 5, 1),
                agency_id=people.rosa.agency,
                next_review_by=review_by,
            )
        )
        if review_by - 7 * DAY >= TODAY:
            session.add(
                AgendaItem(
                    child_id=child, meeting_id=meeting.id, position=1, minutes=10, why="review_due"
                )
            )
        await rewrite_access(session, child)


async def test_a_child_with_everything_around_it(
    gate: Gate, tenant: Tenant, opened: Any, people: Any, lead: Any
) -> None:
    await refer(tenant, people, people.child, TODAY + 17 * DAY)
    async with opened(lead) as access:
        await start_plan(access, "Sleep")
        await add_outcome(access, OutcomeWords("Sleeps"))
        for text, due in (("Later", TODAY + DAY), ("First", TODAY - 2 * DAY), ("Undated", None)):
            await add_action(access, ActionWords(text, None, lead.id, due_on=due))
        await offer_lead(access, people.tomas.id)
        for said, on in (("Older words", TODAY - 9 * DAY), ("She loves water", TODAY - DAY)):
            access.session.add(
                FamilyWords(
                    child_id=people.child,
                    asked_on=on,
                    said_on=on,
                    author_agency_id=lead.agency,
                    text=said,
                )
            )
    home = await home_of_lead(gate, lead, SUPPORT, FIRST)
    (child,) = home.children.rows
    assert (child.name, child.reference) == ("Amina Kestrel", "C-1")
    assert (child.next_on, child.meeting_on, child.review_by) == (
        TODAY + 10 * DAY,
        TODAY + 10 * DAY,
        TODAY + 17 * DAY,
    )
    assert child.action is not None
    assert (child.action.text, child.action.is_mine) == ("First", True)
    assert child.overdue_actions == home.overdue_actions == 1
    assert child.said is not None
    assert child.said.text == "She loves water"
    assert (child.plan_state, child.offered_to) == ("draft", "Tomas Reed")
    page = lead_home(home)
    assert page.lead == "Begin with what is overdue."
    (row,) = page.children
    assert row.next_words == "Panel Thursday 3 December 2026 (in 10 days)"
    assert row.action is not None
    assert (row.action.about, row.action.overdue) == (
        "You, by 21 November 2026",
        "Overdue by 2 days",
    )
    assert [words for words, _ in row.notices] == [
        "1 action overdue",
        "Plan not agreed yet",
        "Handover offered to Tomas Reed today",
    ]
    offered = await home_of_lead(gate, people.tomas, SUPPORT, FIRST)
    assert [(one.name, one.offered_by) for one in offered.offers] == [
        ("Amina Kestrel", "Rosa Whitlow")
    ]
    assert offered.number_of_children == 0


async def test_what_is_withheld_is_not_in_it(
    gate: Gate, tenant: Tenant, opened: Any, people: Any
) -> None:
    async with opened(people.rosa) as access:
        await start_plan(access, "Sleep")
        await add_action(access, ActionWords("Hidden words", owner_words="Mum", due_on=TODAY))
        access.session.add(
            FamilyWords(
                child_id=people.child,
                asked_on=TODAY,
                said_on=TODAY,
                author_agency_id=people.rosa.agency,
                text="Hidden as well",
            )
        )
    await hold(tenant, people.stranger, people.child)
    home = await home_of_lead(gate, people.stranger, SUPPORT, FIRST)
    (child,) = home.children.rows
    assert child.action is not None
    assert child.action.text is None
    assert child.action.owner == ""
    assert child.said is None
    (row,) = lead_home(home).children
    assert row.action is not None
    assert row.action.text == "You cannot see what this action says."
    assert row.action.done_href == ""


async def test_drafts_of_mine_and_nobody_elses(
    gate: Gate, tenant: Tenant, people: Any, lead: Any
) -> None:
    async with tenant.transaction(JOB) as session:
        caf = next(one for one in built_in_forms() if one.key == "caf")
        form = Form(
            key="caf", number=1, title="CAF", definition=msgspec.json.decode(encode_form(caf))
        )
        session.add(form)
        await session.flush()
        for author in (people.rosa, people.tomas):
            session.add(
                Assessment(
                    child_id=people.child,
                    form_id=form.id,
                    form_key="caf",
                    author_id=author.id,
                    author_agency_id=author.agency,
                    started_on=TODAY - DAY,
                )
            )
    home = await home_of_lead(gate, lead, SUPPORT, FIRST)
    (draft,) = lead_home(home).drafts
    assert draft[:3] == ("CAF", "Amina Kestrel", "Started yesterday")


async def test_a_long_list_is_paged_soonest_first_with_overdue_reviews_on_top(
    gate: Gate, tenant: Tenant, people: Any, another_child: Any
) -> None:
    expected = []
    for number in range(45):
        child = await another_child(f"C-{number + 2}", "Theo", [people.beth])
        await hold(tenant, people.beth, child)
        if number < 3:
            await refer(tenant, people, child, TODAY + (number - 1) * 5 * DAY)
            expected.append(child)
    seen = []
    asked = FIRST
    pages = []
    while True:
        home = await home_of_lead(gate, people.beth, SUPPORT, asked)
        assert (home.number_of_children, home.overdue_reviews) == (45, 1)
        pages.append([one.child_id for one in home.children.rows])
        seen += pages[-1]
        if home.children.next is None:
            break
        asked = read_cursor(home.children.next, HOME_KEY)
    assert [len(page) for page in pages] == [20, 20, 5]
    assert len(set(seen)) == 45
    assert seen[:3] == expected
    assert home.children.previous is not None
    back = await home_of_lead(
        gate, people.beth, SUPPORT, read_cursor(home.children.previous, HOME_KEY)
    )
    assert [one.child_id for one in back.children.rows] == pages[1]


async def test_a_lead_professional_who_was_one_sees_nothing_of_it(
    gate: Gate, tenant: Tenant, people: Any, lead: Any
) -> None:
    async with tenant.transaction(JOB) as session:
        tomas = await session.get(Worker, people.tomas.id)
        assert tomas is not None
        await import_lead(session, people.child, tomas, TODAY)
    assert (await home_of_lead(gate, lead, SUPPORT, FIRST)).number_of_children == 0
    assert (await home_of_lead(gate, people.tomas, SUPPORT, FIRST)).number_of_children == 1


async def test_the_page_says_so_in_a_browser(
    client: AsyncTestClient[Litestar], sign_in: Any, tenant: Tenant, people: Any, lead: Any
) -> None:
    await sign_in(people.tomas.id)
    assert "You hold no plan now" in (await client.get("/my-home")).text
    await refer(tenant, people, people.child, TODAY - 3 * DAY)
    await sign_in(lead.id)
    page = await client.get("/my-home?page=nonsense")
    for words in ("Amina Kestrel", "Review overdue", "No plan yet", "That page link no longer"):
        assert words in page.text, words


async def test_what_somebody_is_asked_to_do_goes_on_for_pages(
    gate: Gate, tenant: Tenant, opened: Any, people: Any, lead: Any
) -> None:
    async with opened(lead) as access:
        await start_plan(access, "Sleep")
        await add_outcome(access, OutcomeWords("Sleeps"))
        for number in range(43):
            due = TODAY + number // 3 * DAY if number < 30 else None
            await add_action(access, ActionWords(f"Action {number}", None, lead.id, due_on=due))
    there: list[list[UUID]] = []
    back: list[list[UUID]] = []
    async with tenant.transaction(lead.id) as session:
        page = await my_actions(gate, session, lead, SUPPORT, FIRST)
        there.append([one.id for one in page.rows])
        while page.next:
            page = await my_actions(gate, session, lead, SUPPORT, read_cursor(page.next, MINE_KEY))
            there.append([one.id for one in page.rows])
        back.append([one.id for one in page.rows])
        while page.previous:
            asked = read_cursor(page.previous, MINE_KEY)
            page = await my_actions(gate, session, lead, SUPPORT, asked)
            back.append([one.id for one in page.rows])
    assert [len(rows) for rows in there] == [20, 20, 3]
    assert len({one for rows in there for one in rows}) == 43
    assert back == there[::-1]
    part = my_actions_part(page, TODAY)
    assert part.previous is None
    assert part.next is not None
    assert part.next.startswith("/?actions=")
