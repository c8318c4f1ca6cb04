"""An authority's forms as the pages of their editor say them: words and addresses, without HTML."""

from collections.abc import Iterable
from dataclasses import dataclass

from consent import Category
from panel.accounts.step_pages import Field, Step
from panel.assessments.definitions import (
    CHOSEN,
    MAY_SHOW,
    REPEATED,
    Choice,
    ChoicesFrom,
    FormDefinition,
    Kind,
    Question,
    Section,
    values_of,
)
from panel.assessments.definitions import Step as When
from panel.assessments.editor_forms import choice_lines, column_lines, shows_length
from panel.assessments.form_versions import FormVersion
from panel.assessments.models import FormState
from panel.assessments.pages import CATEGORY_WORDS, SectionPage, section_page, section_title
from panel.web import words

FORMS = "/forms"
STATES = {
    FormState.DRAFT: ("Draft", "yellow"),
    FormState.PUBLISHED: ("Published", "green"),
    FormState.RETIRED: ("Retired", "grey"),
}
INVENTED_FAMILY = (Choice("parent", "A parent"), Choice("carer", "A carer"))
INVENTED_AGENCIES = (Choice("health", "A health agency"), Choice("school", "A school"))
REPLACED = ("Replaced", "grey")
KIND_WORDS = {
    Kind.SHORT_TEXT: "A line of text",
    Kind.LONG_TEXT: "A text of several lines",
    Kind.DATE: "A date",
    Kind.YES_NO: "Yes or no",
    Kind.CHOICE: "One of several choices",
    Kind.CHOICES: "As many of several choices as apply",
    Kind.EMAIL: "An email address",
    Kind.TELEPHONE: "A telephone number",
    Kind.POSTCODE: "A postcode",
    Kind.NHS_NUMBER: "An NHS number",
    Kind.UPN: "A unique pupil number",
    Kind.ELEMENT: "Strengths, needs, evidence and whose view it is",
    Kind.PEOPLE: "People, one after the other",
    Kind.ROWS: "Rows of a table",
}
VOICES = (
    ("", "The assessor’s"),
    ("child", "The child’s"),
    ("parent", "A parent’s or carer’s"),
)
NEW_FORM = Step(
    "Begin a form",
    "It starts empty, as a draft that nobody fills in until you publish it.",
    "Begin it",
    (
        Field("line", "title", "What is the form called?"),
        Field(
            "line",
            "key",
            "Key",
            "Small letters, digits and _. Answers are kept under it for ever. Leave this empty and"
            " it is made from the title.",
        ),
    ),
)
IMPORT = Step(
    "Bring in a form from a file",
    "A file that was exported here or by another authority. It becomes a draft that you can look"
    " at and change before you publish it.",
    "Bring it in",
    (Field("file", "file", "File of the form (.json)"),),
)
TITLE = Step(
    "Change what the form is called",
    "",
    "Save",
    (
        Field("line", "title", "What is the form called?"),
        Field("line", "source", "Where does it come from?", "A law, guidance, a local agreement."),
    ),
)


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a form in a list."""

    words: str
    href: str
    state_words: str
    state_colour: str
    key: str


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One question of a section, and what is to be known of it."""

    key: str
    label: str
    facts: tuple[str, ...]
    href: str
    place: str


@dataclass(frozen=True, slots=True)
class SectionRow:
    """One section with its questions."""

    key: str
    title: str
    facts: tuple[str, ...]
    href: str
    questions: tuple[QuestionRow, ...]
    asks_agreement: bool


def form_href(form_id: object) -> str:
    """Where a version of a form stands."""
    return f"{FORMS}/{form_id}"


def version_rows(versions: Iterable[FormVersion]) -> list[VersionRow]:
    """Every version, the newest of a form first; a published one behind another is replaced."""
    rows: list[VersionRow] = []
    offered: set[str] = set()
    for one in versions:
        said = STATES[one.state]
        if one.state is FormState.PUBLISHED:
            said = REPLACED if one.form.key in offered else said
            offered.add(one.form.key)
        name = f"{one.form.title}, version {one.form.version}"
        rows.append(VersionRow(name, form_href(one.id), *said, one.form.key))
    return rows


def section_rows(version: FormVersion) -> list[SectionRow]:
    """The sections of a version, each with its questions."""
    base = form_href(version.id)
    return [
        _section_row(section, f"{base}/sections/{section.key}") for section in version.form.sections
    ]


def section_step(before: Section | None) -> Step:
    """The form of a section."""
    fields = [
        Field("line", "title", "What is the section called?", "{child} stands for the name."),
        Field("line", "group", "Under which heading does it stand?"),
        Field(
            "select",
            "category",
            "Which kind of information does it hold?",
            "Who sees what is said here is decided by it. Ask what it is mostly about.",
            tuple((one.value, CATEGORY_WORDS[one]) for one in Category),
        ),
        Field("text", "intro", "Introduction", "What the worker reads before the questions."),
    ]
    if before is None or before.step is not When.AGREEMENT:
        fields.append(
            Field("tick", "at_review", "Asked at a review only", "It is no part of the sign-off.")
        )
    if before is None:
        fields.append(_key_field("title"))
    title = "Add a section" if before is None else f"Change “{before.title}”"
    return Step(title, "A section is one page of questions of one kind.", "Save", fields)


def section_stored(section: Section) -> dict[str, object]:
    """What the fields of a section show at first."""
    return {
        "title": section.title,
        "group": section.group,
        "category": section.category.value,
        "intro": section.intro,
        "at_review": "yes" if section.step is When.REVIEW else "",
    }


