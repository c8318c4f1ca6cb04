"""The pages of a plan in a browser: start, fill, agree, update an action in two clicks."""

import re
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

Client = AsyncTestClient[Litestar]


def words(page: str) -> str:
    """What a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("&#39;", "'").split())


def forms(page: str) -> list[tuple[str, dict[str, str]]]:
    """Every form of a page with what it sends unasked: (action, hidden fields)."""
    found = re.findall(r'<form[^>]*method="post"([^>]*)>(.*?)</form>', page, re.DOTALL)
    return [
        (
            next(iter(re.findall(r'action="([^"]*)"', attributes)), ""),
            dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', inner)),
        )
        for attributes, inner in found
    ]


async def fill_in(client: Client, path: str, answers: dict[str, str]) -> httpx.Response:
    """Open a page and post its own form with these answers."""
    shown = await client.get(path)
    assert shown.status_code == 200, shown.text
    action, hidden = next(each for each in forms(shown.text) if each[0] != "/sign-out")
    return await client.post(action or path, data=hidden | answers, follow_redirects=False)


async def click(client: Client, page: str, action_ends: str) -> httpx.Response:
    """Press the button of the form that goes to an address with this end."""
    shown = await client.get(page)
    action, hidden = next(each for each in forms(shown.text) if each[0].endswith(action_ends))
    return await client.post(action, data=hidden, follow_redirects=False)


@pytest.fixture
async def rosa(client: Client, people: Any, sign_in: Any) -> Client:
    """Rosa's browser."""
    await sign_in(people.rosa.id)
    return client


async def _with_a_plan(client: Client, people: Any) -> str:
    base = f"/children/{people.child}/plan"
    assert (await fill_in(client, f"{base}/new", {"summary": "Sleep & play"})).status_code == 303
    outcome = {"text": "Two unbroken nights", "measure": "A diary", "baseline": "1", "target": "4"}
    assert (await fill_in(client, f"{base}/outcomes/new", outcome)).status_code == 303
    action = {
        "text": "Visit the nursery",
        "owner_worker_id": str(people.tomas.id),
        "due_on-day": "2",
        "due_on-month": "11",
        "due_on-year": "2026",
    }
    assert (await fill_in(client, f"{base}/actions/new", action)).status_code == 303
    return base


async def test_the_plan_from_its_start_to_the_agreement(rosa: Client, people: Any) -> None:
    base = f"/children/{people.child}/plan"
    empty = await rosa.get(base)
    assert "There is no plan yet" in empty.text
    await _with_a_plan(rosa, people)
    page = await rosa.get(base)
    outcome = re.search(r"/plan/outcomes/([0-9a-f-]{36})/progress", page.text)
    assert outcome is not None
    progress = {"value": "2", "note": "Slept through on Sunday"}
    today = {"on-day": "23", "on-month": "11", "on-year": "2026"}
    saved = await fill_in(rosa, f"{base}/outcomes/{outcome[1]}/progress", progress | today)
    assert saved.status_code == 303
    agreed = {"agreed_on-day": "23", "agreed_on-month": "11", "agreed_on-year": "2026"}
    assert (await fill_in(rosa, f"{base}/agree", agreed)).status_code == 303
    said = words((await rosa.get(base)).text)
    for expected in (
        "Amina Kestrel",
        "Plan Agreed",
        "Sleep &amp; play",
        "1 action is overdue",
        "From 1 to 2, aiming for 4. It is closer than at the start.",
        "2 of 5 on 23 November 2026",
        "Slept through on Sunday",
        "Tomas Reed",
        "Overdue by 21 days",
    ):
        assert expected in said, expected


