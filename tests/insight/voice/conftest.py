"""A meeting that was held, whose notes went to the mother; and who may answer."""

from uuid import UUID

import pytest

from panel.panels.note_answers import open_own_note
from panel.panels.note_sending import send_notes
from panel.platform.clock import FixedClock
from tests.conftest import SignIn
from tests.insight.conftest import add_child, house
from tests.insight.voice.answers import as_person
from tests.panels.note_world import Held, held, signed

__all__ = ["SignIn", "add_child", "held", "house"]


@pytest.fixture
async def note(held: Held, clock: FixedClock) -> UUID:
    """Notes that are signed off, sent, and opened by the mother alone."""
    assert clock.now()
    found = await signed(held)
    await send_notes(held.house.gate, "https://panel.example")
    async with as_person(held, held.mother) as access:
        await open_own_note(access, found)
    return found
