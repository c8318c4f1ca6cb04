"""What was read before is taken again only while it is so: whatever happens, the page shows it."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from markupsafe import escape
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose
from panel.accounts.models import Agency, Worker
from panel.panels.agenda import prepare
from panel.panels.board import read_agenda, read_board
from panel.panels.calendar import meeting_on
from panel.panels.models import Panel, Referral
from panel.panels.pages import agenda_page
from panel.panels.rules import Part
from panel.panels.settle import arrange, ask_for_missing, freeze, set_minutes, take_off
from panel.plans.models import LeadProfessional, Plan
from panel.platform.clock import LONDON, FixedClock, today
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate, rewrite_access
from panel.register.children_list import list_children
from panel.register.models import Child
from panel.sharing.models import SharingAgreement, SharingOverride, SharingRestriction
from panel.sharing.state import SharingFacts
from panel.web.paging import Asked
from tests.conftest import MORNING
from tests.panels.conftest import NEXT_MEETING, AddChild, House

pytestmark = pytest.mark.database

Step = Callable[[House, AddChild, AsyncSession], Awaitable[object]]


async def seen(
    house: House, tenant: Tenant, gate: Gate, who: str = "coordinator"
) -> tuple[object, object, int]:
    """Somebody's agenda and list of children, and how many looks the history holds."""
    viewer = house.viewers[who]
    async with tenant.transaction(viewer.id) as session:
        panel = await session.get(Panel, house.panel_id)
        assert panel is not None
        await meeting_on(session, panel, NEXT_MEETING)
    async with tenant.transaction(viewer.id) as session:
        reading = await read_board(session, "contacts", NEXT_MEETING)
        assert reading is not None
        shown = await read_agenda(gate, session, reading, viewer)
        page = agenda_page(shown.view, shown.seats, today(tenant.clock))
        kept = shown.part(lambda: escape(repr(asdict(page))))
    listed = await list_children(
        gate,
        viewer,
        (Purpose.PANEL,),
        show="all",
        order="added",
        asked=Asked(),
        today=today(tenant.clock),
    )
    async with tenant.transaction(viewer.id) as session:
        looks = await session.scalar(text("SELECT count(*) FROM access_event"))
    assert isinstance(looks, int)
    return kept, listed, looks


def elsewhere(house: House) -> tuple[Tenant, Gate]:
    """The same authority as another process serves it, which has read nothing yet."""
    known = house.tenant
    tenant = Tenant(known.record, known.database, known.ring, known.clock)
    return tenant, Gate(tenant, SharingFacts())


async def one(session: AsyncSession, house: House, table: type, name: str = "Amina") -> object:
    found = await session.scalar(select(table).where(table.child_id == house.children[name]))
    assert found is not None
    return found


async def rename_the_lead(house: House, _add: AddChild, session: AsyncSession) -> None:
    worker = await session.get(Worker, house.viewers["lead"].id)
    assert worker is not None
    worker.name = "Rosa Whitlow-Marsh"


async def rename_an_agency(house: House, _add: AddChild, session: AsyncSession) -> None:
    agency = await session.get(Agency, house.agencies["health"])
    assert agency is not None
    agency.name = "Health visitors"


async def withdraw(house: House, _add: AddChild, session: AsyncSession) -> None:
    agreement = await one(session, house, SharingAgreement)
    agreement.withdrawn_at = session.info["now"]
    await rewrite_access(session, house.children["Amina"])


async def protect(house: House, _add: AddChild, session: AsyncSession) -> None:
    session.add(
        SharingRestriction(
            child_id=house.children["Theo"],
            kind="protection",
            categories=["identity"],
            against=[house.viewers["coordinator"].id],
            from_on=date(2026, 11, 1),
            silent=False,
            by_words="",
        )
    )


async def lose_the_plan(house: House, _add: AddChild, session: AsyncSession) -> None:
    (await one(session, house, Plan)).state = "ended"


