"""The team fills in an assessment: started once, saved as typed, by several people at once."""

import asyncio
from uuid import UUID

import pytest

from consent import Category, Purpose, RestrictionKind, Role, Viewer
from panel.assessments.definitions import ChoicesFrom, SectionAnswers
from panel.assessments.service import (
    assessment_options,
    ensure_forms,
    look_at_section,
    read_assessment,
    save_section,
    start_assessment,
    visible_section,
)
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.service import Restriction, record_restriction
from tests.sharing.family import Family, agreed, record

WORDS: SectionAnswers = {"own_words": "I like the swing.", "likes": "Swinging"}


async def start(gate: Gate, family: Family, viewer: Viewer | None = None) -> UUID:
    async with gate.open(family.child, viewer or family.rosa, Purpose.SUPPORT, "started") as access:
        return await start_assessment(access)


async def save(
    gate: Gate,
    family: Family,
    assessment: UUID,
    answers: SectionAnswers,
    version: int,
    viewer: Viewer | None = None,
    section: str = "child_says",
) -> int:
    async with gate.open(family.child, viewer or family.rosa, Purpose.SUPPORT, "wrote") as access:
        saved = await save_section(access, assessment, section, answers, version)
        return saved.version


async def test_forms_are_stored_once(tenant: Tenant) -> None:
    async with tenant.transaction(JOB) as session:
        first = await ensure_forms(session)
    async with tenant.transaction(JOB) as session:
        assert await ensure_forms(session) == first
    assert "caf" in first


async def test_starting_twice_goes_on_with_the_same_draft(gate: Gate, family: Family) -> None:
    first = await start(gate, family)
    assert await start(gate, family) == first
    assert await start(gate, family, family.tom) == first


async def test_two_who_start_at_once_share_one_draft(gate: Gate, family: Family) -> None:
    first, second = await asyncio.gather(start(gate, family), start(gate, family, family.nia))
    assert first == second


async def test_two_first_words_at_once_lose_none(gate: Gate, family: Family) -> None:
    assessment = await start(gate, family)
    ended = await asyncio.gather(
        save(gate, family, assessment, WORDS, 0),
        save(gate, family, assessment, {"own_words": "Nia heard this."}, 0, family.nia),
        return_exceptions=True,
    )
    (conflict,) = [each for each in ended if isinstance(each, Conflict)]
    assert {clash.label for clash in conflict.clashes} >= {"What does Freya say?"}


async def test_somebody_outside_the_team_cannot_start(gate: Gate, family: Family) -> None:
    manager = Viewer(
        family.nia.id,
        family.nia.kind,
        family.nia.agency,
        family.nia.agency_kind,
        frozenset({Role.COORDINATOR}),
    )
    with pytest.raises(NotAllowed):
        await start(gate, family, manager)


async def test_what_is_saved_is_read_again(gate: Gate, family: Family) -> None:
    assessment = await start(gate, family)
    version = await save(gate, family, assessment, WORDS, 0)
    longer = WORDS | {"who_helped": "Nobody"}
    assert await save(gate, family, assessment, longer, version) == version + 1
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read") as access:
        record = await read_assessment(access, assessment)
        assert record.section_answers("child_says") == longer
        assert record.sections["child_says"].author_agency == family.health
        assert record.sections["child_says"].state == "complete"


async def test_two_writers_on_one_section_get_both_texts(gate: Gate, family: Family) -> None:
    assessment = await start(gate, family)
    read = await save(gate, family, assessment, WORDS, 0)
    theirs = WORDS | {"own_words": "I like the slide."}
    await save(gate, family, assessment, theirs, read, family.nia)
    mine = WORDS | {"own_words": "I like the swing best."}
    with pytest.raises(Conflict) as conflict:
        await save(gate, family, assessment, mine, read)
    assert conflict.value.theirs_by == "Nia Okafor"
    (clash,) = conflict.value.clashes
    assert "I like the swing best." in clash.yours
    assert "I like the slide." in clash.theirs
    assert clash.label == "What does Freya say?"
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read") as access:
        record = await read_assessment(access, assessment)
        assert record.section_answers("child_says") == theirs


