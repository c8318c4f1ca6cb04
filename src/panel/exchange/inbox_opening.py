"""What was received, taken apart: its pieces, whom they are about, which notify of a child."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from interop.incoming.received import Piece
from interop.incoming.received import Received as Parsed
from interop.incoming.taking_apart import read
from panel.exchange.inbox_models import Received
from panel.exchange.inbox_notifications import Notification, notification_in
from panel.exchange.inbox_receiving import content_of
from panel.exchange.inbox_scopes import shut_out, without
from panel.exchange.inbox_subjects import Subjects, subjects_of

LARGE = 64 * 1024
"""Bytes from which a body is taken apart beside the others' requests."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was received, taken apart: pieces, whom they are about, which notify of a child."""

    body: bytes
    parsed: Parsed
    subjects: Subjects
    notifications: Mapping[str, Notification]

    @property
    def pieces(self) -> Sequence[Piece]:
        """Every piece, in order."""
        return self.parsed.pieces

    def without(self, types: frozenset[str]) -> "Opened":
        """The same, with the pieces of these types quarantined: their sender may not send them."""
        parsed = without(self.parsed, types)
        whole = {one.path for one in parsed.pieces if not one.problems}
        told = {path: one for path, one in self.notifications.items() if path in whole}
        return Opened(self.body, parsed, self.subjects, told)


async def opened(body: bytes, asked: str = "") -> Opened:
    """A body, taken apart; never raises for anything in it. Args: `asked` as it was kept."""
    if len(body) < LARGE:
        return _opened(body, asked)
    return await asyncio.to_thread(_opened, body, asked)


async def opened_again(session: AsyncSession, received: Received) -> Opened:
    """What was kept, taken apart by the rules of today."""
    return await opened_as_it_may_land(await content_of(session, received), received)


async def opened_as_it_may_land(body: bytes, received: Received) -> Opened:
    """The bytes of what was received, taken apart; what its sender may not send is quarantined."""
    opened_ = await opened(body, received.asked)
    types = shut_out(received, opened_.parsed)
    return opened_.without(types) if types else opened_


def _opened(body: bytes, asked: str) -> Opened:
    parsed = read(body)
    by_path = {piece.path: piece for piece in parsed.pieces}
    subjects = subjects_of(parsed.pieces, put=is_put(asked))
    return Opened(body, parsed, subjects, notification_in(by_path))


def is_put(asked: str) -> bool:
    """Whether a request line, as it was kept, asks to put something in another's place."""
    return asked.startswith("PUT ")


def around(opened_: Opened) -> bytes:
    """What stood around the pieces, each of which is sealed for its own child."""
    content = opened_.body
    between, at = [], 0
    for piece in opened_.pieces:
        raw = bytes(piece.raw)
        found = content.find(raw, at)
        if found >= 0:
            between += [content[at:found], b"null"]
            at = found + len(raw)
    return b"".join((*between, content[at:]))
