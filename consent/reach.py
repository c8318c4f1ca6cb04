"""How a viewer is tied to a child, and whether anything could open the record to them at all.

`may_reach` is the coarse fence around `consent.decide`: whatever that permits, this allows. Which
tie carries which purposes, and for which roles, is the role table of DOMAIN.md ("Categories,
purposes, defaults").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from consent.model import (
    GUARDIANS,
    LONDON,
    CourtOrder,
    Override,
    Purpose,
    Relationship,
    Restriction,
    RestrictionKind,
    Role,
    State,
    Tie,
    Viewer,
    ViewerKind,
)

_WORKER = frozenset({ViewerKind.WORKER})
_FAMILY = frozenset({ViewerKind.FAMILY})


@dataclass(frozen=True, slots=True)
class TieRule:
    """What one kind of tie carries, and for whom."""

    purposes: frozenset[Purpose]
    kinds: frozenset[ViewerKind] = _WORKER
    roles: frozenset[Role] = frozenset()
    """For workers: at least one of these."""
    by_agency: bool = False
    """Whether the tie may be the agency's, and so everyone's who acts for it in such a role."""


_WORKING = frozenset({Role.PRACTITIONER, Role.MANAGER})
"""A leaver's manager becomes lead professional at once, so a manager can be in a team."""
_OWN_STANDING = TieRule(frozenset({Purpose.SUPPORT, Purpose.SUBJECT_ACCESS}), _FAMILY)

TIE_RULES: dict[Tie, TieRule] = {
    Tie.TEAM: TieRule(frozenset({Purpose.SUPPORT, Purpose.REVIEW}), roles=_WORKING),
    Tie.LEAD: TieRule(frozenset({Purpose.SUPPORT, Purpose.REVIEW}), roles=_WORKING),
    Tie.MANAGER: TieRule(frozenset({Purpose.SUPPORT}), roles=frozenset({Role.MANAGER})),
    Tie.PANEL: TieRule(
        frozenset({Purpose.PANEL, Purpose.REVIEW}),
        roles=frozenset({Role.COORDINATOR, Role.CHAIR}),
    ),
    Tie.AGENDA: TieRule(
        frozenset({Purpose.PANEL}),
        kinds=frozenset({ViewerKind.WORKER, ViewerKind.AGENCY}),
        roles=frozenset({Role.PANEL_MEMBER, Role.COORDINATOR, Role.CHAIR}),
        by_agency=True,
    ),
    Tie.REQUEST: TieRule(
        frozenset({Purpose.ALLOCATION}),
        roles=frozenset({Role.BUDGET_HOLDER, Role.ALLOCATION_MEMBER}),
        by_agency=True,
    ),
    Tie.SAFEGUARDING: TieRule(
        frozenset({Purpose.SAFEGUARDING, Purpose.GOVERNANCE}),
        roles=GUARDIANS,
    ),
    Tie.GOVERNANCE: TieRule(
        frozenset({Purpose.GOVERNANCE, Purpose.SUBJECT_ACCESS}),
        roles=frozenset({Role.GOVERNANCE_LEAD}),
    ),
    Tie.PARENT: _OWN_STANDING,
    Tie.RELATIVE: _OWN_STANDING,
    Tie.SELF: _OWN_STANDING,
    Tie.GUEST: TieRule(frozenset({Purpose.PANEL}), kinds=frozenset({ViewerKind.GUEST})),
    Tie.CLIENT: TieRule(
        frozenset({Purpose.EXCHANGE}), kinds=frozenset({ViewerKind.CLIENT}), by_agency=True
    ),
}

CASE_ROLES: frozenset[Role] = frozenset().union(*(rule.roles for rule in TIE_RULES.values()))
"""Roles that can open a record; commissioner, administrator, parents' representative cannot."""

_MAY_OVERRIDE = frozenset({ViewerKind.WORKER, ViewerKind.AGENCY})


