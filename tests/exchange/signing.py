"""A client's keys and what it signs, made by hand so that each part of it can be spoilt."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

Part = Mapping[str, Any] | str | bytes
WIDTH = 48
"""Bytes of a number of P-384."""


def b64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def number(value: int, width: int = 0) -> str:
    return b64(value.to_bytes(width or (value.bit_length() + 7) // 8, "big"))


@dataclass
class Pair:
    """A pair of keys of a client."""

    kid: str
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    @property
    def algorithm(self) -> str:
        return "RS384" if isinstance(self.private, rsa.RSAPrivateKey) else "ES384"

    def public(self, **more: object) -> dict[str, object]:
        """The public part, as a client gives it."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            numbers = self.private.public_key().public_numbers()
            told = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        else:
            point = self.private.public_key().public_numbers()
            told = {"kty": "EC", "crv": "P-384"}
            told |= {"x": number(point.x, WIDTH), "y": number(point.y, WIDTH)}
        return {**told, "kid": self.kid, "use": "sig", **more}

    def sign(self, content: bytes, algorithm: str = "") -> bytes:
        """The signature, in the form of JWS."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            hashed = hashes.SHA256() if algorithm == "RS256" else hashes.SHA384()
            way = padding.PSS(padding.MGF1(hashed), 48) if algorithm[:2] == "PS" else None
            return self.private.sign(content, way or padding.PKCS1v15(), hashed)
        r, s = decode_dss_signature(self.private.sign(content, ec.ECDSA(hashes.SHA384())))
        return r.to_bytes(WIDTH, "big") + s.to_bytes(WIDTH, "big")


def rsa_pair(kid: str, bits: int = 2048) -> Pair:
    return Pair(kid, rsa.generate_private_key(65537, bits))


def ec_pair(kid: str) -> Pair:
    return Pair(kid, ec.generate_private_key(ec.SECP384R1()))


def text_of(part: Part) -> bytes:
    if isinstance(part, bytes):
        return part
    return part.encode() if isinstance(part, str) else json.dumps(part).encode()


def token(header: Part, claims: Part, pair: Pair | None = None, algorithm: str = "") -> str:
    """A token of these parts; without a pair, one that nobody signed."""
    content = f"{b64(text_of(header))}.{b64(text_of(claims))}"
    signature = b"" if pair is None else pair.sign(content.encode(), algorithm)
    return f"{content}.{b64(signature)}"


def by_secret(header: Part, claims: Part, secret: bytes) -> str:
    """A token that is signed as if the secret were shared."""
    content = f"{b64(text_of(header))}.{b64(text_of(claims))}"
    return f"{content}.{b64(hmac.new(secret, content.encode(), hashlib.sha256).digest())}"


@dataclass
class Signer:
    """A client as it shows who it is."""

    key: str
    pair: Pair
    audience: str
    now: float
    made: int = 0
    header: dict[str, Any] = field(default_factory=dict)

    def head(self, **other: object) -> dict[str, Any]:
        """The header; None takes a member out."""
        told = {"alg": self.pair.algorithm, "kid": self.pair.kid, "typ": "JWT"} | other
        return {name: value for name, value in told.items() if value is not None}

    def claims(self, **other: object) -> dict[str, Any]:
        """The claims, each time with another jti; None takes a claim out."""
        self.made += 1
        told: dict[str, Any] = {
            "iss": self.key,
            "sub": self.key,
            "aud": self.audience,
            "exp": int(self.now) + 240,
            "jti": f"{self.key}-{self.made}",
        }
        return {name: value for name, value in (told | other).items() if value is not None}

    def assertion(self, head: Mapping[str, Any] | None = None, **claims: object) -> str:
        """A good one, but for what is given."""
        return token(self.head(**(head or {})), self.claims(**claims), self.pair)
