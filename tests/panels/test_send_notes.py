"""Each note reaches each recipient once: over mail-server failures, restarts and clock changes."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from sqlalchemy import select, text

from panel.commands.jobs import notes_to_families, sending
from panel.panels.note_document import note_pdf
from panel.panels.note_models import NoteDelivery
from panel.panels.note_rules import Way
from panel.panels.note_sending import (
    letter_of,
    mailbox,
    post_letters,
    send_notes,
    settle_deliveries,
)
from panel.panels.notes import Sending
from panel.platform import outbox
from panel.platform.clock import FixedClock
from panel.platform.jobs import run_due
from panel.platform.outbox import TRIES, Bounced, NotSent, send_due
from panel.platform.sessions import start
from panel.platform.tenancy import load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_access
from panel.register.models import Child, FamilyMember
from tests.conftest import SignIn
from tests.hostile.canary_pdf import pdf_text
from tests.panels.note_world import (
    Client,
    Held,
    Server,
    form_of,
    held,
    protect,
    rows_of,
    signed,
    words,
)

__all__ = ["held"]

SITE = "https://panel.example"


async def scheduler(held: Held, server: Server) -> list[str]:
    """One round of `panel jobs`."""
    put, settle = notes_to_families(held.house.gate, SITE)
    send = sending(server, held.house.gate, SITE)
    return await run_due(held.house.tenant, [put, send, settle], JOB)


async def states(held: Held) -> dict[str, str]:
    rows = {row.person_id: row.state for row in await rows_of(held, NoteDelivery)}
    return {"mother": rows[held.mother], "father": rows[held.father]}


async def test_an_email_says_nothing_of_the_child(held: Held) -> None:
    await signed(held)
    server = Server()
    await scheduler(held, server)
    [message] = server.taken.values()
    whole = message.as_string()
    assert message["To"] == "marta@demo.example"
    assert "New notes" in message["Subject"]
    assert f"{SITE}/family" in whole
    assert "ring Rosa Whitlow on 01632 960 001" in whole
    for told in ("Amina", "Kestrel", "sleeps", "panel talked", str(held.child)):
        assert told not in whole.replace("Panel", "")
    assert await states(held) == {"mother": "sent", "father": "waiting"}


async def test_a_letter_holds_the_note_and_nothing_in_it_but_the_text_names_anybody(
    held: Held,
) -> None:
    await signed(held)
    await send_notes(held.house.gate, SITE)
    rows = {row.person_id: row.id for row in await rows_of(held, NoteDelivery)}
    async with held.house.as_("job") as session:
        letter = await letter_of(session, rows[held.father])
    assert letter.address == "Ben Kestrel\n2 Old Lane\nMarlow"
    assert "She sleeps well now." in letter.body
    assert "ring Rosa Whitlow on 01632 960 001" in letter.body
    content = note_pdf(letter, "Testshire", letter.made_at)
    with pikepdf.open(BytesIO(content)) as opened:
        with opened.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == "Notes from the panel, 19 November 2026"
        assert "Kestrel" not in repr(dict(opened.docinfo))


async def test_over_failures_and_rounds_it_goes_once(held: Held, clock: FixedClock) -> None:
    await signed(held)
    server = Server(NotSent("The mail server did not take it."), NotSent("No."))
    for minutes in (0, 1, 2, 3, 10, 60, 61, 300):
        clock.set(datetime(2026, 11, 23, 10, 0, tzinfo=UTC) + timedelta(minutes=minutes))
        await scheduler(held, server)
    assert len(server.taken) == 1
    assert server.asked == 3
    assert (await states(held))["mother"] == "sent"


async def test_a_server_that_dies_between_taking_and_saying_so_gets_one_message_id(
    held: Held,
) -> None:
    await signed(held)
    await send_notes(held.house.gate, SITE)
    server = Server()

    class Killed(Exception):
        pass

    with pytest.raises(Killed):
        async with held.house.as_("job") as session:
            await send_due(session, server, session.info["now"])
            raise Killed
    async with held.house.as_("job") as session:
        await send_due(session, server, session.info["now"])
    assert server.asked == 2
    assert len(server.taken) == 1


async def test_a_restart_in_the_middle_of_putting_it_out_leaves_one_message(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    await signed(held)

    class Killed(Exception):
        pass

    put = outbox.put

    async def killed(*given: Any, **named: Any) -> bool:
        await put(*given, **named)
        raise Killed

    for _ in range(2):
        monkeypatch.setattr(outbox, "put", killed)
        with pytest.raises(Killed):
            await send_notes(held.house.gate, SITE)
        monkeypatch.undo()
    for _ in range(3):
        await send_notes(held.house.gate, SITE)
    async with held.house.as_("job") as session:
        kinds = sorted(await session.scalars(select(OutboxMessage.kind)))
    assert kinds == ["letter", "notes_ready"]


async def test_a_clock_that_goes_back_sends_nothing_twice_and_loses_nothing(
    held: Held, clock: FixedClock
) -> None:
    await signed(held)
    server = Server()
    noon = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    for minutes in (0, 1, -60, -59, -58, 2, 3, -1_440, 4):
        clock.set(noon + timedelta(minutes=minutes))
        await scheduler(held, server)
    assert len(server.taken) == 1
    assert server.asked == 1
    assert (await states(held))["mother"] == "sent"


async def test_two_schedulers_at_once_send_it_once(held: Held) -> None:
    await signed(held)
    server = Server()
    await asyncio.gather(*(scheduler(held, server) for _ in range(2)))
    assert server.asked == 1


async def test_what_comes_back_is_said_and_can_go_another_way(
    held: Held, client: Client, sign_in: SignIn
) -> None:
    await signed(held)
    refused = "The mail server says that there is no such address."
    server = Server(Bounced(refused))
    await scheduler(held, server)
    assert (await states(held))["mother"] == "bounced"
    await sign_in(held.house.viewers["coordinator"].id)
    page = await client.get(held.page)
    assert "Came back" in words(page)
    assert refused in page.text
    home = words(await client.get("/"))
    assert "1 copy not delivered, of the notes of 19 November 2026" in home
    [mother] = [one for one in await rows_of(held, NoteDelivery) if one.person_id == held.mother]
    again = f"{held.page}/deliveries/{mother.id}/send"
    fields = await form_of(client, held.page, again)
    for _ in range(2):
        await client.post(again, data=fields | {"way": "letter"})
    async with held.house.as_("job") as session:
        sent = [one for one in await mailbox(session) if "Marta" in one.to]
    assert len(sent) == 1
    assert sent[0].is_letter


async def test_a_server_that_never_answers_is_said_after_its_last_try(
    held: Held, clock: FixedClock
) -> None:
    await signed(held)
    server = Server(*[NotSent("The mail server did not take it.")] * TRIES)
    start = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    await scheduler(held, server)
    for hour in range(1, 30):
        clock.set(start + timedelta(hours=hour))
        await scheduler(held, server)
    assert server.asked == TRIES
    assert (await states(held))["mother"] == "bounced"


async def test_a_letter_is_sent_when_somebody_posted_it(
    held: Held, client: Client, sign_in: SignIn
) -> None:
    await signed(held)
    await send_notes(held.house.gate, SITE)
    await sign_in(held.house.viewers["coordinator"].id)
    rows = {row.person_id: row.id for row in await rows_of(held, NoteDelivery)}
    letter = f"{held.page}/deliveries/{rows[held.father]}"
    printed = await client.get(f"{letter}/letter")
    assert printed.status_code == 200
    assert printed.content.startswith(b"%PDF-")
    assert 'filename="notes-from-the-panel.pdf"' in printed.headers["content-disposition"]
    posted = await client.post(
        f"{letter}/posted", data=await form_of(client, held.page, f"{letter}/posted")
    )
    assert "Sent 23 November 2026" in words(posted)
    assert (await states(held))["father"] == "sent"


async def test_a_letter_is_printed_with_the_name_and_the_address_of_now(
    held: Held, client: Client, sign_in: SignIn
) -> None:
    await signed(held)
    await send_notes(held.house.gate, SITE)
    await sign_in(held.house.viewers["coordinator"].id)
    rows = {row.person_id: row.id for row in await rows_of(held, NoteDelivery)}
    letter = f"{held.page}/deliveries/{rows[held.father]}"
    for posted in (False, True):
        async with held.house.as_("job") as session:
            if posted:
                await post_letters(session, rows[held.father])
            await load_keys(session, {held.father})
            father = await session.get_one(FamilyMember, held.father)
            father.name, father.address = f"Newname {posted}", f"{posted} New Road"
        printed = await client.get(f"{letter}/letter")
        assert printed.status_code == 200, printed.text
        said = pdf_text(printed.content)
        assert f"Newname {posted}" in said
        assert f"{posted} New Road" in said


async def test_the_demonstrations_mailbox_shows_what_was_sent(held: Held, client: Client) -> None:
    await signed(held)
    await send_notes(held.house.gate, SITE)
    async with held.house.as_("job") as session:
        await post_letters(session)
        await settle_deliveries(session)
    page = await client.get("/demo/mailbox")
    said = words(page)
    assert "marta@demo.example" in said
    assert "Ben Kestrel" in said
    [father] = [one for one in await rows_of(held, NoteDelivery) if one.person_id == held.father]
    letter = await client.get(f"/demo/mailbox/{father.id}")
    assert letter.content.startswith(b"%PDF-")


async def test_a_young_person_of_16_gets_them_in_their_own_right(
    held: Held, client: Client, clock: FixedClock
) -> None:
    async with held.house.as_("job") as session:
        child = await session.get_one(Child, held.child)
        child.birth_date = date(2010, 6, 15)
        await session.execute(text("UPDATE family_link SET from_on = '2010-06-15'"))
        await rewrite_access(session, held.child)
    await signed(held, ways={held.child: Sending(held.child, Way.LETTER)})
    await send_notes(held.house.gate, SITE)
    rows = {row.person_id: row for row in await rows_of(held, NoteDelivery)}
    assert set(rows) == {held.child, held.mother, held.father}
    async with held.house.as_("job") as session:
        letter = await letter_of(session, rows[held.child].id)
    assert letter.address.startswith("Amina Kestrel\n14 Tern Street")
    async with held.house.tenant.transaction() as session:
        token = await start(session, held.child, "family", clock.now())
    client.cookies.set("panel_session", token)
    page = await client.get("/family")
    assert "New notes from the panel on Thursday 19 November 2026" in page.text


async def test_who_may_not_see_the_address_does_not_print_the_letter(
    held: Held, client: Client, sign_in: SignIn
) -> None:
    await signed(held)
    await send_notes(held.house.gate, SITE)
    await protect(held, held.house.viewers["coordinator"].id, "contact")
    await sign_in(held.house.viewers["coordinator"].id)
    rows = {row.person_id: row.id for row in await rows_of(held, NoteDelivery)}
    refused = await client.get(f"{held.page}/deliveries/{rows[held.father]}/letter")
    assert refused.status_code == 403
    assert "2 Old Lane" not in refused.text


async def test_what_cannot_go_is_decided_once_and_waits_for_a_person(held: Held) -> None:
    await protect(held, held.father, "panel")
    await signed(held)
    for _ in range(3):
        await send_notes(held.house.gate, SITE)
    async with held.house.as_("job") as session:
        looks = await session.scalar(
            text("SELECT count(*) FROM access_event WHERE viewer_id = :father"),
            {"father": held.father},
        )
    assert looks == 1
