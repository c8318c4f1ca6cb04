"""An assessment is agreed to, signed off, read by others, followed by a later version."""

from datetime import date, timedelta
from uuid import UUID

import msgspec
import pytest

from consent import Category, Purpose, Viewer
from panel.assessments.definitions import Answers, FormDefinition
from panel.assessments.models import Assessment
from panel.assessments.reading import signed_off_id
from panel.assessments.service import (
    AssessmentReading,
    SectionReading,
    assessment_for_reading,
    assessment_lines,
    current_assessment_facts,
    ensure_forms,
    import_assessment,
    latest_signed_off,
    read_assessment,
    save_section,
    settle_agreement,
    sign_off,
    start_assessment,
)
from panel.platform.clock import FixedClock
from panel.platform.problems import Conflict, Invalid, NotAllowed
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, Withheld
from panel.sharing.service import RecordedAs, agreement_of_assessment, withdraw_agreement
from tests.sharing.family import TODAY, Family, hold_the_plan, invented_family, sees


@pytest.fixture
def said(full: Answers, family: Family) -> Answers:
    """A whole CAF, agreed to today by the mother for the school."""
    return by_family(full, family)


def by_family(full: Answers, family: Family) -> Answers:
    full["agreement"] |= {
        "agreed_by": str(family.mother),
        "share_with": [str(family.school)],
        "not_share_with": [],
        "level": "additional",
        "named_categories": ["finance"],
        "purposes": ["support", "panel"],
        "agreed_on": "2026-11-23",
        "from": "2026-11-23",
        "until": "2027-11-22",
    }
    return full


async def fill_in(gate: Gate, family: Family, said: Answers, viewer: Viewer | None = None) -> UUID:
    """Start, write every section, and record the agreement."""
    async with gate.open(
        family.child, viewer or family.rosa, Purpose.SUPPORT, "filled it in"
    ) as access:
        assessment = await start_assessment(access)
        record = await read_assessment(access, assessment)
        for section in record.shown.sections:
            answers = {
                question.key: said[section.key][question.key]
                for question in section.questions
                if question.key in said[section.key]
            }
            version = record.section_version(section.key)
            await save_section(access, assessment, section.key, answers, version)
        await settle_agreement(access, assessment)
    return assessment


async def sign(
    gate: Gate, family: Family, assessment: UUID, viewer: Viewer | None = None, off_by: int = 0
) -> None:
    async with gate.open(
        family.child, viewer or family.rosa, Purpose.SUPPORT, "signed off"
    ) as access:
        record = await read_assessment(access, assessment)
        await sign_off(access, assessment, record.answers_number + off_by)


async def reading(gate: Gate, family: Family, viewer: Viewer) -> AssessmentReading:
    async with gate.open(family.child, viewer, Purpose.SUPPORT, "read it") as access:
        found = await assessment_for_reading(access)
    assert found is not None
    return found


def keys(found: AssessmentReading) -> set[str]:
    return {each.key for each in found.sections if isinstance(each, SectionReading)}


async def test_the_assessor_signs_off_and_the_school_reads_what_was_agreed(
    gate: Gate, family: Family, said: Answers
) -> None:
    assessment = await fill_in(gate, family, said)
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "read it") as access:
        assert await assessment_for_reading(access) is None, "a draft is not for reading"
    await sign(gate, family, assessment)
    mine, theirs = await reading(gate, family, family.rosa), await reading(gate, family, family.tom)
    assert theirs.signed_off_on == date(2026, 11, 23)
    assert theirs.signed_off_by == "Rosa Whitlow"
    assert theirs.author_agency == "Health visiting"
    assert {"health", "home_and_money", "child_says"} <= keys(theirs)
    assert "care_and_safety" in keys(mine)
    assert "care_and_safety" not in keys(theirs)
    (withheld,) = [each for each in theirs.sections if isinstance(each, Withheld)]
    assert withheld.category is Category.SAFEGUARDING
    assert "Strong in basic_care" not in repr(theirs)


async def test_a_withdrawn_agreement_closes_a_section_at_once(
    gate: Gate, family: Family, said: Answers
) -> None:
    assessment = await fill_in(gate, family, said)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "ended it") as access:
        agreement = await agreement_of_assessment(access, assessment)
        assert agreement is not None
        await withdraw_agreement(access, agreement.id)
    await sign(gate, family, assessment)
    found = await reading(gate, family, family.tom)
    assert "health" not in keys(found), "signing off does not bring back what was withdrawn"
    assert "Words for own_words" not in repr(found)


