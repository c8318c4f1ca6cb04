"""What may come in about restrictions, former names, court orders and enquiries."""

from datetime import date
from typing import Annotated, Literal

import msgspec

from panel.web.forms import chosen, line, on_day, paragraphs

Told = Annotated[Literal["told", "silent"], chosen("Whether it is said that something is withheld")]
What = Annotated[list[str], chosen("What is withheld")]
Reason = Annotated[
    str,
    paragraphs(
        "Why is it withheld?",
        at_most=4_000,
        missing="Say why it is withheld: whoever reviews it needs to know",
    ),
]
Starts = Annotated[date | None, on_day("From")]
Ends = Annotated[date | None, on_day("Until")]
Email = Annotated[str, line("E-mail address of a worker")]
Confirmed = Annotated[bool, chosen("Confirmed")]


class ProtectForm(msgspec.Struct, forbid_unknown_fields=True):
    """Something must not reach somebody."""

    what: What
    told: Told
    reason: Reason
    against: Annotated[list[str], chosen("From whom it is withheld")] = []
    worker_email: Email = ""
    from_on: Starts = None
    until_on: Ends = None
    confirmed: Confirmed = False


class ChooseForm(msgspec.Struct, forbid_unknown_fields=True):
    """The family chose not to share something with an agency."""

    by_person: Annotated[str, chosen("Whose choice it is")]
    what: What
    against: Annotated[list[str], chosen("The agencies")]
    told: Told
    reason: Annotated[
        str,
        paragraphs("What did they say?", at_most=4_000, missing="Write down what they said"),
    ]
    judged: Annotated[bool, chosen("The child understands what it means")] = False
    from_on: Starts = None
    until_on: Ends = None
    confirmed: Confirmed = False


class EndForm(msgspec.Struct, forbid_unknown_fields=True):
    """Something that was recorded ends now."""

    version: int
    reason: Annotated[
        str,
        paragraphs(
            "Why does it end?",
            at_most=4_000,
            missing="Say why it ends: it is kept for whoever asks later",
        ),
    ]


class FormerNameForm(msgspec.Struct, forbid_unknown_fields=True):
    """Who the child was before an adoption, and who alone may know it."""

    given_name: Annotated[str, line("Former given name", at_most=70)]
    family_name: Annotated[str, line("Former family name", at_most=70)]
    open_to: Annotated[list[str], chosen("Who may know it")]
    reason: Annotated[
        str,
        paragraphs("Why is it kept?", at_most=4_000, missing="Say why the former name is kept"),
    ]
    nhs_number: Annotated[str, line("Former NHS number", at_most=20)] = ""
    new_given_name: Annotated[str, line("New given name", at_most=70)] = ""
    new_family_name: Annotated[str, line("New family name", at_most=70)] = ""


class OrderForm(msgspec.Struct, forbid_unknown_fields=True):
    """A court permits or forbids a disclosure."""

    permits: Annotated[Literal["permits", "forbids"], chosen("What the court says")]
    what: Annotated[list[str], chosen("What it is about")]
    reference: Annotated[
        str, line("Case number", at_most=60, missing="Enter the case number that is on the order")
    ]
    told: Told
    reason: Annotated[
        str,
        paragraphs("What does the order say?", at_most=4_000, missing="Say what the order says"),
    ]
    to: Annotated[list[str], chosen("Whom it names")] = []
    worker_email: Email = ""
    from_on: Starts = None
    until_on: Ends = None
    confirmed: Confirmed = False


class ConfirmForm(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody else has seen the order that a worker recorded in their own favour, or has not."""

    version: int
    answer: Annotated[
        Literal["confirmed", "not_confirmed"],
        chosen("Your answer", missing="Select whether the order says this"),
    ]
    reason: Annotated[
        str,
        paragraphs(
            "What have you seen?",
            at_most=4_000,
            missing="Say what you have seen, and who showed it to you",
        ),
    ]


class EnquiryForm(msgspec.Struct, forbid_unknown_fields=True):
    """A safeguarding enquiry begins."""

    agencies: Annotated[list[str], chosen("The agencies that make it")]
    reason: Annotated[
        str,
        paragraphs(
            "Why is it made?",
            at_most=4_000,
            missing="Say why it is made: the strategy discussion, and who decided",
        ),
    ]
    from_on: Starts = None
    until_on: Ends = None
    confirmed: Confirmed = False
