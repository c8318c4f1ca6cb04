"""The three files an authority starts from: its register, its people, its caseload.

Columns are those of ARCHITECTURE.md, "Register CSV"; how a file is read is in
`panel.records.csv_rows`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import BinaryIO, TypeVar, cast

from consent import Role
from panel.accounts.models import AGENCY_KINDS
from panel.records.csv_rows import (
    Cells,
    Column,
    ColumnSet,
    RowProblem,
    WrongCell,
    WrongRow,
    day,
    each,
    email,
    key,
    line_up_to,
    name,
    not_after,
    one_of,
    read_rows,
    text_up_to,
    yes_or_no,
)
from panel.records.dates import age_in_years
from panel.records.nhs_number import nhs_number
from panel.records.upn import upn
from panel.register.models import LEVELS

OLDEST = 25
"""A child or young person is 0 to 25 (DOMAIN.md, Words)."""

_SEXES = {
    "female": "female", "f": "female", "2": "female", "girl": "female",
    "male": "male", "m": "male", "1": "male", "boy": "male",
    "indeterminate": "indeterminate", "i": "indeterminate", "9": "indeterminate",
    "not known": "not_known", "not_known": "not_known", "unknown": "not_known",
    "u": "not_known", "x": "not_known", "0": "not_known",
}  # fmt: skip

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One child of the register file. Empty cells are None; a file may name a child twice."""

    line: int
    nhs_number: str | None
    upn: str | None
    given_name: str
    family_name: str
    birth_date: date
    sex: str | None
    postcode: str | None
    ward_code: str | None
    ethnicity: str | None
    primary_need: str | None
    agency: str | None
    contact_name: str | None
    contact_relationship: str | None
    contact_parental_responsibility: bool | None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One agency, with a worker of it unless the worker's cells are empty."""

    line: int
    agency_key: str
    agency_name: str
    agency_kind: str
    ods_code: str | None
    worker_name: str | None
    worker_email: str | None
    roles: tuple[str, ...]
    panel: str | None
    """The panel of which a coordinator's, chair's or member's role is."""


@dataclass(frozen=True, slots=True)
class CaseloadRow:
    """One child's standing with a panel before Panel: what is done, by whom, since when."""

    line: int
    nhs_number: str | None
    upn: str | None
    given_name: str
    family_name: str
    birth_date: date
    panel: str
    referred_on: date
    referred_by_agency: str | None
    referral_reason: str | None
    assessment_signed_on: date | None
    assessment_by_email: str | None
    assessment_document: PurePosixPath | None
    """Relative to the CSV file."""
    plan_agreed_on: date | None
    plan_summary: str | None
    plan_outcomes: tuple[str, ...]
    lead_professional_email: str | None
    lead_since: date | None
    last_discussed_on: date | None
    next_review_by: date | None
    level_of_need: str | None


def read_register(source: BinaryIO, today: date) -> Iterator[RegisterRow | RowProblem]:
    """The children of a register file, and what is wrong with it, line by line."""
    return read_rows(source, REGISTER, today)


def read_people(source: BinaryIO, today: date) -> Iterator[PersonRow | RowProblem]:
    """The agencies and workers of a people file, and what is wrong with it, line by line."""
    return read_rows(source, PEOPLE, today)


def read_caseload(source: BinaryIO, today: date) -> Iterator[CaseloadRow | RowProblem]:
    """The cases of a caseload file, and what is wrong with it, line by line."""
    return read_rows(source, CASELOAD, today)


# --- Cells ------------------------------------------------------------------------------------


def sex(text: str) -> str:
    if (sex := _SEXES.get(text.casefold())) is None:
        raise WrongCell("Write female, male, indeterminate or not known.")
    return sex


def postcode(text: str) -> str:
    joined = re.sub(r"\s", "", text).upper()
    if not re.fullmatch(r"[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}", joined):
        raise WrongCell("This is not a full postcode, such as SM1 1EA.")
    return f"{joined[:-3]} {joined[-3:]}"


def ward_code(text: str) -> str:
    if not re.fullmatch(r"[EWSN][0-9]{8}", text.upper()):
        raise WrongCell("A ward code is a letter and 8 digits, such as E05013749.")
    return text.upper()


