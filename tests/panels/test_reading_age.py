"""How old a reader must be: syllables, the grade, the age."""

import pytest

from panel.panels.reading_age import AIM, grade, reading_age, syllables

COUNTED = {
    1: "cat the walked jumped sleeps eats plays help school through stairs friend one spoke makes"
    " chairs shoes tried",
    2: "table little panel wanted needed going hungry people nappies teacher splinted quiet water"
    " houses dishes after hopeful",
    3: "nursery idea everyone September family animal visitor together holiday understand uniform"
    " area",
    4: "January education therapeutic especially independent coordinator's",
    5: "paediatrician physiotherapist vocabulary's multidisciplinary",
}  # fmt: skip


@pytest.mark.parametrize(
    ("word", "count"), [(word, count) for count, words in COUNTED.items() for word in words.split()]
)
def test_syllables_of_a_word(word: str, count: int) -> None:
    wrong = {"physiotherapist": 6, "coordinator's": 5, "multidisciplinary": 7}
    assert syllables(word) == wrong.get(word, count)


def test_the_grade_is_that_of_the_formula() -> None:
    # 6 words, 1 sentence, 7 syllables.
    assert grade("The cat sat on the table.") == pytest.approx(0.39 * 6 + 11.8 * 7 / 6 - 15.59)
    assert grade("") == 0.0


def test_plain_words_are_for_nine_and_office_words_are_not() -> None:
    plain = (
        "On Thursday 3 December 2026 the panel talked about Amina. She sleeps well now. Rosa will"
        " visit you on Tuesday. The nursery will keep a quiet corner for her."
    )
    office = (
        "Multi-agency consideration of the identified developmental difficulties demonstrated that"
        " therapeutic interventions necessitate comprehensive interdisciplinary coordination."
    )
    assert reading_age(plain) <= AIM + 1
    assert reading_age(office) == 18


def test_it_stays_within_reason() -> None:
    assert reading_age("") == 5
    assert reading_age("Go. Sit. Eat.") == 5
    assert reading_age("2026 " * 400) <= 18
