"""An objection in words: who objects to what, why, what the other side said, what would change."""

from dataclasses import dataclass
from datetime import date

from panel.sharing.objecting import ABOUT_YOUR_AGENCY, ObjectionView, OtherSide, WouldBe
from panel.sharing.pages import category_words, loss_words, purpose_words
from panel.web import words

NOT_FOR_YOU = (
    "You cannot see what was said: it belongs to what the record says of the family. Ask whoever"
    " wrote it down."
)
FOR_EVERYTHING = "Everything"
NOTHING_CHANGES = "Nobody sees more or less than now."

DECISIONS = (("upheld", "It is not shared"), ("dismissed", "Sharing goes on"))

ABOUTS = (
    ("everything", "To sharing with the people of an agency, and with its own computer system"),
    (
        "system",
        "Only that the agency’s own computer system gets it",
        "Its people go on seeing what was agreed for them",
    ),
)
"""(code, words, hint) of what one can object to."""

Card = tuple[str, tuple[tuple[str, str], ...]]
"""A heading, and lines of (what, words)."""


@dataclass(frozen=True, slots=True)
class ObjectionPage:
    """One objection: both sides, when it is due, and its decision or the form for it."""

    lead: str
    late: str
    sides: tuple[Card, ...]
    decision: tuple[tuple[str, str], ...]
    may_decide: bool
    choices: tuple[tuple[str, str], ...]
    """(code, words) of the decisions that are the viewer's."""
    not_yours: str
    """Why one of them is not; "" where both are."""
    if_upheld: tuple[str, ...]
    if_dismissed: tuple[str, ...]


def objection_page(view: ObjectionView, today: date) -> ObjectionPage:
    """The page of one objection."""
    who = words.upper_first(view.by_words)
    what = category_words(view.categories) or "anything"
    whom = words.in_a_row(view.agencies, "or") or "anybody"
    objection: Card = (
        f"{who} objects",
        (
            ("To sharing", words.upper_first(what)),
            ("With", words.upper_first(whom)),
            ("For", _for_what(view)),
            ("Since", words.day(view.raised_on)),
            ("Why", _said(view.reason)),
        ),
    )
    return ObjectionPage(
        lead=_lead(view, today),
        late="Late" if view.decided_on is None and view.due_on < today else "",
        sides=(objection, *(_other(one) for one in view.others)),
        decision=_decision(view),
        may_decide=view.may_decide,
        choices=DECISIONS if view.may_dismiss else DECISIONS[:1],
        not_yours="" if view.may_dismiss else ABOUT_YOUR_AGENCY,
        if_upheld=_changes(view.if_upheld),
        if_dismissed=_changes(view.if_dismissed),
    )


def due_words(due_on: date, today: date) -> str:
    """By when something is to be done, and how late it is."""
    if due_on < today:
        return f"A decision was due on {words.day(due_on)}, {words.relative_day(due_on, today)}."
    return f"A decision is due by {words.day_and_distance(due_on, today)}."


def _for_what(view: ObjectionView) -> str:
    said = purpose_words(view.purposes)
    return f"{words.upper_first(said)}, and nothing else" if said else FOR_EVERYTHING


def _lead(view: ObjectionView, today: date) -> str:
    if view.decided_on is not None:
        return f"Decided on {words.day(view.decided_on)}."
    waits = "New sharing waits, and what was shared before goes on."
    return f"{waits} {due_words(view.due_on, today)}"


def _other(side: OtherSide) -> Card:
    who = words.upper_first(side.by_words)
    lines = (
        ("With", words.in_a_row(side.agencies)),
        ("From", words.day(side.agreed_on)),
        ("How it was explained", _said(side.how_explained)),
        ("What they said", _said(side.evidence)),
    )
    return f"{who} agreed to share", tuple(one for one in lines if one[1])


def _said(text: str | None) -> str:
    return NOT_FOR_YOU if text is None else text


def _decision(view: ObjectionView) -> tuple[tuple[str, str], ...]:
    if view.decided_on is None:
        return ()
    return (
        ("Decision", "It is not shared" if view.upheld else "Sharing goes on"),
        ("On", words.day(view.decided_on)),
        ("Why", _said(view.decision_reason)),
    )


def _changes(changes: WouldBe) -> tuple[str, ...]:
    said = (
        *(loss_words(one, "no longer sees") for one in changes.closes),
        *(loss_words(one, "begins to see") for one in changes.opens),
    )
    return said or (NOTHING_CHANGES,)
