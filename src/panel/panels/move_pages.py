"""What the pages say that move an entry from the wrong child. Tested without HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import msgspec

from panel.panels.models import Discussion
from panel.panels.moving import Entry, NoteTouched, when_seen
from panel.panels.note_answers import steps_done
from panel.panels.note_models import Incident
from panel.panels.note_pages import clock_words, step_rows
from panel.panels.note_rules import Step, ico_is_settled
from panel.panels.shared_view import NOT_FOR_ALL
from panel.sharing.reading import SeenBy
from panel.web import words

STEP_WORDS = {
    Step.STOPPED: "Take it off the record of the wrong child",
    Step.TOLD_GOVERNANCE: "Tell the information governance lead",
    Step.TOLD_FAMILY: "Tell the family of the child whom it is about",
    Step.ASKED_BACK: "Ask everybody who saw it to destroy what they printed or wrote down",
    Step.DECIDED_ICO: "With the information governance lead, decide whether to tell the ICO",
    Step.PUT_RIGHT: "Put it on the record of the right child",
}


@dataclass(frozen=True, slots=True)
class MovePage:
    """What moves, from whom to whom, who could see it meanwhile, and what else happens."""

    address: str
    back: str
    panel: str
    day: date
    name: str
    """Of the child on whom it stands."""
    to: str
    """The child whom it is moved to; empty while nobody is chosen."""
    to_name: str
    children: Sequence[tuple[str, str]]
    """Who else is on the agenda, to choose from."""
    is_action: bool
    text: str
    """Its words, or why they are not shown."""
    by: str
    seen: Sequence[tuple[str, str, str]]
    """Who could see it: (who, agency, when)."""
    happens: Sequence[str]
    """What the move does, a sentence for each thing."""
    look_at: str
    """The address of a note that a person must read; empty where there is none."""


def move_page(
    entry: Entry,
    seen: Sequence[SeenBy],
    names: dict[UUID, str],
    to: UUID | None,
    base: str,
    panel: str,
    *,
    for_all: bool,
) -> MovePage:
    """The rehearsal; `names` are the children of the agenda whom the reader may open.

    Args: `for_all` says whether everybody at the meeting may see the entry.
    """
    child = entry.access.child_id
    day = entry.meeting.held_on
    return MovePage(
        address=f"{base}/meeting/{child}/entries/{entry.row.id}/move",
        back=f"{base}/minutes" if entry.meeting.state == "held" else f"{base}/meeting/{child}",
        panel=panel,
        day=day,
        name=names.get(child, "this child"),
        to="" if to is None else str(to),
        to_name="" if to is None else names[to],
        children=[(str(one), name) for one, name in names.items() if one != child],
        is_action=entry.is_action,
        text=entry.text if for_all else NOT_FOR_ALL,
        by=_by(entry),
        seen=[(one.who, one.agency, when_seen(one)) for one in seen],
        happens=_happens(entry),
        look_at=f"{base}/notes/{child}" if any(map(_to_read, entry.notes)) else "",
    )


def _by(entry: Entry) -> str:
    when = words.day_and_time(entry.written_at)
    return f"{entry.author}, {when}" if entry.author else when


def _happens(entry: Entry) -> list[str]:
    said = [
        "On the wrong child it says only that it was taken back: nobody can read it there.",
        "On the right child it keeps its author and its time.",
        "An incident is recorded, with who could see it and the steps to take.",
        "The 72 hours to tell the ICO, where it must be told, run from then.",
    ]
    if entry.is_action:
        said.append(
            "Whoever does it is brought in for the right child. Somebody brought in for this action"
            " alone has no part with the wrong child after today."
        )
    elif isinstance(entry.row, Discussion) and entry.row.heading == "needs_to_know":
        said.append(
            "An agency that was brought in stays: end its part on the page of the wrong child’s"
            " people, and bring it in for the right child."
        )
    return said + [line for one in entry.notes if (line := _note_words(entry, one))]


def _note_words(entry: Entry, note: NoteTouched) -> str:
    which = "The note to the family" + (f" (version {note.number})" if note.number > 1 else "")
    if note.state == "draft" and note.holds_it:
        return (
            f"{which} is a draft that says this: it is taken out, and the note is to be read again."
        )
    if note.holds_it:
        copies = words.plural(note.open_copies, "copy", "copies")
        return (
            f"{which} was signed off and says this. It is recalled: {copies} can no longer be read,"
            " and an incident is recorded for the family who got it."
        )
    if entry.is_for_family:
        return f"{which} may hold something of this in other words: it is marked to be read again."
    return ""


def _to_read(note: NoteTouched) -> bool:
    return not note.holds_it and note.state == "signed_off"


# Afterwards ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MovedPage:
    """What was done when an entry was moved, and what is still to do."""

    address: str
    back: str
    panel: str
    day: date
    name: str
    clock: str
    what: str
    """How it came to be on the wrong child, as somebody wrote it."""
    seen: Sequence[str]
    """Who could see it, a line for each; before that was kept apart, it stands in `what`."""
    steps: Sequence[tuple[str, str, str]]
    """(code, words, the day it was done or empty)."""
    is_open: bool


def moved_page(
    incident: Incident, base: str, panel: str, day: date, name: str, now: datetime
) -> MovedPage:
    """The incident of a move, with its steps."""
    done, is_open = steps_done(incident), incident.state == "open"
    return MovedPage(
        address=f"{base}/meeting/{incident.child_id}/entries/{incident.entry_id}/moved",
        back=f"{base}/minutes",
        panel=panel,
        day=day,
        name=name,
        clock=clock_words(incident.found_at, now, is_settled=ico_is_settled(done, is_open=is_open)),
        what=incident.what,
        seen=msgspec.json.decode(incident.seen, type=list[str]) if incident.seen else (),
        steps=step_rows(STEP_WORDS, done),
        is_open=is_open,
    )
