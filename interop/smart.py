"""SMART Backend Services: whether a client is who it says, by what it signed for this one time.

Pure: no network, no database, no clock. Which client it may be is read first (`claimed`), then its
keys are looked up by whoever calls, then everything is checked (`checked`); that an assertion
was not shown before is theirs to see to, by its `jti`.

Of the token's header only the name of the key and the algorithm are used, and both only choose
among what was registered: a key or an address of keys that it brings is refused, since nothing that
a token says of its own keys proves anything. Sources: SMART App Launch 2.2, "Client
Authentication: Asymmetric"; RFC 7523; RFC 8725.
"""

import binascii
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

import msgspec

from interop.signed import Key, NotBelieved, Published, named_key, read_key, read_keys, verified

ALGORITHMS = {"RS384": "RSA", "ES384": "EC"}
"""What an assertion may be signed with, and with which kind of key. SMART asks for these two."""
CURVE = "P-384"
LONGEST_AHEAD = 300
"""Seconds after now at which an assertion may end."""
CLOCKS_DIFFER = 30
"""Seconds by which the client's clock may be before or behind ours."""
OLDEST = 600
"""Seconds after which an assertion counts as an old one, whenever it ends."""
LONGEST_ASSERTION = 8_192
LONGEST_NAME = 255
LARGEST_KEYS = 65_536
"""Characters of a set of keys."""
MOST_KEYS = 10
CLIENT_KEY = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?", re.ASCII)
"""What a client is called."""
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_PART = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_BRINGS_KEYS = ("jwk", "x5u", "x5c")
_NOT_TAKEN = ("crit", "b64", "zip", "enc", "epk", "p2s", "cty")
"""Members of a header that change what the rest of it means: none of ours has them."""
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")


