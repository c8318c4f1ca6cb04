"""What holds for the answers of an assessment, whatever the form. DOMAIN.md, "CAF form".

Messages may hold `{child}`, as the words of a form do: the page puts the name in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from panel.assessments.definitions import (
    ELEMENT_PARTS,
    ELEMENT_TEXTS,
    LINES,
    MOST_ROWS,
    REPEATED,
    TEXTS,
    Answers,
    Choice,
    FormDefinition,
    Group,
    Kind,
    Question,
    Section,
    SectionAnswers,
    Step,
    Value,
    values_of,
)
from panel.records.nhs_number import WrongNhsNumber, nhs_number
from panel.records.upn import WrongUpn, upn
from panel.web import words

PART_WORDS = {
    "strengths": "Strengths",
    "needs": "Needs",
    "evidence": "Evidence",
    "whose_view": "Whose view is this?",
}
IDENTIFIERS: Mapping[Kind, Callable[[str], str]] = {Kind.NHS_NUMBER: nhs_number, Kind.UPN: upn}
"""What turns an identifier as written into the one that is kept, or refuses it."""
LONGEST_ID = 100
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PATTERNS = {
    Kind.EMAIL: re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+"),
    Kind.TELEPHONE: re.compile(r"\+?[0-9 ()\-]{7,30}(( ?ext\.? ?| ?x ?)[0-9]{1,6})?"),
    Kind.POSTCODE: re.compile("[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}", re.IGNORECASE),
}
_LOOKS = {
    Kind.EMAIL: "an email address, such as name@example.org",
    Kind.TELEPHONE: "a telephone number, such as 020 7946 0123",
    Kind.POSTCODE: "a full postcode, such as SM1 1AA",
}
# NUL and half of a surrogate pair cannot be stored, the other controls cannot be printed.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class SectionState(StrEnum):
    """How far a section is."""

    NOT_STARTED = "not_started"
    LOOKED_AT = "looked_at"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong or missing, and where."""

    section: str
    field: str
    """The question, or a part of it: "birth_date", "general_health.needs", "present.0.name".

    Empty when it is the section as a whole.
    """
    message: str


@dataclass(frozen=True, slots=True)
class Completeness:
    """How many sections there are to fill in before sign-off, and how far they are."""

    complete: int
    looked_at: int
    total: int


@dataclass(frozen=True, slots=True)
class SignOff:
    """Whether somebody may sign an assessment off, and if not, why not."""

    permitted: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """The answers of one version of an assessment, with the form they were given in."""

    form: FormDefinition
    answers: Answers


@dataclass(frozen=True, slots=True)
class Difference:
    """One answer that is not the same in two versions; None where there was or is none."""

    section: Section
    question: Question
    before: Value | None
    after: Value | None


def is_answered(value: object) -> bool:
    """Whether somebody said something: an element of empty texts says nothing."""
    if isinstance(value, Mapping):
        return any(is_answered(part) for part in value.values())
    if isinstance(value, list):
        return any(is_answered(part) for part in value)
    if isinstance(value, str):
        return bool(value.strip())
    return value is not None


def visible_questions(
    questions: Iterable[Question],
    answers: Mapping[str, object],
) -> tuple[Question, ...]:
    """The questions of a section, or of one row, that the answers so far ask for, in order."""
    visible: dict[str, Question] = {}
    for question in questions:
        condition = question.show_if
        if condition is None or (
            condition.question in visible
            and _said(answers.get(condition.question)) & set(condition.is_one_of)
        ):
            visible[question.key] = question
    return tuple(visible.values())


def visible_answers(section: Section, answers: SectionAnswers) -> SectionAnswers:
    """The answers that count: what was typed and then no longer asked for is kept, but not read."""
    shown: SectionAnswers = {}
    for question in visible_questions(section.questions, answers):
        value = answers.get(question.key)
        if value is None or not is_answered(value):
            continue
        shown[question.key] = _visible_rows(question, value)
    return shown


def section_state(
    section: Section,
    answers: SectionAnswers,
    looked_at: AbstractSet[str],
) -> SectionState:
    """How far a section is, by its answers and the keys of the sections that were opened.

    Complete: nothing is wrong or missing, and every element says something, or, in a section that
    requires nothing, something is said.
    """
    said = visible_answers(section, answers)
    if not said:
        return SectionState.LOOKED_AT if section.key in looked_at else SectionState.NOT_STARTED
    elements = {q.key for q in section.questions if q.kind is Kind.ELEMENT}
    wrong = [*check_section(section, answers), *missing_answers(section, answers)]
    return SectionState.LOOKED_AT if wrong or elements - said.keys() else SectionState.COMPLETE


