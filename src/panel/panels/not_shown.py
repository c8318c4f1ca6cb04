"""What a page says that it does not show: categories withheld for one reason stand together."""

from collections.abc import Sequence
from dataclasses import dataclass

from panel.records.gate import Withheld
from panel.web.words import in_a_row, lower_first


@dataclass(frozen=True, slots=True)
class NotShown:
    """Some categories, and why the reader does not see them."""

    sentence: str
    category: str
    """The first of the categories, as the sharing page's anchor names it."""


def grouped(withheld: Sequence[tuple[str, Withheld]]) -> list[NotShown]:
    """One entry for each reason, in the order given; a category alone keeps its own sentence."""
    together: dict[str, list[tuple[str, Withheld]]] = {}
    for title, one in withheld:
        together.setdefault(one.why or one.sentence, []).append((title, one))
    return [_not_shown(why, entries) for why, entries in together.items()]


def _not_shown(why: str, entries: Sequence[tuple[str, Withheld]]) -> NotShown:
    first = entries[0][1]
    if len(entries) == 1:
        return NotShown(first.sentence, first.category.value)
    titles = in_a_row(lower_first(title) for title, _ in entries)
    return NotShown(f"You cannot see what others wrote about {titles}. {why}", first.category.value)
