"""What may be done to a draft of a form: every step gives a new form, or says why it cannot.

A draft may be unfinished: a section without a question yet, a form without a section. It is never
wrong: a step that would leave a key used twice, a condition on a question that is not there, or
questions that depend on each other in a circle, is refused, and the draft stays as it was.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal, TypeVar

import msgspec

from panel.assessments.definitions import (
    Choice,
    FormDefinition,
    FormRefused,
    Question,
    Section,
    Step,
    built_in_forms,
    problems_of_form,
    problems_of_kinds,
)

Thing = TypeVar("Thing")
Direction = Literal["up", "down"]
LONGEST_KEY = 60
_NO_PART_OF_A_KEY = re.compile("[^a-z0-9]+")


def new_form(key: str, title: str) -> FormDefinition:
    """A first version with nothing in it yet; views as the CAF has them. Raises FormRefused."""
    caf = next(form for form in reversed(built_in_forms()) if form.key == "caf")
    form = FormDefinition(key=key, version=1, title=title, views=caf.views, sections=())
    wrong = tuple(_wrong(form))
    if wrong:
        raise FormRefused(wrong)
    return form


def key_from(words: str, taken: Collection[str] = ()) -> str:
    """A key made from what a thing is called, that none of the others has: "Who came?", who_came.

    Words with no letter of ours in them give "part".
    """
    plain = unicodedata.normalize("NFKD", words.lower()).encode("ascii", "ignore").decode()
    key = _NO_PART_OF_A_KEY.sub("_", plain).strip("_").lstrip("0123456789_")[: LONGEST_KEY - 4]
    key = key.rstrip("_") or "part"
    if key == "version":
        key = "which_version"
    number, found = 2, key
    while found in taken:
        number, found = number + 1, f"{key}_{number}"
    return found


# Sections ------------------------------------------------------------------------------------


def add_section(form: FormDefinition, section: Section) -> FormDefinition:
    """With one section more: behind the last of its group, the agreement staying last."""
    places = [n for n, one in enumerate(form.sections) if one.group == section.group]
    at = places[-1] + 1 if places else len(form.sections)
    if not places and form.sections and form.sections[-1].step is Step.AGREEMENT:
        at -= 1
    sections = (*form.sections[:at], section, *form.sections[at:])
    return _changed(form, msgspec.structs.replace(form, sections=sections))


def change_section(form: FormDefinition, section: Section) -> FormDefinition:
    """With a section's words, group or category changed; one that moves to a group joins it."""
    before = _section(form, section.key)
    if before.group != section.group:
        without = tuple(one for one in form.sections if one.key != section.key)
        changed = add_section(msgspec.structs.replace(form, sections=without), section)
    else:
        changed = _with_section(form, section)
    return _changed(form, changed)


def remove_section(form: FormDefinition, key: str) -> FormDefinition:
    """Without a section and its questions."""
    _section(form, key)
    sections = tuple(one for one in form.sections if one.key != key)
    return _changed(form, msgspec.structs.replace(form, sections=sections))


def move_section(form: FormDefinition, key: str, direction: Direction) -> FormDefinition:
    """With a section one place up or down in its group; at its end the whole group moves."""
    here = _section(form, key)
    if here.step is Step.AGREEMENT:
        raise FormRefused.because(f"The agreement “{here.title}” stays last.")
    groups = _grouped(form.sections)
    at = next(n for n, group in enumerate(groups) if here in group)
    step = -1 if direction == "up" else 1
    place = groups[at].index(here)
    if 0 <= place + step < len(groups[at]):
        groups[at] = _swapped(groups[at], place, place + step)
    elif 0 <= at + step < len(groups):
        groups = _swapped(groups, at, at + step)
    sections = tuple(one for group in groups for one in group)
    return _changed(form, msgspec.structs.replace(form, sections=sections))


# Questions -----------------------------------------------------------------------------------


def add_question(form: FormDefinition, section_key: str, question: Question) -> FormDefinition:
    """With one question more, at the end of a section."""
    section = _section(form, section_key)
    _not_the_agreement(section)
    return _with_questions(form, section, (*section.questions, question))


def change_question(form: FormDefinition, section_key: str, question: Question) -> FormDefinition:
    """With a question as it is given here; its key and its place stay."""
    section = _section(form, section_key)
    before = _question(section, question.key)
    if section.step is Step.AGREEMENT and _shape(before) != _shape(question):
        _not_the_agreement(section)
    questions = (question if one.key == question.key else one for one in section.questions)
    return _with_questions(form, section, questions)