def completeness(
    form: FormDefinition,
    answers: Answers,
    looked_at: AbstractSet[str],
) -> Completeness:
    """How far an assessment is, counted in sections; those of a later review do not count."""
    states = [
        section_state(section, answers.get(section.key, {}), looked_at)
        for section in form.sections
        if section.step is not Step.REVIEW
    ]
    return Completeness(
        complete=states.count(SectionState.COMPLETE),
        looked_at=states.count(SectionState.LOOKED_AT),
        total=len(states),
    )


def next_section(
    form: FormDefinition,
    after: str,
    answers: Answers,
    looked_at: AbstractSet[str],
) -> Section | None:
    """The next section of the same step to go on with after the one with that key.

    First those behind it in order, then those before it; None when nobody needs to look further.
    An empty key starts at the beginning, with the questions.
    """
    here = form.section(after)
    step = here.step if here is not None else Step.QUESTIONS
    position = form.sections.index(here) + 1 if here is not None else 0
    for section in form.sections[position:] + form.sections[:position]:
        if section.step is not step or section.key == after:
            continue
        said = answers.get(section.key, {})
        state = section_state(section, said, looked_at)
        if state is SectionState.NOT_STARTED or missing_answers(section, said):
            return section
    return None


def check_answers(form: FormDefinition, answers: Mapping[str, object]) -> tuple[Problem, ...]:
    """What is wrong with the answers as they stand, complete or not: unknown keys, types, lengths.

    `answers` may be anything that was read from JSON.
    """
    problems: list[Problem] = []
    for key, given in answers.items():
        section = form.section(key)
        if section is None:
            problems.append(Problem(key, "", f"This form has no section “{key}”."))
        elif not isinstance(given, Mapping):
            problems.append(Problem(key, "", f"The answers to “{section.title}” cannot be read."))
        else:
            problems.extend(check_section(section, given, form.views))
    return tuple(problems)


def check_section(
    section: Section,
    answers: Mapping[str, object],
    views: tuple[Choice, ...] = (),
) -> tuple[Problem, ...]:
    """What is wrong with the answers of one section as they stand.

    With no `views`, any view is taken: they were checked when they came in.
    """
    return tuple(
        Problem(section.key, field, message)
        for field, message in _check_group(section.questions, answers, views, "")
    )


def missing_answers(section: Section, answers: SectionAnswers) -> tuple[Problem, ...]:
    """What a section still needs before sign-off."""
    return tuple(
        Problem(section.key, field, message)
        for field, message in _missing(section.questions, answers, "")
    )


def problems_at_sign_off(
    form: FormDefinition,
    answers: Answers,
    looked_at: AbstractSet[str],
) -> tuple[Problem, ...]:
    """Everything that stands between an assessment and its sign-off, in the form's order.

    A refusal to share is an answer: it does not stand in the way.
    """
    problems = [
        problem
        for problem in check_answers(form, answers)
        if (section := form.section(problem.section)) is None or section.step is not Step.REVIEW
    ]
    for section in form.sections:
        if section.step is Step.REVIEW:
            continue
        said = answers.get(section.key, {})
        missing = missing_answers(section, said)
        problems.extend(missing)
        if not missing and section_state(section, said, looked_at) is SectionState.NOT_STARTED:
            message = f"Open “{section.title}” and see whether there is something to say."
            problems.append(Problem(section.key, "", message))
    order = {section.key: number for number, section in enumerate(form.sections)}
    return tuple(sorted(problems, key=lambda problem: order.get(problem.section, -1)))


def may_sign_off(
    version: Version,
    looked_at: AbstractSet[str],
    *,
    signer: UUID,
    assessor: UUID,
    lead_professional: UUID | None,
    signed_off_on: date | None,
) -> SignOff:
    """Whether this worker may sign this version off now: its assessor or the lead professional."""
    reasons: list[str] = []
    if signed_off_on is not None:
        reasons.append("This version is signed off already. Start a new version to change it.")
    if signer not in {assessor, lead_professional}:
        reasons.append("Only the assessor or {child}’s lead professional can sign it off.")
    missing = problems_at_sign_off(version.form, version.answers, looked_at)
    if missing:
        count = words.plural(len(missing), "thing")
        reasons.append(f"Still missing: {count}. Go to the task list to see what.")
    return SignOff(permitted=not reasons, reasons=tuple(reasons))