def _ods_code(text: str) -> str:
    if not re.fullmatch(r"[A-Z0-9]{3,10}", text.upper()):
        raise WrongCell("An ODS code has 3 to 10 letters and digits.")
    return text.upper()


def _document(text: str) -> PurePosixPath:
    path = PurePosixPath(text_up_to(300)(text).replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", text):
        raise WrongCell("Name a file in the folder of this CSV file or below it.")
    return path


# --- Rows -------------------------------------------------------------------------------------


def _given(cells: Cells, column: str, kind: type[Value]) -> Value:
    """A cell that is needed, as its column read it."""
    value = cells.values[column]
    if not isinstance(value, kind):
        raise TypeError(f"{column} was read as {type(value).__name__}.")
    return value


def _or_none(cells: Cells, column: str, kind: type[Value]) -> Value | None:
    return None if cells.values[column] is None else _given(cells, column, kind)


def _several(cells: Cells, column: str) -> tuple[str, ...]:
    return cast("tuple[str, ...]", cells.values[column] or ())


def _born(cells: Cells) -> date:
    birth_date = _given(cells, "birth_date", date)
    not_after(cells.today, birth_date, "birth_date")
    if age_in_years(birth_date, cells.today) > OLDEST:
        raise WrongRow("birth_date", f"This is more than {OLDEST} years of age. Check the date.")
    return birth_date


def _register_row(cells: Cells) -> RegisterRow:
    contact_name = _or_none(cells, "contact_name", str)
    relationship = _or_none(cells, "contact_relationship", str)
    responsible = _or_none(cells, "contact_parental_responsibility", bool)
    if contact_name is None and (relationship or responsible is not None):
        raise WrongRow("contact_name", "There is something of a contact but no name. Add it.")
    return RegisterRow(
        line=cells.line,
        nhs_number=_or_none(cells, "nhs_number", str),
        upn=_or_none(cells, "upn", str),
        given_name=_given(cells, "given_name", str),
        family_name=_given(cells, "family_name", str),
        birth_date=_born(cells),
        sex=_or_none(cells, "sex", str),
        postcode=_or_none(cells, "postcode", str),
        ward_code=_or_none(cells, "ward_code", str),
        ethnicity=_or_none(cells, "ethnicity", str),
        primary_need=_or_none(cells, "primary_need", str),
        agency=_or_none(cells, "agency", str),
        contact_name=contact_name,
        contact_relationship=relationship,
        contact_parental_responsibility=responsible,
    )


def _person_row(cells: Cells) -> PersonRow:
    worker_name = _or_none(cells, "worker_name", str)
    worker_email = _or_none(cells, "worker_email", str)
    roles = _several(cells, "roles")
    panel = _or_none(cells, "panel", str)
    if worker_name is not None and worker_email is None:
        raise WrongRow("worker_email", "A worker needs an e-mail address to sign in. Add it.")
    if worker_name is None and (worker_email or roles or panel):
        raise WrongRow("worker_name", "There is something of a worker but no name. Add it.")
    return PersonRow(
        line=cells.line,
        agency_key=_given(cells, "agency_key", str),
        agency_name=_given(cells, "agency_name", str),
        agency_kind=_given(cells, "agency_kind", str),
        ods_code=_or_none(cells, "ods_code", str),
        worker_name=worker_name,
        worker_email=worker_email,
        roles=roles,
        panel=panel,
    )


def _caseload_row(cells: Cells) -> CaseloadRow:
    row = CaseloadRow(
        line=cells.line,
        nhs_number=_or_none(cells, "nhs_number", str),
        upn=_or_none(cells, "upn", str),
        given_name=_given(cells, "given_name", str),
        family_name=_given(cells, "family_name", str),
        birth_date=_born(cells),
        panel=_given(cells, "panel", str),
        referred_on=_given(cells, "referred_on", date),
        referred_by_agency=_or_none(cells, "referred_by_agency", str),
        referral_reason=_or_none(cells, "referral_reason", str),
        assessment_signed_on=_or_none(cells, "assessment_signed_on", date),
        assessment_by_email=_or_none(cells, "assessment_by_email", str),
        assessment_document=_or_none(cells, "assessment_document", PurePosixPath),
        plan_agreed_on=_or_none(cells, "plan_agreed_on", date),
        plan_summary=_or_none(cells, "plan_summary", str),
        plan_outcomes=_several(cells, "plan_outcomes"),
        lead_professional_email=_or_none(cells, "lead_professional_email", str),
        lead_since=_or_none(cells, "lead_since", date),
        last_discussed_on=_or_none(cells, "last_discussed_on", date),
        next_review_by=_or_none(cells, "next_review_by", date),
        level_of_need=_or_none(cells, "level_of_need", str),
    )
    for column in (
        "referred_on", "assessment_signed_on", "plan_agreed_on", "lead_since", "last_discussed_on",
    ):  # fmt: skip
        not_after(cells.today, _or_none(cells, column, date), column)
    _goes_together(row)
    return row


def _goes_together(row: CaseloadRow) -> None:
    """Raise `WrongRow` for a half of something whose other half is missing."""
    if (row.plan_summary or row.plan_outcomes) and row.plan_agreed_on is None:
        raise WrongRow("plan_agreed_on", "There is a plan but no day it was agreed. Add it.")
    if row.assessment_signed_on and row.assessment_by_email is None:
        raise WrongRow("assessment_by_email", "Say who signed the assessment, by e-mail address.")
    if row.assessment_signed_on is None and (row.assessment_by_email or row.assessment_document):
        raise WrongRow(
            "assessment_signed_on", "There is an assessment but no day it was signed. Add it."
        )
    if row.lead_since and row.lead_professional_email is None:
        raise WrongRow(
            "lead_professional_email", "Say who the lead professional is, by e-mail address."
        )
    if row.next_review_by and row.last_discussed_on is None:
        raise WrongRow("last_discussed_on", "A review is due but there was no discussion. Add it.")
    if row.next_review_by and row.last_discussed_on and row.next_review_by < row.last_discussed_on:
        raise WrongRow("next_review_by", "The review is due before the last discussion. Check it.")


# --- Columns ----------------------------------------------------------------------------------

_WHO = (
    Column("nhs_number", nhs_number),
    Column("upn", upn),
    Column("given_name", name, needed=True),
    Column("family_name", name, needed=True),
    Column("birth_date", day, needed=True),
)

REGISTER: ColumnSet[RegisterRow] = ColumnSet(
    (
        *_WHO,
        Column("sex", sex),
        Column("postcode", postcode),
        Column("ward_code", ward_code),
        Column("ethnicity", line_up_to(100)),
        Column("primary_need", line_up_to(100)),
        Column("agency", key),
        Column("contact_name", name),
        Column("contact_relationship", line_up_to(60)),
        Column("contact_parental_responsibility", yes_or_no),
    ),
    _register_row,
)

PEOPLE: ColumnSet[PersonRow] = ColumnSet(
    (
        Column("agency_key", key, needed=True),
        Column("agency_name", line_up_to(200), needed=True),
        Column("agency_kind", one_of(*AGENCY_KINDS), needed=True),
        Column("ods_code", _ods_code),
        Column("worker_name", name),
        Column("worker_email", email),
        Column("roles", each(one_of(*Role))),
        Column("panel", key),
    ),
    _person_row,
)

CASELOAD: ColumnSet[CaseloadRow] = ColumnSet(
    (
        *_WHO,
        Column("panel", key, needed=True),
        Column("referred_on", day, needed=True),
        Column("referred_by_agency", key),
        Column("referral_reason", text_up_to(4000)),
        Column("assessment_signed_on", day),
        Column("assessment_by_email", email),
        Column("assessment_document", _document),
        Column("plan_agreed_on", day),
        Column("plan_summary", text_up_to(4000)),
        Column("plan_outcomes", each(line_up_to(500))),
        Column("lead_professional_email", email),
        Column("lead_since", day),
        Column("last_discussed_on", day),
        Column("next_review_by", day),
        Column("level_of_need", one_of(*LEVELS)),
    ),
    _caseload_row,
)
