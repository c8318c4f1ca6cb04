"""Whether `child_access` says what the facts say; and no row names another child's.

Compared in one statement, so that it may be asked while people work: whoever changes facts writes
access in the same transaction, and both are seen or neither. Source: ARCHITECTURE.md, "Row-level
security is the second fence".
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select, text

from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB, child_scoped_tables
from panel.records.gate import rewrite_access

What = Literal["missing", "too many", "different"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One row of `child_access` that is not what the facts make it."""

    child_id: UUID
    reference: str
    """Empty where there is no such child."""
    viewer_id: UUID
    what: What
    """missing, too many, or there with other periods or ties."""


@dataclass(frozen=True, slots=True)
class Crossed:
    """Rows that name a row of another child."""

    table: str
    column: str
    count: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in one authority, and what is left of it after mending."""

    differences: tuple[Difference, ...]
    left: tuple[Difference, ...]
    crossed: tuple[Crossed, ...]

    @property
    def is_right(self) -> bool:
        """Whether nothing differs now."""
        return not self.left and not self.crossed


async def differences(tenant: Tenant) -> tuple[Difference, ...]:
    """The rows of `child_access` that are missing, too many, or other than the facts make them."""
    async with tenant.transaction(JOB) as session:
        found = await session.execute(
            text(
                "SELECT child_id, COALESCE(reference, '') AS reference, viewer_id, what"
                " FROM compare_access() ORDER BY reference, child_id, viewer_id"
            )
        )
        return tuple(Difference(*row) for row in found)


async def mend(tenant: Tenant, children: Iterable[UUID]) -> None:
    """Write down anew who may reach these children, a transaction each, in a fixed order.

    It is what every change of facts does, under the same lock, so it stands in nobody's way.
    """
    for child_id in sorted(set(children)):
        async with tenant.transaction(JOB) as session:
            await rewrite_access(session, child_id)


async def crossed_rows(tenant: Tenant) -> tuple[Crossed, ...]:
    """Where a row about one child names a row about another, which no page can have written."""
    found = []
    tables = {table.name: table for table in child_scoped_tables()}
    async with tenant.transaction(JOB) as session:
        for table, column, named in links_between_children():
            one, other = tables[table], tables[named].alias()
            count = await session.scalar(
                select(func.count())
                .select_from(one.join(other, other.c.id == one.c[column]))
                .where(other.c.child_id != one.c.child_id)
            )
            if count:
                found.append(Crossed(table, column, count))
    return tuple(found)


def links_between_children() -> Sequence[tuple[str, str, str]]:
    """Every foreign key from a child's table to another: table, column, the table it names."""
    tables = {table.name: table for table in child_scoped_tables()}
    return sorted(
        (name, key.parent.name, key.column.table.name)
        for name, table in tables.items()
        for key in table.foreign_keys
        if key.column.table.name in tables
    )


async def check_access(tenant: Tenant, *, mending: bool = False) -> Checked:
    """Compare, mend if asked, and compare what was mended again."""
    found = await differences(tenant)
    left = found
    if mending and found:
        await mend(tenant, (one.child_id for one in found))
        left = await differences(tenant)
    return Checked(found, left, await crossed_rows(tenant))


def counted(found: Iterable[Difference]) -> dict[str, int]:
    """How many of each kind, every kind named."""
    count = Counter(one.what for one in found)
    return {what: count[what] for what in ("missing", "too many", "different")}
