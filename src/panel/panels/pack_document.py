"""What an agency's pack says, as plain values, and the PDF made of it.

Whoever builds a PackDocument has asked the gate already: it holds what this agency may see and, in
place of the rest, a PackWithheld that says so. Nothing here decides who may see what. The same
tree serves the pack on screen.
"""

from __future__ import annotations

from datetime import date, datetime, time

import msgspec

from panel.platform import pdf
from panel.platform.clock import LONDON

CONFIDENTIALITY = (
    "This pack holds private information about children and their families. It was made for the"
    " agency named above, and shows what that agency may see for this meeting. Do not copy it or"
    " pass it on. When the meeting is over, shred it or delete it."
)
NO_FAMILY_WORDS = "There are no words of the family in this pack."
"""True as well where they are withheld in silence."""


class PackWithheld(msgspec.Struct, frozen=True, tag="withheld"):
    """In place of something this agency may not see.

    `title` heads the place where it would have been ("Health"). `sentence` is whole: "You cannot
    see the health section. Her mother has not agreed to share it with your agency (since 3 May
    2026)." A silent restriction makes no PackWithheld at all.
    """

    title: str
    sentence: str
    what_to_do: str = ""


class PackFact(msgspec.Struct, frozen=True):
    """One line of who the child is: "Lead professional", "Rosa Whitlow, health visiting"."""

    label: str
    value: str


class PackWords(msgspec.Struct, frozen=True, tag="words"):
    """What somebody of the family, or the child, wants the panel to know, as they said it.

    `language` is a two or three letter code; Arabic or Urdu is then set from right to left.
    """

    text: str
    said_by: str
    said_on: date | None = None
    language: str = "en"


class PackEntry(msgspec.Struct, frozen=True):
    """One text of a section, with who wrote it, when, and what it comes from."""

    text: str
    heading: str = ""
    written_by: str = ""
    written_on: date | None = None
    source: str = ""


class PackSection(msgspec.Struct, frozen=True, tag="section"):
    """What is known in one information category, under the title that people know it by."""

    title: str
    entries: tuple[PackEntry, ...]


class PackAction(msgspec.Struct, frozen=True):
    """Who does what by when, and how far it is ("Done", "Late", "Not started")."""

    what: str
    who: str
    by: date | None = None
    progress: str = ""


class PackOutcome(msgspec.Struct, frozen=True):
    """One desired outcome with its actions."""

    outcome: str
    how_we_know: str = ""
    progress: str = ""
    actions: tuple[PackAction, ...] = ()


class PackPlan(msgspec.Struct, frozen=True, tag="plan"):
    """The plan as it stands."""

    outcomes: tuple[PackOutcome, ...]
    summary: str = ""
    made_by: str = ""
    made_on: date | None = None
    review_on: date | None = None


class PackInvolvement(msgspec.Struct, frozen=True):
    """An agency's part in the child's life: `since` a day, or `expected` from one."""

    agency: str
    person: str = ""
    since: date | None = None
    expected: date | None = None


class PackInvolved(msgspec.Struct, frozen=True, tag="involved"):
    """Everybody who is involved now or expected, in the order to print."""

    rows: tuple[PackInvolvement, ...]


class PackItem(msgspec.Struct, frozen=True):
    """One child on the agenda. Siblings are items of their own, each with its own pages.

    `name` may be initials where the name itself is withheld. `age` is in words ("3 years 2
    months"). `why` is the tag of the agenda ("Review due"), `why_detail` the rest of the sentence.
    `minutes` is the length of the slot. `sibling_note` may name a sibling's time, never their
    information.
    """

    name: str
    age: str
    starts: time
    minutes: int
    why: str
    why_detail: str = ""
    sibling_note: str = ""
    facts: tuple[PackFact, ...] = ()
    family: tuple[PackWords | PackWithheld, ...] = ()
    sections: tuple[PackSection | PackWithheld, ...] = ()
    plan: PackPlan | PackWithheld | None = None
    involved: PackInvolved | PackWithheld | None = None


class PackDocument(msgspec.Struct, frozen=True):
    """One agency's papers for one meeting. Times are Europe/London wall-clock times."""

    authority: str
    panel: str
    agency: str
    day: date
    starts: time
    ends: time
    place: str
    items: tuple[PackItem, ...] = ()
    confidentiality: str = CONFIDENTIALITY


def pack_title(document: PackDocument) -> str:
    """The title of the paper: "CONTACTS panel: pack for Early Help, 3 December 2026"."""
    return f"{document.panel}: pack for {document.agency}, {_short_day(document.day)}"


def pack_pdf(document: PackDocument, created: datetime) -> bytes:
    """The pack as PDF/UA-1, A4, for black and white; the same bytes for the same arguments.

    `created` is an aware moment. Raises panel.platform.pdf.PdfNotMade with a sentence.
    """
    return pdf.render(
        "panels/templates/pack.typ",
        _pack(document, created),
        title=pack_title(document),
        created=created,
    )


