"""Notes that went to the wrong person: closed at once, recorded, seen to step by step."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from panel.panels.note_models import FamilyNote, Incident, NoteDelivery
from panel.panels.note_rules import Step
from panel.panels.note_sending import mailbox, send_notes
from panel.platform.clock import FixedClock
from panel.platform.outbox import send_due
from panel.platform.sessions import start
from panel.platform.work_tables import OutboxMessage
from tests.conftest import SignIn
from tests.panels.note_world import Client, Held, Server, form_of, held, rows_of, signed, words

__all__ = ["held"]

SITE = "https://panel.example"


async def copy_of(held: Held, person: UUID) -> NoteDelivery:
    rows: list[NoteDelivery] = await rows_of(held, NoteDelivery)
    return next(one for one in rows if one.person_id == person)


async def recall(client: Client, held: Held, person: UUID, kind: str, what: str = "He rang") -> str:
    path = f"{held.page}/deliveries/{(await copy_of(held, person)).id}/recall"
    fields = await form_of(client, path, path)
    done = await client.post(path, data=fields | {"kind": kind, "what": what})
    return words(done)


async def test_a_copy_is_closed_at_once_and_an_incident_is_recorded(
    held: Held, client: Client, sign_in: SignIn, clock: FixedClock
) -> None:
    note = await signed(held)
    await send_notes(held.house.gate, SITE)
    await sign_in(held.house.viewers["coordinator"].id)
    page = await recall(client, held, held.father, "wrong_address", "It went to 2 New Lane.")
    assert "It went to a wrong address" in page
    assert "26 November 2026 at 9:30: 72 hours left of 72." in page
    assert "It went to 2 New Lane." in page
    assert (await copy_of(held, held.father)).state == "recalled"
    assert (await copy_of(held, held.mother)).state == "waiting"
    [incident] = await rows_of(held, Incident)
    assert (incident.kind, incident.state) == ("wrong_address", "open")
    assert b"New Lane" not in incident.what_sealed
    async with held.house.tenant.transaction() as session:
        client.cookies.set(
            "panel_session", await start(session, held.father, "family", clock.now())
        )
    assert "otes from the panel on" not in (await client.get("/family")).text
    assert (await client.get(f"/family/{held.child}/notes/{note}")).status_code == 404


async def test_a_note_about_another_child_is_closed_for_everybody(
    held: Held, client: Client, sign_in: SignIn
) -> None:
    await signed(held)
    await sign_in(held.house.viewers["lead"].id)
    page = await recall(client, held, held.mother, "wrong_child")
    assert "This note was recalled." in page
    [note] = await rows_of(held, FamilyNote)
    assert note.state == "recalled"
    assert {(await copy_of(held, one)).state for one in (held.mother, held.father)} == {"recalled"}


async def test_a_message_that_waits_does_not_go(
    held: Held, client: Client, sign_in: SignIn
) -> None:
    await signed(held)
    await send_notes(held.house.gate, SITE)
    await sign_in(held.house.viewers["coordinator"].id)
    await recall(client, held, held.mother, "wrong_person")
    server = Server()
    async with held.house.as_("job") as session:
        await send_due(session, server, session.info["now"])
        assert len(await mailbox(session)) == 2
        [stopped] = await session.scalars(
            select(OutboxMessage).where(OutboxMessage.failure.is_not(None))
        )
    assert server.asked == 0
    assert stopped.failure == "Recalled before it went."


async def test_nothing_more_is_put_out_of_what_was_recalled_before_it_was_sent(
    held: Held, client: Client, sign_in: SignIn
) -> None:
    await signed(held)
    await sign_in(held.house.viewers["coordinator"].id)
    await recall(client, held, held.mother, "wrong_person")
    assert await send_notes(held.house.gate, SITE) == 1
    async with held.house.as_("job") as session:
        assert "marta@demo.example" not in [one.to for one in await mailbox(session)]


async def test_the_steps_are_taken_one_by_one_and_close_it(
    held: Held, client: Client, sign_in: SignIn, clock: FixedClock
) -> None:
    await signed(held)
    await sign_in(held.house.viewers["coordinator"].id)
    await recall(client, held, held.father, "wrong_person")
    [incident] = await rows_of(held, Incident)
    step = f"{held.page}/incidents/{incident.id}/step"
    clock.set(datetime(2026, 11, 27, 9, 30, tzinfo=UTC))
    await sign_in(held.house.viewers["coordinator"].id)
    late = words(await client.get(held.page))
    assert "The 72 hours to tell the ICO ended on 26 November 2026 at 9:30" in late
    for one in list(Step)[1:]:
        fields = await form_of(client, held.page, step)
        page = await client.post(step, data=fields | {"step": one.value})
        assert page.status_code == 200
    [incident] = await rows_of(held, Incident)
    assert incident.state == "closed"
    assert incident.steps[Step.STOPPED] == "2026-11-23"
    assert incident.steps[Step.PUT_RIGHT] == "2026-11-27"


async def test_what_happened_must_be_said(held: Held, client: Client, sign_in: SignIn) -> None:
    await signed(held)
    await sign_in(held.house.viewers["coordinator"].id)
    path = f"{held.page}/deliveries/{(await copy_of(held, held.father)).id}/recall"
    fields = await form_of(client, path, path)
    refused = await client.post(path, data=fields | {"kind": "wrong_person", "what": ""})
    assert refused.status_code == 422
    assert "Say what happened, as far as you know" in refused.text
    assert await rows_of(held, Incident) == []


async def test_a_copy_is_recalled_once(held: Held, client: Client, sign_in: SignIn) -> None:
    await signed(held)
    await sign_in(held.house.viewers["coordinator"].id)
    path = f"{held.page}/deliveries/{(await copy_of(held, held.father)).id}/recall"
    fields = await form_of(client, path, path) | {"kind": "wrong_person", "what": "He rang"}
    first = await client.post(path, data=fields)
    again = await client.post(path, data=fields)
    assert (first.status_code, again.status_code) == (200, 200)
    assert len(await rows_of(held, Incident)) == 1
