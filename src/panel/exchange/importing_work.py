"""Stays in the process, filled forms, plans with their outcomes and actions, and requests."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import select, update

from consent import Category
from interop.messages import Action as ActionTold
from interop.messages import (
    Cell,
    FormAnswers,
    Given,
    GivenSection,
    Outcome,
    Request,
)
from interop.messages import Episode as EpisodeTold
from interop.messages import Plan as PlanTold
from panel.allocation.models import ServiceRequest
from panel.allocation.rules import LegalBasis, NeedCode, RequestState, Unit, Urgency
from panel.assessments.models import Assessment, Form, FormState, SectionAnswer
from panel.assessments.service import (
    ChoicesFrom,
    FormDefinition,
    Group,
    Kind,
    Question,
    Section,
    SectionAnswers,
    Value,
    ensure_forms,
)
from panel.exchange.importing_child import NOT_HERE, Bringing
from panel.exchange.importing_file import Found
from panel.plans.models import Action, DesiredOutcome, OutcomeProgress, Plan
from panel.platform.clock import LONDON
from panel.platform.ids import new_id
from panel.register.models import Episode


async def bring_episodes(bringing: Bringing) -> None:
    """Stays in the process."""
    for one in bringing.found.of("EpisodeOfCare", EpisodeTold):
        told = one.message
        row = Episode(
            child_id=bringing.child_id,
            identified_on=told.identified_on,
            opened_on=told.opened_on,
            closed_on=told.closed_on,
            closure_reason=told.closure_reason,
        )
        await bringing.keep("EpisodeOfCare", one, row)


# Forms --------------------------------------------------------------------------------------------

_ELEMENT_LISTS = frozenset({"whose_view"})


async def bring_answers(bringing: Bringing) -> None:
    """Fillings of forms that were signed off, each in the form's version that it was given in."""
    fillings = bringing.found.of("QuestionnaireResponse", FormAnswers)
    if fillings:
        await ensure_forms(bringing.session)
    numbers: Counter[str] = Counter()
    for one in sorted(fillings, key=lambda each: (each.message.signed_off_on or date.max, each.id)):
        told = one.message
        form = await bringing.session.scalar(
            select(Form).where(
                Form.key == told.form_key,
                Form.number == told.form_number,
                Form.state != FormState.DRAFT.value,
            )
        )
        if form is None:
            reason = f"There is no form {told.form_key} in version {told.form_number} here."
            bringing.left_out("QuestionnaireResponse", one, reason)
        elif told.signed_off_on is None:
            bringing.left_out("QuestionnaireResponse", one, "It was not signed off.")
        elif await _filling(bringing, one, form, numbers[form.key] + 1):
            numbers[form.key] += 1


async def _filling(
    bringing: Bringing, one: Found[FormAnswers], form: Form, number: int
) -> Assessment | None:
    told = one.message
    author = await bringing.places.worker(told.author)
    agency = await bringing.places.agency(told.author_agency)
    if author is None or agency is None:
        reason = NOT_HERE.format(what="whoever filled it in")
        bringing.left_out("QuestionnaireResponse", one, reason)
        return None
    filling = Assessment(
        child_id=bringing.child_id,
        form_id=form.id,
        form_key=form.key,
        number=number,
        state="signed_off",
        author_id=author,
        author_agency_id=agency,
        started_on=told.started_on,
        signed_off_on=told.signed_off_on,
        signed_off_by=author,
    )
    await bringing.keep("QuestionnaireResponse", one, filling)
    defined = msgspec.convert(form.definition, FormDefinition)
    for section in told.sections:
        await _section(bringing, one, defined.section(section.key), section, filling)
    return filling


