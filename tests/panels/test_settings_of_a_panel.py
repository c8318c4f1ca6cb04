"""Whoever runs a panel changes its settings, from now on, with a reason that stays."""

from datetime import date, time
from typing import Any

import pytest
from litestar.testing import AsyncTestClient
from sqlalchemy import select

from panel.accounts.models import WorkerRole
from panel.panels.calendar import add_panel, panel_by_key, settings_of
from panel.panels.models import Panel
from tests.panels.conftest import House
from tests.panels.note_world import form_of

pytestmark = pytest.mark.database
PAGE = "/panels/contacts/settings"
AS_IT_IS: dict[str, Any] = {
    "cut_off_working_days": "5", "minutes_per_child": "10", "capacity_minutes": "120",
    "review_months": "6", "age_limit": "8", "quorum_minimum": "4", "notes_working_days": "5",
    "pack_working_days": "10", "quorum_kinds": ["health", "education", "social_care"],
}  # fmt: skip


async def _settings(house: House, key: str = "contacts") -> Any:
    async with house.as_("job") as session:
        return settings_of(await panel_by_key(session, key))


async def test_a_coordinator_changes_them(
    client: AsyncTestClient[Any], house: House, sign_in: Any
) -> None:
    await sign_in(house.viewers["coordinator"].id)
    page = await client.get(PAGE)
    assert "Nothing was changed yet" in page.text
    assert f'href="{PAGE}"' in (await client.get("/panels/contacts")).text
    assert 'name="minutes_per_child" type="text" value="10"' in page.text
    form = await form_of(client, PAGE, PAGE) | AS_IT_IS
    wrong = form | {"minutes_per_child": "0", "review_months": "soon", "why": ""}
    told = await client.post(PAGE, data=wrong)
    assert told.status_code == 422
    assert 'value="soon"' in told.text
    assert "Say why, for whoever reads this next year" in told.text
    assert (await _settings(house)).review_months == 6
    changed = form | {
        "minutes_per_child": "15",
        "quorum_kinds": ["health", "education"],
        "quorum_chair": "yes",
        "why": "The partners’ meeting of 9 November",
    }
    done = await client.post(PAGE, data=changed, follow_redirects=True)
    assert done.status_code == 200
    for said in (
        "10 to 15",
        "Health, Education and Social care to Health and Education",
        "no chair to the chair",
        "The partners’ meeting of 9 November",
    ):
        assert said in done.text
    now = await _settings(house)
    assert (now.minutes_per_child, now.quorum_kinds, now.quorum_roles) == (
        15, ("health", "education"), ("chair",),
    )  # fmt: skip
    # Whoever read them before that is told, and nothing is written over.
    stale = await client.post(PAGE, data=form | {"why": "Mine", "age_limit": "11"})
    assert stale.status_code == 409
    assert (await _settings(house)).age_limit == 8


async def test_a_panel_that_decides_says_whom_its_letters_name(
    client: AsyncTestClient[Any], house: House, sign_in: Any
) -> None:
    worker = house.viewers["coordinator"].id
    async with house.as_("job") as session:
        panel = await add_panel(
            session, key="allocation", kind="allocation", first_on=date(2026, 12, 8),
            every_days=28, starts_at=time(13, 30),
        )  # fmt: skip
        session.add(WorkerRole(worker_id=worker, role="coordinator", panel_id=panel.id))
    await sign_in(worker)
    address = "/panels/allocation/settings"
    form = await form_of(client, address, address) | AS_IT_IS | {"appeal_working_days": "20"}
    none = await client.post(address, data=form | {"advice": " ", "why": "Moved"})
    assert "Say whom families can ask for advice, and how to reach them" in none.text
    for nobody in (".", " . "):
        none = await client.post(address, data=form | {"advice": nobody, "why": "Moved"})
        assert "Say whom families can ask for advice, and how to reach them" in none.text
    longer = await client.post(address, data=form | {"advice": "a" * 301, "why": "Moved"})
    assert longer.status_code == 422
    said = "Wexcombe IAS on 01632 960 014"
    await client.post(address, data=form | {"advice": f"{said}.", "why": "It moved"})
    assert (await _settings(house, "allocation")).advice == said


async def test_an_administrator_changes_them(
    client: AsyncTestClient[Any], house: House, sign_in: Any
) -> None:
    await sign_in(house.viewers["administrator"].id)
    assert f'href="{PAGE}"' in (await client.get("/panels/contacts")).text
    form = await form_of(client, PAGE, PAGE) | AS_IT_IS | {"why": "The partners asked"}
    too_long = await client.post(PAGE, data=form | {"minutes_per_child": "121"})
    assert too_long.status_code == 422
    assert "A child cannot have more minutes than the meeting has" in too_long.text
    kinds = ["health", "school"]
    done = await client.post(PAGE, data=form | {"quorum_kinds": kinds}, follow_redirects=True)
    assert "to Health and School or nursery" in done.text
    assert (await _settings(house)).quorum_kinds == tuple(kinds)


async def test_nobody_else_opens_them(
    client: AsyncTestClient[Any], house: House, sign_in: Any
) -> None:
    async with house.as_("job") as session:
        before = await session.scalar(select(Panel.settings).where(Panel.key == "contacts"))
    await sign_in(house.viewers["member"].id)
    assert (await client.get(PAGE)).status_code == 403
    assert (await client.post(PAGE, data={"version": "1"})).status_code in (403, 422)
    assert "Settings" not in (await client.get("/panels/contacts")).text
    async with house.as_("job") as session:
        assert before == await session.scalar(select(Panel.settings).where(Panel.key == "contacts"))
