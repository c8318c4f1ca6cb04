"""What another system sends: kept first, taken in once, and nothing that a worker wrote changed."""

from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from tests.exchange.inbox_world import (
    NUMBER,
    System,
    bundle,
    condition,
    entry,
    give_number,
    health_system,
    patient,
)
from tests.panels.conftest import AddChild, House, add_child, house

__all__ = ["add_child", "house"]


@pytest.fixture
async def system(house: House, client: AsyncTestClient[Litestar], add_child: AddChild) -> System:
    amina = await add_child("Amina")
    await give_number(house, amina, NUMBER)
    return await health_system(house, client)


async def test_smoke(system: System) -> None:
    made = await system.send("POST", "/Patient", patient(telecom=[{"system": "phone", "value": "01632 960123"}]))
    print(made.status_code, made.headers, made.text)
    p = entry(patient(telecom=[{"system": "phone", "value": "01632 960123"}]))
    made = await system.send("POST", "", bundle("transaction", p, entry(condition(p["fullUrl"]))))
    print(made.status_code, made.headers, made.text)
    print(await system.rows("SELECT state, reason, kind, asked FROM received"))
    print(await system.rows("SELECT type, state, reason FROM received_piece"))
    print(await system.rows("SELECT target, state FROM proposal"))
    print(await system.rows("SELECT type FROM sender_version"))
    assert 0
