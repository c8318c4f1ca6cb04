"""Objections, requests, endings, own decisions, expected agencies: seen, told once, answered."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from consent import Capacity, Category, Purpose
from panel.accounts.models import Agency
from panel.accounts.service import add_agency
from panel.commands.jobs import about_sharing
from panel.platform.clock import FixedClock
from panel.platform.jobs import run_due
from panel.platform.problems import Invalid
from panel.platform.tenancy import Tenant, load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.models import Involvement
from panel.sharing.answering import Answer, answer_request, request_access
from panel.sharing.models import AccessRequest, SharingAgreement
from panel.sharing.service import record_objection
from tests.sharing.family import (
    TODAY,
    Family,
    agreed,
    hold_the_plan,
    invented_family,
    record,
    referred,
    refused,
    sees,
)
from tests.sharing.restricted import Client, hidden_of, shown
from tests.sharing.test_write_down_a_decision import conversation, wrong

SITE = "https://panel.example"


def at(clock: FixedClock, day: date) -> None:
    clock.set(datetime(day.year, day.month, day.day, 9, 30, tzinfo=UTC))


async def day_of(tenant: Tenant, gate: Gate) -> None:
    """The jobs of the day, by two processes, and once more: the same."""
    for _ in range(3):
        await run_due(tenant, about_sharing(gate, SITE), JOB)


async def told(tenant: Tenant) -> list[tuple[str, str]]:
    """Every notice: its kind, and who gets it."""
    async with tenant.transaction(JOB) as session:
        rows = (await session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))).all()
        await load_keys(session, {row.holder_id for row in rows})
        return sorted((row.kind, row.address) for row in rows)


async def requests(tenant: Tenant) -> list[AccessRequest]:
    async with tenant.transaction(JOB) as session:
        return list(await session.scalars(select(AccessRequest).order_by(AccessRequest.id)))


@pytest.fixture
def page(family: Family) -> str:
    return f"/children/{family.child}/sharing"


# What ends ----------------------------------------------------------------------------------------


async def test_an_end_is_told_once_28_days_before_whatever_the_job_does(
    gate: Gate, family: Family, tenant: Tenant, clock: FixedClock
) -> None:
    await hold_the_plan(tenant, family)
    await referred(tenant, family)
    await record(gate, family, agreed(family))
    for day, notices in ((date(2027, 10, 24), 0), (date(2027, 10, 25), 2), (date(2027, 11, 20), 2)):
        at(clock, day)
        await day_of(tenant, gate)
        assert len(await told(tenant)) == notices, day
    assert await told(tenant) == [
        ("sharing_ending", "iris@demo.example"),
        ("sharing_ending", "rosa@demo.example"),
    ]
    async with tenant.transaction(JOB) as session:
        await session.execute(text("DELETE FROM job_run"))
        said = (await session.scalars(select(OutboxMessage))).first()
        assert said is not None
        await load_keys(session, {said.holder_id})
        assert f"{SITE}/children/{family.child}/sharing" in said.body
        assert "Freya" not in said.body + said.subject
    await day_of(tenant, gate)
    assert len(await told(tenant)) == 2, "done again, it is the same"


async def test_what_ends_is_on_the_homes_and_what_ended_on_the_page(
    client: Client, gate: Gate, family: Family, tenant: Tenant, clock: FixedClock, page: str,
    sign_in: Any,
) -> None:  # fmt: skip
    await hold_the_plan(tenant, family)
    coordinator = await referred(tenant, family)
    await record(gate, family, agreed(family))
    at(clock, date(2027, 11, 1))
    for who in (family.rosa.id, coordinator.id):
        await sign_in(who)
        assert "Agreement ends Freya Kestrel" in (await shown(client, "/")).replace(
            "C-1001", "Freya Kestrel"
        )
    at(clock, date(2027, 11, 23))
    await sign_in(family.rosa.id)
    assert "Agreement ends" not in await shown(client, "/")
    said = await shown(client, page)
    assert "to share with Made-up School ended on Monday 22 November 2027." in said
    assert not await sees(gate, family, family.tom)


# Objections ---------------------------------------------------------------------------------------


async def test_an_objection_is_written_down_waits_and_is_decided(
    client: Client, gate: Gate, family: Family, tenant: Tenant, clock: FixedClock, page: str,
    sign_in: Any,
) -> None:  # fmt: skip
    coordinator = await referred(tenant, family)
    await record(gate, family, agreed(family))
    at(clock, date(2026, 11, 24))
    await sign_in(family.rosa.id)
    address = f"{page}/objections/new"
    fields = await hidden_of(client, address)
    wrongly = {"by_person": str(family.grandmother), "reason": "She knows the head."}
    answer = await client.post(f"{page}/objections", data=fields | wrongly)
    assert "her grandmother has parental responsibility" in wrong(answer)
    assert "What do they object to?" in await shown(client, address)
    rightly = {"by_person": str(family.father), "reason": "He fears gossip at the gate."}
    kept = await client.post(f"{page}/objections", data=fields | rightly, follow_redirects=False)
    assert kept.status_code == 303
    assert await sees(gate, family, family.tom), "what was shared before goes on"
    await sign_in(coordinator.id)
    assert "Objection" in await shown(client, "/")
    async with tenant.transaction(JOB) as session:
        objection = await session.scalar(text("SELECT id FROM sharing_objection"))
    at(clock, date(2026, 12, 3))
    await sign_in(coordinator.id)
    home = await shown(client, "/")
    assert "Tuesday 1 December 2026 (2 days ago) Late" in home
    one = f"{page}/objections/{objection}"
    said = await shown(client, one)
    assert "A decision was due on Tuesday 1 December 2026, 2 days ago." in said
    assert "You cannot see what was said" in said, "the coordinator may not see the family's part"
    assert "Made-up School no longer sees" in said
    fields = await hidden_of(client, one)
    assert "Give the reasons of both" in wrong(
        await client.post(one, data=fields | {"outcome": "upheld", "reason": " "})
    )
    decided = {"outcome": "upheld", "reason": "His fear was heard, and her wish."}
    for _ in range(2):
        done = await client.post(one, data=fields | decided, follow_redirects=False)
        assert done.status_code == 303
    assert not await sees(gate, family, family.tom)
    assert "It is not shared" in await shown(client, one)
    assert "Objection Freya" not in await shown(client, "/")
    again = await client.post(
        one, data=await hidden_of(client, page) | decided | {"reason": "Again"}
    )
    assert again.status_code == 410


async def test_who_wrote_an_objection_down_reads_its_reasons_and_does_not_decide(
    client: Client, gate: Gate, family: Family, tenant: Tenant, page: str, sign_in: Any
) -> None:
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote") as access:
        objection = await record_objection(access, family.father, reason="He fears gossip")
    await sign_in(family.nia.id)
    one = f"{page}/objections/{objection}"
    assert "He fears gossip" in await shown(client, one)
    await sign_in(family.tom.id)
    assert "He fears gossip" not in await shown(client, one)
    data = await hidden_of(client, page) | {"outcome": "upheld", "reason": "x"}
    assert (await client.post(one, data=data)).status_code == 403


# Requests for access ------------------------------------------------------------------------------


async def ask(gate: Gate, family: Family, *categories: Category) -> None:
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "asked") as access:
        await request_access(access, categories or (Category.HEALTH,), "To plan her day")


async def test_a_request_waits_and_the_family_s_yes_answers_it(
    client: Client, gate: Gate, family: Family, tenant: Tenant, page: str, sign_in: Any
) -> None:
    await hold_the_plan(tenant, family)
    await ask(gate, family)
    await sign_in(family.rosa.id)
    assert "Request for access" in await shown(client, "/")
    said = await shown(client, page)
    assert "Made-up School Tom Arden Health. Working with the child To plan her day" in said
    (asked,) = await requests(tenant)
    one = await shown(client, f"{page}/requests/{asked.id}")
    assert "Answer by Monday 7 December 2026" in one
    form = await client.get(f"{page}/agreements/new?asked={asked.id}")
    assert f'value="{family.school}" checked' in form.text
    fields = await hidden_of(client, f"{page}/agreements/new")
    answer = await client.post(
        f"{page}/agreements",
        data=fields | {k: v for k, v in conversation(family).items() if v is not None},
        follow_redirects=False,
    )
    assert answer.status_code == 303
    (asked,) = await requests(tenant)
    async with tenant.transaction(JOB) as session:
        agreement = await session.scalar(select(SharingAgreement.id))
    assert (asked.state, asked.agreement_id, asked.basis) == ("agreed", agreement, "agreement")
    await day_of(tenant, gate)
    await day_of(tenant, gate)
    assert await told(tenant) == [("sharing_answered", "tom@demo.example")]
    await sign_in(family.tom.id)
    assert "agreed on 23 November 2026: the family agreed" in await shown(client, page)
    assert "What you asked for was agreed" in await shown(client, "/")
    assert (await client.get(f"{page}/requests/{asked.id}")).status_code == 403


async def test_a_request_is_refused_with_a_reason_that_the_asker_reads(
    client: Client, gate: Gate, family: Family, tenant: Tenant, page: str, sign_in: Any
) -> None:
    await hold_the_plan(tenant, family)
    await ask(gate, family)
    (asked,) = await requests(tenant)
    await sign_in(family.rosa.id)
    one = f"{page}/requests/{asked.id}"
    fields = await hidden_of(client, one)
    said = {"answer": "other_basis", "reason": "There is a duty"}
    assert "Nothing that is recorded opens this" in wrong(
        await client.post(one, data=fields | said)
    )
    assert "Give the reason" in wrong(
        await client.post(one, data=fields | {"answer": "refused", "reason": " "})
    )
    refuse = {"answer": "refused", "reason": "The family wants to wait."}
    assert (await client.post(one, data=fields | refuse, follow_redirects=False)).status_code == 303
    assert (await client.get(one)).status_code == 410
    await sign_in(family.tom.id)
    assert "refused on 23 November 2026. For working with the child. Reason: The family wants" in (
        await shown(client, page)
    )


async def test_a_request_that_lapsed_is_told_to_whoever_asked(
    client: Client, gate: Gate, family: Family, tenant: Tenant, clock: FixedClock, page: str,
    sign_in: Any,
) -> None:  # fmt: skip
    await ask(gate, family)
    for day, state in ((date(2026, 12, 7), "asked"), (date(2026, 12, 8), "lapsed")):
        at(clock, day)
        await day_of(tenant, gate)
        (asked,) = await requests(tenant)
        assert asked.state == state
    assert await told(tenant) == [("sharing_answered", "tom@demo.example")]
    await sign_in(family.tom.id)
    assert "not answered in time, so refused on 8 December 2026" in await shown(client, page)


async def test_a_no_of_the_family_refuses_and_what_is_not_covered_waits(
    gate: Gate, family: Family, tenant: Tenant
) -> None:
    await ask(gate, family, Category.HEALTH, Category.FINANCE)
    await record(gate, family, agreed(family))
    assert [one.state for one in await requests(tenant)] == ["agreed", "asked"]
    await record(gate, family, refused(family, named=frozenset({Category.FINANCE})))
    assert [one.state for one in await requests(tenant)] == ["agreed", "refused"]


async def test_nobody_answers_their_own_request_and_another_basis_is_recorded_first(
    gate: Gate, family: Family, tenant: Tenant
) -> None:
    await hold_the_plan(tenant, family)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "asked") as access:
        (mine,) = await request_access(access, [Category.SAFEGUARDING], "To plan")
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "answered") as access:
        with pytest.raises(Exception, match="somebody else answers"):
            await answer_request(access, mine, Answer.REFUSED, "No")
    await ask(gate, family)
    (_, asked) = await requests(tenant)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "answered") as access:
        with pytest.raises(Invalid):
            await answer_request(access, asked.id, Answer.OTHER_BASIS, "A duty")
    async with tenant.transaction(JOB) as session:
        await session.execute(
            text(
                "INSERT INTO sharing_enquiry (id, child_id, agencies, from_on, created_at,"
                " created_by, changed_at, changed_by, version) VALUES (gen_random_uuid(), :c,"
                " ARRAY[CAST(:s AS uuid)], :d, now(), :c, now(), :c, 1)"
            ),
            {"c": family.child, "s": family.school, "d": TODAY},
        )
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "answered") as access:
        await answer_request(access, asked.id, Answer.OTHER_BASIS, "An enquiry runs")
    assert [one.basis for one in await requests(tenant)] == [None, "safeguarding"]


# 16 and 18 ----------------------------------------------------------------------------------------


async def test_at_16_the_lead_professional_has_a_next_step_until_they_decide(
    client: Client, gate: Gate, tenant: Tenant, clock: FixedClock, sign_in: Any
) -> None:
    family = await invented_family(tenant, born=date(2010, 12, 21))
    page = f"/children/{family.child}/sharing"
    await hold_the_plan(tenant, family)
    await record(gate, family, agreed(family))
    await day_of(tenant, gate)
    await sign_in(family.rosa.id)
    assert "They will be 16 on Monday 21 December 2026 (in 28 days)." in await shown(client, page)
    assert "Turns 16: they decide themselves" in await shown(client, "/")
    at(clock, date(2027, 1, 4))
    await day_of(tenant, gate)
    assert await told(tenant) == [("sharing_own_decision", "rosa@demo.example")]
    assert await sees(gate, family, family.tom), "what was agreed for them goes on"
    await sign_in(family.rosa.id)
    assert "They have been 16 since Monday 21 December 2026" in await shown(client, page)
    own = agreed(family, by_person=family.child, capacity=Capacity.SELF, agreed_on=date(2027, 1, 4))
    await record(gate, family, own)
    assert "They have been 16" not in await shown(client, page)
    assert "Turns 16" not in await shown(client, "/")


async def test_what_parents_agreed_ends_on_the_day_before_18(
    client: Client, gate: Gate, tenant: Tenant, clock: FixedClock, sign_in: Any
) -> None:
    family = await invented_family(tenant, born=date(2010, 11, 30))
    page = f"/children/{family.child}/sharing"
    await hold_the_plan(tenant, family)
    await record(gate, family, agreed(family, until_on=None))
    at(clock, date(2028, 11, 6))
    await day_of(tenant, gate)
    async with tenant.transaction(JOB) as session:
        assert await session.scalar(select(SharingAgreement.until_on)) == date(2028, 11, 29)
    assert ("sharing_ending", "rosa@demo.example") in await told(tenant)
    await sign_in(family.rosa.id)
    said = await shown(client, page)
    assert "They will be 18 on Thursday 30 November 2028" in said
    assert await sees(gate, family, family.tom)
    at(clock, date(2028, 11, 30))
    assert not await sees(gate, family, family.tom)


# Agencies that are expected -----------------------------------------------------------------------


async def expect_audiology(tenant: Tenant, family: Family) -> UUID:
    """Audiology is expected from 1 December."""
    async with tenant.transaction(family.rosa.id) as session:
        audiology = await add_agency(session, key="aud", name="Audiology", kind="health")
        session.add(
            Involvement(
                child_id=family.child, agency_id=audiology.id, expected_from_on=date(2026, 12, 1)
            )
        )
        await rewrite_access(session, family.child)
    return audiology.id


async def test_an_expected_agency_is_offered_access_when_its_day_comes_once(
    client: Client, gate: Gate, family: Family, tenant: Tenant, clock: FixedClock, page: str,
    sign_in: Any,
) -> None:  # fmt: skip
    await hold_the_plan(tenant, family)
    await record(
        gate, family, agreed(family, agencies=frozenset({family.health}), until_on=date(2028, 1, 1))
    )
    audiology = await expect_audiology(tenant, family)
    await sign_in(family.rosa.id)
    assert "Audiology is expected from Tuesday 1 December 2026 (in 8 days)." in (
        await shown(client, page)
    )
    for day, categories in (
        (date(2026, 11, 30), []),
        (date(2026, 12, 1), ["network", "plan"]),
        (date(2026, 12, 20), ["network", "plan"]),
    ):
        at(clock, day)
        await day_of(tenant, gate)
        found = await requests(tenant)
        assert sorted(one.category for one in found) == categories, day
        assert {one.agency_id for one in found} <= {audiology}
        assert {one.worker_id for one in found} <= {family.rosa.id}
    assert {one.state for one in await requests(tenant)} == {"lapsed"}
    async with tenant.transaction(JOB) as session:
        await session.execute(text("DELETE FROM job_run"))
    await day_of(tenant, gate)
    assert len(await requests(tenant)) == 2, "it is offered once"
    await sign_in(family.rosa.id)
    assert "Audiology has been expected since Tuesday 1 December 2026." in await shown(client, page)


async def test_an_agency_that_may_see_is_not_asked_for(
    gate: Gate, family: Family, tenant: Tenant, clock: FixedClock
) -> None:
    audiology = await expect_audiology(tenant, family)
    await record(gate, family, agreed(family, agencies=frozenset({audiology})))
    at(clock, date(2026, 12, 1))
    await day_of(tenant, gate)
    assert await requests(tenant) == []
    async with tenant.transaction(JOB) as session:
        offered = await session.scalar(
            select(Involvement.offered_access_on)
            .join(Agency, Agency.id == Involvement.agency_id)
            .where(Agency.key == "aud")
        )
    assert offered == date(2026, 12, 1)


async def test_an_authority_changes_the_spans(
    client: Client, gate: Gate, family: Family, tenant: Tenant, clock: FixedClock, page: str,
    sign_in: Any,
) -> None:  # fmt: skip
    async with tenant.transaction(JOB) as session:
        await session.execute(
            text(
                "INSERT INTO setting (id, key, value, source, created_at, created_by, changed_at,"
                " changed_by, version) VALUES (gen_random_uuid(), 'sharing.remind_days', '400',"
                " '', now(), :j, now(), :j, 1), (gen_random_uuid(), 'sharing.answer_working_days',"
                " '\"many\"', '', now(), :j, now(), :j, 1)"
            ),
            {"j": JOB},
        )
    await record(gate, family, agreed(family))
    await sign_in(family.rosa.id)
    assert "ends on Monday 22 November 2027 (in 364 days)" in await shown(client, page)
