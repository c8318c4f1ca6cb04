"""A package that answers a request: started from what was agreed, and what it meets of the need.

A request counts its units without saying how often, so a package is measured by what it gives in
its first twelve months.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from sqlalchemy import select

from consent import Category
from panel.allocation.costing import units_between
from panel.allocation.decision_service import standing_decision
from panel.allocation.interests import not_shown
from panel.allocation.models import ServiceRequest, UnmetNeed
from panel.allocation.package_models import Package, PackageState
from panel.allocation.packages import (
    DAY,
    PackageReading,
    PackageWords,
    read_packages,
    start_package,
)
from panel.allocation.request_service import request_of
from panel.allocation.rules import AGREES, units_words
from panel.platform.problems import NotAllowed, NotFound, Problem
from panel.records.dates import months_after
from panel.records.gate import Access
from panel.web.words import in_a_row

NEARLY = Decimal("0.99")
"""Of what is needed: a day of a leap year is a smaller part of its year."""


async def require_agreed(access: Access, request_id: UUID) -> ServiceRequest:
    """A request of which something is agreed. Raises Problem where nothing is, NotFound."""
    request = await request_of(access, request_id)
    decision = await standing_decision(access.session, request.id)
    if decision is None or decision.kind not in AGREES:
        raise Problem(
            409,
            "Nothing of this request is agreed",
            "A package starts from a request of which the panel agreed all or a part.",
            "Read what the panel decided, or plan a package that answers no request.",
        )
    return request


async def start_from(access: Access, words: PackageWords, request_id: UUID | None) -> Package:
    """A planned package, which answers a request where one is named."""
    if request_id is not None:
        await require_agreed(access, request_id)
    return await start_package(access, words, request_id)


async def answered_by(access: Access, package: PackageReading) -> ServiceRequest | None:
    """The request that a package answers, where the viewer may know of it."""
    if package.request_id is None:
        return None
    try:
        return await request_of(access, package.request_id)
    except (NotAllowed, NotFound):
        return None


async def packages_for(access: Access, request_id: UUID) -> Sequence[PackageReading]:
    """The packages that answer a request, as far as the viewer may see them."""
    if await not_shown(access) is not None:
        return ()
    rows = await access.session.scalars(
        select(Package).where(Package.request_id == request_id).order_by(Package.from_on)
    )
    shown = [row for row in rows if access.may(Category.PLAN, row.author_agency_id)]
    return await read_packages(access.session, access.child_id, shown)


def given_by(package: PackageReading, unit: str) -> Decimal:
    """How many of a unit a package gives in its first twelve months."""
    last = months_after(package.from_on, 12) - DAY
    given = sum(
        (
            units_between(one.line, package.from_on, last)
            for one in package.lines
            if one.unit == unit
        ),
        Fraction(0),
    )
    return Decimal(round(given * 10)) / 10


def met_by(need: UnmetNeed, packages: Sequence[PackageReading]) -> str:
    """How approved packages give all that is needed, in a sentence; "" while they do not.

    It is said to whoever may close the need, as the reason that they may write in other words.
    """
    active = [one for one in packages if one.state is PackageState.ACTIVE]
    given = sum((given_by(one, need.unit) for one in active), Decimal(0))
    if need.until_on is not None or not active or given < NEARLY * need.units_needed:
        return ""
    names = in_a_row(f"“{one.name}”" for one in active)
    gives = "gives" if len(active) == 1 else "give"
    return (
        f"{names} {gives} {units_words(given, need.unit)} in the first twelve months, and"
        f" {units_words(need.units_needed, need.unit)} were needed."
    )
