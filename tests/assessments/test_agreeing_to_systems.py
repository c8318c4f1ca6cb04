"""A CAF asks whether the agencies' own computer systems get it: from version 2 on, and of nobody
who was asked by version 1.
"""

from uuid import UUID

import pytest
from sqlalchemy import select, text

from consent import Category, Purpose, Viewer, ViewerKind
from panel.assessments.definitions import Answers, built_in_forms, problems_of_next_version
from panel.assessments.rules import missing_answers
from panel.assessments.service import (
    read_assessment,
    save_section,
    settle_agreement,
    start_assessment,
)
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.agreeing_pages import OF_A_SYSTEM
from panel.sharing.choice_views import HowFar
from panel.sharing.choices import choices_of
from panel.sharing.models import SharingAgreement, SharingObjection
from tests.assessments.test_signing_off_on_database import by_family, fill_in, sign
from tests.sharing.family import Family, agreed, record, sees

SYSTEM = frozenset({Purpose.EXCHANGE})


@pytest.fixture
def said(full: Answers, family: Family) -> Answers:
    """A whole CAF, agreed to by the mother for the school."""
    return by_family(full, family)


async def standing(tenant: Tenant) -> list[tuple[bool, frozenset[UUID], frozenset[str]]]:
    """What was said of the systems and of the people and counts: a yes or a no, of whom, for what."""
    async with tenant.transaction(JOB) as session:
        rows = await session.scalars(
            select(SharingAgreement)
            .where(SharingAgreement.withdrawn_at.is_(None))
            .order_by(SharingAgreement.id)
        )
        return [(row.given, frozenset(row.agencies), frozenset(row.purposes)) for row in rows]


async def of_its_computer(gate: Gate, family: Family) -> HowFar:
    """What the mother's page says of the school's computer."""
    mother = Viewer(family.mother, ViewerKind.FAMILY)
    async with gate.open(family.child, mother, Purpose.SUPPORT, "read their page") as access:
        return next(
            one.system.state
            for one in (await choices_of(access)).agencies
            if one.agency_id == family.school
        )


def test_it_is_asked_in_the_words_of_the_page_of_agreements() -> None:
    first, second = (form for form in built_in_forms() if form.key == "caf")
    assert (first.version, second.version) == (1, 2)
    assert not list(problems_of_next_version(first, second))
    *before, agreement = second.sections
    assert tuple(before) == first.sections[:-1]
    asked = [one for one in agreement.questions if one not in first.sections[-1].questions]
    assert [one.key for one in asked] == ["systems"]
    assert OF_A_SYSTEM.partition(", ")[0].removeprefix("It ") in asked[0].hint
    assert OF_A_SYSTEM.partition(": ")[2] in asked[0].hint


def test_nobody_signs_off_who_did_not_ask_and_nothing_is_ticked_beforehand(full: Answers) -> None:
    section = built_in_forms()[1].sections[-1]
    del full["agreement"]["systems"]
    assert [one.field for one in missing_answers(section, full["agreement"])] == ["systems"]
    refused = {"share": "no"}
    assert "systems" not in [one.field for one in missing_answers(section, refused)]


@pytest.mark.database
@pytest.mark.parametrize(("answer", "state"), [("yes", HowFar.ON), ("no", HowFar.OFF)])
async def test_the_answer_is_what_the_family_agreed_and_reads_on_its_page(
    gate: Gate, tenant: Tenant, family: Family, said: Answers, answer: str, state: HowFar
) -> None:
    said["agreement"]["systems"] = answer
    await sign(gate, family, await fill_in(gate, family, said))
    people = frozenset({"support", "panel"})
    purposes = people | {"exchange"} if answer == "yes" else people
    assert await standing(tenant) == [(True, frozenset({family.school}), purposes)]
    assert await of_its_computer(gate, family) is state


@pytest.mark.database
async def test_a_no_ends_the_yes_that_went_before_and_a_later_yes_ends_the_no(
    gate: Gate, tenant: Tenant, family: Family, said: Answers
) -> None:
    both = frozenset({family.school, family.health})
    await record(gate, family, agreed(family, agencies=both, purposes=SYSTEM))
    assert await of_its_computer(gate, family) is HowFar.ON
    said["agreement"]["systems"] = "no"
    assessment = await fill_in(gate, family, said)
    assert (False, frozenset({family.school}), SYSTEM) in await standing(tenant)
    assert await of_its_computer(gate, family) is HowFar.OFF
    # Settled again, as signing off does, it says nothing more.
    before = await standing(tenant)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote") as access:
        assert await settle_agreement(access, assessment) is None
    assert await standing(tenant) == before
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote") as access:
        version = (await read_assessment(access, assessment)).section_version("agreement")
        yes = said["agreement"] | {"systems": "yes"}
        await save_section(access, assessment, "agreement", yes, version)
        assert await settle_agreement(access, assessment) is not None
    assert not [one for one in await standing(tenant) if not one[0]]
    assert await of_its_computer(gate, family) is HowFar.ON


@pytest.mark.database
async def test_a_no_to_what_the_other_parent_agreed_is_an_objection_to_the_system_alone(
    gate: Gate, tenant: Tenant, family: Family, said: Answers
) -> None:
    await record(gate, family, agreed(family, by_person=family.father, purposes=SYSTEM))
    of_health = frozenset({family.health})
    await record(gate, family, agreed(family, agencies=of_health, purposes=SYSTEM))
    said["agreement"] |= {"systems": "no", "share_with": [str(family.school), str(family.health)]}
    await sign(gate, family, await fill_in(gate, family, said))
    async with tenant.transaction(JOB) as session:
        (row,) = await session.scalars(select(SharingObjection))
        assert (row.by_person_id, row.agencies, row.purposes) == (
            family.mother, [family.school], ["exchange"],
        )  # fmt: skip
    assert (False, of_health, SYSTEM) in await standing(tenant), "her own yes ends at once"
    assert await sees(gate, family, family.tom, Category.PLAN), "what she agreed for people begins"


@pytest.mark.database
async def test_a_draft_of_version_1_is_finished_on_version_1(
    gate: Gate, tenant: Tenant, family: Family, said: Answers
) -> None:
    """And says nothing of systems; the next assessment is on version 2."""
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "began it") as access:
        draft = await start_assessment(access)
        assert (await read_assessment(access, draft)).form.version == 2
    async with tenant.transaction(JOB) as session:
        await session.execute(
            text(
                "UPDATE assessment SET form_id ="
                " (SELECT id FROM form WHERE key = 'caf' AND number = 1)"
            )
        )
    assert await fill_in(gate, family, said) == draft
    await sign(gate, family, draft)
    assert await standing(tenant) == [
        (True, frozenset({family.school}), frozenset({"support", "panel"}))
    ]
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "began anew") as access:
        assert (await read_assessment(access, draft)).form.version == 1
        later = await read_assessment(access, await start_assessment(access))
        assert later.form.version == 2
        assert later.section_answers("agreement") == {}
