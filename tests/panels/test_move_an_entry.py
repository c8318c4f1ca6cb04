"""An entry on the wrong child is moved to the child whom it is about, and nothing of it is left."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from sqlalchemy import select, text

from panel.panels.models import AgendaItem, Discussion
from panel.panels.move_rules import holds, without
from panel.panels.note_models import FamilyNote, Incident, NoteDelivery
from panel.plans.models import Action
from panel.platform.clock import FixedClock
from panel.platform.ids import new_id
from panel.platform.tenancy import load_keys
from panel.records.child_scoped import JOB
from panel.register.models import Involvement
from tests.conftest import SignIn
from tests.panels.conftest import NEXT_MEETING, AddChild, House, add_child, house
from tests.panels.meeting_world import (
    AGENDA,
    MEETING,
    MINUTES,
    Hall,
    hall,
    hidden_of,
    mistakes,
)
from tests.panels.note_world import HELD, NOTES, Held, held_meeting, rows_of, signed, words

__all__ = ["add_child", "hall", "house"]

SAID = "His hearing aid whistles and he takes it out at nursery."
WHY = "I had the wrong child open."


@pytest.fixture
async def mixed_up(hall: Hall) -> Hall:
    """The coordinator wrote about Theo on Amina's screen; the education member looked at it."""
    await hall.begin("chair", "member", "social")
    await hall.say("Amina", SAID, category="health", for_family="yes")
    await hall.as_("member")
    assert SAID in (await hall.get(hall.screen("Amina"))).text
    await hall.as_("coordinator")
    hall.clock.set(hall.clock.now() + timedelta(minutes=5))
    return hall


async def entry(hall: Hall, name: str = "Amina", table: Any = Discussion) -> UUID:
    async with hall.house.tenant.transaction(JOB) as session:
        found = await session.scalar(
            select(table.id).where(table.child_id == hall.child(name)).order_by(table.id.desc())
        )
        assert isinstance(found, UUID)
        return found


def move_of(hall: Hall, entry_id: UUID, name: str = "Amina") -> str:
    return f"{hall.screen(name)}/entries/{entry_id}/move"


async def move(
    hall: Hall, entry_id: UUID, to: str = "Theo", why: str = WHY, name: str = "Amina"
) -> httpx.Response:
    address = move_of(hall, entry_id, name)
    page = (await hall.get(f"{address}?to={hall.child(to)}")).text
    return await hall.client.post(address, data=hidden_of(page, address) | {"why": why})


async def everything_of(hall: Hall, name: str) -> str:
    """All that is stored of a child in any table, opened with the child's own key where sealed."""
    child = hall.child(name)
    told = []
    async with hall.house.tenant.transaction(JOB) as session:
        await load_keys(session, {child})
        keys = session.info["keys"]
        for table in (Discussion, Action, FamilyNote, Incident):
            for row in await session.scalars(select(table).where(table.child_id == child)):
                told += [getattr(row, sealed.name) for sealed in type(row).__sealed__]
        dumped = await session.execute(
            text("SELECT id, text FROM discussion WHERE child_id = :c AND text IS NOT NULL"),
            {"c": child},
        )
        told += [keys.open(child, "discussion.text", row.id, row.text) for row in dumped]
    return "\n".join(told)


async def test_the_rehearsal_says_what_moves_and_who_saw_it(mixed_up: Hall) -> None:
    hall = mixed_up
    address = move_of(hall, await entry(hall))
    assert address in (await hall.get(hall.screen("Amina"))).text
    first = await hall.get(address)
    assert SAID in first.text
    assert "Theo Kestrel" in first.text
    assert "Move it" not in first.text
    second = words(await hall.get(f"{address}?to={hall.child('Theo')}"))
    assert "It moves from Amina Kestrel to Theo Kestrel" in second
    assert "Ada Quill, Thursday 3 December 2026 at 9:30am" in second or "Ada Quill" in second
    seen = second[second.index("Who could see it") :]
    assert "Cleo Nightingale Early years inclusion" in seen
    assert "Bo Marchetti" not in seen
    assert "72 hours" in second
    assert await hall.said("Amina") == [("discussion", "health", SAID)]