async def _section(
    bringing: Bringing,
    one: Found[FormAnswers],
    asked: Section | None,
    given: GivenSection,
    filling: Assessment,
) -> None:
    questions = {each.key: each for each in asked.questions} if asked else {}
    answers: SectionAnswers = {}
    for answer in given.answers:
        question = questions.get(answer.key)
        value = None if question is None else await _here(bringing, question, answer)
        if value is None:
            bringing.said(one, "It was taken without an answer that the form has no place for.")
        else:
            answers[answer.key] = value
    if asked is None or not answers:
        return
    bringing.session.add(
        SectionAnswer(
            child_id=bringing.child_id,
            assessment_id=filling.id,
            section_key=asked.key,
            author_agency_id=filling.author_agency_id,
            category=asked.category.value,
            state="complete",
            answers=msgspec.json.encode(answers).decode(),
        )
    )
    await bringing.session.flush()


async def _here(bringing: Bringing, asked: Question, given: Given) -> Value | None:
    """An answer, with those whom it names by id as they are here; None where it has no place."""
    value = _value(asked, given)
    if asked.choices_from is None or value is None or isinstance(value, dict):
        return value
    told = [one for one in ([value] if isinstance(value, str) else value) if isinstance(one, str)]
    here = [
        await bringing.places.agency(one)
        if asked.choices_from is ChoicesFrom.AGENCIES
        else bringing.person(one)
        for one in told
    ]
    if None in here or not here:
        return None
    named = [str(one) for one in here]
    return named[0] if isinstance(value, str) else list[str](named)


def _value(asked: Question, given: Given) -> Value | None:
    """An answer in the shape that its question has; None where it has none of that."""
    if asked.kind is Kind.ELEMENT:
        return _group(given.rows[0], _ELEMENT_LISTS) if given.rows else None
    if asked.columns:
        lists = frozenset(each.key for each in asked.columns if each.kind is Kind.CHOICES)
        return [_group(row, lists) for row in given.rows] or None
    return None if given.cell is None else _cell(given.cell, is_list=asked.kind is Kind.CHOICES)


def _group(row: Iterable[tuple[str, Cell]], lists: frozenset[str]) -> Group:
    return {key: _cell(cell, is_list=key in lists) for key, cell in row}


def _cell(cell: Cell, *, is_list: bool) -> str | list[str]:
    said = [cell] if isinstance(cell, str) else list(cell)
    return said if is_list else ", ".join(said)


# Plans --------------------------------------------------------------------------------------------


async def bring_plans(bringing: Bringing) -> None:
    """Plans, then what they hope for, then what is to be done."""
    places: dict[str, int] = {}
    actions: dict[str, int] = {}
    for one in sorted(
        bringing.found.of("CarePlan", PlanTold), key=lambda each: each.message.number
    ):
        told = one.message
        places |= {outcome: place for place, outcome in enumerate(told.outcomes, start=1)}
        actions |= {action: len(actions) + n for n, action in enumerate(told.actions)}
        await _plan(bringing, one)
    last = len(places) + 1
    for outcome in sorted(
        bringing.found.of("Goal", Outcome), key=lambda each: places.get(each.id, last)
    ):
        await _outcome(bringing, outcome, places.get(outcome.id, last))
    for action in sorted(
        bringing.found.of("Task", ActionTold), key=lambda each: actions.get(each.id, len(actions))
    ):
        await _action(bringing, action)


async def _plan(bringing: Bringing, one: Found[PlanTold]) -> None:
    told = one.message
    agency = await bringing.places.agency(told.author_agency)
    if agency is None:
        bringing.left_out("CarePlan", one, NOT_HERE.format(what="the agency whose plan it is"))
        return
    row = Plan(
        child_id=bringing.child_id,
        number=told.number,
        state=told.state,
        author_agency_id=agency,
        summary=told.summary or "",
        started_on=told.started_on,
        agreed_on=told.agreed_on,
        replaced_on=told.ended_on,
    )
    await bringing.keep("CarePlan", one, row)


