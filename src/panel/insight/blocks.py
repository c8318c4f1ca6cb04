"""What pages of published figures are made of: a finding, its chart beside its table, ways on."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from panel.insight import charts
from panel.insight.charts import Chart
from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.cells import Cell, Note
from panel.insight.core.dimensions import AREA
from panel.insight.core.released import Finding
from panel.insight.core.table import TableDef
from panel.insight.core.words import period_words
from panel.insight.reading import Seen
from panel.insight.saying import (
    NOTES,
    Areas,
    cell_words,
    code_words,
    dim_words,
    in_order,
    unit,
    value_words,
)
from panel.web.words import in_a_row, number, upper_first

Links = tuple[tuple[str, str], ...]
NO_FIGURES = "This release has no figures for this."


@dataclass(frozen=True, slots=True)
class Block:
    """A finding: sentences, a chart beside its table, and where it goes on."""

    name: str
    heading: str
    sentences: tuple[str, ...] = ()
    caption: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numeric: tuple[int, ...] = ()
    chart: Markup | None = None
    alt: str = ""
    """What the chart shows, in words."""
    key: tuple[tuple[Markup, str], ...] = ()
    links: Links = ()


def table_address(key: str) -> str:
    """Where a table is read."""
    return f"/commissioning/tables/{key}"


def ways_on(seen: Seen, *keys: str) -> Links:
    """To the tables themselves, with their files."""
    return tuple(
        (
            f"{table_address(key)}?term={seen.head_of(key).period}",
            CATALOGUE[key].title,
        )
        for key in keys
    )


def of_another_term(seen: Seen, key: str) -> tuple[str, ...]:
    """That a table is of an earlier release, where it is."""
    head = seen.head_of(key)
    if head == seen.head:
        return ()
    return (f"This comes out once in three terms: the figures are of the {head.term}.",)


def by_height(cells: Iterable[Cell], called: Callable[[Cell], str]) -> list[Cell]:
    """The highest first, of equals by name; what is not shown last."""
    return sorted(cells, key=lambda one: (one.value is None, -(one.value or 0), called(one)))


def shows(one: Cell) -> bool:
    """Whether a cell has a number."""
    return one.value is not None


def left_out(cells: Iterable[Cell], called: Callable[[Cell], str]) -> tuple[str, ...]:
    """What has no number and why, in a sentence for each reason; the whole table has its rows."""
    why: dict[Note, list[str]] = {}
    for one in cells:
        if not shows(one):
            why.setdefault(one.note, []).append(called(one))
    return tuple(
        f"{NOTES[note].replace(': ', ' (')}{')' if ': ' in NOTES[note] else ''}: {in_a_row(those)}."
        for note, those in why.items()
    )


def barred(
    seen: Seen,
    table: TableDef,
    cells: Sequence[Cell],
    name: str,
    heading: str,
    dim: str,
    sentences: tuple[str, ...] = (),
) -> Block:
    """Cells that differ in one dimension, as bars beside their table, the highest first."""
    if not seen.holds(table.key):
        return Block(name, heading, (NO_FIGURES,), links=ways_on(seen, table.key))
    place, term = table.dims.index(dim), seen.head_of(table.key).term

    def called(one: Cell) -> str:
        return code_words(table, dim, one.cell[place], seen.areas)

    def within_a_sentence(one: Cell) -> str:
        return called(one) if dim == AREA else f"“{called(one)}”"

    ranked = by_height(cells, called)
    shown = tuple(one for one in ranked if one.value)
    drawn = Chart(
        name=f"{name}-bars",
        title=f"{heading} Bars",
        description=f"{table.title}, {term}. The same figures are in the table.",
        table=table,
        cells=shown,
        labels=tuple(map(called, shown)),
    )
    return Block(
        name=name,
        heading=heading,
        sentences=(
            *sentences,
            *of_another_term(seen, table.key),
            *left_out(ranked, within_a_sentence),
        ),
        caption=f"{table.title}, {term}",
        columns=(dim_words(dim), upper_first(unit(table))),
        rows=tuple((called(one), value_words(table, one)) for one in ranked if shows(one)),
        numeric=(1,),
        # One bar alone compares nothing.
        chart=charts.bars(drawn) if len(shown) > 1 else None,
        alt=drawn.alt if len(shown) > 1 else "",
        links=ways_on(seen, table.key),
    )


# What was refused ---------------------------------------------------------------------------------


MOST_FOUND = 100
"""Cells of a refusal that a page names: where there are more, the fault is the catalogue's."""


def found_in(findings: Sequence[Finding], areas: Areas) -> Block:
    """The cells that would have told too much, as they were kept with a refusal."""
    rows = []
    for one in findings[:MOST_FOUND]:
        # A table may have left the catalogue since.
        table = CATALOGUE.get(one.table)
        called = one.cell if table is None else cell_words(table, one.cell, areas)
        by = in_a_row(CATALOGUE[key].title if key in CATALOGUE else key for key in one.by)
        rows.append(
            (
                one.table if table is None else table.title,
                period_words(one.period),
                ", ".join(called),
                f"{one.low} to {one.high}",
                by,
            )
        )
    return Block(
        name="found",
        heading="Figures that would have told too much",
        sentences=(
            (f"These are the first {MOST_FOUND} of {number(len(findings))}.",)
            if len(findings) > MOST_FOUND
            else ()
        ),
        caption="What could have been worked out, and from which tables",
        columns=("Table", "Term", "Figure", "Between", "Worked out from"),
        rows=tuple(rows),
    )


# One table ----------------------------------------------------------------------------------------


def whole_table(
    seen: Seen, key: str, start: int, most: int, keep: Callable[[Cell], bool] = lambda _: True
) -> tuple[Block, int]:
    """A page of the rows of a table, and how many rows there are."""
    table = CATALOGUE[key]
    cells = [one for one in in_order(table, seen.of(key), seen.areas) if keep(one)]
    block = Block(
        name="figures",
        heading="Figures",
        caption=f"{table.title}, {seen.head.term}",
        columns=(*(dim_words(dim) for dim in table.dims), upper_first(unit(table))),
        rows=tuple(_row(seen, table, one) for one in cells[start : start + most]),
        numeric=(len(table.dims),),
    )
    return block, len(cells)


def _row(seen: Seen, table: TableDef, one: Cell) -> tuple[str, ...]:
    return (*cell_words(table, one.cell, seen.areas), value_words(table, one))


def over_time(
    table: TableDef, area: Iterable[tuple[Seen, Cell]], called: str = "The whole area"
) -> Markup | None:
    """An area's figure through the terms, oldest first; None of fewer than two terms."""
    points = tuple(area)
    if sum(one.value is not None for _, one in points) < 2:
        return None
    return charts.lines(
        Chart(
            name="over-time",
            title=f"{table.title}: {called} through the terms",
            description="One point a term, as published. Each term’s table has its figures.",
            table=table,
            cells=tuple(one for _, one in points),
            labels=tuple(upper_first(seen.head.term.replace(" term ", " ")) for seen, _ in points),
        )
    )
