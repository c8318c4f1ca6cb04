"""What is due is proposed, two people decide, holds win, and a stop in the middle changes nothing."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from consent import Viewer
from panel.governance.disposals import (
    ASKED,
    HELD,
    NOT_DUE,
    OPEN,
    approve_list,
    decide_line,
    dispose_of_approved,
    propose,
    read_list,
    send_back,
    send_for_approval,
)
from panel.governance.retention_models import DisposalLine
from panel.governance.retention_rules import WITH_THE_CHILD, Rule
from panel.governance.retention_service import hold, holds, kept_for, release, set_kept_for
from panel.platform import erasure
from panel.platform.audit import AuditEvent, Kind
from panel.platform.clock import FixedClock
from panel.platform.crypto import ERASED
from panel.platform.erasure import DestroyedKeys, certificates
from panel.platform.problems import Conflict, Gone, Invalid, NotAllowed
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.models import Child, Episode, FamilyMember
from tests.governance.conftest import Offices, children_named
from tests.governance.rights import asked, closed, duties, write
from tests.sharing.family import Family

BORN, CLOSED = date(2000, 3, 9), date(2018, 7, 20)


@pytest.fixture
def destroyed(tmp_path: Path) -> DestroyedKeys:
    """An empty list of destroyed keys."""
    return DestroyedKeys(tmp_path)


@dataclass(frozen=True, slots=True)
class Due:
    """Three closed records whose time is over, and the list that proposes them."""

    children: tuple[UUID, UUID, UUID]
    list_id: UUID


async def set_rules(tenant: Tenant, lead: Viewer, rule: Rule) -> None:
    async with tenant.transaction(lead.id) as session:
        for kind in WITH_THE_CHILD:
            version = (await kept_for(session)).version
            await set_kept_for(session, kind, rule, version, "The partners’ schedule")


@pytest.fixture
async def due(tenant: Tenant, family: Family, offices: Offices) -> Due:
    await duties(tenant)
    async with tenant.transaction(JOB) as session:
        others = await children_named(session, "Ivo Marsh", "Una Pell", agency=family.health)
    children = (family.child, others[0], others[1])
    for one in children:
        await closed(tenant, one, CLOSED, BORN)
    async with tenant.transaction(JOB) as session:
        assert await propose(session) is None, "nothing is due before the authority said how long"
    await set_rules(tenant, offices.lead, Rule(6, 25))
    async with tenant.transaction(JOB) as session:
        made = await propose(session)
        assert made is not None
        return Due(children, made.id)


async def review(tenant: Tenant, due: Due, who: Viewer, *, keep: UUID | None = None) -> None:
    async with tenant.transaction(who.id) as session:
        for line in (await read_list(session, due.list_id)).lines:
            said = "keep" if line.child_id == keep else "dispose"
            await decide_line(session, due.list_id, line.id, line.version, said, "Of history")
        version = (await read_list(session, due.list_id)).row.version
        await send_for_approval(session, due.list_id, version)


async def approve(tenant: Tenant, due: Due, who: Viewer) -> None:
    async with tenant.transaction(who.id) as session:
        version = (await read_list(session, due.list_id)).row.version
        await approve_list(session, due.list_id, version)


async def lines(tenant: Tenant, due: Due) -> dict[UUID, DisposalLine]:
    async with tenant.transaction(JOB) as session:
        return {one.child_id: one for one in (await read_list(session, due.list_id)).lines}


async def name_of(tenant: Tenant, child: UUID) -> str:
    async with tenant.transaction(JOB) as session:
        row = await session.get_one(Child, child)
        await load_keys(session, {child})
        return row.given_name


async def test_what_is_due_is_proposed_once(tenant: Tenant, due: Due) -> None:
    found = await lines(tenant, due)
    assert set(found) == set(due.children)
    for one in found.values():
        assert (one.closed_on, one.due_on) == (CLOSED, date(2025, 3, 9))
    async with tenant.transaction(JOB) as session:
        assert await propose(session) is None


async def test_two_people_and_the_keys_are_gone_with_certificates_that_name_nobody(
    tenant: Tenant, family: Family, offices: Offices, due: Due, destroyed: DestroyedKeys
) -> None:
    kept = due.children[2]
    await review(tenant, due, offices.lead, keep=kept)
    assert await dispose_of_approved(tenant, destroyed) == 0
    with pytest.raises(NotAllowed):
        await approve(tenant, due, offices.lead)
    await approve(tenant, due, offices.guardian)
    assert await dispose_of_approved(tenant, destroyed) == 2
    assert await dispose_of_approved(tenant, destroyed) == 0
    assert await name_of(tenant, family.child) == ERASED
    assert await name_of(tenant, kept) == "Una"
    async with tenant.transaction(JOB) as session:
        mother = await session.get_one(FamilyMember, family.mother)
        await load_keys(session, {family.mother})
        assert mother.name == ERASED
        told = [one.json() for one in await certificates(session)]
        assert (await read_list(session, due.list_id)).row.state == "done"
    assert len(told) == 5
    for one in told:
        assert "Freya" not in one
        assert "Ada" not in one
    found = await lines(tenant, due)
    assert family.child in found[family.child].holders
    assert found[kept].outcome is None
    async with tenant.transaction(JOB) as session:
        noted = Counter(await session.scalars(select(AuditEvent.kind)))
    assert noted[Kind.SETTING_CHANGED] == len(WITH_THE_CHILD)
    assert noted[Kind.DISPOSAL_APPROVED] == 1
    assert noted[Kind.RECORD_DISPOSED] == 2


async def test_who_decided_one_line_does_not_approve(
    tenant: Tenant, offices: Offices, due: Due
) -> None:
    async with tenant.transaction(offices.second_lead.id) as session:
        line = (await read_list(session, due.list_id)).lines[0]
        with pytest.raises(Invalid):
            await decide_line(session, due.list_id, line.id, line.version, "keep", " ")
        await decide_line(session, due.list_id, line.id, line.version, "dispose", "")
        with pytest.raises(Conflict):
            await decide_line(session, due.list_id, line.id, line.version - 1, "keep", "x")
        row = (await read_list(session, due.list_id)).row
        with pytest.raises(Invalid):
            await send_for_approval(session, due.list_id, row.version)
    async with tenant.transaction(offices.lead.id) as session:
        for line in (await read_list(session, due.list_id)).lines[1:]:
            await decide_line(session, due.list_id, line.id, line.version, "dispose", "")
        row = (await read_list(session, due.list_id)).row
        await send_for_approval(session, due.list_id, row.version)
    with pytest.raises(NotAllowed):
        await approve(tenant, due, offices.second_lead)
    async with tenant.transaction(offices.guardian.id) as session:
        row = (await read_list(session, due.list_id)).row
        await send_back(session, due.list_id, row.version)
    with pytest.raises(Gone):
        await approve(tenant, due, offices.guardian)


async def test_nobody_changes_a_line_while_the_list_is_sent_and_approved(
    tenant: Tenant, due: Due, offices: Offices
) -> None:
    kept = due.children[0]
    waiting = await lines(tenant, due)
    async with tenant.transaction(offices.lead.id) as session:
        for line in waiting.values():
            decision = "keep" if line.child_id == kept else "dispose"
            await decide_line(session, due.list_id, line.id, line.version, decision, "A claim")
    waiting = await lines(tenant, due)

    async def sent() -> None:
        async with tenant.transaction(offices.lead.id) as session:
            version = (await read_list(session, due.list_id)).row.version
            await send_for_approval(session, due.list_id, version)

    async with tenant.transaction(offices.second_lead.id) as session:
        line = waiting[kept]
        await decide_line(session, due.list_id, line.id, line.version, "dispose", "")
        sending = asyncio.create_task(sent())
        finished, _ = await asyncio.wait([sending], timeout=0.5)
        assert not finished, "what is sent is what was decided last"
    await sending
    async with tenant.transaction(offices.second_lead.id) as session:
        assert not (await read_list(session, due.list_id)).may_be_approved_by(
            offices.second_lead.id
        )


async def test_a_hold_a_request_a_new_stay_and_a_longer_rule_win(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices, due: Due,
    destroyed: DestroyedKeys,
) -> None:  # fmt: skip
    await review(tenant, due, offices.lead)
    await approve(tenant, due, offices.guardian)
    held = (await lines(tenant, due))[due.children[1]].reference
    async with tenant.transaction(offices.lead.id) as session:
        await hold(session, held, date(2026, 11, 20), "A claim about an injury")
        with pytest.raises(Invalid):
            await hold(session, held, date(2026, 11, 20), "Again")
    await asked(tenant, gate, offices.lead)
    await write(tenant, Episode(child_id=due.children[2], opened_on=date(2026, 11, 20)))
    assert await dispose_of_approved(tenant, destroyed) == 0
    found = await lines(tenant, due)
    assert [found[one].refused_why for one in due.children] == [ASKED, HELD, OPEN]
    assert await name_of(tenant, due.children[1]) == "Ivo"
    assert not destroyed.read()
    async with tenant.transaction(offices.lead.id) as session:
        (one,) = await holds(session)
        with pytest.raises(Invalid):
            await release(session, one.id, one.version, "")
        await release(session, one.id, one.version, "The claim is settled")
    async with tenant.transaction(JOB) as session:
        kinds = set(await session.scalars(
            select(AuditEvent.kind).where(AuditEvent.subject_id == due.children[1])
        ))  # fmt: skip
    assert {Kind.HOLD_SET, Kind.HOLD_RELEASED} <= kinds
    async with tenant.transaction(JOB) as session:
        again = await propose(session)
        assert again is not None
        (line,) = (await read_list(session, again.id)).lines
        assert line.child_id == due.children[1]


async def test_a_rule_that_became_longer_is_looked_at_once_more(
    tenant: Tenant, offices: Offices, due: Due, destroyed: DestroyedKeys, clock: FixedClock
) -> None:
    await review(tenant, due, offices.lead)
    await approve(tenant, due, offices.second_lead)
    clock.set(clock.now() + timedelta(hours=1))
    await set_rules(tenant, offices.lead, Rule(6, 31))
    assert await dispose_of_approved(tenant, destroyed) == 0
    assert {one.refused_why for one in (await lines(tenant, due)).values()} == {NOT_DUE}


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("place", ["before the list is written", "after it was written"])
async def test_a_stop_in_the_middle_is_done_again_and_gives_the_same(
    tenant: Tenant, family: Family, offices: Offices, due: Due, destroyed: DestroyedKeys, place: str
) -> None:
    await review(tenant, due, offices.lead)
    await approve(tenant, due, offices.guardian)

    class Dying(DestroyedKeys):
        """A list whose process dies as it writes the second record."""

        writes = 0

        def append(self, certificates: Sequence[erasure.Certificate]) -> None:
            self.writes += 1
            if self.writes == 2 and place.startswith("before"):
                raise Killed
            super().append(certificates)
            if self.writes == 2:
                raise Killed

    with pytest.raises(Killed):
        await dispose_of_approved(tenant, Dying(destroyed.path.parent))
    listed = {one.holder: one.told["id"] for one in destroyed.read()}
    assert len(listed) in (4, 5)
    done = await dispose_of_approved(tenant, destroyed)
    assert done == 2
    every = destroyed.read()
    assert len({one.holder for one in every}) == len(every) == 6
    async with tenant.transaction(JOB) as session:
        kept = {one.holder: one.told["id"] for one in await certificates(session)}
    assert kept == {one.holder: one.told["id"] for one in every}
    assert listed.items() <= kept.items()
    for child in due.children:
        assert await name_of(tenant, child) == ERASED


async def test_a_stop_within_the_list_leaves_nobody_of_the_family(
    tenant: Tenant, family: Family, offices: Offices, due: Due, destroyed: DestroyedKeys
) -> None:
    await review(tenant, due, offices.lead)
    await approve(tenant, due, offices.guardian)
    with pytest.raises(Killed):
        async with tenant.transaction(JOB) as session:
            order = erasure.Order("Disposal list 1", "panel jobs")
            await erasure.destroy(session, tenant, destroyed, [family.child], order)
            raise Killed
    assert await dispose_of_approved(tenant, destroyed) == 3
    gone = {one.holder for one in destroyed.read()}
    assert {family.child, family.mother, family.father, family.grandmother} <= gone
