"""Signing in with a provider: sent there, come back, checked, and known as an invited worker.

State, nonce and PKCE verifier are made from the browser's cookie and one chance value, so that an
answer is good in the browser that asked, once, and the database holds none of them. Nothing that
the provider gives is kept, but who somebody is there. See docs/adr/0020.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID

import httpx
import msgspec
from litestar.datastructures import MultiDict
from sqlalchemy import select, text

from interop.signed import NotBelieved
from panel.accounts.desk import Desk
from panel.accounts.identities import NotLetIn, known_worker, link_invited
from panel.accounts.provider_models import WorkerIdentity
from panel.accounts.provider_notes import note
from panel.accounts.providers import (
    NoSecret,
    Provider,
    base_of,
    provider_named,
    way_back,
)
from panel.accounts.way_in import let_in
from panel.platform.audit import Kind
from panel.platform.entries import Entry, begin, entry_of, leave
from panel.platform.openid import ClientAuth, Metadata, NotReached
from panel.platform.openid_http import ask
from panel.platform.openid_tokens import (
    Expected,
    Proof,
    UnusableKey,
    check_id_token,
    check_logout_token,
    client_assertion,
    named_key,
    own_key,
    signs_with,
    was_shown_since,
)
from panel.platform.problems import NotFound, Problem
from panel.platform.sessions import Way, renew

STEP = "provider"
LONGEST_CODE = 4_096


class NotFinished(Problem):
    """What came back cannot be believed, or came late: the same words, whatever the reason."""

    def __init__(self) -> None:
        super().__init__(
            403,
            "This sign-in did not work",
            "The sign-in was not finished, took too long or was begun elsewhere.",
            "Go to the sign-in page and begin again. If that does not help, ask an administrator of"
            " your agency.",
        )


class NotThere(Problem):
    """The provider does not answer."""

    def __init__(self, label: str) -> None:
        super().__init__(
            503,
            "This way to sign in does not work now",
            f"{label} does not answer.",
            "Try again in a few minutes, or sign in another way.",
        )


# --- Going there --------------------------------------------------------------------------------


class _Bound(NamedTuple):
    """What binds an answer to the browser that asked."""

    state: str
    nonce: str
    verifier: str

    @property
    def challenge(self) -> str:
        return _text(sha256(self.verifier.encode()).digest())


def _bound(cookie: str, chance: str) -> _Bound:
    def made(use: str) -> str:
        return _text(hmac.digest(cookie.encode(), f"{use} {chance}".encode(), sha256))

    return _Bound(made("state"), made("nonce"), made("verifier"))


def _text(digest: bytes) -> str:
    return urlsafe_b64encode(digest).decode().rstrip("=")


class Going(NamedTuple):
    """Where to send somebody, and the cookie of their entry."""

    label: str
    address: str
    cookie: str


async def begin_with_provider(desk: Desk, key: str, next_path: str) -> Going:
    """Send somebody who is not signed in to a provider. Raises NotFound, NotThere."""
    return await _begin(desk, key, next_path, {}, None)


async def begin_again_with_provider(desk: Desk, key: str, next_path: str) -> Going:
    """Send somebody who is signed in to show again who they are. Raises NotFound, NotThere.

    Their session goes on; its cookie is renewed when they come back (`sessions.renew`).
    """
    return await _begin(desk, key, next_path, {"again": str(desk.viewer.id)}, desk.token)


async def _begin(
    desk: Desk, key: str, next_path: str, facts: Mapping[str, str], cookie: str | None
) -> Going:
    async with desk.tenant.transaction() as session:
        provider = await provider_named(session, key)
    announced = await _announced(desk, provider)
    chance = secrets.token_urlsafe(16)
    known = {
        **facts,
        "provider": str(provider.id),
        "chance": chance,
        "since": desk.now.isoformat(),
    }
    async with desk.tenant.transaction() as session:
        cookie = await begin(
            session, desk.now, step=STEP, facts=known, next_path=next_path, token=cookie
        )
    return Going(
        provider.label,
        _with_query(
            announced.authorization_endpoint,
            _asked(provider, _back(desk, provider), _bound(cookie, chance), again="again" in facts),
        ),
        cookie,
    )


def _asked(provider: Provider, back: str, bound: _Bound, *, again: bool) -> Mapping[str, str]:
    asked = {
        "response_type": "code",
        "client_id": provider.client.client_id,
        "redirect_uri": back,
        "scope": " ".join(provider.terms.scopes),
        "state": bound.state,
        "nonce": bound.nonce,
        "code_challenge": bound.challenge,
        "code_challenge_method": "S256",
    }
    if provider.terms.acr:
        asked["acr_values"] = " ".join(provider.terms.acr)
    if again:
        asked |= {"prompt": "login", "max_age": "0"}
    return asked


def _with_query(address: str, more: Mapping[str, str]) -> str:
    parts = urlsplit(address)
    query = "&".join(part for part in (parts.query, urlencode(more)) if part)
    return urlunsplit(parts._replace(query=query))


def _back(desk: Desk, provider: Provider) -> str:
    return way_back(base_of(desk.tenant.record, desk.site.url), provider.key)


async def _announced(desk: Desk, provider: Provider) -> Metadata:
    try:
        return await desk.site.published.metadata(provider.client, desk.now)
    except NotReached as error:
        raise NotThere(provider.label) from error


# --- Coming back --------------------------------------------------------------------------------


class Back(NamedTuple):
    """Somebody who is in, or showed again who they are."""

    cookie: str
    next_path: str


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the provider sent the browser back with, each once."""

    state: str
    code: str
    error: str
    issuer: str

    @classmethod
    def read(cls, query: MultiDict[Any]) -> "_Answer":
        """Raises NotBelieved for what comes twice."""
        names = ("state", "code", "error", "iss")
        if any(len(query.getall(name, [])) > 1 for name in names):
            raise NotBelieved("twice")
        return cls(*(str(query.get(name, "")) for name in names))


