"""Reading CSV files that people export: one mechanism for every import, line by line.

A set of columns says what each column may hold; `read_rows` gives a row or a problem for every
line, lazily, and a bad line never loses the next. Problems do not repeat what a cell holds: a
report may be read by more people than the file.
"""

from __future__ import annotations

import codecs
import csv
import re
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO, Generic, TypeVar

from panel.web import words

Row = TypeVar("Row")

_CHUNK = 1 << 16
_LONGEST_LINE = 100_000
_MOST_LINES_IN_A_ROW = 100
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_BRITISH_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_NAME_MARKS = frozenset(" -'’‘`´.,ʼʻ·()/")
_LETTERS_AND_MARKS = ("L", "M")
_JOINERS = "\u200c\u200d"
_YES = frozenset({"yes", "y", "true", "1"})
_NO = frozenset({"no", "n", "false", "0"})


class UnreadableCsv(ValueError):
    """The file as a whole cannot be read; nothing was taken from it. Its text is for the reader."""


class WrongCell(ValueError):
    """What a cell holds cannot be meant; its text says why and what to do, without repeating it."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong, where: the line in the file (1 is the header) and the column, if one."""

    line: int
    column: str | None
    sentence: str

    def __str__(self) -> str:
        where = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one row, read: values by column name; None where a cell is empty."""

    line: int
    values: Mapping[str, object]
    today: date


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, and how a cell that is not empty is read (raises ValueError)."""

    name: str
    read: Callable[[str], object]
    needed: bool = False


@dataclass(frozen=True, slots=True)
class ColumnSet(Generic[Row]):
    """The columns of one kind of file, and how a row is made of read cells.

    `make` raises `WrongRow` when cells that are right by themselves do not go together.
    """

    columns: tuple[Column, ...]
    make: Callable[[Cells], Row]

    def template(self) -> str:
        """An empty file: the header line."""
        return ",".join(column.name for column in self.columns) + "\r\n"


class WrongRow(ValueError):
    """Cells of a row do not go together; names the column at which to look."""

    def __init__(self, column: str, sentence: str) -> None:
        super().__init__(sentence)
        self.column = column


def read_rows(source: BinaryIO, columns: ColumnSet[Row], today: date) -> Iterator[Row | RowProblem]:
    """The rows of a CSV file and what is wrong with it, in the order of its lines.

    `source` is read once for its encoding (UTF-8 or Windows-1252) and once for its rows, never as
    a whole. A row with a problem is not taken. Raises `UnreadableCsv`, before the first row, for
    a file that is no CSV or lacks a column that is needed.
    """
    lines = _Lines(source, _encoding(source))
    header_line, header = _header(lines)
    yield from _header_problems(header_line, header, columns)
    by_name = {column.name: column for column in columns.columns}
    order = [by_name.pop(name, None) for name in header]
    for line, record in _records(lines, len(header)):
        if isinstance(record, RowProblem):
            yield record
        elif any(cell.strip() for cell in record):
            yield from _row(line, record, order, columns, today)


def _row(
    line: int,
    record: list[str],
    order: list[Column | None],
    columns: ColumnSet[Row],
    today: date,
) -> Iterator[Row | RowProblem]:
    if len(record) != len(order):
        yield RowProblem(
            line,
            None,
            f"This row has {len(record)} cells and the header has {len(order)}. "
            "Put text that holds a comma in quotation marks.",
        )
        return
    values: dict[str, object] = {column.name: None for column in columns.columns}
    problems: list[RowProblem] = []
    for column, cell in zip(order, record, strict=True):
        if column is None:
            continue
        try:
            values[column.name] = _cell(column, cell)
        except ValueError as why:
            problems.append(RowProblem(line, column.name, str(why)))
    if problems:
        yield from problems
        return
    try:
        yield columns.make(Cells(line, values, today))
    except WrongRow as why:
        yield RowProblem(line, why.column, str(why))


def _cell(column: Column, cell: str) -> object:
    text = cell.strip().strip("\ufeff\u200b").strip()
    if text:
        return column.read(text)
    if column.needed:
        raise WrongCell("This may not be empty.")
    return None


# --- What a cell may hold ---------------------------------------------------------------------


def text_up_to(length: int) -> Callable[[str], str]:
    """Text of several lines, up to a length in characters."""

    def read(text: str) -> str:
        tidy = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
        _no_control_characters(tidy, allowed="\n\t")
        if len(tidy) > length:
            raise WrongCell(f"This is too long: {len(tidy)} characters; {length} is the most.")
        return tidy

    return read