def differences(old: Version, new: Version) -> tuple[Difference, ...]:
    """What was said differently in two versions, in the new form's order, dropped answers last."""
    found: list[Difference] = []
    seen: set[tuple[str, str]] = set()
    for version in (new, old):
        for section in version.form.sections:
            for question in section.questions:
                if (section.key, question.key) in seen:
                    continue
                seen.add((section.key, question.key))
                before = _counted(old, section.key, question.key)
                after = _counted(new, section.key, question.key)
                if before != after:
                    found.append(Difference(section, question, before, after))
    return tuple(found)


def carry_forward(answers: Answers, form: FormDefinition) -> Answers:
    """The answers that a new version starts with: those that still fit the form it is given in.

    The agreement is not carried: a new version is agreed to anew, nor is a review.
    """
    kept: Answers = {}
    for section in form.sections:
        if section.step is not Step.QUESTIONS:
            continue
        given = answers.get(section.key, {})
        fits = {
            question.key: given[question.key]
            for question in section.questions
            if question.key in given
            and not any(_check_value(question, given[question.key], form.views, question.key))
        }
        if fits:
            kept[section.key] = fits
    return kept


def _said(value: object) -> set[str]:
    if isinstance(value, str):
        return {value}
    return {part for part in value if isinstance(part, str)} if isinstance(value, list) else set()


def _visible_rows(question: Question, value: Value) -> Value:
    if question.kind not in REPEATED or not isinstance(value, list):
        return value
    rows: list[Group] = []
    for row in value:
        if not isinstance(row, dict):
            continue
        columns = visible_questions(question.columns, row)
        rows.append({c.key: row[c.key] for c in columns if is_answered(row.get(c.key))})
    return [row for row in rows if row]


def _counted(version: Version, section_key: str, question_key: str) -> Value | None:
    section = version.form.section(section_key)
    if section is None:
        return None
    said = visible_answers(section, version.answers.get(section_key, {}))
    return said.get(question_key)


Found = Iterator[tuple[str, str]]
"""Field and message."""


def _check_group(
    questions: tuple[Question, ...],
    answers: Mapping[str, object],
    views: tuple[Choice, ...],
    prefix: str,
) -> Found:
    known = {question.key: question for question in questions}
    for key in answers:
        if key not in known:
            yield f"{prefix}{key}", f"“{key}” is not a question here."
    for question in questions:
        if question.key in answers:
            field = f"{prefix}{question.key}"
            yield from _check_value(question, answers[question.key], views, field)
    for question in visible_questions(questions, answers):
        value = answers.get(question.key)
        yield from _check_links(question, value, known, answers, f"{prefix}{question.key}")


def _check_links(
    question: Question,
    value: object,
    known: Mapping[str, Question],
    answers: Mapping[str, object],
    field: str,
) -> Found:
    if question.not_before:
        start = answers.get(question.not_before)
        # Dates are kept as 2026-12-03, which sort as text.
        if isinstance(start, str) and isinstance(value, str) and "" < value < start:
            other = known[question.not_before].label
            yield field, f"“{question.label}” is before “{other}”. Change one of the two dates."
    if question.apart_from and _said(value) & _said(answers.get(question.apart_from)):
        other = known[question.apart_from].label
        yield field, f"The same choice stands under “{other}” and “{question.label}”. Untick one."


def _check_value(
    question: Question,
    value: object,
    views: tuple[Choice, ...],
    field: str,
) -> Found:
    if question.kind is Kind.ELEMENT:
        yield from _check_element(question, value, views, field)
    elif question.kind in REPEATED:
        yield from _check_rows(question, value, views, field)
    elif question.kind is Kind.CHOICES:
        yield from _check_choices(question.label, value, _allowed(question), field)
    elif not isinstance(value, str):
        yield field, f"The answer to “{question.label}” cannot be read. Give it again."
    elif value:
        yield from _check_text(question, value, field)


