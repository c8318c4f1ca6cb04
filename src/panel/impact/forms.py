"""What may come in on the pages of IMPACT (msgspec, unknown fields refused)."""

from datetime import date, time
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from consent import Category
from panel.impact.meetings import WhenWhere, Wishes
from panel.impact.rules import Kind
from panel.panels.note_rules import LONGEST_NOTE, LONGEST_REASON, HeldBack
from panel.web.forms import amount, at_time, chosen, line, on_day, paragraphs

LONGEST_WORDS = 2_000
Agreeing = Literal["agree", "disagree", "could_not_say"]
Joining = Literal["not_asked", "yes", "part", "no"]
Coming = Literal["yes", "no"]


class StepForm(msgspec.Struct, forbid_unknown_fields=True):
    """Where the child goes, from when, and why."""

    step: Annotated[UUID, chosen("The step that was read")]
    version: int
    kind: Annotated[Kind, chosen("Where the child goes")]
    from_on: Annotated[date, on_day("From")]
    reasons: Annotated[str, paragraphs("Reasons", at_most=5_000, missing="Write down why")]


class WhenForm(msgspec.Struct, forbid_unknown_fields=True):
    """When and where a meeting is; the place may follow later."""

    held_on: Annotated[date, on_day("Date", missing="Enter the day on which you will meet")]
    starts_at: Annotated[time, at_time("Time", missing="Enter when it begins, like 10:30")]
    minutes: Annotated[int, amount("Minutes", at_least=10, at_most=480)]
    format: Annotated[Literal["in_person", "online", "phone", "home"], chosen("How you meet")]
    place: Annotated[str, paragraphs("Where", at_most=500)] = ""
    version: int = 0

    @property
    def when(self) -> WhenWhere:
        """As the meeting takes it."""
        return WhenWhere(
            self.held_on, self.starts_at, self.minutes, self.format, self.place.strip()
        )


class OwnWishesForm(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How the family wants a meeting."""

    version: int
    who_comes: Annotated[str, paragraphs("Who comes", at_most=LONGEST_WORDS)] = ""
    interpreter: Annotated[str, line("Interpreter", at_most=100)] = ""
    child_joins: Annotated[Joining, chosen("Does the child join?")] = "not_asked"
    wishes: Annotated[str, paragraphs("What else matters", at_most=LONGEST_WORDS)] = ""

    @property
    def said(self) -> Wishes:
        """As the meeting takes it."""
        return Wishes(self.who_comes, self.interpreter, self.child_joins, self.wishes)


class WishesForm(OwnWishesForm, forbid_unknown_fields=True, kw_only=True):
    """The same as a worker writes it down, with when the family was asked."""

    asked_on: Annotated[date | None, on_day("Date")] = None
    not_asked_why: Annotated[
        str, paragraphs("Why they could not be asked", at_most=LONGEST_REASON)
    ] = ""


class PeopleForm(msgspec.Struct, forbid_unknown_fields=True):
    """Who of the family and of the team is invited."""

    people: Annotated[list[UUID], chosen("Whom to invite")] = []


class GuestForm(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody without an account."""

    name: Annotated[str, line("Who they are", at_most=100, missing="Enter who they are")]
    address: Annotated[str, line("E-mail address", at_most=200)] = ""
    is_safe: Annotated[bool, chosen("This address is safe to write to")] = False


class VersionForm(msgspec.Struct, forbid_unknown_fields=True):
    """A button that changes what was read in this version."""

    version: int


class AnswerForm(msgspec.Struct, forbid_unknown_fields=True):
    """Whether somebody comes."""

    answer: Annotated[Coming, chosen("Can you come?", missing="Choose whether you can come")]
    said: Annotated[str, paragraphs("What else to say", at_most=500)] = ""


class NotedAnswerForm(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody answered otherwise, as a worker writes it down."""

    version: int
    answer: Annotated[Coming, chosen("Do they come?")]


class ViewForm(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody thinks."""

    person: Annotated[UUID, chosen("Whose view", missing="Choose whose view this is")]
    words: Annotated[
        str,
        paragraphs(
            "What they think",
            at_most=5_000,
            missing="Write down what they think, in their words",
        ),
    ]
    outcome_id: Annotated[UUID | None, chosen("What it is about")] = None
    category: Annotated[Category, chosen("Category")] = Category.PLAN


class OwnViewForm(msgspec.Struct, forbid_unknown_fields=True):
    """What one of the family thinks, in their words."""

    words: Annotated[
        str, paragraphs("What you think", at_most=5_000, missing="Write what you think")
    ]


class DecisionForm(msgspec.Struct, forbid_unknown_fields=True):
    """A decision under a desired outcome, and who does what by when."""

    decision: Annotated[
        str, paragraphs("Decision", at_most=2_000, missing="Write down what was decided")
    ]
    outcome_id: Annotated[UUID | None, chosen("Desired outcome")] = None
    action: Annotated[str, paragraphs("What is to be done", at_most=1_000)] = ""
    owner_worker_id: Annotated[UUID | None, chosen("Who does this")] = None
    owner_words: Annotated[str, line("Somebody else", at_most=100)] = ""
    due_on: Annotated[date | None, on_day("By when")] = None


class HeldForm(msgspec.Struct, forbid_unknown_fields=True):
    """Who came, and when the next meeting is."""

    version: int
    came: Annotated[list[UUID], chosen("Who came")] = []
    next_on: Annotated[date | None, on_day("Next meeting")] = None
    no_next: Annotated[bool, chosen("No other meeting")] = False


class CancelForm(msgspec.Struct, forbid_unknown_fields=True):
    """Why a meeting does not take place."""

    version: int
    why: Annotated[str, paragraphs("Why", at_most=LONGEST_REASON, missing="Write down why")]


class MinutesForm(msgspec.Struct, forbid_unknown_fields=True):
    """The minutes as typed; they may be emptied."""

    version: int
    text: Annotated[str, paragraphs("The minutes", at_most=LONGEST_NOTE)] = ""


class KeepForm(msgspec.Struct, forbid_unknown_fields=True):
    """Something that is marked stays, and why."""

    version: int
    kind: Annotated[str, line("Kind", at_most=100)]
    words: Annotated[str, line("The words", at_most=LONGEST_NOTE)]
    why: Annotated[
        str,
        line("Why it stays", at_most=LONGEST_REASON, missing="Say why it stays in the minutes"),
    ]


class SendForm(msgspec.Struct, forbid_unknown_fields=True):
    """For whom minutes are open, and from whom they are held back by which test."""

    version: int
    people: Annotated[list[UUID], chosen("People")] = []
    hold: Annotated[list[UUID], chosen("From whom they are held back")] = []
    test: Annotated[HeldBack | None, chosen("Reason in law")] = None
    why: Annotated[str, paragraphs("Why", at_most=LONGEST_REASON)] = ""


class CommentForm(msgspec.Struct, forbid_unknown_fields=True):
    """What one of the family says of the minutes."""

    comment: Annotated[
        str,
        paragraphs(
            "What you want to say", at_most=LONGEST_WORDS, missing="Write what you want to say"
        ),
    ]


class SignForm(msgspec.Struct, forbid_unknown_fields=True):
    """A signature: agreeing or not, in their words, with their name and a tick."""

    name: Annotated[str, line("Your name", at_most=100)] = ""
    agrees: Annotated[Agreeing | None, chosen("Choose one")] = None
    words: Annotated[str, paragraphs("In your own words", at_most=LONGEST_WORDS)] = ""
    is_ticked: Annotated[bool, chosen("I sign these minutes")] = False
