"""Reading a CSV file line by line: what is wrong is said and nothing else is lost."""

import tracemalloc
from datetime import date
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.records.csv_rows import (
    Cells,
    Column,
    ColumnSet,
    RowProblem,
    UnreadableCsv,
    day,
    line_up_to,
    name,
    read_rows,
    text_up_to,
)

TODAY = date(2026, 11, 21)


def made(cells: Cells) -> tuple[object, ...]:
    return (cells.line, *cells.values.values())


COLUMNS = ColumnSet(
    (
        Column("name", name, needed=True),
        Column("born", day),
        Column("note", text_up_to(200)),
    ),
    made,
)


def read(content: str | bytes) -> list[object]:
    data = content if isinstance(content, bytes) else content.encode()
    return list(read_rows(BytesIO(data), COLUMNS, TODAY))


def said(content: str | bytes) -> list[str]:
    return [str(found) for found in read(content) if isinstance(found, RowProblem)]


ZOE = (2, "Zoë Example", date(2021, 3, 9), "a note")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding: str, line_end: str) -> None:
    text = f"name,born,note{line_end}Zoë Example,09/03/2021,a note{line_end}"
    assert read(text.encode(encoding)) == [ZOE]


def test_column_names_are_read_kindly_and_in_any_order() -> None:
    assert read('Note , BORN,"Name"\na note,2021-03-09,Zoë Example') == [ZOE]


def test_a_cell_in_quotation_marks_holds_commas_marks_and_lines() -> None:
    rows = read('name,born,note\nZoë,,"one, ""two""\nthree"\nAda,,\n')
    assert rows == [(2, "Zoë", None, 'one, "two"\nthree'), (4, "Ada", None, None)]


def test_empty_lines_and_empty_cells_beyond_the_last_column_say_nothing() -> None:
    assert read("name,born,note,,\n\n,,\nZoë,,,,\n") == [(4, "Zoë", None, None)]


def test_an_unknown_and_a_double_column_are_reported_and_the_rows_still_read() -> None:
    rows = read("name,born,note,shoe size,name\nZoë,,,3,Ada\n")
    assert rows == [
        RowProblem(1, "shoe_size", "This column is not known; it is not read."),
        RowProblem(1, "name", "This column is there twice; only the first is read."),
        (2, "Zoë", None, None),
    ]


def test_a_column_that_may_be_empty_may_be_missing_and_is_named() -> None:
    assert read("name,note\nZoë,\n") == [
        RowProblem(1, "born", "This column is missing; it is taken as empty."),
        (2, "Zoë", None, None),
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "This file is empty"),
        (b"\r\n\r\n", "This file is empty"),
        (b"born,note\n2021-03-09,x\n", "The header lacks name. .*: name, born, note."),
        (b"name;born;note\nZoe;;\n", "not separated by commas"),
        (b"name\tborn\tnote\n", "not separated by commas"),
        ("name,born\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04 xlsx", "a workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b"name,born\n\x00\x01", "not a CSV file"),
        (b"name,born\n\x81\x8d\xff", "neither UTF-8 nor Windows-1252"),
        (b'name,"born\n', "The header cannot be read"),
    ],
)
def test_a_file_that_is_no_csv_is_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableCsv, match=sentence):
        read(content)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (",2021-03-09,x", "line 3, name: This may not be empty."),
        ("Zoe,09/03/21,x", "line 3, born: Write the date as 2021-03-09 or 09/03/2021, "),
        ("Zoe,44264,x", "line 3, born: Write the date as"),
        ("Zoe,2021-02-30,x", "line 3, born: There is no such day."),
        ("Zoe,03/13/2021,x", "line 3, born: There is no such day. Dates are read with the day"),
        ("Zoe", "line 3: This row has 1 cells and the header has 3."),
        ("Zoe,,x,y", "line 3: This row has 4 cells and the header has 3."),
        ("Zoe7,,", "line 3, name: A name has letters, spaces, hyphens and apostrophes only."),
        ("-,,", "line 3, name: A name has at least one letter."),
        ("Zoe \u202e Example,,", "line 3, name: There are characters in it that cannot be seen."),
        ("Zoe\x07,,", "line 3, name: There are characters in it that cannot be seen."),
        ("😀" * 10_000 + ",,", "line 3, name: This is too long: 10000 characters; 100 is the"),
        ("😀,,", "line 3, name: A name has letters"),
        (f"Zoe,,{'x' * 201}", "line 3, note: This is too long: 201 characters; 200 is the most."),
        (f"Zoe,,{'x' * 300_000}", "line 3: This line is too long to be a row."),
        ('Zoe,,"x', "line 3: A quotation mark is opened in this row and not closed."),
        ('Zoe,,"x"y', "line 3: The quotation marks in this row do not pair."),
    ],
)
def test_a_bad_row_is_reported_by_line_and_column_and_the_others_are_kept(
    row: str, problem: str
) -> None:
    content = f"name,born,note\nAda,,\n{row}\nBo,,\n"
    (found,) = said(content)
    assert found.startswith(problem)
    assert [one for one in read(content) if not isinstance(one, RowProblem)] == [
        (2, "Ada", None, None),
        (4, "Bo", None, None),
    ]


