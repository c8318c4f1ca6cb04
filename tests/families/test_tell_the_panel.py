"""One of the family tells the panel something before papers close, or too late for this time."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from consent import Purpose, Viewer, ViewerKind
from panel.panels.models import FamilyWords, Meeting
from panel.panels.telling import tell_the_panel
from panel.platform.clock import FixedClock
from panel.platform.problems import NotAllowed
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from tests.families.conftest import SignInFamily
from tests.families.household import (
    MEETING_AFTER,
    NEXT_MEETING,
    REFERRED,
    Client,
    Family,
    tell,
    words,
)

SAID = "She loves water.\nIs there a pool?"


@pytest.fixture
async def mother(client: Client, family: Family, sign_in_family: SignInFamily) -> Client:
    """The browser of Freya's mother."""
    await sign_in_family(family.mother)
    return client


async def kept(tenant: Tenant) -> list[tuple[FamilyWords, Meeting | None, str]]:
    """Everything that families said: the row, its meeting, the text."""
    async with tenant.transaction(JOB) as session:
        rows = list(await session.scalars(select(FamilyWords).order_by(FamilyWords.id)))
        await load_keys(session, {row.child_id for row in rows})
        return [
            (row, row.meeting_id and await session.get(Meeting, row.meeting_id), row.text)
            for row in rows
        ]


async def test_words_go_to_the_next_meeting(mother: Client, tenant: Tenant, family: Family) -> None:
    sent = await tell(mother, family.child, SAID)
    assert sent.status_code == 303
    page = await mother.get(sent.headers["location"])
    said = words(page.text)
    assert "Thank you. We have kept your words for the meeting on Thursday 3 December" in said
    assert "What you told the panel Today For the meeting on 3 December 2026." in said
    assert "She loves water.\nIs there a pool?" in page.text
    [(row, meeting, text)] = await kept(tenant)
    assert (row.family_member_id, row.author_agency_id, text) == (family.mother, None, SAID)
    assert meeting is not None
    assert meeting.held_on == NEXT_MEETING


async def test_after_papers_close_they_go_to_the_meeting_after(
    mother: Client,
    tenant: Tenant,
    family: Family,
    clock: FixedClock,
    sign_in_family: SignInFamily,
) -> None:
    clock.set(datetime(2026, 11, 27, 9, 30, tzinfo=UTC))
    await sign_in_family(family.mother)
    shown = words((await mother.get(f"/family/{family.child}/tell")).text)
    assert "It is too late for the meeting on Thursday 3 December 2026." in shown
    await tell(mother, family.child, SAID)
    [(_, meeting, _)] = await kept(tenant)
    assert meeting is not None
    assert meeting.held_on == MEETING_AFTER


async def test_the_last_day_of_papers_is_still_in_time(
    mother: Client,
    tenant: Tenant,
    family: Family,
    clock: FixedClock,
    sign_in_family: SignInFamily,
) -> None:
    clock.set(datetime(2026, 11, 26, 22, 30, tzinfo=UTC))
    await sign_in_family(family.mother)
    await tell(mother, family.child, SAID)
    [(_, meeting, _)] = await kept(tenant)
    assert meeting is not None
    assert meeting.held_on == NEXT_MEETING


async def test_the_same_form_twice_is_one_message(
    mother: Client, tenant: Tenant, family: Family
) -> None:
    form = "0193a000-0000-7000-8000-000000000001"
    for _ in range(2):
        assert (await tell(mother, family.child, SAID, _form_id=form)).status_code == 303
    assert len(await kept(tenant)) == 1


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("", "Write what the panel should know, or what you want to ask"),
        ("  \n ", "Write what the panel should know, or what you want to ask"),
        ("a" * 2_001, "What you write must be 2,000 characters or fewer"),
    ],
)
async def test_what_cannot_be_kept_is_said_and_nothing_is_lost(
    mother: Client, tenant: Tenant, family: Family, said: str, sentence: str
) -> None:
    answer = await tell(mother, family.child, said)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert said.strip() in answer.text
    assert await kept(tenant) == []


async def test_words_answer_the_asking_of_the_same_person(
    mother: Client, tenant: Tenant, family: Family
) -> None:
    async with tenant.transaction(JOB) as session:
        session.add_all(
            FamilyWords(
                child_id=family.child,
                family_member_id=who,
                asked_on=REFERRED,
                asked_how="letter",
            )
            for who in (family.mother, family.father)
        )
    shown = words((await mother.get("/family")).text)
    assert "We asked what you want to say on Monday 2 November 2026." in shown
    await tell(mother, family.child, SAID)
    rows = {row.family_member_id: row.said_on for row, _, _ in await kept(tenant)}
    assert rows[family.mother] is not None
    assert rows[family.father] is None


async def test_a_young_person_speaks_for_themselves_and_not_to_their_parents(
    client: Client, tenant: Tenant, family: Family, sign_in_family: SignInFamily
) -> None:
    await sign_in_family(family.child)
    assert (await tell(client, family.child, "I want to stay at my school")).status_code == 303
    assert "I want to stay at my school" in (await client.get("/family")).text
    [(row, _, _)] = await kept(tenant)
    assert row.family_member_id == family.child
    await sign_in_family(family.mother)
    assert "I want to stay at my school" not in (await client.get("/family")).text


async def test_a_child_of_another_family_is_not_there(
    client: Client, tenant: Tenant, family: Family, sign_in_family: SignInFamily
) -> None:
    async with tenant.transaction(JOB) as session:
        count = await session.scalar(select(func.count()).select_from(FamilyWords))
    assert count == 0
    await sign_in_family(family.mother)
    for child in (family.rosa, family.panel):
        assert (await client.get(f"/family/{child}/tell")).status_code == 404


async def test_a_worker_cannot_speak_as_the_family(gate: Gate, family: Family) -> None:
    rosa = Viewer(family.rosa, ViewerKind.WORKER, family.agency, "health")
    with pytest.raises(NotAllowed):
        async with gate.open(family.child, rosa, Purpose.SUPPORT, "tried it") as access:
            await tell_the_panel(access, SAID)


async def test_what_is_kept_is_sealed(mother: Client, tenant: Tenant, family: Family) -> None:
    await tell(mother, family.child, SAID)
    async with tenant.transaction(JOB) as session:
        row = await session.scalar(select(FamilyWords))
        assert row is not None
        assert b"water" not in (row.text_sealed or b"")