def _pack(document: PackDocument, created: datetime) -> dict[str, object]:
    made = created.astimezone(LONDON)
    children = "1 child" if len(document.items) == 1 else f"{len(document.items)} children"
    return {
        "panel": document.panel,
        "agency": document.agency,
        "day": _short_day(document.day),
        "weekday": _day(document.day),
        "confidentiality": document.confidentiality,
        "facts": [
            {"label": "Authority", "value": document.authority},
            {"label": "Time", "value": f"{_clock(document.starts)} to {_clock(document.ends)}"},
            {"label": "Place", "value": document.place},
            {"label": "In this pack", "value": children},
            {"label": "Made on", "value": f"{_day(made.date())} at {_clock(made.time())}"},
        ],
        "items": [_item(number, item) for number, item in enumerate(document.items, 1)],
    }


def _item(number: int, item: PackItem) -> dict[str, object]:
    return {
        "number": number,
        "name": item.name,
        "age": item.age,
        "time": _clock(item.starts),
        "minutes": "1 minute" if item.minutes == 1 else f"{item.minutes} minutes",
        "why": item.why,
        "why_detail": item.why_detail,
        "sibling_note": item.sibling_note,
        "facts": [{"label": fact.label, "value": fact.value} for fact in item.facts],
        "family": [_words(said) for said in item.family],
        "family_missing": NO_FAMILY_WORDS,
        "sections": [_section(section) for section in item.sections],
        "plan": _plan(item.plan),
        "involved": _involved(item.involved),
    }


def _words(said: PackWords | PackWithheld) -> dict[str, object]:
    if isinstance(said, PackWithheld):
        return _withheld(said)
    code = said.language.partition("-")[0].lower()
    known = code.isascii() and code.isalpha() and len(code) in {2, 3}
    return {
        "shown": True,
        "text": said.text,
        "by": _signed(said.said_by, said.said_on),
        "language": code if known else "en",
    }


def _section(section: PackSection | PackWithheld) -> dict[str, object]:
    if isinstance(section, PackWithheld):
        return _withheld(section)
    entries = [
        {
            "heading": entry.heading,
            "text": entry.text,
            "from": ". ".join(filter(None, (_written(entry), entry.source))),
        }
        for entry in section.entries
    ]
    return {"shown": True, "title": section.title, "entries": entries}


def _plan(plan: PackPlan | PackWithheld | None) -> dict[str, object] | None:
    if plan is None:
        return None
    if isinstance(plan, PackWithheld):
        return _withheld(plan)
    made = " ".join(
        f"{part}."
        for part in (_signed(plan.made_by, plan.made_on), _review(plan.review_on))
        if part
    )
    return {
        "shown": True,
        "made": made,
        "summary": plan.summary,
        "outcomes": [_outcome(one) for one in plan.outcomes],
    }


def _outcome(outcome: PackOutcome) -> dict[str, object]:
    return {
        "outcome": outcome.outcome,
        "how_we_know": outcome.how_we_know,
        "progress": outcome.progress,
        "actions": [
            {
                "what": action.what,
                "who": action.who,
                "by": _short_day(action.by) if action.by else "No date",
                "progress": action.progress,
            }
            for action in outcome.actions
        ],
    }


def _involved(involved: PackInvolved | PackWithheld | None) -> dict[str, object] | None:
    if involved is None or (isinstance(involved, PackInvolved) and not involved.rows):
        return None
    if isinstance(involved, PackWithheld):
        return _withheld(involved)
    rows = [
        {"agency": row.agency, "person": row.person, "span": _span(row)} for row in involved.rows
    ]
    return {"shown": True, "rows": rows}


def _withheld(withheld: PackWithheld) -> dict[str, object]:
    return {
        "shown": False,
        "title": withheld.title,
        "sentence": withheld.sentence,
        "what_to_do": withheld.what_to_do,
    }


def _span(row: PackInvolvement) -> str:
    if row.expected:
        return f"Expected from {_short_day(row.expected)}"
    return f"Since {_short_day(row.since)}" if row.since else "Now"


def _written(entry: PackEntry) -> str:
    signed = _signed(entry.written_by, entry.written_on)
    return f"Written by {signed}" if entry.written_by else signed


def _signed(by: str, on: date | None) -> str:
    return ", ".join(filter(None, (by, _short_day(on) if on else "")))


def _review(on: date | None) -> str:
    return f"Review due {_day(on)}" if on else ""


def _day(day: date) -> str:
    return f"{day:%A} {_short_day(day)}"


def _short_day(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"


def _clock(at: time) -> str:
    return f"{at.hour}:{at.minute:02}"
