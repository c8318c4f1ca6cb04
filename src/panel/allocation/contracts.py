"""Joint contracts: several authorities buy places from one provider and exchange statements.

Source: DOMAIN.md, "Allocation panel" (West Mercia's tri-partite agreement): the cost is shared by
the places that each authority takes, and each splits its share between health, education and social
care by its own protocol. Each authority keeps its own Panel; what they agree about is the
contract's reference and a statement, whose mark is the same wherever the same facts led to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from consent import Viewer
from panel.allocation.costing import (
    DAY,
    Every,
    Line,
    Price,
    cost_in,
    days_mistakes,
    without_price,
)
from panel.allocation.money import (
    NOTHING,
    FinancialYear,
    amount_mistake,
    shares_mistake,
    split_between,
    years_between,
)
from panel.allocation.package_models import ContractParty, ContractPrice, JointContract
from panel.allocation.pots import require_signature
from panel.platform.problems import Conflict, FieldError, Invalid, NotFound
from panel.web.words import lower_first, short_day

HUNDRED = 100
SERVICES = ("health", "education", "social_care")


@dataclass(frozen=True, slots=True)
class Party:
    """An authority: its places, and how many of a hundred parts each of its services pays."""

    authority: str
    places: int
    health: int
    education: int
    social_care: int
    is_ours: bool = False

    @property
    def protocol(self) -> Mapping[str, int]:
        """Its own split between its services."""
        return {
            "health": self.health,
            "education": self.education,
            "social_care": self.social_care,
        }


@dataclass(frozen=True, slots=True)
class Contract:
    """What several authorities agreed with a provider."""

    reference: str
    title: str
    provider: str
    places: int
    from_on: date
    until_on: date
    prices: Sequence[Price]
    """Of a place for a week."""
    parties: Sequence[Party]
    id: UUID | None = None
    version: int = 0

    @property
    def years(self) -> Sequence[FinancialYear]:
        """The financial years that it reaches into."""
        return years_between(self.from_on, self.until_on)

    @property
    def line(self) -> Line:
        """All its places, week by week."""
        places = Decimal(self.places)
        return Line(places, Every.WEEK, self.from_on, self.until_on, self.prices)

    @property
    def ours(self) -> Party | None:
        """The authority that keeps this record."""
        return next((one for one in self.parties if one.is_ours), None)


@dataclass(frozen=True, slots=True)
class StatementYear:
    """A financial year of a statement."""

    year: FinancialYear
    total: Decimal
    shares: Mapping[str, Decimal]
    """By authority."""
    own: Mapping[str, Decimal]
    """What each service of the authority whose statement it is pays."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What one authority tells the others: the whole cost, everybody's share, its own split."""

    authority: str
    contract: Contract
    years: Sequence[StatementYear]

    @property
    def total(self) -> Decimal:
        """What the contract costs over all its years."""
        return sum((one.total for one in self.years), NOTHING)

    @property
    def shares(self) -> Mapping[str, Decimal]:
        """What each authority pays over all years."""
        return {
            party.authority: sum((one.shares[party.authority] for one in self.years), NOTHING)
            for party in self.contract.parties
        }

    @property
    def own(self) -> Mapping[str, Decimal]:
        """What each of its own services pays over all years."""
        return {
            service: sum((one.own[service] for one in self.years), NOTHING) for service in SERVICES
        }

    @property
    def mark(self) -> str:
        """The same for all whose facts and sums are the same: compare it by eye or telephone."""
        said = [self.contract.reference, str(self.contract.places)]
        for one in self.years:
            said.append(f"{one.year.name}={one.total}")
            said += (f"{name}={one.shares[name]}" for name in sorted(one.shares))
        found = sha256("\n".join(said).encode()).hexdigest()[:12].upper()
        return "-".join((found[:4], found[4:8], found[8:]))


def statement(contract: Contract, authority: str) -> Statement:
    """The statement of one of the authorities. Raises KeyError for another."""
    by_name = {one.authority: one for one in contract.parties}
    party = by_name[authority]
    places = {one.authority: one.places for one in contract.parties}
    years = []
    for year in contract.years:
        total = cost_in(contract.line, year)
        shares = split_between(total, places)
        own = split_between(shares[authority], party.protocol)
        years.append(StatementYear(year, total, shares, own))
    return Statement(authority, contract, years)


def contract_mistakes(contract: Contract) -> list[FieldError]:
    """What is wrong with a contract, by field."""
    return [*_terms_mistakes(contract), *_parties_mistakes(contract)]


def _terms_mistakes(contract: Contract) -> list[FieldError]:
    mistakes = days_mistakes(contract.from_on, contract.until_on)
    if not 1 <= contract.places <= 10_000:
        mistakes.append(FieldError("places", "The places must be between 1 and 10,000"))
    mistakes += (
        FieldError("price", wrong)
        for one in contract.prices
        if (wrong := amount_mistake("The price", one.amount))
    )
    return mistakes


