"""The NHS number: ten digits, the last of which checks the others (NHS Data Dictionary)."""

from __future__ import annotations

import re

_WEIGHTS = range(10, 1, -1)


class WrongNhsNumber(ValueError):
    """What was given is no NHS number; its text says why, without repeating it."""


def nhs_number(given: str) -> str:
    """The ten digits of an NHS number as written with spaces, dashes or neither.

    Raises `WrongNhsNumber` for one that cannot be right. Valid is not verified: whether it is
    this child's, only the Personal Demographics Service can tell.
    """
    digits = re.sub(r"[\s‐-―−-]", "", given)
    if not re.fullmatch(r"[0-9]{10}", digits):
        raise WrongNhsNumber("An NHS number has 10 digits. Check it against a letter or the GP.")
    if len(set(digits)) == 1:
        raise WrongNhsNumber("An NHS number is never the same digit ten times. Leave it empty.")
    if check_digit(digits[:9]) != int(digits[9]):
        raise WrongNhsNumber(
            "This is not an NHS number: a digit is wrong or two have changed places. "
            "Check it against a letter or the GP."
        )
    return digits


def check_digit(first_nine: str) -> int:
    """The check digit of nine digits, modulus 11; 10 means that no NHS number begins with them."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first_nine, strict=True))
    return (11 - total % 11) % 11


def nhs_number_words(digits: str) -> str:
    """An NHS number as people read it: "999 054 8609"."""
    return f"{digits[:3]} {digits[3:6]} {digits[6:]}"
