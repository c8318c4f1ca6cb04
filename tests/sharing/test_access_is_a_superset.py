"""Whatever `consent.decide` permits, the database's fence lets through: never the other way round.

Random facts about one child are written down; then every viewer, purpose and moment is asked. Where
anything at all is permitted, `child_access` must have a row that holds at that moment.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import (
    Category,
    Purpose,
    Relationship,
    Role,
    Span,
    Tie,
    Viewer,
    ViewerKind,
    decide_all,
)
from panel.accounts.models import WorkerRole
from panel.accounts.service import add_agency, add_worker
from panel.exchange.models import ExchangeClient
from panel.panels.calendar import add_panel, join_panel
from panel.panels.models import AgendaItem, GuestLink, Meeting, Referral
from panel.plans.models import LeadProfessional
from panel.platform.cluster import Cluster
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_access, rewrite_viewer
from panel.register.models import Child, FamilyLink, FamilyMember, Involvement
from panel.sharing.gateways import ensure_gateways
from panel.sharing.models import (
    SharingAgreement,
    SharingEnquiry,
    SharingObjection,
    SharingOrder,
    SharingOverride,
    SharingRestriction,
)
from panel.sharing.state import SharingFacts

TODAY = date(2026, 11, 23)
DAYS = st.integers(-40, 40).map(lambda days: TODAY + timedelta(days=days))
MAYBE_DAY = st.none() | DAYS
PLACE = st.integers(0, 3)
CATEGORIES = st.lists(st.sampled_from(list(Category)), max_size=3, unique=True)
SPAN = st.tuples(DAYS, st.none() | st.integers(0, 60)).map(
    lambda one: (one[0], None if one[1] is None else one[0] + timedelta(days=one[1]))
)
FACTS = st.fixed_dictionaries(
    {
        "involved": st.lists(st.tuples(PLACE, st.booleans(), SPAN), max_size=3),
        "lead": st.none() | st.tuples(PLACE, SPAN),
        "referred": st.none() | DAYS,
        "agenda": st.none() | st.tuples(DAYS, st.integers(0, 20)),
        "family": st.none() | st.tuples(st.booleans(), SPAN),
        "guest": st.none() | st.tuples(PLACE, st.integers(-5, 20)),
        "agreements": st.lists(
            st.tuples(
                st.booleans(),
                st.lists(PLACE, max_size=4, unique=True),
                st.lists(PLACE, max_size=2, unique=True),
                st.sampled_from(["basic", "additional"]),
                CATEGORIES,
                SPAN,
                st.booleans(),
            ),
            max_size=3,
        ),
        "objection": st.none()
        | st.tuples(
            st.lists(PLACE, max_size=2), DAYS, st.sampled_from([[], [], ["exchange"], ["support"]])
        ),
        "restrictions": st.lists(
            st.tuples(st.booleans(), CATEGORIES, st.lists(PLACE, max_size=2), SPAN), max_size=2
        ),
        "orders": st.lists(
            st.tuples(st.booleans(), CATEGORIES, PLACE, st.booleans(), SPAN), max_size=2
        ),
        "override": st.none() | st.tuples(PLACE, st.booleans(), st.integers(-30, 30)),
        "enquiry": st.none() | st.tuples(PLACE, SPAN),
        "client": st.none() | st.tuples(PLACE, SPAN, st.booleans()),
    }
)


class World:
    """Four agencies with a worker each, a panel, and the role of each worker."""

    def __init__(self) -> None:
        self.agencies: list[UUID] = []
        self.kinds = ["health", "education", "social_care", "voluntary"]
        self.workers: list[UUID] = []
        self.roles = [
            {Role.PRACTITIONER, Role.PANEL_MEMBER},
            {Role.COORDINATOR},
            {Role.MANAGER, Role.PRACTITIONER},
            {Role.PRACTITIONER, Role.CHAIR},
        ]
        self.panel = UUID(int=0)


@pytest.fixture
async def world(tenant: Tenant) -> World:
    """The people of every example."""
    made = World()
    async with tenant.transaction(JOB) as session:
        await ensure_gateways(session)
        panel = await add_panel(session, key="contacts", kind="contacts", first_on=TODAY)
        made.panel = panel.id
        for number, kind in enumerate(made.kinds):
            agency = await add_agency(session, key=kind, name=kind, kind=kind)
            worker = await add_worker(session, agency, name=f"W{number}", email=f"w{number}@x.y")
            if number != 3:
                await join_panel(session, panel, agency.id)
            session.add_all(
                WorkerRole(worker_id=worker.id, role=role.value, panel_id=panel.id)
                for role in made.roles[number]
            )
            made.agencies.append(agency.id)
            made.workers.append(worker.id)
    return made


async def put_before_a_panel(
    session: AsyncSession, world: World, child: Child, facts: dict[str, Any]
) -> UUID:
    """The child on an agenda, perhaps with a guest; the guest's id, whom nobody may have invited."""
    guest_id = new_id()
    if facts["agenda"] or facts["guest"]:
        opens, lasts = facts["agenda"] or (TODAY, 5)
        day = opens + timedelta(days=5)
        meeting = Meeting(panel_id=world.panel, slot_on=day, held_on=day)
        known = await session.execute(
            text("SELECT id FROM meeting WHERE slot_on = :day"), {"day": day}
        )
        meeting_id = known.scalar()
        if meeting_id is None:
            session.add(meeting)
            await session.flush()
            meeting_id = meeting.id
        item = AgendaItem(
            child_id=child.id,
            meeting_id=meeting_id,
            position=1,
            minutes=10,
            why="new",
            opens_at=datetime.combine(opens, time(9), UTC) if facts["agenda"] else None,
            pack_until=day + timedelta(days=lasts) if facts["agenda"] else None,
        )
        session.add(item)
        await session.flush()
        if facts["guest"]:
            place, days = facts["guest"]
            session.add(
                GuestLink(
                    id=guest_id,
                    child_id=child.id,
                    agenda_item_id=item.id,
                    agency_id=world.agencies[place],
                    token_hash=new_id().bytes,
                    code_hash=b"",
                    ends_at=datetime.combine(TODAY + timedelta(days=days), time(12), UTC),
                )
            )
    return guest_id


