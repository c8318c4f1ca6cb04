"""A form as a value: versioned data that an authority adds or changes without a release.

Old answers keep the version they were given in, and each section carries its one information
category. Source: DOMAIN.md, "CAF form" and "Categories, purposes, defaults".

An answer is JSON, by kind of question:

- short_text, long_text, email, telephone, postcode, nhs_number, upn: text
- date: text, as 2026-12-03
- yes_no: "yes" or "no"
- choice: the value of one choice; choices: a list of values
- element: {"strengths", "needs", "evidence": text, "whose_view": list of values}
- people, rows: a list of {column: answer}

A question without an answer has no key. Answers are kept by section: {section: {question: answer}}.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from importlib import resources

import msgspec

from consent import Category

Cell = str | list[str]
"""An answer that stands in one field: text, or the ticked values."""
Group = dict[str, Cell]
"""The parts of an element, or one row."""
Value = Cell | Group | list[Group]
SectionAnswers = dict[str, Value]
Answers = dict[str, SectionAnswers]

LINE_LENGTH = 200
TEXT_LENGTH = 4000
MOST_ROWS = 30
ELEMENT_TEXTS = ("strengths", "needs", "evidence")
ELEMENT_PARTS = (*ELEMENT_TEXTS, "whose_view")

_KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
_PLACEHOLDER = re.compile(r"\{[^}]*\}?|\}")


class Kind(StrEnum):
    """How a question is answered."""

    SHORT_TEXT = "short_text"
    LONG_TEXT = "long_text"
    DATE = "date"
    YES_NO = "yes_no"
    CHOICE = "choice"
    CHOICES = "choices"
    EMAIL = "email"
    TELEPHONE = "telephone"
    POSTCODE = "postcode"
    NHS_NUMBER = "nhs_number"
    UPN = "upn"
    ELEMENT = "element"
    """One element of an assessment: strengths, needs, evidence and whose view it is."""
    PEOPLE = "people"
    """Rows that are each a person, somebody other than the child."""
    ROWS = "rows"


LINES = frozenset(
    {Kind.SHORT_TEXT, Kind.EMAIL, Kind.TELEPHONE, Kind.POSTCODE, Kind.NHS_NUMBER, Kind.UPN},
)
TEXTS = LINES | {Kind.LONG_TEXT}
REPEATED = frozenset({Kind.PEOPLE, Kind.ROWS})
CHOSEN = frozenset({Kind.CHOICE, Kind.CHOICES})
MAY_SHOW = frozenset({Kind.YES_NO, Kind.CHOICE, Kind.CHOICES})
"""The kinds that another question's `show_if` may look at."""


class ChoicesFrom(StrEnum):
    """Where the choices come from that no form can name: they are given when the page is made."""

    FAMILY = "family"
    """The child (if they may agree themselves) and the family members on the record, by id."""
    AGENCIES = "agencies"
    """The agencies of the authority, by id."""


class Voice(StrEnum):
    """Whose own words an answer holds, where they are not the assessor's."""

    CHILD = "child"
    PARENT = "parent"


class Step(StrEnum):
    """When a section is filled in."""

    QUESTIONS = "questions"
    REVIEW = "review"
    """At a review, later: never asked for at sign-off."""
    AGREEMENT = "agreement"
    """Agreement to store and share: after the answers were checked, the last step."""


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing to choose."""

    value: str
    label: str
    hint: str = ""


class ShowIf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ask only if an earlier question of the same section, or row, has one of these answers."""

    question: str
    is_one_of: tuple[str, ...]


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One question. `{child}` in its words stands for the child's name."""

    key: str
    kind: Kind
    label: str
    hint: str = ""
    required_at_sign_off: bool = False
    choices: tuple[Choice, ...] = ()
    choices_from: ChoicesFrom | None = None
    show_if: ShowIf | None = None
    max_length: int | None = None
    """Characters; None is 200 for a line and 4,000 for a text."""
    voice: Voice | None = None
    columns: tuple[Question, ...] = ()
    """The questions of one row, for people and rows."""
    row_name: str = ""
    """What one row is called, for people and rows: "person"."""
    not_before: str = ""
    """For a date: an earlier date question that this one may not lie before."""
    apart_from: str = ""
    """For choices: an earlier question whose choices may not be chosen here as well."""

    @property
    def longest(self) -> int:
        """The most characters that one text of the answer may have."""
        if self.max_length is not None:
            return self.max_length
        return LINE_LENGTH if self.kind in LINES else TEXT_LENGTH


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One page of plain questions that share one information category."""

    key: str
    title: str
    group: str
    """The heading that it stands under in the task list."""
    category: Category
    questions: tuple[Question, ...]
    intro: str = ""
    step: Step = Step.QUESTIONS

    @property
    def slug(self) -> str:
        """The section's part of an address: "home-address"."""
        return self.key.replace("_", "-")

    def question(self, key: str) -> Question | None:
        """The question with that key."""
        return next((question for question in self.questions if question.key == key), None)


