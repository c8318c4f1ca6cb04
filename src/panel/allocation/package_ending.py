"""A package is reviewed, and ends."""

from datetime import date
from uuid import UUID

from panel.allocation.costing import days_mistakes
from panel.allocation.package_changing import (
    settle_change,
)
from panel.allocation.package_holding import (
    keep_request_tied,
    open_for_change,
    refuse,
)
from panel.allocation.package_models import ChangeState, PackageState
from panel.allocation.package_signing import waiting_change
from panel.platform.problems import FieldError, Invalid
from panel.records.gate import Access
from panel.web.words import short_day


async def end_package(access: Access, package_id: UUID, version: int, until_on: date) -> None:
    """A package ends on a day: what was promised for later is given back."""
    row = await open_for_change(access, package_id, version)
    mistakes = days_mistakes(row.from_on, until_on)
    if not mistakes and row.until_on is not None and until_on > row.until_on:
        sentence = f"The package ends on {short_day(row.until_on)} already: it cannot end later"
        mistakes.append(FieldError("until_on", sentence))
    refuse(mistakes)
    if (change := await waiting_change(access.session, row.id)) is not None:
        change.state, change.decided_on = ChangeState.TAKEN_BACK.value, access.today
    row.until_on = until_on
    await settle_change(access, row)
    row.state = PackageState.ENDED.value
    await keep_request_tied(access, row)


async def note_review(access: Access, package_id: UUID, version: int, on: date) -> None:
    """It was reviewed on a day."""
    row = await open_for_change(access, package_id, version)
    if not row.from_on <= on <= access.today:
        raise Invalid.because("on", "The day must lie between the start of the package and today")
    row.reviewed_on = on
    await access.session.flush()
