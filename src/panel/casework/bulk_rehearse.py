"""What work in bulk would change, for whom, what it cannot and why. Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role
from panel.accounts.desk import WORKING_IN_BULK, Desk, usual_purposes
from panel.accounts.service import SignedIn, worker_names
from panel.casework.bulk_rules import (
    LEFT_WORDS,
    MOST_AT_ONCE,
    moved_days,
    spread_evenly,
)
from panel.casework.bulk_steps import is_left_open, why_not_closed
from panel.casework.names import Named, named
from panel.panels.calendar import meeting_on, panel_rhythm, rehearse_change
from panel.panels.models import Panel
from panel.plans.caseload import limits_of
from panel.plans.service import HeldPlan, plans_held, who_leads, who_may_hold
from panel.platform.problems import Invalid, NotAllowed, Problem
from panel.platform.tables import NOW, VIEWER, today_of
from panel.records.gate import Gate
from panel.web import words

MANY = f"Only the first {MOST_AT_ONCE} are shown. Do these, and then come back for the others."


@dataclass(frozen=True, slots=True)
class Person:
    """A worker in a choice, and how many plans they hold."""

    worker_id: UUID
    agency_id: UUID
    name: str
    plans: int


@dataclass(frozen=True, slots=True)
class Line:
    """One child of a rehearsal. `why_not` is a sentence where nothing would be done."""

    child_id: UUID
    words: str
    reference: str
    now: str
    """How things are."""
    then: str
    """What would change."""
    why_not: str
    seen: str
    """What the form sends back: the rows as they were read."""
    to_id: UUID | None = None


def require_bulk(desk: Desk) -> SignedIn:
    """Who may work in bulk: managers, and who runs a panel. Raises NotAllowed."""
    return desk.require(*WORKING_IN_BULK)


# Plans to colleagues ------------------------------------------------------------------------------


async def leaders(session: AsyncSession, who: SignedIn) -> Sequence[Person]:
    """Who holds plans that the viewer may give on: of their own agency, or of their panel."""
    rows = [row for row in await who_leads(session) if may_give_of(who, row[1])]
    names = await worker_names(session, [row[0] for row in rows])
    people = [Person(one, agency, names.get(one, ""), plans) for one, agency, plans in rows]
    return sorted(people, key=lambda one: (one.name, one.worker_id))


def may_give_of(who: SignedIn, agency_id: UUID) -> bool:
    """Whether somebody decides who of an agency holds its plans."""
    roles = who.viewer.roles
    return bool(roles & {Role.COORDINATOR, Role.CHAIR}) or (
        Role.MANAGER in roles and agency_id == who.viewer.agency
    )


async def takers(session: AsyncSession, people: Sequence[Person]) -> Sequence[Person]:
    """Colleagues of these people who could hold a plan, with how many they hold."""
    agencies = sorted({one.agency_id for one in people})
    found = await who_may_hold(session, agencies)
    rows = await session.execute(
        text(
            "SELECT w.id, w.agency_id, (SELECT count(*) FROM lead_professional l"
            " WHERE l.worker_id = w.id AND l.state = 'accepted') AS plans"
            " FROM worker w WHERE w.id = ANY(:ids)"
        ),
        {"ids": list(found)},
    )
    held = {row.id: row for row in rows}
    names = await worker_names(session, list(found))
    known = [Person(one, held[one].agency_id, names.get(one, ""), held[one].plans) for one in found]
    return sorted(known, key=lambda one: (one.name, one.worker_id))


@dataclass(frozen=True, slots=True)
class Reassigning:
    """The rehearsal of giving plans on."""

    lines: Sequence[Line]
    takers: Sequence[Person]
    notes: Sequence[str]
    """What to know first: that these are not all, and who would hold more than the limit says."""


async def rehearse_reassign(
    gate: Gate,
    session: AsyncSession,
    who: SignedIn,
    from_ids: Sequence[UUID],
    to_ids: Sequence[UUID],
) -> Reassigning:
    """Whose plan would go to whom: spread so that nobody gets more than others need to."""
    people = [one for one in await leaders(session, who) if one.worker_id in set(from_ids)]
    able = [one for one in await takers(session, people) if one.worker_id not in set(from_ids)]
    held = await plans_held(session, [one.worker_id for one in people], MOST_AT_ONCE + 1)
    shown = held[:MOST_AT_ONCE]
    viewer = who.viewer
    known = await named(
        gate,
        session,
        viewer,
        usual_purposes(viewer),
        [one.child_id for one in shown],
        "looked who would hold the plan instead",
    )
    give = [one for one in shown if one.child_id in known]
    to = _spread(give, [one for one in able if one.worker_id in set(to_ids)])
    names = {one.worker_id: one.name for one in (*people, *able)}
    lines = [_give_line(one, known[one.child_id], to.get(one.child_id), names) for one in give]
    notes = [MANY] if len(held) > MOST_AT_ONCE else []
    return Reassigning(lines, able, [*notes, *await _over_limits(session, able, to)])


def _spread(give: Sequence[HeldPlan], colleagues: Sequence[Person]) -> dict[UUID, UUID]:
    """Who would hold each child's plan, within each agency."""
    to: dict[UUID, UUID] = {}
    for agency in sorted({one.agency_id for one in give}):
        own = [one for one in colleagues if one.agency_id == agency]
        spread = spread_evenly(
            [one.child_id for one in give if one.agency_id == agency and not one.offered],
            [one.worker_id for one in own],
            {one.worker_id: one.plans for one in own},
        )
        to |= {one.child_id: one.to_id for one in spread}
    return to


