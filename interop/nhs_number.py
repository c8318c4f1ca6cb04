"""The rule of the NHS number, for whoever reads or writes one (NHS Data Dictionary)."""

from typing import Final

_WEIGHTS: Final = range(10, 1, -1)


def check_digit(first_nine: str) -> int:
    """The check digit of nine digits, modulus 11; 10 means that no NHS number begins with them."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first_nine, strict=True))
    return (11 - total % 11) % 11


def is_possible(digits: str) -> bool:
    """Whether this may be somebody's NHS number: ten digits, not all the same, the last fitting.

    Possible is not verified: whose it is, only the Personal Demographics Service can tell.
    """
    return (
        len(digits) == 10
        and digits.isascii()
        and digits.isdigit()
        and len(set(digits)) > 1
        and check_digit(digits[:9]) == int(digits[9])
    )
