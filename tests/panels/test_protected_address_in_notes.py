"""Whom an address is kept from cannot learn it: not by page, PDF, e-mail, metadata or file name."""

import re
from datetime import UTC, datetime
from io import BytesIO

import pikepdf
import pytest

from panel.panels.note_document import FILE_NAME, note_pdf
from panel.panels.note_models import FamilyNote, NoteDelivery
from panel.panels.note_rules import Way
from panel.panels.note_sending import letter_of, mailbox, send_notes
from panel.panels.notes import Sending
from panel.platform.clock import FixedClock
from panel.platform.problems import Invalid
from panel.platform.sessions import start
from panel.register.models import FamilyMember
from tests.conftest import SignIn
from tests.panels.conftest import AddChild, House
from tests.panels.note_world import (
    PLAIN,
    SECRET,
    Client,
    Held,
    form_of,
    held_meeting,
    lead,
    protect,
    rows_of,
    signed,
    words,
)

__all__ = ["lead"]

SITE = "https://panel.example"
PARTS = ("Tern", "Harrow", "WX3", "9QR", "wx39qr", "Rosa", "Whitlow", "01632", "Health visiting")
"""Of the secret address, the school, and of who works with the child, which tells where she is."""


@pytest.fixture
async def held(house: House, add_child: AddChild) -> Held:
    """Amina's address, and who works with her, are protected from her father."""
    held = await held_meeting(house, add_child)
    await protect(held, held.father, "contact", "network")
    async with house.as_("job") as session:
        father = await session.get_one(FamilyMember, held.father)
        father.email = "ben@demo.example"
    return held


SAFE = "On Thursday 19 November 2026 the panel talked about Amina.\n\nShe sleeps well now."


@pytest.mark.parametrize(
    "leak",
    [
        "She lives at 14 Tern Street now.",
        "she lives at 14, tern street now.",
        "The postcode is WX3 9QR.",
        "The postcode is wx39qr.",
        "They moved to 14 Tern Street, Harrow Mill, WX3 9QR.",
    ],
)
async def test_a_note_with_the_address_cannot_be_signed_off(held: Held, leak: str) -> None:
    with pytest.raises(Invalid) as refused:
        await signed(held, f"{SAFE} {leak}")
    assert any("must come out" in one.sentence for one in refused.value.errors)


@pytest.mark.parametrize(
    "leak", ["Harrow Mill Infants will help.", "Rosa Whitlow will ring.", "Health visiting helps."]
)
async def test_what_could_tell_it_is_marked(held: Held, leak: str) -> None:
    with pytest.raises(Invalid):
        await signed(held, f"{SAFE} {leak}")


async def test_a_reason_does_not_let_the_address_stay(lead: Client, held: Held) -> None:
    fields = await form_of(lead, held.page, held.page)
    told = f"{SAFE} She lives at 14 Tern Street now."
    page = await lead.post(held.page, data=fields | {"text": told})
    assert "protected from somebody who gets this note" in page.text
    assert f'action="{held.page}/keep"' not in page.text
    version = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    await lead.post(
        f"{held.page}/keep",
        data=version | {"kind": "protected", "words": "14 Tern Street", "why": "I want to"},
    )
    path = f"{held.page}/sign-off"
    fields = await form_of(lead, path, path)
    ways = {"way-1": "email", "hold-1": "no", "way-2": "letter", "hold-2": "no"}
    refused = await lead.post(path, data=fields | ways)
    assert refused.status_code == 422
    [row] = await rows_of(held, FamilyNote)
    assert row.state == "draft"


async def test_the_draft_does_not_say_who_works_with_the_child(lead: Client, held: Held) -> None:
    page = await lead.get(held.page)
    text = page.text[page.text.index("<textarea") : page.text.index("</textarea>")]
    assert not [part for part in PARTS if part in text]


