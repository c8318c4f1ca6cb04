"""What published figures come to, in sentences: pure, and made of published cells alone.

A sentence never says more than the figures bear: areas with the same published number are said to
have the same, and where fewer than three areas have a number, no three are named.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from panel.insight.core.cells import Cell
from panel.insight.core.table import TableDef
from panel.insight.core.words import EVERY, NOT_SAID, lower_first
from panel.insight.saying import Areas, code_words, value_words
from panel.web.words import in_a_row, plural

NAMED = 3


@dataclass(frozen=True, slots=True)
class Most:
    """The cells with the highest numbers, and how many more have as much as the last of them."""

    cells: tuple[Cell, ...]
    as_much: tuple[Cell, ...]


def at(cells: Iterable[Cell], *codes: str | None) -> tuple[Cell, ...]:
    """The cells with these codes; None stands for each code but "all"."""
    return tuple(
        one
        for one in cells
        if all(
            have != EVERY if want is None else have == want
            for have, want in zip(one.cell, codes, strict=True)
        )
    )


def most(cells: Iterable[Cell], called: Callable[[Cell], str], named: int = NAMED) -> Most:
    """The highest of those that show some; of equals the first by name."""
    some = [(one.value, one) for one in cells if one.value is not None and one.value > 0]
    ranked = [one for _, one in sorted(some, key=lambda pair: (-pair[0], called(pair[1])))]
    first = tuple(ranked[:named])
    rest = ranked[named:]
    last = first[-1].value if first else None
    return Most(first, tuple(one for one in rest if one.value == last))


def where_most(
    table: TableDef, cells: Iterable[Cell], areas: Areas, lacks: str
) -> tuple[Most, tuple[str, ...]]:
    """The three areas with the most in these cells, and the sentences that say so.

    `lacks` says what children lack, to go on after "Most children lack".
    """

    def called(one: Cell) -> str:
        return areas.called(one.cell[0])

    found = most(cells, called)
    if len(found.cells) < NAMED:
        return found, (
            f"There are too few published figures to name three areas where children lack {lacks}.",
        )
    named = in_a_row(f"{called(one)} ({value_words(table, one)})" for one in found.cells)
    said = [f"Most children lack {lacks} in {named}."]
    if found.as_much:
        others = in_a_row(called(one) for one in found.as_much)
        has = "has" if len(found.as_much) == 1 else "have"
        said.append(f"{others} {has} the same figure as {called(found.cells[-1])}.")
    return found, tuple(said)


def highest_sentence(
    table: TableDef, cells: Sequence[Cell], areas: Areas, dim: str, begin: str
) -> str:
    """Which code of a dimension has the highest number, as a sentence; "" where none has any."""
    place = table.dims.index(dim)

    def called(one: Cell) -> str:
        return code_words(table, dim, one.cell[place], areas)

    found = most((one for one in cells if one.cell[place] != NOT_SAID), called, named=1)
    if not found.cells:
        return ""
    first = found.cells[0]
    named = in_a_row(map(called, (first, *found.as_much)))
    return f"{begin}: {lower_first(named)} ({value_words(table, first)})."


def lacked_most(kinds: Iterable[Cell], lacks: Callable[[str], str]) -> str:
    """What most children lack, as a sentence; "" where no kind has a number.

    The kind is the last of each cell's codes; `lacks` puts it into words: "a short break".
    """
    found = most(kinds, lambda one: lacks(one.cell[-1]), named=1)
    if not found.cells:
        return ""
    named = in_a_row(lacks(one.cell[-1]) for one in (*found.cells, *found.as_much))
    many = plural(int(found.cells[0].value or 0), "child", "children")
    return f"What most children lack is {named}: {many}."


@dataclass(frozen=True, slots=True)
class Gap:
    """One kind of service: who lacks it, what there is, and how full that is."""

    kind: str
    lacking: Cell | None
    places: Cell | None
    use: Cell | None


def gaps(lacking: Iterable[Cell], places: Iterable[Cell], use: Iterable[Cell]) -> tuple[Gap, ...]:
    """Kinds of service by how many children lack one, most first. Cells are of the whole area.

    The kind is the last of each cell's codes.
    """
    there = {one.cell[-1]: one for one in places}
    full = {one.cell[-1]: one for one in use}
    short = {one.cell[-1]: one for one in lacking}
    kinds = [one for one in {**short, **there} if one != EVERY]

    def height(kind: str) -> tuple[Decimal, str]:
        value = short[kind].value if kind in short else None
        return -(value if value is not None else Decimal(-1)), kind

    return tuple(
        Gap(kind, short.get(kind), there.get(kind), full.get(kind))
        for kind in sorted(kinds, key=height)
    )


def gap_sentence(table: TableDef, found: Sequence[Gap], areas: Areas) -> str:
    """The service that most children lack, as a sentence."""
    first = next(
        (one for one in found if one.lacking and one.lacking.value and one.lacking.value > 0), None
    )
    if first is None or first.lacking is None:
        return "No kind of service has a published figure of children who lack it."
    kind = lower_first(code_words(table, "kind", first.kind, areas))
    said = f"Most children lack a service of the kind “{kind}”: {value_words(table, first.lacking)}"
    # No places known is not the same as no places.
    if first.places is not None and first.places.value:
        there = plural(int(first.places.value), "place")
        return f"{said}. There {'is' if first.places.value == 1 else 'are'} {there} of it."
    return f"{said}."
