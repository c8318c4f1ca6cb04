"""The rules of workers' accounts: no database, no clock, no request.

Who manages whose account, which roles take two people, and what state an account is in. Source:
DOMAIN.md, "Words" (worker) and the role table; adr/0021.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from consent import Role, Viewer

RUNS_THE_SERVICE = "council"
"""The kind of agency whose administrators look after every agency's accounts."""
TAKE_TWO = frozenset(
    {Role.ADMINISTRATOR, Role.GOVERNANCE_LEAD, Role.CALDICOTT_GUARDIAN, Role.SAFEGUARDING_LEAD}
)
"""Roles that one administrator proposes and another confirms."""
OF_A_PANEL = frozenset({Role.COORDINATOR, Role.CHAIR, Role.PANEL_MEMBER})
WITHIN_AN_AGENCY = frozenset({Role.PRACTITIONER, Role.MANAGER, Role.ADMINISTRATOR})
"""Roles that reach no further than the agency's own children: its own administrator gives them."""
HOLDS_PLANS = frozenset({Role.PRACTITIONER, Role.MANAGER})
PROPOSAL_LASTS = timedelta(days=7)
INVITATION_DAYS, LEAST_DAYS, MOST_DAYS = 7, 1, 30
A_DAY = timedelta(days=1)

ROLE_WORDS = {
    Role.PRACTITIONER: "Practitioner",
    Role.MANAGER: "Manager",
    Role.COORDINATOR: "Panel coordinator",
    Role.CHAIR: "Chair",
    Role.PANEL_MEMBER: "Panel member",
    Role.BUDGET_HOLDER: "Budget holder",
    Role.ALLOCATION_MEMBER: "Member of the allocation panel",
    Role.COMMISSIONER: "Commissioner",
    Role.GOVERNANCE_LEAD: "Information governance lead",
    Role.CALDICOTT_GUARDIAN: "Caldicott guardian",
    Role.SAFEGUARDING_LEAD: "Safeguarding lead",
    Role.PARENTS_REPRESENTATIVE: "Parents’ representative",
    Role.ADMINISTRATOR: "Administrator",
}


def looks_after_all(viewer: Viewer) -> bool:
    """Whether an administrator looks after every agency's accounts."""
    return Role.ADMINISTRATOR in viewer.roles and viewer.agency_kind == RUNS_THE_SERVICE


def may_manage(viewer: Viewer, agency_id: UUID) -> bool:
    """Whether somebody manages the accounts of an agency: an administrator of it, or of all."""
    if Role.ADMINISTRATOR not in viewer.roles:
        return False
    return viewer.agency == agency_id or looks_after_all(viewer)


def may_read(viewer: Viewer, agency_id: UUID) -> bool:
    """Whether somebody reads who works at an agency: who manages it, or one of its managers."""
    is_manager = Role.MANAGER in viewer.roles and viewer.agency == agency_id
    return is_manager or may_manage(viewer, agency_id)


def roles_to_give(viewer: Viewer) -> Sequence[Role]:
    """The roles that an administrator may give, or propose, in the order of the list."""
    return [role for role in ROLE_WORDS if looks_after_all(viewer) or role in WITHIN_AN_AGENCY]


class Standing(StrEnum):
    """Where an account stands."""

    INVITED = "invited"
    LINK_OVER = "link over"
    WITHDRAWN = "invitation withdrawn"
    TO_COME = "to come"
    ACTIVE = "active"
    LEAVING = "leaving"
    LEFT = "left"


def standing(
    *,
    from_on: date | None,
    until_on: date | None,
    invitation: str,
    link_ends_at: datetime | None,
    now: datetime,
    today: date,
    came_in: bool = False,
) -> Standing:
    """Where an account stands now; `invitation` is the state of the newest one, or empty.

    Who came in before is at work whatever became of a later link: it only lets them choose anew
    how they sign in.
    """
    if until_on is not None:
        return Standing.LEFT if until_on < today else Standing.LEAVING
    if invitation == "withdrawn" and not came_in:
        return Standing.WITHDRAWN
    if invitation == "sent" and link_ends_at is not None and not came_in:
        return Standing.INVITED if link_ends_at >= now else Standing.LINK_OVER
    if from_on is not None and from_on > today:
        return Standing.TO_COME
    return Standing.ACTIVE


def dates_mistake(from_on: date | None, until_on: date | None, today: date) -> str:
    """Why a role cannot have these dates, or an empty text."""
    if from_on is not None and from_on < today:
        return "The first day must be today or later: nobody gets a role for days that are over"
    if until_on is not None and until_on < (from_on or today):
        return "The last day must not be before the first day"
    return ""


def last_day_mistake(last_day: date, today: date, from_on: date | None = None) -> str:
    """Why something cannot end on a day, or an empty text; yesterday ends it at once."""
    if last_day < today - A_DAY:
        return "The last day can be yesterday at the earliest, which ends it at once"
    if from_on is not None and from_on > today and last_day < from_on - A_DAY:
        return "The last day must not be before the first day"
    return ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is known of a proposal when somebody answers it."""

    state: str
    worker_id: UUID
    proposed_by: UUID
    lapses_at: datetime


def answer_mistake(proposal: Proposal, by: UUID, now: datetime) -> str:
    """Why somebody cannot confirm a proposal, or an empty text."""
    if proposal.state != "open":
        return "This was answered already"
    if proposal.lapses_at < now:
        return "This lapsed. Propose it again"
    if by == proposal.proposed_by:
        return "You proposed this. Another administrator confirms it"
    if by == proposal.worker_id:
        return "This is about you. Another administrator confirms it"
    return ""


def leaves_the_last(administrators: Mapping[UUID, bool], leaver: UUID) -> bool:
    """Whether nobody would be left who administers, or nobody who looks after every agency.

    `administrators` are those who stay; True for whom every agency's accounts are.
    """
    if leaver not in administrators:
        return False
    rest = [one for one in administrators if one != leaver]
    return not rest or (administrators[leaver] and not any(administrators[one] for one in rest))


def agency_key(name: str, taken: Collection[str]) -> str:
    """A short name for an agency's address and files: letters, figures and hyphens, not taken."""
    letters = "".join(one if one.isascii() and one.isalnum() else "-" for one in name.lower())
    base = "-".join(part for part in letters.split("-") if part)[:40] or "agency"
    number = 1
    key = base
    while key in taken:
        number += 1
        key = f"{base}-{number}"
    return key
