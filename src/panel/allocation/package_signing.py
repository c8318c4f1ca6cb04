"""Who signs for a package, or for a change that makes it cost more: every agency that pays.

Each agency signs for its own pots, for the pools that it is in, and for what it pays out of no pot.
Nothing is promised before all have: then everything is, in one transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Agency
from panel.allocation import pots
from panel.allocation.money import NOTHING, FinancialYear
from panel.allocation.package_models import (
    ChangeState,
    PackageChange,
    PackageSignature,
    Pot,
)
from panel.allocation.package_promising import (
    agencies_without_pot,
    paying_pots,
    require_one_who_pays,
)
from panel.allocation.package_reading import PackageReading
from panel.platform.problems import NotAllowed
from panel.records.gate import Access

SIGNED = "Your agency has signed for its part already."


@dataclass(frozen=True, slots=True)
class Rise:
    """The first year in which somebody is asked for more, with the whole cost of it."""

    year: FinancialYear
    before: Decimal
    after: Decimal


def first_rise(before: PackageReading, after: PackageReading) -> Rise | None:
    """Whether a change asks more of anybody, in this year or any later one; None where it does not.

    A package that costs as much as before asks more of who pays a larger part of it.
    """
    now = FinancialYear.of(after.today)
    for year in _telling_years(now, before, after):
        was, becomes = _asked(before, year), _asked(after, year)
        if any(amount > was.get(who, NOTHING) for who, amount in becomes.items()):
            return Rise(year, before.cost(year).total, after.cost(year).total)
    return None


def _telling_years(now: FinancialYear, *readings: PackageReading) -> Sequence[FinancialYear]:
    """The years in which something begins or ends, and those that follow: others are like them."""
    days = {day for one in readings for day in _days_of(one)}
    found = {now} | {FinancialYear.of(day) for day in days}
    found |= {one.following for one in found} | {year for one in readings for year in one.years}
    return sorted((one for one in found if one >= now), key=lambda one: one.starts_in)


def _days_of(one: PackageReading) -> set[date]:
    days: set[date | None] = {one.from_on, one.until_on}
    for line in one.lines:
        days |= {line.line.from_on, line.line.until_on}
        days |= {day for price in line.line.prices for day in (price.from_on, price.until_on)}
    days |= {day for share in one.shares for day in (share.from_on, share.until_on)}
    return {day for day in days if day is not None}


def _asked(one: PackageReading, year: FinancialYear) -> Mapping[object, Decimal]:
    """What is asked in a year: in all, and of each payer's pot, whatever year the pot is of."""
    cost = one.cost(year)
    asked: dict[object, Decimal] = {"": cost.total}
    for share in one.shares:
        if share.id in cost.shares:
            pot = None if share.pot is None else _named(share.pot)
            who = share.agency_id, pot
            asked[who] = asked.get(who, NOTHING) + cost.shares[share.id]
    return asked


def _named(pot: Pot) -> tuple[str, str, UUID]:
    return pot.name, pot.kind, pot.agency_id


async def waiting_change(session: AsyncSession, package_id: UUID) -> PackageChange | None:
    """The change of a package that waits to be signed."""
    found: PackageChange | None = await session.scalar(
        select(PackageChange).where(
            PackageChange.package_id == package_id,
            PackageChange.state == ChangeState.WAITS.value,
        )
    )
    return found


@dataclass(frozen=True, slots=True)
class Signing:
    """How far the signatures for a package, or for the change that waits, have come."""

    change: PackageChange | None
    signed: Sequence[str]
    """The agencies that have signed."""
    has_signed: bool
    """Whether the viewer's own has."""


async def signing_of(access: Access, one: PackageReading) -> Signing:
    """Who has signed for a package as it is now, or for the change of it that waits."""
    change = await waiting_change(access.session, one.id)
    signed = await _signatures(access.session, one.id, one.version, change)
    names = [await _name(access.session, agency) for agency in signed]
    return Signing(change, names, access.viewer.agency in signed)


async def _signatures(
    session: AsyncSession, package_id: UUID, version: int, change: PackageChange | None
) -> Sequence[UUID]:
    rows = await session.scalars(
        select(PackageSignature)
        .where(
            PackageSignature.package_id == package_id,
            PackageSignature.package_version == version,
            PackageSignature.change_id.is_(None)
            if change is None
            else PackageSignature.change_id == change.id,
        )
        .order_by(PackageSignature.id)
    )
    return [one.agency_id for one in rows]


async def _name(session: AsyncSession, agency_id: UUID) -> str:
    found = await session.get(Agency, agency_id)
    return "" if found is None else found.name


async def still_to_sign(
    access: Access, reading: PackageReading, version: int, change: PackageChange | None = None
) -> frozenset[UUID]:
    """With the viewer's signature, the agencies that have not signed yet: none is all of it.

    They are those whose pots pay, and those that pay out of no pot: each signs for itself.
    `version` is the package's as they read it, which every signature is for.
    Raises NotAllowed where their agency pays nothing, and where their agency has signed already.
    """
    session, agency = access.session, access.viewer.agency
    paying = await paying_pots(session, reading)
    without = agencies_without_pot(reading)
    await require_one_who_pays(access, reading, paying)
    before = await _signatures(session, reading.id, version, change)
    if agency in before:
        raise NotAllowed(SIGNED, "The other agencies that pay sign for theirs.")
    signed = {*before} if agency is None else {agency, *before}
    missing = paying - await pots.signed_for(session, signed, paying)
    held = await session.scalars(select(Pot.agency_id).where(Pot.id.in_(missing)))
    return frozenset(held) | (without - signed)


async def keep_signature(
    access: Access, package_id: UUID, version: int, change: PackageChange | None = None
) -> None:
    """Write down that the viewer signed for the package as it stands, or for a change of it."""
    access.session.add(
        PackageSignature(
            child_id=access.child_id,
            package_id=package_id,
            package_version=version,
            change_id=None if change is None else change.id,
            agency_id=access.viewer.agency,
        )
    )
    await access.session.flush()


async def names_of(session: AsyncSession, agencies: Collection[UUID]) -> Sequence[str]:
    """Agencies by name."""
    return sorted([await _name(session, one) for one in agencies])
