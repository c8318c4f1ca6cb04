"""On the way in: what is known of somebody between the first step of signing in and the last.

An entry is not a session: nobody is signed in by it, and signing in makes a new cookie. It goes by
the same cookie, which thus holds either; its forms carry a token that is bound to it.

Where they wanted to go is kept sealed: an address holds what was searched for, which may be a name.
"""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.crypto import Keyring, Keys
from panel.platform.sessions import token_hash
from panel.platform.tables import KEYS

LASTS = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody on their way in."""

    token: str
    step: str
    """What they are to do next, a word of the room that leads them in."""
    facts: Mapping[str, Any]
    next_path: str


async def begin(
    session: AsyncSession,
    now: datetime,
    *,
    step: str,
    facts: Mapping[str, Any],
    next_path: str,
    token: str | None = None,
) -> str:
    """Begin a way in; returns the cookie's value.

    Args: `facts` hold ids, hashes and random values, never a name, an address or a code in the
    clear; `next_path` is a path of this site (`accounts.way_in.safe_path`); `token` is the cookie
    of somebody who is signed in and shows again who they are: their session goes on beside it.
    """
    token = token or secrets.token_urlsafe(32)
    await session.execute(
        text(
            "INSERT INTO sign_in_entry (token_hash, step, facts, next_path, ends_at)"
            " VALUES (:hash, :step, :facts, :path, :ends)"
            " ON CONFLICT (token_hash) DO UPDATE SET step = EXCLUDED.step,"
            " facts = EXCLUDED.facts, next_path = EXCLUDED.next_path, ends_at = EXCLUDED.ends_at"
        ),
        {
            "hash": token_hash(token),
            "step": step,
            "facts": msgspec.json.encode(facts).decode(),
            "path": b64encode(_ring(session).wrap(next_path.encode(), _bound_to(token))).decode(),
            "ends": now + LASTS,
        },
    )
    return token


async def entry_of(session: AsyncSession, token: str, now: datetime) -> Entry | None:
    """The entry of a cookie; None where there is none, or its time is over."""
    found = await session.execute(
        text(
            "SELECT step, facts, next_path FROM sign_in_entry"
            " WHERE token_hash = :hash AND ends_at > :now FOR UPDATE"
        ),
        {"hash": token_hash(token), "now": now},
    )
    row = found.first()
    if row is None:
        return None
    path = _ring(session).unwrap(b64decode(row.next_path), _bound_to(token))
    return Entry(token, row.step, row.facts, path.decode())


def _ring(session: AsyncSession) -> Keyring:
    return cast("Keys", session.info[KEYS]).ring


def _bound_to(token: str) -> str:
    """To what the address of an entry is bound when it is sealed."""
    return f"sign-in entry {token_hash(token).hex()}"


async def go_on(session: AsyncSession, entry: Entry, step: str, facts: Mapping[str, Any]) -> None:
    """The next step of a way in, with what is known by now."""
    await session.execute(
        text("UPDATE sign_in_entry SET step = :step, facts = :facts WHERE token_hash = :hash"),
        {
            "step": step,
            "facts": msgspec.json.encode(facts).decode(),
            "hash": token_hash(entry.token),
        },
    )


async def leave(session: AsyncSession, token: str) -> None:
    """The way in is over: they are in, or gave up."""
    await session.execute(
        text("DELETE FROM sign_in_entry WHERE token_hash = :hash"), {"hash": token_hash(token)}
    )


async def end_entries(session: AsyncSession, worker_id: UUID) -> None:
    """Ways in of a worker that began with what they signed in with until now are over."""
    await session.execute(
        text("DELETE FROM sign_in_entry WHERE facts ->> 'worker' = :worker"),
        {"worker": str(worker_id)},
    )
