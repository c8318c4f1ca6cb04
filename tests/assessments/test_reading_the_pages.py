"""What the pages of an assessment say, without their HTML."""

from __future__ import annotations

from datetime import date

from panel.assessments.definitions import Answers, FormDefinition, Section
from panel.assessments.forms import Options, decode_section, flatten_section
from panel.assessments.pages import (
    AssessmentPage,
    Block,
    CheckAnswers,
    SectionPage,
    TaskList,
    assessment_page,
    check_answers_page,
    section_page,
    task_list,
)
from panel.assessments.rules import SectionState, SignOff, Version
from panel.web.forms import DateParts

BASE = "/assessments/1"
NOBODY: frozenset[str] = frozenset()


def section_of(form: FormDefinition, key: str) -> Section:
    section = form.section(key)
    assert section is not None
    return section


def tasks(form: FormDefinition, answers: Answers, *looked_at: str) -> TaskList:
    version = Version(form, answers)
    return task_list(
        version, frozenset(looked_at), child="Freya", reference="P-1", number=1, base=BASE
    )


def page_of(
    form: FormDefinition,
    key: str,
    fields: dict[str, list[str]],
    options: Options,
    one_more: str = "",
) -> SectionPage:
    section = section_of(form, key)
    problems = decode_section(form, section, fields, options).problems
    return section_page(
        form, section, fields, problems, options, child="Freya", base=BASE, one_more=one_more
    )


def block(page: SectionPage, key: str) -> Block:
    return next(block for block in page.blocks if block.key == key)


def test_the_task_list_says_how_far_each_section_is(caf: FormDefinition) -> None:
    page = tasks(caf, {"reason": {"what_led": "A fall"}}, "names")
    rows = {row.key: row for group in page.groups for row in group.rows}
    assert page.title == "Common Assessment Framework (CAF): Freya"
    assert page.progress_words == "1 of 23 parts complete"
    assert page.groups[0].title == "Freya first"
    assert (rows["names"].state_words, rows["names"].state_colour) == ("Looked at", "yellow")
    assert rows["reason"].state is SectionState.COMPLETE
    assert rows["reason"].state_colour == ""
    assert rows["home_address"].state_words == "Not started"
    assert rows["home_address"].href == "/assessments/1/sections/home-address"
    assert rows["review"].hint == "At the review"
    assert page.next_words == "Go on with “What Freya says”"


def test_when_nothing_is_left_the_answers_are_checked(caf: FormDefinition, full: Answers) -> None:
    page = tasks(caf, full)
    assert page.next_href == f"{BASE}/check-answers"
    assert page.next_words == "Check the answers"


def test_a_section_shows_what_was_kept(
    caf: FormDefinition,
    full: Answers,
    options: Options,
) -> None:
    fields = flatten_section(section_of(caf, "names"), full["names"])
    page = page_of(caf, "names", fields, options)
    assert page.category_words == "Identity information"
    assert page.errors == ()
    sex = block(page, "sex").fields[0]
    assert sex.choices[0] == ("female", "Female", "")
    assert sex.chosen == ("female",)
    born = block(page, "birth_date").fields[0]
    assert born.date == DateParts("3", "12", "2026")
    assert born.hint == "Only if the answer to “Has Freya been born?” is “Yes”."
    assert (born.depends_on, born.depends_values) == ("born", ("yes",))


def test_nothing_on_a_page_is_left_unnamed(
    caf: FormDefinition,
    full: Answers,
    options: Options,
) -> None:
    for section in caf.sections:
        fields = flatten_section(section, full[section.key])
        assert "{child}" not in repr(page_of(caf, section.key, fields, options))
    assert "{child}" not in repr(tasks(caf, full))
    assert "{child}" not in repr(read(caf, full, options, {}))
    assert "{child}" not in repr(check(caf, {}, options))


def test_the_fields_of_a_page_are_those_that_are_read(
    caf: FormDefinition,
    full: Answers,
    options: Options,
) -> None:
    for section in caf.sections:
        kept = flatten_section(section, full[section.key])
        page = page_of(caf, section.key, kept, options)
        names: dict[str, list[str]] = {}
        for each in page.blocks:
            rows = [field for row in each.rows for field in row.fields]
            for field in (*each.fields, *rows):
                if field.shape == "date":
                    for part in ("day", "month", "year"):
                        names[f"{field.name}-{part}"] = [getattr(field.date, part)]
                else:
                    names[field.name] = list(field.chosen) if field.choices else [field.value]
        decoded = decode_section(caf, section, names, options)
        assert not decoded.problems
        assert decoded.answers == full[section.key]


def test_an_error_leads_to_its_field_and_keeps_what_was_typed(
    caf: FormDefinition,
    options: Options,
) -> None:
    fields = {
        "birth_date-day": ["31"],
        "birth_date-month": ["2"],
        "birth_date-year": ["2021"],
        "sex": ["x"],
        "odd": ["1"],
    }
    page = page_of(caf, "names", fields, options)
    assert [field for field, sentence in page.errors] == ["main-content", "sex", "birth_date-day"]
    assert "real date" in block(page, "birth_date").fields[0].error
    assert block(page, "birth_date").fields[0].date == DateParts("31", "2", "2021")


