"""How much one system may have lying here that is about no child yet: more is turned away.

Else a system that sends what nobody can find a child for would fill the database.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.figures import figures
from panel.accounts.inbox_figures import MOST_MEGABYTES, MOST_WAITING

MEGABYTE = 10**6
NO_ROOM = (
    "As much of what you sent waits for somebody here as may wait. Nothing of this was kept. Send"
    " it again when somebody has looked at the rest."
)

LIES = (
    "SELECT count(*) FILTER (WHERE state <> 'refused') AS waiting,"
    " coalesce(sum(bytes_long), 0) AS held FROM received"
    " WHERE client_id = :client AND state IN ('new', 'to_match', 'quarantined', 'refused')"
)
"""How many of a client's wait, and how many bytes lie here."""


class NoRoom(Exception):
    """A system has as much waiting here as may wait: nothing is kept."""

    def __init__(self) -> None:
        super().__init__(NO_ROOM)


async def require_room(session: AsyncSession, waiting: int, held: int) -> None:
    """Go on only if so much of a client's may lie here, with what was just put there.

    Raises NoRoom; nothing of the transaction may be kept then.
    """
    if waiting <= MOST_WAITING.least and held <= MOST_MEGABYTES.least * MEGABYTE:
        # As much as it may have at least, whatever is set.
        return
    most, most_bytes = await _most(session)
    if waiting > most or held > most_bytes:
        raise NoRoom


async def _most(session: AsyncSession) -> tuple[int, int]:
    """How many may wait of one system, and how many bytes."""
    said = await figures(session, (MOST_WAITING, MOST_MEGABYTES))
    return said[MOST_WAITING.key], said[MOST_MEGABYTES.key] * MEGABYTE


class Filled(NamedTuple):
    """A system that can send no more, as whoever may make room reads it."""

    agency: str
    waiting: int
    megabytes: int


async def filled(session: AsyncSession) -> Sequence[Filled]:
    """The systems that are about to be turned away, or are: nine tenths of what may wait."""
    most, most_bytes = await _most(session)
    rows = await session.execute(_FILLED, {"most": most, "bytes": most_bytes})
    return [Filled(row.name, row.waiting, row.held // MEGABYTE) for row in rows]


_FILLED = text(
    "SELECT a.name, count(*) FILTER (WHERE r.state <> 'refused') AS waiting,"
    " sum(r.bytes_long) AS held"
    " FROM received r JOIN agency a ON a.id = r.agency_id"
    " WHERE r.state IN ('new', 'to_match', 'quarantined', 'refused')"
    " GROUP BY r.client_id, a.id, a.name"
    " HAVING count(*) FILTER (WHERE r.state <> 'refused') * 10 >= 9 * CAST(:most AS bigint)"
    " OR sum(r.bytes_long) * 10 >= 9 * CAST(:bytes AS bigint) ORDER BY a.name, r.client_id"
)
