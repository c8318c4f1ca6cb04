"""The CAF as it comes with Panel holds everything that DOMAIN.md, "CAF form", names."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from consent import ALWAYS_NAMED, Category, Level, Purpose
from panel.assessments.definitions import (
    FormDefinition,
    Kind,
    Question,
    Step,
    Voice,
    decode_form,
    encode_form,
    values_of,
)

ELEMENTS = {
    "General health": Category.HEALTH,
    "Physical development": Category.DEVELOPMENT,
    "Speech, language and communication": Category.DEVELOPMENT,
    "Emotional and social development": Category.DEVELOPMENT,
    "Behavioural development": Category.DEVELOPMENT,
    "Identity, self-esteem, self-image and social presentation": Category.DEVELOPMENT,
    "Family and social relationships": Category.DEVELOPMENT,
    "Self-care skills and independence": Category.DEVELOPMENT,
    "Understanding, reasoning and problem solving": Category.EDUCATION,
    "Participation in learning, education and employment": Category.EDUCATION,
    "Progress and achievement in learning": Category.EDUCATION,
    "Aspirations": Category.EDUCATION,
    "Basic care, ensuring safety and protection": Category.SAFEGUARDING,
    "Emotional warmth and stability": Category.FAMILY,
    "Guidance, boundaries and stimulation": Category.FAMILY,
    "Family history, functioning and well-being": Category.FAMILY,
    "Wider family": Category.FAMILY,
    "Housing, employment and finance": Category.FINANCE,
    "Social and community elements and resources, including education": Category.FAMILY,
}

# DOMAIN.md's words for what is no element, and the question or column that asks for it.
ASKED = {
    "names": "names.given_name names.family_name",
    "also known as": "names.also_known_as",
    "sex": "names.sex",
    "date of birth or expected delivery": "names.birth_date names.expected_delivery",
    "address": "home_address.address",
    "NHS number": "names.nhs_number",
    "UPN": "school_record.upn",
    "ethnicity": "background.ethnicity",
    "religion": "background.religion",
    "first language of child and of parent": "languages.child_language languages.parent_language",
    "interpreter or signer": "languages.interpreter_needed languages.interpreter_details",
    "disability and details": "disability.disabled disability.disability_details",
    "immigration status": "background.immigration_status",
    "people present": "people_present.present",
    "what led to it": "reason.what_led",
    "parents and carers": "parents_and_carers.adults",
    "parental responsibility": (
        "parents_and_carers.adults.has_responsibility parents_and_carers.adults.basis"
    ),
    "home and family": "parents_and_carers.home",
    "assessor": "people_present.assessor_name people_present.assessor_role",
    "lead professional": "people_present.lead_professional",
    "services working with the child": "services.working_with",
    "conclusions, solutions and actions": (
        "conclusions.conclusions conclusions.solutions conclusions.actions"
    ),
    "what the child says": "child_says.own_words",
    "what the parent says, agreeing or not": (
        "parents_say.comments.own_words parents_say.comments.agrees"
    ),
    "who agreed and in what capacity": "agreement.agreed_by agreement.capacity",
    "store and share": "agreement.store agreement.share",
    "agencies": "agreement.share_with agreement.not_share_with",
    "basic or additional, and named": "agreement.level agreement.named_categories",
    "purposes": "agreement.purposes",
    "from and until": "agreement.from agreement.until",
    "how it was explained": "agreement.how_explained agreement.interpreter_used",
    "interpreter": "agreement.interpreter_name",
    "plan: people present": "delivery_plan.planned_with",
    "plan": (
        "delivery_plan.steps.outcome delivery_plan.steps.action delivery_plan.steps.responsible "
        "delivery_plan.steps.by_when delivery_plan.steps.progress"
    ),
    "review date": "review.reviewed_on",
    "review present": "review.review_present",
    "next steps": "review.next_steps",
    "next review date or closure reason": "review.next_review review.closure_reason",
    "comments at the review": "review_comments.child_comment review_comments.parent_comment",
    "level of need": "review.level_at_start review.level_at_closure",
}


def addresses(form: FormDefinition) -> list[str]:
    found = []
    for section in form.sections:
        for question in section.questions:
            found.append(f"{section.key}.{question.key}")
            found += [f"{section.key}.{question.key}.{column.key}" for column in question.columns]
    return found


def test_every_element_is_there_exactly_once_in_its_category(caf: FormDefinition) -> None:
    found = [
        (question.label, section.category)
        for section in caf.sections
        for question in section.questions
        if question.kind is Kind.ELEMENT
    ]
    assert dict(found) == ELEMENTS
    assert len(found) == len(ELEMENTS) == 12 + 3 + 4


@pytest.mark.parametrize("what", ASKED)
def test_everything_else_is_asked_exactly_once(caf: FormDefinition, what: str) -> None:
    counted = Counter(addresses(caf))
    for address in ASKED[what].split():
        assert counted[address] == 1, f"“{what}” needs {address} once"


def test_the_childs_own_words_come_first(caf: FormDefinition) -> None:
    first = caf.sections[0]
    assert first.category is Category.VIEWS
    assert first.questions[0].voice is Voice.CHILD
    assert first.questions[0].required_at_sign_off


def test_agreement_is_the_last_step(caf: FormDefinition) -> None:
    assert caf.sections[-1].step is Step.AGREEMENT


def test_what_must_be_named_stands_alone(caf: FormDefinition) -> None:
    named = [s.key for s in caf.sections if s.category is Category.SAFEGUARDING]
    assert named == ["care_and_safety"]
    assert [s.key for s in caf.sections if s.category is Category.FINANCE] == ["home_and_money"]


def test_the_pupil_number_is_for_education_only(caf: FormDefinition) -> None:
    section = next(s for s in caf.sections if s.question("upn"))
    assert section.category is Category.EDUCATION


def test_the_agreement_speaks_the_words_that_sharing_is_decided_by(caf: FormDefinition) -> None:
    agreement = caf.sections[-1]

    def choices(key: str) -> frozenset[str]:
        question = agreement.question(key)
        assert question is not None
        return values_of(question)

    assert choices("level") == frozenset(Level)
    assert choices("named_categories") == ALWAYS_NAMED
    assert choices("purposes") <= frozenset(Purpose)


def test_no_page_is_long(caf: FormDefinition) -> None:
    for section in caf.sections:
        elements = [q for q in section.questions if q.kind is Kind.ELEMENT]
        assert len(elements) <= 4, section.key
        assert len(section.questions) <= 12 or section.step is Step.AGREEMENT, section.key


def test_hints_are_short_and_plain(caf: FormDefinition) -> None:
    def walk(questions: tuple[Question, ...]) -> list[str]:
        return [t for q in questions for t in (q.label, q.hint, *walk(q.columns))]

    for section in caf.sections:
        for text in (*walk(section.questions), section.intro):
            for sentence in re.split(r"[.?!:] ", text):
                assert len(sentence.split()) <= 26, sentence
            assert "please" not in text.lower()


def test_it_comes_back_from_json_as_it_went(caf: FormDefinition) -> None:
    assert decode_form(encode_form(caf)) == caf
