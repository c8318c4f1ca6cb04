"""What is posted about requests, copies and corrections."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from panel.governance.rights_models import Exemption
from panel.web.forms import chosen, line, on_day, paragraphs

Kind = Literal["access", "rectification", "restriction", "objection"]


class TakeInForm(msgspec.Struct, forbid_unknown_fields=True):
    """A request that came by letter, by telephone or in person."""

    reference: Annotated[str, line("Child’s reference", at_most=20)]
    kind: Annotated[Kind, chosen("What they ask for")]
    received_on: Annotated[date, on_day("The day it came")]
    who: Annotated[str, line("Who asks", missing="Write who asks, as they say it")]
    about: Annotated[str, paragraphs("What they ask", at_most=4_000)] = ""


class WhoForm(msgspec.Struct, forbid_unknown_fields=True):
    """Who asks, and how that is known."""

    version: int
    asker: Annotated[UUID, chosen("Who asks", missing="Select who asks")]
    proof: Annotated[
        str, paragraphs("Proof", at_most=2_000, missing="Write how you know who they are")
    ]
    proved_on: Annotated[date, on_day("The day of proof")]


class DayForm(msgspec.Struct, forbid_unknown_fields=True):
    """The clock stops or starts."""

    version: int
    on: Annotated[date, on_day("The day")]


class WhyForm(msgspec.Struct, forbid_unknown_fields=True):
    """Something is done for a reason."""

    version: int
    why: Annotated[str, paragraphs("Why", at_most=4_000, missing="Write why")]


class AnswerForm(msgspec.Struct, forbid_unknown_fields=True):
    """A request is answered."""

    version: int
    outcome: Annotated[
        Literal["done", "done_in_part", "refused", "withdrawn"], chosen("How it ended")
    ]
    why: Annotated[str, paragraphs("Why", at_most=4_000)] = ""


class VersionForm(msgspec.Struct, forbid_unknown_fields=True):
    """A button, pressed on what was read."""

    version: int


Out = Literal["keep", "somebody_else", "serious_harm", "expected", "legal"]


class DecideForm(msgspec.Struct, forbid_unknown_fields=True):
    """A marked place stays or goes."""

    version: int
    decision: Annotated[Out, chosen("Whether it stays")]
    reason: Annotated[str, paragraphs("Why", at_most=2_000, missing="Write why")]

    @property
    def exemption(self) -> Exemption | None:
        """For what it goes; None where it stays."""
        return None if self.decision == "keep" else Exemption(self.decision)


class ByHandForm(msgspec.Struct, forbid_unknown_fields=True):
    """Something that no rule marked goes."""

    piece: str
    exemption: Annotated[
        Literal["somebody_else", "serious_harm", "expected", "legal"], chosen("Why it goes")
    ]
    reason: Annotated[str, paragraphs("Why", at_most=2_000, missing="Write why")]
    words: Annotated[str, line("Which words", at_most=2_000)] = ""


class SecondLookForm(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody else agrees that something would do serious harm, or not."""

    version: int
    answer: Annotated[Literal["agree", "disagree"], chosen("Whether you agree")]
    note: Annotated[str, paragraphs("Why", at_most=2_000, missing="Write why")]


class OwnForm(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody of the family asks on their own page."""

    kind: Annotated[Kind, chosen("What you want", missing="Choose what you want")]
    about: Annotated[str, paragraphs("What you want to say", at_most=4_000)] = ""


class CorrectionForm(msgspec.Struct, forbid_unknown_fields=True):
    """What is said to be wrong is corrected, or stays with the person's own words beside it."""

    version: int
    answer: Annotated[Literal["corrected", "refused"], chosen("What you do")]
    reason: Annotated[str, paragraphs("Why", at_most=4_000, missing="Write why")]
    where: Annotated[str, chosen("Which text", missing="Select which text it is about")]
    after: Annotated[str, paragraphs("The text as it should be", at_most=20_000)] = ""
    statement: Annotated[str, paragraphs("What they say", at_most=4_000)] = ""
