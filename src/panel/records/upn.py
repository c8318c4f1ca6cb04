"""The unique pupil number: a check letter and twelve characters (DfE, guide to UPNs).

The check letter, the local authority (3 digits), the school (4 digits), the year (2 digits) and a
serial of 3 digits, the last of which is a letter in a temporary number. For education only: other
agencies do not see it (DOMAIN.md).
"""

from __future__ import annotations

import re

_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


class WrongUpn(ValueError):
    """What was given is no UPN; its text says why, without repeating it."""


def upn(given: str) -> str:
    """A UPN in capitals without spaces. Raises `WrongUpn` for one that cannot be right."""
    text = re.sub(r"\s", "", given).upper()
    if not re.fullmatch(r"[A-Z][0-9]{11}[0-9A-Z]", text):
        raise WrongUpn("A UPN is a letter and 12 digits, such as the school's register shows.")
    if text[12].isalpha() and text[12] not in _LETTERS:
        raise WrongUpn("A temporary UPN does not end in I, O or S. Check it with the school.")
    if check_letter(text[1:]) != text[0]:
        raise WrongUpn(
            "This is not a UPN: its first letter does not fit the digits. Check it with the school."
        )
    return text


def check_letter(rest: str) -> str:
    """The check letter of the twelve characters after it, modulus 23."""
    values = (int(c) if c.isdigit() else _LETTERS.index(c) for c in rest)
    return _LETTERS[sum(weight * value for weight, value in enumerate(values, start=2)) % 23]
