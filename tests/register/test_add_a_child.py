"""A practitioner adds a child; twins, namesakes and children out of reach."""

import re
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from consent import Category, Purpose
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.service import child_header

Add = Callable[..., Awaitable[UUID]]
Client = AsyncTestClient[Litestar]
NEW = "/children/new"
AMINA = {
    "given_name": "Amina",
    "family_name": "Kestrel",
    "birth_date-day": "9",
    "birth_date-month": "3",
    "birth_date-year": "2022",
    "sex": "female",
    "nhs_number": "999 054 8609",
}


async def fill_in(client: Client, page: str, answers: dict[str, str]) -> httpx.Response:
    """Open a page and post its form with these answers."""
    shown = await client.get(page)
    assert shown.status_code == 200, shown.text
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
    return await client.post(page, data=hidden | answers, follow_redirects=False)


@pytest.fixture
async def rosa(client: Client, team: Any, sign_in: Any) -> Client:
    """Rosa's browser."""
    await sign_in(team.rosa.id)
    return client


async def test_a_child_with_a_mother_is_added_and_i_am_in_the_team(
    rosa: Client, gate: Gate, team: Any
) -> None:
    mother = {
        "contact_name": "Leyla Kestrel",
        "contact_relationship": "mother",
        "contact_responsibility": "yes",
        "contact_basis": "birth_mother",
        "contact_safe": "Ring in the morning; never leave a message",
        "part": "health visiting",
    }
    answer = await fill_in(rosa, NEW, AMINA | mother)
    assert answer.status_code == 303
    people = await rosa.get(answer.headers["location"])
    assert people.status_code == 200
    for words in (
        "Amina Kestrel", "C-1001", "4 years 8 months", "999 054 8609", "Leyla Kestrel, mother",
        "Has parental responsibility: birth mother", "never leave a message",
        "Health visiting", "since 23 November 2026",
    ):  # fmt: skip
        assert words in re.sub(r"<[^>]+>", "", people.text).replace("&#39;", "'"), words


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"given_name": ""}, "Enter given name"),
        ({"given_name": "😀" * 10_000}, "Given name must be 100 characters or fewer"),
        ({"given_name": "😀"}, "Take out digits, symbols and pictures"),
        ({"nhs_number": "999 054 8608"}, "a digit is wrong or two have changed places"),
        ({"birth_date-year": "2027"}, "must be today or in the past"),
        ({"birth_date-year": "1990"}, "Check the year"),
        ({"birth_date-day": "31", "birth_date-month": "2"}, "must be a real date"),
        ({"contact_name": "Leyla", "contact_relationship": "mother",
          "contact_responsibility": "yes"}, "Record on what basis"),
        ({"favourite_colour": "red"}, "“favourite_colour”"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_said_and_nothing_typed_is_lost(
    rosa: Client, answers: dict[str, str], sentence: str
) -> None:
    answer = await fill_in(rosa, NEW, AMINA | {"known_as": "Mina"} | answers)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="Mina"' in answer.text
    assert 'value="Kestrel"' in answer.text


async def test_a_child_who_is_here_already_is_shown_before_saving(
    rosa: Client, add: Add, tenant: Tenant
) -> None:
    here = await add("Amina", "Kestrel", date(2022, 3, 9))
    answer = await fill_in(rosa, NEW, AMINA)
    assert answer.status_code == 422
    assert f'href="/children/{here}"' in answer.text
    assert "the same name and date of birth" in answer.text
    answer = await fill_in(rosa, NEW, AMINA | {"another_child": "yes"})
    assert answer.status_code == 303
    async with tenant.transaction(JOB) as session:
        noted = await session.execute(text("SELECT reason FROM possible_duplicate"))
        assert noted.scalars().all() == ["the same name and date of birth"]


async def test_twins_are_two_children(rosa: Client, add: Add) -> None:
    await add("Yusuf", "Kestrel", date(2022, 3, 9))
    assert (await fill_in(rosa, NEW, AMINA)).status_code == 303


async def test_a_child_out_of_reach_gives_the_same_answer_as_none(
    rosa: Client, add: Add, team: Any, tenant: Tenant
) -> None:
    other = await add("Amina", "Kestrel", date(2022, 3, 9), team.hana, nhs_number="9990548609")
    answer = await fill_in(rosa, NEW, AMINA)
    assert answer.status_code == 303
    listed = await rosa.get("/children")
    assert str(other) not in listed.text
    async with tenant.transaction(team.rosa.id) as session:
        seen = await session.execute(text("SELECT count(*) FROM possible_duplicate"))
        assert seen.scalar_one() == 0
    async with tenant.transaction(JOB) as session:
        noted = await session.execute(text("SELECT other_child_id FROM possible_duplicate"))
        assert noted.scalars().all() == [other]


async def test_a_child_whose_name_is_withheld_gives_the_same_answer_as_none(
    rosa: Client, add: Add, protect: Any
) -> None:
    await protect(await add("Amina", "Kestrel", nhs_number="9990548609"), "identity")
    assert (await fill_in(rosa, NEW, AMINA)).status_code == 303


async def test_a_form_posted_twice_adds_one_child(rosa: Client, tenant: Tenant) -> None:
    shown = await rosa.get(NEW)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
    answers = hidden | AMINA
    for _ in range(2):
        answer = await rosa.post(NEW, data=answers, follow_redirects=False)
        assert answer.status_code == 303
    async with tenant.transaction(JOB) as session:
        children = await session.execute(text("SELECT count(*) FROM child"))
        assert children.scalar_one() == 1


async def test_the_first_line_says_only_what_may_be_known(
    gate: Gate, add: Add, team: Any, protect: Any
) -> None:
    child = await add("Amina", "Kestrel", nhs_number="9990548609", upn="A123456789012")
    async with gate.open(child, team.rosa, Purpose.SUPPORT, "read") as access:
        header = await child_header(access)
    assert header.name == "Amina Kestrel"
    assert header.nhs_number_words == "999 054 8609"
    assert header.upn is None, "health does not see a UPN"
    assert header.lead_words == "Nobody yet"
    await protect(child, "identity")
    async with gate.open(child, team.rosa, Purpose.SUPPORT, "read") as access:
        assert not access.may(Category.IDENTITY)
        header = await child_header(access)
    assert (header.name, header.age_words, header.born) == ("C-1001", "", None)
    assert header.nhs_number_words is None
