"""People and agencies in words: what their pages say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from consent import Role, Viewer
from panel.accounts.people_joining import LinkSent
from panel.accounts.people_reading import AgencyLine, ProposalLine, RoleLine, WorkerLine
from panel.accounts.people_rules import (
    A_DAY,
    OF_A_PANEL,
    ROLE_WORDS,
    TAKE_TWO,
    Standing,
    looks_after_all,
    may_manage,
    roles_to_give,
)
from panel.records.casework import Holdings
from panel.web import words

PEOPLE = "/people"
KIND_WORDS = {
    "health": "Health",
    "education": "Education",
    "social_care": "Social care",
    "council": "Council",
    "voluntary": "Voluntary",
    "gp": "GP practice",
    "school": "School or nursery",
    "icb": "Integrated care board",
}
LATER_IF_TWO = "Takes two people: it is proposed, and another administrator confirms it."


def worker_href(worker_id: UUID) -> str:
    """A worker's page."""
    return f"{PEOPLE}/workers/{worker_id}"


def agency_href(agency_id: UUID) -> str:
    """The page of an agency's people."""
    return f"{PEOPLE}/agencies/{agency_id}"


@dataclass(frozen=True, slots=True)
class AgencyRow:
    """One agency in the list."""

    name: str
    kind: str
    workers: str
    href: str


def agency_row(one: AgencyLine) -> AgencyRow:
    """An agency in words."""
    people = "Nobody" if one.workers == 0 else words.plural(one.workers, "person", "people")
    if one.closed_on is not None:
        people = f"Closed on {words.day(one.closed_on)}"
    return AgencyRow(one.name, KIND_WORDS.get(one.kind, one.kind), people, agency_href(one.id))


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One worker in the list."""

    name: str
    title: str
    roles: str
    state: str
    href: str


def worker_row(one: WorkerLine, today: date) -> WorkerRow:
    """A worker in words, with the roles that count now or later."""
    roles = [ROLE_WORDS[role.role] for role in one.roles_on(today)]
    return WorkerRow(
        one.name,
        one.job_title,
        ", ".join(dict.fromkeys(roles)) or "No role",
        standing_words(one),
        worker_href(one.id),
    )


def standing_words(one: WorkerLine) -> str:
    """Where an account stands, with its day."""
    if one.standing is Standing.LEFT and one.leaving is not None and one.leaving.for_safety:
        return f"Left at once on {words.day_and_time(one.leaving.noted_at)}"
    if one.standing in (Standing.LEFT, Standing.LEAVING) and one.until_on is not None:
        last_day = words.day(one.until_on)
        return f"Left on {last_day}" if one.standing is Standing.LEFT else f"Leaves on {last_day}"
    if one.standing is Standing.INVITED and one.link_ends_at is not None:
        return f"Invited, link until {words.day_and_time(one.link_ends_at)}"
    if one.standing is Standing.TO_COME and one.from_on is not None:
        return f"Starts on {words.day(one.from_on)}"
    return {
        Standing.LINK_OVER: "Invited, the link’s time is over",
        Standing.WITHDRAWN: "Invitation withdrawn",
    }.get(one.standing, "Active")


@dataclass(frozen=True, slots=True)
class RoleRow:
    """One role of a worker's, and where to end it."""

    role: str
    dates: str
    end_href: str


def role_row(one: RoleLine, worker_id: UUID, panels: Mapping[UUID, str], today: date) -> RoleRow:
    """A role in words."""
    name = ROLE_WORDS[one.role]
    if one.panel_id is not None:
        name = f"{name}, {panels.get(one.panel_id, 'a panel')}"
    goes_on = one.until_on is None or one.until_on >= today
    href = f"{worker_href(worker_id)}/roles/{one.id}/end" if goes_on else ""
    return RoleRow(name, span_words(one.from_on, one.until_on), href)


