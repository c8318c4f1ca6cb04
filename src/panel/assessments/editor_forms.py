"""What may come in about a form that is edited: its name, a section, a question, a file.

Choices and columns are lines: "value | label | hint", or the label alone, from which a value is
made. A line whose label was there before keeps its value, so that old answers keep what they say.
"""

from typing import Annotated, Literal

import msgspec
from litestar.datastructures import UploadFile

from consent import Category
from panel.assessments.definitions import (
    CHOSEN,
    LINES,
    REPEATED,
    TEXTS,
    Choice,
    FormDefinition,
    FormRefused,
    Kind,
    Question,
    Section,
    ShowIf,
    Step,
    Voice,
)
from panel.assessments.editing import Direction, key_from
from panel.web.forms import amount, chosen, line, paragraphs, upload

Key = Annotated[str, line("Key", at_most=60)]
MISSING_CATEGORY = "Choose which kind of information this section holds: sharing is decided by it"


class NewForm(msgspec.Struct, forbid_unknown_fields=True):
    """A form to begin."""

    title: Annotated[str, line("Title", missing="Say what the form is called")]
    key: Key = ""


class FileForm(msgspec.Struct, forbid_unknown_fields=True):
    """A form as a file."""

    file: Annotated[UploadFile, upload("File", missing="Select the file of the form (.json)")]


class Locked(msgspec.Struct, forbid_unknown_fields=True):
    """A button of a page that was made from this version of the row."""

    version: int


class TitleForm(Locked, forbid_unknown_fields=True):
    """What a form is called."""

    title: Annotated[str, line("Title", missing="Say what the form is called")]
    source: Annotated[str, line("Where it comes from")] = ""


class MoveForm(Locked, forbid_unknown_fields=True):
    """One place up or down."""

    direction: Annotated[Direction, chosen("Up or down")]


class SectionForm(Locked, forbid_unknown_fields=True):
    """A section's words and its category."""

    title: Annotated[str, line("Title", missing="Say what the section is called")]
    group: Annotated[str, line("Heading", missing="Say under which heading it stands")]
    category: Annotated[Category, chosen("Kind of information", missing=MISSING_CATEGORY)]
    intro: Annotated[str, paragraphs("Introduction", at_most=2_000)] = ""
    at_review: Annotated[bool, chosen("At a review")] = False
    key: Key = ""

    def section(self, form: FormDefinition, before: Section | None) -> Section:
        """The section that is meant; a new one has a key of its own."""
        step = Step.REVIEW if self.at_review else Step.QUESTIONS
        if before is not None:
            step = before.step if before.step is Step.AGREEMENT else step
            return msgspec.structs.replace(
                before,
                title=self.title,
                group=self.group,
                category=self.category,
                intro=self.intro,
                step=step,
            )
        key = self.key or key_from(self.title, {one.key for one in form.sections})
        return Section(key, self.title, self.group, self.category, (), self.intro, step)


class QuestionForm(Locked, forbid_unknown_fields=True):
    """A question, all of it."""

    label: Annotated[str, line("Question", at_most=300, missing="Write the question")]
    kind: Annotated[Kind | None, chosen("How it is answered")] = None
    hint: Annotated[str, paragraphs("Hint", at_most=1_000)] = ""
    required: Annotated[bool, chosen("Required at sign-off")] = False
    choices: Annotated[str, paragraphs("Choices")] = ""
    columns: Annotated[str, paragraphs("Columns")] = ""
    row_name: Annotated[str, line("What one row is called")] = ""
    show_if: Annotated[list[str], chosen("Only if")] = []
    longest: Annotated[int | None, amount("The longest answer", at_least=1, at_most=20_000)] = None
    voice: Annotated[Literal["child", "parent"] | None, chosen("Whose own words")] = None
    key: Key = ""

    def question(self, section: Section, before: Question | None) -> Question:
        """The question that is meant. Raises FormRefused for conditions on two questions."""
        kind = before.kind if before is not None else self.kind
        if kind is None:
            raise FormRefused.because("Say how the question is answered.")
        keys = {one.key for one in section.questions}
        key = before.key if before is not None else self.key or key_from(self.label, keys)
        asked = before or Question(key, kind, self.label)
        is_long = kind in TEXTS | {Kind.ELEMENT}
        # A line has no field for it on its page: what a file said of it stays.
        longest = self.longest if before is None or shows_length(before) else before.max_length
        return msgspec.structs.replace(
            asked,
            label=self.label,
            hint=self.hint,
            required_at_sign_off=self.required,
            choices=_choices(self.choices, asked) if kind in CHOSEN else (),
            columns=_columns(self.columns, asked) if kind in REPEATED else (),
            row_name=(self.row_name or "entry") if kind in REPEATED else "",
            show_if=show_if_of(self.show_if),
            max_length=longest if is_long else None,
            voice=Voice(self.voice) if self.voice else None,
        )


def show_if_of(chosen_answers: list[str]) -> ShowIf | None:
    """The condition that "question=answer" pairs say. Raises FormRefused for two questions."""
    pairs = [one.partition("=") for one in chosen_answers]
    questions = list(dict.fromkeys(question for question, _, _ in pairs))
    if len(questions) > 1:
        raise FormRefused.because(
            "A question can depend on the answers to one other question only."
        )
    if not questions:
        return None
    return ShowIf(questions[0], tuple(answer for _, _, answer in pairs))


def choice_lines(choices: tuple[Choice, ...]) -> str:
    """Choices as the lines that say them."""
    return "\n".join(" | ".join(filter(None, (one.value, one.label, one.hint))) for one in choices)


def column_lines(columns: tuple[Question, ...]) -> str:
    """What the columns of a row are called, a line each."""
    return "\n".join(one.label for one in columns)


def shows_length(question: Question) -> bool:
    """Whether an answer is a text that can be too long."""
    return question.kind in TEXTS - LINES | {Kind.ELEMENT}


def _choices(lines: str, before: Question) -> tuple[Choice, ...]:
    if before.choices_from is not None:
        return ()
    known = {one.label: one for one in before.choices}
    found: list[Choice] = []
    for said in filter(None, map(str.strip, lines.splitlines())):
        parts = [part.strip() for part in said.split("|", maxsplit=2)]
        if len(parts) == 1:
            taken = {one.value for one in (*before.choices, *found)}
            found.append(known.get(said) or Choice(key_from(said, taken), said))
        else:
            found.append(Choice(*parts))
    return tuple(found)


def _columns(lines: str, before: Question) -> tuple[Question, ...]:
    known = {one.label: one for one in before.columns}
    found: list[Question] = []
    for said in filter(None, map(str.strip, lines.splitlines())):
        taken = {one.key for one in (*before.columns, *found)}
        found.append(known.get(said) or Question(key_from(said, taken), Kind.SHORT_TEXT, said))
    return tuple(found)
