"""Assessments as they are kept, read through the gate: section by section, or withheld."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Tie, explain
from panel.accounts.service import agencies, worker_names
from panel.assessments.definitions import (
    Answers,
    Choice,
    ChoicesFrom,
    FormDefinition,
    Kind,
    Section,
    SectionAnswers,
    Voice,
    decode_form,
)
from panel.assessments.forms import Options
from panel.assessments.models import Assessment, Form
from panel.assessments.pages import Entry, entries_of_section, section_title
from panel.assessments.rules import Version
from panel.platform.clock import day_of
from panel.platform.problems import NotAllowed, NotFound
from panel.platform.tables import VIEWER
from panel.records.gate import NOT_HERE, Access, Withheld
from panel.register.service import ChildHeader, child_header
from panel.sharing.service import possible_givers

CAF = "caf"
"""The form that makes a case ready for a panel, and that its papers are made from."""
COMPREHENSIVE = (CAF, "cin_core")
"""The forms that a request for a service may rest on (DOMAIN.md: a CAF or another comprehensive
assessment)."""
SEES_UPN = frozenset({"education", "school"})
"""The kinds of agency that see a UPN (DOMAIN.md: UPN is for education)."""
WRITING_TIES = frozenset({Tie.TEAM, Tie.LEAD, Tie.MANAGER})
"""Who fills in an assessment: those who work with the child, not those who read for a panel."""

_FORMS: dict[UUID, FormDefinition] = {}
"""Forms by row: a published version never changes, and reading one takes longer than a page."""


@dataclass(frozen=True, slots=True)
class KeptSection:
    """One section's row; `answers` is None where they may not be seen."""

    key: str
    author_agency: UUID | None
    state: str
    version: int
    saved_at: datetime | None
    changed_by: UUID
    answers: SectionAnswers | None


@dataclass(frozen=True, slots=True)
class AssessmentRecord:
    """One filling of a form, as far as this viewer may see it."""

    id: UUID
    form: FormDefinition
    shown: FormDefinition
    """The form with only the sections, and questions, that this viewer may see."""
    number: int
    state: str
    author_id: UUID
    author_agency_id: UUID
    started_on: date
    signed_off_on: date | None
    signed_off_by: UUID | None
    document_id: UUID | None
    referred_on: date | None
    late_reason: str | None
    sections: Mapping[str, KeptSection]
    withheld: Mapping[str, Withheld] = field(default_factory=dict)
    """By the key of the section."""

    @property
    def is_draft(self) -> bool:
        """Whether it may still be written in."""
        return self.state == "draft"

    @property
    def answers(self) -> Answers:
        """The answers that may be seen, by section."""
        return {key: kept.answers for key, kept in self.sections.items() if kept.answers}

    @property
    def version(self) -> Version:
        """What may be seen of it, with the form as this viewer sees it."""
        return Version(self.shown, self.answers)

    @property
    def whole_version(self) -> Version:
        """As `version`, with the withheld sections in their places, empty."""
        sections = tuple(self.shown.section(one.key) or one for one in self.form.sections)
        return Version(msgspec.structs.replace(self.form, sections=sections), self.answers)

    def version_without(self, hidden: AbstractSet[str]) -> Version:
        """What may be seen, less some sections."""
        sections = tuple(one for one in self.shown.sections if one.key not in hidden)
        return Version(msgspec.structs.replace(self.form, sections=sections), self.answers)

    @property
    def looked_at(self) -> frozenset[str]:
        """The sections that were opened."""
        return frozenset(self.sections)

    @property
    def answers_number(self) -> int:
        """A number that grows with every save: which answers a page was made from."""
        return sum(kept.version for kept in self.sections.values())

    def section_version(self, key: str) -> int:
        """The version of one section's answers; 0 before anybody opened it."""
        kept = self.sections.get(key)
        return 0 if kept is None else kept.version

    def section_answers(self, key: str) -> SectionAnswers:
        """What was said in one section, as far as it may be seen."""
        kept = self.sections.get(key)
        return {} if kept is None or kept.answers is None else kept.answers


@dataclass(frozen=True, slots=True)
class AssessmentFacts:
    """Process facts of a child's assessments: no content, no names."""

    signed_off_on: date | None
    """Of the latest that is signed off."""
    draft_started_on: date | None
    """Since when there is a draft; None where there is none."""
    author_id: UUID
    """Of the latest signed off, else of the draft."""
    author_agency_id: UUID
    form_key: str


@dataclass(frozen=True, slots=True)
class AssessmentLine:
    """One assessment in a list: process facts."""

    id: UUID
    form_key: str
    title: str
    number: int
    state: str
    started_on: date
    signed_off_on: date | None
    author_id: UUID
    author_agency_id: UUID
    document_id: UUID | None
    form_id: UUID
    referred_on: date | None
    late_reason: str | None


