"""The providers of an authority: what is configured, for which agencies, and the buttons."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.desk import Desk
from panel.accounts.models import Agency
from panel.accounts.provider_models import SignInProvider, SignInProviderAgency, WorkerIdentity
from panel.accounts.provider_notes import note
from panel.platform.audit import Kind
from panel.platform.erasure import DestroyedKeys, Order, destroy
from panel.platform.openid import Algorithm, Client, ClientAuth, host_of, is_safe
from panel.platform.openid_tokens import UnusableKey, client_assertion, own_key, signs_with
from panel.platform.problems import FieldError, Invalid, NotFound
from panel.platform.tenancy import AuthorityRecord, Tenant, load_keys

REMOVED = Order("Whoever runs the site", "panel provider remove")
VERIFIED = "email"
"""The claim that counts where the provider says that it verified it."""
OTHER_CLAIMS = ("preferred_username", "upn")
"""Claims of Entra ID that count for one tenant and for addresses of its own domains."""
LARGEST_SECRET = 16_384
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_NO_PROVIDER = "Nobody is signed in this way here."


class Terms(msgspec.Struct, frozen=True):
    """What is asked of a provider and what is believed."""

    client_auth: ClientAuth = ClientAuth.BASIC
    algorithms: tuple[Algorithm, ...] = (Algorithm.RS256,)
    claim: str = VERIFIED
    tenant: str = ""
    domains: tuple[str, ...] = ()
    """Where any is named, an address of another one links nobody."""
    hosts: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ("openid", "email")
    acr: tuple[str, ...] = ()
    amr: tuple[str, ...] = ()
    client_algorithm: str = ""
    client_kid: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as it is configured."""

    id: UUID
    key: str
    label: str
    client: Client
    terms: Terms
    agencies: frozenset[UUID]
    secret_from: str
    sealed_secret: str = field(repr=False)

    def secret(self) -> str:
        """The client's secret or private key. Raises NoSecret."""
        return self.sealed_secret or read_secret(self.secret_from)


class NoSecret(Exception):
    """The secret is kept outside and cannot be read there, in a sentence."""


class Button(NamedTuple):
    """A provider on the sign-in page."""

    key: str
    label: str


def read_secret(where: str) -> str:
    """A secret from `env:NAME` or `file:/path`. Raises NoSecret."""
    kind, _, name = where.partition(":")
    if kind == "env" and name:
        found = os.environ.get(name, "")
    elif kind == "file" and name:
        try:
            with Path(name).open(encoding="utf-8") as file:
                found = file.read(LARGEST_SECRET)
        except (OSError, UnicodeDecodeError) as error:
            raise NoSecret(f"The secret in {where} cannot be read.") from error
    else:
        raise NoSecret("Say where the secret is kept: env:NAME or file:/path.")
    if not found.strip():
        raise NoSecret(f"There is no secret in {where}.")
    return found.strip()


def base_of(record: AuthorityRecord, site_url: str) -> str:
    """Where browsers reach an authority: its own host, else as the site is reached."""
    parts = urlsplit(site_url)
    if record.demo or parts.hostname == record.host:
        return site_url
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{record.host}{port}"


def way_back(base: str, key: str) -> str:
    """The address to which a provider sends people back; each provider has one of its own."""
    return f"{base}/sign-in/from/{key}"


# --- Reading ------------------------------------------------------------------------------------


async def all_providers(session: AsyncSession) -> list[Provider]:
    """Every provider, by label."""
    rows = await session.scalars(select(SignInProvider).order_by(SignInProvider.label))
    return [await _read(session, row) for row in rows]


async def provider_named(session: AsyncSession, key: str) -> Provider:
    """The provider of a name. Raises NotFound."""
    row = await session.scalar(select(SignInProvider).where(SignInProvider.key == key))
    if row is None:
        raise NotFound(_NO_PROVIDER, "Go to the sign-in page.")
    return await _read(session, row)


async def _read(session: AsyncSession, row: SignInProvider) -> Provider:
    await load_keys(session, {row.id})
    agencies = await session.scalars(
        select(SignInProviderAgency.agency_id).where(SignInProviderAgency.provider_id == row.id)
    )
    terms = msgspec.convert(row.terms, Terms)
    return Provider(
        id=row.id,
        key=row.key,
        label=row.label,
        client=client_of(row.issuer, row.client_id, terms),
        terms=terms,
        agencies=frozenset(agencies),
        secret_from=row.secret_from,
        sealed_secret=row.secret,
    )


def client_of(issuer: str, client_id: str, terms: Terms) -> Client:
    """What we are at a provider."""
    hosts = frozenset({host_of(issuer), *terms.hosts})
    return Client(issuer, client_id, hosts, frozenset(terms.algorithms))


async def providers_for_sign_in(desk: Desk) -> Sequence[Button]:
    """What the sign-in page offers: `accounts/providers.html` shows it."""
    found = await desk.tenant.look_up(
        "SELECT key, label FROM {schema}.sign_in_provider ORDER BY label, key"
    )
    return [Button(key, label) for key, label in found]


async def providers_for_again(desk: Desk) -> Sequence[Button]:
    """By which providers the person at the desk can show again who they are."""
    found = await desk.tenant.look_up(
        "SELECT p.key, p.label FROM {schema}.sign_in_provider p"
        " JOIN {schema}.worker_identity i ON i.provider_id = p.id"
        " WHERE i.worker_id = :worker ORDER BY p.label, p.key",
        worker=desk.viewer.id,
    )
    return [Button(key, label) for key, label in found]


