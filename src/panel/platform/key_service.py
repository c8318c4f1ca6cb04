"""Master keys that a key service keeps: AWS KMS and Azure Key Vault, behind one small interface.

A process asks the service for the authority's keys when it starts, and once more when it meets a
newer one, which may be days later. The name of what is wrapped is bound to it: a wrapped key put in
another's place does not unwrap. What fails is said in a sentence, and nothing starts without its
keys.
"""

import hmac
import json
import os
import time
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from panel.platform.crypto import NotSealedHere, Wrapping, new_key


class NoMasterKey(Exception):
    """There is no usable master key, in a sentence."""


class KeyService(Protocol):
    """What wraps the authorities' keys: a local master key, or a service that keeps it."""

    key_id: str
    """Which key it is, without telling it."""

    def wrap(self, key: bytes, name: str) -> bytes:
        """The key, sealed and bound to its name."""

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """The key again. Raises NotSealedHere for what this key did not wrap, NoMasterKey."""


AWS_FORM = b"\x0a"
AZURE_FORM = b"\x0b"
TRIES = 4
PATIENCE = 10.0
"""Seconds that one answer may take."""
RENEWED = 300.0
"""Seconds before its end at which a sign-in is renewed."""
_BUSY = 429
_SERVER_FAULT = 500
_PARTS_OF_AN_ARN = 6


def pause(seconds: float) -> None:
    """Wait between two tries."""
    time.sleep(seconds)


class _Asking:
    """One key service over HTTPS: asked again while it is busy, its refusals in words."""

    def __init__(
        self, service: str, client: httpx.Client | None, wait: Callable[[float], None]
    ) -> None:
        self._service = service
        self._client = client or httpx.Client(timeout=PATIENCE)
        self._wait = wait

    def ask(self, make: Callable[[], httpx.Request]) -> dict[str, Any]:
        """The answer to a request that is made, and signed, anew for each try."""
        for tried in range(1, TRIES + 1):
            try:
                answer = self._client.send(make())
            except httpx.TransportError as error:
                if tried == TRIES:
                    raise NoMasterKey(
                        f"{self._service} does not answer ({type(error).__name__}). Without its"
                        " master key nothing can be opened: look whether it can be reached from"
                        " here, then start again."
                    ) from error
            else:
                told = _told(answer)
                if answer.is_success:
                    return told
                code = _code(told)
                is_busy = answer.status_code == _BUSY or "Throttl" in code
                if not is_busy and answer.status_code < _SERVER_FAULT:
                    raise self._refused(code or str(answer.status_code))
                if tried == TRIES:
                    raise NoMasterKey(
                        f"{self._service} is too busy or at fault ({code or answer.status_code}),"
                        f" asked {TRIES} times. Start again in a minute."
                    )
            self._wait(0.2 * 2**tried)
        raise AssertionError("The last try answers or raises.")

    def _refused(self, code: str) -> Exception:
        if code in ("InvalidCiphertextException", "IncorrectKeyException"):
            return NotSealedHere("Another master key wrapped this, or it belongs to another name.")
        return NoMasterKey(
            f"{self._service} refused ({code}). Look whether this account may use the key, and"
            " whether the key is enabled."
        )


def _told(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _code(told: Mapping[str, Any]) -> str:
    error = told.get("error")
    inner = error.get("code", "") if isinstance(error, Mapping) else ""
    # AWS puts the name after a namespace: "com.amazonaws.kms#DisabledException".
    return str(told.get("__type", "") or inner).rpartition("#")[2]


def signed(
    *, region: str, access_key: str, secret_key: str, host: str, path: str,
    headers: Mapping[str, str], body: bytes, at: datetime, service: str = "kms",
) -> str:  # fmt: skip
    """The Authorization header of AWS Signature Version 4 for a POST without a query."""
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    every = {name.lower(): value.strip() for name, value in headers.items()} | {
        "host": host, "x-amz-date": stamp,
    }  # fmt: skip
    names = ";".join(sorted(every))
    canonical = "\n".join((
        "POST", path, "", *(f"{name}:{every[name]}" for name in sorted(every)), "", names,
        sha256(body).hexdigest(),
    ))  # fmt: skip
    to_sign = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{secret_key}".encode()
    for part in (stamp[:8], region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), sha256)
    signature = hmac.digest(key, to_sign.encode(), sha256).hex()
    return (
        f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names},"
        f" Signature={signature}"
    )


