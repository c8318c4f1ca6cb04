"""Inclusion grants: small sums, approved fast, so that a child can join what others do."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select, text

from consent import Category
from panel.allocation import pots
from panel.allocation.interests import not_shown, require_stayed
from panel.allocation.money import NOTHING, FinancialYear, amount_mistake, pounds
from panel.allocation.package_models import EntryKind, InclusionGrant, Pot
from panel.allocation.packages import may_prepare
from panel.allocation.packages_settings import grant_limit
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound
from panel.records.gate import Access


async def grants_for_reading(access: Access) -> Sequence[InclusionGrant]:
    """The child's grants that the viewer may see, the latest first."""
    if await not_shown(access) is not None:
        return ()
    rows = await access.session.scalars(
        select(InclusionGrant)
        .where(InclusionGrant.child_id == access.child_id)
        .order_by(InclusionGrant.asked_on.desc(), InclusionGrant.id.desc())
    )
    return [row for row in rows if access.may(Category.PLAN, row.agency_id)]


async def grant_for_reading(access: Access, grant_id: UUID) -> InclusionGrant:
    """One grant of the child's. Raises NotFound, and NotAllowed for who left it to others."""
    if (left := await not_shown(access)) is not None:
        raise NotAllowed(str(left), "Ask somebody else to do it.")
    row = await access.session.get(InclusionGrant, grant_id)
    if (
        row is None
        or row.child_id != access.child_id
        or not access.may(Category.PLAN, row.agency_id)
    ):
        raise NotFound("This is not on this child’s record.", "Go back to the packages.")
    return row


async def ask_for_grant(access: Access, amount: Decimal, what_for: str) -> InclusionGrant:
    """Ask for a grant. Raises Invalid for more than is approved without the panel."""
    if not may_prepare(access) or access.viewer.agency is None:
        raise NotAllowed("You can read this record and cannot ask for a grant.")
    await require_stayed(access)
    if wrong := amount_mistake("The amount", amount):
        raise Invalid.because("amount", wrong)
    limit = await grant_limit(access.session)
    if amount > limit:
        sentence = (
            f"An inclusion grant is {pounds(limit)} at most: ask the allocation panel for more,"
            " with a request for service"
        )
        raise Invalid.because("amount", sentence)
    grant = InclusionGrant(
        child_id=access.child_id,
        agency_id=access.viewer.agency,
        amount=amount,
        what_for=what_for,
        asked_on=access.today,
        state="asked",
    )
    access.session.add(grant)
    await access.session.flush()
    return grant


async def decide_grant(
    access: Access, grant_id: UUID, version: int, *, pot_id: UUID | None, answer: str
) -> None:
    """Approve a grant out of a pot, which pays it at once; without a pot, decline it with why.

    Raises Conflict where somebody decided since, Invalid where the pot has not enough left and
    where the child's grants of the year would pass the limit together.
    """
    await _require_decider(access)
    row = await access.session.scalar(
        select(InclusionGrant)
        .where(InclusionGrant.id == grant_id, InclusionGrant.child_id == access.child_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or not access.may(Category.PLAN, row.agency_id):
        raise NotFound("This is not on this child’s record.", "Go back to the packages.")
    if row.version != version or row.state != "asked":
        raise Conflict(())
    row.decided_on, row.decided_by = access.today, access.viewer.id
    row.answer = answer
    if pot_id is None:
        if not answer:
            raise Invalid.because("answer", "Say why it is declined")
        row.state = "declined"
        await access.session.flush()
        return
    if row.created_by == access.viewer.id:
        raise NotAllowed(
            "You asked for this grant, so somebody else has to approve it.",
            "Ask another budget holder to approve it.",
        )
    limit = await grant_limit(access.session)
    if row.amount > limit:
        sentence = f"Without the panel {pounds(limit)} at most is approved"
        raise Invalid.because("pot_id", sentence)
    await _require_left(access, row.amount, limit)
    pot = await access.session.get(Pot, pot_id)
    if pot is None or pot.financial_year != FinancialYear.of(access.today).name:
        raise Invalid.because("pot_id", "Choose a pot of this financial year from the list")
    await pots.require_own(access.session, access.viewer, [pot.id])
    row.state, row.pot_id = "approved", pot.id
    await access.session.flush()
    try:
        for kind in (EntryKind.COMMITMENT, EntryKind.ACTUAL):
            await pots.move(
                access.session,
                pots.Move(pot.id, kind, row.amount, grant_id=row.id, agency_id=pot.agency_id),
            )
    except Invalid as refused:
        raise Invalid.because("pot_id", refused.errors[0].sentence) from None


async def _require_decider(access: Access) -> None:
    """Raise NotAllowed for who signs for nothing, only reads the record, or left it to others."""
    pots.require_signature(access.viewer)
    if not may_prepare(access):
        raise NotAllowed("You can read this record and cannot decide about a grant.")
    await require_stayed(access)


async def _require_left(access: Access, amount: Decimal, limit: Decimal) -> None:
    """Raise Invalid where the child's grants of this financial year would pass the limit together.

    All of them count, whoever may see them: what is approved without the panel is one sum.
    """
    # Two grants of one child at once: the second waits, and counts the first.
    await access.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('inclusion grants ' || :child, 0))"),
        {"child": str(access.child_id)},
    )
    year = FinancialYear.of(access.today)
    approved = await access.session.scalar(
        select(func.sum(InclusionGrant.amount)).where(
            InclusionGrant.child_id == access.child_id,
            InclusionGrant.state == "approved",
            InclusionGrant.decided_on.between(year.first, year.last),
        )
    )
    left = max(limit - (approved or NOTHING), NOTHING)
    if amount > left:
        sentence = (
            f"Without the panel {pounds(limit)} at most is approved for a child in a financial"
            f" year, and {pounds(left)} of it is left in {year.name}"
        )
        raise Invalid.because("pot_id", sentence)
