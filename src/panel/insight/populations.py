"""Figures by ward that others published: how many children live there, and how many have the
Disability Living Allowance. They are about no child, and are taken whole or not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, cast
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.insight.core.words import Period
from panel.insight.linking.list_rows import children_of_a_ward
from panel.insight.models import AreaPopulation
from panel.platform.clock import today
from panel.platform.read_models import rows_of
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.csv_rows import Cells, Column, ColumnSet, RowProblem, WrongCell, line_up_to
from panel.records.csv_rows import read_rows as read_lines
from panel.register.csv_rows import ward_code
from panel.register.models import Area

OLDEST_YEAR = 1981
"""From this census on there are figures by ward."""
MOST = 10_000
"""Lines of a file: more than there are wards in England."""


@dataclass(frozen=True, slots=True)
class PopulationRow:
    """Children of a ward in a year."""

    line: int
    ward_code: str
    children: int
    year: int
    source: str


@dataclass(slots=True)
class PopulationReport:
    """What came of a file. With problems, nothing was written."""

    added: int = 0
    changed: int = 0
    known: int = 0
    problems: list[RowProblem] = field(default_factory=list)


def _year(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) == 4) or int(text) < OLDEST_YEAR:
        raise WrongCell(f"Write the year of the figure, from {OLDEST_YEAR} on, such as 2024.")
    return int(text)


POPULATIONS: ColumnSet[PopulationRow] = ColumnSet(
    (
        Column("ward_code", ward_code, needed=True),
        Column("children", children_of_a_ward, needed=True),
        Column("year", _year, needed=True),
        Column("source", line_up_to(200), needed=True),
    ),
    lambda cells: PopulationRow(
        cells.line,
        _text(cells, "ward_code"),
        cast("int", cells.values["children"]),
        cast("int", cells.values["year"]),
        _text(cells, "source"),
    ),
)
"""Children from 0 to 17 or to 25, as the source counts them, by ward and year."""


def _text(cells: Cells, column: str) -> str:
    return cast("str", cells.values[column])


async def bring_in_populations(tenant: Tenant, source: BinaryIO) -> PopulationReport:
    """Take a file of populations in: all of it, or nothing where a line is wrong.

    A figure of the same ward and year takes the place of the one before. Raises UnreadableCsv.
    """
    report = PopulationReport()
    day = today(tenant.clock)
    rows: list[PopulationRow] = []
    for one in read_lines(source, POPULATIONS, day):
        if isinstance(one, RowProblem):
            report.problems.append(one)
        elif len(rows) >= MOST:
            sentence = f"A file has at most {MOST:,} lines. Split it."
            report.problems.append(RowProblem(one.line, None, sentence))
            break
        else:
            rows.append(one)
    async with tenant.transaction(JOB) as session:
        wards = set(await session.scalars(select(Area.id)))
        report.problems += _wrong(rows, wards, day.year)
        if not report.problems:
            await _write(session, rows, report)
    return report


def _wrong(rows: Sequence[PopulationRow], wards: set[str], this_year: int) -> list[RowProblem]:
    """What is wrong with rows that are right by themselves."""
    found = []
    seen: dict[tuple[str, int], int] = {}
    for row in rows:
        if row.year > this_year:
            found.append(RowProblem(row.line, "year", "This year is in the future."))
        if row.ward_code not in wards:
            sentence = "There is no such ward here. Import areas first, or take the line out."
            found.append(RowProblem(row.line, "ward_code", sentence))
        if (first := seen.setdefault((row.ward_code, row.year), row.line)) != row.line:
            sentence = f"This ward and year stand on line {first} already."
            found.append(RowProblem(row.line, "ward_code", sentence))
    return found


async def _write(
    session: AsyncSession, rows: Sequence[PopulationRow], report: PopulationReport
) -> None:
    there: dict[tuple[str, int], AreaPopulation] = {
        (one.ward_code, one.year): one for one in await session.scalars(select(AreaPopulation))
    }
    for row in rows:
        before = there.get((row.ward_code, row.year))
        if before is None:
            session.add(
                AreaPopulation(
                    ward_code=row.ward_code,
                    year=row.year,
                    children=row.children,
                    source=row.source,
                )
            )
            report.added += 1
        elif (before.children, before.source) == (row.children, row.source):
            report.known += 1
        else:
            before.children, before.source = row.children, row.source
            report.changed += 1


# For a release ------------------------------------------------------------------------------------

_POPULATION = """
SELECT p.ward_code, p.children FROM area_population p WHERE p.year = (
  SELECT max(n.year) FROM area_population n JOIN fact_period f ON f.period = %(period)s
   WHERE n.year <= EXTRACT(year FROM f.last_day))
"""
# Only what is published already may be shown as it is. A list holds a year, as every list does.
_NEWEST_DLA = """
SELECT l.id FROM register_list l JOIN fact_period f ON f.period = %(period)s
 WHERE l.kind = 'dla' AND l.legal_basis = 'published' AND l.as_of <= f.last_day
   AND l.as_of > f.last_day - interval '1 year' ORDER BY l.as_of DESC, l.id DESC LIMIT 1
"""


async def population_of(session: AsyncSession, period: Period) -> Mapping[str, int]:
    """Children by ward, of the newest year up to a term; empty where nothing was brought in."""
    rows = await rows_of(session, _POPULATION, {"period": period})
    return {ward: int(children) for ward, children in rows}


async def dla_of(session: AsyncSession, period: Period) -> Mapping[str, int]:
    """Children with the allowance by ward, of the newest published list that holds in a term."""
    found: Sequence[tuple[UUID]] = await rows_of(session, _NEWEST_DLA, {"period": period})
    rows = await rows_of(
        session,
        "SELECT ward_code, children FROM list_count WHERE register_list_id = ANY(%(lists)s)",
        {"lists": [one for (one,) in found]},
    )
    return {ward: int(children) for ward, children in rows}
