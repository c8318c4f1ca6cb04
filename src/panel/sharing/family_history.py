"""Who looked at a child's record, for the child's own family: one plain line for each look.

Through the gate, as everything is. A line says when, who or which agency, why and on what it
rested; never what they did in detail, which could tell what the record holds. Left out are looks
of the family's own members, whose coming and going is nobody else's business, and looks by an
override that was recorded as one that would put somebody at risk if it were known. So are looks of
those who review it, as long as it ties them to the child: they would tell that there is one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from consent import IN_THEIR_OWN_RIGHT, Basis, Category, Purpose, Tie, ViewerKind
from panel.accounts.service import agencies, worker_names
from panel.platform.problems import NotAllowed
from panel.records.gate import Access, Withheld
from panel.web import words
from panel.web.paging import Asked, Page, page_of

LOOKS_A_PAGE = 20
NOT_FOR_THEM = "Who looked at a record is told to the child’s parents and to the young person."
SOMEBODY = "Somebody who works with your family"


WHY_WORDS: Mapping[Purpose, str] = {
    Purpose.SUPPORT: "to help",
    Purpose.PANEL: "for the panel’s meeting",
    Purpose.ALLOCATION: "to decide about a service that was asked for",
    Purpose.REVIEW: "to see how things are going",
    Purpose.SAFEGUARDING: "to keep a child safe",
    Purpose.EXCHANGE: "to keep its own notes up to date",
    Purpose.SUBJECT_ACCESS: "to answer a person who asked for their own data",
    Purpose.GOVERNANCE: "to check that the record is used as it should be",
}
"""Why somebody looked, after "looked"; for a reader of nine."""

BASIS_WORDS: Mapping[str, str] = {
    Basis.COURT_ORDER: "a court said so",
    Basis.OWN_RECORD: "they or their agency wrote it",
    Basis.SAFEGUARDING: "it was needed to keep somebody safe",
    Basis.DUTY: "the law says that they must know it",
    Basis.AGREEMENT: "you or your family agreed to share it",
}
"""On what it rested, after "because"; in the order in which it is told."""

_KIND_WORDS = {
    ViewerKind.GUEST.value: "A guest of the panel",
    ViewerKind.AGENCY.value: "The agency",
    ViewerKind.CLIENT.value: "A computer",
}

# Jobs look at no content, and a family's own looks are left out. An override's column that says
# whether the family is told is read by name, since an older database has none.
_LOOKS = """
SELECT e.id, e.at, e.viewer_id, e.viewer_kind, e.agency_id, e.purpose, e.decisions
FROM access_event e
WHERE e.child_id = :child AND e.viewer_kind NOT IN ('family', 'job')
  AND NOT (EXISTS (SELECT FROM jsonb_each_text(e.decisions) d WHERE d.value = 'safeguarding')
    AND EXISTS (SELECT FROM sharing_override o WHERE o.child_id = e.child_id
      AND o.to_id IN (e.viewer_id, e.agency_id) AND e.at BETWEEN o.starts_at AND o.ends_at
      AND (to_jsonb(o) ->> 'kept_from_family')::boolean))
  AND NOT (e.purpose = 'safeguarding' AND EXISTS (SELECT FROM sharing_override o
      WHERE o.child_id = e.child_id AND e.at >= o.starts_at
      AND (to_jsonb(o) ->> 'reviewed_at' IS NULL
        OR e.at < (to_jsonb(o) ->> 'reviewed_at')::timestamptz + interval '29 days')
      AND (to_jsonb(o) ->> 'kept_from_family')::boolean))
