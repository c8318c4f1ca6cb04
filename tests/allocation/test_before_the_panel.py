"""A request ties the panel's people while it is before them and ten working days more, not for ever.

Each day is tried three ways: what the view says, what the database gives, and what the gate opens.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from consent import Purpose, Role, Viewer, ViewerKind
from panel.accounts.models import Agency
from panel.accounts.service import add_worker, give_role
from panel.allocation import packages
from panel.allocation.appeal_service import answer_appeal, ask_again
from panel.allocation.beside import RequestsBeside
from panel.allocation.decision_service import act_as_chair, decide
from panel.allocation.letter_service import (
    copies_of,
    letter_about,
    send_again,
    send_letters,
    settle_letters,
    was_posted,
)
from panel.allocation.models import ServiceRequest
from panel.allocation.package_models import PackageKind
from panel.allocation.package_requests import start_from
from panel.allocation.request_service import withdraw_request
from panel.allocation.rules import AppealOutcome, Kind, OfferAnswer
from panel.allocation.waiting_service import answer_offer, offer_place, waits_of
from panel.panels.models import Panel
from panel.panels.still_may_go import still_may_go
from panel.platform.outbox import send_due
from panel.platform.problems import NotAllowed, NotFound
from panel.platform.tenancy import load_keys
from panel.records.access_check import differences
from panel.register.models import FamilyMember
from tests.allocation.conftest import WORDS, Board
from tests.allocation.test_decide import wait_for
from tests.allocation.test_letters import SITE, approved, decided
from tests.panels.conftest import NEXT_MEETING
from tests.panels.note_world import Server

HERE = ("chair", "member", "social", "second")
YEARS = date(2031, 1, 6)
AFTER_IT = date(2026, 12, 17)
"""The meeting that follows."""
LATER = date(2027, 1, 11)
DAY = timedelta(days=1)
DECIDED = "Thursday 3 December 2026"


@pytest.fixture
async def seated(board: Board) -> Board:
    """The board, with a budget holder on it who knows the child through a request alone."""
    async with board.house.as_("job") as session:
        agency = await session.get_one(Agency, board.house.agencies["health"])
        worker = await add_worker(session, agency, name="Bola Finch", email="bola@demo.example")
        await give_role(session, worker, Role.BUDGET_HOLDER, board.house.panel_id)
    board.house.viewers["holder"] = Viewer(
        worker.id, ViewerKind.WORKER, agency.id, agency.kind, frozenset({Role.BUDGET_HOLDER})
    )
    return board


def come_to(board: Board, day: date) -> None:
    board.clock.set(datetime(day.year, day.month, day.day, 10, tzinfo=UTC))


async def reads(board: Board, day: date) -> bool:
    """Whether the budget holder reads the child's record on a day; the database says the same."""
    come_to(board, day)
    holder = board.house.viewers["holder"]
    async with board.house.as_("job") as session:
        tied = await session.scalar(
            text(
                "SELECT count(*) > 0 FROM access_due WHERE child_id = :child AND viewer_id = :viewer"
                " AND valid_from <= :now AND valid_until >= :now"
            ),
            {"child": board.child, "viewer": holder.id, "now": board.clock.now()},
        )
    async with board.house.as_("holder") as session:
        given = bool(list(await session.scalars(select(ServiceRequest.id))))
    try:
        async with board.house.gate.open(board.child, holder, Purpose.ALLOCATION, "read it"):
            opened = True
    except NotFound:
        opened = False
    assert tied == given == opened
    assert await differences(board.house.tenant) == ()
    return opened


async def ends_on(board: Board, last: date) -> None:
    """The last day on which the budget holder reads the record is this one."""
    assert await reads(board, last)
    assert not await reads(board, last + DAY)
    assert not await reads(board, YEARS)
    come_to(board, last)


async def letters_go(board: Board, request: UUID, day: date) -> None:
    """The letter about what stands is approved and goes to both parents on a day."""
    come_to(board, day)
    await approved(board, request)
    await send_letters(board.house.gate, SITE)
    await posted(board)