async def come_back(desk: Desk, key: str) -> Back:
    """Let in whoever comes back from a provider, or renew their session.

    Raises NotFound, NotFinished, NotThere, NotLetIn: the reason is written down, and not said.
    """
    async with desk.tenant.transaction() as session:
        provider = await provider_named(session, key)
    try:
        return await _come_back(desk, provider)
    except NotBelieved as error:
        await _note_refused(desk, provider, error.why)
        raise NotFinished from error
    except NotLetIn:
        await _note_refused(desk, provider, "nobody")
        raise
    except (NotReached, NoSecret, UnusableKey) as error:
        await _note_refused(desk, provider, type(error).__name__)
        raise NotThere(provider.label) from error


async def _note_refused(desk: Desk, provider: Provider, why: str) -> None:
    async with desk.tenant.transaction() as session:
        note(session, Kind.SIGN_IN_REFUSED, provider.id, why=why)


async def _come_back(desk: Desk, provider: Provider) -> Back:
    answer = _Answer.read(desk.request.query_params)
    entry = await _taken_entry(desk, provider, answer.state)
    bound = _bound(entry.token, entry.facts["chance"])
    announced = await _announced(desk, provider)
    # RFC 9207: by whose answer we think that we are here is whose answer it has to be.
    needs_issuer = announced.authorization_response_iss_parameter_supported
    if (answer.issuer or needs_issuer) and answer.issuer != provider.client.issuer:
        raise NotBelieved("issuer of the answer")
    if answer.error or not 0 < len(answer.code) <= LONGEST_CODE:
        raise NotBelieved("no code")
    given = await _exchange(desk, provider, announced, answer.code, bound.verifier)
    again = entry.facts.get("again")
    expected = Expected(
        nonce=bound.nonce,
        shown_since=datetime.fromisoformat(entry.facts["since"]) if again else None,
        acr=frozenset(provider.terms.acr),
        amr=frozenset(provider.terms.amr),
    )
    named = named_key(provider.client, given.id_token)
    key = await desk.site.published.key(provider.client, named, desk.now)
    proof, claims = check_id_token(provider.client, given.id_token, named, key, expected, desk.now)
    if provider.terms.tenant and proof.tid != provider.terms.tenant:
        raise NotBelieved("tenant")
    if again:
        return await _show_again(desk, provider, proof, entry, UUID(again))
    claims = await _with_userinfo(desk, provider, announced, given, proof, claims)
    async with desk.tenant.transaction() as session:
        worker_id = await known_worker(session, provider, proof)
        if worker_id is None:
            worker_id = await link_invited(session, provider, proof, claims)
        # Who is signed in there already comes back without being asked: that shows nothing anew.
        is_shown = was_shown_since(proof, datetime.fromisoformat(entry.facts["since"]))
        cookie = await let_in(desk, session, worker_id, "worker", Way.PROVIDER, is_shown=is_shown)
    return Back(cookie, entry.next_path)


async def _taken_entry(desk: Desk, provider: Provider, state: str) -> Entry:
    """The entry of this browser, which is over with this answer, whatever comes of it.

    Raises NotBelieved; an answer to a question of somebody else's leaves it as it is.
    """
    cookie = desk.token or desk.ended
    if cookie is None:
        raise NotBelieved("no cookie")
    async with desk.tenant.transaction() as session:
        entry = await entry_of(session, cookie, desk.now)
        if entry is None or entry.step != STEP or entry.facts["provider"] != str(provider.id):
            raise NotBelieved("no entry")
        expected = _bound(cookie, entry.facts["chance"]).state
        if not hmac.compare_digest(state.encode(), expected.encode()):
            raise NotBelieved("state")
        await leave(session, cookie)
    return entry


class _Given(msgspec.Struct):
    id_token: str
    access_token: str = ""


