"""What is written down of how workers come, change and go: in one place.

Whoever answers for the installation must be able to prove each of these, so that every change goes
through `note_people`, in the transaction that makes it.
"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.audit import Actor, ActorKind, Kind, record
from panel.platform.tables import VIEWER


def note_people(session: AsyncSession, event: Kind, by: UUID, about: UUID, **details: str) -> None:
    """Write down who did what about whose account. `details` are ids, codes and dates, no names.

    The session is that of the change, so that both are kept or neither is; some changes reach
    children whom nobody but scheduled work reaches together, and are in a worker's name still.
    """
    actor = None if by == session.info[VIEWER] else Actor(by, ActorKind.WORKER)
    record(session, event, actor, subject=about, details=details)
