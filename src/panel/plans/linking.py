"""What an outcome rests on, and what its actions use: needs of assessments, services.

A need is a question of a signed-off assessment. What was said to it stays there, and is shown with
the plan only to who may see that section; the plan keeps that the two belong together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select

from panel.assessments.reading import AssessmentRecord, latest_signed_off, read_assessment
from panel.directory.service import named
from panel.plans.measures import copy_measures
from panel.plans.models import Action, DesiredOutcome, OutcomeNeed, Plan
from panel.plans.reading import PlanReading
from panel.plans.writing import carry_lines_over, part_of_plan, plan_for_change, unless_changed
from panel.platform.problems import Clash, Invalid
from panel.records.gate import Access

HIDDEN = "A need in an assessment that you cannot see."
NO_LONGER = "Choose needs of the assessment as it is now"


@dataclass(frozen=True, slots=True)
class NeedShown:
    """A need as a plan shows it: its words, and where it is read; no address where it is not."""

    words: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class NeedChoice:
    """A question that was answered in the latest signed-off assessment."""

    value: str
    section: str
    label: str


def _value(assessment_id: UUID, section: str, question: str) -> str:
    return f"{assessment_id}.{section}.{question}"


async def needs_to_choose(access: Access) -> list[NeedChoice]:
    """The answered questions of the latest signed-off assessment that the viewer may see."""
    record = await latest_signed_off(access)
    return [] if record is None else _choices(record)


def _choices(record: AssessmentRecord) -> list[NeedChoice]:
    return [
        NeedChoice(
            _value(record.id, section.key, question.key),
            _label(section.title),
            _label(question.label),
        )
        for section in record.shown.sections
        for question in section.questions
        if record.section_answers(section.key).get(question.key)
    ]


def _label(words: str) -> str:
    return words.replace("{child}’s", "the child’s").replace("{child}", "the child")


async def chosen_needs(access: Access, outcome_id: UUID) -> list[str]:
    """The needs that an outcome rests on, as values of choices."""
    rows = await access.session.scalars(
        select(OutcomeNeed).where(
            OutcomeNeed.outcome_id == outcome_id, OutcomeNeed.child_id == access.child_id
        )
    )
    return [_value(row.assessment_id, row.section_key, row.question_key) for row in rows]


async def link_needs(access: Access, outcome_id: UUID, chosen: Sequence[str]) -> None:
    """Let an outcome of the current plan rest on these needs, and on no others of those seen.

    What it rests on of another assessment, or of a section that the viewer does not see, stays.
    Raises Invalid for a value that is no choice.
    """
    outcome = await part_of_plan(access, await plan_for_change(access), DesiredOutcome, outcome_id)
    offered = {one.value for one in await needs_to_choose(access)}
    wanted = set(chosen)
    if wanted - offered:
        raise Invalid.because("needs", NO_LONGER)
    there = set(await chosen_needs(access, outcome.id))
    for value in (there & offered) - wanted:
        assessment, section, question = value.split(".", 2)
        await access.session.execute(
            delete(OutcomeNeed).where(
                OutcomeNeed.outcome_id == outcome.id,
                OutcomeNeed.assessment_id == UUID(assessment),
                OutcomeNeed.section_key == section,
                OutcomeNeed.question_key == question,
            )
        )
    for value in sorted(wanted - there):
        assessment, section, question = value.split(".", 2)
        access.session.add(
            OutcomeNeed(
                child_id=access.child_id,
                outcome_id=outcome.id,
                assessment_id=UUID(assessment),
                section_key=section,
                question_key=question,
            )
        )
    await access.session.flush()


async def carry_over(access: Access, plan: Plan) -> None:
    """Copy what is still open in the plan before this one, with its measures and needs.

    Raises NotAllowed where the former plan is not the viewer's to see.
    """
    copies = await carry_lines_over(access, plan)
    await copy_measures(access, copies)
    await _copy_needs(access, copies)


async def _copy_needs(access: Access, copies: Mapping[UUID, UUID]) -> None:
    """Take along what outcomes rest on to their copies in the next plan: former to new."""
    rows = await access.session.scalars(
        select(OutcomeNeed).where(OutcomeNeed.outcome_id.in_(list(copies)))
    )
    for row in list(rows):
        access.session.add(
            OutcomeNeed(
                child_id=access.child_id,
                outcome_id=copies[row.outcome_id],
                assessment_id=row.assessment_id,
                section_key=row.section_key,
                question_key=row.question_key,
            )
        )
    await access.session.flush()


async def needs_of(access: Access, plan: PlanReading) -> dict[UUID, list[NeedShown]]:
    """The needs behind each outcome of a plan that the gate showed; what is not seen says so once.

    Each assessment is read through the gate: a question of a section that is withheld is not named.
    """
    rows = list(
        await access.session.scalars(
            select(OutcomeNeed)
            .where(OutcomeNeed.outcome_id.in_([one.id for one in plan.outcomes]))
            .order_by(OutcomeNeed.id)
        )
    )
    records = {one: await read_assessment(access, one) for one in {r.assessment_id for r in rows}}
    found: dict[UUID, list[NeedShown]] = {}
    for row in rows:
        need = _shown(access, records[row.assessment_id], row)
        there = found.setdefault(row.outcome_id, [])
        if need not in there:
            there.append(need)
    return found


def _shown(access: Access, record: AssessmentRecord, row: OutcomeNeed) -> NeedShown:
    section = record.shown.section(row.section_key)
    question = None
    if section is not None:
        question = next((q for q in section.questions if q.key == row.question_key), None)
    if section is None or question is None:
        return NeedShown(HIDDEN)
    where = f"/children/{access.child_id}/assessments/{record.id}"
    return NeedShown(_label(f"{section.title}: {question.label}"), where)


async def services_of(access: Access, plan: PlanReading) -> dict[UUID, str]:
    """The services that actions of a plan use, by their id: name and provider."""
    ids = {one.service_id for one in plan.actions if one.service_id is not None}
    if not ids:
        return {}
    return {one: service.words for one, service in (await named(access.session, ids)).items()}


async def set_service(
    access: Access, action_id: UUID, version: int, service_id: UUID | None
) -> None:
    """The service of the directory by which an action of the current plan is done; None: by none.

    Raises Invalid for a service that is not there, Conflict where somebody changed the action.
    """
    action = await part_of_plan(access, await plan_for_change(access), Action, action_id)
    wanted = {one for one in (service_id, action.service_id) if one is not None}
    found = await named(access.session, wanted)
    if service_id is not None and service_id not in found:
        raise Invalid.because("service_id", "Choose a service of the directory")
    mine, theirs = (
        "" if one is None or one not in found else found[one].words
        for one in (service_id, action.service_id)
    )
    await unless_changed(access, action, version, [Clash("Service", mine, theirs)])
    action.service_id = service_id
    await access.session.flush()