class FormDefinition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One version of one form."""

    key: str
    version: int
    title: str
    views: tuple[Choice, ...]
    """Who may hold the view that an element records."""
    sections: tuple[Section, ...]
    source: str = ""

    def section(self, key: str) -> Section | None:
        """The section with that key."""
        return next((section for section in self.sections if section.key == key), None)

    def section_at(self, slug: str) -> Section | None:
        """The section with that part of an address."""
        return next((section for section in self.sections if section.slug == slug), None)


class FormRefused(ValueError):
    """A form, or a set of forms, that cannot be used; `problems` are sentences for its author."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    @classmethod
    def because(cls, sentence: str) -> FormRefused:
        """For one reason."""
        return cls((sentence,))


def encode_form(form: FormDefinition) -> bytes:
    """The form as JSON, as `decode_form` reads it."""
    return msgspec.json.encode(form)


def decode_form(data: bytes | str) -> FormDefinition:
    """The form that the JSON holds; FormRefused with every problem if it cannot be used."""
    try:
        form = msgspec.json.decode(data, type=FormDefinition)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise FormRefused((f"The form cannot be read: {problem}.",)) from problem
    problems = tuple(problems_of_form(form))
    if problems:
        raise FormRefused(problems)
    return form


def built_in_forms() -> tuple[FormDefinition, ...]:
    """The forms that come with Panel, each version once, by key and version."""
    folder = resources.files(__package__) / "forms"
    files = (file for file in folder.iterdir() if file.name.endswith(".json"))
    forms = [decode_form(file.read_bytes()) for file in files]
    return tuple(sorted(forms, key=lambda form: (form.key, form.version)))


def problems_of_next_version(old: FormDefinition, new: FormDefinition) -> Iterator[str]:
    """Why `new` cannot follow `old`, as sentences; nothing if it can."""
    if new.key != old.key:
        yield f"The next version of “{old.key}” must have the key “{old.key}”, not “{new.key}”."
    if new.version != old.version + 1:
        yield f"The next version of “{old.key}” must be version {old.version + 1}."
    yield from problems_of_kinds(old, new)


def problems_of_kinds(old: FormDefinition, new: FormDefinition) -> Iterator[str]:
    """Where a key of an earlier version would mean something else in `new`, as sentences."""
    kinds = {
        (section.key, question.key): question.kind
        for section in old.sections
        for question in section.questions
    }
    for section in new.sections:
        for question in section.questions:
            before = kinds.get((section.key, question.key), question.kind)
            if before is not question.kind:
                yield (
                    f"“{section.key}.{question.key}” was answered as {before} and cannot become "
                    f"{question.kind}. Give the new question another key."
                )


def problems_of_form(form: FormDefinition) -> Iterator[str]:
    """Why a form cannot be used, as sentences; nothing if it can."""
    if not _KEY.fullmatch(form.key):
        yield _bad_key(f"form “{form.key}”")
    if form.version < 1:
        yield "The version of a form is 1 or more."
    if not form.title.strip():
        yield "The form needs a title."
    if not form.sections:
        yield "The form needs at least one section."
    yield from _repeated((section.key for section in form.sections), "section")
    yield from _problems_of_choices(form.views, "the form’s list of whose view it is")
    for section in form.sections:
        yield from _problems_of_section(section)
        if not form.views and any(q.kind is Kind.ELEMENT for q in section.questions):
            yield f"“{section.key}” has elements, so the form must list whose view it can be."
    yield from _problems_of_order(form)


def _problems_of_order(form: FormDefinition) -> Iterator[str]:
    agreements = [section for section in form.sections if section.step is Step.AGREEMENT]
    if len(agreements) > 1:
        yield "A form has at most one agreement step."
    if agreements and form.sections[-1].step is not Step.AGREEMENT:
        yield f"The agreement “{agreements[0].key}” must be the last section."
    seen: list[str] = []
    for section in form.sections:
        if seen and seen[-1] != section.group and section.group in seen:
            yield f"The sections of the group “{section.group}” must stand together."
        seen.append(section.group)


def _problems_of_section(section: Section) -> Iterator[str]:
    where = f"section “{section.key}”"
    if not _KEY.fullmatch(section.key):
        yield _bad_key(where)
    for name, words in (("title", section.title), ("group", section.group)):
        if not words.strip():
            yield f"The {where} needs a {name}."
    yield from _problems_of_words((section.title, section.group, section.intro), where)
    if not section.questions:
        yield f"The {where} needs at least one question."
    yield from _problems_of_questions(section.questions, where)


def _problems_of_questions(questions: tuple[Question, ...], where: str) -> Iterator[str]:
    yield from _repeated((question.key for question in questions), f"question in the {where}")
    for circle in circles(questions):
        yield (
            f"In the {where} questions depend on each other in a circle: "
            f"{' on '.join(f'“{key}”' for key in circle)}. Take one of these conditions away."
        )
    earlier: dict[str, Question] = {}
    for question in questions:
        yield from _problems_of_question(question, earlier, f"question “{question.key}” ({where})")
        earlier[question.key] = question


