"""What waits in the outbox is decided once more as it goes: a right that was lost is lost there."""

from datetime import date

import pytest
from sqlalchemy import select, text

from panel.accounts.models import Agency
from panel.accounts.service import add_worker
from panel.panels.note_models import NoteDelivery
from panel.panels.note_sending import NO_ADDRESS, NOT_BY_EMAIL, send_notes
from panel.panels.still_may_go import NOT_THEIR_CHILD, still_may_go
from panel.platform import outbox
from panel.platform.outbox import TRIES, NotSent, send_due
from panel.platform.tables import today_of
from panel.platform.tenancy import load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.restricted_use import ProcessingRestriction
from panel.register.models import FamilyMember
from tests.conftest import SignIn
from tests.panels.conftest import AddChild, House
from tests.panels.note_world import (
    Client,
    Held,
    held_meeting,
    protect,
    rows_of,
    signed,
    words,
)
from tests.panels.test_send_notes import SITE, Server, scheduler


@pytest.fixture
async def held(house: House, add_child: AddChild) -> Held:
    return await held_meeting(house, add_child)


async def waiting(held: Held) -> Server:
    """The notes are in the outbox, and the mail server was away when they should have gone."""
    await signed(held)
    server = Server(NotSent("The mail server did not take it."))
    await scheduler(held, server)
    assert server.asked == 1
    assert not server.taken
    return server


async def later(held: Held, server: Server) -> None:
    """The next time that the scheduler tries."""
    async with held.house.as_("job") as session:
        for message in await rows_of(held, OutboxMessage):
            (await session.get_one(OutboxMessage, message.id)).due_at = session.info["now"]
        may_go = still_may_go(held.house.tenant, SITE)
        await send_due(session, server, session.info["now"], may_go=may_go)


async def delivery_to(held: Held, person: object) -> NoteDelivery:
    return next(one for one in await rows_of(held, NoteDelivery) if one.person_id == person)


async def test_a_message_does_not_go_to_who_has_lost_the_right(held: Held) -> None:
    server = await waiting(held)
    await protect(held, held.mother, "panel")
    await later(held, server)
    assert not server.taken
    delivery = await delivery_to(held, held.mother)
    assert delivery.state == "waiting"
    assert "withheld from this person" in (delivery.failure or "")
    await later(held, server)
    assert server.asked == 1, "it was tried again"


async def test_a_message_does_not_go_to_who_is_no_parent_any_more(held: Held) -> None:
    server = await waiting(held)
    async with held.house.as_("job") as session:
        await session.execute(
            text("UPDATE family_link SET until_on = :day WHERE family_member_id = :person"),
            {"day": date(2026, 11, 1), "person": held.mother},
        )
        await session.execute(text("SELECT rewrite_child_access(:c)"), {"c": held.child})
    await later(held, server)
    assert not server.taken
    assert "not tied to the child" in ((await delivery_to(held, held.mother)).failure or "")


async def test_a_message_goes_without_what_is_withheld_by_now(held: Held) -> None:
    server = await waiting(held)
    [email] = [one for one in await rows_of(held, OutboxMessage) if one.kind != outbox.BY_POST]
    async with held.house.as_("job") as session:
        kept = await session.get_one(OutboxMessage, email.id)
        await load_keys(session, {kept.holder_id})
        before = kept.body
    await protect(held, held.mother, "network")
    await later(held, server)
    [taken] = server.taken.values()
    said = taken.get_content()
    assert f"{SITE}/family" in said
    assert said.strip() != before.strip()
    lead = next(line for line in before.splitlines() if line.startswith("If you have a question"))
    assert lead not in said


async def now_kept(held: Held, **kept: str) -> None:
    """What is kept of how the mother is reached."""
    async with held.house.as_("job") as session:
        await load_keys(session, {held.mother})
        member = await session.get_one(FamilyMember, held.mother)
        for name, value in kept.items():
            setattr(member, name, value)


async def test_a_message_goes_to_the_address_that_is_right_when_it_goes(held: Held) -> None:
    server = await waiting(held)
    await now_kept(held, email="safe-now@demo.example")
    await later(held, server)
    [taken] = server.taken.values()
    assert taken["To"] == "safe-now@demo.example"


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        ({"safe_contact": "Ring her sister only, never write"}, NOT_BY_EMAIL),
        ({"safe_contact": "By letter"}, NOT_BY_EMAIL),
        ({"email": ""}, NO_ADDRESS),
    ],
)
async def test_a_message_is_held_where_its_person_is_not_to_be_written_to_so_any_more(
    held: Held, kept: dict[str, str], why: str
) -> None:
    server = await waiting(held)
    await now_kept(held, **kept)
    await later(held, server)
    assert not server.taken
    delivery = await delivery_to(held, held.mother)
    assert (delivery.state, delivery.failure, delivery.outbox_id) == ("waiting", why, None)


async def test_a_letter_that_waits_is_not_printed_for_who_has_lost_the_right(
    held: Held, client: Client, sign_in: SignIn
) -> None:
    await signed(held)
    await send_notes(held.house.gate, SITE)
    await protect(held, held.father, "panel")
    await sign_in(held.house.viewers["coordinator"].id)
    delivery = await delivery_to(held, held.father)
    refused = await client.get(f"{held.page}/deliveries/{delivery.id}/letter")
    assert refused.status_code == 409
    assert "withheld from this person" in words(refused)
    stopped = await delivery_to(held, held.father)
    assert stopped.outbox_id is None
    assert stopped.failure


async def test_a_worker_who_left_the_child_is_not_told_what_is_missing(
    held: Held, house: House
) -> None:
    async with held.house.as_("job") as session:
        gone = await add_worker(
            session,
            await session.get_one(Agency, house.agencies["health"]),
            name="Ivy Marsh",
            email="ivy@demo.example",
        )
        for worker in (gone.id, held.house.viewers["lead"].id):
            await outbox.put(
                session,
                kind="ask_for_missing",
                holder_id=held.child,
                to_viewer_id=worker,
                address=f"{worker}@demo.example",
                subject="C-1001: plan needed",
                body="It is yours to give.",
                once=f"ask {worker}",
                facts={"child": str(held.child), "what": "plan"},
            )
    server = Server()
    await later(held, server)
    [taken] = server.taken.values()
    assert taken["To"] == "lead@demo.example", "the address that is kept now"
    [stopped] = [one for one in await rows_of(held, OutboxMessage) if one.sent_at is None]
    assert stopped.failure == NOT_THEIR_CHILD
    assert stopped.attempts == TRIES


async def test_notes_wait_while_the_use_of_the_record_is_restricted(held: Held) -> None:
    server = await waiting(held)
    async with held.house.as_("job") as session:
        session.add(
            ProcessingRestriction(child_id=held.child, from_on=today_of(session), why="Disputed")
        )
    await later(held, server)
    assert server.asked == 1
    assert await send_notes(held.house.gate, SITE) == 0
    delivery = await delivery_to(held, held.mother)
    assert (delivery.state, delivery.failure, delivery.outbox_id) == ("waiting", None, None)
    async with held.house.as_("job") as session:
        row = (await session.scalars(select(ProcessingRestriction))).one()
        row.ended_on = today_of(session)
    assert await send_notes(held.house.gate, SITE) >= 1
    assert (await delivery_to(held, held.mother)).outbox_id is not None
