"""What a page says in the place of something withheld."""

from __future__ import annotations

from consent.model import Basis, Category, Decision
from consent.words import SECTION_WORDS


def explain(decision: Decision, category: Category, child_words: str) -> str:
    """The sentences for a withheld section; empty where it is permitted or silent.

    `child_words` is how the page calls the child ("Amina", or "this child" where even the name is
    withheld). PAGES.md: "You cannot see the health section. Her mother has not agreed to share it
    with your agency (since 3 May 2026)."
    """
    if decision.permitted or decision.silent:
        return ""
    cannot = f"You cannot see the {SECTION_WORDS[category]} section."
    if decision.basis is Basis.NO_TIE:
        return f"{cannot} You are not part of {_possessive(child_words)} record for this purpose."
    return f"{cannot} {decision.reasons[0]}"


def _possessive(words: str) -> str:
    return f"{words}'" if words.endswith("s") else f"{words}'s"
