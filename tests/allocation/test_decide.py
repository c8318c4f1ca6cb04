"""From a request to what is decided about it: by the meeting, by its chair, and nobody else."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select, text

from consent import Purpose, Role, Viewer, ViewerKind
from panel.accounts.models import Agency
from panel.accounts.service import add_worker, give_role
from panel.allocation.appeal_service import answer_appeal, ask_again
from panel.allocation.beside import RequestsBeside
from panel.allocation.decision_service import (
    act_as_chair,
    count_to_ratify,
    decide,
    ratify,
    standing_decision,
)
from panel.allocation.leaving import take_off_who_left
from panel.allocation.models import (
    PlaceOffer,
    RequestDecision,
    ServiceRequest,
    UnmetNeed,
    Waiting,
)
from panel.allocation.request_pages import NOT_LISTED, lacking_words
from panel.allocation.request_service import (
    INTERESTED,
    choose_service,
    request_of,
    save_request,
    send_request,
    withdraw_request,
    words_of,
)
from panel.allocation.rules import (
    ANOTHER_WAY,
    AppealOutcome,
    Grounds,
    Kind,
    LeftWhy,
    NoneBecause,
    OfferAnswer,
    Unmet,
)
from panel.allocation.unmet_service import (
    close_need,
    needs_of,
    open_needs,
    services_lacking,
    totals,
)
from panel.allocation.waiting_service import (
    answer_offer,
    join_list,
    list_of,
    offer_place,
    place_of,
    take_off_list,
    waits_of,
)
from panel.directory.service import Named
from panel.directory.vocabulary import Status
from panel.panels.agenda import prepare
from panel.panels.attendance import mark
from panel.panels.calendar import meeting_on, settings_of
from panel.panels.holding import declare_interest
from panel.panels.meeting_rules import Presence
from panel.panels.models import AgendaItem, Panel, Referral
from panel.panels.packs import pack_meeting, read_pack
from panel.panels.rules import Part
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound, Problem
from panel.records.child_scoped import JOB
from panel.register.history import close_episode, open_episode
from panel.register.models import Child
from tests.allocation.conftest import REVIEW, Board, judged, listed
from tests.panels.conftest import NEXT_MEETING, AddChild
from tests.panels.meeting_world import seat

HERE = ("chair", "member", "social", "second")
ROWS = text(
    "SELECT u.reason, count(*) FROM unmet_need u, service_request q, request_decision d"
    " WHERE q.id = u.request_id AND d.id = u.decision_id AND d.stands AND q.panel_id = :panel"
    " AND u.until_on IS NULL GROUP BY 1"
)


def sentences(refused: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    return {one.field: one.sentence for one in refused.value.errors}


async def test_a_request_is_complete_before_it_comes_on_the_agenda(
    board: Board, add_child: AddChild
) -> None:
    made, version = await board.draft(tried="", asked_units=None)
    async with board.house.opened("Amina", "lead") as access:
        panel = await board.house.panel(access.session)
        with pytest.raises(Invalid) as refused:
            await send_request(access, made, panel, version)
        assert set(sentences(refused)) == {"tried", "asked_units"}
    # Nobody but the team knows of a draft.
    with pytest.raises(NotFound):
        async with board.house.opened("Amina", "coordinator"):
            pass
    async with board.house.opened("Amina", "lead") as access:
        row = await access.session.get_one(ServiceRequest, made)
        said = replace(words_of(row), tried="A sleep clinic", asked_units=Decimal(12))
        with pytest.raises(Conflict):
            await save_request(access, made, said, version - 1)
        saved = await save_request(access, made, said, version)
        row.service_id = await listed(access.session, 5, 11)
        await access.session.flush()
        with pytest.raises(Invalid) as refused:
            await send_request(access, made, panel, row.version)
        assert sentences(refused) == {
            "service_id": "This service is for children from 5 on, and the child is 4"
        }
        row.service_id = None
        await access.session.flush()
        contacts = Panel(kind="contacts", name="CONTACTS panel")
        with pytest.raises(Invalid):
            await send_request(access, made, contacts, row.version)
        await send_request(access, made, panel, saved.version)
    # Without a plan or a lead the request alone brings the child; without a request nothing does.
    await add_child("Theo", without=("plan", "lead"))
    await add_child("Jakub", without=("plan", "lead"), referred=False)
    await judged(board.house, "Jakub")
    await board.sent("Jakub")
    async with board.house.as_("coordinator") as session:
        panel = await board.house.panel(session)
        prepared = await prepare(
            session,
            panel,
            await meeting_on(session, panel, NEXT_MEETING),
            board.house.viewers["coordinator"].id,
        )
        on = {board.house.name_of(item.candidate.child_id) for item in prepared.agenda.items}
        owed = {
            board.house.name_of(one.candidate.child_id): [debt.what for debt in one.missing]
            for one in prepared.agenda.not_ready
        }
    assert on == {"Amina", "Jakub"}
    assert owed == {"Theo": [Part.REQUEST]}
    # Withdrawn, it brings nobody.
    async with board.house.opened("Jakub", "lead") as access:
        [row] = await access.session.scalars(
            select(ServiceRequest).where(ServiceRequest.child_id == access.child_id)
        )
        with pytest.raises(Invalid):
            await withdraw_request(access, row.id, " ", row.version)
        await withdraw_request(access, row.id, "They moved away", row.version)
        referral = await access.session.scalar(
            select(Referral).where(Referral.child_id == access.child_id)
        )
        assert referral is not None
        assert referral.state == "closed"


async def test_a_meeting_decides_a_part_and_the_rest_is_unmet(board: Board) -> None:
    made = await board.sent()
    version = await board.version(made)
    # Without a quorum nothing is decided.
    await board.meets("chair")
    async with board.at() as at:
        with pytest.raises(Problem, match="no quorum"):
            await decide(at, made, board.proposed(Kind.AGREED), version)
    await marks(board, *HERE)
    papers = RequestsBeside()
    async with board.at("second") as at:
        [paper] = await papers.papers(at.session, board.child, at.meeting.id, at.view)
        assert dict(paper.lines)["Level of need"] == "Targeted"
        assert dict(paper.lines)["How much"] == "12 nights"
    async with board.house.as_("job") as session:
        pack = await pack_meeting(session, "allocation", NEXT_MEETING)
    document = await read_pack(board.house.gate, pack, pack.agency("education"), beside=papers)
    assert document.items[0].sections[0].title.startswith("Request R-")
    async with board.at() as at:
        for wrong, field in (
            (board.proposed(Kind.IN_PART, agreed_units=Decimal(12)), "agreed_units"),
            (board.proposed(Kind.IN_PART, unmet=None), "unmet"),
            (board.proposed(Kind.DECLINED, because=Grounds.NO_MONEY), "because"),
            (board.proposed(Kind.DECLINED, criterion_id=board.criteria["P1"]), "criterion"),
            (board.proposed(Kind.AGREED, criterion_id=UUID(int=3)), "criterion"),
            (board.proposed(Kind.AGREED, review_on=date(2026, 12, 3)), "review_on"),
        ):
            with pytest.raises(Invalid) as refused:
                await decide(at, made, wrong, version)
            assert field in sentences(refused)
        with pytest.raises(Invalid) as refused:
            await decide(
                at, made, board.proposed(Kind.DECLINED, because=Grounds.NO_CAPACITY), version
            )
        assert sentences(refused)["because"] == ANOTHER_WAY
        await decide(at, made, board.proposed(Kind.IN_PART), version)
    async with board.house.opened("Amina", "coordinator") as access:
        [unmet] = await access.session.scalars(select(UnmetNeed))
        assert (unmet.units_needed, unmet.units_agreed, unmet.reason, unmet.words) == (
            12, 6, "no_such_service", "Nobody near us",
        )  # fmt: skip
        item = await access.session.scalar(select(AgendaItem))
        assert item is not None
        assert item.review_by == REVIEW
        # What was decided is not written over, whoever tries.
        for column, value in (("kind", "agreed"), ("agreed_units", 12)):
            with pytest.raises(Exception, match="permission denied"):
                async with access.session.begin_nested():
                    await access.session.execute(
                        text(f"UPDATE request_decision SET {column} = :v"),
                        {"v": value},
                    )
    # A stale approval is refused, and told what stands.
    async with board.at() as at:
        with pytest.raises(Conflict) as stale:
            await decide(at, made, board.proposed(Kind.AGREED), version)
        assert stale.value.clashes[0].theirs == "Agreed in part"
    # Decided again it replaces the first, and the need is met.
    async with board.at() as at:
        await decide(at, made, board.proposed(Kind.AGREED), await board.version(made))
    async with board.house.opened("Amina", "coordinator") as access:
        rows = list(await access.session.scalars(select(RequestDecision).order_by("id")))
        assert [(one.kind, one.stands) for one in rows] == [
            ("agreed_in_part", False), ("agreed", True),
        ]  # fmt: skip
        assert not await open_needs(access.session, board.house.panel_id)


async def marks(board: Board, *here: str) -> None:
    async with board.house.as_("coordinator") as session:
        panel = await board.house.panel(session)
        meeting = await meeting_on(session, panel, NEXT_MEETING)
        await mark(
            session, panel, meeting, {board.house.viewers[who].id: Presence.HERE for who in here}
        )


async def test_two_decide_at_once_and_one_is_told(board: Board) -> None:
    made = await board.sent()
    await board.meets(*HERE)
    for kinds in ((Kind.AGREED, Kind.DEFERRED), (Kind.DECLINED, Kind.IN_PART)):
        version = await board.version(made)

        async def one(who: str, kind: Kind, version: int = version) -> str:
            try:
                async with board.at(who) as at:
                    await decide(at, made, board.proposed(kind), version)
            except Conflict as told:
                return told.clashes[0].theirs
            return ""

        said = await asyncio.gather(one("coordinator", kinds[0]), one("chair", kinds[1]))
        assert sorted(map(bool, said)) == [False, True]
        async with board.house.as_("job") as session:
            stands = await standing_decision(session, made)
            assert stands is not None
            assert stands.kind == kinds[said.index("")].value


async def test_who_declared_an_interest_neither_sees_nor_decides(board: Board) -> None:
    made = await board.sent()
    version = await board.version(made)
    await board.meets(*HERE)
    async with board.at() as at:
        await declare_interest(at, board.house.viewers["chair"].id, "My neighbour")
    with pytest.raises(NotAllowed):
        async with board.at("chair") as at:
            pass
    async with board.house.opened("Amina", "chair") as access:
        with pytest.raises(NotAllowed) as refused:
            await request_of(access, made)
        assert refused.value.sentence == INTERESTED
        panel = await board.house.panel(access.session)
        with pytest.raises(NotAllowed):
            await act_as_chair(access, panel, made, board.proposed(Kind.AGREED), version)


async def test_the_chair_acts_between_meetings_and_the_next_ratifies_it(board: Board) -> None:
    made = await board.sent()
    version = await board.version(made)
    async with board.house.opened("Amina", "coordinator") as access:
        panel = await board.house.panel(access.session)
        with pytest.raises(NotAllowed, match="Only the chair"):
            await act_as_chair(access, panel, made, board.proposed(Kind.AGREED), version)
    async with board.house.opened("Amina", "chair") as access:
        acted = await act_as_chair(access, panel, made, board.proposed(Kind.AGREED), version)
        assert acted.chairs_action
    async with board.house.as_("coordinator") as session:
        panel = await board.house.panel(session)
        meeting = await meeting_on(session, panel, NEXT_MEETING)
        assert await count_to_ratify(session, panel.id) == 1
        with pytest.raises(Problem, match="ratified while the panel meets"):
            await ratify(session, panel, meeting, acted.id, board.house.viewers["coordinator"])
    await board.meets(*HERE)
    meeting_id = await board.ratifies()
    async with board.house.as_("coordinator") as session:
        decided = await session.get_one(RequestDecision, acted.id)
        assert decided.ratified_meeting_id == meeting_id
        assert await count_to_ratify(session, board.house.panel_id) == 0


async def test_every_unmet_need_is_counted_once(board: Board, add_child: AddChild) -> None:
    """The totals agree with a query of its own, and each decision for less says what is unmet."""
    kinds = (Kind.IN_PART, Kind.DECLINED, Kind.DEFERRED, Kind.IN_PART, Kind.AGREED)
    why = (Grounds.NO_SUCH_SERVICE, Grounds.TOO_FAR, Grounds.NO_MONEY, Grounds.NO_MONEY, None)
    made = {}
    for at, kind in enumerate(kinds):
        name = f"Child{at}"
        await add_child(name, referred=False)
        await judged(board.house, name)
        made[name] = await board.sent(name)
        unmet = NoneBecause("Grandmother helps") if at == 3 else why[at] and Unmet(why[at])
        decision = board.proposed(kind, because=why[at], unmet=unmet)
        async with board.house.opened(name, "chair") as access:
            panel = await board.house.panel(access.session)
            await act_as_chair(access, panel, made[name], decision, await board.version(made[name]))
    async with board.house.as_("chair") as session:
        told = await totals(session, board.house.panel_id)
    async with board.house.as_("job") as session:
        asked = (await session.execute(ROWS, {"panel": board.house.panel_id})).all()
        rows = {reason: count for reason, count in asked if count}
        assert {one.value: count for one, count in told.items()} == rows
        silent = await session.execute(
            text(
                "SELECT count(*) FROM request_decision d WHERE kind <> 'agreed' AND stands"
                " AND nothing_unmet IS NULL AND NOT EXISTS"
                " (SELECT 1 FROM unmet_need u WHERE u.decision_id = d.id)"
            )
        )
        assert silent.scalar_one() == 0
    assert told == {Grounds.NO_SUCH_SERVICE: 1, Grounds.NO_MONEY: 1, Grounds.TOO_FAR: 1}
    # Whoever reaches none of the children counts none.
    async with board.house.as_("administrator") as session:
        assert await totals(session, board.house.panel_id) == {}
    # Met later, it is closed and counted no more.
    async with board.house.opened("Child1", "lead") as access:
        [need] = await access.session.scalars(
            select(UnmetNeed).where(UnmetNeed.child_id == access.child_id)
        )
        with pytest.raises(Invalid):
            await close_need(access, need.id, "", need.version)
        await close_need(access, need.id, "A minibus runs now", need.version)
        with pytest.raises(Conflict):
            await close_need(access, need.id, "Again", need.version)
    async with board.house.as_("chair") as session:
        assert Grounds.TOO_FAR not in await totals(session, board.house.panel_id)
        pages = await open_needs(session, board.house.panel_id, most=1)
        following = await open_needs(session, board.house.panel_id, after=pages[0][0].id)
        assert len(following) == 1


async def test_a_child_waits_is_offered_a_place_and_keeps_it_by_refusing(board: Board) -> None:
    made, version = await board.draft()
    async with board.house.opened("Amina", "lead") as access:
        service = await listed(access.session)
        row = await choose_service(access, made, service, version)
        with pytest.raises(Problem):
            await join_list(access, made)
        panel = await board.house.panel(access.session)
        await send_request(access, made, panel, row.version)
    async with board.house.opened("Amina", "chair") as access:
        panel = await board.house.panel(access.session)
        decision = board.proposed(Kind.DEFERRED, because=Grounds.NO_CAPACITY)
        await act_as_chair(access, panel, made, decision, await board.version(made))
    async with board.house.opened("Amina", "lead") as access:
        waits = await join_list(access, made)
        assert (await join_list(access, made)).id == waits.id
        assert place_of(await list_of(access.session, service), waits, access.today).startswith(
            "Number 1 of 1 on the list."
        )
        with pytest.raises(NotAllowed, match="coordinator or the chair"):
            await offer_place(access, waits.id, date(2026, 12, 1), waits.version)
    async with board.house.opened("Amina", "coordinator") as access:
        with pytest.raises(Invalid):
            await offer_place(access, waits.id, access.today, waits.version)
        offer = await offer_place(access, waits.id, date(2026, 12, 1), waits.version)
        with pytest.raises(Conflict):
            await offer_place(access, waits.id, date(2026, 12, 1), waits.version)
        for answer in (OfferAnswer.ACCEPTED, OfferAnswer.NO_ANSWER):
            with pytest.raises(NotAllowed, match="lead professional or the team"):
                await answer_offer(access, offer.id, answer, "", offer.version)
    async with board.house.opened("Amina", "lead") as access:
        with pytest.raises(Invalid):
            await answer_offer(access, offer.id, OfferAnswer.REFUSED, "", offer.version)
        await answer_offer(access, offer.id, OfferAnswer.REFUSED, "Too far", offer.version)
        waits = await access.session.get_one(Waiting, waits.id)
        said = await access.session.get_one(PlaceOffer, offer.id)
        assert (waits.state, said.why) == ("waiting", "Too far")
        assert waits.since_on == access.today


async def wait_for(board: Board, service: UUID, name: str, kind: Kind = Kind.IN_PART) -> UUID:
    """The family of a child waits for a service: the request."""
    made = await board.sent(name)
    async with board.house.as_("job") as session:
        (await session.get_one(ServiceRequest, made)).service_id = service
    async with board.house.opened(name, "chair") as access:
        panel = await board.house.panel(access.session)
        decision = board.proposed(kind, because=Grounds.NO_CAPACITY)
        await act_as_chair(access, panel, made, decision, await board.version(made))
    async with board.house.opened(name, "lead") as access:
        await join_list(access, made)
    return made


async def test_who_leaves_a_list_is_kept_and_the_others_move_up(
    board: Board, add_child: AddChild
) -> None:
    service = UUID(int=7)
    names = ("Amina", "Theo", "Jakub", "Mia", "Noor", "Ines")
    made = {}
    for name in names:
        if name != "Amina":
            await add_child(name, referred=False)
            await judged(board.house, name)
        made[name] = await wait_for(board, service, name)
    async with board.house.opened("Amina", "chair") as access:
        [(waits, _)] = await waits_of(access, made["Amina"])
        offer = await offer_place(access, waits.id, date(2026, 12, 1), waits.version)
    # The family does not want it: in their words, and the open offer with it.
    async with board.house.opened("Amina", "lead") as access:
        waits = await access.session.get_one(Waiting, waits.id)
        with pytest.raises(Invalid):
            await take_off_list(access, waits.id, LeftWhy.FAMILY, " ", waits.version)
        read = waits.version
        await take_off_list(access, waits.id, LeftWhy.FAMILY, "She is settled now", read)
        with pytest.raises(Conflict):
            await take_off_list(access, waits.id, LeftWhy.FAMILY, "Again", read)
        [(left, [refused])] = await waits_of(access, made["Amina"])
        assert (left.state, left.left_why, left.left_words, left.left_on) == (
            "left", "family", "She is settled now", access.today,
        )  # fmt: skip
        assert (refused.id, refused.answer, refused.why) == (
            offer.id, "refused", "She is settled now",
        )  # fmt: skip
    # What is withdrawn is waited for no more.
    other = await board.sent()
    async with board.house.as_("job") as session:
        session.add(
            Waiting(child_id=board.child, service_id=UUID(int=8), request_id=other,
                    since_on=date(2026, 11, 23), priority="routine")
        )  # fmt: skip
    version = await board.version(other)
    async with board.house.opened("Amina", "lead") as access:
        await withdraw_request(access, other, "They moved", version)
        [(gone, _)] = await waits_of(access, other)
        assert (gone.state, gone.left_why) == ("left", "withdrawn")
    # The need is met: whoever closes it takes the child off.
    async with board.house.opened("Theo", "lead") as access:
        [need] = await needs_of(access, made["Theo"])
        await close_need(access, need.id, "A grandmother helps", need.version)
    # The panel declines what it had deferred or agreed in part.
    async with board.house.opened("Jakub", "chair") as access:
        panel = await board.house.panel(access.session)
        declined = board.proposed(Kind.DECLINED, because=Grounds.TOO_FAR)
        version = await board.version(made["Jakub"])
        await act_as_chair(access, panel, made["Jakub"], declined, version)
    # They left the area, and turn 26: found by the scheduler, once.
    async with board.house.as_("job") as session:
        mia, noor = board.house.children["Mia"], board.house.children["Noor"]
        await open_episode(session, mia, date(2026, 1, 5))
        await close_episode(session, mia, date(2026, 11, 23), "moved_away")
        await open_episode(session, noor, date(2026, 1, 5))
        await close_episode(session, noor, date(2026, 11, 23), "reached_age")
        assert await take_off_who_left(session) == 1
        assert await take_off_who_left(session) == 0
        (await session.get_one(Child, noor)).birth_date = date(2000, 11, 24)
        await session.flush()
        assert await take_off_who_left(session) == 0
        (await session.get_one(Child, noor)).birth_date = date(2000, 11, 23)
        await session.flush()
        assert await take_off_who_left(session) == 1
        rows = await session.scalars(select(Waiting).where(Waiting.service_id == service))
        by_child = {row.child_id: row for row in rows}
        assert [by_child[board.house.children[name]].left_why for name in names] == [
            "family", "met", "declined", "moved", "age", None,
        ]  # fmt: skip
        line = await list_of(session, service)
        [last] = line
        assert place_of(line, last, date(2026, 11, 23)).startswith("Number 1 of 1")
    # Who comes again waits anew, beside what was.
    board.clock.set(datetime(2026, 11, 30, 9, tzinfo=UTC))
    async with board.house.opened("Amina", "lead") as access:
        again = await join_list(access, made["Amina"])
        assert again.since_on == date(2026, 11, 30)
        assert [one.state for one, _ in await waits_of(access, made["Amina"])] == [
            "waiting", "left",
        ]  # fmt: skip


async def test_unmet_needs_of_a_service_and_the_chair_of_a_quorum(board: Board) -> None:
    service = UUID(int=7)
    await wait_for(board, service, "Amina")
    async with board.house.as_("chair") as session:
        panel = await board.house.panel(session)
        assert settings_of(panel).quorum_roles == ("chair",)
        assert list(await services_lacking(session, panel.id)) == [service]
        assert len(await open_needs(session, panel.id, services=[service])) == 1
        assert not await open_needs(session, panel.id, services=[UUID(int=8)])
        [(need, request)] = await open_needs(session, panel.id)
    found = {service: Named(service, "Kestrel House", "The Trust", Status.ACTIVE)}
    async with board.house.opened("Amina", "chair") as access:
        told = lacking_words(need, request, access, found)
        assert told == ("Kestrel House, The Trust", "nights")
        assert lacking_words(need, request, access, {}) == (NOT_LISTED, "nights")


async def test_a_panel_that_decides_needs_somebody_in_the_chair(board: Board) -> None:
    made = await board.sent()
    await seat(board.house, "nurse", "health", "Ivy Coppersmith")
    await board.meets("member", "social", "second", "nurse", "coordinator")
    version = await board.version(made)
    async with board.at() as at:
        assert at.table.quorum.missing == ("The chair is not here.",)
        with pytest.raises(Problem, match="no quorum"):
            await decide(at, made, board.proposed(Kind.AGREED), version)
    async with board.house.as_("coordinator") as session:
        panel = await board.house.panel(session)
        meeting = await meeting_on(session, panel, NEXT_MEETING)
        await mark(session, panel, meeting, {board.house.viewers["chair"].id: Presence.HERE})
    # With an interest in the child the chair leaves the item to who else runs the meeting.
    async with board.at() as at:
        await declare_interest(at, board.house.viewers["chair"].id, "My neighbour")
    async with board.at() as at:
        await decide(at, made, board.proposed(Kind.AGREED), version)


async def test_an_appeal_has_its_clock_and_brings_the_child_back(board: Board) -> None:
    made = await board.sent()
    decision = board.proposed(Kind.DECLINED, because=Grounds.TOO_FAR)
    async with board.house.opened("Amina", "chair") as access:
        panel = await board.house.panel(access.session)
        await act_as_chair(access, panel, made, decision, await board.version(made))
    async with board.house.opened("Amina", "lead") as access:
        today = access.today
        with pytest.raises(Invalid):
            await ask_again(access, made, asked_on=today, grounds=" ")
        with pytest.raises(Invalid):
            await ask_again(access, made, asked_on=date(2026, 11, 1), grounds="We moved")
        appeal = await ask_again(access, made, asked_on=today, grounds="We moved", by_person=None)
        # Twenty working days from 23 November, past two bank holidays.
        assert appeal.answer_by == date(2026, 12, 21)
        with pytest.raises(NotAllowed):
            await answer_appeal(access, appeal.id, AppealOutcome.UPHELD, "Yes", appeal.version)
    async with board.house.opened("Amina", "chair") as access:
        await answer_appeal(access, appeal.id, AppealOutcome.UPHELD, "New facts", appeal.version)
        row = await request_of(access, made)
        referral = await access.session.scalar(
            select(Referral).where(Referral.child_id == access.child_id)
        )
        assert referral is not None
        assert (row.state, referral.deferred_on) == ("sent", today)


async def test_a_member_reaches_the_children_whose_requests_were_sent(board: Board) -> None:
    async with board.house.as_("job") as session:
        agency = await session.get_one(Agency, board.house.agencies["council"])
        worker = await add_worker(session, agency, name="Una Frost", email="una@demo.example")
        await give_role(session, worker, Role.ALLOCATION_MEMBER, None)
        member = Viewer(
            worker.id,
            ViewerKind.WORKER,
            agency.id,
            agency.kind,
            frozenset({Role.ALLOCATION_MEMBER}),
        )
    await board.draft()
    with pytest.raises(NotFound):
        async with board.house.gate.open(board.child, member, Purpose.ALLOCATION, "read it"):
            pass
    made = await board.sent()
    async with board.house.gate.open(board.child, member, Purpose.ALLOCATION, "read it") as access:
        assert (await request_of(access, made)).need.startswith("She wakes")


async def test_contacts_decides_nothing(board: Board) -> None:
    made = await board.sent()
    async with board.house.tenant.transaction(JOB) as session:
        (await session.get_one(Panel, board.house.panel_id)).kind = "contacts"
    async with board.house.opened("Amina", "chair") as access:
        panel = await board.house.panel(access.session)
        with pytest.raises(Problem, match="CONTACTS decides nothing"):
            await act_as_chair(
                access, panel, made, board.proposed(Kind.AGREED), await board.version(made)
            )
