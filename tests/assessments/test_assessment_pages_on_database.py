"""The pages of an assessment, as a browser without scripts uses them."""

import html
import re
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from consent import Purpose
from panel.assessments.definitions import SectionAnswers
from panel.assessments.service import read_assessment, save_section, start_assessment
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from tests.sharing.family import Family, agreed, record

Client = AsyncTestClient[Litestar]
Fields = dict[str, Any]


@pytest.fixture
async def rosa(client: Client, family: Family, sign_in: Any) -> Client:
    """Rosa's browser."""
    await sign_in(family.rosa.id)
    return client


@pytest.fixture
async def base(gate: Gate, family: Family) -> str:
    """The address of a draft."""
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "started") as access:
        assessment = await start_assessment(access)
    return f"/children/{family.child}/assessments/{assessment}"


async def opened(client: Client, page: str) -> tuple[str, Fields]:
    """A page's text and the hidden fields of its form."""
    shown = await client.get(page)
    assert shown.status_code == 200, shown.text
    main = shown.text.split("<main", 1)[1]
    return main, dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', main))


async def answers(gate: Gate, family: Family, base: str, section: str) -> object:
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read") as access:
        found = await read_assessment(access, UUID(base.rsplit("/", 1)[1]))
        return found.section_answers(section)


def words_of(answer: httpx.Response) -> str:
    plain = re.sub(r"<[^>]+>", " ", answer.text.split("<main", 1)[1])
    return re.sub(r"\s+", " ", html.unescape(plain))


async def test_an_assessment_is_started_and_goes_section_by_section(
    rosa: Client, family: Family, gate: Gate
) -> None:
    page, hidden = await opened(rosa, f"/children/{family.child}/assessments")
    assert "There is no assessment yet" in page
    started = await rosa.post(
        f"/children/{family.child}/assessments", data=hidden, follow_redirects=False
    )
    assert started.status_code == 303
    base = started.headers["location"]
    tasks, _ = await opened(rosa, base)
    assert "What Freya says" in tasks
    assert "Not started" in tasks
    _, hidden = await opened(rosa, f"{base}/sections/child-says")
    said = {"own_words": "I like the swing.", "likes": "Swings"}
    saved = await rosa.post(
        f"{base}/sections/child-says", data=hidden | said, follow_redirects=False
    )
    assert (saved.status_code, saved.headers["location"]) == (303, f"{base}/sections/names")
    assert await answers(gate, family, base, "child_says") == said
    listed, _ = await opened(rosa, f"/children/{family.child}/assessments")
    assert "Rosa Whitlow, Health visiting" in listed


async def test_a_form_posted_twice_is_saved_once(
    rosa: Client, family: Family, base: str, gate: Gate
) -> None:
    _, hidden = await opened(rosa, f"{base}/sections/background")
    posted = hidden | {"religion": "None"}
    for _ in range(2):
        answer = await rosa.post(f"{base}/sections/background", data=posted, follow_redirects=False)
        assert answer.status_code == 303
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read") as access:
        found = await read_assessment(access, UUID(base.rsplit("/", 1)[1]))
    assert found.section_version("background") == 2


async def test_an_unknown_field_saves_nothing_and_loses_nothing(
    rosa: Client, family: Family, base: str, gate: Gate
) -> None:
    _, hidden = await opened(rosa, f"{base}/sections/background")
    posted = hidden | {"religion": "None", "favourite_colour": "red"}
    answer = await rosa.post(f"{base}/sections/background", data=posted)
    assert answer.status_code == 422
    assert "This page has no field “favourite_colour”. Reload it." in words_of(answer)
    assert 'value="None"' in answer.text
    assert await answers(gate, family, base, "background") == {}


async def test_two_writers_see_both_texts_and_the_second_can_save_again(
    rosa: Client, family: Family, base: str, gate: Gate
) -> None:
    _, hidden = await opened(rosa, f"{base}/sections/reason")
    async with gate.open(family.child, family.nia, Purpose.SUPPORT, "wrote") as access:
        assessment = UUID(base.rsplit("/", 1)[1])
        await save_section(access, assessment, "reason", {"what_led": "Nia’s words"}, 1)
    answer = await rosa.post(f"{base}/sections/reason", data=hidden | {"what_led": "Rosa’s words"})
    assert answer.status_code == 409
    shown = words_of(answer)
    assert "Nia Okafor saved a change while you were writing" in shown
    assert "Nia’s words" in shown
    assert "Rosa’s words" in shown
    assert await answers(gate, family, base, "reason") == {"what_led": "Nia’s words"}
    main = answer.text.split("<main", 1)[1]
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', main))
    again = await rosa.post(
        f"{base}/sections/reason",
        data=hidden | {"what_led": "Both of our words"},
        follow_redirects=False,
    )
    assert again.status_code == 303
    assert await answers(gate, family, base, "reason") == {"what_led": "Both of our words"}


