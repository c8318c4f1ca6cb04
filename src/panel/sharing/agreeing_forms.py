"""What may come in when a worker writes down what a family decided."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from panel.web.forms import chosen, line, on_day, paragraphs

CapacityWord = Literal["parental_responsibility", "own", "best_interests", "deputy_or_attorney"]
NamedWord = Literal[
    "identity", "contact", "network", "health", "development", "education", "social_care",
    "family", "finance", "views", "plan", "panel", "safeguarding",
]  # fmt: skip
PurposeWord = Literal["support", "panel", "review", "allocation", "exchange"]


class AgreementForm(msgspec.Struct, forbid_unknown_fields=True):
    """A conversation about sharing, and what was decided in it."""

    decision: Annotated[
        Literal["agreed", "refused"],
        chosen("What they decided", missing="Select whether they agreed or refused"),
    ]
    by: Annotated[UUID, chosen("Who decided", missing="Select who decided")]
    capacity: Annotated[
        CapacityWord, chosen("How they may decide", missing="Select how they may decide")
    ]
    agreed_on: Annotated[date, on_day("Date of the conversation")]
    how_explained: Annotated[
        str,
        paragraphs(
            "How it was explained", at_most=2_000, missing="Say how you explained what it means"
        ),
    ]
    share_with: Annotated[list[UUID], chosen("Agencies to share with")] = []
    not_share_with: Annotated[list[UUID], chosen("Agencies not to share with")] = []
    level: Annotated[Literal["basic", "additional"] | None, chosen("How much")] = None
    named: Annotated[list[NamedWord], chosen("Named information")] = []
    purposes: Annotated[list[PurposeWord], chosen("What it may be used for")] = []
    from_on: Annotated[date | None, on_day("The first day")] = msgspec.field(
        name="from", default=None
    )
    until_on: Annotated[date | None, on_day("The last day")] = msgspec.field(
        name="until", default=None
    )
    judged_how: Annotated[str, paragraphs("How that was judged", at_most=2_000)] = ""
    reasons: Annotated[str, paragraphs("Why they decided so", at_most=2_000)] = ""
    interpreter: Annotated[str, line("Interpreter", at_most=100)] = ""
    replaces: Annotated[bool, chosen("It replaces what they agreed before")] = False
    was_read: Annotated[bool, chosen("That you read what changes")] = msgspec.field(
        name="confirmed", default=False
    )

    @property
    def confirmed(self) -> bool:
        """Whether it may be kept: what closes something is read first, a plain yes is not."""
        return self.was_read or not self.closes_something

    @property
    def closes_something(self) -> bool:
        """Whether it is a no, to everybody or to some, or takes the place of an earlier yes."""
        return self.decision == "refused" or bool(self.not_share_with) or self.replaces


class RenewForm(msgspec.Struct, forbid_unknown_fields=True):
    """The same terms with a new end, after a new conversation."""

    agreed_on: Annotated[date, on_day("Date of the conversation")]
    until_on: Annotated[date, on_day("The last day")] = msgspec.field(name="until")
    how_explained: Annotated[
        str,
        paragraphs(
            "How it was explained", at_most=2_000, missing="Say how you explained what it means"
        ),
    ]
    judged_how: Annotated[str, paragraphs("How that was judged", at_most=2_000)] = ""
    interpreter: Annotated[str, line("Interpreter", at_most=100)] = ""


class JudgementForm(msgspec.Struct, forbid_unknown_fields=True):
    """What a worker judged about who can decide, or what is best."""

    finding: Annotated[
        Literal["competent", "not_competent", "has_capacity", "lacks_capacity", "best_interests"],
        chosen("What you judged", missing="Select what you judged"),
    ]
    made_on: Annotated[date, on_day("Date of the judgement")]
    why: Annotated[
        str,
        paragraphs(
            "How you judged it",
            at_most=4_000,
            missing="Say how you judged it: whoever reads this later asks",
        ),
    ]
    consulted: Annotated[str, paragraphs("Who was consulted", at_most=2_000)] = ""
