"""Letters go to each parent by their own safe contact, and hold nothing internal and nobody else."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from panel.allocation.decision_service import act_as_chair
from panel.allocation.letter_service import (
    LETTER_READY,
    approve_letter,
    copies_of,
    draft_letter,
    letter_on_paper,
    open_own_letter,
    own_letters,
    send_again,
    send_letters,
    settle_letters,
    was_posted,
)
from panel.allocation.models import DecisionLetter, LetterCopy, RequestDecision
from panel.allocation.request_pages import copy_row
from panel.allocation.rules import Kind
from panel.panels.note_context import gather_for_plan
from panel.panels.note_rules import Way
from panel.panels.note_sending import NO_ADDRESS
from panel.panels.still_may_go import still_may_go
from panel.platform.outbox import BY_POST, send_due
from panel.platform.problems import Invalid, NotAllowed, Problem
from panel.platform.tenancy import load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.gate import rewrite_access
from panel.records.restricted_use import ProcessingRestriction
from panel.register.models import FamilyMember
from panel.register.people import people_of
from panel.sharing.models import SharingRestriction
from tests.allocation.conftest import Board
from tests.panels.conftest import AddChild
from tests.panels.note_world import Server

SITE = "https://panel.example"


async def decided(board: Board, kind: Kind, **changed: Any) -> Any:
    made = await board.sent()
    async with board.house.opened("Amina", "chair") as access:
        panel = await board.house.panel(access.session)
        proposed = board.proposed(kind, **changed)
        await act_as_chair(access, panel, made, proposed, await board.version(made))
    return made


async def approved(board: Board, made: Any, kept_why: str = "", **ways: Way) -> DecisionLetter:
    gathered = await gather_for_plan(board.house.tenant, board.child)
    async with board.house.opened("Amina", "chair") as access:
        draft = await draft_letter(access, gathered, made)
        return await approve_letter(
            access,
            draft,
            decision_id=draft.decision.id,
            ways={getattr(board, who): way for who, way in ways.items()},
            kept_why=kept_why,
        )


@pytest.mark.parametrize("kind", list(Kind))
async def test_the_letter_of_each_decision_is_plain_and_holds_nothing_internal(
    board: Board, kind: Kind
) -> None:
    made = await decided(board, kind)
    gathered = await gather_for_plan(board.house.tenant, board.child)
    async with board.house.opened("Amina", "chair") as access:
        draft = await draft_letter(access, gathered, made)
        assert draft.reading_age < 10
        assert draft.whole_age < 10
        assert not draft.hardest
        assert {one.name: one.way for one in draft.gets} == {
            "Marta Kestrel": Way.EMAIL, "Ben Kestrel": Way.LETTER,
        }  # fmt: skip
        assert not draft.marks
        for internal in ("ZQINTERNAL", "Costed", "D1", "Needs help at night", "No such service"):
            assert internal not in draft.body
        assert "Amina" in draft.body
        assert "You need time to rest." in draft.body


async def test_it_goes_to_each_parent_once_and_the_log_knows(board: Board) -> None:
    made = await decided(board, Kind.DECLINED)
    letter = await approved(board, made)
    with pytest.raises(Problem, match="once"):
        await approved(board, made)
    gate, server = board.house.gate, Server()
    assert await send_letters(gate, SITE) == 2
    assert await send_letters(gate, SITE) == 0
    async with board.house.as_("job") as session:
        await load_keys(session, {board.child})
        [email, post] = await session.scalars(select(OutboxMessage).order_by(OutboxMessage.kind))
        assert (email.kind, email.address) == (LETTER_READY, "marta@demo.example")
        for told in ("Amina", "Kestrel", "rest", "no"):
            assert told not in email.body.split()
        assert (post.kind, post.address) == (BY_POST, "Ben Kestrel\n2 Old Lane\nMarlow")
        assert "You need time to rest." in post.body
        copies = {one.person_id: one.id for one in await copies_of(session, letter.id)}
        may_go = still_may_go(board.house.tenant, SITE)
        await send_due(session, server, board.clock.now(), may_go=may_go)
        paper = await letter_on_paper(session, copies[board.father], may_go)
        assert paper.address.startswith("Ben Kestrel")
        await was_posted(session, copies[board.father])
        await settle_letters(session)
        states = {one.person_id: one.state for one in await copies_of(session, letter.id)}
    assert states == {board.mother: "sent", board.father: "sent"}
    assert len(server.taken) == 1
    async with board.family(board.mother) as access:
        [own] = await own_letters(access)
        assert own.is_new
        assert "ZQINTERNAL" not in (await open_own_letter(access, own.id)).body
        [own] = await own_letters(access)
        assert not own.is_new
    async with board.house.as_("job") as session:
        copy = await session.get_one(LetterCopy, copies[board.mother])
        assert (copy.state, copy.opened_at is not None) == ("opened", True)


async def test_what_could_not_go_is_sent_again_once_it_can(board: Board) -> None:
    made = await decided(board, Kind.AGREED)
    letter = await approved(board, made)
    async with board.house.as_("job") as session:
        mother = await session.get_one(FamilyMember, board.mother)
        await load_keys(session, {mother.id})
        email, mother.email = mother.email, None
    gate = board.house.gate
    assert await send_letters(gate, SITE) == 1
    async with board.house.as_("job") as session:
        copies = {one.person_id: one for one in await copies_of(session, letter.id)}
    assert copies[board.mother].failure == NO_ADDRESS
    async with board.house.as_("job") as session:
        await load_keys(session, {board.mother})
        (await session.get_one(FamilyMember, board.mother)).email = email
    async with board.house.opened("Amina", "chair") as access:
        with pytest.raises(Invalid) as refused:
            await send_again(access, made, copies[board.father].id)
        assert "nothing was sent now" in refused.value.errors[0].sentence
        await send_again(access, made, copies[board.mother].id)
    assert await send_letters(gate, SITE) == 1
    async with board.house.as_("job") as session:
        messages = list(await session.scalars(select(OutboxMessage.to_viewer_id)))
    assert sorted(messages) == sorted([board.mother, board.father])


async def test_another_way_is_chosen_for_a_copy_that_did_not_go(board: Board) -> None:
    async with board.house.as_("job") as session:
        await load_keys(session, {board.mother})
        mother = await session.get_one(FamilyMember, board.mother)
        mother.email, mother.safe_contact = None, "Never by post to her mother’s"
        await rewrite_access(session, board.child)
    made = await decided(board, Kind.AGREED)
    letter = await approved(board, made, mother=Way.EMAIL)
    gate = board.house.gate
    assert await send_letters(gate, SITE) == 1
    async with board.house.opened("Amina", "chair") as access:
        copies = {one.person_id: one for one in await copies_of(access.session, letter.id)}
        copy = copies[board.mother]
        assert copy.failure == NO_ADDRESS
        people = {one.member_id: one for one in (await people_of(access)).family}
        _, whose, safely = copy_row(copy, people[board.mother], access)
        assert whose == "Marta Kestrel"
        assert safely == "How to reach them safely: Never by post to her mother’s"
        assert copy_row(copies[board.father], people[board.father], access)[2] == ""
    with pytest.raises(NotAllowed):
        async with board.house.opened("Amina", "lead") as access:
            await send_again(access, made, copy.id, Way.LETTER)
    async with board.house.opened("Amina", "chair") as access:
        await send_again(access, made, copy.id, Way.LETTER)
    assert await send_letters(gate, SITE) == 1
    async with board.house.as_("job") as session:
        kinds = await session.scalars(
            select(OutboxMessage.kind).where(OutboxMessage.to_viewer_id == board.mother)
        )
        assert list(kinds) == [BY_POST]


async def test_what_is_hard_to_read_in_a_letter_is_said_and_stops_nothing(board: Board) -> None:
    hard = (
        "Notwithstanding considerable multidisciplinary deliberation, residential accommodation"
        " necessitates comprehensive reassessment of individual eligibility considerations,"
        " commissioning arrangements and organisational responsibilities"
    )
    made = await decided(board, Kind.AGREED, reasons_for_family=hard, conditions=hard)
    gathered = await gather_for_plan(board.house.tenant, board.child)
    async with board.house.opened("Amina", "chair") as access:
        draft = await draft_letter(access, gathered, made)
        assert draft.reading_age < 10 < draft.whole_age
        assert draft.hardest[0] == f"{hard}."
        assert len(draft.hardest) <= 3
    await approved(board, made)


async def test_nobody_else_is_named_in_it(board: Board, add_child: AddChild) -> None:
    await add_child("Theo")
    made = await decided(
        board, Kind.DEFERRED, reasons_for_family="Theo Kestrel has the last bed. Ring 01632 960 999"
    )
    with pytest.raises(Invalid) as refused:
        await approved(board, made)
    assert "Say why the family may read" in refused.value.errors[0].sentence
    async with board.house.opened("Amina", "chair") as access:
        panel = await board.house.panel(access.session)
        proposed = board.proposed(Kind.DEFERRED)
        await act_as_chair(access, panel, made, proposed, await board.version(made))
    await approved(board, made)


async def test_a_letter_about_a_decision_that_was_replaced_is_not_approved(board: Board) -> None:
    made = await decided(board, Kind.DECLINED)
    gathered = await gather_for_plan(board.house.tenant, board.child)
    async with board.house.opened("Amina", "chair") as access:
        [former] = await access.session.scalars(select(RequestDecision.id))
        panel = await board.house.panel(access.session)
        proposed = board.proposed(Kind.AGREED)
        await act_as_chair(access, panel, made, proposed, await board.version(made))
        draft = await draft_letter(access, gathered, made)
        with pytest.raises(Problem, match="does not stand"):
            await approve_letter(access, draft, decision_id=former, ways={}, kept_why="")


async def test_whoever_must_be_reached_safely_is_asked_about(board: Board) -> None:
    async with board.house.as_("job") as session:
        await load_keys(session, {board.mother})
        (await session.get_one(FamilyMember, board.mother)).safe_contact = "Ring before you write"
    made = await decided(board, Kind.AGREED)
    with pytest.raises(Invalid) as refused:
        await approved(board, made)
    assert "Choose how to reach them" in refused.value.errors[0].sentence
    await approved(board, made, mother=Way.LETTER)


async def test_from_whom_the_child_is_kept_gets_none(board: Board) -> None:
    made = await decided(board, Kind.AGREED)
    await approved(board, made)
    async with board.house.as_("job") as session:
        session.add(
            SharingRestriction(
                child_id=board.child,
                kind="protection",
                against=[board.father],
                categories=[],
                by_words="the court",
                from_on=date(2026, 1, 1),
            )
        )
        await rewrite_access(session, board.child)
    await send_letters(board.house.gate, SITE)
    async with board.house.as_("job") as session:
        rows = await session.scalars(select(LetterCopy))
        told = {one.person_id: (one.outbox_id is not None, one.failure) for one in rows}
    assert told[board.mother] == (True, None)
    assert told[board.father][0] is False
    assert told[board.father][1] is not None


async def test_a_letter_waits_while_the_record_may_only_be_kept(board: Board) -> None:
    made = await decided(board, Kind.AGREED)
    letter = await approved(board, made)
    gate, server = board.house.gate, Server()
    assert await send_letters(gate, SITE) == 2
    may_go = still_may_go(board.house.tenant, SITE)
    async with board.house.as_("job") as session:
        restriction = ProcessingRestriction(child_id=board.child, from_on=date(2026, 11, 23))
        session.add(restriction)
        await session.flush()
        await send_due(session, server, board.clock.now(), may_go=may_go)
        await settle_letters(session)
    assert not server.taken
    assert await send_letters(gate, SITE) == 0
    async with board.house.as_("job") as session:
        row = await session.get_one(ProcessingRestriction, restriction.id)
        row.ended_on = date(2026, 11, 23)
    # By post it is only printed when it may go; the e-mail goes as another message.
    assert await send_letters(gate, SITE) == 1
    async with board.house.as_("job") as session:
        await send_due(session, server, board.clock.now(), may_go=may_go)
        await settle_letters(session)
        states = {one.person_id: one.state for one in await copies_of(session, letter.id)}
    assert states == {board.mother: "sent", board.father: "waiting"}
