"""What may come in about plans, actions and the lead professional."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from panel.plans.rules import HIGHEST, LOWEST
from panel.web.forms import amount, chosen, line, on_day, paragraphs

Score = Annotated[int, amount("Score", at_least=LOWEST, at_most=HIGHEST)]


class NewPlan(msgspec.Struct, forbid_unknown_fields=True):
    """The start of a plan; what is still open in the former one may come along."""

    summary: Annotated[str, paragraphs("What this plan is about", at_most=5_000)] = ""
    carry_over: Annotated[bool, chosen("Take along what is still open")] = False


class Summary(msgspec.Struct, forbid_unknown_fields=True):
    """What the plan is about."""

    version: int
    summary: Annotated[str, paragraphs("What this plan is about", at_most=5_000)] = ""


class Agreed(msgspec.Struct, forbid_unknown_fields=True):
    """On which day the plan was agreed."""

    version: int
    agreed_on: Annotated[date, on_day("Date", missing="Enter the day on which it was agreed")]


class Outcome(msgspec.Struct, forbid_unknown_fields=True):
    """A desired outcome, and how we will know."""

    text: Annotated[
        str,
        paragraphs("Desired outcome", at_most=2_000, missing="Enter what should be different"),
    ]
    measure: Annotated[str, paragraphs("How we will know", at_most=2_000)] = ""
    baseline: Annotated[
        int | None, amount("Where things stand now", at_least=LOWEST, at_most=HIGHEST)
    ] = None
    target: Annotated[int | None, amount("What we aim for", at_least=LOWEST, at_most=HIGHEST)] = (
        None
    )


class ChangedOutcome(Outcome, kw_only=True, forbid_unknown_fields=True):
    """A desired outcome as it should read from now on."""

    version: int
    state: Annotated[
        Literal["working_towards", "reached", "stopped"], chosen("Where this stands")
    ] = "working_towards"


class Progress(msgspec.Struct, forbid_unknown_fields=True):
    """Where things stood on a day."""

    on: Annotated[date, on_day("Date")]
    value: Annotated[int | None, amount("Where things stand", at_least=LOWEST, at_most=HIGHEST)] = (
        None
    )
    note: Annotated[str, paragraphs("What you see", at_most=2_000)] = ""


class Action(msgspec.Struct, forbid_unknown_fields=True):
    """Who does what by when."""

    text: Annotated[str, paragraphs("Action", at_most=1_000, missing="Enter what is to be done")]
    outcome_id: Annotated[UUID | None, chosen("Desired outcome")] = None
    owner_worker_id: Annotated[UUID | None, chosen("Who does this")] = None
    owner_words: Annotated[str, line("Somebody else", at_most=100)] = ""
    due_on: Annotated[date | None, on_day("By when")] = None


class ChangedAction(Action, kw_only=True, forbid_unknown_fields=True):
    """An action as it should read from now on."""

    version: int
    state: Annotated[Literal["to_do", "doing", "done", "dropped"], chosen("How far it is")] = (
        "to_do"
    )
    note: Annotated[str, paragraphs("Note", at_most=2_000)] = ""


class ActionStep(msgspec.Struct, forbid_unknown_fields=True):
    """How far an action is, from the list."""

    version: int
    state: Annotated[Literal["to_do", "doing", "done", "dropped"], chosen("How far it is")]
    note: Annotated[str, line("Note", at_most=500)] = ""


class Done(msgspec.Struct, forbid_unknown_fields=True):
    """An action is done; and to which list the person returns."""

    back: Literal["plan", "home"] = "plan"


class FamilyMayRead(msgspec.Struct, forbid_unknown_fields=True):
    """Why the family may read a line in which something is marked."""

    version: int
    why: Annotated[str, paragraphs("Why", at_most=1_000)] = ""


class Offer(msgspec.Struct, forbid_unknown_fields=True):
    """To whom the part of lead professional is offered."""

    worker_id: Annotated[UUID, chosen("Who", missing="Choose whom to offer it to")]


class Declined(msgspec.Struct, forbid_unknown_fields=True):
    """Why an offer is declined."""

    reason: Annotated[
        str,
        paragraphs("Reason", at_most=1_000, missing="Enter why you cannot take it on"),
    ]
