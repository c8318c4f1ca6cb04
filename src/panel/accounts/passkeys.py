"""Passkeys (WebAuthn, level 2): asking a browser for one, and believing what it answers.

A challenge belongs to the cookie of the browser that asked and to what it asked for; the statement
that reads it deletes it, so that it is never taken twice.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import webauthn
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from panel.accounts.models import Worker
from panel.accounts.sign_in_models import Passkey
from panel.platform.sessions import token_hash

LASTS = timedelta(minutes=5)
_BYTES = 32
_VERIFIED = UserVerificationRequirement.REQUIRED


class NotBelieved(Exception):
    """What came is no answer of a passkey that is known here, to what was asked."""


class Purpose(StrEnum):
    """What a passkey is asked for."""

    ENTER = "enter"
    AGAIN = "again"
    ADD = "add"


@dataclass(frozen=True, slots=True)
class Place:
    """The site as browsers know it: its host, and its address with the scheme and port."""

    host: str
    origin: str

    @classmethod
    def of(cls, site_url: str, asked_for: str) -> "Place":
        """The place of a site, where the authority is served at the host that was `asked_for`.

        The site's own address counts where it is that host's; an authority with a name of its own
        has the scheme of the site.
        """
        site, asked = urlsplit(site_url), urlsplit(f"//{asked_for}")
        host = asked.hostname or ""
        if site.hostname == host:
            return cls(host, f"{site.scheme}://{site.netloc}")
        return cls(host, f"{site.scheme}://{asked_for}")


async def new_challenge(
    session: AsyncSession, token: str, purpose: Purpose, now: datetime
) -> bytes:
    """What the passkey of this cookie's browser is to sign; the last one is void."""
    challenge = secrets.token_bytes(_BYTES)
    await session.execute(
        text(
            "INSERT INTO sign_in_challenge (token_hash, purpose, challenge, ends_at)"
            " VALUES (:hash, :purpose, :challenge, :ends) ON CONFLICT (token_hash) DO UPDATE"
            " SET purpose = excluded.purpose, challenge = excluded.challenge,"
            " ends_at = excluded.ends_at"
        ),
        {
            "hash": token_hash(token),
            "purpose": purpose.value,
            "challenge": challenge,
            "ends": now + LASTS,
        },
    )
    return challenge


async def taken_challenge(
    session: AsyncSession, token: str, purpose: Purpose, now: datetime
) -> bytes:
    """The challenge of this cookie's browser, once. Raises NotBelieved."""
    found = await session.execute(
        text(
            "DELETE FROM sign_in_challenge WHERE token_hash = :hash"
            " RETURNING purpose, challenge, ends_at"
        ),
        {"hash": token_hash(token)},
    )
    row = found.first()
    if row is None or row.purpose != purpose.value or row.ends_at <= now:
        raise NotBelieved
    challenge: bytes = row.challenge
    return challenge


def asking_for_one(challenge: bytes, place: Place) -> str:
    """What a browser needs to ask for any passkey of this site, as JSON."""
    return webauthn.options_to_json(
        webauthn.generate_authentication_options(
            rp_id=place.host, challenge=challenge, user_verification=_VERIFIED
        )
    )


def asking_for_new(
    challenge: bytes, place: Place, worker: Worker, authority: str, present: Sequence[Passkey]
) -> str:
    """What a browser needs to make a new passkey for this worker, as JSON."""
    return webauthn.options_to_json(
        webauthn.generate_registration_options(
            rp_id=place.host,
            rp_name=f"Panel {authority}",
            user_id=worker.id.bytes,
            user_name=worker.email,
            user_display_name=worker.name,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=one.credential_id) for one in present
            ],
        )
    )


def new_passkey(answer: str, challenge: bytes, place: Place, worker: Worker, name: str) -> Passkey:
    """The passkey that a browser made. Raises NotBelieved."""
    try:
        made = webauthn.verify_registration_response(
            credential=_read(answer),
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, LookupError, TypeError) as error:
        raise NotBelieved from error
    return Passkey(
        worker_id=worker.id,
        agency_id=worker.agency_id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        name=name,
    )


async def passkeys_of(session: AsyncSession, worker_id: UUID) -> list[Passkey]:
    """A worker's passkeys, the oldest first."""
    rows = select(Passkey).where(Passkey.worker_id == worker_id).order_by(Passkey.id)
    return list(await session.scalars(rows))


async def whose(
    session: AsyncSession, answer: str, challenge: bytes, place: Place, now: datetime
) -> Passkey:
    """The passkey that answered, with its use written down. Raises NotBelieved.

    Of two answers with the same count, which a copied key gives, the second is not believed.
    """
    read = _read(answer)
    try:
        found = await session.scalar(
            select(Passkey)
            .where(Passkey.credential_id == base64url_to_bytes(str(read["rawId"])))
            .with_for_update()
        )
        if found is None:
            raise NotBelieved
        shown = webauthn.verify_authentication_response(
            credential=read,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=found.public_key,
            credential_current_sign_count=found.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, LookupError, TypeError) as error:
        raise NotBelieved from error
    found.sign_count, found.used_at = shown.new_sign_count, now
    await session.flush()
    return found


def _read(answer: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(answer, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise NotBelieved from error
