"""What a published cell says to people: the words of its codes, of its number and of its note.

Pages, files, charts and the API all take their words from here: none says more than another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from panel.insight.core.cells import Cell, Note
from panel.insight.core.changes import AreaChange, Family, What, families
from panel.insight.core.dimensions import AREA, TITLES, said_as
from panel.insight.core.facts import Capacity
from panel.insight.core.table import CellId, Measure, TableDef
from panel.insight.core.words import (
    EVERY,
    NOT_SAID,
    WAIT_BANDS,
    WAIT_WEEKS,
    Level,
    Span,
    period_words,
)
from panel.insight.core.written import READ_FIRST
from panel.web.words import in_a_row, number, short_day

BANNER = READ_FIRST
"""Beside everything that is published, in every form."""

INVENTED = (
    "Every figure is invented: of a county that was made up around the children of this"
    " demonstration."
)
"""Beside the figures of a demonstration, in every form."""

NOTES: Mapping[Note, str] = MappingProxyType(
    {
        Note.NONE: "",
        Note.ZERO: "From 0 to 4 children",
        Note.COARSER: "Not shown: too few",
        Note.AREA: "Not shown: the area is too small",
        Note.FEW: "Not shown: fewer than 10 children",
        Note.DOMINATED: "Not shown: one or two children make most of it",
        Note.WITHDRAWN: "Not shown: taken back so that nobody can be found",
        Note.NO_DATA: "No data for this term",
        Note.NO_SUM: "Not added up",
        Note.CHANGED: "Not shown: the ward or group changed",
        Note.ONCE: "Published once in three terms",
        Note.FEW_OF_THEM: "Few of them",
        Note.NEARLY_ALL: "Nearly all of them",
        Note.WITH_NEXT: "This band or the next",
    }
)
WHY_NOT: tuple[tuple[Note, str], ...] = (
    (Note.AREA, "A ward with fewer than 30 children known has no tables of its own."),
    (Note.COARSER, "A figure stands only where every bigger group around it shows 5 or more."),
    (Note.FEW, "Money, waits and shares are shown from 10 children on."),
    (Note.DOMINATED, "A sum that one or two children make most of is not shown."),
    (Note.WITHDRAWN, "What could be worked out from other figures is taken back before it is out."),
    (
        Note.CHANGED,
        "A ward that was merged or divided has no figures of its own for three terms.",
    ),
    (Note.ONCE, "Three terms together, and tables of few children, come out once in three terms."),
    (Note.NO_SUM, "Two estimates of the same are not added up."),
    (Note.NO_DATA, "A term of which nothing was recorded has no figures."),
)
"""Why something is not shown, for people to read once."""

UNITS: Mapping[Measure, str] = MappingProxyType(
    {
        Measure.CHILDREN: "children",
        Measure.MEAN: "pounds for each child",
        Measure.MEDIAN_BAND: "weeks, first of the band of the median",
        Measure.TOTAL: "pounds",
        Measure.RATE: "per cent",
        Measure.RATIO: "pounds for each child",
        Measure.INDEX: "children",
        Measure.PLACES: "places",
        Measure.ELSEWHERE: "children",
        Measure.ADDITIVE: "children",
    }
)
LEVELS: Mapping[Level, str] = MappingProxyType(
    {
        Level.WARD: "By ward",
        Level.CLUSTER: "By group of wards",
        Level.AUTHORITY: "The whole area",
    }
)
SPANS: Mapping[Span, str] = MappingProxyType(
    {Span.TERM: "One term", Span.ROLLING: "Three terms together"}
)
ALL = "All"
THE_WHOLE = "The whole area"
NOT_RECORDED = "Not recorded"


@dataclass(frozen=True, slots=True)
class Areas:
    """The areas of an authority as people call them."""

    names: Mapping[str, str] = field(default_factory=dict)
    """Code of a ward or of a group of wards → its name."""
    changes: tuple[AreaChange, ...] = ()
    """Wards that became others, by the term that is shown."""

    def called(self, code: str) -> str:
        """The name, or the code of an area that nobody named."""
        return THE_WHOLE if code == EVERY else self.names.get(code, code)

    @classmethod
    def of(
        cls,
        wards: Mapping[str, str],
        clusters: Mapping[str, str],
        changes: Iterable[AreaChange] = (),
    ) -> "Areas":
        """The names of wards, and of each group the names of its wards in a row.

        A ward that is no more says until when it was, and names no group.
        """
        kept = tuple(sorted(changes))
        ended = {one.old: one.from_on for one in kept}
        members: dict[str, list[str]] = {}
        for ward, cluster in clusters.items():
            members.setdefault(cluster, [])
            if ward not in ended:
                members[cluster].append(wards.get(ward, ward))
        grouped = {code: wards.get(code) or _row(names) for code, names in members.items()}
        until = {
            code: f"{wards.get(code, code)}{_UNTIL}{_day(from_on)}"
            for code, from_on in ended.items()
        }
        return cls({**wards, **until, **grouped}, kept)

    def changed(self, table: TableDef) -> tuple[str, ...]:
        """What to know of wards that changed, to read a table; nothing of one without areas."""
        return changes_words(self) if AREA in table.dims else ()


def _row(names: Iterable[str]) -> str:
    return in_a_row(sorted(names))


_UNTIL = ", until "


def _day(iso: str) -> str:
    return short_day(date.fromisoformat(iso))


def changes_words(areas: Areas) -> tuple[str, ...]:
    """Each renaming, merger and division in a few sentences, the latest first."""
    return tuple(_family_words(one, areas) for one in reversed(families(areas.changes)))


def past_words(ward: str, areas: Areas) -> str:
    """Of what the earlier figures of a ward are made, or why it has none; "" of one that stayed."""
    found = [one for one in families(areas.changes) if ward in one.news]
    return _family_words(found[-1], areas) if found else ""


def _family_words(one: Family, areas: Areas) -> str:
    olds, news = (
        in_a_row([f"{areas.called(code).partition(_UNTIL)[0]} ({code})" for code in codes])
        for codes in (one.olds, one.news)
    )
    on, first = _day(one.from_on), period_words(one.since)
    begins = f"on {on}, in figures from the {first} on."
    match one.what:
        case What.RENAMED:
            return f"{olds} became {news} {begins} It is the same ward."
        case What.MERGED:
            return (
                f"{olds} became {news} {begins} Before that, its figures are theirs added up."
                " It has none of its own in that term and the two after it."
            )
        case What.DIVIDED:
            were = "was" if len(one.olds) == 1 else "were"
            return (
                f"{olds} {were} divided into {news} {begins} What was before cannot be said of the"
                " wards of today: they have no figures of terms before, nor in that term and the"
                " two after it. Children whose records still have an old ward count in it."
            )


def code_words(table: TableDef, dim: str, code: str, areas: Areas) -> str:
    """What a code of a dimension is called."""
    if dim == AREA:
        return areas.called(code)
    if code == EVERY:
        return ALL
    return NOT_RECORDED if code == NOT_SAID else said_as(table, dim).get(code, code)


def dim_words(dim: str) -> str:
    """What a dimension is called."""
    return TITLES.get(dim, dim)


def cell_words(table: TableDef, cell: CellId, areas: Areas) -> tuple[str, ...]:
    """What each code of a cell is called, in the order of the table's dimensions."""
    return tuple(
        code_words(table, dim, code, areas) for dim, code in zip(table.dims, cell, strict=True)
    )