async def posted(board: Board) -> None:
    """What waits goes by e-mail, and is taken to the post."""
    async with board.house.as_("job") as session:
        await load_keys(session, {board.child})
        may_go = still_may_go(board.house.tenant, SITE)
        await send_due(session, Server(), board.clock.now(), may_go=may_go)
        copies = await session.scalars(
            text("SELECT id FROM letter_copy WHERE way = 'letter' AND outbox_id IS NOT NULL")
        )
        for copy in list(copies):
            await was_posted(session, copy)
        await settle_letters(session)


async def at_the_meeting(board: Board, kind: Kind) -> UUID:
    """A request that the panel decides on 3 December."""
    made = await board.sent()
    await board.meets(*HERE)
    async with board.at() as at:
        await decide(at, made, board.proposed(kind), await board.version(made))
    return made


async def test_undecided_or_deferred_it_is_before_the_panel(seated: Board) -> None:
    made = await at_the_meeting(seated, Kind.DEFERRED)
    await letters_go(seated, made, NEXT_MEETING)
    assert await reads(seated, YEARS)


async def test_withdrawn_it_ties_nobody_from_that_moment(seated: Board) -> None:
    made = await seated.sent()
    assert await reads(seated, date(2026, 11, 24))
    async with seated.house.opened("Amina", "lead") as access:
        await withdraw_request(access, made, "They moved", await seated.version(made))
    assert not await reads(seated, date(2026, 11, 24))


async def test_declined_it_ties_until_ten_working_days_after_the_letter(seated: Board) -> None:
    made = await at_the_meeting(seated, Kind.DECLINED)
    assert await reads(seated, YEARS), "no letter went"
    await letters_go(seated, made, date(2026, 12, 4))
    await ends_on(seated, date(2026, 12, 18))


async def test_the_panels_own_setting_says_how_many_days(seated: Board) -> None:
    made = await at_the_meeting(seated, Kind.DECLINED)
    async with seated.house.as_("job") as session:
        panel = await session.get_one(Panel, seated.house.panel_id)
        panel.settings = {**panel.settings, "pack_working_days": 2}
    await letters_go(seated, made, date(2026, 12, 4))
    await ends_on(seated, date(2026, 12, 8))


async def test_what_the_chair_decided_is_before_the_panel_until_it_is_ratified(
    seated: Board,
) -> None:
    made = await decided(seated, Kind.DECLINED)
    await letters_go(seated, made, date(2026, 11, 24))
    assert await reads(seated, YEARS)
    come_to(seated, date(2026, 11, 25))
    await seated.meets(*HERE)
    await seated.ratifies()
    await ends_on(seated, date(2026, 12, 17))


async def test_an_appeal_brings_it_back_and_its_answer_ends_it(seated: Board) -> None:
    made = await at_the_meeting(seated, Kind.DECLINED)
    await letters_go(seated, made, date(2026, 12, 4))
    assert not await reads(seated, date(2026, 12, 21))
    async with seated.house.opened("Amina", "lead") as access:
        appeal = await ask_again(access, made, asked_on=access.today, grounds="We moved")
    assert await reads(seated, YEARS)
    come_to(seated, date(2026, 12, 21))
    async with seated.house.opened("Amina", "chair") as access:
        await answer_appeal(access, appeal.id, AppealOutcome.NOT_UPHELD, "As it was", 1)
    # Past Christmas, the day kept for Boxing Day, and New Year.
    await ends_on(seated, date(2027, 1, 7))
    # Decided again, months later, it is before the panel again until the new letter went.
    come_to(seated, date(2027, 2, 1))
    async with seated.house.opened("Amina", "chair") as access:
        panel = await seated.house.panel(access.session)
        said = seated.proposed(Kind.DECLINED)
        await act_as_chair(access, panel, made, said, await seated.version(made))
    assert await reads(seated, date(2027, 2, 1))
    assert await reads(seated, YEARS)


