"""The pages: a request written and sent, decided at the meeting, its letter read by a parent."""

import re
from typing import Any

import httpx
import pytest
from litestar.testing import AsyncTestClient

from panel.allocation.decision_service import act_as_chair
from panel.allocation.models import ServiceRequest
from panel.allocation.rules import Kind
from panel.platform.ids import new_id
from tests.allocation.conftest import Board
from tests.conftest import SignIn
from tests.panels.conftest import NEXT_MEETING
from tests.panels.meeting_world import hidden_of, mistakes

HERE = ("chair", "member", "social", "second")
MEETING = f"/panels/allocation/{NEXT_MEETING}/meeting"
FILLED = {
    "legal_basis": "s17",
    "category": "social_care",
    "need_code": "asd",
    "need": "She wakes six times a night",
    "outcome": "Her mother sleeps",
    "tried": "A sleep clinic",
    "asked_for": "Twelve nights away from home a year",
    "asked_units": "12",
    "unit": "night",
    "urgency": "routine",
    "urgency_why": "",
    "family_wishes": "Somebody she knows",
}
DECIDED = {
    "kind": "agreed_in_part",
    "agreed_units": "6",
    "because": "no_capacity",
    "reasons": "Second rate; ZQINTERNAL",
    "reasons_for_family": "There are six nights now",
    "conditions": "",
    "review_on-day": "20",
    "review_on-month": "5",
    "review_on-year": "2027",
    "unmet": "yes",
    "unmet_reason": "",
    "unmet_words": "We need twelve",
    "nothing_unmet": "",
}


def assert_ids_stand_once(page: str) -> None:
    """Assert that a label, and the summary's link, can mean one field only."""
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert sorted(ids) == sorted(set(ids))


class Browser:
    """Sends the forms of pages as they are there."""

    def __init__(self, client: AsyncTestClient[Any]) -> None:
        self.client = client

    async def get(self, address: str, status: int = 200) -> str:
        answer = await self.client.get(address)
        assert answer.status_code == status, answer.text
        return answer.text

    async def send(
        self, page: str, action: str, said: dict[str, str] | None = None
    ) -> httpx.Response:
        fields = hidden_of((await self.client.get(page)).text, action)
        return await self.client.post(action, data=fields | (said or {}))


async def test_from_the_request_to_the_letter(
    board: Board, client: AsyncTestClient[Any], sign_in: SignIn
) -> None:
    browser = Browser(client)
    listed = f"/children/{board.child}/requests"
    await sign_in(board.house.viewers["lead"].id)
    assert "Nothing was asked" in await browser.get(listed)
    made = await browser.send(listed, listed)
    page = str(made.url.path)
    assert page.startswith(f"{listed}/")
    assert "Say what the child needs" in made.text
    wrong = await browser.send(page, page, FILLED | {"asked_units": "-2"})
    assert wrong.status_code == 422
    assert "How much" in mistakes(wrong)
    panel = str(board.house.panel_id)
    unfinished = await browser.send(page, f"{page}/send", {"panel": panel})
    assert unfinished.status_code == 422
    assert "Write down what the family wishes" in mistakes(unfinished)
    saved = await browser.send(page, page, FILLED)
    assert saved.status_code == 200
    assert "Nothing is missing." in saved.text
    assert "Targeted" in saved.text
    sent = await browser.send(page, f"{page}/send", {"panel": panel})
    assert "Sent to the panel" in sent.text
    # The chair is told whom the agenda has, and that nothing waits to be ratified.
    await sign_in(board.house.viewers["coordinator"].id)
    agenda = await browser.get(f"/panels/allocation/{NEXT_MEETING}")
    assert "Amina" in agenda
    assert "To ratify: no decisions" in agenda
    assert "decided nothing" in await browser.get(f"/panels/allocation/{NEXT_MEETING}/decisions")
    assert "Criteria of 2026" in await browser.get("/panels/allocation/criteria")
    assert "Unmet need" in await browser.get("/panels/allocation")
    await board.meets(*HERE)
    await sign_in(board.house.viewers["coordinator"].id)
    screen = f"{MEETING}/{board.child}"
    shown = await browser.get(screen)
    assert "She wakes six times a night" in shown
    request = page.rpartition("/")[2]
    decide = f"{screen}/requests/{request}"
    assert decide in shown
    form = await browser.get(decide)
    assert "There is a duty to meet this need" in form
    [criterion] = re.findall(r'<option value="([\w-]+)">D1', form)
    declined = await browser.send(
        decide, decide, DECIDED | {"kind": "declined", "criterion": criterion}
    )
    assert declined.status_code == 422
    assert "Agree another way to meet it" in mistakes(declined)
    done = await browser.send(decide, decide, DECIDED | {"criterion": criterion})
    assert "agreed in part" in done.text
    assert "6 nights unmet" in await browser.get("/panels/allocation/unmet-need")
    assert "No capacity: 1" in await browser.get("/panels/allocation/unmet-need?reason=no_capacity")
    assert "Nobody waits" in await browser.get("/panels/allocation/waiting")
    letter = await browser.get(f"{page}/letter")
    assert "There are six nights now." in letter
    assert "ZQINTERNAL" not in letter
    # Ways are told by place: a letter that changed since, or its people, is read again.
    stale = await browser.send(
        f"{page}/letter", f"{page}/letter", {"way-0": "letter", "way-1": "email", "as_read": "x"}
    )
    assert "changed since you read it" in mistakes(stale)
    approved = await browser.send(
        f"{page}/letter", f"{page}/letter", {"way-0": "letter", "way-1": "email"}
    )
    assert approved.status_code == 200, approved.text
    assert "ZQINTERNAL" in approved.text


