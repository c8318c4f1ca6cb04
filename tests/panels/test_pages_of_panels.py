"""What a coordinator, a chair and a member do on the pages of panels, over HTTP."""

import re
from datetime import date, time
from typing import Any
from uuid import UUID

import pytest
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from panel.accounts.models import WorkerRole
from panel.panels.calendar import add_panel
from tests.panels.conftest import CALENDAR, NEXT_MEETING, AddChild, House
from tests.panels.note_world import form_of

AGENDA = f"/panels/contacts/{NEXT_MEETING}"
LATER: dict[str, Any] = {
    "key": "allocation",
    "kind": "allocation",
    "first_on": date(2026, 12, 8),
    "every_days": 28,
    "starts_at": time(13, 30),
}
"""A panel that decides, which meets after the other."""


@pytest.fixture
async def coordinator(
    client: AsyncTestClient[Any], house: House, sign_in: Any
) -> AsyncTestClient[Any]:
    await sign_in(house.viewers["coordinator"].id)
    return client


async def test_home_says_what_waits(coordinator: AsyncTestClient[Any], add_child: AddChild) -> None:
    await add_child("Amina")
    await add_child("Leon", without=("plan",))
    page = (await coordinator.get("/")).text
    assert "CONTACTS panel, Thursday 3 December 2026 (in 10 days)" in page
    assert "Papers close on Thursday 26 November 2026, in 3 working days." in page
    assert "1 child, 10 of 120 minutes" in page
    assert 'href="/panels/contacts/2026-12-03#not-ready"' in page
    assert "referrals to acknowledge" in page


async def test_home_begins_with_the_panel_that_meets_first(
    coordinator: AsyncTestClient[Any], house: House
) -> None:
    async with house.as_("job") as session:
        panel = await add_panel(session, **LATER)
        worker = house.viewers["coordinator"].id
        session.add(WorkerRole(worker_id=worker, role="coordinator", panel_id=panel.id))
    page = (await coordinator.get("/")).text
    titles = re.findall(r'<(h[12]) class="[^"]*panel-title"[^>]*>([^<]+)<', page)
    assert titles == [
        ("h1", "CONTACTS panel, Thursday 3 December 2026 (in 10 days)"),
        ("h2", "Allocation panel, Tuesday 8 December 2026 (in 15 days)"),
    ]
    # Heard without what stands around them, the links still say which panel they lead to.
    for name in ("CONTACTS panel", "Allocation panel"):
        said = f'Take a referral in<span class="govuk-visually-hidden">: {name}</span>'
        assert said in page


async def test_the_agenda_names_children_and_says_why(
    coordinator: AsyncTestClient[Any], add_child: AddChild
) -> None:
    await add_child("Amina")
    await add_child("Leon", without=("plan",))
    page = (await coordinator.get(AGENDA)).text
    assert "Agenda: 1 child" in page
    assert "Amina Kestrel" in page
    assert "4 years 5 months" in page
    assert "Referred on 6 November 2026 by Health visiting." in page
    assert "Not ready: 1 child" in page
    assert "Rosa Whitlow" in page
    assert "Health visiting" in page
    assert "not asked yet" in page


async def test_moving_freezing_and_reading_as_a_member(
    coordinator: AsyncTestClient[Any], house: House, add_child: AddChild, sign_in: Any
) -> None:
    first = await add_child("Amina")
    await add_child("Theo")
    move = f"{AGENDA}/items/{first}/move"
    fields = await form_of(coordinator, AGENDA, move)
    moved = await coordinator.post(move, data=fields | {"direction": "down"})
    assert moved.url.path == AGENDA
    assert moved.text.index("Theo Kestrel") < moved.text.index("Amina Kestrel")
    freeze = f"{AGENDA}/freeze"
    fields = await form_of(coordinator, AGENDA, freeze)
    for _ in range(2):
        frozen = await coordinator.post(freeze, data=fields)
        assert "Packs are open." in frozen.text
    assert "Not opened yet" in frozen.text
    await sign_in(house.viewers["member"].id)
    page = (await coordinator.get(AGENDA)).text
    assert "Amina Kestrel" in page
    assert "/freeze" not in page
    assert (await coordinator.post(freeze, data=fields)).status_code == 403