async def test_an_action_is_done_in_one_click_and_twice_is_once(rosa: Client, people: Any) -> None:
    base = await _with_a_plan(rosa, people)
    shown = await rosa.get(base)
    action, hidden = next(each for each in forms(shown.text) if each[0].endswith("/done"))
    for _ in range(2):
        answer = await rosa.post(action, data=hidden, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{base}#actions")
    said = words((await rosa.get(base)).text)
    assert "Done 23 November 2026" in said
    assert "Overdue" not in said


async def test_an_action_is_updated_from_the_list(rosa: Client, people: Any) -> None:
    base = await _with_a_plan(rosa, people)
    shown = await rosa.get(base)
    action, hidden = next(each for each in forms(shown.text) if each[0].endswith("/step"))
    update = hidden | {"state": "doing", "note": "Rang twice"}
    assert (await rosa.post(action, data=update, follow_redirects=False)).status_code == 303
    said = words((await rosa.get(base)).text)
    assert "Rang twice" in said
    other = hidden | {"state": "dropped", "note": "No use"}
    clash = await rosa.post(action, data=other, follow_redirects=False)
    assert clash.status_code == 409
    for expected in ("No use", "Rang twice", "Dropped", "Doing"):
        assert expected in clash.text
    long = await rosa.post(
        action, data=hidden | {"state": "doing", "note": "x" * 600}, follow_redirects=False
    )
    assert long.status_code == 422
    assert "Note must be 500 characters or fewer" in long.text
    assert "Visit the nursery" in long.text
    assert 'value="2026"' in long.text
    edited = await fill_in(
        rosa,
        action.removesuffix("/step"),
        {"text": "Visit both nurseries", "owner_words": "Mum", "state": "to_do"},
    )
    assert edited.status_code == 303
    assert "Visit both nurseries" in (await rosa.get(base)).text


async def test_nothing_typed_is_lost_when_something_is_missing(rosa: Client, people: Any) -> None:
    base = await _with_a_plan(rosa, people)
    refused = await fill_in(rosa, f"{base}/actions/new", {"text": "Ring the dentist"})
    assert refused.status_code == 422
    assert "Choose who does this, or write who it is" in refused.text
    assert "Ring the dentist" in refused.text
    assert "<title>Error" in re.sub(r"<title[^>]*>", "<title>", refused.text)
    refused = await fill_in(rosa, f"{base}/outcomes/new", {"text": "", "target": "9"})
    assert refused.status_code == 422
    for sentence in ("Enter what should be different", "must be between 0 and 5"):
        assert sentence in refused.text
    refused = await fill_in(rosa, f"{base}/agree", {"agreed_on-day": "31"})
    assert refused.status_code == 422
    unknown = await fill_in(rosa, f"{base}/summary", {"summary": "Words", "else": "1"})
    assert unknown.status_code == 422


async def test_two_people_see_both_texts(rosa: Client, people: Any) -> None:
    base = await _with_a_plan(rosa, people)
    shown = await rosa.get(f"{base}/summary")
    _, hidden = next(each for each in forms(shown.text) if each[0].endswith("/summary"))
    assert (await fill_in(rosa, f"{base}/summary", {"summary": "Theirs"})).status_code == 303
    clash = await rosa.post(
        f"{base}/summary", data=hidden | {"summary": "Mine"}, follow_redirects=False
    )
    assert clash.status_code == 409
    for expected in ("Mine", "Theirs", "Rosa Whitlow"):
        assert expected in clash.text


async def test_a_new_plan_leaves_the_former_readable(rosa: Client, people: Any) -> None:
    base = await _with_a_plan(rosa, people)
    again = await fill_in(rosa, f"{base}/new", {"summary": "Next year", "carry_over": "yes"})
    assert again.status_code == 303
    now = await rosa.get(base)
    assert "Visit the nursery" in now.text
    former = re.search(r'href="([^"]+/plan/former/[^"]+)"', now.text)
    assert former is not None
    before = await rosa.get(former[1])
    assert "Plan 1, as it was" in words(before.text)
    assert "/done" not in before.text


async def test_a_stranger_finds_no_plan(client: Client, people: Any, sign_in: Any) -> None:
    await sign_in(people.stranger.id)
    for path in ("plan", "plan/new", "lead-professional"):
        assert (await client.get(f"/children/{people.child}/{path}")).status_code == 404


async def test_it_is_offered_accepted_and_handed_over(
    client: Client, people: Any, sign_in: Any
) -> None:
    base = f"/children/{people.child}/lead-professional"
    await sign_in(people.rosa.id)
    assert "Nobody holds this plan yet" in (await client.get(base)).text
    refused = await fill_in(client, base, {"worker_id": str(people.stranger.id)})
    assert refused.status_code == 422
    assert "involved with the child now" in refused.text
    assert (await fill_in(client, base, {"worker_id": str(people.beth.id)})).status_code == 303
    page = await client.get(base)
    assert "Beth Amory has yet to answer." in page.text
    assert (await click(client, base, "/withdraw")).status_code == 303
    assert (await fill_in(client, base, {"worker_id": str(people.beth.id)})).status_code == 303

    await sign_in(people.beth.id)
    home = await client.get("/my-home")
    assert "1 offer waits for your answer" in home.text
    offer = re.search(r"/lead-professional/offers/[0-9a-f-]{36}", home.text)
    assert offer is not None
    shown = await client.get(offer[0])
    assert "C-1" in shown.text
    assert "Amina" not in shown.text
    hidden = next(each for each in forms(shown.text) if each[0].endswith("/decline"))[1]
    refused = await client.post(f"{offer[0]}/decline", data=hidden | {"reason": ""})
    assert refused.status_code == 422
    assert "Enter why you cannot take it on" in refused.text
    accept, hidden = next(each for each in forms(shown.text) if each[0].endswith("/accept"))
    for _ in range(2):
        taken = await client.post(accept, data=hidden, follow_redirects=False)
        assert taken.status_code == 303
        assert taken.headers["location"] == f"/children/{people.child}/plan"
    held = await client.get(base)
    assert "Beth Amory, Portage" in held.text
    assert "Since Monday 23 November 2026" in held.text
    assert (await client.get(offer[0])).status_code == 404


async def test_it_is_declined_and_posting_it_twice_is_no_error(
    client: Client, people: Any, sign_in: Any
) -> None:
    base = f"/children/{people.child}/lead-professional"
    await sign_in(people.rosa.id)
    assert (await fill_in(client, base, {"worker_id": str(people.beth.id)})).status_code == 303
    await sign_in(people.beth.id)
    home = await client.get("/my-home")
    offer = re.search(r"/lead-professional/offers/[0-9a-f-]{36}", home.text)
    assert offer is not None
    shown = await client.get(offer[0])
    hidden = next(each for each in forms(shown.text) if each[0].endswith("/decline"))[1]
    for _ in range(2):
        answer = await client.post(
            f"{offer[0]}/decline",
            data=hidden | {"reason": "I hold twenty already"},
            follow_redirects=False,
        )
        assert answer.status_code == 303
    await sign_in(people.rosa.id)
    assert "I hold twenty already" in (await client.get(base)).text
