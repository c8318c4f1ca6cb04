"""The rules of holding a meeting: who is here, who chairs, what may be recorded, for which day.

Pure: dates and moments come in as arguments. Source, where nothing else is named: DOMAIN.md,
CONTACTS.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from consent import Role
from panel.panels.rules import Attendee, Quorum
from panel.records.dates import months_after
from panel.web import words

LONGEST_REVIEW_MONTHS = 12
"""A review is placed at most so many months after the meeting."""


class Presence(StrEnum):
    """Where somebody of the table is."""

    HERE = "here"
    APOLOGIES = "apologies"
    ABSENT = "absent"
    LEFT = "left"


class Heading(StrEnum):
    """Under which heading something is written at a meeting."""

    DISCUSSION = "discussion"
    NEEDS_TO_KNOW = "needs_to_know"
    ALLOCATION = "allocation"
    RESOURCES = "resources"


HEADINGS = {
    "contacts": frozenset({Heading.DISCUSSION, Heading.NEEDS_TO_KNOW}),
    "allocation": frozenset(Heading),
}
"""What each kind of panel may record."""


def recording_mistake(panel_kind: str, heading: str) -> str:
    """Why a panel cannot record something, or an empty text.

    CONTACTS decides nothing: neither an allocation nor a decision about resources.
    """
    if heading in HEADINGS.get(panel_kind, frozenset()):
        return ""
    if heading in (Heading.ALLOCATION, Heading.RESOURCES):
        return "CONTACTS decides nothing: it cannot record an allocation or a decision on resources"
    return "Write under Discussion, or under Who needs to know"


# Who is here ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """One person of the table at one meeting: a worker with a seat, or a substitute."""

    id: UUID
    """The worker's; of a substitute that of the attendance."""
    name: str
    agency_id: UUID
    agency: str
    agency_kind: str
    is_member: bool
    """Whether the agency is a member of the panel, with a pack."""
    roles: frozenset[str] = frozenset()
    presence: Presence | None = None
    """None while nobody has said."""
    here_at: datetime | None = None
    left_at: datetime | None = None
    chaired_from: datetime | None = None
    is_substitute: bool = False
    stands_in_for: str = ""
    """Whose place a substitute takes; may be empty."""

    @property
    def is_here(self) -> bool:
        """Whether the person is in the room now."""
        return self.presence is Presence.HERE

    @property
    def runs(self) -> bool:
        """Whether the person coordinates or chairs the panel."""
        return bool(self.roles & {Role.COORDINATOR, Role.CHAIR})


def came(people: Iterable[Person]) -> list[Person]:
    """Who is here now or was until they left."""
    return [one for one in people if one.presence in (Presence.HERE, Presence.LEFT)]


def attendees(people: Iterable[Person]) -> list[Attendee]:
    """Who counts for the quorum now: everybody who is here, who took the chair as a chair."""
    return [_counted(one, None) for one in people if one.is_here]


def _counted(one: Person, at: datetime | None) -> Attendee:
    chairs = one.chaired_from is not None and (at is None or one.chaired_from <= at)
    return Attendee(one.agency_kind, one.roles | {Role.CHAIR} if chairs else one.roles)


def chair_now(people: Iterable[Person]) -> Person | None:
    """Who chairs: of those who are here, whoever took the chair last; None where nobody did."""
    took = [(one.chaired_from, one) for one in people if one.is_here and one.chaired_from]
    return max(took, key=lambda pair: pair[0])[1] if took else None


def chairs_words(people: Iterable[Person]) -> str:
    """Who chaired, one after another: "Bo Marchetti, then from 10:30 Cleo Nightingale"."""
    took = sorted(
        ((one.chaired_from, one.name) for one in people if one.chaired_from is not None),
    )
    if not took:
        return ""
    first, *others = took
    later = [f"then from {words.time(at)} {name}" for at, name in others]
    return ", ".join([first[1], *later])


def leaving_mistake(
    who: Person | None, new_chair: Person | None, *, is_chair: bool, others_here: int
) -> str:
    """Why somebody cannot be marked as gone, or an empty text.

    Whoever chairs names who goes on, while anybody is left to do so.
    """
    if who is None or not who.is_here:
        return "Choose somebody who is here"
    if not is_chair or not others_here:
        return ""
    if new_chair is None:
        return f"{who.name} chairs the meeting. Choose who chairs from now on"
    if not new_chair.is_here or new_chair.id == who.id:
        return "Choose somebody else who is here to chair"
    return ""


