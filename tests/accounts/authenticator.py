"""A passkey's device in software: it makes keys and signs, rightly or wrongly as a test wants."""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40


@dataclass
class Device:
    """One device with one key."""

    origin: str = "http://testshire.localhost"
    host: str = "testshire.localhost"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def make(self, options: dict[str, Any]) -> str:
        """Answer a page that asks for a new key."""
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps({
            1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")
        })  # fmt: skip
        size = len(self.credential).to_bytes(2, "big")
        data = self._data(self.flags | WITH_KEY) + bytes(16) + size + self.credential + public
        attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        return self._answer({"clientDataJSON": _text(client), "attestationObject": _text(attested)})

    def sign(self, options: dict[str, Any]) -> str:
        """Answer a page that asks who it is."""
        self.count += 1
        data = self._data(self.flags)
        client = self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer({
            "clientDataJSON": _text(client),
            "authenticatorData": _text(data),
            "signature": _text(signature),
        })  # fmt: skip

    def _data(self, flags: int) -> bytes:
        return sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _answer(self, response: dict[str, str]) -> str:
        credential = _text(self.credential)
        return json.dumps({
            "id": credential, "rawId": credential, "type": "public-key", "response": response,
            "clientExtensionResults": {},
        })  # fmt: skip


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def as_bytes(text: str) -> bytes:
    """What stands in options as text."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