def _check_text(question: Question, value: str, field: str) -> Found:
    label = question.label
    if question.kind in TEXTS:
        yield from _check_length(label, value, question.longest, field)
        if question.kind in LINES and ("\n" in value or "\t" in value):
            yield field, f"Write the answer to “{label}” on one line."
    if question.kind is Kind.DATE and not _is_date(value):
        yield field, f"“{label}” must be a real date, such as 3 12 2026."
    elif question.kind is Kind.YES_NO and value not in {"yes", "no"}:
        yield field, f"Answer “{label}” with yes or no."
    elif question.kind is Kind.CHOICE and not _may_choose(value, _allowed(question)):
        yield field, f"Choose one of the answers to “{label}”."
    elif question.kind in _PATTERNS and not _PATTERNS[question.kind].fullmatch(value):
        yield field, f"“{label}” must be {_LOOKS[question.kind]}."
    elif question.kind in IDENTIFIERS:
        try:
            IDENTIFIERS[question.kind](value)
        except (WrongNhsNumber, WrongUpn) as wrong:
            yield field, str(wrong)


def _allowed(question: Question) -> frozenset[str] | None:
    """The values to choose from; None where the form cannot name them."""
    return None if question.choices_from is not None else values_of(question)


def _may_choose(value: str, allowed: frozenset[str] | None) -> bool:
    if allowed is not None:
        return value in allowed
    return 0 < len(value) <= LONGEST_ID and not _UNPRINTABLE.search(value)


def _check_length(label: str, value: str, longest: int, field: str) -> Found:
    if len(value) > longest:
        too_long = f"“{label}” can have at most {longest:,} characters. You wrote {len(value):,}"
        yield field, f"{too_long}: make it shorter."
    if _UNPRINTABLE.search(value):
        yield field, f"“{label}” holds characters that cannot be kept. Type that part again."


def _check_choices(
    label: str,
    value: object,
    allowed: frozenset[str] | None,
    field: str,
) -> Found:
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        yield field, f"The answer to “{label}” cannot be read. Give it again."
    elif len(set(value)) < len(value):
        yield field, f"Choose each of the answers to “{label}” once."
    elif not all(_may_choose(part, allowed) for part in value):
        yield field, f"Choose from the answers to “{label}”."


def _check_element(
    question: Question,
    value: object,
    views: tuple[Choice, ...],
    field: str,
) -> Found:
    if not isinstance(value, Mapping):
        yield field, f"The answer to “{question.label}” cannot be read. Give it again."
        return
    for part, given in value.items():
        where = f"{field}.{part}"
        if part not in ELEMENT_PARTS:
            yield where, f"“{part}” is not a part of “{question.label}”."
        elif part == "whose_view":
            # With no list of views any will do: they were checked when they came in.
            allowed = frozenset(view.value for view in views) or None
            yield from _check_choices(PART_WORDS[part], given, allowed, where)
        elif not isinstance(given, str):
            yield where, f"The answer to “{question.label}” cannot be read. Give it again."
        else:
            label = f"{question.label}: {PART_WORDS[part].lower()}"
            yield from _check_length(label, given, question.longest, where)


def _check_rows(
    question: Question,
    value: object,
    views: tuple[Choice, ...],
    field: str,
) -> Found:
    if not isinstance(value, list):
        yield field, f"The answer to “{question.label}” cannot be read. Give it again."
        return
    if len(value) > MOST_ROWS:
        yield field, f"“{question.label}” can have at most {MOST_ROWS} entries."
    for number, row in enumerate(value):
        if not isinstance(row, Mapping):
            yield f"{field}.{number}", f"Entry {number + 1} of “{question.label}” cannot be read."
        else:
            yield from _check_group(question.columns, row, views, f"{field}.{number}.")


def _missing(questions: tuple[Question, ...], answers: Mapping[str, object], prefix: str) -> Found:
    for question in visible_questions(questions, answers):
        value = answers.get(question.key)
        field = f"{prefix}{question.key}"
        if not is_answered(value):
            if question.required_at_sign_off:
                yield field, f"Answer “{question.label}”."
        elif question.kind is Kind.ELEMENT and isinstance(value, Mapping):
            if not is_answered(value.get("whose_view")):
                yield f"{field}.whose_view", f"Say whose view “{question.label}” is."
            elif not any(is_answered(value.get(part)) for part in ELEMENT_TEXTS):
                yield f"{field}.strengths", f"Say something about “{question.label}”."
        elif question.kind in REPEATED and isinstance(value, list):
            for number, row in enumerate(value):
                if isinstance(row, Mapping) and is_answered(row):
                    yield from _missing(question.columns, row, f"{field}.{number}.")


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        return 1900 <= date.fromisoformat(text).year <= 2200
    except ValueError:
        return False
