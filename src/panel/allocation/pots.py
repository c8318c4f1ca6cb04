"""Pots and their ledger: what is paid in, promised, given back and paid out.

A line is added by one statement. The database takes the pot's row with it, so that of two who
promise the last of the money one comes first, and the other is told what is left.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role, Viewer
from panel.accounts.models import Agency
from panel.allocation.money import NOTHING, FinancialYear, amount_mistake, pounds
from panel.allocation.package_models import EntryKind, Pot, PotEntry, PotKind
from panel.platform.ids import new_id
from panel.platform.problems import Conflict, FieldError, Invalid, NotAllowed, NotFound
from panel.platform.tables import NOW, VIEWER, today_of

PAGE = 50
MAY_READ = frozenset({Role.BUDGET_HOLDER, Role.ALLOCATION_MEMBER})
SIGN = Role.BUDGET_HOLDER
_PAID_IN_OR_OUT = (EntryKind.TOP_UP.value, EntryKind.CUT.value)


@dataclass(frozen=True, slots=True)
class Move:
    """A line that is to be added to a ledger."""

    pot_id: UUID
    kind: EntryKind
    amount: Decimal
    package_id: UUID | None = None
    grant_id: UUID | None = None
    agency_id: UUID | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Promised:
    """What a pot has promised to one package, and paid of it."""

    committed: Decimal = NOTHING
    spent: Decimal = NOTHING


def require_signature(viewer: Viewer) -> None:
    """Raise NotAllowed for whoever may not sign for money."""
    if SIGN not in viewer.roles:
        raise NotAllowed(
            "A budget holder signs for money.", "Ask a budget holder of the allocation panel."
        )


async def require_own(session: AsyncSession, viewer: Viewer, pot_ids: Iterable[UUID]) -> None:
    """Raise NotAllowed unless all are the viewer's agency's own pots, or pools that it is in.

    An agency is in a pool that it holds or has paid into.
    """
    require_signature(viewer)
    wanted = set(pot_ids)
    own = () if viewer.agency is None else (viewer.agency,)
    others = wanted - await signed_for(session, own, wanted)
    found = await session.execute(
        select(Pot, Agency.name)
        .join(Agency, Agency.id == Pot.agency_id)
        .where(Pot.id.in_(others))
        .order_by(Pot.name, Pot.id)
    )
    for pot, whose in found:
        name = f"{pot.name} {pot.financial_year}"
        if pot.kind == PotKind.POOLED.value:
            raise NotAllowed(
                f"Your agency has paid nothing into the pool {name}: you cannot sign for it.",
                "Ask a budget holder of an agency that has.",
            )
        raise NotAllowed(
            f"{name} is the money of {whose}: you cannot sign for it.",
            "Ask a budget holder of that agency to sign.",
        )


async def signed_for(
    session: AsyncSession, agencies: Collection[UUID], pot_ids: Iterable[UUID]
) -> frozenset[UUID]:
    """Of these pots, those for which one of these agencies signs: its own, or a pool it is in."""
    wanted = set(pot_ids)
    held = select(Pot.id).where(Pot.id.in_(wanted), Pot.agency_id.in_(agencies))
    put_in = case(
        (PotEntry.kind == EntryKind.TOP_UP.value, PotEntry.amount), else_=-PotEntry.amount
    )
    pooled = (
        select(PotEntry.pot_id)
        .join(Pot, Pot.id == PotEntry.pot_id)
        .where(
            Pot.id.in_(wanted),
            Pot.kind == PotKind.POOLED.value,
            PotEntry.agency_id.in_(agencies),
            PotEntry.kind.in_(_PAID_IN_OR_OUT),
        )
        .group_by(PotEntry.pot_id, PotEntry.agency_id)
        .having(func.sum(put_in) > 0)
    )
    return frozenset(await session.scalars(held.union(pooled)))


async def require_one_of(session: AsyncSession, viewer: Viewer, pot_ids: Collection[UUID]) -> None:
    """Raise NotAllowed unless the viewer signs for one of these pots at least.

    What several agencies promised, each by its own signature, one of them pays out for all.
    """
    require_signature(viewer)
    own = () if viewer.agency is None else (viewer.agency,)
    if pot_ids and not await signed_for(session, own, pot_ids):
        await require_own(session, viewer, pot_ids)


async def move(session: AsyncSession, one: Move) -> None:
    """Add a line where the pot allows it. Raises Invalid with what is left where it does not."""
    if wrong := amount_mistake("The amount", one.amount):
        raise Invalid.because("amount", wrong)
    now, viewer = session.info[NOW], session.info[VIEWER]
    added = await session.execute(
        insert(PotEntry)
        .values(
            id=new_id(), pot_id=one.pot_id, package_id=one.package_id, grant_id=one.grant_id,
            agency_id=one.agency_id, kind=one.kind.value, amount=one.amount,
            on=one.on or today_of(session), created_at=now, created_by=viewer, changed_at=now,
            changed_by=viewer, version=1,
        )
        .returning(PotEntry.id)
    )  # fmt: skip
    if added.first() is None:
        raise Invalid.because("amount", await _why_not(session, one))


async def _why_not(session: AsyncSession, one: Move) -> str:
    pot = await pot_of(session, one.pot_id)
    asked, name = pounds(one.amount), f"{pot.name} {pot.financial_year}"
    match one.kind:
        case EntryKind.COMMITMENT:
            return f"{asked} is asked of {name}, and {pounds(pot.left)} is left"
        case EntryKind.ACTUAL:
            promised = pounds(pot.committed - pot.spent)
            return f"{asked} is to be paid out of {name}, and {promised} of it is promised"
        case EntryKind.CUT:
            return f"{name} cannot lose {asked}: {pounds(pot.left)} is not promised yet"
        case EntryKind.RELEASE:
            promised = pounds(pot.committed - pot.spent)
            return f"{asked} cannot be given back to {name}: {promised} is promised and not paid"
        case EntryKind.REFUND:
            return f"{asked} cannot come back to {name}: {pounds(pot.spent)} was paid out of it"
        case EntryKind.TOP_UP:
            return f"{name} cannot hold {asked} more: write a smaller amount"


async def move_all(session: AsyncSession, moves: Iterable[Move]) -> None:
    """Add lines to several ledgers, all or none, in an order in which nobody waits for ever."""
    for one in sorted(moves, key=lambda each: each.pot_id):
        await move(session, one)


async def pot_of(session: AsyncSession, pot_id: UUID) -> Pot:
    """A pot as it stands now. Raises NotFound."""
    found = await session.scalar(
        select(Pot).where(Pot.id == pot_id).execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("There is no such pot.", "Go back to the list of pots.")
    return found


async def pots(session: AsyncSession, year: FinancialYear | None = None) -> Sequence[Pot]:
    """Every pot, or those of a year, by year and name: an authority has some dozens."""
    asked = select(Pot).order_by(Pot.financial_year.desc(), Pot.name, Pot.id)
    if year is not None:
        asked = asked.where(Pot.financial_year == year.name)
    return list(await session.scalars(asked))


async def in_year(session: AsyncSession, pot: Pot, year: FinancialYear) -> Pot | None:
    """The pot that goes on from another in a year: of the same name, kind and agency.

    Who signs for a pool does not sign for another pot that is called like it.
    """
    if pot.financial_year == year.name:
        return pot
    found: Pot | None = await session.scalar(
        select(Pot).where(
            Pot.name == pot.name,
            Pot.kind == pot.kind,
            Pot.agency_id == pot.agency_id,
            Pot.financial_year == year.name,
        )
    )
    return found


async def promised(session: AsyncSession, package_id: UUID) -> Mapping[UUID, Promised]:
    """What each pot has promised to a package, and paid."""
    return await _sums(session, PotEntry.package_id == package_id)


async def _sums(session: AsyncSession, of: ColumnElement[bool]) -> Mapping[UUID, Promised]:
    def total(adds: EntryKind, takes: EntryKind) -> ColumnElement[Decimal]:
        added = func.coalesce(func.sum(PotEntry.amount).filter(PotEntry.kind == adds.value), 0)
        taken = func.coalesce(func.sum(PotEntry.amount).filter(PotEntry.kind == takes.value), 0)
        return added - taken

    rows = await session.execute(
        select(
            PotEntry.pot_id,
            total(EntryKind.COMMITMENT, EntryKind.RELEASE),
            total(EntryKind.ACTUAL, EntryKind.REFUND),
        )
        .where(of)
        .group_by(PotEntry.pot_id)
    )
    return {pot_id: Promised(committed, spent) for pot_id, committed, spent in rows}


@dataclass(frozen=True, slots=True)
class NewPot:
    """A pot of a year."""

    name: str
    kind: PotKind
    agency_id: UUID
    year: FinancialYear
    amount: Decimal
    law: str | None = None


async def make_pot(session: AsyncSession, viewer: Viewer, new: NewPot) -> Pot:
    """Open a pot with what is in it at first. Raises NotAllowed and Invalid."""
    require_signature(viewer)
    mistakes = []
    if wrong := amount_mistake("The amount", new.amount):
        mistakes.append(FieldError("amount", wrong))
    if new.kind is PotKind.POOLED and new.law is None:
        sentence = "Say under which law the money is pooled"
        mistakes.append(FieldError("law", sentence))
    if await session.get(Agency, new.agency_id) is None:
        mistakes.append(FieldError("agency_id", "Choose the agency from the list"))
    if mistakes:
        raise Invalid(tuple(mistakes))
    pot = Pot(
        name=new.name,
        kind=new.kind.value,
        law=new.law if new.kind is PotKind.POOLED else None,
        agency_id=new.agency_id,
        financial_year=new.year.name,
    )
    session.add(pot)
    try:
        await session.flush()
    except IntegrityError:
        sentence = f"There is a pot of this name and agency in {new.year.name} already"
        raise Invalid.because("name", sentence) from None
    await move(session, Move(pot.id, EntryKind.TOP_UP, new.amount, agency_id=new.agency_id))
    return await pot_of(session, pot.id)


async def pay_in(
    session: AsyncSession,
    viewer: Viewer,
    pot_id: UUID,
    version: int,
    kind: EntryKind,
    amount: Decimal,
    agency_id: UUID,
) -> None:
    """Top a pot up, or take out of it what is not promised: nobody takes out another's money.

    Raises Conflict, Invalid and NotAllowed.
    """
    require_signature(viewer)
    # Two who pay in or take out at once: the second waits, and is told that somebody else did.
    await session.execute(select(Pot.id).where(Pot.id == pot_id).with_for_update())
    pot = await pot_of(session, pot_id)
    if pot.version != version:
        raise Conflict(())
    if kind not in (EntryKind.TOP_UP, EntryKind.CUT):
        raise Invalid.because("kind", "Choose whether it is paid in or taken out")
    if pot.kind != PotKind.POOLED.value and agency_id != pot.agency_id:
        sentence = "Only a pooled pot takes other agencies’ money: choose whose pot it is"
        raise Invalid.because("agency_id", sentence)
    if kind is EntryKind.CUT:
        await _require_own_part(session, viewer, pot, amount, agency_id)
    await move(session, Move(pot_id, kind, amount, agency_id=agency_id))


async def _require_own_part(
    session: AsyncSession, viewer: Viewer, pot: Pot, amount: Decimal, agency_id: UUID
) -> None:
    """Raise where somebody would take out of a pot what another agency has in it."""
    await require_own(session, viewer, [pot.id])
    if pot.kind != PotKind.POOLED.value:
        return
    if agency_id != viewer.agency:
        raise NotAllowed(
            "This would take out what another agency paid in.",
            "Ask a budget holder of that agency to take it out.",
        )
    own = (await paid_in(session, pot.id)).get(agency_id, NOTHING)
    # More than is not promised yet is refused by the pot itself, whoever paid it in.
    if own < amount <= pot.left:
        sentence = f"Your agency has {pounds(own)} in this pool: take out no more than that"
        raise Invalid.because("amount", sentence)


async def paid_in(session: AsyncSession, pot_id: UUID) -> Mapping[UUID, Decimal]:
    """What each agency has put into a pot, less what was taken out for it."""
    rows = await session.execute(
        select(PotEntry.agency_id, PotEntry.kind, func.sum(PotEntry.amount))
        .where(
            PotEntry.pot_id == pot_id,
            PotEntry.kind.in_(_PAID_IN_OR_OUT),
        )
        .group_by(PotEntry.agency_id, PotEntry.kind)
    )
    found: dict[UUID, Decimal] = {}
    for agency, kind, amount in rows:
        if agency is None:
            continue
        signed = amount if kind == EntryKind.TOP_UP.value else -amount
        found[agency] = found.get(agency, NOTHING) + signed
    return found


async def ledger(
    session: AsyncSession, pot_id: UUID, before: UUID | None = None
) -> tuple[Sequence[PotEntry], UUID | None]:
    """A page of the ledger, newest first, and the key of the next page, where there is one."""
    asked = select(PotEntry).where(PotEntry.pot_id == pot_id).order_by(PotEntry.id.desc())
    if before is not None:
        asked = asked.where(PotEntry.id < before)
    rows = list(await session.scalars(asked.limit(PAGE + 1)))
    more = rows[PAGE - 1].id if len(rows) > PAGE else None
    return rows[:PAGE], more