async def test_it_is_on_the_right_child_with_its_author_and_time(mixed_up: Hall) -> None:
    hall = mixed_up
    old = await entry(hall)
    async with hall.house.tenant.transaction(JOB) as session:
        before = await session.get_one(Discussion, old)
        was = (before.worker_id, before.author_agency_id, before.said_at, before.for_family)
    answer = await move(hall, old)
    assert answer.status_code == 200, answer.text
    assert "was on another child’s record" in answer.text
    assert "Cleo Nightingale, Early years inclusion" in answer.text
    assert WHY in answer.text
    async with hall.house.tenant.transaction(JOB) as session:
        await load_keys(session, {hall.child("Theo")})
        now = await session.scalar(
            select(Discussion).where(Discussion.child_id == hall.child("Theo"))
        )
        assert now is not None
        assert (now.worker_id, now.author_agency_id, now.said_at, now.for_family) == was
        assert (now.text, now.moved_from, now.moved_why) == (SAID, old, WHY)
        assert now.id != old
    screen = (await hall.get(hall.screen("Theo"))).text
    assert SAID in screen
    assert f"{hall.screen('Theo')}/entries/{now.id}/moved" in screen


async def test_nothing_of_it_is_left_on_the_wrong_child(mixed_up: Hall) -> None:
    hall = mixed_up
    old = await entry(hall)
    await move(hall, old)
    assert SAID not in await everything_of(hall, "Amina")
    assert WHY not in await everything_of(hall, "Amina")
    async with hall.house.tenant.transaction(JOB) as session:
        row = await session.get_one(Discussion, old)
        assert row.text_sealed is None
        assert row.taken_back_why_sealed is None
        assert row.moved_away_at == row.taken_back_at == hall.clock.now()
        assert row.taken_back_by == hall.house.viewers["coordinator"].id
    child = hall.child("Amina")
    await hall.send(hall.screen("Amina"), f"{hall.screen('Amina')}/done")
    pages = [hall.screen("Amina"), f"/children/{child}", f"/children/{child}/chronology"]
    for who in ("coordinator", "chair", "member"):
        await hall.as_(who)
        for page in pages:
            assert SAID not in (await hall.get(page)).text, (who, page)
    await hall.as_("coordinator")
    assert "Taken back: on the wrong child." in (await hall.get(hall.screen("Amina"))).text
    await hall.send(MEETING, f"{MEETING}/end")
    for who in ("coordinator", "chair", "member", "lead"):
        await hall.as_(who)
        for page in (MINUTES, f"{AGENDA}/pack", f"/children/{child}", f"{AGENDA}/notes/{child}"):
            assert SAID not in (await hall.get(page)).text, (who, page)


async def test_it_is_an_incident_with_its_steps(mixed_up: Hall) -> None:
    hall = mixed_up
    answer = await move(hall, await entry(hall))
    moved = str(answer.url.path)
    async with hall.house.tenant.transaction(JOB) as session:
        (kept,) = await session.scalars(select(Incident))
        assert (kept.kind, kept.child_id, kept.note_id) == ("wrong_child", hall.child("Theo"), None)
        assert sorted(kept.steps) == ["put_right", "stopped"]
        await load_keys(session, {kept.child_id})
        assert kept.what == WHY
        seen = msgspec.json.decode(kept.seen, type=list[str])
    page = words(await hall.get(moved))
    assert all(line in page for line in [WHY, *seen])
    async with hall.house.tenant.transaction(JOB) as session:
        (kept,) = await session.scalars(select(Incident))
        kept.seen = ""
    assert "Who could see it" not in words(await hall.get(moved)), "an older one has it in `what`"
    for step in ("told_governance", "told_family", "asked_back", "decided_ico"):
        answer = await hall.send(moved, moved, {"step": step})
        assert answer.status_code == 200, step
    assert "Closed" in words(answer)
    async with hall.house.tenant.transaction(JOB) as session:
        (kept,) = await session.scalars(select(Incident))
        assert kept.state == "closed"
    wrong = (
        await hall.send(moved, moved, {"step": "nonsense"})
        if "Done today" in answer.text
        else answer
    )
    assert wrong.status_code in (200, 422)


async def test_after_the_meeting_ended_too(mixed_up: Hall) -> None:
    hall = mixed_up
    for name in ("Amina", "Theo"):
        await hall.send(hall.screen(name), f"{hall.screen(name)}/done")
    await hall.send(MEETING, f"{MEETING}/end")
    old = await entry(hall)
    await hall.as_("chair")
    assert move_of(hall, old) in (await hall.get(MINUTES)).text
    answer = await move(hall, old)
    assert answer.status_code == 200
    minutes = words(await hall.get(MINUTES))
    assert minutes.count(SAID) == 1
    assert "Taken back: on the wrong child." in minutes
    assert minutes.index("Taken back: on the wrong child.") < minutes.index(SAID)