async def _exchange(
    desk: Desk, provider: Provider, announced: Metadata, code: str, verifier: str
) -> _Given:
    """The code for tokens, once. Raises NotBelieved, NotReached, NoSecret, UnusableKey."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _back(desk, provider),
        "code_verifier": verifier,
    }
    secret = None
    if provider.terms.client_auth is ClientAuth.KEY:
        key = own_key(provider.secret())
        form["client_id"] = provider.client.client_id
        form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        form["client_assertion"] = client_assertion(
            provider.client,
            announced.token_endpoint,
            key,
            provider.terms.client_algorithm or signs_with(key),
            provider.terms.client_kid,
            desk.now,
        )
    else:
        secret = (provider.client.client_id, provider.secret())
    status, content = await ask(
        provider.client, "POST", announced.token_endpoint, form=form, secret=secret
    )
    if status != httpx.codes.OK:
        raise NotBelieved("code")
    return _decoded(content)


def _decoded(content: bytes) -> _Given:
    try:
        return msgspec.json.decode(content, type=_Given)
    except msgspec.DecodeError as error:
        raise NotBelieved("tokens") from error


async def _with_userinfo(
    desk: Desk,
    provider: Provider,
    announced: Metadata,
    given: _Given,
    proof: Proof,
    claims: Mapping[str, Any],
) -> Mapping[str, Any]:
    """The claims with those that the provider tells only when asked, where they are needed.

    Raises NotBelieved where it tells of somebody else.
    """
    if provider.terms.claim in claims or not (given.access_token and announced.userinfo_endpoint):
        return claims
    async with desk.tenant.transaction() as session:
        if await known_worker(session, provider, proof) is not None:
            return claims
    status, content = await ask(
        provider.client, "GET", announced.userinfo_endpoint, bearer=given.access_token
    )
    if status != httpx.codes.OK:
        return claims
    try:
        told = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise NotBelieved("userinfo") from error
    if told.get("sub") != proof.sub:
        raise NotBelieved("userinfo")
    # Whether an address is verified is told beside the address, and nowhere else.
    rest = {name: said for name, said in claims.items() if name != "email_verified"}
    return {**rest, **told}


async def _show_again(
    desk: Desk, provider: Provider, proof: Proof, entry: Entry, viewer: UUID
) -> Back:
    """Renew the session of somebody who showed again that it is theirs. Raises NotLetIn."""
    async with desk.tenant.transaction() as session:
        worker_id = await known_worker(session, provider, proof)
        if worker_id is None or worker_id != viewer or desk.who is None:
            raise NotLetIn
        if desk.viewer.id != viewer:
            raise NotLetIn
        cookie = await renew(session, entry.token, desk.now, way=Way.PROVIDER)
        note(session, Kind.SHOWN_AGAIN, provider.id, worker_id)
    return Back(cookie, entry.next_path)


# --- Signing out --------------------------------------------------------------------------------


class Leaving(NamedTuple):
    """Where somebody may sign out of the provider too."""

    label: str
    address: str


async def leaving(desk: Desk, key: str) -> Leaving | None:
    """Where to sign out of a provider; None where it offers nothing or does not answer."""
    try:
        async with desk.tenant.transaction() as session:
            provider = await provider_named(session, key)
        announced = await _announced(desk, provider)
    except Problem:
        return None
    if not announced.end_session_endpoint:
        return None
    back = f"{base_of(desk.tenant.record, desk.site.url)}/signed-out"
    asked = {"client_id": provider.client.client_id, "post_logout_redirect_uri": back}
    return Leaving(provider.label, _with_query(announced.end_session_endpoint, asked))


async def end_from_there(desk: Desk, key: str, logout_token: str) -> None:
    """End the sessions of whoever signed out at the provider. Raises NotFound, NotBelieved.

    Those that began later go on, so that the same token brought again ends nothing more.
    """
    async with desk.tenant.transaction() as session:
        provider = await provider_named(session, key)
    named = named_key(provider.client, logout_token)
    published = await desk.site.published.key(provider.client, named, desk.now)
    logout = check_logout_token(provider.client, logout_token, named, published, desk.now)
    async with desk.tenant.transaction() as session:
        worker_id = await session.scalar(
            select(WorkerIdentity.worker_id).where(
                WorkerIdentity.provider_id == provider.id,
                WorkerIdentity.issuer == provider.client.issuer,
                WorkerIdentity.subject == logout.subject,
            )
        )
        if worker_id is None:
            return
        await session.execute(
            text(
                "DELETE FROM web_session WHERE viewer_id = :worker AND way = 'provider'"
                " AND started_at <= :at"
            ),
            {"worker": worker_id, "at": logout.at},
        )
        note(session, Kind.SIGNED_OUT, provider.id, worker_id)


async def own_keys(desk: Desk, key: str) -> Mapping[str, Any]:
    """The public half of the key by which we show a provider who we are. Raises NotFound."""
    async with desk.tenant.transaction() as session:
        provider = await provider_named(session, key)
    if provider.terms.client_auth is not ClientAuth.KEY:
        raise NotFound
    try:
        own = own_key(provider.secret())
    except (NoSecret, UnusableKey) as error:
        raise NotFound from error
    kid = provider.terms.client_kid or own.thumbprint()
    return {"keys": [{**own.as_dict(private=False), "kid": kid, "use": "sig"}]}