# Quorum over a meeting ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stretch:
    """From when until when a meeting was quorate or not; without an end, to the end of it."""

    from_at: datetime
    until_at: datetime | None
    quorum: Quorum


def quorum_over_time(
    people: Sequence[Person],
    began_at: datetime,
    judge: Callable[[Collection[Attendee]], Quorum],
) -> list[Stretch]:
    """The stretches of a meeting that were quorate and that were not, one after another.

    Somebody who was here before it began counts from the beginning.
    """
    came_and_went = {at for one in came(people) for at in (one.here_at, one.left_at) if at}
    moments = sorted({began_at, *(at for at in came_and_went if at > began_at)})
    stretches: list[Stretch] = []
    for at in moments:
        found = judge(attendees_at(people, at))
        if stretches and stretches[-1].quorum.met is found.met:
            continue
        if stretches:
            stretches[-1] = replace(stretches[-1], until_at=at)
        stretches.append(Stretch(at, None, found))
    return stretches


def attendees_at(people: Iterable[Person], at: datetime) -> list[Attendee]:
    """Who counts for the quorum at a moment."""
    return [
        _counted(one, at)
        for one in came(people)
        if one.here_at is not None
        and one.here_at <= at
        and (one.left_at is None or one.left_at > at)
    ]


def quorum_words(stretches: Sequence[Stretch]) -> list[str]:
    """What minutes say of the quorum: from when until when there was one, else what was missing."""
    met = [one for one in stretches if one.quorum.met]
    if not met:
        missing = " ".join(stretches[-1].quorum.missing) if stretches else ""
        return [f"This meeting was not quorate. {missing}".strip()]
    said = []
    for one in met:
        until = "to the end" if one.until_at is None else f"until {words.time(one.until_at)}"
        said.append(f"Quorate from {words.time(one.from_at)} {until}.")
    last = stretches[-1].quorum
    if not last.met:
        said.append(f"Not quorate after that. {' '.join(last.missing)}")
    return said


# Actions ----------------------------------------------------------------------------------------


def action_due_mistake(due_on: date, meeting_day: date) -> str:
    """Why an action cannot be due on a day, or an empty text."""
    if due_on >= meeting_day:
        return ""
    return (
        f"By when must be {words.short_day(meeting_day)} or later:"
        " an action cannot be due before the meeting that asks for it"
    )


@dataclass(frozen=True, slots=True)
class Suggested:
    """Somebody who can be asked to do something."""

    worker_id: UUID
    name: str
    agency: str

    @property
    def label(self) -> str:
        """As the list of suggestions says it."""
        return f"{self.name}, {self.agency}"


def owner_named(who: str, suggestions: Sequence[Suggested]) -> Suggested | None:
    """The worker whom a text names: as suggested, or by the name alone; None for anybody else.

    Raises ValueError, with a sentence, where two workers have the name.
    """
    said = who.strip().casefold()
    exact = [one for one in suggestions if one.label.casefold() == said]
    found = exact or [one for one in suggestions if one.name.casefold() == said]
    if len({one.worker_id for one in found}) > 1:
        agencies = words.in_a_row((one.agency for one in found), "or")
        raise ValueError(f"Two people have that name. Say of which agency: {agencies}")
    return found[0] if found else None


# Reviews ----------------------------------------------------------------------------------------


def review_mistake(review_by: date, meeting_day: date) -> str:
    """Why a review cannot be due by a day, or an empty text."""
    latest = months_after(meeting_day, LONGEST_REVIEW_MONTHS)
    if meeting_day < review_by <= latest:
        return ""
    return (
        f"Review by must be after {words.short_day(meeting_day)}"
        f" and not after {words.short_day(latest)}"
    )


# Going through the agenda -----------------------------------------------------------------------


def next_to_come(children: Sequence[tuple[UUID, str]], here: UUID) -> UUID | None:
    """The next child who waits, each given with the state of the item; None when all are done.

    After the last of the list it begins again at the top: somebody may have been passed over.
    """
    places = [child for child, _ in children]
    at = places.index(here) if here in places else -1
    in_turn = [*children[at + 1 :], *children[: max(at, 0)]]
    return next((child for child, state in in_turn if state == "listed"), None)


def waits_since(
    deferred_on: date | None, last_discussed_on: date | None, meeting_day: date
) -> date:
    """Since when a child who was not reached waits: the first time keeps its place in the row."""
    if deferred_on is None:
        return meeting_day
    if last_discussed_on is not None and last_discussed_on >= deferred_on:
        return meeting_day
    return deferred_on
