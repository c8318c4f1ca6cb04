"""A published table as a file: CSV with its description (CSV on the Web), ODS and Parquet.

Every form has the same columns and the same rows, made once by `sheet`. A text that a spreadsheet
would run as a formula gets an apostrophe before it.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from importlib import import_module

from panel.insight import ods
from panel.insight.core.cells import Cell
from panel.insight.core.dimensions import AREA
from panel.insight.core.table import TableDef
from panel.insight.core.words import Period, period_words
from panel.insight.saying import (
    BANNER,
    LEVELS,
    SPANS,
    Areas,
    cell_words,
    dim_words,
    in_order,
    unit,
)

FORMULA = frozenset("=+-@＝＋－＠\t\r\n")
"""With what a text begins that a spreadsheet takes for a formula, or that hides one."""

CHANGED = "Wards that changed"


class Form(StrEnum):
    """In what a table can be taken away. The value ends its address."""

    CSV = "csv"
    DESCRIPTION = "csv-metadata.json"
    ODS = "ods"
    PARQUET = "parquet"


MEDIA: Mapping[Form, str] = {
    Form.CSV: "text/csv; charset=utf-8; header=present",
    Form.DESCRIPTION: "application/csvm+json",
    Form.ODS: "application/vnd.oasis.opendocument.spreadsheet",
    Form.PARQUET: "application/vnd.apache.parquet",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as rows: one for each cell of the grid, whether it is shown or not."""

    key: str
    period: Period
    columns: tuple[str, ...]
    rows: tuple[tuple[str | Decimal | None, ...], ...]
    about: tuple[tuple[str, str], ...]
    """What it is, in words: the first of them how to read changed figures."""

    @property
    def name(self) -> str:
        """The same for every pattern of cells: a name tells nothing."""
        return f"panel-{self.key}-{self.period}"


def safe_text(text: str) -> str:
    """A text that no spreadsheet runs."""
    begins = text[:1] in FORMULA or text.lstrip()[:1] in FORMULA
    return f"'{text}" if text and begins else text


def sheet(table: TableDef, period: Period, cells: Iterable[Cell], areas: Areas) -> Sheet:
    """The rows of a table in the order of its page. The area's code stands before its name."""
    coded = AREA in table.dims
    columns = (
        *(("Area code",) if coded else ()),
        *(dim_words(dim) for dim in table.dims),
        "Measure",
        "Value",
        "Note",
    )
    measure = unit(table)
    rows = tuple(
        (
            *((one.cell[table.dims.index(AREA)],) if coded else ()),
            *cell_words(table, one.cell, areas),
            measure,
            one.value,
            one.note.value,
        )
        for one in in_order(table, cells, areas)
    )
    about = (
        ("How to read it", BANNER),
        ("Table", table.title),
        ("Term", period_words(period)),
        ("Counted over", SPANS[table.span]),
        ("Areas", LEVELS[table.level]),
        ("What it counts", table.definition),
        ("Source", table.source),
        *(("Quality", said) for said in table.quality),
        *((CHANGED, " ".join(said)) for said in (areas.changed(table),) if said),
    )
    return Sheet(table.key, period, columns, _safe(rows), _safe_about(about))


def _safe(
    rows: Iterable[tuple[str | Decimal | None, ...]],
) -> tuple[tuple[str | Decimal | None, ...], ...]:
    return tuple(
        tuple(safe_text(one) if isinstance(one, str) else one for one in row) for row in rows
    )


def _safe_about(about: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((safe_text(what), safe_text(said)) for what, said in about)


def write(made: Sheet, form: Form) -> bytes:
    """The file. The same table gives the same bytes."""
    match form:
        case Form.CSV:
            return csv_of((made.columns, *made.rows))
        case Form.DESCRIPTION:
            return _description(made)
        case Form.ODS:
            return ods.workbook(
                (("Table", (made.columns, *made.rows)), ("About", (("What", "Said"), *made.about)))
            )
        case Form.PARQUET:
            return _parquet(made)


def csv_of(lines: Iterable[Sequence[str | int | Decimal | None]]) -> bytes:
    """Lines as CSV, with no text in them that a spreadsheet would run."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(
        [_written(one) for one in line] for line in lines
    )
    # With its mark, or Excel reads "0–2" as something else.
    return out.getvalue().encode("utf-8-sig")


def _written(cell: str | int | Decimal | None) -> str | int:
    match cell:
        case str():
            return safe_text(cell)
        case Decimal():
            return f"{cell:f}"
        case None:
            return ""
        case _:
            return cell


_DATATYPES = {"Value": "decimal"}


def _description(made: Sheet) -> bytes:
    """What the columns of the CSV are (W3C, Metadata Vocabulary for Tabular Data)."""
    said = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": f"{made.period}.csv",
        "dc:title": f"{dict(made.about)['Table']}, {period_words(made.period)}",
        "dc:description": " ".join(
            words for what, words in made.about if what in {"How to read it", "What it counts"}
        ),
        "dc:source": dict(made.about)["Source"],
        "notes": [f"{what}: {words}" for what, words in made.about],
        "dialect": {"header": True, "delimiter": ",", "encoding": "utf-8"},
        "tableSchema": {
            "columns": [
                {
                    "name": column.lower().replace(" ", "_"),
                    "titles": column,
                    "datatype": _DATATYPES.get(column, "string"),
                    "required": column not in {"Value", "Note"},
                }
                for column in made.columns
            ],
            "primaryKey": [
                column.lower().replace(" ", "_")
                for column in made.columns
                if column not in {"Measure", "Value", "Note"}
            ],
        },
    }
    return json.dumps(said, ensure_ascii=False, indent=1).encode()


def _parquet(made: Sheet) -> bytes:
    # 170 MB that only this needs: no start of the service waits for it.
    pa, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    columns = list(zip(*made.rows, strict=True)) or [() for _ in made.columns]
    kinds = [pa.float64() if name == "Value" else pa.string() for name in made.columns]
    table = pa.table(
        [
            pa.array([None if one is None else float(one) for one in column], kind)
            if name == "Value"
            else pa.array(column, kind)
            for name, kind, column in zip(made.columns, kinds, columns, strict=True)
        ],
        schema=pa.schema(
            list(zip(made.columns, kinds, strict=True)),
            metadata={what: words for what, words in made.about if what != "Quality"},
        ),
    )
    out = io.BytesIO()
    parquet.write_table(table, out)
    return out.getvalue()
