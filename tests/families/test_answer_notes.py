"""A parent reads notes on their own page, agrees or not, asks; it comes back to who wrote them."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from panel.panels.models import FamilyWords, Meeting
from panel.panels.note_models import NoteAnswer, NoteDelivery
from panel.panels.note_sending import send_notes
from panel.platform.clock import FixedClock
from panel.platform.sessions import start
from tests.conftest import SignIn
from tests.panels.note_world import (
    HELD,
    Client,
    Held,
    form_of,
    held,
    rows_of,
    signed,
    words,
)

__all__ = ["held"]


@pytest.fixture
async def note(held: Held) -> UUID:
    """A note, signed off and sent to both parents."""
    found = await signed(held)
    await send_notes(held.house.gate, "https://panel.example")
    return found


@pytest.fixture
def as_family(client: Client, held: Held, clock: FixedClock) -> Any:
    """Sign one of the family in: `await as_family(held.mother)`."""

    async def signed_in(person: UUID) -> Client:
        async with held.house.tenant.transaction() as session:
            token = await start(session, person, "family", clock.now())
        client.cookies.set("panel_session", token)
        return client

    return signed_in


async def answer(client: Client, path: str, **fields: str) -> Any:
    hidden = await form_of(client, path, path)
    return await client.post(path, data=hidden | fields)


async def test_new_notes_come_first_and_are_opened(held: Held, note: UUID, as_family: Any) -> None:
    mother = await as_family(held.mother)
    home = words(await mother.get("/family"))
    new = "New notes from the panel on Thursday 19 November 2026"
    assert home.index(new) < home.index("What happens next")
    read = await mother.get(f"/family/{held.child}/notes/{note}")
    assert "She sleeps well now." in read.text
    rows = {one.person_id: one for one in await rows_of(held, NoteDelivery)}
    assert rows[held.mother].state == "opened"
    assert rows[held.father].state == "waiting"
    home = words(await mother.get("/family"))
    assert "New notes" not in home
    assert "Notes from the panel on Thursday 19 November 2026" in home


async def test_a_parent_agrees(held: Held, note: UUID, as_family: Any) -> None:
    mother = await as_family(held.mother)
    path = f"/family/{held.child}/notes/{note}"
    done = await answer(mother, path, answer="agree", said="")
    assert "Thank you for telling us." in words(done)
    [row] = await rows_of(held, NoteAnswer)
    assert (row.answer, row.person_id) == ("agree", held.mother)
    assert "I agree with these notes." in words(done)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("disagree", "I do not agree with these notes."),
        ("could_not_say", "I could not say what I wanted to say."),
    ],
)
async def test_a_disagreement_opens_the_next_discussion(
    held: Held, note: UUID, as_family: Any, chosen: str, said: str
) -> None:
    mother = await as_family(held.mother)
    path = f"/family/{held.child}/notes/{note}"
    done = await answer(mother, path, answer=chosen, said="She does not sleep at all.")
    assert "The panel hears it first" in words(done)
    [told] = await rows_of(held, FamilyWords)
    assert told._text == (
        f"About the notes of 19 November 2026: {said}\nShe does not sleep at all."
    )
    assert told.family_member_id == held.mother
    async with held.house.as_("job") as session:
        meeting = await session.scalar(select(Meeting).where(Meeting.id == told.meeting_id))
    assert meeting is not None
    assert meeting.held_on > HELD


async def test_a_question_comes_to_the_coordinator_and_the_reply_back_to_that_person(
    held: Held, note: UUID, as_family: Any, sign_in: SignIn
) -> None:
    mother = await as_family(held.mother)
    path = f"/family/{held.child}/notes/{note}"
    await answer(mother, path, answer="question", said="When will she be seen?")
    await sign_in(held.house.viewers["coordinator"].id)
    home = words(await mother.get("/"))
    assert "question from families" in home
    page = await mother.get(held.page)
    assert "When will she be seen?" in page.text
    [row] = await rows_of(held, NoteAnswer)
    reply = f"{held.page}/answers/{row.id}/reply"
    fields = await form_of(mother, held.page, reply)
    leak = await mother.post(reply, data=fields | {"reply": "As Theo was, in May."})
    assert leak.status_code == 422
    assert "“Theo” cannot stay." in leak.text
    assert "As Theo was, in May." in leak.text
    done = await mother.post(reply, data=fields | {"reply": "On Monday at nine."})
    assert "On Monday at nine." in done.text
    await as_family(held.mother)
    assert "There is an answer for you." in words(await mother.get("/family"))
    assert "On Monday at nine." in words(await mother.get(path))
    await as_family(held.father)
    assert "On Monday at nine." not in (await mother.get(path)).text
    assert "When will she be seen?" not in (await mother.get(path)).text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"said": "Something"}, "Choose one"),
        ({"answer": "question", "said": " "}, "Write your question"),
        ({"answer": "disagree", "said": "a" * 1_801}, "must be 1,800 characters or fewer"),
        ({"answer": "maybe", "said": "Something"}, "There is a problem"),
    ],
)
async def test_what_cannot_be_kept_is_said_and_nothing_is_lost(
    held: Held, note: UUID, as_family: Any, fields: dict[str, str], sentence: str
) -> None:
    mother = await as_family(held.mother)
    refused = await answer(mother, f"/family/{held.child}/notes/{note}", **fields)
    assert refused.status_code == 422
    assert sentence in refused.text
    assert fields["said"].strip() in refused.text
    assert await rows_of(held, NoteAnswer) == []


async def test_the_same_form_twice_is_one_answer(held: Held, note: UUID, as_family: Any) -> None:
    mother = await as_family(held.mother)
    path = f"/family/{held.child}/notes/{note}"
    hidden = await form_of(mother, path, path)
    for _ in range(2):
        sent = await mother.post(path, data=hidden | {"answer": "agree", "said": "Yes"})
        assert sent.status_code == 200
    assert len(await rows_of(held, NoteAnswer)) == 1


async def test_a_note_that_is_not_theirs_is_not_there(
    held: Held, note: UUID, as_family: Any
) -> None:
    grandmother = await as_family(held.father)
    for wrong in (held.child, held.meeting):
        answered = await grandmother.get(f"/family/{held.child}/notes/{wrong}")
        assert answered.status_code == 404
    assert (await grandmother.get(f"/family/{held.meeting}/notes/{note}")).status_code == 404


async def test_a_draft_is_not_there_for_the_family(held: Held, as_family: Any) -> None:
    mother = await as_family(held.mother)
    assert "Notes from the panel" not in (await mother.get("/family")).text


async def test_of_two_versions_the_family_reads_the_newer(
    held: Held, note: UUID, as_family: Any, sign_in: SignIn
) -> None:
    client = await as_family(held.mother)
    await sign_in(held.house.viewers["lead"].id)
    again = f"{held.page}/again"
    await client.post(again, data=await form_of(client, held.page, again))
    fields = await form_of(client, held.page, held.page)
    await client.post(held.page, data=fields | {"text": "Amina sleeps badly."})
    path = f"{held.page}/sign-off"
    ways = {"way-1": "email", "hold-1": "no", "way-2": "letter", "hold-2": "no"}
    await client.post(path, data=await form_of(client, path, path) | ways)
    await as_family(held.mother)
    home = await client.get("/family")
    assert home.text.count("otes from the panel on") == 1
    assert f"/notes/{note}" not in home.text
