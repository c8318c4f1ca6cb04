"""A child is handed from one Panel to another: two databases, the second one served over HTTP."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import func, select

from interop.handed import TaskTold
from panel.accounts.models import Agency, Worker
from panel.accounts.service import add_worker
from panel.casework.closing import last_closure, name_lead
from panel.casework.handover import draft_handover, withdraw
from panel.casework.handover_models import AuthorityHandover, ReceivedHandover
from panel.exchange import handing_over_in as there
from panel.exchange.handing_over import hand_over_due, make_document, settle
from panel.exchange.standing import client_by_key
from panel.plans.models import LeadProfessional
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.problems import Conflict, Invalid, NotAllowed
from panel.platform.tenancy import Tenant, load_keys
from panel.records.access_check import differences
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.children import NewChild, add_child
from panel.register.models import Child
from panel.register.service import open_episode, open_episode_of
from tests.exchange.test_first_exchange import served
from tests.exchange.two_panels import HERE, NORTH, Two, two_panels
from tests.sharing.family import TODAY, refused

pytestmark = pytest.mark.database
WHY = "The family lives in another county."


@pytest.fixture
async def two(
    tenant: Tenant,
    gate: Gate,
    cluster: Cluster,
    template_database: str,
    data_dir: Path,
    clock: FixedClock,
    for_commands: dict[str, str | None],
) -> AsyncIterator[Two]:
    async with two_panels(
        tenant, gate, cluster, template_database, data_dir, clock, for_commands
    ) as made:
        yield made


async def leads(tenant: Tenant, child: UUID) -> set[UUID]:
    """Who holds the plan."""
    async with tenant.transaction(JOB) as session:
        rows = await session.scalars(
            select(LeadProfessional.worker_id).where(
                LeadProfessional.child_id == child, LeadProfessional.state == "accepted"
            )
        )
        return set(rows)


async def test_died_in_the_middle_refused_withdrawn_and_accepted(two: Two) -> None:
    child, south = two.family.child, two.south.tenant
    row = await two.send()
    assert await hand_over_due(two.north, HERE) == 1
    assert (await two.newest()).failure.startswith("It did not answer"), "Nobody is there yet."
    with served(two.south.environment, two.south.port):
        assert await two.ask() == 1
        view = await two.newest()
        assert (view.state, view.failure) == ("sent", ""), "Nobody decided yet."
        # As if whoever sent it had died before the answer: it is sent again, and is the same.
        async with two.north.transaction(JOB) as session:
            (await session.get_one(AuthorityHandover, row.id)).delivered_at = None
        assert await two.ask() == 1
        await _refuse(two)
        assert await two.ask() == 1
        view = await two.newest()
        assert (view.state, view.reason) == ("refused", WHY)
        assert await leads(two.north, child) == {two.family.rosa.id}
        async with south.transaction(JOB) as session:
            assert await session.scalar(select(func.count()).select_from(Child)) == 0
        # Handed over anew, and taken back before anybody answers.
        again = await two.send()
        assert await hand_over_due(two.north, HERE) == 1
        async with two.open() as access:
            await withdraw(access, again.id, (await two.newest()).version, "They stay after all")
        assert await two.ask() == 1
        assert (await two.newest()).state == "withdrawn"
        # And a third time, for good.
        last = await two.send()
        assert await hand_over_due(two.north, HERE) == 1
        assert await leads(two.north, child) == {two.family.rosa.id}, "Nobody is in between."
        one = await two.opened()
        assert one.handed.handing.child == str(child)
        assert one.handed.handing.note == "Mum prefers a text message."
        assert set(one.handed.handing.withheld) == {"finance", "safeguarding"}
        here = await two.accept(one.id, one.version)
        assert await two.accept(one.id, one.version) == here, "Twice is once."
        assert await two.ask() == 1
        assert await two.ask() == 0, "There is nothing more to ask."
    await _left(two)
    await _arrived(two, here, last)


async def _refuse(two: Two) -> None:
    one = await two.opened()
    with pytest.raises(Invalid):
        await two.refuse(one.id, one.version, " ")
    await two.refuse(one.id, one.version, WHY)
    with pytest.raises(Conflict):
        await two.accept(one.id, one.version)


async def _left(two: Two) -> None:
    child = two.family.child
    async with two.north.transaction(JOB) as session:
        assert await open_episode_of(session, child) is None
        closure = await last_closure(session, child)
        assert closure is not None
        assert (closure.reason, closure.closed_on) == ("moved_away", TODAY)
    assert await leads(two.north, child) == set()
    view = await two.newest()
    assert (view.state, view.answered_on) == ("accepted", TODAY)
    assert view.lead_there.startswith("Sara Lindqvist")
    assert await differences(two.north) == ()


async def _arrived(two: Two, child: UUID, sent: AuthorityHandover) -> None:
    south = two.south.tenant
    async with south.transaction(JOB) as session:
        row = (await session.scalars(select(AuthorityHandover))).one()
        assert (row.child_id, row.direction, row.state) == (child, "in", "accepted")
        assert row.identifier == sent.identifier
        episode = await open_episode_of(session, child)
        assert episode is not None
        assert (episode.opened_on, episode.id) == (TODAY, row.episode_id)
        states = await session.scalars(select(ReceivedHandover.state))
        assert sorted(states) == ["accepted", "refused", "withdrawn"]
    assert await leads(south, child) == {two.south.lead.id}
    assert await differences(south) == ()


async def test_what_was_changed_on_the_way_is_refused(two: Two) -> None:
    row = await two.send()
    south = two.south.tenant
    async with two.north.transaction(JOB) as session:
        kept = await session.get_one(AuthorityHandover, row.id)
        await two.load(session)
        body = kept.document.encode()
    async with south.transaction(JOB) as session:
        client = await client_by_key(session, NORTH)
        assert client is not None
    bundle = msgspec.json.decode(body)
    bundle["entry"][1]["resource"]["birthDate"] = "2012-01-01"
    for wrong, status in ((msgspec.json.encode(bundle), 422), (b"{}", 400)):
        with pytest.raises(there.Refused) as said:
            await there.receive_handover(south, client, wrong)
        assert said.value.status == status
    first = await there.receive_handover(south, client, body)
    assert await there.receive_handover(south, client, body) == first
    with pytest.raises(there.Refused) as another:
        await there.receive_handover(south, client, body + b" ")
    assert another.value.status == 409
    async with south.transaction(JOB) as session:
        assert await session.scalar(select(func.count()).select_from(ReceivedHandover)) == 1


async def test_a_file_is_taken_in_as_what_comes_by_system(two: Two) -> None:
    row = await two.send()
    south = two.south
    async with two.north.transaction(JOB) as session:
        kept = await session.get_one(AuthorityHandover, row.id)
        await two.load(session)
        body = kept.document.encode()
    async with south.tenant.transaction(JOB) as session:
        for authority, wrong, field in (
            (None, body, "authority"),
            (south.authority, b"{}", "file"),
        ):
            with pytest.raises(Invalid) as refused:
                await there.receive_file(session, authority, wrong)
            assert refused.value.errors[0].field == field
        first = await there.receive_file(session, south.authority, body)
        assert await there.receive_file(session, south.authority, body) == first
        with pytest.raises(Invalid) as refused:
            await there.receive_file(session, south.authority, body + b" ")
        assert "another identifier" in refused.value.errors[0].sentence
    one = await two.opened()
    assert one.id == first
    assert one.state == "requested"
    here = await two.accept(one.id, one.version)
    assert await leads(south.tenant, here) == {south.lead.id}


async def test_a_child_whose_case_is_open_here_is_nobody_elses_for_a_document(two: Two) -> None:
    """What another authority says of a child closes nothing here, nor gives it to somebody else."""
    row = await two.send()
    south = two.south.tenant
    async with two.north.transaction(JOB) as session:
        kept = await session.get_one(AuthorityHandover, row.id)
        await two.load(session)
        body = kept.document.encode()
    async with south.transaction(JOB) as session:
        client = await client_by_key(session, NORTH)
        assert client is not None
        home = (await session.get_one(Worker, two.south.lead.id)).agency_id
        agency = await session.get_one(Agency, home)
        ours = await add_worker(session, agency, name="Omar Vale", email="omar@demo.example")
        new = NewChild(given_name="Freya", family_name="Kestrel", birth_date=date(2022, 3, 9))
        child = (await add_child(session, new, agency_id=home)).id
        episode = (await open_episode(session, child, date(2026, 10, 1))).id
        await load_keys(session, {child})
        await name_lead(session, child, ours, date(2026, 10, 1))
    await there.receive_handover(south, client, body)
    one = await two.opened()
    assert await two.accept(one.id, one.version) == child
    assert await leads(south, child) == {ours.id}
    async with south.transaction(JOB) as session:
        now = await open_episode_of(session, child)
        assert now is not None
        assert (now.id, now.opened_on) == (episode, date(2026, 10, 1))
    told = await there.received_state(south, client, row.identifier)
    assert told is not None
    assert told.lead == "Omar Vale"
    # The other side says when it took the child on: not before it was asked.
    long_ago = TaskTold("accepted", on=date(2026, 1, 1), lead="Omar Vale")
    await settle(two.north, row.id, long_ago, "")
    assert (await two.newest()).answered_on == TODAY


async def test_taken_back_before_it_came_it_never_counts(two: Two) -> None:
    row = await two.send()
    south = two.south.tenant
    async with south.transaction(JOB) as session:
        client = await client_by_key(session, NORTH)
        assert client is not None
    told = await there.withdrawn_there(south, client, row.identifier)
    assert told.state == "cancelled"
    async with two.north.transaction(JOB) as session:
        kept = await session.get_one(AuthorityHandover, row.id)
        await two.load(session)
        body = kept.document.encode()
    assert (await there.receive_handover(south, client, body))[1].state == "cancelled"


async def test_without_agreement_nothing_is_made(two: Two) -> None:
    await two.decide(refused(two.family))
    row = await two.draft()
    with pytest.raises(NotAllowed, match="may not be told"):
        await make_document(two.gate, row, "", "http://n")
    async with two.open() as access:
        with pytest.raises(Invalid) as refusal:
            await draft_handover(access, two.authority, moves_on=None, note="", way="system")
    assert "already" in refusal.value.errors[0].sentence
