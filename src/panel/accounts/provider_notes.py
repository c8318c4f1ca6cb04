"""What is written down of signing in with a provider: in one place."""

from enum import StrEnum
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.tables import VIEWER

log = structlog.get_logger()


class Happened(StrEnum):
    """What happened."""

    SIGNED_IN = "session.started"
    REFUSED = "session.refused"
    SHOWN_AGAIN = "session.proved"
    ENDED_THERE = "session.ended"
    LINKED = "identity.linked"
    UNLINKED = "identity.unlinked"
    PROVIDER_SET = "sign_in_provider.set"
    PROVIDER_REMOVED = "sign_in_provider.removed"


def note(
    session: AsyncSession,
    happened: Happened,
    provider_id: UUID,
    worker_id: UUID | None = None,
    **details: str,
) -> None:
    """Write down what happened at which provider, and to whose account; None where nobody's.

    `details` are ids, codes and counts, never a name, an address or what a provider calls somebody.
    """
    log.info(
        "sign-in",
        event_kind=happened.value,
        by=str(session.info[VIEWER]),
        about=str(worker_id or ""),
        provider=str(provider_id),
        **details,
    )
