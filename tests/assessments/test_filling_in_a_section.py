"""Somebody fills in a page: flat fields become answers, and every mistake is said at once."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.assessments.definitions import (
    Answers,
    Cell,
    FormDefinition,
    Kind,
    Question,
    Section,
    SectionAnswers,
    Value,
    built_in_forms,
    values_of,
)
from panel.assessments.forms import (
    Decoded,
    Options,
    decode_changes,
    decode_section,
    flatten_section,
    without_problems,
)
from panel.assessments.rules import check_answers, check_section
from panel.web.forms import clean_line, clean_paragraphs

CAF = built_in_forms()[0]


def section_of(form: FormDefinition, key: str) -> Section:
    section = form.section(key)
    assert section is not None
    return section


def post(form: FormDefinition, key: str, options: Options, **fields: str | list[str]) -> Decoded:
    """Post fields; `__` in a name stands for a dot and `_at_` for the hyphen of a date."""
    posted = {
        name.replace("__", ".").replace("_at_", "-"): [given] if isinstance(given, str) else given
        for name, given in fields.items()
    }
    return decode_section(form, section_of(form, key), posted, options)


def test_an_element_is_read_part_by_part(caf: FormDefinition, options: Options) -> None:
    decoded = post(
        caf,
        "health",
        options,
        general_health__strengths="  Sleeps well.\r\nEats all.  ",
        general_health__needs="",
        general_health__whose_view=["child", "parent"],
    )
    assert not decoded.problems
    assert decoded.answers == {
        "general_health": {
            "strengths": "Sleeps well.\nEats all.",
            "whose_view": ["child", "parent"],
        }
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"birth_date_at_day": "9", "birth_date_at_month": "3", "birth_date_at_year": "2021"},
        {"birth_date": "2021-03-09"},
        {"birth_date": "09/03/2021"},
        {"birth_date": "9.3.2021"},
    ],
)
def test_a_date_is_read_as_people_write_it(
    caf: FormDefinition,
    options: Options,
    fields: dict[str, str],
) -> None:
    decoded = post(caf, "names", options, born="yes", **fields)
    assert decoded.answers["birth_date"] == "2021-03-09"
    assert not decoded.problems


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"birth_date": "31/02/2021"}, "birth_date", "must be a real date"),
        ({"birth_date_at_day": "9"}, "birth_date", "must be a real date"),
        ({"birth_date": "0001-01-01"}, "birth_date", "must be a real date"),
        ({"birth_date": "tomorrow"}, "birth_date", "must be a real date"),
        ({"nhs_number": "999 054 8608"}, "nhs_number", "This is not an NHS number"),
        ({"nhs_number": "0000000000"}, "nhs_number", "never the same digit"),
        ({"sex": "purple"}, "sex", "Choose one of the answers"),
        ({"born": "maybe"}, "born", "with yes or no"),
        ({"given_name": "😀" * 10_000}, "given_name", "at most 200 characters. You wrote 10,000"),
        ({"hacker": "x"}, "", "This page has no field “hacker”"),
        ({"given_name__strengths": "x"}, "", "This page has no field “given_name.strengths”"),
    ],
)
def test_a_mistake_is_said_in_a_sentence(
    caf: FormDefinition,
    options: Options,
    fields: dict[str, str],
    field: str,
    sentence: str,
) -> None:
    decoded = post(caf, "names", options, **fields)
    assert [problem.field for problem in decoded.problems] == [field]
    assert sentence in decoded.problems[0].message
    assert decoded.problems[0].message.endswith(".")


def test_all_mistakes_are_said_at_once(caf: FormDefinition, options: Options) -> None:
    decoded = post(caf, "names", options, sex="x", nhs_number="1", born="yes", given_name="Fay")
    assert [problem.field for problem in decoded.problems] == ["sex", "nhs_number"]
    kept = {"sex": "female"}
    saved = without_problems(section_of(caf, "names"), decoded, dict(kept))
    assert saved == {"given_name": "Fay", "sex": "female", "born": "yes"}


def test_the_pages_own_fields_are_no_answers(caf: FormDefinition, options: Options) -> None:
    decoded = post(caf, "reason", options, _csrf_token="t", version="3", what_led="A fall")
    assert decoded.answers == {"what_led": "A fall"}
    assert not decoded.problems


def test_blank_rows_close_up_and_too_many_are_refused(
    caf: FormDefinition,
    options: Options,
) -> None:
    decoded = post(caf, "people_present", options, present__0__name=" ", present__2__name="Ada")
    assert decoded.answers == {"present": [{"name": "Ada"}]}
    assert decoded.posted["present.0.name"] == ["Ada"]
    many = {f"present__{number}__name": "Ada" for number in range(31)}
    messages = [p.message for p in post(caf, "people_present", options, **many).problems]
    assert messages == ["“Who was there?” can have at most 30 entries."]


def test_a_mistake_in_a_row_names_its_field(caf: FormDefinition, options: Options) -> None:
    decoded = post(caf, "services", options, working_with__0__when="x", working_with__0__since="x")
    assert [p.field for p in decoded.problems] == ["working_with.0.when", "working_with.0.since"]


def test_what_is_typed_is_saved_without_the_rest_of_the_page(
    caf: FormDefinition,
    options: Options,
) -> None:
    section = section_of(caf, "people_present")
    kept: SectionAnswers = {
        "assessed_on": "2026-12-03",
        "present": [{"name": "Ada"}, {"name": "Bo"}],
    }
    posted = {
        "present.1.role": ["Aunt"],
        "present.0.name": [""],
        "assessed_on-day": ["4"],
        "assessed_on-month": ["12"],
        "assessed_on-year": ["2026"],
    }
    decoded = decode_changes(caf, section, kept, posted, options)
    assert not decoded.problems
    # The emptied row keeps its place: the page still calls the other one number 1.
    assert decoded.answers == {
        "assessed_on": "2026-12-04",
        "present": [{}, {"name": "Bo", "role": "Aunt"}],
    }


def test_a_saved_word_survives_a_mistake_beside_it(caf: FormDefinition, options: Options) -> None:
    section = section_of(caf, "health")
    kept: SectionAnswers = {"general_health": {"needs": "Sleep"}}
    posted = {"general_health.strengths": ["x" * 5_000]}
    decoded = decode_changes(caf, section, kept, posted, options)
    assert "at most 4,000 characters. You wrote 5,000" in decoded.problems[0].message
    assert without_problems(section, decoded, kept) == kept


def test_agencies_must_be_on_the_page_and_on_one_side_only(
    caf: FormDefinition,
    options: Options,
) -> None:
    decoded = post(caf, "agreement", options, share="yes", share_with=["trust", "stranger"])
    assert "on this page" in decoded.problems[0].message
    decoded = post(
        caf, "agreement", options, share="yes", share_with=["trust"], not_share_with=["trust"]
    )
    assert [p.field for p in decoded.problems] == ["not_share_with"]
    assert "Untick one" in decoded.problems[0].message


def test_an_agreement_cannot_end_before_it_begins(caf: FormDefinition, options: Options) -> None:
    fields: dict[str, str | list[str]] = {"from": "2026-12-03", "until": "2026-12-02"}
    decoded = post(caf, "agreement", options, share="yes", **fields)
    assert "is before “From which date?”" in decoded.problems[0].message


def test_a_page_with_thousands_of_fields_is_refused(caf: FormDefinition, options: Options) -> None:
    decoded = post(caf, "names", options, **{f"x{number}": "" for number in range(2_001)})
    assert len(decoded.problems) == 1
    assert "at most 2,000 fields" in decoded.problems[0].message


def test_answers_of_the_whole_form_come_back_as_they_went(
    caf: FormDefinition,
    options: Options,
    full: Answers,
) -> None:
    assert not check_answers(caf, full)
    for section in caf.sections:
        fields = flatten_section(section, full[section.key])
        decoded = decode_section(caf, section, fields, options)
        assert not decoded.problems
        assert decoded.answers == full[section.key]


# Random answers -----------------------------------------------------------------------------------

WORDS = st.text(min_size=1, max_size=60)
LINES = WORDS.map(clean_line).filter(bool).map(lambda text: unicodedata.normalize("NFC", text))
PARAGRAPHS = WORDS.map(clean_paragraphs).filter(bool)
PLAIN: Mapping[Kind, st.SearchStrategy[Cell]] = {
    Kind.SHORT_TEXT: LINES,
    Kind.LONG_TEXT: PARAGRAPHS,
    Kind.DATE: st.dates().filter(lambda day: 1900 <= day.year <= 2200).map(lambda d: d.isoformat()),
    Kind.EMAIL: st.just("a@example.org"),
    Kind.TELEPHONE: st.just("020 7946 0123"),
    Kind.POSTCODE: st.sampled_from(["SM1 1AA", "M1 1AE"]),
    Kind.NHS_NUMBER: st.sampled_from(["9990548609", "9990000018"]),
    Kind.UPN: st.just("R999999926001"),
}


def cells(question: Question) -> st.SearchStrategy[Cell]:
    if question.kind in {Kind.YES_NO, Kind.CHOICE} and question.choices_from is None:
        return st.sampled_from(sorted(values_of(question)))
    if question.kind is Kind.CHOICES and question.choices_from is None:
        values = st.sampled_from(sorted(values_of(question)))
        return st.lists(values, min_size=1, unique=True)
    limited = PLAIN.get(question.kind, st.just("mother"))
    return limited.filter(lambda text: len(text) <= question.longest)


def values(question: Question) -> st.SearchStrategy[Value]:
    if question.kind is Kind.ELEMENT:
        views = st.lists(st.sampled_from([v.value for v in CAF.views]), min_size=1, unique=True)
        parts = dict.fromkeys(("strengths", "needs", "evidence"), PARAGRAPHS)
        whole = st.fixed_dictionaries({}, optional={**parts, "whose_view": views})
        return whole.filter(bool)
    if question.columns:
        row = st.fixed_dictionaries({}, optional={c.key: cells(c) for c in question.columns})
        return st.lists(row.filter(bool), min_size=1, max_size=4)
    return cells(question)


ASKED = [section for section in CAF.sections if section.key not in {"agreement", "review"}]


def answers_of(section: Section) -> st.SearchStrategy[tuple[Section, SectionAnswers]]:
    answers = st.fixed_dictionaries({}, optional={q.key: values(q) for q in section.questions})
    return st.tuples(st.just(section), answers)


@given(st.sampled_from(ASKED).flatmap(answers_of))
def test_any_answers_come_back_as_they_went(said: tuple[Section, SectionAnswers]) -> None:
    section, answers = said
    assert not check_section(section, answers, CAF.views)
    decoded = decode_section(CAF, section, flatten_section(section, answers), {})
    assert not decoded.problems
    assert decoded.answers == answers
    assert decode_changes(CAF, section, answers, {}, {}).answers == answers


NAMES = st.sampled_from(
    [
        name
        for section in CAF.sections
        for question in section.questions
        for name in (question.key, f"{question.key}.0.name", f"{question.key}-day")
    ]
)


@given(
    st.sampled_from(CAF.sections),
    st.dictionaries(NAMES | st.text(max_size=20), st.lists(st.text(), max_size=3), max_size=8),
)
def test_whatever_is_posted_is_read_or_said(section: Section, posted: dict[str, list[str]]) -> None:
    decoded = decode_section(CAF, section, posted, {})
    assert all(problem.message.endswith(".") for problem in decoded.problems)
    kept = without_problems(section, decoded, {})
    assert not check_section(section, kept, CAF.views)
