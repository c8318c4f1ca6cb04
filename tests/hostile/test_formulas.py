"""Cells that a spreadsheet would run: taken in as text, and written as text."""

import ast
import csv
import html
import io
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from panel.cli import commands
from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.cells import Cell, Note
from panel.insight.core.words import Period
from panel.insight.files import Form, sheet, write
from panel.insight.saying import Areas
from tests.hostile.conftest import Client, hidden_of, said_wrong
from tests.hostile.test_bad_input import first_child

ROOT = Path(__file__).parents[2]
FORMULAS = (
    '=HYPERLINK("http://evil.example","x")', "+1+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+9)*cmd|' /C calc'!A0", "\t=1+1", "\r=1+1", "=1+1", "＝1+1",
)  # fmt: skip


WRITES = {"src/panel/insight/files.py"}
"""What writes spreadsheets: published figures as CSV and ODS. `files.safe_text` puts an apostrophe
before = + - @, their wide forms, tab and return; tests/insight/test_files.py reads it back."""


def test_published_figures_alone_are_written_as_spreadsheets() -> None:
    """Who writes another one does it as `panel.insight.files` does, and says so in WRITES."""
    writes = set()
    for file in (
        one for home in ("src", "consent", "interop") for one in (ROOT / home).rglob("*.py")
    ):
        source = file.read_text()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in (
                "csv.writer",
                "csv.DictWriter",
            ):
                writes.add(str(file.relative_to(ROOT)))
            if isinstance(node, ast.Constant) and str(node.value).partition(";")[0] in (
                "text/csv",
                "application/vnd.ms-excel",
                "application/vnd.oasis.opendocument.spreadsheet",
            ):
                writes.add(str(file.relative_to(ROOT)))
    assert writes == WRITES | {"src/panel/insight/ods.py"}


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_in_published_figures_is_text(formula: str) -> None:
    areas = Areas({"w00": formula})
    table = CATALOGUE["known_by_area_ward"]
    cells = [Cell(("w00",), Decimal(5), Note.NONE)]
    written = write(sheet(table, Period("2026-autumn"), cells, areas), Form.CSV)
    _, row = csv.reader(io.StringIO(written.decode("utf-8-sig"), newline=""))
    assert row[1] == f"'{formula}"
    assert not [cell for cell in row if cell[:1] in tuple("=+-@＝\t\r")]


@pytest.mark.database
@pytest.mark.parametrize("formula", FORMULAS)
async def test_a_formula_that_is_typed_is_shown_as_text(rosa: Client, formula: str) -> None:
    page = f"{await first_child(rosa)}/chronology"
    form = hidden_of(await rosa.get(page)) | {
        "happened_on": "2026-11-20", "kind": "health", "category": "health", "text": formula,
    }  # fmt: skip
    answer = await rosa.post(page, data=form, follow_redirects=False)
    assert answer.status_code == 303, said_wrong(answer)
    shown = await rosa.get(page)
    assert shown.headers["content-type"].startswith("text/html")
    assert formula.strip() in html.unescape(shown.text)


def test_a_template_that_is_printed_begins_no_cell_with_a_formula() -> None:
    for what in ("people", "register", "caseload"):
        printed = CliRunner().invoke(commands, ["import", what, "--template"])
        assert printed.exit_code == 0, printed.output
        for row in csv.reader(io.StringIO(printed.output)):
            assert not [cell for cell in row if cell[:1] in "=+-@\t" and cell]
