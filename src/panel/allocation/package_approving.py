"""A package is signed: its cost is promised out of its pots, all of it or nothing."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm.attributes import flag_modified

from panel.allocation import pots
from panel.allocation.package_changing import (
    said_of,
)
from panel.allocation.package_contents import (
    apply,
)
from panel.allocation.package_holding import (
    locked,
    open_for_change,
    require_not_ended,
)
from panel.allocation.package_models import (
    ChangeState,
    Package,
    PackageChange,
    PackageKind,
    PackageState,
)
from panel.allocation.package_promising import require_payer, settle
from panel.allocation.package_reading import reading_of
from panel.allocation.package_signing import keep_signature, names_of, still_to_sign, waiting_change
from panel.platform.problems import Invalid, NotAllowed
from panel.records.gate import Access
from panel.web.words import short_day

OWN_PLAN = "You planned this package or changed it last, so somebody else has to approve it."
OWN_CHANGE = "You wrote this change, so somebody else has to approve it."


async def approve(access: Access, package_id: UUID, version: int) -> Sequence[str]:
    """Sign a package: its cost is promised out of its pots, all of it or nothing.

    Two people make it: whoever planned it, wrote a service or a price of it, or changed it last
    does not sign it. Whoever does holds the budget of pots that pay: each agency signs for its own,
    and what they sign for is promised with the last signature. Returns the agencies that are still
    to sign.

    Raises NotAllowed for anybody else, Conflict where it changed since it was read, and Invalid
    where a pot has not enough left (it says how much is), or something is missing.
    """
    pots.require_signature(access.viewer)
    row = await locked(access, package_id, version)
    require_not_ended(row)
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
    if access.viewer.id in reading.planned_by | {reading.changed_by}:
        raise NotAllowed(OWN_PLAN, "Ask another budget holder to approve it.")
    missing = await still_to_sign(access, reading, version)
    await keep_signature(access, row.id, version)
    if missing:
        return await names_of(access.session, missing)
    row.state = PackageState.ACTIVE.value
    row.approved_on, row.approved_by = access.today, access.viewer.id
    await access.session.flush()
    await settle(access, row)
    return ()


async def approve_change(access: Access, package_id: UUID, version: int) -> Sequence[str]:
    """Sign for a change that costs more, as `approve`: once all have, it is made and promised.

    Whoever wrote the change does not sign it.
    """
    pots.require_signature(access.viewer)
    row = await locked(access, package_id, version)
    require_not_ended(row)
    change = await _waiting(access, row)
    if access.viewer.id == change.created_by:
        raise NotAllowed(OWN_CHANGE, "Ask another budget holder to approve it.")
    async with access.session.begin_nested() as point:
        try:
            await apply(access, row, said_of(change))
        except Invalid as refused:
            sentence = f"{refused.errors[0].sentence}. Take the change back and write another"
            raise Invalid.because("", sentence) from None
        reading = await reading_of(access, row)
        missing = await still_to_sign(access, reading, version, change)
        if missing:
            await point.rollback()
    if missing:
        await access.session.refresh(row)
        await keep_signature(access, package_id, version, change)
        return await names_of(access.session, missing)
    await keep_signature(access, package_id, version, change)
    _decide(access, change, ChangeState.SIGNED)
    flag_modified(row, "shared_by")
    await access.session.flush()
    await settle(access, row)
    return ()


async def take_change_back(access: Access, package_id: UUID, version: int) -> None:
    """A change that waits is not made: whoever signs for the package takes it back."""
    row = await open_for_change(access, package_id, version)
    await require_payer(access, row)
    _decide(access, await _waiting(access, row), ChangeState.TAKEN_BACK)
    await access.session.flush()


async def _waiting(access: Access, row: Package) -> PackageChange:
    change = await waiting_change(access.session, row.id)
    if change is None:
        raise Invalid.because("", "No change of this package waits to be approved")
    return change


def _decide(access: Access, change: PackageChange, state: ChangeState) -> None:
    change.state, change.decided_on = state.value, access.today