def sees_content(viewer: Viewer) -> bool:
    """Whether the viewer is somebody who may see any child's content: no job, no caseless role."""
    if viewer.kind is ViewerKind.WORKER:
        return not CASE_ROLES.isdisjoint(viewer.roles)
    return viewer.kind is not ViewerKind.JOB


def agency_of(viewer: Viewer) -> UUID | None:
    """The agency that the viewer acts for, or is."""
    if viewer.agency is None and viewer.kind is ViewerKind.AGENCY:
        return viewer.id
    return viewer.agency


def receiver_of(viewer: Viewer) -> UUID:
    """Whom an agreement must name: the viewer's agency, or a person who acts for none."""
    return viewer.id if viewer.agency is None else viewer.agency


def is_named(viewer: Viewer, ids: frozenset[UUID]) -> bool:
    """Whether the ids name the viewer or the viewer's agency."""
    return viewer.id in ids or (viewer.agency is not None and viewer.agency in ids)


def binds(viewer: Viewer, relationship: Relationship) -> bool:
    """Whether the relationship ties this viewer, by who they are and what they do, on some day."""
    rule = TIE_RULES[relationship.tie]
    return (
        (relationship.who == viewer.id or (rule.by_agency and relationship.who == viewer.agency))
        and viewer.kind in rule.kinds
        and (viewer.kind is not ViewerKind.WORKER or not rule.roles.isdisjoint(viewer.roles))
    )


def ties(viewer: Viewer, state: State) -> frozenset[Relationship]:
    """Every relationship that ties the viewer to the child, on whatever days."""
    if not sees_content(viewer):
        return frozenset()
    return frozenset(each for each in state.relationships if binds(viewer, each))


def order_reaches(
    viewer: Viewer, order: CourtOrder | Override, live_ties: Iterable[Relationship]
) -> bool:
    """Whether an order or override that permits is meant for this viewer.

    One that names the viewer needs no tie. One that names an agency reaches its pack and those of
    its workers who are tied to the child now, not everybody it employs.
    """
    to = order.to if isinstance(order, CourtOrder) else frozenset({order.to})
    if viewer.id in to:
        return True
    if viewer.agency is None or viewer.agency not in to:
        return False
    return viewer.kind is ViewerKind.AGENCY or any(True for _ in live_ties)


def order_forbids(viewer: Viewer, order: CourtOrder, day: date) -> bool:
    """Whether a court forbids this viewer something on the day."""
    return (
        not order.permits and order.span.holds(day) and (not order.to or is_named(viewer, order.to))
    )


def restricts(viewer: Viewer, restriction: Restriction, day: date) -> bool:
    """Whether a restriction is against this viewer on the day."""
    return restriction.span.holds(day) and (
        not restriction.against or is_named(viewer, restriction.against)
    )


def override_runs(viewer: Viewer, override: Override, at: datetime) -> bool:
    """Whether an override could serve such a viewer at the moment; its end is not included."""
    return viewer.kind in _MAY_OVERRIDE and override.start <= at < override.end


def may_reach(viewer: Viewer, state: State, at: datetime) -> bool:
    """Whether the viewer may know of this child at the moment: the least for `decide` to permit."""
    if not sees_content(viewer):
        return False
    day = at.astimezone(LONDON).date()
    if any(order_forbids(viewer, each, day) and not each.categories for each in state.orders):
        return False
    live = [each for each in ties(viewer, state) if each.span.holds(day)]
    if any(
        each.permits and each.span.holds(day) and order_reaches(viewer, each, live)
        for each in state.orders
    ):
        return True
    if _is_sealed(viewer, state, day):
        return False
    return bool(live) or any(
        override_runs(viewer, each, at) and order_reaches(viewer, each, live)
        for each in state.overrides
    )


def _is_sealed(viewer: Viewer, state: State, day: date) -> bool:
    return any(
        each.kind is RestrictionKind.PROTECTION
        and not each.categories
        and restricts(viewer, each, day)
        for each in state.restrictions
    )
