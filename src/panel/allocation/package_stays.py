"""Days away under a short break, planned within the limits of section 20 or knowing of them."""

from datetime import date
from uuid import UUID

from sqlalchemy import select, text

from panel.allocation.costing import days_mistakes
from panel.allocation.package_holding import (
    line_of,
    open_for_change,
    refuse,
)
from panel.allocation.package_models import Package, ShortBreak
from panel.allocation.package_reading import read_packages, stays_of
from panel.allocation.packages_settings import limits
from panel.allocation.short_breaks import Notice, Stay, section_20_warnings
from panel.platform.problems import FieldError, Invalid
from panel.records.gate import Access


async def plan_stay(
    access: Access,
    package_id: UUID,
    version: int,
    line_id: UUID,
    days: tuple[date, date],
    *,
    knowing: bool,
) -> ShortBreak:
    """Plan days away. One that passes a limit of section 20 is refused unless that is known.

    Raises Invalid with every limit that it would pass.
    """
    row = await open_for_change(access, package_id, version)
    line = await line_of(access, row, line_id)
    first, last = days
    mistakes = days_mistakes(first, last)
    if line.law is None:
        mistakes.append(FieldError("line_id", "Choose a short break under section 17 or 20"))
    until = line.until_on or row.until_on
    if first < max(line.from_on, row.from_on) or (until is not None and last > until):
        mistakes.append(FieldError("from_on", "The days must lie within those of the service"))
    if (last - first).days > 366:
        mistakes.append(FieldError("until_on", "A stay is a year at most"))
    refuse(mistakes)
    passed: list[Notice] = []
    if line.law == "s20":
        passed = await _newly_passed(access, Stay(line.id, first, last))
    if passed and not knowing:
        raise Invalid.because("knowing", f"{' '.join(one.sentence for one in passed)} Tick this to"
                              " plan it all the same")  # fmt: skip
    made = ShortBreak(
        child_id=access.child_id,
        service_line_id=line.id,
        from_on=first,
        until_on=last,
        passes_limit=bool(passed),
    )
    access.session.add(made)
    await access.session.flush()
    return made


async def _newly_passed(access: Access, stay: Stay) -> list[Notice]:
    """The limits that a stay would pass, with every other stay of the child's, in any package."""
    # Two stays in two packages at once: the second waits, and counts the first.
    await access.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('short breaks ' || :child, 0))"),
        {"child": str(access.child_id)},
    )
    packages = list(
        await access.session.scalars(select(Package).where(Package.child_id == access.child_id))
    )
    lines = [
        line
        for one in await read_packages(access.session, access.child_id, packages)
        for line in one.lines
    ]
    limit = await limits(access.session)
    return [one for one in section_20_warnings([*stays_of(lines), stay], limit) if one.passes]


async def cancel_stay(access: Access, package_id: UUID, version: int, stay_id: UUID) -> None:
    """A stay does not take place; it is still known that it was planned."""
    row = await open_for_change(access, package_id, version)
    stay = await access.session.get(ShortBreak, stay_id)
    if stay is None or stay.cancelled_on is not None:
        raise Invalid.because("stay_id", "Choose the stay from the list")
    await line_of(access, row, stay.service_line_id)
    stay.cancelled_on = access.today
    await access.session.flush()
