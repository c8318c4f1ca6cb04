"""A form as a file: written for another authority to take in, read with every mistake named.

The file is JSON: {"format": 1, "form": …}. The number of the format grows when a file could no
longer be understood by who knows the former one; the version of the form itself is not its own in
another authority, which gives it the next number that it has.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from panel.assessments.definitions import FormDefinition, FormRefused, Question, Section
from panel.assessments.editing import problems_at_publishing
from panel.web import words

FORMAT = 1
LARGEST_FILE = 1_000_000
"""Bytes: the CAF has 40,000."""
_CODE = re.compile("`([^`]*)`")


def write_form(form: FormDefinition) -> bytes:
    """The form as a file, in lines that a person can read and compare."""
    told = msgspec.json.encode({"format": FORMAT, "form": form})
    return msgspec.json.format(told, indent=2) + b"\n"


def read_form_file(content: bytes) -> FormDefinition:
    """The form in a file. Raises FormRefused with a sentence for each mistake, naming where."""
    if len(content) > LARGEST_FILE:
        raise FormRefused.because(f"The file is larger than {LARGEST_FILE:,} bytes: it is no form.")
    told = _told(content)
    problems = tuple(_problems_of_raw(told))
    if problems:
        raise FormRefused(problems)
    try:
        form = msgspec.convert(told, FormDefinition)
    except msgspec.ValidationError as wrong:
        raise FormRefused.because(f"The form cannot be read: {_said(wrong)}.") from wrong
    if problems := problems_at_publishing(form, ()):
        raise FormRefused(problems)
    return form


def _told(content: bytes) -> Mapping[str, Any]:
    """What stands under "form". Raises FormRefused for what is no form's file at all."""
    try:
        file = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise FormRefused.because(f"The file cannot be read as JSON: {wrong}.") from wrong
    number = file.get("format") if isinstance(file, dict) else None
    if not isinstance(file, dict) or not isinstance(number, int) or isinstance(number, bool):
        raise FormRefused.because(
            "The file is not a form: it says no “format”. Export it again where it is from."
        )
    if number > FORMAT:
        raise FormRefused.because(
            f"The file is of a later version: its format is {number}, and Panel reads up to"
            f" {FORMAT} here. Update Panel, or ask for the file in format {FORMAT}."
        )
    form = file.get("form")
    if number < 1 or not isinstance(form, dict):
        raise FormRefused.because("The file holds no form: “form” is missing.")
    return form


def _problems_of_raw(form: Mapping[str, Any]) -> Iterator[str]:
    """What cannot be read, each with its place: the reader itself counts no places in a list."""
    sections = form.get("sections")
    for number, section in enumerate(sections if isinstance(sections, list) else (), start=1):
        where = f"section {number}{_called(section, 'title')}"
        if not isinstance(section, dict):
            yield f"In {where}: it is no section."
            continue
        if not section.get("category"):
            yield f"{words.upper_first(where)} has no information category."
            continue
        wrong = list(_problems_of_questions(section, where))
        yield from wrong or _unread(section, Section, where)


def _problems_of_questions(section: Mapping[str, Any], where: str) -> Iterator[str]:
    questions = section.get("questions")
    for number, question in enumerate(questions if isinstance(questions, list) else (), start=1):
        place = f"{where}, question {number}{_called(question, 'label')}"
        yield from _unread(question, Question, place)


def _unread(told: object, kind: type[Section | Question], where: str) -> Iterator[str]:
    try:
        msgspec.convert(told, kind)
    except msgspec.ValidationError as wrong:
        yield f"In {where}: {_said(wrong)}."


def _called(told: object, name: str) -> str:
    title = told.get(name) or told.get("key") if isinstance(told, dict) else None
    return f" (“{title[:60]}”)" if isinstance(title, str) else ""


def _said(wrong: msgspec.ValidationError) -> str:
    """A mistake without the marks of code."""
    return _CODE.sub(r"“\1”", str(wrong).rstrip(".")).replace("“$.", "“")
