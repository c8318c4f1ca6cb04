"""What changed on a child's record, for whom: by category and author, and never what protects."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text

from consent import Category
from panel.panels.change_rules import Kind
from panel.panels.changes import changes_since, last_talked_about, visible_to_all
from panel.panels.models import AgendaItem, Meeting
from panel.panels.referrals import record_words
from panel.platform.clock import LONDON, FixedClock
from panel.platform.tables import DataKey
from panel.records.child_scoped import JOB
from panel.records.record_change import RecordChange
from panel.register.models import Child, SignificantEvent
from panel.register.service import change_child, child_details, note_event
from panel.sharing.models import SharingAgreement, SharingRestriction
from tests.conftest import MORNING
from tests.panels.conftest import AddChild, House

pytestmark = pytest.mark.database

TALKED = datetime(2026, 11, 20, 9, 40, tzinfo=UTC)


async def test_each_sees_what_they_may_and_a_shared_screen_what_all_may(
    house: House, add_child: AddChild
) -> None:
    child = await add_child("Amina", without=("sharing",))
    async with house.tenant.transaction(JOB) as session:
        session.add(
            SharingAgreement(
                child_id=child,
                given=True,
                by_person_id=child,
                capacity="parental_responsibility",
                by_words="her mother",
                agencies=[house.agencies["health"], house.agencies["council"]],
                level="basic",
                named=["health"],
                purposes=["panel", "support"],
                from_on=date(2026, 11, 2),
            )
        )
    async with house.opened("Amina", "lead") as access:
        await note_event(
            access.session,
            child,
            happened_on=access.today,
            kind="diagnosis",
            category=Category.HEALTH,
            author_agency_id=house.agencies["health"],
            text="Moderate loss in both ears.",
        )
    async with house.opened("Amina", "coordinator") as access:
        shown = await changes_since(access, TALKED)
        assert [one.sentence for one in shown] == [
            "Diagnosis, 23 November 2026: Moderate loss in both ears"
        ]
        council = access.may
    async with house.opened("Amina", "assessor") as access:
        assert await changes_since(access, TALKED) == []
        assert visible_to_all(shown, [council, access.may]) == []
        assert visible_to_all(shown, [council]) == shown


async def test_a_protection_and_what_is_withheld_in_silence_are_not_told(
    house: House, add_child: AddChild
) -> None:
    child = await add_child("Amina")
    async with house.tenant.transaction(JOB) as session:
        session.add_all(
            SharingRestriction(
                child_id=child,
                kind=kind,
                categories=["finance"],
                against=[house.agencies["education"]],
                from_on=date(2026, 11, 21),
                silent=silent,
                by_words="her mother",
            )
            for kind, silent in (("protection", False), ("protection", True), ("choice", True))
        )
    async with house.opened("Amina", "lead") as access:
        assert await changes_since(access, TALKED) == []


async def test_that_an_address_changed_is_noted_without_the_address(
    house: House, add_child: AddChild, clock: FixedClock
) -> None:
    child = await add_child("Amina")
    clock.set(MORNING + timedelta(days=2))
    async with house.opened("Amina", "lead") as access:
        details = await child_details(access)
        await change_child(access, {"address": "7 Plover Close"}, details.version)
    async with house.opened("Amina", "lead") as access:
        (line,) = await changes_since(access, TALKED)
        assert line.sentence == "The address changed on 25 November 2026"
        (noted,) = await access.session.scalars(select(RecordChange))
        assert (noted.what, noted.row_id, noted.from_code, noted.to_code) == (
            "child.address",
            child,
            None,
            None,
        )
        assert noted.created_by == house.viewers["lead"].id


async def test_what_is_saved_unchanged_is_no_change(
    house: House, add_child: AddChild, clock: FixedClock
) -> None:
    child = await add_child("Amina")
    clock.set(MORNING + timedelta(days=2))
    async with house.tenant.transaction(JOB) as session:
        row = await session.get_one(Child, child)
        row.school, row.ward_code = None, None
        row.phone = "01632 960 111"
    async with house.opened("Amina", "lead") as access:
        assert await changes_since(access, TALKED) == []


async def test_a_child_whom_the_panel_has_not_talked_about_has_nothing_to_compare(
    house: House, add_child: AddChild
) -> None:
    await add_child("Amina")
    async with house.opened("Amina", "coordinator") as access:
        assert await changes_since(access, None) == ()


async def test_when_the_panel_last_talked_about_a_child(house: House, add_child: AddChild) -> None:
    amina = await add_child("Amina", last_discussed_on=date(2026, 10, 22))
    theo = await add_child("Theo", last_discussed_on=date(2026, 12, 3))
    ines = await add_child("Ines")
    at = datetime(2026, 11, 5, 10, 12, tzinfo=UTC)
    async with house.as_("job") as session:
        meeting = Meeting(
            panel_id=house.panel_id, slot_on=at.date(), held_on=at.date(), state="held"
        )
        session.add(meeting)
        await session.flush()
        session.add(
            AgendaItem(
                child_id=theo,
                meeting_id=meeting.id,
                position=1,
                minutes=10,
                why="new",
                state="discussed",
                discussed_at=at,
            )
        )
        await session.flush()
        found = await last_talked_about(
            session, house.panel_id, [amina, theo, ines], date(2026, 12, 3)
        )
        panel = await house.panel(session)
    # What is said of Theo at this very meeting is not the last time.
    assert found == {
        amina: datetime.combine(date(2026, 10, 22), panel.starts_at, LONDON),
        theo: at,
    }


async def test_words_of_somebody_whose_record_was_erased_are_left_out(
    house: House, add_child: AddChild
) -> None:
    child = await add_child("Amina")
    async with house.opened("Amina", "lead") as access:
        await record_words(access, said="Which school?", family_member_id=None)
    async with house.opened("Amina", "lead") as access:
        (line,) = await changes_since(access, TALKED)
        assert (line.kind, line.sentence) == (Kind.WORDS, "The family: “Which school?”")
    async with house.tenant.transaction(JOB) as session:
        key = await session.get_one(DataKey, child)
        key.wrapped = None
    async with house.opened("Amina", "lead") as access:
        assert await changes_since(access, TALKED) == []


async def test_a_change_that_was_rolled_back_leaves_no_trace(
    house: House, add_child: AddChild, clock: FixedClock
) -> None:
    child = await add_child("Amina")
    clock.set(MORNING + timedelta(days=2))
    with pytest.raises(ZeroDivisionError):
        async with house.tenant.transaction(JOB) as session:
            row = await session.get_one(Child, child)
            row.school = "Marlow Primary"
            session.add(
                SignificantEvent(
                    child_id=child,
                    happened_on=date(2026, 11, 24),
                    kind="school",
                    category="education",
                    author_agency_id=house.agencies["health"],
                    text="Began.",
                )
            )
            await session.flush()
            raise ZeroDivisionError
    async with house.tenant.transaction(JOB) as session:
        counted = await session.execute(text("SELECT count(*) FROM record_change"))
        assert counted.scalar_one() == 0