@dataclass(frozen=True, slots=True)
class SectionReading:
    """One section to be read."""

    key: str
    title: str
    category: Category
    entries: tuple[Entry, ...]
    author_agency_id: UUID | None
    author_agency: str
    said_on: date | None


@dataclass(frozen=True, slots=True)
class AssessmentReading:
    """The latest signed-off assessment, for the case page and for packs."""

    id: UUID
    form_key: str
    title: str
    number: int
    signed_off_on: date
    signed_off_by: str
    author_agency: str
    document_id: UUID | None
    """The document that it is, where it was made elsewhere; then there are no sections."""
    sections: tuple[SectionReading | Withheld, ...]
    """In the form's order; each category's withheld sections once, a silent one not at all."""


class _SectionRow(msgspec.Struct):
    id: UUID
    key: str
    author_agency: UUID | None
    state: str
    version: int
    saved_at: datetime | None
    changed_by: UUID
    answers: str | None


class _AssessmentRow(msgspec.Struct):
    id: UUID
    form_id: UUID
    number: int
    state: str
    author_id: UUID
    author_agency_id: UUID
    started_on: date
    signed_off_on: date | None
    signed_off_by: UUID | None
    document_id: UUID | None
    referred_on: date | None
    late_reason: str | None
    sections: tuple[_SectionRow, ...] | None


_ASSESSMENT = """
SELECT json_build_object('id', a.id, 'form_id', a.form_id, 'number', a.number, 'state', a.state,
  'author_id', a.author_id, 'author_agency_id', a.author_agency_id, 'started_on', a.started_on,
  'signed_off_on', a.signed_off_on, 'signed_off_by', a.signed_off_by,
  'document_id', a.document_id, 'referred_on', a.referred_on, 'late_reason', a.late_reason,
  'sections',
  (SELECT json_agg(json_build_object('id', s.id, 'key', s.section_key,
      'author_agency', s.author_agency_id, 'state', s.state, 'version', s.version,
      'saved_at', s.saved_at, 'changed_by', s.changed_by, 'answers', encode(s.answers, 'hex')))
   FROM section_answer s WHERE s.assessment_id = a.id))::text
FROM assessment a WHERE a.child_id = :child
"""
_ONE = _ASSESSMENT + " AND a.id = :assessment"
_LATEST = (
    _ASSESSMENT + " AND a.state = 'signed_off' AND a.form_key = :form"
    " ORDER BY a.signed_off_on DESC, a.number DESC, a.id DESC LIMIT 1"
)
_READ_ASSESSMENT = msgspec.json.Decoder(_AssessmentRow)
# What was stored was checked on its way in; msgspec cannot tell the kinds of an answer apart.
_READ_ANSWERS: msgspec.json.Decoder[Any] = msgspec.json.Decoder(dict)

_FACTS = """
SELECT DISTINCT ON (s.child_id) s.child_id, s.signed_off_on, s.author_id, s.author_agency_id,
  s.form_key, (SELECT min(d.started_on) FROM assessment d
    WHERE d.child_id = s.child_id AND d.form_key = s.form_key
      AND d.state = 'draft') AS draft_started_on
FROM child_access a JOIN assessment s ON s.child_id = a.child_id
WHERE a.viewer_id = :viewer AND a.child_id = ANY(:children) AND s.form_key = :form
ORDER BY s.child_id, s.signed_off_on DESC NULLS LAST, s.number DESC, s.id DESC
"""
_LINES = """
SELECT a.id, a.form_key, f.title, a.number, a.state, a.started_on, a.signed_off_on, a.author_id,
  a.author_agency_id, a.document_id, a.form_id, a.referred_on, a.late_reason
FROM assessment a JOIN form f ON f.id = a.form_id WHERE a.child_id = :child
ORDER BY a.signed_off_on DESC NULLS FIRST, a.number DESC, a.id DESC
"""


async def form_of(session: AsyncSession, form_id: UUID) -> FormDefinition:
    """The version of a form that a row holds."""
    await load_forms(session, {form_id})
    return form_at_hand(form_id)


async def load_forms(session: AsyncSession, form_ids: AbstractSet[UUID]) -> None:
    """Have these versions of forms at hand."""
    missing = form_ids - _FORMS.keys()
    if missing:
        rows = await session.execute(select(Form.id, Form.definition).where(Form.id.in_(missing)))
        _FORMS.update((row.id, decode_form(msgspec.json.encode(row.definition))) for row in rows)


def form_at_hand(form_id: UUID) -> FormDefinition:
    """A version of a form that was loaded before."""
    return _FORMS[form_id]