def test_every_wrong_cell_of_a_row_is_named() -> None:
    assert [one.split(":")[0] for one in said("name,born,note\n7,x,\x07\n")] == [
        "line 2, name",
        "line 2, born",
        "line 2, note",
    ]


def test_problems_do_not_repeat_what_a_cell_holds() -> None:
    found = said("name,born,note\nPrivate7,Private,Private\x07\n")
    assert len(found) == 3
    assert not any("Private" in one for one in found)


def test_an_open_quotation_mark_does_not_swallow_rows_until_the_next_one() -> None:
    rows = read('name,born,note\nAda,,"open\nBo,,\nCy,,"closed"\nDi,,\n')
    assert [one[1] for one in rows if isinstance(one, tuple)] == ["Bo", "Cy", "Di"]
    assert said('name,born,note\nAda,,"open\nBo,,\nCy,,"closed"\nDi,,\n') == [
        "line 2: A quotation mark is opened in this row and not closed."
    ]


def test_white_space_is_made_single_and_letters_composed() -> None:
    read_one = line_up_to(50)
    assert read_one("Nun\u0303ez \u00a0\t Example") == "Nuñez Example"


@pytest.mark.parametrize(
    "given_name", ["Zoë", "O’Brien", "Smith-Jones", "王芳", "محمد", "Siân Llŷr", "प्रिया", "Li"]
)
def test_names_as_people_give_them(given_name: str) -> None:
    assert name(given_name) == given_name


def test_a_large_file_is_read_row_by_row() -> None:
    class Rows(BytesIO):
        """Counts what has been read since the last rewind."""

        since_start = 0

        def seek(self, offset: int, whence: int = 0, /) -> int:
            self.since_start = 0
            return super().seek(offset, whence)

        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            self.since_start += len(found)
            return found

    note = "x" * 180
    source = Rows(b"name,born,note\n" + f"Ada,2021-03-09,{note}\n".encode() * 20_000)
    rows = read_rows(source, COLUMNS, TODAY)
    assert next(rows) == (2, "Ada", date(2021, 3, 9), note)
    assert source.since_start < 200_000
    tracemalloc.start()
    assert sum(1 for _ in rows) == 19_999
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_500_000  # the file has almost 4 million bytes


@given(st.binary(max_size=200))
def test_any_bytes_give_rows_problems_or_one_sentence(content: bytes) -> None:
    try:
        found = read(content)
    except UnreadableCsv:
        return
    assert all(isinstance(one, RowProblem | tuple) for one in found)


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10)


@given(st.lists(st.lists(cells, max_size=5), max_size=6))
def test_any_rows_between_good_ones_lose_neither(rows: list[list[str]]) -> None:
    middle = "\n".join(",".join(row).replace('"', "") for row in rows)
    found = read(f"name,born,note\nAda,,\n{middle}\nBo,,\n")
    names = [one[1] for one in found if isinstance(one, tuple)]
    assert names[0] == "Ada"
    assert names[-1] == "Bo"