def test_an_element_has_its_four_parts(caf: FormDefinition, options: Options) -> None:
    page = page_of(caf, "health", {"general_health.needs": ["Asthma"]}, options)
    element = block(page, "general_health")
    assert element.shape == "element"
    assert [field.name for field in element.fields] == [
        "general_health.strengths",
        "general_health.needs",
        "general_health.evidence",
        "general_health.whose_view",
    ]
    assert element.fields[1].value == "Asthma"
    assert element.fields[3].choices[0] == ("child", "Freya", "")


def test_many_choices_open_as_a_list(caf: FormDefinition, options: Options) -> None:
    fields = block(page_of(caf, "parents_and_carers", {}, options), "adults").rows[0].fields
    assert {field.name: field.shape for field in fields} == {
        "adults.0.name": "line",
        "adults.0.relationship": "line",
        "adults.0.lives_with_child": "radios",
        "adults.0.has_responsibility": "radios",
        "adults.0.basis": "select",
    }


def test_a_list_has_one_empty_row_and_one_more_when_asked(
    caf: FormDefinition,
    options: Options,
) -> None:
    rows = block(page_of(caf, "people_present", {}, options), "present").rows
    assert [row.legend for row in rows] == ["Person 1"]
    fields = {"present.0.name": ["Ada"]}
    page = page_of(caf, "people_present", fields, options, one_more="present")
    assert [row.legend for row in block(page, "present").rows] == ["Person 1", "Person 2"]
    assert block(page, "present").add_words == "Add another person"
    many = {f"present.{number}.name": ["Ada"] for number in range(30)}
    full_page = page_of(caf, "people_present", many, options, one_more="present")
    assert len(block(full_page, "present").rows) == 30
    assert block(full_page, "present").add_words == ""


def read(
    form: FormDefinition,
    answers: Answers,
    options: Options,
    withheld: dict[str, str],
) -> AssessmentPage:
    return assessment_page(
        Version(form, answers),
        options,
        withheld,
        child="Freya",
        reference="P-1",
        number=2,
        signed_off_on=date(2026, 12, 3),
        signed_off_by="Hana Oduya",
    )


def test_reading_says_what_was_said_and_whose_view_it_is(
    caf: FormDefinition,
    full: Answers,
    options: Options,
) -> None:
    page = read(caf, full, options, {})
    said = {section.key: section for section in page.sections}
    assert page.state_words == "Signed off on Thursday 3 December 2026 by Hana Oduya"
    assert page.sections[0].key == "child_says"
    assert said["child_says"].entries[0].whose == "Freya’s own words"
    health = said["health"].entries[0]
    assert [part.label for part in health.parts] == ["Strengths", "Needs", "Evidence"]
    assert health.whose == "View of: Freya"
    names = {entry.label: entry.text for entry in said["names"].entries}
    assert names["NHS number"] == "999 054 8609"
    assert names["Date of birth"] == "Thursday 3 December 2026"
    assert "Date when the baby is expected" not in names
    agreement = {entry.label: entry.text for entry in said["agreement"].entries}
    assert agreement["Which agencies may it be shared with?"] == "Invented Trust"
    plan = said["delivery_plan"].entries[-1]
    assert plan.rows[0][3].text == "Thursday 3 December 2026"


def test_an_agency_that_is_gone_is_said(caf: FormDefinition, full: Answers) -> None:
    agreement = read(caf, full, {}, {}).sections[-1]
    assert {"no longer on the record"} <= {entry.text for entry in agreement.entries}


def test_withheld_is_said_unless_it_is_silent(
    caf: FormDefinition,
    full: Answers,
    options: Options,
) -> None:
    why = "You cannot see the health section. Her mother has not agreed to share it."
    page = read(caf, full, options, {"health": why, "disability": why, "care_and_safety": ""})
    said = {section.key: section for section in page.sections}
    assert said["health"].withheld == said["disability"].withheld == why
    assert said["health"].entries == ()
    assert "care_and_safety" not in said
    assert "general_health" not in repr(page)


def test_an_empty_section_says_so(caf: FormDefinition, options: Options) -> None:
    page = read(caf, {}, options, {})
    assert {section.notice for section in page.sections} == {"Nothing was said here."}


def check(
    form: FormDefinition,
    answers: Answers,
    options: Options,
    sign_off: SignOff | None = None,
) -> CheckAnswers:
    return check_answers_page(
        Version(form, answers),
        NOBODY,
        sign_off or SignOff(permitted=False, reasons=("Not yet.",)),
        options,
        child="Freya",
        reference="P-1",
        base=BASE,
    )


def test_checking_leads_to_agreement_and_then_to_sign_off(
    caf: FormDefinition,
    full: Answers,
    options: Options,
) -> None:
    agreement = full.pop("agreement")
    page = check(caf, full, options)
    assert page.missing == ()
    assert page.next_href == f"{BASE}/sections/agreement"
    assert page.sign_off_href == ""
    full["agreement"] = agreement
    page = check(caf, full, options, SignOff(permitted=True))
    assert page.next_href == ""
    assert page.sign_off_href == f"{BASE}/sign-off"
    assert page.sections[0].change_words == "Change “What Freya says”"


def test_what_is_missing_leads_to_its_question(caf: FormDefinition, options: Options) -> None:
    page = check(caf, {}, options)
    assert page.missing[0].href == f"{BASE}/sections/child-says#own_words"
    assert page.missing[0].message == "Answer “What does Freya say?”."