class Refused(NotBelieved):
    """The client is who it says, and what it signed is not what it has to be.

    `sentence` is for its owner: it is told only once the signature was found to be theirs.
    """

    def __init__(self, why: str, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who an assertion says that it is of, and which key it says to be signed with. Not proved."""

    client: str
    kid: str
    algorithm: str
    jku: str
    claims: Mapping[str, Any]


class Assertion(msgspec.Struct, frozen=True):
    """What a client signed."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: float
    jti: str
    iat: float | None = None
    nbf: float | None = None

    @property
    def remembered_until(self) -> float:
        """Until when it must not be taken again (seconds since 1970): it is too old then."""
        return self.exp + 2 * CLOCKS_DIFFER


def claimed(token: str) -> Claimed:
    """Who it says that it is of. Raises NotBelieved for whatever is no assertion at all."""
    parts = token.split(".", 3)
    if len(token) > LONGEST_ASSERTION or len(parts) != 3:
        raise NotBelieved("form")
    if not all(_PART.fullmatch(part) for part in parts):
        raise NotBelieved("form")
    header, claims = _object(parts[0]), _object(parts[1])
    alg, kid, kind = (header.get(name, "") for name in ("alg", "kid", "typ"))
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        raise NotBelieved("algorithm")
    if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_NAME:
        raise NotBelieved("kid")
    if not isinstance(kind, str) or kind.upper() not in ("JWT", ""):
        raise NotBelieved("type")
    if any(name in header for name in (*_BRINGS_KEYS, *_NOT_TAKEN)):
        raise NotBelieved("header")
    jku = header.get("jku", "")
    client = claims.get("iss")
    if not isinstance(jku, str) or not isinstance(client, str) or client != claims.get("sub"):
        raise NotBelieved("client")
    if not CLIENT_KEY.fullmatch(client):
        raise NotBelieved("client")
    return Claimed(client, kid, alg, jku, claims)


def key_of(claim: Claimed, published: Sequence[Published], jwks_url: str | None) -> Key | None:
    """The registered key that it says to be signed with; None where there is no such key.

    Some clients say where their keys are: that has to be where they were registered to be, and
    is never asked. Raises NotBelieved.
    """
    if claim.jku and claim.jku != jwks_url:
        raise NotBelieved("jku")
    kind = ALGORITHMS[claim.algorithm]
    fitting = [one for one in published if kind != "EC" or one.get("crv") == CURVE]
    return named_key(fitting, claim.kid, kind, claim.algorithm)


def checked(token: str, claim: Claimed, key: Key, audience: str, now: datetime) -> Assertion:
    """What the client signed, once all of it is as it has to be. Raises NotBelieved, Refused."""
    verified(token, key, claim.algorithm)
    try:
        said = msgspec.convert(claim.claims, Assertion)
    except msgspec.ValidationError as error:
        raise Refused("claims", f"A claim is missing or of another kind: {error}") from error
    if not 0 < len(said.jti) <= LONGEST_NAME:
        raise Refused("jti", f"jti is empty or longer than {LONGEST_NAME} characters")
    # For us alone: what others may use as well, they could bring here.
    if ([said.aud] if isinstance(said.aud, str) else said.aud) != [audience]:
        raise Refused("audience", f"aud is not {audience} alone")
    _check_times(said, now.timestamp())
    return said


def _check_times(said: Assertion, moment: float) -> None:
    if not said.exp > moment - CLOCKS_DIFFER:
        raise Refused("expired", "exp is over: make a new assertion for each request")
    if not said.exp <= moment + LONGEST_AHEAD + CLOCKS_DIFFER:
        raise Refused("too long", f"exp is more than {LONGEST_AHEAD} seconds ahead")
    if said.nbf is not None and not said.nbf <= moment + CLOCKS_DIFFER:
        raise Refused("not yet", "nbf is still to come: check the clock")
    if said.iat is not None and not moment - OLDEST <= said.iat <= moment + CLOCKS_DIFFER:
        raise Refused("issued", "iat is long ago or still to come: check the clock")


def _object(part: str) -> Mapping[str, Any]:
    try:
        text = urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()
        read = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise NotBelieved("form") from error
    if not isinstance(read, dict):
        raise NotBelieved("form")
    return read


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Two readers may choose differently between two members of one name: so none may be twice."""
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name stands twice")
    return read


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


# --- Keys that somebody registers -----------------------------------------------------------------


def wrong_keys(document: bytes) -> list[str]:
    """What is wrong with a set of keys that somebody registers; each a sentence."""
    if len(document) > LARGEST_KEYS:
        return [f"The set of keys is larger than {LARGEST_KEYS // 1024} KB"]
    try:
        keys = read_keys(document)
    except NotBelieved:
        return ["This is no set of keys. Paste the JSON that begins with “keys”"]
    if not 0 < len(keys) <= MOST_KEYS:
        return [f"The set has {len(keys)} keys. It needs one, and at most {MOST_KEYS}"]
    wrong = [sentence for one in keys for sentence in _wrong_key(one)]
    names = [one.get("kid") for one in keys]
    if len({str(name) for name in names}) != len(names):
        wrong.append("Two keys have the same name (kid). Give each its own")
    return wrong


def _wrong_key(key: Published) -> list[str]:
    kid = key.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_NAME:
        return ["A key has no name (kid). Give each key one"]
    if any(name in key for name in _PRIVATE):
        told = f"The key “{kid[:60]}” holds a secret part, which is now known to others."
        return [f"{told} Make a new pair of keys, and give the public part only"]
    kind, algorithm = key.get("kty"), key.get("alg")
    usual = next((one for one, its in ALGORITHMS.items() if its == kind), None)
    is_ours = usual is not None and algorithm in (None, usual) and key.get("use", "sig") == "sig"
    if not is_ours or (kind == "EC" and key.get("crv") != CURVE):
        return [f"The key “{kid[:60]}” is none for {' or '.join(ALGORITHMS)}"]
    try:
        read_key(key)
    except NotBelieved:
        return [f"The key “{kid[:60]}” is broken or too weak. RSA needs 2,048 to 8,192 bits"]
    return []