def remove_question(form: FormDefinition, section_key: str, key: str) -> FormDefinition:
    """Without a question. Refused while another is asked depending on it."""
    section = _section(form, section_key)
    _not_the_agreement(section)
    _question(section, key)
    return _with_questions(form, section, (one for one in section.questions if one.key != key))


def move_question(
    form: FormDefinition, section_key: str, key: str, direction: Direction
) -> FormDefinition:
    """With a question one place up or down. Refused above the one that it depends on."""
    section = _section(form, section_key)
    _not_the_agreement(section)
    place = section.questions.index(_question(section, key))
    to = place + (-1 if direction == "up" else 1)
    if not 0 <= to < len(section.questions):
        return form
    return _with_questions(form, section, _swapped(section.questions, place, to))


# Publishing ----------------------------------------------------------------------------------


def problems_at_publishing(
    form: FormDefinition, earlier: Iterable[FormDefinition]
) -> tuple[str, ...]:
    """Why a draft cannot be published after the `earlier` versions, as sentences."""
    problems = [*_wrong(form)]
    for old in earlier:
        problems.extend(problems_of_kinds(old, form))
    return tuple(dict.fromkeys(problems))


def require_right(form: FormDefinition, earlier: Iterable[FormDefinition]) -> None:
    """Raises FormRefused with each reason why a form is not finished, or not right."""
    problems = problems_at_publishing(form, earlier)
    if problems or (problems := tuple(unfinished(form))):
        raise FormRefused(problems)


def unfinished(form: FormDefinition) -> Iterator[str]:
    """What is still to be done before publishing, as the rules of a form say it."""
    if not form.sections:
        yield "The form needs at least one section."
    for section in form.sections:
        if not section.questions:
            yield f"The section “{section.key}” needs at least one question."


def _wrong(form: FormDefinition) -> Iterator[str]:
    """What is wrong in a form, but for what is only unfinished."""
    missing = set(unfinished(form))
    yield from (problem for problem in problems_of_form(form) if problem not in missing)
    yield from _problems_of_agreement(form)


def _problems_of_agreement(form: FormDefinition) -> Iterator[str]:
    """What the agreement says becomes a decision about sharing: its questions must be the same."""
    for section in form.sections:
        if section.step is Step.AGREEMENT and _questions(section) not in _known_agreements():
            yield (
                f"The agreement “{section.key}” must ask what the CAF’s does: Panel keeps its"
                " answers as a decision about sharing. Change its words only."
            )


def _known_agreements() -> tuple[tuple[object, ...], ...]:
    return tuple(
        _questions(section)
        for form in built_in_forms()
        for section in form.sections
        if section.step is Step.AGREEMENT
    )


def _questions(section: Section) -> tuple[object, ...]:
    return tuple(_shape(question) for question in section.questions)


def _shape(question: Question) -> object:
    """A question without its words."""
    choices = tuple(Choice(one.value, "") for one in question.choices)
    return msgspec.structs.replace(question, label="", hint="", choices=choices)


def _not_the_agreement(section: Section) -> None:
    if section.step is Step.AGREEMENT:
        raise FormRefused.because(
            f"The questions of the agreement “{section.title}” stay as they are: Panel keeps its"
            " answers as a decision about sharing. Change its words only."
        )


def _changed(old: FormDefinition, new: FormDefinition) -> FormDefinition:
    """The new form. Raises FormRefused where it is wrong in a way that the old one was not."""
    known = set(_wrong(old))
    problems = tuple(problem for problem in _wrong(new) if problem not in known)
    if problems:
        raise FormRefused(problems)
    return new


def _with_questions(
    form: FormDefinition, section: Section, questions: Iterable[Question]
) -> FormDefinition:
    changed = msgspec.structs.replace(section, questions=tuple(questions))
    return _changed(form, _with_section(form, changed))


def _with_section(form: FormDefinition, section: Section) -> FormDefinition:
    sections = (section if one.key == section.key else one for one in form.sections)
    return msgspec.structs.replace(form, sections=tuple(sections))


def _section(form: FormDefinition, key: str) -> Section:
    found = form.section(key)
    if found is None:
        raise FormRefused.because(f"The form has no section “{key}” any more. Reload the page.")
    return found


def _question(section: Section, key: str) -> Question:
    found = section.question(key)
    if found is None:
        raise FormRefused.because(f"“{section.title}” has no question “{key}” any more.")
    return found


def _grouped(sections: Iterable[Section]) -> list[list[Section]]:
    groups: list[list[Section]] = []
    for section in sections:
        if groups and groups[-1][0].group == section.group:
            groups[-1].append(section)
        else:
            groups.append([section])
    return groups


def _swapped(things: Sequence[Thing], one: int, other: int) -> list[Thing]:
    swapped = list(things)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    return swapped
