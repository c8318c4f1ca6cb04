"""What a family reads of the plan as it was agreed, of what each one says, and of what if not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec

from panel.families.pages import OWN_WORDS, may_judge
from panel.families.reading import ChildForFamily
from panel.plans.agreeing import THE_CHILD, Agrees, Answer
from panel.plans.agreement_pages import (
    AnswerShown,
    action_shown,
    answer_shown,
    outcome_shown,
)
from panel.plans.contingency import SECTIONS, Contingency
from panel.plans.family_words import ReadsHere
from panel.plans.linking import NeedShown
from panel.plans.measure_pages import charts_of
from panel.plans.measure_rules import SCALE_HIGHEST, SCALE_LOWEST
from panel.plans.measures import NOT_MEASURED, Measured
from panel.plans.progress import SeriesShown
from panel.plans.reading import PlanReading
from panel.plans.versions import AgreedAction, AgreedOutcome, Version
from panel.web import words

HELD = "This part may be about somebody else. Ask the person who helps you to read it with you."
CHOICES = (
    (Agrees.YES.value, "Yes, I agree"),
    (Agrees.NO.value, "No, I do not agree"),
    (Agrees.CANNOT_ANSWER.value, "I cannot say"),
)
SCALE = tuple((str(each), str(each)) for each in range(SCALE_LOWEST, SCALE_HIGHEST + 1))


@dataclass(frozen=True, slots=True)
class GoingNow:
    """How one thing that is to be different goes now."""

    text: str
    needs: Sequence[str]
    charts: Sequence[SeriesShown]
    question: str
    """Asked on a scale of 0 to 10; empty where nothing is asked."""
    scale_href: str


@dataclass(frozen=True, slots=True)
class PlanForFamily:
    """The plan as it was agreed last, how it goes, and what each one says of it."""

    agreed: str
    changed: str
    outcomes: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    actions: Sequence[tuple[str, str, str]]
    goes: Sequence[GoingNow]
    answers: Sequence[AnswerShown]
    own: str
    own_agrees: str
    own_words: str
    action: str
    earlier: Sequence[str]


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was read of the plan: its versions, newest first and at least one, and all beside."""

    versions: Sequence[Version]
    answers: Sequence[Answer]
    measured: Mapping[UUID, Measured]
    needs: Mapping[UUID, Sequence[NeedShown]]
    is_changed: bool


def plan_for_family_page(child: ChildForFamily, read: Agreed, reader: ReadsHere) -> PlanForFamily:
    """The page, as one of the family reads it."""
    newest = read.versions[0]
    answers = [one for one in read.answers if one.version_id == newest.id]
    own = next((one for one in answers if one.person_id == reader.reader), None)
    return PlanForFamily(
        agreed=f"This is version {newest.number}. It was agreed on {words.day(newest.agreed_on)}.",
        changed="People changed the plan since. You will be asked to agree it again."
        if read.is_changed
        else "",
        outcomes=[_outcome(one, reader) for one in newest.content.outcomes],
        actions=[_action(one, child, reader) for one in newest.content.actions],
        goes=_goes(child, read, reader),
        answers=[_answer(one, child, reader) for one in answers],
        own=OWN_WORDS[None if own is None else own.agrees],
        own_agrees="" if own is None else own.agrees.value,
        own_words="" if own is None else own.words,
        action=f"/family/{child.child_id}/plan/{newest.id}",
        earlier=[
            f"Version {one.number} was agreed on {words.day(one.agreed_on)}."
            for one in read.versions[1:]
        ],
    )


def _outcome(one: AgreedOutcome, reader: ReadsHere) -> tuple[str, list[tuple[str, str]]]:
    text, facts = outcome_shown(one)
    if not reader.reads(text):
        return (HELD, [])
    return (text, [(label, said if reader.reads(said) else HELD) for label, said in facts])


def _action(one: AgreedAction, child: ChildForFamily, reader: ReadsHere) -> tuple[str, str, str]:
    # Who works with a child, and what the child goes to, can tell where the child lives.
    service = one.service if child.may_know_workers else ""
    what, who, when = action_shown(msgspec.structs.replace(one, service=service))
    if not reader.reads(what):
        return (HELD, "", when)
    is_told = child.may_know_workers if one.is_worker else reader.reads(f"{what}\nby {who}")
    return (what, who if is_told else "", when)


def _goes(child: ChildForFamily, read: Agreed, reader: ReadsHere) -> list[GoingNow]:
    plan = child.plan
    outcomes = plan.outcomes if isinstance(plan, PlanReading) else ()
    goes = []
    for number, one in enumerate(outcomes, start=1):
        measured = _as_read(read.measured.get(one.id, NOT_MEASURED), reader)
        needs = [need.words for need in read.needs.get(one.id, ()) if need.href]
        charts = charts_of(one.id, number, measured)
        question = measured.smart.scaling_question if may_judge(child, one) else ""
        if one.id not in child.held and (needs or charts or question):
            at = f"/family/{child.child_id}/outcomes/{one.id}/scale"
            goes.append(GoingNow(one.text, needs, charts, question, at if question else ""))
    return goes


def _as_read(measured: Measured, reader: ReadsHere) -> Measured:
    """Without the notes of others, and without words in which something is found."""
    smart = measured.smart
    return replace(
        measured,
        smart=replace(
            smart,
            unit=smart.unit if reader.reads(smart.unit) else "",
            scaling_question=smart.scaling_question if reader.reads(smart.scaling_question) else "",
        ),
        readings=tuple(replace(one, note="") for one in measured.readings),
    )


def _answer(one: Answer, child: ChildForFamily, reader: ReadsHere) -> AnswerShown:
    if one.person_id == reader.reader:
        return answer_shown(one, "You")
    who = (child.name or "Your child") if one.who == THE_CHILD else one.who
    shown = answer_shown(one, who)
    return shown if reader.reads(one.words) else replace(shown, words=HELD)


@dataclass(frozen=True, slots=True)
class ScalePage:
    """The page of one question on its scale."""

    outcome: str
    question: str
    action: str


def scale_page(
    child: ChildForFamily, outcome_id: UUID, measured: Measured, reader: ReadsHere
) -> ScalePage | None:
    """The page; None where nothing is asked, or they do not read it."""
    plan = child.plan
    if not isinstance(plan, PlanReading) or plan.state != "agreed":
        return None
    one = next((each for each in plan.outcomes if each.id == outcome_id), None)
    question = measured.smart.scaling_question
    if one is None or not may_judge(child, one) or not question or not reader.reads(question):
        return None
    return ScalePage(one.text, question, f"/family/{child.child_id}/outcomes/{one.id}/scale")


def contingency_sections(plan: Contingency) -> list[tuple[str, str]]:
    """What to do in each case; a sentence in the place of words that are held back."""
    return [
        (label, HELD if name in plan.held else plan.sections[name])
        for name, label in SECTIONS.items()
        if name in plan.held or name in plan.sections
    ]
