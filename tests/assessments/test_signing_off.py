"""How far a section is, what is missing, and who may sign an assessment off."""

from __future__ import annotations

import copy
from datetime import date
from uuid import UUID

import pytest

from panel.assessments.definitions import Answers, FormDefinition, Step
from panel.assessments.rules import (
    SectionState,
    Version,
    check_answers,
    completeness,
    may_sign_off,
    missing_answers,
    next_section,
    problems_at_sign_off,
    section_state,
    visible_answers,
    visible_questions,
)

ASSESSOR, LEAD, STRANGER = UUID(int=1), UUID(int=2), UUID(int=3)
NOBODY: frozenset[str] = frozenset()


def state(form: FormDefinition, key: str, answers: Answers, *looked_at: str) -> SectionState:
    section = form.section(key)
    assert section is not None
    return section_state(section, answers.get(key, {}), frozenset(looked_at))


def test_a_section_is_not_started_then_looked_at_then_complete(caf: FormDefinition) -> None:
    answers: Answers = {}
    assert state(caf, "reason", answers) is SectionState.NOT_STARTED
    assert state(caf, "reason", answers, "reason") is SectionState.LOOKED_AT
    answers["reason"] = {"what_led": "A fall at nursery"}
    assert state(caf, "reason", answers) is SectionState.COMPLETE


def test_an_element_needs_somebody_whose_view_it_is(caf: FormDefinition) -> None:
    answers: Answers = {"health": {"general_health": {"needs": "Asthma"}}}
    assert state(caf, "health", answers) is SectionState.LOOKED_AT
    section = caf.section("health")
    assert section is not None
    missing = missing_answers(section, answers["health"])
    assert [(p.field, p.message) for p in missing] == [
        ("general_health.whose_view", "Say whose view “General health” is.")
    ]
    answers["health"] = {"general_health": {"needs": "Asthma", "whose_view": ["parent"]}}
    assert state(caf, "health", answers) is SectionState.COMPLETE


def test_a_section_with_an_element_left_out_is_only_looked_at(caf: FormDefinition) -> None:
    one = {"needs": "Words", "whose_view": ["parent"]}
    answers: Answers = {"warmth_and_guidance": {"emotional_warmth": one}}
    assert state(caf, "warmth_and_guidance", answers) is SectionState.LOOKED_AT
    section = caf.section("warmth_and_guidance")
    assert section is not None
    assert not missing_answers(section, answers["warmth_and_guidance"])


def test_a_question_is_asked_only_where_it_applies(caf: FormDefinition) -> None:
    section = caf.section("names")
    assert section is not None
    asked = {q.key for q in visible_questions(section.questions, {"born": "no"})}
    assert "expected_delivery" in asked
    assert not asked & {"birth_date", "nhs_number"}
    said = {"born": "no", "birth_date": "2021-03-09", "family_name": "Testperson"}
    assert visible_answers(section, {**said}) == {"born": "no", "family_name": "Testperson"}


def test_everything_answered_is_ready(caf: FormDefinition, full: Answers) -> None:
    assert problems_at_sign_off(caf, full, NOBODY) == ()
    figure = completeness(caf, full, NOBODY)
    assert figure.complete == figure.total == len(caf.sections) - 2
    assert next_section(caf, "", full, NOBODY) is None


def test_a_refusal_to_share_does_not_stand_in_the_way(caf: FormDefinition, full: Answers) -> None:
    full["agreement"]["share"] = "no"
    for key in ("share_with", "level", "purposes", "from", "until"):
        del full["agreement"][key]
    assert not problems_at_sign_off(caf, full, NOBODY)


@pytest.mark.parametrize(
    ("section", "question"),
    [
        ("child_says", "own_words"),
        ("names", "family_name"),
        ("names", "birth_date"),
        ("reason", "what_led"),
        ("people_present", "present"),
        ("parents_and_carers", "adults"),
        ("conclusions", "conclusions"),
        ("parents_say", "comments"),
        ("agreement", "capacity"),
        ("agreement", "share_with"),
        ("agreement", "until"),
    ],
)
def test_what_is_required_is_missed(
    caf: FormDefinition,
    full: Answers,
    section: str,
    question: str,
) -> None:
    answers = copy.deepcopy(full)
    del answers[section][question]
    problems = problems_at_sign_off(caf, answers, frozenset(full))
    assert [(p.section, p.field) for p in problems] == [(section, question)]
    assert problems[0].message.startswith("Answer “")


