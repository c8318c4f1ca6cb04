"""Key services of our own for tests: they check what AWS KMS and Azure Key Vault check."""

import hmac
import json
import os
import threading
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

ARN = "arn:aws:kms:eu-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ACCESS_KEY = "AKIDEXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
AWS_ENVIRONMENT = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
AZURE_ENVIRONMENT = {
    "AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "panel", "AZURE_CLIENT_SECRET": "shared",
}  # fmt: skip
LASTS = 3599
"""Seconds of a sign-in to Azure."""
OAEP = padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)

Answer = tuple[int, dict[str, Any]]


class Refused(Exception):
    """A request that the service does not take: status and code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass
class Asked:
    """A request as it came in."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass
class Kms:
    """AWS KMS with one symmetric key, as far as Encrypt and Decrypt go."""

    trouble: list[tuple[int, str]] = field(default_factory=list)
    """What the next requests are answered instead."""
    asked: list[Asked] = field(default_factory=list)
    key: bytes = field(default_factory=lambda: AESGCM.generate_key(256))
    url: str = ""

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if self.trouble:
            status, code = self.trouble.pop(0)
            return status, {"__type": code}
        try:
            self.check_signature(asked)
            return 200, self.work(asked)
        except Refused as refused:
            return refused.status, {"__type": f"com.amazonaws.kms#{refused.code}"}

    def check_signature(self, asked: Asked) -> None:
        """Signature Version 4, from what came over the wire, by AWS's own description of it."""
        given = asked.headers.get("authorization", "")
        scheme, _, rest = given.partition(" ")
        parts = dict(one.strip().split("=", 1) for one in rest.split(",") if "=" in one)
        if scheme != "AWS4-HMAC-SHA256" or set(parts) != {
            "Credential", "SignedHeaders", "Signature",
        }:  # fmt: skip
            raise Refused(400, "MissingAuthenticationTokenException")
        access_key, day, region, service, end = parts["Credential"].split("/")
        at = asked.headers["x-amz-date"]
        moment = datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs((datetime.now(UTC) - moment).total_seconds()) > 300 or not at.startswith(day):
            raise Refused(400, "SignatureDoesNotMatch")
        names = parts["SignedHeaders"].split(";")
        if not {"host", "x-amz-date", "x-amz-target"} <= set(names) or names != sorted(names):
            raise Refused(400, "SignatureDoesNotMatch")
        canonical = f"POST\n{asked.path}\n\n"
        for name in names:
            canonical += f"{name}:{' '.join(asked.headers[name].split())}\n"
        canonical += f"\n{';'.join(names)}\n{sha256(asked.body).hexdigest()}"
        to_sign = f"AWS4-HMAC-SHA256\n{at}\n{day}/{region}/{service}/{end}\n"
        to_sign += sha256(canonical.encode()).hexdigest()
        signing = b"AWS4" + SECRET_KEY.encode()
        for step in (day, region, service, end):
            signing = hmac.new(signing, step.encode(), sha256).digest()
        expected = hmac.new(signing, to_sign.encode(), sha256).hexdigest()
        if (access_key, region, service) != (ACCESS_KEY, "eu-west-2", "kms"):
            raise Refused(400, "UnrecognizedClientException")
        if not hmac.compare_digest(expected, parts["Signature"]):
            raise Refused(400, "SignatureDoesNotMatch")

    def work(self, asked: Asked) -> dict[str, Any]:
        if asked.headers["content-type"] != "application/x-amz-json-1.1":
            raise Refused(400, "SerializationException")
        body = json.loads(asked.body)
        if body["KeyId"] != ARN:
            raise Refused(400, "NotFoundException")
        context = json.dumps(body.get("EncryptionContext", {}), sort_keys=True).encode()
        cipher = AESGCM(self.key)
        match asked.headers["x-amz-target"]:
            case "TrentService.Encrypt":
                nonce = os.urandom(12)
                made = nonce + cipher.encrypt(nonce, b64decode(body["Plaintext"]), context)
                return {"KeyId": ARN, "CiphertextBlob": b64encode(made).decode()}
            case "TrentService.Decrypt":
                blob = b64decode(body["CiphertextBlob"])
                try:
                    plain = cipher.decrypt(blob[:12], blob[12:], context)
                except Exception as error:
                    raise Refused(400, "InvalidCiphertextException") from error
                return {"KeyId": ARN, "Plaintext": b64encode(plain).decode()}
        raise Refused(400, "UnknownOperationException")


@dataclass
class Vault:
    """Azure Key Vault with one RSA key in versions, and the sign-in in front of it."""

    trouble: list[tuple[int, str]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    versions: list[rsa.RSAPrivateKey] = field(
        default_factory=lambda: [rsa.generate_private_key(65537, 2048)]
    )
    over: int = 0
    """How many sign-ins have ended: a token of one of those is refused."""
    url: str = ""

    @property
    def address(self) -> str:
        """The key's address, without a version: the newest wraps."""
        return f"{self.url}/keys/panel"

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if self.trouble:
            status, code = self.trouble.pop(0)
            return status, {"error": {"code": code}}
        try:
            if asked.path == "/tenant/oauth2/v2.0/token":
                return 200, self.sign_in(asked)
            return 200, self.work(asked)
        except Refused as refused:
            return refused.status, {"error": {"code": refused.code}}

    def sign_in(self, asked: Asked) -> dict[str, Any]:
        form = {name: one[0] for name, one in parse_qs(asked.body.decode()).items()}
        expected = {
            "grant_type": "client_credentials", "client_id": "panel", "client_secret": "shared",
            "scope": "https://vault.azure.net/.default",
        }  # fmt: skip
        if form != expected:
            raise Refused(401, "invalid_client")
        told = {"access_token": f"token-{self.over}", "token_type": "Bearer"}
        return told | {"expires_in": LASTS}

    def work(self, asked: Asked) -> dict[str, Any]:
        if asked.headers.get("authorization") != f"Bearer token-{self.over}":
            raise Refused(401, "Unauthorized")
        if asked.query.get("api-version") != ["7.4"]:
            raise Refused(400, "BadParameter")
        said = json.loads(asked.body)
        if said["alg"] != "RSA-OAEP-256":
            raise Refused(400, "BadParameter")
        value = urlsafe_b64decode(said["value"] + "==")
        match asked.path.strip("/").split("/"):
            case ["keys", "panel", "wrapkey"]:
                newest = len(self.versions) - 1
                made = self.versions[newest].public_key().encrypt(value, OAEP)
                kid = f"{self.address}/{newest}"
            case ["keys", "panel", version, "unwrapkey"]:
                try:
                    made = self.versions[int(version)].decrypt(value, OAEP)
                except ValueError as error:
                    raise Refused(400, "BadParameter") from error
                kid = f"{self.address}/{version}"
            case _:
                raise Refused(404, "KeyNotFound")
        return {"kid": kid, "value": urlsafe_b64encode(made).decode().rstrip("=")}


@contextmanager
def answering(service: Kms | Vault) -> Iterator[None]:
    """Serve it on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, told = service.answer(Asked(parts.path, parse_qs(parts.query), headers, body))
            said = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_said: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
