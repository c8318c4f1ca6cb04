"""What the pages of a chronology say."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from panel.casework.chronology import Told, WholeChronology
from panel.casework.chronology_rules import GROUPS, Order, words_of
from panel.records.withheld_words import hidden_words
from panel.register.pages import CATEGORY_WORDS
from panel.web.words import plural, short_day

GROUP_CHOICES = [("", "Everything"), *GROUPS.items()]


@dataclass(frozen=True, slots=True)
class ChronologyPage:
    """One page: lines of (title, when, text), what is not shown, and ways on."""

    lines: Sequence[tuple[str, str, str]]
    lead: str
    withheld: Sequence[str]
    note: str
    previous: str
    next: str
    print_href: str
    chosen: Sequence[tuple[str, str]]


def worker_page(
    read: WholeChronology, address: str, order: Order, group: str, *, whole: bool
) -> ChronologyPage:
    """The page as a worker reads it."""
    asked = {"order": order} | ({"about": group} if group else {})

    def at(cursor: str | None) -> str:
        return f"{address}?{urlencode(asked | {'page': cursor})}" if cursor else ""

    first = "newest" if order == "newest" else "oldest"
    return ChronologyPage(
        lines=[_line(one) for one in read.page.rows],
        lead=f"{plural(read.number, 'entry', 'entries')}, {first} first.",
        withheld=hidden_words(
            read.withheld, CATEGORY_WORDS, "Entries about {} are recorded that you cannot see."
        ),
        note=read.page.note,
        previous=at(read.page.previous),
        next=at(read.page.next),
        print_href="" if whole else f"{address}?{urlencode(asked | {'whole': 'yes'})}",
        chosen=[(GROUPS[group], f"{address}?{urlencode({'order': order})}")] if group else [],
    )


def _line(told: Told) -> tuple[str, str, str]:
    entry = told.entry
    when = short_day(entry.on)
    if entry.kind == "event":
        when = f"{when}, written down by {entry.agency}"
    return words_of(entry, "worker"), when, told.text


@dataclass(frozen=True, slots=True)
class FamilyChronologyPage:
    """What one of the family reads: (when, what)."""

    lines: Sequence[tuple[str, str]]
    has_more_kept: bool
    """Something is withheld, and not in silence."""
    note: str
    previous: str
    next: str


def family_page(read: WholeChronology, address: str, order: Order) -> FamilyChronologyPage:
    """The page as one of the family reads it."""

    def at(cursor: str | None) -> str:
        return f"{address}?{urlencode({'order': order, 'page': cursor})}" if cursor else ""

    return FamilyChronologyPage(
        lines=[(short_day(one.entry.on), words_of(one.entry, "family")) for one in read.page.rows],
        has_more_kept=bool(read.withheld),
        note=read.page.note,
        previous=at(read.page.previous),
        next=at(read.page.next),
    )
