"""What was recorded ends before its time: at once, with a reason, and never deleted."""

from datetime import date

from panel.platform.problems import Conflict, Invalid
from panel.records.gate import Access
from panel.sharing.models import (
    FormerIdentity,
    SharingAgreement,
    SharingEnquiry,
    SharingOrder,
    SharingRestriction,
)
from panel.sharing.restrict_rules import last_whole_day

Dated = SharingRestriction | SharingOrder | SharingEnquiry


def is_over(row: Dated, today: date) -> bool:
    """Whether its last day is past, or it was ended before."""
    return row.until_on is not None and row.until_on < today


LIVE = "s.withdrawn_at IS NULL AND (s.until_on IS NULL OR s.until_on >= :today)"
"""SQL: `is_live` of a row `s` of `sharing_agreement`."""


def is_live(row: SharingAgreement, today: date) -> bool:
    """Whether an agreement or refusal was not withdrawn and is not over; it may be still to come.

    `LIVE` says the same in SQL.
    """
    return row.withdrawn_at is None and (row.until_on is None or row.until_on >= today)


def end_now(access: Access, row: Dated | FormerIdentity, version: int, why: str) -> None:
    """It ends at this moment; who says so and why is kept with it.

    Raises Invalid without a reason, Conflict where somebody changed it since it was read.
    """
    if not why.strip():
        raise Invalid.because("reason", "Say why it ends: it is kept for whoever asks later")
    if row.version != version:
        raise Conflict(())
    row.ended_at, row.ended_by, row.ended_why = access.at, access.viewer.id, why
    if not isinstance(row, FormerIdentity):
        row.until_on = last_whole_day(access.today)
