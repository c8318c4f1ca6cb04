"""People at the table write down what is said of a child, and take back what was wrong."""

import asyncio
import re
from uuid import UUID

import pytest
from sqlalchemy import select, text

from consent import Category
from panel.panels.attendance import table_of
from panel.panels.calendar import meeting_on
from panel.panels.holding import at_item, contribute
from panel.panels.meeting_reading import meeting_view, shared_view_of
from panel.panels.meeting_rules import Heading, recording_mistake
from panel.panels.models import Discussion
from panel.platform.ids import new_id
from panel.platform.problems import Problem
from panel.sharing.models import SharingAgreement, SharingRestriction
from tests.panels.conftest import NEXT_MEETING
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


async def test_several_write_each_under_their_own_agency(hall: Hall) -> None:
    await hall.begin("chair", "member", "social")
    for who, said in (
        ("coordinator", "Hana has visited two schools."),
        ("member", "A radio aid takes six weeks."),
        ("social", "We have no concerns."),
    ):
        await hall.as_(who)
        hall.clock.set(hall.clock.now() + MINUTE)
        answer = await hall.say("Amina", said)
        assert answer.status_code == 200
        assert said in answer.text
    page = (await hall.get(hall.screen("Amina"))).text
    assert "Ada Quill, Wexcombe Council, 9:31" in page
    assert "Cleo Nightingale, Early years inclusion, 9:32" in page
    assert "Tom Brackenbury, Children&#39;s social care, 9:33" in page
    assert [text for _, _, text in await hall.said("Amina")] == [
        "Hana has visited two schools.",
        "A radio aid takes six weeks.",
        "We have no concerns.",
    ]
    assert await hall.said("Theo") == []


async def test_what_it_is_about_and_for_the_familys_notes(hall: Hall) -> None:
    await hall.begin("member")
    page = await hall.say("Amina", "Glasses ordered", category="health", for_family="yes")
    assert "· Health · for the family’s notes" in page.text
    needs = await hall.send(
        hall.screen("Amina"),
        f"{hall.screen('Amina')}/say",
        {"needs_to_know-text": "Teacher of the deaf: now"},
        number=1,
    )
    assert "Teacher of the deaf: now" in needs.text
    assert await hall.said("Amina") == [
        ("discussion", "health", "Glasses ordered"),
        ("needs_to_know", "panel", "Teacher of the deaf: now"),
    ]


async def test_sent_twice_it_is_kept_once(hall: Hall) -> None:
    await hall.begin("member")
    screen = hall.screen("Amina")
    fields = await hall.form(screen, f"{screen}/say")
    said = {"text": "Once is enough"}
    for _ in range(2):
        assert (await hall.client.post(f"{screen}/say", data=fields | said)).status_code == 200
    # Sent again from elsewhere, with another form but the same id of the browser's.
    other = await hall.form(screen, f"{screen}/say")
    again = other | said | {"client_id": fields["client_id"]}
    assert (await hall.client.post(f"{screen}/say", data=again)).status_code == 200
    assert len(await hall.said("Amina")) == 1


async def test_the_same_id_for_another_child_is_refused(hall: Hall) -> None:
    await hall.begin("member")
    first = await hall.form(hall.screen("Amina"), f"{hall.screen('Amina')}/say")
    await hall.client.post(f"{hall.screen('Amina')}/say", data=first | {"text": "Of Amina"})
    stolen = {"client_id": first["client_id"]}
    refused = await hall.say("Theo", "Of Theo", **stolen)
    assert refused.status_code == 409
    assert "This form was used already" in refused.text
    await hall.as_("member")
    refused = await hall.say("Amina", "Another’s words", **stolen)
    assert refused.status_code == 409
    assert [text for _, _, text in await hall.said("Amina")] == ["Of Amina"]


async def test_at_the_same_moment_it_is_kept_once(hall: Hall) -> None:
    await hall.begin("member")
    same = new_id()
    await asyncio.gather(*(write(hall, "At once", client_id=same) for _ in range(3)))
    assert [text for _, _, text in await hall.said("Amina")] == ["At once"]