@pytest.mark.parametrize("way", [Way.EMAIL, Way.LETTER])
async def test_nothing_that_is_sent_tells_it(held: Held, way: Way) -> None:
    await signed(held, SAFE, {held.father: Sending(held.father, way)})
    assert await send_notes(held.house.gate, SITE) == 2
    async with held.house.as_("job") as session:
        [to_father] = [one for one in await mailbox(session) if "Ben" in one.to or "ben@" in one.to]
    whole = f"{to_father.to} {to_father.subject} {to_father.body}"
    assert not [part for part in PARTS if part in whole]
    assert "ask the people you know who help" in whole


async def test_the_letter_tells_it_neither_in_its_words_nor_in_its_properties(held: Held) -> None:
    await signed(held, SAFE, {held.father: Sending(held.father, Way.LETTER)})
    await send_notes(held.house.gate, SITE)
    [father] = [one for one in await rows_of(held, NoteDelivery) if one.person_id == held.father]
    async with held.house.as_("job") as session:
        letter = await letter_of(session, father.id)
    content = note_pdf(letter, "Testshire", datetime(2026, 11, 23, tzinfo=UTC))
    with pikepdf.open(BytesIO(content)) as opened:
        with opened.open_metadata() as metadata:
            about = " ".join(str(value) for value in metadata.values())
        everything = " ".join([about, repr(dict(opened.docinfo)), repr(opened.Root.keys())])
        for page in opened.pages:
            everything += repr(page.obj)
    everything += f"{letter.title} {letter.address} {letter.body} {FILE_NAME}"
    assert not [part for part in PARTS if part in everything]
    assert not [part for part in PARTS if part.encode() in content]


async def test_the_page_does_not_tell_it(held: Held, client: Client, clock: FixedClock) -> None:
    note = await signed(held, SAFE, {held.father: Sending(held.father, Way.LETTER)})
    await send_notes(held.house.gate, SITE)
    async with held.house.tenant.transaction() as session:
        client.cookies.set(
            "panel_session", await start(session, held.father, "family", clock.now())
        )
    home = await client.get("/family")
    assert "New notes from the panel on Thursday 19 November 2026" in home.text
    read = await client.get(f"/family/{held.child}/notes/{note}")
    assert "She sleeps well now." in read.text
    for page in (home, read):
        assert not [part for part in PARTS if part in page.text]
        assert not [part for part in PARTS if part in repr(page.headers)]


async def test_the_mother_may_know_what_is_hers(held: Held) -> None:
    await signed(held, SAFE)
    await send_notes(held.house.gate, SITE)
    async with held.house.as_("job") as session:
        [to_mother] = [one for one in await mailbox(session) if "marta" in one.to]
    assert "ring Rosa Whitlow on 01632 960 001" in to_mother.body
    assert SECRET not in to_mother.body


async def test_who_may_not_know_what_it_was_drafted_from_is_not_sent_it(
    house: House, add_child: AddChild, client: Client, sign_in: SignIn
) -> None:
    held = await held_meeting(house, add_child)
    await protect(held, held.father, "health")
    await sign_in(held.house.viewers["lead"].id)
    fields = await form_of(client, held.page, held.page)
    await client.post(held.page, data=fields | {"text": PLAIN})
    path = f"{held.page}/sign-off"
    assert "withheld from this person" in words(await client.get(path))
    ways = {"way-1": "email", "hold-1": "no", "way-2": "letter", "hold-2": "no"}
    done = await client.post(path, data=await form_of(client, path, path) | ways)
    assert "withheld from this person" in words(done)
    rows = {one.person_id: one for one in await rows_of(held, NoteDelivery)}
    assert rows[held.mother].state == "sent"
    assert (rows[held.father].state, rows[held.father].outbox_id) == ("waiting", None)


async def test_a_protection_that_comes_after_sign_off_stops_what_waits(
    house: House, add_child: AddChild
) -> None:
    held = await held_meeting(house, add_child)
    await signed(held)
    await protect(held, held.father, "panel")
    assert await send_notes(house.gate, SITE) == 1
    async with house.as_("job") as session:
        assert [one.to for one in await mailbox(session)] == ["marta@demo.example"]
