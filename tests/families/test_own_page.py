"""A parent, a relative or a young person opens their page and finds what they may know."""

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import select, update

from panel.casework.closing import end_case
from panel.casework.handover_models import AuthorityHandover
from panel.families.pages import child_page
from panel.families.reading import ChildForFamily
from panel.impact.models import EpisodeStep
from panel.panels.models import AgendaItem, FamilyWords, Meeting, Referral
from panel.panels.telling import BeforePanel
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB, AccessEvent
from panel.records.family_asks import FamilyAsk
from panel.records.gate import rewrite_access
from panel.register.models import Child, FamilyLink
from panel.register.service import open_episode
from panel.sharing.models import SharingRestriction
from tests.families.conftest import SignInFamily
from tests.families.household import (
    NEXT_MEETING,
    REFERRED,
    Client,
    Family,
    give_plan,
    new_child,
    person_of,
    tie,
    words,
)


@pytest.fixture
async def mother(client: Client, family: Family, sign_in_family: SignInFamily) -> Client:
    """The browser of Freya's mother."""
    await sign_in_family(family.mother)
    return client


async def test_a_mother_finds_what_happens_next_and_whom_to_ring(mother: Client) -> None:
    page = await mother.get("/family")
    assert page.status_code == 200
    said = words(page.text)
    assert "Freya What happens next The panel hopes to talk about Freya for the first time" in said
    assert "on Thursday 3 December 2026 (in 10 days)." in said
    assert "Rosa Whitlow Health visitor, Health visiting Ring 01632 960 001" in said
    assert 'href="tel:01632960001"' in page.text
    assert "Ada Kestrel" in page.text
    assert "There is no plan yet." in said
    assert "Do it by Thursday 26 November 2026." in said


async def test_a_place_on_a_settled_agenda_is_a_promise(
    mother: Client, tenant: Tenant, family: Family
) -> None:
    async with tenant.transaction(JOB) as session:
        meeting = Meeting(
            panel_id=family.panel,
            slot_on=NEXT_MEETING,
            held_on=NEXT_MEETING,
            state="frozen",
            frozen_at=tenant.clock.now(),
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
                opens_at=tenant.clock.now(),
            )
        )
        await rewrite_access(session, family.child)
    said = words((await mother.get("/family")).text)
    assert "The panel will talk about Freya for the first time on Thursday 3 December 2026" in said
    assert "It is too late for the meeting on Thursday 3 December 2026." in said
    assert "What you write now goes to the next one, on Thursday 17 December 2026." in said


async def test_a_review_is_told_with_its_day(
    mother: Client, tenant: Tenant, family: Family
) -> None:
    async with tenant.transaction(JOB) as session:
        await session.execute(
            update(Referral).values(
                last_discussed_on=date(2026, 6, 18), next_review_by=date(2026, 12, 18)
            )
        )
    said = words((await mother.get("/family")).text)
    assert "The panel will talk about Freya again on Thursday 17 December 2026" in said


async def test_where_no_meeting_is_planned_the_page_says_so(
    mother: Client, tenant: Tenant, family: Family
) -> None:
    async with tenant.transaction(JOB) as session:
        await session.execute(update(Referral).values(state="closed"))
    said = words((await mother.get("/family")).text)
    assert "No meeting about Freya is planned." in said
    assert f"/family/{family.child}/tell" not in (await mother.get("/family")).text
    away = await mother.get(f"/family/{family.child}/tell", follow_redirects=False)
    assert (away.status_code, away.headers["location"]) == (303, "/family")


@pytest.mark.parametrize(
    ("meets_on", "next_step"),
    [
        (
            date(2026, 12, 1),
            "You meet with the people who help you on Tuesday 1 December 2026 (in 8 days).",
        ),
        (
            date(2026, 12, 14),
            "The panel will talk about Freya again on Thursday 3 December 2026 (in 10 days).",
        ),
    ],
)
def test_what_comes_first_is_what_happens_next(meets_on: date, next_step: str) -> None:
    before = BeforePanel(
        UUID(int=2), "CONTACTS", first_time=False, certain=True, on=NEXT_MEETING,
        words_for=None, papers_close=None,
    )  # fmt: skip
    child = ChildForFamily(
        UUID(int=1), "Freya", is_self=False, to_ring=None, may_know_panel=True,
        before=before,
        plan=None, may_know_workers=True, asked_on=None, words=(),
        meetings=(FamilyAsk("A meeting", "", "/family", is_new=False, on=meets_on),),
    )  # fmt: skip
    assert child_page(child, date(2026, 11, 23)).next_step == next_step


async def test_the_plan_reads_in_plain_words(
    mother: Client, tenant: Tenant, family: Family
) -> None:
    await give_plan(tenant, family)
    said = words((await mother.get("/family")).text)
    assert (
        "She dresses herself Getting better. It is now 4 out of 5. It was 2 at the start." in said
    )
    assert "She has two friends Done." in said
    assert "Visit the nursery Rosa Whitlow · By Tuesday 15 December 2026" in said
    assert "Keep a sleep diary Mum · This is late. It was for Friday 20 November 2026." in said
    assert "Order the chair Done on 9 November 2026" in said


async def test_a_plan_that_is_being_written_waits(
    mother: Client, tenant: Tenant, family: Family
) -> None:
    await give_plan(tenant, family, state="draft")
    said = words((await mother.get("/family")).text)
    assert "The plan is being written." in said
    assert "She dresses herself" not in said


