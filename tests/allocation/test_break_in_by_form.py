"""What somebody tries past the pages of requests: each is refused, or does no harm."""

import asyncio
import re
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from litestar.testing import AsyncTestClient
from sqlalchemy import func, select

from consent import Category
from panel.allocation.appeal_service import answer_appeal, ask_again
from panel.allocation.decision_service import act_as_chair, decide
from panel.allocation.letter_service import (
    REPLACED,
    approve_letter,
    copies_of,
    copy_of,
    draft_letter,
    letter_on_paper,
    own_letters,
    send_letters,
)
from panel.allocation.models import Appeal, ServiceRequest, Waiting
from panel.allocation.request_service import (
    NOT_ALL_OF_IT,
    may_fill_in,
    save_request,
    withdraw_request,
    words_of,
)
from panel.allocation.rules import TOO_FINE, AppealOutcome, Grounds, Kind
from panel.allocation.waiting_service import join_list, list_of, lists_with, place_of
from panel.panels.holding import declare_interest
from panel.panels.note_context import gather_for_plan
from panel.panels.still_may_go import still_may_go
from panel.platform.problems import Invalid, NotAllowed, Problem
from panel.records.gate import Access, rewrite_access
from panel.records.restricted_use import ProcessingRestriction
from panel.register.models import Involvement
from panel.sharing.models import SharingRestriction
from tests.allocation.conftest import WORDS, Board, judged, listed
from tests.allocation.test_decide import HERE, sentences
from tests.allocation.test_letters import SITE, approved
from tests.conftest import SignIn
from tests.panels.conftest import AddChild


async def by_chair(board: Board, made: UUID, kind: Kind, **changed: object) -> None:
    async with board.house.opened("Amina", "chair") as access:
        panel = await board.house.panel(access.session)
        proposed = board.proposed(kind, **changed)
        await act_as_chair(access, panel, made, proposed, await board.version(made))


async def test_what_is_kept_is_what_was_written_to_the_third_decimal(board: Board) -> None:
    draft, version = await board.draft()
    async with board.house.opened("Amina", "lead") as access:
        row = await access.session.get_one(ServiceRequest, draft)
        with pytest.raises(Invalid) as refused:
            said = words_of(row)
            said = type(said)(
                **{
                    **{name: getattr(said, name) for name in said.__slots__},
                    "asked_units": Decimal("0.0004"),
                }
            )
            await save_request(access, draft, said, version)
        assert sentences(refused) == {"asked_units": TOO_FINE}
    made = await board.sent(asked_units=Decimal(1))
    # 0.9999 would be kept as all of it, and 0.0001 as nothing.
    for part in ("0.9999", "0.0001"):
        with pytest.raises(Invalid) as refused:
            await by_chair(board, made, Kind.IN_PART, agreed_units=Decimal(part))
        assert sentences(refused) == {"agreed_units": TOO_FINE}
    # The chair is held to the same days of review as a meeting.
    for on in (date(9999, 12, 31), date(2026, 11, 1)):
        with pytest.raises(Invalid) as refused:
            await by_chair(board, made, Kind.AGREED, review_on=on)
        assert set(sentences(refused)) == {"review_on"}


async def test_who_left_the_item_does_not_make_up_its_quorum(board: Board) -> None:
    made = await board.sent()
    await board.meets(*HERE)
    version = await board.version(made)
    async with board.at() as at:
        for who in ("second", "social"):
            await declare_interest(at, board.house.viewers[who].id, "My neighbour")
    async with board.at() as at:
        with pytest.raises(Problem, match="no quorum"):
            await decide(at, made, board.proposed(Kind.AGREED), version)


