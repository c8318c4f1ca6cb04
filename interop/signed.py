"""Signed tokens (JWS) and the public keys that others publish, for whoever verifies one.

Pure. A key is taken over only as far as it is public and known here; what it verifies has to be
signed with the one algorithm that its caller names. Sources: RFC 7515, 7517, 8725.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry, deserialize_compact

Key = RSAKey | ECKey | OKPKey
Published = Mapping[str, Any]
"""A key as it is published (JWK)."""

SMALLEST_RSA = 2048
"""Bits."""
LARGEST_RSA = 8192
"""Bits: to verify with a larger one takes whoever verifies too long."""
PUBLIC = ("kty", "n", "e", "crv", "x", "y")
KINDS: Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {
    "RSA": RSAKey,
    "EC": ECKey,
    "OKP": OKPKey,
}


class NotBelieved(Exception):
    """Something that came in another's name is not what it has to be; `why` is one word.

    The word goes to the log and never to whoever tried.
    """

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class _KeySet(msgspec.Struct):
    keys: Sequence[dict[str, Any]]


def read_keys(document: bytes) -> list[Published]:
    """The keys of a published set, each as it is published. Raises NotBelieved."""
    try:
        return list(msgspec.json.decode(document, type=_KeySet).keys)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotBelieved("keys") from error


def named_key(published: Sequence[Published], kid: str, kty: str, algorithm: str) -> Key | None:
    """The published key of this name; None where none is, or where several could be meant.

    Without a name it is the only one that fits. Raises NotBelieved where it is no good key.
    """
    fitting = [
        one
        for one in published
        if one.get("kty") == kty
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
        and (not kid or one.get("kid") == kid)
    ]
    return read_key(fitting[0]) if len(fitting) == 1 else None


def read_key(published: Published) -> Key:
    """A published key, of which only what is public is taken over. Raises NotBelieved."""
    # Members that we do not know could mean anything.
    given = {name: published[name] for name in PUBLIC if name in published}
    try:
        with warnings.catch_warnings():
            # What is too weak is refused below.
            warnings.simplefilter("ignore", SecurityWarning)
            key = KINDS[published["kty"]].import_key(given)
        # Made now, so that a point off its curve is found here.
        size = key.public_key.key_size if isinstance(key, RSAKey) else SMALLEST_RSA
        _ = key.public_key
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotBelieved("keys") from error
    if not SMALLEST_RSA <= size <= LARGEST_RSA:
        raise NotBelieved("keys")
    return key


def registry(algorithms: Sequence[str]) -> JWSRegistry:
    """Takes these algorithms alone; Entra and others put members of their own into headers."""
    return JWSRegistry(algorithms=list(algorithms), strict_check_header=False)


def verified(token: str, key: Key, algorithm: str) -> bytes:
    """What a token holds, once its signature was found to be this key's. Raises NotBelieved."""
    try:
        with warnings.catch_warnings():
            # RFC 9864 gives EdDSA other names; providers use the old one.
            warnings.simplefilter("ignore", SecurityWarning)
            checked = deserialize_compact(token, key, [algorithm], registry([algorithm]))
    except (JoseError, ValueError, TypeError) as error:
        raise NotBelieved("signature") from error
    return checked.payload or b""
