"""What a child has already beside what is asked for: packages, their cost, who pays, what is left.

As on the package's own page: whoever may see the plan is told what its services cost and which
agency pays, which is the agencies' money; what the family was paid and holds is theirs, and stands
behind the category of money.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Viewer, ViewerKind
from panel.accounts.service import agencies
from panel.allocation import pots
from panel.allocation.interests import not_shown
from panel.allocation.money import FinancialYear, pounds
from panel.allocation.package_models import Package, PackageKind, PackageState, PotKind
from panel.allocation.packages import PackageReading, read_packages
from panel.allocation.packages_pages import KIND_WORDS, STATE_WORDS, balance_words, span
from panel.allocation.payments import Account, account_for_reading
from panel.platform.tables import today_of
from panel.records.beside import Reader
from panel.records.gate import Access, Withheld
from panel.web import words

NOT_FOR_ALL = "Not everybody who reads this may see it."
NO_PACKAGE = "None yet"

Lines = Sequence[tuple[str, str]]


async def beside_request(session: AsyncSession, child_id: UUID, reader: Reader) -> Lines:
    """What stands beside any request of a child, for one reader or for everybody at a table.

    Packages that have ended are left out.
    """
    if isinstance(reader, Access) and (left := await not_shown(reader)) is not None:
        return [("Package", str(left))]
    rows = list(
        await session.scalars(
            select(Package)
            .where(Package.child_id == child_id, Package.state != PackageState.ENDED.value)
            .order_by(Package.from_on, Package.id)
        )
    )
    shown = [row for row in rows if reader.may(Category.PLAN, row.author_agency_id)]
    found = await read_packages(session, child_id, shown)
    year = FinancialYear.of(today_of(session))
    lines = [line for one in found for line in await _lines(one, year, reader)]
    if len(shown) < len(rows) and (said := _withheld(reader, Category.PLAN)):
        lines.append(("Package", said))
    if not lines:
        lines.append(("Package", NO_PACKAGE))
    if isinstance(reader, Access):
        lines += await _left(session, reader.viewer, found, year)
    return lines


async def _lines(one: PackageReading, year: FinancialYear, reader: Reader) -> Lines:
    state = words.lower_first(STATE_WORDS[one.state][0])
    what = f"{one.name}: {words.lower_first(KIND_WORDS[one.kind])}, {state}"
    told = [("Package", f"{what}, {span(one.from_on, one.until_on)}")]
    cost = one.cost(year)
    told.append((f"Costs in {year.name}", pounds(cost.total)))
    by_id = {share.id: share for share in one.shares}
    payers = [
        f"{by_id[share].agency} {pounds(amount)}"
        + ("" if (pot := by_id[share].pot) is None else f" out of {pot.name}")
        for share, amount in cost.shares.items()
    ]
    told.append(("Who pays", "; ".join(payers) or "Nobody has said yet"))
    if one.kind is not PackageKind.IN_KIND:
        account: Account | Withheld | str = NOT_FOR_ALL
        if isinstance(reader, Access):
            account = await account_for_reading(reader, one.id, one.author_agency_id)
        said = balance_words(account, one.today) if isinstance(account, Account) else str(account)
        told += [("Account", said)] if said else []
    return told


def _withheld(reader: Reader, category: Category) -> str:
    """Why it is not shown; nothing where even that is kept."""
    if not isinstance(reader, Access):
        return NOT_FOR_ALL
    found = reader.withheld(category)
    return NOT_FOR_ALL if found is None else str(found)


async def _left(
    session: AsyncSession, viewer: Viewer, found: Sequence[PackageReading], year: FinancialYear
) -> Lines:
    """What is left this year in pots that the reader may see.

    An agency's pack has its own and the pooled; whoever sits on the panel has those and what pays
    for the child already.
    """
    if viewer.kind is not ViewerKind.AGENCY and not viewer.roles & pots.MAY_READ:
        return ()
    paying = {share.pot.id for one in found for share in one.shares if share.pot is not None}
    names = {one.id: one.name for one in await agencies(session)}
    told = [
        f"{pot.name} ({names.get(pot.agency_id, '')}) {pounds(pot.left)}"
        for pot in await pots.pots(session, year)
        if pot.id in paying or pot.agency_id == viewer.agency or pot.kind == PotKind.POOLED.value
    ]
    return [(f"Left in pots in {year.name}", "; ".join(told) or "There is no pot yet")]
