"""A draft is edited step by step: never wrong, never lost, and the same again out of its file."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import Category
from panel.assessments import editing
from panel.assessments.definitions import (
    FormDefinition,
    FormRefused,
    Kind,
    Question,
    Section,
    ShowIf,
    built_in_forms,
    circles,
    problems_of_form,
)
from panel.assessments.editor_forms import QuestionForm
from panel.assessments.form_files import LARGEST_FILE, read_form_file, write_form

KEYS = st.sampled_from(["one", "two", "three", "four"])
CONDITIONS = st.none() | st.builds(ShowIf, KEYS, st.just(("yes",)))
QUESTIONS = st.builds(
    Question,
    key=KEYS,
    kind=st.just(Kind.YES_NO),
    label=st.sampled_from(["Is it?", "Was it?", "{child}?"]),
    show_if=CONDITIONS,
    required_at_sign_off=st.booleans(),
)
DIRECTIONS = st.sampled_from(["up", "down"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), QUESTIONS),
        st.tuples(st.just("change"), QUESTIONS),
        st.tuples(st.just("remove"), KEYS),
        st.tuples(st.just("move"), st.tuples(KEYS, DIRECTIONS)),
    ),
    max_size=25,
)


def empty() -> FormDefinition:
    section = Section("visit", "The visit", "Visit", Category.FAMILY, ())
    return editing.add_section(editing.new_form("visit", "Home visit"), section)


def step(form: FormDefinition, what: str, given_: Any) -> FormDefinition:
    if what == "add":
        return editing.add_question(form, "visit", given_)
    if what == "change":
        return editing.change_question(form, "visit", given_)
    if what == "remove":
        return editing.remove_question(form, "visit", given_)
    return editing.move_question(form, "visit", *given_)


@given(steps=STEPS)
def test_no_steps_ever_make_a_circle_or_a_wrong_form(steps: list[tuple[str, Any]]) -> None:
    form = empty()
    for what, given_ in steps:
        with contextlib.suppress(FormRefused):
            form = step(form, what, given_)
        questions = form.sections[0].questions
        assert not list(circles(questions))
        assert not set(problems_of_form(form)) - set(editing.unfinished(form))
    if form.sections[0].questions:
        assert read_form_file(write_form(form)) == form


@given(steps=STEPS, version=st.integers(min_value=1, max_value=10**6))
def test_what_is_exported_comes_in_as_it_was(steps: list[tuple[str, Any]], version: int) -> None:
    form = empty()
    for what, given_ in steps:
        with contextlib.suppress(FormRefused):
            form = step(form, what, given_)
    form = msgspec.structs.replace(form, version=version)
    with contextlib.suppress(FormRefused):
        editing.require_right(form, ())
        assert read_form_file(write_form(form)) == form


@pytest.mark.parametrize("form", built_in_forms(), ids=lambda form: f"{form.key} {form.version}")
def test_every_form_that_comes_with_panel_is_a_file(form: FormDefinition) -> None:
    assert read_form_file(write_form(form)) == form


def filled() -> FormDefinition:
    form = editing.add_question(empty(), "visit", Question("one", Kind.YES_NO, "Is it?"))
    two = Question("two", Kind.YES_NO, "And so?", show_if=ShowIf("one", ("yes",)))
    return editing.add_question(form, "visit", two)


def refusal(form: FormDefinition, what: str, given_: Any) -> str:
    with pytest.raises(FormRefused) as refused:
        step(form, what, given_)
    return " ".join(refused.value.problems)


@pytest.mark.parametrize(
    ("what", "given_", "sentence"),
    [
        (
            "change",
            Question("one", Kind.YES_NO, "Is it?", show_if=ShowIf("two", ("yes",))),
            "depend on each other in a circle: “one” on “two” on “one”",
        ),
        (
            "change",
            Question("two", Kind.YES_NO, "So?", show_if=ShowIf("two", ("yes",))),
            "in a circle: “two” on “two”",
        ),
        (
            "add",
            Question("three", Kind.YES_NO, "So?", show_if=ShowIf("gone", ("yes",))),
            "depending on “gone”, which is not an earlier question",
        ),
        ("add", Question("one", Kind.DATE, "When?"), "“one” is used twice"),
        ("remove", "one", "depending on “one”, which is not an earlier question"),
        ("move", ("two", "up"), "depending on “one”, which is not an earlier question"),
        ("move", ("one", "down"), "depending on “one”, which is not an earlier question"),
        ("add", Question("x", Kind.CHOICE, "Which?"), "needs either choices of its own"),
    ],
)
def test_a_step_that_would_make_it_wrong_is_a_sentence(
    what: str, given_: Any, sentence: str
) -> None:
    form = filled()
    assert sentence in refusal(form, what, given_)
    assert form == filled()


def test_a_circle_of_three_is_named_once() -> None:
    asked = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]
    questions = tuple(
        Question(key, Kind.YES_NO, "?", show_if=ShowIf(on, ("yes",))) for key, on in asked
    )
    assert list(circles(questions)) == [("a", "b", "c", "a")]


def test_sections_move_in_their_group_and_then_with_it() -> None:
    form = empty()
    for key, group in (("second", "Visit"), ("plan", "Plan")):
        section = Section(key, key, group, Category.PLAN, ())
        form = editing.add_section(form, section)

    def order(one: FormDefinition) -> list[str]:
        return [section.key for section in one.sections]

    assert order(editing.move_section(form, "second", "up")) == ["second", "visit", "plan"]
    assert order(editing.move_section(form, "plan", "up")) == ["plan", "visit", "second"]
    assert order(editing.move_section(form, "visit", "up")) == order(form)


def test_the_agreement_changes_its_words_only() -> None:
    caf = max((one for one in built_in_forms() if one.key == "caf"), key=lambda one: one.version)
    asked = caf.sections[-1].questions[0]
    words = msgspec.structs.replace(asked, label="Who says?")
    assert editing.change_question(caf, "agreement", words).sections[-1].questions[0] == words
    for what in (
        lambda: editing.remove_question(caf, "agreement", asked.key),
        lambda: editing.move_question(caf, "agreement", asked.key, "down"),
        lambda: editing.change_question(
            caf, "agreement", msgspec.structs.replace(asked, required_at_sign_off=False)
        ),
    ):
        with pytest.raises(FormRefused, match="decision about sharing"):
            what()


def test_choices_keep_what_old_answers_say() -> None:
    section = Section("visit", "The visit", "Visit", Category.FAMILY, ())
    first = QuestionForm(1, "Where?", Kind.CHOICE, choices="At home\nAt school").question(
        section, None
    )
    assert [one.value for one in first.choices] == ["at_home", "at_school"]
    lines = "at_home | At their home\nAt school\nElsewhere | x"
    later = QuestionForm(2, "Where?", choices=lines).question(section, first)
    assert [(one.value, one.label) for one in later.choices] == [
        ("at_home", "At their home"),
        ("at_school", "At school"),
        ("Elsewhere", "x"),
    ]
    with pytest.raises(FormRefused, match="“Elsewhere” is not one"):
        editing.add_question(empty(), "visit", later)


# Files -------------------------------------------------------------------------------------------


def file_of(**changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(write_form(filled()))
    told["form"] |= changes
    return told


def bad(change: str) -> bytes:
    told = file_of()
    section = told["form"]["sections"][0]
    if change == "later":
        told["format"] = 2
    elif change == "no category":
        del section["category"]
    elif change == "unknown category":
        section["category"] = "gossip"
    elif change == "twice":
        section["questions"][1]["key"] = "one"
    elif change == "circle":
        section["questions"][0]["show_if"] = {"question": "two", "is_one_of": ["yes"]}
    elif change == "missing":
        section["questions"][1]["show_if"]["question"] = "gone"
    elif change == "kind":
        section["questions"][1]["kind"] = "poem"
    elif change == "no label":
        del section["questions"][1]["label"]
    elif change == "no section":
        told["form"]["sections"] = ["x"]
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cannot be read as JSON"),
        (b"\xff", "cannot be read as JSON"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b"[]", "says no “format”"),
        (b'{"format": true}', "says no “format”"),
        (b'{"format": 1}', "holds no form"),
        (b" " * (LARGEST_FILE + 1), "larger than 1,000,000 bytes"),
        (bad("later"), "of a later version: its format is 2"),
        (bad("no category"), "Section 1 (“The visit”) has no information category"),
        (bad("unknown category"), "In section 1 (“The visit”): Invalid enum value 'gossip'"),
        (bad("twice"), "“one” is used twice"),
        (bad("circle"), "in a circle"),
        (bad("missing"), "depending on “gone”"),
        (bad("kind"), "In section 1 (“The visit”), question 2 (“And so?”): Invalid enum"),
        (bad("no label"), "question 2 (“two”): Object missing required field “label”"),
        (bad("no section"), "In section 1: it is no section"),
    ],
)
def test_a_bad_file_is_refused_in_sentences_that_name_where(content: bytes, sentence: str) -> None:
    with pytest.raises(FormRefused) as refused:
        read_form_file(content)
    assert any(sentence in problem for problem in refused.value.problems)
    assert all(problem.endswith(".") for problem in refused.value.problems)