async def test_an_appeal_that_is_upheld_leaves_it_to_be_decided(seated: Board) -> None:
    made = await at_the_meeting(seated, Kind.DECLINED)
    await letters_go(seated, made, date(2026, 12, 4))
    come_to(seated, LATER)
    async with seated.house.opened("Amina", "lead") as access:
        appeal = await ask_again(access, made, asked_on=access.today, grounds="We moved")
    async with seated.house.opened("Amina", "chair") as access:
        await answer_appeal(access, appeal.id, AppealOutcome.UPHELD, "New facts", 1)
    assert await reads(seated, YEARS)


@pytest.mark.parametrize(
    ("ends", "last"),
    [
        # It had ended already: counted from Wednesday 31 March 2027, when that was written down.
        (date(2027, 3, 1), date(2027, 4, 14)),
        # It goes on to a day to come; past the bank holiday of Monday 3 May.
        (date(2027, 4, 30), date(2027, 5, 17)),
    ],
)
async def test_a_package_that_answers_it_keeps_it_before_the_panel(
    seated: Board, ends: date, last: date
) -> None:
    made = await at_the_meeting(seated, Kind.AGREED)
    await letters_go(seated, made, date(2026, 12, 4))
    assert not await reads(seated, LATER)
    async with seated.house.opened("Amina", "lead") as access:
        said = packages.PackageWords("Nights away", PackageKind.IN_KIND, date(2027, 2, 1))
        package = await start_from(access, said, made)
        other = await start_from(access, replace(said, name="Swimming"), None)
        assert other.request_id is None
    assert await reads(seated, YEARS)
    come_to(seated, date(2027, 3, 31))
    async with seated.house.opened("Amina", "lead") as access:
        await packages.end_package(access, package.id, package.version, ends)
    await ends_on(seated, last)


async def test_a_copy_that_cannot_go_is_not_waited_for_until_it_is_sent_again(
    seated: Board,
) -> None:
    made = await at_the_meeting(seated, Kind.DECLINED)
    come_to(seated, date(2026, 12, 4))
    letter = await approved(seated, made)
    async with seated.house.as_("job") as session:
        await load_keys(session, {seated.mother})
        mother = await session.get_one(FamilyMember, seated.mother)
        address, mother.email = mother.email, None
    await send_letters(seated.house.gate, SITE)
    assert await reads(seated, YEARS), "the father's copy waits for the post"
    come_to(seated, date(2026, 12, 7))
    await posted(seated)
    assert not await reads(seated, date(2026, 12, 22))
    async with seated.house.as_("job") as session:
        await load_keys(session, {seated.mother})
        (await session.get_one(FamilyMember, seated.mother)).email = address
    async with seated.house.opened("Amina", "chair") as access:
        [copy] = [
            one
            for one in await copies_of(access.session, letter.id)
            if one.person_id == seated.mother
        ]
        await send_again(access, made, copy.id)
    assert await reads(seated, YEARS)
    come_to(seated, date(2026, 12, 22))
    await send_letters(seated.house.gate, SITE)
    await posted(seated)
    await ends_on(seated, date(2027, 1, 8))


async def test_a_budget_holder_offers_a_place_and_says_that_nobody_answered(
    seated: Board,
) -> None:
    made = await wait_for(seated, UUID(int=7), "Amina")
    gate, holder = seated.house.gate, seated.house.viewers["holder"]
    async with gate.open(seated.child, holder, Purpose.ALLOCATION, "offered a place") as access:
        [(waits, _)] = await waits_of(access, made)
        offer = await offer_place(access, waits.id, date(2026, 12, 1), waits.version)
        with pytest.raises(NotAllowed):
            await answer_offer(access, offer.id, OfferAnswer.NO_ANSWER, "", offer.version)
    come_to(seated, date(2026, 12, 2))
    async with gate.open(seated.child, holder, Purpose.ALLOCATION, "wrote it down") as access:
        with pytest.raises(NotAllowed):
            await answer_offer(access, offer.id, OfferAnswer.ACCEPTED, "", offer.version)
        await answer_offer(access, offer.id, OfferAnswer.NO_ANSWER, "", offer.version)
        [(waits, _)] = await waits_of(access, made)
        assert waits.state == "waiting"


