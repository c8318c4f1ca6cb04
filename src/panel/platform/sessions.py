"""Signed-in sessions: an id of ours, never one that a client brought; only its hash is kept."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import cast
from uuid import UUID

from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.ids import new_id
from panel.platform.problems import NotSignedIn
from panel.platform.tenancy import Tenant

LONGEST = timedelta(hours=12)
IDLE = timedelta(minutes=60)
IDLE_OF_FAMILY = timedelta(minutes=30)
"""A family's telephone or shared computer lies about at home."""
SEEN_EVERY = timedelta(minutes=1)
"""How often it is noted that a session is in use."""


def idle_since(now: datetime) -> dict[str, datetime]:
    """What was last used before these is over, by the kind of viewer, as statements name them."""
    return {"idle": now - IDLE, "idle_of_family": now - IDLE_OF_FAMILY}


PROOF_LASTS = timedelta(minutes=10)
"""How long somebody who showed who they are may do what asks for it (an override, an export)."""


class Way(StrEnum):
    """How somebody signed in."""

    LINK = "link"
    DEMONSTRATION = "demonstration"
    TWO_STEPS = "two_steps"
    """A password and a code."""
    PASSKEY = "passkey"
    PROVIDER = "provider"
    FAMILY_CODE = "family_code"
    ELSEWHERE = "elsewhere"
    """From another authority's session, which does not show anew who they are."""


PROVES = frozenset({Way.TWO_STEPS, Way.PASSKEY, Way.PROVIDER, Way.FAMILY_CODE})
"""Ways in which somebody shows who they are; a link only shows who reads their mail."""


def token_hash(token: str) -> bytes:
    """What is kept of a cookie or link."""
    return sha256(token.encode()).digest()


def forgery_token(session_token: str) -> str:
    """The token that every form of this session carries: bound to the session, made from it."""
    return hmac.new(session_token.encode(), b"forms of this session", sha256).hexdigest()


async def start(
    session: AsyncSession,
    viewer_id: UUID,
    viewer_kind: str,
    now: datetime,
    *,
    way: Way = Way.LINK,
    device: str = "",
    is_shown: bool = True,
) -> str:
    """Sign somebody in; returns the cookie's value.

    Args: `device` is the browser and system in words, for the owner's list of their sessions;
    `is_shown` is False where somebody else vouches for them who did not ask them now.
    """
    token = secrets.token_urlsafe(32)
    await session.execute(
        text(
            "INSERT INTO web_session (token_hash, viewer_id, viewer_kind, started_at, seen_at,"
            " ends_at, id, way, proved_at, device)"
            " VALUES (:hash, :viewer, :kind, :now, :now, :ends, :id, :way, :proved, :device)"
        ),
        {
            "hash": token_hash(token),
            "viewer": viewer_id,
            "kind": viewer_kind,
            "now": now,
            "ends": now + LONGEST,
            "id": new_id(),
            "way": way.value,
            "proved": now if way in PROVES and is_shown else None,
            "device": device,
        },
    )
    return token


async def renew(session: AsyncSession, token: str, now: datetime, *, way: Way) -> str:
    """Put a session under a new cookie, once its owner showed again who they are.

    Returns the new cookie's value; the old one is nobody's from now on. The end stays.
    Raises NotSignedIn where there is no such session.
    """
    fresh = secrets.token_urlsafe(32)
    changed = await session.execute(
        text(
            "UPDATE web_session SET token_hash = :fresh, proved_at = :now, seen_at = :now,"
            " way = :way WHERE token_hash = :hash AND ends_at > :now"
        ),
        {"fresh": token_hash(fresh), "now": now, "way": way.value, "hash": token_hash(token)},
    )
    if cast("CursorResult[tuple[()]]", changed).rowcount == 0:
        raise NotSignedIn
    return fresh


async def was_proved(session: AsyncSession, token: str, now: datetime) -> bool:
    """Whether the owner of a session showed who they are in the last `PROOF_LASTS`."""
    found = await session.scalar(
        text(
            "SELECT 1 FROM web_session WHERE token_hash = :hash AND ends_at > :now"
            " AND proved_at > :since"
        ),
        {"hash": token_hash(token), "now": now, "since": now - PROOF_LASTS},
    )
    return found is not None


async def goes_on(tenant: Tenant, token: str, now: datetime) -> bool:
    """Whether a session is in force; to ask is not to use it: a page left open does not last."""
    found = await tenant.look_up(
        "SELECT 1 FROM {schema}.web_session"
        " WHERE token_hash = :hash AND ends_at > :now"
        " AND seen_at > CASE viewer_kind WHEN 'family' THEN :idle_of_family ELSE :idle END",
        hash=token_hash(token),
        now=now,
        **idle_since(now),
    )
    return bool(found)


