"""A meeting for who runs its panel: what the pages of the agenda and of the meeting share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role
from panel.accounts.desk import Desk
from panel.panels.calendar import meeting_on, panel_by_key
from panel.panels.models import Meeting, Panel
from panel.platform.problems import NotAllowed, NotFound


@dataclass(frozen=True, slots=True)
class Run:
    """A meeting, in the transaction of who runs its panel."""

    session: AsyncSession
    panel: Panel
    meeting: Meeting


async def panel_run_by(desk: Desk, session: AsyncSession, key: str) -> Panel:
    """A panel that this person coordinates or chairs.

    Raises NotFound for who neither sits on it nor keeps its calendar, NotAllowed for who does.
    """
    panel = await panel_by_key(session, key)
    who = desk.signed_in
    if panel.id in who.may_coordinate:
        return panel
    if panel.id in who.panels or Role.ADMINISTRATOR in desk.viewer.roles:
        raise NotAllowed("Only the coordinator or the chair of this panel can do this.")
    raise NotFound


async def panel_set_by(desk: Desk, session: AsyncSession, key: str) -> Panel:
    """A panel whose settings this person may change: who runs it, or an administrator.

    Raises NotFound for who does not sit on it, NotAllowed for who does.
    """
    if Role.ADMINISTRATOR in desk.viewer.roles:
        return await panel_by_key(session, key)
    return await panel_run_by(desk, session, key)


@asynccontextmanager
async def running(desk: Desk, key: str, day: date) -> AsyncIterator[Run]:
    """The meeting of that day, in one transaction. Raises NotAllowed, NotFound."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_run_by(desk, session, key)
        yield Run(session, panel, await meeting_on(session, panel, day))