@pytest.mark.parametrize("who", ["member", "administrator"])
async def test_others_find_nothing(
    board: Board, client: AsyncTestClient[Any], sign_in: SignIn, who: str
) -> None:
    made = await board.sent()
    await sign_in(board.house.viewers[who].id)
    browser = Browser(client)
    for page in ("", f"/{made}", f"/{made}/letter", f"/{made}/chairs-action"):
        assert (await client.get(f"/children/{board.child}/requests{page}")).status_code in (
            403,
            404,
        )
    if who == "administrator":
        for page in ("criteria", "unmet-need", "waiting", f"{NEXT_MEETING}/decisions"):
            answer = await client.get(f"/panels/allocation/{page}")
            assert answer.status_code in (403, 404), page
    else:
        assert "Nothing is unmet" in await browser.get("/panels/allocation/unmet-need")


async def test_a_chair_adds_a_version_of_the_criteria(
    board: Board, client: AsyncTestClient[Any], sign_in: SignIn
) -> None:
    page = "/panels/allocation/criteria"
    await sign_in(board.house.viewers["chair"].id)
    browser = Browser(client)
    said = {"name": "2027", "duties": "D1 | Night | Wakes", "powers": "", "from_on-day": "1",
            "from_on-month": "1", "from_on-year": "2026"}  # fmt: skip
    early = await browser.send(page, page, said)
    assert "holds from today or later" in mistakes(early)
    half = await browser.send(page, page, said | {"from_on-year": "2027", "duties": "D1 | Night"})
    assert "Give each criterion" in mistakes(half)
    added = await browser.send(page, page, said | {"from_on-year": "2027"})
    assert "to 31 December 2026" in added.text or "31 December 2026" in added.text
    made = await board.sent()
    acts = f"/children/{board.child}/requests/{made}/chairs-action"
    # Whoever coordinates is told before they fill it in.
    await sign_in(board.house.viewers["coordinator"].id)
    assert "Only the chair of the panel can act" in await browser.get(acts, 403)
    await sign_in(board.house.viewers["chair"].id)
    form = await browser.get(acts)
    [criterion] = re.findall(r'<option value="([\w-]+)">D1', form)
    decided = await browser.send(acts, acts, DECIDED | {"criterion": criterion})
    assert "by the chair, between meetings" in decided.text
    assert "To ratify: 1 decision" in await browser.get(f"/panels/allocation/{NEXT_MEETING}")


