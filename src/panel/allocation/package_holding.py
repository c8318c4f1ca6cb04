"""A package is held while somebody changes it.

Every write carries the version of the package that was read: two who change one package at once do
not overwrite each other, and an approval of what has changed since is refused.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm.attributes import flag_modified

from consent import Category
from panel.allocation import pots
from panel.allocation.before_panel import keep_tied
from panel.allocation.interests import require_stayed
from panel.allocation.package_models import (
    Package,
    PackageState,
    ServiceLine,
)
from panel.allocation.package_reading import may_prepare
from panel.platform.problems import Conflict, FieldError, Invalid, NotAllowed, NotFound
from panel.records.gate import Access


def refuse(mistakes: Sequence[FieldError]) -> None:
    """Raise Invalid where there are mistakes."""
    if mistakes:
        raise Invalid(tuple(mistakes))


async def keep_request_tied(access: Access, row: Package) -> None:
    """Who sits on the panel reads on while a package that answers a request stands."""
    await access.session.flush()
    if row.request_id is not None:
        await keep_tied(access.session, row.request_id)


async def hold(access: Access, package_id: UUID, version: int) -> Package:
    """The package as somebody changes it, locked. Raises Conflict where it changed since.

    Raises NotFound, and NotAllowed for who may not change it. A package that is paid for is
    changed by a budget holder alone.
    """
    row = await locked(access, package_id, version)
    if row.state != PackageState.PLANNED.value:
        pots.require_signature(access.viewer)
    # What stands in it changes: so does its version, and with that no signature counts any more.
    flag_modified(row, "shared_by")
    return row


async def locked(access: Access, package_id: UUID, version: int) -> Package:
    """The package as somebody read it, locked. Raises as `hold`."""
    await require_part(access)
    row = await access.session.scalar(
        select(Package)
        .where(Package.id == package_id, Package.child_id == access.child_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or not access.may(Category.PLAN, row.author_agency_id):
        raise NotFound("This is not on this child’s record.", "Go back to the packages.")
    if row.version != version:
        raise Conflict(())
    return row


async def open_for_change(access: Access, package_id: UUID, version: int) -> Package:
    """The package that somebody is about to change, as `hold`. Raises Invalid once it has ended."""
    row = await hold(access, package_id, version)
    require_not_ended(row)
    return row


def require_not_ended(row: Package) -> None:
    """Raise Invalid for a package in which nothing changes any more."""
    if row.state == PackageState.ENDED.value:
        raise Invalid.because("", "This package has ended: nothing in it changes any more")


async def require_part(access: Access) -> None:
    """Raise NotAllowed for who plans nothing for this child, and who left the child to others."""
    if not may_prepare(access):
        access.require_write()
        raise NotAllowed("You can read this package and cannot change it.")
    await require_stayed(access)


async def line_of(access: Access, row: Package, line_id: UUID) -> ServiceLine:
    """A service of a package. Raises Invalid for any other."""
    line = await access.session.get(ServiceLine, line_id)
    if line is None or line.package_id != row.id:
        raise Invalid.because("line_id", "Choose the service from the list")
    return line
