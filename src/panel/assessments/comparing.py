"""What became of a form over its versions: what is asked, and how far what was filled in is.

Two views, and no third. Of the form: which question stands in which version, and, of all children
together, how many assessments and finished sections each version has, rounded, since a small exact
number could tell of one child. Of one child, through the gate: which question was answered in
which of their assessments. What was answered is opened for the second alone, and not shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.assessments.definitions import FormDefinition, Question
from panel.assessments.models import Assessment, Form, FormState, SectionAnswer
from panel.assessments.reading import AssessmentRecord, child_words, read_assessment
from panel.assessments.rules import is_answered, visible_answers
from panel.records.gate import Access
from panel.register.service import child_header

ROUNDED_TO = 5
"""Fewer than this is said so; everything else is rounded to it."""
ANSWERED = "Answered"
NOT_ANSWERED = "Not answered"
NOT_ASKED = "Not asked"
NOT_SHOWN = "Not shown to you"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question over the versions of a form: its words in each, empty where it is not asked."""

    section_key: str
    key: str
    words: tuple[str, ...]

    @property
    def label(self) -> str:
        """Its newest words."""
        return next(filter(None, reversed(self.words)), "")

    @property
    def is_changed(self) -> bool:
        """Whether it is new, gone, or in other words in one of the versions."""
        return len(set(self.words)) > 1


@dataclass(frozen=True, slots=True)
class VersionCounts:
    """How much was filled in on one version, of all children: exact numbers, not for a page."""

    number: int
    drafts: int
    signed_off: int
    complete: Mapping[str, int]
    """By section: in how many assessments it is complete."""


@dataclass(frozen=True, slots=True)
class AnsweredRow:
    """One question over a child's assessments: answered or not in each, never what."""

    section: str
    label: str
    states: tuple[str, ...]


def asked_over_versions(versions: Sequence[FormDefinition]) -> tuple[Asked, ...]:
    """Every question of any version by its key, in the newest order, what is gone last."""
    found: dict[tuple[str, str], None] = {}
    for version in reversed(versions):
        for section in version.sections:
            found.update(dict.fromkeys((section.key, one.key) for one in section.questions))
    return tuple(
        Asked(section, key, tuple(_label(version, section, key) for version in versions))
        for section, key in found
    )


def about(count: int) -> str:
    """A count of children's assessments as a page may say it."""
    if not count:
        return "none"
    if count < ROUNDED_TO:
        return f"fewer than {ROUNDED_TO}"
    return f"about {ROUNDED_TO * round(count / ROUNDED_TO):,}"


async def counts_over_versions(session: AsyncSession, key: str) -> list[VersionCounts]:
    """How much was filled in on each version that was published, the first one first.

    For a transaction of scheduled work: facts of the process, nothing of what was said.
    """
    numbers = await session.scalars(
        select(Form.number)
        .where(Form.key == key, Form.state != FormState.DRAFT.value)
        .order_by(Form.number)
    )
    states = {
        (row.number, row.state): row.many
        for row in await session.execute(
            select(Form.number, Assessment.state, func.count().label("many"))
            .join(Form, Form.id == Assessment.form_id)
            .where(Form.key == key)
            .group_by(Form.number, Assessment.state)
        )
    }
    complete: dict[int, dict[str, int]] = {}
    for row in await session.execute(
        select(Form.number, SectionAnswer.section_key, func.count().label("many"))
        .join(Assessment, Assessment.id == SectionAnswer.assessment_id)
        .join(Form, Form.id == Assessment.form_id)
        .where(Form.key == key, SectionAnswer.state == "complete")
        .group_by(Form.number, SectionAnswer.section_key)
    ):
        complete.setdefault(row.number, {})[row.section_key] = row.many
    return [
        VersionCounts(
            number,
            states.get((number, "draft"), 0),
            states.get((number, "signed_off"), 0),
            complete.get(number, {}),
        )
        for number in numbers
    ]


async def answered_over_versions(
    access: Access, form_key: str
) -> tuple[list[AssessmentRecord], list[AnsweredRow]]:
    """A child's assessments of one form, the first one first, and what each answers."""
    ids = await access.session.scalars(
        select(Assessment.id)
        .where(
            Assessment.child_id == access.child_id,
            Assessment.form_key == form_key,
            Assessment.document_id.is_(None),
        )
        .order_by(Assessment.number, Assessment.id)
    )
    records = [await read_assessment(access, one) for one in ids]
    child = child_words(await child_header(access))
    return records, answered_rows(records, child)


def answered_rows(records: Sequence[AssessmentRecord], child: str) -> list[AnsweredRow]:
    """Each question of any of the assessments, and whether it was answered in each.

    A section that is withheld in silence is not there at all.
    """
    silent = {key for one in records for key, why in one.withheld.items() if why.silent}
    rows: list[AnsweredRow] = []
    for asked in asked_over_versions([one.form for one in records]):
        if asked.section_key in silent:
            continue
        titles = (one.form.section(asked.section_key) for one in records)
        title = next((section.title for section in titles if section is not None), "")
        states = tuple(_state(one, asked) for one in records)
        rows.append(AnsweredRow(_said(title, child), _said(asked.label, child), states))
    return rows


def counted(states: Iterable[str]) -> str:
    """How many of a child's assessments answer a question: "2 of 3"."""
    asked = [one for one in states if one in (ANSWERED, NOT_ANSWERED)]
    return f"{asked.count(ANSWERED)} of {len(asked)}"


def _state(record: AssessmentRecord, asked: Asked) -> str:
    if asked.section_key in record.withheld:
        return NOT_SHOWN
    section = record.shown.section(asked.section_key)
    if section is None or section.question(asked.key) is None:
        return NOT_ASKED
    said = visible_answers(section, record.section_answers(section.key))
    return ANSWERED if is_answered(said.get(asked.key)) else NOT_ANSWERED


def _label(version: FormDefinition, section_key: str, key: str) -> str:
    section = version.section(section_key)
    question: Question | None = None if section is None else section.question(key)
    return "" if question is None else question.label


def _said(text: str, child: str) -> str:
    return text.replace("{child}", child)
