"""Taking an NHS number as people write it, and refusing what cannot be one."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from panel.records.nhs_number import WrongNhsNumber, check_digit, nhs_number, nhs_number_words


@pytest.mark.parametrize(
    "written", ["9990548609", "999 054 8609", "999-054-8609", " 999\u00a0054\u20118609 "]
)
def test_a_number_is_taken_as_people_write_it(written: str) -> None:
    assert nhs_number(written) == "9990548609"


def test_it_is_shown_in_threes_and_four() -> None:
    assert nhs_number_words("9990548609") == "999 054 8609"


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", "10 digits"),
        ("999054860", "10 digits"),
        ("99905486099", "10 digits"),
        ("999O548609", "10 digits"),
        ("٩٩٩٠٥٤٨٦٠٩", "10 digits"),
        ("0000000000", "never the same digit"),
        ("9999999999", "never the same digit"),
        ("9990548608", "a digit is wrong or two have changed places"),
        ("9990548690", "a digit is wrong or two have changed places"),
    ],
)
def test_what_cannot_be_one_is_refused_without_repeating_it(written: str, sentence: str) -> None:
    with pytest.raises(WrongNhsNumber, match=sentence) as refused:
        nhs_number(written)
    assert not written or written not in str(refused.value)


def test_nine_digits_whose_check_would_be_ten_begin_no_number() -> None:
    # 10 + 2: the weights of the first and last of nine digits sum to 12, which leaves 1; 11 - 1.
    assert check_digit("100000001") == 10
    for last in "0123456789":
        with pytest.raises(WrongNhsNumber):
            nhs_number("100000001" + last)


@given(st.text("0123456789", min_size=6, max_size=6), st.integers(0, 9), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(middle: str, position: int, change: int) -> None:
    check = check_digit("999" + middle)
    assume(check < 10)
    right = f"999{middle}{check}"
    assume(len(set(right)) > 1)
    assert nhs_number(right) == right
    wrong = str((int(right[position]) + change) % 10)
    with pytest.raises(WrongNhsNumber):
        nhs_number(right[:position] + wrong + right[position + 1 :])


@given(st.text(max_size=30))
def test_any_text_is_ten_digits_or_refused(text: str) -> None:
    try:
        taken = nhs_number(text)
    except WrongNhsNumber:
        return
    assert len(taken) == 10
