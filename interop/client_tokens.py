"""How a client of a FHIR server shows who it is: SMART Backend Services, private_key_jwt.

It signs a short assertion, is given a token for it, and keeps that until shortly before its end.
Keys are changed without a gap: publish the new one beside the old (`public_set`), give both here,
the new one first, and drop the old one when the server has it. While the server does not know the
first yet, the next is tried. Source: SMART App Launch 2.2, Backend Services; RFC 7523.
"""

import secrets
from asyncio import Lock
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import time
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from interop.client_answers import NotLetIn, Problem
from interop.signed import PUBLIC
from interop.smart import ALGORITHMS, TYPE

LASTS = 240
"""Seconds that an assertion is good for; servers take at most 300."""
BEFORE_ITS_END = 30
"""Seconds before a token's end at which the next is asked for."""
USUAL = 300
"""Seconds that a token is taken to last where the server does not say."""

Clock = Callable[[], float]
"""Seconds since 1970."""


class Given(msgspec.Struct, frozen=True):
    """A token as it is given."""

    access_token: str
    expires_in: int | float | None = None


Post = Callable[[str, Mapping[str, str]], Awaitable[Given | NotLetIn]]
"""Sends a form to an address, and gives what `given_or_refused` makes of the answer."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its name. Make one with `from_jwk`."""

    kid: str
    algorithm: str
    key: RSAKey | ECKey = field(repr=False)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> "SigningKey":
        """From a private JWK with a `kid`: RSA (RS384), or EC on P-384 (ES384).

        Raises: ValueError where it is none of these.
        """
        kinds: Mapping[object, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}
        kind, kid = kinds.get(jwk.get("kty")), jwk.get("kid")
        algorithm = next((one for one, its in ALGORITHMS.items() if its == jwk.get("kty")), None)
        if kind is None or algorithm is None or not isinstance(kid, str) or not kid:
            raise ValueError("a signing key is RSA or EC and has a kid")
        given = {name: value for name, value in jwk.items() if name not in ("use", "key_ops")}
        try:
            key = kind.import_key(given)
        except (JoseError, ValueError, TypeError):
            raise ValueError("this key cannot be read") from None
        if not key.is_private or (algorithm == "ES384" and jwk.get("crv") != "P-384"):
            raise ValueError("a signing key is private, and on P-384 where it is EC")
        return cls(kid, algorithm, key)

    def public(self) -> dict[str, Any]:
        """Its public part, as it is registered or published."""
        told = self.key.as_dict(private=False)
        kept = {name: told[name] for name in PUBLIC if name in told}
        return {**kept, "kid": self.kid, "alg": self.algorithm, "use": "sig"}


def new_signing_key(kid: str) -> bytes:
    """A new private key of this name (JWK, EC on P-384), for `SigningKey.from_jwk`."""
    made = ECKey.generate_key("P-384", {"kid": kid}, private=True)
    return msgspec.json.encode(made.as_dict(private=True))


def public_set(keys: Sequence[SigningKey]) -> dict[str, Any]:
    """The keys' public parts as a set (JWKS) to register, or to publish at an address."""
    return {"keys": [one.public() for one in keys]}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who a client is at a server."""

    client: str
    """What it is called there (`client_id`)."""
    keys: tuple[SigningKey, ...]
    """The one to sign with first; others are tried where the server does not know it."""
    scopes: tuple[str, ...] = ("system/*.cruds",)
    token_address: str | None = None
    """Where tokens are given; None lets it be read from the server's smart-configuration."""


@dataclass
class Tokens:
    """The token of a client: asked for when one is needed, kept until shortly before its end."""

    credentials: Credentials
    now: Clock = time
    _token: str = field(default="", repr=False)
    _until: float = 0.0
    _one_at_a_time: Lock = field(default_factory=Lock, repr=False)

    async def token(self, post: Post, address: str) -> str:
        """A token that is good for some time yet.

        Raises: NotLetIn where none of the keys is believed, or nothing may be done.
        """
        async with self._one_at_a_time:
            if self.now() >= self._until - BEFORE_ITS_END:
                await self._ask(post, address)
            return self._token

    def forget(self, token: str) -> None:
        """Use a token no more: the server did not take it."""
        if token == self._token:
            self._until = 0.0

    def use_keys(self, keys: Sequence[SigningKey]) -> None:
        """Sign with these from now on; the token that there is stays good until its end."""
        self.credentials = Credentials(
            self.credentials.client,
            tuple(keys),
            self.credentials.scopes,
            self.credentials.token_address,
        )

    async def _ask(self, post: Post, address: str) -> None:
        refused = NotLetIn(401, (Problem("error", "login", "There is no key to sign with."),))
        for key in self.credentials.keys:
            said = await post(address, self._form(key, address))
            if isinstance(said, Given):
                self._keep(said)
                return
            refused = said
            if not any(one.code == "invalid_client" for one in refused.problems):
                break
        raise refused

    def _form(self, key: SigningKey, address: str) -> dict[str, str]:
        now = int(self.now())
        claims = {
            "iss": self.credentials.client,
            "sub": self.credentials.client,
            "aud": address,
            "iat": now,
            "exp": now + LASTS,
            "jti": secrets.token_urlsafe(24),
        }
        header = {"alg": key.algorithm, "kid": key.kid, "typ": "JWT"}
        return {
            "grant_type": "client_credentials",
            "scope": " ".join(self.credentials.scopes),
            "client_assertion_type": TYPE,
            "client_assertion": jwt.encode(header, claims, key.key, [key.algorithm]),
        }

    def _keep(self, given: Given) -> None:
        lasts = given.expires_in
        seconds = lasts if lasts is not None and lasts > 0 else USUAL
        self._token, self._until = given.access_token, self.now() + seconds


class _NotGiven(msgspec.Struct):
    error: str
    words: str = msgspec.field(name="error_description", default="")


def given_or_refused(status: int, body: bytes) -> Given | NotLetIn:
    """What a token address answered (RFC 6749, 5.1 and 5.2)."""
    try:
        if status == 200:
            return msgspec.json.decode(body, type=Given)
        refused = msgspec.json.decode(body, type=_NotGiven)
    except msgspec.DecodeError:
        return NotLetIn(status, (Problem("error", "login", "No token was given."),))
    return NotLetIn(status, (Problem("error", refused.error, refused.words),))
