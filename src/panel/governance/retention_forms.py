"""What is posted about how long records are kept."""

from datetime import date
from typing import Annotated, Literal

import msgspec

from panel.governance.retention_rules import LONGEST_YEARS, OLDEST_BIRTHDAY
from panel.web.forms import amount, chosen, line, on_day, paragraphs

Kind = Literal[
    "child_record",
    "documents",
    "notes_to_families",
    "agreements",
    "access_history",
    "unusual_patterns",
    "accounts",
]


class KeptForForm(msgspec.Struct, forbid_unknown_fields=True):
    """How long a kind of record is kept."""

    version: int
    kind: Annotated[Kind, chosen("Which kind of record")]
    years: Annotated[int, amount("Years after it is closed", at_least=0, at_most=LONGEST_YEARS)]
    birthday: Annotated[int, amount("Birthday", at_least=0, at_most=OLDEST_BIRTHDAY)]
    source: Annotated[str, line("Why", missing="Say why, for whoever reads this next year")]


class HoldForm(msgspec.Struct, forbid_unknown_fields=True):
    """A record is held."""

    reference: Annotated[str, line("Child’s reference", at_most=20)]
    from_on: Annotated[date, on_day("The day from which it is held")]
    why: Annotated[str, paragraphs("Why", at_most=4_000, missing="Write why it is held")]


class LineForm(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of one record."""

    version: int
    decision: Annotated[Literal["dispose", "keep"], chosen("What becomes of it")]
    why: Annotated[str, line("Why it is kept")] = ""
