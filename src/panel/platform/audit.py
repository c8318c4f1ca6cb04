"""What happened that is no look at a child's record: sign-ins, roles, settings, commands, keys.

A look is an `access_event`, which the record gate writes. Everything else that somebody who answers
for the installation must be able to prove is an `audit_event`. A room calls `record` in the
transaction that does the thing, so that both are kept or neither is; it is one INSERT more and
waits for no lock. Events are only ever added to, and `panel.platform.sealing` seals both kinds.

To write down something new: add a `Kind` (a room or thing, a dot, what became of it, in the past
tense), and call

    record(session, Kind.OVERRIDE_MADE, by_viewer(viewer), subject=child_id,
           details={"until": "2026-12-03"}, words="Her reason, in words", holder=child_id)

`details` stand in the clear: ids, codes, counts and dates, never a name or what somebody wrote.
What names a person goes into `words`, sealed with the key of its `holder`; when that key is
destroyed the words are gone and the proof stays whole, since the ciphertext is what is sealed.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, Uuid, bindparam, column, select, table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.database import NOBODY, SCHEDULED
from panel.platform.ids import new_id
from panel.platform.tables import NOW, VIEWER, Identified, Sealed, numbered, one_of


class Kind(StrEnum):
    """What happened. The database takes any of this form, so a new one needs no migration."""

    SIGNED_IN = "session.started"
    SIGN_IN_REFUSED = "session.refused"
    SIGNED_OUT = "session.ended"
    LINK_MADE = "sign_in_link.made"
    SHOWN_AGAIN = "session.proved"
    TWO_STEPS_SET = "two_steps.set"
    TWO_STEPS_REMOVED = "two_steps.removed"
    PASSKEY_ADDED = "passkey.added"
    PASSKEY_REMOVED = "passkey.removed"
    RECOVERY_CODES_MADE = "recovery_codes.made"
    RECOVERY_CODE_USED = "recovery_code.used"
    STARTED_ANEW = "sign_in.started_anew"
    IDENTITY_LINKED = "identity.linked"
    IDENTITY_UNLINKED = "identity.unlinked"
    PROVIDER_SET = "sign_in_provider.set"
    PROVIDER_REMOVED = "sign_in_provider.removed"
    FAMILY_INVITED = "family_access.invited"
    FAMILY_WITHDRAWN = "family_access.withdrawn"
    FAMILY_CONTACT_CHANGED = "family_access.contact_changed"
    FAMILY_CONTACT_CONFIRMED = "family_access.contact_confirmed"
    FAMILY_CODE_ASKED = "family_access.code_asked"
    ROLE_GIVEN = "role.given"
    ROLE_ENDED = "role.ended"
    WORKER_ADDED = "worker.added"
    WORKER_LEAVES = "worker.leaving"
    WORKER_STAYS = "worker.staying"
    WORKER_LEFT = "worker.left"
    INVITED = "invitation.sent"
    INVITATION_WITHDRAWN = "invitation.withdrawn"
    ADDRESS_CORRECTED = "invitation.address_corrected"
    PROPOSED = "role_proposal.made"
    PROPOSAL_REFUSED = "role_proposal.refused"
    AGENCY_ADDED = "agency.added"
    AGENCY_RENAMED = "agency.renamed"
    AGENCY_CLOSED = "agency.closed"
    SETTING_CHANGED = "setting.changed"
    DOCUMENT_APPROVED = "governance_document.approved"
    PATTERN_CLOSED = "unusual_pattern.closed"
    OVERRIDE_MADE = "override.made"
    OVERRIDE_REVIEWED = "override.reviewed"
    COMMAND_RUN = "command.run"
    KEY_DESTROYED = "key.destroyed"
    DISPOSAL_APPROVED = "disposal_list.approved"
    RECORD_DISPOSED = "record.disposed"
    HOLD_SET = "legal_hold.set"
    HOLD_RELEASED = "legal_hold.released"
    SERVICE_CHANGED = "service.changed"
    SERVICES_IMPORTED = "service.imported"
    PROVIDER_LINK_SENT = "provider_link.sent"
    CLIENT_REGISTERED = "exchange_client.registered"
    CLIENT_CHANGED = "exchange_client.changed"
    CLIENT_ENDED = "exchange_client.ended"
    CLIENT_LET_IN = "exchange_client.let_in"
    CLIENT_REFUSED = "exchange_client.refused"
    SUBSCRIPTION_MADE = "subscription.made"
    SUBSCRIPTION_CHANGED = "subscription.changed"
    SUBSCRIPTION_ENDED = "subscription.ended"
    DELIVERY_DEAD = "delivery.given_up_by_itself"
    DELIVERY_TRIED_AGAIN = "delivery.tried_again"
    DELIVERY_GIVEN_UP = "delivery.given_up"
    EXPORT_ASKED = "export.asked"
    EXPORT_CANCELLED = "export.cancelled"
    PULL_ADDED = "pull_source.added"
    PULL_PAUSED = "pull_source.paused"
    PULL_WENT_ON = "pull_source.went_on"
    PULL_REMOVED = "pull_source.removed"
    BULK_ORDERED = "bulk_work.ordered"
    BULK_UNDONE = "bulk_work.taken_back"
    CALENDAR_MADE = "calendar_feed.made"
    CALENDAR_REVOKED = "calendar_feed.revoked"
    ELSEWHERE_LINKED = "elsewhere.linked"
    ELSEWHERE_ENDED = "elsewhere.ended"
    SWITCHED_AWAY = "session.led_elsewhere"
    SWITCHED_HERE = "session.came_from_elsewhere"
    RECEIVED_DELETED = "received.deleted"
    TOKENS_REVOKED = "exchange_client.tokens_revoked"


class ActorKind(StrEnum):
    """Whose doing it was."""

    WORKER = "worker"
    FAMILY = "family"
    GUEST = "guest"
    CLIENT = "client"
    JOB = "job"
    OPERATOR = "operator"
    NOBODY = "nobody"


class Actor(NamedTuple):
    """Who did it."""

    id: UUID
    kind: ActorKind
    agency: UUID | None = None


OPERATOR = Actor(NOBODY, ActorKind.OPERATOR)
"""Somebody at the command line; the details of `command.run` say which account."""
UNKNOWN = Actor(NOBODY, ActorKind.NOBODY)
"""Somebody who is not signed in."""


class SomebodyAtWork(Protocol):
    """What is asked of a viewer (`consent.Viewer`)."""

    @property
    def id(self) -> UUID:
        """Who."""
        ...

    @property
    def kind(self) -> str:
        """What they are: a worker, a family member, a guest …"""
        ...

    @property
    def agency(self) -> UUID | None:
        """Of which agency."""
        ...


def by_viewer(viewer: SomebodyAtWork) -> Actor:
    """Somebody who is signed in."""
    return Actor(viewer.id, ActorKind(viewer.kind), viewer.agency)


class AuditEvent(Identified):
    """Something that happened, by whom and about whom. Only ever added to."""

    __tablename__ = "audit_event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[UUID]
    actor_kind: Mapped[str] = mapped_column(Text)
    agency_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID | None]
    """Whom or what it was about: a child, a worker, a document, a key."""
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    holder_id: Mapped[UUID | None]
    words = Sealed(holder="holder_id")
    transaction: Mapped[int | None] = numbered()

    __table_args__ = (
        one_of("actor_kind", ActorKind),
        CheckConstraint("kind ~ '^[a-z]+(_[a-z]+)*([.][a-z]+(_[a-z]+)*)+$'", name="kind"),
        Index("ix_audit_event_at", "at", "id"),
        Index("ix_audit_event_transaction", "transaction"),
        Index(
            "ix_audit_event_key_destroyed",
            "subject_id",
            postgresql_where="kind = 'key.destroyed'",
        ),
    )
    # Whoever acts may add an event and may read none, so nothing is asked back.
    __mapper_args__ = MappingProxyType({"eager_defaults": False})


_AGENCY_OF = (
    select(column("agency_id", Uuid))
    .select_from(table("worker"))
    .where(column("id", Uuid) == bindparam("worker", type_=Uuid))
)
"""Asked as the event is written: whoever calls knows the worker and not always their agency."""


def _whom_it_is_for(viewer: UUID) -> Actor:
    if viewer == NOBODY:
        return OPERATOR
    return Actor(viewer, ActorKind.JOB if viewer == SCHEDULED else ActorKind.WORKER)


def record(
    session: AsyncSession,
    kind: Kind,
    actor: Actor | None = None,
    *,
    subject: UUID | None = None,
    details: Mapping[str, object] | None = None,
    words: str = "",
    holder: UUID | None = None,
) -> None:
    """Write down what happened, in the transaction that does it; sent with its next flush.

    Without an `actor` it is whom the transaction is for: a worker, scheduled work, or, where nobody
    is signed in, somebody at the command line. Give anybody else: the database takes an event in
    another's name from scheduled work and where nobody is signed in, and from no one who is.
    `words` need the `holder` whose key seals them.
    """
    if words and holder is None:
        raise ValueError("Words that name a person are sealed with somebody's key: say whose.")
    by = actor or _whom_it_is_for(session.info[VIEWER])
    event = AuditEvent(
        id=new_id(),
        at=session.info[NOW],
        actor_id=by.id,
        actor_kind=by.kind.value,
        agency_id=by.agency,
        kind=kind.value,
        subject_id=subject,
        details=dict(details or {}),
        holder_id=holder,
    )
    if by.agency is None and by.kind is ActorKind.WORKER:
        event.agency_id = _AGENCY_OF.params(worker=by.id).scalar_subquery()
    if words:
        event.words = words
    session.add(event)
