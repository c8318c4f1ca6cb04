"""The use of records in words: looks, searches, unusual patterns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from consent import Purpose
from panel.accounts.figures import FigureChange
from panel.accounts.inbox_figures import FIGURES as OF_THE_INBOX
from panel.governance.figures import NAME_OF, SET_HERE, WAYS_IN
from panel.governance.forms import SearchForm
from panel.governance.history import LOOKS_A_PAGE, Look, SearchLine
from panel.governance.models import PatternKind
from panel.governance.pattern_rules import Threshold
from panel.governance.patterns import PatternLine
from panel.governance.versions import Version
from panel.sharing.pages import FOR_WORDS
from panel.sharing.reading import OTHERS_WORDS
from panel.sharing.spans import FIGURES as SHARING
from panel.web import words

NO_RECORD = "No such record"
THRESHOLD_WORDS: Mapping[Threshold, tuple[str, str]] = {
    Threshold.MANY_CHILDREN: (
        "Different children’s records within an hour",
        "Only records that somebody opened; lists, searches and packs do not count.",
    ),
    Threshold.OWN_NAME: (
        "Children with the worker’s own surname, in a day",
        "A first name that is the same counts too: names are compared without reading them.",
    ),
    Threshold.OUT_OF_HOURS: ("Times that a record was opened outside working hours, in a day", ""),
    Threshold.DAY_BEGINS: (
        "The working day begins at (hour)",
        "Weekends and bank holidays are out.",
    ),
    Threshold.DAY_ENDS: ("The working day ends at (hour)", ""),
    Threshold.AFTER_CLOSURE: ("Children whose case was closed, in a day", ""),
    Threshold.CLOSED_FOR: ("Days for which a case was closed before it counts", ""),
    Threshold.MANY_REFUSALS: ("Attempts that were refused, in a day", ""),
}
SPAN_WORDS: Mapping[str, tuple[str, str]] = {
    "override_hours": (
        "Hours for which a record is opened for safety",
        "What a family chose not to share is open to one person for so long.",
    ),
    "review_working_days": ("Working days until each opening for safety is reviewed", ""),
    "follow_up_days": (
        "Days for which the reviewer reaches the record after one that was not justified",
        "To see to what follows.",
    ),
    "override_misses": (
        "Misses in a day after which nothing more is opened by reference",
        "So that nobody tries out who is known here.",
    ),
    "objection_working_days": ("Working days until an objection is decided", ""),
    "answer_working_days": (
        "Working days until a request for access is answered",
        "Then it lapses: refused.",
    ),
    "remind_days": (
        "Days before an agreement ends on which the lead professional is reminded",
        "The same before a young person turns 16 or 18.",
    ),
    "worker_invitation_days": (
        "Days for which the link that lets a worker in works",
        "Links that went before keep their day.",
    ),
    "family_invitation_days": (
        "Days for which the code of a family’s invitation works",
        "Invitations that went before keep their day.",
    ),
    "family_contact_hours": (
        "Hours until codes go to a family member’s new e-mail address",
        "The old address is told at once, so that they can object.",
    ),
    "owner_chase_working_days": (
        "Working days after its date until whoever does an action is reminded",
        "By e-mail, without a name or a word of what it is.",
    ),
    "manager_chase_working_days": (
        "Working days after its date until their manager is told of it",
        "Once, as the reminder before it.",
    ),
    "inbox_kept_days": (
        "Days for which what other systems sent about no child here is kept",
        "From the last time that somebody decided about it, or it came. Then it is deleted.",
    ),
    "inbox_most_waiting": (
        "How many things of one system may wait for somebody to decide",
        "What it sends beyond that is turned away.",
    ),
    "inbox_most_megabytes": (
        "How many megabytes of one system’s may lie here that are about no child yet",
        "With what was refused. What it sends beyond that is turned away.",
    ),
}


@dataclass(frozen=True, slots=True)
class LookRow:
    """One line of what a search found."""

    when: str
    who: str
    child: str
    why: str
    did: str


@dataclass(frozen=True, slots=True)
class PatternRow:
    """One unusual pattern in a list."""

    who: str
    what: str
    day: str
    href: str
    whose: str
    """Who closes it, where that is not the reader."""
    closed: str
    note: str


def look_row(look: Look) -> LookRow:
    """One look: when, who, which child, why, what they did."""
    who = look.who or OTHERS_WORDS.get(look.kind, "Somebody")
    child = f"{look.reference}, {look.child_name}" if look.child_name else look.reference
    did = f"Tried, and was refused: {look.doing}" if look.refused else look.doing
    return LookRow(
        when=words.day_and_time(look.at),
        who=f"{who}, {look.agency}" if look.agency else who,
        child=child or NO_RECORD,
        why=f"For {FOR_WORDS[look.purpose]}",
        did=words.upper_first(did),
    )


def search_address(form: SearchForm, **other: str) -> str:
    """The address of this search; `other` replaces or adds parts of it, "" takes one away."""
    parts: dict[str, str] = {
        "worker": form.worker,
        "worker_id": str(form.worker_id or ""),
        "agency": str(form.agency or ""),
        "reference": form.reference,
        "since": "" if form.since is None else form.since.isoformat(),
        "until": "" if form.until is None else form.until.isoformat(),
        "purpose": form.purpose,
        "refused": "yes" if form.refused else "",
    } | other
    said = {name: value for name, value in parts.items() if value}
    return "/governance/history?" + urlencode(said or {"worker": ""})


def search_words(line: SearchLine) -> tuple[str, str, str, str]:
    """One search: when, who, what they asked for, how much they were shown."""
    said = line.asked
    parts = [
        said.get("worker", ""),
        said.get("agency", ""),
        said.get("reference", ""),
        f"from {_day(said['since'])}" if "since" in said else "",
        f"until {_day(said['until'])}" if "until" in said else "",
        f"for {FOR_WORDS[Purpose(said['purpose'])]}" if "purpose" in said else "",
        "refused only" if "refused" in said else "",
    ]
    asked = ", ".join(part for part in parts if part) or "everything"
    shown = words.plural(min(line.shown, LOOKS_A_PAGE), "look")
    return words.day_and_time(line.at), line.who, words.upper_first(asked), shown


def pattern_row(line: PatternLine) -> PatternRow:
    """One pattern of a list."""
    closed = ""
    if line.closed_at is not None:
        closed = f"{words.day_and_time(line.closed_at)}, {line.closed_by}"
    return PatternRow(
        who=f"{line.who}, {line.agency}",
        what=pattern_words(line.kind, line.how_many),
        day=words.day(line.day),
        href=f"/governance/patterns/{line.id}",
        whose="" if line.may_close or closed else _closed_by_whom(line),
        closed=closed,
        note=line.note,
    )


def pattern_words(kind: PatternKind, how_many: int) -> str:
    """What was unusual, in one phrase."""
    children = words.plural(how_many, "child", "children")
    times = words.plural(how_many, "time")
    match kind:
        case PatternKind.MANY_CHILDREN:
            return f"Opened the records of {children} within an hour"
        case PatternKind.OWN_NAME:
            return f"Opened the record of {children} with their own name"
        case PatternKind.OUT_OF_HOURS:
            return f"Opened records {times} outside working hours"
        case PatternKind.AFTER_CLOSURE:
            return f"Opened the record of {children} long after the case was closed"
        case PatternKind.MANY_REFUSALS:
            return f"Was refused {times}"


def pattern_facts(line: PatternLine) -> list[tuple[str, str]]:
    """One pattern as a list of what and words."""
    facts = [
        ("Who", f"{line.who}, {line.agency}"),
        ("What", pattern_words(line.kind, line.how_many)),
        ("Day", words.day(line.day)),
        ("Told from", words.number(line.threshold)),
    ]
    if line.closed_at is not None:
        facts += [
            ("Closed", f"{words.day_and_time(line.closed_at)}, {line.closed_by}"),
            ("Note", line.note),
        ]
    return facts


def threshold_rows(stored: Mapping[Threshold, int]) -> Iterable[tuple[str, str, str, int]]:
    """Name, label, hint and figure of each setting."""
    return [(one.value, label, hint, stored[one]) for one, (label, hint) in THRESHOLD_WORDS.items()]


def span_groups() -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Heading of each group, with name, label and hint of its figures, and what they may be."""
    rows = [_span_row(name) for name in SPAN_WORDS]
    return [
        ("How long sharing may wait", [one for one in rows if one[0] in SHARING]),
        ("How long ways in last", [one for one in rows if one[0] in WAYS_IN]),
        ("What other systems sent", [one for one in rows if one[0] in OF_THE_INBOX]),
    ]