async def test_one_request_that_is_over_does_not_end_another(seated: Board) -> None:
    made = await at_the_meeting(seated, Kind.DECLINED)
    await letters_go(seated, made, date(2026, 12, 4))
    assert not await reads(seated, LATER)
    second = await seated.sent()
    assert await reads(seated, YEARS)
    come_to(seated, LATER)
    async with seated.house.opened("Amina", "lead") as access:
        await withdraw_request(access, second, "They moved", await seated.version(second))
    assert not await reads(seated, LATER)


async def test_papers_hold_what_is_before_the_panel_and_name_what_was_decided(
    seated: Board,
) -> None:
    made = await at_the_meeting(seated, Kind.DECLINED)
    papers = RequestsBeside()

    async def told(day: date = AFTER_IT) -> list[dict[str, str]]:
        at = (await seated.meeting(day)).id
        async with seated.house.opened("Amina", "coordinator") as access:
            found = await papers.papers(access.session, seated.child, at, access)
            return [dict(one.lines) for one in found]

    # What this meeting decided stays whole among its own papers, and is one line at the next.
    [whole] = await told(NEXT_MEETING)
    assert whole["What the child needs"] == WORDS.need
    assert await told() == [{"Earlier decision": DECIDED}]
    await letters_go(seated, made, date(2026, 12, 4))
    assert await told() == [{"Earlier decision": DECIDED}]
    # With another request that is to be decided it is named, and no more.
    second = await seated.sent(need="He falls at night")
    [earlier, now] = await told()
    assert earlier == {"Earlier decision": DECIDED}
    assert now["What the child needs"] == "He falls at night"
    async with seated.house.opened("Amina", "lead") as access:
        await withdraw_request(access, second, "They moved", await seated.version(second))
        appeal = await ask_again(access, made, asked_on=access.today, grounds="We moved")
    [again] = await told()
    assert again["What the child needs"] == WORDS.need
    async with seated.house.opened("Amina", "chair") as access:
        await answer_appeal(access, appeal.id, AppealOutcome.NOT_UPHELD, "As it was", 1)
        panel = await seated.house.panel(access.session)
    assert await told() == [{"Earlier decision": DECIDED}]
    # The chair's decision is to ratify; what was agreed comes again for its package.
    async with seated.house.opened("Amina", "chair") as access:
        said = seated.proposed(Kind.AGREED)
        await act_as_chair(access, panel, made, said, await seated.version(made))
    [whole] = await told()
    assert whole["What the child needs"] == WORDS.need
    async with seated.house.as_("job") as session:
        await session.execute(text("UPDATE request_decision SET ratified_at = now() WHERE stands"))
    assert await told() == [{"Earlier decision": "Friday 4 December 2026", "Package": "None yet"}]


async def test_a_deferred_request_stays_whole(seated: Board) -> None:
    await at_the_meeting(seated, Kind.DEFERRED)
    at = (await seated.meeting(AFTER_IT)).id
    async with seated.house.opened("Amina", "coordinator") as access:
        [paper] = await RequestsBeside().papers(access.session, seated.child, at, access)
    assert dict(paper.lines)["What the child needs"] == WORDS.need


async def test_the_letter_that_counts_is_about_what_stands(seated: Board) -> None:
    made = await decided(seated, Kind.DECLINED)
    await letters_go(seated, made, date(2026, 11, 24))
    come_to(seated, date(2026, 11, 25))
    async with seated.house.opened("Amina", "chair") as access:
        panel = await seated.house.panel(access.session)
        said = seated.proposed(Kind.DECLINED)
        again = await act_as_chair(access, panel, made, said, await seated.version(made))
        assert await letter_about(access.session, again.id) is None
    await seated.meets(*HERE)
    await seated.ratifies()
    assert await reads(seated, YEARS)
    await letters_go(seated, made, date(2026, 12, 4))
    await ends_on(seated, date(2026, 12, 18))
