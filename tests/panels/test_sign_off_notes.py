"""Sign-off: every mark removed or kept with a reason, who gets it, whom it is held back from."""

from datetime import date

import pytest
from sqlalchemy import text

from consent import ChildStanding, ParentalBasis, ParentalResponsibility, Span
from consent.standing import AGE_OF_MAJORITY
from panel.panels.note_models import FamilyNote, NoteDelivery
from panel.panels.note_rules import (
    HeldBack,
    Recipient,
    Way,
    recipients,
    usual_way,
)
from panel.platform.ids import new_id
from panel.platform.problems import Invalid
from panel.records.gate import rewrite_access
from panel.register.models import FamilyMember
from tests.conftest import SignIn
from tests.panels.note_world import (
    PLAIN,
    Client,
    Held,
    form_of,
    held,
    lead,
    rows_of,
    signed,
    words,
)

__all__ = ["held", "lead"]

DAY = date(2026, 11, 23)


async def save(client: Client, held: Held, text: str) -> None:
    fields = await form_of(client, held.page, held.page)
    assert (await client.post(held.page, data=fields | {"text": text})).status_code == 200


def test_each_with_responsibility_and_a_young_person_get_it() -> None:
    child, mother, father, aunt = (new_id() for _ in range(4))
    held = (
        ParentalResponsibility(mother, ParentalBasis.BIRTH_MOTHER, Span()),
        ParentalResponsibility(father, None, Span()),
    )
    ties = [(mother, "mother"), (father, "father"), (aunt, "aunt"), (mother, "mother")]
    young = ChildStanding(child, date(2022, 6, 15), held)
    assert recipients(young, ties, DAY) == (Recipient(mother, "mother"),)
    of_16 = ChildStanding(child, date(2010, 11, 23), held)
    assert recipients(of_16, ties, DAY) == (
        Recipient(child, "", is_self=True),
        Recipient(mother, "mother"),
    )
    of_age = ChildStanding(child, date(2026 - AGE_OF_MAJORITY, 11, 23), held)
    assert recipients(of_age, ties, DAY) == (Recipient(child, "", is_self=True),)


def test_the_way_is_by_their_own_safe_contact() -> None:
    assert usual_way(has_email=True, safe_contact="") is Way.EMAIL
    assert usual_way(has_email=False, safe_contact="") is Way.LETTER
    assert usual_way(has_email=True, safe_contact="E-mail.") is Way.EMAIL
    assert usual_way(has_email=True, safe_contact="By post") is Way.LETTER
    assert usual_way(has_email=False, safe_contact="e-mail") is None
    assert usual_way(has_email=True, safe_contact="E-mail, never at the weekend") is None


async def test_a_marked_place_keeps_it_from_being_signed_off(lead: Client, held: Held) -> None:
    await save(lead, held, f"{PLAIN} She plays with theo. The neighbour helps.")
    page = words(await lead.get(held.page))
    assert "2 places to look at before sign-off" in page
    assert "It may be the name of another child, or of somebody who is not the child" in page
    path = f"{held.page}/sign-off"
    fields = await form_of(lead, path, path)
    refused = await lead.post(path, data=fields | sent("email", "letter"))
    assert refused.status_code == 422
    assert "“theo” is marked: take it out, or keep it with a reason" in refused.text
    [row] = await rows_of(held, FamilyNote)
    assert row.state == "draft"


async def test_what_is_marked_may_stay_with_a_reason(lead: Client, held: Held) -> None:
    await save(lead, held, f"{PLAIN} The outcomes are good.")
    keep = f"{held.page}/keep"
    fields = await form_of(lead, held.page, keep)
    missing = await lead.post(keep, data=fields | {"why": " "})
    assert missing.status_code == 422
    assert "Say why it stays in the note" in missing.text
    kept = await lead.post(keep, data=fields | {"why": "They use the word themselves"})
    assert "Nothing is marked" in words(kept)
    assert "They use the word themselves" in kept.text
    path = f"{held.page}/sign-off"
    done = await lead.post(path, data=await form_of(lead, path, path) | sent("email", "letter"))
    assert done.status_code == 200
    assert "signed off by Rosa Whitlow" in words(done)


def sent(*ways: str, **more: str) -> dict[str, str]:
    """What the page of sign-off posts: a way each, and nothing held back."""
    fields = {f"way-{place}": way for place, way in enumerate(ways, 1)}
    fields |= {f"hold-{place}": "no" for place in range(1, len(ways) + 1)}
    return fields | {name.replace("_", "-"): value for name, value in more.items()}