def _span_row(name: str) -> tuple[str, str, str]:
    figure, (label, hint) = SET_HERE[name], SPAN_WORDS[name]
    may_be = f"From {words.number(figure.least)} to {words.number(figure.most)}."
    return name, label, f"{hint} {may_be}".strip()


def span_change_row(change: FigureChange) -> tuple[str, str, str, str, str]:
    """One change: when, what, from which figure to which, who, why."""
    when = "From the beginning" if change.at is None else words.day_and_time(change.at)
    figures = f"{words.number(change.was)} to {words.number(change.figure)}"
    return when, SPAN_WORDS[NAME_OF[change.key]][0], figures, change.by, change.source


def version_row(version: Version) -> tuple[str, str, str, str, str]:
    """One version of a document: title, number, made, approved, its address."""
    approved = "Not approved yet"
    if version.approved_on is not None:
        approved = f"{words.short_day(version.approved_on)}, {version.approved_by}"
    return (
        version.title,
        f"Version {version.number}",
        words.short_day(version.made_on),
        approved,
        f"/governance/documents/{version.id}",
    )


def _day(said: str) -> str:
    return words.short_day(date.fromisoformat(said))


def _closed_by_whom(line: PatternLine) -> str:
    if line.of_lead:
        return "The Caldicott guardian or safeguarding lead closes it"
    return "The information governance lead closes it"
