"""What the tests of assessments share: the CAF as it comes, and a child's answers to all of it."""

from __future__ import annotations

import pytest

from panel.assessments.definitions import (
    Answers,
    Choice,
    ChoicesFrom,
    FormDefinition,
    Kind,
    Question,
    Value,
    built_in_forms,
)
from panel.assessments.forms import Options
from panel.assessments.rules import visible_questions
from panel.platform.tenancy import Tenant
from tests.sharing.family import Family, invented_family

TEXTS = {
    Kind.DATE: "2026-12-03",
    Kind.YES_NO: "yes",
    Kind.EMAIL: "family@example.org",
    Kind.TELEPHONE: "020 7946 0123",
    Kind.POSTCODE: "SM1 1AA",
    Kind.NHS_NUMBER: "9990548609",
    Kind.UPN: "R999999926001",
}


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    """An invented child with a family and a team."""
    return await invented_family(tenant)


@pytest.fixture(scope="session")
def caf() -> FormDefinition:
    versions = [form for form in built_in_forms() if form.key == "caf"]
    return max(versions, key=lambda form: form.version)


@pytest.fixture
def options() -> Options:
    return {
        ChoicesFrom.FAMILY: (Choice("mother", "Ada Testperson, mother"),),
        ChoicesFrom.AGENCIES: (
            Choice("trust", "Invented Trust"),
            Choice("school", "Made-up School"),
        ),
    }


@pytest.fixture
def full(caf: FormDefinition, options: Options) -> Answers:
    """Every question of the CAF answered; one agency to share with, one not to."""
    answers: Answers = {}
    for section in caf.sections:
        said = answers.setdefault(section.key, {})
        while missing := [
            q for q in visible_questions(section.questions, said) if q.key not in said
        ]:
            said[missing[0].key] = _answer(caf, missing[0], options)
    answers["agreement"]["not_share_with"] = ["school"]
    return answers


def _answer(form: FormDefinition, question: Question, options: Options) -> Value:
    if question.kind is Kind.ELEMENT:
        return {
            "strengths": f"Strong in {question.key}",
            "needs": f"Needs in {question.key}",
            "evidence": "Seen at home on 3 December 2026",
            "whose_view": [form.views[0].value],
        }
    if question.kind in {Kind.PEOPLE, Kind.ROWS}:
        row: dict[str, str | list[str]] = {}
        while missing := [c for c in visible_questions(question.columns, row) if c.key not in row]:
            answer = _answer(form, missing[0], options)
            assert isinstance(answer, str)
            row[missing[0].key] = answer
        return [row]
    if question.kind in {Kind.CHOICE, Kind.CHOICES}:
        first = (question.choices or options[question.choices_from or ChoicesFrom.FAMILY])[0].value
        return first if question.kind is Kind.CHOICE else [first]
    return TEXTS.get(question.kind, f"Words for {question.key}"[: question.longest])