async def test_the_same_words_sent_again_are_no_conflict(gate: Gate, family: Family) -> None:
    assessment = await start(gate, family)
    first = await save(gate, family, assessment, WORDS, 0)
    assert await save(gate, family, assessment, WORDS, 0) == first


async def test_opening_a_section_counts_as_looked_at(gate: Gate, family: Family) -> None:
    assessment = await start(gate, family)
    for _ in range(2):
        async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "opened") as access:
            record = await read_assessment(access, assessment)
            section = visible_section(record, "background")
            version = await look_at_section(access, record, section)
            assert version == 1
    assert record.sections["background"].state == "looked_at"
    assert record.sections["background"].author_agency is None
    await save(gate, family, assessment, {"religion": "None"}, version, section="background")


async def test_answers_that_the_form_does_not_know_are_refused(gate: Gate, family: Family) -> None:
    assessment = await start(gate, family)
    with pytest.raises(Invalid):
        await save(gate, family, assessment, {"favourite_colour": "red"}, 0)
    with pytest.raises(NotFound):
        await save(gate, family, assessment, {}, 0, section="no_such_part")


async def test_anothers_part_is_closed_until_it_is_shared(gate: Gate, family: Family) -> None:
    assessment = await start(gate, family)
    said: SectionAnswers = {"disabled": "yes", "disability_details": "MARKER"}
    version = await save(gate, family, assessment, said, 0, section="disability")
    with pytest.raises(NotAllowed) as why:
        await save(gate, family, assessment, said, version, family.tom, "disability")
    assert "You cannot see the health section." in why.value.sentence
    await record(gate, family, agreed(family))
    changed = said | {"disability_details": "Tom adds to it"}
    await save(gate, family, assessment, changed, version, family.tom, "disability")
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read") as access:
        kept = (await read_assessment(access, assessment)).sections["disability"]
        assert kept.author_agency == family.health, "it stays the record of who wrote it first"


async def test_a_protected_part_is_closed_in_silence(gate: Gate, family: Family) -> None:
    assessment = await start(gate, family)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote") as access:
        protected = Restriction(
            RestrictionKind.PROTECTION,
            "A threat was made",
            categories=frozenset({Category.CONTACT}),
            against=frozenset({family.school}),
            silent=True,
        )
        await record_restriction(access, protected)
        with pytest.raises(Invalid):
            await record_restriction(access, Restriction(RestrictionKind.CHOICE, " "))
    with pytest.raises(NotFound):
        await save(gate, family, assessment, {}, 0, family.tom, "home_address")
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "read") as access:
        seen = await read_assessment(access, assessment)
        assert seen.shown.section("home_address") is None
        assert str(seen.withheld["home_address"]) == ""


async def test_a_upn_is_for_education_only(gate: Gate, family: Family) -> None:
    assessment = await start(gate, family)
    upn: SectionAnswers = {"upn": "R999999926001", "setting": "Made-up School"}
    version = await save(gate, family, assessment, upn, 0, family.tom, "school_record")
    await record(gate, family, agreed(family, agencies=frozenset({family.health})))
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read") as access:
        seen = await read_assessment(access, assessment)
        assert seen.section_answers("school_record") == {"setting": "Made-up School"}
    moved: SectionAnswers = {"setting": "Another School"}
    await save(gate, family, assessment, moved, version, section="school_record")
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "read") as access:
        kept = (await read_assessment(access, assessment)).section_answers("school_record")
        assert kept == moved | {"upn": "R999999926001"}, "what Rosa does not see is not lost"


async def test_the_choices_name_the_family_as_far_as_it_may_be_seen(
    gate: Gate, family: Family
) -> None:
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read") as access:
        labels = [c.label for c in (await assessment_options(access))[ChoicesFrom.FAMILY]]
    assert labels == ["{child}", "Mother", "Father", "Grandmother"]
    everybody = frozenset({family.school, family.health})
    await record(gate, family, agreed(family, agencies=everybody))
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read") as access:
        labels = [c.label for c in (await assessment_options(access))[ChoicesFrom.FAMILY]]
        agencies = (await assessment_options(access))[ChoicesFrom.AGENCIES]
    assert labels[1] == "Ada Kestrel, mother"
    assert [c.label for c in agencies] == ["Health visiting", "Made-up School"]
