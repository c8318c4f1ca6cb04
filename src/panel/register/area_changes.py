"""Wards that became others: renamed, merged or divided from a day on, read from a CSV file.

A line says that an old ward, or a part of it, is the new one from a day on: one line for a ward
that was renamed, several with the same new code for wards that were merged, several with the same
old code for one that was divided. A file is taken as a whole or not at all: half of a division
would count its children in the wrong ward.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO, cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.clock import today
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.csv_rows import (
    Cells,
    Column,
    ColumnSet,
    RowProblem,
    WrongRow,
    day,
    read_rows,
)
from panel.register.csv_rows import ward_code
from panel.register.models import Area, AreaBecame

MOST = 5_000
"""Lines of a file: all wards of England changed at once would be 8,000."""


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One line: an old ward, or a part of it, is the new one from a day on."""

    line: int
    old: str
    new: str
    from_on: date


def _made(cells: Cells) -> ChangeRow:
    old, new = cast("str", cells.values["old_code"]), cast("str", cells.values["new_code"])
    if old == new:
        raise WrongRow(
            "new_code",
            "This is the old code. A ward whose boundary changed has a new code; one that changed"
            " its name alone is no change.",
        )
    return ChangeRow(cells.line, old, new, cast("date", cells.values["from_date"]))


CHANGES: ColumnSet[ChangeRow] = ColumnSet(
    (
        Column("old_code", ward_code, needed=True),
        Column("new_code", ward_code, needed=True),
        Column("from_date", day, needed=True),
    ),
    _made,
)


@dataclass
class ChangesReport:
    """What became of a file. With a problem, nothing of it was taken."""

    added: int = 0
    known: int = 0
    problems: list[RowProblem] = field(default_factory=list)


async def check_area_changes(
    tenant: Tenant, source: BinaryIO, coming: frozenset[str]
) -> list[RowProblem]:
    """What is wrong with a file of changes, before the boundaries beside it are taken.

    `coming`: the codes that these have. Raises UnreadableCsv.
    """
    rows, problems = _read(tenant, source)
    async with tenant.transaction(JOB) as session:
        known = await area_codes(session) | coming
        return problems or wrong_changes(rows, known, await area_changes(session))


async def import_area_changes(tenant: Tenant, source: BinaryIO) -> ChangesReport:
    """Take a file of changes, all of it or nothing. Raises UnreadableCsv.

    What is known already is known; what is known of another day is a problem.
    """
    rows, problems = _read(tenant, source)
    report = ChangesReport(problems=problems)
    async with tenant.transaction(JOB) as session:
        known = await area_changes(session)
        report.problems += wrong_changes(rows, await area_codes(session), known)
        if report.problems:
            return report
        before = {(one.old_code, one.new_code) for one in known}
        new = [one for one in rows if (one.old, one.new) not in before]
        session.add_all(
            AreaBecame(old_code=one.old, new_code=one.new, from_on=one.from_on) for one in new
        )
        report.added, report.known = len(new), len(rows) - len(new)
    return report


def _read(tenant: Tenant, source: BinaryIO) -> tuple[list[ChangeRow], list[RowProblem]]:
    rows, problems = list[ChangeRow](), list[RowProblem]()
    for row in read_rows(source, CHANGES, today(tenant.clock)):
        if isinstance(row, RowProblem):
            problems.append(row)
        else:
            rows.append(row)
    return rows, problems


async def area_codes(session: AsyncSession) -> frozenset[str]:
    """The codes of the areas that were imported with their boundaries."""
    return frozenset(await session.scalars(select(Area.id)))


async def area_changes(session: AsyncSession) -> Sequence[AreaBecame]:
    """Every change that is known, the earliest first."""
    found = await session.scalars(
        select(AreaBecame).order_by(AreaBecame.from_on, AreaBecame.old_code, AreaBecame.new_code)
    )
    return list(found)


def wrong_changes(
    rows: Sequence[ChangeRow], areas: frozenset[str], known: Sequence[AreaBecame]
) -> list[RowProblem]:
    """What is wrong with the lines of a file together, beside what is known. Pure.

    `areas`: the codes that were imported with their boundaries.
    """
    if len(rows) > MOST:
        return [RowProblem(rows[MOST].line, None, f"At most {MOST:,} lines are taken at once.")]
    found: list[RowProblem] = []
    before = {(one.old_code, one.new_code): one.from_on for one in known}
    seen: dict[tuple[str, str], int] = {}
    fresh: list[ChangeRow] = []
    for row in rows:
        pair = (row.old, row.new)
        if pair in seen:
            found.append(RowProblem(row.line, None, f"Line {seen[pair]} says the same."))
            continue
        seen[pair] = row.line
        found += _unknown(row, areas)
        if pair in before:
            if before[pair] != row.from_on:
                sentence = f"This change is known already, from {before[pair]:%Y-%m-%d} on."
                found.append(RowProblem(row.line, "from_date", sentence))
        else:
            fresh.append(row)
    return [*found, *_of_other_days(fresh, known), *_of_itself(fresh, known)]


def _unknown(row: ChangeRow, areas: frozenset[str]) -> list[RowProblem]:
    return [
        RowProblem(
            row.line,
            column,
            "No ward of this code is known. Import the boundaries that have it first.",
        )
        for column, code in (("old_code", row.old), ("new_code", row.new))
        if code not in areas
    ]


def _of_other_days(rows: Sequence[ChangeRow], known: Sequence[AreaBecame]) -> list[RowProblem]:
    """A ward ends on one day, and begins on one: its other lines have to say the same."""
    ends: dict[str, date] = {}
    begins: dict[str, date] = {}
    ended, begun = {one.old_code for one in known}, {one.new_code for one in known}
    found = []
    for row in rows:
        if row.old in ended:
            sentence = (
                "What became of this ward is known already. A ward ends once: a later change is"
                " one of the ward that it became."
            )
            found.append(RowProblem(row.line, "old_code", sentence))
        elif row.new in begun:
            sentence = "Of what this ward was made is known already."
            found.append(RowProblem(row.line, "new_code", sentence))
        elif ends.setdefault(row.old, row.from_on) != row.from_on:
            sentence = "Another line ends this ward on another day."
            found.append(RowProblem(row.line, "from_date", sentence))
        elif begins.setdefault(row.new, row.from_on) != row.from_on:
            sentence = "Another line begins the new ward on another day."
            found.append(RowProblem(row.line, "from_date", sentence))
    return found


def _of_itself(rows: Sequence[ChangeRow], known: Sequence[AreaBecame]) -> list[RowProblem]:
    """A ward cannot end before it begins, so no ward becomes itself again."""
    begins: Mapping[str, date] = {one.new_code: one.from_on for one in known} | {
        row.new: row.from_on for row in rows
    }
    return [
        RowProblem(row.line, "from_date", "This ward would end before, or when, it begins.")
        for row in rows
        if row.old in begins and begins[row.old] >= row.from_on
    ] + [
        RowProblem(row.line, "new_code", "This ward ended already, so no other can become it.")
        for row in rows
        if any(one.old_code == row.new and one.from_on <= row.from_on for one in known)
    ]