async def _outcome(bringing: Bringing, one: Found[Outcome], place: int) -> None:
    told = one.message
    plan = bringing.row("CarePlan", told.plan)
    if plan is None:
        bringing.left_out("Goal", one, NOT_HERE.format(what="its plan"))
        return
    row = DesiredOutcome(
        child_id=bringing.child_id,
        plan_id=plan,
        position=place,
        text=told.text,
        measure=told.measure or "",
        state=told.state,
        baseline=told.baseline,
        target=told.target,
    )
    await bringing.keep("Goal", one, row)
    for step in told.progress:
        bringing.session.add(
            OutcomeProgress(
                child_id=bringing.child_id,
                outcome_id=row.id,
                on=step.on,
                value=step.value,
                note=step.note or "",
            )
        )
    await bringing.session.flush()


async def _action(bringing: Bringing, one: Found[ActionTold]) -> None:
    told = one.message
    plan, outcome = bringing.row("CarePlan", told.plan), bringing.row("Goal", told.outcome)
    if told.plan is not None and plan is None:
        # Without its plan nobody could tell whose it is.
        bringing.left_out("Task", one, NOT_HERE.format(what="its plan"))
        return
    owner = await bringing.places.worker(told.owner)
    row = Action(
        child_id=bringing.child_id,
        plan_id=plan,
        outcome_id=bringing.wanted(one, told.outcome, outcome, "its outcome"),
        text=told.text,
        owner_worker_id=bringing.wanted(one, told.owner, owner, "whoever does it"),
        owner_words=told.owner_words or "",
        due_on=told.due_on,
        state=told.state,
        done_on=told.done_on,
        note=told.note or "",
    )
    await bringing.keep("Task", one, row)
    if told.asked_on is not None:
        # The day on which it was asked is that of its row: it was asked before it came here.
        asked = datetime.combine(told.asked_on, time(12), LONDON)
        await bringing.session.execute(
            update(Action).where(Action.id == row.id).values(created_at=asked)
        )


# Requests -----------------------------------------------------------------------------------------

_SENT = frozenset(
    {RequestState.SENT.value, RequestState.DECIDED.value, RequestState.WITHDRAWN.value}
)
_CODES: Mapping[str, type[StrEnum]] = {
    "legal_basis": LegalBasis,
    "need_code": NeedCode,
    "unit": Unit,
    "urgency": Urgency,
}


async def bring_requests(bringing: Bringing) -> None:
    """Requests that were sent. One that does not say of what it tells is told to the fewest."""
    for one in bringing.found.of("ServiceRequest", Request):
        agency = await bringing.places.agency(one.message.agency)
        if agency is None:
            bringing.left_out("ServiceRequest", one, NOT_HERE.format(what="the agency that asks"))
        elif one.message.state not in _SENT:
            bringing.left_out("ServiceRequest", one, "It does not say that it was sent.")
        else:
            await _request(bringing, one, agency)


async def _request(bringing: Bringing, one: Found[Request], agency: UUID) -> None:
    told = one.message
    category = bringing.categories(one, [told.category] if told.category else [])
    service = await bringing.places.service(told.service)
    sent_by = await bringing.places.worker(told.sent_by)
    made = new_id()
    row = ServiceRequest(
        id=made,
        child_id=bringing.child_id,
        reference=f"R-{made.hex[-8:].upper()}",
        state=told.state,
        category=category[0] if category else Category.SAFEGUARDING.value,
        need=told.need or "",
        outcome=told.outcome or "",
        asked_for=told.asked_for or "",
        service_id=bringing.wanted(one, told.service, service, "the service"),
        asked_units=told.units,
        agency_id=agency,
        sent_on=told.sent_on,
        sent_by=bringing.wanted(one, told.sent_by, sent_by, "who sent it"),
        **_codes(bringing, one),
    )
    await bringing.keep("ServiceRequest", one, row)


def _codes(bringing: Bringing, one: Found[Request]) -> dict[str, str | None]:
    """Its codes, those that there are here; the others are said."""
    codes: dict[str, str | None] = {name: getattr(one.message, name) for name in _CODES}
    for name, known in _CODES.items():
        if codes[name] is not None and codes[name] not in set(known):
            bringing.said(one, f"Its {name.replace('_', ' ')} is none that there is here.")
            codes[name] = Urgency.ROUTINE.value if name == "urgency" else None
    return codes
