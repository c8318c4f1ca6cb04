"""The NHS number: ten digits, the last of which checks the others (NHS Data Dictionary)."""

from __future__ import annotations

import re

from interop.nhs_number import check_digit, is_possible

__all__ = ["WrongNhsNumber", "check_digit", "nhs_number", "nhs_number_words"]


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
    if not is_possible(digits):
        raise WrongNhsNumber(
            "This is not an NHS number: a digit is wrong or two have changed places. "
            "Check it against a letter or the GP."
        )
    return digits


def nhs_number_words(digits: str) -> str:
    """An NHS number as people read it: "999 054 8609"."""
    return f"{digits[:3]} {digits[3:6]} {digits[6:]}"