def _parties_mistakes(contract: Contract) -> list[FieldError]:
    mistakes = [
        FieldError(f"health_{place}", f"{party.authority or 'This one'}: {lower_first(wrong)}")
        for place, party in enumerate(contract.parties, start=1)
        if (wrong := shares_mistake([one for one in party.protocol.values() if one], HUNDRED))
    ]
    mistakes += (
        FieldError(f"authority_{place}", "Enter which authority takes these places")
        for place, party in enumerate(contract.parties, start=1)
        if not party.authority
    )
    if len(contract.parties) < 2:
        mistakes.append(FieldError("authority_1", "A joint contract has two authorities or more"))
    elif wrong := shares_mistake([one.places for one in contract.parties], contract.places):
        mistakes.append(FieldError("places_1", wrong))
    if len({one.authority.casefold() for one in contract.parties}) < len(contract.parties):
        mistakes.append(FieldError("authority_1", "Say each authority once"))
    if sum(one.is_ours for one in contract.parties) != 1:
        mistakes.append(FieldError("ours", "Say which of them is your own authority"))
    return mistakes


async def make_contract(session: AsyncSession, viewer: Viewer, contract: Contract) -> UUID:
    """Keep a contract. Raises NotAllowed and Invalid."""
    require_signature(viewer)
    if mistakes := contract_mistakes(contract):
        raise Invalid(tuple(mistakes))
    row = JointContract(
        reference=contract.reference,
        title=contract.title,
        provider=contract.provider,
        places=contract.places,
        from_on=contract.from_on,
        until_on=contract.until_on,
    )
    session.add(row)
    try:
        await session.flush()
    except IntegrityError:
        sentence = "There is a contract with this reference already"
        raise Invalid.because("reference", sentence) from None
    session.add_all(
        ContractPrice(
            contract_id=row.id, amount=one.amount, from_on=one.from_on, until_on=one.until_on
        )
        for one in contract.prices
    )
    session.add_all(
        ContractParty(
            contract_id=row.id,
            authority=one.authority,
            is_ours=one.is_ours,
            places=one.places,
            health=one.health,
            education=one.education,
            social_care=one.social_care,
        )
        for one in contract.parties
    )
    await session.flush()
    return row.id


async def contracts(session: AsyncSession) -> Sequence[JointContract]:
    """Every contract, by reference: an authority has a few."""
    return list(await session.scalars(select(JointContract).order_by(JointContract.reference)))


async def contract_of(session: AsyncSession, contract_id: UUID) -> Contract:
    """A contract with its prices and parties. Raises NotFound."""
    row = await session.get(JointContract, contract_id)
    if row is None:
        raise NotFound("There is no such contract.", "Go back to the list of contracts.")
    prices = await session.scalars(select(ContractPrice).where(ContractPrice.contract_id == row.id))
    parties = await session.scalars(
        select(ContractParty).where(ContractParty.contract_id == row.id)
    )
    return Contract(
        row.reference,
        row.title,
        row.provider,
        row.places,
        row.from_on,
        row.until_on,
        sorted(
            (Price(one.amount, one.from_on, one.until_on) for one in prices),
            key=lambda one: one.from_on,
        ),
        sorted(
            (
                Party(
                    one.authority,
                    one.places,
                    one.health,
                    one.education,
                    one.social_care,
                    one.is_ours,
                )
                for one in parties
            ),
            key=lambda one: (-one.places, one.authority),
        ),
        row.id,
        row.version,
    )


async def change_contract_price(
    session: AsyncSession,
    viewer: Viewer,
    contract_id: UUID,
    version: int,
    price: Decimal,
    from_on: date,
) -> None:
    """Another price of a place from a day on. Raises Conflict, NotFound and Invalid."""
    require_signature(viewer)
    row = await session.scalar(
        select(JointContract).where(JointContract.id == contract_id).with_for_update()
    )
    if row is None:
        raise NotFound("There is no such contract.", "Go back to the list of contracts.")
    if row.version != version:
        raise Conflict(())
    known = list(
        await session.scalars(select(ContractPrice).where(ContractPrice.contract_id == row.id))
    )
    mistakes = []
    if wrong := amount_mistake("The price", price):
        mistakes.append(FieldError("price", wrong))
    if not row.from_on <= from_on <= row.until_on:
        mistakes.append(FieldError("from_on", "The day must lie within the contract"))
    if any(one.from_on >= from_on for one in known):
        latest = max(one.from_on for one in known)
        sentence = f"A price from {short_day(latest)} is known already: say a later day"
        mistakes.append(FieldError("from_on", sentence))
    if mistakes:
        raise Invalid(tuple(mistakes))
    for one in known:
        if one.until_on is None or one.until_on >= from_on:
            one.until_on = from_on - DAY
    session.add(ContractPrice(contract_id=row.id, amount=price, from_on=from_on, until_on=None))
    flag_modified(row, "places")  # its price changed: so does its version
    await session.flush()


def without_prices(contract: Contract) -> Sequence[tuple[date, date]]:
    """Days of a contract for which no price is known."""
    return without_price(contract.line, contract.from_on, contract.until_on)
