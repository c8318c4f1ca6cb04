"""What is withdrawn so that a release is safe, and when it is refused instead.

Withdrawn is a whole area of a table, all its categories at once: a single hole would say where the
small number is. Never more than 2% of these: then the catalogue is at fault, and a person has to
look. What is out already cannot be withdrawn.

One thing else may be at fault: what was corrected since earlier terms were published. Where three
terms together say something else than those terms did, and that tells too much, all figures over
three terms wait for the next release, as they do when they are not due. What comes out with them
waits too: the next release has it, and would else have it for the second term in a row.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from panel.insight.core.cells import Cell, Note, ProtectedTable, withheld
from panel.insight.core.dimensions import AREA
from panel.insight.core.nesting import place
from panel.insight.core.places import Place
from panel.insight.core.released import AuditResult, Finding, Release
from panel.insight.core.table import Measure, TableDef
from panel.insight.core.words import EVERY

ROUNDS = 5
MOST_IN_HUNDRED = 2

Block = tuple[str, str]
"""A table and an area of it; "*" is the whole authority."""
Audit = Callable[[Release], AuditResult]


class Refused(Exception):
    """A release that is not safe and cannot be made so."""

    def __init__(self, sentence: str, result: AuditResult) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.result = result


def settled(release: Release, audit: Audit) -> tuple[Release, AuditResult]:
    """The release with as much withdrawn as makes it safe, and its last audit. Refused."""
    result = audit(release)
    try:
        return _with_blocks_withdrawn(release, result, audit)
    except Refused:
        later = without_three_terms(release)
        if not result.corrected or later == release:
            raise
        return _with_blocks_withdrawn(later, audit(later), audit)


def _with_blocks_withdrawn(
    release: Release, result: AuditResult, audit: Audit
) -> tuple[Release, AuditResult]:
    withdrawn: set[Block] = set()
    for _ in range(ROUNDS):
        if result.safe:
            return release, result
        if result.unfinished:
            raise Refused("The audit did not finish, so nothing is known to be safe.", result)
        further = {block for one in result.findings for block in _to_withdraw(release, one)}
        if not further:
            raise Refused("What makes it unsafe is published already.", result)
        withdrawn |= further
        if len(withdrawn) * 100 > MOST_IN_HUNDRED * len(_blocks(release)):
            raise Refused(
                f"More than {MOST_IN_HUNDRED} in a hundred areas of its tables would have to be"
                " withdrawn.",
                result,
            )
        release = without(release, further)
        result = audit(release)
    if result.safe:
        return release, result
    raise Refused(f"It is not safe after {ROUNDS} rounds of withdrawing.", result)


def without_three_terms(release: Release) -> Release:
    """The release as when three terms are not due: without them, what comes out with them, and
    what is made of either."""
    over = {key for key, one in release.catalogue.items() if one.is_once_in_three}
    made_of = {key for key, one in release.catalogue.items() if over & {one.of, *(one.over or ())}}
    tables = [
        replace(one, cells=tuple(withheld(cell.cell, Note.ONCE) for cell in one.cells))
        if one.key in over | made_of and any(cell.note is not Note.NO_DATA for cell in one.cells)
        else one
        for one in release.tables
    ]
    return replace(release, tables=tuple(tables))


def _blocks(release: Release) -> set[Block]:
    return {
        (table.key, _area(table, cell))
        for table, shown in _counts(release)
        for cell in (one.cell for one in shown.cells)
    }


def _counts(release: Release) -> list[tuple[TableDef, ProtectedTable]]:
    every = [(release.catalogue[one.key], one) for one in release.tables]
    return [(table, one) for table, one in every if table.measure is Measure.CHILDREN]


def _area(table: TableDef, cell: Sequence[str]) -> str:
    return cell[table.dims.index(AREA)] if AREA in table.dims else EVERY


def _to_withdraw(release: Release, finding: Finding) -> set[Block]:
    """The area of the cell's own table, or else of the new tables that narrow it."""
    keys = (finding.table, *finding.by) if finding.period == release.period else finding.by
    tables = {table.key: (table, shown) for table, shown in _counts(release)}
    own = tables.get(finding.table)
    area = _area(own[0], finding.cell) if own else EVERY
    for at in (area, release.rules.clusters.get(area, area), EVERY):
        for key in keys:
            if key in tables and _shows(*tables[key], at):
                return {(key, at)}
    return set()


def _shows(table: TableDef, shown: ProtectedTable, area: str) -> bool:
    return any(
        one.value is not None and _area(table, one.cell) == area and _is_part(table, one.cell)
        for one in shown.cells
    )


def _is_part(table: TableDef, cell: Sequence[str]) -> bool:
    """Whether it is more than an area alone, or the table has areas alone."""
    named = [dim for dim, code in zip(table.dims, cell, strict=True) if code != EVERY]
    return bool(named) and (named != [AREA] or table.dims == (AREA,))


def without(release: Release, blocks: Iterable[Block]) -> Release:
    """The release without these areas of tables, nor the same cells elsewhere, nor what is made of
    them."""
    chosen = set(blocks)
    gone: set[Place] = set()
    areas: dict[str, set[str]] = {}
    for table, shown in _counts(release):
        for one in shown.cells:
            area = _area(table, one.cell)
            if (table.key, area) in chosen and _is_part(table, one.cell):
                gone.add(place(table, release.period, one.cell))
                areas.setdefault(table.key, set()).add(area)
    tables = []
    for shown in release.tables:
        table = release.catalogue[shown.key]
        tables.append(
            replace(
                shown,
                cells=tuple(_left(release, table, one, gone, areas) for one in shown.cells),
            )
        )
    return replace(release, tables=tuple(tables))


def _left(
    release: Release,
    table: TableDef,
    cell: Cell,
    gone: set[Place],
    areas: dict[str, set[str]],
) -> Cell:
    if cell.value is None:
        return cell
    if table.measure is Measure.CHILDREN:
        is_gone = place(table, release.period, cell.cell) in gone
    else:
        made_of = {*(table.over or ()), table.of}
        is_gone = any(_area(table, cell.cell) in areas[key] for key in made_of & areas.keys())
    return withheld(cell.cell, Note.WITHDRAWN) if is_gone else cell