def _give_line(one: HeldPlan, child: Named, taker: UUID | None, names: Mapping[UUID, str]) -> Line:
    why = ""
    if not child.access.may_write:
        why = LEFT_WORDS["read_only"]
    elif one.offered:
        why = LEFT_WORDS["offered"]
    elif taker is None:
        why = "No colleague was chosen who could hold the plan."
    return Line(
        one.child_id,
        child.words,
        child.reference,
        names.get(one.worker_id, ""),
        "" if taker is None else names.get(taker, ""),
        why,
        f"{one.child_id} {one.lead_id} {one.version} {one.worker_id}",
        taker,
    )


async def _over_limits(
    session: AsyncSession, able: Sequence[Person], to: Mapping[UUID, UUID]
) -> Sequence[str]:
    """Who would hold more plans than their agency's limit says: a sentence each."""
    limits = await limits_of(session, {one.agency_id for one in able})
    said = []
    for one in able:
        given = sum(1 for taker in to.values() if taker == one.worker_id)
        limit, would = limits[one.agency_id], one.plans + given
        if given and would > limit:
            plans = words.plural(would, "plan")
            said.append(f"{one.name} would hold {plans}; the limit is {words.number(limit)}.")
    return said


# Cases to close -----------------------------------------------------------------------------------

_CASES = text("""
SELECT e.child_id, e.id, e.version, e.opened_on,
  COALESCE((SELECT json_object_agg(f.id, json_build_array(f.version, f.state))
    FROM referral f WHERE f.child_id = e.child_id AND f.state <> 'closed'), '{}') AS referrals,
  EXISTS (SELECT FROM lead_professional l WHERE l.child_id = e.child_id
    AND l.state = 'accepted') AS has_lead,
  (SELECT max(f.last_discussed_on) FROM referral f WHERE f.child_id = e.child_id) AS discussed
FROM child_access x JOIN episode e ON e.child_id = x.child_id
WHERE x.viewer_id = :viewer AND x.valid_from <= :now AND x.valid_until >= :now
  AND e.closed_on IS NULL AND e.opened_on <= :before
  AND (CAST(:after_on AS date) IS NULL OR (e.opened_on, e.id) > (:after_on, CAST(:after AS uuid)))
  AND (CAST(:agency AS uuid) IS NULL OR EXISTS (SELECT FROM lead_professional l
    WHERE l.child_id = e.child_id AND l.state = 'accepted' AND l.agency_id = :agency))
  AND (CAST(:only AS uuid[]) IS NULL OR e.child_id = ANY(:only))
ORDER BY e.opened_on, e.id LIMIT :most
""")


