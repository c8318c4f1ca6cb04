"""Opening a pack: who may, from when until when, and what is noted."""

import re
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from litestar.testing import AsyncTestClient
from sqlalchemy import delete, select, text, update

from consent import Category, Role, Viewer
from panel.accounts.service import add_worker, give_role, remember_agency_keys
from panel.panels.calendar import import_terms, panel_by_key
from panel.panels.models import AgendaItem, GuestLink, Meeting, PackOpened
from panel.panels.packs import pack_meeting, packs_opened, read_pack, write_pack_pdf
from panel.panels.panel_settings import change_settings
from panel.platform.clock import FixedClock
from panel.platform.problems import NotFound, Problem
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate, rewrite_access
from panel.records.restricted_use import ProcessingRestriction
from panel.register.models import Child
from panel.sharing.models import SharingAgreement
from tests.conftest import SignIn
from tests.panels.conftest import CALENDAR
from tests.panels.pack_world import (
    FROZEN_AT,
    MEETING_DAY,
    World,
    add_marked_child,
    agreed,
    make_world,
)

Browser = AsyncTestClient[Any]
PACK = f"/panels/contacts/{MEETING_DAY}/pack"


@pytest.fixture
async def world(tenant: Tenant, gate: Gate) -> World:
    made = await make_world(tenant, gate)
    await add_marked_child(made, 1, sharing=lambda c, m: [agreed(made, c, m)])
    await add_marked_child(made, 2, sharing=lambda c, m: [agreed(made, c, m, level="basic")])
    return made


async def events(world: World, viewer: Viewer) -> list[str]:
    async with world.as_job() as session:
        rows = await session.scalars(
            text("SELECT doing FROM access_event WHERE viewer_id = :v ORDER BY id"),
            {"v": viewer.id},
        )
        return list(rows)


async def test_a_member_opens_their_agencys_pack(
    world: World, client: Browser, sign_in: SignIn
) -> None:
    member = world.worker_viewer("education")
    await sign_in(member.id)
    page = await client.get(PACK)
    assert page.status_code == 200
    assert "Pack for Early years inclusion" in page.text
    assert "You can read this until Thursday 10 December 2026." in page.text
    permitted = await world.permitted(world.agency_viewer("education"))
    assert set(re.findall(r"zq\d{4}z", page.text)) == permitted
    assert page.text.index('id="child-1"') < page.text.index('id="child-2"')
    assert "no-store" in page.headers["cache-control"]
    # Looking twice is one opening; every look at each child is in the history.
    await client.get(PACK)
    async with world.as_job() as session:
        opened = await packs_opened(session, world.meeting_id)
    assert [(one.worker, one.agency_id) for one in opened] == [
        ("Member education", world.agencies["education"].id)
    ]
    assert await events(world, member) == ["opened the pack of Early years inclusion"] * 4


async def test_the_pdf_is_the_same_pack_and_each_child_is_logged_once(
    world: World, client: Browser, sign_in: SignIn
) -> None:
    await sign_in(world.worker_viewer("health").id)
    paper = await client.get(PACK + ".pdf")
    assert paper.status_code == 200
    assert paper.headers["content-type"] == "application/pdf"
    with pikepdf.open(BytesIO(paper.content)) as opened, opened.open_metadata() as told:
        assert bool(opened.Root.MarkInfo.Marked)
        assert told["pdfuaid:part"] == "1"
        assert told["dc:title"] == "CONTACTS panel: pack for Health visiting, 26 November 2026"
    made = await events(world, world.agency_viewer("health"))
    assert made == ["made the pack of Health visiting"] * 2


async def test_the_command_line_writes_the_same_paper(world: World, gate: Gate) -> None:
    assert (await write_pack_pdf(gate, "contacts", MEETING_DAY, "voluntary")).startswith(b"%PDF-")
    with pytest.raises(NotFound, match="gp is not a member agency"):
        await write_pack_pdf(gate, "contacts", MEETING_DAY, "gp")
    with pytest.raises(NotFound, match="no panel called"):
        await write_pack_pdf(gate, "nobody", MEETING_DAY, "gp")