def line_up_to(length: int) -> Callable[[str], str]:
    """Text of one line; white space is made single."""
    as_text = text_up_to(length)

    def read(text: str) -> str:
        _no_control_characters(text, allowed="\t\n\r")
        return " ".join(as_text(" ".join(text.split())).split())

    return read


def name(text: str) -> str:
    """A person's name as they give it: letters of any script, accents, hyphens, apostrophes."""
    read = line_up_to(100)(text)
    for character in read:
        if unicodedata.category(character)[0] not in _LETTERS_AND_MARKS and (
            character not in _NAME_MARKS and character not in _JOINERS
        ):
            raise WrongCell(
                "A name has letters, spaces, hyphens and apostrophes only. "
                "Take out digits, symbols and pictures."
            )
    if not any(unicodedata.category(character)[0] == "L" for character in read):
        raise WrongCell("A name has at least one letter.")
    return read


def day(text: str) -> date:
    """A date as 2021-03-09 or 09/03/2021 (the day first)."""
    if found := _ISO_DATE.fullmatch(text):
        year, month, of_month = (int(part) for part in found.groups())
    elif found := _BRITISH_DATE.fullmatch(text):
        of_month, month, year = (int(part) for part in found.groups())
    else:
        raise WrongCell("Write the date as 2021-03-09 or 09/03/2021, with the year in full.")
    try:
        return date(year, month, of_month)
    except ValueError as error:
        raise WrongCell("There is no such day. Dates are read with the day first.") from error


def yes_or_no(text: str) -> bool:
    """Yes or no, in the ways that programs write it."""
    word = text.casefold()
    if word in _YES or word in _NO:
        return word in _YES
    raise WrongCell("Write yes or no, or leave it empty.")


def email(text: str) -> str:
    """An e-mail address in lower case."""
    if len(text) > 254 or not re.fullmatch(
        r"[^\s@,;<>\"]+@[^\s@,;<>\".]+(\.[^\s@,;<>\".]+)+", text
    ):
        raise WrongCell("This is not an e-mail address, such as name@example.org.")
    _no_control_characters(text, allowed="")
    return text.lower()


def key(text: str) -> str:
    """The short name by which a thing is known to commands: "harbour-school"."""
    if len(text) > 60 or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text):
        raise WrongCell("Use small letters, digits and hyphens, such as harbour-school.")
    return text


def one_of(*allowed: str) -> Callable[[str], str]:
    """One of a few words; spaces, hyphens and capitals are forgiven."""

    def read(text: str) -> str:
        word = re.sub(r"[\s_-]+", "_", text.casefold())
        if word not in allowed:
            raise WrongCell(f"Write one of: {', '.join(allowed)}.")
        return word

    return read


def each(read_one: Callable[[str], Row]) -> Callable[[str], tuple[Row, ...]]:
    """Several, with semicolons between them; each once, in the order given."""

    def read(text: str) -> tuple[Row, ...]:
        parts = (part.strip() for part in text.split(";"))
        return tuple(dict.fromkeys(read_one(part) for part in parts if part))

    return read


def not_after(latest: date, value: date | None, column: str) -> None:
    """Raise `WrongRow` for a date in the future."""
    if value is not None and value > latest:
        raise WrongRow(column, "This date is in the future. Dates are read with the day first.")


def _no_control_characters(text: str, allowed: str) -> None:
    for character in text:
        if character in allowed or character in _JOINERS:
            continue
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"}:
            raise WrongCell("There are characters in it that cannot be seen. Type it again.")


# --- The file ---------------------------------------------------------------------------------


def _encoding(source: BinaryIO) -> str:
    """UTF-8 if all of the file is, else Windows-1252; other kinds of file are told apart."""
    source.seek(0)
    start = source.read(4)
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise UnreadableCsv("This file is UTF-16. Save it as “CSV UTF-8” and import that.")
    if start in {b"PK\x03\x04", b"\xd0\xcf\x11\xe0"}:
        raise UnreadableCsv("This is a workbook, not a CSV file. Save it as “CSV UTF-8” first.")
    if start == b"%PDF":
        raise UnreadableCsv("This is a PDF, not a CSV file. Export the list as CSV.")
    decoders = {name: codecs.getincrementaldecoder(name)() for name in ("utf-8", "cp1252")}
    source.seek(0)
    while decoders:
        chunk = source.read(_CHUNK)
        if b"\0" in chunk:
            raise UnreadableCsv("This is not a CSV file: it holds bytes that no text has.")
        for name_, decoder in list(decoders.items()):
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError:
                del decoders[name_]
        if not chunk:
            break
    source.seek(0)
    if not decoders:
        raise UnreadableCsv(
            "This file is neither UTF-8 nor Windows-1252. Save it as “CSV UTF-8” and import that."
        )
    return "utf-8-sig" if "utf-8" in decoders else "cp1252"


