"""OpenID Connect: what is asked of a provider, and what it announces of itself.

Pure. A provider is believed only where it is the configured one, on hosts that were configured.
Sources: OpenID Connect Core 1.0 and Discovery 1.0, RFC 9207, RFC 9700.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import msgspec


class Algorithm(StrEnum):
    """What an ID token may be signed with: all asymmetric, so that nobody else can make one."""

    RS256 = "RS256"
    PS256 = "PS256"
    ES256 = "ES256"
    EDDSA = "EdDSA"


KEY_TYPES = {
    Algorithm.RS256: "RSA",
    Algorithm.PS256: "RSA",
    Algorithm.ES256: "EC",
    Algorithm.EDDSA: "OKP",
}
OWN_ALGORITHMS = (*(one.value for one in Algorithm), "RS512")
"""What we may sign with where we show a provider who we are; NHS CIS2 asks for RS512."""


class ClientAuth(StrEnum):
    """How we show the provider that the code is ours to use."""

    BASIC = "client_secret_basic"
    KEY = "private_key_jwt"


class NotReached(Exception):
    """The provider did not answer as it should, in a sentence."""


@dataclass(frozen=True, slots=True)
class Client:
    """What we are at a provider, as configured."""

    issuer: str
    client_id: str
    hosts: frozenset[str]
    """Whom we ask, and to whom we send people: the issuer's host and those named beside it."""
    algorithms: frozenset[Algorithm]


class Metadata(msgspec.Struct, frozen=True):
    """What a provider announces of itself (OpenID Connect Discovery)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    authorization_response_iss_parameter_supported: bool = False
    token_endpoint_auth_methods_supported: Sequence[str] = (ClientAuth.BASIC.value,)
    id_token_signing_alg_values_supported: Sequence[str] = ()
    code_challenge_methods_supported: Sequence[str] | None = None

    @property
    def endpoints(self) -> Sequence[tuple[str, str]]:
        """Every address that we ask or send people to, with what it is called."""
        return [
            (name, address)
            for name in (
                "authorization_endpoint",
                "token_endpoint",
                "jwks_uri",
                "userinfo_endpoint",
                "end_session_endpoint",
            )
            if (address := getattr(self, name))
        ]


LOOPBACK = ("127.0.0.1", "localhost", "::1")


def host_of(address: str) -> str:
    """The host of an address, in small letters; "" where it has none."""
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def is_loopback(address: str) -> bool:
    """Whether an address is on this very machine."""
    return host_of(address) in LOOPBACK


def is_safe(address: str) -> bool:
    """Whether an address is https, without a name, a password or a fragment in it.

    On this machine http will do: nobody listens in between.
    """
    try:
        parts = urlsplit(address)
        is_encrypted = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(address))
        # The port is read to see that it is one.
        return (
            is_encrypted
            and bool(parts.hostname)
            and "@" not in parts.netloc
            and (not parts.fragment and (parts.port is None or parts.port > 0))
        )
    except ValueError:
        return False


def discovery_address(issuer: str) -> str:
    """Where a provider announces itself."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def read_metadata(client: Client, document: bytes) -> Metadata:
    """What the configured provider announces. Raises NotReached, in a sentence."""
    try:
        found = msgspec.json.decode(document, type=Metadata)
    except msgspec.DecodeError as error:
        raise NotReached(
            f"{discovery_address(client.issuer)} is no announcement of an OpenID Connect provider."
        ) from error
    if found.issuer != client.issuer:
        raise NotReached(
            f"The provider calls itself {found.issuer[:200]}, not {client.issuer}: give its own"
            " issuer, letter for letter."
        )
    for name, address in found.endpoints:
        if not is_safe(address):
            raise NotReached(f"Its {name} is not an https address.")
        if host_of(address) not in client.hosts:
            raise NotReached(
                f"Its {name} is on {host_of(address)}, which is not among the hosts configured."
                f" If that is right, add it again with --host {host_of(address)}."
            )
    return found


def what_is_wrong(client: Client, auth: ClientAuth, announced: Metadata) -> list[str]:
    """What keeps people from signing in, by what the provider announces; each a sentence."""
    wrong = []
    methods = announced.code_challenge_methods_supported
    if methods is not None and "S256" not in methods:
        wrong.append("It does not take PKCE with S256, without which nobody is sent to it.")
    if auth.value not in announced.token_endpoint_auth_methods_supported:
        offered = ", ".join(announced.token_endpoint_auth_methods_supported)
        wrong.append(f"It does not take {auth.value}, but: {offered or 'nothing'}.")
    signs = announced.id_token_signing_alg_values_supported
    if signs and not client.algorithms & set(signs):
        expected = ", ".join(sorted(client.algorithms))
        wrong.append(
            f"It signs with {', '.join(signs)}, and {expected} is expected: add it again with"
            " --algorithm."
        )
    return wrong