async def test_what_is_missing_stands_in_the_way(gate: Gate, family: Family, said: Answers) -> None:
    said["names"] = {}
    assessment = await fill_in(gate, family, said)
    with pytest.raises(Invalid) as wrong:
        await sign(gate, family, assessment)
    assert "Still missing" in str(wrong.value.errors)


async def test_only_the_assessor_or_the_lead_professional_signs_off(
    gate: Gate, family: Family, said: Answers
) -> None:
    assessment = await fill_in(gate, family, said)
    with pytest.raises(Invalid) as wrong:
        await sign(gate, family, assessment, family.nia)
    assert "Only the assessor or Freya’s lead professional can sign it off." in str(
        wrong.value.errors
    )


async def test_the_lead_professional_signs_off_for_the_assessor(
    gate: Gate, family: Family, said: Answers, tenant: Tenant
) -> None:
    assessment = await fill_in(gate, family, said, family.nia)
    await hold_the_plan(tenant, family)
    await sign(gate, family, assessment)
    found = await reading(gate, family, family.rosa)
    assert found.signed_off_by == "Rosa Whitlow"


async def test_nobody_signs_off_what_they_cannot_see(
    gate: Gate, family: Family, said: Answers
) -> None:
    assessment = await fill_in(gate, family, said)
    with pytest.raises(Invalid) as wrong:
        await sign(gate, family, assessment, family.tom)
    assert "You cannot see all of it" in str(wrong.value.errors)


async def test_answers_that_changed_after_the_check_are_not_signed_off(
    gate: Gate, family: Family, said: Answers
) -> None:
    assessment = await fill_in(gate, family, said)
    with pytest.raises(Conflict):
        await sign(gate, family, assessment, off_by=-1)


async def test_a_refusal_is_an_answer_and_opens_nothing(
    gate: Gate, family: Family, said: Answers
) -> None:
    said["agreement"]["share"] = "no"
    assessment = await fill_in(gate, family, said)
    await sign(gate, family, assessment)
    assert not await sees(gate, family, family.tom)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read it") as access:
        agreement = await agreement_of_assessment(access, assessment)
        assert agreement is not None
        assert not agreement.given


async def test_the_agreement_is_recorded_once_and_changed_by_saying_it_again(
    gate: Gate, family: Family, said: Answers
) -> None:
    assessment = await fill_in(gate, family, said)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote") as access:
        assert await settle_agreement(access, assessment) is None
        record = await read_assessment(access, assessment)
        less = said["agreement"] | {"level": "basic", "named_categories": []}
        version = record.section_version("agreement")
        await save_section(access, assessment, "agreement", less, version)
        changed = await settle_agreement(access, assessment)
        assert changed is not None
        assert changed.kind is RecordedAs.AGREEMENT
    assert not await sees(gate, family, family.tom)
    assert await sees(gate, family, family.tom, Category.PLAN)


async def test_at_16_the_young_person_decides_alone(
    gate: Gate, tenant: Tenant, full: Answers
) -> None:
    family = await invented_family(tenant, born=date(2010, 1, 1))
    said = by_family(full, family)
    with pytest.raises(Invalid) as wrong:
        await fill_in(gate, family, said)
    assert wrong.value.errors[0].field == "capacity"
    said["agreement"] |= {"agreed_by": str(family.child), "capacity": "young_person"}
    assessment = await fill_in(gate, family, said)
    await sign(gate, family, assessment)
    assert await sees(gate, family, family.tom)