async def test_each_decision_is_looked_at_again_once(board: Board) -> None:
    made = await board.sent()
    await by_chair(board, made, Kind.DECLINED, because=Grounds.TOO_FAR)

    async def asks() -> str:
        try:
            async with board.house.opened("Amina", "lead") as access:
                await ask_again(access, made, asked_on=access.today, grounds="We moved")
        except Problem as refused:
            return refused.title
        return ""

    # Two at one instant: one is kept, the other is told in words.
    assert sorted(await asyncio.gather(asks(), asks())) == ["", "They have asked already"]

    async def answered(outcome: AppealOutcome) -> None:
        async with board.house.opened("Amina", "chair") as access:
            row = await access.session.scalar(select(Appeal).where(Appeal.outcome.is_(None)))
            assert row is not None
            await answer_appeal(access, row.id, outcome, "Why", row.version)

    await answered(AppealOutcome.NOT_UPHELD)
    assert await asks() == "They have asked already"
    # Decided again it is another decision; what was asked about the first brings nothing back.
    await by_chair(board, made, Kind.DEFERRED)
    assert await asks() == ""
    await by_chair(board, made, Kind.AGREED)
    with pytest.raises(Problem, match="does not stand any more"):
        await answered(AppealOutcome.UPHELD)
    await answered(AppealOutcome.WITHDRAWN)
    # Upheld, it waits to be decided: nobody asks again meanwhile, and nobody takes it from the
    # panel while a decision stands.
    assert await asks() == ""
    await answered(AppealOutcome.UPHELD)
    assert await asks() == "Not decided yet"
    async with board.house.opened("Amina", "lead") as access:
        row = await access.session.get_one(ServiceRequest, made)
        with pytest.raises(Problem, match="is not withdrawn"):
            await withdraw_request(access, made, "They moved away", row.version)


async def test_no_letter_goes_about_a_decision_that_was_replaced(board: Board) -> None:
    made = await board.sent()
    await by_chair(board, made, Kind.DECLINED, because=Grounds.TOO_FAR)
    gathered = await gather_for_plan(board.house.tenant, board.child)
    async with board.house.opened("Amina", "coordinator") as access:
        draft = await draft_letter(access, gathered, made)
        # Between reading and approving the panel decides again.
        await by_chair(board, made, Kind.DEFERRED)
        with pytest.raises(Problem, match="does not stand any more"):
            await approve_letter(access, draft, decision_id=draft.decision.id, ways={}, kept_why="")
    # Approved, and replaced before it went.
    letter = await approved(board, made)
    await by_chair(board, made, Kind.AGREED)
    assert await send_letters(board.house.gate, SITE) == 0
    async with board.house.as_("job") as session:
        told = {one.failure for one in await copies_of(session, letter.id)}
    assert told == {REPLACED}
    async with board.family(board.father) as access:
        assert not await own_letters(access)
    # Replaced between the outbox and the envelope it is not printed either.
    letter = await approved(board, made)
    assert await send_letters(board.house.gate, SITE) == 2
    await by_chair(board, made, Kind.DEFERRED)
    async with board.house.as_("job") as session:
        [copy] = [one for one in await copies_of(session, letter.id) if one.way == "letter"]
        may_go = still_may_go(board.house.tenant, SITE)
        with pytest.raises(Problem, match="decided again"):
            await letter_on_paper(session, copy.id, may_go)


async def withheld_from_social_care(board: Board, *categories: str) -> None:
    """Somebody of social care works with Amina, and the family keeps something from them."""
    social = board.house.viewers["social"]
    agency = social.agency
    assert agency is not None
    async with board.house.as_("job") as session:
        session.add(
            Involvement(
                child_id=board.child,
                agency_id=agency,
                worker_id=social.id,
                from_on=date(2026, 9, 1),
            )
        )
        session.add(
            SharingRestriction(
                child_id=board.child,
                kind="choice",
                against=[agency],
                categories=list(categories),
                by_words="the mother",
                from_on=date(2026, 11, 1),
            )
        )
        await session.flush()
        await rewrite_access(session, board.child)


async def test_a_letter_is_not_read_by_who_may_not_read_its_request(board: Board) -> None:
    made = await board.sent(category=Category.HEALTH)
    await by_chair(board, made, Kind.AGREED)
    letter = await approved(board, made)
    await withheld_from_social_care(board, "health")
    async with board.house.as_("job") as session:
        copy = (await copies_of(session, letter.id))[0]
    async with board.house.opened("Amina", "social") as access:
        assert not access.may(Category.HEALTH)
        with pytest.raises(NotAllowed):
            await copy_of(access, made, copy.id)


async def test_a_request_that_is_not_shown_says_why_and_where_to_ask(
    board: Board, client: AsyncTestClient[Any], sign_in: SignIn
) -> None:
    made = await board.sent(category=Category.HEALTH)
    await by_chair(board, made, Kind.AGREED)
    await withheld_from_social_care(board, "health")
    await sign_in(board.house.viewers["social"].id)
    page = (await client.get(f"/children/{board.child}/requests/{made}")).text
    kept = re.findall(r'<p class="panel-not-shown">(.*?)</p>', page, re.DOTALL)
    assert len(kept) == 2, "The request itself, and its decision."
    for block in kept:
        assert "You cannot see the health section." in block
        assert "since 1 November 2026" in block
        assert f'href="/children/{board.child}/sharing#ask"' in block
    assert WORDS.asked_for not in page


