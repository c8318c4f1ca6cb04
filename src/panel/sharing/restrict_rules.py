"""Who may withhold something, and what a restriction, an order or an enquiry would change.

Pure. Source: DOMAIN.md, "Agreement and the law" (restrictions) and "Categories, purposes,
defaults" (roles).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from consent import GUARDIANS, Category, Role, State, Tie, Viewer
from consent.decide import decide_all
from consent.reach import is_named
from panel.platform.problems import FieldError
from panel.sharing.named import Kind, Named

SOCIAL_CARE = "social_care"
"""The kind of agency that looks into harm and knows why an address must not be told."""

_WORKING = frozenset({Tie.TEAM, Tie.LEAD, Tie.MANAGER})
_GUARDING = _WORKING | {Tie.PANEL, Tie.SAFEGUARDING}

WHO_MAY_PROTECT = (
    "The coordinator of the child's panel, the child's social care team and the safeguarding lead"
    " or Caldicott guardian record what protects somebody."
)
WHO_MAY_CHOOSE = (
    "The lead professional and the coordinator of the child's panel record what the family chose."
)
WHO_MAY_ENQUIRE = (
    "The child's social care team and the safeguarding lead or Caldicott guardian record a"
    " safeguarding enquiry."
)


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody would see less, or more, of."""

    who: str
    kind: Kind
    loses: tuple[Category, ...]
    gains: tuple[Category, ...]


def may_protect(viewer: Viewer, ties: frozenset[Tie]) -> bool:
    """Whether a protection or a court's order is theirs to record and to end."""
    return may_enquire(viewer, ties) or _coordinates(viewer, ties)


def may_choose(viewer: Viewer, ties: frozenset[Tie]) -> bool:
    """Whether what the family chose is theirs to record and to end."""
    return Tie.LEAD in ties or _coordinates(viewer, ties)


def may_enquire(viewer: Viewer, ties: frozenset[Tie]) -> bool:
    """Whether a safeguarding enquiry is theirs to record and to end."""
    in_social_care = viewer.agency_kind == SOCIAL_CARE and bool(ties & _WORKING)
    return in_social_care or (bool(viewer.roles & GUARDIANS) and bool(ties & _GUARDING))


def _coordinates(viewer: Viewer, ties: frozenset[Tie]) -> bool:
    return Tie.PANEL in ties and Role.COORDINATOR in viewer.roles


def as_known_to(viewer: Viewer, state: State) -> State:
    """The facts without what is withheld from the viewer in silence: a rehearsal tells nothing."""
    return replace(
        state,
        restrictions=tuple(
            one for one in state.restrictions if not (one.silent and is_named(viewer, one.against))
        ),
        orders=tuple(
            one
            for one in state.orders
            if one.permits or not (one.silent and is_named(viewer, one.to))
        ),
    )


def changes(
    before: State, after: State, at: datetime, named: Iterable[Named]
) -> tuple[Change, ...]:
    """Who would see less or more, asked of `consent` itself; whoever sees the same is left out.

    Each is asked as somebody who works with the child, or as the family member they are. What an
    agency's own people wrote is not counted here: it has its own rule.
    """
    found = []
    for one in named:
        was, is_now = (
            {
                category
                for category, decision in decide_all(
                    one.viewer, one.purpose, at, replace(state, relationships=(one.tie,))
                ).items()
                if decision.permitted
            }
            for state in (before, after)
        )
        loses = tuple(category for category in Category if category in was - is_now)
        gains = tuple(category for category in Category if category in is_now - was)
        if loses or gains:
            found.append(Change(one.words, one.kind, loses, gains))
    return tuple(found)


def wrong_dates(from_on: date | None, until_on: date | None, today: date) -> list[FieldError]:
    """What is wrong with from when until when something holds."""
    if from_on is not None and from_on < today:
        # What was seen before was seen.
        sentence = "It works from today on. Leave this empty, or give a day from today on"
        return [FieldError("from_on", sentence)]
    return wrong_span(from_on or today, until_on)


def wrong_span(from_on: date | None, until_on: date | None) -> list[FieldError]:
    """What is wrong with two dates of which the first may be long past."""
    if from_on is not None and until_on is not None and until_on < from_on:
        return [FieldError("until_on", "The end is before the beginning. Check both dates")]
    return []


def last_whole_day(today: date) -> date:
    """The last day of something that ends now: it counts no more from this moment on."""
    return today - timedelta(days=1)
