"""Agreements between agencies in words."""

from dataclasses import dataclass
from datetime import date

from panel.sharing.agencies_agreeing import Version
from panel.sharing.pages import FOR_WORDS, category_words
from panel.sharing.restrict_pages import span_lines
from panel.web import words

BASE = "/sharing-agreements"


@dataclass(frozen=True, slots=True)
class VersionCard:
    """One version: its heading, its state, lines of (what, words), where it is read."""

    heading: str
    state_words: str
    state_colour: str
    lines: tuple[tuple[str, str], ...]
    href: str


def version_card(version: Version, today: date, *, newest: bool) -> VersionCard:
    """One version in words."""
    lines = (
        ("Reference", version.reference),
        ("Between", words.in_a_row(version.party_names)),
        ("What may be shared", words.upper_first(category_words(version.categories))),
        ("For", words.upper_first(words.in_a_row([FOR_WORDS[one] for one in version.purposes]))),
        *span_lines(version.from_on, version.until_on),
        ("Review", words.day_and_distance(version.review_on, today)),
        ("What this version is for", version.why),
    )
    state, colour = _state(version, today, newest=newest)
    return VersionCard(
        heading=f"{version.title}, version {version.number}",
        state_words=state,
        state_colour=colour,
        lines=lines,
        href=f"{BASE}/{version.agreement_id}",
    )


def _state(version: Version, today: date, *, newest: bool) -> tuple[str, str]:
    if version.from_on > today:
        return "Not yet", "yellow"
    if not version.holds(today):
        return "Over", "grey"
    if newest and version.review_on < today:
        return "Review overdue", "red"
    return "In force", "green"