async def test_lists_do_not_tell_which_service_a_withheld_request_asks_for(
    board: Board, client: AsyncTestClient[Any], sign_in: SignIn
) -> None:
    async with board.house.as_("job") as session:
        service = await listed(session)
    made = await board.sent(category=Category.HEALTH, service_id=service)
    await by_chair(board, made, Kind.IN_PART)
    async with board.house.opened("Amina", "lead") as access:
        await join_list(access, made)
    await withheld_from_social_care(board, "health")
    lists = "/panels/allocation"
    for who, reads in (("chair", True), ("social", False)):
        await sign_in(board.house.viewers[who].id)
        unmet = (await client.get(f"{lists}/unmet-need")).text
        assert "6 nights unmet" in unmet
        assert ("Kestrel House" in unmet) is reads
        assert ("You cannot see the health section." in unmet) is not reads
        found = (await client.get(f"{lists}/unmet-need?service=kestrel")).text
        assert ("6 nights unmet" in found) is reads
        waiting = (await client.get(f"{lists}/waiting")).text
        assert ("Number 1 of 1" in waiting) is reads
        assert ("Not shown: 1 line" in waiting) is not reads


async def test_a_draft_is_not_written_over_by_who_may_not_read_the_familys_words(
    board: Board,
) -> None:
    draft, version = await board.draft()
    await withheld_from_social_care(board, "views")
    async with board.house.opened("Amina", "social") as access:
        row = await access.session.get_one(ServiceRequest, draft)
        assert not may_fill_in(access, row)
        with pytest.raises(NotAllowed) as refused:
            await save_request(access, draft, words_of(row), version - 1)
        assert refused.value.sentence == NOT_ALL_OF_IT


async def test_a_place_on_a_list_counts_everybody_who_waits(
    board: Board, add_child: AddChild
) -> None:
    service = UUID(int=7)
    made = {}
    for name in ("Amina", "Theo"):
        if name != "Amina":
            await add_child(name, referred=False)
            await judged(board.house, name)
        made[name] = await board.sent(name)
        async with board.house.as_("job") as session:
            (await session.get_one(ServiceRequest, made[name])).service_id = service
        async with board.house.opened(name, "chair") as access:
            panel = await board.house.panel(access.session)
            proposed = board.proposed(Kind.DEFERRED, because=Grounds.NO_CAPACITY)
            version = await board.version(made[name])
            await act_as_chair(access, panel, made[name], proposed, version)

        async def joins(name: str = name) -> None:
            async with board.house.opened(name, "lead") as access:
                await join_list(access, made[name])

        # Twice at one instant is once.
        await asyncio.gather(joins(), joins())
    async with board.house.as_("job") as session:
        assert await session.scalar(select(func.count()).select_from(Waiting)) == 2
        lists = await lists_with(session, made["Theo"])
        [row] = [one for one in lists[service] if one.request_id == made["Theo"]]
        said = place_of(lists[service], row, row.since_on)
        assert said.startswith("Number 2 of 2 on the list.")
        assert len(await list_of(session, service)) == 2
    # Declined, nobody waits for it.
    async with board.house.opened("Theo", "chair") as access:
        panel = await board.house.panel(access.session)
        declined = board.proposed(Kind.DECLINED, because=Grounds.TOO_FAR)
        version = await board.version(made["Theo"])
        await act_as_chair(access, panel, made["Theo"], declined, version)
    async with board.house.opened("Theo", "lead") as access:
        with pytest.raises(Problem, match="Nobody waits"):
            await join_list(access, made["Theo"])


async def test_a_record_that_is_only_kept_is_not_written_by_appeal_or_waiting(
    board: Board,
) -> None:
    made = await board.sent()
    await by_chair(board, made, Kind.DEFERRED)
    async with board.house.as_("job") as session:
        (await session.get_one(ServiceRequest, made)).service_id = UUID(int=7)
        session.add(ProcessingRestriction(child_id=board.child, from_on=date(2026, 11, 1)))

    async def asks(access: Access) -> None:
        await ask_again(access, made, asked_on=access.today, grounds="We moved")

    async def joins(access: Access) -> None:
        await join_list(access, made)

    for does in (asks, joins):
        with pytest.raises(NotAllowed, match="restricted"):
            async with board.house.opened("Amina", "lead") as access:
                await does(access)