async def test_a_stale_move_gives_the_conflict_page(
    coordinator: AsyncTestClient[Any], add_child: AddChild
) -> None:
    first = await add_child("Amina")
    second = await add_child("Theo")
    one, other = (f"{AGENDA}/items/{child}/move" for child in (first, second))
    stale = await form_of(coordinator, AGENDA, other)
    fresh = await form_of(coordinator, AGENDA, one)
    await coordinator.post(one, data=fresh | {"direction": "down"})
    clash = await coordinator.post(other, data=stale | {"direction": "up"})
    assert clash.status_code == 409


async def test_asking_says_so(coordinator: AsyncTestClient[Any], add_child: AddChild) -> None:
    child = await add_child("Leon", without=("plan",))
    fields = await form_of(coordinator, AGENDA, f"{AGENDA}/ask")
    assert fields["child"] == str(child)
    answer = await coordinator.post(f"{AGENDA}/ask", data=fields | {"what": "plan"})
    assert "Asked today" in answer.text


async def test_minutes_and_taking_off(
    coordinator: AsyncTestClient[Any], add_child: AddChild
) -> None:
    child = await add_child("Amina")
    item = f"{AGENDA}/items/{child}"
    fields = await form_of(coordinator, item, f"{item}/minutes")
    wrong = await coordinator.post(f"{item}/minutes", data=fields | {"minutes": "lots"})
    assert wrong.status_code == 422
    assert "Minutes must be a whole number" in wrong.text
    done = await coordinator.post(f"{item}/minutes", data=fields | {"minutes": "25"})
    assert "25 of 120 minutes" in done.text
    fields = await form_of(coordinator, item, f"{item}/take-off")
    off = await coordinator.post(f"{item}/take-off", data=fields | {"reason": "Away until May"})
    assert "Next time: 1 child" in off.text
    assert "Agenda: no children" in off.text
    late = await form_of(coordinator, f"{AGENDA}/late", f"{AGENDA}/late")
    back = await coordinator.post(
        f"{AGENDA}/late", data=late | {"child": str(child), "reason": "Back early"}
    )
    assert "Agenda: 1 child" in back.text


async def test_a_meeting_is_rehearsed_before_it_moves(
    coordinator: AsyncTestClient[Any], add_child: AddChild
) -> None:
    change = f"{AGENDA}/change"
    fields = await form_of(coordinator, change, change)
    said = {"change": "move", "to": "2026-12-10", "reason": "The room is taken"}
    rehearsal = await coordinator.post(change, data=fields | said)
    assert "Nothing has changed yet." in rehearsal.text
    confirm = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', rehearsal.text))
    moved = await coordinator.post(change, data=confirm)
    assert moved.url.path == "/calendar"
    assert "Moved from 3 December 2026. The room is taken" in moved.text
    holiday = {"change": "move", "to": "2026-12-25", "reason": "x"}
    address = "/panels/contacts/2026-12-10/change"
    wrong = await coordinator.post(
        address, data=await form_of(coordinator, address, address) | holiday
    )
    assert wrong.status_code == 422
    assert "bank holiday" in wrong.text


async def test_a_term_calendar_is_taken_in_with_a_report(
    coordinator: AsyncTestClient[Any],
) -> None:
    fields = await form_of(coordinator, "/calendar", "/calendar/terms")
    taken = await coordinator.post(
        "/calendar/terms", data=fields, files={"file": ("terms.ics", CALENDAR.read_bytes())}
    )
    assert taken.status_code < 300
    assert "known already" in taken.text
    broken = await coordinator.post(
        "/calendar/terms", data=fields, files={"file": ("terms.ics", b"not a calendar")}
    )
    assert broken.status_code == 422


async def test_a_team_refers_and_the_coordinator_acknowledges(
    client: AsyncTestClient[Any], house: House, add_child: AddChild, sign_in: Any
) -> None:
    child = await add_child("Amina", referred=False)
    page = f"/children/{child}/panels"
    await sign_in(house.viewers["lead"].id)
    fields = await form_of(client, page, f"{page}/refer")
    empty = await client.post(
        f"{page}/refer", data=fields | {"panel": str(house.panel_id), "category": "health"}
    )
    assert empty.status_code == 422
    said = {"panel": str(house.panel_id), "category": "health", "reason": "Two services needed"}
    referred = await client.post(f"{page}/refer", data=fields | said)
    assert "Two services needed" in referred.text
    words = await form_of(client, page, f"{page}/family-words")
    asked = await client.post(
        f"{page}/family-words", data=words | {"how": "telephone", "said": "Please be quick"}
    )
    assert "Please be quick" in asked.text
    await sign_in(house.viewers["coordinator"].id)
    listed = (await client.get("/panels/contacts/children?show=received")).text
    assert "Amina Kestrel" in listed
    shown = (await client.get(page)).text
    found = re.search(r'action="([^"]+/acknowledge)"', shown)
    assert found is not None
    done = await client.post(found[1], data=await form_of(client, page, found[1]))
    assert "Acknowledged" in done.text
    agenda = (await client.get(AGENDA)).text
    assert "Family’s words: 23 November 2026" in agenda