async def end(session: AsyncSession, token: str) -> None:
    """Sign out."""
    await session.execute(
        text("DELETE FROM web_session WHERE token_hash = :hash"), {"hash": token_hash(token)}
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """A session as its owner reads it in the list of theirs."""

    id: UUID
    way: Way | None
    started_at: datetime
    seen_at: datetime
    device: str
    is_this: bool


async def sessions_of(
    session: AsyncSession, viewer_id: UUID, token: str, now: datetime
) -> list[Listed]:
    """Somebody's sessions that are in force, the newest first; `token` is the asking one's."""
    found = await session.execute(
        text(
            "SELECT id, way, started_at, seen_at, device, token_hash = :hash AS is_this"
            " FROM web_session WHERE viewer_id = :viewer AND ends_at > :now"
            " AND seen_at > CASE viewer_kind WHEN 'family' THEN :idle_of_family ELSE :idle END"
            " AND id IS NOT NULL ORDER BY started_at DESC, id"
        ),
        {"viewer": viewer_id, "hash": token_hash(token), "now": now, **idle_since(now)},
    )
    return [
        Listed(
            row.id,
            Way(row.way) if row.way else None,
            row.started_at,
            row.seen_at,
            row.device or "",
            row.is_this,
        )
        for row in found
    ]


async def way_of(session: AsyncSession, token: str) -> Way | None:
    """How the owner of a session last showed who they are."""
    found = await session.scalar(
        text("SELECT way FROM web_session WHERE token_hash = :hash"), {"hash": token_hash(token)}
    )
    return Way(found) if found else None


async def end_listed(session: AsyncSession, viewer_id: UUID, listed_id: UUID) -> None:
    """End one of somebody's own sessions; nothing where it is not theirs."""
    await session.execute(
        text("DELETE FROM web_session WHERE viewer_id = :viewer AND id = :id"),
        {"viewer": viewer_id, "id": listed_id},
    )


async def end_others(session: AsyncSession, viewer_id: UUID, token: str = "") -> None:
    """End somebody's sessions but this one; without a token, all of them."""
    await session.execute(
        text("DELETE FROM web_session WHERE viewer_id = :viewer AND token_hash <> :hash"),
        {"viewer": viewer_id, "hash": token_hash(token)},
    )


async def end_links(session: AsyncSession, viewer_id: UUID) -> None:
    """Links to sign somebody in that were not used work no more."""
    await session.execute(
        text("DELETE FROM sign_in_link WHERE viewer_id = :viewer AND used_at IS NULL"),
        {"viewer": viewer_id},
    )


async def was_of(session: AsyncSession, token: str) -> UUID | None:
    """Whose session a cookie was, as long as it is known, though it may have ended."""
    found: UUID | None = await session.scalar(
        text("SELECT viewer_id FROM web_session WHERE token_hash = :hash"),
        {"hash": token_hash(token)},
    )
    return found


async def make_link(
    session: AsyncSession, viewer_id: UUID, viewer_kind: str, ends_at: datetime
) -> str:
    """A token that signs somebody in once, until a moment."""
    token = secrets.token_urlsafe(24)
    await session.execute(
        text(
            "INSERT INTO sign_in_link (token_hash, viewer_id, viewer_kind, ends_at)"
            " VALUES (:hash, :viewer, :kind, :ends)"
        ),
        {"hash": token_hash(token), "viewer": viewer_id, "kind": viewer_kind, "ends": ends_at},
    )
    return token


async def use_link(session: AsyncSession, token: str, now: datetime) -> tuple[UUID, str] | None:
    """Whom a link signs in; None when it is unknown, used or over. It works once."""
    found = await session.execute(
        text(
            "UPDATE sign_in_link SET used_at = :now"
            " WHERE token_hash = :hash AND used_at IS NULL AND ends_at >= :now"
            " RETURNING viewer_id, viewer_kind"
        ),
        {"now": now, "hash": token_hash(token)},
    )
    row = found.first()
    return None if row is None else (row.viewer_id, row.viewer_kind)


async def first_time(
    session: AsyncSession, form_id: UUID, viewer_id: UUID, now: datetime, location: str
) -> bool:
    """Whether this form was not taken before; taken, in the transaction of its work, from now on.

    Two posts of the same form at once: the second waits for the first to commit.
    """
    result = await session.execute(
        text(
            "INSERT INTO form_post (form_id, viewer_id, at, location)"
            " VALUES (:form, :viewer, :now, :location) ON CONFLICT DO NOTHING"
        ),
        {"form": form_id, "viewer": viewer_id, "now": now, "location": location},
    )
    return cast("CursorResult[tuple[()]]", result).rowcount == 1