def span_words(from_on: date | None, until_on: date | None) -> str:
    """From when until when."""
    begins = "From the start" if from_on is None else f"From {words.day(from_on)}"
    return begins if until_on is None else f"{begins} until {words.day(until_on)}"


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A role that waits for a second person."""

    what: str
    who: str
    proposed: str
    until: str
    action: str
    version: int
    may_confirm: bool
    may_refuse: bool
    why_not: str


def proposal_row(one: ProposalLine, viewer: Viewer) -> ProposalRow:
    """A proposal in words, and what this person may answer."""
    role = ROLE_WORDS[one.role]
    if one.ends and one.until_on is not None:
        what = f"End the role of {role.lower()} on {words.day(one.until_on)}"
    elif one.from_on is None and one.until_on is None:
        what = f"Give the role of {role.lower()}"
    else:
        days = "From today" if one.from_on is None else ""
        days = days or span_words(one.from_on, one.until_on)
        what = f"Give the role of {role.lower()}, {words.lower_first(days)}"
    why_not = ""
    if viewer.id == one.proposed_by:
        why_not = "You proposed this. Another administrator confirms it."
    elif viewer.id == one.worker_id:
        why_not = "This is about you. Another administrator confirms it."
    return ProposalRow(
        what=what,
        who=f"{one.worker}, {one.agency}",
        proposed=one.proposer or "The command line",
        until=words.day_and_time(one.lapses_at),
        action=f"{PEOPLE}/proposals/{one.id}",
        version=one.version,
        may_confirm=not why_not,
        may_refuse=viewer.id != one.worker_id,
        why_not=why_not,
    )


def role_choices(
    viewer: Viewer, besides: frozenset[Role] = frozenset()
) -> list[tuple[str, str, str]]:
    """The roles that somebody may give: value, label, hint."""
    return [
        (
            role.value,
            ROLE_WORDS[role],
            LATER_IF_TWO
            if role in TAKE_TWO
            else "Of one panel: choose it below."
            if role in OF_A_PANEL
            else "",
        )
        for role in roles_to_give(viewer)
        if role not in besides
    ]


def link_words(sent: LinkSent | None, email: str) -> str:
    """To which address the newest link went, when, and until when it works."""
    if sent is None:
        return ""
    until = f"It works once, until {words.day_and_time(sent.ends_at)}."
    if sent.went_at is not None:
        return f"Sent to {email} on {words.day_and_time(sent.went_at)}. {until}"
    made = f"Made for {email} on {words.day_and_time(sent.at)}"
    if sent.failure:
        return f"{made}, and it did not go: {sent.failure}"
    return f"{made}. It waits to be sent. {until}"


@dataclass(frozen=True, slots=True)
class WorkerSteps:
    """What somebody may do on a worker's page: addresses, empty where they may not."""

    invite: str
    withdraw: str
    address: str
    add_role: str
    leave: str
    stay: str
    why_none: str


def worker_steps(one: WorkerLine, viewer: Viewer, *, came_in: bool) -> WorkerSteps:
    """The steps that are open to this person; `came_in`: somebody signed in to the account once."""
    href = worker_href(one.id)
    none = ""
    if not may_manage(viewer, one.agency_id):
        none = "An administrator changes roles and accounts."
    elif one.id == viewer.id:
        none = "This is you. Another administrator changes your roles."
    if none:
        return WorkerSteps("", "", "", "", "", "", none)
    is_here = one.standing not in (Standing.LEFT, Standing.LEAVING)
    return WorkerSteps(
        invite=f"{href}/invitation" if is_here else "",
        withdraw=f"{href}/invitation/withdraw" if is_here and one.link_waits else "",
        address=f"{href}/address" if is_here and not came_in else "",
        add_role=f"{href}/roles/new" if is_here else "",
        leave=f"{href}/leave" if one.standing is not Standing.LEFT else "",
        stay=f"{href}/stay" if one.standing is Standing.LEAVING else "",
        why_none="",
    )


def holdings_words(one: WorkerLine, held: Holdings, taker: str, viewer: Viewer) -> Sequence[str]:
    """What happens with what a leaver holds: counts for their own agency alone."""
    is_own = viewer.agency == one.agency_id
    lines = []
    if is_own:
        plans = "no plan" if not held.plans else words.plural(held.plans, "plan")
        actions = (
            "no open action" if not held.actions else words.plural(held.actions, "open action")
        )
        lines.append(f"They hold {plans} as lead professional, and {actions}.")
    if held.plans_without:
        lines.append(
            "There is no manager at their agency and no coordinator who knows the child to take"
            " over. Only leaving at once, for safety, goes on: any coordinator takes over then."
        )
    elif taker:
        lines.append(f"{taker} becomes lead professional from the day after, until the handover.")
    elif held.plans or not is_own:
        lines.append(
            "A manager of their agency becomes lead professional from the day after, else the"
            " coordinator of the child’s panel, until the handover."
        )
    return [
        *lines,
        "Sessions, links and roles end with the last day; at once, when you press the button.",
        "Open actions go to whoever takes over. Drafts stay where they are.",
    ]


def default_last_day(one: WorkerLine, today: date) -> date:
    """The day that the page begins with."""
    return one.until_on or today


def earliest_end(today: date) -> date:
    """The earliest last day of a role: it ends at once."""
    return today - A_DAY


def may_change_agencies(viewer: Viewer) -> bool:
    """Whether somebody adds, renames and closes agencies."""
    return looks_after_all(viewer)
