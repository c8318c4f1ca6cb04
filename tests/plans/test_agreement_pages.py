"""The pages on which a plan gets its measures, needs and service, and on which people answer it."""

import re
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from tests.plans.test_plan_pages import _with_a_plan, click, fill_in, words

Client = AsyncTestClient[Litestar]


@pytest.fixture
async def rosa(client: Client, people: Any, sign_in: Any) -> Client:
    """Rosa's browser."""
    await sign_in(people.rosa.id)
    return client


def _on(name: str, day: int, month: int, year: int) -> dict[str, str]:
    return {f"{name}-day": str(day), f"{name}-month": str(month), f"{name}-year": str(year)}


async def _agree(client: Client, base: str) -> None:
    agreed = await fill_in(client, f"{base}/agree", _on("agreed_on", 20, 11, 2026))
    assert agreed.status_code == 303, words(agreed.text)


async def test_an_outcome_is_measured_and_drawn(rosa: Client, people: Any) -> None:
    base = await _with_a_plan(rosa, people)
    page = (await rosa.get(base)).text
    assert "Still to say: where things stand now, what we aim for, by when and who judges." in page
    found = re.search(r"/plan/outcomes/[0-9a-f-]{36}", page)
    assert found is not None
    at = f"/children/{people.child}{found[0]}"
    # Nothing is counted yet.
    assert "Nothing is counted yet" in (await rosa.get(f"{at}/readings")).text
    wrong = {"target_number": "4", "scaling_question": "How sure are you?"} | _on(
        "by_on", 10, 3, 2047
    )
    refused = await fill_in(rosa, f"{at}/measure", wrong)
    assert refused.status_code == 422
    said = words(refused.text)
    assert "Enter what is counted, for example nights a week" in said
    assert "Enter the number as it is now, to see a change from it" in said
    assert "The day is after the 25th birthday. Choose one before it" in said
    right = (
        wrong
        | {"baseline_number": "1", "unit": "nights a week", "judged_by": "parent"}
        | _on("by_on", 27, 3, 2027)
    )
    assert (await fill_in(rosa, f"{at}/measure", right)).status_code == 303
    for day, value in ((21, "1"), (22, "2.5"), (23, "4")):
        reading = {"kind": "number", "value": value, "said_by": "parent"} | _on("on", day, 11, 2026)
        assert (await fill_in(rosa, f"{at}/readings", reading)).status_code == 303
    late = {"kind": "scaling", "value": "11", "said_by": "child"} | _on("on", 23, 11, 2026)
    assert "Choose a number from 0 to 10" in (await fill_in(rosa, f"{at}/readings", late)).text
    page = (await rosa.get(base)).text
    assert page.count("<svg") == 1
    assert "Nights a week: from 1 on 21 November 2026 to 4 on 23 November 2026." in words(page)
    assert "What we aim for is reached." in page
    assert "23 November 2026 4 A parent or carer" in words(page)
    assert "no signed-off assessment" in words((await rosa.get(f"{at}/needs")).text)


async def test_a_plan_that_changed_is_agreed_again(rosa: Client, people: Any) -> None:
    base = await _with_a_plan(rosa, people)
    assert "No version is kept yet" in (await rosa.get(f"{base}/agreement")).text
    await _agree(rosa, base)
    page = words((await rosa.get(f"{base}/agreement")).text)
    assert "Version 1, agreed on Friday 20 November 2026" in page
    assert "Nobody has said anything of it here yet." in page
    refused = await fill_in(rosa, f"{base}/agreement", {"agrees": "no"})
    assert "Write what you do not agree with" in refused.text
    said = {"agrees": "no", "words": "Portage comes too late."}
    assert (await fill_in(rosa, f"{base}/agreement", said)).status_code == 303
    page = (await rosa.get(f"{base}/agreement")).text
    assert "Rosa Whitlow Does not agree Portage comes too late." in words(page)
    link = re.search(r'href="([^"]*/written)"', page)
    assert link is not None
    written = link[1]
    child = {"who": str(people.child), "agrees": "cannot_answer", "words": "She looked away."}
    assert (await fill_in(rosa, written, child)).status_code == 303
    page = words((await rosa.get(f"{base}/agreement")).text)
    assert "The child Could not answer She looked away." in page
    new = {"text": "Plays with her sister"}
    assert (await fill_in(rosa, f"{base}/outcomes/new", new)).status_code == 303
    assert "Agree it again together." in (await rosa.get(base)).text
    await _agree(rosa, base)
    assert "Version 2" in (await rosa.get(f"{base}/agreement")).text
    # The first version is answered no more.
    assert (await rosa.get(written)).status_code == 404


async def test_what_if_is_written_and_read(rosa: Client, people: Any) -> None:
    base = await _with_a_plan(rosa, people)
    at = f"{base}/contingency"
    assert "Nothing is written down yet" in (await rosa.get(at)).text
    day = _on("checked_on", 20, 11, 2026)
    refused = await fill_in(rosa, f"{at}/change", {"carer_ill": "Nan comes"} | day)
    assert "Enter who to ring first" in refused.text
    both = {"carer_ill": "Nan comes", "who_to_ring": "1. Nan\n2. 111"} | day
    assert (await fill_in(rosa, f"{at}/change", both)).status_code == 303
    page = words((await rosa.get(at)).text)
    assert "If the carer is ill tonight Nan comes" in page
    assert "Gone through together on Friday 20 November 2026." in page


async def test_a_service_does_an_action(rosa: Client, people: Any) -> None:
    base = await _with_a_plan(rosa, people)
    found = re.search(r"/plan/actions/[0-9a-f-]{36}", (await rosa.get(base)).text)
    assert found is not None
    at = f"/children/{people.child}{found[0]}/service"
    assert "No service is found by these words." in (await rosa.get(f"{at}?q=portage")).text
    assert (await rosa.get(at)).status_code == 200
    assert (await click(rosa, base, "/done")).status_code == 303
