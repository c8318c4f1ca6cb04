"""What pages say of placements outside the area: rows of words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from panel.allocation.models import RequestDecision
from panel.allocation.outside_models import OutsidePlacement
from panel.allocation.outside_rules import (
    FOOTING_WORDS,
    PLACEMENT_WORDS,
    Footing,
    PlacementKind,
    is_late,
)
from panel.allocation.outside_visits import Listed
from panel.register.header import ChildHeader
from panel.web import words

Rows = Sequence[tuple[str, str]]
PLACEMENT = "Placement out of the area"
WHERE = (PLACEMENT, "Where", "Who provides it")
"""What a line of the list says of a placement."""


def outside_address(child_id: UUID, request_id: UUID) -> str:
    """Where a placement is read."""
    return f"/children/{child_id}/requests/{request_id}/out-of-area"


def facts_rows(
    kind: str | None, footing: str | None, from_on: date | None, until_on: date | None
) -> Rows:
    """What kind of place it is, how the child lives there, and for how long."""
    return [
        (PLACEMENT, PLACEMENT_WORDS[PlacementKind(kind)] if kind else "Asked for"),
        ("How the child lives there", FOOTING_WORDS[Footing(footing)] if footing else ""),
        ("From", words.day(from_on) if from_on else ""),
        ("Until", words.day(until_on) if until_on else ""),
    ]


def placement_rows(placement: OutsidePlacement | None) -> Rows:
    """The placement that a request asks for, for somebody who may read the request."""
    if placement is None:
        return []
    first, *rest = facts_rows(
        placement.kind, placement.footing, placement.from_on, placement.until_on
    )
    where = [("Where", placement.area), ("Who provides it", placement.provider)]
    return [row for row in (first, *where, *rest) if row[1]]


def stored_placement(placement: OutsidePlacement | None) -> dict[str, object]:
    """A placement as the fields of a draft have it."""
    if placement is None:
        return {"outside": "no"}
    return {
        "outside": "yes",
        "placement_kind": placement.kind,
        "placement_footing": placement.footing,
        "placement_area": placement.area,
        "placement_provider": placement.provider,
        "placement_from": placement.from_on,
        "placement_until": placement.until_on,
    }


def due_words(day: date, today: date, what: str) -> str:
    """When something is due, and that it is overdue."""
    late = " Overdue." if is_late(day, today) else ""
    return f"{what} by {words.short_day(day)} ({words.relative_day(day, today)}).{late}"


def due_lines(
    placement: OutsidePlacement, agreed: RequestDecision | None, today: date
) -> list[str]:
    """The next visit and the next review of a placement that is agreed to and has not ended."""
    if agreed is None or placement.ended_on is not None:
        return []
    dues = (("Visit", placement.visit_by), ("Review", agreed.review_on))
    return [due_words(day, today, what) for what, day in dues if day is not None]


def since_words(placement: OutsidePlacement) -> str:
    """From when until when a child is placed."""
    since = "" if placement.from_on is None else f"From {words.short_day(placement.from_on)}"
    until = placement.until_on
    return since if until is None else f"{since} to {words.short_day(until)}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the panel's list as a page tells it; where it is withheld, that alone."""

    child_id: UUID
    name: str
    initials: str
    withheld: str = ""
    href: str = ""
    where: Rows = ()
    since: str = ""
    due: Sequence[str] = ()
    late: bool = False
    lacks: Sequence[str] = ()


def line_of(listed: Listed, header: ChildHeader, today: date, lacks: Sequence[str]) -> Line:
    """A line for somebody who may read the request."""
    placement, agreed = listed.placement, listed.agreed
    late = agreed is not None and (
        is_late(placement.visit_by, today) or is_late(agreed.review_on, today)
    )
    return Line(
        placement.child_id,
        header.name,
        header.initials,
        href=outside_address(placement.child_id, listed.request.id),
        where=[row for row in placement_rows(placement) if row[0] in WHERE],
        since=since_words(placement),
        due=due_lines(placement, agreed, today),
        late=late,
        lacks=lacks,
    )
