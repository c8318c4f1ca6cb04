"""What a client may be told of whom, decided before anything is looked for, counted or joined.

A search, a total, an include, a history, an export: each joins these rows in its own query, so
that what is withheld is not there to be counted. What is then sent is opened through the gate,
which decides once more and logs. Source: TRAPS.md, FHIR; ARCHITECTURE.md, "The record gate".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose, Viewer
from panel.platform.tables import NOW
from panel.records.gate import Found, Gate
from panel.records.judgements import Judgement
from panel.sharing.state import EACH_OR_ANOTHER

A_TIME = 1_000
"""Children whose facts are read in one query."""

_REACHED = (
    " FROM child_access a WHERE a.viewer_id = :viewer AND a.child_id > :after"
    " AND a.valid_from <= :now AND a.valid_until >= :now ORDER BY a.child_id LIMIT :some"
)
_FIRST = UUID(int=0)

PERMITTED = (
    "permitted AS MATERIALIZED (SELECT * FROM unnest(CAST(:permitted_children AS uuid[]),"
    " CAST(:permitted_categories AS text[]), CAST(:permitted_all AS boolean[]))"
    " AS p (child_id, category, everything))"
)
"""The rows as a WITH query, from what `Permitted.values` gives."""


@dataclass(frozen=True, slots=True)
class Permitted:
    """Of each child the categories: all of one, or only what the client's own agency wrote."""

    agency: UUID | None
    rows: tuple[tuple[UUID, Category, bool], ...]
    """(child, category, whether whoever wrote it)."""

    def values(self) -> Mapping[str, object]:
        """The values that a query with `PERMITTED` and `may` in it needs."""
        return {
            "permitted_children": [child for child, _, _ in self.rows],
            "permitted_categories": [category.value for _, category, _ in self.rows],
            "permitted_all": [everything for _, _, everything in self.rows],
            "own_agency": self.agency,
        }

    @property
    def children(self) -> frozenset[UUID]:
        """Whom anything at all may be told of."""
        return frozenset(child for child, _, _ in self.rows)


def may(child: str, category: str, *authors: str) -> str:
    """SQL: whether a row of `permitted` lets this entry be told.

    Args: the child's column; SQL for the category; SQL for each agency whose record it is.
    """
    own = "".join(f" OR {author} = :own_agency" for author in authors)
    return (
        f"EXISTS (SELECT FROM permitted WHERE permitted.child_id = {child}"
        f" AND permitted.category = {category}"
        f" AND (permitted.everything{own}))"
    )


async def permitted(
    gate: Gate, session: AsyncSession, viewer: Viewer, children: Iterable[UUID] | None = None
) -> Permitted:
    """What the viewer may be told now of these children, or of all whom they reach."""
    if children is not None:
        allowed, _ = await permitted_of(gate, session, viewer, children)
        return allowed
    rows: list[tuple[UUID, Category, bool]] = []
    after = _FIRST
    while found := await _read(gate, session, viewer, _REACHED, after=after, some=A_TIME):
        judged = gate.judge_found(session, found, viewer, Purpose.EXCHANGE)
        rows += _rows(judged, viewer.agency)
        after = max(judged)
        if len(found) < A_TIME:
            break
    return Permitted(viewer.agency, tuple(rows))


async def permitted_of(
    gate: Gate, session: AsyncSession, viewer: Viewer, children: Iterable[UUID]
) -> tuple[Permitted, Mapping[UUID, Found]]:
    """As `permitted`, and from which facts it was decided of each child: the gate opens by them."""
    rows: list[tuple[UUID, Category, bool]] = []
    read: dict[UUID, Found] = {}
    asked = sorted(set(children))
    for start in range(0, len(asked), A_TIME):
        some = frozenset(asked[start : start + A_TIME])
        found = await _read(gate, session, viewer, EACH_OR_ANOTHER, children=sorted(some))
        judged = gate.judge_found(session, found, viewer, Purpose.EXCHANGE)
        # The one who stands in where none of these is reached is left out again.
        reached = {one.child_id: one for one in found if one.child_id in some}
        rows += _rows({child: judged[child] for child in sorted(reached)}, viewer.agency)
        read |= reached
    return Permitted(viewer.agency, tuple(rows)), read


async def _read(
    gate: Gate, session: AsyncSession, viewer: Viewer, rest: str, **given: object
) -> list[Found]:
    return await gate.read_here(
        session, "NULL", rest, prepared=None, viewer=viewer.id, now=session.info[NOW], **given
    )


def _rows(
    judged: Mapping[UUID, Judgement], agency: UUID | None
) -> Sequence[tuple[UUID, Category, bool]]:
    rows: list[tuple[UUID, Category, bool]] = []
    for child, judgement in judged.items():
        for category in Category:
            if judgement.decision(category).permitted:
                rows.append((child, category, True))
            elif agency is not None and judgement.decision(category, agency).permitted:
                rows.append((child, category, False))
    return rows