def unit(table: TableDef) -> str:
    """In what the table's numbers are."""
    if table.measure is Measure.RATE and table.fact is Capacity:
        return "for every 100 places"
    if table.measure is Measure.INDEX and table.of == "population":
        return "for every 100 expected"
    return UNITS[table.measure]


def value_words(table: TableDef, cell: Cell) -> str:
    """The number of a cell with its unit, or why there is none."""
    if cell.value is None:
        return NOTES[cell.note]
    if cell.note in {Note.ZERO, Note.FEW_OF_THEM, Note.NEARLY_ALL}:
        return {Note.ZERO: "0 to 4", Note.FEW_OF_THEM: "Few", Note.NEARLY_ALL: "Nearly all"}[
            cell.note
        ]
    match table.measure:
        case Measure.MEDIAN_BAND:
            return f"{_band(cell)} weeks"
        case Measure.TOTAL | Measure.MEAN | Measure.RATIO:
            return f"£{plain(cell.value)}"
        case Measure.RATE if table.fact is not Capacity:
            return f"{plain(cell.value)}%"
        case _:
            return plain(cell.value)


def plain(value: Decimal) -> str:
    """A published number: whole ones with commas, others as they are."""
    return number(int(value)) if value == value.to_integral_value() else f"{value:f}"


def _band(cell: Cell) -> str:
    begins = (0, *WAIT_WEEKS)
    at = begins.index(int(cell.value or 0))
    if cell.note is not Note.WITH_NEXT:
        return WAIT_BANDS[at]
    ends = (*WAIT_WEEKS, None)[min(at + 1, len(WAIT_WEEKS))]
    if at == 0:
        return f"under {ends}"
    return f"over {begins[at]}" if ends is None else f"{begins[at]}–{ends}"


def in_order(table: TableDef, cells: Iterable[Cell], areas: Areas) -> tuple[Cell, ...]:
    """As people read them: wholes first, codes as the lists have them, areas by name."""
    places: dict[str, dict[str, int]] = {
        dim: {code: at for at, code in enumerate((EVERY, *said_as(table, dim), NOT_SAID))}
        for dim in table.dims
        if dim != AREA
    }

    def key(one: Cell) -> tuple[tuple[int, str], ...]:
        return tuple(
            (int(code != EVERY), areas.called(code))
            if dim == AREA
            # A code that has left its list stands last.
            else (places[dim].get(code, len(places[dim])), code)
            for dim, code in zip(table.dims, one.cell, strict=True)
        )

    return tuple(sorted(cells, key=key))
