"""What is written down of how workers come, change and go: in one place.

Whoever answers for the installation must be able to prove each of these, so that every change goes
through `note_people`, in the transaction that makes it.
"""

from enum import StrEnum
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

log = structlog.get_logger()


class Event(StrEnum):
    """What happened."""

    WORKER_ADDED = "worker.added"
    WORKER_LEAVES = "worker.leaving"
    WORKER_STAYS = "worker.staying"
    WORKER_LEFT = "worker.left"
    INVITED = "invitation.sent"
    INVITATION_WITHDRAWN = "invitation.withdrawn"
    ROLE_GIVEN = "role.given"
    ROLE_ENDED = "role.ended"
    PROPOSED = "role_proposal.made"
    PROPOSAL_REFUSED = "role_proposal.refused"
    AGENCY_ADDED = "agency.added"
    AGENCY_RENAMED = "agency.renamed"
    AGENCY_CLOSED = "agency.closed"


def note_people(
    _session: AsyncSession, event: Event, by: UUID, about: UUID, **details: str
) -> None:
    """Write down who did what about whose account. `details` are ids, codes and dates, no names.

    The session is that of the change, so that both are kept or neither is.
    """
    log.info("people", event_kind=event.value, by=str(by), about=str(about), **details)