async def test_what_is_done_afterwards(
    board: Board, client: AsyncTestClient[Any], sign_in: SignIn
) -> None:
    """Waiting for a place, an offer and its answer; an appeal; an unmet need that is met."""
    made, service = await board.sent(), new_id()
    async with board.house.opened("Amina", "chair") as access:
        panel = await board.house.panel(access.session)
        decision = board.proposed(Kind.IN_PART)
        await act_as_chair(access, panel, made, decision, await board.version(made))
    async with board.house.as_("job") as session:
        (await session.get_one(ServiceRequest, made)).service_id = service
    browser = Browser(client)
    page = f"/children/{board.child}/requests/{made}"
    await sign_in(board.house.viewers["lead"].id)
    waits = await browser.send(page, f"{page}/waiting")
    assert "Number 1 of 1 on the list." in waits.text
    assert f"{page}/waiting/" in waits.text
    assert "/offer" not in waits.text
    await sign_in(board.house.viewers["coordinator"].id)
    waits = await client.get(page)
    [wait] = re.findall(rf"{page}/waiting/([\w-]+)/offer", waits.text)
    offer = f"{page}/waiting/{wait}/offer"
    by = {"answer_by-day": "20", "answer_by-month": "11", "answer_by-year": "2026"}
    assert "a day to come" in mistakes(await browser.send(page, offer, by))
    offered = await browser.send(page, offer, by | {"answer_by-month": "12"})
    assert "/places/" not in offered.text
    assert "writes down the answer" in offered.text
    await sign_in(board.house.viewers["lead"].id)
    [place] = re.findall(rf"{page}/places/([\w-]+)/answer", await browser.get(page))
    answer = f"{page}/places/{place}/answer"
    silent = await browser.send(page, answer, {"answer": "refused", "why": ""})
    assert "in the family’s words" in mistakes(silent)
    assert 'href="#waiting-why"' in silent.text
    assert_ids_stand_once(silent.text)
    refused = await browser.send(page, answer, {"answer": "refused", "why": "Too far for us"})
    assert "Refused. Too far for us" in refused.text
    leaves = f"{page}/waiting/{wait}/leave"
    silent = await browser.send(page, leaves, {"left": "family", "left_words": ""})
    assert "in the family’s words" in mistakes(silent)
    left = await browser.send(page, leaves, {"left": "family", "left_words": "She is settled"})
    assert "the family does not want it any more. She is settled" in left.text
    again = await browser.send(page, f"{page}/waiting")
    assert "Number 1 of 1 on the list." in again.text
    await sign_in(board.house.viewers["coordinator"].id)
    lists = "/panels/allocation/unmet-need"
    assert "None in particular" in await browser.get(lists)
    assert "Nights" in await browser.get(lists)
    assert "Nothing of this is unmet" in await browser.get(f"{lists}?service=Kestrel")
    await sign_in(board.house.viewers["lead"].id)
    asked = {"asked_on-day": "23", "asked_on-month": "11", "asked_on-year": "2026"}
    nothing = await browser.send(page, f"{page}/appeal", asked | {"grounds": ""})
    assert "look at again" in mistakes(nothing)
    appealed = await browser.send(page, f"{page}/appeal", asked | {"grounds": "We moved"})
    assert "Answer by Monday 21 December 2026" in appealed.text
    [unmet] = re.findall(rf"{page}/unmet/([\w-]+)/close", appealed.text)
    close = f"{page}/unmet/{unmet}/close"
    unsaid = await browser.send(page, close, {"why": ""})
    assert "Say why" in mistakes(unsaid)
    assert f'href="#unmet-{unmet}-why"' in unsaid.text
    assert_ids_stand_once(unsaid.text)
    closed = await browser.send(page, close, {"why": "A grandmother helps"})
    assert "Closed on 23 November 2026: A grandmother helps" in closed.text
    assert "Off the list since 23 November 2026: the need is met in another way." in closed.text
    await sign_in(board.house.viewers["chair"].id)
    shown = await browser.get(page)
    [appeal] = re.findall(rf"{page}/appeal/([\w-]+)", shown)
    assert_ids_stand_once(shown)
    upheld = await browser.send(
        page, f"{page}/appeal/{appeal}", {"outcome": "upheld", "why": "They moved"}
    )
    assert "The panel decides again on Monday 23 November 2026: They moved" in upheld.text
    assert "Nobody waits" in await browser.get("/panels/allocation/waiting")
    assert "Nothing is unmet" in await browser.get("/panels/allocation/unmet-need")
