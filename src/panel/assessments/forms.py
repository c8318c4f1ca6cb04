"""What may come in from a posted section page: flat fields, read into the section's answers.

A field is named as the answer lies: `birth_date`, `general_health.strengths`, `present.0.name`.
A date comes as one field, or as `…-day`, `…-month` and `…-year`. `version` (of the answers that
the page was made from) and names that begin with `_` belong to the page, not to the form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from panel.assessments.definitions import (
    ELEMENT_TEXTS,
    REPEATED,
    Cell,
    Choice,
    ChoicesFrom,
    FormDefinition,
    Group,
    Kind,
    Question,
    Section,
    SectionAnswers,
    Value,
)
from panel.assessments.rules import IDENTIFIERS, Problem, check_section, is_answered
from panel.records.nhs_number import WrongNhsNumber
from panel.records.upn import WrongUpn
from panel.web.forms import clean_line, clean_paragraphs

Posted = Mapping[str, Sequence[str]]
"""Every value of every field, as the browser sent them."""
Options = Mapping[ChoicesFrom, tuple[Choice, ...]]
"""The choices that no form can name, for this child."""

MOST_FIELDS = 2_000
VERSION_FIELD = "version"
DATE_PARTS = ("day", "month", "year")
_DATE_WORDS = (
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"),
    re.compile(r"(?P<day>\d{1,2})[/. -](?P<month>\d{1,2})[/. -](?P<year>\d{4})"),
)
_ROW_NUMBER = re.compile("0|[1-9][0-9]{0,2}")


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a posted page said, and every problem with it.

    `answers` holds everything that could be read, so that a draft can be kept; `posted` is what
    the page shows again, so that nothing typed is lost.
    """

    answers: SectionAnswers
    problems: tuple[Problem, ...]
    posted: Posted


def decode_section(
    form: FormDefinition,
    section: Section,
    posted: Posted,
    options: Options,
) -> Decoded:
    """The answers of one posted page, with all its problems as sentences. Never raises."""
    return _decode(form, section, _without_blank_rows(section, posted), options)


def decode_changes(
    form: FormDefinition,
    section: Section,
    kept: SectionAnswers,
    posted: Posted,
    options: Options,
) -> Decoded:
    """The kept answers with the posted fields changed, as saving while typing sends them.

    A row that was emptied keeps its place, since the page goes on counting it.
    """
    fields: dict[str, Sequence[str]] = dict(flatten_section(section, kept))
    for name in posted:
        whole, _, part = name.rpartition("-")
        if part in DATE_PARTS:
            fields.pop(whole, None)
    return _decode(form, section, {**fields, **posted}, options)


def _decode(
    form: FormDefinition,
    section: Section,
    posted: Posted,
    options: Options,
) -> Decoded:
    if len(posted) > MOST_FIELDS:
        message = f"This page can take at most {MOST_FIELDS:,} fields. Nothing was saved."
        return Decoded({}, (Problem(section.key, "", message),), posted)
    reader = _Reader(posted)
    answers: SectionAnswers = {}
    for question in section.questions:
        value = _read(reader, question, question.key)
        if is_answered(value):
            answers[question.key] = value
    problems = [
        Problem(section.key, "", f"This page has no field “{clean_line(name)[:40]}”. Reload it.")
        for name in posted
        if name not in reader.used and name != VERSION_FIELD and not name.startswith("_")
    ]
    problems.extend(check_section(section, answers, form.views))
    problems.extend(_problems_of_options(section, answers, options))
    return Decoded(answers, tuple(problems), posted)


def flatten_section(section: Section, answers: SectionAnswers) -> dict[str, list[str]]:
    """The fields of the page that shows these answers: what `decode_section` reads back."""
    fields: dict[str, list[str]] = {}
    for question in section.questions:
        value = answers.get(question.key)
        if value is not None:
            fields.update(_flat(question, value, question.key))
    return fields


def rows_posted(posted: Posted, field: str) -> int:
    """How many rows of a people or rows question a page holds."""
    prefix = f"{field}."
    numbers = (name[len(prefix) :].split(".")[0] for name in posted if name.startswith(prefix))
    return max((int(number) + 1 for number in numbers if _ROW_NUMBER.fullmatch(number)), default=0)


def without_problems(section: Section, decoded: Decoded, kept: SectionAnswers) -> SectionAnswers:
    """What saving as typed may keep: a question with a problem in any part stays as it was."""
    wrong = {problem.field.split(".")[0] for problem in decoded.problems}
    saved: SectionAnswers = {}
    for question in section.questions:
        source = kept if question.key in wrong else decoded.answers
        if question.key in source:
            saved[question.key] = source[question.key]
    return saved


