"""The outbox: what is to be sent is written with the decision to send it, and sent afterwards.

A message is taken under a row lock (`SKIP LOCKED`), handed over, and marked in the same
transaction: a sender that dies in between sends it again, with the same message id, by which the
receiving side drops the second.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from email.errors import MessageError
from email.message import EmailMessage
from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.tables import NOW
from panel.platform.tenancy import load_keys
from panel.platform.work_tables import OutboxMessage

TRIES = 8
NO_SUCH = "This is not one e-mail address. Put it right, or send a letter."
BY_POST = "letter"
"""The kind of a message that goes on paper: no mail server is asked to take it."""


class NotSent(Exception):
    """The way out did not take a message, in a sentence without the message's content."""


class Bounced(NotSent):
    """It will not be taken however often it is tried: there is no such address."""


class Way(Protocol):
    """A way out: e-mail, a letter service, the demonstration's mailbox."""

    async def send(self, message: EmailMessage) -> None:
        """Hand a message over. Raises NotSent."""
        ...


MayGo = Callable[[AsyncSession, OutboxMessage], Awaitable[str]]
"""Asked of each message as it goes: why it may not any more, "" where it may. It may change it."""


Waits = Callable[[AsyncSession, OutboxMessage], Awaitable[datetime | None]]
"""Asked of each message as it goes: until when it waits, None where it goes now."""


async def _whatever(_session: AsyncSession, _message: OutboxMessage) -> str:
    return ""


async def _now(_session: AsyncSession, _message: OutboxMessage) -> None:
    return None


async def put(
    session: AsyncSession,
    *,
    kind: str,
    holder_id: UUID,
    to_viewer_id: UUID | None,
    address: str,
    subject: str,
    body: str,
    once: str,
    facts: dict[str, str] | None = None,
    calendar: str = "",
) -> bool:
    """Put a message in, in the transaction that decided it; False where `once` is in already.

    `calendar` is an entry for the reader's calendar (RFC 5545 text with its METHOD), or "".
    """
    taken = await session.scalar(select(OutboxMessage.id).where(OutboxMessage.once == once))
    if taken is not None:
        return False
    session.add(
        OutboxMessage(
            kind=kind,
            holder_id=holder_id,
            to_viewer_id=to_viewer_id,
            address=address,
            subject=subject,
            body=body,
            calendar=calendar,
            once=once,
            facts=facts or {},
            due_at=session.info[NOW],
            attempts=0,
        )
    )
    await session.flush()
    return True


def wait_before(attempt: int) -> timedelta:
    """How long to wait after a failed attempt: 1, 2, 4 … minutes, at most 4 hours."""
    return min(timedelta(minutes=2 ** min(attempt, 10)), timedelta(hours=4))


async def send_due(
    session: AsyncSession,
    way: Way,
    now: datetime,
    *,
    may_go: MayGo = _whatever,
    waits: Waits = _now,
    most: int = 100,
) -> int:
    """Send what is due, at most so many; returns how many went out. What may not go is stopped.

    What waits is due later, and no attempt is counted for it.
    """
    rows = await session.scalars(
        select(OutboxMessage)
        .where(
            OutboxMessage.sent_at.is_(None),
            OutboxMessage.kind != BY_POST,
            OutboxMessage.due_at <= now,
            OutboxMessage.attempts < TRIES,
        )
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    waiting = list(rows)
    await load_keys(session, {row.holder_id for row in waiting})
    sent = 0
    for row in waiting:
        if (later := await waits(session, row)) is not None:
            row.due_at = later
            continue
        if why := await may_go(session, row):
            stop(row, why)
            continue
        row.attempts += 1
        try:
            await way.send(_message(row))
        except NotSent as error:
            row.failure = str(error)
            row.due_at = now + wait_before(row.attempts)
            if isinstance(error, Bounced):
                row.attempts = TRIES
        else:
            row.sent_at = now
            row.failure = None
            sent += 1
    return sent


def stop(row: OutboxMessage, why: str) -> None:
    """A message does not go, however long it waits."""
    row.attempts, row.failure = TRIES, why


def is_one_address(text: str) -> bool:
    """Whether a text is one e-mail address, which a mail server would be asked to take."""
    message, said = EmailMessage(), text.strip()
    try:
        message["To"] = text
        addresses = [one.addr_spec for one in message["To"].addresses]
    # What the parser raises depends on where it stumbles ("marta@", "marta@[").
    except (ValueError, LookupError, AttributeError, MessageError):
        return False
    return addresses == [said] and all(said.rpartition("@")[::2])


def _message(row: OutboxMessage) -> EmailMessage:
    """The message, for one person. Raises Bounced for what is not one e-mail address.

    One wrong address must not keep the messages behind it waiting, and two in one field would be
    two people who are told.
    """
    if not is_one_address(row.address):
        raise Bounced(NO_SUCH)
    message = EmailMessage()
    message["Message-ID"] = f"<{row.id}@panel.invalid>"
    message["To"] = row.address
    message["Subject"] = row.subject
    message.set_content(row.body)
    if row.calendar:
        _add_calendar(message, row.calendar)
    return message


def _add_calendar(message: EmailMessage, entry: str) -> None:
    """The entry as the other form of the same message, by which mail programs offer an answer.

    RFC 6047: the part's `method` is that of the entry.
    """
    method = next(
        line.partition(":")[2].strip()
        for line in entry.splitlines()
        if line.upper().startswith("METHOD:")
    )
    message.add_alternative(
        entry.encode(),
        maintype="text",
        subtype="calendar",
        params={"charset": "utf-8", "method": method},
    )
