"""Who the children of a list are, as far as its reader may know: through the gate, logged."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Viewer
from panel.platform.tables import NOW, VIEWER
from panel.records.gate import Access, Gate, Purposes
from panel.register.service import name_of_child

ABOUT = frozenset({Category.IDENTITY})
_WHO = text("""
SELECT c.id, c.reference, encode(c.given_name, 'hex') AS given_name,
  encode(c.family_name, 'hex') AS family_name
FROM child_access x JOIN child c ON c.id = x.child_id
WHERE x.viewer_id = :viewer AND x.valid_from <= :now AND x.valid_until >= :now
  AND x.child_id = ANY(:children)
""")


@dataclass(frozen=True, slots=True)
class Named:
    """A child on a list."""

    child_id: UUID
    reference: str
    name: str
    """Empty where it is withheld."""
    access: Access
    """Opened for identity alone."""

    @property
    def words(self) -> str:
        """What the list calls the child."""
        return self.name or self.reference


async def named(
    gate: Gate,
    session: AsyncSession,
    viewer: Viewer,
    purposes: Purposes,
    children: Iterable[UUID],
    doing: str,
) -> dict[UUID, Named]:
    """The children by id; who is out of reach is absent. In the transaction of the viewer."""
    asked = list(dict.fromkeys(children))
    opened = await gate.open_here(session, asked, viewer, purposes, doing, ABOUT)
    found = await session.execute(
        _WHO,
        {"viewer": session.info[VIEWER], "now": session.info[NOW], "children": list(opened)},
    )
    return {
        row.id: Named(
            row.id,
            row.reference,
            name_of_child(opened[row.id], row.given_name, row.family_name),
            opened[row.id],
        )
        for row in found
    }
