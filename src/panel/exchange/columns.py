"""What a search parameter looks at in a source's rows; `interop.served` names the columns.

Codes, days and addresses are as `interop.outgoing` writes them, so that whatever a resource says
can be asked for.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from interop.messages import Message


@dataclass(frozen=True, slots=True)
class Code:
    """SQL for one code (text); NULL where there is none."""

    sql: str
    system: str | None = None
    """The only system that its codes are of; None where a resource states none."""
    any_of: bool = False
    """Whether the SQL is a list of codes (text[])."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """Identifiers: of each system, SQL with `{values}` for the texts that are asked for."""

    of: tuple[tuple[str, str], ...] = ()
    indexed: tuple[tuple[str, str], ...] = ()
    """Of a system that is sealed: the kind of blind index by which it is found."""
    missing: str = "true"
    """SQL: whether the row has none."""


@dataclass(frozen=True, slots=True)
class Times:
    """SQL for the first and the last day, or moment; the same where there is one."""

    first: str
    last: str
    open_ended: bool = False
    """Whether one without a last goes on, rather than being of one day."""


def at(sql: str) -> Times:
    """One day or moment."""
    return Times(sql, sql)


@dataclass(frozen=True, slots=True)
class Refers:
    """SQL with `{ids}` for the ids (uuid[]) that are asked for: whether the row refers to one."""

    to_one_of: str
    missing: str
    canonical: tuple[str, str] | None = None
    """SQL for the canonical address and the version of what is referred to."""


def to(sql: str) -> Refers:
    """One reference, by SQL for the id; NULL where there is none."""
    return Refers(f"{sql} = ANY({{ids}})", f"{sql} IS NULL")


@dataclass(frozen=True, slots=True)
class Words:
    """SQL for a text in the clear."""

    sql: str


@dataclass(frozen=True, slots=True)
class SealedWords:
    """Texts that are found only by opening what may be opened: of a few rows, or of one child's."""

    of: Callable[[Message], Iterable[str]]
    indexed: bool = False
    """Whether the child's names have a blind index that says which few."""
    missing: str = "false"


@dataclass(frozen=True, slots=True)
class Nothing:
    """No row of ours has it; what another system sent may."""

    note: str = field(default="")


Column = Code | Identifier | Times | Refers | Words | SealedWords | Nothing