async def signed_in_with(session: AsyncSession, session_hash: bytes) -> str:
    """The key of the provider by which a session's owner last came in; "" where by none."""
    found = await session.scalar(
        text(
            "SELECT p.key FROM web_session s JOIN worker_identity i ON i.worker_id = s.viewer_id"
            " JOIN sign_in_provider p ON p.id = i.provider_id"
            " WHERE s.token_hash = :hash AND s.way = 'provider' ORDER BY i.used_at DESC LIMIT 1"
        ),
        {"hash": session_hash},
    )
    return cast("str | None", found) or ""


# --- Setting ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """A provider as somebody wants it configured."""

    key: str
    label: str
    issuer: str
    client_id: str
    agencies: Sequence[str]
    """Their keys."""
    terms: Terms
    secret: str = field(default="", repr=False)
    secret_from: str = ""


def mistakes_in(wanted: Wanted) -> list[FieldError]:
    """What is wrong with it, before anybody is asked."""
    terms = wanted.terms
    is_other = terms.claim != VERIFIED
    checks = (
        (
            "name",
            _NAME.fullmatch(wanted.key) is not None,
            "A name is made of small letters, figures and hyphens, up to 40",
        ),
        (
            "issuer",
            is_safe(wanted.issuer) and not urlsplit(wanted.issuer).query,
            "The issuer is an https address without a question mark",
        ),
        ("client_id", bool(wanted.client_id.strip()), "The client id is missing"),
        ("label", bool(wanted.label.strip()), "Say what stands on the button, with --label"),
        ("agency", bool(wanted.agencies), "Say whose workers it signs in, with --agency"),
        (
            "secret",
            bool(wanted.secret) != bool(wanted.secret_from),
            "Give the secret with --secret-file, or say with --secret-from where it is kept",
        ),
        (
            "claim",
            not is_other or bool(terms.tenant and terms.domains),
            (
                f"{terms.claim} is not verified by itself: name the tenant with --tenant and the"
                " domains of its addresses with --domain"
            ),
        ),
        ("scope", "openid" in terms.scopes, "One of the scopes is openid"),
    )
    wrong = [FieldError(name, sentence) for name, is_right, sentence in checks if not is_right]
    if not wrong:
        try:
            check_secret(terms, wanted.secret or read_secret(wanted.secret_from))
        except (NoSecret, UnusableKey) as error:
            wrong.append(FieldError("secret", str(error)))
    return wrong


def check_secret(terms: Terms, secret: str) -> None:
    """Refuse a private key that is none, or none for its algorithm. Raises UnusableKey."""
    if terms.client_auth is ClientAuth.KEY:
        key = own_key(secret)
        tried = client_of("https://localhost", "panel", terms)
        algorithm = terms.client_algorithm or signs_with(key)
        client_assertion(tried, "", key, algorithm, terms.client_kid, datetime.now(UTC))


async def set_provider(session: AsyncSession, wanted: Wanted) -> bool:
    """Configure a provider, new or anew; whether it is new. Raises Invalid.

    Who was linked stays linked as long as the issuer is the same; at another one they are linked
    anew when they sign in next.
    """
    wrong = mistakes_in(wanted)
    agencies = list(await session.scalars(select(Agency).where(Agency.key.in_(wanted.agencies))))
    known = {one.key for one in agencies}
    wrong += [
        FieldError("agency", f"There is no agency with the key {one}")
        for one in wanted.agencies
        if one not in known
    ]
    if wrong:
        raise Invalid(tuple(wrong))
    row = await session.scalar(select(SignInProvider).where(SignInProvider.key == wanted.key))
    is_new = row is None
    if row is None:
        row = SignInProvider(key=wanted.key)
        session.add(row)
    elif row.issuer != wanted.issuer:
        # A subject is one issuer's: at another one it is somebody else's, or nobody's.
        await _end_links(session, row.id)
    row.label, row.issuer = wanted.label.strip(), wanted.issuer
    row.client_id = wanted.client_id.strip()
    row.secret, row.secret_from = wanted.secret, wanted.secret_from
    row.terms = msgspec.to_builtins(wanted.terms)
    await session.flush()
    await session.execute(
        delete(SignInProviderAgency).where(SignInProviderAgency.provider_id == row.id)
    )
    session.add_all(
        SignInProviderAgency(provider_id=row.id, agency_id=agency.id) for agency in agencies
    )
    note(session, Kind.PROVIDER_SET, row.id)
    await session.flush()
    return is_new


async def remove_provider(
    session: AsyncSession, tenant: Tenant, destroyed: DestroyedKeys, key: str
) -> int:
    """Take a provider away, with the links to it; how many people it signed in. Raises NotFound.

    Their sessions by a provider end. Its secret is destroyed with its data key, also in back-ups
    from before: so it is on the list of destroyed keys. Call it last in a transaction of the job.
    Raises ListDamaged.
    """
    provider = await provider_named(session, key)
    linked = await _end_links(session, provider.id)
    await session.execute(
        delete(SignInProviderAgency).where(SignInProviderAgency.provider_id == provider.id)
    )
    await session.execute(delete(SignInProvider).where(SignInProvider.id == provider.id))
    note(session, Kind.PROVIDER_REMOVED, provider.id)
    await session.flush()
    await destroy(session, tenant, destroyed, [provider.id], REMOVED)
    return linked


async def _end_links(session: AsyncSession, provider_id: UUID) -> int:
    """End who is whom at a provider, and their sessions by one; how many people that were."""
    linked = list(
        await session.scalars(
            delete(WorkerIdentity)
            .where(WorkerIdentity.provider_id == provider_id)
            .returning(WorkerIdentity.worker_id)
        )
    )
    await session.execute(
        text("DELETE FROM web_session WHERE way = 'provider' AND viewer_id = ANY(:workers)"),
        {"workers": linked},
    )
    return len(linked)
