"""An assessment as its pages say it: words, tags and fields, without HTML.

Every presenter takes the child's name as it is given ("Freya"): `{child}` in the words of a form
stands for it. `base` is the address of the assessment, such as "/assessments/0190…".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

from consent import Category
from panel.assessments.definitions import (
    ELEMENT_PARTS,
    MOST_ROWS,
    REPEATED,
    Cell,
    Choice,
    FormDefinition,
    Group,
    Kind,
    Question,
    Section,
    SectionAnswers,
    Step,
    Value,
    Voice,
)
from panel.assessments.forms import DATE_PARTS, Options, Posted, rows_posted
from panel.assessments.rules import (
    PART_WORDS,
    Problem,
    SectionState,
    SignOff,
    Version,
    completeness,
    differences,
    next_section,
    problems_at_sign_off,
    section_state,
    visible_answers,
)
from panel.platform.problems import Clash
from panel.records.nhs_number import nhs_number_words
from panel.web import words
from panel.web.forms import DateParts

STATE_WORDS = {
    SectionState.NOT_STARTED: "Not started",
    SectionState.LOOKED_AT: "Looked at",
    SectionState.COMPLETE: "Complete",
}
STATE_COLOURS = {
    SectionState.NOT_STARTED: "blue",
    SectionState.LOOKED_AT: "yellow",
    SectionState.COMPLETE: "",
}
"""A tag's colour; a complete section is said in plain words, without a tag."""
CATEGORY_WORDS = {
    Category.IDENTITY: "Identity",
    Category.CONTACT: "Contact",
    Category.NETWORK: "Who is involved",
    Category.HEALTH: "Health",
    Category.DEVELOPMENT: "Development",
    Category.EDUCATION: "Education",
    Category.SOCIAL_CARE: "Social care",
    Category.FAMILY: "Family",
    Category.FINANCE: "Housing, work and money",
    Category.VIEWS: "Views",
    Category.PLAN: "Plan",
    Category.PANEL: "Panel",
    Category.SAFEGUARDING: "Safety",
}
PART_HINTS = {
    "strengths": "What goes well, and what helps.",
    "needs": "What is hard, and what is missing.",
    "evidence": "What you saw, heard or read: when, and from whom.",
    "whose_view": "Choose all that apply.",
}
VOICE_WORDS = {Voice.CHILD: "{child}’s own words", Voice.PARENT: "Parents’ and carers’ own words"}
SHAPES = {
    Kind.LONG_TEXT: "text",
    Kind.DATE: "date",
    Kind.YES_NO: "radios",
    Kind.CHOICE: "radios",
    Kind.CHOICES: "checkboxes",
}
MOST_RADIOS = 8
"""More choices than this go into a list that opens."""
INPUT_TYPES = {Kind.EMAIL: "email", Kind.TELEPHONE: "tel"}
NO_DATE = DateParts()
YES_OR_NO = (Choice("yes", "Yes"), Choice("no", "No"))


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One section in the task list."""

    key: str
    title: str
    href: str
    hint: str
    state: SectionState
    state_words: str
    state_colour: str


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """The sections under one heading of the task list."""

    title: str
    rows: tuple[TaskRow, ...]

    @property
    def tasks(self) -> list[tuple[str, ...]]:
        """The rows as the task list's macro takes them; a fifth part is the hint."""
        return [
            (row.title, row.href, row.state_words, row.state_colour, *filter(None, [row.hint]))
            for row in self.rows
        ]


