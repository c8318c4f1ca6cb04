"""A release and the rules that are published with it: all that an attacker has, and an audit."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from panel.insight.core.cells import ProtectedTable
from panel.insight.core.changes import AreaChange
from panel.insight.core.places import Grid
from panel.insight.core.ptable import FURTHEST, ROUND_TO, PTable
from panel.insight.core.table import TableDef
from panel.insight.core.words import Level, Period


@dataclass(frozen=True, slots=True)
class PublishedRules:
    """How figures of a release were changed, for everybody to know. The cells' key is not in it."""

    ptable: Mapping[int, Mapping[int, Fraction]]
    """True count → published before rounding → probability; the last row holds for all above."""
    round_to: int
    furthest: int
    """The most by which a published count and a true one differ."""
    least_known: int
    """Published children known that a ward needs for tables of its own."""
    clusters: Mapping[str, str]
    """Ward → its cluster."""
    changes: tuple[AreaChange, ...] = ()
    """Wards that became others, in this term or before."""

    @classmethod
    def of(cls, ptable: PTable, grid: Grid) -> "PublishedRules":
        """Those of a release."""
        return cls(
            ptable={true: ptable.row(true) for true in range(ptable.last + 1)},
            round_to=ROUND_TO,
            furthest=FURTHEST,
            least_known=grid.least_known,
            clusters=dict(grid.clusters),
            changes=tuple(sorted(grid.changes)),
        )


@dataclass(frozen=True, slots=True)
class LevelError:
    """How far published and true are apart at a level of area."""

    cells: int
    mean_absolute: Fraction
    """In tenths: to more places it would say more of true counts than they may be known by."""
    median_gap: Fraction | None
    """A published whole less the sum of its published parts, without sign. None: no whole has all
    its parts shown."""


@dataclass(frozen=True, slots=True)
class PublishedError:
    """The error of a release, as the methods page prints it."""

    by_level: Mapping[Level, LevelError]


@dataclass(frozen=True, slots=True)
class Release:
    """All tables of a term, as they went out."""

    period: Period
    tables: tuple[ProtectedTable, ...]
    catalogue: Mapping[str, TableDef]
    rules: PublishedRules
    error: PublishedError


# The ledger and the audit -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """A cell about which too much can be computed: what it must be between."""

    table: str
    period: Period
    cell: tuple[str, ...]
    low: Fraction
    high: Fraction
    by: tuple[str, ...]
    """The tables that narrow it."""


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What the attack on everything published found. Not finished is not safe."""

    safe: bool
    findings: tuple[Finding, ...]
    cells: int
    solves: int
    seconds: float
    unfinished: int
    proven: tuple[str, ...] = ()
    """Digests of the parts of the model that are safe, for who asks again (`core.parts`)."""
    kept: int = 0
    """Cells of parts that were proven before, word for word, and so were not asked about again."""
    corrected: int = 0
    """Rows between releases left out, since what was published contradicts them."""


@dataclass(frozen=True, slots=True)
class AuditDigest:
    """What the ledger keeps of an audit."""

    safe: bool
    cells: int
    solves: int
    digest: str
    proven: tuple[str, ...] = ()
    """Of the parts of the model that it found safe. Lines of before have none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. Digests are SHA-256 in hex; the signature is Ed25519 in hex."""

    number: int
    period: Period
    made_at: str
    catalogue: str
    ptable: str
    cells: str
    tables: Mapping[str, str]
    audit: AuditDigest
    previous: str
    key: str
    signature: str
