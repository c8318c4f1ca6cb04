"""Placements out of the area: asked for, conditions of their own, visits, and the panel's list."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar.testing import AsyncTestClient
from sqlalchemy import func, select, text

from panel.allocation.beside import RequestsBeside
from panel.allocation.decision_service import act_as_chair, decide
from panel.allocation.models import ServiceRequest
from panel.allocation.outside_models import PlacementCondition
from panel.allocation.outside_rules import (
    Applies,
    ConditionWords,
    Footing,
    OutsideWords,
    Rhythm,
    read_conditions,
)
from panel.allocation.outside_service import (
    add_terms,
    every_terms,
    lacking_today,
    outside_words,
    placement_for,
    terms_of,
)
from panel.allocation.outside_visits import (
    Met,
    Visit,
    end_placement,
    opened_placement,
    placements_of,
    record_visit,
    tick,
    visits_of,
)
from panel.allocation.request_service import save_request, send_request, words_of
from panel.allocation.rules import ANOTHER_WAY, Grounds, Kind, Proposed
from panel.panels.holding import declare_interest
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound, Problem
from tests.allocation.conftest import Board, judged
from tests.allocation.test_before_the_panel import (
    LATER,
    YEARS,
    come_to,
    ends_on,
    letters_go,
    reads,
    seated,
)
from tests.allocation.test_decide import HERE, sentences
from tests.allocation.test_pages import Browser
from tests.conftest import SignIn
from tests.panels.conftest import AddChild
from tests.panels.meeting_world import mistakes

__all__ = ["seated"]

TODAY = date(2026, 11, 23)
WHERE = OutsideWords(
    "childrens_home", "looked_after", "Ferndale", "Larkspur House", date(2026, 11, 20)
)


async def asked(board: Board, child: str = "Amina", **changed: Any) -> UUID:
    """A request for a placement out of the area, sent to the panel."""
    made, version = await board.draft(child)
    async with board.house.opened(child, "lead") as access:
        row = await access.session.get_one(ServiceRequest, made)
        row = await save_request(access, made, words_of(row), version, replace(WHERE, **changed))
        panel = await board.house.panel(access.session)
        await send_request(access, made, panel, row.version)
    return made


async def tick_all(board: Board, made: UUID, child: str = "Amina") -> None:
    async with board.house.opened(child, "lead") as access:
        _, placement = await opened_placement(access, made)
        terms = terms_of(await every_terms(access.session), access.today)
        assert terms is not None
        lacking = await lacking_today(access.session, placement.id, placement.footing)
        for one in terms.conditions:
            if one.title in lacking:
                await tick(access, made, one.id, Met(TODAY, "Told on the telephone"), 0)


async def acts(board: Board, made: UUID, decision: Proposed, child: str = "Amina") -> None:
    version = await board.version(made)
    async with board.house.opened(child, "chair") as access:
        panel = await board.house.panel(access.session)
        await act_as_chair(access, panel, made, decision, version)


def test_the_rules_of_time() -> None:
    rhythm = Rhythm(6, 6, 26)
    began, visited = date(2026, 11, 2), date(2026, 11, 30)
    # Within a week of moving in, then every six weeks; others every half year.
    assert rhythm.visit_by(Footing.LOOKED_AFTER, began, None) == date(2026, 11, 9)
    assert rhythm.visit_by(Footing.LOOKED_AFTER, began, visited) == date(2027, 1, 11)
    assert rhythm.visit_by(Footing.ACCOMMODATED, began, None) == date(2027, 5, 3)
    assert rhythm.review_by(date(2026, 8, 31)) == date(2027, 2, 28)
    typed = "A1 | A bed | There is one. | Act 1\n\nA2 | A | B"
    assert read_conditions(typed, Applies.EVERYBODY) == [
        ConditionWords("A1", "A bed", "There is one.", "Act 1", Applies.EVERYBODY),
        ConditionWords("A2", "A", "B", "", Applies.EVERYBODY),
    ]


async def test_a_draft_says_where_and_lacks_what_it_does_not_say(board: Board) -> None:
    made, version = await board.draft()
    async with board.house.opened("Amina", "lead") as access:
        row = await access.session.get_one(ServiceRequest, made)
        said = words_of(row)
        saved = await save_request(access, made, said, version, OutsideWords())
        panel = await board.house.panel(access.session)
        with pytest.raises(Invalid) as refused:
            await send_request(access, made, panel, saved.version)
        assert set(sentences(refused)) == {
            "placement_kind", "placement_footing", "placement_area", "placement_provider",
            "placement_from",
        }  # fmt: skip
        # What is said of the place alone is a change of the draft that another has read.
        read = row.version
        await save_request(access, made, said, read, WHERE)
        with pytest.raises(Conflict):
            await save_request(access, made, said, read, replace(WHERE, area="Elsewhere"))
    async with board.house.opened("Amina", "lead") as access:
        assert await outside_words(access.session, made) == WHERE
        row = await access.session.get_one(ServiceRequest, made)
        # Asked for no more, it lacks nothing of it.
        await save_request(access, made, said, row.version)
        assert await placement_for(access.session, made) is None
        with pytest.raises(NotFound):
            await opened_placement(access, made)
        await send_request(access, made, panel, row.version)
    async with board.house.opened("Amina", "lead") as access:
        row = await access.session.get_one(ServiceRequest, made)
        assert row.state == "sent"
    backwards = replace(WHERE, until_on=date(2026, 11, 1))
    other, version = await board.draft()
    async with board.house.opened("Amina", "lead") as access:
        with pytest.raises(Invalid) as refused:
            await save_request(access, other, said, version, backwards)
        assert set(sentences(refused)) == {"placement_until"}


async def test_it_is_agreed_once_each_condition_is_met_and_a_duty_stays_a_duty(
    board: Board,
) -> None:
    made = await asked(board)
    for kind in (Kind.AGREED, Kind.IN_PART):
        with pytest.raises(Invalid) as refused:
            await acts(board, made, board.proposed(kind))
        assert "The nominated officer approves" in sentences(refused)["kind"]
    with pytest.raises(Invalid) as refused:
        await acts(board, made, board.proposed(Kind.DECLINED, because=Grounds.NO_MONEY))
    assert sentences(refused)["because"] == ANOTHER_WAY
    # Those of children whom health or education accommodates do not hold for this one.
    async with board.house.opened("Amina", "lead") as access:
        _, placement = await opened_placement(access, made)
        assert len(await lacking_today(access.session, placement.id, placement.footing)) == 5
        terms = terms_of(await every_terms(access.session), TODAY)
        assert terms is not None
        by_key = {one.key: one.id for one in terms.conditions}
        with pytest.raises(NotFound):
            await tick(access, made, by_key["H1"], Met(TODAY, "Told"), 0)
        for wrong, field in (
            (Met(TODAY + timedelta(days=1), "Soon"), "met_on"),
            (Met(TODAY, " "), "note"),
        ):
            with pytest.raises(Invalid) as refused:
                await tick(access, made, by_key["O1"], wrong, 0)
            assert set(sentences(refused)) == {field}
        row = await tick(access, made, by_key["O1"], Met(TODAY, "She showed us with her cards"), 0)
        with pytest.raises(Conflict) as stale:
            await tick(access, made, by_key["O1"], Met(TODAY, "Another note"), 0)
        assert stale.value.clashes[0].theirs == "She showed us with her cards"
        # A tick may be taken back until the panel agrees.
        await tick(access, made, by_key["O1"], Met(None, "She was ill that day"), row.version)
        assert len(await lacking_today(access.session, placement.id, placement.footing)) == 5
        await tick(access, made, by_key["O1"], Met(TODAY, "She was asked again"), row.version)
    await tick_all(board, made)
    with pytest.raises(Invalid) as refused:
        await acts(board, made, board.proposed(Kind.AGREED, review_on=date(2027, 5, 24)))
    assert "within 6 months" in sentences(refused)["review_on"]
    await acts(board, made, board.proposed(Kind.AGREED))
    async with board.house.opened("Amina", "lead") as access:
        with pytest.raises(Problem, match="not taken back"):
            await tick(access, made, by_key["O1"], Met(None, "Not after all"), row.version)
    # What is written down is sealed, and of one child.
    async with board.house.as_("job") as session:
        stored = await session.execute(text("SELECT area, provider FROM outside_placement"))
        for sealed in stored.one():
            assert b"Ferndale" not in sealed
            assert b"Larkspur" not in sealed
        assert await session.scalar(select(func.count()).select_from(PlacementCondition)) == 5


async def test_the_version_in_force_is_asked_and_what_was_agreed_keeps_its_own(
    board: Board,
) -> None:
    made = await asked(board)
    await tick_all(board, made)
    rhythm = Rhythm(3, 4, 20)
    wanted = ConditionWords("N1", "A cot", "There is a cot.", "Our policy", Applies.EVERYBODY)
    async with board.house.as_("coordinator") as session:
        for name, day, conditions, field in (
            ("", TODAY, [wanted], "name"),
            ("Ours", date(2026, 11, 22), [wanted], "from_on"),
            ("Ours", TODAY, [], "conditions"),
            ("Ours", TODAY, [wanted, wanted], "conditions"),
            ("Ours", TODAY, [replace(wanted, law="")], "conditions"),
        ):
            with pytest.raises(Invalid) as refused:
                await add_terms(session, name, day, rhythm, conditions)
            assert set(sentences(refused)) == {field}
        await add_terms(session, "Ours", TODAY, rhythm, [wanted])
    with pytest.raises(Invalid) as refused:
        await acts(board, made, board.proposed(Kind.AGREED))
    assert sentences(refused) == {
        "kind": "A placement out of the area is agreed once each condition is met. Not yet: A cot",
        "review_on": "A placement out of the area is reviewed within 3 months:"
        " by Tuesday 23 February 2027 at the latest",
    }
    await tick_all(board, made)
    await acts(board, made, board.proposed(Kind.AGREED, review_on=date(2027, 2, 23)))


async def test_visits_are_written_down_and_the_list_has_the_overdue_first(
    board: Board, add_child: AddChild
) -> None:
    made = {"Amina": await asked(board, from_on=date(2026, 10, 1))}
    for name, since in (("Theo", date(2026, 11, 20)), ("Jakub", date(2026, 11, 20))):
        await add_child(name, referred=False)
        await judged(board.house, name)
        made[name] = await asked(board, name, from_on=since)
    seen = Visit(date(2026, 11, 1), "Ida Marsh", "She has a friend there")
    async with board.house.opened("Amina", "lead") as access:
        _, placement = await opened_placement(access, made["Amina"])
        with pytest.raises(Problem, match="once it is agreed"):
            await record_visit(access, made["Amina"], seen, placement.version)
    for name in ("Amina", "Theo"):
        await tick_all(board, made[name], name)
        await acts(board, made[name], board.proposed(Kind.AGREED), name)

    async def order(who: str, after: UUID | None = None) -> list[str]:
        async with board.house.as_(who) as session:
            rows = await placements_of(session, board.house.panel_id, TODAY, after=after)
            return [board.house.name_of(one.request.child_id) for one in rows]

    # Amina's first visit was due in October; nobody has to visit Jakub, who is not there yet.
    assert await order("chair") == ["Amina", "Theo", "Jakub"]
    async with board.house.as_("chair") as session:
        first, *_ = await placements_of(session, board.house.panel_id, TODAY, most=1)
        assert first.agreed is not None
        assert first.placement.visit_by == date(2026, 10, 8)
    assert await order("chair", first.placement.id) == ["Theo", "Jakub"]
    # Whoever reaches none of the children is shown none.
    assert await order("administrator") == []
    async with board.house.opened("Amina", "lead") as access:
        _, placement = await opened_placement(access, made["Amina"])
        read = placement.version
        for wrong, field in (
            (replace(seen, visited_on=date(2026, 11, 24)), "visited_on"),
            (replace(seen, visited_on=date(2026, 9, 30)), "visited_on"),
            (replace(seen, visited_by=" "), "visited_by"),
            (replace(seen, note=""), "note"),
        ):
            with pytest.raises(Invalid) as refused:
                await record_visit(access, made["Amina"], wrong, read)
            assert set(sentences(refused)) == {field}
        await record_visit(access, made["Amina"], seen, read)
        with pytest.raises(Conflict):
            await record_visit(access, made["Amina"], seen, read)
        assert placement.visit_by == date(2026, 12, 13)
        # One that was made before and is written down later does not bring the next forward.
        earlier = replace(seen, visited_on=date(2026, 10, 8))
        await record_visit(access, made["Amina"], earlier, placement.version)
        assert placement.visit_by == date(2026, 12, 13)
        told = await visits_of(access.session, placement.id)
        assert [one.visited_on for one in told] == [seen.visited_on, earlier.visited_on]
        assert told[0].note == "She has a friend there"
    assert await order("chair") == ["Theo", "Amina", "Jakub"]
    async with board.house.opened("Amina", "lead") as access:
        _, placement = await opened_placement(access, made["Amina"])
        with pytest.raises(Invalid):
            await end_placement(access, made["Amina"], TODAY + timedelta(days=1), placement.version)
        await end_placement(access, made["Amina"], TODAY, placement.version)
        with pytest.raises(Problem, match="Nothing more is written"):
            await record_visit(access, made["Amina"], seen, placement.version)
    # Declined, it is not listed either.
    await acts(board, made["Jakub"], board.proposed(Kind.DECLINED), "Jakub")
    assert await order("chair") == ["Theo"]


async def test_the_pages_of_it(board: Board, client: AsyncTestClient[Any], sign_in: SignIn) -> None:
    made = await asked(board)
    page = f"/children/{board.child}/requests/{made}/out-of-area"
    listed = "/panels/allocation/out-of-area"
    browser = Browser(client)
    await sign_in(board.house.viewers["lead"].id)
    shown = await browser.get(page)
    assert "Larkspur House" in shown
    assert shown.count("Not yet") == 5
    async with board.house.as_("job") as session:
        terms = terms_of(await every_terms(session), TODAY)
        assert terms is not None
        condition = f"{page}/conditions/{terms.conditions[2].id}"
    wrong = await browser.send(condition, condition, {"met": "yes", "note": ""})
    assert wrong.status_code == 422
    assert "Write down how it is met" in mistakes(wrong)
    saved = await browser.send(condition, condition, {"met": "yes", "note": "Ferndale was told"})
    assert "Ferndale was told" in saved.text
    assert saved.text.count("Not yet") == 4
    assert "Placement out of the area" in await browser.get(page.removesuffix("/out-of-area"))
    await sign_in(board.house.viewers["chair"].id)
    told = await browser.get(listed)
    assert "Ferndale" in told
    assert "Not agreed yet" in told
    assert "The nominated officer approves" in told
    deciding = await browser.get(page.removesuffix("out-of-area") + "chairs-action")
    assert "Not yet: " in deciding
    conditions = f"{listed}/conditions"
    assert "section 86A" in await browser.get(conditions)
    await tick_all(board, made)
    await acts(board, made, board.proposed(Kind.AGREED))
    assert "Visit by 27 November 2026" in await browser.get(listed)
    late = await browser.send(page, f"{page}/visits", {"visited_on": "2026-11-24"})
    assert "A visit is written down once it was made" in mistakes(late)
    seen = {"visited_on": "2026-11-22", "visited_by": "Ida Marsh", "note": "She sleeps well"}
    assert "She sleeps well" in (await browser.send(page, f"{page}/visits", seen)).text
    await sign_in(board.house.viewers["coordinator"].id)
    empty = await browser.send(conditions, conditions, {"name": "Ours", "from_on": "2026-11-24"})
    assert "Write at least one condition" in mistakes(empty)
    ours = {"name": "Ours", "from_on": "2026-11-24", "everybody": "N1 | A cot | One. | Policy"}
    assert "A cot" in (await browser.send(conditions, conditions, ours)).text
    ended = await browser.send(page, f"{page}/end", {"ended_on": "2026-11-23"})
    assert "It ended on" in ended.text
    assert "No child is placed out of the area" in await browser.get(listed)
    await sign_in(board.house.viewers["administrator"].id)
    await browser.get(listed, 404)
    await browser.get(page, 403)


async def test_the_papers_say_where_and_who_left_the_item_reads_nothing(board: Board) -> None:
    made = await asked(board)
    await board.meets(*HERE)
    async with board.at("second") as at:
        [paper] = await RequestsBeside().papers(at.session, board.child, at.meeting.id, at.view)
        told = dict(paper.lines)
        assert told["Where"] == "Ferndale"
        assert told["Who provides it"] == "Larkspur House"
        assert told["How the child lives there"] == "The child is looked after"
        assert "The nominated officer approves" in told["Conditions not met yet"]
    async with board.at() as at:
        await declare_interest(at, board.house.viewers["chair"].id, "My neighbour")
    async with board.house.opened("Amina", "chair") as access:
        with pytest.raises(NotAllowed, match="You declared an interest"):
            await opened_placement(access, made)


async def test_it_is_before_the_panel_until_it_ends(seated: Board) -> None:
    """Whoever knows the child through the request alone has the placement on the list till then."""
    made = await asked(seated)
    await tick_all(seated, made)
    await seated.meets(*HERE)
    async with seated.at() as at:
        decision = seated.proposed(Kind.AGREED, review_on=date(2027, 6, 3))
        await decide(at, made, decision, await seated.version(made))
    await letters_go(seated, made, date(2026, 12, 4))
    assert await reads(seated, YEARS)
    come_to(seated, LATER)
    async with seated.house.as_("holder") as session:
        assert len(await placements_of(session, seated.house.panel_id, LATER)) == 1
    async with seated.house.opened("Amina", "lead") as access:
        _, placement = await opened_placement(access, made)
        await end_placement(access, made, LATER, placement.version)
    await ends_on(seated, date(2027, 1, 25))
