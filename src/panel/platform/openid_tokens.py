"""OpenID Connect: what a signed token says, once everything about it was checked.

Pure. The algorithm is one of those configured for the client; the token's own header only chooses
among them, and a key of another type than the algorithm's is no key. Source: OpenID Connect Core
1.0, 3.1.3.7; Back-Channel Logout 1.0, 2.6; RFC 8725.
"""

import secrets
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, NamedTuple

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jws import extract_compact

from interop.signed import KINDS, Key, NotBelieved, registry, verified
from interop.signed import named_key as named_key_of
from panel.platform.openid import KEY_TYPES, Algorithm, Client

CLOCKS_DIFFER = 60
"""Seconds by which the provider's clock may be before or behind ours."""
OLDEST = 600
"""Seconds after which a token that was just asked for counts as an old one."""
LONGEST_TOKEN = 32_768
LONGEST_SUBJECT = 255
"""OpenID Connect Core, section 2."""
ASSERTION_LASTS = 60
LOGGED_OUT = "http://schemas.openid.net/event/backchannel-logout"
_ID_TOKEN_TYPES = ("jwt", "")
_LOGOUT_TYPES = ("logout+jwt", "jwt", "")


class Named(NamedTuple):
    """Which key a token says it is signed with, and how."""

    kid: str
    algorithm: Algorithm
    kind: str


