"""On which basis and under which law a look was, from its event in the access history.

The event keeps a basis for each category and the law of each basis (`consent.recorded`); a reader
wants one line. Events from before the law was recorded tell the basis alone.
"""

from collections.abc import Mapping
from typing import Any

from consent import Basis, Category, Lawful, lawful_words, read_recorded
from panel.records.judgements import LAW
from panel.web.words import upper_first

BASIS_WORDS: Mapping[str, str] = {
    Basis.COURT_ORDER: "a court’s order opened it",
    Basis.SAFEGUARDING: "a safeguarding enquiry or override opened it",
    Basis.DUTY: "a duty opened it",
    Basis.AGREEMENT: "the family agreed to share it",
    Basis.OWN_RECORD: "it was their own record",
}
"""On what a look rested, in the order in which it is told."""
NOTHING_OPENED = "Nothing was opened: all of it was withheld."


def basis_line(decisions: Mapping[str, Any], duties: Mapping[str, str]) -> str:
    """Each basis of a look with its law, as sentences on one line; "" for one that was refused.

    `duties` has the words of each statutory duty, by its code.
    """
    if "refused" in decisions:
        return ""
    of_basis: dict[str, list[Category]] = {}
    for category in Category:
        basis = decisions.get(category.value)
        if isinstance(basis, str) and basis in BASIS_WORDS:
            of_basis.setdefault(basis, []).append(category)
    law: Mapping[str, str] = decisions.get(LAW) or {}
    told = [
        _sentences(BASIS_WORDS[basis], _laws(law, basis, of_basis[basis]), duties)
        for basis in BASIS_WORDS
        if basis in of_basis
    ]
    return " ".join(told) or NOTHING_OPENED


def _laws(law: Mapping[str, str], basis: str, categories: list[Category]) -> list[Lawful]:
    """The laws of one basis: what differs by category alone is told once, at its widest."""
    widest: dict[tuple[str, str, str], Lawful] = {}
    for category in categories:
        one = read_recorded(law, basis, category)
        if one is None:
            continue
        key = (one.article6, one.confidence, one.gateway)
        known = widest.get(key, one)
        widest[key] = Lawful(
            one.article6,
            known.article9 or one.article9,
            "",
            one.confidence,
            one.gateway,
            tuple(sorted({*known.under, *one.under})),
        )
    return list(widest.values())


def _sentences(because: str, laws: list[Lawful], duties: Mapping[str, str]) -> str:
    if not laws:
        return f"{upper_first(because)}."
    named = list(dict.fromkeys(duties.get(one.gateway, "") for one in laws))
    by_name = ", ".join(one.rstrip(".") for one in named if one)
    opened = f"{upper_first(because)}{f': {by_name}' if by_name else ''}."
    return " ".join([opened, *dict.fromkeys(lawful_words(one) for one in laws)])