class _Reader:
    """Takes fields from a posted page and remembers which were asked for."""

    def __init__(self, posted: Posted) -> None:
        self.posted = posted
        self.used: set[str] = set()

    def one(self, name: str) -> str:
        """The value of a field, or nothing; a second value of the same field is kept visible."""
        self.used.add(name)
        values = [value for value in self.posted.get(name, ()) if value.strip()]
        return "\n".join(values)

    def many(self, name: str) -> list[str]:
        self.used.add(name)
        return [clean_line(value) for value in self.posted.get(name, ()) if value.strip()]


def _read(reader: _Reader, question: Question, field: str) -> Value:
    if question.kind is Kind.ELEMENT:
        element: Group = {}
        for part in ELEMENT_TEXTS:
            if text := clean_paragraphs(reader.one(f"{field}.{part}")):
                element[part] = text
        if views := reader.many(f"{field}.whose_view"):
            element["whose_view"] = views
        return element
    if question.kind in REPEATED:
        count = rows_posted(reader.posted, field)
        rows = [_read_row(reader, question, f"{field}.{number}") for number in range(count)]
        while rows and not rows[-1]:
            rows.pop()
        return rows
    return _read_cell(reader, question, field)


def _read_row(reader: _Reader, question: Question, field: str) -> Group:
    row: Group = {}
    for column in question.columns:
        value = _read_cell(reader, column, f"{field}.{column.key}")
        if value:
            row[column.key] = value
    return row


def _read_cell(reader: _Reader, question: Question, field: str) -> Cell:
    if question.kind is Kind.CHOICES:
        return reader.many(field)
    if question.kind is Kind.LONG_TEXT:
        return clean_paragraphs(reader.one(field))
    if question.kind is Kind.DATE:
        return _read_date(reader, field)
    return _read_line(question, clean_line(reader.one(field)))


def _read_line(question: Question, line: str) -> str:
    if question.kind is Kind.POSTCODE:
        return line.upper()
    if line and question.kind in IDENTIFIERS:
        try:
            return IDENTIFIERS[question.kind](line)
        except (WrongNhsNumber, WrongUpn):
            # Kept as typed: the check of the section says what is wrong with it.
            return line
    return line


def _read_date(reader: _Reader, field: str) -> str:
    parts = [clean_line(reader.one(f"{field}-{part}")) for part in DATE_PARTS]
    whole = clean_line(reader.one(field))
    text = whole or (" ".join(part or "?" for part in parts) if any(parts) else "")
    for words in _DATE_WORDS:
        found = words.fullmatch(text)
        if found is not None and text.isascii():
            try:
                return date(*(int(found[part]) for part in reversed(DATE_PARTS))).isoformat()
            except ValueError:
                return text
    return text


def _flat(question: Question, value: Value, field: str) -> Iterator[tuple[str, list[str]]]:
    if isinstance(value, str):
        yield field, [value]
    elif isinstance(value, dict):
        for part, given in value.items():
            yield f"{field}.{part}", [given] if isinstance(given, str) else list(given)
    elif question.kind in REPEATED:
        for number, row in enumerate(value):
            if isinstance(row, dict):
                yield from _flat(question, row, f"{field}.{number}")
    else:
        yield field, [part for part in value if isinstance(part, str)]


def _problems_of_options(
    section: Section,
    answers: SectionAnswers,
    options: Options,
) -> Iterator[Problem]:
    for question in section.questions:
        value = answers.get(question.key)
        if question.choices_from is None or value is None:
            continue
        known = {choice.value for choice in options.get(question.choices_from, ())}
        chosen = {value} if isinstance(value, str) else {part for part in value if _is_text(part)}
        if not chosen <= known:
            message = f"Choose from the answers to “{question.label}” on this page."
            yield Problem(section.key, question.key, message)


def _is_text(part: object) -> bool:
    return isinstance(part, str)


def _without_blank_rows(section: Section, posted: Posted) -> Posted:
    """The same page with the rows that say something numbered 0, 1, 2, as their answers will be."""
    fields = dict(posted)
    for question in section.questions:
        if question.kind not in REPEATED:
            continue
        rows: dict[int, dict[str, Sequence[str]]] = {}
        for name in list(fields):
            key, _, rest = name.partition(".")
            number, _, column = rest.partition(".")
            if key == question.key and column and _ROW_NUMBER.fullmatch(number):
                rows.setdefault(int(number), {})[column] = fields.pop(name)
        said = [rows[number] for number in sorted(rows) if _says_something(rows[number])]
        for place, row in enumerate(said):
            prefix = f"{question.key}.{place}."
            fields.update({f"{prefix}{column}": given for column, given in row.items()})
    return fields


def _says_something(row: Posted) -> bool:
    return any(value.strip() for given in row.values() for value in given)