async def write(
    hall: Hall, text: str, *, heading: str = Heading.DISCUSSION, client_id: UUID
) -> None:
    """The coordinator adds to Amina's item, past the pages."""
    house, viewer = hall.house, hall.house.viewers["coordinator"]
    async with house.tenant.transaction(viewer.id) as session:
        panel = await house.panel(session)
        view = await meeting_view(house.gate, session, panel, NEXT_MEETING, viewer)
        shared = await shared_view_of(
            house.gate, session, view, hall.child("Amina"), viewer, "tried it"
        )
        await contribute(
            await at_item(panel, view.meeting, view.table, shared),
            text=text,
            heading=heading,
            category=Category.PANEL,
            for_family=False,
            client_id=client_id,
        )


async def test_ones_own_is_taken_back_with_a_reason(hall: Hall) -> None:
    await hall.begin("member")
    await hall.say("Amina", "This was about somebody else")
    screen = hall.screen("Amina")
    page = (await hall.get(screen)).text
    found = re.search(r'action="([^"]+/take-back)"', page)
    assert found is not None
    silent = await hall.send(screen, found[1])
    assert silent.status_code == 422
    assert "Say why you take this back" in mistakes(silent)
    await hall.as_("member")
    assert "/take-back" not in (await hall.get(screen)).text
    own = await hall.form(screen, f"{screen}/say")
    foreign = {"_csrf_token": own["_csrf_token"], "why": "Not mine"}
    assert (await hall.client.post(found[1], data=foreign)).status_code == 403
    await hall.as_("coordinator")
    back = await hall.send(screen, found[1], {"why": "Wrong child"})
    assert "Taken back at 9:30." in back.text
    assert "This was about somebody else" not in back.text
    # The trail keeps both the words and the reason.
    async with hall.house.opened("Amina", "coordinator") as access:
        row = await access.session.scalar(select(Discussion))
        assert row is not None
        assert (row.text, row.taken_back_why) == ("This was about somebody else", "Wrong child")
        assert row.taken_back_by == access.viewer.id


# Bad input ----------------------------------------------------------------------------------------


async def test_a_very_long_discussion_is_refused_and_nothing_else_is_lost(hall: Hall) -> None:
    await hall.begin("member")
    await hall.say("Amina", "Kept from before")
    wrong = await hall.say("Amina", "x" * 200_000, category="health", for_family="yes")
    assert wrong.status_code == 422
    assert "What you write must be 20,000 characters or fewer" in mistakes(wrong)
    assert "x" * 200_000 in wrong.text
    assert 'value="health" selected' in wrong.text
    assert 'href="#discussion-text"' in wrong.text
    assert "Kept from before" in wrong.text
    assert len(await hall.said("Amina")) == 1
    assert (await hall.say("Amina", "y" * 20_000)).status_code == 200


async def test_a_paste_from_word_is_cleaned(hall: Hall) -> None:
    await hall.begin("member")
    pasted = "“Smart” – quotes\x00 stay…\r\nA second line\x0bin the same paragraph\x07\r\n\r\nEnd  "
    await hall.say("Amina", pasted)
    (said,) = await hall.said("Amina")
    assert said[2] == ("“Smart” – quotes stay…\nA second line\nin the same paragraph\n\nEnd")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"text": "  "}, "Write what was said"),
        ({"text": "x", "category": "gossip"}, "Select what it is about"),
        ({"text": "x", "heading": "allocation"}, "Select heading"),
        ({"text": "x", "allocation": "2 nights"}, "this form sent something that the page does"),
        ({"text": "x", "client_id": "1"}, "Choose client id from the list"),
    ],
)
async def test_what_does_not_belong_is_refused(
    hall: Hall, said: dict[str, str], sentence: str
) -> None:
    await hall.begin("member")
    wrong = await hall.send(hall.screen("Amina"), f"{hall.screen('Amina')}/say", said)
    assert wrong.status_code == 422
    assert sentence in mistakes(wrong)
    assert await hall.said("Amina") == []


# CONTACTS decides nothing -----------------------------------------------------------------------


