"""What came and is about no child here is deleted once its time is over: by scheduled work.

What is with a child is never touched: it goes when the child's record does. The fence of the
database says the same (0038), whoever deletes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.figures import figures
from panel.accounts.inbox_figures import KEPT_DAYS
from panel.exchange.inbox_models import Received, ReceivedPiece
from panel.exchange.inbox_opening import around, opened_again
from panel.exchange.inbox_receiving import keep_for
from panel.platform.audit import Kind, record
from panel.platform.tables import NOW

MOST = 500
"""What one run deletes: what is left is the next run's."""
FORGOTTEN = "A part that was about no child here was deleted when its time was over."

# With a piece that is a child's it is the child's, as far as that piece goes.
_OF_NOBODY = text(
    "SELECT r.id, r.client_id, r.bytes_long FROM received r"
    " WHERE r.changed_at < :before AND r.holder_id = r.agency_id AND r.state <> 'new'"
    " AND NOT EXISTS (SELECT FROM received_piece p"
    " WHERE p.received_id = r.id AND p.child_id IS NOT NULL)"
    " ORDER BY r.changed_at, r.id LIMIT :most FOR UPDATE SKIP LOCKED"
)
_IN_PART = text(
    "SELECT r.id, r.client_id, r.bytes_long FROM received r"
    " WHERE r.changed_at < :before AND r.holder_id = r.agency_id AND r.state <> 'new'"
    " AND EXISTS (SELECT FROM received_piece p"
    " WHERE p.received_id = r.id AND p.child_id IS NULL)"
    " AND EXISTS (SELECT FROM received_piece p"
    " WHERE p.received_id = r.id AND p.child_id IS NOT NULL)"
    " ORDER BY r.changed_at, r.id LIMIT :most FOR UPDATE SKIP LOCKED"
)


async def forget_received(session: AsyncSession, _slot: datetime) -> None:
    """Delete what was received and is about no child here, as long after its last change as is set.

    Of what is about a child in part, that part stays. One audit event for each system.
    """
    days = (await figures(session, (KEPT_DAYS,)))[KEPT_DAYS.key]
    given = {"before": session.info[NOW] - timedelta(days=days), "most": MOST}
    whole = (await session.execute(_OF_NOBODY, given)).all()
    ids = [one.id for one in whole]
    await session.execute(
        delete(ReceivedPiece).where(
            ReceivedPiece.received_id.in_(ids), ReceivedPiece.child_id.is_(None)
        )
    )
    await session.execute(delete(Received).where(Received.id.in_(ids)))
    parts = (await session.execute(_IN_PART, given)).all()
    for one in parts:
        await _forget_part(session, one.id)
    _write_down(session, whole, parts, days)
    await session.flush()


async def _forget_part(session: AsyncSession, received_id: UUID) -> None:
    row = await session.get_one(Received, received_id)
    opened_ = await opened_again(session, row)
    await keep_for(session, row, row.agency_id, around(opened_))
    await session.execute(
        delete(ReceivedPiece).where(
            ReceivedPiece.received_id == received_id, ReceivedPiece.child_id.is_(None)
        )
    )
    row.state, row.reason, row.path = "done", FORGOTTEN, None


def _write_down(
    session: AsyncSession,
    whole: Sequence[Row[tuple[UUID, UUID, int]]],
    parts: Sequence[Row[tuple[UUID, UUID, int]]],
    days: int,
) -> None:
    for client_id in sorted({one.client_id for one in (*whole, *parts)}):
        mine = [one for one in whole if one.client_id == client_id]
        told = {
            "deleted": len(mine),
            "bytes": sum(one.bytes_long for one in mine),
            "in_part": sum(one.client_id == client_id for one in parts),
            "kept_days": days,
        }
        record(session, Kind.RECEIVED_DELETED, subject=client_id, details=told)
