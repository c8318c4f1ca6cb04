"""What is written down of signing in: in one place, for whoever answers for the installation."""

from enum import StrEnum
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.tables import VIEWER

log = structlog.get_logger()


class Event(StrEnum):
    """What happened."""

    SIGNED_IN = "session.started"
    REFUSED = "session.refused"
    SIGNED_OUT = "session.ended"
    SHOWN_AGAIN = "session.proved"
    TWO_STEPS_SET = "two_steps.set"
    TWO_STEPS_REMOVED = "two_steps.removed"
    PASSKEY_ADDED = "passkey.added"
    PASSKEY_REMOVED = "passkey.removed"
    RECOVERY_CODES_MADE = "recovery_codes.made"
    RECOVERY_CODE_USED = "recovery_code.used"
    STARTED_ANEW = "sign_in.started_anew"
    FAMILY_INVITED = "family_access.invited"
    FAMILY_WITHDRAWN = "family_access.withdrawn"
    FAMILY_CONTACT_CHANGED = "family_access.contact_changed"
    FAMILY_CONTACT_CONFIRMED = "family_access.contact_confirmed"
    FAMILY_CODE_ASKED = "family_access.code_asked"


def note(
    session: AsyncSession, event: Event, worker_id: UUID | None = None, **details: str
) -> None:
    """Write down what happened to whose account; None where it is nobody's.

    `details` are ids, codes and counts, never a name or an address.
    """
    by = str(session.info[VIEWER])
    log.info("sign-in", event_kind=event.value, by=by, about=str(worker_id or ""), **details)
