"""What pots promise to approved packages, and what is paid out of it and comes back."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from panel.allocation import pots
from panel.allocation.money import NOTHING, FinancialYear, pounds, split_between
from panel.allocation.package_models import EntryKind, Package, PackageState, Pot
from panel.allocation.package_reading import OnRecord, PackageReading, Share, reading_of
from panel.platform.problems import Invalid, NotAllowed
from panel.records.gate import Access


async def settle(access: OnRecord, row: Package) -> None:
    """Promise what an approved package costs this year and in later ones that have pots.

    Each share out of its own pot, all of them or none. It carries on what was signed: whoever asks
    for more has the signatures for it. Years that are over stay as they are. Raises Invalid where a
    pot has not enough left, and where this year's pot is not there.
    """
    reading = await reading_of(access, row)
    known = await pots.promised(access.session, row.id)
    now = FinancialYear.of(access.today)
    wanted = await _wanted(access.session, reading, now)
    over = {
        pot.id
        for pot in await pots.pots(access.session)
        if FinancialYear.named(pot.financial_year) < now
    }
    moves = []
    for pot_id in wanted.keys() | (known.keys() - over):
        there = known.get(pot_id, pots.Promised())
        amount, agency = wanted.get(pot_id, (NOTHING, None))
        change = max(amount, there.spent) - there.committed
        if change:
            kind = EntryKind.COMMITMENT if change > 0 else EntryKind.RELEASE
            moves.append(pots.Move(pot_id, kind, abs(change), package_id=row.id, agency_id=agency))
    try:
        await pots.move_all(access.session, moves)
    except Invalid as refused:
        raise Invalid.because("", refused.errors[0].sentence) from None


async def _wanted(
    session: AsyncSession, reading: PackageReading, now: FinancialYear
) -> dict[UUID, tuple[Decimal, UUID]]:
    """What is asked of each pot from a year on, and for which agency."""
    wanted: dict[UUID, tuple[Decimal, UUID]] = {}
    for year in reading.years:
        if year < now:
            continue
        amounts = reading.cost(year).shares
        for share in reading.shares:
            if share.pot is None or share.id not in amounts:
                continue
            pot = await pots.in_year(session, share.pot, year)
            if pot is not None:
                before = wanted.get(pot.id, (NOTHING, share.agency_id))[0]
                wanted[pot.id] = before + amounts[share.id], share.agency_id
            elif year == max(now, reading.years[0]):
                raise Invalid.because("", _no_pot(share.pot, year))
    return wanted


NOT_A_PAYER = "Your agency does not pay for this package: you cannot sign for it."
ASK_A_PAYER = "Ask a budget holder of an agency that pays."


async def paying_pots(session: AsyncSession, reading: PackageReading) -> frozenset[UUID]:
    """The pots that pay from this year on, each as of the year in which it does.

    Where that year has no pot yet it is the one that goes on into it. Of a package whose years are
    all over, it is every pot that was named.
    """
    to_come = shares_to_come(reading)
    if not to_come:
        return frozenset(share.pot.id for share in reading.shares if share.pot is not None)
    found = set()
    for share, year in to_come:
        if share.pot is not None:
            found.add((await pots.in_year(session, share.pot, year) or share.pot).id)
    return frozenset(found)


async def require_payer(access: Access, row: Package) -> None:
    """Raise NotAllowed for who signs for none of the pots that pay, or for no payer without one.

    What several agencies promised, each by its own signature, one of them moves for all.
    """
    reading = await reading_of(access, row)
    await require_one_who_pays(access, reading, await paying_pots(access.session, reading))


async def require_one_who_pays(
    access: Access, reading: PackageReading, paying: Collection[UUID]
) -> None:
    """Raise NotAllowed for who signs for none of these pots, and does not pay without one."""
    pots.require_signature(access.viewer)
    if access.viewer.agency in agencies_without_pot(reading):
        return
    if not paying:
        raise NotAllowed(NOT_A_PAYER, ASK_A_PAYER)
    await pots.require_one_of(access.session, access.viewer, paying)


def agencies_without_pot(reading: PackageReading) -> frozenset[UUID]:
    """The agencies that pay out of no pot from this year on, or ever where all years are over."""
    paying = [one for one, _ in shares_to_come(reading)] or reading.shares
    return frozenset(one.agency_id for one in paying if one.pot is None)


def shares_to_come(reading: PackageReading) -> Sequence[tuple[Share, FinancialYear]]:
    """Who pays in this year and in each that follows, also beyond those that are worked out."""
    now = FinancialYear.of(reading.today)
    last = None if reading.until_on is None else FinancialYear.of(reading.until_on)
    years = {*reading.years, *(FinancialYear.of(one.from_on) for one in reading.shares)}
    to_come = sorted(year for year in years if year >= now and (last is None or year <= last))
    return [(one, year) for year in to_come for one in reading.shares if one.holds_in(year)]


def _no_pot(pot: Pot, year: FinancialYear) -> str:
    return f"There is no pot {pot.name} for {year.name}: open it first"


async def pay_out(
    access: Access,
    row: Package,
    year: FinancialYear,
    amount: Decimal,
    kind: EntryKind = EntryKind.ACTUAL,
) -> None:
    """Pay an amount out of the package's pots of a year, or back into them, by its shares.

    Raises Invalid where it is more than was promised to this package, and not only to the pot.
    """
    is_active = row.state == PackageState.ACTIVE.value
    if kind is EntryKind.ACTUAL and is_active and year == FinancialYear.of(access.today):
        # A pot that was opened since the package was signed has promised it nothing yet.
        await settle(access, row)
    reading = await reading_of(access, row)
    parts = {one.id: one.parts for one in reading.shares if one.holds_in(year)}
    if not parts:
        raise Invalid.because("amount", f"Nobody has said who pays in {year.name}")
    known = await pots.promised(access.session, row.id)
    by_pot: dict[UUID, tuple[Decimal, UUID]] = {}
    for share_id, part in split_between(amount, parts).items():
        share = next(one for one in reading.shares if one.id == share_id)
        if share.pot is None or not part:
            continue
        pot = await pots.in_year(access.session, share.pot, year)
        if pot is None:
            raise Invalid.because("amount", _no_pot(share.pot, year))
        before = by_pot.get(pot.id, (NOTHING, share.agency_id))[0]
        by_pot[pot.id] = before + part, share.agency_id
    moves = []
    for pot_id, (part, agency) in by_pot.items():
        there = known.get(pot_id, pots.Promised())
        if kind is EntryKind.ACTUAL and there.spent + part > there.committed:
            left = pounds(there.committed - there.spent)
            sentence = f"{pounds(part)} is to be paid, and {left} of what was promised is left"
            raise Invalid.because("amount", sentence)
        if kind is EntryKind.REFUND and part > there.spent:
            sentence = f"{pounds(part)} cannot come back: {pounds(there.spent)} was paid"
            raise Invalid.because("amount", sentence)
        moves.append(pots.Move(pot_id, kind, part, package_id=row.id, agency_id=agency))
    await require_one_who_pays(access, reading, by_pot.keys())
    await pots.move_all(access.session, moves)
