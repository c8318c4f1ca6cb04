"""What may come in on the pages of those who answer for how records are used."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from consent import Purpose
from panel.governance.figures import SET_HERE
from panel.governance.history import HistoryQuestion
from panel.governance.pattern_rules import Threshold
from panel.web.forms import amount, chosen, line, on_day, paragraphs


class SearchForm(msgspec.Struct, forbid_unknown_fields=True):
    """What is looked for in the history; everything may stay empty."""

    worker: Annotated[str, line("Worker")] = ""
    worker_id: Annotated[UUID | None, chosen("Worker")] = None
    agency: Annotated[UUID | None, chosen("Agency")] = None
    reference: Annotated[str, line("Child’s reference", at_most=20)] = ""
    since: Annotated[date | None, on_day("First day")] = None
    until: Annotated[date | None, on_day("Last day")] = None
    purpose: Annotated[str, line("Purpose", at_most=40)] = ""
    refused: Annotated[bool, chosen("Refused")] = False
    page: Annotated[str, line("Page", at_most=1_000)] = ""

    def question(self, worker: UUID | None) -> HistoryQuestion:
        """What the search asks; `worker` is whom the name meant."""
        known = {one.value: one for one in Purpose}
        return HistoryQuestion(
            worker=worker,
            agency=self.agency,
            reference=self.reference.upper() or None,
            since=self.since,
            until=self.until,
            # A word that is no purpose was not offered on the page.
            purpose=known.get(self.purpose),
            refused_only=self.refused,
        )


class CloseForm(msgspec.Struct, forbid_unknown_fields=True):
    """A pattern is closed with a note."""

    version: int
    note: Annotated[
        str,
        paragraphs(
            "What you found out",
            at_most=4_000,
            missing="Write what you found out and why you close it",
        ),
    ]


MOST = 1_000


class ThresholdsForm(msgspec.Struct, forbid_unknown_fields=True):
    """From how many on something is told."""

    many_children: Annotated[int, amount("Children within an hour", at_least=2, at_most=MOST)]
    own_name: Annotated[int, amount("Children of the same name", at_least=1, at_most=MOST)]
    out_of_hours: Annotated[int, amount("Records out of hours", at_least=1, at_most=MOST)]
    day_begins: Annotated[int, amount("Hour at which the day begins", at_least=0, at_most=23)]
    day_ends: Annotated[int, amount("Hour at which the day ends", at_least=1, at_most=24)]
    after_closure: Annotated[int, amount("Closed cases", at_least=1, at_most=MOST)]
    closed_for: Annotated[int, amount("Days since the case was closed", at_least=0, at_most=MOST)]
    many_refusals: Annotated[int, amount("Refused attempts", at_least=1, at_most=MOST)]
    source: Annotated[str, line("Why", missing="Say why, for whoever reads this next year")]

    def wanted(self) -> dict[Threshold, int]:
        """Every threshold with its figure."""
        return {one: getattr(self, one.value) for one in Threshold}


def _span(label: str, name: str) -> msgspec.Meta:
    figure = SET_HERE[name]
    return amount(label, at_least=figure.least, at_most=figure.most)


class SpansForm(msgspec.Struct, forbid_unknown_fields=True):
    """How long what concerns sharing may wait or last, and ways in."""

    version: int
    override_hours: Annotated[int, _span("Hours that an override lasts", "override_hours")]
    review_working_days: Annotated[int, _span("Working days to a review", "review_working_days")]
    follow_up_days: Annotated[int, _span("Days to follow up", "follow_up_days")]
    override_misses: Annotated[int, _span("Misses in a day", "override_misses")]
    objection_working_days: Annotated[
        int, _span("Working days to decide an objection", "objection_working_days")
    ]
    answer_working_days: Annotated[
        int, _span("Working days to answer a request", "answer_working_days")
    ]
    remind_days: Annotated[int, _span("Days to remind before an end", "remind_days")]
    worker_invitation_days: Annotated[
        int, _span("Days that a worker’s link works", "worker_invitation_days")
    ]
    family_invitation_days: Annotated[
        int, _span("Days that a family’s invitation works", "family_invitation_days")
    ]
    family_contact_hours: Annotated[
        int, _span("Hours until codes go to a new address", "family_contact_hours")
    ]
    owner_chase_working_days: Annotated[
        int, _span("Working days until a reminder", "owner_chase_working_days")
    ]
    manager_chase_working_days: Annotated[
        int, _span("Working days until the manager is told", "manager_chase_working_days")
    ]
    inbox_kept_days: Annotated[
        int, _span("Days that what systems sent about nobody here is kept", "inbox_kept_days")
    ]
    inbox_most_waiting: Annotated[
        int, _span("Things that one system may have waiting", "inbox_most_waiting")
    ]
    inbox_most_megabytes: Annotated[
        int, _span("Megabytes that one system may have waiting", "inbox_most_megabytes")
    ]
    source: Annotated[str, line("Why", missing="Say why, for whoever reads this next year")]

    def wanted(self) -> dict[str, int]:
        """Every figure, by the key of its setting."""
        return {one.key: getattr(self, name) for name, one in SET_HERE.items()}


class MakeForm(msgspec.Struct, forbid_unknown_fields=True):
    """The documents are made anew: nothing to fill in but the button."""


class ApproveForm(msgspec.Struct, forbid_unknown_fields=True):
    """A version of a document is approved."""

    version: int
    approved_on: Annotated[date, on_day("Day of approval")]
    read: Annotated[
        Literal["yes"],
        chosen("That you read it", missing="Confirm that the parts to fill in were settled"),
    ]