@pytest.mark.parametrize("heading", ["allocation", "resources"])
async def test_contacts_records_no_allocation(hall: Hall, heading: str) -> None:
    assert "CONTACTS decides nothing" in recording_mistake("contacts", heading)
    assert not recording_mistake("allocation", heading)
    await hall.begin("member")
    with pytest.raises(Problem, match="CONTACTS decides nothing"):
        await write(hall, "Six nights of short breaks", heading=heading, client_id=new_id())
    page = (await hall.get(hall.screen("Amina"))).text.lower()
    for word in ("allocat", "budget", "cost", "resource"):
        assert word not in page


# Who may, and who leaves -------------------------------------------------------------------------


async def test_who_is_not_here_adds_nothing(hall: Hall) -> None:
    await hall.begin("member")
    screen = hall.screen("Amina")
    fields = await hall.form(screen, f"{screen}/say")
    await hall.as_("social")
    away = await hall.get(screen)
    assert away.status_code == 403
    assert "You are not written down as here." in away.text
    assert "Amina" not in away.text
    token = (await hall.form(MEETING, "/sign-out"))["_csrf_token"]
    refused = await hall.client.post(
        f"{screen}/say", data=fields | {"_csrf_token": token, "text": "From afar"}
    )
    assert refused.status_code == 403
    assert await hall.said("Amina") == []


async def test_a_member_does_what_a_member_may(hall: Hall) -> None:
    await hall.begin("member")
    screen = hall.screen("Amina")
    await hall.as_("member")
    page = (await hall.get(screen)).text
    for step in ("done", "review", "needs-to-know"):
        assert f"{screen}/{step}" not in page
        token = (await hall.form(screen, f"{screen}/say"))["_csrf_token"]
        fields = {
            "_csrf_token": token,
            "version": "1",
            "review_by": "2027-03-01",
            "review_why": "x",
            "agency": str(hall.house.agencies["council"]),
        }
        wanted = {
            "done": ("_csrf_token",),
            "review": ("_csrf_token", "version", "review_by", "review_why"),
            "needs-to-know": ("_csrf_token", "agency"),
        }[step]
        sent = {name: fields[name] for name in wanted}
        assert (await hall.client.post(f"{screen}/{step}", data=sent)).status_code == 403
    assert (await hall.item("Amina")).state == "listed"


async def test_whoever_declares_an_interest_leaves_the_item(hall: Hall) -> None:
    await hall.begin("member")
    screen = hall.screen("Amina")
    await hall.as_("member")
    fields = await hall.form(screen, f"{screen}/say")
    said = {"reason": "She is my niece"}
    gone = await hall.send(screen, f"{screen}/interest", said)
    assert "You declared an interest in this child, so you leave this item" in gone.text
    assert "<textarea" not in gone.text
    refused = await hall.client.post(f"{screen}/say", data=fields | {"text": "She is lovely"})
    assert refused.status_code == 403
    assert (await hall.get(hall.screen("Theo"))).text.count("<textarea") == 2
    await hall.as_("coordinator")
    page = (await hall.get(screen)).text
    assert "Left this item, having declared an interest: Cleo Nightingale." in page
    assert "my niece" not in page
    await hall.send(screen, f"{screen}/interest/take-back")
    await hall.as_("member")
    assert (await hall.say("Amina", "It was another Amina")).status_code == 200


async def test_whoever_left_the_item_does_not_read_it_in_the_minutes(hall: Hall) -> None:
    await hall.begin("member")
    await hall.as_("member")
    await hall.send(
        hall.screen("Amina"), f"{hall.screen('Amina')}/interest", {"reason": "She is my niece"}
    )
    await hall.as_("coordinator")
    for name in ("Amina", "Theo"):
        await hall.say(name, f"What was said of {name}.")
        await hall.send(hall.screen(name), f"{hall.screen(name)}/done")
    await hall.send(MEETING, f"{MEETING}/end")
    assert "What was said of Amina." in (await hall.get(MINUTES)).text
    await hall.as_("member")
    minutes = (await hall.get(MINUTES)).text
    assert "Cleo Nightingale left this item, having declared an interest." in minutes
    assert "What was said of Theo." in minutes
    assert "What was said of Amina." not in minutes