async def test_only_who_runs_the_panel_with_a_reason(mixed_up: Hall) -> None:
    hall = mixed_up
    old = await entry(hall)
    refused = await move(hall, old, why="  ")
    assert refused.status_code == 422
    assert "Say how it came to be on the wrong child" in mistakes(refused)
    assert "It moves from" in refused.text
    too_long = await move(hall, old, why="x" * 2_001)
    assert too_long.status_code == 422
    assert "x" * 2_001 in too_long.text
    for who in ("member", "lead", "administrator"):
        await hall.as_(who)
        assert (await hall.get(move_of(hall, old))).status_code in (403, 404), who
        assert move_of(hall, old) not in (await hall.get(hall.screen("Amina"))).text
    assert [row[2] for row in await hall.said("Amina")] == [SAID]


async def test_to_a_child_of_the_same_agenda_only(mixed_up: Hall, add_child: AddChild) -> None:
    hall = mixed_up
    old = await entry(hall)
    elsewhere = await add_child("Nia")
    address = move_of(hall, old)
    for to in (str(elsewhere), str(hall.child("Amina")), str(new_id()), "nonsense", "' OR 1=1"):
        page = await hall.get(f"{address}?to={to}")
        assert page.status_code == 422, to
        assert "Nia" not in page.text
        form = hidden_of((await hall.get(f"{address}?to={hall.child('Theo')}")).text, address)
        answer = await hall.client.post(address, data=form | {"to": to, "why": WHY})
        assert answer.status_code in (404, 422), to
    assert [row[2] for row in await hall.said("Amina")] == [SAID]
    assert (await hall.get(move_of(hall, new_id()))).status_code == 404
    assert (await hall.get(move_of(hall, old, "Jakub"))).status_code == 404


async def test_once_and_of_two_at_the_same_time_once(mixed_up: Hall) -> None:
    hall = mixed_up
    old = await entry(hall)
    address = move_of(hall, old)
    forms = [
        hidden_of((await hall.get(f"{address}?to={hall.child(name)}")).text, address)
        for name in ("Theo", "Jakub")
    ]
    answers = await asyncio.gather(
        *(hall.client.post(address, data=form | {"why": WHY}) for form in forms)
    )
    assert sorted(one.status_code for one in answers) == [200, 409]
    told = [await everything_of(hall, name) for name in ("Amina", "Theo", "Jakub")]
    assert [SAID in one for one in told].count(True) == 1
    again = await hall.client.post(address, data=forms[0] | {"why": WHY})
    assert again.status_code == 409
    assert "moved already" in again.text
    async with hall.house.tenant.transaction(JOB) as session:
        assert len(list(await session.scalars(select(Incident)))) == 1


async def test_a_declared_interest_keeps_away(mixed_up: Hall) -> None:
    hall = mixed_up
    old = await entry(hall)
    coordinator = str(hall.house.viewers["coordinator"].id)
    await hall.send(
        hall.screen("Theo"),
        f"{hall.screen('Theo')}/interest",
        {"worker": coordinator, "reason": "Her godson"},
    )
    assert (await move(hall, old)).status_code == 403
    assert [row[2] for row in await hall.said("Amina")] == [SAID]


async def test_an_action_goes_with_whoever_does_it(mixed_up: Hall) -> None:
    hall = mixed_up
    await hall.send(
        hall.screen("Amina"),
        f"{hall.screen('Amina')}/actions",
        {"who": "Tom Brackenbury", "what": "Ring the hearing clinic", "due_on": "2026-12-15"},
    )
    old = await entry(hall, table=Action)
    assert (await move(hall, old)).status_code == 200
    tom = hall.house.viewers["social"].id
    async with hall.house.tenant.transaction(JOB) as session:
        await load_keys(session, {hall.child("Amina"), hall.child("Theo")})
        left = await session.get_one(Action, old)
        assert (left.text, left.state) == ("Taken back: on the wrong child.", "dropped")
        assert (left.owner_worker_id, left.due_on, left.owner_words) == (None, None, "")
        now = await session.scalar(select(Action).where(Action.moved_from == old))
        assert now is not None
        assert (now.text, now.owner_worker_id, now.state, now.child_id) == (
            "Ring the hearing clinic", tom, "to_do", hall.child("Theo"),
        )  # fmt: skip
        parts = {
            row.child_id: row.until_on
            for row in await session.scalars(
                select(Involvement).where(Involvement.worker_id == tom)
            )
        }
        assert parts == {hall.child("Amina"): NEXT_MEETING, hall.child("Theo"): None}
    assert "Ring the hearing clinic" not in (await hall.get(hall.screen("Amina"))).text
    assert "Ring the hearing clinic" in (await hall.get(hall.screen("Theo"))).text
    await hall.as_("social")
    assert "Ring the hearing clinic" in (await hall.get("/")).text


# Notes that were drafted from it ------------------------------------------------------------------