async def test_what_is_protected_from_a_father_is_not_on_his_page(
    client: Client, tenant: Tenant, family: Family, sign_in_family: SignInFamily
) -> None:
    await give_plan(tenant, family)
    async with tenant.transaction(JOB) as session:
        child = await session.get_one(Child, family.child)
        child.address, child.postcode, child.phone = "7 Hidden Row", "WX9 9ZZ", "01632 960 999"
        session.add(
            SharingRestriction(
                child_id=family.child,
                kind="protection",
                categories=["contact", "network"],
                against=[family.father],
                from_on=REFERRED,
                silent=True,
                by_words="The court papers",
            )
        )
    await sign_in_family(family.father)
    page = await client.get("/family")
    assert page.status_code == 200
    for hidden in ("Hidden Row", "WX9", "960 999", "960 001", "Rosa Whitlow", "Health visiting"):
        assert hidden not in page.text
    assert "Visit the nursery" in page.text
    assert "court" not in words(page.text)
    shown = await client.get(f"/family/{family.child}/tell")
    assert "Rosa" not in shown.text


async def test_a_case_that_moves_tells_a_father_nothing_that_is_protected_from_him(
    client: Client, tenant: Tenant, family: Family, sign_in_family: SignInFamily
) -> None:
    await give_plan(tenant, family)
    on = date(2026, 11, 20)
    async with tenant.transaction(JOB) as session:
        await open_episode(session, family.child, REFERRED)
        await session.execute(update(EpisodeStep).values(kind="social_care"))
        protection = SharingRestriction(
            child_id=family.child,
            kind="protection",
            categories=["contact", "network", "social_care"],
            against=[family.father],
            from_on=REFERRED,
            silent=True,
            by_words="The court papers",
        )
        session.add_all(
            [
                protection,
                AuthorityHandover(
                    child_id=family.child,
                    direction="out",
                    state="sent",
                    authority_name="Southfield",
                    identifier=new_id(),
                    sent_on=on,
                ),
            ]
        )

    async def read(person: UUID) -> str:
        await sign_in_family(person)
        pages = [await client.get(one) for one in ("/family", f"/family/{family.child}/chronology")]
        assert [one.status_code for one in pages] == [200, 200]
        return words(" ".join(one.text for one in pages))

    hers, his = await read(family.mother), await read(family.father)
    for hidden in ("Southfield", "Health visiting", "social care works with you"):
        assert hidden in hers
        assert hidden not in his
    # Who may know the agencies, but not where the child lives, is told no more of a move.
    async with tenant.transaction(JOB) as session:
        (await session.get_one(SharingRestriction, protection.id)).categories = ["contact"]
        next_ = "Southfield works with you."
        await end_case(session, family.child, on, reason="moved_away", what_next=next_)
    hers, his = await read(family.mother), await read(family.father)
    assert "because you moved away" in hers
    assert "We closed your case on" in his
    for hidden in ("Southfield", "moved away"):
        assert hidden in hers
        assert hidden not in his


async def test_nobody_reads_the_words_of_another_of_the_family(
    client: Client, tenant: Tenant, family: Family, sign_in_family: SignInFamily
) -> None:
    async with tenant.transaction(JOB) as session:
        session.add(
            FamilyWords(
                child_id=family.child,
                family_member_id=family.mother,
                asked_on=REFERRED,
                said_on=REFERRED,
                author_agency_id=family.agency,
                text="He frightens her",
            )
        )
    await sign_in_family(family.father)
    assert "He frightens her" not in (await client.get("/family")).text
    await sign_in_family(family.mother)
    said = words((await client.get("/family")).text)
    assert "Health visiting wrote it down. He frightens her" in said


async def test_a_grandmother_is_shown_nothing_that_nobody_agreed(
    client: Client, tenant: Tenant, family: Family, sign_in_family: SignInFamily
) -> None:
    await give_plan(tenant, family)
    await sign_in_family(family.grandmother)
    page = await client.get("/family")
    assert page.status_code == 200
    said = words(page.text)
    assert "Your child" in said
    for hidden in ("Freya", "Rosa", "3 December", "dresses", "nursery", "26 November"):
        assert hidden not in said
    assert "You cannot see the plan section." in said


async def test_each_child_of_a_family_has_a_part(
    mother: Client, tenant: Tenant, family: Family
) -> None:
    async with tenant.transaction(JOB) as session:
        other = await new_child(session, "C-1002", "Theo", date(2023, 6, 15))
        await person_of(session, other, "Somebody Else", "mother", "birth_mother")
        await rewrite_access(session, other)
        twin = await new_child(session, "C-1003", "Juno", date(2022, 6, 15))
        await tie(session, twin, family.mother)
        await rewrite_access(session, twin)
    page = await mother.get("/family")
    assert [name in page.text for name in ("Freya", "Juno", "Theo")] == [True, True, False]
    assert page.text.count("<h1") == 1


async def test_a_young_person_reads_about_themselves(
    client: Client, tenant: Tenant, family: Family, sign_in_family: SignInFamily
) -> None:
    await sign_in_family(family.child)
    page = await client.get("/family")
    assert "The panel hopes to talk about you for the first time" in words(page.text)
    assert "Freya Kestrel" in page.text


async def test_without_a_child_the_page_still_reads_well(
    client: Client, tenant: Tenant, family: Family, sign_in_family: SignInFamily
) -> None:
    async with tenant.transaction(JOB) as session:
        await session.execute(
            update(FamilyLink)
            .where(FamilyLink.family_member_id == family.grandmother)
            .values(until_on=REFERRED)
        )
        await rewrite_access(session, family.child)
    await sign_in_family(family.grandmother)
    said = words((await client.get("/family")).text)
    assert "There is no child’s page here for you now." in said


async def test_looking_is_in_the_access_history(
    mother: Client, tenant: Tenant, family: Family
) -> None:
    await mother.get("/family")
    async with tenant.transaction(JOB) as session:
        looks = await session.execute(select(AccessEvent.viewer_id, AccessEvent.doing))
    assert (family.mother, "opened their own page") in [tuple(row) for row in looks]
