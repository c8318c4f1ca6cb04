"""What may come in on the pages of notes (msgspec, unknown fields refused)."""

from collections.abc import Iterable, Sequence
from typing import Annotated
from uuid import UUID

import msgspec

from panel.panels.note_rules import LONGEST_NOTE, LONGEST_REASON, HeldBack, IncidentKind, Step, Way
from panel.panels.notes import Sending, WhoGets
from panel.platform.problems import FieldError, Invalid
from panel.web.forms import chosen, clean_paragraphs, line, paragraphs

NOT_HELD_BACK = "no"


class NoteForm(msgspec.Struct, forbid_unknown_fields=True):
    """The family's version, as typed; it may be emptied."""

    version: int
    text: Annotated[str, paragraphs("The note", at_most=LONGEST_NOTE)] = ""


class KeepForm(msgspec.Struct, forbid_unknown_fields=True):
    """Something that is marked stays, and why."""

    version: int
    kind: str
    words: Annotated[str, line("The words", at_most=LONGEST_NOTE)]
    why: Annotated[
        str,
        line("Why it stays", at_most=LONGEST_REASON, missing="Say why it stays in the note"),
    ]


class CheckedForm(msgspec.Struct, forbid_unknown_fields=True):
    """A note was read once more, in the version that the page showed."""

    version: int


class WayForm(msgspec.Struct, forbid_unknown_fields=True):
    """Send a copy once more, this way."""

    way: Annotated[Way, chosen("Way")]


class RecallForm(msgspec.Struct, forbid_unknown_fields=True):
    """What went wrong with a copy."""

    kind: Annotated[
        IncidentKind,
        chosen("What went wrong", missing="Select what went wrong"),
    ]
    what: Annotated[
        str,
        paragraphs("What happened", at_most=2_000, missing="Say what happened, as far as you know"),
    ]


class StepForm(msgspec.Struct, forbid_unknown_fields=True):
    """A step of an incident is done."""

    step: Step


class ReplyForm(msgspec.Struct, forbid_unknown_fields=True):
    """What is replied to one of the family."""

    reply: Annotated[str, paragraphs("Your reply", at_most=2_000, missing="Write your reply")]


def read_sendings(
    fields: Iterable[tuple[str, object]], recipients: Sequence[WhoGets]
) -> list[Sending]:
    """How each recipient is reached: `person-1`, `way-1`, `hold-1`, `why-1` and so on.

    Raises Invalid for recipients who are not those of the page, or a field of no page of ours.
    """
    sent = {name: str(value) for name, value in fields if not name.startswith("_")}
    sent.pop("version", "")
    sendings = []
    for place, one in enumerate(recipients, 1):
        person = sent.pop(f"person-{place}", "")
        way, hold, why = (sent.pop(f"{name}-{place}", "") for name in ("way", "hold", "why"))
        if person != str(one.who.person):
            raise Invalid.because("marks", "The people who get this note have changed. Look again")
        sendings.append(_sending(one.who.person, place, way, hold, why))
    if sent:
        raise Invalid.because("marks", "This form is not from this page. Reload it and try again")
    return sendings


def _sending(person: UUID, place: int, way: str, hold: str, why: str) -> Sending:
    if len(why) > LONGEST_REASON:
        raise Invalid(
            (FieldError(f"why-{place}", f"Why must be {LONGEST_REASON:,} characters or fewer"),)
        )
    return Sending(
        person,
        next((one for one in Way if one.value == way), None),
        next((one for one in HeldBack if one.value == hold), None),
        clean_paragraphs(why),
    )
