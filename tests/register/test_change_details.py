"""A child's details are changed by those who may see them; two at once lose nothing."""

import re
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from consent import Category, Purpose
from panel.platform.problems import Invalid, NotAllowed
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate
from panel.register.service import (
    add_involvement,
    change_child,
    child_details,
    chronology,
    close_episode,
    find_children,
    judge_level,
    level_of_need,
    note_event,
    open_episode,
)

Add = Callable[..., Awaitable[UUID]]
Client = AsyncTestClient[Litestar]
TODAY = date(2026, 11, 23)


@pytest.fixture
async def rosa(client: Client, team: Any, sign_in: Any) -> Client:
    """Rosa's browser."""
    await sign_in(team.rosa.id)
    return client


def fields_of(page: httpx.Response) -> dict[str, str]:
    """What the form of a page would send as it stands."""
    sent = dict(re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', page.text))
    sent |= dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    sent |= dict(re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\n([^<]*)<', page.text))
    chosen = re.findall(r'name="(\w+)" type="radio" value="(\w+)" checked', page.text)
    return sent | dict(chosen)


async def test_details_are_changed_and_the_child_is_found_by_the_new_name(
    rosa: Client, gate: Gate, add: Add, team: Any
) -> None:
    child = await add("Amina", "Kestrel", sex="female", address="1 Mill Lane")
    page = f"/children/{child}/edit"
    shown = await rosa.get(page)
    fields = fields_of(shown)
    assert "UPN" not in shown.text
    answer = await rosa.post(
        page,
        data=fields | {"family_name": "Merrow", "nhs_number": "999 054 8609", "school": "Harbour"},
        follow_redirects=False,
    )
    assert answer.status_code == 303, answer.text
    for typed, found in (("Amina Merrow", 1), ("Kestrel", 0), ("9990548609", 1)):
        result = await find_children(gate, team.rosa, (Purpose.SUPPORT,), typed, TODAY)
        assert len(result.found) == found, typed
    again = await rosa.post(page, data=fields | {"family_name": "Barnaby"}, follow_redirects=False)
    assert again.status_code == 409
    assert "Barnaby" in again.text
    assert "Merrow" in again.text
    wrong = await rosa.post(page, data=fields | {"nhs_number": "999 054 8608"})
    assert wrong.status_code == 422
    assert "a digit is wrong" in wrong.text


async def test_only_what_may_be_seen_is_asked_and_can_be_changed(
    rosa: Client, tenant: Tenant, gate: Gate, add: Add, team: Any, protect: Any
) -> None:
    child = await add("Amina", "Kestrel", address="1 Mill Lane")
    await protect(child, "contact")
    shown = await rosa.get(f"/children/{child}/edit")
    assert "Mill Lane" not in shown.text
    assert 'name="address"' not in shown.text
    answer = await rosa.post(
        f"/children/{child}/edit", data=fields_of(shown) | {"address": "elsewhere"}
    )
    assert answer.status_code == 403
    async with gate.open(child, team.rosa, Purpose.SUPPORT, "read") as access:
        details = await child_details(access)
        assert "address" not in details.values
        with pytest.raises(NotAllowed):
            await change_child(access, {"address": "elsewhere"}, details.version)


async def test_the_chronology_shows_each_event_to_those_who_may_see_it(
    rosa: Client, tenant: Tenant, gate: Gate, add: Add, team: Any
) -> None:
    child = await add("Amina", "Kestrel")
    page = f"/children/{child}/chronology"
    token = re.search(r'name="_csrf_token" value="(\w+)"', (await rosa.get(page)).text)
    assert token is not None
    event = {
        "_csrf_token": token[1], "happened_on-day": "9", "happened_on-month": "10",
        "happened_on-year": "2026", "kind": "diagnosis", "category": "health",
        "text": "Hearing test: moderate loss in both ears",
    }  # fmt: skip
    late = await rosa.post(page, data=event | {"happened_on-year": "2027"})
    assert late.status_code == 422
    assert "must be today or in the past" in late.text
    assert "moderate loss in both ears" in late.text
    assert (await rosa.post(page, data=event, follow_redirects=False)).status_code == 303
    level = {"_csrf_token": token[1], "level": "targeted", "judged_on": "2026-11-20"}
    answer = await rosa.post(f"/children/{child}/level-of-need", data=level, follow_redirects=False)
    assert answer.status_code == 303
    shown = (await rosa.get(page)).text
    assert "moderate loss in both ears" in shown
    assert "9 October 2026, written down by Health visiting" in shown
    assert "<strong>Targeted</strong>, judged on 20 November 2026" in shown
    async with tenant.transaction(team.rosa.id) as session:
        await add_involvement(
            session, child, agency_id=team.hana.agency, worker_id=team.hana.id, from_on=TODAY
        )
    async with gate.open(child, team.hana, Purpose.SUPPORT, "read") as access:
        read = await chronology(access)
    assert read.events == ()
    assert [one.category for one in read.withheld] == [Category.HEALTH]


async def test_an_episode_has_a_beginning_an_end_and_a_reason(
    tenant: Tenant, add: Add, team: Any
) -> None:
    child = await add("Amina", "Kestrel")
    async with tenant.transaction(team.rosa.id) as session:
        await judge_level(session, child, level="targeted", judged_on=TODAY, judged_by=team.rosa.id)
        episode = await open_episode(session, child, TODAY)
        assert (await open_episode(session, child, TODAY)).id == episode.id
        with pytest.raises(Invalid):
            await close_episode(session, child, TODAY, "no reason")
        closed = await close_episode(session, child, TODAY, "needs_met")
        assert (closed.level_at_start, closed.level_at_closure) == ("targeted", "targeted")
        with pytest.raises(Invalid):
            await close_episode(session, child, TODAY, "needs_met")
        latest = await level_of_need(session, child)
        assert latest is not None
        assert latest.level == "targeted"
        with pytest.raises(Invalid):
            await note_event(
                session, child, happened_on=TODAY, kind="no kind", category=Category.HEALTH,
                author_agency_id=team.rosa.agency, text="",
            )  # fmt: skip
