"""Whether anything was written since something was read: one probe, instead of reading it again.

The database notes every transaction that writes facts (`fact_change`, by triggers). What was read
under a snapshot is still so unless a transaction is noted that the snapshot did not see and that is
committed now. That is exact whatever the order of commits; adr/0009 says why and what it costs.
"""

from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.clock import day_of
from panel.platform.read_models import for_driver, rows_of
from panel.platform.remembered import Remembered
from panel.platform.tables import NOW, VIEWER
from panel.platform.tenancy import TENANT

Read = TypeVar("Read")

KEPT_FOR = timedelta(minutes=10)
"""What was read is read again after this long, whatever was noted."""

_PROBE = for_driver("""
SELECT CASE WHEN pg_current_xact_id_if_assigned() IS NULL THEN pg_current_snapshot()::text END,
  EXISTS (SELECT 1 FROM fact_change
  WHERE transaction >= pg_snapshot_xmin(:since::pg_snapshot)::text::bigint
    AND NOT pg_visible_in_snapshot(transaction::text::xid8, :since::pg_snapshot))
""")


async def _probe(session: AsyncSession, since: str | None) -> tuple[str | None, bool]:
    """The snapshot to read under, taken before reading; and whether facts changed since another.

    It is None in a transaction that wrote: what it reads may yet be rolled back.
    """
    rows = await rows_of(session, _PROBE, {"since": since})
    snapshot, changed = rows[0]
    return snapshot, changed


class Readings(Generic[Read]):
    """What viewers read lately, each taken again while nothing was written since, and one day."""

    def __init__(self, most: int) -> None:
        """Args: `most`, how many are kept at once in this process."""
        self._kept: Remembered[tuple[str, Read]] = Remembered(most)

    async def get(self, session: AsyncSession, what: Hashable) -> tuple[str | None, Read | None]:
        """The snapshot of now, and what the session's viewer read of it if that is still so."""
        kept = self._kept.get(_whose(session, what), session.info[NOW])
        snapshot, changed = await _probe(session, None if kept is None else kept[0])
        return snapshot, None if kept is None or changed else kept[1]

    def keep(
        self,
        session: AsyncSession,
        what: Hashable,
        snapshot: str | None,
        read: Read,
        until: datetime | None = None,
    ) -> Read:
        """Keep what was read after that snapshot was taken, and give it back.

        `until` is when it is so no more though nobody writes, where that may be before long.
        The transaction writes nothing between the two. Nothing is kept for one that wrote before:
        were it rolled back, nobody would note it.
        """
        if snapshot is None:
            return read
        now: datetime = session.info[NOW]
        good = now + KEPT_FOR if until is None else min(now + KEPT_FOR, until)
        self._kept.keep(_whose(session, what), (snapshot, read), now, good)
        return read


def _whose(session: AsyncSession, what: Hashable) -> Hashable:
    info = session.info
    return info[TENANT], info[VIEWER], day_of(info[NOW]), what


async def forget_changes(session: AsyncSession) -> None:
    """Drop the notes that nobody can ask about any more: a day is far longer than KEPT_FOR.

    A note that is missing would show what is old, so the database's own function takes them out.
    """
    await session.execute(text("SELECT forget_changes()"))
