"""Taking a unique pupil number, and refusing what cannot be one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.records.upn import WrongUpn, check_letter, upn


def test_a_upn_is_taken_as_people_write_it() -> None:
    # By hand: 8x2 + 0x3 + 1x4 + 2x5 + 0 + ... + 1x10 + 0 + 0 + 1x13 = 53; 53 mod 23 = 7; H.
    assert check_letter("801200001001") == "H"
    assert upn(" h801 2000 01001 ") == "H801200001001"


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", "a letter and 12 digits"),
        ("H80120000100", "a letter and 12 digits"),
        ("1801200001001", "a letter and 12 digits"),
        ("A801200001001", "first letter does not fit"),
        ("H801200001002", "first letter does not fit"),
        ("H80120000100S", "does not end in I, O or S"),
    ],
)
def test_what_cannot_be_one_is_refused(written: str, sentence: str) -> None:
    with pytest.raises(WrongUpn, match=sentence):
        upn(written)


@given(st.from_regex(r"[0-9]{11}[0-9A-HJ-NP-RT-Z]", fullmatch=True))
def test_every_rest_has_one_letter_that_fits(rest: str) -> None:
    fitting = []
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        try:
            fitting.append(upn(letter + rest))
        except WrongUpn:
            continue
    assert fitting == [check_letter(rest) + rest]