@dataclass(frozen=True, slots=True)
class TaskList:
    """All sections of an assessment, how far each is, and the next step."""

    title: str
    reference: str
    version_words: str
    progress_words: str
    groups: tuple[TaskGroup, ...]
    next_href: str
    next_words: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field, whose id is its name. `shape`: line, text, date, radios, select or checkboxes."""

    shape: str
    name: str
    label: str
    hint: str
    error: str
    value: str = ""
    input_type: str = "text"
    input_mode: str = ""
    longest: int = 0
    """Characters, for a text; 0 elsewhere."""
    choices: tuple[tuple[str, str, str], ...] = ()
    """Value, label and hint of each."""
    chosen: tuple[str, ...] = ()
    date: DateParts = NO_DATE
    depends_on: str = ""
    """The name of the field that it is asked by; its hint says so in words."""
    depends_values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldRow:
    """The fields of one row of a list that can grow."""

    legend: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One question of a page. `shape`: field, element (a set of fields) or rows (that can grow)."""

    shape: str
    key: str
    legend: str
    hint: str
    error: str
    fields: tuple[Field, ...] = ()
    rows: tuple[FieldRow, ...] = ()
    add_words: str = ""
    """The button that adds a row; empty where no more may be added."""
    depends_on: str = ""
    depends_values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is missing before sign-off, and where it is asked."""

    href: str
    message: str


@dataclass(frozen=True, slots=True)
class SectionPage:
    """One section as a page of plain questions."""

    title: str
    caption: str
    intro: str
    category_words: str
    action: str
    save_href: str
    """Where saving as typed goes."""
    back_href: str
    errors: tuple[tuple[str, str], ...]
    """The id of the field, and the sentence, for the error summary."""
    blocks: tuple[Block, ...]
    save_words: str


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an answer: of an element, or of a row."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What was said to one question: a text, the parts of an element, or rows of parts."""

    label: str
    text: str = ""
    parts: tuple[Part, ...] = ()
    rows: tuple[tuple[Part, ...], ...] = ()
    whose: str = ""
    """Whose view or whose words it is."""


@dataclass(frozen=True, slots=True)
class ReadSection:
    """What was said in one section, or that it is withheld, or that nothing was said."""

    key: str
    title: str
    category_words: str
    entries: tuple[Entry, ...]
    withheld: str = ""
    """Why this viewer does not see it."""
    notice: str = ""
    """That nothing was said."""
    change_href: str = ""
    change_words: str = ""


@dataclass(frozen=True, slots=True)
class CheckAnswers:
    """All answers before the agreement, with what is still missing."""

    title: str
    lead: str
    reference: str
    back_href: str
    missing: tuple[Missing, ...]
    sections: tuple[ReadSection, ...]
    next_href: str
    next_words: str
    sign_off_href: str
    """Where sign-off is posted; empty while this worker may not sign off."""
    reasons: tuple[str, ...]
    """Why this worker may not sign off yet."""