class _Lines:
    """The physical lines of a file with their numbers; lines may be given back."""

    def __init__(self, source: BinaryIO, encoding: str) -> None:
        self._text = codecs.getreader(encoding)(source)
        self._back: deque[str] = deque()
        self._ahead = self._split()
        self.number = 0

    def next(self) -> str | None:
        """The next line with its end, None after the last."""
        line = self._back.popleft() if self._back else next(self._ahead, None)
        if line is not None:
            self.number += 1
        return line

    def give_back(self, lines: list[str]) -> None:
        """Lines that were read too far, to be read again."""
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)

    def _split(self) -> Iterator[str]:
        """Lines by CR LF, LF or CR alone; a line that is too long is cut, so memory stays small."""
        rest = ""
        while chunk := self._text.read(_CHUNK):
            rest += chunk
            held = rest.endswith("\r")  # its LF may be in the next chunk
            parts = re.split(r"(?<=\n)|(?<=\r)(?!\n)", rest[:-1] if held else rest)
            rest = parts.pop() + ("\r" if held else "")
            yield from parts
            rest = rest[: _LONGEST_LINE + 1]
        if rest:
            yield rest


def _header(lines: _Lines) -> tuple[int, list[str]]:
    for line, record in _records(lines, None):
        if isinstance(record, RowProblem):
            raise UnreadableCsv(f"The header cannot be read: {record.sentence}")
        if any(cell.strip() for cell in record):
            names = [re.sub(r"[\s-]+", "_", cell.strip("\ufeff \t").casefold()) for cell in record]
            while names and not names[-1]:
                names.pop()
            if len(names) == 1 and re.search(r"[;\t|]", record[0]):
                raise UnreadableCsv("The columns are not separated by commas. Save it as CSV.")
            return line, names
    raise UnreadableCsv("This file is empty. Its first line must name the columns.")


def _header_problems(line: int, header: list[str], columns: ColumnSet[Row]) -> Iterator[RowProblem]:
    known = {column.name for column in columns.columns}
    absent = [one.name for one in columns.columns if one.needed and one.name not in header]
    if absent:
        raise UnreadableCsv(
            f"The header lacks {words.in_a_row(absent)}. The first line must name the columns: "
            f"{columns.template().strip().replace(',', ', ')}."
        )
    for position, one in enumerate(header):
        shown = "".join(c if c.isprintable() else " " for c in one)[:60]
        if one in known and one in header[:position]:
            yield RowProblem(line, shown, "This column is there twice; only the first is read.")
        elif one not in known:
            said = "This column is not known; it is not read." if one else "A column has no name."
            yield RowProblem(line, shown or None, said)
    for column in columns.columns:
        if column.name not in header:
            yield RowProblem(line, column.name, "This column is missing; it is taken as empty.")


def _records(lines: _Lines, width: int | None) -> Iterator[tuple[int, list[str] | RowProblem]]:
    """Each record with the line it begins on.

    A quotation mark that is never closed swallows the lines after it: such a record is reported
    and reading goes on with the line after the one it began on.
    """
    while (first := lines.next()) is not None:
        begins_on = lines.number
        if len(first) > _LONGEST_LINE:
            yield begins_on, RowProblem(begins_on, None, "This line is too long to be a row.")
            continue
        further: list[str] = []
        record = _one_record(first, lines, further)
        if isinstance(record, str) or (
            further and width is not None and len(_without_empty_end(record, width)) != width
        ):
            lines.give_back(further)
            sentence = record if isinstance(record, str) else _NOT_CLOSED
            yield begins_on, RowProblem(begins_on, None, sentence)
        else:
            yield begins_on, record if width is None else _without_empty_end(record, width)


def _without_empty_end(record: list[str], width: int) -> list[str]:
    """Spreadsheets write empty cells beyond the last column; they say nothing."""
    return record if any(cell.strip() for cell in record[width:]) else record[:width]


_NOT_CLOSED = "A quotation mark is opened in this row and not closed."


def _one_record(first: str, lines: _Lines, further: list[str]) -> list[str] | str:
    """A record's cells, or what is wrong; the lines it needed beyond its first in `further`."""

    def needed() -> Iterator[str]:
        yield first
        while len(further) < _MOST_LINES_IN_A_ROW and (line := lines.next()) is not None:
            further.append(line)
            yield line

    try:
        return next(csv.reader(needed(), strict=True), [])
    except csv.Error as error:
        return _NOT_CLOSED if further or "end of data" in str(error) else _BADLY_QUOTED


_BADLY_QUOTED = "The quotation marks in this row do not pair. Double a mark inside quoted text."