async def lose_the_lead(house: House, _add: AddChild, session: AsyncSession) -> None:
    lead = await one(session, house, LeadProfessional)
    lead.state, lead.until_on = "ended", date(2026, 11, 20)


async def move_up(house: House, _add: AddChild, session: AsyncSession) -> None:
    panel = await house.panel(session)
    meeting = await meeting_on(session, panel, NEXT_MEETING)
    await arrange(session, panel, meeting, house.children["Freya"], "up", meeting.version)


async def give_minutes(house: House, _add: AddChild, session: AsyncSession) -> None:
    panel = await house.panel(session)
    meeting = await meeting_on(session, panel, NEXT_MEETING)
    await set_minutes(session, panel, meeting, house.children["Theo"], 25, meeting.version)


async def take_one_off(house: House, _add: AddChild, session: AsyncSession) -> None:
    panel = await house.panel(session)
    meeting = await meeting_on(session, panel, NEXT_MEETING)
    await take_off(session, panel, meeting, house.children["Theo"], "The family asked to wait.")


async def ask(house: House, _add: AddChild, session: AsyncSession) -> None:
    panel = await house.panel(session)
    meeting = await meeting_on(session, panel, NEXT_MEETING)
    prepared = await prepare(session, panel, meeting, session.info["viewer"])
    await ask_for_missing(session, prepared, house.children["Leon"], Part.PLAN, "https://p.example")


async def settle(house: House, _add: AddChild, session: AsyncSession) -> None:
    panel = await house.panel(session)
    await freeze(session, panel, await meeting_on(session, panel, NEXT_MEETING))


async def change_the_panel(house: House, _add: AddChild, session: AsyncSession) -> None:
    (await house.panel(session)).settings = {"capacity_minutes": 20}


async def escalate(house: House, _add: AddChild, session: AsyncSession) -> None:
    referral = await one(session, house, Referral, "Freya")
    referral.escalated_on, referral.escalation = date(2026, 11, 22), "Leaves hospital."


async def change_a_name(house: House, _add: AddChild, session: AsyncSession) -> None:
    child = await session.get(Child, house.children["Freya"])
    assert child is not None
    child.given_name = "Freyja"


async def refer_another(house: House, add: AddChild, _session: AsyncSession) -> None:
    await add("Noor")


async def destroy_a_key(house: House, _add: AddChild, session: AsyncSession) -> None:
    await session.execute(
        text("UPDATE data_key SET wrapped = NULL, destroyed_at = now() WHERE holder_id = :child"),
        {"child": house.children["Freya"]},
    )


STEPS = (
    rename_the_lead,
    rename_an_agency,
    withdraw,
    protect,
    lose_the_plan,
    lose_the_lead,
    move_up,
    give_minutes,
    take_one_off,
    ask,
    settle,
    change_the_panel,
    escalate,
    change_a_name,
    refer_another,
    destroy_a_key,
)


@pytest.fixture
async def before_the_panel(house: House, add_child: AddChild) -> House:
    for number, name in enumerate(("Amina", "Theo", "Freya")):
        await add_child(name, referred_on=date(2026, 11, 4 + number))
    await add_child("Leon", without=("plan",))
    return house


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
async def test_every_change_is_seen_at_the_next_look(
    before_the_panel: House, add_child: AddChild, step: Step
) -> None:
    house = before_the_panel
    before = await seen(house, house.tenant, house.gate)
    assert (await seen(house, house.tenant, house.gate))[:2] == before[:2]
    async with house.as_("coordinator") as session:
        await step(house, add_child, session)
    after = await seen(house, house.tenant, house.gate)
    assert after[:2] == (await seen(house, *elsewhere(house)))[:2]
    assert after[:2] != before[:2]


async def test_every_look_is_logged_whether_or_not_it_was_read_before(
    before_the_panel: House,
) -> None:
    house = before_the_panel
    looks = [(await seen(house, house.tenant, house.gate))[2] for _ in range(3)]
    # Four children on the agenda's page, and four on the list, each time.
    assert looks == [8, 16, 24]