def question_step(section: Section, before: Question | None) -> Step:
    """The form of a question: what its kind asks for, or everything while it has none."""
    fields = [Field("line", "label", "The question", "{child} stands for the child’s name.")]
    if before is None:
        kinds = tuple((kind.value, KIND_WORDS[kind]) for kind in Kind)
        fields.append(Field("select", "kind", "How is it answered?", choices=kinds))
    fields.append(Field("text", "hint", "Hint"))
    fields.append(Field("tick", "required", "It must be answered before sign-off"))
    if before is None or (before.kind in CHOSEN and before.choices_from is None):
        hint = "For choices. A line each: the words, or value | words | hint."
        fields.append(Field("text", "choices", "Choices", hint))
    if before is None or before.kind in REPEATED:
        fields.append(Field("text", "columns", "Columns", "For rows and people. A line each."))
        fields.append(Field("line", "row_name", "What is one row called?", "For example: person"))
    if before is None or shows_length(before):
        fields.append(Field("line", "longest", "Longest answer", "In characters. Empty is 4,000."))
    conditions = _conditions(section, before)
    if conditions:
        fields.append(
            Field(
                "checkboxes",
                "show_if",
                "Ask it only if",
                "Tick nothing to ask it always.",
                conditions,
            )
        )
    fields.append(Field("radios", "voice", "Whose own words are they?", choices=VOICES))
    if before is None:
        fields.append(_key_field("question"))
    title = "Add a question" if before is None else "Change the question"
    lead = section.title if before is None else f"{section.title} · {KIND_WORDS[before.kind]}"
    return Step(title, lead, "Save", fields)


def question_stored(question: Question) -> dict[str, object]:
    """What the fields of a question show at first."""
    condition = question.show_if
    pairs = () if condition is None else condition.is_one_of
    return {
        "label": question.label,
        "hint": question.hint,
        "required": "yes" if question.required_at_sign_off else "",
        "voice": question.voice.value if question.voice else "",
    } | {
        name: value
        for name, value, applies in (
            ("choices", choice_lines(question.choices), bool(question.choices)),
            ("columns", column_lines(question.columns), bool(question.columns)),
            ("row_name", question.row_name, bool(question.row_name)),
            ("longest", question.max_length, shows_length(question)),
            (
                "show_if",
                [f"{condition and condition.question}={one}" for one in pairs],
                bool(pairs),
            ),
        )
        if applies
    }


def _key_field(made_from: str) -> Field:
    hint = f"Answers are kept under it. Leave this empty and it is made from the {made_from}."
    return Field("line", "key", "Key", hint)


def _conditions(section: Section, asked: Question | None) -> tuple[tuple[str, str], ...]:
    """Every answer of the section's other questions that one may depend on."""
    found: list[tuple[str, str]] = []
    for other in section.questions:
        if other.kind not in MAY_SHOW or other.choices_from is not None or other is asked:
            continue
        labels = {one.value: one.label for one in other.choices} or {"yes": "Yes", "no": "No"}
        found += (
            (f"{other.key}={value}", f"“{other.label}” is {label}")
            for value, label in labels.items()
            if value in values_of(other)
        )
    return tuple(found)


def _section_row(section: Section, href: str) -> SectionRow:
    facts = [CATEGORY_WORDS[section.category], section.group]
    if section.step is When.REVIEW:
        facts.append("At a review")
    last = len(section.questions) - 1
    questions = (
        QuestionRow(
            question.key,
            question.label,
            tuple(_facts(section, question)),
            f"{href}/questions/{question.key}",
            "only" if last == 0 else {0: "first", last: "last"}.get(number, ""),
        )
        for number, question in enumerate(section.questions)
    )
    return SectionRow(
        section.key,
        section.title,
        tuple(facts),
        href,
        tuple(questions),
        section.step is When.AGREEMENT,
    )


def _facts(section: Section, question: Question) -> Iterable[str]:
    yield KIND_WORDS[question.kind]
    if question.choices:
        yield words.plural(len(question.choices), "choice")
    if question.required_at_sign_off:
        yield "Required at sign-off"
    condition = question.show_if
    other = section.question(condition.question) if condition else None
    if condition is not None and other is not None:
        labels = {one.value: one.label for one in other.choices}
        said = [labels.get(one, words.upper_first(one)) for one in condition.is_one_of]
        yield f"Only if “{other.label}” is {words.in_a_row(said, 'or')}"


def states_of(form: FormDefinition) -> str:
    """How much there is in a form: "5 sections, 31 questions"."""
    questions = sum(len(section.questions) for section in form.sections)
    sections = words.plural(len(form.sections), "section")
    return f"{sections}, {words.plural(questions, 'question')}"


def preview_links(
    form: FormDefinition, base: str, child: str
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every heading with its sections and where each is previewed."""
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    for section in form.sections:
        heading = section.group.replace("{child}", child)
        if not groups or groups[-1][0] != heading:
            groups.append((heading, []))
        groups[-1][1].append((section_title(section, child), f"{base}/{section.slug}"))
    return groups


def preview_section(form: FormDefinition, section: Section, child: str) -> SectionPage:
    """One section as whoever fills it in sees it, with nothing in it."""
    options = {ChoicesFrom.FAMILY: INVENTED_FAMILY, ChoicesFrom.AGENCIES: INVENTED_AGENCIES}
    return section_page(form, section, {}, (), options, child=child, base="")
