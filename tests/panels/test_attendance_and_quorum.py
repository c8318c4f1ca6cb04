"""Who is here, who stands in, who leaves half-way, and whether it is a quorum."""

from datetime import datetime
from uuid import UUID

import pytest

from panel.panels.meeting_rules import (
    Person,
    Presence,
    chair_now,
    chairs_words,
    leaving_mistake,
    quorum_over_time,
    quorum_words,
)
from panel.panels.rules import Attendee, Quorum, quorum
from panel.platform.ids import new_id
from tests.panels.meeting_world import (
    BEGINS,
    MEETING,
    MINUTE,
    MINUTES,
    Hall,
    hall,
    mistakes,
)

__all__ = ["hall"]


def somebody(
    name: str,
    kind: str = "health",
    *,
    here_at: datetime | None = BEGINS,
    left_at: datetime | None = None,
    chaired_from: datetime | None = None,
) -> Person:
    presence = Presence.LEFT if left_at else Presence.HERE if here_at else None
    return Person(
        new_id(),
        name,
        UUID(int=len(kind)),
        kind,
        kind,
        is_member=True,
        presence=presence,
        here_at=here_at,
        left_at=left_at,
        chaired_from=chaired_from,
    )


def judge(attending: list[Attendee]) -> Quorum:
    return quorum(attending, 2, ("health", "education"))


def test_whoever_took_the_chair_last_and_is_here_chairs() -> None:
    bo = somebody("Bo", chaired_from=BEGINS)
    cleo = somebody("Cleo", chaired_from=BEGINS + 30 * MINUTE)
    gone = somebody("Di", left_at=BEGINS + 50 * MINUTE, chaired_from=BEGINS + 40 * MINUTE)
    assert chair_now([bo, cleo, gone]) is cleo
    assert chair_now([somebody("Ada")]) is None
    assert chairs_words([cleo, bo]) == "Bo, then from 10:00 Cleo"


def test_a_chair_who_leaves_names_who_goes_on() -> None:
    bo, cleo = somebody("Bo", chaired_from=BEGINS), somebody("Cleo")
    said = "Bo chairs the meeting. Choose who chairs from now on"
    assert leaving_mistake(bo, None, is_chair=True, others_here=1) == said
    assert leaving_mistake(bo, bo, is_chair=True, others_here=1).startswith("Choose somebody else")
    assert not leaving_mistake(bo, cleo, is_chair=True, others_here=1)
    assert not leaving_mistake(cleo, None, is_chair=False, others_here=1)
    assert not leaving_mistake(bo, None, is_chair=True, others_here=0)
    assert leaving_mistake(None, None, is_chair=False, others_here=1)


def test_the_minutes_say_from_when_until_when_there_was_a_quorum() -> None:
    people = [
        somebody("Bo", "health"),
        somebody("Cleo", "education", here_at=BEGINS + 10 * MINUTE, left_at=BEGINS + 40 * MINUTE),
    ]
    assert quorum_words(quorum_over_time(people, BEGINS, judge)) == [
        "Quorate from 9:40 until 10:10.",
        "Not quorate after that. 1 of at least 2 people are here. Nobody is here from education.",
    ]
    throughout = [somebody("Bo", "health"), somebody("Cleo", "education", here_at=BEGINS - MINUTE)]
    assert quorum_words(quorum_over_time(throughout, BEGINS, judge)) == [
        "Quorate from 9:30 to the end."
    ]
    alone = quorum_words(quorum_over_time([somebody("Bo")], BEGINS, judge))
    assert alone[0].startswith("This meeting was not quorate. 1 of at least 2 people are here.")


async def test_who_is_here_makes_a_quorum(hall: Hall) -> None:
    await hall.as_("coordinator")
    nobody = (await hall.get(MEETING)).text
    assert "Nobody present, no quorum" in nobody
    page = (await hall.tick("coordinator", "chair", "member", "social", apologies=("second",))).text
    assert "4 present, quorum met" in page
    assert "Bo Marchetti chairs" in page
    assert "Sent apologies" in page
    assert "Here from 9:30" in page
    assert "Not noted yet" not in page


async def test_both_ticks_for_one_person_are_a_mistake(hall: Hall) -> None:
    await hall.as_("coordinator")
    wrong = await hall.tick("chair", "member", apologies=("member",))
    assert wrong.status_code == 422
    assert "Tick here or apologies for each person, not both" in mistakes(wrong)
    chair = hall.house.viewers["chair"].id
    assert f'id="here-{chair}" value="{chair}" checked' in wrong.text
    assert "Nobody present" in (await hall.get(MEETING)).text


async def test_two_who_tick_at_once_lose_nothing(hall: Hall) -> None:
    await hall.as_("coordinator")
    stale = await hall.form(MEETING, f"{MEETING}/attendance")
    await hall.tick("chair")
    member = str(hall.house.viewers["member"].id)
    page = await hall.client.post(f"{MEETING}/attendance", data=stale | {"here": [member]})
    assert "2 present" in page.text


async def test_somebody_comes_late_and_somebody_stands_in(hall: Hall) -> None:
    await hall.begin("chair", "member")
    hall.clock.set(BEGINS + 12 * MINUTE)
    page = (await hall.tick("coordinator", "chair", "member", "second")).text
    assert "Here from 9:42" in page
    said = {
        "name": "Ivo Penrose",
        "agency": str(hall.house.agencies["social-care"]),
        "stands_in_for": str(hall.house.viewers["social"].id),
    }
    page = (await hall.send(MEETING, f"{MEETING}/substitutes", said)).text
    assert "Ivo Penrose" in page
    assert "In the place of Tom Brackenbury" in page
    assert "5 present, quorum met" in page


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "Enter the name of who is here"),
        ({"name": "Ivo"}, "Choose the agency that they are here for"),
        ({"name": "Ivo", "agency": "x"}, "Choose agency from the list"),
    ],
)
async def test_a_substitute_needs_a_name_and_an_agency(
    hall: Hall, said: dict[str, str], sentence: str
) -> None:
    await hall.begin()
    wrong = await hall.send(MEETING, f"{MEETING}/substitutes", said)
    assert wrong.status_code == 422
    assert sentence in mistakes(wrong)
    if "name" in said:
        assert 'value="Ivo"' in wrong.text


