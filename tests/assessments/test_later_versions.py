"""Later versions of an assessment, and of its form, leave the earlier ones readable."""

from __future__ import annotations

import copy

import msgspec

from panel.assessments.definitions import Answers, Choice, FormDefinition, Question
from panel.assessments.forms import Options
from panel.assessments.pages import assessment_page, changes
from panel.assessments.rules import Version, carry_forward, check_answers, differences


def next_form(form: FormDefinition) -> FormDefinition:
    """The next version: the reason is asked in new words, and ethnicity and one sex are gone."""
    boys = (Choice("male", "Boy"), Choice("not_known", "Not known"))

    def changed(question: Question) -> Question:
        if question.key == "what_led":
            return msgspec.structs.replace(question, label="Why now?")
        if question.key == "sex":
            return msgspec.structs.replace(question, choices=boys)
        return question

    sections = tuple(
        msgspec.structs.replace(
            section,
            questions=tuple(changed(q) for q in section.questions if q.key != "ethnicity"),
        )
        for section in form.sections
    )
    return msgspec.structs.replace(form, version=form.version + 1, sections=sections)


def read(version: Version, options: Options) -> str:
    page = assessment_page(
        version,
        options,
        {},
        child="Freya",
        reference="P-1",
        number=1,
        signed_off_on=None,
        signed_off_by="",
    )
    return repr(page)


def test_an_earlier_version_reads_as_it_did(
    caf: FormDefinition,
    full: Answers,
    options: Options,
) -> None:
    before = read(Version(caf, full), options)
    assert "What led to this assessment?" in before
    assert "Words for ethnicity" in before
    assert "Female" in before
    next_form(caf)
    assert read(Version(caf, full), options) == before


def test_a_new_version_starts_with_the_answers_that_still_fit(
    caf: FormDefinition,
    full: Answers,
) -> None:
    form = next_form(caf)
    carried = carry_forward(full, form)
    assert not check_answers(form, carried)
    assert carried["reason"] == full["reason"]
    assert "ethnicity" not in carried["background"]
    assert "sex" not in carried["names"]
    # What was agreed is agreed anew, and a review is of the version it was made for.
    assert not carried.keys() & {"agreement", "review", "review_comments"}


def test_the_same_answers_do_not_differ(caf: FormDefinition, full: Answers) -> None:
    assert differences(Version(caf, full), Version(caf, copy.deepcopy(full))) == ()


def test_what_changed_is_said_in_the_words_of_each_version(
    caf: FormDefinition,
    full: Answers,
    options: Options,
) -> None:
    form = next_form(caf)
    after = carry_forward(full, form)
    after["names"]["sex"] = "male"
    after["reason"]["what_led"] = "A hearing test"
    for key in ("agreement", "review", "review_comments"):
        after[key] = full[key]
    said = changes(Version(caf, full), Version(form, after), options, child="Freya")
    ethnicity = "How does the family describe Freya’s ethnic group?"
    words = [
        (c.section, c.label, c.before and c.before.text, c.after and c.after.text) for c in said
    ]
    assert words == [
        ("Names and birth date", "Sex", "Female", "Boy"),
        ("What led to this assessment", "Why now?", "Words for what_led", "A hearing test"),
        (
            "Background",
            ethnicity,
            "Words for ethnicity",
            None,
        ),
    ]


def test_an_answer_that_is_no_longer_asked_for_is_no_difference(
    caf: FormDefinition,
    full: Answers,
) -> None:
    other = copy.deepcopy(full)
    other["names"]["expected_delivery"] = "2027-01-01"
    assert differences(Version(caf, full), Version(caf, other)) == ()