@pytest.fixture
async def written(house: House, add_child: AddChild, clock: FixedClock) -> Held:
    """The meeting of 19 November, with the sentence about Theo among what was said of Amina."""
    held = await held_meeting(house, add_child)
    async with house.as_("job") as session:
        for item in await session.scalars(select(AgendaItem)):
            item.opens_at = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
        await session.flush()
    clock.set(datetime(2026, 11, 20, 9, 0, tzinfo=UTC))
    return held


def at(held: Held, name: str = "Amina") -> str:
    return f"/panels/contacts/{HELD}/meeting/{held.house.children[name]}"


async def moved_from_note(held: Held, client: Any) -> httpx.Response:
    async with held.house.tenant.transaction(JOB) as session:
        old = await session.scalar(select(Discussion.id).where(Discussion.for_family.is_(True)))
    address = f"{at(held)}/entries/{old}/move"
    page = (await client.get(f"{address}?to={held.house.children['Theo']}")).text
    answer: httpx.Response = await client.post(
        address, data=hidden_of(page, address) | {"why": WHY}
    )
    return answer


async def test_a_draft_loses_it_and_is_read_again(
    written: Held, client: Any, sign_in: SignIn
) -> None:
    held = written
    await sign_in(held.house.viewers["coordinator"].id)
    page = (await client.get(held.page)).text
    draft = "She sleeps well now.\n\nShe likes the new swing."
    form = hidden_of(page, held.page)
    await client.post(held.page, data=form | {"text": draft})
    assert (await moved_from_note(held, client)).status_code == 200
    page = await client.get(held.page)
    assert "Read this note again" in page.text
    assert "She sleeps well now" not in page.text
    assert "She likes the new swing." in page.text
    sign = f"{held.page}/sign-off"
    blanks = {
        "way-1": "letter", "way-2": "letter", "hold-1": "no", "hold-2": "no",
    }  # fmt: skip
    signed_page = (await client.get(sign)).text
    refused = await client.post(sign, data=hidden_of(signed_page, sign) | blanks)
    assert refused.status_code == 422
    assert "Read the note again" in mistakes(refused)
    checked = f"{held.page}/checked"
    await client.post(checked, data=hidden_of(page.text, checked))
    assert "Read this note again" not in (await client.get(held.page)).text


async def test_a_note_that_was_sent_is_recalled(
    written: Held, client: Any, sign_in: SignIn
) -> None:
    held = written
    await signed(held)
    await sign_in(held.house.viewers["coordinator"].id)
    async with held.house.tenant.transaction(JOB) as session:
        old = await session.scalar(select(Discussion.id).where(Discussion.for_family.is_(True)))
    shown = words(
        await client.get(f"{at(held)}/entries/{old}/move?to={held.house.children['Theo']}")
    )
    assert "was signed off and says this. It is recalled: 2 copies can no longer be read" in shown
    assert (await moved_from_note(held, client)).status_code == 200
    (note,) = await rows_of(held, FamilyNote)
    assert note.state == "recalled"
    assert {one.state for one in await rows_of(held, NoteDelivery)} == {"recalled"}
    page = await client.get(held.page)
    assert "She sleeps well now" not in page.text
    assert "Something in this note was about another child." in page.text
    await client.post(f"{held.page}/again", data=hidden_of(page.text, f"{held.page}/again"))
    assert "She sleeps well now" not in (await client.get(held.page)).text
    listed = words(await client.get(NOTES))
    assert "incident open" in listed


async def test_a_note_in_other_words_is_marked_and_stays(
    written: Held, client: Any, sign_in: SignIn
) -> None:
    held = written
    await signed(held, "On Thursday 19 November 2026 the panel talked about Amina.\n\nShe rests.")
    await sign_in(held.house.viewers["coordinator"].id)
    assert (await moved_from_note(held, client)).status_code == 200
    (note,) = await rows_of(held, FamilyNote)
    assert note.state == "signed_off"
    assert note.check_again_at is not None
    assert (
        "if anything of it is left, recall the copies below" in (await client.get(held.page)).text
    )


@pytest.mark.parametrize(
    ("note", "said", "left"),
    [
        ("Hello.\n\nHe sleeps well now.\n\nBye.", "He sleeps well now.", "Hello.\n\nBye."),
        ("HE SLEEPS  well\nnow! More.", "He sleeps well now. He eats.", "More."),
        ("What will happen:\n- Ring the clinic – Tom, by 5 May.", "Ring the clinic",
         "What will happen:"),
        ("She can go to bed alone.", "He can go to bed.", "She can go to bed alone."),
        ("Nothing here.", "", "Nothing here."),
        ("All (a+b)* of it.", "All (a+b)* of it", ""),
    ],
)  # fmt: skip
def test_a_note_without_the_entry(note: str, said: str, left: str) -> None:
    assert without(note, said) == left
    assert holds(note, said) is (left != note)
