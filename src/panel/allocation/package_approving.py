"""A package is signed: its cost is promised out of its pots, all of it or nothing."""

from uuid import UUID

from panel.allocation import pots
from panel.allocation.package_changing import open_for_change, settle_change
from panel.allocation.package_models import PackageKind, PackageState
from panel.allocation.package_reading import PackageReading, reading_of
from panel.platform.problems import Invalid, NotAllowed
from panel.records.gate import Access
from panel.web.words import short_day

OWN_PLAN = "You planned this package or changed it last, so somebody else has to approve it."


async def approve(access: Access, package_id: UUID, version: int) -> None:
    """Sign a package: its cost is promised out of its pots, all of it or nothing.

    Two people make it: whoever planned it, wrote a service or a price of it, or changed it last
    does not sign it. Whoever does holds the budget of the pots that pay.

    Raises NotAllowed for anybody else, Conflict where it changed since it was read, and Invalid
    where a pot has not enough left (it says how much is), or something is missing.
    """
    pots.require_signature(access.viewer)
    row = await open_for_change(access, package_id, version)
    # As it was before this, which is written with the first question that follows.
    changed_by = row.changed_by
    if row.state != PackageState.PLANNED.value:
        raise Invalid.because("", "This package is approved already")
    reading = await reading_of(access, row)
    mistakes = []
    if not reading.lines:
        mistakes.append("There is no service in this package yet")
    if not reading.shares:
        mistakes.append("Nobody has said yet who pays")
    if reading.unpriced:
        what, first, _ = reading.unpriced[0]
        mistakes.append(f"No price is known for {what} on {short_day(first)}")
    if row.kind != PackageKind.IN_KIND.value and not (row.spending_plan and row.plan_agreed_on):
        mistakes.append("The plan of spending is not agreed with the family yet")
    if mistakes:
        raise Invalid.because("", ". ".join(mistakes))
    if access.viewer.id in reading.planned_by | {changed_by}:
        raise NotAllowed(OWN_PLAN, "Ask another budget holder to approve it.")
    await _require_payer(access, reading)
    row.state = PackageState.ACTIVE.value
    row.approved_on, row.approved_by = access.today, access.viewer.id
    await settle_change(access, row)


async def _require_payer(access: Access, reading: PackageReading) -> None:
    """Raise NotAllowed unless the viewer's agency pays, out of pots that are its own or pooled."""
    paying = [one.pot.id for one in reading.shares if one.pot is not None]
    await pots.require_own(access.session, access.viewer, paying)
    if not paying and access.viewer.agency not in {one.agency_id for one in reading.shares}:
        raise NotAllowed(
            "Your agency does not pay for this package: you cannot sign for it.",
            "Ask a budget holder of an agency that pays.",
        )
