"""What counts as unusual in an authority: dated settings, with the defaults beneath."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.governance.pattern_rules import DEFAULTS, Threshold
from panel.platform.audit import Kind, record
from panel.platform.problems import FieldError, Invalid
from panel.platform.tables import NOW
from panel.platform.work_tables import Setting

PREFIX = "unusual."


async def thresholds(session: AsyncSession, at: datetime | None = None) -> dict[Threshold, int]:
    """Every threshold as it was set at a moment, now if none is said."""
    moment = at or session.info[NOW]
    rows = await session.scalars(
        select(Setting)
        .where(
            Setting.key.startswith(PREFIX, autoescape=True),
            or_(Setting.from_on.is_(None), Setting.from_on <= moment),
        )
        .order_by(Setting.from_on.nulls_first(), Setting.id)
    )
    found = dict(DEFAULTS)
    for row in rows:
        found[Threshold(row.key.removeprefix(PREFIX))] = int(row.value)
    return found


async def set_thresholds(
    session: AsyncSession, wanted: Mapping[Threshold, int], source: str
) -> None:
    """Set what differs from now on; what was set before stays, with its date.

    Raises Invalid where the working day would end before it begins.
    """
    if wanted[Threshold.DAY_ENDS] <= wanted[Threshold.DAY_BEGINS]:
        sentence = "The working day must end after it begins"
        raise Invalid((FieldError(Threshold.DAY_ENDS, sentence),))
    now = await thresholds(session)
    for name, value in wanted.items():
        if now[name] != value:
            key = PREFIX + name
            session.add(Setting(key=key, value=value, from_on=session.info[NOW], source=source))
            told = {"key": key, "from": now[name], "to": value}
            record(session, Kind.SETTING_CHANGED, details=told)
    await session.flush()