class AwsKms:
    """A symmetric key of AWS KMS, named by its ARN; the name of what is wrapped is the context."""

    def __init__(
        self,
        arn: str,
        environment: Mapping[str, str] = os.environ,
        *,
        endpoint: str | None = None,
        client: httpx.Client | None = None,
        wait: Callable[[float], None] = pause,
    ) -> None:
        """Args: the key's ARN; where AWS_ACCESS_KEY_ID and its secret stand; another address."""
        parts = arn.split(":")
        if len(parts) != _PARTS_OF_AN_ARN or parts[2] != "kms" or not parts[3]:
            raise NoMasterKey(
                "PANEL_KMS must name the key by its ARN, like"
                " aws:arn:aws:kms:eu-west-2:111122223333:key/1234abcd."
            )
        self.key_id = f"aws:{arn}"
        self._arn = arn
        self._region = parts[3]
        self._url = (endpoint or f"https://kms.{self._region}.amazonaws.com").rstrip("/") + "/"
        self._environment = environment
        self._credentials()
        self._asking = _Asking("AWS KMS", client, wait)

    def _credentials(self) -> Mapping[str, str]:
        """The sign-in, read for each request: those of a session are over within hours.

        They stand in the environment, or in the file that AWS_SHARED_CREDENTIALS_FILE names, which
        whoever renews them writes anew.
        """
        given = self._environment
        if "AWS_ACCESS_KEY_ID" not in given and "AWS_SHARED_CREDENTIALS_FILE" in given:
            given = _credentials_in(
                Path(given["AWS_SHARED_CREDENTIALS_FILE"]), given.get("AWS_PROFILE", "default")
            )
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            if name not in given:
                raise NoMasterKey(f"PANEL_KMS names a key of AWS, and {name} is not set.")
        return given

    def wrap(self, key: bytes, name: str) -> bytes:
        """The key, encrypted by the service and bound to its name."""
        told = self._ask("Encrypt", {"Plaintext": b64encode(key).decode()}, name)
        return AWS_FORM + b64decode(told["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """The key again. Raises NotSealedHere, NoMasterKey."""
        blob = _without(AWS_FORM, wrapped)
        told = self._ask("Decrypt", {"CiphertextBlob": b64encode(blob).decode()}, name)
        return b64decode(told["Plaintext"])

    def _ask(self, operation: str, what: dict[str, str], name: str) -> dict[str, Any]:
        body = json.dumps(
            {**what, "KeyId": self._arn, "EncryptionContext": {"panel": name}}
        ).encode()
        url = urlsplit(self._url)

        def make() -> httpx.Request:
            at = datetime.now(UTC)
            who = self._credentials()
            headers = {
                "content-type": "application/x-amz-json-1.1",
                "x-amz-target": f"TrentService.{operation}",
            }
            if token := who.get("AWS_SESSION_TOKEN"):
                headers["x-amz-security-token"] = token
            authorization = signed(
                region=self._region,
                access_key=who["AWS_ACCESS_KEY_ID"],
                secret_key=who["AWS_SECRET_ACCESS_KEY"],
                host=url.netloc,
                path=url.path,
                headers=headers,
                body=body,
                at=at,
            )
            stamp = at.strftime("%Y%m%dT%H%M%SZ")
            return httpx.Request(
                "POST",
                self._url,
                content=body,
                headers=headers | {"x-amz-date": stamp, "authorization": authorization},
            )

        return self._asking.ask(make)


def _credentials_in(file: Path, profile: str) -> Mapping[str, str]:
    """A profile of a shared credentials file, under the names of the environment."""
    read = ConfigParser(interpolation=None)
    try:
        read.read_string(file.read_text(encoding="utf-8"))
        return {name.upper(): said for name, said in read[profile].items()}
    except (OSError, ValueError, ConfigParserError, KeyError) as error:
        raise NoMasterKey(
            f"AWS_SHARED_CREDENTIALS_FILE names {file}, and its profile {profile} cannot be read"
            f" ({type(error).__name__})."
        ) from error


_AZURE_VERSION = "7.4"
_AZURE_SCOPE = "https://vault.azure.net"
_ALGORITHM = "RSA-OAEP-256"


class AzureKeyVault:
    """An RSA key of Azure Key Vault, named by its address.

    The service binds nothing to what it wraps, so it wraps a key made for the occasion, and that
    one seals the rest with its name.
    """

    def __init__(
        self,
        address: str,
        environment: Mapping[str, str] = os.environ,
        *,
        client: httpx.Client | None = None,
        wait: Callable[[float], None] = pause,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: `https://VAULT.vault.azure.net/keys/NAME`; where the sign-in stands; seconds."""
        parts = urlsplit(address)
        if not parts.hostname or not parts.path.startswith("/keys/"):
            raise NoMasterKey(
                "PANEL_KMS must name the key by its address, like"
                " azure:https://example.vault.azure.net/keys/panel/0123abcd."
            )
        self.key_id = f"azure:{address}"
        self._address = address.rstrip("/")
        self._environment = environment
        self._now = now
        self._token, self._token_until = "", 0.0
        self._asking = _Asking("Azure Key Vault", client, wait)

    def wrap(self, key: bytes, name: str) -> bytes:
        """The key, sealed with its name by a key that the service wraps."""
        once = new_key()
        told = self._ask(self._address, "wrapkey", once)
        kid = str(told["kid"]).encode()
        wrapped = urlsafe_b64decode(_padded(str(told["value"])))
        lengths = len(kid).to_bytes(2) + len(wrapped).to_bytes(2)
        return AZURE_FORM + lengths + kid + wrapped + Wrapping(once).wrap(key, name)

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """The key again, also where the service has a newer version. NotSealedHere, NoMasterKey."""
        rest = _without(AZURE_FORM, wrapped)
        of_kid, of_key = int.from_bytes(rest[:2]), int.from_bytes(rest[2:4])
        kid, rest = rest[4 : 4 + of_kid].decode("ascii", "replace"), rest[4 + of_kid :]
        # Whoever could change the database must not have the sign-in sent elsewhere.
        if kid != self._address and not kid.startswith(f"{self._address}/"):
            raise NotSealedHere("Another key of the key service wrapped this.")
        told = self._ask(kid, "unwrapkey", rest[:of_key])
        once = urlsafe_b64decode(_padded(str(told["value"])))
        return Wrapping(once).unwrap(rest[of_key:], name)

    def _ask(self, key: str, operation: str, value: bytes) -> dict[str, Any]:
        self._sign_in()
        body = {
            "alg": _ALGORITHM,
            "value": urlsafe_b64encode(value).decode().rstrip("="),
        }
        return self._asking.ask(
            lambda: httpx.Request(
                "POST",
                f"{key}/{operation}",
                params={"api-version": _AZURE_VERSION},
                json=body,
                headers={"authorization": f"Bearer {self._token}"},
            )
        )

    def _sign_in(self) -> None:
        """Sign in, unless the sign-in of before lasts: a process outlives it by days."""
        if self._token and self._now() < self._token_until:
            return
        told = self._new_token()
        self._token = str(told["access_token"])
        self._token_until = self._now() + float(told.get("expires_in", 0)) - RENEWED

    def _new_token(self) -> dict[str, Any]:
        """A token: of a registered application, or else of the machine's managed identity."""
        given = self._environment
        if "AZURE_CLIENT_SECRET" in given:
            try:
                form = {
                    "grant_type": "client_credentials",
                    "client_id": given["AZURE_CLIENT_ID"],
                    "client_secret": given["AZURE_CLIENT_SECRET"],
                    "scope": f"{_AZURE_SCOPE}/.default",
                }
                tenant = given["AZURE_TENANT_ID"]
            except KeyError as error:
                raise NoMasterKey(
                    f"PANEL_KMS names a key of Azure, and {error.args[0]} is not set."
                ) from error
            host = given.get("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com")
            url = f"{host.rstrip('/')}/{tenant}/oauth2/v2.0/token"
            return self._asking.ask(lambda: httpx.Request("POST", url, data=form))
        return self._asking.ask(
            lambda: httpx.Request(
                "GET",
                "http://169.254.169.254/metadata/identity/oauth2/token",
                params={"api-version": "2018-02-01", "resource": _AZURE_SCOPE},
                headers={"Metadata": "true"},
            )
        )


def _without(form: bytes, wrapped: bytes) -> bytes:
    if wrapped[:1] != form:
        raise NotSealedHere("Another kind of master key wrapped this.")
    return wrapped[1:]


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)
