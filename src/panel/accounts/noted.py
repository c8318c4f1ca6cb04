"""What is written down of signing in: in one place, for whoever answers for the installation."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import ViewerKind
from panel.platform.audit import UNKNOWN, Actor, ActorKind, Kind, record
from panel.platform.database import NOBODY
from panel.platform.tables import VIEWER

NOT_THEM_YET = (Kind.SIGN_IN_REFUSED, Kind.FAMILY_CODE_ASKED)
"""What anybody may have done who typed an account's name."""


def note(
    session: AsyncSession,
    event: Kind,
    who: UUID | None = None,
    *,
    kind: str = ViewerKind.WORKER,
    **details: str,
) -> None:
    """Write down what happened to whose account; None where it is nobody's.

    Whoever is not signed in yet is nobody while they are refused, and themselves from then on.
    `details` are codes and counts, never a name or an address.
    """
    by: Actor | None = None
    if session.info[VIEWER] == NOBODY:
        by = UNKNOWN
        if who is not None and event not in NOT_THEM_YET:
            by = Actor(who, ActorKind(kind))
    record(session, event, by, subject=who, details=details)