@dataclass(frozen=True, slots=True)
class AssessmentPage:
    """One version of an assessment to read."""

    title: str
    reference: str
    version_words: str
    state_words: str
    sections: tuple[ReadSection, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One answer that is not the same as in an earlier version."""

    section: str
    label: str
    before: Entry | None
    after: Entry | None


@dataclass(frozen=True, slots=True)
class ListedAssessment:
    """One assessment in the list of a child's record."""

    words: str
    href: str
    state_words: str
    state_colour: str
    date_words: str
    by_words: str
    due_words: str = ""
    """When a draft is due, where its form has a time limit."""


def listed_assessment(
    *,
    title: str,
    number: int,
    href: str,
    started_on: date,
    signed_off_on: date | None,
    is_document: bool,
    by_words: str,
    due_words: str = "",
) -> ListedAssessment:
    """One line of the list: what it is, how far it is, since when, by whom."""
    draft = signed_off_on is None
    made_elsewhere = ", made elsewhere" if is_document else ""
    return ListedAssessment(
        words=f"{title}, {words.lower_first(_version_words(number))}{made_elsewhere}",
        href=href,
        state_words="Draft" if draft else "Signed off",
        state_colour="yellow" if draft else "green",
        date_words=(
            f"Started {words.short_day(started_on)}"
            if signed_off_on is None
            else words.short_day(signed_off_on)
        ),
        by_words=by_words,
        due_words=due_words,
    )


def task_list(
    version: Version,
    looked_at: AbstractSet[str],
    *,
    child: str,
    reference: str,
    number: int,
    base: str,
) -> TaskList:
    """The task list of an assessment; `number` is its own version: 1, then 2 after sign-off."""
    form, answers = version.form, version.answers
    groups: dict[str, list[TaskRow]] = {}
    for section in form.sections:
        state = section_state(section, answers.get(section.key, {}), looked_at)
        row = TaskRow(
            key=section.key,
            title=_words(section.title, child),
            href=_section_href(base, section),
            hint="At the review" if section.step is Step.REVIEW else "",
            state=state,
            state_words=STATE_WORDS[state],
            state_colour=STATE_COLOURS[state],
        )
        groups.setdefault(_words(section.group, child), []).append(row)
    figure = completeness(form, answers, looked_at)
    following = next_section(form, "", answers, looked_at)
    return TaskList(
        title=f"{form.title}: {child}",
        reference=reference,
        version_words=_version_words(number),
        progress_words=f"{figure.complete} of {figure.total} parts complete",
        groups=tuple(TaskGroup(title, tuple(rows)) for title, rows in groups.items()),
        next_href=f"{base}/check-answers" if following is None else _section_href(base, following),
        next_words=(
            "Check the answers"
            if following is None
            else f"Go on with “{_words(following.title, child)}”"
        ),
    )


def section_page(
    form: FormDefinition,
    section: Section,
    fields: Posted,
    problems: Iterable[Problem],
    options: Options,
    *,
    child: str,
    base: str,
    one_more: str = "",
) -> SectionPage:
    """The page of one section.

    `fields` are the kept answers (`flatten_section`) or what was posted with problems. `one_more`
    is the key of the question for which somebody asked for another row.
    """
    found = [(problem.field, _words(problem.message, child)) for problem in problems]
    page = _Fields(form, fields, _first_messages(found), options, child, one_more)
    blocks = tuple(page.block(question, section) for question in section.questions)
    return SectionPage(
        title=_words(section.title, child),
        caption=_words(section.group, child),
        intro=_words(section.intro, child),
        category_words=f"{CATEGORY_WORDS[section.category]} information",
        action=_section_href(base, section),
        save_href=f"{_section_href(base, section)}/typed",
        back_href=base,
        errors=tuple((page.anchor(section, field), text) for field, text in found),
        blocks=blocks,
        save_words="Save the agreement" if section.step is Step.AGREEMENT else "Save and go on",
    )


def check_answers_page(
    version: Version,
    looked_at: AbstractSet[str],
    sign_off: SignOff,
    options: Options,
    *,
    child: str,
    reference: str,
    base: str,
) -> CheckAnswers:
    """All answers on one page, what is missing, and the step after: agreement, then sign-off."""
    form = version.form
    missing = problems_at_sign_off(form, version.answers, looked_at)
    asked = [section for section in form.sections if section.step is not Step.REVIEW]
    agreement = next((s for s in asked if s.step is Step.AGREEMENT), None)
    to_agree = agreement is not None and any(p.section == agreement.key for p in missing)
    lines = tuple(
        Missing(
            f"{base}/sections/{(form.section(p.section) or asked[0]).slug}{_fragment(p.field)}",
            _words(p.message, child),
        )
        for p in missing
        if agreement is None or p.section != agreement.key
    )
    return CheckAnswers(
        title=f"Check the answers: {child}",
        lead="Read them together with the family before you go on.",
        reference=reference,
        back_href=base,
        missing=lines,
        sections=tuple(
            _read_section(version, section, options, child, _section_href(base, section))
            for section in asked
        ),
        next_href=_section_href(base, agreement) if agreement is not None and to_agree else "",
        next_words="Go on to agreement" if to_agree else "",
        sign_off_href=f"{base}/sign-off" if sign_off.permitted else "",
        reasons=tuple(_words(reason, child) for reason in sign_off.reasons),
    )


def assessment_page(
    version: Version,
    options: Options,
    withheld: Mapping[str, str],
    *,
    child: str,
    reference: str,
    number: int,
    signed_off_on: date | None,
    signed_off_by: str,
) -> AssessmentPage:
    """One version to read, in the form it was given in, the child's words where the form has them.

    `withheld` says of each section that this viewer may not see, by its key, why, as a sentence;
    with an empty sentence (a silent restriction) the section is not there at all.
    """
    sections: list[ReadSection] = []
    for section in version.form.sections:
        why = withheld.get(section.key)
        if why is None:
            sections.append(_read_section(version, section, options, child, ""))
        elif why:
            sections.append(
                ReadSection(
                    key=section.key,
                    title=_words(section.title, child),
                    category_words=CATEGORY_WORDS[section.category],
                    entries=(),
                    withheld=why,
                )
            )
    return AssessmentPage(
        title=f"{version.form.title}: {child}",
        reference=reference,
        version_words=_version_words(number),
        state_words=(
            "Draft: not signed off yet"
            if signed_off_on is None
            else f"Signed off on {words.day(signed_off_on)} by {signed_off_by}"
        ),
        sections=tuple(sections),
    )


def changes(old: Version, new: Version, options: Options, *, child: str) -> tuple[Change, ...]:
    """What was said differently in two versions, as words."""
    return tuple(
        Change(
            section=_words(found.section.title, child),
            label=_words(found.question.label, child),
            before=_said_in(old, found.section, found.question, found.before, options, child),
            after=_said_in(new, found.section, found.question, found.after, options, child),
        )
        for found in differences(old, new)
    )


def entries_of_section(
    version: Version,
    section: Section,
    options: Options,
    *,
    child: str,
) -> tuple[Entry, ...]:
    """What was said in one section, as words: for other pages and for packs."""
    return _read_section(version, section, options, child, "").entries


def section_title(section: Section, child: str) -> str:
    """What a section is called, with the child's name in it."""
    return _words(section.title, child)


def clashes(
    form: FormDefinition,
    section: Section,
    mine: SectionAnswers,
    theirs: SectionAnswers,
    options: Options,
    *,
    child: str,
) -> tuple[Clash, ...]:
    """Where two writers of one section said different things: both texts, question by question."""
    said = changes(
        Version(form, {section.key: theirs}),
        Version(form, {section.key: mine}),
        options,
        child=child,
    )
    return tuple(Clash(c.label, entry_text(c.after), entry_text(c.before)) for c in said)


def entry_text(entry: Entry | None) -> str:
    """What was said to one question as plain lines, for standing beside another text."""
    if entry is None:
        return "(nothing)"
    parts = [*entry.parts, *(part for row in entry.rows for part in row)]
    lines = [entry.text, *(f"{part.label}: {part.text}" for part in parts), entry.whose]
    return "\n".join(line for line in lines if line)


class _Fields:
    """Makes the blocks of one page from its flat fields."""

    def __init__(
        self,
        form: FormDefinition,
        fields: Posted,
        messages: Mapping[str, str],
        options: Options,
        child: str,
        one_more: str,
    ) -> None:
        self.form = form
        self.fields = fields
        self.messages = messages
        self.options = options
        self.child = child
        self.one_more = one_more

    def block(self, question: Question, section: Section) -> Block:
        hint, depends_on, values = self._asked(question, section.questions, "")
        shape = "element" if question.kind is Kind.ELEMENT else "field"
        fields: tuple[Field, ...] = ()
        rows: tuple[FieldRow, ...] = ()
        if question.kind in REPEATED:
            shape, rows = "rows", tuple(self._rows(question))
        elif question.kind is Kind.ELEMENT:
            fields = tuple(self._element_fields(question))
        else:
            fields = (self._field(question, question.key, section.questions, ""),)
        return Block(
            shape=shape,
            key=question.key,
            legend=_words(question.label, self.child),
            hint=hint,
            error=self.messages.get(question.key, ""),
            fields=fields,
            rows=rows,
            add_words=f"Add another {question.row_name}" if 0 < len(rows) < MOST_ROWS else "",
            depends_on=depends_on,
            depends_values=values,
        )

    def anchor(self, section: Section, field: str) -> str:
        """The id that a problem's line leads to: a field, the day of a date, or the whole page."""
        if not field:
            return "main-content"
        question, parts = section.question(field.split(".", maxsplit=1)[0]), field.split(".")
        if question is not None and len(parts) == 3:
            question = next((c for c in question.columns if c.key == parts[2]), None)
        return f"{field}-day" if question is not None and question.kind is Kind.DATE else field

    def _one(self, name: str) -> str:
        return "\n".join(self.fields.get(name, ()))

    def _element_fields(self, question: Question) -> Iterator[Field]:
        for part in ELEMENT_PARTS:
            name = f"{question.key}.{part}"
            views = part == "whose_view"
            yield Field(
                shape="checkboxes" if views else "text",
                name=name,
                label=PART_WORDS[part],
                hint=PART_HINTS[part],
                error=self.messages.get(name, ""),
                value="" if views else self._one(name),
                longest=0 if views else question.longest,
                choices=self._choices(self.form.views) if views else (),
                chosen=tuple(self.fields.get(name, ())),
            )

    def _rows(self, question: Question) -> Iterator[FieldRow]:
        count = rows_posted(self.fields, question.key)
        if not count or (question.key == self.one_more and count < MOST_ROWS):
            count += 1
        for number in range(count):
            prefix = f"{question.key}.{number}."
            fields = (
                self._field(column, f"{prefix}{column.key}", question.columns, prefix)
                for column in question.columns
            )
            name = words.upper_first(question.row_name)
            yield FieldRow(f"{name} {number + 1}", tuple(fields))

    def _field(
        self,
        question: Question,
        name: str,
        siblings: tuple[Question, ...],
        prefix: str,
    ) -> Field:
        hint, depends_on, values = self._asked(question, siblings, prefix)
        shape = SHAPES.get(question.kind, "line")
        if shape == "radios" and len(question.choices) > MOST_RADIOS:
            shape = "select"
        return Field(
            shape=shape,
            name=name,
            label=_words(question.label, self.child),
            hint=hint,
            error=self.messages.get(name, ""),
            value=self._one(name),
            input_type=INPUT_TYPES.get(question.kind, "text"),
            input_mode="numeric" if question.kind is Kind.NHS_NUMBER else "",
            longest=question.longest if shape == "text" else 0,
            choices=self._choices(_choices(question, self.options)),
            chosen=tuple(self.fields.get(name, ())),
            date=self._date(name) if shape == "date" else NO_DATE,
            depends_on=depends_on,
            depends_values=values,
        )

    def _choices(self, choices: tuple[Choice, ...]) -> tuple[tuple[str, str, str], ...]:
        return tuple(
            (choice.value, _words(choice.label, self.child), _words(choice.hint, self.child))
            for choice in choices
        )

    def _date(self, name: str) -> DateParts:
        typed = [self._one(f"{name}-{part}") for part in DATE_PARTS]
        if any(typed):
            return DateParts(*typed)
        year, month, day = [*self._one(name).split("-"), "", "", ""][:3]
        return DateParts(day.lstrip("0"), month.lstrip("0"), year)

    def _asked(
        self,
        question: Question,
        siblings: tuple[Question, ...],
        prefix: str,
    ) -> tuple[str, str, tuple[str, ...]]:
        """The hint, which says when the question applies, the field it depends on, its values."""
        hint = _words(question.hint, self.child)
        condition = question.show_if
        other = next((s for s in siblings if condition and s.key == condition.question), None)
        if condition is None or other is None:
            return hint, "", ()
        labels = [
            f"“{_words(choice.label, self.child)}”"
            for choice in _choices(other, self.options)
            if choice.value in condition.is_one_of
        ]
        label = _words(other.label, self.child)
        only = f"Only if the answer to “{label}” is {words.in_a_row(labels, 'or')}. {hint}".rstrip()
        return only, f"{prefix}{other.key}", condition.is_one_of


def _read_section(
    version: Version,
    section: Section,
    options: Options,
    child: str,
    change_href: str,
) -> ReadSection:
    said = visible_answers(section, version.answers.get(section.key, {}))
    entries = tuple(
        _entry(version.form, question, said[question.key], options, child)
        for question in section.questions
        if question.key in said
    )
    title = _words(section.title, child)
    return ReadSection(
        key=section.key,
        title=title,
        category_words=CATEGORY_WORDS[section.category],
        entries=entries,
        notice="" if entries else "Nothing was said here.",
        change_href=change_href,
        change_words=f"Change “{title}”" if change_href else "",
    )


def _said_in(
    version: Version,
    section: Section,
    question: Question,
    value: Value | None,
    options: Options,
    child: str,
) -> Entry | None:
    """An answer in the words of its own version of the form, which may have other choices."""
    own = version.form.section(section.key)
    asked = own.question(question.key) if own is not None else None
    return None if value is None else _entry(version.form, asked or question, value, options, child)


def _entry(
    form: FormDefinition,
    question: Question,
    value: Value,
    options: Options,
    child: str,
) -> Entry:
    label = _words(question.label, child)
    whose = _voice_words(question, child)
    if isinstance(value, dict):
        views = _labels(value.get("whose_view", []), form.views, child)
        parts = tuple(
            Part(PART_WORDS[part], text)
            for part in ELEMENT_PARTS
            if part != "whose_view" and isinstance(text := value.get(part), str) and text
        )
        return Entry(label, parts=parts, whose=f"View of: {views}" if views else "")
    if question.kind in REPEATED and isinstance(value, list):
        rows = (_row(question, row, options, child) for row in value if isinstance(row, dict))
        return Entry(label, rows=tuple(rows), whose=whose)
    cells = [part for part in value if isinstance(part, str)] if isinstance(value, list) else value
    return Entry(label, text=_cell(question, cells, options, child), whose=whose)


def _row(question: Question, row: Group, options: Options, child: str) -> tuple[Part, ...]:
    return tuple(
        Part(_words(column.label, child), _cell(column, row[column.key], options, child))
        for column in question.columns
        if column.key in row
    )


def _cell(question: Question, value: Cell, options: Options, child: str) -> str:
    choices = _choices(question, options)
    if isinstance(value, list) or choices or question.choices_from is not None:
        return _labels(value, choices, child)
    if question.kind is Kind.DATE:
        return words.day(date.fromisoformat(value))
    if question.kind is Kind.NHS_NUMBER:
        return nhs_number_words(value)
    return value


def _labels(value: Cell, choices: tuple[Choice, ...], child: str) -> str:
    """The labels of what was chosen, in the order of the choices; what is no choice now last."""
    chosen = [value] if isinstance(value, str) else value
    labels = [_words(choice.label, child) for choice in choices if choice.value in chosen]
    if set(chosen) - {choice.value for choice in choices}:
        labels.append("no longer on the record")
    return ", ".join(labels)


def _choices(question: Question, options: Options) -> tuple[Choice, ...]:
    if question.kind is Kind.YES_NO:
        return YES_OR_NO
    if question.choices_from is not None:
        return options.get(question.choices_from, ())
    return question.choices


def _first_messages(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    messages: dict[str, str] = {}
    for field, message in found:
        messages.setdefault(field, message)
    return messages


def _voice_words(question: Question, child: str) -> str:
    return _words(VOICE_WORDS[question.voice], child) if question.voice is not None else ""


def _words(text: str, child: str) -> str:
    return text.replace("{child}", child)


def _section_href(base: str, section: Section) -> str:
    return f"{base}/sections/{section.slug}"


def _fragment(field: str) -> str:
    return f"#{field}" if field else ""


def _version_words(number: int) -> str:
    return f"Version {number}"