async def read_assessment(access: Access, assessment_id: UUID) -> AssessmentRecord:
    """One assessment of this child, as far as the viewer may see it. Raises NotFound."""
    found = await access.session.execute(
        text(_ONE), {"child": access.child_id, "assessment": assessment_id}
    )
    line = found.scalar_one_or_none()
    if line is None:
        raise NotFound(NOT_HERE)
    return await _record(access, line)


async def latest_signed_off(access: Access) -> AssessmentRecord | None:
    """The latest CAF that is signed off: other forms are read on their own pages."""
    found = await access.session.execute(text(_LATEST), {"child": access.child_id, "form": CAF})
    line = found.scalar_one_or_none()
    return None if line is None else await _record(access, line)


async def signed_off_id(access: Access) -> UUID | None:
    """Which comprehensive assessment was signed off last: a fact of the process, no content."""
    found: UUID | None = await access.session.scalar(
        text(
            "SELECT id FROM assessment WHERE child_id = :child AND state = 'signed_off'"
            " AND form_key = ANY(:forms) ORDER BY signed_off_on DESC, id DESC LIMIT 1"
        ),
        {"child": access.child_id, "forms": list(COMPREHENSIVE)},
    )
    return found


async def former_version(access: Access, record: AssessmentRecord) -> AssessmentRecord | None:
    """The version of the same form before this one, where its answers are here."""
    found = await access.session.scalar(
        select(Assessment.id)
        .where(
            Assessment.child_id == access.child_id,
            Assessment.form_key == record.form.key,
            Assessment.number < record.number,
            Assessment.state == "signed_off",
            Assessment.document_id.is_(None),
        )
        .order_by(Assessment.number.desc())
        .limit(1)
    )
    return None if found is None else await read_assessment(access, found)


async def assessment_for_reading(access: Access) -> AssessmentReading | None:
    """The latest signed-off CAF, what may not be seen of it as Withheld; None without one.

    A document made elsewhere has no sections: its own category decides over the document.
    """
    record = await latest_signed_off(access)
    if record is None or record.signed_off_on is None:
        return None
    child = child_words(await child_header(access))
    options = await assessment_options(access)
    agency_words = {choice.value: choice.label for choice in options[ChoicesFrom.AGENCIES]}
    signers = {record.signed_off_by} - {None}
    names = await worker_names(access.session, cast("list[UUID]", list(signers)))
    return AssessmentReading(
        id=record.id,
        form_key=record.form.key,
        title=record.form.title,
        number=record.number,
        signed_off_on=record.signed_off_on,
        signed_off_by=names.get(cast("UUID", record.signed_off_by), ""),
        author_agency=agency_words.get(str(record.author_agency_id), ""),
        document_id=record.document_id,
        sections=() if record.document_id else _readings(record, options, agency_words, child),
    )


async def current_assessment_facts(
    session: AsyncSession, child_ids: Iterable[UUID]
) -> dict[UUID, AssessmentFacts]:
    """Process facts of the CAF for those of the children whom the viewer may reach."""
    given = {"viewer": session.info[VIEWER], "children": list(child_ids), "form": CAF}
    rows = await session.execute(text(_FACTS), given)
    return {
        row.child_id: AssessmentFacts(
            signed_off_on=row.signed_off_on,
            draft_started_on=row.draft_started_on,
            author_id=row.author_id,
            author_agency_id=row.author_agency_id,
            form_key=row.form_key,
        )
        for row in rows
    }


async def assessment_lines(access: Access) -> list[AssessmentLine]:
    """Every assessment of the child, drafts first, then the latest: process facts."""
    rows = await access.session.execute(text(_LINES), {"child": access.child_id})
    return [AssessmentLine(**row) for row in rows.mappings()]


async def assessment_options(access: Access) -> Options:
    """The choices that no form can name: who may decide for this child, and the agencies."""
    family = tuple(
        Choice(str(one.person), _giver_label(one.name, one.relationship))
        for one in await possible_givers(access)
    )
    known = tuple(Choice(str(one.id), one.name) for one in await agencies(access.session))
    return {ChoicesFrom.FAMILY: family, ChoicesFrom.AGENCIES: known}


def child_words(header: ChildHeader) -> str:
    """How an assessment calls the child: the first name, or "this child" where it is withheld."""
    if header.name == header.reference:
        return "this child"
    return header.known_as or header.name.split()[0]


def may_write(access: Access) -> bool:
    """Whether the viewer fills in assessments of this child."""
    return bool(access.ties & WRITING_TIES)


def _giver_label(name: str, relationship: str) -> str:
    if not name and not relationship:
        return "{child}"
    return f"{name}, {relationship.lower()}" if name and relationship else name or relationship