async def rehearse_close(
    gate: Gate,
    session: AsyncSession,
    who: SignedIn,
    *,
    only: Sequence[UUID] | None = None,
    after: tuple[date, UUID] | None = None,
    most: int = MOST_AT_ONCE,
) -> Sequence[tuple[Line, tuple[date, UUID], Mapping[str, Any]]]:
    """Open cases, the oldest first: what closing does, its place in the list, the rows seen.

    A manager's are those that their agency leads; who runs a panel has all that they reach.
    """
    viewer = who.viewer
    given = {
        "viewer": session.info[VIEWER],
        "now": session.info[NOW],
        "before": today_of(session),
        "agency": None if who.may_coordinate else viewer.agency,
        "after_on": None if after is None else after[0],
        "after": None if after is None else after[1],
        "only": None if only is None else list(only),
        "most": most,
    }
    rows = list(await session.execute(_CASES, given))
    known = await named(
        gate, session, viewer, usual_purposes(viewer),
        [row.child_id for row in rows], "looked what closing the case would do",
    )  # fmt: skip
    found = []
    for row in rows:
        child = known.get(row.child_id)
        if child is None:
            continue
        before = {
            "episode": str(row.id),
            "version": row.version,
            "referrals": {one: version for one, (version, _) in row.referrals.items()},
            "states": {one: state for one, (_, state) in row.referrals.items()},
            "has_lead": row.has_lead,
        }
        code, _ = await why_not_closed(child.access, before)
        still = await is_left_open(child.access)
        days = (row.opened_on, row.discussed)
        line = _close_line(days, len(row.referrals), still, child, code)
        found.append((line, (row.opened_on, row.id), before))
    return found


def _close_line(
    days: tuple[date, date | None], ends: int, still: int, child: Named, code: str
) -> Line:
    opened, discussed = days
    talked = "never discussed" if discussed is None else f"discussed {words.short_day(discussed)}"
    return Line(
        child.child_id,
        child.words,
        child.reference,
        f"Open since {words.short_day(opened)}, {talked}",
        "The case is closed today"
        + (f", and {words.plural(ends, 'referral')} with it" if ends else "")
        + (f"; {words.plural(still, 'thing is', 'things are')} still open" if still else ""),
        LEFT_WORDS.get(code, ""),
        str(child.child_id),
    )


# A panel's day ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DayLine:
    """One meeting of a rehearsal."""

    meeting_id: UUID
    version: int
    was_on: date
    to: date
    reviews: int
    packs_are_out: bool
    why_not: str


async def rehearse_days(
    session: AsyncSession, who: SignedIn, panel: Panel, weekday: int, start: date, end: date
) -> Sequence[DayLine]:
    """Where each meeting of a stretch would go. Raises NotAllowed for who does not run the panel.

    A meeting that nobody has looked at gets its row by this, as by looking at its agenda.
    """
    if panel.id not in who.may_coordinate:
        raise NotAllowed("Only the coordinator or the chair of this panel can do this.")
    rhythm = await panel_rhythm(session, panel)
    first = max(start, today_of(session))
    days = [one.held_on for one in rhythm.days(first, end) if one.state in ("planned", "frozen")]
    lines = []
    for was, to in moved_days(days, weekday, first, end).items():
        meeting = await meeting_on(session, panel, was)
        why, reviews, out = "", 0, meeting.state == "frozen"
        try:
            reviews = len((await rehearse_change(session, panel, meeting, to)).reviews)
        except Problem as refused:
            why = _said(refused)
        lines.append(DayLine(meeting.id, meeting.version, was, to, reviews, out, why))
    return lines


def _said(refused: Problem) -> str:
    if isinstance(refused, Invalid) and refused.errors:
        return refused.errors[0].sentence
    return refused.sentence
