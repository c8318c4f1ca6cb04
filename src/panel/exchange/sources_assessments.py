"""Forms, and the answers that were given to them and signed off."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from consent import Category
from interop import systems
from interop.messages import (
    Cell,
    Form,
    FormAnswers,
    FormChoice,
    FormQuestion,
    FormSection,
    Given,
    GivenSection,
    Message,
)
from panel.assessments.service import (
    ChoicesFrom,
    FormDefinition,
    Group,
    Kind,
    Question,
    Section,
    SectionAnswers,
    Value,
    form_at_hand,
)
from panel.exchange.columns import Code, Nothing, Refers, Words, at, to
from panel.exchange.permitted import may
from panel.exchange.source import ChildLine, ChildSource, Line, OpenSource, listed, plain
from panel.platform.crypto import Keys
from panel.platform.read_models import sql
from panel.records.gate import Access
from panel.register.service import EDUCATION


class FormRow(Line):
    """One version of a form."""

    definition: FormDefinition


PUBLISHED = "r.state <> 'draft'"
"""A draft is the authority's own until it is published."""


def _question(one: Question) -> FormQuestion:
    return FormQuestion(
        key=one.key,
        label=one.label,
        kind=one.kind.value,
        choices=tuple(FormChoice(each.value, each.label) for each in one.choices),
        columns=tuple(map(_question, one.columns)),
    )


def _form(row: FormRow, _keys: Keys) -> Message:
    form = row.definition
    return Form(
        id=str(row.id),
        changed_at=row.changed_at,
        key=form.key,
        number=form.version,
        title=form.title,
        sections=tuple(
            FormSection(
                key=one.key,
                title=one.title,
                category=one.category.value,
                questions=tuple(map(_question, one.questions)),
            )
            for one in form.sections
        ),
    )


_FORM_ADDRESS = f"('{systems.form_address('')}' || {{form}}.key)"

QUESTIONNAIRE = OpenSource(
    resource="Questionnaire",
    line=FormRow,
    rows="form r",
    fields="'definition', r.definition",
    where=PUBLISHED,
    columns={
        "url": Words(_FORM_ADDRESS.format(form="r")),
        "name": Words("r.key"),
        "version": Code("r.number::text"),
        "status": Code("'active'"),
    },
    message=_form,
)


class SectionRow(msgspec.Struct):
    """One answered section."""

    id: UUID
    key: str
    category: Category
    author: UUID
    answers: str


class AnswersRow(ChildLine):
    """One signed-off filling of a form."""

    form_id: UUID
    author_id: UUID
    author_agency_id: UUID
    started_on: date
    signed_off_on: date | None
    sections: tuple[SectionRow, ...] | None
    ties: dict[str, str] | None
    """Of the family: who is named by their own id in an answer is told by that of their tie."""


_READ_ANSWERS = msgspec.json.Decoder(dict[str, Any])


def _cell(said: object) -> Cell:
    return tuple(map(str, said)) if isinstance(said, list) else str(said)


def _given(asked: Question, said: Value) -> Given:
    cell: Cell | None = None
    rows: tuple[Group, ...] = ()
    if isinstance(said, dict):
        rows = (said,)
    elif asked.columns:
        rows = tuple(one for one in said if isinstance(one, dict))
    else:
        cell = _cell(said)
    question = _question(asked)
    return Given(
        key=asked.key,
        label=asked.label,
        kind=asked.kind.value,
        cell=cell,
        rows=tuple(tuple((key, _cell(value)) for key, value in row.items()) for row in rows),
        choices=question.choices,
        columns=question.columns,
    )


def _by_tie(asked: Question, said: Value, ties: Mapping[str, str]) -> Value:
    """Who of the family was chosen, by the id by which they are a RelatedPerson."""
    if asked.choices_from is not ChoicesFrom.FAMILY or isinstance(said, dict):
        return said
    if isinstance(said, str):
        return ties.get(said, said)
    return [ties.get(one, one) for one in said if isinstance(one, str)]


def _section(row: SectionRow, of: Section, access: Access, ties: Mapping[str, str]) -> GivenSection:
    sealed = bytes.fromhex(row.answers)
    opened = access.keys.open(access.child_id, "section_answer.answers", row.id, sealed)
    said: SectionAnswers = _READ_ANSWERS.decode(opened)
    upn = access.viewer.agency_kind in EDUCATION
    return GivenSection(
        key=of.key,
        title=of.title,
        answers=tuple(
            _given(asked, _by_tie(asked, said[asked.key], ties))
            for asked in of.questions
            if asked.key in said and (upn or asked.kind is not Kind.UPN)
        ),
    )


def _answers(row: AnswersRow, access: Access) -> Message | None:
    form = form_at_hand(row.form_id)
    kept = {one.key: one for one in row.sections or ()}
    hidden = [one for one in kept.values() if not access.may(one.category, one.author)]
    shown = [
        _section(kept[section.key], section, access, row.ties or {})
        for section in form.sections
        if section.key in kept and kept[section.key] not in hidden
    ]
    if not shown:
        return None
    return FormAnswers(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_at,
        parts_withheld=bool(access.withheld_of(one.category for one in hidden)),
        form=str(row.form_id),
        form_key=form.key,
        form_number=form.version,
        title=form.title,
        signed_off=True,
        author=str(row.author_id),
        author_agency=str(row.author_agency_id),
        started_on=row.started_on,
        signed_off_on=row.signed_off_on,
        sections=tuple(shown),
    )


_AUTHOR = "COALESCE(s.author_agency_id, r.author_agency_id)"

QUESTIONNAIRE_RESPONSE = ChildSource(
    resource="QuestionnaireResponse",
    line=AnswersRow,
    forms=lambda row: (row.form_id,),
    rows="assessment r JOIN form f ON f.id = r.form_id",
    where="r.state = 'signed_off'",
    fields=listed(
        plain("form_id", "author_id", "author_agency_id", "started_on", "signed_off_on"),
        sql(
            """'sections', (SELECT json_agg(json_build_object('id', s.id, 'key', s.section_key,
      'category', s.category, 'author', {author}, 'answers', encode(s.answers, 'hex')))
    FROM section_answer s WHERE s.assessment_id = r.id AND s.answers IS NOT NULL),
  'ties', (SELECT json_object_agg(t.family_member_id, t.id) FROM family_link t
    WHERE t.child_id = r.child_id)""",
            author=_AUTHOR,
        ),
    ),
    may_be_told=sql(
        "EXISTS (SELECT FROM section_answer s WHERE s.assessment_id = r.id"
        " AND s.answers IS NOT NULL AND {may}"
        " AND EXISTS (SELECT FROM jsonb_array_elements(f.definition -> 'sections') d"
        " WHERE d ->> 'key' = s.section_key))",
        may=may("r.child_id", "s.category", _AUTHOR),
    ),
    columns={
        "patient": to("r.child_id"),
        "identifier": Nothing(),
        "questionnaire": Refers(
            "r.form_id = ANY({ids})",
            "false",
            canonical=(_FORM_ADDRESS.format(form="f"), "f.number::text"),
        ),
        "author": to("r.author_id"),
        "authored": at("r.signed_off_on"),
        "status": Code("'completed'"),
    },
    message=_answers,
)
