"""A meeting asks people to do something by a day, and says who else needs to know."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from consent import Role
from panel.accounts.service import add_agency
from panel.panels.meeting_rules import Suggested, action_due_mistake, owner_named
from panel.plans.models import Action
from panel.platform.ids import new_id
from panel.register.models import Involvement
from panel.sharing.models import AccessRequest, SharingAgreement
from tests.panels.conftest import NEXT_MEETING
from tests.panels.meeting_world import BEGINS, MINUTES, Hall, hall, mistakes

__all__ = ["hall"]

HANA = Suggested(new_id(), "Hana Oduya", "Early years inclusion")
OTHER = Suggested(new_id(), "Hana Oduya", "Portage")
BETH = Suggested(new_id(), "Beth Amory", "Portage")


def test_who_is_meant() -> None:
    everybody = [HANA, BETH]
    assert owner_named("Hana Oduya, Early years inclusion", everybody) is HANA
    assert owner_named("  hana oduya ", everybody) is HANA
    assert owner_named("Mum", everybody) is None
    assert owner_named("Hana Oduya, Portage", [*everybody, OTHER]) is OTHER
    with pytest.raises(ValueError, match="of which agency: Early years inclusion or Portage"):
        owner_named("Hana Oduya", [*everybody, OTHER])


def test_an_action_is_not_due_before_the_meeting() -> None:
    assert not action_due_mistake(NEXT_MEETING, NEXT_MEETING)
    said = action_due_mistake(date(2026, 12, 2), NEXT_MEETING)
    assert said.startswith("By when must be 3 December 2026 or later")


async def ask(hall: Hall, name: str, **said: Any) -> Any:
    screen = hall.screen(name)
    return await hall.send(screen, f"{screen}/actions", said)


async def actions(hall: Hall, name: str) -> list[tuple[str, str, date | None]]:
    async with hall.house.opened(name, "coordinator") as access:
        rows = await access.session.scalars(
            select(Action).where(Action.meeting_id.is_not(None)).order_by(Action.id)
        )
        return [(row.text, row.owner_words, row.due_on) for row in rows]


async def test_an_action_in_one_line_is_on_its_owners_home(hall: Hall) -> None:
    await hall.begin("member", "social")
    page = (await hall.get(hall.screen("Amina"))).text
    assert '<option value="Tom Brackenbury, Children&#39;s social care">' in page
    assert '<option value="Rosa Whitlow, Health visiting">' in page
    asked = await ask(
        hall,
        "Amina",
        who="Tom Brackenbury, Children's social care",
        what="Ask both schools for a place",
        due_on="2026-12-15",
    )
    assert "Ask both schools for a place, by 15 December 2026" in asked.text
    await hall.as_("social")
    home = (await hall.get("/")).text
    assert "What I am asked to do" in home
    assert "Ask both schools for a place" in home
    assert "Amina Kestrel" in home
    assert "Tuesday 15 December 2026 (in 12 days)" in home
    # It stays there when the packs have closed: whoever is asked has a part from now on.
    hall.clock.set(BEGINS.replace(year=2027, month=1))
    await hall.as_("social")
    later = (await hall.get("/")).text
    assert "Overdue by 19 days" in later
    async with hall.house.opened("Amina", "coordinator") as access:
        parts = await access.session.scalars(
            select(Involvement.part).where(Involvement.worker_id == hall.house.viewers["social"].id)
        )
        assert list(parts) == ["action from the panel"]


async def test_the_lead_professional_finds_it_too(hall: Hall) -> None:
    await hall.begin("member")
    await ask(hall, "Amina", who="Rosa Whitlow", what="Visit at home", due_on="2026-12-15")
    await hall.as_("lead")
    home = (await hall.get("/")).text
    assert home.count("Visit at home") >= 2
    assert "Visit at home" in (await hall.get(f"/children/{hall.child('Amina')}/plan")).text


async def test_somebody_in_words(hall: Hall) -> None:
    await hall.begin("member")
    page = await ask(hall, "Amina", who="Mum", what="Bring the red book", due_on="2026-12-03")
    assert "<strong>Mum</strong>: Bring the red book, by 3 December 2026" in page.text
    assert await actions(hall, "Amina") == [("Bring the red book", "Mum", NEXT_MEETING)]


async def test_a_member_who_is_here_adds_one(hall: Hall) -> None:
    await hall.begin("member")
    await hall.as_("member")
    page = await ask(hall, "Amina", who="Mum", what="Ring the nursery", due_on="2026-12-04")
    assert "Ring the nursery" in page.text


async def test_sent_twice_it_is_asked_once(hall: Hall) -> None:
    await hall.begin("member")
    screen = hall.screen("Amina")
    fields = await hall.form(screen, f"{screen}/actions")
    said = {"who": "Mum", "what": "Once", "due_on": "2026-12-04"}
    for _ in range(2):
        await hall.client.post(f"{screen}/actions", data=fields | said)
    assert len(await actions(hall, "Amina")) == 1


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"what": "x", "due_on": "2026-12-04"}, "Enter who does this"),
        ({"who": "Mum", "due_on": "2026-12-04"}, "Enter what is to be done"),
        ({"who": "Mum", "what": "x"}, "Enter by when"),
        ({"who": "Mum", "what": "x", "due_on": "soon"}, "By when must be a real date"),
        (
            {"who": "Mum", "what": "Kept in the field", "due_on": "2026-12-02"},
            "By when must be 3 December 2026 or later: an action cannot be due before the meeting",
        ),
        ({"who": "Mum", "what": "x" * 2_000, "due_on": "2026-12-04"}, "What must be 1,000"),
        ({"who": "Mum", "what": "x", "due_on": "2026-12-04", "cost": "900"}, "Nothing was saved"),
    ],
)
async def test_mistakes_are_said_and_nothing_typed_is_lost(
    hall: Hall, said: dict[str, str], sentence: str
) -> None:
    await hall.begin("member")
    wrong = await ask(hall, "Amina", **said)
    assert wrong.status_code == 422
    assert sentence in mistakes(wrong)
    if "what" in said:
        assert f'value="{said["what"]}"' in wrong.text
    assert await actions(hall, "Amina") == []


async def test_whom_the_family_does_not_want_is_not_asked(hall: Hall) -> None:
    house = hall.house
    async with house.as_("job") as session:
        session.add(
            SharingAgreement(
                child_id=hall.child("Amina"),
                given=False,
                by_person_id=hall.child("Amina"),
                capacity="parental_responsibility",
                by_words="her mother",
                agencies=[house.agencies["social-care"]],
                level="basic",
                purposes=["panel", "support", "review"],
                from_on=BEGINS.date(),
            )
        )
    await hall.begin("member")
    wrong = await ask(hall, "Amina", who="Tom Brackenbury", what="Visit", due_on="2026-12-10")
    assert wrong.status_code == 422
    assert "The family said no to sharing with Children" in mistakes(wrong)


# Who needs to know ------------------------------------------------------------------------------


async def another_agency(hall: Hall) -> str:
    async with hall.house.as_("job") as session:
        added = await add_agency(session, key="audiology", name="Audiology", kind="health")
        return str(added.id)


async def test_an_agency_needs_to_know_from_a_day(hall: Hall) -> None:
    audiology = await another_agency(hall)
    await hall.begin("member")
    screen = hall.screen("Amina")
    said = {
        "agency": audiology,
        "part": "hearing tests",
        "from_on-day": "1",
        "from_on-month": "3",
        "from_on-year": "2027",
    }
    page = (await hall.send(screen, f"{screen}/needs-to-know", said)).text
    assert "Audiology (hearing tests): from 1 March 2027." in page
    assert "The family is to be asked whether it may see the record." in page
    assert "Expected: Audiology: hearing tests, from 1 March 2027" in page
    async with hall.house.opened("Amina", "coordinator") as access:
        part = await access.session.scalar(
            select(Involvement).where(Involvement.part == "hearing tests")
        )
        assert part is not None
        assert (part.from_on, part.expected_from_on) == (None, date(2027, 3, 1))
        asked = await access.session.scalars(
            select(AccessRequest.category).where(AccessRequest.state == "asked")
        )
        assert sorted(asked) == ["identity", "network", "plan"]
    again = await hall.send(screen, f"{screen}/needs-to-know", said)
    assert "Audiology is involved or expected already" in mistakes(again)


async def test_an_agency_that_may_see_is_brought_in_from_now(hall: Hall) -> None:
    await hall.begin("member")
    screen = hall.screen("Amina")
    council = str(hall.house.agencies["council"])
    page = (await hall.send(screen, f"{screen}/needs-to-know", {"agency": council})).text
    assert "Wexcombe Council: from now." in page
    assert "asked whether it may see" not in page
    early = {"agency": str(hall.house.agencies["social-care"]), "from_on": "2026-12-01"}
    wrong = await hall.send(screen, f"{screen}/needs-to-know", early)
    assert "From which day must be 3 December 2026 or later" in mistakes(wrong)


async def test_it_is_in_the_minutes(hall: Hall) -> None:
    await hall.begin("member")
    screen = hall.screen("Amina")
    await ask(hall, "Amina", who="Mum", what="Bring the red book", due_on="2026-12-10")
    council = {"agency": str(hall.house.agencies["council"])}
    await hall.send(screen, f"{screen}/needs-to-know", council)
    await hall.send(screen, f"{screen}/done")
    table = screen.rsplit("/", 1)[0]
    await hall.send(table, f"{table}/end")
    minutes = (await hall.get(MINUTES)).text
    assert "<strong>Mum</strong>: Bring the red book, by 10 December 2026" in minutes
    assert "Wexcombe Council: from now." in minutes
    assert "Next review by Thursday 3 June 2027." in minutes
    assert Role.PANEL_MEMBER in hall.house.viewers["member"].roles
