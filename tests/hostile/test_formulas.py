"""Cells that a spreadsheet would run: taken in as text, and written nowhere."""

import ast
import csv
import html
import io
from pathlib import Path

import pytest
from click.testing import CliRunner

from panel.cli import commands
from tests.hostile.conftest import Client, hidden_of, said_wrong
from tests.hostile.test_bad_input import first_child

ROOT = Path(__file__).parents[2]
FORMULAS = (
    '=HYPERLINK("http://evil.example","x")', "+1+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+9)*cmd|' /C calc'!A0", "\t=1+1", "\r=1+1", "=1+1", "＝1+1",
)  # fmt: skip


def test_nothing_of_the_product_writes_a_spreadsheet() -> None:
    """Who first writes one puts an apostrophe before = + - @ and tab, and says so here."""
    writes = []
    for file in (
        one for home in ("src", "consent", "interop") for one in (ROOT / home).rglob("*.py")
    ):
        source = file.read_text()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in (
                "csv.writer",
                "csv.DictWriter",
            ):
                writes.append(f"{file}:{node.lineno}")
            if isinstance(node, ast.Constant) and node.value in (
                "text/csv",
                "application/vnd.ms-excel",
            ):
                writes.append(f"{file}:{node.lineno}")
    assert not writes, writes


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