def test_the_basis_of_parental_responsibility_is_required_with_it(
    caf: FormDefinition,
    full: Answers,
) -> None:
    adult = {"name": "Ada", "relationship": "Mother", "has_responsibility": "yes"}
    full["parents_and_carers"]["adults"] = [adult, {**adult, "has_responsibility": "no"}]
    problems = problems_at_sign_off(caf, full, NOBODY)
    assert [p.field for p in problems] == ["adults.0.basis"]


def test_a_section_that_nobody_opened_is_missed_and_one_looked_at_is_not(
    caf: FormDefinition,
    full: Answers,
) -> None:
    del full["home_and_money"]
    problems = problems_at_sign_off(caf, full, NOBODY)
    assert [p.section for p in problems] == ["home_and_money"]
    assert problems[0].message.startswith("Open “Housing, work and money”")
    assert not problems_at_sign_off(caf, full, frozenset({"home_and_money"}))


def test_a_review_is_not_asked_for_at_sign_off(caf: FormDefinition, full: Answers) -> None:
    for section in caf.sections:
        if section.step is Step.REVIEW:
            full.pop(section.key)
    assert not problems_at_sign_off(caf, full, NOBODY)


def test_the_next_section_is_the_next_with_something_to_do(caf: FormDefinition) -> None:
    def following(after: str, answers: Answers, *looked_at: str) -> str:
        section = next_section(caf, after, answers, frozenset(looked_at))
        return section.key if section is not None else ""

    assert following("", {}) == "child_says"
    assert following("child_says", {}) == "names"
    assert following("delivery_plan", {}) == "child_says"
    assert following("background", {}, "disability") == "disability"
    assert following("background", {}, "school_record") == "disability"
    said: Answers = {"disability": {"disabled": "no"}}
    assert following("background", said, "school_record") == "reason"
    assert following("agreement", {}) == ""


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"horoscope": {}}, "This form has no section “horoscope”."),
        ({"names": []}, "The answers to “Names and birth date” cannot be read."),
        ({"names": {"shoe_size": "4"}}, "“shoe_size” is not a question here."),
        ({"names": {"given_name": 4}}, "“First name” cannot be read"),
        ({"names": {"given_name": "a\x00b"}}, "characters that cannot be kept"),
        ({"names": {"given_name": "a\nb"}}, "on one line"),
        ({"health": {"general_health": "fine"}}, "“General health” cannot be read"),
        ({"health": {"general_health": {"score": "9"}}}, "“score” is not a part of"),
        ({"health": {"general_health": {"whose_view": ["cat"]}}}, "“Whose view is this?”"),
        ({"health": {"general_health": {"whose_view": ["child", "child"]}}}, "once"),
        ({"people_present": {"present": {"name": "x"}}}, "cannot be read"),
        ({"people_present": {"present": ["Ada"]}}, "Entry 1 of “Who was there?” cannot be read."),
        ({"people_present": {"present": [{"age": "4"}]}}, "“age” is not a question here."),
        ({"home_address": {"postcode": "nowhere"}}, "must be a full postcode"),
        ({"home_address": {"email": "a@b"}}, "must be an email address"),
        ({"home_address": {"telephone": "ring me"}}, "must be a telephone number"),
        ({"home_address": {"address": "x" * 501}}, "at most 500 characters. You wrote 501"),
    ],
)
def test_answers_that_do_not_fit_the_form_are_refused(
    caf: FormDefinition,
    answers: dict[str, object],
    sentence: str,
) -> None:
    problems = check_answers(caf, answers)
    assert len(problems) == 1
    assert sentence in problems[0].message


def test_the_assessor_or_the_lead_professional_signs_off_once(
    caf: FormDefinition,
    full: Answers,
) -> None:
    version = Version(caf, full)

    def asked(signer: UUID, signed_off_on: date | None = None) -> tuple[str, ...]:
        answer = may_sign_off(
            version,
            NOBODY,
            signer=signer,
            assessor=ASSESSOR,
            lead_professional=LEAD,
            signed_off_on=signed_off_on,
        )
        assert answer.permitted is not bool(answer.reasons)
        return answer.reasons

    assert asked(ASSESSOR) == asked(LEAD) == ()
    assert "Only the assessor" in asked(STRANGER)[0]
    assert "signed off already" in asked(LEAD, date(2026, 12, 3))[0]
    del full["reason"]
    assert asked(LEAD) == ("Still missing: 1 thing. Go to the task list to see what.",)
