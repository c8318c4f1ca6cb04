"""What the pages of a meeting say, without HTML."""

from datetime import UTC, date, datetime

import pytest

from panel.panels.meeting_pages import presence_words, present_words, state_of
from panel.panels.meeting_rules import Person, Presence, review_mistake
from panel.panels.models import Meeting
from panel.panels.rules import Quorum
from panel.platform.ids import new_id

DAY = date(2026, 12, 3)
AT = datetime(2026, 12, 3, 9, 34, tzinfo=UTC)


def person(presence: Presence | None) -> Person:
    left = AT if presence is Presence.LEFT else None
    return Person(
        new_id(),
        "Bo Marchetti",
        new_id(),
        "Health visiting",
        "health",
        is_member=True,
        presence=presence,
        here_at=AT if presence in (Presence.HERE, Presence.LEFT) else None,
        left_at=left,
    )


@pytest.mark.parametrize(
    ("presence", "said"),
    [
        (None, ""),
        (Presence.HERE, "Here from 9:34"),
        (Presence.LEFT, "Left at 9:34"),
        (Presence.APOLOGIES, "Sent apologies"),
        (Presence.ABSENT, "Not here"),
    ],
)
def test_where_somebody_is(presence: Presence | None, said: str) -> None:
    assert presence_words(person(presence)) == said


def test_how_many_are_here() -> None:
    here = [person(Presence.HERE), person(Presence.LEFT), person(None)]
    assert present_words(here, Quorum(())) == "1 present, quorum met"
    assert present_words(here[1:], Quorum(("x",))) == "Nobody present, no quorum"


@pytest.mark.parametrize(
    ("state", "began_at", "today", "said"),
    [
        ("frozen", None, date(2026, 12, 2), "planned"),
        ("frozen", None, DAY, "today"),
        ("frozen", None, date(2026, 12, 4), "today"),
        ("frozen", AT, DAY, "under_way"),
        ("held", AT, DAY, "ended"),
        ("held", None, DAY, "ended"),
    ],
)
def test_how_far_a_meeting_is(
    state: str, began_at: datetime | None, today: date, said: str
) -> None:
    meeting = Meeting(panel_id=new_id(), slot_on=DAY, held_on=DAY, state=state, began_at=began_at)
    assert state_of(meeting, today) == said


@pytest.mark.parametrize(
    ("by", "is_wrong"),
    [
        (DAY, True),
        (date(2026, 12, 4), False),
        (date(2027, 12, 3), False),
        (date(2027, 12, 4), True),
    ],
)
def test_by_when_a_review_can_be(by: date, *, is_wrong: bool) -> None:
    assert bool(review_mistake(by, DAY)) is is_wrong
