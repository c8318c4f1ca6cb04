"""Several things that are not shown, told together: one sentence for each reason."""

from collections.abc import Mapping, Sequence

from consent import Category
from panel.records.gate import Withheld
from panel.web.words import in_a_row


def hidden_words(
    hidden: Sequence[Withheld], titles: Mapping[Category, str], said: str
) -> tuple[str, ...]:
    """What others wrote that is withheld, and why: who decided, on which basis, since when.

    `said` has a place for what it is about: "Events about {} are recorded that you cannot see."
    Silence is kept.
    """
    together: dict[str, list[str]] = {}
    for one in hidden:
        if not one.silent:
            together.setdefault(one.why, []).append(titles[one.category].lower())
    return tuple(f"{said.format(in_a_row(about))} {why}".strip() for why, about in together.items())