class Proof(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an ID token says."""

    iss: str
    sub: str
    aud: str | Sequence[str]
    exp: float
    iat: float
    nonce: str = ""
    azp: str | None = None
    nbf: float | None = None
    auth_time: float | None = None
    acr: str = ""
    amr: Sequence[str] = ()
    tid: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the ID token has to say, beyond who issued it and for whom."""

    nonce: str
    shown_since: datetime | None = None
    """They have to have shown who they are after this."""
    acr: frozenset[str] = frozenset()
    amr: frozenset[str] = frozenset()


def named_key(client: Client, token: str) -> Named:
    """Which key to check a token with, by its header. Raises NotBelieved.

    What the header says of algorithms is compared with what is configured, and else not heard.
    """
    if len(token) > LONGEST_TOKEN or token.count(".") != 2:
        raise NotBelieved("form")
    try:
        known = registry([one.value for one in Algorithm])
        header = extract_compact(token.encode(), registry=known).headers()
    except (JoseError, ValueError, TypeError) as error:
        raise NotBelieved("form") from error
    alg, kid, kind = (header.get(name, "") for name in ("alg", "kid", "typ"))
    algorithm = next((one for one in client.algorithms if one.value == alg), None)
    if algorithm is None:
        raise NotBelieved("algorithm")
    if not isinstance(kid, str) or not isinstance(kind, str):
        raise NotBelieved("form")
    return Named(kid, algorithm, kind.lower())


def key_for(named: Named, published: Sequence[Mapping[str, Any]]) -> Key | None:
    """The published key that a token names; None where none is, or where several could be meant."""
    return named_key_of(published, named.kid, KEY_TYPES[named.algorithm], named.algorithm.value)


def check_id_token(
    client: Client, token: str, named: Named, key: Key, expected: Expected, now: datetime
) -> tuple[Proof, Mapping[str, Any]]:
    """What an ID token says, and all its claims. Raises NotBelieved."""
    if named.kind not in _ID_TOKEN_TYPES:
        raise NotBelieved("type")
    claims = _verified(token, named, key)
    try:
        said = msgspec.convert(claims, Proof)
    except msgspec.ValidationError as error:
        raise NotBelieved("claims") from error
    moment = now.timestamp()
    _check_who(client, said.iss, said.aud, said.azp)
    if said.exp <= moment - CLOCKS_DIFFER:
        raise NotBelieved("expired")
    _check_issued(said.iat, moment)
    if said.nbf is not None and said.nbf > moment + CLOCKS_DIFFER:
        raise NotBelieved("not yet")
    if not compare_digest(said.nonce.encode(), expected.nonce.encode()):
        raise NotBelieved("nonce")
    if not 0 < len(said.sub) <= LONGEST_SUBJECT:
        raise NotBelieved("subject")
    _check_strength(said, expected)
    return said, claims


def _check_who(client: Client, issuer: str, audience: str | Sequence[str], azp: str | None) -> None:
    if issuer != client.issuer:
        raise NotBelieved("issuer")
    # For us alone: what others may use as well, they could bring here.
    if ([audience] if isinstance(audience, str) else list(audience)) != [client.client_id]:
        raise NotBelieved("audience")
    if azp not in (None, client.client_id):
        raise NotBelieved("audience")


def _check_issued(issued: float, moment: float) -> None:
    if not moment - OLDEST <= issued <= moment + CLOCKS_DIFFER:
        raise NotBelieved("issued")


def was_shown_since(said: Proof, since: datetime) -> bool:
    """Whether the provider says that they showed who they are after a moment."""
    return said.auth_time is not None and said.auth_time >= since.timestamp() - CLOCKS_DIFFER


def _check_strength(said: Proof, expected: Expected) -> None:
    since = expected.shown_since
    if since is not None and not was_shown_since(said, since):
        raise NotBelieved("auth_time")
    if expected.acr and said.acr not in expected.acr:
        raise NotBelieved("acr")
    if expected.amr and not expected.amr & set(said.amr):
        raise NotBelieved("amr")


class _LogoutSaid(msgspec.Struct, frozen=True):
    iss: str
    aud: str | Sequence[str]
    iat: float
    jti: str
    events: dict[str, dict[str, Any]]
    exp: float | None = None
    sub: str = ""
    nonce: str | None = None


class Logout(NamedTuple):
    """Whose sessions are over at the provider, and since when."""

    subject: str
    at: datetime


def check_logout_token(client: Client, token: str, named: Named, key: Key, now: datetime) -> Logout:
    """Who signed out at the provider. Raises NotBelieved."""
    if named.kind not in _LOGOUT_TYPES:
        raise NotBelieved("type")
    try:
        said = msgspec.convert(_verified(token, named, key), _LogoutSaid)
    except msgspec.ValidationError as error:
        raise NotBelieved("claims") from error
    moment = now.timestamp()
    _check_who(client, said.iss, said.aud, None)
    _check_issued(said.iat, moment)
    if said.exp is not None and said.exp <= moment - CLOCKS_DIFFER:
        raise NotBelieved("expired")
    # A nonce makes it an ID token, and those end no session.
    if LOGGED_OUT not in said.events or said.nonce is not None or not said.sub or not said.jti:
        raise NotBelieved("claims")
    at = min(now, datetime.fromtimestamp(said.iat, now.tzinfo))
    return Logout(said.sub, at + timedelta(seconds=CLOCKS_DIFFER))


def _verified(token: str, named: Named, key: Key) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(verified(token, key, named.algorithm.value), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise NotBelieved("signature") from error


class UnusableKey(Exception):
    """A private key that cannot be read, in a sentence."""


def own_key(pem: str) -> Key:
    """Our private key, from PEM. Raises UnusableKey."""
    for kind in KINDS.values():
        try:
            key = kind.import_key(pem)
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
        if key.is_private:
            return key
    raise UnusableKey("The private key is not one in PEM, of RSA, EC or Ed25519, without password.")


def signs_with(key: Key) -> str:
    """The usual algorithm of a private key."""
    return next(one.value for one, kind in KEY_TYPES.items() if kind == key.key_type)


def client_assertion(
    client: Client, endpoint: str, key: Key, algorithm: str, kid: str, now: datetime
) -> str:
    """What shows the provider that we are the client (private_key_jwt, RFC 7523).

    Raises UnusableKey for a key of another kind than the algorithm's.
    """
    issued = int(now.timestamp())
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": endpoint,
        "jti": secrets.token_urlsafe(24),
        "iat": issued,
        "exp": issued + ASSERTION_LASTS,
    }
    header = {"alg": algorithm, "kid": kid or key.thumbprint()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            return jwt.encode(header, claims, key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError) as error:
        raise UnusableKey(f"The private key is none for {algorithm}.") from error
