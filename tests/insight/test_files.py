"""Files of published tables are read back by readers that are not ours, and hold nothing to run."""

import csv
import io
import json
from decimal import Decimal

import pytest
from pyarrow import parquet
from python_calamine import CalamineWorkbook

from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.cells import Cell, Note
from panel.insight.core.words import EVERY
from panel.insight.files import FORMULA, Form, Sheet, safe_text, sheet, write
from panel.insight.saying import BANNER, Areas
from tests.insight.a_release import TERM, seen

KEY = "unmet_by_kind_ward"


@pytest.fixture(scope="module")
def made() -> Sheet:
    release = seen()
    return sheet(CATALOGUE[KEY], TERM, release.of(KEY), release.areas)


def as_read(value: object) -> object:
    """A cell as every reader gives it: a number or a text, nothing for nothing."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else float(str(value))


def expected(made: Sheet) -> list[list[object]]:
    return [[as_read(one) for one in row] for row in made.rows]


def test_csv_is_read_back(made: Sheet) -> None:
    written = write(made, Form.CSV)
    rows = list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))
    assert tuple(rows[0]) == made.columns
    value = made.columns.index("Value")
    back = [
        [as_read(Decimal(one) if at == value and one else one) for at, one in enumerate(row)]
        for row in rows[1:]
    ]
    assert back == expected(made)


def test_its_description_names_every_column(made: Sheet) -> None:
    said = json.loads(write(made, Form.DESCRIPTION))
    assert said["url"] == f"{TERM}.csv"
    assert [one["titles"] for one in said["tableSchema"]["columns"]] == list(made.columns)
    keys = said["tableSchema"]["primaryKey"]
    at = [[one["name"] for one in said["tableSchema"]["columns"]].index(key) for key in keys]
    assert len({tuple(row[place] for place in at) for row in made.rows}) == len(made.rows)
    assert BANNER in said["dc:description"]


def test_ods_is_read_back_by_calamine(made: Sheet) -> None:
    written = write(made, Form.ODS)
    assert written == write(made, Form.ODS)
    book = CalamineWorkbook.from_filelike(io.BytesIO(written))
    assert book.sheet_names == ["Table", "About"]
    header, *rows = book.get_sheet_by_name("Table").to_python()
    assert tuple(header) == made.columns
    assert [[as_read(one) for one in row] for row in rows] == expected(made)
    about = book.get_sheet_by_name("About").to_python()
    assert about[1] == ["How to read it", BANNER]


def test_parquet_is_read_back_by_pyarrow(made: Sheet) -> None:
    table = parquet.read_table(io.BytesIO(write(made, Form.PARQUET)))
    assert tuple(table.column_names) == made.columns
    back = [[as_read(row[name]) for name in made.columns] for row in table.to_pylist()]
    assert back == expected(made)
    assert table.schema.metadata[b"How to read it"].decode() == BANNER


@pytest.mark.parametrize("begin", sorted(FORMULA))
@pytest.mark.parametrize("form", [Form.CSV, Form.ODS, Form.PARQUET])
def test_a_name_that_is_a_formula_is_text(begin: str, form: Form) -> None:
    evil = f'{begin}HYPERLINK("http://evil.example")'
    areas = Areas({"w00": evil})
    cells = [Cell(("w00", EVERY), Decimal(5), Note.NONE)]
    one = sheet(CATALOGUE[KEY], TERM, cells, areas)
    assert one.rows[0][1] == f"'{evil}"
    written = write(one, form)
    if form is Form.CSV:
        _, row = csv.reader(io.StringIO(written.decode("utf-8-sig"), newline=""))
        assert not [text for text in row if text[:1] in FORMULA and text]
    elif form is Form.ODS:
        _, row = (
            CalamineWorkbook.from_filelike(io.BytesIO(written)).get_sheet_by_index(0).to_python()
        )
        assert str(row[1]).startswith("'")
        assert b"table:formula" not in written


def test_what_hides_a_formula_behind_a_blank_is_text_too() -> None:
    assert safe_text("  =1+1") == "'  =1+1"
    assert safe_text("Hollin & Moor") == "Hollin & Moor"
    assert safe_text("") == ""


def test_the_name_of_a_file_is_the_same_whatever_is_in_it(made: Sheet) -> None:
    empty = sheet(
        CATALOGUE[KEY],
        TERM,
        [Cell(("w00", EVERY), None, Note.NO_DATA)],
        Areas({}),
    )
    assert empty.name == made.name == f"panel-{KEY}-{TERM}"
