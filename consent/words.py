"""Dates, people and sections in the words that a decision's sentences use."""

from __future__ import annotations

from datetime import date

from consent.model import Category, Tie, Viewer, ViewerKind

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

SECTION_WORDS: dict[Category, str] = {
    Category.IDENTITY: "names and identifiers",
    Category.CONTACT: "contact details",
    Category.NETWORK: "people involved",
    Category.HEALTH: "health",
    Category.DEVELOPMENT: "development",
    Category.EDUCATION: "education",
    Category.SOCIAL_CARE: "social care",
    Category.FAMILY: "family",
    Category.FINANCE: "money",
    Category.VIEWS: "views",
    Category.PLAN: "plan",
    Category.PANEL: "panel",
    Category.SAFEGUARDING: "safeguarding",
}
"""What stands before "section" on a page."""

TIE_WORDS: dict[Tie, str] = {
    Tie.TEAM: "You are in this child's team.",
    Tie.LEAD: "You are this child's lead professional.",
    Tie.MANAGER: "A worker you manage works with this child.",
    Tie.PANEL: "This child was referred to your panel or is known to it.",
    Tie.AGENDA: "This child is on an agenda that your agency's pack covers.",
    Tie.REQUEST: "A request for this child is before your panel.",
    Tie.SAFEGUARDING: "You review a safeguarding decision about this child.",
    Tie.GOVERNANCE: "You answer a request about this child's record.",
    Tie.PARENT: "You have parental responsibility for this child.",
    Tie.RELATIVE: "You are in this child's family.",
    Tie.SELF: "This is you.",
    Tie.GUEST: "You were asked about this child for one meeting.",
    Tie.CLIENT: "Your system is connected for this child.",
}


def day_words(day: date) -> str:
    """A date as "3 May 2026"."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def until_words(end: date) -> str:
    """The end of a permission as " until 3 May 2027", or nothing when it is open (`date.max`)."""
    return "" if end == date.max else f" until {day_words(end)}"


def since_words(start: date | None) -> str:
    """The start of a withholding as " (since 3 May 2026)", or nothing when it is not known."""
    return "" if start is None else f" (since {day_words(start)})"


def receiver_words(viewer: Viewer) -> str:
    """To whom something is given: "you" for a person, "your agency" for whoever acts for one."""
    acts_for_one = viewer.agency is not None or viewer.kind is ViewerKind.AGENCY
    return "your agency" if acts_for_one else "you"


def opening(words: str) -> str:
    """The words as the start of a sentence: "her mother" becomes "Her mother"."""
    return words[:1].upper() + words[1:]