async def test_a_signed_off_version_stays_and_a_later_one_starts_from_it(
    gate: Gate, family: Family, said: Answers, tenant: Tenant, caf: FormDefinition
) -> None:
    first = await fill_in(gate, family, said)
    await sign(gate, family, first)
    dropped = tuple(one for one in caf.sections if one.key != "background")
    newer = msgspec.structs.replace(caf, version=caf.version + 1, sections=dropped)
    async with tenant.transaction(JOB) as session:
        await ensure_forms(session, [newer])
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote") as access:
        second = await start_assessment(access)
        later = await read_assessment(access, second)
        assert later.form.version == caf.version + 1
        assert later.number == 2
        assert later.section_answers("child_says") == said["child_says"]
        assert later.section_answers("agreement") == {}, "a later version is agreed to anew"
        version = later.section_version("child_says")
        changed = said["child_says"] | {"own_words": "Now I can climb."}
        await save_section(access, second, "child_says", changed, version)
        with pytest.raises(NotAllowed):
            await save_section(access, first, "child_says", changed, 1)
        earlier = await read_assessment(access, first)
        assert earlier.form.version == caf.version
        assert earlier.section_answers("background") == said["background"]
        assert earlier.section_answers("child_says") == said["child_says"]
        assert [line.number for line in await assessment_lines(access)] == [2, 1]


async def test_carrying_forward_does_not_make_it_ones_own(
    gate: Gate, family: Family, said: Answers
) -> None:
    first = await fill_in(gate, family, said)
    await sign(gate, family, first)
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "wrote") as access:
        second = await start_assessment(access)
        assert (await read_assessment(access, second)).section_answers("health")
        agreement = await agreement_of_assessment(access, first)
        assert agreement is not None
        await withdraw_agreement(access, agreement.id)
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "read") as access:
        seen = await read_assessment(access, second)
        assert seen.section_answers("health") == {}
        assert "health" in seen.withheld


async def test_process_facts_are_known_without_content(
    gate: Gate, family: Family, said: Answers, tenant: Tenant
) -> None:
    assessment = await fill_in(gate, family, said)
    for viewer in (JOB, family.tom.id):
        async with tenant.transaction(viewer) as session:
            facts = (await current_assessment_facts(session, [family.child]))[family.child]
        assert facts.signed_off_on is None
        assert facts.draft_started_on == date(2026, 11, 23)
        assert facts.author_id == family.rosa.id
    await sign(gate, family, assessment)
    async with tenant.transaction(JOB) as session:
        facts = (await current_assessment_facts(session, [family.child]))[family.child]
    assert (facts.signed_off_on, facts.draft_started_on) == (date(2026, 11, 23), None)
    assert (facts.author_agency_id, facts.form_key) == (family.health, "caf")
    async with tenant.transaction(family.mother) as session:
        stranger = await current_assessment_facts(session, [family.grandmother])
    assert stranger == {}


async def test_an_assessment_made_elsewhere_is_imported_once(
    gate: Gate, family: Family, tenant: Tenant, clock: FixedClock
) -> None:
    document = UUID(int=7)
    ids = set()
    for given in (None, document, None):
        async with tenant.transaction(JOB) as session:
            made = await import_assessment(
                session,
                family.child,
                signed_on=date(2026, 5, 4),
                by_worker=family.rosa.id,
                document_id=given,
            )
            ids.add(made)
    assert len(ids) == 1
    found = await reading(gate, family, family.rosa)
    assert (found.document_id, found.sections) == (document, ())
    tomorrow = clock.now().date() + timedelta(days=1)
    async with tenant.transaction(JOB) as session:
        with pytest.raises(Invalid):
            await import_assessment(
                session, family.child, signed_on=tomorrow, by_worker=family.rosa.id
            )


async def signed_off_elsewhere(tenant: Tenant, family: Family, key: str) -> None:
    async with tenant.transaction(JOB) as session:
        forms = await ensure_forms(session)
        session.add(
            Assessment(
                child_id=family.child,
                form_id=forms[key],
                form_key=key,
                state="signed_off",
                author_id=family.rosa.id,
                author_agency_id=family.health,
                started_on=TODAY,
                signed_off_on=TODAY,
            )
        )


async def test_another_form_is_no_caf(gate: Gate, family: Family, tenant: Tenant) -> None:
    """A report is read on its own page: it makes no case ready and stands in no pack."""
    rests: list[bool] = []
    for key in ("report_therapy", "cin_core"):
        await signed_off_elsewhere(tenant, family, key)
        async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read") as access:
            assert await latest_signed_off(access) is None
            assert not await current_assessment_facts(access.session, [family.child])
            rests.append(await signed_off_id(access) is not None)
            lines = await assessment_lines(access)
    # A request for a service may rest on a core assessment, as on a CAF.
    assert rests == [False, True]
    assert {line.form_key for line in lines} == {"report_therapy", "cin_core"}
