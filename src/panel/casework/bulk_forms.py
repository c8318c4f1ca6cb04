"""What may come in about work in bulk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from panel.platform.problems import Invalid
from panel.web.forms import chosen, line, on_day, paragraphs

NOT_READ = "Load the list again: this line could not be read"
Step = Literal["look", "do"]
WhyClosed = Literal[
    "needs_met", "social_care", "moved_away", "withdrawn", "not_engaging", "reached_age", "died"
]  # fmt: skip
WHY = line("Why", at_most=300, missing="Say why, for whoever reads this next year")


class GiveForm(msgspec.Struct, forbid_unknown_fields=True):
    """Whose plans go to which colleagues; with `give`, each child as it was rehearsed."""

    step: Step
    from_ids: Annotated[
        list[UUID], chosen("Whose plans", missing="Select at least one person who holds plans")
    ]
    to_ids: Annotated[
        list[UUID], chosen("To whom", missing="Select at least one colleague who takes them on")
    ]
    give: Annotated[list[str], chosen("Children")] = []
    why: Annotated[str, line("Why", at_most=300)] = ""


@dataclass(frozen=True, slots=True)
class GiveLine:
    """One child, as the rehearsal showed it, and who is to hold the plan."""

    child_id: UUID
    lead_id: UUID
    version: int
    worker_id: UUID
    to_id: UUID

    @property
    def seen(self) -> str:
        """The line as the rehearsal said it, without the colleague."""
        return f"{self.child_id} {self.lead_id} {self.version} {self.worker_id}"


def give_lines(said: Sequence[str]) -> Sequence[GiveLine]:
    """The lines of a rehearsal that are to be done. Raises Invalid for one that is not ours."""
    lines = []
    for one in said:
        parts = one.split()
        if not parts:
            continue
        try:
            child, lead, version, worker, to = parts
            lines.append(GiveLine(UUID(child), UUID(lead), int(version), UUID(worker), UUID(to)))
        except ValueError as error:
            raise Invalid.because("give", NOT_READ) from error
    if not lines:
        raise Invalid.because("give", "Choose a colleague for at least one child")
    return lines


class CloseForm(msgspec.Struct, forbid_unknown_fields=True):
    """Which cases are closed, and why."""

    step: Step
    reason: Annotated[
        WhyClosed, chosen("Why they are closed", missing="Select why the cases are closed")
    ]
    cases: Annotated[list[str], chosen("Cases", missing="Select at least one case to close")]
    what_next: Annotated[
        str,
        paragraphs(
            "What happens next",
            at_most=2_000,
            missing="Say what happens next: each family reads it",
        ),
    ]
    left_with: Annotated[str, line("Who sees to what is still open", at_most=300)] = ""
    why: Annotated[str, line("Note", at_most=300)] = ""


def case_lines(said: Sequence[str]) -> dict[UUID, str]:
    """The children whose cases are closed, with the mark of what was seen. Raises Invalid."""
    found = {}
    for one in said:
        child, _, mark = one.partition(" ")
        try:
            found[UUID(child)] = mark
        except ValueError as error:
            raise Invalid.because("cases", NOT_READ) from error
    return found


class DayForm(msgspec.Struct, forbid_unknown_fields=True):
    """On which day of the week a panel meets, from when until when."""

    step: Step
    panel: Annotated[str, chosen("Panel")]
    weekday: Annotated[
        Literal["0", "1", "2", "3", "4"], chosen("Day", missing="Select the day of the week")
    ]
    start: Annotated[date, on_day("First day")]
    end: Annotated[date, on_day("Last day")]
    why: Annotated[str, WHY]
    seen: Annotated[str, line("Seen", at_most=100)] = ""


class UndoForm(msgspec.Struct, forbid_unknown_fields=True):
    """Take it back."""

    version: int