async def test_a_record_whose_use_is_restricted_has_one_sentence_in_the_pack(
    world: World, gate: Gate
) -> None:
    child = world.children[0]
    async with world.as_job() as session:
        meeting = await pack_meeting(session, "contacts", MEETING_DAY)
        reference = await session.scalar(select(Child.reference).where(Child.id == child))
        session.add(ProcessingRestriction(child_id=child, from_on=date(2026, 11, 20), why="No"))
    for agency in meeting.agencies:
        held, other = (await read_pack(gate, meeting, agency)).items
        assert held.name == reference
        assert not held.age
        assert not any((held.facts, held.sections, held.plan, held.involved))
        assert "zq" not in str(held)
        assert "Processing is restricted since Friday 20 November 2026" in str(held.family)
        assert "zq" in str(other)
    assert (await write_pack_pdf(gate, "contacts", MEETING_DAY, "health")).startswith(b"%PDF-")


async def test_a_withdrawal_works_on_the_next_look(world: World, gate: Gate) -> None:
    async with world.tenant.transaction() as session:
        meeting = await pack_meeting(session, "contacts", MEETING_DAY)
    agency = meeting.agency("voluntary")
    before = str(await read_pack(gate, meeting, agency))
    async with world.as_job() as session:
        await session.execute(
            update(SharingAgreement).values(withdrawn_at=world.tenant.clock.now())
        )
    after = str(await read_pack(gate, meeting, agency))
    shown = {mark for mark in world.markers if mark in after}
    assert shown == await world.permitted(world.agency_viewer("voluntary"))
    assert len(shown) < len({mark for mark in world.markers if mark in before})
    assert "withdrew the agreement on 23 November 2026" in after


async def test_nobody_else_opens_it(world: World, client: Browser, sign_in: SignIn) -> None:
    await sign_in(world.worker_viewer("gp").id)
    page = await client.get(PACK)
    assert page.status_code == 403
    assert "for the people who sit on it" in page.text
    assert "zq0" not in page.text


async def test_a_member_of_another_panel_opens_nothing(
    world: World, client: Browser, sign_in: SignIn
) -> None:
    """A role is of one panel: being a member elsewhere opens no pack here."""
    async with world.as_job() as session:
        worker = await add_worker(
            session, world.agencies["health"], name="Elsewhere Only", email="else@demo.example"
        )
        await give_role(session, worker, Role.PANEL_MEMBER, world.agencies["gp"].id)
    await sign_in(worker.id)
    assert (await client.get(PACK)).status_code == 403


async def test_before_the_freeze_there_is_no_pack(
    world: World, client: Browser, sign_in: SignIn
) -> None:
    async with world.as_job() as session:
        await session.execute(
            update(Meeting)
            .where(Meeting.id == world.meeting_id)
            .values(state="planned", frozen_at=None)
        )
    await sign_in(world.worker_viewer("health").id)
    page = await client.get(PACK)
    assert page.status_code == 409
    assert "The agenda is not settled yet" in page.text
    assert (await client.get(PACK + ".pdf")).status_code == 409


async def test_after_the_last_day_it_is_closed(
    world: World, client: Browser, sign_in: SignIn, clock: FixedClock
) -> None:
    clock.set(datetime(2026, 12, 11, 9, tzinfo=UTC))
    await sign_in(world.worker_viewer("health").id)
    page = await client.get(PACK)
    assert page.status_code == 410
    assert "could be read until Thursday 10 December 2026" in page.text
    async with world.as_job() as session:
        assert await session.scalar(select(PackOpened.id)) is None