"""
_NEWEST = " ORDER BY e.at DESC, e.id DESC LIMIT :some"
_OLDER = " AND (e.at, e.id) < (:at, :id)" + _NEWEST
_NEWER = " AND (e.at, e.id) > (:at, :id) ORDER BY e.at, e.id LIMIT :some"


@dataclass(frozen=True, slots=True)
class FamilyLook:
    """One look, as the family reads it."""

    id: UUID
    at: datetime
    who: str
    why: str
    basis: str
    """Empty where nothing was opened."""
    refused: bool

    @property
    def line(self) -> str:
        """The look as one sentence or two."""
        when = words.day_and_time(self.at)
        if self.refused:
            return f"{when}: {self.who} tried to look {self.why}. They were not let in."
        if not self.basis:
            return f"{when}: {self.who} looked {self.why}. They saw nothing that the record holds."
        return f"{when}: {self.who} looked {self.why}. They could, because {self.basis}."


class Naming(Enum):
    """Whether whoever looked is named."""

    EVERYBODY = "everybody"
    NOBODY = "nobody"


async def looks_for_family(access: Access, asked: Asked) -> Page[FamilyLook] | Withheld:
    """Who looked at the record of a family member's own child, newest first, by key (at, id).

    For a parent with parental responsibility now and for the young person themselves. Withheld
    where they may not know who is involved; without names where anything is kept from them to
    protect somebody, since a school's or a surgery's name tells where a child is.
    Raises NotAllowed for everybody else.
    """
    if access.viewer.kind is not ViewerKind.FAMILY or not access.ties & IN_THEIR_OWN_RIGHT:
        raise NotAllowed(NOT_FOR_THEM, "Ask the person who holds the plan.")
    whose = "you" if Tie.SELF in access.ties else "your child"
    if (withheld := access.withheld(Category.NETWORK, whose)) is not None:
        return withheld
    rows = await _rows(access, asked)
    names, known = await _names(access, rows)
    looks = [_look(row, names, known) for row in rows]
    return page_of(looks, asked, LOOKS_A_PAGE, lambda look: (look.at, look.id))


async def looks_to_tell(access: Access, naming: Naming, most: int) -> list[tuple[UUID, str]]:
    """The newest looks that a family may be told, as sentences, for a copy of the record.

    Nobody is named to whom anything is protected from (`Naming.NOBODY`).
    """
    rows = (
        await access.session.execute(
            text(_LOOKS + _NEWEST), {"child": access.child_id, "some": most}
        )
    ).all()
    names, known = (None, {}) if naming is Naming.NOBODY else await _names(access, rows)
    return [(row.id, _look(row, names, known).line) for row in rows]


def basis_words(decisions: Mapping[str, Any]) -> str:
    """On what a look rested, in words, from its decisions: category → basis.

    What was withheld is no basis; what else stands there (under what law) is left to others.
    """
    categories = {category.value for category in Category}
    bases = {basis for name, basis in decisions.items() if name in categories}
    return words.in_a_row([said for basis, said in BASIS_WORDS.items() if basis in bases])


async def _rows(access: Access, asked: Asked) -> Sequence[Any]:
    back = asked.direction == "before"
    paged = _NEWEST if asked.key is None else (_NEWER if back else _OLDER)
    given: dict[str, object] = {"child": access.child_id, "some": LOOKS_A_PAGE + 1}
    if asked.key is not None:
        at, last = asked.key
        given |= {"at": at, "id": last}
    return (await access.session.execute(text(_LOOKS + paged), given)).all()


async def _names(
    access: Access, rows: Sequence[Any]
) -> tuple[dict[UUID, str] | None, dict[UUID, str]]:
    """Workers' names and agencies' names; None where this viewer is told no name."""
    if is_kept_from(access):
        return None, {}
    known = {agency.id: agency.name for agency in await agencies(access.session)}
    workers = [row.viewer_id for row in rows if row.viewer_kind == ViewerKind.WORKER]
    return await worker_names(access.session, workers), known


def is_kept_from(access: Access) -> bool:
    """Whether something is kept from this viewer to protect somebody, said or in silence."""
    decisions = [access.decision(category) for category in sorted(access.about)]
    return any(
        one.silent or (not one.permitted and one.basis in (Basis.PROTECTION, Basis.COURT_ORDER))
        for one in decisions
    )


def _look(row: Row[Any], names: dict[UUID, str] | None, known: dict[UUID, str]) -> FamilyLook:
    return FamilyLook(
        id=row.id,
        at=row.at,
        who=_who(row, names, known),
        why=WHY_WORDS[Purpose(row.purpose)],
        basis=basis_words(row.decisions),
        refused="refused" in row.decisions,
    )


def _who(row: Row[Any], names: dict[UUID, str] | None, known: dict[UUID, str]) -> str:
    if names is None:
        return SOMEBODY
    agency = known.get(row.agency_id, "")
    if row.viewer_kind == ViewerKind.AGENCY and agency:
        return agency
    if row.viewer_kind == ViewerKind.CLIENT and agency:
        return f"The computer of {agency}"
    who = names.get(row.viewer_id) or _KIND_WORDS.get(row.viewer_kind, SOMEBODY)
    return f"{who}, {agency}," if agency else who