async def test_another_row_is_asked_for_and_nothing_typed_is_lost(rosa: Client, base: str) -> None:
    _, hidden = await opened(rosa, f"{base}/sections/people-present")
    typed = {"present.0.name": "Ada", "assessor_name": "Rosa", "_add": "present"}
    answer = await rosa.post(f"{base}/sections/people-present", data=hidden | typed)
    assert answer.status_code == 200
    assert 'name="present.1.name"' in answer.text
    assert 'value="Ada"' in answer.text


async def test_typing_is_saved_field_by_field(
    rosa: Client, family: Family, base: str, gate: Gate
) -> None:
    _, hidden = await opened(rosa, f"{base}/sections/names")
    typed = f"{base}/sections/names/typed"
    first = await rosa.post(typed, data=hidden | {"given_name": "Freya"})
    assert first.status_code == 200, first.text
    assert first.json() == {"version": 2, "saved": "9:30"}
    late = await rosa.post(typed, data=hidden | {"family_name": "Kestrel"})
    assert late.status_code == 409
    assert "Rosa Whitlow changed this" in late.json()["message"]
    now = hidden | {"version": "2"}
    wrong = await rosa.post(typed, data=now | {"nhs_number": "999 054 8608", "born": "yes"})
    assert wrong.status_code == 422
    assert list(wrong.json()["errors"]) == ["nhs_number"]
    await rosa.post(typed, data=now | {"family_name": "Kestrel"})
    kept = await answers(gate, family, base, "names")
    assert kept == {"given_name": "Freya", "family_name": "Kestrel"}
    forged = await rosa.post(typed, data={"version": "3", "given_name": "X"})
    assert forged.status_code == 403


async def test_who_may_not_decide_is_told_why_and_nothing_typed_is_lost(
    rosa: Client, family: Family, base: str
) -> None:
    _, hidden = await opened(rosa, f"{base}/sections/agreement")
    said: Fields = hidden | {
        "agreed_by": str(family.grandmother),
        "capacity": "parental_responsibility",
        "store": "yes",
        "share": "yes",
        "share_with": [str(family.school)],
        "level": "basic",
        "purposes": ["support"],
        "systems": "no",
        "from": "2026-11-23",
        "until": "2027-11-22",
        "how_explained": ["talked"],
        "interpreter_used": "no",
        "agreed_on": "2026-11-23",
    }
    answer = await rosa.post(f"{base}/sections/agreement", data=said)
    assert answer.status_code == 422
    assert "It is not recorded that her grandmother has parental" in words_of(answer)
    assert 'value="2027"' in answer.text
    mother = said | {"agreed_by": str(family.mother)}
    answer = await rosa.post(f"{base}/sections/agreement", data=mother, follow_redirects=False)
    assert answer.headers["location"] == f"{base}/check-answers"
    checked, _ = await opened(rosa, f"{base}/check-answers")
    assert "Still missing" in checked
    assert "Made-up School" in checked


async def test_the_school_sees_what_is_withheld_and_cannot_open_it(
    client: Client, family: Family, base: str, gate: Gate, sign_in: Any
) -> None:
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote") as access:
        said: SectionAnswers = {"disabled": "yes", "disability_details": "MARKER"}
        assessment = UUID(base.rsplit("/", 1)[1])
        await save_section(access, assessment, "disability", said, 0)
    await sign_in(family.tom.id)
    tasks = await client.get(base)
    shown = words_of(tasks)
    assert "You cannot see the health section." in shown
    assert "Disability" not in shown
    refused = await client.get(f"{base}/sections/disability")
    assert refused.status_code == 403
    for page in (base, f"{base}/check-answers", f"{base}/sections/disability"):
        assert "MARKER" not in (await client.get(page)).text
    typed = await client.post(f"{base}/sections/disability/typed", data={})
    assert typed.status_code == 403
    await record(gate, family, agreed(family))
    assert "MARKER" in (await client.get(f"{base}/sections/disability")).text


async def test_a_stranger_finds_nothing(
    client: Client, family: Family, base: str, tenant: Tenant, sign_in: Any
) -> None:
    async with tenant.transaction(JOB) as session:
        await session.execute(
            text("UPDATE involvement SET until_on = '2026-11-01' WHERE worker_id = :w"),
            {"w": family.tom.id},
        )
        await session.execute(text("SELECT rewrite_child_access(:c)"), {"c": family.child})
    await sign_in(family.tom.id)
    for page in (base, f"{base}/sections/names", f"/children/{family.child}/assessments"):
        assert (await client.get(page)).status_code == 404
    odd = f"{base}/sections/no-such-part"
    assert (await client.get(odd)).status_code == 404
