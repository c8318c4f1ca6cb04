"""Drawing a sample, auditing what was drawn, the author's answer, and figures without a child."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from consent import Purpose, Role, Viewer, ViewerKind
from panel.accounts.models import Agency
from panel.accounts.service import add_worker, give_role
from panel.assessments.definitions import SectionAnswers
from panel.assessments.models import Assessment, SectionAnswer
from panel.assessments.service import ensure_forms, form_at_hand, load_forms
from panel.casework.quality import (
    AUDITED,
    NewSample,
    answer,
    audit,
    draw_sample,
    frame_of,
    lines_of_author,
    lines_of_sample,
    one_sample,
    read_audit,
)
from panel.casework.quality_figures import completeness, judgements
from panel.casework.quality_form import newest_number, questions_of
from panel.casework.quality_models import QualityAudit, QualitySample
from panel.casework.quality_rules import draw
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound
from panel.platform.tenancy import Tenant, load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from tests.conftest import SignIn
from tests.plans.test_plan_pages import Client, fill_in, words
from tests.sharing.family import Family, agreed, invented_family, record, referred

TODAY = date(2026, 11, 23)
QUARTER = (date(2026, 9, 1), TODAY)
PURPOSES = (Purpose.PANEL, Purpose.SUPPORT)


@dataclass(frozen=True)
class Work:
    """One child with signed-off assessments, and who looks at the work."""

    family: Family
    iris: Viewer
    """Coordinator of the panel that the child is referred to."""
    mona: Viewer
    """Manager of the health visitors."""
    signed: tuple[UUID, ...]
    """Fourteen assessments by Rosa, one a day before the other."""


async def add_manager(tenant: Tenant, agency: UUID, name: str) -> Viewer:
    async with tenant.transaction(JOB) as session:
        of = await session.get(Agency, agency)
        assert of is not None
        worker = await add_worker(
            session, of, name=name, email=f"{name.split(maxsplit=1)[0]}@demo.example"
        )
        await give_role(session, worker, Role.MANAGER)
        return Viewer(worker.id, ViewerKind.WORKER, of.id, of.kind, frozenset({Role.MANAGER}))


async def sign_off_some(tenant: Tenant, family: Family, number: int) -> tuple[UUID, ...]:
    """Assessments that Rosa signed off; in the last one nothing but the first section is filled in.

    The first section of the CAF is what the child says.
    """
    made = []
    async with tenant.transaction(JOB) as session:
        form = (await ensure_forms(session))["caf"]
        await load_forms(session, {form})
        sections = [one for one in form_at_hand(form).sections if one.step != "review"]
        for count in range(number):
            signed_on = TODAY - timedelta(days=count)
            one = Assessment(
                child_id=family.child,
                form_id=form,
                form_key="caf",
                number=number - count,
                state="signed_off",
                author_id=family.rosa.id,
                author_agency_id=family.health,
                started_on=signed_on - timedelta(days=12),
                signed_off_on=signed_on,
                signed_off_by=family.rosa.id,
            )
            session.add(one)
            await session.flush()
            filled = sections if count < number - 1 else sections[:1]
            session.add_all(
                SectionAnswer(
                    child_id=family.child,
                    assessment_id=one.id,
                    section_key=section.key,
                    category=section.category,
                    state="complete",
                )
                for section in filled
            )
            made.append(one.id)
    return tuple(made)


@pytest.fixture
async def work(tenant: Tenant, gate: Gate) -> Work:
    family = await invented_family(tenant)
    iris = await referred(tenant, family)
    assert iris.agency is not None
    mona = await add_manager(tenant, family.health, "Mona Field")
    async with tenant.transaction(JOB) as session:
        await rewrite_access(session, family.child)
    receivers = frozenset({family.school, iris.agency})
    await record(gate, family, agreed(family, agencies=receivers))
    return Work(family, iris, mona, await sign_off_some(tenant, family, 14))


def a_sample(work: Work, asked: int = 4) -> NewSample:
    return NewSample(work.family.health, *QUARTER, asked)


async def drawn(tenant: Tenant, work: Work, viewer: Viewer, asked: int = 4) -> list[UUID]:
    """Draw a sample and give the audits of it."""
    async with tenant.transaction(viewer.id) as session:
        sample = await draw_sample(session, viewer, a_sample(work, asked))
        return [one.id for one in await lines_of_sample(session, viewer, sample.id)]


def judgement(rating: str = "partly") -> SectionAnswers:
    """Every question answered."""
    said: SectionAnswers = {}
    for question in questions_of(newest_number()).questions:
        said[question.key] = rating if question.choices else f"Words for {question.key}"
    return said


async def judge(gate: Gate, work: Work, viewer: Viewer, audit_id: UUID, version: int = 1) -> None:
    async with gate.open(work.family.child, viewer, PURPOSES, "audited it") as access:
        await audit(access, audit_id, judgement(), version)


async def test_a_sample_can_be_drawn_again_by_anybody(tenant: Tenant, work: Work) -> None:
    await drawn(tenant, work, work.iris)
    async with tenant.transaction(work.mona.id) as session:
        sample = (await session.scalars(select(QualitySample))).one()
        kept = set(await session.scalars(select(QualityAudit.assessment_id)))
        frame = await frame_of(session, work.mona, a_sample(work))
    assert (sample.frame, sample.drawn) == (14, 4)
    assert {one.id for one in draw(frame, sample.asked, sample.seed)} == kept


async def test_nobody_draws_until_a_draw_suits_them(tenant: Tenant, work: Work) -> None:
    await drawn(tenant, work, work.iris)
    with pytest.raises(Invalid) as refused:
        await drawn(tenant, work, work.mona, 5)
    assert "nobody draws again" in refused.value.errors[0].sentence
    async with tenant.transaction(work.mona.id) as session:
        with pytest.raises(DBAPIError, match="permission denied"):
            await session.execute(text("UPDATE quality_sample SET seed = 'mine'"))


async def test_who_may_draw(tenant: Tenant, work: Work) -> None:
    family = work.family
    async with tenant.transaction(family.rosa.id) as session:
        with pytest.raises(NotAllowed):
            await draw_sample(session, family.rosa, a_sample(work))
    elsewhere = await add_manager(tenant, family.school, "Otto Straw")
    async with tenant.transaction(elsewhere.id) as session:
        for new, says in (
            (a_sample(work), "your own agency"),
            (NewSample(family.school, *QUARTER, 4), "No assessment of this agency"),
        ):
            with pytest.raises(Invalid) as refused:
                await draw_sample(session, elsewhere, new)
            assert says in refused.value.errors[0].sentence


async def test_an_audit_is_kept_and_its_author_answers(
    tenant: Tenant, gate: Gate, work: Work
) -> None:
    rosa, child = work.family.rosa, work.family.child
    audit_id = (await drawn(tenant, work, work.iris))[0]
    async with gate.open(child, rosa, PURPOSES, "looked too early") as access:
        with pytest.raises(NotFound):
            await read_audit(access, audit_id)
    await judge(gate, work, work.iris, audit_id)
    async with tenant.transaction(rosa.id) as session:
        assert [one.state for one in await lines_of_author(session, rosa)] == ["audited"]
    async with gate.open(child, rosa, PURPOSES, "read the audit") as access:
        record = await read_audit(access, audit_id)
        assert record.comments is not None
        assert record.comments["good"] == "Words for good"
        assert record.row.ratings["child_voice"] == "partly"
        await answer(access, audit_id, "The school had not answered yet.", record.row.version)
    async with gate.open(child, work.iris, PURPOSES, "read the answer") as access:
        assert (await read_audit(access, audit_id)).author_words == (
            "The school had not answered yet."
        )
    async with gate.open(child, work.family.tom, PURPOSES, "had no part in it") as access:
        with pytest.raises(NotFound):
            await read_audit(access, audit_id)


async def test_nobody_audits_twice_or_themselves(tenant: Tenant, gate: Gate, work: Work) -> None:
    audit_id = (await drawn(tenant, work, work.iris))[0]
    await judge(gate, work, work.iris, audit_id)
    with pytest.raises(Conflict):
        await judge(gate, work, work.mona, audit_id)
    with pytest.raises(NotAllowed):
        await judge(gate, work, work.family.rosa, audit_id, 2)
    async with gate.open(work.family.child, work.mona, PURPOSES, "answered it") as access:
        with pytest.raises(NotAllowed, match="Only whoever wrote"):
            await answer(access, audit_id, "I would say", 2)


async def test_an_answer_on_an_old_page_shows_both(tenant: Tenant, gate: Gate, work: Work) -> None:
    audit_id = (await drawn(tenant, work, work.iris))[0]
    await judge(gate, work, work.iris, audit_id)
    async with gate.open(work.family.child, work.family.rosa, PURPOSES, "answered") as access:
        await answer(access, audit_id, "First", 2)
        with pytest.raises(Conflict) as conflict:
            await answer(access, audit_id, "Second", 2)
    assert (conflict.value.clashes[0].yours, conflict.value.clashes[0].theirs) == (
        "Second",
        "First",
    )


async def test_what_is_missing_is_said(tenant: Tenant, gate: Gate, work: Work) -> None:
    audit_id = (await drawn(tenant, work, work.iris))[0]
    said = judgement()
    del said["analysis"], said["next_time"]
    async with gate.open(work.family.child, work.iris, PURPOSES, "audited it") as access:
        with pytest.raises(Invalid) as refused:
            await audit(access, audit_id, said, 1)
    assert [one.field for one in refused.value.errors] == ["analysis", "next_time"]


async def test_a_sample_of_another_agency_is_not_a_managers(tenant: Tenant, work: Work) -> None:
    await drawn(tenant, work, work.iris)
    elsewhere = await add_manager(tenant, work.family.school, "Otto Straw")
    async with tenant.transaction(JOB) as session:
        sample_id = (await session.scalars(select(QualitySample.id))).one()
    async with tenant.transaction(elsewhere.id) as session:
        with pytest.raises(NotFound):
            await one_sample(session, elsewhere, sample_id)


async def test_figures_have_nobody_in_them(tenant: Tenant, gate: Gate, work: Work) -> None:
    names = {work.family.health: "Health visiting"}
    for audit_id in await drawn(tenant, work, work.iris, 12):
        await judge(gate, work, work.iris, audit_id)
    async with tenant.transaction(work.mona.id) as session:
        (line,) = await completeness(session, *QUARTER, names)
        (judged,) = await judgements(session, *QUARTER, names)
    assert (line.signed_off, line.whole, line.own_words, line.days) == (
        "About 15",
        "Nearly all or all",
        "Nearly all or all",
        "12 days",
    )
    assert judged.audited == "About 10"
    assert {said for _, said in judged.questions} == {"Few or none"}
    few = (TODAY - timedelta(days=3), TODAY)
    async with tenant.transaction(work.mona.id) as session:
        (line,) = await completeness(session, *few, names)
        told = [one.questions for one in await judgements(session, *few, names)]
    assert (line.signed_off, line.whole, line.days) == (
        "Fewer than 10",
        "Too few to say",
        "Too few to say",
    )
    assert all(not questions for questions in told)


async def test_who_reads_figures(tenant: Tenant, work: Work) -> None:
    names: dict[UUID, str] = {}
    elsewhere = await add_manager(tenant, work.family.school, "Otto Straw")
    async with tenant.transaction(elsewhere.id) as session:
        assert await completeness(session, *QUARTER, names) == [], "another agency's"
    async with tenant.transaction(work.family.rosa.id) as session:
        with pytest.raises(InsufficientPrivilege, match="answer for the work"):
            await completeness(session, *QUARTER, names)


# In a browser -------------------------------------------------------------------------------------


async def test_from_the_draw_to_the_answer_by_its_pages(
    client: Client, sign_in: SignIn, work: Work, tenant: Tenant
) -> None:
    await sign_in(work.iris.id)
    days = {"from_on-day": "1", "from_on-month": "9", "from_on-year": "2026"}
    days |= {"until_on-day": "23", "until_on-month": "11", "until_on-year": "2026"}
    sample = {"agency": str(work.family.health), "asked": "2"} | days
    refused = await fill_in(client, "/quality/new", sample | {"until_on-year": "2027"})
    assert refused.status_code == 422
    assert "The last day must be today or earlier" in words(refused.text)
    assert (await fill_in(client, "/quality/new", sample)).status_code == 303
    home = await client.get("/quality")
    assert "2 of 14" in words(home.text)
    (at,) = re.findall(r"/quality/samples/[0-9a-f-]{36}", home.text)
    drawn_page = (await client.get(at)).text
    assert "Freya" not in drawn_page, "a sample names no child"
    page = re.findall(r"/children/[0-9a-f-]{36}/quality/[0-9a-f-]{36}", drawn_page)[0]
    judged = {key: str(said) for key, said in judgement().items()}
    refused = await fill_in(client, page, judged | {"analysis": "perhaps", "good": ""})
    assert refused.status_code == 422
    assert "Words for next_time" in refused.text, "what was typed stays"
    assert (await fill_in(client, page, judged)).status_code == 303
    assert "Words for good" in words((await client.get(page)).text)
    await sign_in(work.family.rosa.id)
    assert page in (await client.get("/quality/mine")).text
    assert (await fill_in(client, page, {"words": ""})).status_code == 422
    assert (await fill_in(client, page, {"words": "Fair."})).status_code == 303
    assert "Fair." in words((await client.get(page)).text)
    async with tenant.transaction(JOB) as session:
        told = select(OutboxMessage).where(OutboxMessage.kind == AUDITED)
        mail = (await session.scalars(told)).one()
        await load_keys(session, {mail.holder_id})
        assert mail.to_viewer_id == work.family.rosa.id
        assert "/quality/mine" in mail.body
        assert "Freya" not in mail.body + mail.subject