async def test_a_panel_that_decides_is_sent_requests_not_referrals(
    client: AsyncTestClient[Any], house: House, add_child: AddChild, sign_in: Any
) -> None:
    """So the one panel that talks is chosen already, and the page says how to ask the other."""
    child = await add_child("Amina", referred=False)
    async with house.as_("job") as session:
        decides = await add_panel(session, **LATER)
    page = f"/children/{child}/panels"
    await sign_in(house.viewers["lead"].id)
    shown = (await client.get(page)).text
    assert f'<option value="{house.panel_id}" selected>' in shown
    assert str(decides.id) not in shown
    assert f'<a class="govuk-link" href="/children/{child}/requests">write a request</a>' in shown
    fields = await form_of(client, page, f"{page}/refer")
    said = {"panel": str(decides.id), "category": "health", "reason": "Short breaks"}
    refused = await client.post(f"{page}/refer", data=fields | said)
    assert refused.status_code == 422
    assert "The Allocation panel decides on requests for service. Write a request" in refused.text
    async with house.as_("job") as session:
        assert await session.scalar(text("SELECT count(*) FROM referral")) == 0


async def test_only_the_chair_takes_a_child_as_urgent(
    client: AsyncTestClient[Any], house: House, add_child: AddChild, sign_in: Any
) -> None:
    child = await add_child("Leon", without=("plan",))
    page = f"/children/{child}/panels"
    await sign_in(house.viewers["coordinator"].id)
    assert "Take as urgent although" not in (await client.get(page)).text
    await sign_in(house.viewers["chair"].id)
    shown = (await client.get(page)).text
    found = re.search(r'action="([^"]+/urgent)"', shown)
    assert found is not None
    fields = await form_of(client, page, found[1])
    taken = {"meeting": str(NEXT_MEETING), "reason": "Leaves hospital without oxygen"}
    await sign_in(house.viewers["coordinator"].id)
    coordinators = await form_of(client, page, f"{page}/family-words")
    refused = await client.post(found[1], data=coordinators | {"version": "1"} | taken)
    assert refused.status_code == 403
    await sign_in(house.viewers["chair"].id)
    fields = await form_of(client, page, found[1])
    assert (await client.post(found[1], data=fields | taken)).status_code < 400
    agenda = (await client.get(AGENDA)).text
    assert "Taken as urgent by the chair: Leaves hospital without oxygen." in agenda
    assert "Still owed: plan (Rosa Whitlow)." in agenda


@pytest.mark.parametrize("address", ["/", "/panels", "/panels/contacts", "/calendar", AGENDA])
async def test_who_sits_on_no_panel_sees_no_panel(
    client: AsyncTestClient[Any], house: House, sign_in: Any, address: str
) -> None:
    await sign_in(house.viewers["assessor"].id)
    answer = await client.get(address)
    assert "CONTACTS panel" not in answer.text
    assert answer.status_code < 500


async def test_a_day_without_a_meeting_says_why(coordinator: AsyncTestClient[Any]) -> None:
    answer = await coordinator.get("/panels/contacts/2026-12-25")
    assert answer.status_code == 404
    assert "bank holiday" in answer.text
    assert (await coordinator.get("/panels/contacts/nonsense")).status_code == 404


async def test_every_look_at_an_agenda_is_logged(
    coordinator: AsyncTestClient[Any], house: House, add_child: AddChild
) -> None:
    child: UUID = await add_child("Amina")
    await coordinator.get(AGENDA)
    async with house.as_("job") as session:
        looks = await session.execute(
            text("SELECT doing FROM access_event WHERE child_id = :child"), {"child": child}
        )
    assert list(looks.scalars()) == ["read the agenda of Thursday 3 December 2026"]
    assert date(2026, 12, 3) == NEXT_MEETING