def a_client(world: World, facts: dict[str, Any]) -> ExchangeClient:
    """A system of an agency, which went on for these days; of one that is never let in, if none."""
    place, (start, end), _ = facts["client"] or (0, (TODAY, TODAY), False)
    return ExchangeClient(
        key=f"c-{new_id()}",
        name="A system",
        agency_id=world.agencies[place],
        scopes=["system/*.rs"],
        purposes=["exchange"],
        jwks_url="https://keys.example/jwks",
        from_on=start,
        ended_on=None if end is None else end + timedelta(days=1),
    )


async def write(
    tenant: Tenant, world: World, facts: dict[str, Any]
) -> tuple[UUID, UUID, UUID, UUID]:
    """A child with these facts: the child's, the family member's, guest's and client's ids."""
    client = a_client(world, facts)
    agencies, workers = world.agencies, world.workers
    async with tenant.transaction(JOB) as session:
        child = Child(reference=f"C-{new_id()}", given_name="Wren", family_name="Teasel")
        await session.execute(text("SELECT open_child(:c)"), {"c": child.id})
        member = FamilyMember(name="Marta Teasel")
        session.add_all([child, member])
        await session.flush()
        for place, named, (start, end) in facts["involved"]:
            session.add(
                Involvement(
                    child_id=child.id,
                    agency_id=agencies[place],
                    worker_id=workers[place] if named else None,
                    from_on=start,
                    until_on=end,
                )
            )
        if facts["lead"]:
            place, (start, end) = facts["lead"]
            session.add(
                LeadProfessional(
                    child_id=child.id,
                    worker_id=workers[place],
                    agency_id=agencies[place],
                    state="accepted",
                    offered_on=start,
                    offered_by=JOB,
                    from_on=start,
                    until_on=end,
                )
            )
        if facts["referred"]:
            session.add(
                Referral(
                    child_id=child.id,
                    panel_id=world.panel,
                    referred_on=facts["referred"],
                    agency_id=agencies[0],
                )
            )
        guest_id = await put_before_a_panel(session, world, child, facts)
        if facts["family"]:
            responsible, (start, end) = facts["family"]
            session.add(
                FamilyLink(
                    child_id=child.id,
                    family_member_id=member.id,
                    relationship="mother",
                    parental_responsibility=responsible,
                    basis="birth_mother" if responsible else None,
                    from_on=start,
                    until_on=end,
                )
            )
        for given_, shared, not_shared, level, named, (start, end), withdrawn in facts[
            "agreements"
        ]:
            session.add(
                SharingAgreement(
                    child_id=child.id,
                    given=given_,
                    by_person_id=member.id,
                    capacity="parental_responsibility",
                    by_words="Her mother",
                    agencies=[agencies[place] for place in shared],
                    not_agencies=[agencies[place] for place in not_shared],
                    level=level,
                    named=[one.value for one in named],
                    purposes=["support", "panel", "review", "exchange"],
                    from_on=start,
                    until_on=end,
                    withdrawn_at=datetime.combine(TODAY, time(8), UTC) if withdrawn else None,
                )
            )
        if facts["objection"]:
            places, raised, purposes = facts["objection"]
            session.add(
                SharingObjection(
                    child_id=child.id,
                    by_person_id=member.id,
                    by_words="Her father",
                    agencies=[agencies[place] for place in places],
                    raised_on=raised,
                    purposes=purposes,
                )
            )
        for protects, categories, places, (start, end) in facts["restrictions"]:
            session.add(
                SharingRestriction(
                    child_id=child.id,
                    kind="protection" if protects else "choice",
                    categories=[one.value for one in categories],
                    against=[agencies[place] for place in places],
                    from_on=start,
                    until_on=end,
                )
            )
        for permits, categories, place, to_agency, (start, end) in facts["orders"]:
            session.add(
                SharingOrder(
                    child_id=child.id,
                    permits=permits,
                    categories=[one.value for one in categories],
                    to=[agencies[place] if to_agency else workers[place]],
                    from_on=start,
                    until_on=end,
                )
            )
        if facts["override"]:
            place, to_agency, hours = facts["override"]
            start_at = datetime.combine(TODAY, time(9), UTC) + timedelta(hours=hours)
            session.add(
                SharingOverride(
                    child_id=child.id,
                    to_id=agencies[place] if to_agency else workers[place],
                    starts_at=start_at,
                    ends_at=start_at + timedelta(hours=24),
                    reason="Worry about tonight.",
                )
            )
        if facts["enquiry"]:
            place, (start, end) = facts["enquiry"]
            session.add(
                SharingEnquiry(
                    child_id=child.id, agencies=[agencies[place]], from_on=start, until_on=end
                )
            )
        registered_last = facts["client"] is not None and facts["client"][2]
        if facts["client"] and not registered_last:
            session.add(client)
        await rewrite_access(session, child.id)
        if registered_last:
            session.add(client)
            await rewrite_viewer(session, client.id)
    return child.id, member.id, guest_id, client.id


