"""A coordinator takes in a child whom an agency refers by letter or telephone."""

from typing import Any

import pytest
from litestar.testing import AsyncTestClient

from tests.panels.conftest import House

FORM = "/panels/contacts/referrals/new"
SAID = {
    "given_name": "Wilfred",
    "family_name": "Turnstone",
    "birth_date-day": "14",
    "birth_date-month": "3",
    "birth_date-year": "2023",
    "referred_on-day": "20",
    "referred_on-month": "11",
    "referred_on-year": "2026",
    "category": "development",
    "reason": "He needs therapy.",
}


@pytest.fixture
async def coordinator(
    client: AsyncTestClient[Any], house: House, sign_in: Any
) -> AsyncTestClient[Any]:
    await sign_in(house.viewers["coordinator"].id)
    return client


async def sent(client: AsyncTestClient[Any], said: dict[str, str]) -> Any:
    page = (await client.get(FORM)).text
    hidden = {}
    for line in page.split('<input type="hidden" name="')[1:]:
        name, _, rest = line.partition('"')
        hidden[name] = rest.partition('value="')[2].partition('"')[0]
    return await client.post(FORM, data=hidden | said)


async def test_the_child_waits_with_what_is_missing(
    coordinator: AsyncTestClient[Any], house: House
) -> None:
    said = SAID | {"agency": str(next(iter(house.agencies.values())))}
    record = await sent(coordinator, said)
    assert record.status_code == 200
    assert "20 November 2026" in record.text
    assert "Acknowledged" in record.text
    agenda = (await coordinator.get("/panels/contacts/2026-12-03")).text
    assert "Not ready: 1 child" in agenda


async def test_a_child_who_may_be_here_is_asked_about(
    coordinator: AsyncTestClient[Any], house: House
) -> None:
    said = SAID | {"agency": str(next(iter(house.agencies.values())))}
    await sent(coordinator, said)
    again = await sent(coordinator, said)
    assert again.status_code == 422
    assert "Say whether it is another" in again.text
    assert "He needs therapy." in again.text
    twin = await sent(coordinator, said | {"another_child": "yes"})
    assert twin.status_code == 200
    agenda = (await coordinator.get("/panels/contacts/2026-12-03")).text
    assert "Not ready: 2 children" in agenda


async def test_what_is_missing_or_wrong_is_said(coordinator: AsyncTestClient[Any]) -> None:
    empty = await sent(coordinator, {})
    assert empty.status_code == 422
    assert "Enter given name" in empty.text
    wrong = await sent(coordinator, SAID | {"birth_date-year": "2027"})
    assert wrong.status_code == 422
    assert "Choose who refers the child" in wrong.text


async def test_nobody_else_takes_referrals_in(
    client: AsyncTestClient[Any], house: House, sign_in: Any
) -> None:
    await sign_in(house.viewers["member"].id)
    assert (await client.get(FORM)).status_code == 403