async def test_a_signed_off_note_stays_and_a_new_version_stands_beside_it(
    lead: Client, held: Held
) -> None:
    await signed(held)
    again = f"{held.page}/again"
    fields = await form_of(lead, held.page, again)
    for _ in range(2):
        page = await lead.post(again, data=fields)
    assert "<textarea" in page.text
    await save(lead, held, f"{PLAIN} It was a good day.")
    first, second = await rows_of(held, FamilyNote)
    assert (first.state, first.number, first._text) == ("signed_off", 1, PLAIN)
    assert (second.state, second.number) == ("draft", 2)


async def test_a_signed_off_note_is_not_written_over(lead: Client, held: Held) -> None:
    await save(lead, held, PLAIN)
    fields = await form_of(lead, held.page, held.page)
    path = f"{held.page}/sign-off"
    await lead.post(path, data=await form_of(lead, path, path) | sent("email", "letter"))
    late = await lead.post(held.page, data=fields | {"text": "Something else."})
    assert late.status_code == 409
    [row] = await rows_of(held, FamilyNote)
    assert row._text == PLAIN


async def test_it_is_held_back_only_by_a_test_with_a_reason(lead: Client, held: Held) -> None:
    await save(lead, held, PLAIN)
    path = f"{held.page}/sign-off"
    fields = await form_of(lead, path, path)
    refused = await lead.post(
        path, data=fields | sent("email", "letter", hold_2="serious_harm", why_2="")
    )
    assert refused.status_code == 422
    assert "Say why the note is held back" in refused.text
    done = await lead.post(
        path,
        data=fields | sent("email", "letter", hold_2="serious_harm", why_2="He was violent in May"),
    )
    page = words(done)
    assert "Held back" in page
    assert "He was violent in May Held back by Rosa Whitlow." in page
    rows = {row.person_id: row for row in await rows_of(held, NoteDelivery)}
    assert rows[held.father].state == "held_back"
    assert rows[held.father].held_back_test == HeldBack.SERIOUS_HARM
    assert b"violent" not in rows[held.father].held_back_why_sealed
    assert rows[held.mother].held_back_test is None


async def test_words_on_safe_contact_are_read_by_a_person(lead: Client, held: Held) -> None:
    async with held.house.as_("job") as session:
        mother = await session.get_one(FamilyMember, held.mother)
        mother.safe_contact = "Never post anything. E-mail after nine."
    await save(lead, held, PLAIN)
    path = f"{held.page}/sign-off"
    page = await lead.get(path)
    assert "Never post anything. E-mail after nine." in page.text
    fields = await form_of(lead, path, path)
    unsaid = sent("email", "letter")
    del unsaid["way-1"]
    refused = await lead.post(path, data=fields | unsaid)
    assert refused.status_code == 422
    assert "Select how they are reached safely" in refused.text


async def test_the_same_form_twice_signs_off_once(lead: Client, held: Held) -> None:
    await save(lead, held, PLAIN)
    path = f"{held.page}/sign-off"
    fields = await form_of(lead, path, path) | sent("email", "letter")
    for _ in range(2):
        assert (await lead.post(path, data=fields)).status_code == 200
    assert len(await rows_of(held, NoteDelivery)) == 2


async def test_recipients_other_than_those_of_the_page_are_refused(
    lead: Client, held: Held
) -> None:
    await save(lead, held, PLAIN)
    path = f"{held.page}/sign-off"
    fields = await form_of(lead, path, path) | sent("email", "letter")
    for wrong in ({"person-1": str(new_id())}, {"person-9": str(new_id())}):
        refused = await lead.post(path, data=fields | wrong)
        assert refused.status_code == 422
    assert await rows_of(held, NoteDelivery) == []


async def test_an_empty_note_is_not_signed_off(held: Held) -> None:
    with pytest.raises(Invalid):
        await signed(held, " ")


async def test_with_nobody_to_send_it_to_it_stays_a_draft(lead: Client, held: Held) -> None:
    async with held.house.as_("job") as session:
        await session.execute(text("UPDATE family_link SET parental_responsibility = false"))
        await rewrite_access(session, held.child)
    await save(lead, held, PLAIN)
    path = f"{held.page}/sign-off"
    assert "Nobody is recorded who could be sent this note." in words(await lead.get(path))
    refused = await lead.post(path, data=await form_of(lead, path, path))
    assert refused.status_code == 422
    [row] = await rows_of(held, FamilyNote)
    assert row.state == "draft"


async def test_the_coordinator_may_sign_off_what_the_lead_wrote(
    client: Client, held: Held, sign_in: SignIn
) -> None:
    await sign_in(held.house.viewers["lead"].id)
    await save(client, held, PLAIN)
    await sign_in(held.house.viewers["coordinator"].id)
    path = f"{held.page}/sign-off"
    done = await client.post(path, data=await form_of(client, path, path) | sent("email", "letter"))
    assert "signed off by Ada Quill" in words(done)
