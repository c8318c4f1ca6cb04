"""What an authority sets about packages: limits of short breaks, and of inclusion grants."""

from dataclasses import fields
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.allocation.money import amount_mistake
from panel.allocation.short_breaks import ENGLAND, Limits
from panel.platform.audit import Kind, record
from panel.platform.problems import Conflict, Invalid
from panel.platform.tables import NOW
from panel.platform.work_tables import Setting

PREFIX = "packages."
GRANT_LIMIT = f"{PREFIX}grant_limit"
FIRST_GRANT_LIMIT = Decimal("250.00")
"""Up to here a budget holder approves an inclusion grant without the panel."""

Value = int | bool | str


async def limits(session: AsyncSession, at: datetime | None = None) -> Limits:
    """The limits of short breaks as they are set; England's where nothing is."""
    found = await _values(session, at)
    chosen = {
        one.name: found.get(PREFIX + one.name, getattr(ENGLAND, one.name)) for one in fields(Limits)
    }
    return Limits(**chosen)


async def grant_limit(session: AsyncSession, at: datetime | None = None) -> Decimal:
    """Up to which amount an inclusion grant is approved without the panel."""
    found = await _values(session, at)
    return Decimal(str(found.get(GRANT_LIMIT, FIRST_GRANT_LIMIT)))


async def version_of_settings(session: AsyncSession) -> int:
    """How often anything of it was set: what was read is what is changed."""
    asked = select(func.count()).where(Setting.key.startswith(PREFIX, autoescape=True))
    return (await session.scalar(asked)) or 0


async def set_packages(session: AsyncSession, key: str, value: Value, source: str) -> None:
    """Set one of them from now on; what was set before stays, with its date."""
    session.add(Setting(key=key, value=value, from_on=session.info[NOW], source=source))
    record(session, Kind.SETTING_CHANGED, details={"key": key, "to": value})
    await session.flush()


async def set_limits(
    session: AsyncSession, version: int, wanted: Limits, grants: Decimal, source: str
) -> None:
    """Set what differs from now on. Raises Conflict where somebody set something since."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('packages.settings'))"))
    if await version_of_settings(session) != version:
        raise Conflict(())
    if wrong := amount_mistake("The limit of a grant", grants, may_be_nothing=True):
        raise Invalid.because("grant_limit", wrong)
    now = await limits(session)
    for one in fields(Limits):
        value = getattr(wanted, one.name)
        if value != getattr(now, one.name):
            await set_packages(session, PREFIX + one.name, value, source)
    if grants != await grant_limit(session):
        await set_packages(session, GRANT_LIMIT, str(grants), source)


async def _values(session: AsyncSession, at: datetime | None) -> dict[str, Value]:
    moment = at or session.info[NOW]
    rows = await session.scalars(
        select(Setting)
        .where(
            Setting.key.startswith(PREFIX, autoescape=True),
            or_(Setting.from_on.is_(None), Setting.from_on <= moment),
        )
        .order_by(Setting.from_on.nulls_first(), Setting.id)
    )
    return {row.key: row.value for row in rows}