async def _record(access: Access, line: str) -> AssessmentRecord:
    row = _READ_ASSESSMENT.decode(line)
    form = await form_of(access.session, row.form_id)
    rows = {one.key: one for one in row.sections or ()}
    withheld: dict[str, Withheld] = {}
    for section in form.sections:
        author = _author(access, row, rows.get(section.key))
        why = _why_withheld(access, section, author)
        if why is not None:
            withheld[section.key] = why
    shown = _shown(access, form, withheld)
    return AssessmentRecord(
        id=row.id,
        form=form,
        shown=shown,
        number=row.number,
        state=row.state,
        author_id=row.author_id,
        author_agency_id=row.author_agency_id,
        started_on=row.started_on,
        signed_off_on=row.signed_off_on,
        signed_off_by=row.signed_off_by,
        document_id=row.document_id,
        referred_on=row.referred_on,
        late_reason=row.late_reason,
        sections={
            key: KeptSection(
                key=key,
                author_agency=one.author_agency,
                state=one.state,
                version=one.version,
                saved_at=one.saved_at,
                changed_by=one.changed_by,
                answers=_answers(access, one, shown.section(key)),
            )
            for key, one in rows.items()
        },
        withheld=withheld,
    )


def _author(access: Access, row: _AssessmentRow, section: _SectionRow | None) -> UUID:
    """Whose record a section is; one in which nobody said anything yet is its next writer's."""
    if section is not None and section.author_agency is not None:
        return section.author_agency
    writes = row.state == "draft" and may_write(access)
    agency = access.viewer.agency if writes else None
    return agency or row.author_agency_id


def _why_withheld(access: Access, section: Section, author: UUID) -> Withheld | None:
    childs_words = any(question.voice is Voice.CHILD for question in section.questions)
    person = access.child_id if childs_words else None
    decision = access.decision(section.category, author, person)
    if decision.permitted:
        return None
    return Withheld(
        section.category,
        explain(decision, section.category, "this child"),
        decision.since,
        decision.silent,
    )


def _shown(
    access: Access, form: FormDefinition, withheld: Mapping[str, Withheld]
) -> FormDefinition:
    sections = [section for section in form.sections if section.key not in withheld]
    if access.viewer.agency_kind not in SEES_UPN:
        sections = [_without_upn(section) for section in sections]
    if tuple(sections) == form.sections:
        return form
    return msgspec.structs.replace(form, sections=tuple(sections))


def _without_upn(section: Section) -> Section:
    asked = tuple(q for q in section.questions if q.kind is not Kind.UPN)
    if len(asked) == len(section.questions):
        return section
    return msgspec.structs.replace(section, questions=asked)


def _answers(access: Access, row: _SectionRow, shown: Section | None) -> SectionAnswers | None:
    """What was said, to the questions that may be seen; None where the section is withheld."""
    if shown is None:
        return None
    if row.answers is None:
        return {}
    sealed = bytes.fromhex(row.answers)
    opened = access.keys.open(access.child_id, "section_answer.answers", row.id, sealed)
    asked = {question.key for question in shown.questions}
    return {key: said for key, said in _READ_ANSWERS.decode(opened).items() if key in asked}


def _readings(
    record: AssessmentRecord, options: Options, agency_words: Mapping[str, str], child: str
) -> tuple[SectionReading | Withheld, ...]:
    readings: list[SectionReading | Withheld] = []
    told: set[str] = set()
    for section in record.form.sections:
        why = record.withheld.get(section.key)
        if why is not None:
            if not why.silent and why.sentence not in told:
                told.add(why.sentence)
                readings.append(why)
            continue
        shown = record.shown.section(section.key) or section
        entries = entries_of_section(record.version, shown, options, child=child)
        if not entries:
            continue
        kept = record.sections[section.key]
        readings.append(
            SectionReading(
                key=section.key,
                title=section_title(section, child),
                category=section.category,
                entries=entries,
                author_agency_id=kept.author_agency,
                author_agency=agency_words.get(str(kept.author_agency), ""),
                said_on=None if kept.saved_at is None else day_of(kept.saved_at),
            )
        )
    return tuple(readings)


def visible_section(record: AssessmentRecord, slug: str) -> Section:
    """The section at an address, as this viewer sees it.

    Raises NotFound, and NotAllowed with the reason where it is withheld; one withheld in silence
    answers as one that does not exist.
    """
    section = record.form.section_at(slug)
    why = None if section is None else record.withheld.get(section.key)
    if section is None or (why is not None and why.silent):
        raise NotFound("This assessment has no such part.")
    if why is not None:
        raise NotAllowed(why.sentence, "You can ask for it on the page about sharing.")
    return record.shown.section(section.key) or section
