"""An authority adds a form as data: what cannot be used is refused in sentences."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.assessments.definitions import (
    FormDefinition,
    FormRefused,
    built_in_forms,
    decode_form,
    encode_form,
    problems_of_next_version,
)

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def small_form(**changes: Any) -> dict[str, Any]:
    return {
        "key": "visit",
        "version": 1,
        "title": "Home visit",
        "views": [{"value": "child", "label": "{child}"}],
        "sections": [
            {
                "key": "visit",
                "title": "The visit",
                "group": "Visit",
                "category": "family",
                "questions": [
                    {"key": "seen", "kind": "yes_no", "label": "Was {child} seen?"},
                    {
                        "key": "why_not",
                        "kind": "long_text",
                        "label": "Why not?",
                        "show_if": {"question": "seen", "is_one_of": ["no"]},
                    },
                ],
            }
        ],
        **changes,
    }


def with_question(**question: Any) -> dict[str, Any]:
    form = small_form()
    form["sections"][0]["questions"].append({"key": "extra", "label": "Extra?", **question})
    return form


def refusal(form: dict[str, Any]) -> str:
    with pytest.raises(FormRefused) as refused:
        decode_form(json.dumps(form))
    for problem in refused.value.problems:
        assert problem[0].isupper() or problem[0] == "“"
        assert problem.endswith(".")
    return "\n".join(refused.value.problems)


def test_a_small_form_is_taken() -> None:
    form = decode_form(json.dumps(small_form()))
    assert form.section("visit") is form.section_at("visit")
    assert decode_form(encode_form(form)) == form


def test_a_key_is_used_once() -> None:
    form = small_form()
    form["sections"].append(form["sections"][0])
    assert "“visit” is used twice: the key of each section" in refusal(form)
    assert "“seen” is used twice" in refusal(with_question(kind="date", key="seen"))


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"kind": "choice"}, "needs either choices of its own or a place they come from"),
        ({"kind": "date", "choices_from": "family"}, "so it has no choices"),
        ({"kind": "choice", "choices": [{"value": "A B", "label": "x"}]}, "“A B” is not one"),
        (
            {"kind": "date", "show_if": {"question": "later", "is_one_of": ["no"]}},
            "“later”, which is not an earlier question",
        ),
        (
            {"kind": "date", "show_if": {"question": "extra", "is_one_of": ["no"]}},
            "“extra”, which is not an earlier question",
        ),
        (
            {"kind": "date", "show_if": {"question": "seen", "is_one_of": ["maybe"]}},
            "an answer that “seen” cannot have",
        ),
        (
            {"kind": "date", "show_if": {"question": "why_not", "is_one_of": ["x"]}},
            "can only depend on a yes or no",
        ),
        ({"kind": "date", "not_before": "seen"}, "an earlier date question"),
        ({"kind": "date", "apart_from": "seen"}, "apart from earlier choices"),
        ({"kind": "rows"}, "needs columns, and a name for one row"),
        ({"kind": "date", "row_name": "x"}, "no columns and no row name"),
        (
            {
                "kind": "people",
                "row_name": "person",
                "columns": [{"key": "e", "kind": "element", "label": "E"}],
            },
            "cannot be an element",
        ),
        ({"kind": "date", "max_length": 5}, "is not a text"),
        ({"kind": "long_text", "max_length": 0}, "between 1 and 20,000"),
        ({"kind": "date", "hint": "Ask {name}"}, "“{name}”"),
        ({"kind": "date", "label": " "}, "needs a label"),
        ({"kind": "date", "key": "Not a key"}, "must be small letters"),
        ({"kind": "date", "key": "version"}, "needs another key"),
        ({"kind": "poem"}, "The form cannot be read: Invalid enum value 'poem'"),
        ({"kind": "date", "colour": "red"}, "unknown field `colour`"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(
    question: dict[str, Any], sentence: str
) -> None:
    assert sentence in refusal(with_question(**question))


def test_a_category_that_is_not_known_is_refused() -> None:
    form = small_form()
    form["sections"][0]["category"] = "gossip"
    assert "gossip" in refusal(form)


def test_agreement_must_be_last_and_groups_together() -> None:
    base = small_form()["sections"][0]
    sections = [
        {**base, "key": "one", "step": "agreement"},
        {**base, "key": "two", "group": "Other"},
        {**base, "key": "three"},
    ]
    said = refusal(small_form(sections=sections))
    assert "“one” must be the last section" in said
    assert "group “Visit” must stand together" in said


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b'{"key": "x"}', "null"])
def test_what_is_no_form_is_refused_in_a_sentence(data: bytes | str) -> None:
    with pytest.raises(FormRefused, match="The form cannot be read"):
        decode_form(data)


@given(junk=JUNK, where=st.sampled_from(["key", "title", "version", "views", "sections"]))
def test_whatever_stands_in_a_form_it_is_taken_or_refused(junk: Any, where: str) -> None:
    try:
        form = decode_form(json.dumps(small_form(**{where: junk})))
    except FormRefused:
        return
    assert decode_form(encode_form(form)) == form


def test_the_next_version_keeps_what_a_key_means() -> None:
    first = decode_form(json.dumps(small_form()))
    changed = small_form(version=2)
    changed["sections"][0]["questions"][1]["kind"] = "date"
    second = decode_form(json.dumps(changed))
    assert "was answered as long_text and cannot become date" in "".join(
        problems_of_next_version(first, second)
    )
    renamed = decode_form(json.dumps(small_form(key="call", version=5)))
    assert len(list(problems_of_next_version(first, renamed))) == 2
    assert not list(problems_of_next_version(first, msgspec.structs.replace(first, version=2)))


def test_the_forms_that_come_with_panel_can_all_be_used() -> None:
    forms = built_in_forms()
    assert all(isinstance(form, FormDefinition) for form in forms)
    assert len({(form.key, form.version) for form in forms}) == len(forms) >= 1
