"""Rules of work in bulk. Pure: no database, no clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

CLAIM = 50
"""How many steps one transaction does: what dies loses no more."""
MOST_AT_ONCE = 200
"""How many one order may be about: somebody has read the list."""

LEFT_WORDS: Mapping[str, str] = {
    "not_reached": "You no longer reach this record.",
    "read_only": "You can read this record and cannot change it.",
    "held_still": "The use of this record is restricted: nothing may be changed.",
    "changed": "Somebody changed it meanwhile.",
    "offered": "The plan is offered to somebody who has not answered yet.",
    "cannot_hold": "The colleague leaves, or cannot hold a plan.",
    "other_agency": "The colleague is of another agency: offer the plan on the child’s page.",
    "same": "They hold the plan already.",
    "not_open": "The case is closed already.",
    "on_agenda": "The child is on an agenda that is settled.",
    "no_owner": "An open action has no owner. Name one in the plan, or drop it.",
    "left_behind": "Something is still open, and nobody is named who sees to it.",
    "no_lead": "Nobody is there to hold the plan again: open the case on the child’s page.",
    "reopened": "The child was referred again since.",
    "not_yours": "You no longer have the role for it.",
    "day": "The panel cannot meet on that day.",
    "held": "The meeting was held or cancelled.",
}
"""Why a step was left as it was, or stays as it was done, as the page says it."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One child's plan and who would take it."""

    child_id: UUID
    to_id: UUID


def spread_evenly(
    children: Sequence[UUID], takers: Sequence[UUID], holds: Mapping[UUID, int]
) -> Sequence[Spread]:
    """Give each plan to whoever then holds fewest; of equals, to the first named.

    `holds` says how many plans each taker holds now. Nothing is given where nobody takes.
    """
    load = {one: holds.get(one, 0) for one in takers}
    order = {one: at for at, one in enumerate(takers)}
    given = []
    for child in children:
        if not load:
            break
        to = min(load, key=lambda one: (load[one], order[one]))
        load[to] += 1
        given.append(Spread(child, to))
    return given


def moved_days(days: Iterable[date], weekday: int, start: date, end: date) -> dict[date, date]:
    """Where each meeting of a stretch goes when the panel meets on another day of the same week.

    `weekday` is Monday 0 to Friday 4; both ends are included. A meeting that is on that day stays.
    """
    return {
        day: day + timedelta(days=weekday - day.weekday())
        for day in days
        if start <= day <= end and day.weekday() != weekday
    }


def may_undo(state: str, at: datetime, until: datetime | None) -> bool:
    """Whether work that is done can still be taken back at a moment."""
    return state == "done" and until is not None and at <= until