async def test_a_coordinator_previews_any_pack_without_its_texts(
    world: World, client: Browser, sign_in: SignIn
) -> None:
    coordinator = world.worker_viewer("council")
    await sign_in(coordinator.id)
    page = await client.get(PACK, params={"agency": "voluntary"})
    assert page.status_code == 200
    assert "What the pack of Homestart Wexcombe holds" in page.text
    assert "Her mother" in page.text or "Nobody who may agree" in page.text
    assert "with Homestart Wexcombe" in page.text
    shown = set(re.findall(r"zq\d{4}z", page.text))
    names = {mark for mark, one in world.markers.items() if one.category is Category.IDENTITY}
    assert shown <= names & await world.permitted(coordinator)
    assert await events(world, coordinator) == ["previewed the pack of Homestart Wexcombe"] * 2
    assert await events(world, world.agency_viewer("voluntary")) == []
    await sign_in(world.worker_viewer("health").id)
    assert (await client.get(PACK, params={"agency": "voluntary"})).status_code == 403


async def test_siblings_share_a_slot_and_never_an_item(world: World, gate: Gate) -> None:
    group = world.children[0]
    async with world.as_job() as session:
        await session.execute(
            update(Child).where(Child.id.in_(world.children)).values(sibling_group=group)
        )
    async with world.tenant.transaction() as session:
        meeting = await pack_meeting(session, "contacts", MEETING_DAY)
    pack = await read_pack(gate, meeting, meeting.agency("health"))
    first, second = pack.items
    assert first.starts == second.starts
    # The second family's section is withheld here, so nothing tells of the relationship.
    assert (first.sibling_note, second.sibling_note) == ("", "")
    async with world.as_job() as session:
        session.add(agreed(world, world.children[1], world.mothers[world.children[1]]))
        await rewrite_access(session, world.children[1])
    first, second = (await read_pack(gate, meeting, meeting.agency("health"))).items
    assert first.sibling_note == "A brother or sister has an item of their own, at 9:30."
    assert first.name != second.name


async def test_the_lead_is_named_to_who_may_know_who_is_involved(world: World, gate: Gate) -> None:
    async with world.tenant.transaction() as session:
        meeting = await pack_meeting(session, "contacts", MEETING_DAY)
    child = world.children[0]
    async with world.as_job() as session:
        session.add(
            agreed(
                world,
                child,
                world.mothers[child],
                given=False,
                level=None,
                agencies=("voluntary",),
                named=["network"],
            )
        )
    named = {}
    for key in ("health", "education", "voluntary"):
        first = (await read_pack(gate, meeting, meeting.agency(key))).items[0]
        named[key] = "Lead professional" in {fact.label for fact in first.facts}
    assert named == {"health": True, "education": True, "voluntary": False}


async def test_the_moment_of_the_freeze_opens_it(world: World, gate: Gate) -> None:
    assert world.tenant.clock.now() - FROZEN_AT < timedelta(days=3)
    with pytest.raises(Problem, match="are made when its agenda is frozen"):
        async with world.tenant.transaction() as session:
            await pack_meeting(session, "contacts", date(2026, 12, 10))
    await remember_agency_keys(world.tenant)


async def test_a_pack_that_is_made_keeps_its_last_day(world: World) -> None:
    async with world.as_job() as session:
        made = await pack_meeting(session, "contacts", MEETING_DAY)
        for days in (60, 0):
            panel = await panel_by_key(session, "contacts")
            await change_settings(
                session, panel, {"pack_working_days": days}, panel.version, "The partners asked"
            )
            again = await pack_meeting(session, "contacts", MEETING_DAY)
            assert again.closes_on == made.closes_on == date(2026, 12, 10)


async def test_a_preview_before_the_freeze_says_what_would_go(
    world: World, client: Browser, sign_in: SignIn
) -> None:
    async with world.as_job() as session:
        await import_terms(session, CALENDAR.read_bytes())
        await session.execute(
            update(Meeting)
            .where(Meeting.id == world.meeting_id)
            .values(state="planned", frozen_at=None)
        )
        await session.execute(delete(GuestLink))
        await session.execute(delete(AgendaItem))
        for child in world.children:
            await rewrite_access(session, child)
    await sign_in(world.worker_viewer("council").id)
    page = await client.get(PACK, params={"agency": "health"})
    assert page.status_code == 200
    assert "What the pack of Health visiting would hold" in page.text
    assert "not frozen yet" in page.text
    assert page.text.count("in the pack,") == 2
    assert "C-2001" in page.text