def _problems_of_question(
    question: Question,
    earlier: dict[str, Question],
    where: str,
) -> Iterator[str]:
    if not _KEY.fullmatch(question.key):
        yield _bad_key(where)
    if question.key == "version":
        yield f"The {where} needs another key: every page has a field “version” of its own."
    if not question.label.strip():
        yield f"The {where} needs a label."
    yield from _problems_of_words((question.label, question.hint, question.row_name), where)
    if question.max_length is not None and not 1 <= question.max_length <= 20_000:
        yield f"The longest answer to the {where} is between 1 and 20,000 characters."
    if question.max_length is not None and question.kind not in TEXTS | {Kind.ELEMENT}:
        yield f"The {where} is not a text, so it has no longest answer."
    yield from _problems_of_what_is_chosen(question, where)
    yield from _problems_of_rows(question, where)
    yield from _problems_of_links(question, earlier, where)


def _problems_of_what_is_chosen(question: Question, where: str) -> Iterator[str]:
    if question.kind not in CHOSEN:
        if question.choices or question.choices_from is not None:
            yield f"The {where} is answered as {question.kind}, so it has no choices."
        return
    if bool(question.choices) == (question.choices_from is not None):
        yield f"The {where} needs either choices of its own or a place they come from."
    yield from _problems_of_choices(question.choices, where)


def _problems_of_choices(choices: tuple[Choice, ...], where: str) -> Iterator[str]:
    yield from _repeated((choice.value for choice in choices), f"choice in the {where}")
    for choice in choices:
        if not choice.label.strip() or not _KEY.fullmatch(choice.value):
            yield (
                f"Each choice in the {where} needs a label, and a value of small letters, "
                f"digits and _: “{choice.value}” is not one."
            )
        yield from _problems_of_words((choice.label, choice.hint), where)


def _problems_of_rows(question: Question, where: str) -> Iterator[str]:
    if question.kind not in REPEATED:
        if question.columns or question.row_name:
            yield f"The {where} is answered once, so it has no columns and no row name."
        return
    if not question.columns or not question.row_name.strip():
        yield f"The {where} needs columns, and a name for one row."
    if any(column.kind in REPEATED | {Kind.ELEMENT} for column in question.columns):
        yield f"A column of the {where} cannot be an element or have rows of its own."
    yield from _problems_of_questions(question.columns, where)


def _problems_of_links(
    question: Question,
    earlier: dict[str, Question],
    where: str,
) -> Iterator[str]:
    if question.show_if is not None:
        yield from _problems_of_show_if(question.show_if, earlier, where)
    if question.not_before:
        other = earlier.get(question.not_before)
        if other is None or {other.kind, question.kind} != {Kind.DATE}:
            yield f"The {where} can only be not before an earlier date question."
    if question.apart_from:
        other = earlier.get(question.apart_from)
        if (
            other is None
            or {other.kind, question.kind} != {Kind.CHOICES}
            or (other.choices, other.choices_from) != (question.choices, question.choices_from)
        ):
            yield f"The {where} can only be apart from earlier choices with the same list."


def _problems_of_show_if(
    show_if: ShowIf,
    earlier: dict[str, Question],
    where: str,
) -> Iterator[str]:
    other = earlier.get(show_if.question)
    if other is None:
        yield (
            f"The {where} is asked depending on “{show_if.question}”, which is not an earlier "
            "question there."
        )
    elif other.kind not in MAY_SHOW or other.choices_from is not None:
        yield f"The {where} can only depend on a yes or no, or on choices that the form names."
    elif not show_if.is_one_of or not set(show_if.is_one_of) <= values_of(other):
        yield f"The {where} depends on an answer that “{other.key}” cannot have."


def circles(questions: tuple[Question, ...]) -> Iterator[tuple[str, ...]]:
    """Each circle of questions that are asked depending on one another: its keys, first again last.

    A question depends on one other at most, so that following it leads out, or round once.
    """
    asks = {each.key: each.show_if.question for each in questions if each.show_if is not None}
    done: set[str] = set()
    for start in asks:
        path: list[str] = []
        key = start
        while key in asks and key not in done:
            done.add(key)
            path.append(key)
            key = asks[key]
        if key in path:
            yield (*path[path.index(key) :], key)


def values_of(question: Question) -> frozenset[str]:
    """The values that a question's own choices allow; "yes" and "no" for yes_no."""
    if question.kind is Kind.YES_NO:
        return frozenset({"yes", "no"})
    return frozenset(choice.value for choice in question.choices)


def _problems_of_words(words: Iterable[str], where: str) -> Iterator[str]:
    for found in (found for text in words for found in _PLACEHOLDER.findall(text)):
        if found != "{child}":
            yield f"“{found}” in the {where} is not known: only {{child}} stands for something."


def _repeated(keys: Iterable[str], what: str) -> Iterator[str]:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            yield f"“{key}” is used twice: the key of each {what} must be its own."
        seen.add(key)


def _bad_key(where: str) -> str:
    return f"The key of the {where} must be small letters, digits and _, and start with a letter."