async def test_a_chair_leaves_half_way(hall: Hall) -> None:
    await hall.begin("chair", "member", "social")
    assert "quorum met" in (await hall.get(MEETING)).text
    hall.clock.set(BEGINS + 30 * MINUTE)
    chair, member = hall.house.viewers["chair"], hall.house.viewers["member"]
    wrong = await hall.send(MEETING, f"{MEETING}/leave", {"who": str(chair.id)})
    assert wrong.status_code == 422
    assert "Bo Marchetti chairs the meeting. Choose who chairs from now on" in mistakes(wrong)
    said = {"who": str(chair.id), "new_chair": str(member.id)}
    page = (await hall.send(MEETING, f"{MEETING}/leave", said)).text
    assert "Cleo Nightingale chairs" in page
    assert "Left at 10:00" in page
    assert "3 present, no quorum" in page
    assert "Nobody is here from health." in page
    screen = (await hall.get(hall.screen("Amina"))).text
    assert "chaired by Bo Marchetti, then from 10:00 Cleo Nightingale" in screen
    # Nothing is lost: the meeting goes on and can be written up.
    assert (await hall.say("Amina", "We go on without health")).status_code == 200
    minutes = (await hall.send(MEETING, f"{MEETING}/end")).text
    assert "Quorate from 9:30 until 10:00." in minutes
    assert "Not quorate after that." in minutes
    assert "Here from 9:30 until 10:00" in minutes


async def test_a_meeting_without_a_quorum_is_held_and_says_so(hall: Hall) -> None:
    await hall.begin()
    page = (await hall.get(MEETING)).text
    assert "1 present, no quorum" in page
    assert "The meeting can be held all the same, and the minutes say so." in page
    screen = hall.screen("Amina")
    await hall.say("Amina", "Only the coordinator came")
    await hall.send(screen, f"{screen}/done")
    await hall.send(MEETING, f"{MEETING}/end")
    minutes = (await hall.get(MINUTES)).text
    assert "This meeting was not quorate." in minutes
    assert "Only the coordinator came" in minutes


async def test_a_chair_is_chosen_where_the_chair_does_not_come(hall: Hall) -> None:
    await hall.begin("member")
    member = hall.house.viewers["member"]
    page = (await hall.send(MEETING, f"{MEETING}/chair", {"chair": str(member.id)})).text
    assert "Cleo Nightingale chairs" in page
    away = await hall.send(
        MEETING, f"{MEETING}/chair", {"chair": str(hall.house.viewers["chair"].id)}
    )
    assert "Choose somebody who is here" in mistakes(away)


async def test_a_member_reads_and_does_not_tick(hall: Hall) -> None:
    await hall.begin("member")
    fields = await hall.form(MEETING, f"{MEETING}/attendance")
    await hall.as_("member")
    page = (await hall.get(MEETING)).text
    assert "2 present" in page
    assert "End the meeting" not in page
    assert 'type="checkbox"' not in page
    own = hidden_token(page)
    for step in ("attendance", "leave", "chair", "substitutes", "end"):
        answer = await hall.client.post(
            f"{MEETING}/{step}", data={**fields, "_csrf_token": own, "who": "x"}
        )
        assert answer.status_code in (403, 422), step
        assert "2 present" in (await hall.get(MEETING)).text


def hidden_token(page: str) -> str:
    """The token against forgery, which every page of somebody signed in has."""
    return page.split('name="_csrf_token" value="')[1].split('"', maxsplit=1)[0]


async def test_a_substitute_for_who_runs_it_leaves_the_screen_as_it_is(hall: Hall) -> None:
    await hall.begin("member")
    assert "Amina Kestrel" in (await hall.get(hall.screen("Amina"))).text
    said = {
        "name": "Una Fairweather",
        "agency": str(hall.house.agencies["health"]),
        "stands_in_for": str(hall.house.viewers["chair"].id),
    }
    await hall.send(MEETING, f"{MEETING}/substitutes", said)
    assert "3 present" in (await hall.get(MEETING)).text
    assert "Amina Kestrel" in (await hall.get(hall.screen("Amina"))).text


async def test_whoever_is_ticked_when_it_begins_is_here(hall: Hall) -> None:
    await hall.as_("coordinator")
    people = {who: str(hall.house.viewers[who].id) for who in ("chair", "member", "lead")}
    ticked = {"here": [people["chair"], people["member"]]}
    begun = await hall.send(MEETING, f"{MEETING}/begin", ticked)
    assert "3 present" in begun.text
    for who in ("chair", "member"):
        assert f'id="here-{people[who]}" value="{people[who]}" checked' in begun.text


async def test_what_was_ticked_wrongly_does_not_begin_it(hall: Hall) -> None:
    await hall.as_("coordinator")
    chair = str(hall.house.viewers["chair"].id)
    refused = await hall.send(MEETING, f"{MEETING}/begin", {"here": [chair], "apologies": [chair]})
    assert refused.status_code == 422
    assert "Tick here or apologies for each person, not both" in mistakes(refused)
    assert (await hall.meeting()).began_at is None