async def test_an_interest_is_ones_own_to_declare(hall: Hall) -> None:
    await hall.begin("member", "social")
    await hall.as_("member")
    screen = hall.screen("Amina")
    said = {"worker": str(hall.house.viewers["social"].id), "reason": "They know her"}
    wrong = await hall.send(screen, f"{screen}/interest", said)
    assert wrong.status_code == 422
    await hall.as_("social")
    assert (await hall.say("Amina", "I stay")).status_code == 200


# What the screen shows ----------------------------------------------------------------------------


async def test_the_screen_shows_what_everybody_here_may_see(hall: Hall) -> None:
    house = hall.house
    async with house.as_("job") as session:
        session.add(
            SharingRestriction(
                child_id=hall.child("Amina"),
                kind="choice",
                categories=["health"],
                against=[house.agencies["social-care"]],
                from_on=BEGINS.date(),
                by_words="Her mother",
            )
        )
    await hall.begin("chair", "member")
    assert "Glasses" in (await hall.say("Amina", "Glasses ordered", category="health")).text
    # Social care comes in: health goes off the screen, for everybody.
    await hall.tick("coordinator", "chair", "member", "social")
    page = (await hall.get(hall.screen("Amina"))).text
    assert "Glasses ordered" not in page
    assert "Kept, and not shown on this screen." in page
    assert "Not everybody at this meeting may see this." in page
    assert "Health" in page.split("Not shown here")[1]
    await hall.as_("social")
    theirs = (await hall.get(hall.screen("Amina"))).text
    assert "Glasses ordered" not in theirs


async def test_what_is_kept_from_one_by_name_is_off_the_screen_in_silence(hall: Hall) -> None:
    house = hall.house
    async with house.as_("job") as session:
        session.add(
            SharingRestriction(
                child_id=hall.child("Amina"),
                kind="protection",
                categories=["identity", "health"],
                against=[house.viewers["second"].id],
                from_on=BEGINS.date(),
                by_words="A court",
                silent=True,
            )
        )
    await hall.begin("chair", "member")
    assert "Amina Kestrel" in (await hall.get(hall.screen("Amina"))).text
    await hall.tick("coordinator", "chair", "member", "second")
    page = (await hall.get(hall.screen("Amina"))).text
    assert "Amina" not in page
    assert "C-1001" in page
    assert "court" not in page.lower()


async def test_a_look_at_a_screen_is_in_the_childs_history(hall: Hall) -> None:
    await hall.begin("member")
    await hall.get(hall.screen("Amina"))
    async with hall.house.as_("job") as session:
        looks = await session.execute(
            text("SELECT DISTINCT doing FROM access_event WHERE child_id = :child"),
            {"child": hall.child("Amina")},
        )
    assert "held the meeting of Thursday 3 December 2026" in set(looks.scalars())


async def test_without_an_agreement_the_table_sees_the_reference(hall: Hall) -> None:
    async with hall.house.as_("job") as session:
        agreement = await session.scalar(
            select(SharingAgreement).where(SharingAgreement.child_id == hall.child("Amina"))
        )
        assert agreement is not None
        agreement.withdrawn_at = BEGINS
    await hall.begin("member")
    page = (await hall.get(hall.screen("Amina"))).text
    assert "Amina" not in page
    assert "Not shown here" in page
    assert "C-1001" in page


async def test_the_table_is_judged_as_it_is_now(hall: Hall) -> None:
    await hall.begin("member", "social")
    async with hall.house.as_("coordinator") as session:
        panel = await hall.house.panel(session)
        meeting = await meeting_on(session, panel, NEXT_MEETING)
        table = await table_of(session, panel, meeting)
    viewer = hall.house.viewers["coordinator"]
    looking = table.looking(viewer)
    assert {one.viewer.id for one in looking} == {
        hall.house.viewers[who].id for who in ("coordinator", "member", "social")
    }
    assert [one.runs for one in looking if one.viewer.id == viewer.id] == [True]
