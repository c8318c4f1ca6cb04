"""Messages in our mailbox of MESH that came from a mailbox which is none of our clients'.

They stay where they are: to take one in as somebody's is to believe whoever wrote it. Listed here,
somebody finds out whose mailbox it is and gives it to its system, and then the message is fetched.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from panel.exchange.models import UnknownLetter
from panel.platform.tables import NOW

LONGEST = 100
"""Characters of what MESH calls a mailbox or a message, as it is listed."""


class OfMailbox(NamedTuple):
    """What waits from one mailbox."""

    mailbox: str
    letters: int
    since: datetime


async def unknown_letters(session: AsyncSession) -> dict[str, str]:
    """The messages that are listed, each with the mailbox that it came from."""
    rows = await session.execute(select(UnknownLetter.id, UnknownLetter.mailbox))
    return {row[0]: row[1] for row in rows}


async def list_unknown(session: AsyncSession, found: Mapping[str, str]) -> None:
    """List those that wait now, and none that does not any more."""
    named = {message[:LONGEST]: mailbox[:LONGEST] for message, mailbox in found.items()}
    await session.execute(delete(UnknownLetter).where(UnknownLetter.id.not_in(named)))
    if named:
        now = session.info[NOW]
        await session.execute(
            insert(UnknownLetter)
            .values(
                [
                    {"message_id": message, "mailbox": mailbox, "found_at": now}
                    for message, mailbox in named.items()
                ]
            )
            .on_conflict_do_nothing()
        )


async def by_mailbox(session: AsyncSession) -> Sequence[OfMailbox]:
    """How many wait from each mailbox, and since when, the longest first."""
    since = func.min(UnknownLetter.found_at)
    rows = await session.execute(
        select(UnknownLetter.mailbox, func.count(), since)
        .group_by(UnknownLetter.mailbox)
        .order_by(since, UnknownLetter.mailbox)
    )
    return [OfMailbox(*row) for row in rows]