async def test_another_day_is_another_agenda(before_the_panel: House, clock: FixedClock) -> None:
    house = before_the_panel
    before = await seen(house, house.tenant, house.gate)
    clock.set(clock.now() + timedelta(days=1))
    after = await seen(house, house.tenant, house.gate)
    assert after[0] != before[0]
    assert after[:2] == (await seen(house, *elsewhere(house)))[:2]


async def test_a_meeting_that_was_not_stored_after_all_is_not_shown(
    house: House, add_child: AddChild
) -> None:
    await add_child("Amina")
    with pytest.raises(RuntimeError, match="stop"):
        async with house.as_("coordinator") as session:
            await meeting_on(session, await house.panel(session), NEXT_MEETING)
            reading = await read_board(session, "contacts", NEXT_MEETING)
            assert reading is not None
            await read_agenda(house.gate, session, reading, house.viewers["coordinator"])
            raise RuntimeError("stop")
    async with house.as_("coordinator") as session:
        assert await read_board(session, "contacts", NEXT_MEETING) is None


MOMENTS = (
    *(MORNING + timedelta(minutes=minutes) for minutes in (7, 90, 400, 1000, 2000)),
    datetime(2026, 11, 25, tzinfo=LONDON).astimezone(UTC),
    datetime(2026, 11, 26, tzinfo=LONDON).astimezone(UTC),
)
"""When something may begin or end by itself: by the minute, and at London's midnights."""


@pytest.mark.parametrize("seed", range(6))
async def test_what_begins_and_ends_by_itself_is_seen_at_its_moment(
    before_the_panel: House, clock: FixedClock, seed: int
) -> None:
    house, chance = before_the_panel, Random(seed)  # noqa: S311 - a fixed play, no secret
    people = [house.viewers["coordinator"], house.viewers["chair"]]
    categories = ([], ["identity"], ["panel"])
    for child in house.children.values():
        begins, ends = sorted(chance.sample(MOMENTS, 2))
        somebody = chance.choice(people)
        async with house.as_("job") as session:
            agreement = await session.scalar(
                select(SharingAgreement).where(SharingAgreement.child_id == child)
            )
            assert agreement is not None
            agreement.withdrawn_at = chance.choice((None, *MOMENTS))
            session.add(
                SharingRestriction(
                    child_id=child,
                    kind=chance.choice(("protection", "choice")),
                    categories=chance.choice(categories),
                    against=[somebody.id],
                    from_on=begins.date(),
                    until_on=ends.date(),
                    silent=chance.random() < 0.5,
                    by_words="",
                )
            )
            session.add(
                SharingOverride(
                    child_id=child,
                    to_id=somebody.id,
                    categories=chance.choice(categories),
                    starts_at=begins,
                    ends_at=ends,
                    reason="A reason.",
                )
            )
            await rewrite_access(session, child)
    await seen(house, house.tenant, house.gate)
    for _ in range(12):
        clock.set(chance.choice(MOMENTS) + timedelta(microseconds=chance.choice((-1, 0, 1))))
        for who in ("coordinator", "chair"):
            here = await seen(house, house.tenant, house.gate, who)
            assert here[:2] == (await seen(house, *elsewhere(house), who))[:2]


async def test_facts_that_one_person_read_open_nothing_for_another(
    before_the_panel: House,
) -> None:
    house = before_the_panel
    async with house.as_("coordinator") as session:
        found = await house.gate.read_here(
            session,
            "NULL",
            " FROM child_access a WHERE a.viewer_id = :viewer",
            viewer=house.viewers["coordinator"].id,
        )
        assert len(found) == 4
    member = house.viewers["member"]
    async with house.as_("member") as session:
        with pytest.raises(ValueError, match="as somebody else"):
            house.gate.open_found(session, found, member, Purpose.PANEL, "tried it")
