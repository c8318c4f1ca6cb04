"""The files of lists: who is on one, or how many of a ward are; columns and sentences."""

from dataclasses import dataclass, field
from datetime import date
from typing import cast

from panel.insight import coding
from panel.platform.crypto import Keyring
from panel.records.csv_rows import (
    Cells,
    Column,
    ColumnSet,
    WrongCell,
    WrongRow,
    day,
    line_up_to,
    name,
    not_after,
)
from panel.records.dates import age_in_years
from panel.records.nhs_number import nhs_number
from panel.register.csv_rows import OLDEST, postcode, sex, ward_code
from panel.register.marks import Marks, marks_of
from panel.register.names import folded_words

MOST_OF_A_WARD = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One child as a file names them. Its text says nothing."""

    given_name: str = field(repr=False)
    family_name: str = field(repr=False)
    birth_date: date | None = field(repr=False)
    sex: str = field(default="", repr=False)
    postcode: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    nhs_number: str = field(default="", repr=False)
    """Ten digits, checked; "" where there is none."""

    @property
    def given(self) -> str:
        """All given names, folded and run together: "Mary-Ann" and "Mary Ann" are one."""
        return "".join(folded_words(self.given_name))

    @property
    def family(self) -> str:
        """The family name, folded and run together."""
        return "".join(folded_words(self.family_name))

    def marks(self, ring: Keyring) -> Marks:
        """By what it is compared."""
        return marks_of(
            ring,
            given_name=self.given_name,
            family_name=self.family_name,
            birth_date=self.birth_date,
            sex=self.sex,
            postcode=self.postcode,
            address=self.address,
            nhs_number=self.nhs_number,
        )


@dataclass(frozen=True, slots=True)
class ListedRow:
    """One child of a file."""

    line: int
    entry: Entry = field(repr=False)
    sex: str
    need: str
    """A code of `insight.core.words.NEEDS`, or ""."""
    ward_code: str | None


@dataclass(frozen=True, slots=True)
class CountRow:
    """Children in a ward."""

    line: int
    ward_code: str
    children: int


def _text(cells: Cells, column: str) -> str:
    return cast("str | None", cells.values[column]) or ""


def _listed(cells: Cells) -> ListedRow:
    born = cast("date", cells.values["birth_date"])
    not_after(cells.today, born, "birth_date")
    if age_in_years(born, cells.today) > OLDEST:
        raise WrongRow("birth_date", f"This is more than {OLDEST} years of age. Check the date.")
    said = _text(cells, "sex")
    entry = Entry(
        given_name=_text(cells, "given_name"),
        family_name=_text(cells, "family_name"),
        birth_date=born,
        sex=said,
        postcode=_text(cells, "postcode"),
        address=_text(cells, "address"),
        nhs_number=_text(cells, "nhs_number"),
    )
    need = coding.need(_text(cells, "need"))
    return ListedRow(
        cells.line, entry, said or "not_known", need, _text(cells, "ward_code") or None
    )


def children_of_a_ward(text: str) -> int:
    """A cell that holds how many children of a ward there are. WrongCell."""
    digits = text.lstrip("0") or "0"
    is_number = text.isascii() and text.isdigit()
    if not is_number or len(digits) > len(str(MOST_OF_A_WARD)) or int(digits) > MOST_OF_A_WARD:
        raise WrongCell("Write a whole number of children, such as 35.")
    return int(digits)


LISTED: ColumnSet[ListedRow] = ColumnSet(
    (
        Column("nhs_number", nhs_number),
        Column("given_name", name, needed=True),
        Column("family_name", name, needed=True),
        Column("birth_date", day, needed=True),
        Column("sex", sex),
        Column("address", line_up_to(200)),
        Column("postcode", postcode),
        Column("ward_code", ward_code),
        Column("need", line_up_to(100)),
    ),
    _listed,
)
"""Who is on the SEN register or a health list."""

COUNTS: ColumnSet[CountRow] = ColumnSet(
    (
        Column("ward_code", ward_code, needed=True),
        Column("children", children_of_a_ward, needed=True),
    ),
    lambda cells: CountRow(
        cells.line,
        cast("str", cells.values["ward_code"]),
        cast("int", cells.values["children"]),
    ),
)
"""How many children of a ward get Disability Living Allowance, as published."""
