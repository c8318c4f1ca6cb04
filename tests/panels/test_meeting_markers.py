"""Every text of a child carries a marker: a meeting's screen shows what everybody here may see.

What may be seen is worked out here marker by marker with `consent.decide`, for the agency of each
person in the room, and never asked of the page.
"""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from litestar.testing import AsyncTestClient

from panel.panels.models import Meeting
from panel.platform.clock import FixedClock
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate
from tests.conftest import SignIn
from tests.panels.meeting_world import hidden_of
from tests.panels.pack_world import MEETING_DAY, MEMBERS, World, add_marked_child, make_world
from tests.panels.test_markers import states

MARKER = re.compile(r"zq\d{4}z")
BASE = f"/panels/contacts/{MEETING_DAY}"
MORNING = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)


@pytest.fixture
async def world(tenant: Tenant, gate: Gate) -> World:
    """Twelve families on the agenda, each with another decision about sharing."""
    made = await make_world(tenant, gate)
    for number, sharing in enumerate(states(made)):
        await add_marked_child(made, number, sharing=sharing)
    return made


@pytest.mark.parametrize(
    "here",
    [("council", "health"), ("council", "health", "education", "social-care", "voluntary")],
)
async def test_the_screen_shows_no_marker_that_somebody_here_may_not_see(
    world: World,
    client: AsyncTestClient[Any],
    clock: FixedClock,
    sign_in: SignIn,
    here: tuple[str, ...],
) -> None:
    clock.set(MORNING)
    await sign_in(world.workers["council"].id)
    table = f"{BASE}/meeting"
    page = (await client.get(table)).text
    begun = await client.post(f"{table}/begin", data=hidden_of(page, f"{table}/begin"))
    ticks = {"here": [str(world.workers[key].id) for key in here]}
    fields = hidden_of(begun.text, f"{table}/attendance")
    assert (
        f"{len(here)} present"
        in (await client.post(f"{table}/attendance", data=fields | ticks)).text
    )
    may_see = [await world.permitted(world.agency_viewer(key)) for key in here if key != "council"]
    may_see.append(await world.permitted(world.worker_viewer("council")))
    for_all = set.intersection(*may_see)
    shown: set[str] = set()
    for who in here:
        await sign_in(world.workers[who].id)
        for child in world.children:
            screen = await client.get(f"{table}/{child}")
            found = set(MARKER.findall(screen.text))
            if screen.status_code == 404:
                # Sealed from them, so no record for them: nothing of it may be seen.
                theirs = await world.permitted(world.agency_viewer(who))
                assert not [one for one in theirs if world.markers[one].child == child]
                assert not found
                continue
            assert screen.status_code == 200, screen.text
            leaked = found - for_all
            assert not leaked, [world.markers[one] for one in leaked]
            shown |= found
        shown |= set(MARKER.findall((await client.get(table)).text))
    assert shown, "Nothing was shown at all, so nothing was proved."
    assert shown <= for_all
    assert set(here) <= set(MEMBERS)


async def test_the_minutes_show_each_reader_their_own(
    world: World, client: AsyncTestClient[Any], clock: FixedClock, sign_in: SignIn
) -> None:
    clock.set(MORNING)
    async with world.as_job() as session:
        meeting = await session.get(Meeting, world.meeting_id)
        assert meeting is not None
        meeting.state, meeting.began_at, meeting.ended_at = "held", MORNING, MORNING
    for who in MEMBERS:
        await sign_in(world.workers[who].id)
        page = await client.get(f"{BASE}/minutes")
        assert page.status_code == 200
        may_see = await world.permitted(world.worker_viewer(who))
        assert set(MARKER.findall(page.text)) <= may_see