def everybody(
    world: World, child: UUID, member: UUID, guest: UUID, client: UUID, facts: Any
) -> list[Viewer]:
    """Everyone who might look, and somebody who has nothing to do with the child."""
    viewers = [
        Viewer(world.workers[n], ViewerKind.WORKER, world.agencies[n], kind, frozenset(roles))
        for n, (kind, roles) in enumerate(zip(world.kinds, world.roles, strict=True))
    ]
    viewers += [
        Viewer(agency, ViewerKind.AGENCY, agency, kind)
        for agency, kind in zip(world.agencies, world.kinds, strict=True)
    ]
    place = facts["guest"][0] if facts["guest"] else 0
    runs = facts["client"][0] if facts["client"] else 0
    return [
        *viewers,
        Viewer(guest, ViewerKind.GUEST, world.agencies[place], world.kinds[place]),
        Viewer(client, ViewerKind.CLIENT, world.agencies[runs], world.kinds[runs]),
        Viewer(member, ViewerKind.FAMILY),
        Viewer(child, ViewerKind.FAMILY),
        Viewer(new_id(), ViewerKind.WORKER, world.agencies[0], "health", frozenset(Role)),
    ]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(facts=FACTS, moments=st.lists(st.integers(-45, 45), min_size=3, max_size=6))
async def test_what_is_permitted_is_within_reach(
    tenant: Tenant,
    world: World,
    database_of_own: Cluster,
    facts: dict[str, Any],
    moments: list[int],
) -> None:
    child, member, guest, client = await write(tenant, world, facts)
    assert database_of_own.owner_url is not None
    with psycopg.connect(database_of_own.owner_url) as owner:
        owner.execute("SET search_path TO authority_testshire")
        ties = owner.execute(
            "SELECT viewer_id, tie, who, from_on, until_on FROM child_tie"
            " WHERE child_id = %(child)s AND tie NOT IN ('job', 'offer', 'named') UNION ALL"
            " SELECT viewer_id, tie, who, from_on, until_on FROM client_tie"
            " WHERE child_id = %(child)s",
            {"child": child},
        ).fetchall()
        rows = owner.execute(
            "SELECT viewer_id, extract(epoch FROM valid_from), extract(epoch FROM valid_until)"
            " FROM child_access WHERE child_id = %s",
            [child],
        ).fetchall()
    reach = {viewer: (float(start), float(end)) for viewer, start, end in rows}
    async with tenant.transaction(JOB) as session:
        known = await SharingFacts().known(session, [child], Viewer(JOB, ViewerKind.JOB))
    for viewer in everybody(world, child, member, guest, client, facts):
        own = tuple(
            Relationship(Tie(tie), who, Span(start, end))
            for viewer_id, tie, who, start, end in ties
            if viewer_id == viewer.id
        )
        state = replace(known[child].state, relationships=own)
        for days in moments:
            at = datetime.combine(TODAY, time(9, 30), UTC) + timedelta(days=days)
            for purpose in Purpose:
                decided = decide_all(viewer, purpose, at, state)
                if any(decision.permitted for decision in decided.values()):
                    start, end = reach[viewer.id]
                    assert start <= at.timestamp() <= end
